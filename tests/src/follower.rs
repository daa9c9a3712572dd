//! The follower of the documents in this process. It reads one page per step, so other operations
//! can happen between two pages.

use crate::app::App;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
pub use testkit::follower::REFRESHED;
use testkit::follower::{Change, ChangeKind, Copy, ListTransactions, Page, Read};

/// The part of a webhook that a follower reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The id of the event.
    pub event: String,
    /// The account that was refreshed.
    pub account: String,
    /// The refresh in the event's own snapshot of the account.
    pub refresh: String,
}

impl Notice {
    /// Reads the payload of a webhook. Returns `None` if a follower ignores it.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(payload).expect("every payload is JSON");
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let account = &event["data"]["object"];
        (event["type"] == REFRESHED).then(|| Self {
            event: text(&event["id"]).expect("an event has an id"),
            account: text(&account["id"]).expect("the snapshot is an account"),
            refresh: text(&account["transaction_refresh"]["id"])
                .expect("an ended refresh stands in the snapshot of its event"),
        })
    }
}

impl ListTransactions for App {
    type Error = Infallible;

    async fn list(&self, page: Page<'_>) -> Result<(u16, Value), Infallible> {
        let Page { account, after, starting_after, limit } = page;
        Ok(match self.list_transactions(account, after, limit, starting_after).await {
            Ok(page) => (200, page),
            Err(api_error) => (api_error.status, json!({ "error": { "code": api_error.code } })),
        })
    }
}

/// A follower's copies of all accounts.
#[derive(Debug, Default)]
pub struct Follower {
    copies: BTreeMap<String, Copied>,
    sights: BTreeMap<&'static str, u32>,
}

/// A copy of one account, with the event in progress.
#[derive(Debug, Default)]
struct Copied {
    copy: Copy,
    notice: Option<Notice>,
}

impl Follower {
    /// The stored rows of an account by their ids.
    pub fn rows(&self, account: &str) -> BTreeMap<String, Value> {
        self.copies.get(account).map(|copied| copied.copy.rows.clone()).unwrap_or_default()
    }

    /// The coverage counters: the number of occurrences of each case.
    pub fn sights(&self) -> BTreeMap<&'static str, u32> {
        self.sights.clone()
    }

    /// True if an event of the account is in progress.
    pub fn is_busy(&self, account: &str) -> bool {
        self.copies.get(account).is_some_and(|copied| copied.copy.is_busy())
    }

    /// Starts to handle an event. The caller has checked that the account is not busy.
    pub fn begin(&mut self, notice: Notice, page_rows: u32) {
        let copied = self.copies.entry(notice.account.clone()).or_default();
        assert!(!copied.copy.is_busy(), "one event per account at a time");
        copied.copy.begin(&notice.refresh, page_rows);
        copied.notice = Some(notice);
    }

    /// Forgets the event in progress of an account, as a crash of the follower would, and returns
    /// it. The rows that were already read stay.
    pub fn crash(&mut self, account: &str) -> Option<Notice> {
        let copied = self.copies.get_mut(account)?;
        copied.copy.crash();
        copied.notice.take()
    }

    /// Reads the next page for the event in progress of an account, if there is one.
    pub async fn read_page(&mut self, app: &App, account: &str) {
        let Some(Copied { copy, notice }) = self.copies.get_mut(account) else { return };
        let mut see = |sight| *self.sights.entry(sight).or_default() += 1;
        if copy.is_between_pages() {
            see("a second page");
        }
        let read = copy.read_page(app, account).await;
        match read.expect("a follower gets the responses that the documents name") {
            Some(Read::NoSuccess) => see("no success yet"),
            Some(Read::Inactive) => see("an account that is gone"),
            Some(read) => {
                let refresh = notice.as_ref().map(|notice| notice.refresh.as_str());
                for Change { kind, row } in read.changes() {
                    if row["transaction_refresh"].as_str() > refresh {
                        see("a row newer than the event");
                    }
                    sight(kind).into_iter().for_each(&mut see);
                }
            }
            None => {}
        }
        if !copy.is_busy() {
            *notice = None;
        }
    }
}

/// The change of a stored row.
fn sight(kind: ChangeKind) -> Option<&'static str> {
    match kind {
        ChangeKind::New => None,
        ChangeKind::Same => Some("a row once more"),
        ChangeKind::Posted => Some("pending, then posted"),
        ChangeKind::Voided => Some("alive, then void"),
        ChangeKind::Revived => Some("void, then alive"),
        ChangeKind::Edited => Some("a row with other facts"),
    }
}
