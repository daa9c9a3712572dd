//! `bankfeed key`: issues, lists and revokes API keys.
//!
//! The command changes the file of issued keys, which a running server also reads. A key is printed
//! once, when it is created, and cannot be shown again.

use crate::error::CommandError;
use clap::{Args, Subcommand};
use cli::output;
use model::clock::{Clock as _, Rng};
use model::id::{KeyId, MerchantId};
use model::key::{IssuedKey, KEY_LETTERS, KeyDigest, random_letters};
use model::limits::KEY_NAME_CHARS_MAX;
use server::clock::SystemClock;
use server::rng::Streams;
use settings::{FILE_VARIABLE, resolve};
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::{KeyFile, KeyFileError};

/// The subcommands of `bankfeed key`.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Create a secret and a publishable key, and show them once
    Create(CreateFlags),
    /// List the keys, without their secrets
    List(FileFlags),
    /// Revoke a key and its publishable key
    Revoke(RevokeFlags),
}

/// The flags of `bankfeed key create`.
#[derive(Args)]
pub(crate) struct CreateFlags {
    /// Create a live key instead of a test key
    #[arg(long)]
    live: bool,
    /// The name in the list
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// The merchant's id, as the list shows it [default: a new merchant]
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    #[command(flatten)]
    file: FileFlags,
}

/// The flags of `bankfeed key revoke`.
#[derive(Args)]
pub(crate) struct RevokeFlags {
    /// The id of the key, as the list shows it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    file: FileFlags,
}

/// The selection of a file of keys.
#[derive(Args)]
pub(crate) struct FileFlags {
    /// The database of the server, as for `serve`
    #[arg(long, value_name = "FILE")]
    db: Option<String>,
    /// The file of the keys, as for `serve`
    #[arg(long, value_name = "FILE")]
    api_keys_file: Option<String>,
    /// A TOML file with settings, as for `serve`
    #[arg(long, value_name = "FILE", env = FILE_VARIABLE)]
    config: Option<PathBuf>,
}

/// The error of a key command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("a temporary database has no issued keys; name a file with --api-keys-file")]
    NoFile,
    #[error("could not use the keys in {}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: KeyFileError,
    },
    #[error("could not get randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
    #[error("no issued key belongs to the merchant '{0}'; `key list` shows them")]
    NoSuchMerchant(String),
    #[error("no key that opens anything has the id '{0}'; `key list` shows them")]
    NoSuchKey(String),
    #[error("a key's name has at most {KEY_NAME_CHARS_MAX} characters, on one line")]
    Name,
}

impl KeyError {
    /// True if the command line was wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NoFile | Self::Name)
    }
}

pub(crate) fn run(command: &KeyCommand) -> Result<(), CommandError> {
    match command {
        KeyCommand::Create(flags) => create(flags),
        KeyCommand::List(flags) => list(flags),
        KeyCommand::Revoke(flags) => revoke(flags),
    }
}

impl FileFlags {
    /// The path of the file, resolved as by the server with the same settings.
    fn path(&self) -> Result<PathBuf, CommandError> {
        let given = [("db", &self.db), ("api-keys-file", &self.api_keys_file)];
        let flags: BTreeMap<&'static str, String> =
            given.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))).collect();
        let resolved = resolve(&flags, |name| std::env::var(name).ok(), self.config.as_deref())?;
        let path = resolved.settings()?.api_keys_file;
        Ok(path.ok_or(KeyError::NoFile)?)
    }

    fn open(&self) -> Result<Opened, CommandError> {
        let path = self.path()?;
        match KeyFile::open(&path) {
            Ok(file) => Ok(Opened { path, file }),
            Err(source) => Err(KeyError::File { path, source }.into()),
        }
    }
}

/// The opened file of keys.
struct Opened {
    path: PathBuf,
    file: KeyFile,
}

impl Opened {
    /// Adds the path of the file to an error.
    fn said<T>(&self, answer: Result<T, KeyFileError>) -> Result<T, KeyError> {
        answer.map_err(|source| KeyError::File { path: self.path.clone(), source })
    }
}

fn create(flags: &CreateFlags) -> Result<(), CommandError> {
    let name = flags.name.trim();
    if name.chars().count() > KEY_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(KeyError::Name.into());
    }
    let opened = flags.file.open()?;
    let streams = Streams::from_system().map_err(KeyError::Randomness)?;
    let rng = &*streams.objects;
    let merchant = match &flags.merchant {
        Some(given) => known_merchant(&opened.said(opened.file.list())?, given)?,
        None => MerchantId::from_number(number(rng)),
    };
    let mode = if flags.live { "live" } else { "test" };
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
    let (id, merchant, path) = (key.id, shown_merchant(&key), opened.path.display());
    let told = output::say(&format!(
        "id           {id}\n\
         merchant     {merchant}\n\
         secret       {secret}\n\
         publishable  {publishable}\n\
         The secret key is shown this once; {path} keeps only a hash of it."
    ));
    if told.is_err() {
        // The key's text was never shown, so the key would be useless in the list.
        opened.said(opened.file.revoke(id, key.created))?;
    }
    Ok(told?)
}

fn list(flags: &FileFlags) -> Result<(), CommandError> {
    let opened = flags.open()?;
    for key in opened.said(opened.file.list())? {
        let mode = if key.livemode { "live" } else { "test" };
        let state = if key.revoked.is_some() { "revoked" } else { "active" };
        let merchant = shown_merchant(&key);
        let line = format!("{}  {merchant}  {mode}  {state:<7}  {}", key.id, key.name);
        output::say(line.trim_end())?;
    }
    Ok(())
}

fn revoke(flags: &RevokeFlags) -> Result<(), CommandError> {
    let opened = flags.file.open()?;
    let id: Option<KeyId> = flags.id.parse().ok();
    let now = SystemClock::default().server_now();
    let revoked = match id {
        Some(id) => opened.said(opened.file.revoke(id, now))?,
        None => false,
    };
    if !revoked {
        return Err(KeyError::NoSuchKey(flags.id.clone()).into());
    }
    Ok(output::say(&format!("{} is revoked", flags.id))?)
}

/// The merchant's id as the API shows it to the key. Each mode has an id of its own.
fn shown_merchant(key: &IssuedKey) -> MerchantId {
    if key.livemode { key.merchant.in_live_mode() } else { key.merchant }
}

/// Finds a merchant that has a key, by its id of either mode.
fn known_merchant(keys: &[IssuedKey], given: &str) -> Result<MerchantId, KeyError> {
    let named: Option<MerchantId> = given.parse().ok();
    keys.iter()
        .map(|key| key.merchant)
        .find(|merchant| named == Some(*merchant) || named == Some(merchant.in_live_mode()))
        .ok_or_else(|| KeyError::NoSuchMerchant(given.to_owned()))
}

/// A random number that fits into an id.
fn number(rng: &dyn Rng) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes) >> 1
}
