//! The checks of a follower: its copy, the server's list and the bank's own ledger must be equal.

use crate::app::App;
use model::id::TransactionId;
use serde_json::Value;
use std::collections::BTreeMap;
use store::FindBankId;

/// The number of rows that a difference shows.
const SHOWN_MAX: usize = 6;

/// Everything that the server lists of an account, by id.
pub async fn server_list(app: &App, account: &str) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    let mut last: Option<String> = None;
    loop {
        let page = match app.list_transactions(account, None, 100, last.as_deref()).await {
            Ok(page) => page,
            Err(api_error) => {
                let code = "financial_connections_no_successful_transaction_refresh";
                assert_eq!(api_error.code, Some(code), "{api_error:?}");
                return rows;
            }
        };
        for row in page["data"].as_array().expect("a list has data") {
            let id = row["id"].as_str().expect("a row has an id").to_owned();
            last = Some(id.clone());
            assert!(rows.insert(id, row.clone()).is_none(), "a list shows a row once");
        }
        if page["has_more"] == false {
            return rows;
        }
    }
}

/// Compares a copy with the server's list, field by field.
pub fn copy_is_list(account: &str, copy: &BTreeMap<String, Value>, list: &BTreeMap<String, Value>) {
    let mut differences = Vec::new();
    for (id, row) in list {
        if copy.get(id) != Some(row) {
            differences.push(format!("server {row}\n  copy {:?}", copy.get(id)));
        }
    }
    for id in copy.keys().filter(|id| !list.contains_key(*id)) {
        differences.push(format!("the server never listed {id}"));
    }
    assert!(
        differences.is_empty(),
        "{} rows of the copy of {account} differ from the server's list:\n{}",
        differences.len(),
        differences.into_iter().take(SHOWN_MAX).collect::<Vec<_>>().join("\n")
    );
}

/// Compares the server's list with the bank's own ledger. Rows that are not void are equal in all
/// bank data. Void rows are void in the ledger.
pub async fn list_is_ledger(app: &App, account: &str, list: &BTreeMap<String, Value>) {
    let ledger = app.show_ledger(account).await.expect("a test bank shows its books");
    let entries = ledger["transactions"].as_array().expect("books hold transactions");
    let alive = |row: &&Value| row["status"] != "void";
    let listed = counted(list.values().filter(alive));
    let booked = counted(entries.iter().filter(alive));
    let mut differences = Vec::new();
    for (facts, count) in &listed {
        let at_bank = booked.get(facts).copied().unwrap_or(0);
        if at_bank != *count {
            differences.push(format!("server {count}, bank {at_bank}: {facts}"));
        }
    }
    for (facts, count) in booked.iter().filter(|(facts, _)| !listed.contains_key(*facts)) {
        differences.push(format!("server 0, bank {count}: {facts}"));
    }
    assert!(
        differences.is_empty(),
        "{} rows of {account} differ from the bank's books:\n{}",
        differences.len(),
        differences.into_iter().take(SHOWN_MAX).collect::<Vec<_>>().join("\n")
    );
    for (id, row) in list.iter().filter(|(_, row)| row["status"] == "void") {
        let bank_id = bank_id(app, id).await;
        let entry = entries.iter().find(|entry| entry["id"] == bank_id.as_str());
        let status = entry.map(|entry| &entry["status"]);
        assert_eq!(status, Some(&Value::from("void")), "the bank's view of {row}");
    }
}

/// Compares the balance that the server shows with the bank's own.
pub async fn balance_is_ledger(app: &App, account: &str) {
    let shown = app.engine().retrieve_account(&app.context(), account).await;
    let shown = app.answered(shown).expect("the account is there");
    let ledger = app.show_ledger(account).await.expect("a test bank shows its books");
    assert_eq!(shown["balance"], ledger["balance"], "the balance of {account}");
}

/// The bank's data of a transaction as a line, with the number of equal ones.
fn counted<'a>(rows: impl Iterator<Item = &'a Value>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let facts = format!(
            "{} {} {} {} {} posted {}",
            row["transacted_at"],
            row["amount"],
            row["currency"],
            row["description"],
            row["status"],
            row["status_transitions"]["posted_at"],
        );
        *counts.entry(facts).or_default() += 1;
    }
    counts
}

/// The bank's own id of a row, which no client sees.
async fn bank_id(app: &App, id: &str) -> String {
    let transaction: TransactionId = id.parse().expect("a transaction's id");
    let find = FindBankId { merchant: app.merchant(), transaction };
    let bank_id = app.store().read(find).await.expect("the store reads");
    bank_id.expect("rows are never deleted")
}
