//! Single test banks and accounts, and their control by tests.

use super::*;
use crate::interface::{FetchError, Records};
use model::account::{InactiveCause, NumberStatus, StatusAction};
use model::bank::{BankOwner, BankStatus, Coverage};
use model::clock::DAY_S;
use model::limits;
use model::money::Currency;
use model::refresh::RefreshCause;
use model::transaction::TransactionStatus;

fn fields(values: &[(&str, &str)]) -> Input {
    Input::Fields(values.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

fn coverage(linked: &mut Example, now: AccountTime) -> (usize, Coverage) {
    let page = linked.fetch(Feature::Transactions, 1, now).result.unwrap();
    let Records::Transactions { records, coverage, .. } = page.records else {
        panic!("the page has transactions");
    };
    (records.len(), coverage)
}

fn owners(linked: &mut Example) -> Result<Vec<BankOwner>, FetchError> {
    linked.fetch(Feature::Ownership, 1, LINKED).result.map(|page| match page.records {
        Records::Owners(owners) => owners,
        records => panic!("the page has owners, not {records:?}"),
    })
}

/// Older names and published ids lead to the current banks.
#[test]
fn older_names_lead_to_the_same_banks() {
    let sandbox = Sandbox::new(1);
    let name = |wanted: &str| sandbox.find_institution(wanted).map(|found| found.name);
    assert_eq!(name("test institution").as_deref(), Some("Test (Non-OAuth)"));
    assert_eq!(name("fcinst_Qn1a6jqpI0Gb84").as_deref(), Some("Test (OAuth)"));
    assert_eq!(name("DOWN BANK (SCHEDULED)").as_deref(), Some("Down (Scheduled)"));
    assert_eq!(name("Test"), None);
    let names: Vec<_> = sandbox.institutions().into_iter().map(|bank| bank.name).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    Test (Non-OAuth)
    Test (OAuth)
    Bank (Non-OAuth)
    Bank (OAuth)
    Ownership Accounts
    Invalid Payment Accounts
    Down (Scheduled)
    Down (Unscheduled)
    Down (Error)
    Tokenized Account Number
    Inactive Accounts
    Immediately Requires Reauthentication
    Eventually Requires Reauthentication
    Short History
    No History
    ");
}

/// Banks that are down reject a login, with the end if it is known.
#[test]
fn down_banks_take_no_logins() {
    let sandbox = Sandbox::new(1);
    let begin = |bank: &str| {
        let institution = sandbox.find_institution(bank).unwrap().id;
        sandbox.begin(&Begin { institution, holder_key: "a", now: LINKED })
    };
    let until = Some(AccountTime((LINKED.0 / 3_600 + 2) * 3_600));
    assert_eq!(begin("Down (Scheduled)"), Err(LinkError::Unavailable { until }));
    assert_eq!(begin("Down (Unscheduled)"), Err(LinkError::Unavailable { until: None }));
    assert_eq!(begin("Down (Error)"), Err(LinkError::Failed));
    let institution = InstitutionId::from_number(5);
    let unknown = sandbox.begin(&Begin { institution, holder_key: "a", now: LINKED });
    assert_eq!(unknown, Err(LinkError::UnknownInstitution));
}

/// At the bank with prompts, special values lead to questions, rejections and failures.
#[test]
fn special_values_lead_to_prompts() {
    let sandbox = Sandbox::new(1);
    let institution = sandbox.find_institution("Bank (Non-OAuth)").unwrap().id;
    let begin = Begin { institution, holder_key: "a", now: LINKED };
    let Ok(Step::Ask { mut state, fields: requested }) = sandbox.begin(&begin) else {
        panic!("the form is the first step");
    };
    assert_eq!(requested, ["username", "password"]);
    let special = [
        ("options", "option"),
        ("mfa", "code"),
        ("confirm_mfa", "confirmation"),
        ("security_question", "answer"),
    ];
    for (password, field) in special {
        let input = fields(&[("username", "error"), ("password", password)]);
        let Ok(Step::Ask { state: next, fields: requested }) = sandbox.advance(&state, &input)
        else {
            panic!("{password} leads to a question");
        };
        assert_eq!(requested, [field]);
        state = next;
    }
    let advance = |value: &str| sandbox.advance(&state, &fields(&[("answer", value)]));
    assert_eq!(advance("incorrect"), Err(LinkError::Rejected));
    assert_eq!(advance("error"), Err(LinkError::Failed));
    assert!(matches!(advance("blue"), Ok(Step::Done { .. })));
    assert_eq!(sandbox.advance(&state, &Input::Returned), Err(LinkError::Rejected));
    assert_eq!(sandbox.advance(b"?", &Input::Returned), Err(LinkError::Failed));
}

/// Histories reach back 180 days, 30 days or not at all. Banks with a form list a window, others a
/// delta.
#[test]
fn histories_have_their_lengths() {
    let form = &mut Example::new("Test (Non-OAuth)", "Success", "a");
    let (from, to) = (LINKED.plus(-180 * DAY_S), LINKED);
    assert_eq!(coverage(form, LINKED), (335, Coverage::Snapshot { from, to }));
    let short = &mut Example::new("Short History", "Success", "a");
    assert_eq!(coverage(short, LINKED), (51, Coverage::Delta));
    let none = &mut Example::new("No History", "Success", "a");
    assert_eq!(coverage(none, LINKED), (0, Coverage::Delta));
    assert!(coverage(none, LINKED.plus(9 * DAY_S)).0 > 0);
}

/// Banks end accesses at link time, a minute later, a day after a new login, or after a month.
#[test]
fn accesses_end() {
    let lost = |linked: &Example, now| linked.sandbox.watch(&linked.account(), now).lost;
    let failure = &mut Example::new("Test (OAuth)", "Failure", "a");
    assert_eq!(lost(failure, LINKED), Some((InactiveCause::Unspecified, StatusAction::None)));
    let rejected = failure.fetch(Feature::Balance, 1, LINKED).result;
    assert_eq!(rejected, Err(FetchError::AccountGone { cause: RefreshCause::AccountUnavailable }));
    let closed = Example::new("Test (OAuth)", "Account closes after linking", "a");
    assert_eq!(lost(&closed, LINKED), Some((InactiveCause::AccountClosed, StatusAction::None)));

    let minute = LINKED.plus(60);
    let mut daily =
        Example::new("Immediately Requires Reauthentication", "Immediate Reauthentication", "a");
    let relink = Some((InactiveCause::InstitutionRequirement, StatusAction::RelinkRequired));
    assert_eq!((lost(&daily, LINKED), lost(&daily, minute)), (None, relink));
    daily.relinked_at = LINKED.plus(1_000);
    let watch = daily.sandbox.watch(&daily.account(), daily.relinked_at);
    assert_eq!(watch.next_change_at, Some(daily.relinked_at.plus(DAY_S)));
    assert!(watch.expected_deactivation.is_some_and(|expected| expected.announced));
    assert_eq!(lost(&daily, daily.relinked_at.plus(DAY_S)), relink);

    let mut once = Example::new("Inactive Accounts", "Inactive Checking", "a");
    assert_eq!(once.sandbox.watch(&once.account(), LINKED).next_change_at, Some(minute));
    assert!(lost(&once, minute).is_some());
    once.relinked_at = LINKED.plus(1_000);
    assert_eq!(lost(&once, LINKED.plus(99 * DAY_S)), None);

    let monthly =
        Example::new("Eventually Requires Reauthentication", "Eventual Reauthentication", "a");
    let watch = monthly.sandbox.watch(&monthly.account(), LINKED);
    assert!(watch.expected_deactivation.is_some_and(|expected| expected.announced));
    assert_eq!(watch.next_change_at, Some(LINKED.plus(30 * DAY_S)));
    assert_eq!(lost(&monthly, LINKED.plus(30 * DAY_S)), relink);
}

/// Tokens expire before the link, a minute after it, or a month after it. A new link renews them.
#[test]
fn tokens_expire() {
    let status = |name: &str, now: AccountTime, relinked_at: AccountTime| {
        let name = format!("{name} Expiring Tokenized Account Number");
        let name = name.replace("Already Expiring", "Expired");
        let mut linked = Example::new("Tokenized Account Number", &name, "a");
        linked.relinked_at = relinked_at;
        linked.sandbox.watch(&linked.account(), now).account_numbers[0].status
    };
    let (good, gone) = (NumberStatus::Transactable, NumberStatus::Expired);
    assert_eq!(status("Already", LINKED, LINKED), NumberStatus::Deactivated);
    assert_eq!(status("Already", LINKED.plus(9), LINKED.plus(9)), good);
    assert_eq!(status("Immediately", LINKED, LINKED), good);
    assert_eq!(status("Immediately", LINKED.plus(60), LINKED), gone);
    assert_eq!(status("Eventually", LINKED.plus(29 * DAY_S), LINKED), good);
    assert_eq!(status("Eventually", LINKED.plus(30 * DAY_S), LINKED), gone);
}

/// The ownership accounts report owners in each way that banks do.
#[test]
fn owners_are_reported_in_many_ways() {
    let of = |name: &str| owners(&mut Example::new("Ownership Accounts", name, "a"));
    assert_eq!(of("One Owner").unwrap().len(), 1);
    assert_eq!(of("Several Owners").unwrap().len(), 4);
    assert_eq!(of("No Owners").unwrap(), []);
    assert_eq!(of("Name Only").unwrap()[0].email, None);
    assert_eq!(of("Ownership Unsupported"), Err(FetchError::Unsupported));
    let cause = RefreshCause::InstitutionError;
    assert_eq!(of("Ownership Fails"), Err(FetchError::Broken { cause }));
    let at = LINKED.plus(60);
    let cause = RefreshCause::InstitutionTimeout;
    assert_eq!(of("Slow Ownership"), Err(FetchError::RetryAfter { at, cause }));
    let slow = &mut Example::new("Ownership Accounts", "Slow Ownership", "a");
    assert!(slow.fetch_from(Feature::Ownership, 1, LINKED, at, None).result.is_ok());
    // A holder has one name at every bank.
    let elsewhere = owners(&mut Example::new("Test (OAuth)", "Success", "a")).unwrap();
    assert_eq!(of("One Owner").unwrap(), elsewhere);
    // Owners that a test sets replace the bank's owners.
    let mut example = Example::new("Ownership Accounts", "Ownership Unsupported", "a");
    let set = example.control().set_owners(&example.account(), elsewhere.clone());
    assert_eq!(example.keep(set).unwrap(), elsewhere);
    assert_eq!(owners(&mut example).unwrap(), elsewhere);
}

/// A scripted refresh waits, fails as scripted, and uses one script for all of its fetches.
#[test]
fn scripts_decide_refreshes() {
    let mut linked = Example::new("Test (OAuth)", "Success", "a");
    let cause = RefreshCause::InstitutionUnavailable;
    let failing =
        Script { feature: Some(Feature::Transactions), cause: Some(cause), delay_s: 30, times: 1 };
    let denied = Script { cause: Some(RefreshCause::AccessDenied), delay_s: 0, ..failing };
    for script in [failing, denied] {
        let queued = linked.control().script(&linked.account(), script);
        linked.keep(queued).unwrap();
    }
    let sequence = 4;
    let at = LINKED.plus(30);
    assert!(linked.fetch(Feature::Balance, sequence, LINKED).result.is_ok());
    for _ in 0..2 {
        let response = linked.fetch(Feature::Transactions, sequence, LINKED);
        assert_eq!(response.result, Err(FetchError::RetryAfter { at, cause }));
    }
    assert_eq!(linked.control().scripts(&linked.account()).unwrap(), [denied]);
    let response = linked.fetch_from(Feature::Transactions, sequence, LINKED, at, None);
    assert_eq!(response.result, Err(FetchError::Broken { cause }));
    let next = linked.fetch(Feature::Transactions, sequence + 1, at).result;
    assert_eq!(next, Err(FetchError::NeedsLogin { cause: RefreshCause::AccessDenied }));
    assert!(linked.fetch(Feature::Transactions, sequence + 2, at).result.is_ok());
}

/// The queue of scripts has a bound and can be emptied.
#[test]
fn the_queue_of_scripts_is_bounded() {
    let mut linked = Example::new("Test (OAuth)", "Success", "a");
    let script = Script { feature: None, cause: None, delay_s: 0, times: 3 };
    for _ in 0..limits::SCRIPTED_OUTCOMES_MAX {
        let queued = linked.control().script(&linked.account(), script);
        linked.keep(queued).unwrap();
    }
    let more = linked.control().script(&linked.account(), script);
    assert_eq!(more, Err(ControlError::TooManyScripts));
    let cleared = linked.control().clear_scripts(&linked.account());
    assert_eq!(linked.keep(cleared).unwrap(), []);
}

fn new_transaction(transacted_at: AccountTime) -> NewTransaction {
    NewTransaction {
        amount: -1_000,
        currency: Currency::USD,
        description: "Rocket Rides".to_owned(),
        transacted_at,
        status: BankStatus::Pending,
    }
}

/// Transactions are added within the time of the ledger, posted once, and voided for good.
#[test]
fn transactions_are_controlled() {
    let mut linked = Example::new("Test (OAuth)", "Success", "a");
    let added =
        linked.control().add_transaction(&linked.account(), LINKED, 1, new_transaction(LINKED));
    let added = linked.keep(added).unwrap();
    assert_eq!(
        (added.transaction.bank_id.as_str(), added.status()),
        ("added-1", TransactionStatus::Pending)
    );
    let (from, to) = (LINKED.plus(-180 * DAY_S), LINKED);
    for at in [from.plus(-1), to.plus(1)] {
        let rejected =
            linked.control().add_transaction(&linked.account(), LINKED, 1, new_transaction(at));
        assert_eq!(rejected, Err(ControlError::TimeOutOfRange { from, to }));
    }
    let change = |linked: &mut Example, bank_id: &str, status| {
        let change = TransactionChange { status, ..TransactionChange::default() };
        let now = LINKED.plus(5);
        let made = linked.control().change_transaction(&linked.account(), now, bank_id, change);
        linked.keep(made).map(|entry| (entry.status(), entry.transaction.posted_at, entry.void_at))
    };
    let (posted, void) = (TransactionStatus::Posted, TransactionStatus::Void);
    let wrong = |status| Err(ControlError::WrongStatus { status });
    let at = Some(LINKED.plus(5));
    let id = "added-1";
    assert_eq!(change(&mut linked, id, None), Err(ControlError::NothingToChange));
    assert_eq!(change(&mut linked, "added-2", None), Err(ControlError::UnknownTransaction));
    assert_eq!(change(&mut linked, id, Some(StatusChange::Post)), Ok((posted, at, None)));
    assert_eq!(change(&mut linked, id, Some(StatusChange::Post)), wrong(posted));
    assert_eq!(change(&mut linked, id, Some(StatusChange::Pend)), wrong(posted));
    assert_eq!(change(&mut linked, id, Some(StatusChange::Void)), Ok((void, at, at)));
    assert_eq!(change(&mut linked, id, Some(StatusChange::Void)), wrong(void));
    let pending = (TransactionStatus::Pending, None, None);
    assert_eq!(change(&mut linked, id, Some(StatusChange::Pend)), Ok(pending));
    linked.offered.credential.clear();
    assert_eq!(change(&mut linked, id, None), Err(ControlError::NotATestAccount));
}

/// A natural payment that a test posts, voids or keeps pending does not settle on its own.
#[test]
fn natural_rows_follow_tests() {
    for status in [StatusChange::Post, StatusChange::Void, StatusChange::Pend] {
        let mut linked = Example::new("Test (Non-OAuth)", "Success", "a");
        let entries = linked.control().ledger_entries(&linked.account(), LINKED).unwrap();
        let is_pending = |entry: &&LedgerEntry| entry.status() == TransactionStatus::Pending;
        let pending = entries.iter().find(is_pending).unwrap().clone();
        let change = TransactionChange { status: Some(status), ..TransactionChange::default() };
        let made = linked.control().change_transaction(
            &linked.account(),
            LINKED,
            &pending.transaction.bank_id,
            change,
        );
        let made = linked.keep(made).unwrap();
        let later = LINKED.plus(30 * DAY_S);
        let entries = linked.control().ledger_entries(&linked.account(), later).unwrap();
        assert!(entries.contains(&made));
        assert_eq!(made.transaction.amount, pending.transaction.amount);
    }
}

/// The log of changes has a bound.
#[test]
fn the_log_of_changes_is_bounded() {
    let mut linked = Example::new("Test (OAuth)", "Success", "a");
    let mut state = super::super::state::State::find(b"").unwrap();
    for _ in 0..limits::SCRIPTED_CHANGES_MAX {
        let bank_id = "added-1".to_owned();
        let kind = super::super::state::ChangeKind::Add {
            amount: 1,
            currency: Currency::USD,
            description: String::new(),
            transacted_at: LINKED,
            status: BankStatus::Posted,
        };
        state.changes.push(super::super::state::Change { at: LINKED, bank_id, kind });
    }
    linked.state = state.bytes();
    let more =
        linked.control().add_transaction(&linked.account(), LINKED, 1, new_transaction(LINKED));
    assert_eq!(more, Err(ControlError::TooManyChanges));
}

/// A balance that a test sets is shown, and later movements are added to it.
#[test]
fn balances_are_controlled() {
    let mut linked = Example::new("Test (OAuth)", "Success", "a");
    let read = |balance: &model::bank::Balance| {
        let available = balance.available_or_used.as_ref().unwrap();
        (balance.current[&Currency::USD], available[&Currency::USD])
    };
    let natural = read(&linked.control().ledger_balance(&linked.account(), LINKED).unwrap());
    let set = linked.control().set_balance(&linked.account(), LINKED, 500, None);
    let moved = linked.keep(set).unwrap();
    assert_eq!(read(&moved), (500, 500 - natural.0 + natural.1));
    let set = linked.control().set_balance(&linked.account(), LINKED, 500, Some(400));
    assert_eq!(read(&linked.keep(set).unwrap()), (500, 400));
    let added =
        linked.control().add_transaction(&linked.account(), LINKED, 1, new_transaction(LINKED));
    linked.keep(added).unwrap();
    let page = linked.fetch(Feature::Balance, 1, LINKED).result.unwrap();
    let Records::Balance(Some(balance)) = page.records else { panic!("the page has a balance") };
    assert_eq!(read(&balance), (500, -600));
}
