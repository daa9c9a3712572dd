//! Tests of `events` and `trigger`.

use crate::support::Server;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A webhook receiver that returns these statuses, one after the other.
fn endpoint(statuses: &'static [&'static str]) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiving = std::thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 16_384];
            assert!(stream.read(&mut buffer).unwrap() > 0);
            let answer =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhm");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, receiving)
}

/// The deliveries of an event without values that differ between runs: real times and durations.
fn without_times(ledger: &str) -> String {
    let mut shown = String::new();
    for line in ledger.lines() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if let Some(place) = words.iter().position(|word| *word == "ms") {
            words.drain(place - 1..=place);
            words.retain(|word| !word.contains(':') && !word.starts_with("20") || *word == "200");
        }
        shown += &words.join(" ");
        shown += "\n";
    }
    shown
}

/// Every event of the list can be triggered, one after the other on one server.
#[test]
fn triggers_every_event() {
    let server = Server::start();
    let listed = server.run(&["trigger", "--list"]);
    let words: Vec<&str> = listed.lines().skip(1).collect();
    assert!(words.len() > 60, "{}", words.len());
    for (word, number) in words.iter().zip(0..) {
        let key = format!("sk_test_trigger{number}");
        let events = server.json(&["trigger", word, "--api-key", &key]);
        assert_eq!(events[0]["type"], *word);
    }
}

/// The created objects are shown. An existing account or customer can be named if the event can
/// happen to it.
#[test]
fn triggers_for_people() {
    let server = Server::start();
    let mut told = server.run(&["trigger", "payment_intent.succeeded"]);
    let account = server.link(&[]);
    let refreshed = "financial_connections.account.refreshed_transactions";
    told += &server.run(&["trigger", refreshed, "--account", &account]);
    told += &server.run(&["trigger", refreshed, "--account", &account]);
    told += &server.run(&["trigger", "customer.created", "--account", &account]);
    told += &server.run(&["trigger", "account.updated"]);
    told += &server.run(&["trigger", "payment_intent.paid"]);
    told += &server.run(&["trigger"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed trigger payment_intent.succeeded
    event   evt_9RP1R1d0yzB009wRjDbQ2vrz
    type    payment_intent.succeeded
    object  pi_0vIseXMSg7Xi6hbpEMYjrbfk
    at      2026-01-01 00:00:00
    CREATED         ID
    customer        cus_0vIseXMSf66gKkPr5RRiG6Qh
    payment_intent  pi_0vIseXMSg7Xi6hbpEMYjrbfk
    $ bankfeed trigger financial_connections.account.refreshed_transactions --account fca_0vIseXMSpcHIgJOV3W2JAuc6
    event   evt_0vIseXMSpcH008pn94q86Cwb
    type    financial_connections.account.refreshed_transactions
    object  fca_0vIseXMSpcHIgJOV3W2JAuc6
    at      2026-01-01 00:00:00
    ! created no other object
    $ bankfeed trigger financial_connections.account.refreshed_transactions --account fca_0vIseXMSpcHIgJOV3W2JAuc6
    event   evt_0vIseXMSpcH007VeNWhd4Jeq
    type    financial_connections.account.refreshed_transactions
    object  fca_0vIseXMSpcHIgJOV3W2JAuc6
    at      2026-01-01 00:00:00
    ! created no other object
    $ bankfeed trigger customer.created --account fca_0vIseXMSpcHIgJOV3W2JAuc6
    ! error: customer.created cannot be triggered for fca_0vIseXMSpcHIgJOV3W2JAuc6
    !   tip: Leave out --account, because the event needs a new object
    ends with 2
    $ bankfeed trigger account.updated
    event   evt_8iZtQvbwvKs000F7UFtFnot7
    type    account.updated
    object  acct_0vIseXMSqIwD0JodHXEWSnAe
    at      2026-01-01 00:00:00
    in      acct_0vIseXMSqIwD0JodHXEWSnAe
    CREATED  ID
    account  acct_0vIseXMSqIwD0JodHXEWSnAe
    $ bankfeed trigger payment_intent.paid
    ! error: no event of the type 'payment_intent.paid' can be triggered
    !   tip: Accepted values: payment_intent.created, payment_intent.requires_action, payment_intent.processing, payment_intent.succeeded, payment_intent.payment_failed, payment_intent.canceled. List all with `bankfeed trigger --list`
    ends with 2
    $ bankfeed trigger
    ! error: the following required arguments were not provided:
    !   <EVENT>
    !
    ! Usage: bankfeed trigger <EVENT>
    !
    ! For more information, try '--help'.
    ends with 2
    ");
}

/// Events are listed, newest first. One event is shown with its deliveries and their responses.
#[test]
fn shows_events_with_their_deliveries() {
    let server = Server::start();
    server.run(&["trigger", "customer.updated"]);
    let mut told = server.run(&["events"]);
    told += &server.run(&["events", "--type", "customer.created"]);
    let event = server.json(&["events", "--limit", "1"])[0]["id"].as_str().unwrap().to_owned();
    told += &server.run(&["events", &event]);
    told += &server.run(&["events", "evt_123"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed events
    WHEN                 TYPE              STATUS  OBJECT                        EVENT                         PENDING
    2026-01-01 00:00:00  customer.updated          cus_0vIseXMSf66gKkPr5RRiG6Qh  evt_9RP1R1d0yzB0056VN1USuq84        0
    2026-01-01 00:00:00  customer.created          cus_0vIseXMSf66gKkPr5RRiG6Qh  evt_9RP1R1d0yzB008ntivLffRgZ        0
    $ bankfeed events --type customer.created
    WHEN                 TYPE              STATUS  OBJECT                        EVENT                         PENDING
    2026-01-01 00:00:00  customer.created          cus_0vIseXMSf66gKkPr5RRiG6Qh  evt_9RP1R1d0yzB008ntivLffRgZ        0
    $ bankfeed events evt_9RP1R1d0yzB0056VN1USuq84
    event    evt_9RP1R1d0yzB0056VN1USuq84
    type     customer.updated
    object   cus_0vIseXMSf66gKkPr5RRiG6Qh
    at       2026-01-01 00:00:00
    request  req_3R5X4xIYSLSJvvme0ZfRQ6ks
    version  2026-08-26.dahlia
    ! no endpoint receives this event
    $ bankfeed events evt_123
    ! error: the server rejected the call: No such event: 'evt_123'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    ");
    let shown = server.json(&["events", &event]);
    assert_eq!(shown[0]["event"]["type"], "customer.updated");
    assert_eq!(shown[0]["deliveries"], serde_json::json!([]));
}

/// The deliveries of an event have a line for every attempt, with its response.
#[test]
fn shows_every_attempt() {
    let server = Server::with(&["--memory", "--retry-test", "10ms"]);
    let (url, receiving) = endpoint(&["500 Internal Server Error", "200 OK"]);
    server.call("POST", "/v1/webhook_endpoints", &format!("url={url}&enabled_events[]=*"));
    server.json(&["trigger", "customer.created"]);
    let event = server.call("GET", "/v1/test_helpers/events/wait?type=customer.created", "");
    receiving.join().unwrap();
    let told = server.run(&["events", event["id"].as_str().unwrap()]);
    insta::assert_snapshot!(without_times(&told), @"
    $ bankfeed events evt_9RP1R1d0yzB005qcjSxe01sT
    event evt_9RP1R1d0yzB005qcjSxe01sT
    type customer.created
    object cus_0vIseXMSfhIjot8NUZ1jAjzI
    at 2026-01-01 00:00:00
    request req_6VbDzP3TIFV9c86C1I1FyKfk
    version 2026-08-26.dahlia
    ENDPOINT DELIVERY ATTEMPT AT ANSWER TOOK FAULT BODY
    we_0vIseXMSf66fSkey7FTg9wIl succeeded 1 500 hm
    we_0vIseXMSf66fSkey7FTg9wIl succeeded 2 200 hm
    ");
}

/// An event is sent again to every endpoint that takes it, or to a named endpoint.
#[test]
fn sends_again() {
    let server = Server::start();
    let (url, receiving) = endpoint(&["200 OK", "200 OK"]);
    server.call("POST", "/v1/webhook_endpoints", &format!("url={url}&enabled_events[]=*"));
    let event = server.json(&["trigger", "customer.created"])[0]["id"].clone();
    let event = event.as_str().unwrap();
    server.call("GET", "/v1/test_helpers/events/wait?type=customer.created", "");
    let mut told = server.run(&["events", "resend", event]);
    // The endpoint has received it twice.
    receiving.join().unwrap();
    told += &server.run(&["events", "resend", event, "--webhook-endpoint", "we_123"]);
    told += &server.run(&["events", "resend", "evt_123"]);
    insta::assert_snapshot!(told.replace(event, "EVENT"), @"
    $ bankfeed events resend EVENT
    EVENT is sent again
    $ bankfeed events resend EVENT --webhook-endpoint we_123
    ! error: the server rejected the call: No such webhook endpoint: 'we_123'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    $ bankfeed events resend evt_123
    ! error: the server rejected the call: No such event: 'evt_123'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    ");
}

/// A call without a change emits no event, and the command says so without a long wait. A change
/// that can be repeated emits another event.
#[test]
fn says_why_nothing_happens() {
    let server = Server::with(&["--memory", "--cool-down-test", "60"]);
    let account = server.link(&[]);
    let customer = server.call("POST", "/v1/customers", "email=ada@example.com");
    let customer = customer["id"].as_str().unwrap();
    let mut told = String::new();
    let deactivated = "financial_connections.account.deactivated";
    let refreshed = "financial_connections.account.refreshed_balance";
    for event in [refreshed, refreshed, deactivated, deactivated] {
        told += &server.run(&["trigger", event, "--account", &account]);
    }
    for event in ["customer.updated", "customer.updated", "customer.deleted"] {
        let events = server.json(&["trigger", event, "--customer", customer]);
        assert_eq!(events[0]["data"]["object"]["id"], customer);
    }
    insta::assert_snapshot!(told, @"
    $ bankfeed trigger financial_connections.account.refreshed_balance --account fca_0vIseXMSiAu8P8oVp4PoNoHu
    event   evt_0vIseXMSiAu001wfumZm9bXd
    type    financial_connections.account.refreshed_balance
    object  fca_0vIseXMSiAu8P8oVp4PoNoHu
    at      2026-01-01 00:00:00
    ! created no other object
    $ bankfeed trigger financial_connections.account.refreshed_balance --account fca_0vIseXMSiAu8P8oVp4PoNoHu
    ! No refresh was started, because next_refresh_available_at is in the future.
    ! error: financial_connections.account.refreshed_balance was not emitted, because the call did not change fca_0vIseXMSiAu8P8oVp4PoNoHu; it can be refreshed again from 2026-01-01 00:01:00
    !   tip: Leave out --account and --customer to use new objects
    ends with 1
    $ bankfeed trigger financial_connections.account.deactivated --account fca_0vIseXMSiAu8P8oVp4PoNoHu
    event   evt_0vIseXMSiAu000dbDr0JCXpJ
    type    financial_connections.account.deactivated
    object  fca_0vIseXMSiAu8P8oVp4PoNoHu
    at      2026-01-01 00:00:00
    ! created no other object
    $ bankfeed trigger financial_connections.account.deactivated --account fca_0vIseXMSiAu8P8oVp4PoNoHu
    ! error: financial_connections.account.deactivated was not emitted, because the call did not change fca_0vIseXMSiAu8P8oVp4PoNoHu, which is already inactive
    !   tip: Leave out --account and --customer to use new objects
    ends with 1
    ");
}

/// A thin event is listed by its name, shown by its own id with its own delivery, and sent again. The
/// event of `/v1` shows the deliveries of both forms.
#[test]
fn shows_thin_events() {
    let server = Server::start();
    let (url, receiving) = endpoint(&["200 OK", "200 OK"]);
    let hook = format!("webhook_endpoint[url]={url}");
    let destination = [
        "post",
        "/v2/core/event_destinations",
        "-d",
        "name=Mine",
        "-d",
        "type=webhook_endpoint",
        "-d",
        "event_payload=thin",
        "-d",
        "enabled_events[]=v1.customer.created",
        "-d",
        &hook,
    ];
    assert!(server.run(&destination).contains(r#""event_payload": "thin""#));
    server.json(&["trigger", "customer.created"]);
    let wait = "/v1/test_helpers/events/wait?type=v1.customer.created";
    let event = server.call("GET", wait, "");
    let (thin, snapshot) = (&event["id"], &event["snapshot_event"]);
    let (thin, snapshot) = (thin.as_str().unwrap(), snapshot.as_str().unwrap());
    let mut told = server.run(&["events", "--type", "v1.customer.*"]);
    told += &server.run(&["events", "--type", "v1.mandate.updated"]);
    told += &without_times(&server.run(&["events", thin]));
    told += &without_times(&server.run(&["events", snapshot]));
    told += &server.run(&["events", "resend", thin]);
    receiving.join().unwrap();
    told += &server.run(&["get", "/v2/core/events/evt_123"]);
    insta::assert_snapshot!(told, @r#"
    $ bankfeed events --type v1.customer.*
    WHEN                 TYPE                 OBJECT                        EVENT
    2026-01-01 00:00:00  v1.customer.created  cus_0vIseXMSfhIjot8NUZ1jAjzI  evt_9RP1R1d0yzB00GpxsFyC5Aeb
    $ bankfeed events --type v1.mandate.updated
    ! no events
    $ bankfeed events evt_9RP1R1d0yzB00GpxsFyC5Aeb
    event evt_9RP1R1d0yzB00GpxsFyC5Aeb
    type v1.customer.created
    object cus_0vIseXMSfhIjot8NUZ1jAjzI
    at 2026-01-01 00:00:00
    request req_6VbDzP3TIFV9c86C1I1FyKfk
    snapshot event evt_9RP1R1d0yzB005qcjSxe01sT
    ENDPOINT DELIVERY ATTEMPT AT ANSWER TOOK FAULT BODY
    ed_test_0vIseXMSf66RWlY2BzRsOpKS succeeded 1 200 hm
    $ bankfeed events evt_9RP1R1d0yzB005qcjSxe01sT
    event evt_9RP1R1d0yzB005qcjSxe01sT
    type customer.created
    object cus_0vIseXMSfhIjot8NUZ1jAjzI
    at 2026-01-01 00:00:00
    request req_6VbDzP3TIFV9c86C1I1FyKfk
    version 2026-08-26.dahlia
    ENDPOINT TYPE DELIVERY ATTEMPT AT ANSWER TOOK FAULT BODY
    ed_test_0vIseXMSf66RWlY2BzRsOpKS v1.customer.created succeeded 1 200 hm
    $ bankfeed events resend evt_9RP1R1d0yzB00GpxsFyC5Aeb
    evt_9RP1R1d0yzB00GpxsFyC5Aeb is sent again
    $ bankfeed get /v2/core/events/evt_123
    {
      "error": {
        "code": "not_found",
        "message": "No such event: 'evt_123'",
        "type": "invalid_request_error"
      }
    }
    ! error: the server rejected the call: No such event: 'evt_123'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    "#);
}
