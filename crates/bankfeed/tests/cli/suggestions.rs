//! Tests of the advice for mistyped names.

use crate::support::{Server, command, in_new_folder, told};

/// The nearest bank, account, snapshot and event type is suggested. A short list is shown whole.
#[test]
fn suggests_names_of_the_server() {
    let server = Server::start();
    server.run(&["snapshot", "create", "seeded"]);
    let mut shown = server.run(&["link", "--bank", "Test (OAth)"]);
    shown += &server.run(&["link", "--bank", "Ownership Accounts", "--account", "Ownership Fals"]);
    shown += &server.run(&["snapshot", "restore", "seeds"]);
    shown += &server.run(&["trigger", "payment_intent.suceeded"]);
    shown += &server.run(&["trigger", "test_helpers.test_clock.internal_failure"]);
    for event_type in ["customer.creatd", "custmer.*", "customer.*", "*", "customer.created"] {
        shown += &server.run(&["events", "--type", event_type]);
    }
    insta::assert_snapshot!(shown, @"
    $ bankfeed link --bank Test (OAth)
    ! error: the server rejected the call: No such institution: 'Test (OAth)'. Did you mean 'Test (OAuth)'?
    !   tip: `bankfeed link --list` shows the banks
    ends with 1
    $ bankfeed link --bank Ownership Accounts --account Ownership Fals
    ! error: the server rejected the call: The institution has no account 'Ownership Fals'. Did you mean 'Ownership Fails'? Accepted values: One Owner, Joint Owners, Several Owners, Name Only, Missing Fields, No Owners, Slow Ownership, Ownership Unsupported, Ownership Fails.
    !   tip: `bankfeed link --list` shows the banks and their accounts
    ends with 1
    $ bankfeed snapshot restore seeds
    ! error: no snapshot has the name 'seeds'
    !   tip: Accepted values: seeded. List all with `bankfeed snapshot list`
    ends with 2
    $ bankfeed trigger payment_intent.suceeded
    ! error: no event of the type 'payment_intent.suceeded' can be triggered
    !   tip: Did you mean 'payment_intent.succeeded'? Accepted values: payment_intent.created, payment_intent.requires_action, payment_intent.processing, payment_intent.succeeded, payment_intent.payment_failed, payment_intent.canceled. List all with `bankfeed trigger --list`
    ends with 2
    $ bankfeed trigger test_helpers.test_clock.internal_failure
    ! error: no event of the type 'test_helpers.test_clock.internal_failure' can be triggered
    !   tip: Accepted values: test_helpers.test_clock.created, test_helpers.test_clock.advancing, test_helpers.test_clock.ready, test_helpers.test_clock.deleted. List all with `bankfeed trigger --list`
    ends with 2
    $ bankfeed events --type customer.creatd
    ! warning: The server emits no event of the type 'customer.creatd'. Did you mean 'customer.created'?
    ! no events
    $ bankfeed events --type custmer.*
    ! warning: The server emits no event of the type 'custmer.*'.
    ! no events
    $ bankfeed events --type customer.*
    WHEN                 TYPE              STATUS  OBJECT                        EVENT                         PENDING
    2026-01-01 00:00:00  customer.deleted          cus_0vIseXMSiAu6OkezM9RgGuTn  evt_9RP1R1d0yzB001wfumZm9bXd        0
    2026-01-01 00:00:00  customer.created          cus_0vIseXMSiAu6OkezM9RgGuTn  evt_9RP1R1d0yzB000BwSNRBf3Mt        0
    2026-01-01 00:00:00  customer.deleted          cus_0vIseXMSg7XbSq2pVHUFLwad  evt_9RP1R1d0yzB006KlWQStCnaB        0
    2026-01-01 00:00:00  customer.created          cus_0vIseXMSg7XbSq2pVHUFLwad  evt_9RP1R1d0yzB00AdLjwXQ8Itk        0
    $ bankfeed events --type *
    ! no events
    $ bankfeed events --type customer.created
    WHEN                 TYPE              STATUS  OBJECT                        EVENT                         PENDING
    2026-01-01 00:00:00  customer.created          cus_0vIseXMSiAu6OkezM9RgGuTn  evt_9RP1R1d0yzB000BwSNRBf3Mt        0
    2026-01-01 00:00:00  customer.created          cus_0vIseXMSg7XbSq2pVHUFLwad  evt_9RP1R1d0yzB00AdLjwXQ8Itk        0
    ");
}

/// The nearest command, scenario and setting is suggested, also for a variable, which has no effect
/// otherwise.
#[test]
fn suggests_names_of_the_program() {
    let (_folder, file) = in_new_folder("bankfeed.toml");
    std::fs::write(&file, "memroy = true").unwrap();
    let file = file.to_str().unwrap();
    let mut shown = String::new();
    for arguments in [
        &["acounts"][..],
        &["scenario", "show", "overdraw"],
        &["serve", "--memory", "--listen", "127.0.0.1:0", "--scenario", "overdraw"],
        &["serve", "--memroy"],
        &["serve", "--config", file],
    ] {
        shown += &told(&mut command(arguments), arguments).replace(file, "bankfeed.toml");
    }
    let arguments = ["scenario", "show", "nope"];
    let mut misspelled = command(&arguments);
    shown += &told(misspelled.env("BANKFEED_MEMROY", "true"), &arguments);
    insta::assert_snapshot!(shown, @"
    $ bankfeed acounts
    ! error: unrecognized subcommand 'acounts'
    !
    !   tip: a similar subcommand exists: 'accounts'
    !
    ! Usage: bankfeed [OPTIONS] <COMMAND>
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed scenario show overdraw
    ! error: no ready scenario has the name 'overdraw'
    !   tip: Did you mean 'overdrawn'? Accepted values: steady-income, gig-worker, overdrawn, fraud-pattern, closed-account, slow-bank, flaky-bank, busy-business.
    ends with 2
    $ bankfeed serve --memory --listen 127.0.0.1:0 --scenario overdraw
    ! error: could not read the scenario overdraw: No such file or directory (os error 2)
    !   tip: Name a file or a ready scenario. Did you mean 'overdrawn'? Accepted values: steady-income, gig-worker, overdrawn, fraud-pattern, closed-account, slow-bank, flaky-bank, busy-business.
    ends with 1
    $ bankfeed serve --memroy
    ! error: unexpected argument '--memroy' found
    !
    !   tip: a similar argument exists: '--memory'
    !
    ! Usage: bankfeed serve --memory[=<true|false>]
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed serve --config bankfeed.toml
    ! error: the settings file bankfeed.toml has the unknown key 'memroy'. Did you mean 'memory'?
    ends with 2
    $ bankfeed scenario show nope
    ! warning: The variable BANKFEED_MEMROY has no effect. Did you mean BANKFEED_MEMORY?
    ! error: no ready scenario has the name 'nope'
    !   tip: Accepted values: steady-income, gig-worker, overdrawn, fraud-pattern, closed-account, slow-bank, flaky-bank, busy-business.
    ends with 2
    ");
}

/// A name without its beginning leads to the whole name. A mistyped event of `listen` is reported once,
/// by the server.
#[test]
fn names_the_nearest_event() {
    let server = Server::start();
    let mut shown = server.run(&["trigger", "account.refreshed_balance"]);
    shown += &server.run(&["listen", "--events", "custmer.created"]);
    insta::assert_snapshot!(shown, @"
    $ bankfeed trigger account.refreshed_balance
    ! error: no event of the type 'account.refreshed_balance' can be triggered
    !   tip: Did you mean 'financial_connections.account.refreshed_balance'? List all with `bankfeed trigger --list`
    ends with 2
    $ bankfeed listen --events custmer.created
    ! error: the server rejected the call: custmer.created is not the name of an event type. Did you mean customer.created?
    ends with 1
    ");
}

/// `run` has a server of its own by default, and leaves the key to the command. Its help says so.
#[test]
fn run_describes_its_own_defaults() {
    let arguments = ["run", "--help"];
    let help = told(&mut command(&arguments), &arguments);
    let lines: Vec<&str> = help.lines().filter(|line| line.contains("[env: ")).collect();
    insta::assert_snapshot!(lines.join("\n").replace("      ", ""), @"
    --api-key <KEY>   API key for the command [default: the command's own] [env: BANKFEED_API_KEY]
    --api-base <URL>  Address of the server [default: a server of this run] [env: BANKFEED_API_BASE] [alias: --url]
    ");
}
