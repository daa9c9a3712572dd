//! The global flags of every command: each has an effect, or the command rejects it.

use crate::support::{Server, command};
use std::collections::BTreeSet;
use std::process::Stdio;
use testkit::process::Process;

/// The text of the error for a flag without an effect.
const UNUSED: &str = "does not use --";
/// The commands that do not end before a signal.
const ENDLESS: [&str; 2] = ["serve", "listen"];

/// The paths of all commands that do work, such as `key list`, from the help texts.
fn commands(path: &[&str], found: &mut BTreeSet<String>) {
    let help = command(&[path, &["--help"]].concat()).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let lists = help.lines().take_while(|line| !line.starts_with("Options:"));
    let names = lists.filter_map(|line| line.strip_prefix("  ")?.split("  ").next());
    let is_name = |name: &&str| name.starts_with(|first: char| first.is_ascii_lowercase());
    let names: Vec<&str> = names.filter(is_name).filter(|name| *name != "help").collect();
    for name in &names {
        commands(&[path, &[*name]].concat(), found);
    }
    if names.is_empty() {
        found.insert(path.join(" "));
    }
}

/// Standard output and standard error of a command line.
fn printed(server: &Server, line: &str, more: &[&str]) -> (String, String) {
    // The words behind `--` are another program's.
    let (own, other) =
        line.split_once(" -- ").map_or((line, None), |(own, other)| (own, Some(other)));
    let other = other.into_iter().flat_map(|other| std::iter::once("--").chain(other.split(' ')));
    let words: Vec<&str> = own.split(' ').chain(more.iter().copied()).chain(other).collect();
    let output = server.command(&words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// True if a text is one or more JSON values.
fn is_json(text: &str) -> bool {
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let values: Vec<_> = values.collect();
    !values.is_empty() && values.iter().all(Result::is_ok)
}

/// For each command, the output with `--json` is JSON, a wrong key and a wrong address end it with an
/// error about them, or the command rejects the flag. Only raw calls print JSON without it too.
#[test]
fn every_global_flag_has_an_effect() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (db, rows, user) = (file("bank.db"), file("rows.csv"), file("user.json"));
    std::fs::write(&user, r#"{"override_accounts": [{"type": "depository"}]}"#).unwrap();
    let scenario = file("one.toml");
    std::fs::write(&scenario, "name = \"One\"\n[[accounts]]\nname = \"First\"").unwrap();
    let account = server.link(&["--new-clock", "--subscribe"]);
    server.call("POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:1/&enabled_events[]=*");
    let event = server.json(&["events", "--limit", "1"])[0]["id"].as_str().unwrap().to_owned();
    let stored = file("stored.db");
    drop(Server::with(&["--db", &stored]));
    // The two runs of a command need a key each to revoke, and a snapshot each to delete.
    let deleted = ["one", "two"];
    let mut keys = Vec::new();
    for name in deleted {
        let created = printed(&server, &format!("key create --json --db {db}"), &[]).0;
        let created: serde_json::Value = serde_json::from_str(&created).unwrap();
        keys.push(created["id"].as_str().unwrap().to_owned());
        server.run(&["snapshot", "create", name]);
    }
    // A registration needs a merchant.
    let created = printed(&server, &format!("key create --json --db {db}"), &[]).0;
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    let merchant = created["merchant"].as_str().unwrap();
    let lines = [
        "serve --memory".to_owned(),
        "demo --no-pause".to_owned(),
        format!("key create --db {db}"),
        format!("key list --db {db}"),
        format!("key revoke --db {db} KEY"),
        format!("registration set --db {db} {merchant} balances=active"),
        format!("registration list --db {db}"),
        "config".to_owned(),
        format!("doctor --listen 127.0.0.1:0 --db {db}"),
        format!("backup --db {stored} {folder}/SNAPSHOT", folder = folder.path().display()),
        format!(
            "restore --db {stored} --force {folder}/SNAPSHOT",
            folder = folder.path().display()
        ),
        "completions bash".to_owned(),
        "run -- true".to_owned(),
        "health".to_owned(),
        "link".to_owned(),
        "link --list".to_owned(),
        "accounts".to_owned(),
        format!("accounts {account}"),
        format!("transactions {account} --limit 1"),
        format!("refresh {account}"),
        format!("refresh {account} --wait"),
        "advance 1s".to_owned(),
        format!("export {account}"),
        format!("export {account} --format jsonl"),
        format!("export {account} --output {rows}"),
        "snapshot create".to_owned(),
        "snapshot list".to_owned(),
        "snapshot restore one".to_owned(),
        "snapshot delete SNAPSHOT".to_owned(),
        "get customers".to_owned(),
        "post customers".to_owned(),
        "delete customers/cus_1".to_owned(),
        "mcp".to_owned(),
        "scenario list".to_owned(),
        "scenario show overdrawn".to_owned(),
        format!("scenario check {scenario}"),
        format!("scenario export {account}"),
        format!("scenario import-plaid {user}"),
        "trigger customer.created".to_owned(),
        "trigger --list".to_owned(),
        "events --limit 1".to_owned(),
        format!("events {event}"),
        format!("events resend {event}"),
        "listen".to_owned(),
        "judge --running".to_owned(),
        "reset --yes".to_owned(),
    ];
    let mut all = BTreeSet::new();
    commands(&[], &mut all);
    // The command `events` has subcommands and also works without one.
    all.insert("events".to_owned());
    for path in all {
        let begins = |line: &String| *line == path || line.starts_with(&format!("{path} "));
        assert!(lines.iter().any(begins), "{path} has no line in this test");
    }

    for line in &lines {
        for (flag, value, effect) in [
            ("--api-key", "nonsense", effect_of_wrong_key(line)),
            ("--api-base", "http://127.0.0.1:1", "could not reach a server"),
        ] {
            let error = printed(&server, line, &[flag, value]).1;
            assert!(error.contains(effect) || error.contains(UNUSED), "{line} {flag}: {error}");
        }
        if ENDLESS.iter().any(|name| line.starts_with(name)) {
            continue;
        }
        let line =
            |number: usize| line.replace("KEY", &keys[number]).replace("SNAPSHOT", deleted[number]);
        let (shown, error) = printed(&server, &line(0), &["--json"]);
        let plain = printed(&server, &line(1), &[]).0;
        let is_raw = ["get", "post", "delete"].iter().any(|name| line(0).starts_with(name));
        let is_changed = is_json(&shown) && is_json(&plain) == is_raw;
        assert!(is_changed || error.contains(UNUSED), "{}: {shown}{error}{plain}", line(0));
    }
}

/// The endless commands: `serve` rejects `--json`, and `listen` prints its endpoint as JSON.
#[test]
fn endless_commands_use_json_or_reject_it() {
    let server = Server::start();
    assert!(printed(&server, "serve --memory --json", &[]).1.contains(UNUSED));
    let mut listen = server.command(&["listen", "--json"]);
    let listen = Process::start(listen.stderr(Stdio::null())).unwrap();
    let endpoint = listen.after("{").unwrap();
    assert!(endpoint.contains("\"object\":\"webhook_endpoint\""), "{endpoint}");
    assert_eq!(listen.terminate().unwrap().code(), Some(0));
}

/// A part of the error of a command with a wrong key. `mcp` only warns if the server rejects its key, so
/// it checks the form of the key itself.
fn effect_of_wrong_key(line: &str) -> &'static str {
    match line {
        "mcp" => "the key is not a secret key",
        _ => "the server rejected the key",
    }
}
