//! Issued API keys and registrations for live data: a small separate database, open in the server
//! and in the commands of the operator.
//!
//! The large database has one writer, the server. This one relies on `SQLite`'s own locking, so a
//! command works whether a server runs or not. It contains only hashes, so it needs no seal key. A
//! change is on disk when its function returns. A process that crashes in the middle of a change
//! has no effect, because the next process to open the file rolls the change back.

use crate::exact;
use model::Word;
use model::account::Permission;
use model::connections_settings::Registration;
use model::id::{KeyId, MerchantId};
use model::key::{IssuedKey, KeyDigest};
use model::limits::ISSUED_KEYS_MAX;
use model::time::ServerTime;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params, params};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

/// The time that one process waits for the change of another.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// The version of the file's schema that this program reads.
const SCHEMA: i64 = 2;

/// The offset of the change counter in the file's header, in the documented format of `SQLite`
/// databases without a write-ahead log.
const CHANGE_COUNTER_OFFSET: u64 = 24;

const FIND_SCHEMA: &str = "PRAGMA user_version";
const CREATE_KEYS: &str = "CREATE TABLE IF NOT EXISTS keys (\
     key INTEGER PRIMARY KEY, merchant INTEGER NOT NULL, livemode INTEGER NOT NULL, \
     name TEXT NOT NULL, secret BLOB NOT NULL UNIQUE, publishable BLOB NOT NULL UNIQUE, \
     created INTEGER NOT NULL, revoked INTEGER) STRICT";
/// The second version of the schema adds this table. A merchant has the id of its test mode.
const CREATE_REGISTRATIONS: &str = "CREATE TABLE IF NOT EXISTS registrations (\
     merchant INTEGER NOT NULL, permission TEXT NOT NULL, state TEXT NOT NULL, \
     PRIMARY KEY (merchant, permission)) STRICT, WITHOUT ROWID";
const PUT_REGISTRATION: &str = "INSERT INTO registrations (merchant, permission, state) \
     VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET state = excluded.state";
const LIST_REGISTRATIONS: &str =
    "SELECT merchant, permission, state FROM registrations ORDER BY merchant, permission";
const INSERT_KEY: &str = "INSERT INTO keys \
     (key, merchant, livemode, name, secret, publishable, created, revoked) \
     SELECT :key, :merchant, :livemode, :name, :secret, :publishable, :created, NULL \
     WHERE (SELECT COUNT(*) FROM keys) < :keys_max";
const REVOKE_KEY: &str = "UPDATE keys SET revoked = ?2 WHERE key = ?1 AND revoked IS NULL";
const LIST_KEYS: &str = "SELECT key, merchant, livemode, name, secret, publishable, created, \
     revoked FROM keys ORDER BY created, key";

/// The reasons for which the file of issued keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// A statement failed. The source is the error of the database.
    #[error("cannot use the database of issued keys")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The header of the file cannot be read.
    #[error("cannot read the file of issued keys")]
    Head(#[from] io::Error),
    /// A newer bankfeed wrote the file.
    #[error(
        "the file of issued keys has schema {0}, but this bankfeed only knows {SCHEMA}; use a newer one"
    )]
    Newer(i64),
    /// The file has the maximum number of keys.
    #[error("limit reached: at most {ISSUED_KEYS_MAX} issued keys")]
    Full,
}

impl From<rusqlite::Error> for KeyFileError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// The state of one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRegistration {
    /// The merchant, with its id of test mode.
    pub merchant: MerchantId,
    /// The kind of live data.
    pub permission: Permission,
    /// The state.
    pub state: Registration,
}

/// The open file of issued keys.
#[derive(Debug)]
pub struct KeyFile {
    // Dropped in this order. A process that closes a file loses all its locks on that file. So the
    // header stays open as long as the connection, and no other code opens the file.
    connection: Connection,
    head: File,
}

impl KeyFile {
    /// Opens the file, and creates it for its owner only if it does not exist.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(WAIT_MAX)?;
        // `EXTRA` also synchronises the folder after the journal is removed. With `FULL` a power cut could
        // bring the journal back, and the next process would roll the last change back.
        connection.execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF",
        )?;
        let schema: i64 = connection.query_row(FIND_SCHEMA, [], |row| row.get(0))?;
        match schema {
            SCHEMA => {}
            // If two processes create or extend it at once, that happens once.
            0 | 1 => connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {CREATE_KEYS}; {CREATE_REGISTRATIONS}; \
                 PRAGMA user_version = {SCHEMA}; COMMIT"
            ))?,
            newer => return Err(KeyFileError::Newer(newer)),
        }
        Ok(Self { connection, head: File::open(path)? })
    }

    /// Stores a new key.
    pub fn create(&self, key: &IssuedKey) -> Result<(), KeyFileError> {
        let inserted = self.connection.execute(
            INSERT_KEY,
            named_params! {
                ":key": column(key.id.number()),
                ":merchant": column(key.merchant.number()),
                ":livemode": key.livemode,
                ":name": key.name,
                ":secret": key.secret.0,
                ":publishable": key.publishable.0,
                ":created": key.created.0,
                ":keys_max": ISSUED_KEYS_MAX,
            },
        )?;
        if inserted == 1 { Ok(()) } else { Err(KeyFileError::Full) }
    }

    /// Revokes a key. Returns true if the key existed and was active.
    pub fn revoke(&self, id: KeyId, now: ServerTime) -> Result<bool, KeyFileError> {
        Ok(self.connection.execute(REVOKE_KEY, params![column(id.number()), now.0])? == 1)
    }

    /// All keys, including revoked ones, oldest first.
    pub fn list(&self) -> Result<Vec<IssuedKey>, KeyFileError> {
        let mut statement = self.connection.prepare_cached(LIST_KEYS)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Sets the state of a merchant's registration for a kind of live data.
    pub fn put_registration(&self, registration: &StoredRegistration) -> Result<(), KeyFileError> {
        let StoredRegistration { merchant, permission, state } = registration;
        let columns = params![column(merchant.number()), permission.word(), state.word()];
        self.connection.execute(PUT_REGISTRATION, columns)?;
        Ok(())
    }

    /// All registrations, by merchant and kind of data.
    pub fn list_registrations(&self) -> Result<Vec<StoredRegistration>, KeyFileError> {
        let mut statement = self.connection.prepare_cached(LIST_REGISTRATIONS)?;
        let rows = statement.query_map([], read_registration)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The change counter of the file, which differs after every change. Reading it costs four
    /// bytes of the file's header and takes no lock. During a change it may be the counter before
    /// or after. So a list belongs to a counter only if the counter is equal before and after
    /// reading the list.
    pub fn changes(&self) -> Result<u32, KeyFileError> {
        let mut bytes = [0; 4];
        self.head.read_exact_at(&mut bytes, CHANGE_COUNTER_OFFSET)?;
        Ok(u32::from_be_bytes(bytes))
    }
}

fn column(number: u64) -> i64 {
    exact(number, "ids have at most 63 bits")
}

fn read_number(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let stored: i64 = row.get(index)?;
    u64::try_from(stored).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, stored))
}

fn read_word<W: Word>(row: &Row<'_>, index: usize) -> rusqlite::Result<W> {
    let text: String = row.get(index)?;
    let unknown = || {
        let problem = format!("unknown word '{text}'");
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, problem.into())
    };
    W::from_word(&text).ok_or_else(unknown)
}

fn read_registration(row: &Row<'_>) -> rusqlite::Result<StoredRegistration> {
    Ok(StoredRegistration {
        merchant: MerchantId::from_number(read_number(row, 0)?),
        permission: read_word(row, 1)?,
        state: read_word(row, 2)?,
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<IssuedKey> {
    let number = |index| read_number(row, index);
    Ok(IssuedKey {
        id: KeyId::from_number(number(0)?),
        merchant: MerchantId::from_number(number(1)?),
        livemode: row.get(2)?,
        name: row.get(3)?,
        secret: KeyDigest(row.get(4)?),
        publishable: KeyDigest(row.get(5)?),
        created: ServerTime(row.get(6)?),
        revoked: row.get::<_, Option<i64>>(7)?.map(ServerTime),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> IssuedKey {
        IssuedKey {
            id: KeyId::from_number(number),
            merchant: MerchantId::from_number(7),
            livemode: number.is_multiple_of(2),
            name: format!("number {number}"),
            secret: KeyDigest::of(&format!("secret {number}")),
            publishable: KeyDigest::of(&format!("publishable {number}")),
            created: ServerTime(1_000),
            revoked: None,
        }
    }

    /// A change by one connection is read by another in full, and raises the change counter.
    #[test]
    fn two_connections_share_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let (server, command) = (KeyFile::open(&path).unwrap(), KeyFile::open(&path).unwrap());
        let before = server.changes().unwrap();
        assert_eq!(server.list().unwrap(), []);
        assert_eq!(server.changes().unwrap(), before);

        command.create(&key(1)).unwrap();
        command.create(&key(2)).unwrap();
        let created = server.changes().unwrap();
        assert_ne!(created, before);
        assert_eq!(server.list().unwrap(), [key(1), key(2)]);

        assert!(command.revoke(key(2).id, ServerTime(2_000)).unwrap());
        assert!(!command.revoke(key(2).id, ServerTime(3_000)).unwrap(), "revoked already");
        assert!(!command.revoke(key(3).id, ServerTime(2_000)).unwrap(), "no such key");
        assert_ne!(server.changes().unwrap(), created);
        let revoked = IssuedKey { revoked: Some(ServerTime(2_000)), ..key(2) };
        assert_eq!(server.list().unwrap(), [key(1), revoked]);
    }

    /// A key with the secret of another key is rejected and not stored.
    #[test]
    fn keys_have_different_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::open(&folder.path().join("keys")).unwrap();
        file.create(&key(1)).unwrap();
        let twin = IssuedKey { secret: key(1).secret, ..key(2) };
        assert!(matches!(file.create(&twin), Err(KeyFileError::Database(_))));
        assert_eq!(file.list().unwrap(), [key(1)]);
    }

    /// A registration has one state, and a file without registrations is extended.
    #[test]
    fn registrations_have_one_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let older = Connection::open(&path).unwrap();
        older.execute_batch(&format!("{CREATE_KEYS}; PRAGMA user_version = 1")).unwrap();
        let (server, command) = (KeyFile::open(&path).unwrap(), KeyFile::open(&path).unwrap());
        assert_eq!(server.list_registrations().unwrap(), []);
        let before = server.changes().unwrap();
        let registration = |state| StoredRegistration {
            merchant: MerchantId::from_number(7),
            permission: Permission::Balances,
            state,
        };
        for state in Registration::ALL {
            command.put_registration(&registration(*state)).unwrap();
            assert_eq!(server.list_registrations().unwrap(), [registration(*state)]);
        }
        assert_ne!(server.changes().unwrap(), before);
    }

    /// A file of a newer program is not changed.
    #[test]
    fn a_newer_file_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let newer = Connection::open(&path).unwrap();
        newer.execute_batch("PRAGMA user_version = 3").unwrap();
        let error = KeyFile::open(&path).unwrap_err();
        insta::assert_snapshot!(error, @"the file of issued keys has schema 3, but this bankfeed only knows 2; use a newer one");
    }
}
