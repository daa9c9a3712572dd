//! Idempotency records.

use crate::fixture::{merchant, on_both, reply};
use model::limits::IDEMPOTENCY_AGE_MS_MAX;
use store::{CreateIdempotencyRecord, FindIdempotencyRecord, IdempotencyRecord, Written};

/// A key has one idempotency record for each merchant.
#[test]
fn a_key_is_taken_once() {
    on_both(async |fixture| {
        let now = fixture.time.now();
        let record = reply(merchant(1), "key", now);
        fixture.done(CreateIdempotencyRecord { record: record.clone() }).await;
        let other = IdempotencyRecord { status: 400, ..record.clone() };
        assert_eq!(
            fixture.write(CreateIdempotencyRecord { record: other }).await,
            Written::KeyTaken
        );
        let find = FindIdempotencyRecord { merchant: merchant(1), key: "key".to_owned(), now };
        assert_eq!(fixture.read(find.clone()).await, Some(record.clone()));
        let elsewhere = FindIdempotencyRecord { merchant: merchant(2), ..find.clone() };
        assert_eq!(fixture.read(elsewhere).await, None);
        assert_eq!(
            fixture.read(FindIdempotencyRecord { key: "other".to_owned(), ..find }).await,
            None
        );
        let other = IdempotencyRecord { merchant: merchant(2), ..record };
        fixture.done(CreateIdempotencyRecord { record: other }).await;
    });
}

/// A record that is a day old is not found, and can be replaced.
#[test]
fn an_old_record_is_replaced() {
    on_both(async |fixture| {
        let record = reply(merchant(1), "key", fixture.time.now());
        fixture.done(CreateIdempotencyRecord { record: record.clone() }).await;
        fixture.time.pass_ms(IDEMPOTENCY_AGE_MS_MAX - 1);
        let now = fixture.time.now();
        let find = FindIdempotencyRecord { merchant: merchant(1), key: "key".to_owned(), now };
        assert_eq!(fixture.read(find.clone()).await, Some(record.clone()));
        let late = IdempotencyRecord { at: now, ..record.clone() };
        assert_eq!(
            fixture.write(CreateIdempotencyRecord { record: late }).await,
            Written::KeyTaken
        );
        fixture.time.pass_ms(1);
        let now = fixture.time.now();
        assert_eq!(fixture.read(FindIdempotencyRecord { now, ..find.clone() }).await, None);
        let late = IdempotencyRecord { at: now, body: b"new".to_vec(), ..record };
        fixture.done(CreateIdempotencyRecord { record: late.clone() }).await;
        assert_eq!(fixture.read(FindIdempotencyRecord { now, ..find }).await, Some(late));
    });
}
