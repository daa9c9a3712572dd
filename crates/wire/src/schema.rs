//! The schema of a call's parameters: every name that Stripe knows, with its type and bounds.
//!
//! Payment objects have hundreds of parameters, and this server supports few. A table per resource,
//! beside this file, lists them all. Reading a request by its schema rejects unknown names at every
//! depth and values of another type. It returns the other values as a
//! [`ExtraParams`](model::extra_params::ExtraParams).
//!
//! A table consists of calls (`POST /v1/products`). The parameters of a call follow, one per line,
//! indented by one blank more than their parent. A line is a `name`, with `*` if it is required and
//! `?` if an empty text unsets it, then a type. Types: `text` (with the maximum number of
//! characters), `integer`, `number`, `decimal`, `currency`, `boolean`, `word a|b`, `hash` (members
//! below), `list TYPE`, `map TYPE` (any names), `either` (alternatives below, each after `- `).

pub mod versions;

pub use versions::of_call_in;

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The type of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// A text of at most this many characters.
    Text(usize),
    /// A whole number.
    Integer,
    /// A number with a possible fraction, kept as a text.
    Decimal,
    /// Three letters.
    Currency,
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Word(Vec<&'static str>),
    /// These members.
    Hash(Vec<Member>),
    /// A list of items of one type.
    List(Box<Schema>),
    /// A hash with members of any name and one type.
    Map(Box<Schema>),
    /// One of these alternatives.
    Either(Vec<Schema>),
}

/// A member of a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// True if it is required.
    pub required: bool,
    /// True if an empty text unsets it.
    pub unsettable: bool,
    /// Its type.
    pub schema: Schema,
}

const TABLES: [&str; 14] = [
    include_str!("schema/accounts.txt"),
    include_str!("schema/charges.txt"),
    include_str!("schema/checkout.txt"),
    include_str!("schema/confirmation_tokens.txt"),
    include_str!("schema/invoiceitems.txt"),
    include_str!("schema/invoices.txt"),
    include_str!("schema/payment_intents.txt"),
    include_str!("schema/payment_method_configurations.txt"),
    include_str!("schema/payment_methods.txt"),
    include_str!("schema/prices.txt"),
    include_str!("schema/products.txt"),
    include_str!("schema/refunds.txt"),
    include_str!("schema/setup_intents.txt"),
    include_str!("schema/subscriptions.txt"),
];

static CALLS: LazyLock<BTreeMap<&'static str, Schema>> =
    LazyLock::new(|| TABLES.into_iter().flat_map(read_table).collect());

/// Returns the parameters of a call, such as `POST /v1/payment_intents/{id}/confirm`. Returns
/// `None` if no table has the call.
///
/// ```
/// use wire::schema::{Schema, of_call};
/// assert!(matches!(of_call("POST /v1/payment_intents"), Some(Schema::Hash(_))));
/// assert_eq!(of_call("POST /v1/charges"), None);
/// ```
pub fn of_call(call: &str) -> Option<&'static Schema> {
    CALLS.get(call)
}

/// Returns every call that has a table.
pub fn calls() -> impl Iterator<Item = (&'static str, &'static Schema)> {
    CALLS.iter().map(|(call, schema)| (*call, schema))
}

/// Reads the calls of a table.
pub(crate) fn read_table(table: &'static str) -> BTreeMap<&'static str, Schema> {
    let mut calls = BTreeMap::new();
    let mut lines = Lines { rest: table.lines().collect(), place: 0 };
    while let Some(call) = lines.next_at(0) {
        calls.insert(call, Schema::Hash(lines.members(1)));
    }
    calls
}

/// A table being read.
struct Lines {
    rest: Vec<&'static str>,
    place: usize,
}

impl Lines {
    /// Returns the next line without its indentation, if it has this depth.
    fn next_at(&mut self, depth: usize) -> Option<&'static str> {
        let line = self.rest.get(self.place)?;
        let text = line.trim_start_matches(' ');
        (line.len() - text.len() == depth).then(|| {
            self.place += 1;
            text
        })
    }

    fn members(&mut self, depth: usize) -> Vec<Member> {
        let mut members = Vec::new();
        while let Some(line) = self.next_at(depth) {
            let (name, kind) = line.split_once(' ').unwrap_or((line, "text"));
            let bare = name.trim_end_matches(['*', '?']);
            let marks = &name[bare.len()..];
            members.push(Member {
                name: bare,
                required: marks.contains('*'),
                unsettable: marks.contains('?'),
                schema: self.schema(kind, depth),
            });
        }
        members
    }

    fn schema(&mut self, kind: &'static str, depth: usize) -> Schema {
        let (word, rest) = kind.split_once(' ').unwrap_or((kind, ""));
        match word {
            "integer" => Schema::Integer,
            "number" | "decimal" => Schema::Decimal,
            "currency" => Schema::Currency,
            "boolean" => Schema::Boolean,
            "word" => Schema::Word(rest.split('|').collect()),
            "hash" => Schema::Hash(self.members(depth + 1)),
            "list" => Schema::List(Box::new(self.schema(rest, depth))),
            "map" => Schema::Map(Box::new(self.schema(rest, depth))),
            "either" => {
                let mut options = Vec::new();
                while let Some(line) = self.next_at(depth + 1) {
                    let kind = line.strip_prefix("- ").unwrap_or(line);
                    options.push(self.schema(kind, depth + 1));
                }
                Schema::Either(options)
            }
            "text" if rest.is_empty() => Schema::Text(model::limits::TEXT_CHARS_MAX),
            "text" => match rest.parse() {
                Ok(chars_max) => Schema::Text(chars_max),
                Err(error) => unreachable!("the tables are read in tests: {kind}: {error}"),
            },
            _ => unreachable!("the tables are read in tests: {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(schema: &'a Schema, path: &[&str]) -> &'a Member {
        let Schema::Hash(members) = schema else { panic!("no hash at {path:?}") };
        let found = members.iter().find(|member| member.name == path[0]).unwrap();
        if path.len() == 1 { found } else { find(&found.schema, &path[1..]) }
    }

    /// Every line of every table is read: after the members of a call comes another call.
    #[test]
    fn every_line_is_read() {
        for table in TABLES {
            let calls = table.lines().filter(|line| !line.starts_with(' '));
            for call in calls {
                assert!(call.starts_with("POST /v1/"), "{call}");
                assert!(of_call(call).is_some(), "{call}");
            }
        }
    }

    /// Marks, bounds, words and nested types are read as the table defines them.
    #[test]
    fn reads_marks_and_types() {
        let create = of_call("POST /v1/payment_intents").unwrap();
        let amount = find(create, &["amount"]);
        assert_eq!((amount.required, &amount.schema), (true, &Schema::Integer));
        assert_eq!(find(create, &["description"]).schema, Schema::Text(1_000));
        let options = ["payment_method_options", "us_bank_account"];
        assert!(find(create, &options).unsettable);
        let connections = [options[0], options[1], "financial_connections", "prefetch"];
        let words = vec!["balances", "ownership", "transactions"];
        let Schema::List(items) = &find(create, &connections).schema else { panic!("no list") };
        assert_eq!(**items, Schema::Word(words));
        assert!(matches!(find(create, &["metadata"]).schema, Schema::Map(_)));
        assert!(matches!(find(create, &["off_session"]).schema, Schema::Either(_)));
    }
}
