//! The known name nearest to a mistyped one, for error messages.

/// The maximum number of known names that a message lists.
const LISTED_MAX: usize = 12;

/// Finds the known name with the smallest edit distance to a typed one. Upper and lower case are
/// equal. A name that differs in more than a quarter of its characters is another name, not a
/// mistyped one.
pub fn find_nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = typed.to_lowercase();
    let distance_max = (lower.chars().count() / 4).max(1);
    let distance = |name: &&str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    known.into_iter().min_by_key(distance).filter(|name| distance(name) <= distance_max)
}

/// A sentence for each help against a mistyped name: the nearest known name, and all known names if
/// they are few. Returns an empty text without either.
pub fn suggestions(typed: &str, known: &[&str]) -> String {
    let nearest = find_nearest(typed, known.iter().copied());
    let nearest = nearest.map(|name| format!("Did you mean '{name}'?"));
    let listed = (1..=LISTED_MAX).contains(&known.len());
    let listed = listed.then(|| format!("Accepted values: {}.", known.join(", ")));
    nearest.into_iter().chain(listed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One mistake in four characters is a mistyped name, and so are two swapped letters. More
    /// mistakes make another name.
    #[test]
    fn finds_mistyped_names() {
        let known = ["listen", "memory", "Test (OAuth)", "db"];
        for (typed, nearest) in [
            ("listne", Some("listen")),
            ("MEMORY", Some("memory")),
            ("test (oath)", Some("Test (OAuth)")),
            ("bd", Some("db")),
            ("posts", None),
            ("", None),
        ] {
            assert_eq!(find_nearest(typed, known), nearest, "{typed}");
        }
        assert_eq!(find_nearest("listen", []), None);
    }

    /// A short list is shown whole.
    #[test]
    fn suggests() {
        assert_eq!(suggestions("bd", &["a", "bc"]), "Did you mean 'bc'? Accepted values: a, bc.");
        assert_eq!(suggestions("other", &["a", "bc"]), "Accepted values: a, bc.");
        assert_eq!(suggestions("a", &[]), "");
        assert_eq!(suggestions("nothing", &["name"; LISTED_MAX + 1]), "");
    }
}
