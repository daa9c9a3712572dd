//! Changes of later API versions, applied to the document of an earlier version.
//!
//! `xtask/overlays` has one file for each version. Each line is one change, with its source after a
//! bar:
//!
//! - `key OBJECT.PATH required SCHEMA` (or `optional`) adds a key
//! - `without OBJECT.PATH` removes a key
//! - `words OBJECT.PATH WORD…` adds words
//! - `object NAME SCHEMA` adds an object
//! - `call METHOD PATH SCHEMA` adds a call with the schema of its response
//! - `takes CALL NAME SCHEMA` adds a parameter of previews
//!
//! The parameters of general versions come from the tables of [`wire::schema::versions`].
//!
//! In a path, dots separate keys and `[]` means the items of an array. Schemas are JSON as in the
//! document, but a `$ref` contains only the object's name.

use super::document::Document;
use crate::Failure;
use serde_json::{Value, json};
use std::cell::OnceCell;
use wire::schema::Schema;
use wire::schema::versions;

/// The version of the document without overlays.
pub(crate) const BASE: &str = "2026-05-27";

/// The overlays by the date of their version.
const OVERLAYS: [(&str, &str); 5] = [
    ("2026-06-24", include_str!("../../overlays/2026-06-24.dahlia.txt")),
    ("2026-07-29", include_str!("../../overlays/2026-07-29.dahlia.txt")),
    ("2026-08-26", include_str!("../../overlays/2026-08-26.dahlia.txt")),
    ("2026-09-30", include_str!("../../overlays/2026-09-30.endive.txt")),
    ("2026-10-28", include_str!("../../overlays/2026-10-28.endive.txt")),
];
const AT_BASE: &str = include_str!("../../overlays/2026-05-27.dahlia.txt");
const PREVIEW: &str = include_str!("../../overlays/preview.txt");

/// The document of each version, made at its first use.
pub(crate) struct Versions {
    base: Document,
    /// The documents by their number of overlays. Each number has two, without and with the overlay of
    /// previews.
    made: [OnceCell<Document>; 2 * (OVERLAYS.len() + 1)],
}

impl Versions {
    /// All versions of a document. It is an error if an overlay cannot be applied.
    pub(crate) fn of(base: Document) -> Result<Self, Failure> {
        let versions = Self { base, made: Default::default() };
        for count in 0..=OVERLAYS.len() {
            versions.make(count, true)?;
        }
        Ok(versions)
    }

    /// The document of a version, or `None` for versions before [`BASE`].
    pub(crate) fn at(&self, version: &str) -> Option<&Document> {
        let date = version.get(..BASE.len()).filter(|date| *date >= BASE)?;
        let count = OVERLAYS.iter().filter(|(since, _)| date >= *since).count();
        let preview = version.ends_with(".preview");
        let made = &self.made[2 * count + usize::from(preview)];
        // `of` has applied all overlays without an error, so the fallback is never used.
        Some(made.get_or_init(|| self.make(count, preview).unwrap_or_else(|_| self.base.clone())))
    }

    fn make(&self, count: usize, preview: bool) -> Result<Document, Failure> {
        let mut document = self.base.clone();
        let dated = OVERLAYS.iter().take(count).map(|(_, overlay)| *overlay);
        for overlay in [AT_BASE].into_iter().chain(dated) {
            lay_over(&mut document, overlay)?;
        }
        let newest = count.checked_sub(1).map_or(BASE, |place| OVERLAYS[place].0);
        for (_, calls) in versions::changes().filter(|(name, _)| date(name) <= newest) {
            for (call, change) in calls {
                document.change_parameters(call, |form| change_hash(form, &change));
            }
        }
        if preview {
            lay_over(&mut document, PREVIEW)?;
        }
        Ok(document)
    }
}

/// Applies every change of a file.
pub(crate) fn lay_over(document: &mut Document, overlay: &str) -> Result<(), Failure> {
    for line in overlay.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (change, source) = line.rsplit_once(" | ").unwrap_or((line, ""));
        if source.trim().is_empty() {
            return Err(format!("a line of an overlay has no source: {line}"));
        }
        make(document, change.trim())
            .map_err(|why| format!("{why} in a line of an overlay: {line}"))?;
    }
    Ok(())
}

fn make(document: &mut Document, change: &str) -> Result<(), Failure> {
    let (verb, rest) = change.split_once(' ').unwrap_or((change, ""));
    match verb {
        "key" => {
            let (path, rest) = word(rest)?;
            let (need, schema) = word(rest)?;
            let (holder, key) = holder_of(document, path)?;
            holder["properties"][key] = read(schema)?;
            if need == "required" {
                push_once(&mut holder["required"], key);
            }
        }
        "without" => {
            let (holder, key) = holder_of(document, rest)?;
            forget(holder, key)?;
        }
        "words" => {
            let (path, words) = word(rest)?;
            let (holder, key) = holder_of(document, path)?;
            let (key, is_list) = key.strip_suffix("[]").map_or((key, false), |key| (key, true));
            let mut schema = &mut holder["properties"][key];
            if is_list {
                schema = &mut schema["items"];
            }
            words.split(' ').for_each(|word| push_once(&mut schema["enum"], word));
        }
        "object" => {
            let (name, schema) = word(rest)?;
            document.schemas.insert(name.to_owned(), read(schema)?);
        }
        "call" => {
            let (method, rest) = word(rest)?;
            let (path, schema) = word(rest)?;
            document.add_call(&format!("{method} {path}"), &read(schema)?);
        }
        "takes" => {
            let (method, rest) = word(rest)?;
            let (path, rest) = word(rest)?;
            let (name, schema) = word(rest)?;
            let call = format!("{method} {path}");
            let form = document.call_form(&call).ok_or("there is no such call")?;
            form["properties"][name] = read(schema)?;
        }
        _ => return Err("an unknown word".to_owned()),
    }
    Ok(())
}

/// The date of a version.
fn date(version: &str) -> &str {
    version.get(..BASE.len()).unwrap_or(version)
}

/// Changes the members of a form or of a hash in it by a table of [`wire::schema::versions`].
fn change_hash(form: &mut Value, change: &Schema) {
    let Schema::Hash(members) = change else { return };
    for member in members {
        let name = member.name.trim_start_matches(['-', '~']);
        match member.name.as_bytes().first() {
            // A release of the SDK may declare less than the document.
            Some(b'-') => forget(form, name).unwrap_or_default(),
            Some(b'~') => {
                if let Some(older) = form["properties"].get_mut(name) {
                    change_items(older, &member.schema);
                }
            }
            _ => form["properties"][name] = described(&member.schema),
        }
        if let Some(required) = form.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|known| known != name);
        }
        if member.required {
            push_once(&mut form["required"], name);
        }
    }
}

/// Changes a hash, or the hashes of a list, among the types of a parameter.
fn change_items(schema: &mut Value, change: &Schema) {
    if let Some(options) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        for option in options {
            change_items(option, change);
        }
        return;
    }
    match change {
        Schema::List(item) if schema["type"] == "array" => change_items(&mut schema["items"], item),
        Schema::Hash(_) if schema["properties"].is_object() => change_hash(schema, change),
        _ => {}
    }
}

/// Describes a type as the document does.
fn described(schema: &Schema) -> Value {
    match schema {
        Schema::Text(_) | Schema::Decimal | Schema::Currency => json!({"type": "string"}),
        Schema::Integer => json!({"type": "integer"}),
        Schema::Boolean => json!({"type": "boolean"}),
        Schema::Word(words) => json!({"type": "string", "enum": words}),
        Schema::List(item) => json!({"type": "array", "items": described(item)}),
        Schema::Map(value) => json!({"type": "object", "additionalProperties": described(value)}),
        Schema::Either(options) => {
            json!({"anyOf": options.iter().map(described).collect::<Vec<_>>()})
        }
        Schema::Hash(_) => {
            let mut hash = json!({"type": "object", "properties": {}});
            change_hash(&mut hash, schema);
            hash
        }
    }
}

/// The first word and the rest.
fn word(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once(' ').ok_or_else(|| "a word is missing".to_owned())
}

fn read(schema: &str) -> Result<Value, Failure> {
    serde_json::from_str(schema).map_err(|error| error.to_string())
}

/// The schema that declares the last key of a path, with that key.
fn holder_of<'a, 'p>(
    document: &'a mut Document,
    path: &'p str,
) -> Result<(&'a mut Value, &'p str), Failure> {
    // Names of objects contain dots too, so the longest known name is taken.
    let mut dots = path.match_indices('.').map(|(at, _)| at);
    let at = dots.rfind(|at| document.schemas.contains_key(&path[..*at]));
    let (object, rest) = path.split_at(at.ok_or("there is no such object")?);
    let mut holder = document.schemas.get_mut(object).ok_or("there is no such object")?;
    let mut keys: Vec<&str> = rest[1..].split('.').collect();
    let last = keys.pop().unwrap_or_default();
    for key in keys {
        let (key, is_list) = key.strip_suffix("[]").map_or((key, false), |key| (key, true));
        holder = find(&mut holder["properties"], key)?;
        if is_list {
            holder = &mut holder["items"];
        }
        // Of several types, the hash is taken.
        if holder["anyOf"].is_array() {
            let options = holder["anyOf"].as_array_mut().into_iter().flatten();
            let mut hashes = options.filter(|option| option["properties"].is_object());
            holder = hashes.next().ok_or("there is no hash")?;
        }
        if holder["$ref"].is_string() {
            return Err("the path leads into another object".to_owned());
        }
    }
    Ok((holder, last))
}

fn find<'a>(keys: &'a mut Value, key: &str) -> Result<&'a mut Value, Failure> {
    keys.get_mut(key).ok_or_else(|| "there is no such key".to_owned())
}

fn push_once(words: &mut Value, word: &str) {
    if !words.is_array() {
        *words = json!([]);
    }
    if let Some(words) = words.as_array_mut()
        && !words.iter().any(|known| known == word)
    {
        words.push(word.into());
    }
}

/// Removes a key, also from the required keys.
fn forget(holder: &mut Value, key: &str) -> Result<(), Failure> {
    let gone = holder["properties"].as_object_mut().and_then(|keys| keys.remove(key));
    if let Some(required) = holder.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != key);
    }
    gone.map(drop).ok_or_else(|| "there is no such key".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::schema::Member;

    fn document() -> Document {
        let pet = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string"},
            "state": {"type": "object", "properties": {"word": {"type": "string", "enum": ["a"]}}},
            "parts": {"type": "array", "items": {"type": "object", "properties": {}}},
        }});
        let form = json!({"properties": {"name": {"type": "string"}}});
        Document::of(json!({
            "paths": {"/v1/pets": {"post": {"requestBody": {"content": {
                "application/x-www-form-urlencoded": {"schema": form}}}}}},
            "components": {"schemas": {"zoo.pet": pet}},
        }))
        .unwrap()
    }

    /// Keys, words, objects and parameters are added and removed.
    #[test]
    fn lines_are_laid_over() {
        let mut document = document();
        let lines = "\
# A comment
key zoo.pet.age required {\"type\":\"integer\"} | a source
key zoo.pet.parts[].size optional {\"type\":\"integer\"} | a source
words zoo.pet.state.word b c | a source
without zoo.pet.id | a source
object cage {\"type\":\"object\"} | a source
takes POST /v1/pets age {\"type\":\"integer\"} | a source
";
        lay_over(&mut document, lines).unwrap();
        let pet = &document.schemas["zoo.pet"];
        assert_eq!(pet["required"], json!(["age"]));
        assert_eq!(pet["properties"]["parts"]["items"]["properties"]["size"]["type"], "integer");
        assert_eq!(
            pet["properties"]["state"]["properties"]["word"]["enum"],
            json!(["a", "b", "c"])
        );
        assert!(document.schemas.contains_key("cage"));
        let form = document.parameters("POST /v1/pets");
        let types = json!({"age": {"type": "integer"}, "name": {"type": "string"}});
        assert_eq!(form["properties"], types);
    }

    /// Parameters are added, replaced, changed inside their hash and removed.
    #[test]
    fn parameters_change_by_a_table() {
        let text = || Schema::Text(100);
        let member = |name, required, schema| Member { name, required, unsettable: false, schema };
        let mut form = json!({
            "required": ["kind"],
            "properties": {
                "kind": {"type": "string"},
                "name": {"type": "string"},
                "parts": {"anyOf": [{"type": "string", "enum": [""]}, {"type": "array", "items": {
                    "type": "object", "properties": {"label": {"type": "string"}}}}]},
            },
        });
        let part = Schema::Hash(vec![member("size", true, Schema::Integer)]);
        let change = Schema::Hash(vec![
            member("kind", false, Schema::Word(vec!["flat"])),
            member("-name", false, text()),
            member("~parts", false, Schema::List(Box::new(part))),
            member("~missing", false, Schema::Hash(Vec::new())),
            member("note", false, text()),
        ]);
        change_hash(&mut form, &change);
        let items = json!({"type": "object", "required": ["size"], "properties": {
            "label": {"type": "string"}, "size": {"type": "integer"}}});
        assert_eq!(form["required"], json!([]));
        assert_eq!(form["properties"]["kind"], json!({"type": "string", "enum": ["flat"]}));
        assert_eq!(form["properties"]["note"], json!({"type": "string"}));
        assert_eq!(form["properties"]["parts"]["anyOf"][1]["items"], items);
        assert_eq!(form["properties"].as_object().unwrap().len(), 3);
    }

    /// A line without a source and a change of a missing key are rejected.
    #[test]
    fn bad_lines_are_rejected() {
        for line in [
            "without zoo.pet.id",
            "without zoo.pet.name | a source",
            "without zoo.dog.id | a source",
            "takes POST /v1/dogs name {} | a source",
            "moves zoo.pet.id | a source",
        ] {
            assert!(lay_over(&mut document(), line).is_err(), "{line}");
        }
    }

    /// The overlays are in the order of their dates.
    #[test]
    fn overlays_are_in_order() {
        assert!(OVERLAYS.is_sorted_by(|earlier, later| earlier.0 < later.0));
        assert!(OVERLAYS.iter().all(|(since, _)| *since > BASE));
    }
}
