//! Settings. Each has a default, and can be set by a flag, an environment variable or the TOML
//! file, in this order of precedence.
//!
//! [`ENTRIES`] lists all settings. Flags, variables, the file's keys and `bankfeed config` follow
//! from it. Every source is read as text first, so all sources accept the same forms. An error
//! names the setting and its source.

mod defaults;
mod entries;
mod flags;
mod forms;
mod value;

pub use defaults::defaults_file;
pub use entries::{ENTRIES, Entry};
pub use flags::{FILE_VARIABLE, SettingsFlags, settings_file};
pub use value::{
    CoolDown, Database, KeyPolicy, LogFormat, Metrics, RetrySchedule, Settings, TextSetting,
    TlsFiles, keys_beside,
};

use model::nearest::find_nearest;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment variable of the API key that commands use.
pub const API_KEY_VARIABLE: &str = "BANKFEED_API_KEY";
/// The environment variable of the server's address that commands use.
pub const API_BASE_VARIABLE: &str = "BANKFEED_API_BASE";
/// The beginning of every variable's name.
const VARIABLE_PREFIX: &str = "BANKFEED_";

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
    /// The default under the setting `realistic`.
    Realistic,
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Flag => formatter.write_str("flag"),
            Self::Realistic => formatter.write_str("realistic"),
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

impl SettingsError {
    /// The advice for the person at the command line. Other messages contain their advice.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } => Some("Name another file with --config or BANKFEED_CONFIG"),
            Self::Conflict(_) => Some("Leave one of them out"),
            Self::Toml { .. } | Self::File { .. } | Self::Value { .. } => None,
        }
    }
}

/// The text and the source of every setting.
#[derive(Clone, Debug)]
pub struct Resolved {
    values: BTreeMap<&'static str, (String, Source)>,
}

/// One line of `bankfeed config`.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The name of the setting.
    pub name: &'static str,
    /// The text of the setting. It is empty if there is no value.
    pub text: &'a str,
    /// The source of the text.
    pub from: &'a Source,
    /// The setting from which the server derives the value, if this one is not set.
    pub derived_from: Option<&'static str>,
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
    if resolved.get("realistic").0 == "true" {
        resolved.use_realistic_defaults();
    }
    Ok(resolved)
}

/// The environment variable of a setting.
pub fn variable_of(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

impl Resolved {
    /// The text of a setting, and its source.
    pub fn get(&self, name: &str) -> (&str, &Source) {
        // Every name in use is in the table. A test checks this.
        self.values.get(name).map_or(("", &Source::Default), |(text, from)| (text, from))
    }

    /// True if the value is not from a default.
    pub fn is_set(&self, name: &str) -> bool {
        !matches!(self.get(name).1, Source::Default | Source::Realistic)
    }

    /// Replaces the defaults that differ under the setting `realistic`.
    fn use_realistic_defaults(&mut self) {
        for Entry { name, realistic, .. } in ENTRIES {
            if let Some(text) = realistic
                && !self.is_set(name)
            {
                self.values.insert(name, ((*text).to_owned(), Source::Realistic));
            }
        }
    }

    /// Every visible setting.
    pub fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        let entries = ENTRIES.iter().filter(|entry| !entry.hidden || self.is_set(entry.name));
        entries.map(|entry| {
            let (text, from) = self.get(entry.name);
            let derived_from = entry.derived_from.filter(|other| {
                // A temporary database has no files beside it.
                !self.is_set(entry.name) && (*other != "db" || self.has_database_file())
            });
            Shown { name: entry.name, text, from, derived_from }
        })
    }

    /// A table of the settings with their sources, one per line.
    pub fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut table = String::new();
        for Shown { name, text, from, derived_from } in self.shown() {
            let derived = derived_from.map(|other| format!("(from {other})"));
            let text = derived.as_deref().unwrap_or(text);
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
            .ok_or_else(|| problem(format!("the unknown key '{key}'{}", nearest_key(&name))))?;
        let text = text_of(value).ok_or_else(|| {
            problem(format!(
                "a date or a decimal number for '{key}'. Use a text, a whole number, true or \
                 false, a list or a table"
            ))
        })?;
        values.insert(entry.name, text);
    }
    Ok(values)
}

/// The advice for an unknown key of the file.
fn nearest_key(name: &str) -> String {
    match find_nearest(name, visible_names()) {
        Some(nearest) => format!(". Did you mean '{nearest}'?"),
        None => ". `bankfeed config` lists all settings".to_owned(),
    }
}

/// The names of the settings that help texts show.
fn visible_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().filter(|entry| !entry.hidden).map(|entry| entry.name)
}

/// A warning for each variable whose name is nearly the name of a setting's variable. Other
/// unknown variables may belong to other programs.
pub fn misspelled_variables(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let settings: Vec<String> = ENTRIES.iter().map(|entry| variable_of(entry.name)).collect();
    let others = [FILE_VARIABLE, API_KEY_VARIABLE, API_BASE_VARIABLE];
    let known: Vec<&str> = settings.iter().map(String::as_str).chain(others).collect();
    let mut warnings = Vec::new();
    for name in names {
        let Some(typed) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
        if known.contains(&name.as_str()) {
            continue;
        }
        let ends = known.iter().filter_map(|known| known.strip_prefix(VARIABLE_PREFIX));
        if let Some(nearest) = find_nearest(typed, ends) {
            warnings.push(format!(
                "The variable {name} has no effect. Did you mean {VARIABLE_PREFIX}{nearest}?"
            ));
        }
    }
    warnings
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
