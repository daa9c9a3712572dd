//! Tests of help texts and of the flags that every command accepts.

use crate::support::{Server, command, in_new_folder, told};

/// The output of a command that needs no server.
fn run(arguments: &[&str]) -> String {
    told(&mut command(arguments), arguments)
}

/// The program's help text shows every command in its group.
#[test]
fn shows_commands_in_groups() {
    insta::assert_snapshot!(run(&["--help"]), @"
    $ bankfeed --help
    A self-hosted server that speaks Stripe's Financial Connections API

    Usage: bankfeed [OPTIONS] <COMMAND>

    Set up and run a server:
      serve         Run the server
      demo          Run the main job on a server of its own, step by step
      key           Issue, list and revoke API keys, also while the server runs
      registration  List and set registrations for live data
      config        Print every setting of `serve`, with its source
      doctor        Check everything that `serve` needs
      health        Check if a server is ready
      backup        Copy a server's data into a folder, also while it runs
      restore       Restore a server's data from a backup
      completions   Print the completion script for a shell

    Use a running server:
      link          Link bank accounts without a browser
      accounts      List bank accounts, or show one
      transactions  List the transactions of a bank account
      refresh       Refresh a bank account
      advance       Advance a test clock
      export        Export transactions as CSV, JSON lines, OFX or Parquet
      snapshot      Save and restore the data of a merchant
      reset         Remove all data of a merchant except snapshots
      get           Send a GET request to the API
      post          Send a POST request to the API
      delete        Send a DELETE request to the API
      mcp           Serve the API's tools to an agent by MCP

    Test a client:
      run           Run a program whose calls of Stripe reach bankfeed
      scenario      List, print, check, export and import scenarios
      trigger       Trigger an event
      events        List events, show one with its deliveries, or resend one
      listen        Print events as they happen, and forward them to a URL
      judge         Report client behaviour that would lose data

    Options:
          --api-key <KEY>   API key, which selects the merchant [env: BANKFEED_API_KEY] [default: sk_test_123]
          --api-base <URL>  Address of the server [env: BANKFEED_API_BASE] [default: http://127.0.0.1:12111] [alias: --url]
          --json            Print JSON: one document, or one line for each object of a list
      -h, --help            Print help
      -V, --version         Print version

    Examples:
      bankfeed serve --memory
      bankfeed link --new-clock --subscribe

    `bankfeed COMMAND --help` describes a command.
    ");
}

/// The settings of the server are shown in groups, with defaults and variables. The flags of
/// commands that call a server are not shown.
#[test]
fn shows_settings_in_groups() {
    insta::assert_snapshot!(run(&["serve", "--help"]), @"
    $ bankfeed serve --help
    Run the server

    Usage: bankfeed serve [OPTIONS]

    Options:
          --config <FILE>  TOML file with settings [env: BANKFEED_CONFIG]
      -h, --help           Print help

    Listening:
          --listen <HOST:PORT>              Address to listen on; port 0 picks a free port [default: 127.0.0.1:12111] [env: BANKFEED_LISTEN]
          --public-url <URL>                URL for clients [default: the listening address] [env: BANKFEED_PUBLIC_URL]
          --allowed-hosts <HOST>            Further host name of this server; may be repeated [env: BANKFEED_ALLOWED_HOSTS]
          --trusted-proxy <ADDRESS>         Proxy whose X-Forwarded-For is used; may be repeated [env: BANKFEED_TRUSTED_PROXY]
          --tls-cert <FILE>                 Certificate chain for https, as PEM; with --tls-key [env: BANKFEED_TLS_CERT]
          --tls-key <FILE>                  Private key of the certificate, as PEM [env: BANKFEED_TLS_KEY]
          --ready-file <FILE>               File that receives the URL of the ready server [env: BANKFEED_READY_FILE]
          --stop-with-stdin[=<true|false>]  Stop when standard input is closed [env: BANKFEED_STOP_WITH_STDIN]

    Storage:
          --db <FILE>              Database; created if it does not exist [default: bankfeed.db] [env: BANKFEED_DB]
          --memory[=<true|false>]  Use a temporary database, removed at exit [env: BANKFEED_MEMORY]
          --seal-key-file <FILE>   Key that seals secrets [default: database name + .key] [env: BANKFEED_SEAL_KEY_FILE]

    Keys:
          --keys <any|issued>     Any test key, or issued keys only [default: any on loopback] [env: BANKFEED_KEYS]
          --api-keys-file <FILE>  Issued keys [default: database name + .api-keys] [env: BANKFEED_API_KEYS_FILE]

    Test banks:
          --scenario <FILE>  File or name of a scenario; may be repeated [env: BANKFEED_SCENARIO]

    Merchant:
          --merchant-name <TEXT>     Merchant's name on pages for holders [default: Test merchant] [env: BANKFEED_MERCHANT_NAME]
          --merchant-color <COLOR>   Colour of buttons on these pages, such as #2a4fd6 [env: BANKFEED_MERCHANT_COLOR]
          --merchant-logo <FILE>     Logo on these pages; an SVG or PNG up to 64 KiB [env: BANKFEED_MERCHANT_LOGO]
          --merchant-address <TEXT>  Address on bills and invoices; | begins a new line [env: BANKFEED_MERCHANT_ADDRESS]

    Time and randomness:
          --seed <NUMBER>   Seed that repeats ids, secrets and banks [env: BANKFEED_SEED]
          --time <SECONDS>  Fixed Unix time of all objects without a test clock [env: BANKFEED_TIME]

    Refreshes:
          --refresh-delay <DURATION>
              Time until the bank responds in test mode, off test clocks [default: 0s] [env: BANKFEED_REFRESH_DELAY]
          --cool-down-test <SECONDS>
              Time between two refreshes in test mode [default: 0] [env: BANKFEED_COOL_DOWN_TEST]
          --cool-down-clock <SECONDS>
              Time between two refreshes on a test clock [default: 0] [env: BANKFEED_COOL_DOWN_CLOCK]
          --cool-down-live <SECONDS>
              Time between two refreshes in live mode [default: balance=600,ownership=86400,transactions=21600] [env: BANKFEED_COOL_DOWN_LIVE]
          --show-refresh-errors[=<true|false>]
              Show errors of failed refreshes in every API version [env: BANKFEED_SHOW_REFRESH_ERRORS]

    Webhooks:
          --deny-private-webhooks[=<true|false>]
              Post test webhooks to public addresses only [env: BANKFEED_DENY_PRIVATE_WEBHOOKS]
          --webhook-allow <NETWORK>
              Private addresses for live webhooks; may be repeated [env: BANKFEED_WEBHOOK_ALLOW]
          --webhook-delay <DURATION>
              Time from an event to its webhooks in test mode [default: 0s] [env: BANKFEED_WEBHOOK_DELAY]
          --retry-test <DURATIONS>
              Waits between delivery attempts in test mode [default: 5s,10m,2h] [env: BANKFEED_RETRY_TEST]
          --retry-test-jitter <PERCENT>
              Maximum random extension of a wait in test mode [default: 10] [env: BANKFEED_RETRY_TEST_JITTER]
          --retry-live <DURATIONS>
              Waits between delivery attempts in live mode [default: 1m,5m,30m,2h,5h,10h,14h,20h,20h] [env: BANKFEED_RETRY_LIVE]
          --retry-live-jitter <PERCENT>
              Maximum random extension of a wait in live mode [default: 20] [env: BANKFEED_RETRY_LIVE_JITTER]

    Tests of clients:
          --fault <FORM>              Fault, such as kind=webhook_lost&every=3; may be repeated [env: BANKFEED_FAULT]
          --realistic[=<true|false>]  Use the delays and cool-downs of real banks in test mode [env: BANKFEED_REALISTIC]
          --strict[=<true|false>]     Reject known parameters that have no effect [env: BANKFEED_STRICT]
          --record <FILE>             File that receives each API request with its response [env: BANKFEED_RECORD]
          --else <URL>                Server for calls that this server does not have [env: BANKFEED_ELSE]

    Logs and metrics:
          --log-format <human|json>     Format of the log on standard error [default: human] [env: BANKFEED_LOG_FORMAT]
          --log-level <LEVEL>           Log level: error, warn, info, debug, trace or off [default: info] [env: BANKFEED_LOG_LEVEL]
          --metrics <on|off|HOST:PORT>  Address of /metrics [default: on for loopback] [env: BANKFEED_METRICS]

    Workers:
          --sandbox-idle-days <DAYS>  Days after which a full server removes unused test data [default: 30] [env: BANKFEED_SANDBOX_IDLE_DAYS]
          --lease-ms <MS>             Time for which a worker leases its work [default: 60000] [env: BANKFEED_LEASE_MS]
          --poll-ms <MS>              Time after which an idle worker polls again [default: 500] [env: BANKFEED_POLL_MS]

    Examples:
      bankfeed serve --memory
      bankfeed serve --db /var/lib/bankfeed/bankfeed.db --keys issued
      bankfeed serve --memory --seed 7 --time 1790000000 --scenario overdrawn
    ");
}

/// The help text of a command shows its flags, the flags of every command, and examples.
#[test]
fn shows_flags_and_examples() {
    insta::assert_snapshot!(run(&["post", "--help"]), @"
    $ bankfeed post --help
    Send a POST request to the API

    Usage: bankfeed post [OPTIONS] <PATH>

    Arguments:
      <PATH>  Path of the call, with or without /v1

    Options:
      -d, --data <KEY=VALUE>       Parameter in Stripe's bracket style; may be repeated
          --api-version <VERSION>  API version of the call
          --account <ACCOUNT>      Connected account in which the call acts
          --idempotency-key <KEY>  Idempotency key of the call
      -h, --help                   Print help

    Global options:
          --api-key <KEY>   API key, which selects the merchant [env: BANKFEED_API_KEY] [default: sk_test_123]
          --api-base <URL>  Address of the server [env: BANKFEED_API_BASE] [default: http://127.0.0.1:12111] [alias: --url]
          --json            Print JSON: one document, or one line for each object of a list

    Examples:
      bankfeed post /v1/customers -d email=ada@example.com -d 'metadata[order]=7'
      bankfeed post customers/cus_123 -d name=Ada --idempotency-key order-7
    ");
}

/// Every command that the program's help text lists has a help text with examples.
#[test]
fn every_command_shows_examples() {
    let help = run(&["--help"]);
    let groups = help.lines().skip_while(|line| !line.ends_with("server:"));
    let groups = groups.take_while(|line| *line != "Options:");
    let names = groups.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let mut count = 0;
    for name in names {
        let shown = run(&[name, "--help"]);
        assert!(shown.contains(&format!("\nExamples:\n  bankfeed {name}")), "{shown}");
        count += 1;
    }
    assert!(count > 20, "{help}");
}

/// Global flags are accepted before and after a command, and also by subcommands.
#[test]
fn global_flags_have_any_place() {
    let (server, account) = Server::linked(&["--api-key", "sk_test_other"]);
    for arguments in [
        &["--json", "--api-key", "sk_test_other", "accounts"][..],
        &["accounts", "--json", "--api-key", "sk_test_other"],
        &["--json", "accounts", "--api-key", "sk_test_other"],
    ] {
        let shown = server.run(arguments);
        assert!(shown.contains(&format!("\"id\":\"{account}\"")), "{shown}");
    }
    let url = server.url.as_str();
    assert!(run(&["--url", url, "snapshot", "list"]).contains("no snapshots"));
    assert!(run(&["snapshot", "list", "--api-base", url]).contains("no snapshots"));
}

/// A global flag without an effect on a command is rejected.
#[test]
fn flags_without_effect_are_rejected() {
    let mut shown = run(&["serve", "--json"]);
    shown += &run(&["key", "list", "--api-key", "sk_test_1"]);
    shown += &run(&["--json", "demo"]);
    shown += &run(&["export", "fca_123", "--json"]);
    insta::assert_snapshot!(shown, @"
    $ bankfeed serve --json
    ! error: `bankfeed serve` does not use --json; leave it out
    !
    ! Usage: bankfeed [OPTIONS] <COMMAND>
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed key list --api-key sk_test_1
    ! error: `bankfeed key list` does not use --api-key; leave it out
    !
    ! Usage: bankfeed [OPTIONS] <COMMAND>
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed --json demo
    ! error: `bankfeed demo` does not use --json; leave it out
    !
    ! Usage: bankfeed [OPTIONS] <COMMAND>
    !
    ! For more information, try '--help'.
    ends with 2
    $ bankfeed export fca_123 --json
    ! error: `bankfeed export` without a file does not use --json; choose --format jsonl for rows as JSON
    !
    ! Usage: bankfeed [OPTIONS] <COMMAND>
    !
    ! For more information, try '--help'.
    ends with 2
    ");
}

/// Commands that print lines for people print objects with `--json`.
#[test]
fn local_commands_print_json() {
    let (_folder, db) = in_new_folder("bank.db");
    let key = |arguments: &[&str]| {
        let db = ["--json", "--db", db.to_str().unwrap()];
        let arguments = [&["key"], arguments, &db].concat();
        let output = command(&arguments).output().unwrap();
        let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        objects.map(Result::unwrap).collect::<Vec<serde_json::Value>>()
    };
    let created = &key(&["create", "--name", "Books"])[0];
    assert!(created["secret"].as_str().unwrap().starts_with("sk_test_"));
    let id = created["id"].as_str().unwrap();
    let listed = &key(&["list"])[0];
    assert_eq!([&listed["id"], &listed["name"], &listed["state"]], [id, "Books", "active"]);
    assert!(listed.get("secret").is_none());
    assert_eq!(key(&["revoke", id])[0]["state"], "revoked");

    let scenarios = run(&["scenario", "list", "--json"]);
    assert!(scenarios.contains("\"name\":\"overdrawn\""), "{scenarios}");
    let shown = run(&["scenario", "show", "overdrawn", "--json"]);
    assert!(shown.contains("\"scenario\": \"name = \\\"Overdrawn\\\""), "{shown}");
}

/// The usage line of an error does not depend on the variables of global flags.
#[test]
fn usage_lines_ignore_variables() {
    let arguments = ["export", "--format", "csv"];
    let mut export = command(&arguments);
    export.env("BANKFEED_API_KEY", "sk_test_1").env("BANKFEED_API_BASE", "http://127.0.0.1:1");
    let shown = told(&mut export, &arguments);
    assert_eq!(shown, run(&arguments));
    insta::assert_snapshot!(shown, @"
    $ bankfeed export --format csv
    ! error: the following required arguments were not provided:
    !   <ACCOUNT>
    !
    ! Usage: bankfeed export --format <FORMAT> <ACCOUNT>
    !
    ! For more information, try '--help'.
    ends with 2
    ");
    let arguments = ["key", "revoke"];
    let shown = told(command(&arguments).env("BANKFEED_CONFIG", "/nowhere"), &arguments);
    assert_eq!(shown, run(&arguments));
}
