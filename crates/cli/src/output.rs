//! What commands print: lines, tables for people, JSON for programs, remarks and faults.
//!
//! Results go to standard output. Whatever a program that reads them should not see, such as
//! remarks, progress and faults, goes to standard error. Colours are shown on a terminal only, and
//! not where `NO_COLOR` is set.

use console::{Alignment, Color, Style, measure_text_width, pad_str};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::error::Error;
use std::io::{IsTerminal as _, Write as _};

/// Standard output takes no more, so what was asked for did not arrive.
#[derive(Debug, thiserror::Error)]
#[error("could not write to standard output")]
pub struct OutputError(#[from] std::io::Error);

impl OutputError {
    /// Whether whoever reads has gone, as `head` does when it has enough. That is nobody's fault.
    pub fn is_reader_gone(&self) -> bool {
        self.0.kind() == std::io::ErrorKind::BrokenPipe
    }
}

/// Whether people see standard output as it comes.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether what goes to standard error may have colours.
pub fn is_coloured_log() -> bool {
    console::colors_enabled_stderr()
}

/// A line on standard output.
pub fn say(line: &str) -> Result<(), OutputError> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// An object as JSON on one line, as lists are told to programs.
pub fn say_json_line(value: &Value) -> Result<(), OutputError> {
    say(&value.to_string())
}

/// An object as JSON for programs that people can read as well.
pub(super) fn say_json(value: &Value) -> Result<(), OutputError> {
    say(&format!("{value:#}"))
}

/// A remark for people, on standard error.
pub fn remark(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and all that led to it, and what helps against it, on standard error.
pub fn complain(error: &dyn Error, help: Option<&str>) {
    let mut line = format!("bankfeed: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    remark(&line);
    if let Some(help) = help {
        remark(&format!("  {}", help.replace('\n', "\n  ")));
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Texts.
    Text(&'static str),
    /// Numbers, which stand at the right.
    Number(&'static str),
    /// Words that say how something is, in the colour of good or bad news.
    Status(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        let (Self::Text(name) | Self::Number(name) | Self::Status(name)) = self;
        name
    }
}

/// A table for people: a line of names, then a line for each thing. Nothing is wrapped or cut: an
/// id that is broken in two cannot be copied.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a line with a text for each column.
    pub fn row(&mut self, texts: &[&str]) {
        self.rows.push(texts.iter().map(|text| on_one_line(text)).collect());
    }

    /// Prints it; without a line it says instead that there is nothing.
    pub fn print(&self, nothing: &str) -> Result<(), OutputError> {
        if self.rows.is_empty() {
            remark(nothing);
            return Ok(());
        }
        let widths: Vec<usize> =
            self.columns.iter().zip(0..).map(|column| self.width(column)).collect();
        let names = self.columns.iter().map(|column| bold(column.name()));
        say_padded(&self.columns, &widths, names)?;
        for row in &self.rows {
            let texts = self.columns.iter().zip(row).map(|(column, text)| match column {
                Column::Status(_) => coloured(text),
                Column::Text(_) | Column::Number(_) => text.clone(),
            });
            say_padded(&self.columns, &widths, texts)?;
        }
        Ok(())
    }

    fn width(&self, (column, place): (&Column, usize)) -> usize {
        let texts = self.rows.iter().filter_map(|row| row.get(place));
        let widest = texts.map(|text| measure_text_width(text)).max().unwrap_or(0);
        widest.max(measure_text_width(column.name()))
    }
}

/// One thing for people: a line for each fact of it.
pub(super) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// Nothing known yet.
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a fact; one that is empty is left out.
    pub(super) fn add(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.0.push((name, on_one_line(text)));
        }
    }

    /// Prints it.
    pub(super) fn print(&self) -> Result<(), OutputError> {
        let widest = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in &self.0 {
            let name = pad_str(&bold(name), widest, Alignment::Left, None).into_owned();
            say(&format!("{name}  {}", coloured(text)))?;
        }
        Ok(())
    }
}

/// How far a long work is, on standard error, where that is a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A work of so many steps.
    pub(super) fn new(what: &str, steps: usize) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}");
        let bar =
            ProgressBar::new(steps.try_into().unwrap_or(u64::MAX)).with_message(what.to_owned());
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// A work whose end nobody knows; it shows what has been done.
    pub(super) fn open_ended(what: &str) -> Self {
        let style = ProgressStyle::with_template("{msg} {pos}");
        let bar = ProgressBar::no_length().with_message(what.to_owned());
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// A wait for something; nothing else is known of it.
    pub(super) fn waiting(what: &str) -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// It is still going on.
    pub(super) fn tick(&self) {
        self.0.tick();
    }

    /// So many steps are done.
    pub(super) fn at(&self, steps: usize) {
        self.0.set_position(steps.try_into().unwrap_or(u64::MAX));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn say_padded(
    columns: &[Column],
    widths: &[usize],
    texts: impl Iterator<Item = String>,
) -> Result<(), OutputError> {
    let mut line = String::new();
    for ((column, width), text) in columns.iter().zip(widths).zip(texts) {
        let side = match column {
            Column::Number(_) => Alignment::Right,
            Column::Text(_) | Column::Status(_) => Alignment::Left,
        };
        line.push_str(&pad_str(&text, *width, side, None));
        line.push_str("  ");
    }
    say(line.trim_end())
}

/// A text of strangers, such as the description of a transaction, cannot break a line or move the
/// cursor.
fn on_one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn bold(text: &str) -> String {
    Style::new().bold().apply_to(text).to_string()
}

/// A word that says how something is, and whatever follows it: good news is green, bad news red, and
/// what is not over yet yellow.
fn coloured(text: &str) -> String {
    let colour = match text.split([' ', ',']).next() {
        Some("active" | "ok" | "posted" | "ready" | "succeeded") => Color::Green,
        Some("advancing" | "pending" | "processing" | "warning") => Color::Yellow,
        Some("canceled" | "disconnected" | "failed" | "inactive" | "lost" | "void" | "wrong") => {
            Color::Red
        }
        _ => return text.to_owned(),
    };
    Style::new().fg(colour).apply_to(text).to_string()
}
