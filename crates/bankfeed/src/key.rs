//! `bankfeed key`: issues, lists and revokes API keys.
//!
//! The command changes the file of issued keys, which a running server also reads. A key is printed
//! once, when it is created, and cannot be shown again.

use crate::error::{CommandError, KeyError};
use clap::{Args, Subcommand};
use cli::output::{self, Column, Table};
use model::clock::{Clock as _, Rng};
use model::id::{KeyId, MerchantId};
use model::key::{IssuedKey, KEY_LETTERS, KeyDigest, random_letters};
use model::limits::KEY_NAME_CHARS_MAX;
use serde_json::{Value, json};
use server::clock::SystemClock;
use server::rng::Streams;
use settings::{Database, Settings, keys_beside, resolve, settings_file};
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::{KeyFile, KeyFileError, check_replaced};

/// The subcommands of `bankfeed key`.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Create a secret and a publishable key, and show them once
    #[command(after_help = "\
Examples:
  bankfeed key create --live --name Books
  bankfeed key create --merchant acct_123")]
    Create(CreateFlags),
    /// List the keys, without their secrets
    #[command(after_help = "\
Examples:
  bankfeed key list --db /var/lib/bankfeed/bankfeed.db")]
    List(FileFlags),
    /// Revoke a key and its publishable key
    #[command(after_help = "\
Examples:
  bankfeed key revoke key_123")]
    Revoke(RevokeFlags),
}

/// The flags of `bankfeed key create`.
#[derive(Args)]
pub(crate) struct CreateFlags {
    /// Create a live key instead of a test key
    #[arg(long)]
    live: bool,
    /// Name in the list
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// Merchant's id of the list [default: a new merchant]
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    #[command(flatten)]
    file: FileFlags,
}

/// The flags of `bankfeed key revoke`.
#[derive(Args)]
pub(crate) struct RevokeFlags {
    /// Id of the key in the list
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    file: FileFlags,
}

/// The selection of a file of keys.
#[derive(Args)]
pub(crate) struct FileFlags {
    /// Database of the server, as for `serve`
    #[arg(long, value_name = "FILE")]
    db: Option<String>,
    /// File of the keys, as for `serve`
    #[arg(long, value_name = "FILE")]
    api_keys_file: Option<String>,
    /// TOML file with settings, as for `serve`
    #[arg(
        long,
        value_name = "FILE",
        help = "TOML file with settings, as for `serve` [env: BANKFEED_CONFIG]"
    )]
    config: Option<PathBuf>,
}

pub(crate) fn run(command: &KeyCommand, json: bool) -> Result<(), CommandError> {
    match command {
        KeyCommand::Create(flags) => create(flags, json),
        KeyCommand::List(flags) => list(flags, json),
        KeyCommand::Revoke(flags) => revoke(flags, json),
    }
}

impl FileFlags {
    /// The settings of a server with the same flags, environment and file.
    fn settings(&self) -> Result<Settings, CommandError> {
        let sources = [("db", &self.db), ("api-keys-file", &self.api_keys_file)];
        let flags: BTreeMap<&'static str, String> =
            sources.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect();
        let file = settings_file(self.config.as_deref());
        let resolved = resolve(&flags, |name| std::env::var(name).ok(), file.as_deref())?;
        Ok(resolved.settings()?)
    }

    /// Opens the file, and creates it if it does not exist.
    fn open(&self) -> Result<Opened, CommandError> {
        open_file(&self.settings()?)
    }

    /// Opens the file, or finds that it does not exist, which means that there are no keys.
    pub(crate) fn find(&self) -> Result<Found, CommandError> {
        let settings = self.settings()?;
        match &settings.api_keys_file {
            Some(path) if !path.exists() => Ok(Found::Missing(path.clone())),
            _ => open_file(&settings).map(Found::Opened),
        }
    }
}

fn open_file(settings: &Settings) -> Result<Opened, CommandError> {
    if let Database::File(db) = &settings.database {
        // The restore would undo the change of a key when it comes to its end.
        check_replaced(db).map_err(KeyError::Unfinished)?;
    }
    let missing = missing_database(settings);
    let path = settings.api_keys_file.clone().ok_or(KeyError::NoFile)?;
    match KeyFile::open(&path) {
        Ok(file) => Ok(Opened { path, file, missing }),
        Err(source) => Err(KeyError::File { path, source }.into()),
    }
}

/// The file of keys, which a server or a command creates when it needs it.
pub(crate) enum Found {
    Opened(Opened),
    /// There is no file at this path.
    Missing(PathBuf),
}

impl Found {
    /// The opened file, if it exists.
    pub(crate) fn opened(self) -> Option<Opened> {
        match self {
            Self::Opened(opened) => Some(opened),
            Self::Missing(_) => None,
        }
    }

    /// The remark for a list without rows, with the path of the file.
    pub(crate) fn no_rows(&self, what: &str) -> String {
        match self {
            Self::Opened(opened) => format!("No {what} in {}.", opened.path.display()),
            Self::Missing(path) => format!("No {what}: {} does not exist.", path.display()),
        }
    }
}

/// The opened file of keys.
pub(crate) struct Opened {
    path: PathBuf,
    pub(crate) file: KeyFile,
    /// The database that the file belongs to, if it does not exist.
    missing: Option<PathBuf>,
}

/// The database whose name the file of keys has, if no server has created it yet.
fn missing_database(settings: &Settings) -> Option<PathBuf> {
    let Database::File(db) = &settings.database else { return None };
    let is_beside = settings.api_keys_file.as_ref() == Some(&keys_beside(db));
    (is_beside && !db.exists()).then(|| db.clone())
}

impl Opened {
    /// Adds the path of the file to an error.
    pub(crate) fn said<T>(&self, result: Result<T, KeyFileError>) -> Result<T, KeyError> {
        result.map_err(|source| KeyError::File { path: self.path.clone(), source })
    }
}

fn create(flags: &CreateFlags, json: bool) -> Result<(), CommandError> {
    let name = flags.name.trim();
    if name.chars().count() > KEY_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(KeyError::Name.into());
    }
    let opened = flags.file.open()?;
    let streams = Streams::from_system().map_err(KeyError::Randomness)?;
    let rng = &*streams.objects;
    let merchant = match &flags.merchant {
        Some(value) => known_merchant(&opened.said(opened.file.list())?, value)?,
        None => MerchantId::from_number(number(rng)),
    };
    let mode = mode(flags.live);
    let text = |kind| format!("{kind}_{mode}_{}", random_letters(rng, KEY_LETTERS));
    let (secret, publishable) = (text("sk"), text("pk"));
    let key = IssuedKey {
        id: KeyId::from_number(number(rng)),
        merchant,
        livemode: flags.live,
        name: name.to_owned(),
        secret: KeyDigest::of(&secret),
        publishable: KeyDigest::of(&publishable),
        created: SystemClock::default().server_now(),
        revoked: None,
    };
    opened.said(opened.file.create(&key))?;
    let written = if json {
        let mut shown = facts(&key);
        shown["secret"] = json!(secret);
        shown["publishable"] = json!(publishable);
        output::say_json(&shown)
    } else {
        output::say(&format!(
            "id           {}\n\
             merchant     {}\n\
             secret       {secret}\n\
             publishable  {publishable}\n\
             The secret key is shown this once; {} keeps only a hash of it.",
            key.id,
            shown_merchant(&key),
            opened.path.display(),
        ))
    };
    if written.is_err() {
        // The key's text was never shown, so the key would be useless in the list.
        opened.said(opened.file.revoke(key.id, key.created))?;
    } else if let Some(db) = &opened.missing {
        output::warn(&format!(
            "The database {} does not exist, so no server has used it yet. A server with --memory \
             does not know this key, unless its --api-keys-file names {}",
            db.display(),
            opened.path.display(),
        ));
    }
    Ok(written?)
}

fn list(flags: &FileFlags, json: bool) -> Result<(), CommandError> {
    let found = flags.find()?;
    let keys = match &found {
        Found::Opened(opened) => opened.said(opened.file.list())?,
        Found::Missing(_) => Vec::new(),
    };
    let mut table = Table::new(&[
        Column::Text("ID"),
        Column::Text("MERCHANT"),
        Column::Text("MODE"),
        Column::Status("STATE"),
        Column::Text("NAME"),
    ]);
    for key in &keys {
        if json {
            output::say_json_line(&facts(key))?;
        }
        let (id, merchant) = (key.id.to_string(), shown_merchant(key).to_string());
        table.row(&[&id, &merchant, mode(key.livemode), state(key), &key.name]);
    }
    if json { Ok(()) } else { Ok(table.print(&found.no_rows("keys"))?) }
}

fn revoke(flags: &RevokeFlags, json: bool) -> Result<(), CommandError> {
    let opened = flags.file.find()?.opened();
    let id: Option<KeyId> = flags.id.parse().ok();
    let now = SystemClock::default().server_now();
    let revoked = match (&opened, id) {
        (Some(opened), Some(id)) => opened.said(opened.file.revoke(id, now))?,
        _ => false,
    };
    if !revoked {
        return Err(KeyError::NoSuchKey(flags.id.clone()).into());
    }
    if json {
        return Ok(output::say_json(&json!({"id": flags.id, "state": "revoked"}))?);
    }
    Ok(output::say(&format!("{} is revoked", flags.id))?)
}

/// The facts of a key as JSON, without its text.
fn facts(key: &IssuedKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "merchant": shown_merchant(key).to_string(),
        "mode": mode(key.livemode),
        "state": state(key),
        "name": key.name,
    })
}

fn mode(livemode: bool) -> &'static str {
    if livemode { "live" } else { "test" }
}

fn state(key: &IssuedKey) -> &'static str {
    if key.revoked.is_some() { "revoked" } else { "active" }
}

/// The merchant's id as the API shows it to the key. Each mode has an id of its own.
fn shown_merchant(key: &IssuedKey) -> MerchantId {
    if key.livemode { key.merchant.in_live_mode() } else { key.merchant }
}

/// Finds a merchant that has a key, by its id of either mode.
pub(crate) fn known_merchant(keys: &[IssuedKey], id: &str) -> Result<MerchantId, KeyError> {
    let named: Option<MerchantId> = id.parse().ok();
    keys.iter()
        .map(|key| key.merchant)
        .find(|merchant| named == Some(*merchant) || named == Some(merchant.in_live_mode()))
        .ok_or_else(|| KeyError::NoSuchMerchant(id.to_owned()))
}

/// A random number that fits into an id.
fn number(rng: &dyn Rng) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes) >> 1
}
