//! Exports as Apache Parquet: one column for each field, without compression.

use super::{Sink, Target};
use crate::server::text;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;
use std::io;
use std::sync::Arc;

/// The maximum number of rows in a group. Rows are buffered until their group is written.
const GROUP_ROWS_MAX: usize = 20_000;
const SCHEMA: &str = "message transactions {
    REQUIRED BYTE_ARRAY id (STRING);
    REQUIRED BYTE_ARRAY account (STRING);
    REQUIRED BYTE_ARRAY currency (STRING);
    REQUIRED BYTE_ARRAY description (STRING);
    REQUIRED BYTE_ARRAY status (STRING);
    REQUIRED BYTE_ARRAY transaction_refresh (STRING);
    REQUIRED INT64 amount_minor;
    REQUIRED INT64 transacted_at (TIMESTAMP(MILLIS,true));
    REQUIRED INT64 updated (TIMESTAMP(MILLIS,true));
    OPTIONAL INT64 posted_at (TIMESTAMP(MILLIS,true));
    OPTIONAL INT64 void_at (TIMESTAMP(MILLIS,true));
}";
/// The columns of texts, numbers and optional times, in the order of the schema.
const TEXTS: [&str; 6] =
    ["id", "account", "currency", "description", "status", "transaction_refresh"];
const NUMBERS: [(&str, i64); 3] = [("amount", 1), ("transacted_at", 1_000), ("updated", 1_000)];
const MAYBE: [&str; 2] = ["posted_at", "void_at"];

/// A file of row groups.
pub(super) struct Parquet {
    file: SerializedFileWriter<Target>,
    texts: [Vec<ByteArray>; TEXTS.len()],
    numbers: [Vec<i64>; NUMBERS.len()],
    /// The values that are present, and for each row 1 if it has a value.
    maybe: [(Vec<i64>, Vec<i16>); MAYBE.len()],
}

impl Parquet {
    pub(super) fn new(target: Target) -> io::Result<Self> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(fault)?);
        let properties = Arc::new(WriterProperties::builder().build());
        let file = SerializedFileWriter::new(target, schema, properties).map_err(fault)?;
        let (texts, numbers, maybe) = Default::default();
        Ok(Self { file, texts, numbers, maybe })
    }

    /// Writes the buffered rows.
    fn flush(&mut self) -> Result<(), ParquetError> {
        if self.texts[0].is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        let missing = || ParquetError::General("the schema has fewer columns".to_owned());
        for texts in &mut self.texts {
            let mut column = group.next_column()?.ok_or_else(missing)?;
            column.typed::<ByteArrayType>().write_batch(&std::mem::take(texts), None, None)?;
            column.close()?;
        }
        for numbers in &mut self.numbers {
            let mut column = group.next_column()?.ok_or_else(missing)?;
            column.typed::<Int64Type>().write_batch(&std::mem::take(numbers), None, None)?;
            column.close()?;
        }
        for maybe in &mut self.maybe {
            let (values, there) = std::mem::take(maybe);
            let mut column = group.next_column()?.ok_or_else(missing)?;
            column.typed::<Int64Type>().write_batch(&values, Some(&there), None)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl Sink for Parquet {
    fn row(&mut self, row: &Value) -> io::Result<()> {
        for (column, name) in self.texts.iter_mut().zip(TEXTS) {
            column.push(ByteArray::from(text(row, name).into_bytes()));
        }
        for (column, (name, factor)) in self.numbers.iter_mut().zip(NUMBERS) {
            column.push(row[name].as_i64().unwrap_or_default().saturating_mul(factor));
        }
        for ((values, there), name) in self.maybe.iter_mut().zip(MAYBE) {
            let value = row["status_transitions"][name].as_i64();
            values.extend(value.map(|seconds| seconds.saturating_mul(1_000)));
            there.push(i16::from(value.is_some()));
        }
        if self.texts[0].len() >= GROUP_ROWS_MAX { self.flush().map_err(fault) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<usize> {
        self.flush().map_err(fault)?;
        self.file.close().map_err(fault)?;
        Ok(0)
    }
}

/// Returns an error of the target as the original I/O error.
fn fault(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        error => io::Error::other(error),
    }
}
