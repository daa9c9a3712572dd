//! Settings, parsed from their texts.

mod beside;
mod merchant;
mod network;

pub use beside::keys_beside;
use beside::seal_key_beside;

use super::forms::{is_address, is_host, milliseconds};
use super::{Resolved, SettingsError, Source};
use ipnet::IpNet;
use model::Word;
use model::clock::AccountTime;
use model::color::Color;
use model::limits::{ALLOWED_HOSTS_MAX, SANDBOX_IDLE_DAYS_MAX};
use std::path::PathBuf;
use std::str::FromStr;

/// The maximum number of waits between attempts.
const WAITS_MAX: usize = 30;
/// The maximum delay of refreshes and webhooks.
const DELAY_MS_MAX: i64 = 3_600_000;
/// The maximum cool-down, lease and poll, which is a year.
pub(super) const SPAN_S_MAX: i64 = 366 * 86_400;

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object per line.
    Json,
}

impl Word for LogFormat {
    const ALL: &'static [Self] = &[Self::Human, Self::Json];

    fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// The keys that the server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPolicy {
    /// Any test key. Each is a merchant of its own.
    Any,
    /// Only issued keys.
    Issued,
}

impl Word for KeyPolicy {
    const ALL: &'static [Self] = &[Self::Any, Self::Issued];

    fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Issued => "issued",
        }
    }
}

/// The address of the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// The address of the API.
    On,
    /// No metrics are measured or served.
    Off,
    /// A host and port of their own.
    At(String),
}

/// The location of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A temporary database, removed at exit.
    Temporary,
    /// A file.
    File(PathBuf),
}

/// The files of a server that speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its authority, as PEM.
    pub certificate: PathBuf,
    /// The private key, as PEM.
    pub key: PathBuf,
}

/// Seconds from the start of a refresh to the next one, by feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoolDown {
    /// The balance.
    pub balance_s: i64,
    /// The owners.
    pub ownership_s: i64,
    /// The transactions.
    pub transactions_s: i64,
}

/// The waits between the attempts of a webhook delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    /// Milliseconds to wait after each failed attempt. After the last wait comes the last attempt.
    pub waits_ms: Vec<i64>,
    /// The largest lengthening of a wait, in percent.
    pub jitter_percent: i64,
}

/// A setting with a text that the server parses, because its form belongs to another part of the
/// server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSetting {
    name: &'static str,
    text: String,
    from: Source,
}

impl TextSetting {
    /// The text; empty if the setting has no value.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The values, separated by commas.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.text.split(',').map(str::trim).filter(|value| !value.is_empty())
    }

    /// The error for a text that cannot be used. `wanted` completes "the setting … is …, but".
    pub fn error(&self, wanted: &str) -> SettingsError {
        SettingsError::Value {
            name: self.name,
            from: self.from.clone(),
            given: self.text.clone(),
            wanted: wanted.to_owned(),
        }
    }
}

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The host and port to listen on.
    pub listen: String,
    /// The location of the database.
    pub database: Database,
    /// The file of the seal key. A temporary database has none.
    pub seal_key_file: Option<PathBuf>,
    /// The file of issued keys. A temporary database has none unless the setting names one.
    pub api_keys_file: Option<PathBuf>,
    /// The URL for clients, if it differs from the listening address.
    pub public_url: Option<String>,
    /// The certificate for TLS. Without it, the server speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Host names by which clients may call the server, besides those that it accepts anyway.
    pub allowed_hosts: Vec<String>,
    /// The accepted keys, if set.
    pub keys: Option<KeyPolicy>,
    /// True if webhooks go to public addresses only.
    pub deny_private_webhooks: bool,
    /// The private networks to which webhooks may be posted in live mode, also with `http`. In test mode
    /// they stay allowed with `deny_private_webhooks`.
    pub webhook_allow: Vec<IpNet>,
    /// Faults for every test key, in the form of `POST /v1/test_helpers/faults`.
    pub faults: TextSetting,
    /// Milliseconds from the start of a refresh in test mode to the bank's response. Refreshes on a
    /// test clock have no delay.
    pub refresh_delay_ms: i64,
    /// Milliseconds from an event in test mode to the first attempt of its deliveries.
    pub webhook_delay_ms: i64,
    /// Cool-downs of accounts linked with a test key.
    pub cool_down_test: CoolDown,
    /// Cool-downs of accounts on a test clock.
    pub cool_down_clock: CoolDown,
    /// Cool-downs of accounts linked with a live key.
    pub cool_down_live: CoolDown,
    /// True if a failed refresh shows its `error` hash in every API version.
    pub show_refresh_errors: bool,
    /// Waits between the attempts of a delivery in test mode.
    pub retry_test: RetrySchedule,
    /// Waits between the attempts of a delivery in live mode.
    pub retry_live: RetrySchedule,
    /// Milliseconds for which a worker leases a refresh, an advance or a delivery.
    pub lease_ms: i64,
    /// Milliseconds that an idle worker waits before its next poll.
    pub poll_ms: u64,
    /// Days without a call after which a sandbox may give its place to another one. 0 for never.
    pub sandbox_idle_days: u32,
    /// The merchant's name on pages for holders.
    pub merchant_name: String,
    /// The colour of buttons on these pages, if it differs from that of the server.
    pub merchant_color: Option<Color>,
    /// The file of the merchant's logo. An empty text is no logo.
    pub merchant_logo: TextSetting,
    /// The lines of the merchant's address.
    pub merchant_address: Vec<String>,
    /// Test banks in addition to the catalogue: paths of files, or names of ready scenarios.
    pub scenarios: Vec<String>,
    /// The seed that makes ids, secrets and banks repeatable.
    pub seed: Option<u64>,
    /// The fixed time of objects that are on no test clock.
    pub time: Option<AccountTime>,
    /// The address of the metrics, if set.
    pub metrics: Option<Metrics>,
    /// The proxies that report the addresses of clients.
    pub trusted_proxies: Vec<IpNet>,
    /// The file that receives the URL once the server is ready.
    pub ready_file: Option<PathBuf>,
    /// True if the server stops when its standard input is closed.
    pub stop_with_stdin: bool,
    /// True if the server rejects known parameters that it does not support.
    pub strict: bool,
    /// The file that receives every API request with its response.
    pub record: Option<PathBuf>,
    /// The origin of the server that receives the calls in test mode which this server does not have.
    pub other_server: Option<String>,
    /// The format of the log.
    pub log_format: LogFormat,
    /// The level of the log.
    pub log_level: tracing::level_filters::LevelFilter,
    /// The failpoint at which a crash test stops the server, as `NAME:PASSES` or
    /// `NAME:PASSES:panic`.
    pub failpoint: TextSetting,
}

impl Resolved {
    /// Parses all settings.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let database = self.database()?;
        let file = match &database {
            Database::Temporary => None,
            Database::File(db) => Some(db.as_path()),
        };
        let seal_key_file =
            file.map(|db| self.path("seal-key-file").unwrap_or_else(|| seal_key_beside(db)));
        let api_keys_file = self.path("api-keys-file").or_else(|| file.map(keys_beside));
        Ok(Settings {
            listen: self.listen()?,
            database,
            seal_key_file,
            api_keys_file,
            public_url: self.public_url()?,
            tls: self.tls()?,
            allowed_hosts: self.hosts("allowed-hosts")?,
            keys: self.keys()?,
            deny_private_webhooks: self.truth("deny-private-webhooks")?,
            webhook_allow: self.private_networks("webhook-allow")?,
            faults: self.text("fault"),
            refresh_delay_ms: self.wait("refresh-delay")?,
            webhook_delay_ms: self.wait("webhook-delay")?,
            cool_down_test: self.cool_down("cool-down-test")?,
            cool_down_clock: self.cool_down("cool-down-clock")?,
            cool_down_live: self.cool_down("cool-down-live")?,
            show_refresh_errors: self.truth("show-refresh-errors")?,
            retry_test: self.retries("retry-test", "retry-test-jitter")?,
            retry_live: self.retries("retry-live", "retry-live-jitter")?,
            lease_ms: self.within("lease-ms", 100, SPAN_S_MAX * 1_000)?,
            poll_ms: self.within("poll-ms", 1, SPAN_S_MAX * 1_000)?.unsigned_abs(),
            sandbox_idle_days: u32::try_from(self.within(
                "sandbox-idle-days",
                0,
                i64::from(SANDBOX_IDLE_DAYS_MAX),
            )?)
            .unwrap_or(SANDBOX_IDLE_DAYS_MAX),
            merchant_name: self.name("merchant-name")?,
            merchant_color: self.color("merchant-color")?,
            merchant_logo: self.text("merchant-logo"),
            merchant_address: self.address("merchant-address")?,
            scenarios: self.text("scenario").values().map(str::to_owned).collect(),
            seed: self.optional("seed", "must be a whole number")?,
            time: self.time()?,
            metrics: self.metrics()?,
            trusted_proxies: self.networks("trusted-proxy")?,
            ready_file: self.path("ready-file"),
            stop_with_stdin: self.truth("stop-with-stdin")?,
            strict: self.truth("strict")?,
            record: self.path("record"),
            other_server: self.origin("else")?,
            log_format: self.word("log-format")?,
            log_level: self
                .parsed("log-level", "must be one of off, error, warn, info, debug, trace")?,
            failpoint: self.text("failpoint"),
        })
    }

    /// True if the database is a file.
    pub(super) fn has_database_file(&self) -> bool {
        matches!(self.database(), Ok(Database::File(_)))
    }

    /// The database that `db` and `memory` select. If both are set, the source with the higher
    /// precedence wins.
    fn database(&self) -> Result<Database, SettingsError> {
        let weight = |name| match self.get(name).1 {
            Source::Default | Source::Realistic => 0,
            Source::File(_) => 1,
            Source::Environment(_) => 2,
            Source::Flag => 3,
        };
        if !self.truth("memory")? || weight("db") > weight("memory") {
            let db = self.path("db");
            let db = db.ok_or_else(|| self.fault("db", "must name a file"))?;
            return Ok(Database::File(db));
        }
        if weight("db") == weight("memory") {
            return Err(SettingsError::Conflict(
                "the settings db and memory contradict each other",
            ));
        }
        Ok(Database::Temporary)
    }

    fn listen(&self) -> Result<String, SettingsError> {
        let (text, _) = self.get("listen");
        let wanted = "must be HOST:PORT, such as 127.0.0.1:12111";
        if is_address(text) { Ok(text.to_owned()) } else { Err(self.fault("listen", wanted)) }
    }

    fn metrics(&self) -> Result<Option<Metrics>, SettingsError> {
        match self.get("metrics").0 {
            "" => Ok(None),
            "on" => Ok(Some(Metrics::On)),
            "off" => Ok(Some(Metrics::Off)),
            text if is_address(text) => Ok(Some(Metrics::At(text.to_owned()))),
            _ => Err(self.fault("metrics", "must be on, off or HOST:PORT, such as 127.0.0.1:9464")),
        }
    }

    /// Parses host names, separated by commas.
    fn hosts(&self, name: &'static str) -> Result<Vec<String>, SettingsError> {
        let hosts: Vec<String> = self.text(name).values().map(str::to_owned).collect();
        if hosts.iter().all(|host| is_host(host)) && hosts.len() <= ALLOWED_HOSTS_MAX {
            return Ok(hosts);
        }
        let wanted = format!(
            "must be at most {ALLOWED_HOSTS_MAX} host names without a port, such as \
             bankfeed.example or .example for all names below it"
        );
        Err(self.fault(name, &wanted))
    }

    fn public_url(&self) -> Result<Option<String>, SettingsError> {
        let (text, _) = self.get("public-url");
        if text.is_empty() {
            return Ok(None);
        }
        let plain = url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
        });
        if plain {
            Ok(Some(text.trim_end_matches('/').to_owned()))
        } else {
            Err(self.fault("public-url", "must be a URL that begins with http:// or https://"))
        }
    }

    fn tls(&self) -> Result<Option<TlsFiles>, SettingsError> {
        match (self.path("tls-cert"), self.path("tls-key")) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
            (Some(_), None) => Err(self.fault("tls-cert", "tls-key must name its private key")),
            (None, Some(_)) => Err(self.fault("tls-key", "tls-cert must name its certificate")),
        }
    }

    /// Parses the address of a server: a scheme, a host and a port.
    fn origin(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        let (text, _) = self.get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let origin = url::Url::parse(text).ok().filter(|url| {
            let has_credentials = !url.username().is_empty() || url.password().is_some();
            let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
            matches!(url.scheme(), "http" | "https") && !has_credentials && !has_more
        });
        match origin {
            Some(origin) => Ok(Some(origin.origin().ascii_serialization())),
            None => Err(self.fault(name, "must be http:// or https://, a host and a port")),
        }
    }

    fn keys(&self) -> Result<Option<KeyPolicy>, SettingsError> {
        if self.get("keys").0.is_empty() { Ok(None) } else { self.word("keys").map(Some) }
    }

    fn text(&self, name: &'static str) -> TextSetting {
        let (text, from) = self.get(name);
        TextSetting { name, text: text.to_owned(), from: from.clone() }
    }

    fn time(&self) -> Result<Option<AccountTime>, SettingsError> {
        let wanted = "must be a Unix time in seconds between 2020 and 2100";
        let time: Option<i64> = self.optional("time", wanted)?;
        match time {
            // Ids count from 2020 on.
            Some(time) if !(1_577_836_800..=4_102_444_800).contains(&time) => {
                Err(self.fault("time", wanted))
            }
            time => Ok(time.map(AccountTime)),
        }
    }

    /// Parses one number of seconds for all features, or one for each: `balance=1,ownership=2,…`.
    fn cool_down(&self, name: &'static str) -> Result<CoolDown, SettingsError> {
        let wanted = "must be seconds, or balance=SECONDS,ownership=SECONDS,transactions=SECONDS";
        let fault = || self.fault(name, wanted);
        let seconds = |text: &str| {
            let seconds = text.trim().parse().ok();
            seconds.filter(|seconds| (0..=SPAN_S_MAX).contains(seconds)).ok_or_else(fault)
        };
        let (text, _) = self.get(name);
        if !text.contains('=') {
            let seconds = seconds(text)?;
            return Ok(CoolDown {
                balance_s: seconds,
                ownership_s: seconds,
                transactions_s: seconds,
            });
        }
        let mut cool_down = CoolDown { balance_s: -1, ownership_s: -1, transactions_s: -1 };
        for part in text.split(',') {
            let (feature, value) = part.split_once('=').ok_or_else(fault)?;
            match feature.trim() {
                "balance" => cool_down.balance_s = seconds(value)?,
                "ownership" => cool_down.ownership_s = seconds(value)?,
                "transactions" => cool_down.transactions_s = seconds(value)?,
                _ => return Err(fault()),
            }
        }
        let all = [cool_down.balance_s, cool_down.ownership_s, cool_down.transactions_s];
        if all.contains(&-1) { Err(fault()) } else { Ok(cool_down) }
    }

    /// Parses one wait of at most an hour.
    fn wait(&self, name: &'static str) -> Result<i64, SettingsError> {
        let wait_ms = milliseconds(self.get(name).0).filter(|wait_ms| *wait_ms <= DELAY_MS_MAX);
        wait_ms.ok_or_else(|| {
            self.fault(name, "must be a wait of at most 1h, such as 3s (units: ms, s, m, h)")
        })
    }

    fn retries(
        &self,
        name: &'static str,
        jitter: &'static str,
    ) -> Result<RetrySchedule, SettingsError> {
        let (text, _) = self.get(name);
        let waits = text.split(',').map(str::trim).filter(|wait| !wait.is_empty());
        let waits_ms: Option<Vec<i64>> = waits.map(milliseconds).collect();
        let waits_ms = waits_ms.filter(|waits| waits.len() <= WAITS_MAX).ok_or_else(|| {
            self.fault(name, "must be waits such as 5s,10m,2h (units: ms, s, m, h, d)")
        })?;
        Ok(RetrySchedule { waits_ms, jitter_percent: self.within(jitter, 0, 100)? })
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.get(name).0).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    fn truth(&self, name: &'static str) -> Result<bool, SettingsError> {
        self.parsed(name, "must be true or false")
    }

    fn within(&self, name: &'static str, least: i64, most: i64) -> Result<i64, SettingsError> {
        let wanted = format!("must be a whole number from {least} to {most}");
        let number: i64 = self.parsed(name, &wanted)?;
        if (least..=most).contains(&number) { Ok(number) } else { Err(self.fault(name, &wanted)) }
    }

    fn word<W: Word>(&self, name: &'static str) -> Result<W, SettingsError> {
        W::from_word(self.get(name).0).ok_or_else(|| {
            let words: Vec<&str> = W::ALL.iter().map(|word| word.word()).collect();
            self.fault(name, &format!("must be one of {}", words.join(", ")))
        })
    }

    fn optional<T: FromStr>(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<T>, SettingsError> {
        if self.get(name).0.is_empty() { Ok(None) } else { self.parsed(name, wanted).map(Some) }
    }

    fn parsed<T: FromStr>(&self, name: &'static str, wanted: &str) -> Result<T, SettingsError> {
        self.get(name).0.parse().map_err(|_| self.fault(name, wanted))
    }

    fn fault(&self, name: &'static str, wanted: &str) -> SettingsError {
        self.text(name).error(wanted)
    }
}
