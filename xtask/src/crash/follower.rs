//! A follower, written as the documents recommend. It handles one event per account at a time. If a
//! kill of the server interrupts a read, the follower reads again when the event is delivered again.
//! Its memory survives every kill, because it is part of this process.

use super::client::{Client, text};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a page. The number is small, so that kills happen between the pages of a read.
const PAGE_ROWS: &str = "40";
const NONE_YET: &str = "financial_connections_no_successful_transaction_refresh";

/// One account's copy.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// The rows by id.
    pub(super) rows: BTreeMap<String, Value>,
    /// The last handled refresh.
    after: Option<String>,
}

/// The copies of all accounts.
pub(super) struct Follower {
    client: Arc<Client>,
    accounts: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Copied>>>>,
    /// The number of times that the server returned 404 for the refresh of its own event.
    pub(super) unknown: AtomicU64,
}

/// The server sent no response, so the event must be delivered again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interrupted;

impl Follower {
    /// A follower without copies.
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client, accounts: Mutex::default(), unknown: AtomicU64::new(0) }
    }

    /// Handles a `refreshed_transactions` event with this snapshot of the account.
    pub(super) async fn handle(&self, account: &Value) -> Result<(), Interrupted> {
        let id = text(account, "id");
        let copied = self.copied(id);
        let mut copied = copied.lock().await;
        self.read(id, &mut copied).await?;
        copied.after = Some(text(&account["transaction_refresh"], "id").to_owned());
        Ok(())
    }

    /// The copy of an account.
    pub(super) fn copied(&self, account: &str) -> Arc<tokio::sync::Mutex<Copied>> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(account.to_owned()).or_default())
    }

    /// Reads all pages of rows that changed since the last handled refresh.
    async fn read(&self, account: &str, copied: &mut Copied) -> Result<(), Interrupted> {
        let mut last: Option<String> = None;
        loop {
            let mut query = vec![("account", account), ("limit", PAGE_ROWS)];
            query.extend(copied.after.as_deref().map(|id| ("transaction_refresh[after]", id)));
            query.extend(last.as_deref().map(|last| ("starting_after", last)));
            let path = "/v1/financial_connections/transactions";
            let response = self.client.try_get(path, &query).await;
            let (status, mut page) = response.ok_or(Interrupted)?;
            match status {
                200 => {}
                400 if page["error"]["code"] == NONE_YET => return Ok(()),
                404 if copied.after.is_some() => {
                    self.unknown.fetch_add(1, Ordering::Relaxed);
                    (copied.after, last) = (None, None);
                    continue;
                }
                _ => return Err(Interrupted),
            }
            let Value::Array(data) = page["data"].take() else {
                return Err(Interrupted);
            };
            last = data.last().map(|row| text(row, "id").to_owned());
            let rows = data.into_iter().map(|row| (text(&row, "id").to_owned(), row));
            copied.rows.extend(rows);
            if page["has_more"] != true {
                return Ok(());
            }
        }
    }
}
