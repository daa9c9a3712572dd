//! One planted fault for each rule.

use super::{Measured, measure, subjects};
use std::path::PathBuf;

/// Measures files and returns the labels and faults that are over.
fn over(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> =
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let Measured { rows, faults } = measure(&files);
    let rows = rows.into_iter().filter(super::Row::is_over).map(|row| row.label);
    rows.chain(faults).collect()
}

/// Text in plain English has no fault.
#[test]
fn plain_text_passes() {
    let source =
        "//! A module.\n/// Returns a name.\nfn f() { Err(\"The limit is 16 endpoints.\") }\n";
    assert_eq!(over(&[("a.rs", source), ("a.md", "A server returns an error.\n")]), [""; 0]);
}

/// Each group of words has a bound in comments. One use is allowed, two are not.
#[test]
fn words_in_comments_are_counted() {
    for (group, _) in super::WORDS {
        let (first, last) = (group[0], group[group.len() - 1]);
        let source = format!("// One {first} and two {last}.\n");
        let found = over(&[("a.rs", &source)]);
        assert!(found.len() == 1 && found[0].starts_with("comments: "), "{found:?}");
        assert!(found[0].contains(first), "{found:?}");
        assert_eq!(over(&[("a.rs", &format!("// One {first} alone.\n"))]), [""; 0]);
    }
}

/// Doc comments must not begin with a question word. Later lines of a block may.
#[test]
fn question_starts_are_counted() {
    let bad = "/// What it is.\nstruct A;\n/// Whether it is.\nstruct B;\n";
    assert_eq!(over(&[("a.rs", bad)]), ["doc comments that begin with a question word, %"]);
    let good =
        "/// The name\n/// which it has.\nstruct A;\n/// The id\n/// where it is.\nstruct B;\n";
    assert_eq!(over(&[("a.rs", good)]), [""; 0]);
}

/// Error messages have the same bounds, wherever they are written.
#[test]
fn messages_are_counted() {
    for source in [
        "fn f() { Error::invalid(\"nobody told nobody told\") }",
        "fn f() { Err(format!(\"nobody told nobody told {x}\")) }",
        "fn f() { x.ok_or(\"nobody told nobody told\") }",
        "fn f() { let message = \"nobody told nobody told\"; }",
        "enum E { #[error(\"nobody told nobody told\")] A }",
    ] {
        let found = over(&[("a.rs", source)]);
        assert_eq!(found.len(), 2, "{source} {found:?}");
        assert!(found.iter().all(|label| label.starts_with("texts for users: ")), "{found:?}");
    }
    for source in [
        "fn f() { say(\"nobody told nobody told\") }",
        "fn f() { Err(format!(\"{nobody} and {nobody}\")) }",
    ] {
        assert_eq!(over(&[("a.rs", source)]), [""; 0]);
    }
}

/// Help texts have the same bounds, in attributes, in tables and in doc comments of flags.
#[test]
fn help_texts_are_counted() {
    for source in [
        "struct A { #[arg(help = \"nobody said nobody\")] x: u8 }",
        "const A: Entry = Entry { help: \"nobody said nobody\" };",
    ] {
        assert_eq!(over(&[("a.rs", source)]).len(), 1, "{source}");
    }
    let flags = "#[derive(Args)]\nstruct A {\n    /// Of nobody and nobody.\n    x: u8,\n}\n";
    assert_eq!(over(&[("a.rs", flags)]).len(), 2, "once as a comment and once as a text");
}

/// The help text of a command is a short imperative.
#[test]
fn command_help_is_checked() {
    let command =
        |help: &str| format!("#[derive(Subcommand)]\nenum A {{\n    /// {help}\n    X,\n}}\n");
    assert_eq!(over(&[("a.rs", &command("Refresh a bank account."))]), [""; 0]);
    let found = over(&[("a.rs", &command("Refreshes a bank account."))]);
    assert!(found.len() == 1 && found[0].starts_with("a.rs:3: help text"), "{found:?}");
    assert_eq!(over(&[("a.rs", &command(&"Refresh ".repeat(9)))]).len(), 1);
}

/// Texts of pages have the same bounds. Attributes and words without a space are not texts.
#[test]
fn page_texts_are_counted() {
    let page = "fn f() { html! { p class=\"nobody nobody\" { \"Nobody told nobody\" } } }";
    let found = over(&[("crates/x/src/pages/a.rs", page)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(over(&[("crates/x/src/other/a.rs", page)]), [""; 0]);
}

/// Colons, semicolons and inversions of documents have bounds, in paragraphs and in table cells.
#[test]
fn sentences_of_documents_are_counted() {
    for (sentence, label) in [
        ("There is one rule here: one idea.", "with a clause after a colon"),
        ("There are ideas; there are more.", "with a semicolon"),
        ("What a client sends is kept.", "that begin with an inversion"),
    ] {
        let expected = [format!("documents: sentences {label}, %")];
        assert_eq!(over(&[("a.md", &format!("{sentence} {sentence}\n"))]), expected);
        let cell = format!("{sentence} {sentence} One two three four.");
        assert_eq!(over(&[("a.md", &format!("| {cell} |\n"))]), expected);
        assert_eq!(over(&[("a.md", &format!("| {sentence} | {sentence} |\n"))]), [""; 0]);
    }
}

/// A commit subject of more than 72 characters is a fault.
#[test]
fn long_subjects_are_faults() {
    assert_eq!(subjects::fault(&format!("abc123 {}", "x".repeat(72))), None);
    let found = subjects::fault(&format!("abc123 {}", "é".repeat(73))).unwrap();
    assert_eq!(found, "commit abc123: a subject of 73 characters, at most 72");
}
