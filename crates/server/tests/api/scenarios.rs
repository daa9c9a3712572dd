//! Scenarios: bank timelines as data, replayed by moving a test clock.

use serde_json::Value;
use testkit::{App, BEGIN_S, Client, DAY_S, FC};

pub(crate) const SCENARIOS: &str = "/v1/test_helpers/financial_connections/scenarios";
const INSTITUTIONS: &str = "/v1/test_helpers/financial_connections/institutions";
const CLOCKS: &str = "/v1/test_helpers/test_clocks";

/// A week with the course of the first paragraph of the documentation.
const TIP: &str = r#"
name = "Tip Bank"

[[accounts]]
name = "Checking"
balance = "100.00"
history_days = 0
timeline = [
  { day = 0, appears = "lunch", amount = "-12.00", description = "LUNCH", pending = true },
  { day = 2, posts = "lunch", amount = "-14.40" },
  { day = 2, appears = "hold", amount = "-1.00", description = "FUEL", pending = true },
  { day = 3, vanishes = "hold" },
  { day = 5, appears = "late", amount = "-30.00", description = "LATE", dated = 1 },
  { day = 6, renumbers = true },
  { day = 7, refresh_fails = "institution_timeout" },
  { day = 8, access_ends = "institution_requirement" },
]
"#;

/// A form with the text of a file.
pub(crate) fn form(text: &str) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("scenario", text).finish()
}

/// Creates a customer on its own clock, with an account of this bank. Returns clock and account.
pub(crate) async fn linked(app: &App, client: &Client, bank: &str) -> (String, String) {
    let clock = client.post(CLOCKS, &format!("frozen_time={BEGIN_S}")).await.ok().id();
    let form = format!("email=ada@example.com&test_clock={clock}");
    let customer = client.post("/v1/customers", &form).await.ok().id();
    let session = client.session(&customer, "prefetch[]=transactions").await;
    let bank = bank.replace(' ', "+");
    let linked = client.link(&session, &format!("institution={bank}")).await;
    app.run_workers_until_idle().await;
    (clock, linked.text("/accounts/data/0/id"))
}

/// Moves a clock to a day after the link.
pub(crate) async fn advanced(app: &App, client: &Client, clock: &str, day: i64) {
    let at = format!("frozen_time={}", BEGIN_S + day * DAY_S);
    client.post(&format!("{CLOCKS}/{clock}/advance"), &at).await.ok();
    app.run_workers_until_idle().await;
}

/// Moves a clock to a day after the link and refreshes the transactions then.
async fn refreshed(app: &App, client: &Client, clock: &str, account: &str, day: i64) {
    advanced(app, client, clock, day).await;
    client.post(&format!("{FC}/accounts/{account}/refresh"), "features[]=transactions").await;
    app.run_workers_until_idle().await;
}

/// The client's view of an account: its status, its newest refresh, its transactions.
async fn seen(client: &Client, account: &str) -> String {
    let shown = client.get(&format!("{FC}/accounts/{account}")).await.ok();
    let list = format!("{FC}/transactions?account={account}&limit=100");
    let rows = client.get(&list).await.ok().items("/data").into_iter().map(|row| {
        let day = (row["transacted_at"].as_i64().unwrap() - BEGIN_S).div_euclid(DAY_S);
        let word = |key: &str| row[key].as_str().unwrap().to_owned();
        format!("{} {} {} on {day}", word("status"), row["amount"], word("description"))
    });
    format!(
        "{} {}\n    {}",
        shown.text("/status"),
        shown.text("/transaction_refresh/status"),
        rows.collect::<Vec<_>>().join("\n    ")
    )
}

/// The client's view on each day matches the file's description of that day.
#[tokio::test]
async fn a_timeline_is_walked_by_a_clock() {
    let app = App::start().await;
    app.post(SCENARIOS, &form(TIP)).await.ok();
    let (clock, account) = linked(&app, &app, "Tip Bank").await;
    let mut days = vec![format!("0: {}", seen(&app, &account).await)];
    for day in [1, 2, 3, 5, 6, 7, 8] {
        refreshed(&app, &app, &clock, &account, day).await;
        days.push(format!("{day}: {}", seen(&app, &account).await));
    }
    insta::assert_snapshot!(days.join("\n"), @"
    0: active succeeded
        pending -1200 LUNCH on 0
    1: active succeeded
        pending -1200 LUNCH on 0
    2: active succeeded
        pending -100 FUEL on 2
        posted -1440 LUNCH on 0
    3: active succeeded
        void -100 FUEL on 2
        posted -1440 LUNCH on 0
    5: active succeeded
        void -100 FUEL on 2
        posted -3000 LATE on 1
        posted -1440 LUNCH on 0
    6: active succeeded
        void -100 FUEL on 2
        posted -3000 LATE on 1
        void -3000 LATE on 1
        posted -1440 LUNCH on 0
        void -1440 LUNCH on 0
    7: active failed
        void -100 FUEL on 2
        posted -3000 LATE on 1
        void -3000 LATE on 1
        posted -1440 LUNCH on 0
        void -1440 LUNCH on 0
    8: inactive failed
        void -100 FUEL on 2
        posted -3000 LATE on 1
        void -3000 LATE on 1
        posted -1440 LUNCH on 0
        void -1440 LUNCH on 0
    ");
}

/// The ledger call and the refreshed balance have each currency alone. The balance of the file is in
/// the account's own currency, by `docs/scenarios.md`.
#[tokio::test]
async fn balances_are_per_currency() {
    let app = App::start().await;
    let text = "name = \"Two\"\n[[accounts]]\nname = \"Checking\"\nbalance = \"100.00\"\n\
                history_days = 0\ntimeline = [\n\
                { day = -3, amount = \"-7.00\", currency = \"eur\", description = \"PARIS\" },\n\
                { day = -2, amount = \"-5.00\", description = \"OHIO\" },\n]";
    app.post(SCENARIOS, &form(text)).await.ok();
    let (_, account) = linked(&app, &app, "Two").await;
    app.post(&format!("{FC}/accounts/{account}/refresh"), "features[]=balance").await.ok();
    app.run_workers_until_idle().await;
    let ledger = format!("/v1/test_helpers/financial_connections/accounts/{account}/ledger");
    let expected = serde_json::json!({"eur": -700, "usd": 10_000});
    assert_eq!(app.get(&ledger).await.ok().at("/balance/current"), expected);
    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    assert_eq!(shown.at("/balance/current"), expected);
}

/// A scenario after its creation, in a list and after its deletion. It belongs to one merchant
/// only.
#[tokio::test]
async fn scenarios_are_kept_for_their_merchant() {
    let app = App::start().await;
    let made = app.post(SCENARIOS, &form("name = \"Plain\"\n[[accounts]]\nname = \"A\"")).await;
    let id = made.ok().id();
    let path = format!("{SCENARIOS}/{id}");
    insta::assert_snapshot!(app.get(&path).await.shown(), @r#"
    200
    {
      created: 1767225600
      description: ""
      id: "scn_…"
      institutions: [{ accounts: ["A"], id: "fcinst_…", name: "Plain" }]
      livemode: false
      name: "Plain"
      object: "bankfeed.scenario"
      scenario: "name = \"Plain\"\n[[accounts]]\nname = \"A\""
    }
    "#);
    let listed = app.get(SCENARIOS).await.ok();
    assert_eq!((listed.items("/data").len(), listed.at("/data/0/scenario")), (1, ().into()));
    let bank =
        |reply: testkit::Response| reply.items("/data").iter().any(|bank| bank["name"] == "Plain");
    assert!(bank(app.get(INSTITUTIONS).await.ok()));
    let other = app.with_key("sk_test_other");
    assert!(!bank(other.get(INSTITUTIONS).await.ok()));
    assert_eq!(other.get(&path).await.status, 404);
    insta::assert_snapshot!(app.delete(&path).await.shown(), @r#"
    200
    { deleted: true, id: "scn_…", object: "bankfeed.scenario" }
    "#);
    assert!(!bank(app.get(INSTITUTIONS).await.ok()));
    assert_eq!(app.get(&path).await.status, 404);
}

/// An account keeps working after the deletion of its scenario.
#[tokio::test]
async fn an_account_outlives_its_scenario() {
    let app = App::start().await;
    let id = app.post(SCENARIOS, &form(TIP)).await.ok().id();
    let (clock, account) = linked(&app, &app, "Tip Bank").await;
    app.delete(&format!("{SCENARIOS}/{id}")).await.ok();
    refreshed(&app, &app, &clock, &account, 2).await;
    let seen = seen(&app, &account).await;
    assert!(seen.contains("posted -1440 LUNCH on 0"), "{seen}");
}

/// Every ready scenario is found by its name, and its first bank links by the scenario's name.
#[tokio::test]
async fn ready_scenarios_link() {
    let app = App::start().await;
    let mut told = Vec::new();
    for name in connectors::sandbox::scenario::ready::names() {
        let made = app.post(SCENARIOS, &format!("name={name}")).await.ok();
        let session = app.session(&app.customer().await, "").await;
        let bank = made.text("/name").replace(' ', "+");
        let linked = app.link(&session, &format!("institution={bank}")).await;
        let account = linked.text("/accounts/data/0/display_name");
        told.push(format!("{name}: {} / {account}", made.text("/name")));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    steady-income: Steady Income / Everyday Checking
    gig-worker: Gig Worker / Spending Account
    overdrawn: Overdrawn / Checking
    fraud-pattern: Fraud Pattern / Checking
    closed-account: Closed Account / Closing Checking
    slow-bank: Slow Bank / Patience Checking
    flaky-bank: Flaky Bank / Flaky Checking
    busy-business: Busy Business / Operating Account
    ");
}

/// A test's changes to an account and the outcomes of its refreshes are exported and replayed under
/// another key. On each day a client of the replay has the same view as a client of the account.
#[tokio::test]
async fn an_export_is_replayed_under_another_key() {
    let app = App::start().await;
    let (clock, account) = linked(&app, &app, "Test (OAuth)").await;
    let bank = format!("/v1/test_helpers/financial_connections/accounts/{account}");
    let coffee = "amount=-450&description=COFFEE%0A\"TO GO\"&status=pending";
    let coffee = app.post(&format!("{bank}/transactions"), coffee).await.ok().id();
    let days = [1, 2, 3, 4, 5];
    let mut seen_first = vec![seen(&app, &account).await];
    for day in days {
        advanced(&app, &app, &clock, day).await;
        match day {
            2 => {
                let change = format!("{bank}/transactions/{coffee}");
                app.post(&change, "status=posted&amount=-500").await.ok();
            }
            3 => {
                app.post(&format!("{bank}/next_refresh"), "cause=institution_timeout").await.ok();
            }
            5 => {
                app.post(&format!("{bank}/next_refresh"), "cause=login_required").await.ok();
            }
            _ => {}
        }
        app.post(&format!("{FC}/accounts/{account}/refresh"), "features[]=transactions").await;
        app.run_workers_until_idle().await;
        seen_first.push(seen(&app, &account).await);
    }
    let export = app.get(&format!("{bank}/scenario")).await.ok();
    assert_eq!(export.text("/object"), "bankfeed.scenario_export");
    let text = export.text("/scenario");
    let odd = text.lines().filter(|line| line.contains("refresh") || line.contains("TO GO"));
    insta::assert_snapshot!(odd.collect::<Vec<_>>().join("\n"), @r#"
    { day = 0, appears = "t315", amount = "-4.50", description = "COFFEE\u000A\"TO GO\"", pending = true },
    { refresh = 4, feature = "transactions", refresh_fails = "institution_timeout" },
    { refresh = 6, feature = "transactions", refresh_fails = "login_required" },
    "#);

    let other = app.with_key("sk_test_other");
    other.post(SCENARIOS, &form(&text)).await.ok();
    let (clock, account) = linked(&app, &other, "Replay of Test (OAuth)").await;
    let mut seen_again = vec![seen(&other, &account).await];
    for day in days {
        refreshed(&app, &other, &clock, &account, day).await;
        seen_again.push(seen(&other, &account).await);
    }
    // The first refresh of the account came before the coffee, in the same second. The refresh of
    // the replay came with it.
    assert_eq!(seen_first[1..], seen_again[1..]);
    assert!(seen_again[5].starts_with("inactive failed"), "{}", seen_again[5]);
}

/// A first refresh reads at most 180 days of a ledger of ten years. The ledger call shows exactly the
/// rows that the client has, also after later refreshes.
#[tokio::test]
async fn a_first_refresh_reads_half_a_year() {
    let app = App::start().await;
    app.post(SCENARIOS, "name=busy-business").await.ok();
    let (clock, account) = linked(&app, &app, "Busy Business").await;
    for day in [0, 40] {
        if day > 0 {
            refreshed(&app, &app, &clock, &account, day).await;
        }
        let ledger = app.ledger(&account).await;
        let at_bank = shown_at(&ledger);
        let oldest = (at_bank[0] - BEGIN_S) / DAY_S;
        assert!((-180..=-178).contains(&oldest), "the oldest row is of day {oldest}");
        assert_eq!(shown_at(&every_row(&app, &account).await), at_bank);
    }
}

/// The times of the rows that are not void, oldest first.
fn shown_at(rows: &[Value]) -> Vec<i64> {
    let shown = rows.iter().filter(|row| row["status"] != "void");
    let mut times: Vec<i64> = shown.map(|row| row["transacted_at"].as_i64().unwrap()).collect();
    times.sort_unstable();
    times
}

/// Every row of an account, page by page.
async fn every_row(app: &App, account: &str) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    for _ in 0..100 {
        let after =
            rows.last().map(|row| format!("&starting_after={}", row["id"].as_str().unwrap()));
        let after = after.unwrap_or_default();
        let path = format!("{FC}/transactions?account={account}&limit=100{after}");
        let page = app.get(&path).await.ok();
        rows.extend(page.items("/data"));
        if page.at("/has_more") == false {
            break;
        }
    }
    rows
}

/// Every error of the calls about scenarios.
#[tokio::test]
async fn refuses() {
    let app = App::start().await;
    let path = |id: &str| format!("{SCENARIOS}/{id}");
    let busy = app.post(SCENARIOS, "name=busy-business").await.ok().id();
    let (_, account) = linked(&app, &app, "Busy Business").await;
    app.delete(&path(&busy)).await.ok();
    let busy = format!("/v1/test_helpers/financial_connections/accounts/{account}");
    insta::assert_snapshot!(app.api_errors(&[
        ("POST", SCENARIOS, ""),
        ("POST", SCENARIOS, "name=overdrawn&scenario=name"),
        ("POST", SCENARIOS, "name=nothing"),
        ("POST", SCENARIOS, &form("name = \"One\"\n[[accounts]]\nname = \"A\"\nblance = 1")),
        ("GET", &path("scn_1"), ""),
        ("DELETE", &path("scn_1"), ""),
        ("GET", &format!("{SCENARIOS}?starting_after=scn_1"), ""),
        ("GET", "/v1/test_helpers/financial_connections/accounts/fca_1/scenario", ""),
        ("GET", &format!("{busy}/scenario"), ""),
    ]).await, @"
    POST HELPERS/scenarios
        400 parameter_missing scenario: Missing required parameter: scenario.
    POST HELPERS/scenarios name=overdrawn&scenario=name
        400 parameters_exclusive scenario: You may give only one of these parameters: scenario,
          name.
    POST HELPERS/scenarios name=nothing
        400 - name: No ready scenario is called 'nothing'; there are: steady-income, gig-worker,
          overdrawn, fraud-pattern, closed-account, slow-bank, flaky-bank, busy-business.
    POST HELPERS/scenarios
      scenario=name+%3D+%22One%22%0A%5B%5Baccounts%5D%5D%0Aname+%3D+%22A%22%0Ablance+%3D+1
        400 - scenario: The scenario cannot be read: line 4: accounts.blance: no such key; here are:
          available, balance, balances, category, currency, description, history_days, institution,
          kind, last4, name, overdraft, owners, payable, stretches, timeline, window_days.
    GET HELPERS/scenarios/scn_1
    DELETE HELPERS/scenarios/scn_1
        404 resource_missing id: No such scenario: 'scn_1'
    GET HELPERS/scenarios?starting_after=scn_1
        400 resource_missing starting_after: No such scenario: 'scn_1'
    GET HELPERS/accounts/fca_1/scenario
        404 resource_missing account: No such Financial Connections account: 'fca_1'
    GET HELPERS/accounts/fca_…/scenario
        400: The account cannot be exported: its history does not fit into a scenario: line 1: a
          scenario has at most 262144 bytes.
    ");
    for _ in 0..20 {
        app.post(SCENARIOS, "name=overdrawn").await.ok();
    }
    let full = app.api_errors(&[("POST", SCENARIOS, "name=overdrawn")]).await;
    insta::assert_snapshot!(full, @"
    POST HELPERS/scenarios name=overdrawn
        400: Limit reached: at most 20 scenarios. Delete one first.
    ");
    let live = app.live().api_errors(&[("GET", SCENARIOS, "")]).await;
    insta::assert_snapshot!(live, @"
    GET HELPERS/scenarios
        400: This call works in test mode only. Use a test key (sk_test_…).
    ");
}

/// Facts that were true from the link on are exported too: a lost access, and a bank with a page of
/// its own.
#[tokio::test]
async fn an_export_begins_with_the_link() {
    const LOST: &str = r#"
name = "Lost Bank"
[[institutions]]
name = "Lost Bank"
login = "bank_page"
[[accounts]]
name = "Checking"
history_days = 0
timeline = [{ day = 0, access_ends = "access_denied" }]
"#;
    let app = App::start().await;
    app.post(SCENARIOS, &form(LOST)).await.ok();
    let (_, account) = linked(&app, &app, "Lost Bank").await;
    let bank = format!("/v1/test_helpers/financial_connections/accounts/{account}");
    let text = app.get(&format!("{bank}/scenario")).await.ok().text("/scenario");
    let kept = text.lines().filter(|line| line.contains("login") || line.contains("access"));
    insta::assert_snapshot!(kept.collect::<Vec<_>>().join("\n"), @r#"
    login = "bank_page"
      { day = 0, access_ends = "access_denied" },
    "#);
    app.post(SCENARIOS, &form(&text)).await.ok();
    let (_, again) = linked(&app, &app, "Replay of Lost Bank").await;
    for account in [account, again] {
        let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
        assert_eq!(shown.text("/status"), "inactive");
    }
    let oauth = app.get(INSTITUTIONS).await.ok().items("/data").into_iter();
    let replays = oauth.filter(|bank| bank["name"].as_str().unwrap().ends_with("Lost Bank"));
    let pages = replays.map(|bank| bank["oauth"].clone()).collect::<Vec<_>>();
    assert_eq!(pages, [true, true]);
}
