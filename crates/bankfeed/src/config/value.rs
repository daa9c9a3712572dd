//! Settings, read from their texts.

use super::{ConfigError, Resolved, Source};
use crate::http::auth::KeyPolicy;
use crate::http::test_helpers::fault::read_fault;
use engine::settings::{CoolDown, RetrySchedule};
use engine::test_helpers::fault::FaultInput;
use model::Word;
use model::clock::AccountTime;
use std::path::PathBuf;
use std::str::FromStr;
use store::{Failpoints, Place};

/// Waits between attempts.
const WAITS_MAX: usize = 30;
/// The longest cool-down, lease and poll: a year.
const SPAN_S_MAX: i64 = 366 * 86_400;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
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

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Host and port to listen on.
    pub listen: String,
    /// Where the database lives.
    pub place: Place,
    /// The file of the seal key; none for a temporary database.
    pub seal_key_file: Option<PathBuf>,
    /// The file of issued keys; none for a temporary database unless it was named.
    pub api_keys_file: Option<PathBuf>,
    /// How clients reach the server, if not where it listens.
    pub public_url: Option<String>,
    /// Which keys open it; none if nobody chose.
    pub keys: Option<KeyPolicy>,
    /// Whether webhooks go to public addresses only.
    pub deny_private_webhooks: bool,
    /// What the engine may be told.
    pub engine: engine::Settings,
    /// Test banks beside the catalogue, by their files or by the names of ready ones.
    pub scenarios: Vec<String>,
    /// Makes ids, secrets and banks repeat.
    pub seed: Option<u64>,
    /// The time of what hangs on no test clock, standing still.
    pub time: Option<AccountTime>,
    /// Gets the URL once the server is ready.
    pub ready_file: Option<PathBuf>,
    /// Whether parameters are refused that are known and not acted on.
    pub strict: bool,
    /// Gets every API request and its answer.
    pub record: Option<PathBuf>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: tracing::level_filters::LevelFilter,
    /// Where a crash test stops the server.
    pub failpoints: Failpoints,
}

impl Resolved {
    /// Reads all settings.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let place = self.place()?;
        let beside = |ending| match &place {
            Place::Temporary => None,
            Place::File(db) => {
                let mut beside = db.clone().into_os_string();
                beside.push(ending);
                Some(PathBuf::from(beside))
            }
        };
        let seal_key_file =
            beside(".key").map(|beside| self.path("seal-key-file").unwrap_or(beside));
        let api_keys_file = self.path("api-keys-file").or_else(|| beside(".api-keys"));
        Ok(Settings {
            listen: self.listen()?,
            place,
            seal_key_file,
            api_keys_file,
            public_url: self.public_url()?,
            keys: self.keys()?,
            deny_private_webhooks: self.truth("deny-private-webhooks")?,
            engine: self.engine()?,
            scenarios: self.list("scenario"),
            seed: self.optional("seed", "must be a whole number")?,
            time: self.time()?,
            ready_file: self.path("ready-file"),
            strict: self.truth("strict")?,
            record: self.path("record"),
            log_format: self.word("log-format")?,
            log_level: self.parsed("log-level", "must be a level of the log")?,
            failpoints: self.failpoints()?,
        })
    }

    fn engine(&self) -> Result<engine::Settings, ConfigError> {
        Ok(engine::Settings {
            faults: self.faults()?,
            cool_down_test: self.cool_down("cool-down-test")?,
            cool_down_clock: self.cool_down("cool-down-clock")?,
            cool_down_live: self.cool_down("cool-down-live")?,
            show_refresh_errors: self.truth("show-refresh-errors")?,
            retry_test: self.retries("retry-test", "retry-test-jitter")?,
            retry_live: self.retries("retry-live", "retry-live-jitter")?,
            lease_ms: self.within("lease-ms", 100, SPAN_S_MAX * 1_000)?,
            poll_ms: self.within("poll-ms", 1, SPAN_S_MAX * 1_000)?.unsigned_abs(),
            // Who fixes the seed wants two runs to be alike, down to the order of events.
            in_order: self.is_set("seed"),
            merchant_name: self.get("merchant-name").0.to_owned(),
            public_url: engine::Settings::default().public_url,
        })
    }

    fn faults(&self) -> Result<Vec<FaultInput>, ConfigError> {
        let read = |form: &String| {
            read_fault(form).map_err(|refusal| {
                let wanted = format!("'{form}' is no fault: {}", refusal.message);
                self.fault("fault", &wanted)
            })
        };
        self.list("fault").iter().map(read).collect()
    }

    /// The database of whichever of `db` and `memory` was said with more weight.
    fn place(&self) -> Result<Place, ConfigError> {
        let weight = |name| match self.get(name).1 {
            Source::Default => 0,
            Source::File(_) => 1,
            Source::Environment(_) => 2,
            Source::Flag => 3,
        };
        if !self.truth("memory")? || weight("db") > weight("memory") {
            let db = self.path("db");
            let db = db.ok_or_else(|| self.fault("db", "must name a file"))?;
            return Ok(Place::File(db));
        }
        if weight("db") == weight("memory") {
            return Err(ConfigError::Conflict("the settings db and memory contradict each other"));
        }
        Ok(Place::Temporary)
    }

    fn listen(&self) -> Result<String, ConfigError> {
        let (text, _) = self.get("listen");
        let plain = text.rsplit_once(':').is_some_and(|(host, port)| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            !bare.is_empty() && (bare != host || !host.contains(':')) && port.parse::<u16>().is_ok()
        });
        let wanted = "must be HOST:PORT, such as 127.0.0.1:12111";
        if plain { Ok(text.to_owned()) } else { Err(self.fault("listen", wanted)) }
    }

    fn public_url(&self) -> Result<Option<String>, ConfigError> {
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

    fn keys(&self) -> Result<Option<KeyPolicy>, ConfigError> {
        let policy = self.word("keys")?;
        Ok(self.is_set("keys").then_some(policy))
    }

    /// The values between commas.
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.get(name).0.split(',').map(str::trim);
        values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    fn time(&self) -> Result<Option<AccountTime>, ConfigError> {
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

    fn failpoints(&self) -> Result<Failpoints, ConfigError> {
        match self.get("failpoint").0 {
            "" => Ok(Failpoints::default()),
            text => Failpoints::parse(text)
                .ok_or_else(|| self.fault("failpoint", "must be a name, a colon and a number")),
        }
    }

    /// One number of seconds for all features, or one for each: `balance=1,ownership=2,…`.
    fn cool_down(&self, name: &'static str) -> Result<CoolDown, ConfigError> {
        let wanted = "must be seconds, or balance=SECONDS,ownership=SECONDS,transactions=SECONDS";
        let fault = || self.fault(name, wanted);
        let seconds = |text: &str| {
            let seconds = text.trim().parse().ok();
            seconds.filter(|seconds| (0..=SPAN_S_MAX).contains(seconds)).ok_or_else(fault)
        };
        let (text, _) = self.get(name);
        if !text.contains('=') {
            return Ok(CoolDown::of(seconds(text)?));
        }
        let mut cool_down = CoolDown::of(-1);
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

    fn retries(
        &self,
        name: &'static str,
        jitter: &'static str,
    ) -> Result<RetrySchedule, ConfigError> {
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

    fn truth(&self, name: &'static str) -> Result<bool, ConfigError> {
        self.parsed(name, "must be true or false")
    }

    fn within(&self, name: &'static str, least: i64, most: i64) -> Result<i64, ConfigError> {
        let wanted = format!("must be a whole number from {least} to {most}");
        let number: i64 = self.parsed(name, &wanted)?;
        if (least..=most).contains(&number) { Ok(number) } else { Err(self.fault(name, &wanted)) }
    }

    fn word<W: Word>(&self, name: &'static str) -> Result<W, ConfigError> {
        W::from_word(self.get(name).0).ok_or_else(|| {
            let words: Vec<&str> = W::ALL.iter().map(|word| word.word()).collect();
            self.fault(name, &format!("must be one of {}", words.join(", ")))
        })
    }

    fn optional<T: FromStr>(
        &self,
        name: &'static str,
        wanted: &str,
    ) -> Result<Option<T>, ConfigError> {
        if self.get(name).0.is_empty() { Ok(None) } else { self.parsed(name, wanted).map(Some) }
    }

    fn parsed<T: FromStr>(&self, name: &'static str, wanted: &str) -> Result<T, ConfigError> {
        self.get(name).0.parse().map_err(|_| self.fault(name, wanted))
    }

    fn fault(&self, name: &'static str, wanted: &str) -> ConfigError {
        let (given, from) = self.get(name);
        ConfigError::Value {
            name,
            from: from.clone(),
            given: given.to_owned(),
            wanted: wanted.to_owned(),
        }
    }
}

/// `500ms`, `5s`, `10m`, `2h` or `1d`, in milliseconds.
fn milliseconds(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number
        .parse::<i64>()
        .ok()?
        .checked_mul(unit_ms)
        .filter(|wait_ms| *wait_ms <= SPAN_S_MAX * 1_000)
}
