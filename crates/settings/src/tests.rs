//! Tests of the precedence, forms and errors of settings.

use super::*;
use std::io::Write as _;

fn nothing(_: &str) -> Option<String> {
    None
}

fn of_flags(flags: &[(&'static str, &str)]) -> Result<Settings, String> {
    let flags = flags.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    let resolved = resolve(&flags, nothing, None).map_err(|error| error.to_string())?;
    resolved.settings().map_err(|error| error.to_string())
}

/// Every default is valid, and other files are placed beside the database.
#[test]
fn defaults_are_read() {
    let settings = of_flags(&[]).unwrap();
    assert_eq!(settings.database, Database::File("bankfeed.db".into()));
    assert_eq!(settings.seal_key_file, Some("bankfeed.db.key".into()));
    assert_eq!(settings.keys, None);
}

/// A flag overrides a variable, a variable overrides the file, and the file overrides the default.
/// The table shows the source of each value.
#[test]
fn precedence() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "listen = '0.0.0.0:1'\nposts = 1").unwrap();
    let error = resolve(&BTreeMap::new(), nothing, Some(file.path())).unwrap_err();
    assert!(error.to_string().contains("the unknown key 'posts'"), "{error}");

    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = "listen = 'file:1'\nseed = 1\npoll_ms = 7\nretry-test = ['1s', '2s']\n\
                cool-down-live = { balance = 1, ownership = 2, transactions = 3 }";
    writeln!(file, "{text}").unwrap();
    let flags = BTreeMap::from([("listen", "flag:1".to_owned())]);
    let environment = |name: &str| match name {
        "BANKFEED_LISTEN" => Some("variable:1".to_owned()),
        "BANKFEED_SEED" => Some("2".to_owned()),
        _ => None,
    };
    let resolved = resolve(&flags, environment, Some(file.path())).unwrap();
    let settings = resolved.settings().unwrap();
    assert_eq!((settings.listen.as_str(), settings.seed), ("flag:1", Some(2)));
    assert_eq!(settings.poll_ms, 7);
    assert_eq!(settings.retry_test.waits_ms, [1_000, 2_000]);
    assert_eq!(settings.cool_down_live.transactions_s, 3);
    assert_eq!(settings.lease_ms, 60_000);
    assert_eq!(resolved.get("seed").1, &Source::Environment("BANKFEED_SEED".to_owned()));
    assert!(resolved.table().contains("flag:1"));
}

/// A text that the server parses keeps its source for the error.
#[test]
fn texts_keep_their_source() {
    let faults = of_flags(&[("fault", "kind=webhook_lost&every=3, every=3")]).unwrap().faults;
    assert_eq!(faults.values().collect::<Vec<_>>(), ["kind=webhook_lost&every=3", "every=3"]);
    insta::assert_snapshot!(
        faults.error("'every=3' is no fault"),
        @"the setting fault (flag) is 'kind=webhook_lost&every=3, every=3', but 'every=3' is no fault"
    );
}

/// The table shows the setting from which a default is derived. A temporary database has no files
/// beside it.
#[test]
fn derived_defaults_are_shown() {
    let shown = |flags: &[(&'static str, &str)]| {
        let flags = flags.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let table = resolve(&flags, nothing, None).unwrap().table();
        let names = ["public-url", "seal-key-file", "api-keys-file", "metrics"];
        let lines = table.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
    };
    let plain: String = shown(&[]);
    insta::assert_snapshot!(plain, @"
    public-url (from listen) default
    seal-key-file (from db) default
    api-keys-file (from db) default
    metrics (from listen) default
    ");
    let set: String = shown(&[("memory", "true"), ("metrics", "off"), ("public-url", "http://a")]);
    insta::assert_snapshot!(set, @"
    public-url http://a flag
    seal-key-file default
    api-keys-file default
    metrics off flag
    ");
    for entry in ENTRIES {
        let is_derived = entry.derived_from.is_some();
        assert!(!is_derived || entry.default.is_empty(), "{}", entry.name);
        let other = entry.derived_from.unwrap_or(entry.name);
        assert!(ENTRIES.iter().any(|entry| entry.name == other), "{other}");
    }
}

/// If both `db` and `memory` are set, the source with the higher precedence wins. With equal
/// precedence they conflict.
#[test]
fn database_or_memory() {
    assert_eq!(of_flags(&[("memory", "true")]).unwrap().database, Database::Temporary);
    assert_eq!(of_flags(&[("memory", "true")]).unwrap().seal_key_file, None);
    insta::assert_snapshot!(
        of_flags(&[("memory", "true"), ("db", "x.db")]).unwrap_err(),
        @"the settings db and memory contradict each other"
    );
    let flags = BTreeMap::from([("db", "x.db".to_owned())]);
    let variable = |name: &str| (name == "BANKFEED_MEMORY").then(|| "true".to_owned());
    let settings = resolve(&flags, variable, None).unwrap().settings().unwrap();
    assert_eq!(settings.database, Database::File("x.db".into()));
}

/// The colour and the lines of the address are parsed, and an error names the accepted form.
#[test]
fn brands_are_read() {
    let settings = of_flags(&[]).unwrap();
    assert_eq!((settings.merchant_color, settings.merchant_address), (None, Vec::new()));
    let address = "1 Kettle Lane, Suite 4 |Ashland, VA 23005\n | USA";
    let flags = [("merchant-color", "#2A4fd6"), ("merchant-address", address)];
    let settings = of_flags(&flags).unwrap();
    assert_eq!(settings.merchant_color.unwrap().to_string(), "#2a4fd6");
    assert_eq!(settings.merchant_address, ["1 Kettle Lane, Suite 4", "Ashland, VA 23005", "USA"]);
    let longest = vec!["x".repeat(80); 6].join("|");
    assert_eq!(of_flags(&[("merchant-address", &longest)]).unwrap().merchant_address.len(), 6);
    for long in [format!("{longest}|x"), "x".repeat(81), "a\tb".to_owned()] {
        assert!(of_flags(&[("merchant-address", &long)]).is_err(), "{long}");
    }
    let name = of_flags(&[("merchant-name", &format!(" {} ", "é".repeat(100)))]).unwrap();
    assert_eq!(name.merchant_name, "é".repeat(100));
    for wrong in [" ".to_owned(), "x".repeat(101), "a\u{1b}[31m".to_owned()] {
        assert!(of_flags(&[("merchant-name", &wrong)]).is_err(), "{wrong}");
    }
    let errors =
        [("merchant-name", " "), ("merchant-color", "blue"), ("merchant-address", "1|2|3|4|5|6|7")];
    insta::assert_snapshot!(
        errors.map(|flag| of_flags(&[flag]).unwrap_err()).join("\n"),
        @"
    the setting merchant-name (flag) is ' ', but must be 1 to 100 characters in one line
    the setting merchant-color (flag) is 'blue', but must be a # and six hexadecimal digits, such as #2a4fd6
    the setting merchant-address (flag) is '1|2|3|4|5|6|7', but must be at most 6 lines of 80 characters, with | between them
    "
    );
}

/// Scenarios are named by a repeated flag, or by a list in the file.
#[test]
fn scenarios_are_listed() {
    assert_eq!(
        of_flags(&[("scenario", "a.toml, overdrawn")]).unwrap().scenarios,
        ["a.toml", "overdrawn"]
    );
    assert!(of_flags(&[]).unwrap().scenarios.is_empty());
}

/// In test mode there is no cool-down, unless one is set.
#[test]
fn test_mode_has_no_cool_down() {
    let usual = of_flags(&[]).unwrap().cool_down_test;
    let seconds = [usual.balance_s, usual.ownership_s, usual.transactions_s];
    assert_eq!(seconds, [0, 0, 0]);
    let settings = of_flags(&[("cool-down-test", "5")]).unwrap();
    assert_eq!(settings.cool_down_test.balance_s, 5);
}

/// The realistic profile replaces the defaults of delays and cool-downs. A set value stays.
#[test]
fn realistic_is_a_profile() {
    let usual = of_flags(&[]).unwrap();
    assert_eq!((usual.refresh_delay_ms, usual.webhook_delay_ms), (0, 0));
    let profile = of_flags(&[("realistic", "true")]).unwrap();
    assert_eq!((profile.refresh_delay_ms, profile.webhook_delay_ms), (3_000, 2_000));
    assert_eq!(profile.cool_down_test, usual.cool_down_live);
    let set = [("realistic", "true"), ("refresh-delay", "20ms"), ("cool-down-test", "0")];
    let set = of_flags(&set).unwrap();
    assert_eq!((set.refresh_delay_ms, set.webhook_delay_ms), (20, 2_000));
    assert_eq!(set.cool_down_test.balance_s, 0);
    let flags = BTreeMap::from([("realistic", "true".to_owned())]);
    let table = resolve(&flags, |_| None, None).unwrap().table();
    let shown = table.lines().find(|line| line.starts_with("refresh-delay")).unwrap();
    assert_eq!(shown.split_whitespace().collect::<Vec<_>>(), ["refresh-delay", "3s", "realistic"]);
}

/// An invalid value is rejected with its setting, its source and the accepted values.
#[test]
fn rejects_bad_values() {
    let shown: String = [
        ("keys", "all"),
        ("memory", "yes"),
        ("seed", "-1"),
        ("time", "1"),
        ("cool-down-test", "balance=1"),
        ("cool-down-test", "-1"),
        ("refresh-delay", "61m"),
        ("webhook-delay", "2"),
        ("retry-test", "5"),
        ("retry-test-jitter", "101"),
        ("poll-ms", "0"),
        ("public-url", "example.com"),
        ("log-format", "xml"),
        ("log-level", "loud"),
        ("db", ""),
    ]
    .into_iter()
    .map(|flag| of_flags(&[flag]).unwrap_err().replace(", but ", ",\n  but ") + "\n")
    .collect();
    insta::assert_snapshot!(shown, @"
    the setting keys (flag) is 'all',
      but must be one of any, issued
    the setting memory (flag) is 'yes',
      but must be true or false
    the setting seed (flag) is '-1',
      but must be a whole number
    the setting time (flag) is '1',
      but must be a Unix time in seconds between 2020 and 2100
    the setting cool-down-test (flag) is 'balance=1',
      but must be seconds, or balance=SECONDS,ownership=SECONDS,transactions=SECONDS
    the setting cool-down-test (flag) is '-1',
      but must be seconds, or balance=SECONDS,ownership=SECONDS,transactions=SECONDS
    the setting refresh-delay (flag) is '61m',
      but must be a wait of at most 1h, such as 3s (units: ms, s, m, h)
    the setting webhook-delay (flag) is '2',
      but must be a wait of at most 1h, such as 3s (units: ms, s, m, h)
    the setting retry-test (flag) is '5',
      but must be waits such as 5s,10m,2h (units: ms, s, m, h, d)
    the setting retry-test-jitter (flag) is '101',
      but must be a whole number from 0 to 100
    the setting poll-ms (flag) is '0',
      but must be a whole number from 1 to 31622400000
    the setting public-url (flag) is 'example.com',
      but must be a URL that begins with http:// or https://
    the setting log-format (flag) is 'xml',
      but must be one of human, json
    the setting log-level (flag) is 'loud',
      but must be one of off, error, warn, info, debug, trace
    the setting db (flag) is '',
      but must name a file
    ");
}

/// Metrics are on, off or at an address. Proxies are addresses and networks.
#[test]
fn metrics_and_proxies_are_read() {
    let metrics = |text| of_flags(&[("metrics", text)]).map(|settings| settings.metrics);
    assert_eq!(of_flags(&[]).unwrap().metrics, None);
    assert_eq!(metrics("on"), Ok(Some(Metrics::On)));
    assert_eq!(metrics("off"), Ok(Some(Metrics::Off)));
    assert_eq!(metrics("[::1]:9464"), Ok(Some(Metrics::At("[::1]:9464".to_owned()))));
    insta::assert_snapshot!(
        metrics("9464").unwrap_err(),
        @"the setting metrics (flag) is '9464', but must be on, off or HOST:PORT, such as 127.0.0.1:9464"
    );
    let proxies = |text| of_flags(&[("trusted-proxy", text)]).map(|read| read.trusted_proxies);
    let networks = ["10.0.0.7/32", "10.1.0.0/16", "::1/128", "10.0.0.0/8"];
    let networks = networks.map(|text| text.parse().unwrap());
    let text = "10.0.0.7, 10.1.0.0/16,::1,::ffff:10.0.0.0/104";
    assert_eq!(proxies(text), Ok(networks.to_vec()));
    insta::assert_snapshot!(
        proxies("10.0.0.0/33").unwrap_err(),
        @"the setting trusted-proxy (flag) is '10.0.0.0/33', but must be addresses or networks, such as 10.0.0.7,10.1.0.0/16"
    );
}

/// The other server is an address without a path, a query or credentials.
#[test]
fn the_other_server_is_an_origin() {
    let other = |text| of_flags(&[("else", text)]).map(|read| read.other_server);
    assert_eq!(of_flags(&[]).unwrap().other_server, None);
    for (text, origin) in [
        ("http://127.0.0.1:12112", "http://127.0.0.1:12112"),
        ("http://Mock.Example/", "http://mock.example"),
        ("https://[::1]:443", "https://[::1]"),
    ] {
        assert_eq!(other(text), Ok(Some(origin.to_owned())));
    }
    for text in
        ["127.0.0.1:1", "ftp://a", "http://a/v1", "http://a?b", "http://u:p@a", "http://a#b"]
    {
        let error = other(text).unwrap_err();
        assert!(error.ends_with("must be http:// or https://, a host and a port"), "{error}");
    }
}

/// Hosts are names and domains, without a scheme or a port.
#[test]
fn hosts_are_read() {
    let hosts = |text| of_flags(&[("allowed-hosts", text)]).map(|read| read.allowed_hosts);
    assert_eq!(hosts("bankfeed, .corp.example").unwrap(), ["bankfeed", ".corp.example"]);
    assert!(hosts("").unwrap().is_empty());
    for wrong in ["http://a", "a:80", "*", "a b", "a..b", ".", "[::1]"] {
        assert!(hosts(wrong).unwrap_err().contains("host names without a port"), "{wrong}");
    }
    assert!(hosts(&vec!["a"; 101].join(",")).is_err());
}

/// Webhooks get permission for private networks only. A network is named by its first address.
#[test]
fn webhooks_are_allowed_to_private_networks() {
    let allowed = |text| of_flags(&[("webhook-allow", text)]).map(|read| read.webhook_allow);
    let private = "10.1.0.0/16,127.0.0.1,::1,fd00::/8,169.254.0.0/16";
    assert_eq!(allowed(private).map(|networks| networks.len()), Ok(5));
    let mut problems = Vec::new();
    for text in ["10.1.2.3/8", "8.8.8.0/24", "0.0.0.0/0", "224.0.0.0/4", "240.0.0.0/4", "2000::/3"]
    {
        problems.push(allowed(text).unwrap_err());
    }
    insta::assert_snapshot!(problems.join("\n"), @"
    the setting webhook-allow (flag) is '10.1.2.3/8', but must name networks by their first address: write 10.0.0.0/8 instead of 10.1.2.3/8
    the setting webhook-allow (flag) is '8.8.8.0/24', but must be within private networks, and 8.8.8.0/24 is public or reserved; webhooks to public addresses need no permission. Private are 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::1/128, fc00::/7, fe80::/10
    the setting webhook-allow (flag) is '0.0.0.0/0', but must be within private networks, and 0.0.0.0/0 is public or reserved; webhooks to public addresses need no permission. Private are 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::1/128, fc00::/7, fe80::/10
    the setting webhook-allow (flag) is '224.0.0.0/4', but must be within private networks, and 224.0.0.0/4 is public or reserved; webhooks to public addresses need no permission. Private are 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::1/128, fc00::/7, fe80::/10
    the setting webhook-allow (flag) is '240.0.0.0/4', but must be within private networks, and 240.0.0.0/4 is public or reserved; webhooks to public addresses need no permission. Private are 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::1/128, fc00::/7, fe80::/10
    the setting webhook-allow (flag) is '2000::/3', but must be within private networks, and 2000::/3 is public or reserved; webhooks to public addresses need no permission. Private are 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, ::1/128, fc00::/7, fe80::/10
    ");
    let proxies = of_flags(&[("trusted-proxy", "10.1.2.3/8")]).unwrap_err();
    insta::assert_snapshot!(proxies, @"the setting trusted-proxy (flag) is '10.1.2.3/8', but must name networks by their first address: write 10.0.0.0/8 instead of 10.1.2.3/8");
}

/// A symbolic link to a database leads to the files beside the database. A file beside the link, as
/// earlier releases made it, comes first.
#[test]
fn a_link_leads_to_the_files_of_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("data")).unwrap();
    std::os::unix::fs::symlink("data/bank.db", at("link.db")).unwrap();
    let read = || {
        let settings = of_flags(&[("db", at("link.db").to_str().unwrap())]).unwrap();
        (settings.seal_key_file.unwrap(), settings.api_keys_file.unwrap())
    };
    let beside = (at("data/bank.db.key"), at("data/bank.db.api-keys"));
    assert_eq!(read(), beside);
    std::fs::write(at("data/bank.db"), "").unwrap();
    assert_eq!(read(), beside.clone());
    std::fs::write(at("link.db.key"), "").unwrap();
    assert_eq!(read(), (at("link.db.key"), beside.1));
}

/// A key of the file that is nearly a setting's name is rejected with that name.
#[test]
fn unknown_keys_are_rejected() {
    let rejected = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{text}").unwrap();
        let error = resolve(&BTreeMap::new(), nothing, Some(file.path())).unwrap_err();
        error.to_string().replace(&file.path().display().to_string(), "FILE")
    };
    insta::assert_snapshot!(
        ["listne = 1", "posts = 1", "failpont = 1", "seed = 1.5"].map(rejected).join("\n"),
        @"
        the settings file FILE has the unknown key 'listne'. Did you mean 'listen'?
        the settings file FILE has the unknown key 'posts'. `bankfeed config` lists all settings
        the settings file FILE has the unknown key 'failpont'. `bankfeed config` lists all settings
        the settings file FILE has a date or a decimal number for 'seed'. Use a text, a whole number, true or false, a list or a table
        "
    );
}

/// A variable that is nearly a setting's variable gets a warning. Other variables do not, because
/// they may belong to other programs.
#[test]
fn misspelled_variables_are_found() {
    let names = [
        "BANKFEED_LISTEN",
        "BANKFEED_LISTNE",
        "BANKFEED_API_KYE",
        "BANKFEED_API_BASE",
        "BANKFEED_CONFIG",
        "BANKFEED_SERVICE_PORT",
        "PATH",
    ];
    insta::assert_snapshot!(
        misspelled_variables(names.map(str::to_owned)).join("\n"),
        @"
        The variable BANKFEED_LISTNE has no effect. Did you mean BANKFEED_LISTEN?
        The variable BANKFEED_API_KYE has no effect. Did you mean BANKFEED_API_KEY?
        "
    );
}

/// Settings of a group follow each other, and each help text is a short phrase.
#[test]
fn help_texts_are_short() {
    let mut headings: Vec<&str> = ENTRIES.iter().map(|entry| entry.heading).collect();
    headings.dedup();
    let groups = headings.len();
    headings.sort_unstable();
    headings.dedup();
    assert_eq!(headings.len(), groups);
    for Entry { name, help, .. } in ENTRIES {
        assert!(help.chars().count() <= 60, "{name}: {help}");
        assert!(help.starts_with(char::is_uppercase) && !help.ends_with('.'), "{name}: {help}");
    }
}

/// A certificate and its key are set together.
#[test]
fn a_certificate_needs_its_key() {
    let both = of_flags(&[("tls-cert", "a.pem"), ("tls-key", "b.pem")]).unwrap().tls.unwrap();
    assert_eq!((both.certificate, both.key), ("a.pem".into(), "b.pem".into()));
    assert_eq!(of_flags(&[]).unwrap().tls, None);
    let wrong = ["tls-cert", "tls-key"].map(|name| of_flags(&[(name, "a.pem")]).unwrap_err());
    insta::assert_snapshot!(wrong.join("\n"), @r"
    the setting tls-cert (flag) is 'a.pem', but tls-key must name its private key
    the setting tls-key (flag) is 'a.pem', but tls-cert must name its certificate
    ");
}
