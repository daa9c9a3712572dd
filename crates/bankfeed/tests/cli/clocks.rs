//! Tests of `advance`.

use crate::support::Server;

/// The clock's id is optional if there is only one clock, and required otherwise.
#[test]
fn advances_a_clock() {
    let server = Server::start();
    let mut told = server.run(&["advance", "3d"]);
    let account = server.link(&["--new-clock=1767225600", "--subscribe"]);
    told += &server.run(&["advance", "3d12h"]);
    let accounts = server.json(&["accounts", &account]);
    assert_eq!(accounts[0]["transaction_refresh"]["status"], "succeeded");
    told += &server.run(&["link", "--new-clock=1767225600"]);
    told += &server.run(&["advance", "1d"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed advance 3d
    ! error: there is no test clock
    !   tip: Create one, with a customer and an account, with `bankfeed link --new-clock`
    ends with 2
    $ bankfeed advance 3d12h
    clock   clock_0vIseXMSf66Y2YruZ62XeNHJ
    status  ready
    from    2026-01-01 00:00:00
    to      2026-01-04 12:00:00
    $ bankfeed link --new-clock=1767225600
    ID                            BANK              ACCOUNT  LAST4  KIND      STATUS  TRANSACTIONS
    fca_0vIseXMSo07IviJDOdcqbM5F  Test (Non-OAuth)  Success  8723   checking  active  never
    ! created the customer cus_0vIseXMSl9bMBvBtzIoAGx8p on the test clock clock_0vIseXMSkUI4G2Awa2VrmuGg
    $ bankfeed advance 1d
    ! error: there are several test clocks
    !   tip: Name one of them:
    !        clock_0vIseXMSkUI4G2Awa2VrmuGg  2026-01-01 00:00:00
    !        clock_0vIseXMSf66Y2YruZ62XeNHJ  2026-01-04 12:00:00
    ends with 2
    ");
}

/// A span longer than the server accepts at once is split into several calls.
#[test]
fn advances_far() {
    let (server, _) = Server::linked(&["--new-clock=1600000000"]);
    let mut told = server.run(&["advance", "5y"]);
    told += &server.run(&["advance", "20y"]);
    told += &server.run(&["advance", "3x"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed advance 5y
    clock   clock_0vIseXMSf66Y2YruZ62XeNHJ
    status  ready
    from    2020-09-13 12:26:40
    to      2025-09-12 12:26:40
    $ bankfeed advance 20y
    ! error: the duration is longer than ten years
    !   tip: Advance in several commands
    ends with 2
    $ bankfeed advance 3x
    ! error: invalid value '3x' for '<DURATION>': '3x' is not a duration. Use a unit, such as 3d, 12h or 1w2d
    !
    ! For more information, try '--help'.
    ends with 2
    ");
}

/// With `--settled` it returns after every webhook of the advance was attempted once.
#[test]
fn advances_until_all_is_settled() {
    let (server, _) = Server::linked(&["--new-clock=1767225600", "--subscribe"]);
    let closed = "url=http://127.0.0.1:9/&enabled_events[]=*";
    server.call("POST", "/v1/webhook_endpoints", closed);
    let told = server.run(&["advance", "7d", "--settled"]);
    let deliveries = server.call("GET", "/v1/test_helpers/deliveries?limit=100", "");
    let deliveries = deliveries["data"].as_array().unwrap();
    // Seven refreshes, and the two events of the clock.
    assert_eq!(deliveries.len(), 9, "{told}");
    assert!(deliveries.iter().all(|delivery| delivery["attempts"].as_array().unwrap().len() == 1));
}
