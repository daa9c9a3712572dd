//! The follower of the documents, which counts the cases that it meets.

use super::{Failure, text};
use cli::{Client, ClientError};
use serde_json::Value;
use testkit::follower::{Change, ChangeKind, Copy, ListTransactions, Page, ReadError};

/// Rows per page, few enough that the demo shows more than one page.
const PAGE_ROWS: u32 = 100;

/// The copy of one account.
#[derive(Default)]
pub(super) struct Follower {
    pub(super) copy: Copy,
    /// The cases met so far.
    pub(super) met: Met,
}

/// The cases that a run of the demo must show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    pub(super) posted: usize,
    pub(super) voided: usize,
    pub(super) edited: usize,
    pub(super) failed: usize,
    pub(super) second_pages: usize,
}

/// The client of the demo.
struct Calls<'a>(&'a Client);

impl ListTransactions for Calls<'_> {
    type Error = ClientError;

    async fn list(&self, page: Page<'_>) -> Result<(u16, Value), ClientError> {
        let received = self.0.call("GET", &page.path(), &[]).await?;
        Ok((received.status, received.body))
    }
}

impl Follower {
    /// Handles a `refreshed_transactions` event. Returns the new and changed rows.
    pub(super) async fn handle(
        &mut self,
        client: &Client,
        account: &Value,
    ) -> Result<Vec<Change>, Failure> {
        let refresh = &account["transaction_refresh"];
        self.met.failed += usize::from(text(refresh, "status") == "failed");
        let (id, refresh) = (text(account, "id"), text(refresh, "id"));
        let reads = self.copy.handle(&Calls(client), id, refresh, PAGE_ROWS).await;
        let reads = reads.map_err(|error| -> Failure {
            match error {
                ReadError::Call(error) => error.into(),
                ReadError::Unexpected(status, page) => {
                    format!("the list returned {status}: {page}").into()
                }
            }
        })?;
        self.met.second_pages += usize::from(reads.len() > 1);
        let mut news: Vec<Change> =
            reads.into_iter().flat_map(testkit::follower::Read::changes).collect();
        news.retain(|change| change.kind != ChangeKind::Same);
        let count = |kind| news.iter().filter(|change| change.kind == kind).count();
        self.met.posted += count(ChangeKind::Posted);
        self.met.voided += count(ChangeKind::Voided);
        self.met.edited += count(ChangeKind::Edited);
        Ok(news)
    }
}

/// The word for a kind of change.
pub(super) fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::New => "new",
        ChangeKind::Same => "same",
        ChangeKind::Posted => "posted",
        ChangeKind::Voided => "void",
        ChangeKind::Revived => "back",
        ChangeKind::Edited => "edited",
    }
}
