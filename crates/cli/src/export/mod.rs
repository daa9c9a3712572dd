//! `bankfeed export`: writes the transactions of an account to a file for other programs.
//!
//! Rows are written as pages arrive. A file gets its name only when it is complete, so a failed
//! export leaves an existing file unchanged. A device or a pipe receives the rows as they come.

mod ofx;
mod parquet;
mod rows;

use super::CommandError;
use super::account::path_of;
use super::global::GlobalFlags;
use super::output::{self, OutputError, is_terminal};
use super::server::{Server, ServerError, with_server};
use clap::{ArgMatches, Args, ValueEnum};
use ofx::Ofx;
use parquet::Parquet;
use rows::{Csv, Lines};
use serde_json::{Value, json};
use settings::folder_of;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

const TRANSACTIONS: &str = "/v1/financial_connections/transactions";

/// The flags of `bankfeed export`.
#[derive(Args)]
pub struct ExportFlags {
    /// Account
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// Format of the file
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: Format,
    /// File; standard output if omitted, or -
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only rows that later refreshes created or changed
    #[arg(long, value_name = "REFRESH")]
    after: Option<String>,
}

/// True if these flags of `bankfeed export` name a file. Otherwise standard output gets the rows.
pub fn exports_to_file(flags: &ArgMatches) -> bool {
    flags.get_one::<PathBuf>("output").and_then(|output| named_file(output)).is_some()
}

/// The path of a file, unless it means standard output.
fn named_file(output: &Path) -> Option<&Path> {
    Some(output).filter(|path| *path != Path::new("-"))
}

impl ExportFlags {
    /// The named file, if any.
    fn file(&self) -> Option<&Path> {
        named_file(self.output.as_deref()?)
    }

    /// True if the rows themselves appear on a terminal.
    fn is_shown(&self) -> bool {
        self.file().is_none() && is_terminal()
    }
}

/// The file formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values, with a line of names
    Csv,
    /// One JSON object per line, as the API returns it
    Jsonl,
    /// Open Financial Exchange 2.1.1, for bookkeeping programs
    Ofx,
    /// Apache Parquet, for data frames and databases
    Parquet,
}

/// Writes rows to a file in one format.
trait Sink {
    /// Adds a transaction.
    fn row(&mut self, row: &Value) -> io::Result<()>;
    /// Writes the rest. Returns the number of rows that the format cannot contain.
    fn finish(self: Box<Self>) -> io::Result<usize>;
}

/// The destination of the bytes.
type Target = Box<dyn Write + Send>;

pub(super) fn run(flags: &ExportFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let Some(path) = flags.file() else {
            if flags.format == Format::Parquet && is_terminal() {
                return Err(ServerError::Usage {
                    problem: "a Parquet file cannot be shown on a terminal".to_owned(),
                    help: "Name a file with --output".to_owned(),
                });
            }
            let lost = |error| OutputError::from(error).into();
            export(server, flags, Box::new(BufWriter::new(io::stdout())), lost).await?;
            return Ok(());
        };
        let fault = |source| ServerError::File { path: path.to_owned(), source };
        let place = Place::find(path)?;
        let target = Box::new(BufWriter::new(place.open().map_err(fault)?));
        let rows = export(server, flags, target, fault).await?;
        place.keep().map_err(fault)?;
        if server.json {
            return Ok(output::say_json(&json!({"file": path, "rows": rows}))?);
        }
        output::remark(&format!("wrote {} to {}", counted(rows), path.display()));
        Ok(())
    })
}

/// The destination of a named file.
enum Place {
    /// A temporary file in the same folder, renamed to `name` when it is complete.
    Beside { unfinished: NamedTempFile, name: PathBuf },
    /// A device or a pipe. It receives the rows directly and is not replaced.
    Through(PathBuf),
}

impl Place {
    fn find(path: &Path) -> Result<Self, ServerError> {
        // A link to a file stays a link. Its target is replaced.
        let name = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::symlink_metadata(&name).is_ok_and(|facts| !facts.is_file()) {
            return Ok(Self::Through(name));
        }
        let folder = folder_of(&name);
        let fault = |source| ServerError::Folder { folder: folder.to_owned(), source };
        fs::metadata(folder).map_err(fault)?;
        // The error omits the temporary file's name, which would only confuse.
        let unnamed = |error: io::Error| fault(error.kind().into());
        let unfinished = NamedTempFile::new_in(folder).map_err(unnamed)?;
        Ok(Self::Beside { unfinished, name })
    }

    fn open(&self) -> io::Result<File> {
        match self {
            Self::Beside { unfinished, .. } => unfinished.reopen(),
            Self::Through(name) => {
                File::options().write(true).create(true).truncate(true).mode(0o600).open(name)
            }
        }
    }

    /// Gives the complete file its name.
    fn keep(self) -> io::Result<()> {
        match self {
            Self::Beside { unfinished, name } => {
                unfinished.persist(name).map(drop).map_err(|error| error.error)
            }
            Self::Through(_) => Ok(()),
        }
    }
}

/// Writes all rows, and returns the number of rows in the file.
async fn export(
    server: &Server,
    flags: &ExportFlags,
    target: Target,
    fault: impl Fn(io::Error) -> ServerError,
) -> Result<usize, ServerError> {
    let account = server.get(&path_of(&flags.account), &[]).await?;
    let mut sink: Box<dyn Sink> = match flags.format {
        Format::Csv => Box::new(Csv::new(target)),
        Format::Jsonl => Box::new(Lines::new(target)),
        Format::Ofx => Box::new(Ofx::new(target, &account)?),
        Format::Parquet => Box::new(Parquet::new(target).map_err(&fault)?),
    };
    let mut form = vec![("account", flags.account.as_str())];
    form.extend(flags.after.as_deref().map(|after| ("transaction_refresh[after]", after)));
    let mut rows = 0;
    let take = |row: Value| {
        rows += 1;
        sink.row(&row).map_err(&fault)
    };
    server.each(TRANSACTIONS, &form, None, flags.is_shown(), take).await?;
    let left_out = sink.finish().map_err(fault)?;
    if left_out > 0 {
        output::remark(&format!("left out {}: OFX takes what is posted", counted(left_out)));
    }
    Ok(rows - left_out)
}

/// A number of transactions in words.
fn counted(rows: usize) -> String {
    if rows == 1 { "1 transaction".to_owned() } else { format!("{rows} transactions") }
}
