//! The JSON body of a call under `/v2`, made from parameters in Stripe's bracket style.

use serde_json::{Map, Value};

/// Makes the body of parameters. `a[b]` is a member of a hash, and `a[]` and `a[0]` are items of a
/// list. Values are texts.
///
/// ```
/// # use wire::nested::json_of;
/// let body = json_of(&[("name", "x"), ("include[]", "y"), ("webhook_endpoint[url]", "z")]);
/// let json = r#"{"include":["y"],"name":"x","webhook_endpoint":{"url":"z"}}"#;
/// assert_eq!(body, serde_json::from_str::<serde_json::Value>(json).unwrap());
/// ```
pub fn json_of(parameters: &[(&str, &str)]) -> Value {
    let mut body = Value::Object(Map::new());
    for (key, value) in parameters {
        let mut parts = key.split('[').map(|part| part.strip_suffix(']').unwrap_or(part));
        let mut place = &mut body;
        let mut part = parts.next().unwrap_or_default();
        loop {
            place = inside(place, part);
            match parts.next() {
                Some(next) => part = next,
                None => break,
            }
        }
        *place = Value::String((*value).to_owned());
    }
    body
}

/// The member or the item of this name, which is created if it is missing.
fn inside<'a>(place: &'a mut Value, part: &str) -> &'a mut Value {
    let is_item = part.bytes().all(|digit| digit.is_ascii_digit());
    if is_item {
        if !place.is_array() {
            *place = Value::Array(Vec::new());
        }
        if let Value::Array(items) = place {
            // An index that skips others counts as the next one.
            let index = part.parse().unwrap_or(items.len()).min(items.len());
            if index == items.len() {
                items.push(Value::Null);
            }
            return &mut items[index];
        }
    }
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    &mut place[part]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Hashes and lists are nested as the brackets say.
    #[test]
    fn brackets_become_json() {
        let parameters = [
            ("name", "x"),
            ("enabled_events[]", "a"),
            ("enabled_events[]", "b"),
            ("include[0]", "c"),
            ("webhook_endpoint[url]", "http://127.0.0.1/"),
            ("metadata[a]", "1"),
        ];
        let body = json!({
            "name": "x",
            "enabled_events": ["a", "b"],
            "include": ["c"],
            "webhook_endpoint": {"url": "http://127.0.0.1/"},
            "metadata": {"a": "1"},
        });
        assert_eq!(json_of(&parameters), body);
        assert_eq!(json_of(&[]), json!({}));
    }
}
