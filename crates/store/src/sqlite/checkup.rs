//! A check of a database for `doctor` and `backup`. It changes no data, and a server may run meanwhile.

use super::files::check_replaced;
use super::migration::{MIGRATIONS, count_done};
use super::open::opens;
use crate::seal::Sealer;
use crate::{Checkup, OpenError};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// The maximum number of faults in the report, because more would not help.
const FAULTS_MAX: u32 = 5;

/// Checks the database in a file that exists.
pub(crate) fn check_up(path: &Path, seal: Option<&Sealer>) -> Result<Checkup, OpenError> {
    check_replaced(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    check_up_with(&Connection::open_with_flags(path, flags)?, seal)
}

/// True if the seal key opens the database in a file that exists.
pub(crate) fn is_opened_by(path: &Path, seal: &Sealer) -> Result<bool, OpenError> {
    check_replaced(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(opens(&Connection::open_with_flags(path, flags)?, seal)? == Some(true))
}

/// Checks the database of a connection.
pub(super) fn check_up_with(
    connection: &Connection,
    seal: Option<&Sealer>,
) -> Result<Checkup, OpenError> {
    connection.execute_batch("PRAGMA trusted_schema = OFF")?;
    let done = count_done(connection, MIGRATIONS)?;
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({FAULTS_MAX})"))?;
    let report = statement.query_map([], |row| row.get::<_, String>(0))?;
    let report: Vec<String> = report.collect::<Result<_, _>>()?;
    Ok(Checkup {
        migrations_done: done,
        migrations_known: MIGRATIONS.len(),
        faults: report.into_iter().filter(|fault| fault != "ok").collect(),
        opens: match seal {
            Some(seal) => opens(connection, seal)?,
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::sqlite::tests::at;
    use std::io::{Seek as _, SeekFrom, Write as _};
    use std::sync::Arc;
    use testkit::rng::RepeatedByte;

    /// An intact database has no faults, also while a store has it open. Another key does not open
    /// it.
    #[test]
    fn an_intact_database_has_no_faults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bankfeed.db");
        let settings = at(&path);
        let own = Sealer::new(settings.seal_key, Arc::new(RepeatedByte(1)));
        let store = Store::open(settings).unwrap();
        let found = check_up(&path, Some(&own)).unwrap();
        assert_eq!(found.migrations_done, found.migrations_known);
        assert_eq!((found.faults.as_slice(), found.opens), ([].as_slice(), Some(true)));
        let other = Sealer::new([9; 32], Arc::new(RepeatedByte(1)));
        assert_eq!(check_up(&path, Some(&other)).unwrap().opens, Some(false));
        assert!(is_opened_by(&path, &own).unwrap() && !is_opened_by(&path, &other).unwrap());
        assert_eq!(check_up(&path, None).unwrap().opens, None);
        drop(store);
    }

    /// A damaged page is found, and a file that is not a database is rejected.
    #[test]
    fn damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bankfeed.db");
        drop(Store::open(at(&path)).unwrap());
        let mut file = std::fs::File::options().write(true).open(&path).unwrap();
        let page = 4_096;
        file.seek(SeekFrom::Start(2 * page)).unwrap();
        file.write_all(&[0xff; 64]).unwrap();
        let found = check_up(&path, None);
        assert!(found.as_ref().map_or(true, |found| !found.faults.is_empty()), "{found:?}");
        std::fs::write(&path, "no database at all").unwrap();
        assert!(check_up(&path, None).is_err());
    }
}
