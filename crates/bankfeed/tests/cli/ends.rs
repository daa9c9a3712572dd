//! The ends of commands: lost output, readers that close early, and wrong usage.

use crate::support::{Server, command, in_new_folder, told};
use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

/// Output that cannot be written is an error of every command, in every format.
#[test]
fn lost_output_is_an_error() {
    let (server, account) = Server::linked(&["--subscribe"]);
    let account = account.as_str();
    server.run(&["refresh", account, "--wait", "--feature", "balance"]);
    for arguments in [
        &["accounts"][..],
        &["accounts", "--json"],
        &["transactions", account],
        &["transactions", account, "--json"],
        &["refresh", account],
        &["events"],
        &["judge"],
        &["scenario", "list"],
        &["scenario", "show", "overdrawn"],
        &["scenario", "export", account],
        &["export", account],
        &["export", account, "--format", "jsonl"],
        &["export", account, "--format", "ofx"],
        &["export", account, "--format", "parquet"],
        &["snapshot", "create"],
        &["snapshot", "list"],
        &["trigger", "--list"],
        &["trigger", "customer.created"],
        &["link", "--list"],
        &["link"],
        &["listen"],
        &["reset", "--yes"],
        &["get", "customers"],
        &["post", "customers"],
        &["completions", "bash"],
        &["config"],
        &["doctor", "--memory"],
        &["demo"],
        &["--help"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = server.command(arguments).stdout(full).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {complaint}");
        // The last line is the advice.
        let error = complaint.lines().rev().nth(1).unwrap_or_default();
        let wanted = "error: could not write to standard output: No space left on device";
        assert!(error.starts_with(wanted), "{arguments:?}: {complaint}");
    }
}

/// If the reader closes early, as `head` does, the command ends silently, like `cat`.
#[test]
fn readers_may_go() {
    let (server, account) = Server::linked(&["--subscribe"]);
    for arguments in [
        &["accounts"][..],
        &["export", &account],
        &["export", &account, "--format", "parquet"],
        &["listen", "--json"],
        &["listen", "--thin", "--json"],
        &["demo"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = server.command(arguments).stdout(Stdio::from(writer)).output().unwrap();
        assert_eq!(output.status.code(), Some(141), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
    }
    // The endpoint of `listen` is deleted at its end.
    for path in ["/v1/webhook_endpoints", "/v2/core/event_destinations"] {
        assert_eq!(server.call("GET", path, "")["data"], serde_json::json!([]));
    }
}

/// A key that could not be printed is revoked.
#[test]
fn an_unread_key_is_revoked() {
    let (_folder, db) = in_new_folder("bank.db");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let arguments = ["key", "create", "--db", db.to_str().unwrap()];
    let output = command(&arguments).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let arguments = ["key", "list", "--db", db.to_str().unwrap()];
    let listed = told(&mut command(&arguments), &arguments);
    assert!(listed.lines().nth(2).unwrap().ends_with("  test  revoked"), "{listed}");
}

/// Wrong usage ends with 2, whichever part notices it.
#[test]
fn wrong_questions_are_told_apart() {
    let mut shown = String::new();
    for arguments in [
        &["listen", "--forward-to", "nope"][..],
        &["scenario", "show", "nope"],
        &["serve", "--memory", "--listen", "nope"],
        &["serve", "--memory", "--db", "bank.db"],
        &["doctor", "--seed", "one"],
        &["accounts", "--limit", "0"],
    ] {
        shown += &told(&mut command(arguments), arguments);
    }
    insta::assert_snapshot!(shown, @"
    $ bankfeed listen --forward-to nope
    ! error: invalid target address 'nope': not a valid URL
    !   tip: An address looks like http://127.0.0.1:4242/webhook
    ends with 2
    $ bankfeed scenario show nope
    ! error: no ready scenario has the name 'nope'
    !   tip: Accepted values: steady-income, gig-worker, overdrawn, fraud-pattern, closed-account, slow-bank, flaky-bank, busy-business.
    ends with 2
    $ bankfeed serve --memory --listen nope
    ! error: the setting listen (flag) is 'nope', but must be HOST:PORT, such as 127.0.0.1:12111
    ends with 2
    $ bankfeed serve --memory --db bank.db
    ! error: the settings db and memory contradict each other
    !   tip: Leave one of them out
    ends with 2
    $ bankfeed doctor --seed one
    ! error: the setting seed (flag) is 'one', but must be a whole number
    ends with 2
    $ bankfeed accounts --limit 0
    ! error: invalid value '0' for '--limit <NUMBER>': 0 is not in 1..=2000000
    !
    ! For more information, try '--help'.
    ends with 2
    ");
}

/// The settings can also be printed as JSON.
#[test]
fn settings_are_json_too() {
    let arguments = ["config", "--json", "--memory", "--seed", "7"];
    let shown = told(&mut command(&arguments), &arguments);
    let lines: Vec<serde_json::Value> =
        shown.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let seed = lines.iter().find(|line| line["name"] == "seed").unwrap();
    assert_eq!(*seed, serde_json::json!({"from": "flag", "name": "seed", "value": "7"}));
    let find = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    assert_eq!(find("public-url")["derived_from"], "listen");
    assert_eq!(find("seal-key-file").get("derived_from"), None);
    let people = told(&mut command(&["config", "--memory", "--seed", "7"]), &[]);
    assert_eq!(people.lines().count() - 1, lines.len());
}

/// A scenario is read from standard input, also with the byte order mark that some editors write.
#[test]
fn scenarios_come_by_pipe() {
    for (text, told) in [
        ("name = \"One\"\naccounts = [{ name = \"A\" }]", "One: 1 account at 1 bank\n"),
        (
            "\u{feff}{\"name\": \"Two\", \"accounts\": [{\"name\": \"A\"}]}",
            "Two: 1 account at 1 bank\n",
        ),
    ] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        drop(writer);
        let output = command(&["scenario", "check", "-"]).stdin(reader).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), told);
    }
}
