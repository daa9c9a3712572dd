//! What must hold after the kills. Each check names its faults; none is a pass.

use super::HELPERS;
use super::client::{Acknowledged, Client, text};
use super::follower::Follower;
use super::load::ADDED;
use super::receiver::{REFRESHED, Receiver};
use super::settle::{accounts, clocks, ids, refresh_last};
use crate::Failure;
use model::id::RefreshId;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

/// Calls that are repeated at a time.
const LANES: usize = 4;
/// How often a list is compared with the bank's books before a difference counts: in real time a
/// transaction may come up at the bank between the last refresh and the look into the books.
const COMPARED_MAX: usize = 3;
/// Transactions that are named where list and ledger differ.
const FACTS_TOLD_MAX: usize = 3;

/// How a check ended.
pub(super) struct Verdict {
    /// What must hold.
    pub(super) what: &'static str,
    /// Where it does not.
    pub(super) faults: Vec<String>,
}

/// All that the checks ask.
pub(super) struct Asked<'a> {
    pub(super) client: &'a Arc<Client>,
    pub(super) receiver: &'a Receiver,
    pub(super) follower: &'a Follower,
    /// The posts that were answered while the server was being killed.
    pub(super) acknowledged: Vec<Acknowledged>,
}

impl Asked<'_> {
    /// Every acknowledged POST, sent again, gives the bytes that it gave.
    pub(super) async fn answers_are_repeated(&self) -> Result<Verdict, Failure> {
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
        Ok(Verdict { what: "every acknowledged answer is given again, byte for byte", faults })
    }

    /// What was made is there, as the last acknowledged change left it.
    pub(super) async fn writes_are_there(&self) -> Result<Verdict, Failure> {
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
            let told = advanced.filter_map(|posted| posted.form.first()?.1.parse().ok()).max();
            if told.is_some() && shown < told {
                faults.push(format!("{clock} shows {shown:?}, not {told:?}"));
            }
        }
        Ok(Verdict { what: "every acknowledged write is there", faults })
    }

    /// A call that was sent again after a kill did what it does once.
    pub(super) async fn nothing_was_done_twice(&self) -> Result<Verdict, Failure> {
        let mut faults = Vec::new();
        let mut told: BTreeSet<String> = BTreeSet::new();
        told.extend(ids(&self.acknowledged, "/v1/customers"));
        let listed = self.client.list("/v1/customers", &[]).await?;
        let mut listed: BTreeSet<String> = listed.into_keys().collect();
        // Customers on a clock stand in the list of their clock alone.
        for clock in clocks(&self.acknowledged) {
            listed.extend(
                self.client.list("/v1/customers", &[("test_clock", &clock)]).await?.into_keys(),
            );
        }
        faults.extend(differences(&told, &listed));
        let told: BTreeSet<String> = accounts(&self.acknowledged).into_iter().collect();
        let listed = self.client.list("/v1/financial_connections/accounts", &[]).await?;
        let listed: BTreeSet<String> = listed.into_keys().collect();
        faults.extend(differences(&told, &listed));
        for account in told {
            let path = format!("{HELPERS}/accounts/{account}/transactions");
            let mut told = ids(&self.acknowledged, &path);
            let mut entries: Vec<String> = self
                .ledger(&account)
                .await?
                .iter()
                .filter(|entry| text(entry, "description").starts_with(ADDED))
                .map(|entry| text(entry, "id").to_owned())
                .collect();
            told.sort_unstable();
            entries.sort_unstable();
            if told != entries {
                let counts = format!("{} were added, {} are there", told.len(), entries.len());
                faults.push(format!("{account}: {counts}"));
            }
        }
        Ok(Verdict { what: "nothing was done twice", faults })
    }

    /// Each transaction refresh that was started has ended with exactly one event.
    pub(super) async fn refreshes_have_events(
        &self,
        events: &BTreeMap<String, Value>,
    ) -> Result<Verdict, Failure> {
        let mut told: HashMap<String, Vec<u32>> = HashMap::new();
        let mut refreshes = BTreeSet::new();
        let mut faults = Vec::new();
        for event in events.values().filter(|event| event["type"] == REFRESHED) {
            let account = &event["data"]["object"];
            let refresh = &account["transaction_refresh"];
            if refresh["status"] == "pending" {
                faults.push(format!("{} tells of a pending refresh", text(event, "id")));
            }
            let id = text(refresh, "id");
            refreshes.insert(id.to_owned());
            told.entry(text(account, "id").to_owned()).or_default().push(sequence(id)?);
        }
        for account in accounts(&self.acknowledged) {
            let path = format!("/v1/financial_connections/accounts/{account}");
            let shown = self.client.get(&path, &[]).await?;
            let newest = sequence(text(&shown["transaction_refresh"], "id"))?;
            let mut sequences = told.remove(&account).unwrap_or_default();
            sequences.sort_unstable();
            if sequences != (1..=newest).collect::<Vec<_>>() {
                faults.push(format!("{account}: refreshes 1 to {newest}, events of {sequences:?}"));
            }
        }
        for posted in &self.acknowledged {
            let answer = posted.json();
            let id = text(&answer["transaction_refresh"], "id");
            if !id.is_empty() && !refreshes.contains(id) {
                faults.push(format!("{id}, of which {} told, has no event", posted.path));
            }
        }
        let what = "every refresh that was started has ended, with one event";
        Ok(Verdict { what, faults })
    }

    /// Every event came at least once, and none came that the server does not hold.
    pub(super) fn events_were_delivered(&self, events: &BTreeMap<String, Value>) -> Verdict {
        let came = self.receiver.came();
        let lost =
            events.iter().filter(|(id, _)| came.get(*id).is_none_or(|came| came.handled == 0));
        let lost = lost.map(|(id, event)| format!("{id} {} did not come", event["type"]));
        let unknown = came.keys().filter(|id| !events.contains_key(*id));
        let unknown = unknown.map(|id| format!("{id} came, but the server does not hold it"));
        let what = "every event was delivered, and none that was not committed";
        Verdict { what, faults: lost.chain(unknown).collect() }
    }

    /// What needs no question: signatures, answers 5xx, refreshes unknown to the server.
    pub(super) fn nothing_broke(&self) -> [Verdict; 3] {
        let unknown = self.follower.unknown.load(Ordering::Relaxed);
        let unknown = (unknown > 0).then(|| format!("{unknown} times"));
        [
            Verdict { what: "every webhook was verified", faults: self.receiver.unverified() },
            Verdict { what: "no call was answered with 5xx", faults: self.client.faults() },
            Verdict {
                what: "no event told of a refresh that the server does not know",
                faults: unknown.into_iter().collect(),
            },
        ]
    }

    /// The follower's copy of each account is the server's list.
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
        Ok(Verdict { what: "the follower's copy of every account is the server's list", faults })
    }

    /// The server's list of each account is what the bank's own books show.
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
        Ok(Verdict { what: "the server's list of every account is the bank's own ledger", faults })
    }

    async fn difference(&self, account: &str) -> Result<Option<String>, Failure> {
        let rows: Vec<Value> = self.rows(account).await?.into_values().collect();
        let books = self.ledger(account).await?;
        let (listed, held) = (alive(&rows), alive(&books));
        if listed != held {
            let differ: Vec<&String> = listed
                .keys()
                .chain(held.keys())
                .filter(|fact| listed.get(*fact) != held.get(*fact))
                .take(FACTS_TOLD_MAX)
                .collect();
            return Ok(Some(format!("{account}: list and ledger differ in {differ:?} and more")));
        }
        // What came and vanished between two refreshes was never seen, so the bank may hold more;
        // and of what was edited before it vanished, the last text was never seen.
        let vanished_in_books = vanished(&books);
        for (fact, count) in vanished(&rows) {
            if vanished_in_books.get(&fact).is_none_or(|held| *held < count) {
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
            _ => Err(format!("{path} shows no transactions")),
        }
    }

    /// The customers with the last number that was acknowledged for each, if it has numbers.
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
    parsed.map(|id| id.sequence).map_err(|_| format!("{refresh:?} is no id of a refresh"))
}

/// The ids that only one side has.
fn differences(told: &BTreeSet<String>, listed: &BTreeSet<String>) -> Vec<String> {
    let unlisted = told.difference(listed).map(|id| format!("{id} was made, but is not listed"));
    let untold = listed.difference(told).map(|id| format!("{id} is there, but nobody was told"));
    unlisted.chain(untold).collect()
}

/// What is alive, by all that rows and entries have in common, each with how often it is there.
fn alive(values: &[Value]) -> BTreeMap<String, usize> {
    let alive = values.iter().filter(|value| value["status"] != "void");
    counted(alive.map(|value| {
        let posted_at = &value["status_transitions"]["posted_at"];
        let (description, status) = (&value["description"], &value["status"]);
        format!("{} {description} {status} {posted_at}", movement(value))
    }))
}

/// What has vanished, by what none of the writers edits.
fn vanished(values: &[Value]) -> BTreeMap<String, usize> {
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
