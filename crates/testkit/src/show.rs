//! Texts for snapshots: JSON with one line per value, and without the numbers of ids.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The length of a snapshot's line in characters.
const LINE_CHARS_MAX: usize = 96;
/// The number of letters and digits after the prefix of an id.
const ID_DIGITS: usize = 24;
/// The number of digits of a bank account's fingerprint.
const FINGERPRINT_DIGITS: usize = 16;
/// The number of digits before the sequence in an invoice's number.
const INVOICE_PREFIX_DIGITS: usize = 8;

/// JSON in few lines. A value that fits is on one line. The names of an object's null values follow
/// its other values, because most objects of the API have many.
pub fn json(value: &Value) -> String {
    printed(value, 0, 0)
}

/// JSON in few lines, with ids cut after their prefix.
pub fn value(value: &Value) -> String {
    redacted(&json(value))
}

/// Cuts runs of letters and digits that depend on the numbers that a server draws, such as those of
/// ids. The second different run after a prefix becomes `…2`, so that a snapshot shows which ids are
/// equal.
pub fn redacted(text: &str) -> String {
    let mut runs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = rest.find(is_word).unwrap_or(rest.len());
        shown.push_str(&rest[..start]);
        let word_and_rest = &rest[start..];
        let end = word_and_rest.find(|c: char| !is_word(c)).unwrap_or(word_and_rest.len());
        let (word, after) = word_and_rest.split_at(end);
        for piece in word.split_inclusive('_') {
            let run = piece.trim_end_matches('_');
            if !is_drawn(run, after) {
                shown.push_str(piece);
                continue;
            }
            let offset = run.as_ptr() as usize - word.as_ptr() as usize;
            let seen = runs.entry(&word[..offset]).or_default();
            let number = seen.iter().position(|other| *other == run).unwrap_or_else(|| {
                seen.push(run);
                seen.len() - 1
            });
            shown.push('…');
            if number > 0 {
                // Writing to a String cannot fail.
                let _ = write!(shown, "{}", number + 1);
            }
            shown.push_str(&piece[run.len()..]);
        }
        rest = after;
    }
    shown
}

/// True if a server drew this run of letters and digits, or derived it from a drawn number: the
/// number of an id, a token, a fingerprint, or the prefix of an invoice's number.
fn is_drawn(run: &str, after: &str) -> bool {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let is_fingerprint = run.len() == FINGERPRINT_DIGITS
        && run.chars().all(is_hex)
        && run.contains(char::is_alphabetic);
    let is_invoice = run.len() == INVOICE_PREFIX_DIGITS
        && run.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c))
        && after.strip_prefix('-').is_some_and(|rest| rest.starts_with("000"));
    run.len() >= ID_DIGITS || is_fingerprint || is_invoice
}

/// Wraps a text into the lines of a snapshot, each with the indent, and all but the first with two
/// spaces more. Ids are cut after their prefix.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![" ".repeat(indent)];
    for piece in redacted(text).split_inclusive([' ', '&', '?', '/']) {
        let Some(line) = lines.last_mut() else { break };
        if line.chars().count() + piece.trim_end().chars().count() > LINE_CHARS_MAX {
            lines.push(" ".repeat(indent + 2) + piece);
        } else {
            line.push_str(piece);
        }
    }
    lines.iter().fold(String::new(), |shown, line| shown + line.trim_end() + "\n")
}

/// A value at an indent, behind a name of this length. Its first line has no indent.
fn printed(value: &Value, indent: usize, name_chars: usize) -> String {
    let one_line = one_line(value);
    if indent + name_chars + one_line.chars().count() <= LINE_CHARS_MAX {
        return one_line;
    }
    let (lines, [open, close]) = match value {
        Value::Object(fields) => (field_lines(fields, indent + 2), ["{", "}"]),
        Value::Array(items) => {
            (items.iter().map(|item| printed(item, indent + 2, 0)).collect(), ["[", "]"])
        }
        _ => return one_line,
    };
    let inner = " ".repeat(indent + 2);
    let lines = lines.iter().fold(String::new(), |all, line| all + &inner + line + "\n");
    format!("{open}\n{lines}{}{close}", " ".repeat(indent))
}

/// The lines of an object: its values, then the names of its null values.
fn field_lines(fields: &Map<String, Value>, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{name}: {}", printed(value, indent, name.len() + 2)))
        .collect();
    let nulls: Vec<&str> =
        fields.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str()).collect();
    let mut line = String::new();
    for name in nulls {
        if !line.is_empty() && indent + line.len() + name.len() + 2 > LINE_CHARS_MAX {
            lines.push(std::mem::take(&mut line));
        }
        line += if line.is_empty() { "null: " } else { ", " };
        line += name;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", one_line(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every field is shown. Short values are on one line, and null values follow the others.
    #[test]
    fn json_is_short_and_complete() {
        let long = "a text that does not fit on the line of its list together with another one";
        let shown = value(&json!({
            "empty": null, "id": "in_0123456789abcdefghABCDEF", "list": [{ "a": 1, "b": null }, {}],
            "texts": [long, long], "url": null,
        }));
        let expected = [
            "{",
            "  id: \"in_…\"",
            "  list: [{ a: 1, b: null }, {}]",
            "  texts: [",
            &format!("    \"{long}\""),
            &format!("    \"{long}\""),
            "  ]",
            "  null: empty, url",
            "}",
        ];
        assert_eq!(shown, expected.join("\n"));
    }

    /// Numbers of ids are cut after their prefix. Different ids of one prefix stay different, and
    /// equal ones equal. Short runs stay.
    #[test]
    fn ids_are_cut() {
        let (one, other) = ("0123456789abcdefghABCDEF", "1123456789abcdefghABCDEF");
        let text = format!("pi_{one}_secret_{one}9 pi_{other} pi_{one} cs_test_{one}, req_12345.");
        assert_eq!(redacted(&text), "pi_…_secret_… pi_…2 pi_… cs_test_…, req_12345.");
        let derived = "5f3cb51005ea250a 8728600C-0001 1234567812345678 87286000";
        assert_eq!(redacted(derived), "… …2-0001 1234567812345678 87286000");
        assert_eq!(wrapped(&format!("GET /v1/x/{one}?a=1"), 2), "  GET /v1/x/…?a=1\n");
    }
}
