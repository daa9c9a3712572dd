//! The fields of stored objects that only the laboratory reads, to and from its own types.

use engine::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads the fields of a stored object. Fails if they are not of this type, as for a row that a
/// later release wrote.
pub(crate) fn read_fields<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Error> {
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| Error::Store(store::Error::Internal(Box::new(error))))
}

/// The fields of an object to store.
pub(crate) fn fields_of(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("a struct of texts and numbers becomes a JSON object: {other:?}"),
    }
}
