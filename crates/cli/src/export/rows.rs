//! Exports with a line for each row: comma-separated values and JSON lines.

use super::{Sink, Target};
use crate::format;
use crate::server::text;
use serde_json::Value;
use std::io::{self, Write as _};

/// The names of the columns. Programs rely on them.
const COLUMNS: [&str; 12] = [
    "id",
    "account",
    "transacted_at",
    "amount",
    "amount_minor",
    "currency",
    "description",
    "status",
    "posted_at",
    "void_at",
    "transaction_refresh",
    "updated",
];

/// Comma-separated values as in RFC 4180, with a line of names.
pub(super) struct Csv {
    lines: csv::Writer<Target>,
    begun: bool,
}

impl Csv {
    pub(super) fn new(target: Target) -> Self {
        Self { lines: csv::Writer::from_writer(target), begun: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.lines.write_record(COLUMNS).map_err(fault)?;
        }
        Ok(())
    }
}

impl Sink for Csv {
    fn row(&mut self, row: &Value) -> io::Result<()> {
        self.begin()?;
        let currency = text(row, "currency");
        let transitions = &row["status_transitions"];
        let record = [
            text(row, "id"),
            text(row, "account"),
            format::instant(&row["transacted_at"]),
            format::amount(row["amount"].as_i64().unwrap_or_default(), &currency),
            text(row, "amount"),
            currency,
            text(row, "description"),
            text(row, "status"),
            format::instant(&transitions["posted_at"]),
            format::instant(&transitions["void_at"]),
            text(row, "transaction_refresh"),
            format::instant(&row["updated"]),
        ];
        self.lines.write_record(record).map_err(fault)
    }

    fn finish(mut self: Box<Self>) -> io::Result<usize> {
        self.begin()?;
        self.lines.flush()?;
        Ok(0)
    }
}

/// Returns an error of the target as the original I/O error.
fn fault(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The objects of the API, one per line.
pub(super) struct Lines(Target);

impl Lines {
    pub(super) fn new(target: Target) -> Self {
        Self(target)
    }
}

impl Sink for Lines {
    fn row(&mut self, row: &Value) -> io::Result<()> {
        writeln!(self.0, "{row}")
    }

    fn finish(mut self: Box<Self>) -> io::Result<usize> {
        self.0.flush()?;
        Ok(0)
    }
}
