//! The changes between API versions, one module each, relative to the version of the parameter
//! [`schemas`](crate::schema).
//!
//! A request is read by the schema of its version. A payment object is rendered with the keys of all
//! versions, and [`fit()`] removes those that the reader's version lacks. Objects that are written
//! without an intermediate value
//! ([`render::account`](crate::render::connections::account),
//! [`render::session`](crate::render::connections::session)), and calls that are read by hand,
//! check if a version [`has`](Version::has) a change.
//!
//! To add a change, write a module with its `CHANGE`, add it to [`CHANGES`], newest first, and add
//! a row to `docs/versions.md`.

mod account_numbers;
mod credit_accounts;
mod deactivation_foreseen;
mod equal_defaults;
mod feedback_option;
mod fit;
mod hosted_session;
mod institution;
mod named_types;
mod number_codes;
mod number_states;
mod one_country;
mod relink;
mod session_setup;
mod shown_country;

pub use account_numbers::CHANGE as ACCOUNT_NUMBERS;
pub use credit_accounts::CHANGE as CREDIT_ACCOUNTS;
pub use deactivation_foreseen::CHANGE as DEACTIVATION_FORESEEN;
pub use equal_defaults::CHANGE as EQUAL_DEFAULTS;
pub use feedback_option::CHANGE as FEEDBACK_OPTION;
pub use fit::fit;
pub use hosted_session::CHANGE as HOSTED_SESSION;
pub use institution::CHANGE as INSTITUTION;
pub use number_codes::CHANGE as NUMBER_CODES;
pub use number_states::CHANGE as NUMBER_STATES;
pub use one_country::CHANGE as ONE_COUNTRY;
pub use relink::CHANGE as RELINK;
pub use session_setup::CHANGE as SESSION_SETUP;
pub use shown_country::CHANGE as SHOWN_COUNTRY;

use crate::error::Error;
use crate::params::Params;
use crate::schema::of_call_in;
use crate::version::Version;
use model::extra_params::ExtraParams;

/// The changes of one version.
#[derive(Debug)]
pub struct Change {
    /// The date of the first general version that has it. `None` while it is in preview.
    since: Option<&'static str>,
    /// The date of the first preview that has it.
    since_preview: &'static str,
    /// The beta that had it before there were previews.
    beta: Option<&'static str>,
    /// The removed parameters: the call, the name, and the code of the error. Without a code the
    /// parameter is rejected as an unknown one.
    removed: &'static [(&'static str, &'static str, Option<&'static str>)],
}

/// All changes, newest first. A change in preview is ordered by the date of its preview.
const CHANGES: [&Change; 15] = [
    &named_types::CHECKOUT,
    &named_types::CHANGE,
    &one_country::CHANGE,
    &equal_defaults::CHANGE,
    &number_states::CHANGE,
    &shown_country::CHANGE,
    &feedback_option::CHANGE,
    &session_setup::CHANGE,
    &deactivation_foreseen::CHANGE,
    &hosted_session::CHANGE,
    &relink::CHANGE,
    &account_numbers::CHANGE,
    &number_codes::CHANGE,
    &institution::CHANGE,
    &credit_accounts::CHANGE,
];

impl Change {
    /// Creates a change that all versions have from a date on, and that code checks for.
    const fn of(since: &'static str) -> Self {
        Self { since: Some(since), since_preview: since, beta: None, removed: &[] }
    }

    /// Creates a change that only previews have, from a date on.
    const fn of_preview(since_preview: &'static str) -> Self {
        Self { since: None, ..Self::of(since_preview) }
    }

    fn is_in(&self, version: &Version) -> bool {
        if version.is_preview() {
            return version.at_least(self.since_preview);
        }
        self.since.is_some_and(|since| version.at_least(since))
            || self.beta.is_some_and(|beta| version.has_beta(beta))
    }
}

impl Version {
    /// True if this version has a change.
    pub fn has(&self, change: &Change) -> bool {
        change.is_in(self)
    }
}

/// Reads all parameters of a call as they are in a version. Returns `None` if no schema has the
/// call.
pub fn read(
    params: &mut Params,
    call: &str,
    version: &Version,
) -> Result<Option<ExtraParams>, Error> {
    let Some(schema) = of_call_in(call, version) else { return Ok(None) };
    let known = CHANGES.iter().filter(|change| change.is_in(version));
    let mut removed = known.flat_map(|change| change.removed).filter(|(of, ..)| *of == call);
    if let Some((_, name, code)) = removed.find(|(_, name, _)| params.has(name)) {
        return Err(removed_error(name, *code, version));
    }
    let values = params.take_schema(schema)?;
    params.note_dropped(call, &values);
    Ok(Some(values))
}

/// The error for a removed parameter. The successor of each parameter with a code of its own
/// has the same name after `allowed_`.
fn removed_error(name: &str, code: Option<&'static str>, version: &Version) -> Error {
    let Some(code) = code else { return Error::unknown_params(&[name.to_owned()], None) };
    let message = format!(
        "{name} is no longer supported in API version {}. Leave it out. To restrict the types, use \
         allowed_{name}.",
        version.as_str()
    );
    Error::invalid(message).code(code).param(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::of_call;

    /// Changes are ordered newest first, and name calls that have a schema.
    #[test]
    fn changes_are_in_order() {
        let date = |change: &Change| change.since.unwrap_or(change.since_preview);
        assert!(CHANGES.is_sorted_by(|newer, older| date(newer) >= date(older)));
        for change in CHANGES {
            for (call, ..) in change.removed {
                assert!(of_call(call).is_some(), "{call}");
            }
        }
    }
}
