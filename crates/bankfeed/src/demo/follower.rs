//! A follower of the feed, written as the documents recommend. After each refresh it lists the rows
//! since the last refresh that it handled, to the last page, and remembers this refresh.

use super::{Failure, text};
use cli::Client;
use serde_json::Value;
use std::collections::BTreeMap;

/// Rows per page, few enough that the demo shows more than one page.
const PAGE_ROWS: &str = "100";

/// The copy of one account.
#[derive(Default)]
pub(super) struct Follower {
    /// The rows by id.
    pub(super) rows: BTreeMap<String, Value>,
    /// The last refresh that was handled.
    after: Option<String>,
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

/// One row of a pass, with its kind of change.
pub(super) struct News {
    /// `new`, `posted`, `void` or `edited`.
    pub(super) what: &'static str,
    /// The row.
    pub(super) row: Value,
}

impl Follower {
    /// Handles a `refreshed_transactions` event. Returns the new and changed rows.
    pub(super) async fn handle(
        &mut self,
        client: &Client,
        account: &Value,
    ) -> Result<Vec<News>, Failure> {
        let refresh = &account["transaction_refresh"];
        self.met.failed += usize::from(text(refresh, "status") == "failed");
        let rows = self.read(client, text(account, "id")).await?;
        let news = rows.into_iter().filter_map(|row| self.put(row)).collect();
        self.after = Some(text(refresh, "id").to_owned());
        Ok(news)
    }

    /// Reads all pages of the rows since the last handled refresh.
    async fn read(&mut self, client: &Client, account: &str) -> Result<Vec<Value>, Failure> {
        let mut rows: Vec<Value> = Vec::new();
        let mut pages = 0;
        loop {
            let last = rows.last().map(|row| text(row, "id").to_owned());
            let mut parameters = vec![("account", account), ("limit", PAGE_ROWS)];
            if let Some(after) = &self.after {
                parameters.push(("transaction_refresh[after]", after));
            }
            if let Some(last) = &last {
                parameters.push(("starting_after", last));
            }
            let path = "/v1/financial_connections/transactions";
            let received = client.call("GET", path, &parameters).await?;
            let (status, mut page) = (received.status, received.body);
            if status != 200 {
                let none = "financial_connections_no_successful_transaction_refresh";
                if page["error"]["code"] == none {
                    return Ok(Vec::new());
                }
                return Err(format!("the list returned {status}: {page}").into());
            }
            pages += 1;
            if let Value::Array(data) = page["data"].take() {
                rows.extend(data);
            }
            if page["has_more"] != true {
                break;
            }
        }
        self.met.second_pages += usize::from(pages > 1);
        Ok(rows)
    }

    /// Puts a row into the copy. Returns no news if the row is unchanged.
    fn put(&mut self, row: Value) -> Option<News> {
        let before = self.rows.insert(text(&row, "id").to_owned(), row.clone());
        let what = match &before {
            None => "new",
            Some(before) if *before == row => return None,
            Some(before) if text(before, "status") == text(&row, "status") => "edited",
            Some(_) if text(&row, "status") == "posted" => "posted",
            Some(_) => "void",
        };
        self.met.posted += usize::from(what == "posted");
        self.met.voided += usize::from(what == "void");
        self.met.edited += usize::from(what == "edited");
        Some(News { what, row })
    }
}
