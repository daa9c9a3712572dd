//! A file of TOML or JSON as a tree in which every value knows its line, and the table from which a
//! reader takes keys. A key that is never taken is unknown and is rejected with its line.
//!
//! No JSON reader in the dependency tree reports lines. JSON values are therefore read raw, as
//! slices of the text, and the position of a slice gives its line.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// The most levels of lists and tables in a file.
const DEPTH_MAX: usize = 8;

/// An error in a file, with its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {}{problem}", if key.is_empty() { String::new() } else { format!("{key}: ") })]
pub struct ScenarioError {
    /// The line, from 1.
    pub line: usize,
    /// The keys that lead to the value, with dots. Empty if the file is not TOML or JSON.
    pub key: String,
    /// The problem.
    pub problem: String,
}

/// A value with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// The line, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
    /// A value of a kind that no key takes, with the name of the kind.
    Other(&'static str),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Reads a file. It is JSON if it begins with a brace, and TOML otherwise.
pub(super) fn read(text: &str) -> Result<Table, ScenarioError> {
    let text = without_mark(text);
    let lines = Lines::of(text);
    let node = if text.trim_start().starts_with('{') {
        read_json(text, &lines)?
    } else {
        read_toml(text, &lines)?
    };
    Table::open(node, "")
}

/// The text without the byte order mark that some editors add.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The start of each line of a text.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }

    /// The line of a slice of the text.
    fn line_of(&self, slice: &str) -> usize {
        let text = self.text.as_bytes().as_ptr_range();
        assert!(text.contains(&slice.as_ptr()), "the slice is a part of the text");
        self.line(slice.as_ptr() as usize - text.start as usize)
    }
}

fn read_toml(text: &str, lines: &Lines<'_>) -> Result<Node, ScenarioError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = lines.line(error.span().map_or(0, |span| span.start));
        ScenarioError { line, key: String::new(), problem: error.message().to_owned() }
    })?;
    toml_table(table.get_ref(), 1, lines, 0)
}

fn toml_table(
    table: &DeTable<'_>,
    line: usize,
    lines: &Lines<'_>,
    depth: usize,
) -> Result<Node, ScenarioError> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let line = lines.line(key.span().start);
        let node = toml_value(value.get_ref(), line, lines, depth + 1)?;
        entries.push((key.get_ref().clone().into_owned(), node));
    }
    Ok(Node { line, value: Value::Table(entries) })
}

fn toml_value(
    value: &DeValue<'_>,
    line: usize,
    lines: &Lines<'_>,
    depth: usize,
) -> Result<Node, ScenarioError> {
    check_depth(depth, line)?;
    let value = match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix())
                .map_or(Value::Other("a number out of range"), Value::Integer)
        }
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Other("a date or time without quotes"),
        DeValue::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                let line = lines.line(item.span().start);
                list.push(toml_value(item.get_ref(), line, lines, depth + 1)?);
            }
            Value::List(list)
        }
        DeValue::Table(table) => return toml_table(table, line, lines, depth),
    };
    Ok(Node { line, value })
}

fn read_json(text: &str, lines: &Lines<'_>) -> Result<Node, ScenarioError> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error, 1))?;
    json_value(raw.get(), lines, 0)
}

fn json_value(raw: &str, lines: &Lines<'_>, depth: usize) -> Result<Node, ScenarioError> {
    let line = lines.line_of(raw);
    check_depth(depth, line)?;
    let rejected = |error: serde_json::Error| not_json(&error, line);
    let value = match raw.as_bytes().first() {
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(raw).map_err(rejected)?;
            let mut entries: Vec<(String, Node)> = Vec::with_capacity(fields.len());
            for (key, value) in fields {
                let node = json_value(value.get(), lines, depth + 1)?;
                if entries.iter().any(|(known, _)| *known == key) {
                    let problem = "is there twice; remove one".to_owned();
                    return Err(ScenarioError { line: node.line, key, problem });
                }
                entries.push((key, node));
            }
            Value::Table(entries)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(rejected)?;
            let items = items.iter().map(|item| json_value(item.get(), lines, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(raw).map_err(rejected)?),
        Some(b't' | b'f') => Value::Flag(raw == "true"),
        Some(b'n') => Value::Other("null"),
        _ => match raw.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("a number with a fraction"),
        },
    };
    Ok(Node { line, value })
}

fn not_json(error: &serde_json::Error, first_line: usize) -> ScenarioError {
    let line = first_line + error.line().saturating_sub(1);
    let text = error.to_string();
    let problem = text.split_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    ScenarioError { line, key: String::new(), problem: problem.to_owned() }
}

fn check_depth(depth: usize, line: usize) -> Result<(), ScenarioError> {
    if depth <= DEPTH_MAX {
        return Ok(());
    }
    let problem = format!("more than {DEPTH_MAX} levels of lists and tables");
    Err(ScenarioError { line, key: String::new(), problem })
}

/// The members of a JSON object in their order, with raw values.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    fields.push((key.into_owned(), value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A table. The reader takes its keys one by one.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) line: usize,
    /// The keys that lead to the table, with dots.
    path: String,
    entries: Vec<(String, Node)>,
    /// The keys that the reader has tried to take.
    known: Vec<&'static str>,
}

/// A value that was taken, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

impl Table {
    fn open(node: Node, path: &str) -> Result<Self, ScenarioError> {
        let Node { line, value } = node;
        match value {
            Value::Table(entries) => {
                Ok(Self { line, path: path.to_owned(), entries, known: Vec::new() })
            }
            other => {
                let problem = format!("a table is expected, not {}", other.kind());
                Err(ScenarioError { line, key: path.to_owned(), problem })
            }
        }
    }

    /// The keys that lead to a key of this table.
    pub(super) fn path_of(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    /// True if a key is present and not taken yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == key)
    }

    /// The line of a key, or of the table if the key is absent.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let entry = self.entries.iter().find(|(known, _)| known == key);
        entry.map_or(self.line, |(_, node)| node.line)
    }

    /// An error about a key of this table.
    pub(super) fn error(
        &self,
        line: usize,
        key: &str,
        problem: impl Into<String>,
    ) -> ScenarioError {
        ScenarioError { line, key: self.path_of(key), problem: problem.into() }
    }

    pub(super) fn node(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let position = self.entries.iter().position(|(known, _)| known == key)?;
        Some(self.entries.swap_remove(position).1)
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl Fn(Value) -> Result<T, Value>,
    ) -> Result<Option<At<T>>, ScenarioError> {
        let Some(Node { line, value }) = self.node(key) else { return Ok(None) };
        match read(value) {
            Ok(value) => Ok(Some(At { line, value })),
            Err(other) => {
                let problem = format!("{wanted} is expected, not {}", other.kind());
                Err(self.error(line, key, problem))
            }
        }
    }

    /// Takes a text on one line, of 1 to `chars_max` characters.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        chars_max: usize,
    ) -> Result<Option<At<String>>, ScenarioError> {
        let taken = self.any_text(key, chars_max)?;
        match taken {
            Some(At { line, value }) if value.chars().any(char::is_control) => {
                Err(self.error(line, key, "a text on one line is expected"))
            }
            taken => Ok(taken),
        }
    }

    /// Takes a text of 1 to `chars_max` characters.
    pub(super) fn any_text(
        &mut self,
        key: &'static str,
        chars_max: usize,
    ) -> Result<Option<At<String>>, ScenarioError> {
        let taken = self.take(key, "a text", |value| match value {
            Value::Text(text) => Ok(text),
            other => Err(other),
        })?;
        match taken {
            Some(At { line, value }) if !(1..=chars_max).contains(&value.chars().count()) => {
                let problem = format!("a text of 1 to {chars_max} characters is expected");
                Err(self.error(line, key, problem))
            }
            taken => Ok(taken),
        }
    }

    /// Takes a whole number from `low` to `high`.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        low: i64,
        high: i64,
    ) -> Result<Option<At<i64>>, ScenarioError> {
        let taken = self.take(key, "a whole number", |value| match value {
            Value::Integer(number) => Ok(number),
            other => Err(other),
        })?;
        match taken {
            Some(At { line, value }) if !(low..=high).contains(&value) => {
                let problem = format!("a whole number from {low} to {high} is expected");
                Err(self.error(line, key, problem))
            }
            taken => Ok(taken),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<At<bool>>, ScenarioError> {
        self.take(key, "true or false", |value| match value {
            Value::Flag(flag) => Ok(flag),
            other => Err(other),
        })
    }

    /// Takes a list. A single value counts as a list of one.
    pub(super) fn list(
        &mut self,
        key: &'static str,
        items_max: usize,
    ) -> Result<Option<At<Vec<Node>>>, ScenarioError> {
        let Some(Node { line, value }) = self.node(key) else { return Ok(None) };
        let value = match value {
            Value::List(items) => items,
            single => vec![Node { line, value: single }],
        };
        if value.len() > items_max {
            return Err(self.error(line, key, format!("at most {items_max} are allowed")));
        }
        Ok(Some(At { line, value }))
    }

    /// Takes a list of texts.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        items_max: usize,
    ) -> Result<Option<At<Vec<String>>>, ScenarioError> {
        let Some(At { line, value }) = self.list(key, items_max)? else { return Ok(None) };
        let mut texts = Vec::with_capacity(value.len());
        for node in value {
            match node.value {
                Value::Text(text) if !text.is_empty() => texts.push(text),
                Value::Text(_) => {
                    return Err(self.error(node.line, key, "the text is empty"));
                }
                other => {
                    let problem = format!("a text is expected, not {}", other.kind());
                    return Err(self.error(node.line, key, problem));
                }
            }
        }
        Ok(Some(At { line, value: texts }))
    }

    /// Takes a list of tables. Returns an empty list if the key is absent.
    pub(super) fn tables(
        &mut self,
        key: &'static str,
        items_max: usize,
    ) -> Result<Vec<Self>, ScenarioError> {
        let path = self.path_of(key);
        let Some(At { value, .. }) = self.list(key, items_max)? else { return Ok(Vec::new()) };
        value.into_iter().map(|node| Self::open(node, &path)).collect()
    }

    /// Rejects a table without a key.
    pub(super) fn need<T>(&self, key: &'static str, taken: Option<T>) -> Result<T, ScenarioError> {
        taken.ok_or_else(|| self.error(self.line, key, "is missing"))
    }

    /// Rejects unknown keys before other errors are reported. An unknown key is most often a
    /// misspelled one, and the key that seems to be missing is its correct form.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ScenarioError> {
        let unknown = self.entries.iter().filter(|(key, _)| !known.contains(&key.as_str()));
        match unknown.min_by_key(|(_, node)| node.line) {
            None => Ok(()),
            Some((key, node)) => {
                let problem = format!("no such key; here are: {}", known.join(", "));
                Err(self.error(node.line, key, problem))
            }
        }
    }

    /// Rejects the keys that were not taken.
    pub(super) fn finish(self) -> Result<(), ScenarioError> {
        let Some((key, node)) = self.entries.iter().min_by_key(|(_, node)| node.line) else {
            return Ok(());
        };
        let mut known = self.known.clone();
        known.sort_unstable();
        known.dedup();
        let problem = format!("no such key; here are: {}", known.join(", "));
        Err(self.error(node.line, key, problem))
    }
}
