//! Plain English, as far as it can be counted.
//!
//! The check counts habits that make text hard to read and compares each count with a bound. The
//! bounds come from the same counts over well-written Rust projects, with some room. Three kinds of
//! text are measured: comments, documents, and *texts* that users read (error messages, help texts
//! and pages). The help text of a command, and commit subjects, have rules of their own.
//!
//! A count is within its bound if it is at most the bound's share of the whole, rounded up. So one
//! use of a word is always allowed.

mod document;
mod help;
mod source;
mod subjects;
#[cfg(test)]
mod tests;

use crate::Failure;
use crate::process::{root, say};
use crate::tidy::tracked;
use source::{Kind, Literal, Source};
use std::path::{Path, PathBuf};

/// Words that have a plainer alternative, each group with its bound per 10,000 words.
const WORDS: &[(&[&str], f64)] = &[
    (&["what"], 15.0),
    (&["whose"], 4.0),
    (&["tell", "tells", "told", "heard", "hears"], 3.0),
    (&["stand", "stands", "stood"], 2.0),
    (&["nobody", "somebody", "whoever"], 2.0),
    (&["answer", "answers", "answered"], 4.0),
    (&["anew", "heed", "heeds", "mend", "mended"], 0.5),
];
/// Words that a doc comment must not begin with.
const QUESTION_WORDS: &[&str] = &[
    "what", "whose", "whether", "when", "where", "how", "why", "who", "whoever", "which",
    "whatever",
];
const QUESTION_STARTS_PERCENT_MAX: f64 = 5.0;
const COLON_CLAUSES_PERCENT_MAX: f64 = 7.0;
const SEMICOLONS_PERCENT_MAX: f64 = 5.0;
const INVERSIONS_PERCENT_MAX: f64 = 2.0;
/// Places that are named for a count above its bound.
const PLACES_SHOWN_MAX: usize = 10;

/// Calls and attributes with error messages as arguments.
const MESSAGE_CALLS: &[&str] = &["Err", "error", "invalid", "map_err", "ok_or", "ok_or_else"];
/// Names that are assigned a text for users.
const TEXT_NAMES: &[&str] = &["about", "after_help", "help", "long_about", "long_help", "message"];

/// A count with its bound.
#[derive(Debug)]
pub(crate) struct Row {
    label: String,
    /// The size of the whole, in units of the bound: percent, or words per 10,000.
    whole: f64,
    bound: f64,
    /// The lines that were counted.
    places: Vec<String>,
}

impl Row {
    fn new(label: impl Into<String>, whole: usize, scale: f64, bound: f64) -> Self {
        let whole = f64::from(u32::try_from(whole).unwrap_or(u32::MAX)) / scale;
        Self { label: label.into(), whole, bound, places: Vec::new() }
    }

    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.places.len()).unwrap_or(u32::MAX))
    }

    fn is_over(&self) -> bool {
        self.count() > (self.bound * self.whole).ceil()
    }
}

/// The result of measuring some files.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    rows: Vec<Row>,
    /// Faults that have no share: each is one too many.
    faults: Vec<String>,
}

/// Measures the files and the subjects of commits. Returns a line for each fault.
pub(crate) fn faults(files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let mut faults = print(&read(files.iter()));
    faults.extend(subjects::faults()?);
    Ok(faults)
}

/// `cargo xtask prose [PATH …]`: measures all files, or those below the paths.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let files = tracked()?;
    let is_chosen = |file: &&PathBuf| {
        arguments.is_empty() || arguments.iter().any(|path| file.starts_with(path))
    };
    let faults = print(&read(files.iter().filter(is_chosen)));
    for fault in &faults {
        say(fault);
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} faults", faults.len())) }
}

/// Reads the files that are text.
fn read<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Vec<(PathBuf, String)> {
    let text = |file: &PathBuf| {
        let text = std::fs::read_to_string(root().join(file)).ok()?;
        Some((file.clone(), text))
    };
    files.filter_map(text).collect()
}

/// Measures files and prints each count. Returns a line for each fault.
fn print(texts: &[(PathBuf, String)]) -> Vec<String> {
    let measured = measure(texts);
    for row in &measured.rows {
        let over = if row.is_over() { "OVER" } else { "" };
        let rate = if row.whole > 0.0 { row.count() / row.whole } else { 0.0 };
        say(&format!("{over:4} {rate:7.1}  (bound {:4})  {}", row.bound, row.label));
    }
    measured.faults()
}

impl Measured {
    /// A line for each fault, with the first places of a count above its bound.
    fn faults(self) -> Vec<String> {
        let mut faults = self.faults;
        for row in self.rows.iter().filter(|row| row.is_over()) {
            let places = row.places.iter().take(PLACES_SHOWN_MAX).cloned().collect::<Vec<_>>();
            let (label, count) = (&row.label, row.places.len());
            faults.push(format!("prose: {label}: {count}, at {}", places.join(", ")));
        }
        faults
    }
}

/// Measures files, given as path and text.
fn measure(files: &[(PathBuf, String)]) -> Measured {
    let mut measured = Measured::default();
    let (mut comments, mut texts) = (Words::default(), Words::default());
    let (mut blocks, mut question_starts) = (0, Vec::new());
    let mut sentences = Vec::new();
    for (path, text) in files {
        let place = |line: usize| format!("{}:{line}", path.display());
        if path.extension().is_some_and(|extension| extension == "md") {
            let found = document::sentences(text);
            sentences
                .extend(found.into_iter().map(|sentence| (place(sentence.line), sentence.text)));
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = Source::parse(text);
        let mut line_before = None;
        for comment in &source.comments {
            comments.add(&comment.text, &place(comment.line));
            if comment.kind == Kind::Item {
                if line_before != Some(comment.line - 1) {
                    blocks += 1;
                    let first = words(&comment.text).next().unwrap_or_default();
                    if QUESTION_WORDS.contains(&first.as_str()) {
                        question_starts.push(place(comment.line));
                    }
                }
                line_before = Some(comment.line);
            }
        }
        for literal in source.literals.iter().filter(|literal| is_for_users(path, literal)) {
            // The names of formatted values are not text.
            texts.add(&document::without(&literal.text, '{', '}'), &place(literal.line));
        }
        for help in help::texts(text) {
            texts.add(&help.text, &place(help.line));
            if let Some(fault) = help::fault(&help.text).filter(|_| help.is_command) {
                measured.faults.push(format!(
                    "{}: help text {:?}: {fault}",
                    place(help.line),
                    help.text
                ));
            }
        }
    }
    let label = "doc comments that begin with a question word, %";
    let mut starts = Row::new(label, blocks, 100.0, QUESTION_STARTS_PERCENT_MAX);
    starts.places = question_starts;
    measured.rows.push(starts);
    measured.rows.extend(comments.rows("comments"));
    measured.rows.extend(texts.rows("texts for users"));
    measured.rows.extend(sentence_rows(&sentences));
    measured
}

fn sentence_rows(sentences: &[(String, String)]) -> [Row; 3] {
    let row = |habit: &str, bound: f64, has: &dyn Fn(&str) -> bool| {
        let label = format!("documents: sentences {habit}, %");
        let found = sentences.iter().filter(|(_, text)| has(text));
        let places = found.map(|(place, _)| place.clone()).collect();
        Row { places, ..Row::new(label, sentences.len(), 100.0, bound) }
    };
    [
        row("with a clause after a colon", COLON_CLAUSES_PERCENT_MAX, &document::has_colon_clause),
        row("with a semicolon", SEMICOLONS_PERCENT_MAX, &|text| text.contains(';')),
        row("that begin with an inversion", INVERSIONS_PERCENT_MAX, &document::is_inverted),
    ]
}

/// Words of one kind of text.
#[derive(Default)]
struct Words {
    total: usize,
    /// The lines of each group in [`WORDS`].
    places: [Vec<String>; WORDS.len()],
}

impl Words {
    fn add(&mut self, text: &str, place: &str) {
        for word in words(text) {
            self.total += 1;
            for ((group, _), places) in WORDS.iter().zip(&mut self.places) {
                if group.contains(&word.as_str()) {
                    places.push(place.to_owned());
                }
            }
        }
    }

    fn rows(self, kind: &str) -> Vec<Row> {
        let total = self.total;
        let row = |((group, bound), places): (&(&[&str], f64), Vec<String>)| {
            let label = format!("{kind}: '{}' per 10,000 words", group.join("', '"));
            Row { places, ..Row::new(label, total, 10_000.0, *bound) }
        };
        WORDS.iter().zip(self.places).map(row).collect()
    }
}

/// The words of a text in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let pieces = text.split(|letter: char| !letter.is_ascii_alphabetic() && letter != '\'');
    pieces.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

/// True for error messages, help texts, and the texts of pages. Words without a space are keys,
/// codes or names.
fn is_for_users(path: &Path, literal: &Literal) -> bool {
    if !literal.text.trim().contains(' ') {
        return false;
    }
    let is_message = literal.calls.iter().any(|call| MESSAGE_CALLS.contains(&call.as_str()))
        || literal.binding == "message";
    let is_assigned =
        matches!(literal.before, '=' | ':') && TEXT_NAMES.contains(&literal.name.as_str());
    let is_attribute = literal.before == '=' && literal.calls.iter().any(|call| call == "html!");
    let is_on_page = path.components().any(|part| part.as_os_str() == "pages") && !is_attribute;
    is_message || is_assigned || is_on_page
}
