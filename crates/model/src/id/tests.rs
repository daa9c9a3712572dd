//! Tests of the texts of ids.

use super::text::NUMBER_BOUND;
use super::*;
use crate::limits::BUCKETS;
use crate::time::AccountTime;
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    /// Every id reads back from its text, and texts sort as their numbers do.
    #[test]
    fn ids_read_back_and_sort(one in 0..NUMBER_BOUND, two in 0..NUMBER_BOUND) {
        let (a, b) = (AccountId::from_number(one), AccountId::from_number(two));
        prop_assert_eq!(a.to_string().parse(), Ok(a));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    /// Children read back from their text; rows of an account sort as the list does.
    #[test]
    fn children_read_back_and_sort(
        account in 0..NUMBER_BOUND, at in 0..LISTED_AT_MAX, later in 0..LISTED_AT_MAX,
        ordinal: u32, index: u8, event in 0..NUMBER_BOUND,
    ) {
        let account = AccountId::from_number(account);
        let id = TransactionId { account, listed_at: AccountTime(at), ordinal };
        let other = TransactionId { account, listed_at: AccountTime(later), ordinal: 7 };
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.cmp(&other), id.to_string().cmp(&other.to_string()));
        let refresh = RefreshId { account, sequence: ordinal };
        prop_assert_eq!(refresh.to_string().parse(), Ok(refresh));
        let ownership = OwnershipId { account, sequence: ordinal };
        prop_assert_eq!(ownership.to_string().parse(), Ok(ownership));
        let owner = OwnerId { ownership, index };
        prop_assert_eq!(owner.to_string().parse(), Ok(owner));
        let event = EventId { shard: account.number(), number: event };
        prop_assert_eq!(event.to_string().parse(), Ok(event));
        for outcome in [false, true] {
            let thin = ThinEventId { event, outcome };
            prop_assert_eq!(thin.to_string().parse(), Ok(thin));
            // The three ids of one change differ, and none is read as another kind.
            prop_assert_eq!(thin.to_string().parse::<EventId>(), Err(NotAnId));
        }
        prop_assert_eq!(event.to_string().parse::<ThinEventId>(), Err(NotAnId));
    }

    /// No text makes the reader panic, and an id with a changed digit is not the same id.
    #[test]
    fn any_text_is_read_safely(text in "\\PC{0,40}", number in 0..NUMBER_BOUND, place in 0..24_usize) {
        let _ = text.parse::<CustomerId>();
        let _ = format!("fctxn_{text}").parse::<TransactionId>();
        let mut changed = CustomerId::from_number(number).to_string().into_bytes();
        let digit = &mut changed[4 + place];
        *digit = if *digit == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(changed.parse::<CustomerId>().is_err());
    }
}

/// A number always has the same bucket, because the keys of stored rows contain it. Consecutive
/// numbers are spread over all buckets.
#[test]
fn buckets_are_stable_and_even() {
    assert_eq!([0, 1, 2, NUMBER_BOUND - 1].map(bucket_of), [0, 1509, 1162, 3773]);
    let mut rows = BTreeMap::new();
    for number in 1..=u64::from(BUCKETS) * 64 {
        *rows.entry(bucket_of(number)).or_insert(0) += 1;
    }
    assert_eq!(rows.len(), BUCKETS as usize);
    assert!(rows.values().all(|rows| (24..=112).contains(rows)));
}

/// The merchant of a key never changes. The text is pinned because databases contain it.
#[test]
fn merchant_of_a_key_is_stable() {
    insta::assert_snapshot!(MerchantId::of_key("sk_test_123"), @"acct_9RP1R1d0yzB2hYhnyXuPUqgG");
}
