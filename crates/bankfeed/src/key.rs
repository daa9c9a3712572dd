//! `bankfeed key`: issues API keys, lists and revokes them.
//!
//! It works on the file of issued keys, which the server has open too: it may run or not. A key is
//! printed once, when it is made; nobody can show it again.

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

/// What can be done with keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a secret key and its publishable key, and shows them this once.
    Create(CreateFlags),
    /// Lists the keys that were made, without their texts.
    List(FileFlags),
    /// Lets a key, and the publishable key made with it, open nothing any more.
    Revoke(RevokeFlags),
}

/// What may be said about a new key.
#[derive(Args)]
pub(crate) struct CreateFlags {
    /// A key of live mode; otherwise of test mode
    #[arg(long)]
    live: bool,
    /// What to call it in the list
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// Whose key it is, as another key's list says; otherwise a new merchant's
    #[arg(long, value_name = "ID")]
    merchant: Option<String>,
    #[command(flatten)]
    file: FileFlags,
}

/// What may be said about a revocation.
#[derive(Args)]
pub(crate) struct RevokeFlags {
    /// Which key, as the list says
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    file: FileFlags,
}

/// Which file of keys.
#[derive(Args)]
pub(crate) struct FileFlags {
    /// The database whose server the keys are for, as `serve` is told
    #[arg(long, value_name = "FILE")]
    db: Option<String>,
    /// The file of the keys, as `serve` is told
    #[arg(long, value_name = "FILE")]
    api_keys_file: Option<String>,
    /// A TOML file with settings, as `serve` is told
    #[arg(long, value_name = "FILE", env = FILE_VARIABLE)]
    config: Option<PathBuf>,
}

/// Why a key command did not do what it was asked.
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
    /// Whether the command was asked wrongly.
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
    /// The file, as the server of the same settings finds it.
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

/// The file, open.
struct Opened {
    path: PathBuf,
    file: KeyFile,
}

impl Opened {
    /// An answer of the file, or why there is none.
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
        // A key whose text nobody has seen would only stand in the list.
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

/// The merchant of a key as the API shows it to that key: each mode has an id of its own.
fn shown_merchant(key: &IssuedKey) -> MerchantId {
    if key.livemode { key.merchant.in_live_mode() } else { key.merchant }
}

/// A merchant that has a key, named as in either mode.
fn known_merchant(keys: &[IssuedKey], given: &str) -> Result<MerchantId, KeyError> {
    let named: Option<MerchantId> = given.parse().ok();
    keys.iter()
        .map(|key| key.merchant)
        .find(|merchant| named == Some(*merchant) || named == Some(merchant.in_live_mode()))
        .ok_or_else(|| KeyError::NoSuchMerchant(given.to_owned()))
}

/// A random number that an id can hold.
fn number(rng: &dyn Rng) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes) >> 1
}
