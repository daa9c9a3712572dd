//! Errors of parameters.

use super::{Error, shown};
use model::limits::METADATA_KEYS_MAX;

impl Error {
    /// A required parameter is missing.
    pub fn missing_param(path: &str) -> Self {
        Self::invalid(format!("Missing required parameter: {path}."))
            .code("parameter_missing")
            .param(path)
    }

    /// Neither parameter that names a carrier of a link is there.
    pub fn missing_carrier() -> Self {
        let message = "Missing required parameter: client_secret or carrier.".to_owned();
        Self { message, ..Self::missing_param("client_secret") }
    }

    /// Parameters are unknown. `paths` are their full paths, and `nearest` is the known name most
    /// similar to the first.
    pub fn unknown_params(paths: &[String], nearest: Option<&str>) -> Self {
        let mut message = match paths {
            [one] => format!("Received unknown parameter: {}", shown(one)),
            many => format!("Received unknown parameters: {}", shown(&many.join(", "))),
        };
        if let Some(nearest) = nearest {
            message.push_str(". Did you mean ");
            message.push_str(nearest);
            message.push('?');
        }
        let error = Self::invalid(message).code("parameter_unknown");
        match paths.first() {
            Some(first) => error.param(shown(first)),
            None => error,
        }
    }

    /// A value is not an integer.
    pub fn bad_integer(path: &str, text: &str) -> Self {
        Self::invalid(format!("Invalid integer: {}", shown(text)))
            .code("parameter_invalid_integer")
            .param(path)
    }

    /// An integer is outside its inclusive bounds.
    pub fn integer_out_of_range(path: &str, least: i64, most: i64) -> Self {
        Self::invalid(format!("Invalid integer: {path} must be between {least} and {most}"))
            .code("parameter_invalid_integer")
            .param(path)
    }

    /// An empty string was sent for a parameter that cannot be unset.
    pub fn empty(path: &str) -> Self {
        Self::invalid(format!("{path} is an empty string. Send a value, or leave it out."))
            .code("parameter_invalid_empty")
            .param(path)
    }

    /// A URL has a user name or a password.
    pub fn url_with_credentials(path: &str) -> Self {
        Self::invalid("Invalid URL: it must not have a user name or a password.")
            .code("url_invalid")
            .param(path)
    }

    /// A word is not one of the accepted words.
    pub fn bad_choice(path: &str, words: &[&str]) -> Self {
        Self::invalid(format!("Invalid {path}: must be {}", one_of(words))).param(path)
    }

    /// A value has the wrong type. `wanted` is `string`, `array`, `object` or `boolean`. Without a
    /// text the value is a hash or a list.
    pub fn bad_shape(path: &str, wanted: &str, text: Option<&str>) -> Self {
        let message = match text {
            Some(text) => format!("Invalid {wanted}: {}", shown(text)),
            None => format!("Invalid {wanted}: {path} must be {}", form_of(wanted)),
        };
        Self::invalid(message).param(path)
    }

    /// A text has too many characters.
    pub fn too_long(path: &str, chars_max: usize) -> Self {
        Self::invalid(format!("Invalid string: {path} may have at most {chars_max} characters"))
            .param(path)
    }

    /// An object would have too many metadata keys.
    pub fn too_many_metadata_keys(path: &str) -> Self {
        let message = format!("An object may have at most {METADATA_KEYS_MAX} metadata keys.");
        Self::invalid(message).param(path)
    }

    /// Several parameters were sent of which only one is accepted.
    pub fn exclusive(paths: &[impl AsRef<str>]) -> Self {
        let names: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        let error = Self::invalid(format!(
            "You may give only one of these parameters: {}.",
            names.join(", ")
        ))
        .code("parameters_exclusive");
        match names.first() {
            Some(first) => error.param(*first),
            None => error,
        }
    }
}

/// The form of a value in words, for a caller who sent a hash or a list.
fn form_of(wanted: &str) -> &'static str {
    match wanted {
        "array" => "a list, not a hash",
        "object" => "a hash, not a list",
        "boolean" => "true or false, not a hash or a list",
        "integer" => "an integer, not a hash or a list",
        "decimal" => "a decimal number, not a hash or a list",
        "value" => "a single value, not a hash or a list",
        _ => "a string, not a hash or a list",
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "left out".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("one of {one} or {two}"),
        [first @ .., last] => format!("one of {}, or {last}", first.join(", ")),
    }
}
