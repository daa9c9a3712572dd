//! Redaction of the record: secrets and numbers of persons, by the names of parameters and keys and by
//! the form of values.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The mark that replaces the cut part of a text.
pub(super) const CUT: &str = "…";
/// Names of parameters and keys with values that are not written: secrets, numbers of bank accounts and
/// cards, and numbers of persons.
const CONFIDENTIAL: [&str; 19] = [
    "account_number",
    "account_number_again",
    "bban",
    "client_secret",
    "cvc",
    "cvc_update",
    "iban",
    "id_number",
    "id_number_secondary",
    "password",
    "personal_id_number",
    "pin",
    "secret",
    "ssn",
    "ssn_last_4",
    "tax_id",
    "token",
    "vat_id",
    "websocket_id",
];
/// Parts of names, of which each makes the name confidential.
const CONFIDENTIAL_PARTS: [&str; 6] =
    ["account_number", "api_key", "password", "secret", "social_security", "ssn"];
/// Names with a number of a card or an account, if a name before them denotes one.
const NUMBERS: [&str; 1] = ["number"];
const WITH_NUMBER: [&str; 5] = ["bank_account", "card", "external_account", "sepa_debit", "source"];
/// Names of people's own numbers that the API echoes as they are. They denote no secret.
const PUBLIC: [&str; 2] = ["account_numbers", "confirmation_secret"];
/// The prefixes and markers of secrets.
const SECRETS: [&str; 10] = [
    "_secret_", "whsec_", "sk_test_", "sk_live_", "rk_test_", "rk_live_", "ek_test_", "ek_live_",
    "Bearer ", "Basic ",
];
/// The path prefixes of page addresses that contain a token.
const PAGES: [&str; 4] = ["/link/", "/c/pay/", "/i/", "/microdeposits/"];
/// The minimum length of a page token, in characters.
const PAGE_TOKEN_CHARS_MIN: usize = 24;
/// The least and the most digits of a card's number.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// The least and the most characters of an IBAN.
const IBAN_CHARS: std::ops::RangeInclusive<usize> = 15..=34;

/// A name and a value without secrets.
pub(super) fn pair(name: &str, value: &str) -> [String; 2] {
    let value =
        if is_confidential(name) && !value.is_empty() { CUT.to_owned() } else { text(value) };
    [text(name), value]
}

/// True if a name such as `card[number]` denotes a confidential value.
fn is_confidential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts: Vec<&str> =
        name.split(['[', ']', '.']).filter(|part| !part.is_empty()).collect();
    // The positions of a list are no names.
    parts.retain(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let Some((last, before)) = parts.split_last() else { return false };
    let is_number = NUMBERS.contains(last) && before.iter().any(|part| WITH_NUMBER.contains(part));
    is_number || is_confidential_word(last)
}

fn is_confidential_word(word: &str) -> bool {
    let has_part = || CONFIDENTIAL_PARTS.iter().any(|part| word.contains(part));
    CONFIDENTIAL.contains(&word) || (!PUBLIC.contains(&word) && has_part())
}

/// A text without secrets, page tokens and numbers of persons.
pub(super) fn text(text: &str) -> String {
    let secrets = SECRETS.iter().filter_map(|mark| Some(text.find(mark)? + mark.len()));
    let pages = PAGES.iter().flat_map(|page| {
        let ends = text.match_indices(page).map(|(place, page)| place + page.len());
        ends.filter(|end| is_page_token(&text[*end..]))
    });
    let found = secrets.chain(pages).min();
    let kept = found.map_or_else(|| text.to_owned(), |end| format!("{}{CUT}", &text[..end]));
    without_numbers(&kept)
}

/// A path without secrets. A client may encode any letter of one.
pub(super) fn path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let shown = text(&decoded);
    if shown == decoded { path.to_owned() } else { shown }
}

/// Removes every secret from a response.
pub(super) fn hide(value: &mut Value) {
    hide_below(value, "");
}

fn hide_below(value: &mut Value, name: &str) {
    match value {
        Value::String(string) => [_, *string] = pair(name, string),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_below(item, name)),
        Value::Object(members) => {
            for (key, member) in members {
                hide_below(member, &format!("{name}[{key}]"));
            }
        }
        _ => {}
    }
}

/// True if a text begins with a possible page token.
fn is_page_token(text: &str) -> bool {
    let token = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    token >= PAGE_TOKEN_CHARS_MIN
}

/// A text without numbers of cards, IBANs and social security numbers. They are recognized by their
/// check digits or by their form.
fn without_numbers(text: &str) -> String {
    let is_inside = |letter: char| letter.is_ascii_alphanumeric() || "-_ ".contains(letter);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        kept.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|letter| !is_inside(letter)).unwrap_or(rest.len());
        let run = &rest[..end];
        // A number begins at the beginning of a word.
        let word = &run[..run.find([' ', '-']).unwrap_or(run.len())];
        let number = [card(run), iban(run), social_security(run)].into_iter().flatten().max();
        kept.push_str(if number.is_some() { CUT } else { word });
        let taken = number.unwrap_or(word.len());
        rest = &rest[taken..];
    }
    kept + rest
}

/// The length of a card's number at the beginning of a text. Spaces and dashes may separate its digits.
fn card(text: &str) -> Option<usize> {
    let mut digits = Vec::new();
    let mut ends = Vec::new();
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte - b'0');
                ends.push(place + 1);
            }
            b' ' | b'-' if !digits.is_empty() => {}
            _ => break,
        }
    }
    let ends_word =
        |end: usize| !text[end..].starts_with(|next: char| next.is_ascii_alphanumeric());
    let lengths = CARD_DIGITS.rev().filter(|count| *count <= digits.len());
    let mut fits = lengths.filter(|count| ends_word(ends[count - 1]) && is_luhn(&digits[..*count]));
    fits.next().map(|count| ends[count - 1])
}

/// True if the last digit is the check digit of the others.
fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(digit, doubles)| match u32::from(*digit) {
            digit if doubles => digit * 2 - if digit > 4 { 9 } else { 0 },
            digit => digit,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// The length of an IBAN at the beginning of a text. Spaces may separate its groups.
fn iban(text: &str) -> Option<usize> {
    let mut letters = String::new();
    let mut found = None;
    for (place, letter) in text.char_indices() {
        match letter {
            'A'..='Z' | '0'..='9' => letters.push(letter),
            ' ' => continue,
            _ => break,
        }
        let ends = !text[place + 1..].starts_with(|next: char| next.is_ascii_alphanumeric());
        if ends && IBAN_CHARS.contains(&letters.len()) && is_iban(&letters) {
            found = Some(place + 1);
        }
    }
    found
}

/// True if an IBAN begins with a country and has right check digits.
fn is_iban(letters: &str) -> bool {
    let (head, tail) = letters.split_at(4);
    let has_form = head[..2].bytes().all(|byte| byte.is_ascii_uppercase())
        && head[2..].bytes().all(|byte| byte.is_ascii_digit());
    let value = |letter: char| letter.to_digit(36).unwrap_or(0);
    let remainder =
        tail.chars().chain(head.chars()).fold(0, |remainder, letter| match value(letter) {
            digit @ ..10 => (remainder * 10 + digit) % 97,
            number => (remainder * 100 + number) % 97,
        });
    has_form && remainder == 1
}

/// The length of the first word of a text if it has the form of a social security number.
fn social_security(text: &str) -> Option<usize> {
    let word = &text[..text.find(' ').unwrap_or(text.len())];
    let parts: Vec<&str> = word.split('-').collect();
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = parts.iter().map(|part| part.len()).eq([3, 2, 4]) && parts.iter().all(is_number);
    fits.then_some(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of parameters and keys that denote a secret or a number of a person are recognized at any
    /// depth, and others are not.
    #[test]
    fn names_are_recognized() {
        for name in [
            "card[number]",
            "payment_method_data[card][number]",
            "payment_method_data[us_bank_account][account_number]",
            "external_account[account_number]",
            "individual[ssn_last_4]",
            "individual[id_number]",
            "metadata[SSN]",
            "metadata[customer_password]",
            "billing_details[tax_id]",
            "secrets[0][secret]",
            "card[cvc]",
        ] {
            assert!(is_confidential(name), "{name}");
        }
        for name in [
            "number",
            "invoice[number]",
            "routing_number",
            "account_numbers",
            "last4",
            "tax_id_data[0][type]",
            "token_type",
            "description",
        ] {
            assert!(!is_confidential(name), "{name}");
        }
    }

    /// Numbers of cards, IBANs and social security numbers are cut in any text. Ids, times, amounts and
    /// invoice numbers stay.
    #[test]
    fn numbers_are_cut() {
        for (sent, shown) in [
            ("4242424242424242", "…"),
            ("card 4242 4242 4242 4242, thanks", "card …, thanks"),
            ("4000-0566-5566-5556 and 378282246310005", "… and …"),
            ("DE89 3704 0044 0532 0130 00", "…"),
            ("pay GB29NWBK60161331926819 now", "pay … now"),
            ("000-12-3456", "…"),
            ("SSN: 123-45-6789.", "SSN: …."),
        ] {
            assert_eq!(text(sent), shown);
        }
        for same in [
            "evt_00000000001greFq4MeR0GNE",
            "1767225600",
            "4242424242424241",
            "ABCD1234-0001",
            "2026-08-26.dahlia",
            "0000000000000000",
            "DE89 3704 0044 0532 0130 02",
            "+1 415 555 0142",
            "naïve café – 100 €",
        ] {
            assert_eq!(text(same), same);
        }
    }

    /// Keys and tokens are cut in names, values and addresses.
    #[test]
    fn secrets_are_cut() {
        for (sent, shown) in [
            (
                "https://a.example/?client_secret=pi_1_secret_abc",
                "https://a.example/?client_secret=pi_1_secret_…",
            ),
            ("Bearer sk_live_123", "Bearer …"),
            ("see whsec_abc", "see whsec_…"),
            ("ek_live_a", "ek_live_…"),
        ] {
            assert_eq!(text(sent), shown);
        }
        assert_eq!(pair("sk_test_1", "a"), ["sk_test_…", "a"]);
        assert_eq!(pair("secret", ""), ["secret", ""]);
    }
}
