//! The follower of the documents over HTTP. It handles one event per account at a time. If a kill of
//! the server interrupts a read, the follower reads again when the event is delivered again. Its
//! memory survives every kill, because it is part of this process.

use super::client::{Client, text};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use testkit::follower::{Copy, ListTransactions, Page, Read};

/// Rows of a page. The number is small, so that kills happen between the pages of a read.
const PAGE_ROWS: u32 = 40;

/// The copy of an account. Its lock is held while an event is handled.
type Copied = Arc<tokio::sync::Mutex<Copy>>;

/// The copies of all accounts.
pub(super) struct Follower {
    client: Arc<Client>,
    accounts: Mutex<HashMap<String, Copied>>,
    /// The number of times that the server returned 404 for the refresh of its own event.
    pub(super) unknown: AtomicU64,
}

/// The server sent no usable response, so the event must be delivered again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interrupted;

impl ListTransactions for Client {
    type Error = Interrupted;

    async fn list(&self, page: Page<'_>) -> Result<(u16, Value), Interrupted> {
        self.try_get(&page.path()).await.ok_or(Interrupted)
    }
}

impl Follower {
    /// A follower without copies.
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client, accounts: Mutex::default(), unknown: AtomicU64::new(0) }
    }

    /// Handles a `refreshed_transactions` event with this snapshot of the account.
    pub(super) async fn handle(&self, account: &Value) -> Result<(), Interrupted> {
        let (id, refresh) = (text(account, "id"), text(&account["transaction_refresh"], "id"));
        let copied = self.copied(id);
        let mut copy = copied.lock().await;
        let reads = copy.handle(self.client.as_ref(), id, refresh, PAGE_ROWS).await;
        let reads = reads.map_err(|_| Interrupted)?;
        let unknown = reads.iter().filter(|read| matches!(read, Read::StartsOver)).count();
        self.unknown.fetch_add(unknown as u64, Ordering::Relaxed);
        Ok(())
    }

    /// The copy of an account.
    pub(super) fn copied(&self, account: &str) -> Copied {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(account.to_owned()).or_default())
    }
}
