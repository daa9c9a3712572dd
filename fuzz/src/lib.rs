//! The checks of the fuzz targets, and the seeds of their corpora.
//!
//! Each check takes any text. It returns if the code under test returns a value or an error, and panics
//! if a rule does not hold. The targets in `fuzz_targets` call these functions, and so do the property
//! tests in `tests/tests/strangers.rs`, which need no other toolchain.

use connectors::sandbox::scenario::{Scenario, plaid, ready};
use model::id::{AccountId, CustomerId, EventId, OwnerId, RefreshId, TransactionId};
use model::limits::{PAGE_ROWS_MAX, PARAMETERS_MAX};
use std::collections::BTreeMap;
use wire::list::{PageToken, take_page, take_token_page};
use wire::params::Params;
use wire::signature::{sign, verify};

/// A target: its name, its check and the texts that its corpus begins with.
pub struct Target {
    /// The name of the target and of the folder of its corpus.
    pub name: &'static str,
    /// The check of any text.
    pub check: fn(&str),
    /// The first texts.
    pub seeds: fn() -> Vec<String>,
}

/// All targets that take one text.
pub const TARGETS: &[Target] = &[
    Target { name: "cursors", check: cursors, seeds: seeds_of_cursors },
    Target { name: "ids", check: ids, seeds: seeds_of_ids },
    Target { name: "json", check: json, seeds: seeds_of_json },
    Target { name: "params", check: params, seeds: seeds_of_params },
    Target { name: "plaid", check: plaid_import, seeds: seeds_of_plaid },
    Target { name: "scenario", check: scenario, seeds: seeds_of_scenarios },
    Target { name: "settings", check: settings_file, seeds: seeds_of_settings },
    Target { name: "signature", check: signature, seeds: seeds_of_signatures },
];

/// Ids: a text that is an id is the id's own text.
pub fn ids(text: &str) {
    fn same<I: std::str::FromStr + ToString>(text: &str) {
        if let Ok(id) = text.parse::<I>() {
            assert_eq!(id.to_string(), text);
        }
    }
    same::<CustomerId>(text);
    same::<AccountId>(text);
    same::<TransactionId>(text);
    same::<RefreshId>(text);
    same::<EventId>(text);
    same::<OwnerId>(text);
}

/// The form decoder: it returns parameters or an error, and parameters can be read. The first line is the
/// query, and the rest is the body.
pub fn params(text: &str) {
    let (query, body) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(mut params) = Params::parse(query, body) else { return };
    let before = params.fingerprint();
    read(&mut params);
    let again =
        Params::parse(query, body).map_or_else(|_| Vec::new(), |params| params.fingerprint());
    assert_eq!(before, again);
    let _ = params.finish();
}

/// The JSON decoder of `/v2`: it returns parameters or an error, and parameters can be read.
pub fn json(text: &str) {
    let Ok(mut params) = Params::parse_json("", text) else { return };
    let before = params.fingerprint();
    read(&mut params);
    let again =
        Params::parse_json("", text).map_or_else(|_| Vec::new(), |params| params.fingerprint());
    assert_eq!(before, again);
    let _ = params.finish();
}

fn read(params: &mut Params) {
    let _ = params.text("account");
    let _ = params.integer("limit");
    let _ = params.range("created");
    let _ = params.metadata();
    let _ = params.texts("features");
    let _ = params.boolean("livemode");
    let _ = params.hashes("items");
    if let Ok(Some(mut holder)) = params.hash("account_holder") {
        let _ = holder.text("customer");
        let _ = holder.finish();
    }
}

/// Positions in lists: at most one cursor, a limit within its bounds, and a page token that is its own text.
pub fn cursors(text: &str) {
    if let Ok(token) = PageToken::parse(text) {
        assert_eq!(token.text(), text);
        assert_eq!(PageToken::parse(&token.text()).ok(), Some(token));
    }
    if let Ok(mut params) = Params::parse(text, "")
        && let Ok(page) = take_page(&mut params)
    {
        assert!((1..=PAGE_ROWS_MAX).contains(&page.limit));
        assert!(page.starting_after.is_none() || page.ending_before.is_none());
    }
    if let Ok(mut params) = Params::parse(text, "")
        && let Ok(page) = take_token_page(&mut params)
    {
        assert!((1..=PAGE_ROWS_MAX).contains(&page.limit));
    }
    if let Ok(mut params) = Params::parse(text, "") {
        if let Ok(Some(mut refresh)) = params.hash("transaction_refresh") {
            let after = refresh.text("after").ok().flatten();
            if let Some(Ok(id)) = after.as_ref().map(|after| after.parse::<RefreshId>()) {
                assert_eq!(Some(id.to_string()), after);
            }
        }
        let _ = params.range("created");
    }
}

/// Scenarios: a file is read or rejected with a line, and its outline can be shown.
pub fn scenario(text: &str) {
    match Scenario::read(text) {
        Ok(scenario) => {
            assert!(!scenario.outline().is_empty());
            let _ = scenario.accounts_below_limit();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The import of Plaid's custom users: a file is rejected, or the scenario that it makes can be read.
pub fn plaid_import(text: &str) {
    match plaid::import(text, "Imported") {
        Ok(imported) => {
            let read = Scenario::read(&imported.text);
            // Bounds of scenarios are checked when the scenario is read.
            if let Err(error) = read {
                assert!(!error.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Settings: a file is read or rejected with a message, and so are flags. The whole text is a file, and a
/// line `NAME=VALUE` is a flag.
pub fn settings_file(text: &str) {
    // Threads of one process have files of their own.
    let name = format!("bankfeed-{}-{:?}.toml", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    assert!(std::fs::write(&path, text).is_ok(), "{}", path.display());
    match settings::resolve(&BTreeMap::new(), |_| None, Some(&path)) {
        Ok(resolved) => {
            let _ = resolved.settings();
            assert!(!resolved.table().is_empty());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = std::fs::remove_file(&path);
    let mut flags = BTreeMap::new();
    for line in text.lines().take(PARAMETERS_MAX) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let entry = settings::ENTRIES.iter().find(|entry| entry.name == name.trim());
        if let Some(entry) = entry {
            flags.insert(entry.name, value.trim().to_owned());
        }
    }
    if let Ok(resolved) = settings::resolve(&flags, |_| None, None)
        && let Err(error) = resolved.settings()
    {
        assert!(!error.to_string().is_empty());
    }
}

/// The signature header: it is verified or rejected, and a correct signature verifies. The first line is the
/// header, and the rest is the body.
pub fn signature(text: &str) {
    let (header, body) = text.split_once('\n').unwrap_or((text, ""));
    let now = 1_790_000_000;
    let _ = verify(header, "whsec_fuzz", body.as_bytes(), now, 300);
    let signed = sign(&["whsec_fuzz"], now, body.as_bytes());
    assert!(verify(&signed, "whsec_fuzz", body.as_bytes(), now, 300).is_ok());
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn seeds_of_ids() -> Vec<String> {
    let numbers = [0, 1, 7, u64::MAX >> 1];
    let mut seeds = owned(&["", "cus_", "fca_1", "evt_0000000000000000000000"]);
    seeds.extend(numbers.map(|number| CustomerId::from_number(number).to_string()));
    seeds.extend(numbers.map(|number| AccountId::from_number(number).to_string()));
    seeds
}

fn seeds_of_params() -> Vec<String> {
    owned(&[
        "limit=3&created[gte]=1&created[lt]=2\nmetadata[a]=b&features[]=transactions",
        "\naccount_holder[type]=customer&account_holder[customer]=cus_1",
        "expand[]=data.account&expand[0]=x\nitems[0][price]=a&items[1][price]=b",
        "a=%ff&b=%00&c=+&d=%C3%A9\n&&==&[a]=1&a[=2&a]=3",
    ])
}

fn seeds_of_json() -> Vec<String> {
    owned(&[
        r#"{"name": "a", "type": "webhook_endpoint", "enabled_events": ["v1.x"]}"#,
        r#"{"metadata": {"a": "b", "c": null}, "limit": 3, "livemode": true}"#,
        r#"{"account_holder": {"customer": "cus_1"}, "created": {"gte": 1}}"#,
        r#"{"items": [{"a": [[1, 2.5e3]]}], "features": []}"#,
        "[]",
        "{\"a\": \"\\ud800\"}",
    ])
}

fn seeds_of_cursors() -> Vec<String> {
    let account = AccountId::from_number(7);
    owned(&[
        "after_evt_1",
        "before_evt_1",
        "limit=3&starting_after=cus_1",
        "limit=0&ending_before=cus_1",
        "page=after_evt_1&limit=100",
        "transaction_refresh[after]=fctxnref_1&account=fca_1",
        "created[gt]=1&created[lte]=99999999999",
    ])
    .into_iter()
    .chain([format!("account={account}&starting_after={account}")])
    .collect()
}

fn seeds_of_scenarios() -> Vec<String> {
    ready::names().filter_map(ready::find).map(str::to_owned).collect()
}

fn seeds_of_plaid() -> Vec<String> {
    owned(&[
        r#"{"override_accounts": [{"type": "depository", "subtype": "checking",
            "starting_balance": 100, "transactions": [{"date_transacted": "2026-01-02",
            "date_posted": "2026-01-03", "amount": 12.5, "description": "Shop", "currency": "USD"}]}]}"#,
        r#"{"override_accounts": [{"type": "credit", "meta": {"name": "Card", "limit": 500},
            "identity": {"names": ["A B"], "emails": []}}], "mfa": {"type": "x"}}"#,
        r#"{"override_accounts": [{"type": "investment", "holdings": []}, {"type": "loan"}]}"#,
        r#"{"override_accounts": []}"#,
    ])
}

fn seeds_of_settings() -> Vec<String> {
    owned(&[
        "listen = \"127.0.0.1:0\"\nkeys = \"issued\"\nstrict = true\n",
        "retry-test = [\"1s\", \"10s\"]\ncool-down-test = { balance = 0, ownership = 0, transactions = 5 }\n",
        "retry-live=1m,5m\nretry-live-jitter=20\nlease-ms=60000\n",
        "time=1790000000\nseed=3\nrefresh-delay=3s\nwebhook-allow=10.0.0.0/8,fd00::/8\n",
        "fault=kind=webhook_lost&every=3\ncool-down-live=balance=600,ownership=86400,transactions=21600\n",
    ])
}

fn seeds_of_signatures() -> Vec<String> {
    let signed = sign(&["whsec_fuzz"], 1_790_000_000, b"{}");
    vec![format!("{signed}\n{{}}"), "t=1,v1=00\n{}".to_owned(), "t=,v1=,v0=\n".to_owned()]
}
