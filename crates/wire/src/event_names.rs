//! The names of all event types of Stripe in any version, and those of all thin events. This server
//! emits few of them, but an endpoint for any of them works unchanged.
//!
//! The thin names are those of the generally available types of stripe-python 16.1.0
//! (`stripe.events`), one per class.

use crate::error::{Error, shown};
use model::endpoint::EventPayload;
use std::sync::LazyLock;

/// The minimum similarity of a proposed name to an unknown one, from 0 to 1.
const SIMILARITY_MIN: f64 = 0.7;

/// The names, in alphabetical order.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("schema/event_names.txt").lines().collect());

/// The names of thin events, in alphabetical order.
static THIN_NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("schema/thin_event_names.txt").lines().collect());

/// True if a text is the name of a thin event.
pub fn is_thin_event_name(text: &str) -> bool {
    THIN_NAMES.binary_search(&text).is_ok()
}

/// Returns the name of a thin event that is most similar to a text, if one is similar enough.
pub fn nearest_thin_event_name(text: &str) -> Option<&'static str> {
    // The common prefix would make any two names similar.
    let named = |text: &str| text.strip_prefix("v1.").unwrap_or(text).to_owned();
    nearest(&THIN_NAMES, |name| strsim::jaro_winkler(&named(name), &named(text)))
}

/// True if a text is the name of an event type.
pub fn is_event_name(text: &str) -> bool {
    NAMES.binary_search(&text).is_ok()
}

/// Returns the name that is most similar to a text, if one is similar enough.
pub fn nearest_event_name(text: &str) -> Option<&'static str> {
    nearest(&NAMES, |name| strsim::jaro_winkler(name, text))
}

/// Checks the names that an endpoint or a destination subscribes to. `*` stands for all. `path` is the
/// parameter that contains them.
pub fn check_names(names: &[String], payload: EventPayload, path: &str) -> Result<(), Error> {
    let is_known = match payload {
        EventPayload::Snapshot => is_event_name,
        EventPayload::Thin => is_thin_event_name,
    };
    match names.iter().position(|name| name != "*" && !is_known(name)) {
        None => Ok(()),
        Some(index) => Err(unknown_name(&names[index], payload).param(format!("{path}[{index}]"))),
    }
}

/// Checks the names in the filter of a list of thin events.
pub fn check_thin_types(names: &[String], path: &str) -> Result<(), Error> {
    match names.iter().position(|name| !is_thin_event_name(name)) {
        None => Ok(()),
        Some(index) => {
            let error = unknown_name(&names[index], EventPayload::Thin);
            Err(error.param(format!("{path}[{index}]")))
        }
    }
}

fn unknown_name(name: &str, payload: EventPayload) -> Error {
    let shown = shown(name);
    let (message, nearest) = match payload {
        EventPayload::Snapshot if name.starts_with("v1.") || name.starts_with("v2.") => {
            return Error::invalid(format!(
                "{shown} is the name of a thin event. Thin events go to event destinations with \
                 event_payload=thin. Create one with POST /v2/core/event_destinations."
            ));
        }
        EventPayload::Snapshot => {
            (format!("{shown} is not the name of an event type."), nearest_event_name(name))
        }
        EventPayload::Thin => {
            (format!("{shown} is not the name of a thin event."), nearest_thin_event_name(name))
        }
    };
    Error::invalid(match nearest {
        Some(nearest) => format!("{message} Did you mean {nearest}?"),
        None => message,
    })
}

fn nearest(
    names: &[&'static str],
    similarity: impl Fn(&'static str) -> f64,
) -> Option<&'static str> {
    let similar = names.iter().map(|name| (similarity(name), *name));
    let similar = similar.filter(|(similarity, _)| *similarity >= SIMILARITY_MIN);
    similar.max_by(|(one, _), (two, _)| one.total_cmp(two)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Word;
    use model::event::EventType;

    /// Every event type that this server emits is a known name, and the names are sorted.
    #[test]
    fn knows_the_names_of_emitted_events() {
        for event_type in EventType::ALL.iter().filter(|event_type| !event_type.is_only_thin()) {
            assert!(is_event_name(event_type.word()), "{}", event_type.word());
        }
        assert!(NAMES.is_sorted());
        assert!(!is_event_name("invoice.payd") && !is_event_name("*") && !is_event_name(""));
    }

    /// Every thin event of this server has the name of a class of the SDK. Events that the SDK has no
    /// class for have no thin event. The names are sorted.
    #[test]
    fn thin_names_are_those_of_the_sdk() {
        assert!(THIN_NAMES.is_sorted());
        let emitted = model::thin::all_names();
        for name in &emitted {
            assert!(is_thin_event_name(name), "{name}");
        }
        for event_type in EventType::ALL.iter().filter(|event_type| !event_type.is_only_thin()) {
            let name = format!("v1.{}", event_type.word());
            assert_eq!(emitted.contains(&name), is_thin_event_name(&name), "{name}");
        }
        let nearest =
            nearest_thin_event_name("v1.financial_connections.account.refreshed_transaction");
        assert_eq!(nearest, Some("v1.financial_connections.account.refreshed_transactions"));
        assert_eq!(nearest_thin_event_name("customer.created"), Some("v1.customer.created"));
        assert_eq!(nearest_thin_event_name("zzz"), None);
    }

    /// A misspelled name leads to the correct one, and an unrelated text to none.
    #[test]
    fn proposes_the_nearest_name() {
        assert_eq!(nearest_event_name("invoice.payd"), Some("invoice.paid"));
        assert_eq!(nearest_event_name("customer.create"), Some("customer.created"));
        assert_eq!(nearest_event_name("zzz"), None);
    }
}
