//! A JSON writer into one buffer.
//!
//! Objects are written directly from the model. Keys have the order of the calls, the writer places
//! the commas, and there is no intermediate tree. The caller must balance keys and values. The
//! closures of [`JsonWriter::object`] and [`JsonWriter::array`] balance the brackets.

use std::collections::BTreeMap;

/// Writes JSON without white space into a buffer.
///
/// ```
/// let mut writer = wire::json::JsonWriter::default();
/// writer.object(|w| {
///     w.key("id").string("cus_1");
///     w.key("tags").array(|w| {
///         w.integer(-1).null();
///     });
/// });
/// assert_eq!(writer.into_bytes(), br#"{"id":"cus_1","tags":[-1,null]}"#);
/// ```
#[derive(Debug, Default)]
pub struct JsonWriter {
    buffer: Vec<u8>,
    /// True if the next key or array item needs a comma before it.
    comma: bool,
}

impl JsonWriter {
    /// Creates a writer with a buffer of this many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes), comma: false }
    }

    /// Returns the bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// Returns the bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Writes an object. The closure writes its keys and values.
    pub fn object(&mut self, members: impl FnOnce(&mut Self)) -> &mut Self {
        self.begin_value();
        self.buffer.push(b'{');
        self.comma = false;
        members(self);
        self.buffer.push(b'}');
        self.end_value()
    }

    /// Writes an array. The closure writes its items.
    pub fn array(&mut self, items: impl FnOnce(&mut Self)) -> &mut Self {
        self.begin_value();
        self.buffer.push(b'[');
        self.comma = false;
        items(self);
        self.buffer.push(b']');
        self.end_value()
    }

    /// Writes a key of our own, which needs no escape. Its value must follow.
    pub fn key(&mut self, name: &'static str) -> &mut Self {
        debug_assert!(needs_no_escape(name.as_bytes()), "our own keys are plain");
        self.begin_value();
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.extend_from_slice(b"\":");
        self.comma = false;
        self
    }

    /// Writes a key that a caller chose. Its value must follow.
    pub fn key_text(&mut self, name: &str) -> &mut Self {
        self.string(name);
        self.buffer.push(b':');
        self.comma = false;
        self
    }

    /// Writes a string, escaped where needed.
    pub fn string(&mut self, text: &str) -> &mut Self {
        self.begin_value();
        self.buffer.push(b'"');
        self.string_body(text);
        self.buffer.push(b'"');
        self.end_value()
    }

    /// Writes a string that needs no escape: an id, a word of the API, a currency.
    pub fn plain(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        let text = text.as_ref();
        debug_assert!(needs_no_escape(text), "plain strings need no escape");
        self.begin_value();
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(text);
        self.buffer.push(b'"');
        self.end_value()
    }

    /// Writes an integer.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        self.begin_value();
        self.digits(value);
        self.end_value()
    }

    /// Writes a count.
    pub fn count(&mut self, count: u64) -> &mut Self {
        self.begin_value();
        self.buffer.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        self.end_value()
    }

    /// Writes a boolean.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"true" } else { b"false" })
    }

    /// Writes null.
    pub fn null(&mut self) -> &mut Self {
        self.raw(b"null")
    }

    /// Writes a string, or null.
    pub fn optional_string(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    /// Writes a string that needs no escape, or null.
    pub fn optional_plain(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.plain(text),
            None => self.null(),
        }
    }

    /// Writes an integer, or null.
    pub fn optional_integer(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.integer(value),
            None => self.null(),
        }
    }

    /// Writes an array of strings.
    pub fn strings<'a>(&mut self, items: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.array(|w| {
            for item in items {
                w.string(item);
            }
        })
    }

    /// Writes an object of strings, such as metadata.
    pub fn string_map(&mut self, members: &BTreeMap<String, String>) -> &mut Self {
        self.object(|w| {
            for (name, value) in members {
                w.key_text(name).string(value);
            }
        })
    }

    /// Writes a value that is already JSON.
    pub fn raw(&mut self, json: &[u8]) -> &mut Self {
        self.begin_value();
        self.buffer.extend_from_slice(json);
        self.end_value()
    }

    /// Writes bytes without a comma. Hot paths use it to write brackets, keys and commas in one
    /// piece between [`Self::begin_value`] and [`Self::end_value`].
    pub(crate) fn fragment(&mut self, bytes: &[u8]) -> &mut Self {
        self.buffer.extend_from_slice(bytes);
        self
    }

    /// Writes the digits of a number, without a comma.
    pub(crate) fn digits(&mut self, value: i64) -> &mut Self {
        self.buffer.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self
    }

    /// Writes the inside of a string, escaped where needed, without quotes.
    pub(crate) fn string_body(&mut self, text: &str) -> &mut Self {
        if needs_no_escape(text.as_bytes()) {
            self.buffer.extend_from_slice(text.as_bytes());
        } else {
            self.escape(text);
        }
        self
    }

    /// Writes the comma that a value or key needs before it.
    pub(crate) fn begin_value(&mut self) {
        if self.comma {
            self.buffer.push(b',');
        }
    }

    /// Records that the next item needs a comma before it.
    pub(crate) fn end_value(&mut self) -> &mut Self {
        self.comma = true;
        self
    }

    fn escape(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.buffer.extend_from_slice(&[b'\\', byte]),
                b'\n' => self.buffer.extend_from_slice(b"\\n"),
                b'\r' => self.buffer.extend_from_slice(b"\\r"),
                b'\t' => self.buffer.extend_from_slice(b"\\t"),
                0..0x20 => {
                    let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                    self.buffer.extend_from_slice(b"\\u00");
                    self.buffer.extend_from_slice(&[HEX[high], HEX[low]]);
                }
                _ => self.buffer.push(byte),
            }
        }
    }
}

/// True if no byte needs an escape. It never returns early, so that the compiler can vectorize it.
fn needs_no_escape(bytes: &[u8]) -> bool {
    let escapes =
        |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    bytes.iter().fold(0, |found, byte| found | escapes(*byte)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any string, as a value and as a key, reads back through another JSON reader.
        #[test]
        fn strings_read_back(text: String, control in "[\\x00-\\x1f\"\\\\]{0,8}") {
            let text = format!("{text}{control}");
            let mut writer = JsonWriter::default();
            writer.object(|w| {
                w.key_text(&text).string(&text);
            });
            let read: BTreeMap<String, String> =
                serde_json::from_slice(writer.as_bytes()).unwrap();
            prop_assert_eq!(read, BTreeMap::from([(text.clone(), text)]));
        }

        /// Integers are written as the standard library writes them.
        #[test]
        fn integers_read_back(value: i64, small in -1_000_i64..1_000) {
            for value in [value, small, i64::MIN, i64::MAX] {
                let mut writer = JsonWriter::default();
                writer.integer(value);
                prop_assert_eq!(writer.into_bytes(), value.to_string().into_bytes());
            }
        }
    }

    /// Commas separate members and items.
    #[test]
    fn commas_stand_between() {
        let mut writer = JsonWriter::with_capacity(64);
        writer.object(|w| {
            w.key("a").array(|_| {});
            w.key("b").object(|_| {});
            w.key("c").strings(["x", "y"]);
            w.key("d").array(|w| {
                w.object(|w| {
                    w.key("e").boolean(true);
                });
                w.object(|_| {}).raw(b"1");
            });
            w.key("f").optional_string(None).key("g").optional_integer(Some(0));
        });
        insta::assert_snapshot!(
            String::from_utf8(writer.into_bytes()).unwrap(),
            @r#"{"a":[],"b":{},"c":["x","y"],"d":[{"e":true},{},1],"f":null,"g":0}"#
        );
    }
}
