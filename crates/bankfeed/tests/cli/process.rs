//! Tests of the built binary as a process: its end after a signal, and the events it forwards.
//!
//! Each wait is for a named condition, and fails if the condition never comes true.

use crate::support::{call, command, in_new_folder};
use model::calendar::{date_of, day_of_second};
use serde_json::Value;
use std::future::ready;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;
use testkit::process::{LISTENS, Process};
use testkit::receiver::Receiver;

/// The time limit of a wait, far longer than any condition needs.
const WAIT: Duration = Duration::from_mins(1);
const KEY: &str = "sk_test_123";

/// Starts a command.
pub(crate) fn start(arguments: &[&str]) -> Process {
    Process::start(command(arguments).stderr(Stdio::null())).unwrap()
}

/// Starts a server on a port of its own, and returns its URL.
fn serve() -> (Process, String) {
    let process = start(&["serve", "--listen", "127.0.0.1:0", "--memory"]);
    let url = process.after(LISTENS).unwrap();
    (process, url)
}

/// Runs a command that ends on its own, and returns its exit status and output.
pub(crate) fn run(arguments: &[&str]) -> (ExitStatus, Vec<String>) {
    start(arguments).end().unwrap()
}

/// The number of objects in a list.
fn count(list: &Value) -> usize {
    list["data"].as_array().unwrap().len()
}

/// A server that gets a signal right after its greeting ends in order, with 0. The greeting calls the
/// owner of a key a merchant.
#[test]
fn ends_in_order_right_after_its_greeting() {
    let (server, _) = serve();
    let keys = server.after("  keys      ").unwrap();
    assert_eq!(keys, "any that begins with sk_test_; each is a separate merchant");
    let status = server.terminate().unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// With `--stop-with-stdin` a server ends in order when its standard input is closed, and not before.
#[test]
fn ends_with_its_input() {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--memory", "--stop-with-stdin"];
    let start = |input: Stdio| Process::start_with(command(&serve).stderr(Stdio::null()), input);
    let mut server = start(Stdio::piped()).unwrap();
    let url = server.after(LISTENS).unwrap();
    assert_eq!(call(&url, KEY, "GET", "/v1/customers", "").0, 200);
    assert!(server.try_wait().unwrap().is_none());
    server.close_input();
    assert_eq!(server.end().unwrap().0.code(), Some(0));
    let closed = start(Stdio::null()).unwrap();
    assert_eq!(closed.end().unwrap().0.code(), Some(0));
}

/// `listen` forwards an event with its body and its signature, which the printed secret verifies.
/// At its end, its endpoint is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn forwards_signed_events() {
    let (told, events) = channel();
    let target = Receiver::start(move |post| {
        told.send(post).unwrap();
        ready(200)
    })
    .await
    .unwrap();

    let (server, url) = serve();
    let listener = start(&["listen", "--api-base", &url, "--forward-to", &target.url]);
    let secret = listener.after("the signing secret is ").unwrap();
    let made = call(&url, KEY, "POST", "/v1/customers", "").1;
    let customer = made["id"].as_str().unwrap();

    let post = events.recv_timeout(WAIT).unwrap();
    let signature = post.header("stripe-signature").unwrap();
    let signed_at = signature.strip_prefix("t=").and_then(|rest| rest.split_once(','));
    let signed_at = signed_at.unwrap().0.parse().unwrap();
    assert_eq!(wire::signature::verify(signature, &secret, &post.body, signed_at, 0), Ok(()));
    let event = post.event();
    assert_eq!(event["type"], "customer.created");
    assert_eq!(event["data"]["object"]["id"], customer);
    // The line begins with the date and the time, as in the other commands.
    let second = event["created"].as_i64().unwrap();
    let day = date_of(day_of_second(second));
    let day = format!("{:04}-{:02}-{:02} ", day.year, day.month, day.day);
    let printed = listener.after(&day).unwrap();
    assert!(printed.contains("customer.created") && printed.contains(customer), "{printed}");

    let endpoints = || count(&call(&url, KEY, "GET", "/v1/webhook_endpoints", "").1);
    assert_eq!(endpoints(), 1);
    assert_eq!(listener.terminate().unwrap().code(), Some(0));
    assert_eq!(endpoints(), 0);
    assert_eq!(server.terminate().unwrap().code(), Some(0));
}

/// Keys are issued and revoked while the server runs. The next request with a new key succeeds, and
/// the next one with a revoked key fails. The text of a key is shown once, and is in no file.
#[test]
fn issues_and_revokes_keys_while_the_server_runs() {
    let (folder, db) = in_new_folder("bank.db");
    let db = db.to_str().unwrap();
    let server = start(&["serve", "--listen", "127.0.0.1:0", "--keys", "issued", "--db", db]);
    let url = server.after(LISTENS).unwrap();
    let key = |arguments: &[&str]| {
        let (status, told) = run(&[&["key"], arguments, &["--db", db]].concat());
        (status.code(), told)
    };
    let value = |told: &[String], name: &str| {
        let line = told.iter().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };

    let (status, live) = key(&["create", "--live", "--name", "Books"]);
    assert_eq!(status, Some(0));
    let (id, merchant) = (value(&live, "id"), value(&live, "merchant"));
    let secret = value(&live, "secret");
    assert_eq!(call(&url, &secret, "POST", "/v1/customers", "").0, 200);
    assert_eq!(call(&url, &secret, "GET", "/v1/account", "").1["id"], merchant.as_str());
    let (_, test) = key(&["create", "--merchant", &merchant]);
    let test_secret = value(&test, "secret");
    let customers = |key: &str| call(&url, key, "GET", "/v1/customers", "");
    assert_eq!(count(&customers(&test_secret).1), 0);
    let test_merchant = value(&test, "merchant");
    let shown = call(&url, &test_secret, "GET", "/v1/account", "").1;
    assert_eq!(shown["id"], test_merchant.as_str());
    assert_ne!(test_merchant, merchant);
    assert!(value(&test, "publishable").starts_with("pk_test_"));
    assert!(value(&live, "publishable").starts_with("pk_live_"));

    let (_, listed) = key(&["list"]);
    let named: Vec<String> = listed
        .iter()
        .map(|line| line.replace(&id, "ID").replace(&value(&test, "id"), "OTHER"))
        .map(|line| line.replace(&merchant, "LIVE").replace(&test_merchant, "TEST"))
        .skip(1)
        .collect();
    assert_eq!(named, ["ID  LIVE  live  active  Books", "OTHER  TEST  test  active"]);

    assert_eq!(key(&["revoke", &id]), (Some(0), vec![format!("{id} is revoked")]));
    assert_eq!(customers(&secret).1["error"]["code"], "api_key_expired");
    assert_eq!(customers(&test_secret).0, 200);
    assert_eq!(key(&["revoke", &id]).0, Some(2));
    assert_eq!(key(&["create", "--merchant", "acct_1"]).0, Some(2));
    assert!(key(&["list"]).1[1].contains("revoked"));

    assert_eq!(server.terminate().unwrap().code(), Some(0));
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

/// The operator's command moves a registration through its states while the server runs. The next
/// call with the merchant's live key follows. The merchant's own key cannot move it.
#[test]
fn sets_registrations_while_the_server_runs() {
    let (_folder, db) = in_new_folder("bank.db");
    let db = db.to_str().unwrap();
    let server = start(&["serve", "--listen", "127.0.0.1:0", "--keys", "issued", "--db", db]);
    let url = server.after(LISTENS).unwrap();
    let command = |arguments: &[&str]| {
        let (status, told) = run(&[arguments, &["--db", db]].concat());
        (status.code(), told)
    };
    let (_, created) = command(&["key", "create", "--live"]);
    let value = |name: &str| {
        let line = created.iter().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let (merchant, secret) = (value("merchant"), value("secret"));
    let customer = call(&url, &secret, "POST", "/v1/customers", "").1;
    let form = format!(
        "account_holder[type]=customer&account_holder[customer]={}&permissions[]=balances",
        customer["id"].as_str().unwrap()
    );
    let sessions = "/v1/financial_connections/sessions";
    let mut statuses = vec![call(&url, &secret, "POST", sessions, &form).0];
    for state in ["pending", "rejected", "active", "revoked"] {
        let change = format!("balances={state}");
        let (code, told) = command(&["registration", "set", &merchant, &change]);
        assert_eq!((code, told), (Some(0), vec![format!("{merchant}  balances        {state}")]));
        statuses.push(call(&url, &secret, "POST", sessions, &form).0);
    }
    assert_eq!(statuses, [400, 400, 400, 200, 400]);
    let (_, listed) = command(&["registration", "list"]);
    assert_eq!(listed[1..], [format!("{merchant}  balances  revoked")]);
    let settings = "/v1/financial_connections/settings";
    let own = call(&url, &secret, "POST", settings, "registration[balances]=active");
    assert_eq!(own.0, 403, "{}", own.1);
    assert_eq!(command(&["registration", "set", "acct_1", "balances=active"]).0, Some(2));
    let twice = ["registration", "set", &merchant, "balances=active", "balances=pending"];
    assert_eq!(command(&twice).0, Some(2));
    assert_eq!(command(&["registration", "list"]).1, listed, "neither of the two was set");
    assert_eq!(command(&["registration", "set", &merchant, "balances=done"]).0, Some(2));
    assert_eq!(command(&["registration", "set", &merchant, "names=active"]).0, Some(2));
}

/// A key that was created beside a missing database comes with a warning, because a server with a
/// temporary database does not know it. With the named file such a server accepts the key.
#[test]
fn a_temporary_database_needs_a_named_file_of_keys() {
    let (_folder, db) = in_new_folder("bank.db");
    let db = db.to_str().unwrap();
    let file = format!("{db}.api-keys");
    let create = |flag: &str, path: &str| {
        let output = command(&["key", "create", "--json", flag, path]).output().unwrap();
        let key: Value = serde_json::from_slice(&output.stdout).unwrap();
        (key["secret"].as_str().unwrap().to_owned(), String::from_utf8(output.stderr).unwrap())
    };
    let (secret, warning) = create("--db", db);
    insta::assert_snapshot!(warning.replace(db, "bank.db"), @"warning: The database bank.db does not exist, so no server has used it yet. A server with --memory does not know this key, unless its --api-keys-file names bank.db.api-keys");
    assert_eq!(create("--api-keys-file", &file).1, "");

    let issued = ["serve", "--listen", "127.0.0.1:0", "--memory", "--keys", "issued"];
    let server = start(&issued);
    let url = server.after(LISTENS).unwrap();
    assert!(server.after("issued keys only, ").unwrap().contains("--api-keys-file"));
    assert_eq!(call(&url, &secret, "GET", "/v1/customers", "").0, 401);
    let server = start(&[&issued[..], &["--api-keys-file", &file]].concat());
    let url = server.after(LISTENS).unwrap();
    assert_eq!(call(&url, &secret, "GET", "/v1/customers", "").0, 200);

    let doctor = command(&["doctor", "--json", "--memory", "--keys", "issued"]).output().unwrap();
    let advice = String::from_utf8(doctor.stdout).unwrap();
    assert!(advice.contains("name a file with --api-keys-file"), "{advice}");

    std::fs::write(db, "").unwrap();
    assert_eq!(create("--db", db).1, "");
}

/// A server with scenarios links their banks with any key. For an invalid file, the error names
/// line and key, and no server starts.
#[test]
fn serves_scenarios() {
    let (_folder, file) = in_new_folder("one.toml");
    std::fs::write(&file, "name = \"One\"\n[[accounts]]\nname = \"First\"").unwrap();
    let file = file.to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--memory", "--scenario", file];
    let server = start(&[&serve[..], &["--scenario", "overdrawn"]].concat());
    let url = server.after(LISTENS).unwrap();
    for bank in ["One", "Overdrawn"] {
        let linked = run(&["link", "--api-base", &url, "--bank", bank]);
        assert_eq!(linked.0.code(), Some(0), "{bank}");
    }
    assert_eq!(server.terminate().unwrap().code(), Some(0));

    let (status, told) = run(&["scenario", "check", file]);
    assert_eq!((status.code(), told), (Some(0), vec!["One: 1 account at 1 bank".to_owned()]));
    std::fs::write(file, "name = \"One\"\n[[accounts]]\nname = \"A\"\nbalance = \"-19.20\"")
        .unwrap();
    let checked = command(&["scenario", "check", file]).output().unwrap();
    assert!(checked.status.success(), "a warning is not an error");
    insta::assert_snapshot!(String::from_utf8(checked.stderr).unwrap(), @"warning: A at One closes below 0.00 usd on 181 of 181 days, for a link on 2026-01-05. The first is day -180 with -19.20, the lowest is day -180 with -19.20. Change the balance or the amounts, begin repeated transactions later with from, or set overdraft.");
    let (_, json) = run(&["scenario", "check", file, "--json"]);
    insta::assert_snapshot!(json.join("\n"), @r#"
    {
      "accounts": 1,
      "banks": 1,
      "name": "One",
      "warnings": [
        {
          "account": "A",
          "currency": "usd",
          "days": 181,
          "days_below": 181,
          "first": {
            "balance": "-19.20",
            "day": -180
          },
          "institution": "One",
          "limit": "0.00",
          "linked_on": "2026-01-05",
          "lowest": {
            "balance": "-19.20",
            "day": -180
          },
          "warning": "below_limit"
        }
      ]
    }
    "#);
    std::fs::write(file, "name = \"One\"\n[[accounts]]\nname = 7").unwrap();
    assert_eq!(run(&["scenario", "check", file]).0.code(), Some(1));
    assert_eq!(run(&serve).0.code(), Some(1));
    let (_, listed) = run(&["scenario", "list"]);
    assert_eq!(listed.len(), 8);
    let (_, shown) = run(&["scenario", "show", "overdrawn"]);
    assert_eq!(shown[0], "name = \"Overdrawn\"");
}
