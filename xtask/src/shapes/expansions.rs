//! Writes `crates/wire/src/schema/expansions.txt`: the fields that Stripe declares as expandable, for
//! the kinds of objects that responses contain and all kinds that those lead to.
//!
//! The document marks an id that an object can replace with `x-expansionResources`. A field that
//! exists only when it is expanded is among the `x-expandableFields` of its object and is neither
//! required nor nullable. Plain hashes have the same marks, so a hash that exists only when it is
//! expanded is named in [`INCLUDED_HASHES`]. `wire::expand` describes the lines of the table.

use crate::Failure;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

/// The kinds of objects that responses of the server contain. Others follow from them.
const SERVED: [&str; 29] = [
    "account",
    "bank_account",
    "charge",
    "checkout.session",
    "confirmation_token",
    "credit_note",
    "customer",
    "dispute",
    "financial_connections.account",
    "financial_connections.session",
    "invoice",
    "invoice_payment",
    "invoiceitem",
    "item",
    "line_item",
    "mandate",
    "payment_intent",
    "payment_method",
    "plan",
    "price",
    "product",
    "product_feature",
    "radar.early_fraud_warning",
    "refund",
    "setup_intent",
    "subscription",
    "subscription_item",
    "tax_rate",
    "token",
];

/// Hashes that exist only when they are expanded, by Stripe's reference: the kind and the path.
const INCLUDED_HASHES: [(&str, &str); 4] = [
    ("checkout.session", "total_details.breakdown"),
    ("customer", "cash_balance"),
    ("customer", "tax"),
    ("invoice", "confirmation_secret"),
];

/// Returns the table. `before` is the table that it replaces. Its lines with versions are from the
/// types of other versions and not from the document, so they are in the new table too. They replace
/// the document's lines of the same path.
pub(super) fn table(document: &Value, before: &str) -> Result<String, Failure> {
    let kinds = read_kinds(document, &SERVED)?;
    for (kind, path) in INCLUDED_HASHES {
        if !kinds.get(kind).is_some_and(|fields| fields.contains_key(path)) {
            return Err(format!("the document has no {path} in {kind}"));
        }
    }
    Ok(written(&kinds, before))
}

/// The fields of each kind, by path.
type Kinds = BTreeMap<String, BTreeMap<String, Field>>;

/// Reads kinds, and those that their fields lead to.
fn read_kinds(document: &Value, served: &[&str]) -> Result<Kinds, Failure> {
    let schemas = &document["components"]["schemas"];
    let mut kinds = Kinds::new();
    let mut waiting: VecDeque<String> = served.iter().map(|kind| (*kind).to_owned()).collect();
    while let Some(kind) = waiting.pop_front() {
        if kinds.contains_key(&kind) {
            continue;
        }
        if !schemas[&kind].is_object() {
            return Err(format!("the document has no object {kind}"));
        }
        let mut reader = Reader { schemas, kind: &kind, fields: BTreeMap::new() };
        reader.read(&schemas[&kind], "", &[kind.as_str()]);
        let fields = reader.fields;
        waiting.extend(fields.values().flat_map(|field| field.kinds.clone()));
        kinds.insert(kind, fields);
    }
    Ok(kinds)
}

/// Writes the kinds, with the lines of `before` that have versions.
fn written(kinds: &Kinds, before: &str) -> String {
    let mut lines: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    let mut kind = "";
    for line in before.lines() {
        match line.strip_prefix(' ') {
            Some(field) if field.contains(" since ") || field.contains(" until ") => {
                let path = field.split(' ').next().unwrap_or_default();
                let paths = lines.entry(kind).or_default();
                paths.entry(path).or_default().push(field.to_owned());
            }
            Some(_) => {}
            None => kind = line,
        }
    }
    for (kind, fields) in kinds {
        for (path, Field { mark, kinds }) in fields {
            let kinds = if kinds.is_empty() { "-".to_owned() } else { kinds.join("|") };
            let paths = lines.entry(kind).or_default();
            paths.entry(path).or_insert_with(|| vec![format!("{path} {mark} {kinds}")]);
        }
    }
    let mut table = String::new();
    for (kind, paths) in lines {
        let _ = writeln!(table, "{kind}");
        for line in paths.values().flatten() {
            let _ = writeln!(table, " {line}");
        }
    }
    table
}

/// A line of the table.
struct Field {
    mark: &'static str,
    kinds: Vec<String>,
}

/// The reader of one kind.
struct Reader<'a> {
    schemas: &'a Value,
    kind: &'a str,
    fields: BTreeMap<String, Field>,
}

impl<'a> Reader<'a> {
    /// Reads the members of an object or of a hash in it. `within` are the schemas around them.
    fn read(&mut self, schema: &'a Value, path: &str, within: &[&str]) {
        let schemas = self.schemas;
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let mut inner = member;
            while inner["type"] == "array" {
                inner = &inner["items"];
            }
            let resources = [member, inner].map(|schema| &schema["x-expansionResources"]["oneOf"]);
            if let Some(resources) = resources.iter().find_map(|list| list.as_array()) {
                let kinds = resources.iter().filter_map(|resource| named(resource));
                self.add(place, "id", kinds.collect());
                continue;
            }
            let named: Vec<&str> = alternatives(inner).into_iter().filter_map(named).collect();
            let (kinds, hashes): (Vec<&str>, Vec<&str>) =
                named.into_iter().partition(|name| self.is_kind(name));
            if self.is_included(schema, name, &place) {
                self.add(place.clone(), "included", kinds);
            } else if !kinds.is_empty() {
                self.add(place.clone(), "object", kinds);
            }
            for hash in hashes.into_iter().filter(|hash| !within.contains(hash)) {
                let mut deeper = within.to_vec();
                deeper.push(hash);
                self.read(&schemas[hash], &place, &deeper);
            }
            for hash in alternatives(inner) {
                self.read(hash, &place, within);
            }
        }
    }

    fn add(&mut self, place: String, mark: &'static str, kinds: Vec<&str>) {
        let field = self.fields.entry(place).or_insert(Field { mark, kinds: Vec::new() });
        assert_eq!(field.mark, mark, "the alternatives of a hash have equal members");
        // An object shows the stub of a deleted one by its own kind.
        for kind in kinds.into_iter().filter(|kind| !kind.starts_with("deleted_")) {
            if !field.kinds.iter().any(|known| known == kind) {
                field.kinds.push(kind.to_owned());
            }
        }
    }

    /// True if a field exists only when it is expanded.
    fn is_included(&self, schema: &Value, name: &str, place: &str) -> bool {
        let member = &schema["properties"][name];
        let has = |list: &str| {
            schema[list].as_array().is_some_and(|names| names.iter().any(|it| it == name))
        };
        let is_list = member["properties"]["has_more"].is_object();
        let is_open = member["type"] == "array" || member["additionalProperties"].is_object();
        let is_own = place == name;
        INCLUDED_HASHES.contains(&(self.kind, place))
            || has("x-expandableFields")
                && !has("required")
                && (is_list || is_own && is_open && member["nullable"] != true)
    }

    fn is_kind(&self, schema: &str) -> bool {
        self.schemas[schema]["x-resourceId"].is_string()
    }
}

/// The alternatives of a type.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let any = schema["anyOf"].as_array();
    any.map_or_else(|| vec![schema], |alternatives| alternatives.iter().collect())
}

/// The name of a schema that a type refers to.
fn named(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        let id_of = |kind: &str| {
            let resources = json!({"oneOf": [{"$ref": format!("#/components/schemas/{kind}")}]});
            json!({"anyOf": [{"type": "string"}], "x-expansionResources": resources})
        };
        let list = json!({"properties": {
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/b"}},
            "has_more": {"type": "boolean"},
        }});
        let hash = json!({"properties": {"b": id_of("b")}});
        json!({"components": {"schemas": {
            "a": {
                "properties": {
                    "always": list.clone(),
                    "hash": {"$ref": "#/components/schemas/hash"},
                    "ids": {"type": "array", "items": id_of("b")},
                    "left_out": list,
                },
                "required": ["always"],
                "x-expandableFields": ["always", "hash", "ids", "left_out"],
                "x-resourceId": "a",
            },
            "b": {"properties": {"a": id_of("a")}, "x-resourceId": "b"},
            "hash": hash,
        }}})
    }

    /// Ids in hashes and in arrays, complete lists and lists that are left out are read.
    #[test]
    fn reads_every_form_of_a_field() {
        let kinds = read_kinds(&document(), &["a"]).unwrap();
        let table = "a\n always.data object b\n hash.b id b\n ids id b\n left_out included -\n \
                     left_out.data object b\nb\n a id a\n";
        assert_eq!(written(&kinds, ""), table);
        assert!(read_kinds(&document(), &["c"]).is_err());
    }

    /// A line with versions stays, in place of the document's line of the same path.
    #[test]
    fn lines_of_other_versions_stay() {
        let kinds = read_kinds(&document(), &["b"]).unwrap();
        let before = "b\n a id a since 2025-03-31\n gone id a\n old id a until 2025-03-31\n";
        let table = written(&kinds, before);
        let of_b = table.split_once("b\n a id a since").unwrap().1;
        assert_eq!(of_b, " 2025-03-31\n old id a until 2025-03-31\n");
    }
}
