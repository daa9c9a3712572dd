//! Checks after the last kill. A check without faults passes.

use super::HELPERS;
use super::client::{Acknowledged, Client, text};
use super::follower::Follower;
use super::load::ADDED;
use super::receiver::Receiver;
use super::settle::{accounts, clocks, ids, refresh_last};
use crate::Failure;
use model::id::RefreshId;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use testkit::follower::REFRESHED;
use tokio::task::JoinSet;

/// Calls that are repeated at the same time.
const LANES: usize = 4;
/// Comparisons of a list with the bank's ledger before a difference counts. In real time the bank may
/// have a new transaction between the last refresh and the read of the ledger.
const COMPARED_MAX: usize = 3;
/// Transactions that are printed if list and ledger differ.
const FACTS_SHOWN_MAX: usize = 3;

/// The result of a check.
pub(super) struct Verdict {
    /// The statement that must be true.
    pub(super) what: &'static str,
    /// The places where it is false.
    pub(super) faults: Vec<String>,
}

/// The parts of a trial that the checks read.
pub(super) struct Trial<'a> {
    pub(super) client: &'a Arc<Client>,
    pub(super) receiver: &'a Receiver,
    pub(super) follower: &'a Follower,
    /// The posts that got a response while the server was being killed.
    pub(super) acknowledged: Vec<Acknowledged>,
}

impl Trial<'_> {
    /// Every acknowledged POST returns the same bytes when it is repeated.
    pub(super) async fn responses_are_repeated(&self) -> Result<Verdict, Failure> {
        let mut lanes = JoinSet::new();
        for lane in 0..LANES {
            let own = self.acknowledged.iter().skip(lane).step_by(LANES).cloned();
            let own: Vec<Acknowledged> = own.collect();
            let client = Arc::clone(self.client);
            lanes.spawn(async move {
                let mut faults = Vec::new();
                for posted in own {
                    if client.repeat(&posted).await? != posted.body {
                        faults.push(format!("{} {} differs", posted.path, posted.key));
                    }
                }
                Ok::<_, Failure>(faults)
            });
        }
        let mut faults = Vec::new();
        while let Some(lane) = lanes.join_next().await {
            faults.extend(lane.map_err(|error| error.to_string())??);
        }
        Ok(Verdict { what: "a repeat of every acknowledged call returns the same bytes", faults })
    }

    /// Every created object is stored with its last acknowledged change.
    pub(super) async fn writes_are_stored(&self) -> Result<Verdict, Failure> {
        let mut faults = Vec::new();
        for session in ids(&self.acknowledged, "/v1/financial_connections/sessions") {
            let path = format!("/v1/financial_connections/sessions/{session}");
            self.client.get(&path, &[]).await?;
        }
        for (customer, last) in self.last_of_customers() {
            let shown = self.client.get(&format!("/v1/customers/{customer}"), &[]).await?;
            if last.is_some() && shown["metadata"]["last"].as_str() != last.as_deref() {
                faults.push(format!("{customer}: {}, not {last:?}", shown["metadata"]));
            }
        }
        for account in accounts(&self.acknowledged) {
            let path = format!("/v1/financial_connections/accounts/{account}");
            let shown = self.client.get(&path, &[]).await?;
            let last = self.acknowledged.iter().rev().find_map(|posted| {
                let call = posted.path.strip_prefix(&path)?;
                matches!(call, "/subscribe" | "/unsubscribe").then_some(call == "/subscribe")
            });
            let subscribed = shown["subscriptions"] == serde_json::json!(["transactions"]);
            if last != Some(subscribed) {
                faults.push(format!("{account}: {}, not {last:?}", shown["subscriptions"]));
            }
        }
        for clock in clocks(&self.acknowledged) {
            let path = format!("/v1/test_helpers/test_clocks/{clock}");
            let shown = self.client.get(&path, &[]).await?["frozen_time"].as_i64();
            let advanced = self
                .acknowledged
                .iter()
                .filter(|posted| posted.path.strip_prefix(&path) == Some("/advance"));
            let expected = advanced.filter_map(|posted| posted.form.first()?.1.parse().ok()).max();
            if expected.is_some() && shown < expected {
                faults.push(format!("{clock} shows {shown:?}, not {expected:?}"));
            }
        }
        Ok(Verdict { what: "every acknowledged write is stored", faults })
    }

    /// A call that was repeated after a kill took effect once.
    pub(super) async fn calls_took_effect_once(&self) -> Result<Verdict, Failure> {
        let mut faults = Vec::new();
        let created = ids(&self.acknowledged, "/v1/customers");
        let created: BTreeSet<String> = created.into_iter().collect();
        let listed = self.client.list("/v1/customers", &[]).await?;
        let mut listed: BTreeSet<String> = listed.into_keys().collect();
        // Customers on a clock are only in the list of their clock.
        for clock in clocks(&self.acknowledged) {
            listed.extend(
                self.client.list("/v1/customers", &[("test_clock", &clock)]).await?.into_keys(),
            );
        }
        faults.extend(differences(&created, &listed));
        let linked: BTreeSet<String> = accounts(&self.acknowledged).into_iter().collect();
        let listed = self.client.list("/v1/financial_connections/accounts", &[]).await?;
        let listed: BTreeSet<String> = listed.into_keys().collect();
        faults.extend(differences(&linked, &listed));
        for account in linked {
            let path = format!("{HELPERS}/accounts/{account}/transactions");
            let mut added = ids(&self.acknowledged, &path);
            let mut entries: Vec<String> = self
                .ledger(&account)
                .await?
                .iter()
                .filter(|entry| text(entry, "description").starts_with(ADDED))
                .map(|entry| text(entry, "id").to_owned())
                .collect();
            added.sort_unstable();
            entries.sort_unstable();
            if added != entries {
                let counts = format!("{} were added, {} are stored", added.len(), entries.len());
                faults.push(format!("{account}: {counts}"));
            }
        }
        Ok(Verdict { what: "no call took effect twice", faults })
    }

    /// Each started transaction refresh has ended with exactly one event.
    pub(super) async fn refreshes_have_events(
        &self,
        events: &BTreeMap<String, Value>,
    ) -> Result<Verdict, Failure> {
        let mut with_event: HashMap<String, Vec<u32>> = HashMap::new();
        let mut refreshes = BTreeSet::new();
        let mut faults = Vec::new();
        for event in events.values().filter(|event| event["type"] == REFRESHED) {
            let account = &event["data"]["object"];
            let refresh = &account["transaction_refresh"];
            if refresh["status"] == "pending" {
                faults.push(format!("{} shows a pending refresh", text(event, "id")));
            }
            let id = text(refresh, "id");
            refreshes.insert(id.to_owned());
            with_event.entry(text(account, "id").to_owned()).or_default().push(sequence(id)?);
        }
        for account in accounts(&self.acknowledged) {
            let path = format!("/v1/financial_connections/accounts/{account}");
            let shown = self.client.get(&path, &[]).await?;
            let newest = sequence(text(&shown["transaction_refresh"], "id"))?;
            let mut sequences = with_event.remove(&account).unwrap_or_default();
            sequences.sort_unstable();
            if sequences != (1..=newest).collect::<Vec<_>>() {
                faults.push(format!("{account}: refreshes 1 to {newest}, events of {sequences:?}"));
            }
        }
        for posted in &self.acknowledged {
            let response = posted.json();
            let id = text(&response["transaction_refresh"], "id");
            if !id.is_empty() && !refreshes.contains(id) {
                faults.push(format!("{id}, which {} returned, has no event", posted.path));
            }
        }
        let what = "every started refresh has ended with one event";
        Ok(Verdict { what, faults })
    }

    /// Every event was delivered at least once, and each delivered event is stored.
    pub(super) fn events_were_delivered(&self, events: &BTreeMap<String, Value>) -> Verdict {
        let received = self.receiver.received();
        let lost = events
            .iter()
            .filter(|(id, _)| received.get(*id).is_none_or(|posts| posts.handled == 0));
        let lost = lost.map(|(id, event)| format!("{id} {} was not delivered", event["type"]));
        let unknown = received.keys().filter(|id| !events.contains_key(*id));
        let unknown = unknown.map(|id| format!("{id} was delivered, but is not stored"));
        let what = "every event was delivered, and every delivered event was committed";
        Verdict { what, faults: lost.chain(unknown).collect() }
    }

    /// Checks of errors that were recorded during the run: bad signatures, responses 5xx, and refreshes
    /// that the server did not know.
    pub(super) fn no_errors_occurred(&self) -> [Verdict; 3] {
        let unknown = self.follower.unknown.load(Ordering::Relaxed);
        let unknown = (unknown > 0).then(|| format!("{unknown} times"));
        [
            Verdict { what: "every webhook was verified", faults: self.receiver.unverified() },
            Verdict { what: "no call returned 5xx", faults: self.client.faults() },
            Verdict {
                what: "no event shows a refresh that the server does not know",
                faults: unknown.into_iter().collect(),
            },
        ]
    }

    /// The follower's copy of each account is equal to the server's list.
    pub(super) async fn copies_equal_lists(&self) -> Result<Verdict, Failure> {
        let mut faults = Vec::new();
        for account in accounts(&self.acknowledged) {
            let listed = self.rows(&account).await?;
            let copied = self.follower.copied(&account);
            let copied = copied.lock().await;
            if copied.rows != listed {
                let missing = listed.keys().filter(|id| !copied.rows.contains_key(*id)).count();
                let differ = listed
                    .iter()
                    .filter(|(id, row)| copied.rows.get(*id).is_some_and(|copied| copied != *row));
                faults.push(format!(
                    "{account}: {} rows are listed, {} copied, {missing} missing, {} differ",
                    listed.len(),
                    copied.rows.len(),
                    differ.count()
                ));
            }
        }
        Ok(Verdict {
            what: "the follower's copy of every account is equal to the server's list",
            faults,
        })
    }

    /// The server's list of each account is equal to the bank's ledger.
    pub(super) async fn lists_equal_ledgers(&self) -> Result<Verdict, Failure> {
        let mut faults = Vec::new();
        for account in accounts(&self.acknowledged) {
            let mut fault = self.difference(&account).await?;
            for _ in 1..COMPARED_MAX {
                if fault.is_some() {
                    refresh_last(self.client, &account).await?;
                    fault = self.difference(&account).await?;
                }
            }
            faults.extend(fault);
        }
        Ok(Verdict {
            what: "the server's list of every account is equal to the bank's ledger",
            faults,
        })
    }

    async fn difference(&self, account: &str) -> Result<Option<String>, Failure> {
        let rows: Vec<Value> = self.rows(account).await?.into_values().collect();
        let ledger = self.ledger(account).await?;
        let (listed, entries) = (not_void(&rows), not_void(&ledger));
        if listed != entries {
            let differ: Vec<&String> = listed
                .keys()
                .chain(entries.keys())
                .filter(|fact| listed.get(*fact) != entries.get(*fact))
                .take(FACTS_SHOWN_MAX)
                .collect();
            return Ok(Some(format!("{account}: list and ledger differ in {differ:?} and more")));
        }
        // A transaction that appears and disappears between two refreshes is never reported, so the
        // bank may have more void entries. The last description of a void entry may be missing too.
        let void_entries = void(&ledger);
        for (fact, count) in void(&rows) {
            if void_entries.get(&fact).is_none_or(|entries| *entries < count) {
                return Ok(Some(format!("{account}: {fact} is void, but not at the bank")));
            }
        }
        Ok(None)
    }

    async fn rows(&self, account: &str) -> Result<BTreeMap<String, Value>, Failure> {
        let path = "/v1/financial_connections/transactions";
        self.client.list(path, &[("account", account)]).await
    }

    async fn ledger(&self, account: &str) -> Result<Vec<Value>, Failure> {
        let path = format!("{HELPERS}/accounts/{account}/ledger");
        match self.client.get(&path, &[]).await?["transactions"].take() {
            Value::Array(entries) => Ok(entries),
            _ => Err(format!("{path} returned no transactions")),
        }
    }

    /// Each customer with its last acknowledged number, if it has one.
    fn last_of_customers(&self) -> BTreeMap<String, Option<String>> {
        let mut last = BTreeMap::new();
        for posted in &self.acknowledged {
            if posted.path.starts_with("/v1/customers") {
                let number = posted.form.iter().find(|(name, _)| name == "metadata[last]");
                let id = text(&posted.json(), "id").to_owned();
                last.insert(id, number.map(|(_, number)| number.clone()));
            }
        }
        last
    }
}

fn sequence(refresh: &str) -> Result<u32, Failure> {
    let parsed = refresh.parse::<RefreshId>();
    parsed.map(|id| id.sequence).map_err(|_| format!("{refresh:?} is not the id of a refresh"))
}

/// The ids that are only in one of the two sets.
fn differences(created: &BTreeSet<String>, listed: &BTreeSet<String>) -> Vec<String> {
    let unlisted = created.difference(listed);
    let unlisted = unlisted.map(|id| format!("{id} was created, but is not listed"));
    let unknown = listed.difference(created);
    let unknown = unknown.map(|id| format!("{id} is listed, but no response contained it"));
    unlisted.chain(unknown).collect()
}

/// The facts that rows and ledger entries share, for those that are not void, each with its number.
fn not_void(values: &[Value]) -> BTreeMap<String, usize> {
    let not_void = values.iter().filter(|value| value["status"] != "void");
    counted(not_void.map(|value| {
        let posted_at = &value["status_transitions"]["posted_at"];
        let (description, status) = (&value["description"], &value["status"]);
        format!("{} {description} {status} {posted_at}", movement(value))
    }))
}

/// The facts of void rows or entries that no writer edits, each with its number.
fn void(values: &[Value]) -> BTreeMap<String, usize> {
    counted(values.iter().filter(|value| value["status"] == "void").map(movement))
}

fn movement(value: &Value) -> String {
    format!("{} {} {}", value["amount"], value["currency"], value["transacted_at"])
}

fn counted(facts: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for fact in facts {
        *counted.entry(fact).or_default() += 1;
    }
    counted
}
