//! A client that follows the feed exactly as the documentation recommends.
//!
//! It handles one event per account at a time. For each `refreshed_transactions` it lists the
//! transactions after the last refresh it handled, or all of them the first time. It reads all
//! pages and upserts rows by id. Then it remembers the refresh in the event's own snapshot.
//!
//! If no refresh has succeeded yet, it treats the list as empty. On 404 it starts over. It reads
//! one page per step, so other operations can happen between two pages.

use crate::app::App;
use serde_json::Value;
use std::collections::BTreeMap;

/// The event that a follower handles.
pub const REFRESHED: &str = "financial_connections.account.refreshed_transactions";

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

/// A follower's copies of all accounts.
#[derive(Debug, Default)]
pub struct Follower {
    copies: BTreeMap<String, Copy>,
    sights: BTreeMap<&'static str, u32>,
}

/// A follower's copy of one account.
#[derive(Debug, Default)]
struct Copy {
    rows: BTreeMap<String, Value>,
    /// The last refresh that was handled.
    after: Option<String>,
    reading: Option<Reading>,
}

/// An event in progress.
#[derive(Debug)]
struct Reading {
    notice: Notice,
    page_rows: u32,
    /// The last row of the page that was read last.
    last: Option<String>,
}

impl Follower {
    /// The stored rows of an account by their ids.
    pub fn rows(&self, account: &str) -> BTreeMap<String, Value> {
        self.copies.get(account).map(|copy| copy.rows.clone()).unwrap_or_default()
    }

    /// The coverage counters: the number of occurrences of each case.
    pub fn sights(&self) -> BTreeMap<&'static str, u32> {
        self.sights.clone()
    }

    /// True if an event of the account is in progress.
    pub fn is_busy(&self, account: &str) -> bool {
        self.copies.get(account).is_some_and(|copy| copy.reading.is_some())
    }

    /// Starts to handle an event. The caller has checked that the account is not busy.
    pub fn begin(&mut self, notice: Notice, page_rows: u32) {
        let copy = self.copies.entry(notice.account.clone()).or_default();
        assert!(copy.reading.is_none(), "one event per account at a time");
        copy.reading = Some(Reading { notice, page_rows, last: None });
    }

    /// Forgets the event in progress of an account, as a crash of the follower would, and returns
    /// it. The rows that were already read stay.
    pub fn crash(&mut self, account: &str) -> Option<Notice> {
        let reading = self.copies.get_mut(account)?.reading.take()?;
        Some(reading.notice)
    }

    /// Reads the next page for the event in progress of an account, if there is one.
    pub async fn read_page(&mut self, app: &App, account: &str) {
        let Some(copy) = self.copies.get_mut(account) else { return };
        let Some(reading) = &mut copy.reading else { return };
        let (after, last) = (copy.after.as_deref(), reading.last.as_deref());
        if last.is_some() {
            see(&mut self.sights, "a second page");
        }
        let answered = app.list_transactions(account, after, reading.page_rows, last).await;
        match answered {
            Ok(page) => {
                let rows = page["data"].as_array().expect("a list has data");
                for row in rows {
                    let id = row["id"].as_str().expect("a row has an id").to_owned();
                    reading.last = Some(id.clone());
                    if row["transaction_refresh"].as_str() > Some(reading.notice.refresh.as_str()) {
                        see(&mut self.sights, "a row newer than the event");
                    }
                    let was = copy.rows.insert(id, row.clone());
                    if let Some(sight) = was.and_then(|was| sight(&was, row)) {
                        see(&mut self.sights, sight);
                    }
                }
                if page["has_more"] == true {
                    assert!(!rows.is_empty(), "an empty page is the last");
                } else {
                    copy.finish();
                }
            }
            Err(api_error) if api_error.status == 404 => {
                assert!(copy.after.is_some(), "nothing was named that could be missing");
                copy.after = None;
                reading.last = None;
            }
            Err(api_error) => match api_error.code {
                // No refresh has succeeded yet, which is the same as an empty list.
                Some("financial_connections_no_successful_transaction_refresh") => {
                    see(&mut self.sights, "no success yet");
                    copy.finish();
                }
                // The account is disconnected, so the follower stops.
                Some("financial_connections_account_inactive") => {
                    see(&mut self.sights, "an account that is gone");
                    copy.finish();
                }
                _ => panic!("a follower does not expect {api_error:?}"),
            },
        }
    }
}

fn see(sights: &mut BTreeMap<&'static str, u32>, sight: &'static str) {
    *sights.entry(sight).or_default() += 1;
}

/// The change of a stored row.
fn sight(was: &Value, row: &Value) -> Option<&'static str> {
    let status = |row: &'_ Value| row["status"].as_str().map(ToOwned::to_owned);
    match (status(was)?.as_str(), status(row)?.as_str()) {
        _ if was == row => Some("a row once more"),
        ("pending", "posted") => Some("pending, then posted"),
        ("pending" | "posted", "void") => Some("alive, then void"),
        ("void", "pending" | "posted") => Some("void, then alive"),
        _ => Some("a row with other facts"),
    }
}

impl Copy {
    /// Marks the event as handled. The refresh in its snapshot is the newest one handled.
    fn finish(&mut self) {
        if let Some(reading) = self.reading.take() {
            self.after = Some(reading.notice.refresh);
        }
    }
}
