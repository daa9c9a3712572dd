//! The settings as command-line flags, built from the list of settings.

use crate::{ENTRIES, Resolved, SettingsError, resolve, variable_of};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment variable that names the settings file.
pub const FILE_VARIABLE: &str = "BANKFEED_CONFIG";

/// The flags for settings.
#[derive(Args)]
pub struct SettingsFlags {
    /// TOML file with settings
    #[arg(long, value_name = "FILE", help = "TOML file with settings [env: BANKFEED_CONFIG]")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: SettingFlags,
}

impl SettingsFlags {
    /// Resolves flags, environment and file by their precedence.
    pub fn resolve(&self) -> Result<Resolved, SettingsError> {
        let file = settings_file(self.config.as_deref());
        resolve(&self.flags.0, |name| std::env::var(name).ok(), file.as_deref())
    }
}

/// The settings file that the flag or else the environment variable names. The parser does not read
/// the variable, because it would list the flag in the usage lines of errors.
pub fn settings_file(flag: Option<&Path>) -> Option<PathBuf> {
    flag.map(Path::to_owned).or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from))
}

/// The settings that were set on the command line.
struct SettingFlags(BTreeMap<&'static str, String>);

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let values = ENTRIES.iter().filter_map(|entry| {
            let texts: Vec<&str> = matches.get_many(entry.name)?.map(String::as_str).collect();
            Some((entry.name, texts.join(",")))
        });
        Ok(Self(values.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        ENTRIES.iter().fold(command, |command, entry| {
            let default = match entry.value {
                Some(_) if !entry.default.is_empty() => format!(" [default: {}]", entry.default),
                _ => String::new(),
            };
            let repeats = if entry.repeats { "; may be repeated" } else { "" };
            let variable = variable_of(entry.name);
            let help = format!("{}{repeats}{default} [env: {variable}]", entry.help);
            let arg = Arg::new(entry.name).long(entry.name).help(help).hide(entry.hidden);
            let arg = arg.help_heading(entry.heading);
            command.arg(match entry.value {
                Some(value) if entry.repeats => arg.value_name(value).action(ArgAction::Append),
                Some(value) => arg.value_name(value),
                None => arg
                    .value_name("true|false")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true"),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
