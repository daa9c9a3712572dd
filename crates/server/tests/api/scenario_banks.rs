//! Banks of scenarios that behave as real ones do: a client reads after each refresh only the rows of
//! later refreshes, loses none and receives none twice.

use crate::browser::{Browser, read};
use crate::scenarios::{SCENARIOS, advanced, form, linked};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{App, BEGIN_S, DAY_S, FC};

const PREVIEW: &str = "2026-10-14.preview";

/// A client's copy of the transactions of one account, by their ids.
pub(crate) struct Copied {
    account: String,
    /// The newest refresh whose rows the client has read.
    after: Option<String>,
    rows: BTreeMap<String, Value>,
}

impl Copied {
    pub(crate) fn of(account: &str) -> Self {
        Self { account: account.to_owned(), after: None, rows: BTreeMap::new() }
    }

    /// Refreshes the transactions and reads the rows of later refreshes than the last one. Returns
    /// the texts of these rows, oldest first.
    pub(crate) async fn follow(&mut self, app: &App) -> Vec<String> {
        let account = format!("{FC}/accounts/{}", self.account);
        app.post(&format!("{account}/refresh"), "features[]=transactions").await.ok();
        app.run_workers_until_idle().await;
        let shown = app.get(&account).await.ok();
        let later = match &self.after {
            Some(after) => format!("&transaction_refresh[after]={after}"),
            None => String::new(),
        };
        let list = format!("{FC}/transactions?account={}&limit=100{later}", self.account);
        let mut read = Vec::new();
        for row in app.get(&list).await.ok().items("/data").into_iter().rev() {
            read.push(line(&row));
            self.rows.insert(row["id"].as_str().unwrap().to_owned(), row);
        }
        if shown.text("/transaction_refresh/status") == "succeeded" {
            self.after = Some(shown.text("/transaction_refresh/id"));
        }
        self.agrees(app).await;
        read
    }

    /// Compares the rows that are not void with those of the bank's own ledger.
    async fn agrees(&self, app: &App) {
        let ledger = app.ledger(&self.account).await;
        let lines = |rows: Vec<Value>| {
            let shown = rows.iter().filter(|row| row["status"] != "void").map(line);
            let mut lines: Vec<String> = shown.collect();
            lines.sort_unstable();
            lines
        };
        let copied = self.rows.values().cloned().collect();
        assert_eq!(lines(copied), lines(ledger));
    }
}

/// A row's status, amount, text and the day of its date.
fn line(row: &Value) -> String {
    let day = (row["transacted_at"].as_i64().unwrap() - BEGIN_S).div_euclid(DAY_S);
    let word = |key: &str| row[key].as_str().unwrap().to_owned();
    let (status, currency, text) = (word("status"), word("currency"), word("description"));
    format!("{status} {} {currency} {text} on {day}", row["amount"])
}

/// A file with one bank.
fn bank(keys: &str, accounts: &str) -> String {
    format!("name = \"Bank\"\n[[institutions]]\nname = \"Bank\"\n{keys}\n{accounts}")
}

/// Follows the first account of a file on these days after the link, and returns the rows that each
/// refresh brought.
async fn followed(text: &str, days: &[i64]) -> String {
    let app = App::start().await;
    app.post(SCENARIOS, &form(text)).await.ok();
    let (clock, account) = linked(&app, &app, "Bank").await;
    let mut copy = Copied::of(&account);
    let mut brought = Vec::new();
    for day in days {
        if *day > 0 {
            advanced(&app, &app, &clock, *day).await;
        }
        brought.push(format!("{day}: {}", copy.follow(&app).await.join("; ")));
    }
    brought.join("\n")
}

/// A refresh that succeeds leaves rows out, and a later one brings them with their old dates, at a
/// bank that returns changes and at one that returns its whole window. Other rows come weeks late.
#[tokio::test]
async fn rows_come_late() {
    for keys in ["", "snapshots = true"] {
        let text = bank(
            keys,
            r#"[[accounts]]
            name = "Checking"
            history_days = 10
            timeline = [
              { day = -9, appears = "rent", amount = "-90.00", description = "RENT" },
              { day = -8, amount = "-8.00", description = "BOOK" },
              { day = 0, omits = "rent", lasts = "3d" },
              { day = 1, appears = "tea", amount = "-3.00", description = "TEA", pending = true },
              { day = 2, omits = "tea", lasts = "2d" },
              { day = 3, posts = "tea", amount = "-3.50" },
              { day = 30, amount = "-7.00", description = "FERRY", dated = 5 },
              { day = 31, amount = "-6.00", description = "OLD FERRY", dated = -300 },
            ]"#,
        );
        let brought = followed(&text, &[0, 1, 2, 3, 4, 29, 30, 31, 32]).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(brought, @"
            0: posted -800 usd BOOK on -8
            1: pending -300 usd TEA on 1
            2: void -300 usd TEA on 1
            3: posted -9000 usd RENT on -9
            4: posted -350 usd TEA on 1
            29: 
            30: posted -700 usd FERRY on 5
            31: posted -600 usd OLD FERRY on -300
            32:
            ");
        }
    }
}

/// Rows post at the start of the next banking day. Days 0, 2 and 3 are New Year's Day and a weekend.
#[tokio::test]
async fn rows_post_on_banking_days() {
    let text = bank(
        "banking_days = true\ncut_off = \"17:00\"",
        r#"[[accounts]]
        name = "Checking"
        history_days = 0
        timeline = [
          { day = 0, amount = "-1.00", description = "HOLIDAY" },
          { day = 1, time = "09:00", amount = "-2.00", description = "FRIDAY" },
          { day = 1, time = "17:00", amount = "-3.00", description = "AFTER CUT-OFF" },
          { day = 2, appears = "tea", amount = "-4.00", description = "TEA", pending = true },
          { day = 3, posts = "tea", amount = "-4.50" },
        ]"#,
    );
    insta::assert_snapshot!(followed(&text, &[0, 1, 2, 3, 4]).await, @"
    0: pending -100 usd HOLIDAY on 0
    1: posted -100 usd HOLIDAY on 0
    2: posted -200 usd FRIDAY on 1; pending -300 usd AFTER CUT-OFF on 1; pending -400 usd TEA on 2
    3: 
    4: posted -300 usd AFTER CUT-OFF on 1; posted -450 usd TEA on 2
    ");
}

/// One account of a login fails while the other one works. Both keep the authorization, which stays
/// active, and the client misses no row of either.
#[tokio::test]
async fn one_account_of_a_login_is_broken() {
    let app = App::start().await;
    let text = bank(
        "login_lasts = \"35d\"",
        r#"[[accounts]]
        name = "Checking"
        history_days = 0
        timeline = [
          { day = 1, amount = "-1.00", description = "TEA" },
          { day = 3, amount = "-2.00", description = "BOOK" },
        ]
        [[accounts]]
        name = "Savings"
        kind = "savings"
        history_days = 0
        timeline = [
          { day = 1, amount = "5.00", description = "INTEREST" },
          { day = 1, refresh_fails = "account_unavailable", feature = "ownership", lasts = "1h" },
          { day = 2, refresh_fails = "institution_error", lasts = "2d" },
          { day = 3, amount = "6.00", description = "BONUS" },
          { day = 4, time = "12:00", access_ends = "account_unavailable" },
        ]"#,
    );
    app.post(SCENARIOS, &form(&text)).await.ok();
    let (customer, clock) = app.customer_on_clock().await;
    let session = app.session(&customer, "").await;
    let both = "institution=Bank&accounts[]=Checking&accounts[]=Savings";
    let mut copies = BTreeMap::new();
    for account in app.link(&session, both).await.items("/accounts/data") {
        let (name, id) =
            (account["display_name"].as_str().unwrap(), account["id"].as_str().unwrap());
        copies.insert(name.to_owned(), Copied::of(id));
    }
    let mut seen = Vec::new();
    for day in [0, 1, 2, 3, 4] {
        if day > 0 {
            advanced(&app, &app, &clock, day).await;
        }
        for (name, copy) in &mut copies {
            let account = format!("{FC}/accounts/{}", copy.account);
            if [2, 3].contains(&day) && name == "Savings" {
                app.post(&format!("{account}/refresh"), "features[]=transactions").await.ok();
                app.run_workers_until_idle().await;
            } else {
                seen.push(format!("{day}: {name} brings {}", copy.follow(&app).await.join("; ")));
            }
            let shown = app.get(&account).await.ok();
            let refresh = shown.text("/transaction_refresh/status");
            seen.push(format!("{day}: {name} {} {refresh}", shown.text("/status")));
        }
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    0: Checking brings 
    0: Checking active succeeded
    0: Savings brings 
    0: Savings active succeeded
    1: Checking brings posted -100 usd TEA on 1
    1: Checking active succeeded
    1: Savings brings posted 500 usd INTEREST on 1
    1: Savings active succeeded
    2: Checking brings 
    2: Checking active succeeded
    2: Savings active failed
    3: Checking brings posted -200 usd BOOK on 3
    3: Checking active succeeded
    3: Savings active failed
    4: Checking brings 
    4: Checking active succeeded
    4: Savings brings posted 600 usd BONUS on 3
    4: Savings active succeeded
    ");
    advanced(&app, &app, &clock, 5).await;
    let preview = app.in_version(PREVIEW);
    let mut shown = Vec::new();
    for (name, copy) in &copies {
        let account = preview.get(&format!("{FC}/accounts/{}", copy.account)).await.ok();
        shown.push((name.clone(), account.text("/status"), account.text("/authorization")));
    }
    let (checking, savings) = (&shown[0], &shown[1]);
    assert_eq!((checking.1.as_str(), savings.1.as_str()), ("active", "inactive"));
    assert_eq!(checking.2, savings.2, "both have one authorization");
    let upcoming = "type=financial_connections.authorization.upcoming_deactivation";
    let events = app.get(&format!("/v1/events?{upcoming}")).await.ok();
    assert_eq!(events.at("/data/0/data/object/status"), "active");
    assert_eq!(events.at("/data/0/data/object/id"), json!(checking.2));
}

/// The bank asks its question at each login: on the pages, in the helper, and when the login has
/// ended and is renewed. The copy continues where it was.
#[tokio::test]
async fn a_question_at_every_login() {
    let app = App::start().await;
    let text = bank(
        "challenge = \"security_question\"\nlogin_lasts = \"3d\"",
        r#"[[accounts]]
        name = "Checking"
        history_days = 0
        timeline = [
          { day = 1, amount = "-1.00", description = "TEA" },
          { day = 4, amount = "-2.00", description = "BOOK" },
        ]"#,
    );
    app.post(SCENARIOS, &form(&text)).await.ok();
    let (customer, clock) = app.customer_on_clock().await;
    let session = app.session(&customer, "").await;
    let browser = Browser::open(&app, &session).await;
    let question = browser.accounts_of(&app, "Bank").await;
    assert!(read(&question).contains("first pet"), "{}", read(&question));
    let refused = browser.step("login", "bank_answer=incorrect").await;
    assert!(read(&refused).contains("We couldn't sign you in"), "{}", read(&refused));
    let accounts = browser.step("login", "bank_answer=Rex").await;
    assert!(read(&accounts).contains("Choose accounts"), "{}", read(&accounts));
    browser.step("accounts", "account=0").await;
    let list = format!("{FC}/accounts?account_holder[customer]={customer}");
    let linked = app.get(&list).await.ok();
    let account = linked.text("/data/0/id");
    let mut copy = Copied::of(&account);
    copy.follow(&app).await;
    advanced(&app, &app, &clock, 1).await;
    assert_eq!(copy.follow(&app).await, ["posted -100 usd TEA on 1"]);
    advanced(&app, &app, &clock, 4).await;
    let preview = app.in_version(PREVIEW);
    let before = preview.get(&format!("{FC}/accounts/{account}")).await.ok();
    let details =
        json!({"inactive": {"action": "relink_required", "cause": "institution_requirement"}});
    assert_eq!(before.at("/status_details"), details);

    let relink = format!(
        "permissions[]=transactions&relink_options[authorization]={}",
        before.text("/authorization")
    );
    let session = preview.post(&format!("{FC}/sessions"), &relink).await.ok();
    let ended = preview.link_carrier(&session.id(), "").await.ok();
    assert_eq!(ended.at("/status"), "succeeded");
    assert_eq!(copy.follow(&app).await, ["posted -200 usd BOOK on 4"]);
}

/// An account with several currencies shows a balance for each, and an investment account has
/// Stripe's category, cannot pay, and has transactions.
#[tokio::test]
async fn currencies_and_investments() {
    let app = App::start().await;
    let text = bank(
        "",
        r#"[[accounts]]
        name = "Brokerage"
        kind = "investment"
        currency = "gbp"
        balance = "5000.00"
        available = "1200.00"
        balances = [{ currency = "eur", balance = "20.00", available = "25.00" }]
        history_days = 0
        timeline = [
          { day = 1, amount = "-300.00", description = "BUY INDEX FUND" },
          { day = 1, amount = "4.20", currency = "eur", description = "DIVIDEND" },
          { day = 2, balance = "900", available = "800", currency = "jpy" },
        ]"#,
    );
    app.post(SCENARIOS, &form(&text)).await.ok();
    let (clock, account) = linked(&app, &app, "Bank").await;
    let mut copy = Copied::of(&account);
    copy.follow(&app).await;
    advanced(&app, &app, &clock, 1).await;
    let mut rows = copy.follow(&app).await;
    rows.sort_unstable();
    assert_eq!(rows, ["posted -30000 gbp BUY INDEX FUND on 1", "posted 420 eur DIVIDEND on 1"]);
    advanced(&app, &app, &clock, 2).await;
    app.post(&format!("{FC}/accounts/{account}/refresh"), "features[]=balance").await.ok();
    app.run_workers_until_idle().await;
    let shown = app.get(&format!("{FC}/accounts/{account}")).await.ok();
    let kind = ["/category", "/subcategory"].map(|key| shown.text(key));
    assert_eq!(kind, ["investment", "other"]);
    assert_eq!(shown.at("/supported_payment_method_types"), json!([]));
    assert_eq!(shown.at("/balance/type"), "cash");
    let current = json!({"gbp": 470_000, "eur": 2_420, "jpy": 900});
    let available = json!({"gbp": 90_000, "eur": 2_920, "jpy": 800});
    assert_eq!(shown.at("/balance/current"), current);
    assert_eq!(shown.at("/balance/cash/available"), available);
}
