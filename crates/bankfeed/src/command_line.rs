//! The command line: all commands with their groups, and the flags that a command does not use.

use crate::{backup, config, demo, key, registration, run, scenario};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, Command as Program, CommandFactory as _, FromArgMatches as _};
use clap::{Parser, Subcommand};
use cli::GlobalFlags;
use settings::SettingsFlags;
use std::ffi::OsString;
use std::fmt::Write as _;

/// The groups of commands in the help text of the program. Each command is in one group.
const GROUPS: [(&str, &[&str]); 3] = [
    (
        "Set up and run a server",
        &[
            "serve",
            "demo",
            "key",
            "registration",
            "config",
            "doctor",
            "health",
            "backup",
            "restore",
            "completions",
        ],
    ),
    (
        "Use a running server",
        &[
            "link",
            "accounts",
            "transactions",
            "refresh",
            "advance",
            "export",
            "snapshot",
            "reset",
            "get",
            "post",
            "delete",
            "mcp",
        ],
    ),
    ("Test a client", &["run", "scenario", "trigger", "events", "listen", "judge"]),
];

/// The ids of the flags that choose a server.
const SERVER: [&str; 2] = ["api_key", "api_base"];
/// The ids of all global flags.
const ALL: [&str; 3] = ["api_key", "api_base", "json"];
/// The id of the flag for JSON.
const JSON: [&str; 1] = ["json"];

/// The global flags that a command does not use. Its help text omits them, and it rejects them,
/// because a flag without an effect would mislead.
const UNUSED: [(&str, &[&str]); 16] = [
    ("serve", &ALL),
    ("demo", &ALL),
    ("completions", &ALL),
    ("run", &JSON),
    ("mcp", &JSON),
    ("health", &["api_key"]),
    ("config", &SERVER),
    ("doctor", &SERVER),
    ("backup", &SERVER),
    ("restore", &SERVER),
    ("key", &SERVER),
    ("registration", &SERVER),
    ("scenario list", &SERVER),
    ("scenario show", &SERVER),
    ("scenario check", &SERVER),
    ("scenario import-plaid", &SERVER),
];

/// A form of a command that uses fewer global flags than the command's other forms.
struct Form {
    command: &'static str,
    /// The form, as the error names it.
    shown: &'static str,
    /// True if the command line has this form.
    matches: fn(&ArgMatches) -> bool,
    unused: &'static [&'static str],
    /// The advice of the error.
    advice: &'static str,
}

/// The forms of commands that do not use some global flags. They reject them too.
const FORMS: [Form; 3] = [
    Form {
        command: "config",
        shown: "config --defaults`",
        matches: |flags| flags.get_flag("defaults"),
        unused: &JSON,
        advice: "leave it out",
    },
    Form {
        command: "export",
        shown: "export` without a file",
        matches: |flags| !cli::exports_to_file(flags),
        unused: &JSON,
        advice: "choose --format jsonl for rows as JSON",
    },
    Form {
        command: "trigger",
        shown: "trigger --list`",
        matches: |flags| flags.get_flag("list"),
        unused: &SERVER,
        advice: "leave it out",
    },
];

/// The arguments of the program.
#[derive(Parser)]
#[command(
    name = "bankfeed",
    version,
    about = "A self-hosted server that speaks Stripe's Financial Connections API",
    after_help = "\
Examples:
  bankfeed serve --memory
  bankfeed link --new-clock --subscribe

`bankfeed COMMAND --help` describes a command."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalFlags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server
    #[command(after_help = "\
Examples:
  bankfeed serve --memory
  bankfeed serve --db /var/lib/bankfeed/bankfeed.db --keys issued
  bankfeed serve --memory --seed 7 --time 1790000000 --scenario overdrawn")]
    Serve(SettingsFlags),
    /// Issue, list and revoke API keys, also while the server runs
    #[command(
        subcommand,
        after_help = "\
Examples:
  bankfeed key create --live --name Books
  bankfeed key list"
    )]
    Key(key::KeyCommand),
    /// List and set registrations for live data
    #[command(
        subcommand,
        after_help = "\
Examples:
  bankfeed registration set acct_123 transactions=active
  bankfeed registration list"
    )]
    Registration(registration::RegistrationCommand),
    /// Run the main job on a server of its own, step by step
    #[command(after_help = "\
Examples:
  bankfeed demo
  bankfeed demo --no-pause")]
    Demo(demo::DemoFlags),
    /// Run a program whose calls of Stripe reach bankfeed
    #[command(after_help = "\
Examples:
  bankfeed run -- pytest
  bankfeed run --api-key sk_test_7 -- stripe customers list
  bankfeed run --url http://127.0.0.1:12111 --allow api.example.com -- python sync.py")]
    Run(run::RunFlags),
    /// Print every setting of `serve`, with its source
    #[command(after_help = "\
Examples:
  bankfeed config
  bankfeed config --config bankfeed.toml --json
  bankfeed config --defaults > bankfeed.toml")]
    Config(config::ConfigFlags),
    /// Check everything that `serve` needs
    #[command(after_help = "\
Examples:
  bankfeed doctor --db /var/lib/bankfeed/bankfeed.db")]
    Doctor(SettingsFlags),
    /// Copy a server's data into a folder, also while it runs
    #[command(after_help = "\
Examples:
  bankfeed backup backup-2026-11-30 --db /var/lib/bankfeed/bankfeed.db")]
    Backup(backup::BackupFlags),
    /// Restore a server's data from a backup
    #[command(after_help = "\
Examples:
  bankfeed restore backup-2026-11-30 --db /var/lib/bankfeed/bankfeed.db
  bankfeed restore backup-2026-11-30 --force")]
    Restore(backup::RestoreFlags),
    /// List, print, check, export and import scenarios
    #[command(
        subcommand,
        after_help = "\
Examples:
  bankfeed scenario list
  bankfeed scenario show overdrawn > mine.toml
  bankfeed scenario check mine.toml"
    )]
    Scenario(scenario::ScenarioCommand),
    #[command(flatten)]
    Api(cli::Command),
    /// Serve the API's tools to an agent by MCP
    #[command(after_help = "\
Examples:
  bankfeed mcp
  bankfeed mcp --api-key sk_test_agent --api-base http://127.0.0.1:12112")]
    Mcp(cli::McpFlags),
    /// Print the completion script for a shell
    #[command(after_help = "\
Examples:
  bankfeed completions bash > ~/.local/share/bash-completion/completions/bankfeed")]
    Completions(cli::completions::CompletionsFlags),
}

impl Arguments {
    /// Parses a command line, with the name of the program first.
    pub(crate) fn parse_from(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let mut program = program();
        let matches = program.try_get_matches_from_mut(words)?;
        if let Some(problem) = unused_flag(&matches) {
            return Err(program.error(ErrorKind::ArgumentConflict, problem));
        }
        let arguments = Self::from_arg_matches(&matches);
        let arguments = arguments.map_err(|error| error.format(&mut program))?;
        Ok(Self { global: arguments.global.with_variables(&matches), ..arguments })
    }
}

/// The definition of the program, with the help texts of groups and of unused flags.
pub(crate) fn program() -> Program {
    let program = UNUSED.iter().fold(Arguments::command(), |program, (path, unused)| {
        let path: Vec<&str> = path.split(' ').collect();
        hide(program, &path, unused)
    });
    let program = program.mut_subcommand("run", with_defaults_of_run);
    let template = template(&program);
    program.help_template(template)
}

/// Describes the global flags of `run`, which has a server of its own by default and leaves the key to
/// the command.
fn with_defaults_of_run(program: Program) -> Program {
    let flags = GlobalFlags::augment_args(Program::new("global"));
    let described = flags.get_arguments().filter_map(|flag| {
        let help = match flag.get_id().as_str() {
            "api_key" => {
                "API key for the command [default: the command's own] [env: BANKFEED_API_KEY]"
            }
            "api_base" => {
                "Address of the server [default: a server of this run] [env: BANKFEED_API_BASE]"
            }
            _ => return None,
        };
        Some(flag.clone().hide_default_value(true).help(help))
    });
    let described: Vec<_> = described.collect();
    program.args(described)
}

/// The help template of the program, with the commands in their groups.
fn template(program: &Program) -> String {
    let header = program.get_styles().get_header();
    let literal = program.get_styles().get_literal();
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let mut groups = String::new();
    // Writing to a String cannot fail.
    for (heading, names) in GROUPS {
        let _ = writeln!(groups, "{header}{heading}:{header:#}");
        for name in names {
            let about = program.find_subcommand(name).and_then(Program::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(groups, "  {literal}{name:<width$}{literal:#}  {about}");
        }
        groups.push('\n');
    }
    format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}\
         {header}Options:{header:#}\n{{options}}{{after-help}}"
    )
}

/// Hides global flags in the help text of the command at a path.
fn hide(program: Program, path: &[&str], unused: &[&str]) -> Program {
    let [name, rest @ ..] = path else {
        let flags = GlobalFlags::augment_args(Program::new("global"));
        let hidden = flags.get_arguments().filter(|flag| unused.contains(&flag.get_id().as_str()));
        return program.args(hidden.map(|flag| flag.clone().hide(true)));
    };
    program.mut_subcommand(name, |program| hide(program, rest, unused))
}

/// The problem of a global flag that the chosen command does not use, if one was typed.
fn unused_flag(matches: &ArgMatches) -> Option<String> {
    let mut path = Vec::new();
    let mut inner = matches;
    while let Some((name, matches)) = inner.subcommand() {
        path.push(name);
        inner = matches;
    }
    let path = path.join(" ");
    let is_of = |command: &str| {
        path.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let typed = |unused: &[&str]| {
        let is_typed =
            |id: &&&str| matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        unused.iter().find(is_typed).map(|id| id.replace('_', "-"))
    };
    if let Some((_, unused)) = UNUSED.iter().find(|(command, _)| is_of(command)) {
        let flag = typed(unused)?;
        return Some(format!("`bankfeed {path}` does not use --{flag}; leave it out"));
    }
    let form = FORMS.iter().find(|form| form.command == path && (form.matches)(inner))?;
    let flag = typed(form.unused)?;
    Some(format!("`bankfeed {} does not use --{flag}; {}", form.shown, form.advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Each command of the program and of its subcommands, with its path.
    fn commands() -> Vec<(String, Program)> {
        fn walk(path: &str, program: &Program, found: &mut Vec<(String, Program)>) {
            for command in program.get_subcommands() {
                let path = format!("{path} {}", command.get_name());
                walk(&path, command, found);
                found.push((path, command.clone()));
            }
        }
        let mut found = vec![("bankfeed".to_owned(), program())];
        walk("bankfeed", &program(), &mut found);
        found
    }

    /// The examples at the end of a command's help text.
    fn examples(command: &Program) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let Some(examples) = help.strip_prefix("Examples:\n") else { return Vec::new() };
        examples.lines().map_while(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
    }

    /// The definitions of the arguments pass clap's own checks.
    #[test]
    fn definitions_are_consistent() {
        program().debug_assert();
        let parse = |line: &str| {
            let words = shlex::split(line).unwrap();
            Arguments::parse_from(words.into_iter().map(OsString::from)).map(|_| ())
        };
        assert!(parse("bankfeed serve --memory").is_ok());
        assert!(parse("bankfeed serve --memory=false").is_ok());
        assert!(parse("bankfeed serve --nothing").is_err());
        assert!(parse("bankfeed key create --live").is_ok());
        assert!(parse("bankfeed key revoke").is_err());
    }

    /// Every command is in exactly one group of the help text, with an imperative of at most 60
    /// characters.
    #[test]
    fn every_command_is_in_one_group() {
        let program = program();
        let grouped: Vec<&str> =
            GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let known: BTreeSet<&str> = program.get_subcommands().map(Program::get_name).collect();
        assert_eq!(grouped.len(), known.len(), "a command is in two groups, or in none");
        assert_eq!(grouped.into_iter().collect::<BTreeSet<_>>(), known);
        for (path, command) in commands().iter().skip(1) {
            let about = command.get_about().unwrap().to_string();
            let first = about.split(' ').next().unwrap();
            assert!(about.chars().count() <= 60, "{path}: {about}");
            assert!(!about.ends_with('.') && !first.ends_with('s'), "{path}: {about}");
        }
    }

    /// The help text of every command ends with examples of this command.
    #[test]
    fn every_command_has_an_example() {
        for (path, command) in commands() {
            let examples = examples(&command);
            assert!(!examples.is_empty(), "{path} has no example");
            for example in examples {
                assert!(example.starts_with(&path), "{path}: {example}");
            }
        }
    }

    /// Every example is a command line that the program accepts.
    #[test]
    fn examples_are_valid() {
        for (path, command) in commands() {
            for example in examples(&command) {
                let words = shlex::split(&example).unwrap();
                let words = words.into_iter().take_while(|word| word != ">").map(OsString::from);
                let parsed = Arguments::parse_from(words);
                assert!(parsed.is_ok(), "{path}: {example}: {}", parsed.err().unwrap());
            }
        }
    }

    /// Help texts call the owner of an API key a merchant. In the help texts an account is a bank
    /// account or a connected account.
    #[test]
    fn the_owner_of_a_key_is_a_merchant() {
        for (path, mut command) in commands() {
            let help = command.render_long_help().to_string();
            // The setting has the word of the documents for a merchant without live data.
            let help = help.replace("sandbox-idle-days", "");
            assert!(!help.contains("sandbox"), "{path}: {help}");
        }
    }

    /// A command rejects a global flag without an effect, and its help text omits the flag.
    #[test]
    fn unused_flags_are_rejected() {
        for (path, unused) in UNUSED {
            let line = |flag: &str| match flag {
                "json" => "--json".to_owned(),
                flag => format!("--{}=http://127.0.0.1", flag.replace('_', "-")),
            };
            let end = match path {
                "completions" => "bash",
                "key" | "registration" => "list",
                "get" | "post" | "delete" => "customers",
                "backup"
                | "restore"
                | "scenario show"
                | "scenario check"
                | "scenario import-plaid" => "x",
                _ => "",
            };
            for flag in ALL {
                let other = if path == "run" { "-- true" } else { "" };
                let line = format!("bankfeed {path} {end} {} {other}", line(flag));
                let words = shlex::split(&line).unwrap().into_iter().map(OsString::from);
                let rejected = Arguments::parse_from(words).err().map(|error| error.to_string());
                let is_rejected = rejected.is_some_and(|error| error.contains("does not use --"));
                assert_eq!(is_rejected, unused.contains(&flag), "{line}");
            }
        }
    }

    /// Each form of a command that does not use a flag rejects it, and the other forms accept it.
    #[test]
    fn unused_flags_of_forms_are_rejected() {
        for (line, is_rejected) in [
            ("export fca_123 --json", true),
            ("export fca_123 --json --output -", true),
            ("export fca_123 --json --output rows.csv", false),
            ("export fca_123 --api-key sk_test_1", false),
            ("trigger --list --api-key sk_test_1", true),
            ("trigger --list --url http://127.0.0.1", true),
            ("trigger --list --json", false),
            ("trigger customer.created --api-key sk_test_1", false),
        ] {
            let words = ["bankfeed"].into_iter().chain(line.split(' ')).map(OsString::from);
            let rejected = Arguments::parse_from(words).err().map(|error| error.to_string());
            let shown = rejected.clone().unwrap_or_default();
            assert_eq!(rejected.is_some(), is_rejected, "{line}: {shown}");
            assert_eq!(shown.contains("does not use --"), is_rejected, "{line}: {shown}");
        }
    }
}
