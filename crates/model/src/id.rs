//! Typed ids. An id says where its row lives.
//!
//! A number of at most 63 bits stands behind every object, ordered by when it was made; the
//! database stores that number. Its text is the prefix, 11 base-62 digits of the number, and 13
//! digits that make the id complete:
//!
//! - for an object of its own (`cus_`, `fca_` …) a check that tells a mistyped id from a real one;
//! - for a child (`fctxn_`, `fctxnref_`, `evt_` …) the child's place under its parent, so that one
//!   key look-up finds it and its shard is known from the id alone.
//!
//! The alphabet is in ASCII order and the digits have a fixed width: ids sort as their numbers do.

use crate::digits::{read_digits, write_digits};
use crate::limits::BUCKETS;
use crate::time::{AccountTime, DAY_S};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

const NUMBER_DIGITS: usize = 11;
const TAIL_DIGITS: usize = 13;
/// Digits behind the prefix of every id.
pub const ID_DIGITS: usize = NUMBER_DIGITS + TAIL_DIGITS;
/// Numbers are below this, so that they fit a signed column.
const NUMBER_BOUND: u64 = 1 << 63;

/// The text is not an id of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not an id of this kind")
    }
}

impl std::error::Error for NotAnId {}

/// A bijection that spreads neighbouring numbers over all 64 bits.
fn spread(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn check(prefix: &str, number: u64) -> u128 {
    let salt = prefix.bytes().fold(0_u64, |salt, byte| salt.wrapping_mul(131) + u64::from(byte));
    let wide = spread(number ^ spread(salt));
    // 64 bits and 13 more fill the 13 digits of the tail.
    (u128::from(wide) << 13) | u128::from(spread(wide) >> 51)
}

fn text(prefix: &str, number: u64, tail: u128) -> IdText {
    let mut bytes = [0; IdText::BYTES_MAX];
    let (head, rest) = bytes.split_at_mut(prefix.len());
    head.copy_from_slice(prefix.as_bytes());
    write_digits(u128::from(number), &mut rest[..NUMBER_DIGITS]);
    write_digits(tail, &mut rest[NUMBER_DIGITS..ID_DIGITS]);
    IdText { bytes, length: prefix.len() + ID_DIGITS }
}

fn parse(prefix: &str, given: &str) -> Result<(u64, u128), NotAnId> {
    let digits = given.strip_prefix(prefix).ok_or(NotAnId)?.as_bytes();
    if digits.len() != ID_DIGITS {
        return Err(NotAnId);
    }
    let number = read_digits(&digits[..NUMBER_DIGITS]).ok_or(NotAnId)?;
    let tail = read_digits(&digits[NUMBER_DIGITS..]).ok_or(NotAnId)?;
    let number = u64::try_from(number).ok().filter(|number| *number < NUMBER_BOUND);
    Ok((number.ok_or(NotAnId)?, tail))
}

/// The text of an id, without an allocation.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; Self::BYTES_MAX],
    length: usize,
}

impl IdText {
    const BYTES_MAX: usize = 36;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        let Ok(text) = std::str::from_utf8(&self.bytes[..self.length]) else {
            unreachable!("prefixes and digits are ASCII")
        };
        text
    }
}

/// Reads an id from a text that it need not own: a stored account holds eight of them.
struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err = NotAnId>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the text of an id")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// An id of an object that stands alone.
macro_rules! number_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// What the text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id of a number; only the low 63 bits count.
            pub fn from_number(number: u64) -> Self {
                Self(number & (NUMBER_BOUND - 1))
            }

            /// The number, as the database stores it.
            pub fn number(self) -> u64 {
                self.0
            }

            /// The text, without an allocation.
            pub fn text(self) -> IdText {
                text($prefix, self.0, check($prefix, self.0))
            }
        }

        id_text!($name);

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(given: &str) -> Result<Self, NotAnId> {
                let (number, tail) = parse($prefix, given)?;
                if tail == check($prefix, number) { Ok(Self(number)) } else { Err(NotAnId) }
            }
        }
    };
}

/// What every id can do with its text.
macro_rules! id_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.text().as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.text().as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.text().as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }
    };
}

number_id!(
    /// A merchant: who holds API keys.
    MerchantId, "acct_"
);
number_id!(
    /// An issued API key.
    KeyId, "key_"
);
number_id!(
    /// A customer: the end user a bank account belongs to.
    CustomerId, "cus_"
);
number_id!(
    /// A Financial Connections Session: a carrier of a link flow.
    SessionId, "fcsess_"
);
number_id!(
    /// A linked bank account.
    AccountId, "fca_"
);
number_id!(
    /// The credentials of one link at one institution.
    AuthorizationId, "fcauth_"
);
number_id!(
    /// An institution that serves accounts.
    InstitutionId, "fcinst_"
);
number_id!(
    /// One run of a link flow in a browser.
    LinkFlowId, "lf_"
);
number_id!(
    /// A token of bank account numbers.
    TokenId, "btok_"
);
number_id!(
    /// A bank account as payments know it: by its numbers.
    BankAccountId, "ba_"
);
number_id!(
    /// A scenario: a file that says what happens at test banks.
    ScenarioId, "scn_"
);
number_id!(
    /// A webhook endpoint.
    EndpointId, "we_"
);
number_id!(
    /// A fault on demand.
    FaultId, "fault_"
);
number_id!(
    /// A test clock.
    ClockId, "clock_"
);
number_id!(
    /// A snapshot of a sandbox.
    SnapshotId, "snap_"
);
number_id!(
    /// One HTTP request.
    RequestId, "req_"
);
number_id!(
    /// A Payment Intent.
    PaymentIntentId, "pi_"
);
number_id!(
    /// A Setup Intent.
    SetupIntentId, "seti_"
);
number_id!(
    /// A payment method.
    PaymentMethodId, "pm_"
);
number_id!(
    /// A mandate: the holder's word that a payment method may be debited.
    MandateId, "mandate_"
);
number_id!(
    /// A Checkout Session of test mode.
    CheckoutId, "cs_test_"
);
number_id!(
    /// A Checkout Session of live mode.
    CheckoutLiveId, "cs_live_"
);
number_id!(
    /// Something that is paid for in a Checkout Session.
    LineItemId, "li_"
);
number_id!(
    /// A dispute.
    DisputeId, "du_"
);
number_id!(
    /// A product.
    ProductId, "prod_"
);
number_id!(
    /// A price of a product.
    PriceId, "price_"
);
number_id!(
    /// What stands on an invoice, or waits for one.
    InvoiceItemId, "ii_"
);
number_id!(
    /// An invoice.
    InvoiceId, "in_"
);
number_id!(
    /// A subscription.
    SubscriptionId, "sub_"
);
number_id!(
    /// What a subscription is for.
    SubscriptionItemId, "si_"
);
number_id!(
    /// A line of an invoice. Its number is that of its item.
    InvoiceLineId, "il_"
);
number_id!(
    /// What is paid towards an invoice. Its number is that of its Payment Intent.
    InvoicePaymentId, "inpay_"
);
number_id!(
    /// A configuration of payment methods.
    MethodConfigurationId, "pmc_"
);

impl MerchantId {
    /// The merchant of a secret key: the same on every server and after a restart.
    pub fn of_key(secret_key: &str) -> Self {
        Self::from_number(hash_number(&[b"merchant", secret_key.as_bytes()]))
    }

    /// The merchant as which a connected account of a platform acts: of the same account, another
    /// one for each platform.
    pub fn of_connected(platform: Self, account: &str) -> Self {
        let platform = platform.0.to_be_bytes();
        Self::from_number(hash_number(&[b"connected", &platform, account.as_bytes()]))
    }

    /// Whose rows those of live mode are, for a merchant as it is named in test mode: another one,
    /// so that no look-up can cross the modes.
    #[must_use]
    pub fn in_live_mode(self) -> Self {
        Self::from_number(hash_number(&[b"live", &self.0.to_le_bytes()]))
    }
}

impl AccountId {
    /// The part of the accounts that this one belongs to, for claims and for the daily work.
    pub fn bucket(self) -> u32 {
        let Ok(bucket) = u32::try_from(spread(self.0) % u64::from(BUCKETS)) else {
            unreachable!("a remainder is smaller than its divisor")
        };
        bucket
    }

    /// The second of the day at which the daily work of this account falls due.
    pub fn daily_second(self) -> i64 {
        (spread(self.0 ^ 0x5ca1_ab1e) % DAY_S.unsigned_abs()).cast_signed()
    }
}

/// The first 63 bits of a SHA-256 over the parts, each preceded by its length.
pub fn hash_number(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let first = std::array::from_fn(|place| digest[place]);
    u64::from_le_bytes(first) & (NUMBER_BOUND - 1)
}

/// A child's id: the parent's number and a place of up to 77 bits under it.
macro_rules! child_id {
    ($name:ident, $prefix:literal, $to:expr, $from:expr) => {
        impl $name {
            /// What the text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The text, without an allocation.
            pub fn text(self) -> IdText {
                let (number, tail): (u64, u128) = $to(self);
                text($prefix, number, tail)
            }
        }

        id_text!($name);

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(given: &str) -> Result<Self, NotAnId> {
                let (number, tail) = parse($prefix, given)?;
                let id: Option<Self> = $from(number, tail);
                id.filter(|id| id.text().as_str() == given).ok_or(NotAnId)
            }
        }
    };
}

/// A transaction: its account and its place in the account's list.
///
/// The place is the `transacted_at` it was first stored with, which never changes, and the ordinal
/// of the row within the account; order by id is the order of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId {
    /// The account.
    pub account: AccountId,
    /// The `transacted_at` that the row was first stored with.
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
        (id.account.0, (seconds << 32) | u128::from(id.ordinal))
    },
    |number, tail: u128| {
        let listed_at = i64::try_from(tail >> 32).ok().filter(|at| *at <= LISTED_AT_MAX)?;
        let listed_at = AccountTime(listed_at);
        let ordinal = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(TransactionId { account: AccountId(number), listed_at, ordinal })
    }
);

/// The latest `listed_at` that fits an id: the year 36812.
pub const LISTED_AT_MAX: i64 = (1 << 40) - 1;

/// A transaction refresh: its account and its sequence number there, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefreshId {
    /// The account.
    pub account: AccountId,
    /// The place in the order of the account's transaction refreshes.
    pub sequence: u32,
}

child_id!(
    RefreshId,
    "fctxnref_",
    |id: RefreshId| {
        // The check keeps an id of one account from being read as one of another.
        let check = u128::from(spread(id.account.0 ^ u64::from(id.sequence)) >> 24);
        (id.account.0, (check << 32) | u128::from(id.sequence))
    },
    |number, tail: u128| {
        let sequence = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(RefreshId { account: AccountId(number), sequence })
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
        let check = u128::from(spread(id.account.0 ^ (u64::from(id.sequence) << 1)) >> 24);
        (id.account.0, (check << 32) | u128::from(id.sequence))
    },
    |number, tail: u128| {
        let sequence = u32::try_from(tail & u128::from(u32::MAX)).ok()?;
        Some(OwnershipId { account: AccountId(number), sequence })
    }
);

/// One owner within a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId {
    /// The snapshot.
    pub ownership: OwnershipId,
    /// The place within the snapshot, from 0.
    pub index: u8,
}

child_id!(
    OwnerId,
    "fcaown_",
    |id: OwnerId| {
        let place = (u64::from(id.ownership.sequence) << 8) | u64::from(id.index);
        let check = u128::from(spread(id.ownership.account.0 ^ place) >> 32);
        (id.ownership.account.0, (check << 40) | u128::from(place))
    },
    |number, tail: u128| {
        let place = u64::try_from(tail & ((1 << 40) - 1)).ok()?;
        let sequence = u32::try_from(place >> 8).ok()?;
        let index = u8::try_from(place & 0xff).ok()?;
        Some(OwnerId { ownership: OwnershipId { account: AccountId(number), sequence }, index })
    }
);

/// An event: the shard its row lives in (an account's number, or the merchant's) and a number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The number of the account that the event is about, else of the merchant.
    pub shard: u64,
    /// A number within the shard, of at most 63 bits.
    pub number: u64,
}

impl EventId {
    /// The event of one change: an object's number, the version that the change gave it, and the
    /// place of the event among those of the change. The same change gives the same id.
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

#[cfg(test)]
mod tests;
