//! Opening a database: its locks, its connections, its migrations.

use super::Sqlite;
use super::files::{Locks, TemporaryFolder};
use super::generation::Known;
use super::log::{CHECKPOINT_WHOLE, checkpoint};
use super::long_reads::LongReads;
use super::migration::{MIGRATIONS, migrate};
use super::new_database;
use super::readers::Readers;
use super::writer::{Writer, WriterSettings};
use crate::seal::{CellPosition, Sealer};
use crate::uses::Places;
use crate::{OpenError, Place, StoreSettings};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;
use std::sync::Arc;

/// `SQLite` lost commits to a race in the write-ahead log before this version.
const LIBRARY_VERSION_MIN: i32 = 3_051_003;
/// The largest memory map that `SQLite` is built to take.
const MAP_BYTES: i64 = 2_147_418_112;
/// The page cache of the writer, in KiB. It is for pages that are not written yet.
const WRITER_CACHE_KIB: i64 = 16_384;
/// The page cache of a reader, in KiB. A reader reads most pages through the memory map.
const READER_CACHE_KIB: i64 = 1_024;
const WRITER_STATEMENTS: usize = 128;
const READER_STATEMENTS: usize = 48;

pub(super) const FIND_SEAL_CHECK: &str = "SELECT value FROM facts WHERE name = 'seal_check'";
pub(super) const INSERT_SEAL_CHECK: &str =
    "INSERT INTO facts (name, value) VALUES ('seal_check', ?1)";

const SEAL_CHECK: CellPosition<'static> =
    CellPosition { column: "facts.value", row: &[b"seal_check"] };

/// Opens a database.
pub(super) fn open(settings: StoreSettings, places: Places) -> Result<Sqlite, OpenError> {
    let library = rusqlite::version_number();
    if library < LIBRARY_VERSION_MIN {
        return Err(OpenError::OldLibrary {
            library: "SQLite",
            found: library,
            needed: LIBRARY_VERSION_MIN,
        });
    }
    let (path, locks, folder) = match settings.place {
        Place::File(path) => {
            let locks = Locks::take(&path)?;
            (path, Some(locks), None)
        }
        Place::Temporary => {
            let folder = TemporaryFolder::create(&std::env::temp_dir())?;
            (folder.database(), None, Some(folder))
        }
    };
    let durable = folder.is_none();
    let mut connection = open_writer(&path, durable)?;
    new_database::create(&mut connection)?;
    if migrate(&mut connection, MIGRATIONS)? {
        // A migration may write the whole database to the log.
        checkpoint(&connection, CHECKPOINT_WHOLE)?;
    }
    let seal = Sealer::new(settings.seal_key, settings.rng);
    check_seal(&connection, &seal)?;
    let known = Arc::new(Known::default());
    let writer = Writer::start(
        connection,
        WriterSettings {
            path: path.clone(),
            durable,
            seal: seal.clone(),
            clock: settings.clock,
            failpoints: settings.failpoints.clone(),
            bounds: settings.bounds,
            places,
            known: Arc::clone(&known),
        },
    )?;
    let readers = Readers::new(path.clone(), settings.readers);
    Ok(Sqlite {
        writer,
        readers,
        long_reads: LongReads::new(path),
        read_steps_max: settings.bounds.read_steps_max,
        seal,
        failpoints: settings.failpoints,
        known,
        folder,
        _locks: locks,
    })
}

/// Opens the connection that writes. The writer runs small checkpoints between commits, instead of
/// one long checkpoint within a commit. A new database can give free pages back (`prune.rs`), but one of
/// an earlier release cannot.
pub(super) fn open_writer(path: &Path, durable: bool) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    let synchronous = if durable { "FULL" } else { "OFF" };
    connection.execute_batch(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; \
         PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; \
         PRAGMA mmap_size = {MAP_BYTES}; PRAGMA cache_size = -{WRITER_CACHE_KIB}; \
         PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF"
    ))?;
    fix_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS);
    Ok(connection)
}

/// Opens a connection that reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    // Not opened read-only, because a reader of a write-ahead log uses its shared memory.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    keep_log(&connection)?;
    connection.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = {MAP_BYTES}; \
         PRAGMA cache_size = -{READER_CACHE_KIB}; PRAGMA trusted_schema = OFF"
    ))?;
    fix_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(connection)
}

/// Leaves the write-ahead log as it is when the connection is closed. The writer copies it to the
/// database at the end, unless the database was removed.
pub(super) fn keep_log(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// Makes the plan of a statement independent of the bound values. Otherwise `SQLite` plans a cached
/// statement again for every value on which its plan may depend, which costs more than most of our
/// reads.
fn fix_plans(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Opens the value that was sealed when the database was created. Another key is rejected at once,
/// not at the first read of a secret.
fn check_seal(connection: &Connection, seal: &Sealer) -> Result<(), OpenError> {
    match opens(connection, seal)? {
        Some(true) => {}
        Some(false) => return Err(OpenError::OtherSealKey),
        None => {
            let sealed = seal.seal(SEAL_CHECK, b"bankfeed").map_err(|_| OpenError::OtherSealKey)?;
            connection.execute(INSERT_SEAL_CHECK, params![sealed])?;
        }
    }
    Ok(())
}

/// True if the key opens the value that was sealed when the database was created. `None` if there
/// is no such value yet.
pub(super) fn opens(connection: &Connection, seal: &Sealer) -> Result<Option<bool>, OpenError> {
    let stored: Option<Vec<u8>> =
        connection.query_row(FIND_SEAL_CHECK, [], |row| row.get(0)).optional()?;
    Ok(stored.map(|stored| seal.open(SEAL_CHECK, &stored).is_ok()))
}
