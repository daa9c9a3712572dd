//! Kills while a sandbox is restored from a snapshot or is reset. After each kill the sandbox is
//! wholly in the old or wholly in the new state.
//!
//! Two snapshots differ in every list. Each killed call turns the current state into another one of
//! three: the first snapshot, the second, or an empty sandbox. Half of the kills are at random moments
//! of the call, and half at named failpoints: while the new rows are built, at the commit that makes
//! them current, and while the old rows are removed.

use super::HELPERS;
use super::client::{Client, text};
use super::fingerprint::Fingerprint;
use super::large::{Kind, Tally, When};
use super::load::ADDED;
use super::server::Server;
use super::settle::{accounts, delivered, refresh_last};
use super::take;
use crate::Failure;
use crate::process::say;
use crate::time::{moment, pass};
use std::sync::Arc;
use std::time::Duration;
use testkit::receiver::Receiver;
use testkit::rng::SeededRng;

/// Customers without accounts.
const CUSTOMERS: usize = 160;
/// Customers that differ between the two snapshots: half are renamed, half are deleted.
const CUSTOMERS_CHANGED: usize = 40;
/// Customers with two accounts each.
const HOMES: usize = 5;
/// Transactions that are added on the side of each account's bank.
const ADDED_MAX: usize = 6;
/// The tables that a restore fills, with a failpoint after each.
const TABLES: u64 = 11;
/// The failpoints of one step that removes the rows of the old state. A call has several steps.
const REMOVALS: u64 = 6;
pub(super) const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
const RESET: &str = "/v1/test_helpers/reset";

/// A state of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    Second,
    Empty,
}

/// A planned kill.
struct Kill {
    kind: Kind,
    /// The armed failpoint, as `name:passes`. None for a random moment.
    failpoint: Option<String>,
}

impl Kill {
    /// True if its failpoint comes before the commit that makes the new state current.
    fn is_before_switch(&self) -> bool {
        let Some((name, passes)) = self.failpoint.as_deref().and_then(|text| text.split_once(':'))
        else {
            return false;
        };
        match name {
            "BuildGeneration" | "SwitchGeneration" => true,
            "between_tables" => {
                self.kind == Kind::Restore
                    && passes.parse::<u64>().is_ok_and(|passes| passes < TABLES)
            }
            _ => false,
        }
    }
}

/// A sandbox with its three states.
pub(super) struct Sandbox {
    pub(super) client: Arc<Client>,
    /// The calls that restore the two snapshots.
    restores: [String; 2],
    /// The content of each state.
    contents: [Fingerprint; 3],
    /// The measured time of a restore and of a reset.
    restore_ms: u64,
    reset_ms: u64,
    current: State,
}

/// Kills the server `kills` times in restores, as often in resets, and as often in snapshots.
pub(super) async fn run(
    server: &mut Server,
    rng: &SeededRng,
    kills: usize,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let client = Arc::new(Client::new(server.up()));
    server.start(None).await?;
    let receiver = Receiver::start(async |_| 200).await;
    let receiver = receiver.map_err(|error| format!("listening for webhooks: {error}"))?;
    let mut sandbox = Sandbox::build(client, receiver).await?;
    for kill in plan(rng, kills) {
        sandbox.prepare(server, &kill).await?;
        sandbox.kill(server, rng, &kill, tally).await?;
    }
    take::run(&mut sandbox, server, rng, kills, tally).await?;
    for fault in sandbox.client.faults() {
        tally.fault(fault);
    }
    server.stop().await
}

/// All kills. Restores and resets alternate. A restore is killed while it builds the new rows, and both
/// are killed at the commit that makes the new rows current and while they remove the old ones.
fn plan(rng: &SeededRng, kills: usize) -> Vec<Kill> {
    let mut plan = Vec::new();
    for number in 0..kills {
        for kind in [Kind::Restore, Kind::Reset] {
            let failpoint = match (number % 8, kind) {
                (1, Kind::Restore) => Some(("between_tables", rng.below(TABLES))),
                (5, Kind::Restore) => Some(("between_tables", TABLES + rng.below(REMOVALS))),
                (1 | 5, _) => Some(("between_tables", rng.below(2 * REMOVALS))),
                (3, _) => Some(("SwitchGeneration", 0)),
                (7, Kind::Restore) => Some(("BuildGeneration", rng.below(3))),
                (7, _) => Some(("after_commit", rng.below(2))),
                _ => None,
            };
            let failpoint = failpoint.map(|(name, passes)| format!("{name}:{passes}"));
            plan.push(Kill { kind, failpoint });
        }
    }
    plan
}

impl Sandbox {
    /// Builds the sandbox and its two snapshots, and measures the calls.
    async fn build(client: Arc<Client>, receiver: Receiver) -> Result<Self, Failure> {
        let form = [("url", receiver.url.as_str()), ("enabled_events[]", "*")];
        client.post("/v1/webhook_endpoints", &form).await?;
        for number in 0..CUSTOMERS {
            let name = format!("Customer {number}");
            client.post("/v1/customers", &[("name", &name)]).await?;
        }
        for number in 0..HOMES {
            link(&client, number).await?;
        }
        let refreshed = accounts(&client.acknowledged());
        for account in &refreshed {
            refresh_last(&client, account).await?;
        }
        delivered(&client).await?;
        let restores = [snapshot(&client).await?, String::new()];
        let first = Fingerprint::read(&client, true).await?;
        let mut sandbox = Self {
            client,
            restores,
            contents: [first, Fingerprint::default(), Fingerprint::default()],
            restore_ms: 0,
            reset_ms: 0,
            current: State::First,
        };
        sandbox.change(&refreshed).await?;
        sandbox.measure().await?;
        // All events of both snapshots are delivered, and a reset removes the endpoint.
        drop(receiver);
        Ok(sandbox)
    }

    /// Changes every list, and takes the second snapshot.
    async fn change(&mut self, refreshed: &[String]) -> Result<(), Failure> {
        let client = Arc::clone(&self.client);
        let customers = self.contents[State::First as usize].ids("/v1/customers");
        let homes: Vec<String> = holders_of(&client, refreshed).await?;
        let single = customers.iter().filter(|customer| !homes.contains(customer));
        for (number, customer) in single.take(CUSTOMERS_CHANGED).enumerate() {
            let path = format!("/v1/customers/{customer}");
            if number % 2 == 0 {
                client.post(&path, &[("name", "Renamed")]).await?;
            } else {
                client.delete(&path).await?;
            }
        }
        for account in refreshed {
            let path = format!("{HELPERS}/accounts/{account}/transactions");
            for number in 0..ADDED_MAX {
                let description = format!("{ADDED} {number}");
                let form = [("amount", "-1250"), ("description", &description)];
                client.post(&path, &form).await?;
            }
            refresh_last(&client, account).await?;
        }
        if let Some(account) = refreshed.first() {
            let path = format!("/v1/financial_connections/accounts/{account}/disconnect");
            client.post(&path, &[]).await?;
        }
        link(&client, HOMES).await?;
        client.post("/v1/test_helpers/test_clocks", &[("frozen_time", "1790000000")]).await?;
        let all = accounts(&client.acknowledged());
        for account in all.iter().filter(|account| !refreshed.contains(account)) {
            refresh_last(&client, account).await?;
        }
        delivered(&client).await?;
        self.restores[1] = snapshot(&client).await?;
        self.contents[State::Second as usize] = Fingerprint::read(&client, true).await?;
        self.current = State::Second;
        Ok(())
    }

    /// Measures each call once, without a kill. Each must bring the content that it stands for.
    async fn measure(&mut self) -> Result<(), Failure> {
        for state in [State::First, State::Second, State::Empty, State::Second] {
            let began = moment();
            self.client.post(self.call_to(state), &[]).await?;
            let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            if state == State::Empty {
                self.reset_ms = took_ms;
            } else {
                self.restore_ms = took_ms;
            }
            let found = Fingerprint::read(&self.client, true).await?;
            let expected = &self.contents[state as usize];
            if found != *expected {
                let difference = found.difference(expected);
                return Err(format!("without a kill, {state:?} was not reached: {difference}"));
            }
            self.current = state;
        }
        say(&format!(
            "crash: the sandbox has {} rows in its lists, or {}. A restore takes {} ms, a reset {} ms",
            self.contents[State::First as usize].rows(),
            self.contents[State::Second as usize].rows(),
            self.restore_ms,
            self.reset_ms
        ));
        Ok(())
    }

    /// The path of the call that leads to a state.
    fn call_to(&self, state: State) -> &str {
        match state {
            State::First => &self.restores[0],
            State::Second => &self.restores[1],
            State::Empty => RESET,
        }
    }

    /// Fills an empty sandbox before a reset or a failpoint, and arms the failpoint. From an empty
    /// sandbox, a restore that is cut after its first half would look undone.
    async fn prepare(&mut self, server: &mut Server, kill: &Kill) -> Result<(), Failure> {
        let needs_rows = kill.kind == Kind::Reset || kill.failpoint.is_some();
        if needs_rows {
            self.fill().await?;
        }
        if let Some(failpoint) = &kill.failpoint {
            server.kill().await?;
            server.start(Some(failpoint)).await?;
        }
        Ok(())
    }

    /// Restores the first snapshot if the sandbox is empty.
    pub(super) async fn fill(&mut self) -> Result<(), Failure> {
        if self.current == State::Empty {
            self.client.post(self.call_to(State::First), &[]).await?;
            self.current = State::First;
        }
        Ok(())
    }

    /// The content of the current state.
    pub(super) fn content(&self) -> &Fingerprint {
        &self.contents[self.current as usize]
    }

    /// Makes a call and kills the server in it, at the armed failpoint or at a random moment. Starts the
    /// server again. Returns the status of the response.
    pub(super) async fn call_and_kill(
        &self,
        server: &mut Server,
        rng: &SeededRng,
        (call, took_ms): (&str, u64),
        is_armed: bool,
    ) -> Result<Option<u16>, Failure> {
        let delay = Duration::from_micros(rng.below(took_ms.max(1) * 1_000 * 5 / 4));
        let killed = async {
            if is_armed {
                server.reached().await?;
            } else {
                // This wait has no condition, because it chooses the random moment.
                pass(delay).await;
            }
            server.kill().await
        };
        let (status, killed) = tokio::join!(self.client.try_post(call), killed);
        killed?;
        server.start(None).await?;
        Ok(status)
    }

    /// Kills the server in a call, starts it again and compares the sandbox with both states.
    async fn kill(
        &mut self,
        server: &mut Server,
        rng: &SeededRng,
        kill: &Kill,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let next = match (kill.kind, self.current) {
            (Kind::Reset, _) => State::Empty,
            (_, State::Second) => State::First,
            (_, State::Empty) if rng.one_in(2) => State::First,
            (_, State::First | State::Empty) => State::Second,
        };
        let took_ms = if next == State::Empty { self.reset_ms } else { self.restore_ms };
        let call = (self.call_to(next), took_ms);
        let status = self.call_and_kill(server, rng, call, kill.failpoint.is_some()).await?;
        let found = Fingerprint::read(&self.client, true).await?;
        let (old, new) = (&self.contents[self.current as usize], &self.contents[next as usize]);
        let place = kill.failpoint.as_deref().unwrap_or("a random moment");
        let at = format!("{}, killed at {place}, from {:?} to {next:?}", kill.kind, self.current);
        let when = if found == *new {
            if status.is_some() { When::After } else { When::BeforeResponse }
        } else if found == *old {
            if kill.failpoint.is_some() { When::Within } else { When::BeforeCommit }
        } else {
            tally.fault(format!(
                "{at}: neither state. Not as the old one in {}. Not as the new one in {}",
                found.difference(old),
                found.difference(new)
            ));
            self.client.post(self.call_to(State::First), &[]).await?;
            self.current = State::First;
            return Ok(());
        };
        if let Some(fault) = contradiction(kill, status, when) {
            tally.fault(format!("{at}: {fault}"));
        } else {
            tally.add(kill.kind, when);
        }
        if found == *new {
            self.current = next;
        }
        Ok(())
    }
}

/// The contradiction between a kill, the response and the state after the restart, if there is one.
fn contradiction(kill: &Kill, status: Option<u16>, when: When) -> Option<String> {
    let is_new = matches!(when, When::After | When::BeforeResponse);
    match (status, kill.failpoint.as_deref()) {
        (Some(status), _) if status != 200 => Some(format!("the response is {status}")),
        (Some(_), Some(_)) => Some("a response came before the failpoint".to_owned()),
        (Some(_), None) if !is_new => Some("the call returned 200, but is undone".to_owned()),
        (None, Some(_)) if is_new && kill.is_before_switch() => {
            Some("the state is the new one before the commit".to_owned())
        }
        _ => None,
    }
}

/// Takes a snapshot. Returns the path that restores it.
async fn snapshot(client: &Client) -> Result<String, Failure> {
    let taken = client.post(SNAPSHOTS, &[("name", "crash")]).await?;
    Ok(format!("{SNAPSHOTS}/{}/restore", text(&taken, "id")))
}

/// The customers that hold these accounts.
async fn holders_of(client: &Client, accounts: &[String]) -> Result<Vec<String>, Failure> {
    let mut holders = Vec::new();
    for account in accounts {
        let path = format!("/v1/financial_connections/accounts/{account}");
        let account = client.get(&path, &[]).await?;
        holders.push(text(&account["account_holder"], "customer").to_owned());
    }
    Ok(holders)
}

/// Links two accounts of a new customer.
async fn link(client: &Client, number: usize) -> Result<(), Failure> {
    let email = format!("home-{number}@example.com");
    let customer = client.post("/v1/customers", &[("email", &email)]).await?;
    let form = [
        ("account_holder[type]", "customer"),
        ("account_holder[customer]", text(&customer, "id")),
        ("permissions[]", "transactions"),
        ("permissions[]", "balances"),
        ("permissions[]", "ownership"),
        ("prefetch[]", "balances"),
        ("prefetch[]", "ownership"),
    ];
    let session = client.post("/v1/financial_connections/sessions", &form).await?;
    let form = [
        ("client_secret", text(&session, "client_secret")),
        ("institution", "Test (Non-OAuth)"),
        ("accounts[]", "Success"),
        ("accounts[]", "High Balance"),
    ];
    client.post(&format!("{HELPERS}/link"), &form).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan has as many restores as resets, and kills both at failpoints and at random moments.
    #[test]
    fn a_plan_has_both_kinds() {
        let kills = plan(&SeededRng::new(1), 8);
        for kind in [Kind::Restore, Kind::Reset] {
            let of_kind: Vec<&Kill> = kills.iter().filter(|kill| kill.kind == kind).collect();
            assert_eq!(of_kind.len(), 8);
            assert_eq!(of_kind.iter().filter(|kill| kill.failpoint.is_some()).count(), 4);
        }
    }
}
