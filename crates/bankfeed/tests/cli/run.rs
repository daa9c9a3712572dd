//! Tests of `run`: its command calls Stripe's hosts, and the exit code, the signals and the files.

use crate::support::{Server, call, command, told};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use testkit::process::{Process, send_signal};

const KEY: &str = "sk_test_run";
const CUSTOMERS: &str = "https://api.stripe.com/v1/customers";

/// A run of a command without remarks.
fn run(words: &[&str]) -> Command {
    command(&[&["run", "--quiet", "--"], words].concat())
}

/// The trimmed output of a successful command.
fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// curl reaches the server of the run by Stripe's own address, and trusts it.
#[test]
fn curl_reaches_the_server_by_the_default_address() {
    let words = ["curl", "--silent", "--show-error", "--user", "sk_test_run:", CUSTOMERS];
    let made = output(run(&[&words[..], &["--data", "email=ada@example.com"]].concat()));
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["email"], "ada@example.com");
}

/// With `--url`, the calls reach that server. It is the one that `bankfeed` commands inside use too.
#[test]
fn a_running_server_can_be_used() {
    let server = Server::start();
    let script = "curl -s -u $STRIPE_API_KEY: -d name=Ada https://api.stripe.com/v1/customers \
                  && echo && echo $BANKFEED_API_BASE";
    let words = ["run", "--quiet", "--api-key", KEY, "--", "sh", "-c", script];
    let shown = output(server.command(&words));
    assert_eq!(shown.lines().last().unwrap(), server.url);
    let list = call(&server.url, KEY, "GET", "/v1/customers", "").1;
    assert_eq!(list["data"][0]["name"], "Ada");
}

/// Other hosts are refused with a remark that names the flag.
#[test]
fn other_hosts_are_refused() {
    let words = ["run", "--", "curl", "-s", "https://example.com/"];
    let shown = told(&mut command(&words), &words);
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("server http")).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    $ bankfeed run -- curl -s https://example.com/
    ! bankfeed run: calls of example.com are refused; allow them with `--allow example.com`
    ends with 56
    ");
}

/// A line at the start names the server, the key and the proxy.
#[test]
fn a_line_names_server_key_and_proxy() {
    let output = command(&["run", "--", "true"]).output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    let shown: String = line.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    insta::assert_snapshot!(shown.trim(), @"bankfeed run: server http://...:, any test key such as sk_test_, proxy http://...:");
    assert_eq!(command(&["run", "--quiet", "--", "true"]).output().unwrap().stderr, b"");
}

/// The exit code is the command's, that of the signal that ended it, or that of shells for a missing
/// command.
#[test]
fn exit_codes_are_passed_on() {
    let code = |words: &[&str]| run(words).output().unwrap().status.code();
    assert_eq!(code(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["sh", "-c", "kill -KILL $$"]), Some(137));
    assert_eq!(code(&["/missing/command"]), Some(127));
    assert_eq!(code(&["/"]), Some(126));
    let words = ["run", "--", "/missing/command"];
    let shown = told(&mut command(&words), &words);
    assert!(shown.contains("! error: could not run '/missing/command'"), "{shown}");
}

/// A signal reaches the command, and the run waits for its end. No file stays.
#[test]
fn signals_are_forwarded_and_no_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'kill $!; exit 3' TERM; trap 'kill $!; exit 4' INT; tail -f /dev/null & \
                  ls $TMPDIR | wc -l; echo ready; wait";
    for (signal, code) in [("TERM", 3), ("INT", 4)] {
        let mut run = run(&["sh", "-c", script]);
        // A group of its own, as a signal from a terminal would reach the command directly.
        run.env("TMPDIR", folder.path()).stderr(Stdio::null()).process_group(0);
        let process = Process::start(&mut run).unwrap();
        process.after("ready").unwrap();
        send_signal(process.pid(), signal).unwrap();
        assert_eq!(process.end().unwrap().0.code(), Some(code), "{signal}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{signal}");
    }
}

/// A server behind TLS or a path cannot be used, because bytes are passed on unchanged.
#[test]
fn addresses_with_tls_are_rejected() {
    let words = ["run", "--url", "https://127.0.0.1:1", "--", "true"];
    insta::assert_snapshot!(told(&mut command(&words), &words), @"
    $ bankfeed run --url https://127.0.0.1:1 -- true
    ! error: cannot use the server address 'https://127.0.0.1:1'
    !   tip: An address for this command looks like http://127.0.0.1:12111
    ends with 2
    ");
}

/// Without `--`, the error shows the form of the command line.
#[test]
fn the_command_needs_a_separator() {
    let output = command(&["run", "pytest"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("Usage: bankfeed run [OPTIONS] -- <COMMAND>..."), "{error}");
}
