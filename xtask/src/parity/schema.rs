//! Compares a value with its schema. Every required key must be present, every key must be declared,
//! and every value must have a declared type. If words are declared, the value must be one of them.
//!
//! A fault names the key by the object that declares it (`payment_intent.next_action.type`), so that
//! it is the same for each response that contains the object.

use super::document::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The results of checking responses.
#[derive(Default)]
pub(crate) struct Findings {
    /// The faults, each with its number and its first place.
    pub(crate) faults: BTreeMap<String, (u32, String)>,
    /// The objects in responses, each with the keys that had a value.
    pub(crate) objects: BTreeMap<String, BTreeSet<String>>,
    /// The number of checked values.
    pub(crate) values: u64,
}

impl Findings {
    /// Adds a fault.
    pub(crate) fn fault(&mut self, fault: String, place: &str) {
        self.faults.entry(fault).or_insert_with(|| (0, place.to_owned())).0 += 1;
    }

    /// Adds the results of another check.
    fn join(&mut self, other: Self) {
        for (fault, (count, place)) in other.faults {
            self.faults.entry(fault).or_insert((0, place)).0 += count;
        }
        for (object, keys) in other.objects {
            self.objects.entry(object).or_default().extend(keys);
        }
        self.values += other.values;
    }
}

/// The check of one response.
pub(crate) struct Check<'a, 'f> {
    pub(crate) document: &'a Document,
    /// Finds the document of another version, because each event has a version of its own.
    pub(crate) at: &'a dyn Fn(&str) -> Option<&'a Document>,
    pub(crate) findings: &'f mut Findings,
    /// The call that returned the response.
    pub(crate) place: &'f str,
}

impl Check<'_, '_> {
    /// Compares a value with a schema. `path` names the value in faults.
    pub(crate) fn value(&mut self, value: &Value, schema: &Value, path: &str) {
        let (schema, name) = self.document.resolve(schema);
        let path = name.unwrap_or(path);
        self.findings.values += 1;
        if value.is_null() {
            if schema["nullable"] != true {
                self.fault(path, "is null");
            }
            return;
        }
        if let Some(options) = schema["anyOf"].as_array() {
            return self.any_of(value, options, path);
        }
        match (schema["type"].as_str(), value) {
            (Some("object"), Value::Object(_)) => self.object(value, schema, path),
            (Some("array"), Value::Array(items)) => {
                for item in items {
                    self.value(item, &schema["items"], &format!("{path}[]"));
                }
            }
            (Some("string"), Value::String(text)) => self.word(text, schema, path),
            (Some("boolean"), Value::Bool(_)) | (Some("number"), Value::Number(_)) => {}
            (Some("integer"), Value::Number(number)) if number.is_i64() || number.is_u64() => {}
            (None, _) => self.fault(path, "has no description"),
            (Some(kind), _) => self.fault(path, &format!("is {} and not {kind}", kind_of(value))),
        }
    }

    fn fault(&mut self, path: &str, what: &str) {
        self.findings.fault(format!("{path} {what}"), self.place);
    }

    fn word(&mut self, text: &str, schema: &Value, path: &str) {
        if let Some(words) = schema["enum"].as_array()
            && !words.iter().any(|word| word == text)
        {
            self.fault(path, &format!("is {text:?}, which is not one of its words"));
        }
    }

    /// Compares a value with the alternative that has the fewest faults. For an object, only
    /// alternatives with its name are compared.
    fn any_of(&mut self, value: &Value, options: &[Value], path: &str) {
        let name = value["object"].as_str();
        let named = |option: &&Value| {
            let (schema, _) = self.document.resolve(option);
            let words = schema["properties"]["object"]["enum"].as_array();
            words.is_some_and(|words| words.iter().any(|word| word.as_str() == name))
        };
        let same: Vec<&Value> = options.iter().filter(|_| name.is_some()).filter(named).collect();
        let options = if same.is_empty() { options.iter().collect() } else { same };
        let mut best: Option<Findings> = None;
        for option in options {
            let mut findings = Findings::default();
            let mut check = Check {
                document: self.document,
                at: self.at,
                findings: &mut findings,
                place: self.place,
            };
            check.value(value, option, path);
            if best.as_ref().is_none_or(|best| findings.faults.len() < best.faults.len()) {
                best = Some(findings);
            }
        }
        if let Some(best) = best {
            self.findings.join(best);
        }
    }

    fn object(&mut self, value: &Value, schema: &Value, path: &str) {
        let document = self.document;
        if value["object"] == "event"
            && let Some(document) = value["api_version"].as_str().and_then(self.at)
        {
            self.document = document;
        }
        if value["object"] == "event" && value["type"] == "invoice.upcoming" {
            let event = self.with_invoice_id(value, path);
            self.members(&event, schema, path);
        } else {
            self.members(value, schema, path);
        }
        self.document = document;
    }

    /// Adds an id to the invoice of an event `invoice.upcoming`. The document requires the id of every
    /// invoice, but its description of this event says that its invoice has none.
    fn with_invoice_id(&mut self, event: &Value, path: &str) -> Value {
        let mut event = event.clone();
        if event["data"]["object"]["id"].is_null() {
            event["data"]["object"]["id"] = "in_upcoming".into();
        } else {
            self.fault(&format!("{path}.data.object.id"), "is an id of an upcoming invoice");
        }
        event
    }

    fn members(&mut self, value: &Value, schema: &Value, path: &str) {
        let Some(members) = value.as_object() else { return };
        let Some(declared) = schema["properties"].as_object() else {
            return self.open(value, schema, path);
        };
        if let Some(object) = value["object"].as_str().filter(|object| *object != "list") {
            let with_value = members.iter().filter(|(_, value)| !value.is_null());
            let keys = with_value.map(|(key, _)| key.clone());
            self.findings.objects.entry(object.to_owned()).or_default().extend(keys);
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for key in &required {
            if !members.contains_key(*key) {
                self.fault(&format!("{path}.{key}"), "is required and missing");
            }
        }
        for (key, member) in members {
            let inner = format!("{path}.{key}");
            // Objects of /v2 have null for an optional key, which their schemas do not declare.
            let may_be_null = path.starts_with("v2.") && !required.contains(&key.as_str());
            match declared.get(key) {
                Some(_) if may_be_null && member.is_null() => {}
                Some(schema) => self.value(member, schema, &inner),
                None => self.fault(&inner, "is not declared"),
            }
        }
    }

    /// Checks an object without named keys. Its values have one schema or none. A value that names a
    /// known object is compared with that object.
    fn open(&mut self, value: &Value, schema: &Value, path: &str) {
        if schema["additionalProperties"].is_object() {
            for member in value.as_object().into_iter().flatten().map(|(_, member)| member) {
                self.value(member, &schema["additionalProperties"], &format!("{path}.*"));
            }
        } else {
            self.by_name(value);
        }
    }

    /// Compares a value with the object that it names, if the document has it. Each object in a list is
    /// compared.
    pub(crate) fn by_name(&mut self, value: &Value) {
        let Some(object) = value["object"].as_str() else { return };
        if object == "list" {
            value["data"].as_array().into_iter().flatten().for_each(|item| self.by_name(item));
            return;
        }
        let deleted = if value["deleted"] == true { "deleted_" } else { "" };
        let name = format!("{deleted}{object}");
        if let Some(schema) = self.document.schemas.get(&name) {
            self.value(value, schema, &name);
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Document {
        Document::of(json!({
            "paths": {"/v1/pets/{pet}": {"get": {"responses": {"200": {"content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/pet"}}}}}}}},
            "components": {"schemas": {
                "pet": {
                    "type": "object",
                    "required": ["id", "object", "name", "tags"],
                    "properties": {
                        "id": {"type": "string"},
                        "object": {"type": "string", "enum": ["pet"]},
                        "name": {"type": "string", "nullable": true},
                        "age": {"type": "integer"},
                        "kind": {"type": "string", "enum": ["cat", "dog"]},
                        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                        "owner": {"anyOf": [
                            {"type": "string"},
                            {"$ref": "#/components/schemas/owner"},
                            {"$ref": "#/components/schemas/deleted_owner"},
                        ]},
                        "past": {"type": "array", "items": {"$ref": "#/components/schemas/owner"}},
                        "any": {"type": "object"},
                    },
                },
                "owner": {
                    "type": "object",
                    "required": ["object", "name"],
                    "properties": {
                        "object": {"type": "string", "enum": ["owner"]},
                        "name": {"type": "string"},
                    },
                },
                "deleted_owner": {
                    "type": "object",
                    "required": ["object", "deleted"],
                    "properties": {
                        "object": {"type": "string", "enum": ["owner"]},
                        "deleted": {"type": "boolean"},
                    },
                },
            }},
        }))
        .unwrap()
    }

    /// The faults of a pet after a change.
    fn faults(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let document = document();
        let mut pet = json!({
            "id": "pet_1", "object": "pet", "name": null, "age": 3, "kind": "cat",
            "tags": {"a": "b"}, "owner": {"object": "owner", "deleted": true},
            "past": [{"object": "owner", "name": "Ada"}], "any": {"x": 1},
        });
        change(&mut pet);
        let mut findings = Findings::default();
        let schema = document.response("GET /v1/pets/{id}", true);
        let mut check =
            Check { document: &document, at: &|_| None, findings: &mut findings, place: "test" };
        check.value(&pet, schema, "response");
        assert!(findings.objects.contains_key("pet"));
        findings.faults.into_keys().collect()
    }

    /// Null in nullable keys, any alternative, and missing optional keys have no fault.
    #[test]
    fn valid_objects_pass() {
        assert_eq!(faults(|_| {}), [""; 0]);
        assert_eq!(faults(|pet| pet["owner"] = "own_1".into()), [""; 0]);
        assert_eq!(faults(|pet| drop(pet.as_object_mut().unwrap().remove("age"))), [""; 0]);
    }

    /// A missing required key is found, at the top and in an object of a list.
    #[test]
    fn a_missing_key_is_found() {
        let missing = |pointer: &'static str, key: &'static str| {
            faults(|pet| {
                pet.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
            })
        };
        assert_eq!(missing("", "tags"), ["pet.tags is required and missing"]);
        assert_eq!(missing("", "name"), ["pet.name is required and missing"]);
        assert_eq!(missing("/past/0", "name"), ["owner.name is required and missing"]);
    }

    /// The invoice of an event `invoice.upcoming` has no id, and one with an id is found.
    #[test]
    fn an_upcoming_invoice_has_no_id() {
        let faults = |id: Option<&str>| {
            let document = Document::of(json!({"paths": {}, "components": {"schemas": {
                "event": {"type": "object", "properties": {
                    "object": {"type": "string"}, "type": {"type": "string"},
                    "data": {"type": "object"},
                }},
            }}}))
            .unwrap();
            let mut event = json!({"object": "event", "type": "invoice.upcoming", "data": {}});
            event["data"]["object"] = id.map_or(json!({}), |id| json!({"id": id}));
            let mut findings = Findings::default();
            let mut check = Check {
                document: &document,
                at: &|_| None,
                findings: &mut findings,
                place: "test",
            };
            check.value(&event, &document.schemas["event"], "event");
            findings.faults.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(faults(None), [""; 0]);
        assert_eq!(faults(Some("in_1")), ["event.data.object.id is an id of an upcoming invoice"]);
    }

    /// An undeclared key is found at any depth.
    #[test]
    fn an_undeclared_key_is_found() {
        assert_eq!(faults(|pet| pet["colour"] = "red".into()), ["pet.colour is not declared"]);
        let deep = faults(|pet| pet["owner"]["colour"] = "red".into());
        assert_eq!(deep, ["deleted_owner.colour is not declared"]);
    }

    /// A value of another type, a null in a key that is not nullable, and an undeclared word are found.
    #[test]
    fn a_wrong_value_is_found() {
        assert_eq!(faults(|pet| pet["age"] = "3".into()), ["pet.age is a text and not integer"]);
        assert_eq!(faults(|pet| pet["age"] = 3.5.into()), ["pet.age is a number and not integer"]);
        assert_eq!(faults(|pet| pet["id"] = Value::Null), ["pet.id is null"]);
        let word = faults(|pet| pet["kind"] = "cow".into());
        assert_eq!(word, [r#"pet.kind is "cow", which is not one of its words"#]);
        assert_eq!(
            faults(|pet| pet["tags"]["a"] = 1.into()),
            ["pet.tags.* is a number and not string"]
        );
        assert_eq!(faults(|pet| pet["owner"] = 1.into()), ["pet.owner is a number and not string"]);
    }

    /// An object in a key without a schema is compared with the object that it names.
    #[test]
    fn named_objects_are_compared() {
        let found = faults(|pet| pet["any"] = json!({"object": "owner", "name": 1}));
        assert_eq!(found, ["owner.name is a number and not string"]);
    }
}
