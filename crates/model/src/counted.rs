//! Numbers of things in messages: `1 account`, `2 accounts`.

use std::fmt::Display;

/// Returns a number with its noun, in the plural unless the number is one.
///
/// ```
/// # use model::counted::counted;
/// assert_eq!(counted(1, "account"), "1 account");
/// assert_eq!(counted(0, "refresh"), "0 refreshes");
/// assert_eq!(counted("2", "second"), "2 seconds");
/// ```
pub fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    let ending = match noun {
        _ if number == "1" => "",
        noun if noun.ends_with("sh") || noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{number} {noun}{ending}")
}
