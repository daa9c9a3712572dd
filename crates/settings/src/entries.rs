//! The list of all settings, in groups.

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the flag and of the key in the file.
    pub name: &'static str,
    /// The heading of the group in help texts.
    pub heading: &'static str,
    /// The placeholder of the value in help texts. A switch without a value has none.
    pub value: Option<&'static str>,
    /// The default, or an empty text for no value.
    pub default: &'static str,
    /// The setting from which the server derives the default, if there is one.
    pub derived_from: Option<&'static str>,
    /// The purpose of the setting.
    pub help: &'static str,
    /// True if help texts omit the setting.
    pub hidden: bool,
    /// True if the flag may be repeated. Commas separate the values.
    pub repeats: bool,
    /// The default under the setting `realistic`, if it differs.
    pub realistic: Option<&'static str>,
}

const LISTENING: &str = "Listening";
const STORAGE: &str = "Storage";
const KEYS: &str = "Keys";
const BANKS: &str = "Test banks";
const MERCHANT: &str = "Merchant";
const TIME: &str = "Time and randomness";
const REFRESHES: &str = "Refreshes";
const WEBHOOKS: &str = "Webhooks";
const CLIENTS: &str = "Tests of clients";
const LOGS: &str = "Logs and metrics";
const WORKERS: &str = "Workers";

const fn entry(
    heading: &'static str,
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Entry {
    Entry {
        name,
        heading,
        value: Some(value),
        default,
        derived_from: None,
        help,
        hidden: false,
        repeats: false,
        realistic: None,
    }
}

/// A setting whose default the server derives from another setting.
const fn derived(derived_from: &'static str, entry: Entry) -> Entry {
    Entry { derived_from: Some(derived_from), ..entry }
}

const fn switch(heading: &'static str, name: &'static str, help: &'static str) -> Entry {
    Entry { value: None, ..entry(heading, name, "", "false", help) }
}

/// A setting with another default under the setting `realistic`.
const fn realistic(default: &'static str, entry: Entry) -> Entry {
    Entry { realistic: Some(default), ..entry }
}

/// The cool-downs of live mode, as Stripe's guide to refreshes gives them.
const LIVE_COOL_DOWNS: &str = "balance=600,ownership=86400,transactions=21600";

/// Every setting, in the order in which they are shown.
pub const ENTRIES: &[Entry] = &[
    entry(
        LISTENING,
        "listen",
        "HOST:PORT",
        "127.0.0.1:12111",
        "Address to listen on; port 0 picks a free port",
    ),
    derived(
        "listen",
        entry(
            LISTENING,
            "public-url",
            "URL",
            "",
            "URL for clients [default: the listening address]",
        ),
    ),
    Entry {
        repeats: true,
        ..entry(LISTENING, "allowed-hosts", "HOST", "", "Further host name of this server")
    },
    Entry {
        repeats: true,
        ..entry(LISTENING, "trusted-proxy", "ADDRESS", "", "Proxy whose X-Forwarded-For is used")
    },
    entry(LISTENING, "tls-cert", "FILE", "", "Certificate chain for https, as PEM; with --tls-key"),
    entry(LISTENING, "tls-key", "FILE", "", "Private key of the certificate, as PEM"),
    entry(LISTENING, "ready-file", "FILE", "", "File that receives the URL of the ready server"),
    switch(LISTENING, "stop-with-stdin", "Stop when standard input is closed"),
    entry(STORAGE, "db", "FILE", "bankfeed.db", "Database; created if it does not exist"),
    switch(STORAGE, "memory", "Use a temporary database, removed at exit"),
    derived(
        "db",
        entry(
            STORAGE,
            "seal-key-file",
            "FILE",
            "",
            "Key that seals secrets [default: database name + .key]",
        ),
    ),
    derived(
        "listen",
        entry(
            KEYS,
            "keys",
            "any|issued",
            "",
            "Any test key, or issued keys only [default: any on loopback]",
        ),
    ),
    derived(
        "db",
        entry(
            KEYS,
            "api-keys-file",
            "FILE",
            "",
            "Issued keys [default: database name + .api-keys]",
        ),
    ),
    Entry { repeats: true, ..entry(BANKS, "scenario", "FILE", "", "File or name of a scenario") },
    entry(
        MERCHANT,
        "merchant-name",
        "TEXT",
        "Test merchant",
        "Merchant's name on pages for holders",
    ),
    entry(
        MERCHANT,
        "merchant-color",
        "COLOR",
        "",
        "Colour of buttons on these pages, such as #2a4fd6",
    ),
    entry(MERCHANT, "merchant-logo", "FILE", "", "Logo on these pages; an SVG or PNG up to 64 KiB"),
    entry(
        MERCHANT,
        "merchant-address",
        "TEXT",
        "",
        "Address on bills and invoices; | begins a new line",
    ),
    entry(TIME, "seed", "NUMBER", "", "Seed that repeats ids, secrets and banks"),
    entry(TIME, "time", "SECONDS", "", "Fixed Unix time of all objects without a test clock"),
    realistic(
        "3s",
        entry(
            REFRESHES,
            "refresh-delay",
            "DURATION",
            "0s",
            "Time until the bank responds in test mode, off test clocks",
        ),
    ),
    realistic(
        LIVE_COOL_DOWNS,
        entry(
            REFRESHES,
            "cool-down-test",
            "SECONDS",
            "0",
            "Time between two refreshes in test mode",
        ),
    ),
    entry(
        REFRESHES,
        "cool-down-clock",
        "SECONDS",
        "0",
        "Time between two refreshes on a test clock",
    ),
    entry(
        REFRESHES,
        "cool-down-live",
        "SECONDS",
        LIVE_COOL_DOWNS,
        "Time between two refreshes in live mode",
    ),
    switch(
        REFRESHES,
        "show-refresh-errors",
        "Show errors of failed refreshes in every API version",
    ),
    switch(WEBHOOKS, "deny-private-webhooks", "Post test webhooks to public addresses only"),
    Entry {
        repeats: true,
        ..entry(WEBHOOKS, "webhook-allow", "NETWORK", "", "Private addresses for live webhooks")
    },
    realistic(
        "2s",
        entry(
            WEBHOOKS,
            "webhook-delay",
            "DURATION",
            "0s",
            "Time from an event to its webhooks in test mode",
        ),
    ),
    entry(
        WEBHOOKS,
        "retry-test",
        "DURATIONS",
        "5s,10m,2h",
        "Waits between delivery attempts in test mode",
    ),
    entry(
        WEBHOOKS,
        "retry-test-jitter",
        "PERCENT",
        "10",
        "Maximum random extension of a wait in test mode",
    ),
    entry(
        WEBHOOKS,
        "retry-live",
        "DURATIONS",
        "1m,5m,30m,2h,5h,10h,14h,20h,20h",
        "Waits between delivery attempts in live mode",
    ),
    entry(
        WEBHOOKS,
        "retry-live-jitter",
        "PERCENT",
        "20",
        "Maximum random extension of a wait in live mode",
    ),
    Entry {
        repeats: true,
        ..entry(CLIENTS, "fault", "FORM", "", "Fault, such as kind=webhook_lost&every=3")
    },
    switch(CLIENTS, "realistic", "Use the delays and cool-downs of real banks in test mode"),
    switch(CLIENTS, "strict", "Reject known parameters that have no effect"),
    entry(CLIENTS, "record", "FILE", "", "File that receives each API request with its response"),
    entry(CLIENTS, "else", "URL", "", "Server for calls that this server does not have"),
    entry(LOGS, "log-format", "human|json", "human", "Format of the log on standard error"),
    entry(LOGS, "log-level", "LEVEL", "info", "Log level: error, warn, info, debug, trace or off"),
    derived(
        "listen",
        entry(
            LOGS,
            "metrics",
            "on|off|HOST:PORT",
            "",
            "Address of /metrics [default: on for loopback]",
        ),
    ),
    entry(
        WORKERS,
        "sandbox-idle-days",
        "DAYS",
        "30",
        "Days after which a full server removes unused test data",
    ),
    entry(WORKERS, "lease-ms", "MS", "60000", "Time for which a worker leases its work"),
    entry(WORKERS, "poll-ms", "MS", "500", "Time after which an idle worker polls again"),
    Entry {
        hidden: true,
        ..entry(
            WORKERS,
            "failpoint",
            "NAME:PASSES[:panic]",
            "",
            "Stop or panic at a failpoint, for crash tests",
        )
    },
];
