//! The stub of a deleted object.

use crate::json::JsonWriter;
use std::fmt::Display;

/// Writes the three keys of a deleted object. `object` is its kind.
pub fn write(writer: &mut JsonWriter, id: &dyn Display, object: &'static str) {
    writer.object(|w| {
        w.key("id")
            .string(&id.to_string())
            .key("object")
            .plain(object)
            .key("deleted")
            .boolean(true);
    });
}

#[cfg(test)]
mod tests {
    use crate::render::samples::written;

    /// The stub has id, kind and `deleted`.
    #[test]
    fn writes_a_stub() {
        insta::assert_snapshot!(
            written(|w| super::write(w, &"we_1", "webhook_endpoint")),
            @r#"{"id":"we_1","object":"webhook_endpoint","deleted":true}"#
        );
    }
}
