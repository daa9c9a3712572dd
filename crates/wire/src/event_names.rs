//! The names of all event types of Stripe in any version. This server emits few of them, but an
//! endpoint for any of them works unchanged.

use std::sync::LazyLock;

/// The minimum similarity of a proposed name to an unknown one, from 0 to 1.
const SIMILARITY_MIN: f64 = 0.7;

/// The names, in alphabetical order.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("schema/event_names.txt").lines().collect());

/// True if a text is the name of an event type.
pub fn is_event_name(text: &str) -> bool {
    NAMES.binary_search(&text).is_ok()
}

/// Returns the name that is most similar to a text, if one is similar enough.
pub fn nearest_event_name(text: &str) -> Option<&'static str> {
    let similar = NAMES.iter().map(|name| (strsim::jaro_winkler(name, text), *name));
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
        for event_type in EventType::ALL {
            assert!(is_event_name(event_type.word()), "{}", event_type.word());
        }
        assert!(NAMES.is_sorted());
        assert!(!is_event_name("invoice.payd") && !is_event_name("*") && !is_event_name(""));
    }

    /// A misspelled name leads to the correct one, and an unrelated text to none.
    #[test]
    fn proposes_the_nearest_name() {
        assert_eq!(nearest_event_name("invoice.payd"), Some("invoice.paid"));
        assert_eq!(nearest_event_name("customer.create"), Some("customer.created"));
        assert_eq!(nearest_event_name("zzz"), None);
    }
}
