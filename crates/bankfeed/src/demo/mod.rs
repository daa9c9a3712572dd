//! `bankfeed demo`: runs the main job on a server of its own and prints each step.
//!
//! Link an account → refresh it → receive a webhook → read exactly the new and changed rows.
//!
//! The demo succeeds only if the follower's copy equals the server's list and the bank's own
//! ledger. The run must also contain a row that posted, one that vanished, one that was edited, a
//! failed refresh and a second page.

mod follower;
mod pace;
mod receiver;

use crate::error::CommandError;
use clap::Args;
use cli::Client;
use cli::output::{self, OutputError};
use cli::process::{EndSignals, runtime};
use follower::{Follower, word};
use model::calendar::{Date, date_of, day_of_second};
use model::clock::Clock;
use pace::Pace;
use receiver::Receiver;
use serde_json::Value;
use server::clock::SystemClock;
use server::start;
use settings::resolve;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use testkit::follower::{Change, ChangeKind, REFRESHED};

/// The error of the demo.
pub(super) type Failure = Box<dyn Error + Send + Sync>;

const HELPERS: &str = "/v1/test_helpers/financial_connections";
const DAY_S: i64 = 86_400;
/// The maximum number of rows in a table.
const TABLE_ROWS: usize = 12;

/// The key of the demo. Any other test key would work too.
const KEY: &str = "sk_test_demo";

/// The flags of `bankfeed demo`.
#[derive(Args)]
pub(crate) struct DemoFlags {
    /// Do not wait for Enter between the steps
    #[arg(long)]
    no_pause: bool,
}

/// Runs the demo.
pub(super) fn run(flags: &DemoFlags) -> Result<(), CommandError> {
    let pace = Pace::of(flags);
    runtime()?.block_on(serve_and_tell(pace))
}

/// Runs the main job on a server of its own, which it stops in every case. Only a stop surely
/// removes the temporary folder of the database.
async fn serve_and_tell(pace: Pace) -> Result<(), CommandError> {
    // The signals are caught before the folder exists, so that an early signal does not leave it.
    let mut signals = EndSignals::listen()?;
    let flags =
        BTreeMap::from([("listen", "127.0.0.1:0".to_owned()), ("memory", "true".to_owned())]);
    // Neither the environment nor a file can change the demo.
    let settings = resolve(&flags, |_| None, None)?.settings()?;
    let server = start(&settings).await?;
    let done = tokio::select! {
        done = story(&server.url, pace) => done.map_err(error_of),
        signal = signals.next() => Err(CommandError::Interrupted(signal)),
    };
    let stopped = tokio::select! {
        stopped = server.stop() => stopped.map_err(CommandError::from),
        // A second signal skips the wait for calls in progress.
        signal = signals.next() => Err(CommandError::Interrupted(signal)),
    };
    done.and(stopped)
}

/// The error of the command for a failure of the demo.
fn error_of(failure: Failure) -> CommandError {
    match failure.downcast() {
        Ok(lost) => CommandError::Output(*lost),
        Err(failure) => CommandError::Demo(failure),
    }
}

async fn story(url: &str, pace: Pace) -> Result<(), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut demo = Demo {
        client: Client::build(url, KEY)?,
        receiver: Receiver::start(Arc::clone(&clock)).await?,
        follower: Follower::default(),
        account: String::new(),
        clock: String::new(),
        now: clock.account_now().0,
        pace,
    };
    say(&format!("bankfeed runs at {url}, in memory, for this demo alone."))?;
    demo.link().await?;
    demo.subscribe().await?;
    let made = demo.steer().await?;
    demo.a_week_passes(&made).await?;
    demo.compare().await
}

struct Demo {
    client: Client,
    receiver: Receiver,
    follower: Follower,
    account: String,
    clock: String,
    now: i64,
    pace: Pace,
}

/// The ids, given by the bank, of the transactions that the demo added.
struct Added {
    coffee: String,
    hotel: String,
    typo: String,
}

impl Demo {
    async fn link(&mut self) -> Result<(), Failure> {
        title("1. A webhook endpoint, a test clock, a customer")?;
        let parameters = [("url", self.receiver.url()), ("enabled_events[]", "*")];
        let endpoint = self.tell("POST", "/v1/webhook_endpoints", &parameters).await?;
        self.receiver.trust(text(&endpoint, "secret"));
        came(&endpoint, "its signing secret is shown once")?;
        let now = self.now.to_string();
        let path = "/v1/test_helpers/test_clocks";
        let clock = self.tell("POST", path, &[("frozen_time", &now)]).await?;
        text(&clock, "id").clone_into(&mut self.clock);
        came(&clock, "time stands still until it is advanced")?;
        let parameters = [("email", "jenny.rosen@example.com"), ("test_clock", &self.clock)];
        let customer = self.tell("POST", "/v1/customers", &parameters).await?;
        came(&customer, "the same e-mail address always sees the same bank")?;

        self.pace.pause().await?;
        title("2. A session asks for transactions; the account is linked without a browser")?;
        let parameters = [
            ("account_holder[type]", "customer"),
            ("account_holder[customer]", text(&customer, "id")),
            ("permissions[]", "transactions"),
        ];
        let path = "/v1/financial_connections/sessions";
        let session = self.tell("POST", path, &parameters).await?;
        came(&session, text(&session, "client_secret"))?;
        let parameters = [
            ("client_secret", text(&session, "client_secret")),
            ("institution", "Test (OAuth)"),
            ("accounts[]", "Success"),
        ];
        let linked = self.tell("POST", &format!("{HELPERS}/link"), &parameters).await?;
        let account = &linked["accounts"]["data"][0];
        text(account, "id").clone_into(&mut self.account);
        let name =
            format!("{} at {}", text(account, "display_name"), text(account, "institution_name"));
        came(account, &format!("{name}, {}", text(account, "status")))?;
        self.until("financial_connections.account.created").await?;
        Ok(())
    }

    async fn subscribe(&mut self) -> Result<(), Failure> {
        self.pace.pause().await?;
        title("3. Subscribed: a refresh starts, and a webhook reports its end")?;
        let path = format!("/v1/financial_connections/accounts/{}/subscribe", self.account);
        let account = self.tell("POST", &path, &[("features[]", "transactions")]).await?;
        came(&account["transaction_refresh"], text(&account["transaction_refresh"], "status"))?;
        let news = self.until_refreshed().await?;
        say(&format!("  {} transactions of 180 days; the newest:", news.len()))?;
        table(&news)?;
        Ok(())
    }

    async fn steer(&mut self) -> Result<Added, Failure> {
        self.pace.pause().await?;
        title("4. Control the bank: three card payments come in")?;
        let path = format!("{HELPERS}/accounts/{}/transactions", self.account);
        let mut ids = Vec::new();
        for (amount, description) in
            [("-1200", "Blue Door Coffee"), ("-24000", "Harbour Hotel hold"), ("-4999", "Bookshp")]
        {
            let parameters =
                [("amount", amount), ("description", description), ("status", "pending")];
            let entry = self.tell("POST", &path, &parameters).await?;
            ids.push(text(&entry, "id").to_owned());
        }
        let path = format!("/v1/financial_connections/accounts/{}/refresh", self.account);
        self.tell("POST", &path, &[("features[]", "transactions")]).await?;
        let news = self.until_refreshed().await?;
        table(&news)?;
        let [coffee, hotel, typo] = ids.try_into().map_err(|_| "three were added")?;
        Ok(Added { coffee, hotel, typo })
    }

    async fn a_week_passes(&mut self, added: &Added) -> Result<(), Failure> {
        self.pace.pause().await?;
        title(
            "5. A week passes: one posts with a tip, one vanishes, one is corrected; the first \
               refresh fails",
        )?;
        let path = format!("{HELPERS}/accounts/{}/transactions", self.account);
        let tip = [("status", "posted"), ("amount", "-1440")];
        self.tell("POST", &format!("{path}/{}", added.coffee), &tip).await?;
        let void = [("status", "void")];
        self.tell("POST", &format!("{path}/{}", added.hotel), &void).await?;
        let edit = [("description", "Bookshop")];
        self.tell("POST", &format!("{path}/{}", added.typo), &edit).await?;
        let path = format!("{HELPERS}/accounts/{}/next_refresh", self.account);
        let fails = [("outcome", "failed"), ("cause", "institution_timeout")];
        self.tell("POST", &path, &fails).await?;

        let mut all = Vec::new();
        for _ in 0..7 {
            all.extend(self.a_day_passes().await?);
        }
        say(&format!("  the week brought {} rows, new or changed, and no other:", all.len()))?;
        table(&all)?;
        Ok(())
    }

    /// Advances the clock by a day, and reads the rows of its refresh.
    async fn a_day_passes(&mut self) -> Result<Vec<Change>, Failure> {
        self.now += DAY_S;
        let until = self.now.to_string();
        let path = format!("/v1/test_helpers/test_clocks/{}/advance", self.clock);
        self.tell("POST", &path, &[("frozen_time", &until)]).await?;
        let (mut news, mut ready) = (None, false);
        // Webhooks arrive in any order, so the loop waits for both.
        while news.is_none() || !ready {
            let event = self.receiver.next().await?;
            match text(&event, "type") {
                REFRESHED => news = Some(self.refreshed(&event["data"]["object"]).await?),
                "test_helpers.test_clock.ready" => ready = true,
                _ => {}
            }
        }
        Ok(news.unwrap_or_default())
    }

    /// Makes a call and prints it. A status other than 200 is an error.
    async fn tell(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let shown: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let arrow = pace::sent("→");
        say(&format!("  {arrow} {method} {path} {}", shown.join(" ")))?;
        let response = self.client.call(method, path, parameters).await?;
        if response.status == 200 {
            Ok(response.body)
        } else {
            Err(format!("status {}: {}", response.status, response.body).into())
        }
    }

    /// Waits for an event of a type.
    async fn until(&mut self, event_type: &str) -> Result<Value, Failure> {
        loop {
            let mut event = self.receiver.next().await?;
            if text(&event, "type") == event_type {
                let arrow = pace::received("←");
                say(&format!("  {arrow} webhook {event_type}, verified"))?;
                return Ok(event["data"]["object"].take());
            }
        }
    }

    /// Waits for a refresh to end, and reads its rows.
    async fn until_refreshed(&mut self) -> Result<Vec<Change>, Failure> {
        let account = self.until(REFRESHED).await?;
        self.refreshed(&account).await
    }

    async fn refreshed(&mut self, account: &Value) -> Result<Vec<Change>, Failure> {
        let refresh = &account["transaction_refresh"];
        let news = self.follower.handle(&self.client, account).await?;
        let (id, status) = (text(refresh, "id"), text(refresh, "status"));
        let rows = counted(news.len(), "row");
        say(&format!("    {id} {status}: {rows} since the previous refresh"))?;
        Ok(news)
    }

    /// Compares the copy with the server's list and with the bank's own ledger.
    async fn compare(&mut self) -> Result<(), Failure> {
        self.pace.pause().await?;
        title("6. The follower's copy, the server's list and the bank's own ledger")?;
        let path = format!("/v1/financial_connections/accounts/{}/refresh", self.account);
        self.tell("POST", &path, &[("features[]", "transactions")]).await?;
        self.until_refreshed().await?;
        let mut list = Follower::default();
        list.handle(&self.client, &serde_json::json!({ "id": self.account })).await?;
        let path = format!("{HELPERS}/accounts/{}/ledger", self.account);
        let ledger = self.tell("GET", &path, &[]).await?;
        if ledger["has_more"] == true {
            return Err("the bank's own ledger has more than one page".into());
        }
        if self.follower.copy.rows != list.copy.rows {
            return Err("the copy differs from the server's list".into());
        }
        let (books, alive) = (
            facts(ledger["transactions"].as_array()),
            facts(Some(&list.copy.rows.values().cloned().collect::<Vec<_>>())),
        );
        if books != alive {
            return Err("the copy differs from the bank's own ledger".into());
        }
        let met = self.follower.met;
        if [met.posted, met.voided, met.edited, met.failed, met.second_pages].contains(&0) {
            return Err(format!("the run did not show everything: {met:?}").into());
        }
        say(&format!("  The three copies have the same {} transactions.", list.copy.rows.len()))?;
        say(&format!(
            "  On the way {} posted, {} vanished, {} edited, {} failed, {} had a second page.",
            counted(met.posted, "transaction"),
            met.voided,
            if met.edited == 1 { "1 was".to_owned() } else { format!("{} were", met.edited) },
            counted(met.failed, "refresh"),
            counted(met.second_pages, "read"),
        ))?;
        Ok(())
    }
}

/// A number of things in words.
fn counted(count: usize, thing: &str) -> String {
    match (count, thing) {
        (1, _) => format!("1 {thing}"),
        (_, "refresh") => format!("{count} refreshes"),
        _ => format!("{count} {thing}s"),
    }
}

/// The compared facts of transactions that did not vanish, each with its count.
fn facts(rows: Option<&Vec<Value>>) -> BTreeMap<String, usize> {
    let mut facts = BTreeMap::new();
    for row in rows.into_iter().flatten().filter(|row| text(row, "status") != "void") {
        let posted_at = &row["status_transitions"]["posted_at"];
        let fact = format!(
            "{} {} {} {} {} {posted_at}",
            row["amount"], row["currency"], row["description"], row["status"], row["transacted_at"]
        );
        *facts.entry(fact).or_default() += 1;
    }
    facts
}

fn title(text: &str) -> Result<(), OutputError> {
    say("")?;
    say(&pace::title(text))
}

fn came(object: &Value, remark: &str) -> Result<(), OutputError> {
    say(&format!("  {} {} {remark}", pace::received("←"), text(object, "id")))
}

/// Shows rows, newest first. If there are too many, changed rows take precedence over new ones, and
/// rare changes over common ones.
fn table(news: &[Change]) -> Result<(), OutputError> {
    let rarity = |news: &Change| match news.kind {
        ChangeKind::Voided | ChangeKind::Edited | ChangeKind::Revived => 0,
        ChangeKind::Posted => 1,
        ChangeKind::New | ChangeKind::Same => 2,
    };
    let when = |news: &Change| std::cmp::Reverse(news.row["transacted_at"].as_i64());
    let mut rows: Vec<&Change> = news.iter().collect();
    rows.sort_by_key(|news| (rarity(news), when(news)));
    rows.truncate(TABLE_ROWS);
    rows.sort_by_key(|news| when(news));
    say("      what     when           amount  status   description")?;
    for Change { kind, row } in &rows {
        let what = word(*kind);
        let cents = row["amount"].as_i64().unwrap_or_default();
        let sign = if cents < 0 { "-" } else { "" };
        let amount = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
        say(&format!(
            "      {} {:<10} {amount:>10}  {:<8} {}",
            pace::change(what),
            row["transacted_at"].as_i64().map(day).unwrap_or_default(),
            text(row, "status"),
            text(row, "description")
        ))?;
    }
    if news.len() > TABLE_ROWS {
        say(&format!("      … and {} more", news.len() - TABLE_ROWS))?;
    }
    Ok(())
}

/// The day of a time, as `2026-11-23`.
fn day(seconds: i64) -> String {
    let Date { year, month, day } = date_of(day_of_second(seconds));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A text field of a response.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn say(line: &str) -> Result<(), OutputError> {
    output::say(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The singular is used for one thing, and the plural for zero or many.
    #[test]
    fn counts_in_words() {
        assert_eq!(counted(1, "read"), "1 read");
        assert_eq!(counted(0, "read"), "0 reads");
        assert_eq!(counted(1, "refresh"), "1 refresh");
        assert_eq!(counted(2, "refresh"), "2 refreshes");
    }
}
