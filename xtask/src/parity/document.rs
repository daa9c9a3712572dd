//! Stripe's description of one version of its API.
//!
//! The document describes one version. [Overlays](super::overlay) add the changes of later versions.

use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;

const FORM: &str = "application/x-www-form-urlencoded";
const NOTHING: &Value = &Value::Null;

/// A description of the API.
#[derive(Clone)]
pub(crate) struct Document {
    /// The calls by name, such as `POST /v1/customers/{id}`. Every path parameter is named `{id}`.
    calls: BTreeMap<String, Value>,
    /// The schemas of objects by name.
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

    /// True if it has this call.
    pub(crate) fn has_call(&self, call: &str) -> bool {
        self.calls.contains_key(call)
    }

    /// The schema of a call's response: with status 200 if `ok`, or else of an error.
    pub(crate) fn response(&self, call: &str, ok: bool) -> &Value {
        let responses = self.calls.get(call).map_or(NOTHING, |call| &call["responses"]);
        &responses[if ok { "200" } else { "default" }]["content"]["application/json"]["schema"]
    }

    /// The parameters of a call without those in its path, as the schema of an object.
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

    /// Changes the parameters of a call, which [`parameters`](Self::parameters) returns afterwards.
    pub(crate) fn change_parameters(&mut self, call: &str, change: impl FnOnce(&mut Value)) {
        let mut parameters = self.parameters(call);
        change(&mut parameters);
        let Some(call) = self.calls.get_mut(call) else { return };
        call["parameters"] = Value::Null;
        call["requestBody"]["content"][FORM]["schema"] = parameters;
    }

    /// The schema of a call's form, for changes by overlays.
    pub(crate) fn call_form(&mut self, call: &str) -> Option<&mut Value> {
        let call = self.calls.get_mut(call)?;
        Some(&mut call["requestBody"]["content"][FORM]["schema"])
    }

    /// Adds a call with the schema of its response.
    pub(crate) fn add_call(&mut self, call: &str, response: &Value) {
        let content = serde_json::json!({"application/json": {"schema": response}});
        let responses = serde_json::json!({"responses": {"200": {"content": content}}});
        self.calls.insert(call.to_owned(), responses);
    }

    /// A schema. If it refers to another schema, returns that one with its name.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        match schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => (self.schemas.get(name).unwrap_or(NOTHING), Some(name)),
            None => (schema, None),
        }
    }
}

/// The name of a call by method and path, with `{id}` for each path parameter.
pub(crate) fn call_name(method: &str, path: &str) -> String {
    let plain = |part: &str| if part.starts_with('{') { "{id}".into() } else { part.to_owned() };
    format!("{method} {}", path.split('/').map(plain).collect::<Vec<_>>().join("/"))
}
