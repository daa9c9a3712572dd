//! Parameters: a form or JSON body and a query string, read by name and type.
//!
//! A use case takes each parameter that it knows and ends with [`Params::finish`], which rejects
//! every other parameter. The list of known parameters is therefore the code that takes them, and
//! the error for an unknown name proposes the most similar known one. Every error has the full path
//! of its parameter (`account_holder[customer]`, `features[0]`).
//!
//! An empty string unsets a parameter only where [`Params::unsettable`] takes it. Elsewhere it is
//! an error.

mod form;
mod gaps;
mod json_body;
mod schema;
mod value;

use crate::error::Error;
use crate::supported::{find_dropped, ignored_error};
use form::{Branch, Node};
use model::Word;
use model::extra_params::ExtraParams;
use model::limits::{METADATA_KEY_CHARS_MAX, METADATA_VALUE_CHARS_MAX, TEXT_CHARS_MAX};
use std::collections::BTreeMap;

pub use gaps::Gaps;
pub use value::{MetadataChange, Range, Setting, without_repeats};

/// The minimum similarity of a proposed name to an unknown one, from 0 to 1.
const SIMILARITY_MIN: f64 = 0.7;

/// One hash of parameters with its path, from which parameters are taken.
#[derive(Clone, Debug)]
pub struct Params {
    /// The path of the hash. Empty for the request itself.
    path: String,
    branch: Branch,
    /// The names of all known parameters, as candidates for the proposed name.
    known_names: Vec<&'static str>,
    /// The known parameters that were ignored.
    ignored: Vec<&'static str>,
    /// True if ignored parameters are rejected.
    strict: bool,
    /// The path of the first ignored parameter that was sent.
    ignored_path: Option<String>,
}

impl Params {
    /// Reads a query string and a form body. Both count, and the body counts as sent later.
    pub fn parse(query: &str, body: &str) -> Result<Self, Error> {
        let mut branch = Branch::default();
        let mut count = 0;
        form::read_pairs(&mut branch, &mut count, query)?;
        form::read_pairs(&mut branch, &mut count, body)?;
        Ok(Self::of(String::new(), branch))
    }

    /// Reads a query string and a JSON body, which may be empty. A member that is null counts as left
    /// out, except in `metadata`, where it deletes its key.
    ///
    /// ```
    /// # use wire::params::Params;
    /// let mut params = Params::parse_json("", r#"{"name":"Ada","limit":3}"#).unwrap();
    /// assert_eq!(params.text("name").unwrap().as_deref(), Some("Ada"));
    /// assert!(params.text("limit").is_err());
    /// ```
    pub fn parse_json(query: &str, body: &str) -> Result<Self, Error> {
        let mut branch = Branch::default();
        let mut count = 0;
        form::read_pairs(&mut branch, &mut count, query)?;
        json_body::read(&mut branch, &mut count, body)?;
        Ok(Self::of(String::new(), branch))
    }

    fn of(path: String, branch: Branch) -> Self {
        Self {
            path,
            branch,
            known_names: Vec::new(),
            ignored: Vec::new(),
            strict: false,
            ignored_path: None,
        }
    }

    /// Returns the lists with gaps in their indexes. It must be called before a parameter is taken.
    pub fn gaps(&self) -> Gaps {
        Gaps::of(&self.branch)
    }

    /// Sets if known but ignored parameters are rejected.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Records the ignored parameters among those that were read by the schema of the call.
    pub fn note_dropped(&mut self, call: &str, params: &ExtraParams) {
        if self.strict && self.ignored_path.is_none() {
            self.ignored_path = find_dropped(call, params);
        }
    }

    /// Returns bytes that are equal for equal parameters in any order and spelling. It must be
    /// called before a parameter is taken.
    pub fn fingerprint(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        self.branch.write_canonical(&mut bytes);
        bytes
    }

    /// Rejects all parameters that were not taken, with a notice of the known ones. A strict reader
    /// also rejects ignored parameters.
    pub fn finish(self) -> Result<(), Error> {
        let Some(first) = self.branch.named.keys().next() else {
            return self.ignored_path.map_or(Ok(()), |path| Err(ignored_error(&path)));
        };
        let similar =
            self.known_names.iter().map(|name| (strsim::jaro_winkler(name, first), *name));
        let nearest = similar
            .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
            .max_by(|(one, _), (two, _)| one.total_cmp(two))
            .map(|(_, name)| name);
        let paths: Vec<String> = self.branch.named.keys().map(|name| self.path_of(name)).collect();
        Err(Error::unknown_params(&paths, nearest).notice(self.known()))
    }

    /// Returns the known names in a sentence.
    fn known(&self) -> String {
        let what = if self.path.is_empty() { "This call" } else { &self.path };
        let (ignored, taken): (Vec<&str>, Vec<&str>) =
            self.known_names.iter().partition(|name| self.ignored.contains(name));
        let mut known = format!("{what} takes: {}.", taken.join(", "));
        if !ignored.is_empty() {
            known.push_str(" Ignored: ");
            known.push_str(&ignored.join(", "));
            known.push('.');
        }
        known
    }

    /// Returns the full path of a name in this hash.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.path) }
    }

    /// True if a parameter was sent and not yet taken.
    pub fn has(&self, name: &str) -> bool {
        self.branch.named.contains_key(name)
    }

    /// Rejects more than one of these parameters.
    pub fn exclusive(&self, names: &[&str]) -> Result<(), Error> {
        let present: Vec<&str> = names.iter().copied().filter(|name| self.has(name)).collect();
        if present.len() < 2 {
            return Ok(());
        }
        let paths: Vec<String> = present.iter().map(|name| self.path_of(name)).collect();
        Err(Error::exclusive(&paths))
    }

    /// Takes a parameter of any type that the API knows and this server ignores.
    pub fn ignore(&mut self, name: &'static str) {
        self.ignored.push(name);
        if let Some(node) = self.take(name)
            && self.strict
        {
            let path = node.first_path(self.path_of(name));
            self.ignored_path.get_or_insert(path);
        }
    }

    /// Records that the sent value of a parameter is ignored, although other values are supported.
    pub fn note_inert(&mut self, name: &str) {
        if self.strict && self.ignored_path.is_none() {
            self.ignored_path = Some(self.path_of(name));
        }
    }

    /// Takes a required parameter.
    ///
    /// ```
    /// # use wire::params::Params;
    /// let mut params = Params::parse("", "name=Ada").unwrap();
    /// assert_eq!(params.need("name", Params::text).unwrap(), "Ada");
    /// let missing = params.need("email", Params::text).unwrap_err();
    /// assert_eq!(missing.code, Some("parameter_missing"));
    /// ```
    pub fn need<T>(
        &mut self,
        name: &'static str,
        take: impl FnOnce(&mut Self, &'static str) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        take(self, name)?.ok_or_else(|| Error::missing_param(&self.path_of(name)))
    }

    /// Takes a parameter that an empty string unsets.
    ///
    /// ```
    /// # use wire::params::{Params, Setting};
    /// let mut params = Params::parse("", "limit=&count=3").unwrap();
    /// assert_eq!(params.unsettable("limit", Params::integer).unwrap(), Some(Setting::Unset));
    /// assert_eq!(params.unsettable("count", Params::integer).unwrap(), Some(Setting::Set(3)));
    /// ```
    pub fn unsettable<T>(
        &mut self,
        name: &'static str,
        take: impl FnOnce(&mut Self, &'static str) -> Result<Option<T>, Error>,
    ) -> Result<Option<Setting<T>>, Error> {
        if self.branch.named.get(name) == Some(&Node::Text(String::new())) {
            self.take(name);
            return Ok(Some(Setting::Unset));
        }
        Ok(take(self, name)?.map(Setting::Set))
    }

    /// Takes a text of up to [`TEXT_CHARS_MAX`] characters.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        self.text_up_to(name, TEXT_CHARS_MAX)
    }

    /// Takes a text of up to `chars_max` characters.
    pub fn text_up_to(
        &mut self,
        name: &'static str,
        chars_max: usize,
    ) -> Result<Option<String>, Error> {
        self.take_as(name, |path, node| text_of(path, node, chars_max))
    }

    /// Takes a text of up to `chars_max` characters that an empty string unsets.
    pub fn unsettable_text(
        &mut self,
        name: &'static str,
        chars_max: usize,
    ) -> Result<Option<Setting<String>>, Error> {
        self.unsettable(name, |params, name| params.text_up_to(name, chars_max))
    }

    /// Takes an integer.
    pub fn integer(&mut self, name: &'static str) -> Result<Option<i64>, Error> {
        self.take_as(name, integer_of)
    }

    /// Takes an integer from `least` to `most`.
    pub fn integer_within(
        &mut self,
        name: &'static str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, Error> {
        match self.integer(name)? {
            Some(value) if !(least..=most).contains(&value) => {
                Err(Error::integer_out_of_range(&self.path_of(name), least, most))
            }
            value => Ok(value),
        }
    }

    /// Takes `true` or `false`.
    pub fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, Error> {
        self.take_as(name, boolean_of)
    }

    /// Takes one of an enum's words.
    pub fn choice<W: Word>(&mut self, name: &'static str) -> Result<Option<W>, Error> {
        self.take_as(name, word_of)
    }

    /// Takes a list of an enum's words.
    pub fn choices<W: Word>(&mut self, name: &'static str) -> Result<Option<Vec<W>>, Error> {
        self.items(name, word_of)
    }

    /// Takes a list of those words of an enum that a version knows.
    pub fn choices_among<W: Word + PartialEq>(
        &mut self,
        name: &'static str,
        known: &[W],
    ) -> Result<Option<Vec<W>>, Error> {
        self.items(name, |path, node| word_among(path, node, known))
    }

    /// Takes one of those words of an enum that a version knows.
    pub fn choice_among<W: Word + PartialEq>(
        &mut self,
        name: &'static str,
        known: &[W],
    ) -> Result<Option<W>, Error> {
        self.take_as(name, |path, node| word_among(path, node, known))
    }

    /// Takes a list of texts of up to [`TEXT_CHARS_MAX`] characters each.
    pub fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Error> {
        self.items(name, |path, node| text_of(path, node, TEXT_CHARS_MAX))
    }

    /// Takes a hash. The caller takes and finishes its parameters.
    pub fn hash(&mut self, name: &'static str) -> Result<Option<Self>, Error> {
        let strict = self.strict;
        let hash = self.take_as(name, hash_of)?;
        Ok(hash.map(|hash| hash.strict(strict)))
    }

    /// Takes a list of hashes. The caller takes and finishes the parameters of each.
    pub fn hashes(&mut self, name: &'static str) -> Result<Option<Vec<Self>>, Error> {
        let strict = self.strict;
        let items = self.items(name, hash_of)?;
        Ok(items.map(|items| items.into_iter().map(|item| item.strict(strict)).collect()))
    }

    /// Takes an integer, or a hash of `gt`, `gte`, `lt` and `lte`.
    pub fn range(&mut self, name: &'static str) -> Result<Option<Range>, Error> {
        if let Some(Node::Text(_)) = self.branch.named.get(name) {
            let exact = self.integer(name)?;
            return Ok(exact.map(|at| Range { from: Some(at), to: Some(at) }));
        }
        let Some(mut bounds) = self.hash(name)? else { return Ok(None) };
        let mut range = Range::default();
        let mut nothing = false;
        if let Some(above) = bounds.integer("gt")? {
            above.checked_add(1).map_or_else(|| nothing = true, |from| range.raise(from));
        }
        if let Some(from) = bounds.integer("gte")? {
            range.raise(from);
        }
        if let Some(below) = bounds.integer("lt")? {
            below.checked_sub(1).map_or_else(|| nothing = true, |to| range.lower(to));
        }
        if let Some(to) = bounds.integer("lte")? {
            range.lower(to);
        }
        bounds.finish()?;
        Ok(Some(if nothing { Range::NOTHING } else { range }))
    }

    /// Takes the change of `metadata`.
    pub fn metadata(&mut self) -> Result<Option<MetadataChange>, Error> {
        let name = "metadata";
        if self.branch.named.get(name) == Some(&Node::Text(String::new())) {
            self.take(name);
            return Ok(Some(MetadataChange { clear: true, keys: BTreeMap::new() }));
        }
        let keys = self.take_as(name, metadata_of)?;
        Ok(keys.map(|keys| MetadataChange { clear: false, keys }))
    }

    fn take(&mut self, name: &'static str) -> Option<Node> {
        self.known_names.push(name);
        self.branch.named.remove(name)
    }

    /// Takes a parameter and reads it with its path. The path is built only if the parameter was
    /// sent, because most are not.
    fn take_as<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str, Node) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let Some(node) = self.take(name) else { return Ok(None) };
        read(&self.path_of(name), node).map(Some)
    }

    fn items<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str, Node) -> Result<T, Error>,
    ) -> Result<Option<Vec<T>>, Error> {
        self.take_as(name, |path, node| {
            let items = match node {
                Node::Text(text) if text.is_empty() => return Err(Error::empty(path)),
                Node::Text(text) | Node::Json(text) => {
                    return Err(Error::bad_shape(path, "array", Some(&text)));
                }
                Node::Branch(branch) => branch.into_items(),
            };
            let items = items.ok_or_else(|| Error::bad_shape(path, "array", None))?;
            let read_item = |(place, node)| read(&format!("{path}[{place}]"), node);
            items.into_iter().enumerate().map(read_item).collect()
        })
    }
}

/// Reads a scalar that is not empty. `wanted` is the expected type in the error.
fn scalar_of(path: &str, node: Node, wanted: &str) -> Result<String, Error> {
    match node {
        Node::Text(text) if text.is_empty() => Err(Error::empty(path)),
        Node::Json(text) if wanted == "string" => Err(Error::bad_shape(path, wanted, Some(&text))),
        Node::Text(text) | Node::Json(text) => Ok(text),
        Node::Branch(_) => Err(Error::bad_shape(path, wanted, None)),
    }
}

fn text_of(path: &str, node: Node, chars_max: usize) -> Result<String, Error> {
    let text = scalar_of(path, node, "string")?;
    if text.chars().count() > chars_max {
        return Err(Error::too_long(path, chars_max));
    }
    Ok(text)
}

fn integer_of(path: &str, node: Node) -> Result<i64, Error> {
    let text = scalar_of(path, node, "integer")?;
    // The standard reader also accepts a leading plus sign, which no client sends.
    let value = if text.starts_with('+') { None } else { text.parse().ok() };
    value.ok_or_else(|| Error::bad_integer(path, &text))
}

/// Reads a boolean. Older releases of stripe-python, such as 10.12.0, send Python's own `True` and
/// `False`.
fn boolean_of(path: &str, node: Node) -> Result<bool, Error> {
    match scalar_of(path, node, "boolean")?.as_str() {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        other => Err(Error::bad_shape(path, "boolean", Some(other))),
    }
}

fn word_of<W: Word>(path: &str, node: Node) -> Result<W, Error> {
    word_among(path, node, W::ALL)
}

fn word_among<W: Word>(path: &str, node: Node, known: &[W]) -> Result<W, Error> {
    let text = scalar_of(path, node, "string")?;
    known.iter().copied().find(|variant| variant.word() == text).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|variant| variant.word()).collect();
        Error::bad_choice(path, &words)
    })
}

fn hash_of(path: &str, node: Node) -> Result<Params, Error> {
    match node {
        Node::Branch(branch) if branch.appended.is_empty() => {
            Ok(Params::of(path.to_owned(), branch))
        }
        Node::Branch(_) => Err(Error::bad_shape(path, "object", None)),
        Node::Text(text) if text.is_empty() => Err(Error::empty(path)),
        Node::Text(text) | Node::Json(text) => Err(Error::bad_shape(path, "object", Some(&text))),
    }
}

/// Reads metadata keys with their values. The value is `None` if an empty text deletes the key.
fn metadata_of(path: &str, node: Node) -> Result<BTreeMap<String, Option<String>>, Error> {
    let mut keys = BTreeMap::new();
    for (key, node) in hash_of(path, node)?.branch.named {
        let path = format!("{path}[{key}]");
        if key.chars().count() > METADATA_KEY_CHARS_MAX {
            return Err(Error::invalid(format!(
                "A metadata key may have at most {METADATA_KEY_CHARS_MAX} characters: {}",
                crate::error::shown(&key)
            ))
            .param(crate::error::shown(&path)));
        }
        let value = match node {
            Node::Text(text) if text.is_empty() => None,
            node => Some(text_of(&path, node, METADATA_VALUE_CHARS_MAX)?),
        };
        keys.insert(key, value);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
