//! The content of a sandbox, read over the API. Two equal fingerprints mean that every list has the
//! same rows with the same values.

use super::HELPERS;
use super::client::{Client, text};
use super::load::ADDED;
use crate::Failure;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ACCOUNTS: &str = "/v1/financial_connections/accounts";
const TRANSACTIONS: &str = "/v1/financial_connections/transactions";
/// Lists that a difference names.
const LISTS_SHOWN_MAX: usize = 3;
/// The lists that are read, besides those of each account.
const LISTS: &[&str] = &[
    "/v1/customers",
    ACCOUNTS,
    "/v1/events",
    "/v1/webhook_endpoints",
    "/v1/test_helpers/deliveries",
    "/v1/test_helpers/test_clocks",
];

/// The rows of each list, by id. Empty lists are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fingerprint(BTreeMap<String, BTreeMap<String, Value>>);

impl Fingerprint {
    /// Reads all lists of a sandbox. If `ledgers` is true, it includes the added entries of the banks'
    /// ledgers. Other entries change in real time.
    pub(super) async fn read(client: &Client, ledgers: bool) -> Result<Self, Failure> {
        let mut lists = BTreeMap::new();
        for path in LISTS {
            lists.insert((*path).to_owned(), client.list(path, &[]).await?);
        }
        let accounts: Vec<String> = lists[ACCOUNTS].keys().cloned().collect();
        for account in accounts {
            // A disconnected account has neither transactions nor a ledger.
            if lists[ACCOUNTS][&account]["status"] != "active" {
                continue;
            }
            let rows = client.list(TRANSACTIONS, &[("account", &account)]).await?;
            lists.insert(format!("{TRANSACTIONS} of {account}"), rows);
            if ledgers {
                let path = format!("{HELPERS}/accounts/{account}/ledger");
                lists.insert(path.clone(), added_entries(client, &path).await?);
            }
        }
        lists.retain(|_, rows| !rows.is_empty());
        Ok(Self(lists))
    }

    /// The number of rows of all lists.
    pub(super) fn rows(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// The number of rows of the lists whose name begins with `prefix`.
    pub(super) fn rows_of(&self, prefix: &str) -> usize {
        let lists = self.0.iter().filter(|(name, _)| name.starts_with(prefix));
        lists.map(|(_, rows)| rows.len()).sum()
    }

    /// The lists in which two fingerprints differ, with the number of rows that differ.
    pub(super) fn difference(&self, other: &Self) -> String {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let empty = BTreeMap::new();
        let mut differences = Vec::new();
        for name in names {
            let (ours, theirs) =
                (self.0.get(name).unwrap_or(&empty), other.0.get(name).unwrap_or(&empty));
            let ids: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            let differ: Vec<&&String> =
                ids.iter().filter(|id| ours.get(**id) != theirs.get(**id)).collect();
            if let Some(first) = differ.first() {
                differences.push(format!("{name}: {} rows, such as {first}", differ.len()));
            }
        }
        let more = differences.len().saturating_sub(LISTS_SHOWN_MAX);
        differences.truncate(LISTS_SHOWN_MAX);
        if more > 0 {
            differences.push(format!("{more} more lists"));
        }
        differences.join("; ")
    }

    /// The ids of the objects of a list.
    pub(super) fn ids(&self, list: &str) -> Vec<String> {
        self.0.get(list).into_iter().flatten().map(|(_, row)| text(row, "id").to_owned()).collect()
    }
}

/// The entries of a ledger that the test added.
async fn added_entries(client: &Client, path: &str) -> Result<BTreeMap<String, Value>, Failure> {
    let Value::Array(entries) = client.get(path, &[]).await?["transactions"].take() else {
        return Err(format!("{path} returned no transactions"));
    };
    let added = entries.into_iter().filter(|entry| text(entry, "description").starts_with(ADDED));
    Ok(added.map(|entry| (text(&entry, "id").to_owned(), entry)).collect())
}
