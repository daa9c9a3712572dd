//! Copies of a database, made while a server may write to it.
//!
//! A copy has the state of one moment. The reading connection holds a read transaction from the first
//! page to the last, so commits of a server neither change the copy nor start it again. A reader of the
//! write-ahead log blocks no writer. The log grows until the copy is complete, because its pages stay in
//! use.
//!
//! After a crash, an unfinished copy remains at its path. The caller gives it a name that no server
//! reads.

use super::checkup::check_up_with;
use super::files::check_replaced;
use crate::seal::Sealer;
use crate::{Checkup, CopyStep, OpenError};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::ffi::c_int;
use std::fmt::Write as _;
use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// The pages between two reports. It is 4 MiB, which takes some milliseconds.
const PAGES_PER_STEP: c_int = 1_024;
/// The time to wait for a change of the issued keys, whose file has no write-ahead log.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Any statement that reads starts the read transaction.
pub(super) const BEGIN_READING: &str = "SELECT COUNT(*) FROM sqlite_schema";

/// Copies a database into a new file, which only its owner can read. Calls `report` after each step.
/// Returns false if that ended the copy early.
pub(crate) fn copy(
    from: &Path,
    to: &Path,
    report: &mut dyn FnMut(CopyStep) -> ControlFlow<()>,
) -> Result<bool, OpenError> {
    check_replaced(from)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags)?;
    source.busy_timeout(WAIT_MAX)?;
    source.execute_batch("PRAGMA trusted_schema = OFF; BEGIN")?;
    source.query_row(BEGIN_READING, [], |row| row.get::<_, i64>(0))?;
    let failed = |source| OpenError::File { path: to.to_owned(), source };
    File::options().create_new(true).write(true).mode(0o600).open(to).map_err(failed)?;
    let mut target = Connection::open(to)?;
    // The copy is worthless until it is complete, so only its end is written to the disk.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    let backup = Backup::new(&source, &mut target)?;
    loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let progress = backup.progress();
        let (all, left) = (size(progress.pagecount), size(progress.remaining));
        if report(CopyStep { pages_done: all - left.min(all), pages: all }).is_break() {
            return Ok(false);
        }
        match step {
            StepResult::Done => return Ok(true),
            StepResult::More => {}
            // The read transaction has its lock already.
            StepResult::Busy | StepResult::Locked => return Err(OpenError::CopyBlocked),
            _ => unreachable!("SQLite has no further results of a step"),
        }
    }
}

fn size(pages: c_int) -> usize {
    usize::try_from(pages).unwrap_or_default()
}

/// Checks a copy that no process changes. It creates no file beside the copy.
pub(crate) fn check_copy(path: &Path, seal: Option<&Sealer>) -> Result<Checkup, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    check_up_with(&Connection::open_with_flags(immutable(path), flags)?, seal)
}

/// The address with which `SQLite` opens a file without locks and without a log.
fn immutable(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                address.push(char::from(*byte));
            }
            // Writing to a String cannot fail.
            other => drop(write!(address, "%{other:02X}")),
        }
    }
    address + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::open::open_writer;

    /// A copy has the state of its first step, whatever is committed between two steps, and the steps
    /// do not begin again.
    #[test]
    fn commits_do_not_disturb_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copied) = (folder.path().join("a.db"), folder.path().join("50% a?#.db"));
        let writer = open_writer(&path, true).unwrap();
        let fill = "CREATE TABLE numbers (number INTEGER, filling BLOB) STRICT; \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
             INSERT INTO numbers SELECT i, zeroblob(3500) FROM n";
        writer.execute_batch(fill).unwrap();
        let mut steps = Vec::new();
        let done = copy(&path, &copied, &mut |step| {
            steps.push(step.pages_done);
            writer.execute("INSERT INTO numbers VALUES (0, zeroblob(3500))", []).unwrap();
            writer.execute("UPDATE numbers SET number = number + 1", []).unwrap();
            ControlFlow::Continue(())
        });
        assert!(done.unwrap());
        assert!(steps.len() > 2 && steps.is_sorted(), "{steps:?}");
        let reader = Connection::open(immutable(&copied)).unwrap();
        let sum = "SELECT COUNT(*), SUM(number) FROM numbers";
        let found: (i64, i64) =
            reader.query_row(sum, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(found, (3000, 3000 * 3001 / 2));
    }

    /// A report can end a copy early. A file that exists is never replaced.
    #[test]
    fn a_copy_can_end_early() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copied) = (folder.path().join("a.db"), folder.path().join("b.db"));
        open_writer(&path, true).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(!copy(&path, &copied, &mut |_| ControlFlow::Break(())).unwrap());
        let again = copy(&path, &copied, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(again, Err(OpenError::File { .. })), "{again:?}");
    }
}
