//! Reading of calls that have a schema. All parameters are read at once. A handler takes those that
//! it uses and leaves the rest to be echoed.

use super::call::Call;
use super::payments::payment_method::other_type;
use super::texts::check_credentials;
use model::extra_params::ExtraParams;
use store::Bounds;
use wire::change;
use wire::error::Error;
use wire::params::{MetadataChange, Params, Range};

/// Reads all parameters of a call by its schema in the caller's version.
pub(super) fn read(call: &mut Call, name: &str) -> Result<ExtraParams, Error> {
    let version = call.version().clone();
    let params = change::read(&mut call.params, name, &version).map_err(with_own_type)?;
    assert!(params.is_some(), "every call that is read by schema has a table");
    let params = params.unwrap_or_else(ExtraParams::empty);
    check_credentials(&params)?;
    Ok(params)
}

/// The same error, except for the type of a new payment method. Stripe's list of types is long, and
/// this server has one of them.
fn with_own_type(error: Error) -> Error {
    match &error.param {
        Some(param) if param == "payment_method_data[type]" => other_type(param),
        _ => error,
    }
}

/// Takes a text from the params.
pub(super) fn take_text(params: &mut ExtraParams, name: &str) -> Option<String> {
    match params.take(name) {
        Some(ExtraParams::Text(text)) => Some(text),
        _ => None,
    }
}

/// Takes the change of the merchant's metadata.
pub(super) fn take_metadata(params: &mut ExtraParams) -> Option<MetadataChange> {
    match params.take("metadata")? {
        ExtraParams::Hash(members) => {
            let keys = members.into_iter().map(|(key, value)| {
                let value = match value {
                    ExtraParams::Text(text) => Some(text),
                    _ => None,
                };
                (key, value)
            });
            Some(MetadataChange { clear: false, keys: keys.collect() })
        }
        _ => Some(MetadataChange { clear: true, ..MetadataChange::default() }),
    }
}

/// Takes the bounds of the creation time of listed objects.
pub(super) fn take_created(params: &mut Params) -> Result<Bounds, Error> {
    let Range { from, to } = params.range("created")?.unwrap_or_default();
    Ok(Bounds { from, to })
}

/// Takes a boolean from the params.
pub(super) fn take_boolean(params: &mut ExtraParams, name: &str) -> Option<bool> {
    match params.take(name) {
        Some(ExtraParams::Boolean(value)) => Some(value),
        _ => None,
    }
}

/// Takes an integer from the params.
pub(super) fn take_integer(params: &mut ExtraParams, name: &str) -> Option<i64> {
    match params.take(name) {
        Some(ExtraParams::Integer(number)) => Some(number),
        _ => None,
    }
}
