//! The copy of a sandbox's rows, outside of the database.
//!
//! A read makes the copy in one transaction (`snapshot.rs`), and the writer stores it in many. A read
//! transaction that stays open meanwhile would stop checkpoints of the write-ahead log, and a long
//! checkpoint would follow it. The copy is a list of steps, each with the rows of one command. A small
//! copy is in memory. A larger one is in a file beside the database, which has no name and therefore
//! ends with the process. Sealed columns are copied as they are.

use super::Failure;
use crate::exact;
use model::limits::{COPY_MEMORY_BYTES_MAX, REPLACE_BYTES_MAX, REPLACE_ROWS_MAX};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tempfile::SpooledTempFile;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const BLOB: u8 = 3;
const WHOLE: &str = "a step consists of whole rows";

/// A copy that is being made.
pub(super) struct CopyWriter {
    file: SpooledTempFile,
    end: u64,
    /// The step that has room for more rows.
    step: Vec<u8>,
    rows: usize,
}

impl CopyWriter {
    /// An empty copy beside the database of a connection.
    pub(super) fn beside(connection: &Connection) -> Self {
        let folder = connection.path().and_then(|path| Path::new(path).parent());
        let folder =
            folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = SpooledTempFile::new_in(COPY_MEMORY_BYTES_MAX, folder);
        Self { file, end: 0, step: Vec::new(), rows: 0 }
    }

    /// Adds a row of a table. The table is its index in `SNAPSHOT_TABLES`.
    pub(super) fn push(&mut self, table: usize, row: &Row<'_>) -> Result<(), Failure> {
        self.step.push(exact(table, "there are few tables"));
        for index in 0..row.as_ref().column_count() {
            push_value(row.get_ref(index)?, &mut self.step);
        }
        self.rows += 1;
        if self.rows == REPLACE_ROWS_MAX || self.step.len() >= REPLACE_BYTES_MAX {
            self.end_step()?;
        }
        Ok(())
    }

    fn end_step(&mut self) -> Result<(), Failure> {
        let bytes = self.step.len() as u64;
        self.file.write_all(&bytes.to_le_bytes())?;
        self.file.write_all(&self.step)?;
        self.end += size_of::<u64>() as u64 + bytes;
        self.step.clear();
        self.rows = 0;
        Ok(())
    }

    /// Ends the copy.
    pub(super) fn finish(mut self) -> Result<CopiedSteps, Failure> {
        if self.rows > 0 {
            self.end_step()?;
        }
        Ok(CopiedSteps { file: Mutex::new(self.file), end: self.end })
    }
}

fn push_value(value: ValueRef<'_>, step: &mut Vec<u8>) {
    let (kind, bytes) = match value {
        ValueRef::Null => return step.push(NULL),
        ValueRef::Integer(number) => {
            step.push(INTEGER);
            return step.extend(number.to_le_bytes());
        }
        ValueRef::Text(text) => (TEXT, text),
        ValueRef::Blob(blob) => (BLOB, blob),
        ValueRef::Real(_) => unreachable!("no table has a column of real numbers"),
    };
    step.push(kind);
    step.extend((bytes.len() as u64).to_le_bytes());
    step.extend(bytes);
}

/// The steps of a copy.
#[derive(Debug)]
pub(crate) struct CopiedSteps {
    file: Mutex<SpooledTempFile>,
    end: u64,
}

impl CopiedSteps {
    /// The rows of the step at a position, with the position of the next step. `None` at the end.
    pub(crate) fn read(&self, at: u64) -> Result<Option<(StepRows, u64)>, Failure> {
        if at >= self.end {
            return Ok(None);
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = [0; size_of::<u64>()];
        file.read_exact(&mut bytes)?;
        let bytes = u64::from_le_bytes(bytes);
        let mut step = vec![0; exact(bytes, "the step was in memory before")];
        file.read_exact(&mut step)?;
        Ok(Some((StepRows(step), at + size_of::<u64>() as u64 + bytes)))
    }
}

/// The rows of one step.
#[derive(Clone, Debug)]
pub(crate) struct StepRows(Vec<u8>);

impl StepRows {
    pub(super) fn reader(&self) -> RowReader<'_> {
        RowReader(&self.0)
    }
}

/// The rest of a step.
pub(super) struct RowReader<'a>(&'a [u8]);

impl<'a> RowReader<'a> {
    /// Begins the next row. Returns the index of its table, or `None` after the last row.
    pub(super) fn next_row(&mut self) -> Option<usize> {
        let (table, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(usize::from(*table))
    }

    /// The next value of the row.
    pub(super) fn next_value(&mut self) -> ValueRef<'a> {
        match self.bytes(1)[0] {
            NULL => ValueRef::Null,
            INTEGER => ValueRef::Integer(i64::from_le_bytes(self.number())),
            kind => {
                let length = u64::from_le_bytes(self.number());
                let bytes = self.bytes(exact(length, "the value was in memory before"));
                if kind == TEXT { ValueRef::Text(bytes) } else { ValueRef::Blob(bytes) }
            }
        }
    }

    fn number(&mut self) -> [u8; 8] {
        let Some((number, rest)) = self.0.split_first_chunk() else { unreachable!("{WHOLE}") };
        self.0 = rest;
        *number
    }

    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.0.split_at_checked(length) else { unreachable!("{WHOLE}") };
        self.0 = rest;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of one step.
    fn values(step: &StepRows, columns: usize) -> Vec<(usize, Vec<ValueRef<'_>>)> {
        let mut reader = step.reader();
        let mut rows = Vec::new();
        while let Some(table) = reader.next_row() {
            rows.push((table, (0..columns).map(|_| reader.next_value()).collect()));
        }
        rows
    }

    /// Every value is read as it was written.
    #[test]
    fn values_are_copied() {
        let connection = Connection::open_in_memory().unwrap();
        let mut writer = CopyWriter::beside(&connection);
        let sql = "SELECT NULL, -7, 'é', '', x'00ff', x''";
        let mut rows = connection.prepare(sql).unwrap();
        let mut rows = rows.query([]).unwrap();
        writer.push(3, rows.next().unwrap().unwrap()).unwrap();
        let copy = writer.finish().unwrap();
        let (step, next) = copy.read(0).unwrap().unwrap();
        let expected = [
            ValueRef::Null,
            ValueRef::Integer(-7),
            ValueRef::Text("é".as_bytes()),
            ValueRef::Text(b""),
            ValueRef::Blob(&[0, 255]),
            ValueRef::Blob(b""),
        ];
        assert_eq!(values(&step, 6), [(3, expected.to_vec())]);
        assert!(copy.read(next).unwrap().is_none());
    }

    /// A step ends after its rows or its bytes, also in a copy that is too large for memory.
    #[test]
    fn steps_are_bounded() {
        let folder = tempfile::TempDir::new().unwrap();
        let connection = Connection::open(folder.path().join("bank.db")).unwrap();
        let rows = |sql: &str, count: usize| -> Vec<usize> {
            let mut writer = CopyWriter::beside(&connection);
            for _ in 0..count {
                let mut row = connection.prepare_cached(sql).unwrap();
                let mut row = row.query([]).unwrap();
                writer.push(0, row.next().unwrap().unwrap()).unwrap();
            }
            let copy = writer.finish().unwrap();
            let (mut at, mut steps) = (0, Vec::new());
            while let Some((step, next)) = copy.read(at).unwrap() {
                steps.push(values(&step, 1).len());
                at = next;
            }
            steps
        };
        assert_eq!(rows("SELECT 1", 0), [0; 0]);
        assert_eq!(
            rows("SELECT 1", 2 * REPLACE_ROWS_MAX + 1),
            [REPLACE_ROWS_MAX, REPLACE_ROWS_MAX, 1]
        );
        let large = format!("SELECT zeroblob({})", REPLACE_BYTES_MAX / 2);
        assert_eq!(rows(&large, 15), [2, 2, 2, 2, 2, 2, 2, 1]);
        const { assert!(15 * REPLACE_BYTES_MAX / 2 > COPY_MEMORY_BYTES_MAX) };
    }
}
