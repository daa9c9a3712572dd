//! Ids of children: the tail of the text is the child's position under its parent.

use super::text::{IdText, NUMBER_BOUND, id_text, parse, spread, text};
use super::{AccountId, NotAnId};
use crate::time::AccountTime;
use std::str::FromStr;

/// Declares the id of a child: the parent's number and a position of up to 77 bits under it.
macro_rules! child_id {
    ($name:ident, $prefix:literal, $to:expr, $from:expr) => {
        impl $name {
            /// The prefix of the text.
            pub const PREFIX: &'static str = $prefix;

            /// Returns the text without an allocation.
            pub fn text(self) -> IdText {
                let (number, tail): (u64, u128) = $to(self);
                text($prefix, number, tail)
            }
        }

        id_text!($name);

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let (number, tail) = parse($prefix, text)?;
                let id: Option<Self> = $from(number, tail);
                id.filter(|id| id.text().as_str() == text).ok_or(NotAnId)
            }
        }
    };
}

/// A transaction: its account and its position in the account's list.
///
/// The position is the first stored `transacted_at`, which never changes, and the ordinal of the
/// row within the account. The order by id is the order of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId {
    /// The account.
    pub account: AccountId,
    /// The first stored `transacted_at` of the row.
    pub listed_at: AccountTime,
    /// The number of the row within its account, from 1.
    pub ordinal: u32,
}

child_id!(
    TransactionId,
    "fctxn_",
    |id: TransactionId| {
        let seconds = id.listed_at.0;
        assert!((0..=LISTED_AT_MAX).contains(&seconds), "the diff bounds the time of a new row");
        let seconds = u128::from(seconds.unsigned_abs());
        (id.account.number(), (seconds << 32) | u128::from(id.ordinal))
    },
    |number, tail: u128| {
        let listed_at = i64::try_from(tail >> 32).ok().filter(|at| *at <= LISTED_AT_MAX)?;
        let listed_at = AccountTime(listed_at);
        let ordinal = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(TransactionId { account: AccountId::from_number(number), listed_at, ordinal })
    }
);

/// The latest `listed_at` that fits an id, in the year 36812.
pub const LISTED_AT_MAX: i64 = (1 << 40) - 1;

/// A transaction refresh: its account and its sequence number there, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefreshId {
    /// The account.
    pub account: AccountId,
    /// The sequence number among the account's transaction refreshes.
    pub sequence: u32,
}

child_id!(
    RefreshId,
    "fctxnref_",
    |id: RefreshId| {
        // The check keeps the id of one account from being read as that of another.
        let check = u128::from(spread(id.account.number() ^ u64::from(id.sequence)) >> 24);
        (id.account.number(), (check << 32) | u128::from(id.sequence))
    },
    |number, tail: u128| {
        let sequence = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(RefreshId { account: AccountId::from_number(number), sequence })
    }
);

/// A snapshot of an account's owners: the account and the ownership refresh that made it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnershipId {
    /// The account.
    pub account: AccountId,
    /// The sequence of the ownership refresh.
    pub sequence: u32,
}

child_id!(
    OwnershipId,
    "fcaowns_",
    |id: OwnershipId| {
        let check = u128::from(spread(id.account.number() ^ (u64::from(id.sequence) << 1)) >> 24);
        (id.account.number(), (check << 32) | u128::from(id.sequence))
    },
    |number, tail: u128| {
        let sequence = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(OwnershipId { account: AccountId::from_number(number), sequence })
    }
);

/// An inferred balance: the account and the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InferredBalanceId {
    /// The account.
    pub account: AccountId,
    /// The days from 1970-01-01 to the day.
    pub day: u32,
}

child_id!(
    InferredBalanceId,
    "fcinfbal_",
    |id: InferredBalanceId| {
        let check = u128::from(spread(id.account.number() ^ (u64::from(id.day) << 2)) >> 24);
        (id.account.number(), (check << 32) | u128::from(id.day))
    },
    |number, tail: u128| {
        let day = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(InferredBalanceId { account: AccountId::from_number(number), day })
    }
);

/// One owner within a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId {
    /// The snapshot.
    pub ownership: OwnershipId,
    /// The position within the snapshot, from 0.
    pub index: u8,
}

child_id!(
    OwnerId,
    "fcaown_",
    |id: OwnerId| {
        let place = (u64::from(id.ownership.sequence) << 8) | u64::from(id.index);
        let check = u128::from(spread(id.ownership.account.number() ^ place) >> 32);
        (id.ownership.account.number(), (check << 40) | u128::from(place))
    },
    |number, tail: u128| {
        let place = u64::try_from(tail & ((1 << 40) - 1)).ok()?;
        let sequence = u32::try_from(place >> 8).ok()?;
        let index = u8::try_from(place & 0xff).ok()?;
        Some(OwnerId {
            ownership: OwnershipId { account: AccountId::from_number(number), sequence },
            index,
        })
    }
);

/// An event: its shard and a number within the shard. The shard is an account's number or the
/// merchant's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The number of the account that the event is about, else the number of the merchant.
    pub shard: u64,
    /// A number within the shard, of at most 63 bits.
    pub number: u64,
}

impl EventId {
    /// Returns the id of the event of one change: an object's number, the version after the change,
    /// and the position of the event within the change. The same change gives the same id.
    pub fn of_change(shard: u64, object: u64, version: u64, place: u8) -> Self {
        let change = spread(object ^ spread(version)).wrapping_add(u64::from(place));
        Self { shard, number: spread(change) & (NUMBER_BOUND - 1) }
    }
}

child_id!(
    EventId,
    "evt_",
    |id: EventId| (id.shard, u128::from(id.number)),
    |number, tail: u128| {
        let place = u64::try_from(tail).ok().filter(|place| *place < NUMBER_BOUND)?;
        Some(EventId { shard: number, number: place })
    }
);

/// A thin event. One stored event has up to two of them, and their ids follow from its id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThinEventId {
    /// The stored event.
    pub event: EventId,
    /// True for the thin event that tells how a refresh ended, which exists beside the other one.
    pub outcome: bool,
}

impl ThinEventId {
    /// The bits of the tail that hold the number of the event.
    const NUMBER_BITS: u32 = NUMBER_BOUND.trailing_zeros();

    /// The part of the tail above the number. It is 0 in the id of the event itself.
    fn form(self) -> u128 {
        if self.outcome { 2 } else { 1 }
    }
}

child_id!(
    ThinEventId,
    "evt_",
    |id: ThinEventId| {
        let tail = u128::from(id.event.number) | (id.form() << ThinEventId::NUMBER_BITS);
        (id.event.shard, tail)
    },
    |shard, tail: u128| {
        let number = u64::try_from(tail & u128::from(NUMBER_BOUND - 1)).ok()?;
        let event = EventId { shard, number };
        let both = [false, true].map(|outcome| ThinEventId { event, outcome });
        both.into_iter().find(|id| id.form() == tail >> ThinEventId::NUMBER_BITS)
    }
);
