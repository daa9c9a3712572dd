//! The output of commands: lines and tables for people, JSON for programs, remarks and errors.
//!
//! Results go to standard output. Remarks, progress and errors go to standard error, because a
//! program that reads the results should not read them. Colours appear only on a terminal or with
//! `CLICOLOR_FORCE`, and never if `NO_COLOR` is set.

use console::{Alignment, Color, Style, measure_text_width, pad_str};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::error::Error;
use std::io::{IsTerminal as _, Write as _};

/// Standard output is closed or full, so the result was lost.
#[derive(Debug, thiserror::Error)]
#[error("could not write to standard output")]
pub struct OutputError(#[from] std::io::Error);

impl OutputError {
    /// True if the reader closed its end early, as `head` does. This is not an error.
    pub fn is_reader_gone(&self) -> bool {
        self.0.kind() == std::io::ErrorKind::BrokenPipe
    }

    /// The advice for the person at the command line.
    pub fn help(&self) -> &'static str {
        "Free some space, or redirect the output to another place"
    }
}

/// True if standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Turns all colours off if `NO_COLOR` has a value, which then wins over `CLICOLOR_FORCE`. Programs
/// call it before their first output.
pub fn respect_no_color() {
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        console::set_colors_enabled(false);
        console::set_colors_enabled_stderr(false);
    }
}

/// True if text on standard error may have colours.
pub fn is_coloured_log() -> bool {
    console::colors_enabled_stderr()
}

/// Prints a line on standard output.
pub fn say(line: &str) -> Result<(), OutputError> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// Prints an object as JSON on one line, the format of lists for programs.
pub fn say_json_line(value: &Value) -> Result<(), OutputError> {
    say(&value.to_string())
}

/// Prints an object as indented JSON.
pub fn say_json(value: &Value) -> Result<(), OutputError> {
    say(&format!("{value:#}"))
}

/// Prints a remark for people on standard error.
pub fn remark(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a question on standard error, and leaves the line open for the reply.
pub fn ask(question: &str) {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
}

/// Prints an error with its causes and the advice on standard error, in the form of clap's errors.
pub fn complain(error: &dyn Error, help: Option<&str>) {
    let mut line = format!("{} {error}", label("error:", Color::Red));
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    remark(&line);
    if let Some(help) = help {
        let tip = label("tip:", Color::Green);
        remark(&format!("  {tip} {}", help.replace('\n', "\n       ")));
    }
}

/// Prints a warning on standard error.
pub fn warn(line: &str) {
    remark(&format!("{} {line}", label("warning:", Color::Yellow)));
}

/// The coloured first word of a line on standard error.
fn label(word: &str, colour: Color) -> String {
    Style::new().for_stderr().fg(colour).bold().apply_to(word).to_string()
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Text.
    Text(&'static str),
    /// Numbers, aligned to the right.
    Number(&'static str),
    /// A status, green for good news and red for bad news.
    Status(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        let (Self::Text(name) | Self::Number(name) | Self::Status(name)) = self;
        name
    }
}

/// A table for people: a header, then a line for each object. Lines are neither wrapped nor cut,
/// because a broken id cannot be copied.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a line with a text for each column.
    pub fn row(&mut self, texts: &[&str]) {
        self.rows.push(texts.iter().map(|text| on_one_line(text)).collect());
    }

    /// Prints the table. An empty table prints `nothing` instead.
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

/// One object for people: a line for each fact.
pub(super) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// An empty list of facts.
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a fact. An empty one is skipped.
    pub(super) fn add(&mut self, name: &'static str, text: &str) {
        if !text.is_empty() {
            self.0.push((name, on_one_line(text)));
        }
    }

    /// Prints the facts.
    pub(super) fn print(&self) -> Result<(), OutputError> {
        let widest = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in &self.0 {
            let name = pad_str(&bold(name), widest, Alignment::Left, None).into_owned();
            say(&format!("{name}  {}", coloured(text)))?;
        }
        Ok(())
    }
}

/// The progress of long work, shown on standard error if that is a terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// Work with a known number of steps.
    pub fn new(what: &str, steps: usize) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}");
        let bar =
            ProgressBar::new(steps.try_into().unwrap_or(u64::MAX)).with_message(what.to_owned());
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Work of unknown length. It shows the number of steps done.
    pub(super) fn open_ended(what: &str) -> Self {
        let style = ProgressStyle::with_template("{msg} {pos}");
        let bar = ProgressBar::no_length().with_message(what.to_owned());
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// A wait of unknown length.
    pub(super) fn waiting(what: &str) -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Shows that the wait continues.
    pub(super) fn tick(&self) {
        self.0.tick();
    }

    /// Sets the number of steps done.
    pub fn at(&self, steps: usize) {
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

/// Replaces control characters, so that foreign text, such as a transaction's description, cannot
/// break a line or move the cursor.
fn on_one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The meaning of a coloured text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading, in bold.
    Title,
    /// Good news, green.
    Good,
    /// Bad news, red.
    Bad,
    /// Work that is not over, yellow.
    Running,
    /// Text without a colour.
    Plain,
}

/// Colours a text for standard output, if that has colours.
pub fn toned(text: &str, tone: Tone) -> String {
    let style = match tone {
        Tone::Title => Style::new().bold(),
        Tone::Good => Style::new().fg(Color::Green),
        Tone::Bad => Style::new().fg(Color::Red),
        Tone::Running => Style::new().fg(Color::Yellow),
        Tone::Plain => return text.to_owned(),
    };
    style.apply_to(text).to_string()
}

fn bold(text: &str) -> String {
    toned(text, Tone::Title)
}

/// Colours a status with the text that follows it.
fn coloured(text: &str) -> String {
    let tone = match text.split([' ', ',']).next() {
        Some("active" | "ok" | "posted" | "ready" | "succeeded") => Tone::Good,
        Some("advancing" | "pending" | "processing" | "warning") => Tone::Running,
        Some("canceled" | "disconnected" | "failed" | "inactive" | "lost" | "void" | "wrong") => {
            Tone::Bad
        }
        _ => Tone::Plain,
    };
    toned(text, tone)
}
