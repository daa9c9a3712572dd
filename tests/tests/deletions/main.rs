//! The tables of `docs/data-model.md`, "Deletions: parent and children". Each row names its tests.
//!
//! Most of them are in this folder, one file for each parent. [`every_row_names_its_test`] checks the
//! tables.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod bank_account;
mod clock;
mod connected_account;
mod customer;
mod laboratory;
mod payments;
mod reset;
mod webhook_endpoint;

use model::id::MerchantId;
use model::refresh::RefreshCause;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use store::{
    AccountsOf, Connection, Cursor, FindAccount, FindConnection, FindObject, Kind, ListAccounts,
    MeasureSandbox, Object, Page,
};
use testkit::{App, Client, FC, KEY, Response};

const PAGE: &str = "docs/data-model.md";
const SECTION: &str = "## Deletions: parent and children";
/// The folders with tests that the tables name.
const FOLDERS: [&str; 5] = [
    "tests/tests/deletions",
    "tests/tests/pairs",
    "crates/server/tests/api",
    "crates/store/tests/conformance",
    "crates/store/src/sqlite/tests",
];

/// The merchant of the usual key.
fn merchant() -> MerchantId {
    MerchantId::of_key(KEY)
}

/// An API error as status, code and parameter. Its whole envelope is checked.
#[track_caller]
fn refused(response: &Response) -> String {
    let error = response.api_error();
    error.split_once(':').unwrap().0.to_owned()
}

/// An object as it is stored, also if it is deleted.
async fn stored(app: &App, merchant: MerchantId, kind: Kind, id: &str) -> Object {
    let number = kind.parse_number(id).unwrap();
    app.engine.store().read(FindObject { merchant, kind, number }).await.unwrap().unwrap()
}

/// The connection of each account of a merchant.
async fn connections(app: &App, merchant: MerchantId) -> Vec<Connection> {
    let store = app.engine.store();
    let page = Page { limit: 100, cursor: Cursor::Newest };
    let list = ListAccounts { merchant, of: AccountsOf::Merchant, page };
    let mut connections = Vec::new();
    for account in store.read(list).await.unwrap().items {
        let find = FindConnection { merchant, account: account.id };
        connections.push(store.read(find).await.unwrap().unwrap());
    }
    connections
}

/// The cause of the failure of the last transaction refresh of an account.
async fn refresh_cause(app: &App, account: &str) -> Option<RefreshCause> {
    let find = FindAccount { merchant: merchant(), account: account.parse().unwrap() };
    let account = app.engine.store().read(find).await.unwrap().unwrap();
    account.transaction_refresh.unwrap().cause
}

/// The number of stored rows of this name in the sandbox of the usual key.
async fn rows(app: &App, name: &str) -> u64 {
    let size = app.engine.store().read(MeasureSandbox { merchant: merchant() }).await.unwrap();
    size.counts.get(name).copied().unwrap_or(0)
}

/// The number of events of this type, at most a hundred.
async fn events(client: &Client, event_type: &str) -> usize {
    client.count(&format!("/v1/events?limit=100&type={event_type}")).await
}

/// Links an account of a customer with all its data, and refreshes it. Returns its id.
async fn refreshed_account(app: &App, customer: &str) -> String {
    let session = app.session(customer, "prefetch[]=transactions&prefetch[]=ownership").await;
    let account = app.link(&session, "").await.text("/accounts/data/0/id");
    app.run_workers_until_idle().await;
    assert!(app.count_transactions(&account).await > 0);
    account
}

/// The status of an account.
async fn account_status(client: &Client, account: &str) -> String {
    client.get(&format!("{FC}/accounts/{account}")).await.ok().text("/status")
}

/// Opens a page by its address.
async fn page(app: &App, url: &str) -> Response {
    let path = url.strip_prefix("http://127.0.0.1:12111").unwrap_or(url);
    app.bare_request("GET", path).send().await
}

/// Each row of the tables names at least one test, and each named test exists.
#[test]
fn every_row_names_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tests: BTreeSet<String> =
        FOLDERS.iter().flat_map(|folder| test_names(&root.join(folder))).collect();
    let page = std::fs::read_to_string(root.join(PAGE)).unwrap();
    let (_, section) = page.split_once(SECTION).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut rows = 0;
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        if cells.last() == Some(&"test") {
            continue;
        }
        rows += 1;
        let named: Vec<&str> = cells.get(2).map_or(Vec::new(), |cell| cell.split(", ").collect());
        let unknown = |name: &&str| !tests.contains(name.trim_matches('`'));
        assert!(!named.is_empty(), "the row names no test: {row}");
        assert_eq!(named.into_iter().filter(unknown).collect::<Vec<_>>(), [""; 0], "{row}");
    }
    assert!(rows > 60, "the tables are read");
}

/// The names of all tests in the files of a folder.
fn test_names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let mut names = Vec::new();
    for file in files.filter(is_source) {
        let text = std::fs::read_to_string(file).unwrap();
        let (mut is_test, lines) = (false, text.lines());
        for line in lines {
            if line.starts_with("#[tokio::test") || line == "#[test]" {
                is_test = true;
            } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
                names.extend(rest.split('(').next().map(str::to_owned));
                is_test = false;
            }
        }
    }
    names
}
