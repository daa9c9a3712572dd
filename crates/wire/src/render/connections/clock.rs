//! A test clock (`test_helpers.test_clock`).

use crate::json::JsonWriter;
use crate::render::deleted;
use model::Word;
use model::clock::TestClock;

/// The value of `object`.
pub const OBJECT: &str = "test_helpers.test_clock";
/// The path of the list of test clocks.
pub const URL: &str = "/v1/test_helpers/test_clocks";

/// Writes a test clock, or the stub of a deleted one.
pub fn write(writer: &mut JsonWriter, clock: &TestClock) {
    if clock.deleted {
        deleted::write(writer, &clock.id, OBJECT);
    } else {
        write_whole(writer, clock);
    }
}

/// Writes every key, also of a deleted clock, because its last event shows it as it was. Test
/// clocks exist in test mode only.
pub fn write_whole(writer: &mut JsonWriter, clock: &TestClock) {
    writer.object(|w| {
        w.key("id").plain(clock.id.text());
        w.key("object").plain(OBJECT);
        w.key("created").integer(clock.created.0);
        w.key("deletes_after").integer(clock.deletes_after().0);
        w.key("frozen_time").integer(clock.frozen_time.0);
        w.key("livemode").boolean(false);
        w.key("name").optional_string(clock.name.as_deref());
        w.key("status").plain(clock.status.word());
        w.key("status_details").object(|w| {
            if let Some(target) = clock.target {
                w.key("advancing").object(|w| {
                    w.key("target_frozen_time").integer(target.0);
                });
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use crate::render::samples::{clock, indented, written};
    use model::clock::{AccountTime, ClockStatus, TestClock};

    /// A clock at rest has empty details, and an advancing one shows its target.
    #[test]
    fn writes_a_clock() {
        let mut clock = clock();
        insta::assert_snapshot!(indented(|w| super::write(w, &clock)), @r#"
        {
          "id": "clock_00000000001dtrolbLmk4FZB",
          "object": "test_helpers.test_clock",
          "created": 1700000000,
          "deletes_after": 1702592000,
          "frozen_time": 1700000000,
          "livemode": false,
          "name": "June",
          "status": "ready",
          "status_details": {}
        }
        "#);
        clock.status = ClockStatus::Advancing;
        clock.target = Some(AccountTime(1_700_086_400));
        let advancing = written(|w| super::write(w, &clock));
        let details = r#""status_details":{"advancing":{"target_frozen_time":1700086400}}}"#;
        assert!(advancing.ends_with(details));
    }

    /// A deleted clock is a stub, except in its last event.
    #[test]
    fn writes_a_deleted_clock() {
        let clock = TestClock { deleted: true, ..clock() };
        insta::assert_snapshot!(indented(|w| super::write(w, &clock)), @r#"
        {
          "id": "clock_00000000001dtrolbLmk4FZB",
          "object": "test_helpers.test_clock",
          "deleted": true
        }
        "#);
        let whole = written(|w| super::write_whole(w, &clock));
        assert!(whole.contains(r#""name":"June""#));
    }
}
