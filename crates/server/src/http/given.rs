//! Reading of calls that are known by their shape: all parameters at once, of which a handler takes
//! what decides something and leaves the rest to be echoed.

use super::call::Call;
use model::given::Given;
use store::Bounds;
use wire::change;
use wire::error::Error;
use wire::params::{MetadataChange, Params, Range};
use wire::shape;

/// Reads all parameters of a call by its shape.
pub(super) fn read(params: &mut Params, call: &str) -> Result<Given, Error> {
    let shape = shape::of_call(call);
    assert!(shape.is_some(), "every call that is read by shape has a table");
    let given = shape.map_or_else(|| Ok(Given::nothing()), |shape| params.shaped(shape))?;
    params.note_dropped(call, &given);
    Ok(given)
}

/// Reads all parameters of a call by its shape as it is in the caller's version.
pub(super) fn read_versioned(call: &mut Call, name: &str) -> Result<Given, Error> {
    let version = call.version().clone();
    let given = change::read(&mut call.params, name, &version)?;
    assert!(given.is_some(), "every call that is read by shape has a table");
    Ok(given.unwrap_or_else(Given::nothing))
}

/// Takes a text out of what was given.
pub(super) fn take_text(given: &mut Given, name: &str) -> Option<String> {
    match given.take(name) {
        Some(Given::Text(text)) => Some(text),
        _ => None,
    }
}

/// Takes the change of the merchant's own keys.
pub(super) fn take_metadata(given: &mut Given) -> Option<MetadataChange> {
    match given.take("metadata")? {
        Given::Hash(members) => {
            let keys = members.into_iter().map(|(key, value)| {
                let value = match value {
                    Given::Text(text) => Some(text),
                    _ => None,
                };
                (key, value)
            });
            Some(MetadataChange { clear: false, keys: keys.collect() })
        }
        _ => Some(MetadataChange { clear: true, ..MetadataChange::default() }),
    }
}

/// Takes the bounds of when the objects of a list were made.
pub(super) fn take_created(params: &mut Params) -> Result<Bounds, Error> {
    let Range { from, to } = params.range("created")?.unwrap_or_default();
    Ok(Bounds { from, to })
}

/// Takes a boolean out of what was given.
pub(super) fn take_boolean(given: &mut Given, name: &str) -> Option<bool> {
    match given.take(name) {
        Some(Given::Boolean(value)) => Some(value),
        _ => None,
    }
}

/// Takes an integer out of what was given.
pub(super) fn take_integer(given: &mut Given, name: &str) -> Option<i64> {
    match given.take(name) {
        Some(Given::Integer(number)) => Some(number),
        _ => None,
    }
}
