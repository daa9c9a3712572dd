//! Forms of texts in settings: addresses, host names and waits.

use super::value::SPAN_S_MAX;

/// True if a text is a host and a port.
pub(super) fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        !bare.is_empty() && (bare != host || !host.contains(':')) && port.parse::<u16>().is_ok()
    })
}

/// True if a text is a host name, or a domain with a dot in front.
pub(super) fn is_host(text: &str) -> bool {
    let name = text.strip_prefix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !label.is_empty() && label.bytes().all(is_letter)
    };
    name.strip_suffix('.').unwrap_or(name).split('.').all(is_label)
}

/// Parses `500ms`, `5s`, `10m`, `2h` or `1d` into milliseconds.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number
        .parse::<i64>()
        .ok()?
        .checked_mul(unit_ms)
        .filter(|wait_ms| *wait_ms <= SPAN_S_MAX * 1_000)
}
