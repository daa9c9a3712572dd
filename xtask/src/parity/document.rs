//! Stripe's description of its API, as one version of the API has it.
//!
//! The document is of one version; [overlays](super::overlay) lay what later ones changed over it.

use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;

const FORM: &str = "application/x-www-form-urlencoded";
const NOTHING: &Value = &Value::Null;

/// A description of the API.
#[derive(Clone)]
pub(crate) struct Document {
    /// The calls, as `POST /v1/customers/{id}`: every open part of a path is called `{id}`.
    calls: BTreeMap<String, Value>,
    /// What objects look like, by name.
    pub(crate) schemas: BTreeMap<String, Value>,
}

impl Document {
    /// Reads an OpenAPI document.
    pub(crate) fn of(mut root: Value) -> Result<Self, Failure> {
        let Value::Object(schemas) = root["components"]["schemas"].take() else {
            return Err("the OpenAPI document has no schemas".to_owned());
        };
        let Value::Object(paths) = root["paths"].take() else {
            return Err("the OpenAPI document has no paths".to_owned());
        };
        let mut calls = BTreeMap::new();
        for (path, mut methods) in paths {
            for method in ["get", "post", "delete"] {
                if let Some(call) = methods.get_mut(method) {
                    calls.insert(call_name(&method.to_uppercase(), &path), call.take());
                }
            }
        }
        Ok(Self { calls, schemas: schemas.into_iter().collect() })
    }

    /// The names of all calls.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &str> {
        self.calls.keys().map(String::as_str)
    }

    /// Whether it has a call.
    pub(crate) fn has_call(&self, call: &str) -> bool {
        self.calls.contains_key(call)
    }

    /// What a call answers with status 200, or else with an error.
    pub(crate) fn answer(&self, call: &str, ok: bool) -> &Value {
        let answers = self.calls.get(call).map_or(NOTHING, |call| &call["responses"]);
        &answers[if ok { "200" } else { "default" }]["content"]["application/json"]["schema"]
    }

    /// The parameters of a call beside those in its path, as a schema of an object.
    pub(crate) fn parameters(&self, call: &str) -> Value {
        let Some(call) = self.calls.get(call) else { return Value::Null };
        let mut schema = call["requestBody"]["content"][FORM]["schema"].clone();
        if !schema.is_object() {
            schema = serde_json::json!({"type": "object"});
        }
        for parameter in call["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query"
                && let Some(name) = parameter["name"].as_str()
            {
                schema["properties"][name] = parameter["schema"].clone();
                if parameter["required"] == true {
                    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
                    required.push(name.into());
                    schema["required"] = Value::Array(required);
                }
            }
        }
        schema
    }

    /// The part of a call that a change of its parameters goes to.
    pub(crate) fn call_form(&mut self, call: &str) -> Option<&mut Value> {
        let call = self.calls.get_mut(call)?;
        Some(&mut call["requestBody"]["content"][FORM]["schema"])
    }

    /// A schema, where it names another one that one, and the name.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => (self.schemas.get(name).unwrap_or(NOTHING), Some(name)),
            None => (schema, None),
        }
    }
}

/// A call by method and path, whatever the open parts of the path are called.
pub(crate) fn call_name(method: &str, path: &str) -> String {
    let plain = |part: &str| if part.starts_with('{') { "{id}".into() } else { part.to_owned() };
    format!("{method} {}", path.split('/').map(plain).collect::<Vec<_>>().join("/"))
}
