//! A snapshot of a sandbox (`bankfeed.snapshot`), and the confirmation of a reset
//! (`bankfeed.reset`). Both are ours, and exist in test mode only.

use model::clock::AccountTime;
use model::snapshot::SandboxSnapshot;
use wire::json::JsonWriter;

/// The value of `object`.
pub(crate) const OBJECT: &str = "bankfeed.snapshot";

/// Writes a snapshot.
pub(crate) fn write(writer: &mut JsonWriter, snapshot: &SandboxSnapshot) {
    writer.object(|w| {
        w.key("id").plain(snapshot.id.text().as_str());
        w.key("object").plain(OBJECT);
        w.key("bytes").count(snapshot.size.bytes);
        w.key("counts").object(|w| {
            for (kind, rows) in &snapshot.size.counts {
                w.key_text(kind).count(*rows);
            }
        });
        w.key("created").integer(snapshot.created.0);
        w.key("livemode").boolean(false);
        w.key("metadata").string_map(&snapshot.metadata);
        w.key("name").optional_string(snapshot.name.as_deref());
    });
}

/// Writes the confirmation of a reset.
pub(crate) fn write_reset(writer: &mut JsonWriter, created: AccountTime) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.reset");
        w.key("created").integer(created.0);
        w.key("livemode").boolean(false);
    });
}

#[cfg(test)]
mod tests {
    use model::clock::AccountTime;
    use model::id::{MerchantId, SnapshotId};
    use model::snapshot::{SandboxSize, SandboxSnapshot};
    use std::collections::BTreeMap;
    use wire::json::JsonWriter;

    fn written(render: impl FnOnce(&mut JsonWriter)) -> String {
        String::from_utf8(engine::render(render)).unwrap()
    }

    /// A snapshot shows the number of rows of each kind, and not the merchants that own them.
    #[test]
    fn writes_a_snapshot() {
        let merchant = MerchantId::from_number(1);
        let counts = BTreeMap::from([("account".to_owned(), 2), ("transaction".to_owned(), 90)]);
        let snapshot = SandboxSnapshot {
            id: SnapshotId::from_number(5),
            merchant,
            version: 1,
            created: AccountTime(1_700_000_000),
            name: Some("seeded".to_owned()),
            metadata: BTreeMap::new(),
            size: SandboxSize { merchants: vec![merchant], counts, bytes: 4_321 },
        };
        insta::assert_snapshot!(
            written(|w| super::write(w, &snapshot)),
            @r#"{"id":"snap_00000000005479fntAGWtImK","object":"bankfeed.snapshot","bytes":4321,"counts":{"account":2,"transaction":90},"created":1700000000,"livemode":false,"metadata":{},"name":"seeded"}"#
        );
        let reset = written(|w| super::write_reset(w, AccountTime(1_700_000_000)));
        insta::assert_snapshot!(reset, @r#"{"object":"bankfeed.reset","created":1700000000,"livemode":false}"#);
    }
}
