//! The follower that the documents recommend ("The follower's promise" in `ARCHITECTURE.md`).
//!
//! A [`Copy`] handles one event at a time. It lists the transactions after the last refresh that it
//! handled, or all of them the first time, to the last page, and upserts them by id. Then it stores
//! the refresh of the event. Without a successful refresh it treats the list as empty, and on 404 it
//! starts over.
//!
//! The owner sends the calls through a [`ListTransactions`], over HTTP or in this process. It reads
//! one page per call of [`Copy::read_page`], so other operations can happen between two pages.

use serde_json::Value;
use std::collections::BTreeMap;

/// The event that a follower handles.
pub const REFRESHED: &str = "financial_connections.account.refreshed_transactions";
/// The path of the list.
const LIST: &str = "/v1/financial_connections/transactions";
const NO_SUCCESS: &str = "financial_connections_no_successful_transaction_refresh";
const INACTIVE: &str = "financial_connections_account_inactive";

/// The position of a page in an account's list.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The account.
    pub account: &'a str,
    /// The last refresh that was handled.
    pub after: Option<&'a str>,
    /// The last row of the previous page.
    pub starting_after: Option<&'a str>,
    /// The number of rows of a page.
    pub limit: u32,
}

impl Page<'_> {
    /// The path of the call, with its query. Ids need no encoding.
    pub fn path(&self) -> String {
        let ids =
            [("transaction_refresh[after]", self.after), ("starting_after", self.starting_after)];
        let ids = ids.iter().filter_map(|(name, id)| Some(format!("&{name}={}", (*id)?)));
        format!("{LIST}?account={}&limit={}{}", self.account, self.limit, ids.collect::<String>())
    }
}

/// The call of a follower.
pub trait ListTransactions {
    /// The error of a call without a response.
    type Error;

    /// Lists a page. Returns the status and the body of the response.
    fn list(&self, page: Page<'_>) -> impl Future<Output = Result<(u16, Value), Self::Error>>;
}

/// The error of a follower.
#[derive(Debug)]
pub enum ReadError<E> {
    /// The call got no response. The event must be handled again.
    Call(E),
    /// The response is not one that a follower expects.
    Unexpected(u16, Value),
}

/// The result of reading a page.
#[derive(Debug)]
pub enum Read {
    /// Rows, and the list may have another page.
    Rows(Vec<Change>),
    /// The last rows. The event is handled.
    LastRows(Vec<Change>),
    /// No refresh has succeeded yet, so the list is empty. The event is handled.
    NoSuccess,
    /// The account is disconnected, so it has no list any more. The event is handled.
    Inactive,
    /// The stored refresh is unknown, so the follower starts over.
    StartsOver,
}

/// The change of a copy by a row of a list.
#[derive(Clone, Debug)]
pub struct Change {
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The row.
    pub row: Value,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The row is new.
    New,
    /// The row is equal to the stored one.
    Same,
    /// The row was pending and is posted.
    Posted,
    /// The row became void.
    Voided,
    /// The row was void and is not any more.
    Revived,
    /// Other fields of the row changed.
    Edited,
}

/// A follower's copy of one account's transactions.
#[derive(Debug, Default)]
pub struct Copy {
    /// The rows by id.
    pub rows: BTreeMap<String, Value>,
    /// The last refresh that was handled.
    after: Option<String>,
    reading: Option<Reading>,
}

/// An event in progress.
#[derive(Debug)]
struct Reading {
    refresh: String,
    limit: u32,
    /// The last row of the previous page.
    last: Option<String>,
}

impl Copy {
    /// True if an event is in progress.
    pub fn is_busy(&self) -> bool {
        self.reading.is_some()
    }

    /// True if a page of the event in progress was read.
    pub fn is_between_pages(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.last.is_some())
    }

    /// Starts to handle an event with this refresh in its snapshot of the account. Replaces the
    /// event in progress, as after a crash of the follower. Rows that were already read stay.
    pub fn begin(&mut self, refresh: &str, limit: u32) {
        self.reading = Some(Reading { refresh: refresh.to_owned(), limit, last: None });
    }

    /// Forgets the event in progress, as a crash of the follower would.
    pub fn crash(&mut self) {
        self.reading = None;
    }

    /// Handles an event to the last page. Returns the changes, in the order of the list.
    pub async fn handle<L: ListTransactions>(
        &mut self,
        calls: &L,
        account: &str,
        refresh: &str,
        limit: u32,
    ) -> Result<Vec<Read>, ReadError<L::Error>> {
        self.begin(refresh, limit);
        let mut reads = Vec::new();
        while let Some(read) = self.read_page(calls, account).await? {
            reads.push(read);
        }
        Ok(reads)
    }

    /// Reads the next page for the event in progress. Returns `None` without an event.
    pub async fn read_page<L: ListTransactions>(
        &mut self,
        calls: &L,
        account: &str,
    ) -> Result<Option<Read>, ReadError<L::Error>> {
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let (after, starting_after) = (self.after.as_deref(), reading.last.as_deref());
        let page = Page { account, after, starting_after, limit: reading.limit };
        let (status, mut body) = calls.list(page).await.map_err(ReadError::Call)?;
        let read = match (status, body["error"]["code"].as_str()) {
            (200, _) => {
                let Value::Array(rows) = body["data"].take() else {
                    return Err(ReadError::Unexpected(status, body));
                };
                reading.last = rows.last().map(|row| text(row, "id").to_owned());
                let more = body["has_more"] == true;
                if more && rows.is_empty() {
                    return Err(ReadError::Unexpected(status, body));
                }
                let changes = rows.into_iter().map(|row| put(&mut self.rows, row)).collect();
                if more { Read::Rows(changes) } else { Read::LastRows(changes) }
            }
            (_, Some(NO_SUCCESS)) => Read::NoSuccess,
            (_, Some(INACTIVE)) => Read::Inactive,
            (404, _) if self.after.is_some() => {
                (self.after, reading.last) = (None, None);
                Read::StartsOver
            }
            _ => return Err(ReadError::Unexpected(status, body)),
        };
        if !matches!(read, Read::Rows(_) | Read::StartsOver) {
            self.after = self.reading.take().map(|reading| reading.refresh);
        }
        Ok(Some(read))
    }
}

impl Read {
    /// The changes of a page.
    pub fn changes(self) -> Vec<Change> {
        match self {
            Self::Rows(changes) | Self::LastRows(changes) => changes,
            Self::NoSuccess | Self::Inactive | Self::StartsOver => Vec::new(),
        }
    }
}

/// Puts a row into a copy.
fn put(rows: &mut BTreeMap<String, Value>, row: Value) -> Change {
    let before = rows.insert(text(&row, "id").to_owned(), row.clone());
    let kind = match &before {
        None => ChangeKind::New,
        Some(before) if *before == row => ChangeKind::Same,
        Some(before) => match (text(before, "status"), text(&row, "status")) {
            ("pending", "posted") => ChangeKind::Posted,
            ("pending" | "posted", "void") => ChangeKind::Voided,
            ("void", "pending" | "posted") => ChangeKind::Revived,
            _ => ChangeKind::Edited,
        },
    };
    Change { kind, row }
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::cell::RefCell;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// Responses in order, with the path of each call.
    #[derive(Default)]
    struct Server(RefCell<Vec<(u16, Value)>>, RefCell<Vec<String>>);

    impl ListTransactions for Server {
        type Error = ();

        async fn list(&self, page: Page<'_>) -> Result<(u16, Value), ()> {
            self.1.borrow_mut().push(page.path());
            self.0.borrow_mut().pop().ok_or(())
        }
    }

    /// Handles an event. A server of this test responds at once.
    fn handle(copy: &mut Copy, server: &Server, refresh: &str) -> Result<Vec<Read>, ReadError<()>> {
        let handled = pin!(copy.handle(server, "fca_1", refresh, 1));
        match handled.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(handled) => handled,
            Poll::Pending => panic!("a call waits"),
        }
    }

    /// A follower reads to the last page, resumes after the refresh that it handled, starts over on
    /// 404 and treats a list without a successful refresh as empty. A call without a response
    /// leaves the handled refresh unchanged.
    #[test]
    fn follows_as_the_documents_say() {
        let page = |id: &str, status: &str, has_more: bool| {
            (200, json!({ "data": [{ "id": id, "status": status }], "has_more": has_more }))
        };
        let mut copy = Copy::default();
        let server = Server::default();
        let error = |status, code| (status, json!({ "error": { "code": code } }));
        for (responses, refresh, expected) in [
            (vec![error(400, NO_SUCCESS)], "r1", Some("NoSuccess")),
            (vec![page("b", "posted", false), page("a", "pending", true)], "r2", Some("New New")),
            (vec![], "r3", None),
            (vec![page("a", "posted", false)], "r3", Some("Posted")),
            (vec![page("a", "void", false), error(404, "x")], "r4", Some("StartsOver Voided")),
            (vec![error(400, INACTIVE)], "r5", Some("Inactive")),
            (vec![error(500, "x")], "r6", None),
        ] {
            *server.0.borrow_mut() = responses;
            let seen = handle(&mut copy, &server, refresh).ok().map(|reads| {
                let word = |read: Read| match read {
                    Read::Rows(_) | Read::LastRows(_) => {
                        format!("{:?}", read.changes()[0].kind)
                    }
                    read => format!("{read:?}"),
                };
                reads.into_iter().map(word).collect::<Vec<_>>().join(" ")
            });
            assert_eq!(seen.as_deref(), expected, "{refresh}");
        }
        let queries: Vec<String> = server
            .1
            .take()
            .iter()
            .map(|path| path.split_once("limit=1").unwrap().1.into())
            .collect();
        let after = |refresh: &str| format!("&transaction_refresh[after]={refresh}");
        let second = after("r1") + "&starting_after=a";
        let expected = [
            String::new(),
            after("r1"),
            second,
            after("r2"),
            after("r2"),
            after("r3"),
            String::new(),
            after("r4"),
            after("r5"),
        ];
        assert_eq!(queries, expected);
        assert_eq!(copy.rows["a"]["status"], "void");
    }
}
