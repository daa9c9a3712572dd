//! Stripe's search query language: clauses such as `email:"ada@example.com"` or `-status:'paid'`,
//! joined by `AND` or by `OR`, and the rows that match them.
//!
//! A clause is a field, an operator and a value. `:` compares, `~` finds a part of a text, and `<`,
//! `<=`, `>`, `>=` compare numbers. `metadata["key"]` is a field too, and `null` is the value of a key
//! that is absent. A minus before the field negates the clause. Texts are compared without regard to
//! case.

use crate::error::{Error, shown};
use model::limits::SEARCH_CLAUSES_MAX;
use serde_json::Value;
use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// The minimum length of a part of a text, in characters.
const PART_CHARS_MIN: usize = 3;

/// A field of a kind of objects that a query may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(&'static str),
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    clauses: Vec<Clause>,
    /// True if one matching clause is enough.
    any: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    negated: bool,
    /// The keys that lead to the value in the rendered object.
    path: Vec<String>,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Absent,
    Equals(String),
    Contains(String),
    Number(Comparison, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Query {
    /// Reads a query about objects that have these fields and metadata.
    pub fn parse(text: &str, fields: &[Field]) -> Result<Self, Error> {
        let mut reader = Reader { letters: text.chars().peekable(), fields };
        let mut query = Self { clauses: Vec::new(), any: false };
        let mut joint = None;
        loop {
            reader.skip_spaces();
            query.clauses.push(reader.clause()?);
            if query.clauses.len() > SEARCH_CLAUSES_MAX {
                return Err(wrong(format!("A query has at most {SEARCH_CLAUSES_MAX} clauses.")));
            }
            reader.skip_spaces();
            if reader.letters.peek().is_none() {
                query.any = joint == Some(true);
                return Ok(query);
            }
            let any = reader.joint();
            if joint.is_some_and(|joint| joint != any) {
                return Err(wrong("A query joins its clauses by AND or by OR, not by both."));
            }
            joint = Some(any);
        }
    }

    /// True if a rendered object matches.
    pub fn matches(&self, object: &Value) -> bool {
        let mut clauses = self.clauses.iter();
        if self.any {
            clauses.any(|clause| clause.matches(object))
        } else {
            clauses.all(|clause| clause.matches(object))
        }
    }
}

impl Clause {
    fn matches(&self, object: &Value) -> bool {
        let found = self.path.iter().try_fold(object, |value, key| value.get(key));
        self.test.accepts(found.unwrap_or(&Value::Null)) != self.negated
    }
}

impl Test {
    fn accepts(&self, value: &Value) -> bool {
        let text = value.as_str().map(str::to_lowercase);
        match self {
            Self::Absent => value.is_null(),
            Self::Equals(wanted) => text.as_ref() == Some(wanted),
            Self::Contains(part) => text.is_some_and(|text| text.contains(part)),
            Self::Number(comparison, wanted) => {
                value.as_i64().is_some_and(|number| comparison.accepts(number.cmp(wanted)))
            }
        }
    }
}

impl Comparison {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    fields: &'a [Field],
}

impl Reader<'_> {
    fn skip_spaces(&mut self) {
        while self.letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    }

    fn word(&mut self, fits: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(letter) = self.letters.next_if(|letter| fits(*letter)) {
            word.push(letter);
        }
        word
    }

    /// Reads `AND` or `OR`. Returns true for `OR`. Clauses without a word between them are joined by
    /// `AND`.
    fn joint(&mut self) -> bool {
        let mut ahead = self.letters.clone();
        let mut word = String::new();
        while let Some(letter) = ahead.next_if(char::is_ascii_alphabetic) {
            word.push(letter);
        }
        let is_joint = ["AND", "OR"].iter().any(|joint| word.eq_ignore_ascii_case(joint));
        if is_joint && ahead.peek().is_some_and(|letter| letter.is_whitespace()) {
            self.letters = ahead;
            return word.eq_ignore_ascii_case("OR");
        }
        false
    }

    fn clause(&mut self) -> Result<Clause, Error> {
        let negated = self.letters.next_if_eq(&'-').is_some();
        let name = self.word(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter));
        if name == "metadata" {
            let path = vec![name, self.metadata_key()?];
            let test = self.text_test()?;
            return Ok(Clause { negated, path, test });
        }
        let is_named = |field: &&Field| match field {
            Field::Text(known) | Field::Number(known) => *known == name,
        };
        let path = name.split('.').map(str::to_owned).collect();
        let test = match self.fields.iter().find(is_named) {
            Some(Field::Text(_)) => self.text_test()?,
            Some(Field::Number(_)) => self.number_test()?,
            None => return Err(self.unknown_field(&name)),
        };
        Ok(Clause { negated, path, test })
    }

    fn unknown_field(&self, name: &str) -> Error {
        let names = self.fields.iter().map(|field| match field {
            Field::Text(name) | Field::Number(name) => *name,
        });
        let names: Vec<&str> = names.collect();
        let names = names.join(", ");
        let known = format!("Use one of {names}, or metadata[\"key\"]");
        if name.is_empty() {
            return wrong(format!("A clause must begin with a field. {known}."));
        }
        wrong(format!("Unknown search field: {}. {known}.", shown(name)))
    }

    fn metadata_key(&mut self) -> Result<String, Error> {
        let opened = self.letters.next_if_eq(&'[').is_some();
        let key = if opened { self.quoted()? } else { None };
        match key.filter(|_| self.letters.next_if_eq(&']').is_some()) {
            Some(key) => Ok(key),
            None => Err(wrong("Name a key of the metadata as metadata[\"key\"].")),
        }
    }

    fn text_test(&mut self) -> Result<Test, Error> {
        let operator = self.operator();
        let quoted = self.quoted()?;
        if quoted.is_none() && self.is_null() {
            return match operator.as_str() {
                ":" => Ok(Test::Absent),
                _ => Err(wrong("Compare null with the operator `:`.")),
            };
        }
        let text = match quoted {
            Some(text) => text,
            None => self.word(|letter| !letter.is_whitespace()),
        };
        let text = text.to_lowercase();
        match operator.as_str() {
            ":" => Ok(Test::Equals(text)),
            "~" if text.chars().count() < PART_CHARS_MIN => {
                Err(wrong(format!("A text after `~` has at least {PART_CHARS_MIN} characters.")))
            }
            "~" => Ok(Test::Contains(text)),
            _ => Err(wrong("Compare a text with `:` or `~`, such as email:\"ada@example.com\".")),
        }
    }

    fn number_test(&mut self) -> Result<Test, Error> {
        let comparison = match self.operator().as_str() {
            ":" | "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return Err(wrong("Compare a number with `:`, `<`, `<=`, `>` or `>=`.")),
        };
        let text = match self.quoted()? {
            Some(text) => text,
            None => self.word(|letter| !letter.is_whitespace()),
        };
        if text == "null" && comparison == Comparison::Equal {
            return Ok(Test::Absent);
        }
        let number = text.parse();
        let number = number.map_err(|_| wrong(format!("Not a whole number: {}.", shown(&text))))?;
        Ok(Test::Number(comparison, number))
    }

    fn operator(&mut self) -> String {
        self.word(|letter| ":~<>=".contains(letter))
    }

    /// Reads `null`, if it is next.
    fn is_null(&mut self) -> bool {
        let mut ahead = self.letters.clone();
        let is_null = "null".chars().all(|letter| ahead.next_if_eq(&letter).is_some());
        let ends = ahead.peek().is_none_or(|letter| letter.is_whitespace());
        if is_null && ends {
            self.letters = ahead;
        }
        is_null && ends
    }

    /// Reads a text in single or double quotes, if it is next. A backslash escapes a quote.
    fn quoted(&mut self) -> Result<Option<String>, Error> {
        let Some(quote) = self.letters.next_if(|letter| ['"', '\''].contains(letter)) else {
            return Ok(None);
        };
        let mut text = String::new();
        while let Some(letter) = self.letters.next() {
            match letter {
                '\\' => text.extend(self.letters.next()),
                letter if letter == quote => return Ok(Some(text)),
                letter => text.push(letter),
            }
        }
        Err(wrong(format!("A text has no closing quote: {}", shown(&text))))
    }
}

fn wrong(message: impl Into<String>) -> Error {
    Error::invalid(message).param("query")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::listed;
    use proptest::prelude::*;
    use serde_json::json;

    const FIELDS: [Field; 3] =
        [Field::Text("email"), Field::Number("amount"), Field::Text("status")];

    fn matches(query: &str) -> bool {
        let object = json!({
            "email": "Ada@example.com",
            "amount": 1_000,
            "status": "paid",
            "metadata": {"it's": "a \"b\"", "key": "value"},
        });
        Query::parse(query, &FIELDS).unwrap().matches(&object)
    }

    /// Queries match as in the examples of Stripe's guide to search.
    #[test]
    fn queries_match() {
        for query in [
            "email:\"ada@example.com\"",
            "email~'ADA'",
            "-email:'amy'",
            "amount>999 AND amount<=1000 status:'paid'",
            "status:'open' OR amount:1000",
            "metadata['key']:'value'",
            "metadata[\"it's\"]:\"a \\\"b\\\"\"",
            "metadata['other']:null AND -metadata['key']:null",
            "status:paid",
        ] {
            assert!(matches(query), "{query}");
        }
        for query in [
            "email:'ada'",
            "email~'amy'",
            "amount>1000",
            "-status:'paid'",
            "status:'open' AND amount:1000",
            "metadata['key']:null",
            "email:null",
        ] {
            assert!(!matches(query), "{query}");
        }
    }

    /// An invalid query is rejected with the reason.
    #[test]
    fn invalid_queries_are_rejected() {
        let clauses = ["amount:1"; SEARCH_CLAUSES_MAX + 1].join(" ");
        let errors: Vec<Error> = [
            "",
            "colour:'red'",
            "email",
            "email>'a'",
            "email~'ab'",
            "email:'ada",
            "email~null",
            "amount~1",
            "amount:ten",
            "metadata:'a'",
            "metadata['a:'b'",
            "amount:1 AND amount:2 OR amount:3",
            &clauses,
        ]
        .into_iter()
        .map(|query| Query::parse(query, &FIELDS).unwrap_err())
        .collect();
        insta::assert_snapshot!(listed(&errors), @r#"
        400 - query
            A clause must begin with a field. Use one of email, amount, status, or
            metadata["key"].
        400 - query
            Unknown search field: colour. Use one of email, amount, status, or
            metadata["key"].
        400 - query
            Compare a text with `:` or `~`, such as email:"ada@example.com".
        400 - query
            Compare a text with `:` or `~`, such as email:"ada@example.com".
        400 - query
            A text after `~` has at least 3 characters.
        400 - query
            A text has no closing quote: ada
        400 - query
            Compare null with the operator `:`.
        400 - query
            Compare a number with `:`, `<`, `<=`, `>` or `>=`.
        400 - query
            Not a whole number: ten.
        400 - query
            Name a key of the metadata as metadata["key"].
        400 - query
            Name a key of the metadata as metadata["key"].
        400 - query
            A query joins its clauses by AND or by OR, not by both.
        400 - query
            A query has at most 10 clauses.
        "#);
    }

    proptest! {
        /// No text makes the reader panic.
        #[test]
        fn any_query_is_read_safely(query in "[a-z\\-:~<>='\"\\\\\\[\\]1 ADNOR.]{0,60}") {
            let _ = Query::parse(&query, &FIELDS);
        }
    }
}
