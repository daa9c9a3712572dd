//! The contract of every connector, as one suite for all of them: links end, names and ids lead to
//! one bank, keys are unique, pages end and cover one range, equal calls have equal responses, and
//! foreign bytes cause no panic.

use crate::connector::Connector;
use crate::interface::{
    BankAccount, Begin, Fetch, Input, Institution, LinkError, OfferedAccount, Records, Step,
};
use crate::sandbox::Sandbox;
use crate::sandbox::scenario::Scenario;
use model::bank::Feature;
use model::clock::{AccountTime, DAY_S};
use model::limits;
use std::collections::HashSet;
use std::sync::Arc;

const NOW: AccountTime = AccountTime(1_795_000_000);
/// The most steps of a login.
const STEPS_MAX: usize = 4;

/// Runs the suite over all banks of a connector and returns the number of their accounts.
fn keep_the_contract(connector: &Connector) -> usize {
    let mut accounts = 0;
    let institutions = connector.institutions();
    let ids: HashSet<_> = institutions.iter().map(|institution| institution.id).collect();
    assert_eq!(ids.len(), institutions.len(), "ids of institutions are unique");
    for institution in &institutions {
        let (name, id) = (institution.name.to_uppercase(), institution.id.to_string());
        assert_eq!(connector.find_institution(&name).as_ref(), Some(institution));
        assert_eq!(connector.find_institution(&id).as_ref(), Some(institution));
        let Some(offered) = link(connector, institution) else { continue };
        let keys: HashSet<_> = offered.iter().map(|account| &account.bank_account).collect();
        assert_eq!(keys.len(), offered.len(), "keys of accounts are unique within a bank");
        assert_eq!(offered.iter().filter(|account| account.preselected).count(), 1);
        assert_eq!(Some(offered.clone()), link(connector, institution), "a bank offers the same");
        for account in &offered {
            accounts += 1;
            fetch_all(connector, institution, account);
        }
    }
    assert_eq!(connector.find_institution("no such bank"), None);
    accounts
}

/// Logs in. Returns `None` if the bank accepts no logins.
fn link(connector: &Connector, institution: &Institution) -> Option<Vec<OfferedAccount>> {
    let begin = Begin { institution: institution.id, holder_key: "jenny@example.com", now: NOW };
    let mut step = match connector.begin(&begin) {
        Ok(step) => step,
        Err(LinkError::Unavailable { until }) => {
            assert!(until.is_none_or(|until| until > NOW), "a planned end is in the future");
            return None;
        }
        Err(error) => {
            assert_eq!(error, LinkError::Failed, "no other error rejects a login");
            return None;
        }
    };
    for _ in 0..STEPS_MAX {
        let (state, input) = match step {
            Step::Done { accounts } => return Some(accounts),
            Step::Redirect { state } => (state, Input::Returned),
            Step::Ask { state, fields } => {
                let fill = |field: String| (field, "anything".to_owned());
                (state, Input::Fields(fields.into_iter().map(fill).collect()))
            }
        };
        step = connector.advance(&state, &input).expect("a login with ordinary values continues");
    }
    panic!("a login takes at most {STEPS_MAX} steps");
}

fn fetch_all(connector: &Connector, institution: &Institution, offered: &OfferedAccount) {
    let account = BankAccount {
        institution: institution.id,
        bank_account: &offered.bank_account,
        linked_at: NOW,
        relinked_at: NOW,
        credential: &offered.credential,
        state: b"",
    };
    let later = NOW.plus(9 * DAY_S);
    for now in [NOW, later] {
        let watch = connector.watch(&account, now);
        assert!(watch.next_change_at.is_none_or(|at| at > now), "the next change is in the future");
        assert_eq!(watch, connector.watch(&account, now));
        let replacement = connector.replacement(&account, now);
        assert!(replacement.is_none() || connector.replaces_numbers(institution.id));
        assert_eq!(replacement, connector.replacement(&account, now));
    }
    for feature in &institution.features {
        let fetch = Fetch {
            account,
            feature: *feature,
            sequence: 1,
            waited_s: later.0 - NOW.0,
            cursor: None,
            now: later,
        };
        let Some(cursor) = pages(connector, &fetch) else { continue };
        let next = Fetch { cursor: Some(&cursor), sequence: 2, ..fetch };
        pages(connector, &next);
        // A foreign cursor, state or credential leads to a page or an error, never to a panic.
        let foreign = b"foreign bytes".as_slice();
        pages(connector, &Fetch { cursor: Some(foreign), ..fetch });
        let stranger = BankAccount { credential: foreign, state: foreign, ..account };
        assert!(connector.fetch(&Fetch { account: stranger, ..fetch }).result.is_err());
    }
}

/// Fetches all pages, each twice. Returns the last cursor unless the bank rejected the fetch.
fn pages(connector: &Connector, fetch: &Fetch<'_>) -> Option<Vec<u8>> {
    let mut cursor = fetch.cursor.map(<[u8]>::to_vec);
    let mut ranges = Vec::new();
    let mut bank_ids = HashSet::new();
    for _ in 0..limits::REFRESH_PAGES_MAX {
        let request = Fetch { cursor: cursor.as_deref(), ..*fetch };
        let response = connector.fetch(&request);
        assert_eq!(
            response.result,
            connector.fetch(&request).result,
            "equal calls have equal responses"
        );
        let page = response.result.ok()?;
        if let Records::Transactions { records, removals, coverage } = &page.records {
            assert_eq!(fetch.feature, Feature::Transactions);
            ranges.push(*coverage);
            assert!(ranges.iter().all(|range| range == coverage), "one range for all pages");
            let removed = removals.iter().map(|removal| &removal.bank_id);
            for bank_id in records.iter().map(|record| &record.bank_id).chain(removed) {
                assert!((1..=limits::BANK_ID_BYTES_MAX).contains(&bank_id.len()));
                assert!(bank_ids.insert(bank_id.clone()), "{bank_id} came twice");
            }
        }
        cursor = page.next_cursor;
        if !page.more {
            return Some(cursor.unwrap_or_default());
        }
        assert!(cursor.is_some(), "a page before the last one has a cursor");
    }
    panic!("a fetch has at most {} pages", limits::REFRESH_PAGES_MAX);
}

/// The test banks keep the contract, with large pages and with small ones.
#[test]
fn the_sandbox_keeps_the_contract() {
    for page_rows in [500, 7] {
        let sandbox = Sandbox::new(7).with_page_rows(page_rows);
        assert_eq!(keep_the_contract(&Connector::Sandbox(sandbox)), 86);
    }
}

/// The banks of a scenario keep the contract too.
#[test]
fn scenarios_keep_the_contract() {
    let files =
        [include_str!("sandbox/tests/timeline.toml"), include_str!("sandbox/tests/every_key.toml")];
    let scenarios = files.map(|text| Arc::new(Scenario::read(text).unwrap()));
    for page_rows in [500, 7] {
        let sandbox = Sandbox::new(7).with_page_rows(page_rows);
        let sandbox = sandbox.with_scenarios(scenarios.clone());
        assert_eq!(keep_the_contract(&Connector::Sandbox(sandbox)), 92);
    }
}
