//! Tests of `judge`.

use crate::support::Server;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The response to a client other than the commands.
fn get(server: &Server, path: &str) -> serde_json::Value {
    call(server, "GET", path, "")
}

fn call(server: &Server, method: &str, path: &str, form: &str) -> serde_json::Value {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let length = form.len();
    let head = format!("Authorization: Bearer sk_test_123\r\n{kind}Content-Length: {length}\r\n");
    let close = "Connection: close\r\n";
    let begin = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    write!(stream, "{begin}{head}{close}\r\n{form}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

/// Replaces the ids of requests, because the number of earlier requests varies.
fn without_requests(told: &str) -> String {
    let mut pieces = told.split("req_");
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |shown, piece| format!("{shown}req_…{}", &piece[24..]))
}

/// Calls of the commands do not count as the client's. For a client with a fault, the command
/// prints the diagnostic with the fix and ends with 1. Observations can be reset. Without an
/// observation, the command ends with 3.
#[test]
fn judges_a_client() {
    let (server, account) = Server::linked(&["--subscribe"]);
    server.run(&["transactions", &account, "--limit", "2"]);
    let mut told = server.run(&["judge"]);
    let path = format!("/v1/financial_connections/transactions?account={account}");
    let newest = get(&server, &path)["data"][0]["transacted_at"].as_i64().unwrap();
    for least in [newest, newest + 1] {
        get(&server, &format!("{path}&transacted_at[gte]={least}"));
    }
    told += &server.run(&["judge", "--running", "--reset"]);
    told += &server.run(&["judge", "--running"]);
    get(&server, &format!("/v1/financial_connections/accounts/{account}"));
    told += &server.run(&["judge"]);
    told += &server.run(&["judge", "--api-key", "nonsense"]);
    insta::assert_snapshot!(without_requests(&told), @"
    $ bankfeed judge
    0 calls, 0 webhooks, 0 accounts watched; nothing was seen of a client with this key
    ! error: no client with this key was observed
    !   tip: Name the client's key with --api-key, and the server that it used with --api-base
    ends with 3
    $ bankfeed judge --running --reset
    3 calls, 0 webhooks, 1 account watched; found:

    time_as_cursor  fca_0vIseXMSiAu8P8oVp4PoNoHu
      The client looks for new transactions by transacted_at. It never sees rows that the bank dates back, posts later, changes or removes.
      - listed from transacted_at 1767223258 on  req_…
      - listed from transacted_at 1767223259 on  req_…
      Fix: Remember transaction_refresh.id of each event and list with transaction_refresh[after]. Upsert rows by id.
    ! error: the client has a fault
    !   tip: Apply the fix of each finding, and run the tests again
    ends with 1
    $ bankfeed judge --running
    0 calls, 0 webhooks, 0 accounts watched; nothing was seen of a client with this key
    $ bankfeed judge
    1 call, 0 webhooks, 1 account watched; nothing found
    $ bankfeed judge --api-key nonsense
    ! error: the server rejected the key …: Invalid API key: ****
    !   tip: Name a key with --api-key or BANKFEED_API_KEY; `bankfeed key create` issues one
    ends with 1
    ");
    let report = &server.json(&["judge"])[0];
    assert_eq!(report["object"], "bankfeed.consumer_report");
}

/// With the realistic profile a refresh is pending for a while, so a client that reads right after
/// its request is reported. The judge counts the refreshes.
#[test]
fn a_slow_bank_shows_clients_that_do_not_wait() {
    // The delay is an hour, so that the refresh is pending however slow the test is.
    let server = Server::with(&["--memory", "--realistic", "--refresh-delay", "1h"]);
    let account = server.link(&[]);
    let path = format!("/v1/financial_connections/accounts/{account}");
    call(&server, "POST", &format!("{path}/refresh"), "features[]=balance");
    get(&server, &path);
    let output = server.command(&["judge", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "read_while_pending");
    assert_eq!(report["refreshes"][0]["balance"], 1);
    let told = server.run(&["judge"]);
    assert!(
        told.contains("\nrefreshes started: 1, the most for one account on one day 1 ("),
        "{told}"
    );
    assert!(told.contains("\nends with 1\n"), "{told}");
}
