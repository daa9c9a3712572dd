//! Tests of the built binary as a process: its end after a signal, and the events it forwards.
//!
//! Each wait is for a named condition, and fails if the condition never comes true.

use crate::support::{call, command};
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::net::TcpListener;

/// The time limit of a wait, far longer than any condition needs.
const WAIT: Duration = Duration::from_mins(1);
const KEY: &str = "sk_test_123";

/// A running command, killed if a test ends without stopping it.
struct Process {
    child: Child,
    /// The lines of its output. The channel closes when the process ends.
    lines: Receiver<String>,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child =
            command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = told.send(line);
            }
        });
        Self { child, lines }
    }

    /// Starts a server on a port of its own, and returns its URL.
    fn serve() -> (Self, String) {
        let process = Self::start(&["serve", "--listen", "127.0.0.1:0", "--memory"]);
        let url = process.after(" listens on ");
        (process, url)
    }

    /// Runs a command that ends on its own, and returns its exit status and output.
    fn run(arguments: &[&str]) -> (ExitStatus, Vec<String>) {
        let mut process = Self::start(arguments);
        let mut told = Vec::new();
        while let Ok(line) = process.lines.recv_timeout(WAIT) {
            told.push(line);
        }
        (process.child.wait().unwrap(), told)
    }

    /// The rest of the next line that contains these words.
    fn after(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(WAIT).unwrap();
            if let Some((_, rest)) = line.split_once(words) {
                return rest.to_owned();
            }
        }
    }

    /// Sends SIGTERM, and returns the exit status.
    fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        // The output closes when the process ends. A process that does not end fails here.
        while let Ok(_line) = self.lines.recv_timeout(WAIT) {}
        let ended =
            matches!(self.lines.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
        assert!(ended, "the process did not end");
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number of objects in a list.
fn count(list: &Value) -> usize {
    list["data"].as_array().unwrap().len()
}

/// A server that gets a signal right after its greeting ends in order, with 0.
#[test]
fn ends_in_order_right_after_its_greeting() {
    let (server, _) = Process::serve();
    let status = server.terminate();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// `listen` forwards an event with its body and its signature, which the printed secret verifies.
/// At its end, its endpoint is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn forwards_signed_events() {
    let (told, events): (Sender<(String, Bytes)>, _) = channel();
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target_url = format!("http://{}/hook", target.local_addr().unwrap());
    let hook = move |headers: HeaderMap, body: Bytes| async move {
        let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
        told.send((signature, body)).unwrap();
    };
    let service = Router::new().route("/hook", post(hook));
    tokio::spawn(async move { axum::serve(target, service).await });

    let (server, url) = Process::serve();
    let listener = Process::start(&["listen", "--api-base", &url, "--forward-to", &target_url]);
    let secret = listener.after("the signing secret is ");
    let made = call(&url, KEY, "POST", "/v1/customers", "").1;
    let customer = made["id"].as_str().unwrap();

    let (signature, body) = events.recv_timeout(WAIT).unwrap();
    let signed_at = signature.strip_prefix("t=").and_then(|rest| rest.split_once(','));
    let signed_at = signed_at.unwrap().0.parse().unwrap();
    assert_eq!(wire::signature::verify(&signature, &secret, &body, signed_at, 0), Ok(()));
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["type"], "customer.created");
    assert_eq!(event["data"]["object"]["id"], customer);
    assert!(listener.after("customer.created").contains(customer));

    let endpoints = || count(&call(&url, KEY, "GET", "/v1/webhook_endpoints", "").1);
    assert_eq!(endpoints(), 1);
    assert_eq!(listener.terminate().code(), Some(0));
    assert_eq!(endpoints(), 0);
    assert_eq!(server.terminate().code(), Some(0));
}

/// Keys are issued and revoked while the server runs. The next request with a new key succeeds, and
/// the next one with a revoked key fails. The text of a key is shown once, and is in no file.
#[test]
fn issues_and_revokes_keys_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("bank.db");
    let db = db.to_str().unwrap();
    let server =
        Process::start(&["serve", "--listen", "127.0.0.1:0", "--keys", "issued", "--db", db]);
    let url = server.after(" listens on ");
    let key = |arguments: &[&str]| {
        let (status, told) = Process::run(&[&["key"], arguments, &["--db", db]].concat());
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
        .collect();
    assert_eq!(named, ["ID  LIVE  live  active   Books", "OTHER  TEST  test  active"]);

    assert_eq!(key(&["revoke", &id]), (Some(0), vec![format!("{id} is revoked")]));
    assert_eq!(customers(&secret).1["error"]["code"], "api_key_expired");
    assert_eq!(customers(&test_secret).0, 200);
    assert_eq!(key(&["revoke", &id]).0, Some(1));
    assert_eq!(key(&["create", "--merchant", "acct_1"]).0, Some(1));
    assert!(key(&["list"]).1[0].contains("revoked"));

    assert_eq!(server.terminate().code(), Some(0));
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

/// A server with scenarios links their banks with any key. For an invalid file, the error names
/// line and key, and no server starts.
#[test]
fn serves_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.toml");
    std::fs::write(&file, "name = \"One\"\n[[accounts]]\nname = \"First\"").unwrap();
    let file = file.to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--memory", "--scenario", file];
    let server = Process::start(&[&serve[..], &["--scenario", "overdrawn"]].concat());
    let url = server.after(" listens on ");
    for bank in ["One", "Overdrawn"] {
        let linked = Process::run(&["link", "--api-base", &url, "--bank", bank]);
        assert_eq!(linked.0.code(), Some(0), "{bank}");
    }
    assert_eq!(server.terminate().code(), Some(0));

    let (status, told) = Process::run(&["scenario", "check", file]);
    assert_eq!((status.code(), told), (Some(0), vec!["One: 1 account at 1 bank".to_owned()]));
    std::fs::write(file, "name = \"One\"\n[[accounts]]\nname = 7").unwrap();
    assert_eq!(Process::run(&["scenario", "check", file]).0.code(), Some(1));
    assert_eq!(Process::run(&serve).0.code(), Some(1));
    let (_, listed) = Process::run(&["scenario", "list"]);
    assert_eq!(listed.len(), 8);
    let (_, shown) = Process::run(&["scenario", "show", "overdrawn"]);
    assert_eq!(shown[0], "name = \"Overdrawn\"");
}
