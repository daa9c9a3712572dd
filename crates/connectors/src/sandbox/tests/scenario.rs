//! Scenarios: the bank follows the file, and an error in a file names its position.

use super::*;
use crate::interface::{FetchError, Records};
use model::account::{InactiveCause, StatusAction};
use model::bank::BankStatus;
use model::clock::DAY_S;
use model::limits::LEDGER_PAGE_ROWS_MAX;
use model::money::Currency;
use model::refresh::RefreshCause;
use model::transaction::TransactionStatus;
use proptest::prelude::*;

/// A file with one account and these keys of it.
pub(super) fn one_account(keys: &str) -> String {
    format!("name = \"One\"\n[[accounts]]\nname = \"Checking\"\n{keys}\n")
}

pub(super) fn linked(text: &str) -> Example {
    let scenario = Arc::new(Scenario::read(text).unwrap());
    let bank = scenario.banks()[0].name.clone();
    let account = scenario.banks()[0].accounts[0].name.clone();
    Example::at(Sandbox::new(1).with_scenarios([scenario]), &bank, &account, "jenny")
}

/// The ledger at the end of a day after the link: id, status, amount, text, day of the date.
pub(super) fn ledger(example: &Example, day: i64) -> Vec<String> {
    let now = LINKED.plus(day * DAY_S);
    let entries = example.control().ledger_entries(&example.account(), now).unwrap();
    let line = |entry: &LedgerEntry| {
        let dated = (entry.transaction.transacted_at.0 - LINKED.0).div_euclid(DAY_S);
        let status = match entry.status() {
            TransactionStatus::Pending => "pending",
            TransactionStatus::Posted => "posted",
            TransactionStatus::Void => "gone",
        };
        format!(
            "{} {status} {} {} day {dated}",
            entry.transaction.bank_id, entry.transaction.amount, entry.transaction.description
        )
    };
    entries.iter().map(line).collect()
}

/// Every kind of fact about transactions counts from its day.
#[test]
fn facts_hold_from_their_day() {
    let example = linked(&one_account(
        r#"balance = "100.00"
        history_days = 0
        timeline = [
          { day = -2, appears = "old", amount = "-5.00", description = "OLD" },
          { day = 0, appears = "lunch", amount = "-12.00", description = "LUNCH", pending = true },
          { day = 2, posts = "lunch", amount = "-14.40" },
          { day = 3, vanishes = "old" },
          { day = 5, amount = "-3.00", description = "LATE", dated = 1 },
          { day = 6, renumbers = true },
        ]"#,
    ));
    let days =
        [-1, 0, 2, 3, 5, 6].map(|day| format!("{day}: {}", ledger(&example, day).join("; ")));
    insta::assert_snapshot!(days.join("\n"), @"
    -1: old posted -500 OLD day -2
    0: old posted -500 OLD day -2; lunch pending -1200 LUNCH day 0
    2: old posted -500 OLD day -2; lunch posted -1440 LUNCH day 0
    3: old gone -500 OLD day -2; lunch posted -1440 LUNCH day 0
    5: old gone -500 OLD day -2; lunch posted -1440 LUNCH day 0; fact-5 posted -300 LATE day 1
    6: r1.old gone -500 OLD day -2; r1.lunch posted -1440 LUNCH day 0; r1.fact-5 posted -300 LATE day 1
    ");
    let balance = |day: i64| {
        let now = LINKED.plus(day * DAY_S);
        let balance = example.control().ledger_balance(&example.account(), now).unwrap();
        let usd = |sums: &std::collections::BTreeMap<Currency, i64>| sums[&Currency::USD];
        (usd(&balance.current), usd(&balance.available_or_used.unwrap()))
    };
    // The 100.00 at the link include OLD. LUNCH is pending, then posted. OLD is given back. LATE
    // posts.
    assert_eq!(
        [balance(0), balance(2), balance(3), balance(5)],
        [(10_000, 8_800), (8_560, 8_560), (9_060, 9_060), (8_760, 8_760),]
    );
}

/// The balances of an account in each currency at the end of a day after the link.
pub(super) fn balances(example: &Example, day: i64) -> String {
    let now = LINKED.plus(day * DAY_S);
    let balance = example.control().ledger_balance(&example.account(), now).unwrap();
    format!("{:?} {:?}", balance.current, balance.available_or_used.unwrap())
}

/// An account with postings in two currencies before the link.
pub(super) const TWO_CURRENCIES: &str = r#"balance = "100.00"
    history_days = 0
    timeline = [
      { day = -3, appears = "euro", amount = "-7.00", currency = "eur", description = "PARIS" },
      { day = -2, appears = "own", amount = "-5.00", description = "OHIO" },
      { day = 1, appears = "later", amount = "-2.00", currency = "eur", description = "LYON" },
    ]"#;

/// The balance at the link contains the earlier postings in the account's own currency only. Postings
/// in another currency count there alone, from zero. This is our decision, by the meaning of `balance`
/// in `docs/scenarios.md`. JSON files are read in the same way.
#[test]
fn opening_balances_are_per_currency() {
    let json = r#"{"name": "One", "accounts": [{"name": "Checking", "balance": "100.00",
        "history_days": 0, "timeline": [
        {"day": -3, "appears": "euro", "amount": "-7.00", "currency": "eur", "description": "PARIS"},
        {"day": -2, "appears": "own", "amount": "-5.00", "description": "OHIO"},
        {"day": 1, "appears": "later", "amount": "-2.00", "currency": "eur", "description": "LYON"}
        ]}]}"#;
    let days = |text: &str| {
        let example = linked(text);
        [-4, -3, -2, 0, 1].map(|day| format!("{day}: {}", balances(&example, day))).join("\n")
    };
    let seen = days(&one_account(TWO_CURRENCIES));
    assert_eq!(days(json), seen);
    insta::assert_snapshot!(seen, @"
    -4: {usd: 10500} {usd: 10500}
    -3: {eur: -700, usd: 10500} {eur: -700, usd: 10500}
    -2: {eur: -700, usd: 10000} {eur: -700, usd: 10000}
    0: {eur: -700, usd: 10000} {eur: -700, usd: 10000}
    1: {eur: -900, usd: 10000} {eur: -900, usd: 10000}
    ");
}

/// Refreshes fail during the time that the file names, or at their number. Others succeed.
#[test]
fn refreshes_follow_the_file() {
    let mut example = linked(&one_account(
        r#"timeline = [
          { day = 7, refresh_fails = "institution_timeout", feature = "transactions" },
          { day = 9, refresh_fails = "institution_unavailable", lasts = "36h" },
          { day = 20, refresh_takes = "2h" },
          { refresh = 9, feature = "balance", refresh_fails = "institution_error" },
        ]"#,
    ));
    let mut ends = |feature, sequence, day: i64, hours: i64| {
        let now = LINKED.plus(day * DAY_S + hours * 3_600);
        example.fetch(feature, sequence, now).result.err()
    };
    let broken = |cause| Some(FetchError::Broken { cause });
    let timeout = broken(RefreshCause::InstitutionTimeout);
    let unavailable = broken(RefreshCause::InstitutionUnavailable);
    assert_eq!(ends(Feature::Transactions, 1, 6, 23), None);
    assert_eq!(ends(Feature::Transactions, 2, 7, 0), timeout);
    assert_eq!(ends(Feature::Balance, 1, 7, 0), None);
    assert_eq!(ends(Feature::Transactions, 3, 8, 0), None);
    assert_eq!(ends(Feature::Balance, 2, 10, 11), unavailable);
    assert_eq!(ends(Feature::Balance, 3, 10, 12), None);
    assert_eq!(ends(Feature::Balance, 9, 15, 0), broken(RefreshCause::InstitutionError));
    let started = LINKED.plus(20 * DAY_S);
    let at = started.plus(2 * 3_600);
    let cause = RefreshCause::InstitutionTimeout;
    let slow = |example: &mut Example, now| {
        example.fetch_from(Feature::Balance, 10, started, now, None).result.err()
    };
    assert_eq!(slow(&mut example, started), Some(FetchError::RetryAfter { at, cause }));
    assert_eq!(slow(&mut example, at), None);
}

/// A new link restores a lost access, but not a closed account.
#[test]
fn an_access_ends() {
    let mut example = linked(&one_account(
        r#"timeline = [
          { day = 8, access_ends = "institution_requirement" },
          { day = 20, access_ends = "account_closed" },
        ]"#,
    ));
    let day = |day: i64| LINKED.plus(day * DAY_S);
    let watch = |example: &Example, at| example.sandbox.watch(&example.account(), at);
    assert_eq!(watch(&example, day(7)).lost, None);
    assert_eq!(watch(&example, day(7)).next_change_at, Some(day(8)));
    let broken = (InactiveCause::InstitutionRequirement, StatusAction::RelinkRequired);
    assert_eq!(watch(&example, day(8)).lost, Some(broken));
    assert!(example.fetch(Feature::Balance, 1, day(8)).result.is_err());
    example.relinked_at = day(9);
    assert_eq!(watch(&example, day(9)).lost, None);
    let closed = Some((InactiveCause::AccountClosed, StatusAction::None));
    assert_eq!(watch(&example, day(20)).lost, closed);
    example.relinked_at = day(21);
    assert_eq!(watch(&example, day(22)).lost, closed);
}

/// Balances and owners of the file count from their day.
#[test]
fn balances_and_owners_change() {
    let text = r#"
        name = "One"
        [[holders]]
        name = "Jenny Rosen"
        email = "jenny@example.com"
        [[holders]]
        name = "Kay Rosen"
        [[accounts]]
        name = "Checking"
        balance = "10.00"
        available = "510.00"
        owners = ["Jenny Rosen"]
        timeline = [
          { day = 2, balance = "99.00" },
          { day = 3, amount = "-9.00", description = "TEA" },
          { day = 4, owners = ["Jenny Rosen", "Kay Rosen"] },
        ]
    "#;
    let mut example = linked(text);
    let mut shown = Vec::new();
    for day in [0, 2, 3, 4] {
        let now = LINKED.plus(day * DAY_S);
        for feature in [Feature::Balance, Feature::Ownership] {
            let page = example.fetch(feature, 1, now).result.unwrap();
            shown.push(match page.records {
                Records::Balance(Some(balance)) => {
                    format!("{:?} {:?}", balance.current, balance.available_or_used)
                }
                Records::Owners(owners) => {
                    owners.into_iter().map(|owner| owner.name).collect::<Vec<_>>().join(", ")
                }
                other => panic!("{other:?}"),
            });
        }
    }
    insta::assert_snapshot!(shown.join("\n"), @"
    {usd: 1000} Some({usd: 51000})
    Jenny Rosen
    {usd: 9900} Some({usd: 59900})
    Jenny Rosen
    {usd: 9000} Some({usd: 59000})
    Jenny Rosen
    {usd: 9000} Some({usd: 59000})
    Jenny Rosen, Kay Rosen
    ");
}

/// JSON and TOML files with equal content give equal scenarios.
#[test]
fn json_is_read_too() {
    let toml = one_account(
        r#"currency = "jpy"
        timeline = [{ day = 1, time = "09:30:05", appears = "a", amount = "-1200", description = "SUSHI" }]
        stretches = [{ every = "day", amount = ["1", "2"], description = "COIN" }]"#,
    );
    let json = r#"{"name": "One", "accounts": [{"name": "Checking", "currency": "jpy",
        "timeline": [{"day": 1, "time": "09:30:05", "appears": "a", "amount": "-1200",
                      "description": "SUSHI"}],
        "stretches": [{"every": "day", "amount": ["1", "2"], "description": "COIN"}]}]}"#;
    let accounts = |text| Scenario::read(text).unwrap().banks()[0].accounts.clone();
    assert_eq!(accounts(&toml), accounts(json));
}

/// Each error has its line and its key.
#[test]
fn errors_have_line_and_key() {
    let row = |entry: &str| one_account(&format!("timeline = [\n{entry}\n]"));
    let files = [
        "name = ".to_owned(),
        "{\"name\": \"One\",\n\"accounts\": [}".to_owned(),
        "name = \"One\"".to_owned(),
        one_account("colour = \"red\""),
        one_account("balance = 12.5"),
        one_account("balance = \"12.5\""),
        one_account("kind = \"piggy_bank\""),
        one_account("owners = [\"Nobody\"]"),
        one_account("[[accounts]]\nname = \"Checking\""),
        one_account("institution = \"Elsewhere\""),
        row("{ amount = \"-1.00\", description = \"TEA\" }"),
        row("{ day = 1, description = \"TEA\" }"),
        row("{ day = 1, posts = \"a\" }"),
        row("{ day = 1, appears = \"a\", amount = \"-1.00\", description = \"A\" },\n\
             { day = 2, posts = \"a\" }"),
        row("{ day = 1, amount = \"-1.00\", description = \"A\", dated = 2 }"),
        row("{ day = 1, renumbers = true, access_ends = \"access_denied\" }"),
        row("{ day = 1, refresh_fails = \"bored\" }"),
        row("{ day = 1, appears = \"20260101-1\", amount = \"-1.00\", description = \"A\" }"),
        row("{ day = 1, refresh_takes = \"soon\" }"),
        row("{ day = 1, time = \"25:00\", renumbers = true }"),
        one_account("[[accounts.stretches]]\nevery = \"fortnight\""),
        one_account("[[accounts.stretches]]\nevery = \"week\"\non = 5\namount = \"1.00\""),
        "{\"name\": \"One\",\n\"accounts\": [{\"name\": \"A\",\n\"blance\": \"1.00\"}]}".to_owned(),
        row("{ days = 1, amount = \"-1.00\", description = \"TEA\" }"),
        row("{ day = 1, takes = \"2h\" }"),
        row("{ day = 1, vanishes = \"a\", pending = true }"),
        row("{ refresh = 3, day = 1, feature = \"balance\", refresh_takes = \"2h\" }"),
        row("{ refresh = 3, feature = \"balance\", refresh_takes = \"2h\" },\n\
             { refresh = 3, feature = \"balance\", refresh_fails = \"unsupported\" }"),
        row("{ day = 1, refresh_fails = \"interrupted\" }"),
        row("{ day = 1, access_ends = \"account_closed\" },\n\
             { day = 2, access_ends = \"access_denied\" }"),
        one_account("kind = \"savings\"\ncategory = \"credit\""),
        one_account("[[accounts.stretches]]\nevery = \"day\"\namount = [\"-9.00\", \"-1.00\"]"),
        one_account("[[accounts.stretches]]\nevery = \"day\"\namount = [\"9.00\", \"-1.00\"]"),
        "name = \"test (oauth)\"\naccounts = [{ name = \"A\" }]".to_owned(),
        "name = \"One\"\naccounts = [{ name = \"A\" }]\n[[institutions]]\n\
         name = \"Down Bank (Scheduled)\""
            .to_owned(),
    ];
    let errors = files.iter().map(|text| Scenario::read(text).unwrap_err().to_string());
    insta::assert_snapshot!(errors.collect::<Vec<_>>().join("\n"), @r#"
    line 1: string values must be quoted, expected literal string
    line 2: expected value
    line 1: accounts: at least one is needed
    line 4: accounts.colour: no such key; here are: available, balance, balances, category, currency, description, history_days, institution, kind, last4, name, overdraft, owners, payable, stretches, timeline, window_days
    line 4: accounts.balance: an amount of usd in quotes is expected, such as "-12.00"
    line 4: accounts.balance: an amount of usd in quotes is expected, such as "-12.00"
    line 4: accounts.kind: 'piggy_bank' is unknown; use one of: checking, credit_card, investment, line_of_credit, mortgage, other, savings
    line 4: accounts.owners: there is no holder named 'Nobody'
    line 4: accounts.name: the institution has an account 'Checking' already
    line 4: accounts.institution: there is no institution named 'Elsewhere'
    line 5: accounts.timeline.day: is missing
    line 5: accounts.timeline: names no event; use one of: appears, posts, vanishes, returns, changes, renumbers, omits, new_number, balance, owners, refresh_fails, refresh_takes, access_ends
    line 5: accounts.timeline.posts: no transaction 'a' has appeared by then
    line 6: accounts.timeline.posts: 'a' is posted by then
    line 5: accounts.timeline.dated: is after the day on which the transaction appears
    line 5: accounts.timeline.access_ends: an entry has one event; move this one to another entry
    line 5: accounts.timeline.refresh_fails: 'bored' is unknown; use one of: institution_unavailable, institution_timeout, institution_error, login_required, access_denied, account_closed, account_unavailable, unsupported
    line 5: accounts.timeline.appears: the bank uses ids like '20260101-1'
    line 5: accounts.timeline.refresh_takes: a number with s, m, h or d is expected, such as "90s" or "2d", from 1s to 3700d
    line 5: accounts.timeline.time: HH:MM or HH:MM:SS is expected, in quotes
    line 5: accounts.stretches.every: day, week, month, or such as "2 weeks" is expected
    line 6: accounts.stretches.on: names of days are expected, such as "friday", or "workdays"
    line 3: accounts.blance: no such key; here are: available, balance, balances, category, currency, description, history_days, institution, kind, last4, name, overdraft, owners, payable, stretches, timeline, window_days
    line 5: accounts.timeline.days: no such key; here are: appears, posts, vanishes, returns, changes, renumbers, omits, new_number, balance, owners, refresh_fails, refresh_takes, access_ends, day, time, amount, currency, description, pending, dated, dated_time, available, feature, lasts, refresh, last4
    line 5: accounts.timeline.takes: no such key; here are: appears, posts, vanishes, returns, changes, renumbers, omits, new_number, balance, owners, refresh_fails, refresh_takes, access_ends, day, time, amount, currency, description, pending, dated, dated_time, available, feature, lasts, refresh, last4
    line 5: accounts.timeline.pending: no such key; here are: amount, currency, dated, dated_time, day, description, time, vanishes
    line 5: accounts.timeline.day: a refresh with a number has no day; remove one of the keys
    line 6: accounts.timeline.refresh: line 5 already sets the outcome of refresh 3 of balance; join the two entries
    line 5: accounts.timeline.refresh_fails: 'interrupted' is unknown; use one of: institution_unavailable, institution_timeout, institution_error, login_required, access_denied, account_closed, account_unavailable, unsupported
    line 6: accounts.timeline.access_ends: line 5 closes the account for good; remove the later entries
    line 5: accounts.category: savings is cash; leave category out, or write kind = "other"
    line 6: accounts.stretches.amount: write the least first, then the most: ["-1.00", "-9.00"]
    line 6: accounts.stretches.amount: write the least first, then the most: ["-1.00", "9.00"]
    line 1: name: a test bank has the name 'test (oauth)'; choose another name
    line 4: institutions.name: a test bank has the name 'Down Bank (Scheduled)'; choose another name
    "#);
}

/// The bytes of a credential are pinned, because databases store them.
#[test]
fn credentials_are_stable() {
    let example = linked(&one_account(
        r#"timeline = [
          { day = 0, appears = "a", amount = "-1.00", description = "TEA", pending = true },
          { day = 1, posts = "a" },
          { day = 2, refresh_fails = "institution_timeout" },
        ]
        stretches = [{ every = "week", on = "workdays", amount = "1.00", description = "COIN" }]"#,
    ));
    let body = String::from_utf8(example.offered.credential[25..].to_vec()).unwrap();
    insta::assert_snapshot!(body, @r#"{"name":"Checking","category":"cash","subcategory":"checking","payable":true,"currency":"usd","last4":null,"snapshots":false,"history_days":180,"balance":0,"available_more":0,"owners":null,"seed":5068339732528110971,"stretches":[{"from":null,"until":null,"every":"Week","interval":1,"on":{"OfWeek":[1,2,3,4,5]},"times":1,"amount":[100,100],"descriptions":["COIN"],"time":null,"pending_days":0,"tip_percent":0,"vanish_percent":0}],"facts":[{"at":0,"what":{"Appear":{"id":"a","amount":-100,"description":"TEA","dated":0,"status":"pending"}}},{"at":86400,"what":{"Edit":{"id":"a","status":"Post"}}},{"at":172800,"what":{"Refreshes":{"feature":null,"until":259200,"outcome":{"cause":"institution_timeout","delay_s":0}}}}]}"#);
    let status = BankStatus::Pending;
    assert!(body.contains(&format!("{status:?}").to_lowercase()));
}

/// A stretch has its number of rows for any seed of the server.
#[test]
fn stretches_keep_their_rate() {
    let example = linked(&one_account(
        r#"history_days = 140
        [[accounts.stretches]]
        every = "2 weeks"
        on = "friday"
        amount = "2000.00"
        description = "SALARY"
        [[accounts.stretches]]
        every = "week"
        times = 3
        amount = ["-20.00", "-90.00"]
        description = "GROCERY"
        [[accounts.stretches]]
        every = "month"
        on = 31
        amount = "-400.00"
        description = "RENT"
        [[accounts.stretches]]
        every = "day"
        times = 2
        time = "12:00"
        from = -10
        to = -1
        amount = "-3.00"
        description = "TEA""#,
    ));
    let count = |text: &str| ledger(&example, 140).iter().filter(|row| row.contains(text)).count();
    // 280 days: 40 weeks, 9 or 10 ends of months.
    assert_eq!(count("SALARY"), 20);
    assert!((119..=121).contains(&count("GROCERY")), "{}", count("GROCERY"));
    assert_eq!(count("RENT"), 9);
    assert_eq!(count("TEA"), 20);
}

proptest! {
    /// The reader accepts any text without a panic, and every scenario that it reads has accounts.
    #[test]
    fn any_text_is_read_or_rejected(text in "\\PC{0,200}", cut in 0_usize..4_000) {
        let _ = Scenario::read(&text);
        let whole = include_str!("timeline.toml");
        let cut = whole.get(..cut).unwrap_or(whole);
        if let Ok(scenario) = Scenario::read(cut) {
            prop_assert!(!scenario.outline().is_empty());
        }
    }
}

/// A text of 200 bytes has a ledger of many rows. Its pages have all of them once, in both directions
/// and with changes by the timeline and by a bank that renumbers. A page ends after its limit.
#[test]
fn a_long_ledger_is_read_in_pages() {
    let example = linked(&one_account(
        r#"history_days = 400
        stretches = [{ every = "day", times = 5, amount = "-1.00", description = "ROW", pending_days = 2,
            vanish_percent = 9 }]
        timeline = [
          { day = -9, appears = "lunch", amount = "-12.00", description = "LUNCH" },
          { day = -8, appears = "noon", amount = "-1.00", description = "NOON", dated = -30 },
          { day = -2, vanishes = "lunch" },
          { day = -1, renumbers = true },
        ]"#,
    ));
    let whole = example.control().window_entries(&example.account(), LINKED, None).unwrap();
    assert!(whole.len() > 800, "{}", whole.len());
    for limit in [1, 97, 1_000] {
        for downwards in [false, true] {
            assert_eq!(follower::paged(&example, LINKED, None, limit, downwards), whole);
        }
    }
}

/// A page ends also at its bound in bytes, and the next one continues.
#[test]
fn a_page_of_a_ledger_is_bounded_in_bytes() {
    let text = "é".repeat(900);
    let example = linked(&one_account(&format!(
        r#"history_days = 40
        stretches = [{{ every = "day", times = 40, amount = "-1.00", description = "{text}" }}]"#
    )));
    let control = example.control();
    let page = |position: LedgerPosition<'_>| {
        let whole = (position, LEDGER_PAGE_ROWS_MAX as usize);
        control.window_page(&example.account(), LINKED, None, whole).unwrap()
    };
    let first = page(LedgerPosition::Oldest);
    assert!(first.has_more && first.entries.len() < 600, "{}", first.entries.len());
    let last = &first.entries.last().unwrap().transaction.bank_id;
    let next = page(LedgerPosition::After(last));
    let whole = control.window_entries(&example.account(), LINKED, None).unwrap();
    let read = [first.entries, next.entries].concat();
    assert!(read == whole[..read.len()], "the pages follow each other");
}
