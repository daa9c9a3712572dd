//! Tests of `link`, `accounts`, `transactions` and `refresh`.

use crate::support::Server;

/// An account is linked, shown, refreshed and read, in tables for people.
#[test]
fn people_link_and_read() {
    let server = Server::start();
    let mut told = server.run(&["accounts"]);
    told += &server.run(&["link", "--subscribe"]);
    let account = server.json(&["accounts"])[0]["id"].as_str().unwrap().to_owned();
    told += &server.run(&["accounts"]);
    told += &server.run(&["accounts", &account]);
    told += &server.run(&["refresh", &account, "--wait", "--feature", "balance,transactions"]);
    told += &server.run(&["transactions", &account, "--limit", "5"]);
    let first = server.json(&["accounts", &account]);
    let refresh = first[0]["transaction_refresh"]["id"].as_str().unwrap();
    told += &server.run(&["transactions", &account, "--after", refresh]);
    insta::assert_snapshot!(told, @"
    $ bankfeed accounts
    ! no accounts; link one with `bankfeed link`
    $ bankfeed link --subscribe
    ID                            BANK              ACCOUNT  LAST4  KIND      STATUS  TRANSACTIONS
    fca_0vIseXMSiAu8P8oVp4PoNoHu  Test (Non-OAuth)  Success  8723   checking  active  succeeded 2026-01-01
    ! created the customer cus_0vIseXMSf66gKkPr5RRiG6Qh
    $ bankfeed accounts
    ID                            BANK              ACCOUNT  LAST4  KIND      STATUS  TRANSACTIONS
    fca_0vIseXMSiAu8P8oVp4PoNoHu  Test (Non-OAuth)  Success  8723   checking  active  succeeded 2026-01-01
    $ bankfeed accounts fca_0vIseXMSiAu8P8oVp4PoNoHu
    id                   fca_0vIseXMSiAu8P8oVp4PoNoHu
    bank                 Test (Non-OAuth)
    account              Success
    last4                8723
    kind                 cash, checking
    status               active
    holder               cus_0vIseXMSf66gKkPr5RRiG6Qh
    linked               2026-01-01 00:00:00
    permissions          balances, ownership, payment_method, transactions
    subscriptions        transactions
    transaction_refresh  succeeded  2026-01-01 00:00:00  fctxnref_0vIseXMSiAu1IAX8vKpd7xyr
    $ bankfeed refresh fca_0vIseXMSiAu8P8oVp4PoNoHu --wait --feature balance,transactions
    FEATURE       STATUS     STARTED              AGAIN FROM           REFRESH
    balance       succeeded  2026-01-01 00:00:00  2026-01-01 00:00:00
    transactions  succeeded  2026-01-01 00:00:00  2026-01-01 00:00:00  fctxnref_0vIseXMSiAu0IhvK8zqC2GQ6
    $ bankfeed transactions fca_0vIseXMSiAu8P8oVp4PoNoHu --limit 5
    ID                              DAY          AMOUNT       STATUS   DESCRIPTION
    fctxn_0vIseXMSiAu0092h2YZyINIY  2025-12-31  -471.32  usd  posted   TRANSFER TO SAVINGS ...3750 REF #IB29EM4KP
    fctxn_0vIseXMSiAu0092gOQX78SXh  2025-12-31    -1.00  usd  pending  PRAIRIE FUEL #0547     SPRINGFIELD IL
    fctxn_0vIseXMSiAu0092eusARzzwW  2025-12-30   -20.00  usd  pending  PAYPAL *ROCKET DELIVER SALEM MA
    fctxn_0vIseXMSiAu0092bk4eeN7Tz  2025-12-28  -131.40  usd  posted   THREAD AND NEEDLE #091 RIVERTON UT
    fctxn_0vIseXMSiAu0092Zf0aaLuuU  2025-12-27   -28.63  usd  posted   WELLSPRING PHARMACY #0 ASHLAND VA
    $ bankfeed transactions fca_0vIseXMSiAu8P8oVp4PoNoHu --after fctxnref_0vIseXMSiAu0IhvK8zqC2GQ6
    ! no transactions
    ");
}

/// Programs get objects as the API returns them: a list as one line per object, and one object as a
/// document.
#[test]
fn programs_get_json() {
    let (server, account) = Server::linked(&["--subscribe"]);
    server.link(&["--bank", "Bank (Non-OAuth)", "--account", "Savings"]);
    let told = server.run(&["transactions", &account, "--limit", "2", "--json"]);
    insta::assert_snapshot!(told, @r#"
    $ bankfeed transactions fca_0vIseXMSiAu8P8oVp4PoNoHu --limit 2 --json
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":-47132,"currency":"usd","description":"TRANSFER TO SAVINGS ...3750 REF #IB29EM4KP","id":"fctxn_0vIseXMSiAu0092h2YZyINIY","livemode":false,"object":"financial_connections.transaction","status":"posted","status_transitions":{"posted_at":1767223258,"void_at":null},"transacted_at":1767223258,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    {"account":"fca_0vIseXMSiAu8P8oVp4PoNoHu","amount":-100,"currency":"usd","description":"PRAIRIE FUEL #0547     SPRINGFIELD IL","id":"fctxn_0vIseXMSiAu0092gOQX78SXh","livemode":false,"object":"financial_connections.transaction","status":"pending","status_transitions":{"posted_at":null,"void_at":null},"transacted_at":1767190354,"transaction_refresh":"fctxnref_0vIseXMSiAu1IAX8vKpd7xyr","updated":1767225600}
    "#);
    let path = format!("/v1/financial_connections/accounts/{account}");
    let shown =
        format!("$ bankfeed accounts {account} --json\n{:#}\n", server.call("GET", &path, ""));
    assert_eq!(server.run(&["accounts", &account, "--json"]), shown);
    assert_eq!(server.run(&["accounts", "--json"]).lines().count(), 3);
    assert_eq!(server.json(&["accounts", "--limit", "1"]).len(), 1);
}

/// All pages of a list are read, and each row is printed once.
#[test]
fn reads_all_pages() {
    let (server, account) = Server::linked(&["--subscribe"]);
    let rows = server.json(&["transactions", &account]);
    assert!(rows.len() > 200, "{}", rows.len());
    let ids: std::collections::BTreeSet<_> =
        rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rows.len());
    assert_eq!(server.json(&["transactions", &account, "--limit", "150"]).len(), 150);
    let table = server.run(&["transactions", &account]);
    assert_eq!(table.lines().count(), rows.len() + 2);
}

/// Banks and their accounts are listed. An unknown bank or carrier is an error with advice.
#[test]
fn names_the_banks() {
    let server = Server::start();
    let listed = server.run(&["link", "--list"]);
    let mut told = listed.lines().take(5).collect::<Vec<_>>().join("\n") + "\n";
    told += &server.run(&["link", "--bank", "Nowhere"]);
    told += &server.run(&["link", "--carrier", "pi_123"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed link --list
    BANK, ACCOUNTS                                   WHAT IT DOES
    Test (Non-OAuth)                                 A login form that takes anything.
      Success                                        A checking account with the income of its holder; payments from it succeed.
      Failure                                        Inactive from the moment it is linked.
    $ bankfeed link --bank Nowhere
    ! error: the server rejected the call: No such institution: 'Nowhere'.
    !   tip: `bankfeed link --list` shows the banks
    ends with 1
    $ bankfeed link --carrier pi_123
    ! error: the server rejected the call: No such payment_intent: 'pi_123'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    ");
}

/// A failed refresh ends the command with 1. Listing transactions before a successful refresh is an
/// error with advice.
#[test]
fn a_failed_refresh_is_told() {
    let (server, account) =
        Server::linked(&["--bank", "Ownership Accounts", "--account", "Ownership Fails"]);
    let mut told = server.run(&["refresh", &account, "--feature", "ownership", "--wait"]);
    told += &server.run(&["transactions", &account]);
    insta::assert_snapshot!(told, @"
    $ bankfeed refresh fca_0vIseXMSiAu8P8oVp4PoNoHu --feature ownership --wait
    FEATURE    STATUS  STARTED              AGAIN FROM           REFRESH
    ownership  failed  2026-01-01 00:00:00  2026-01-01 00:00:00
    ! error: the refresh of ownership failed
    !   tip: Read the column AGAIN FROM, and repeat the command then
    ends with 1
    $ bankfeed transactions fca_0vIseXMSiAu8P8oVp4PoNoHu
    ! error: the server rejected the call: No refresh of this account's transactions has succeeded yet.
    !   tip: Refresh the account with `bankfeed refresh ACCOUNT --wait`
    ends with 1
    ");
}

/// Every kind of carrier can be linked, and the command shows the linked account.
#[test]
fn links_other_carriers() {
    let server = Server::start();
    let mut linked = Vec::new();
    for event in ["payment_intent.created", "setup_intent.created", "invoice.finalized"] {
        let event = server.json(&["trigger", event]);
        let carrier = event[0]["data"]["object"]["id"].as_str().unwrap();
        linked.push(server.link(&["--carrier", carrier]));
    }
    let form = "mode=setup&currency=usd&success_url=https://example.com/done";
    let session = server.call("POST", "/v1/checkout/sessions", form);
    linked.push(server.link(&["--carrier", session["id"].as_str().unwrap()]));
    for account in linked {
        let shown = server.json(&["accounts", &account]);
        assert_eq!(shown[0]["object"], "financial_connections.account");
    }
    let told = server.run(&["link", "--carrier", "cs_test_1", "--customer", "cus_1"]);
    assert!(told.contains("ends with 2"), "{told}");
}

/// A rejected link leaves neither customer nor clock behind.
#[test]
fn a_link_that_fails_leaves_nothing() {
    let server = Server::start();
    let mut told = server.run(&["link", "--bank", "Nope"]);
    told += &server.run(&["link", "--account", "Nope", "--new-clock=1767225600"]);
    told += &server.run(&["link", "--permission", "everything"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed link --bank Nope
    ! error: the server rejected the call: No such institution: 'Nope'.
    !   tip: `bankfeed link --list` shows the banks
    ends with 1
    $ bankfeed link --account Nope --new-clock=1767225600
    ! error: the server rejected the call: The institution has no account 'Nope'.
    !   tip: `bankfeed link --list` shows the banks and their accounts
    ends with 1
    $ bankfeed link --permission everything
    ! error: the server rejected the call: Invalid permissions[0]: must be one of balances, ownership, payment_method, or transactions
    ends with 1
    ");
    for path in ["/v1/customers", "/v1/test_helpers/test_clocks"] {
        assert_eq!(server.call("GET", path, "")["data"], serde_json::json!([]));
    }
}

/// An account that its bank shut out is relinked, at its bank and with its permissions. The other
/// account of its login stays unchanged. If a relink cannot help, the error says so.
#[test]
fn links_an_account_again() {
    let server = Server::start();
    let bank =
        ["link", "--bank", "Test (Non-OAuth)", "--account", "Success", "--account", "Savings"];
    server.run(&[&bank[..], &["--permission", "balances"]].concat());
    let accounts = server.json(&["accounts"]);
    let [other, account] = [0, 1].map(|place| accounts[place]["id"].as_str().unwrap());
    let helpers = "/v1/test_helpers/financial_connections/accounts";
    for id in [other, account] {
        server.call("POST", &format!("{helpers}/{id}/deactivate"), "cause=access_expired");
    }
    let mut told = server.run(&["link", "--relink", account, "--prefetch", "balances"]);
    told += &server.run(&["accounts"]);
    server.call("POST", &format!("{helpers}/{account}/deactivate"), "action=none");
    told += &server.run(&["link", "--relink", account]);
    told += &server.run(&["link", "--relink", "fca_x"]);
    told += &server.run(&["link", "--relink", account, "--bank", "Test (OAuth)"]);
    insta::assert_snapshot!(told, @"
    $ bankfeed link --relink fca_0vIseXMSiAu8P8oVp4PoNoHu --prefetch balances
    ID                            BANK              ACCOUNT  LAST4  KIND      STATUS  TRANSACTIONS
    fca_0vIseXMSiAu8P8oVp4PoNoHu  Test (Non-OAuth)  Success  8723   checking  active  never
    $ bankfeed accounts
    ID                            BANK              ACCOUNT  LAST4  KIND      STATUS    TRANSACTIONS
    fca_0vIseXMSjICgkkVBtgwCzRe4  Test (Non-OAuth)  Savings  9902   savings   inactive  never
    fca_0vIseXMSiAu8P8oVp4PoNoHu  Test (Non-OAuth)  Success  8723   checking  active    never
    $ bankfeed link --relink fca_0vIseXMSiAu8P8oVp4PoNoHu
    ! error: the server rejected the call: Linking again does not help: nothing here is active or says relink_required.
    ends with 1
    $ bankfeed link --relink fca_x
    ! error: the server rejected the call: No such Financial Connections account: 'fca_x'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    $ bankfeed link --relink fca_0vIseXMSiAu8P8oVp4PoNoHu --bank Test (OAuth)
    ! error: the argument '--relink <ACCOUNT>' cannot be used with '--bank <NAME>'
    !
    ! Usage: bankfeed link --relink <ACCOUNT>
    !
    ! For more information, try '--help'.
    ends with 2
    ");
}
