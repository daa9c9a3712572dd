//! `listen` after its server was stopped and started again on the same port.

use crate::support::{call, command, in_new_folder};
use std::process::{Command, Stdio};
use testkit::process::{LISTENS, Process, send_signal};

const KEY: &str = "sk_test_123";

/// Starts a server, and returns its URL.
fn serve(flags: &[&str]) -> (Process, String) {
    let process = Process::start(command(&[&["serve"], flags].concat()).stderr(Stdio::null()));
    let process = process.unwrap();
    let url = process.after(LISTENS).unwrap();
    (process, url)
}

/// Starts `listen`, whose remarks are read with its output.
fn listen(url: &str, more: &[&str]) -> Process {
    let program = env!("CARGO_BIN_EXE_bankfeed");
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" listen \"$@\" 2>&1", program, "--api-base", url]).args(more);
    Process::start(&mut shell).unwrap()
}

fn create_customer(url: &str) -> String {
    let (status, customer) = call(url, KEY, "POST", "/v1/customers", "");
    assert_eq!(status, 200, "{customer}");
    customer["id"].as_str().unwrap().to_owned()
}

/// After a restart on the same database `listen` goes on with the same endpoint, and says once that the
/// server was lost and once that it is back.
#[test]
fn goes_on_after_a_restart() {
    let (_folder, db) = in_new_folder("bank.db");
    let db = db.to_str().unwrap();
    let (server, url) = serve(&["--listen", "127.0.0.1:0", "--db", db]);
    let listener = listen(&url, &[]);
    listener.after("printing only").unwrap();
    let customer = create_customer(&url);
    listener.after(&customer).unwrap();
    server.terminate().unwrap();
    listener.after(&format!("lost the server at {url}")).unwrap();
    let port = url.trim_start_matches("http://");
    let (_server, url) = serve(&["--listen", port, "--db", db]);
    listener.after(&format!("the server at {url} is back")).unwrap();
    let customer = create_customer(&url);
    listener.after(&customer).unwrap();
    let endpoints = call(&url, KEY, "GET", "/v1/webhook_endpoints", "").1;
    assert_eq!(endpoints["data"].as_array().unwrap().len(), 1);
    listener.terminate().unwrap();
    let endpoints = call(&url, KEY, "GET", "/v1/webhook_endpoints", "").1;
    assert_eq!(endpoints["data"].as_array().unwrap().len(), 0);
}

/// The end of the terminal removes the endpoint, as the other signals do.
#[test]
fn the_end_of_the_terminal_removes_the_endpoint() {
    let (_server, url) = serve(&["--listen", "127.0.0.1:0", "--memory"]);
    let listener = listen(&url, &[]);
    listener.after("printing only").unwrap();
    send_signal(listener.pid(), "HUP").unwrap();
    listener.end().unwrap();
    let endpoints = call(&url, KEY, "GET", "/v1/webhook_endpoints", "").1;
    assert_eq!(endpoints["data"].as_array().unwrap().len(), 0);
}

/// A server with an empty database gets another endpoint, and `listen` receives the events that were
/// emitted before that. The forms of both kinds of events are equal in this.
#[test]
fn an_empty_server_gets_another_endpoint() {
    for more in [&[][..], &["--thin"]] {
        let (server, url) = serve(&["--listen", "127.0.0.1:0", "--memory"]);
        let listener = listen(&url, more);
        let first = listener.after("the signing secret is ").unwrap();
        server.terminate().unwrap();
        listener.after("lost the server").unwrap();
        let port = url.trim_start_matches("http://");
        let (_server, url) = serve(&["--listen", port, "--memory"]);
        let missed = ["POST"; 2].map(|_| create_customer(&url));
        listener.after("gets another one").unwrap();
        let second = listener.after("the signing secret is ").unwrap();
        assert_ne!(first, second);
        // They are sent again side by side.
        let mut missed = Vec::from(missed);
        while !missed.is_empty() {
            let line = listener.next_line().unwrap();
            missed.retain(|customer| !line.contains(customer));
        }
        let customer = create_customer(&url);
        listener.after(&customer).unwrap();
        listener.terminate().unwrap();
    }
}

/// At the end, `listen` without its server ends with success.
#[test]
fn ends_without_its_server() {
    let (server, url) = serve(&["--listen", "127.0.0.1:0", "--memory"]);
    let listener = listen(&url, &[]);
    listener.after("printing only").unwrap();
    server.terminate().unwrap();
    listener.after("lost the server").unwrap();
    assert_eq!(listener.terminate().unwrap().code(), Some(0));
}
