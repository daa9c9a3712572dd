//! Indentation of JSON texts for people. Keys keep their order, and numbers and texts keep their
//! spelling.

/// The indentation of one level, as in Stripe's responses.
const LEVEL: &[u8] = b"  ";

/// Indents a JSON object or array, and ends it with a line break. Returns `None` for any other
/// text, such as one that breaks off.
pub fn indented(json: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut open: Vec<u8> = Vec::new();
    let mut rest = json.trim_ascii();
    if !rest.starts_with(b"{") && !rest.starts_with(b"[") {
        return None;
    }
    while let Some((&byte, after)) = rest.split_first() {
        rest = after.trim_ascii_start();
        match byte {
            b'"' => {
                let length = string_length(after)?;
                let (text, after) = after.split_at(length);
                out.push(byte);
                out.extend_from_slice(text);
                rest = after.trim_ascii_start();
            }
            b'{' | b'[' => {
                let close = if byte == b'{' { b'}' } else { b']' };
                out.push(byte);
                if rest.first() == Some(&close) {
                    out.push(close);
                    rest = rest[1..].trim_ascii_start();
                } else {
                    open.push(close);
                    break_line(&mut out, open.len());
                }
            }
            b'}' | b']' => {
                if open.pop() != Some(byte) {
                    return None;
                }
                break_line(&mut out, open.len());
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                break_line(&mut out, open.len());
            }
            b':' => out.extend_from_slice(b": "),
            _ => out.push(byte),
        }
        // One object or array is the whole text.
        if open.is_empty() && !rest.is_empty() {
            return None;
        }
    }
    out.push(b'\n');
    open.is_empty().then_some(out)
}

/// The number of bytes to the end of a string, with its closing quotation mark.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (length, byte) in (1..).zip(text) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(length),
            _ => {}
        }
    }
    None
}

fn break_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    for _ in 0..depth {
        out.extend_from_slice(LEVEL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn text(json: &str) -> Option<String> {
        indented(json.as_bytes()).map(|text| String::from_utf8(text).unwrap())
    }

    /// Levels have two spaces, and empty objects and lists stay on one line. Keys stay in order.
    #[test]
    fn indents() {
        let json = r#"{"id":"a\"{b\\","empty":{},"data":[{"x":-1.50},[] ,null], "a": "c:,"}"#;
        insta::assert_snapshot!(text(json).unwrap(), @r#"
        {
          "id": "a\"{b\\",
          "empty": {},
          "data": [
            {
              "x": -1.50
            },
            [],
            null
          ],
          "a": "c:,"
        }
        "#);
        assert_eq!(text("[]").unwrap(), "[]\n");
    }

    /// A text that is not one whole object or list is left alone.
    #[test]
    fn other_texts_are_left_alone() {
        for other in ["", "<html></html>", "ok\n", "1", "{\"a\":", "{]", "[\"a]", "{} {}", "[1]]"] {
            assert_eq!(text(other), None, "{other}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// The indented text is what `serde_json` writes with indentation, for every value.
        #[test]
        fn equals_another_writer(value in value()) {
            if value.is_array() || value.is_object() {
                prop_assert_eq!(text(&value.to_string()), Some(format!("{value:#}\n")));
            }
        }
    }
}
