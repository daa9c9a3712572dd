//! Settings. Each has a default, and can be set by a flag, an environment variable or the TOML
//! file, in this order of precedence.
//!
//! [`ENTRIES`] lists all settings. Flags, variables, the file's keys and `bankfeed config` follow
//! from it. Every source is read as text first, so all sources accept the same forms. An error
//! names the setting and its source.

mod flags;
mod value;

pub use flags::{FILE_VARIABLE, SettingsFlags};
pub use value::{
    CoolDown, Database, KeyPolicy, LogFormat, Metrics, RetrySchedule, Settings, TextSetting,
};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the flag and of the key in the file.
    pub name: &'static str,
    /// The placeholder of the value in help texts. A switch without a value has none.
    pub value: Option<&'static str>,
    /// The default, or an empty text for no value.
    pub default: &'static str,
    /// The purpose of the setting, in one sentence.
    pub help: &'static str,
    /// True if help texts omit the setting.
    pub hidden: bool,
    /// True if the flag may be repeated. Commas separate the values.
    pub repeats: bool,
}

const fn entry(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: &'static str,
) -> Entry {
    Entry { name, value: Some(value), default, help, hidden: false, repeats: false }
}

const fn switch(name: &'static str, help: &'static str) -> Entry {
    Entry { name, value: None, default: "false", help, hidden: false, repeats: false }
}

/// Every setting, in the order in which they are shown.
pub const ENTRIES: &[Entry] = &[
    entry("listen", "HOST:PORT", "127.0.0.1:12111", "Where to listen; port 0 picks a free one"),
    entry("db", "FILE", "bankfeed.db", "The database; made if there is none"),
    switch("memory", "Keep everything in a temporary database that is removed at exit"),
    entry(
        "seal-key-file",
        "FILE",
        "",
        "The key that seals secrets in the database [default: the database's name and .key]",
    ),
    entry(
        "api-keys-file",
        "FILE",
        "",
        "Issued API keys [default: the database's name and .api-keys; none with --memory]",
    ),
    entry("public-url", "URL", "", "How clients reach this server [default: where it listens]"),
    entry(
        "keys",
        "any|issued",
        "any",
        "Which API keys open it: any test key, or only issued ones; `any` has to be said where \
         others than this machine can connect",
    ),
    switch("deny-private-webhooks", "Refuse to post webhooks to addresses that are not public"),
    switch("show-refresh-errors", "Show the error hash of failed refreshes in every API version"),
    entry("merchant-name", "TEXT", "Test merchant", "What the pages of a link call the merchant"),
    Entry {
        repeats: true,
        ..entry(
            "scenario",
            "FILE",
            "",
            "A file with test banks and what happens at them, or the name of a ready one, for every \
             test key; may be repeated",
        )
    },
    Entry {
        repeats: true,
        ..entry(
            "fault",
            "FORM",
            "",
            "What goes wrong on demand, for every test key, as /v1/test_helpers/faults takes it: \
             kind=webhook_lost&every=3; may be repeated",
        )
    },
    entry("seed", "NUMBER", "", "Repeat ids, secrets and banks for the same calls"),
    entry("time", "SECONDS", "", "Let time stand still at this Unix time for all but test clocks"),
    entry(
        "cool-down-test",
        "SECONDS",
        "1",
        "From the start of a refresh to the next one in test mode; or \
         balance=N,ownership=N,transactions=N",
    ),
    entry("cool-down-clock", "SECONDS", "0", "The same for accounts on a test clock"),
    entry(
        "cool-down-live",
        "SECONDS",
        "balance=600,ownership=86400,transactions=21600",
        "The same in live mode",
    ),
    entry(
        "retry-test",
        "WAITS",
        "5s,10m,2h",
        "Waits between the attempts of a webhook delivery in test mode",
    ),
    entry("retry-test-jitter", "PERCENT", "10", "How far these waits are lengthened at random"),
    entry(
        "retry-live",
        "WAITS",
        "1m,5m,30m,2h,5h,10h,14h,20h,20h",
        "Waits between the attempts of a webhook delivery in live mode",
    ),
    entry("retry-live-jitter", "PERCENT", "20", "How far these waits are lengthened at random"),
    entry("lease-ms", "MS", "60000", "How long a worker holds what it works on"),
    entry("poll-ms", "MS", "500", "How long an idle worker waits before it looks again"),
    entry(
        "metrics",
        "on|off|HOST:PORT",
        "",
        "Serve /metrics here, or on an address of its own [default: on if only this machine can \
         connect]",
    ),
    Entry {
        repeats: true,
        ..entry(
            "trusted-proxy",
            "ADDRESS",
            "",
            "Address or network of a proxy whose X-Forwarded-For is used; may be repeated",
        )
    },
    entry("ready-file", "FILE", "", "Write the server's URL here once it is ready"),
    switch("strict", "Refuse parameters that are known and not acted on, instead of dropping them"),
    entry("record", "FILE", "", "Append every API request and its answer here, as JSON lines"),
    entry("log-format", "human|json", "human", "How the log is written, to standard error"),
    entry("log-level", "LEVEL", "info", "What is logged: error, warn, info, debug, trace or off"),
    Entry {
        name: "failpoint",
        value: Some("NAME:PASSES"),
        default: "",
        help: "Stop at a named place, for crash tests",
        hidden: true,
        repeats: false,
    },
];

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The built-in default.
    Default,
    /// The file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// The command line.
    Flag,
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Flag => formatter.write_str("flag"),
        }
    }
}

/// The error of invalid settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("could not read the settings file {}", .path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the settings file {} is not TOML", .path.display())]
    Toml {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The file has an unknown key, or a value of the wrong type.
    #[error("the settings file {} has {problem}", .path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },
    /// A value is invalid.
    #[error("the setting {name} ({from}) is '{given}', but {wanted}")]
    Value {
        /// The name of the setting.
        name: &'static str,
        /// The source of the value.
        from: Source,
        /// The value.
        given: String,
        /// The accepted values.
        wanted: String,
    },
    /// Two settings contradict each other.
    #[error("{0}")]
    Conflict(&'static str),
}

/// The text and the source of every setting.
#[derive(Clone, Debug)]
pub struct Resolved {
    values: BTreeMap<&'static str, (String, Source)>,
}

/// Resolves the text of every setting. `flags` has the values from the command line by setting, and
/// `environment` returns the value of a variable.
pub fn resolve(
    flags: &BTreeMap<&'static str, String>,
    environment: impl Fn(&str) -> Option<String>,
    file: Option<&Path>,
) -> Result<Resolved, SettingsError> {
    let from_file = match file {
        Some(path) => read_file(path)?,
        None => BTreeMap::new(),
    };
    let mut values = BTreeMap::new();
    for entry in ENTRIES {
        let variable = variable_of(entry.name);
        let value = if let Some(text) = flags.get(entry.name) {
            (text.clone(), Source::Flag)
        } else if let Some(text) = environment(&variable) {
            (text, Source::Environment(variable))
        } else if let (Some(text), Some(path)) = (from_file.get(entry.name), file) {
            (text.clone(), Source::File(path.to_owned()))
        } else {
            (entry.default.to_owned(), Source::Default)
        };
        values.insert(entry.name, value);
    }
    let mut resolved = Resolved { values };
    if resolved.is_set("time") && !resolved.is_set("cool-down-test") {
        // With a fixed time, a cool-down would never end.
        resolved.values.insert("cool-down-test", ("0".to_owned(), Source::Default));
    }
    Ok(resolved)
}

/// The environment variable of a setting.
pub fn variable_of(name: &str) -> String {
    format!("BANKFEED_{}", name.to_ascii_uppercase().replace('-', "_"))
}

impl Resolved {
    /// The text of a setting, and its source.
    pub fn get(&self, name: &str) -> (&str, &Source) {
        // Every name in use is in the table. A test checks this.
        self.values.get(name).map_or(("", &Source::Default), |(text, from)| (text, from))
    }

    /// True if the value is not from the default.
    pub fn is_set(&self, name: &str) -> bool {
        *self.get(name).1 != Source::Default
    }

    /// Every visible setting: its name, its text and its source.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &str, &Source)> {
        let entries = ENTRIES.iter().filter(|entry| !entry.hidden || self.is_set(entry.name));
        entries.map(|entry| {
            let (text, from) = self.get(entry.name);
            (entry.name, text, from)
        })
    }

    /// A table of the settings with their sources, one per line.
    pub fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut table = String::new();
        for (name, text, from) in self.shown() {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{name:<22} {text:<48} {from}");
        }
        table
    }
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<&'static str, String>, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
    let table: toml::Table = text.trim_start_matches('\u{feff}').parse().map_err(|source| {
        SettingsError::Toml { path: path.to_owned(), source: Box::new(source) }
    })?;
    let problem = |problem: String| SettingsError::File { path: path.to_owned(), problem };
    let mut values = BTreeMap::new();
    for (key, value) in &table {
        let name = key.replace('_', "-");
        let entry = ENTRIES
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| problem(format!("the key '{key}', which is no setting")))?;
        let text = text_of(value)
            .ok_or_else(|| problem(format!("a value of the wrong kind for '{key}'")))?;
        values.insert(entry.name, text);
    }
    Ok(values)
}

/// Converts a value of the file to the form of the command line.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(items) => {
            Some(items.iter().map(text_of).collect::<Option<Vec<_>>>()?.join(","))
        }
        toml::Value::Table(table) => {
            let pair = |(key, value)| text_of(value).map(|text| format!("{key}={text}"));
            Some(table.iter().map(pair).collect::<Option<Vec<_>>>()?.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) => None,
    }
}

#[cfg(test)]
mod tests;
