//! Objects that are only looked up and changed whole: customers, sessions, endpoints, test clocks.

use crate::{Bounds, Listed, Page, Reply, Written};
use model::clock::{AccountTime, TestClock};
use model::customer::Customer;
use model::endpoint::Endpoint;
use model::event::Event;
use model::id::{ClockId, CustomerId, MerchantId};
use model::session::Session;
use sha2::{Digest, Sha256};

/// The kind of an object; part of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A customer.
    Customer,
    /// A Financial Connections Session.
    Session,
    /// A webhook endpoint.
    Endpoint,
    /// A test clock.
    TestClock,
}

/// An object as a row.
#[expect(clippy::large_enum_variant, reason = "moved a few times a request, never kept in bulk")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A customer. Looked up by its e-mail address.
    Customer(Customer),
    /// A Financial Connections Session. Looked up by the SHA-256 of its client secret, in hex.
    Session(Session),
    /// A webhook endpoint.
    Endpoint(Endpoint),
    /// A test clock.
    TestClock(TestClock),
}

/// Makes an object. The merchant's own row comes into being with its first object.
#[derive(Clone, Debug)]
pub struct CreateObject {
    /// The object, at version 1.
    pub object: Object,
    /// The most objects of this kind that the merchant may have, deleted ones left out.
    pub kind_max: Option<usize>,
    /// What happened.
    pub events: Vec<Event>,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(CreateObject => Created, object::create);

/// What became of a new object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Created {
    /// Committed.
    Done,
    /// The idempotency key has an answer already.
    KeyTaken,
    /// The merchant has as many of this kind as it may.
    KindFull,
    /// The server has as many merchants as it may ([`crate::StoreBounds`]).
    MerchantsFull,
}

/// Replaces an object. Answers [`crate::Written`]: `Stale` unless the stored version is one below
/// the new one (also when there is no such object).
#[derive(Clone, Debug)]
pub struct ChangeObject {
    /// The object, with its version raised by one.
    pub object: Object,
    /// What happened.
    pub events: Vec<Event>,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(ChangeObject => Written, object::change);

/// Finds an object by its number. Deleted ones are found.
#[derive(Clone, Copy, Debug)]
pub struct FindObject {
    /// Whose.
    pub merchant: MerchantId,
    /// Its kind.
    pub kind: Kind,
    /// The number of its id.
    pub number: u64,
}

reads!(FindObject => Option<Object>, object::find);

/// Finds the newest object of a kind with this lookup text. Deleted ones are left out.
#[derive(Clone, Debug)]
pub struct FindObjectByLookup {
    /// Whose.
    pub merchant: MerchantId,
    /// Its kind.
    pub kind: Kind,
    /// The text.
    pub lookup: String,
}

reads!(FindObjectByLookup => Option<Object>, object::find_by_lookup);

/// Where an object stands in its list: `created` descending, then number descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectPlace {
    /// When it was made.
    pub created: AccountTime,
    /// The number of its id.
    pub number: u64,
}

/// Lists objects of a kind, deleted ones left out. Answers `Listed<Object>`.
#[derive(Clone, Debug)]
pub struct ListObjects {
    /// Whose.
    pub merchant: MerchantId,
    /// Their kind.
    pub kind: Kind,
    /// Only those with this lookup text.
    pub lookup: Option<String>,
    /// Only those on this test clock; without one, only those on none.
    pub clock: Option<ClockId>,
    /// Only those made within.
    pub created: Bounds,
    /// Which page.
    pub page: Page<ObjectPlace>,
}

reads!(ListObjects => Listed<Object>, object::list);

impl Object {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Customer(_) => Kind::Customer,
            Self::Session(_) => Kind::Session,
            Self::Endpoint(_) => Kind::Endpoint,
            Self::TestClock(_) => Kind::TestClock,
        }
    }

    /// Whose it is.
    pub fn merchant(&self) -> MerchantId {
        match self {
            Self::Customer(customer) => customer.merchant,
            Self::Session(session) => session.merchant,
            Self::Endpoint(endpoint) => endpoint.merchant,
            Self::TestClock(clock) => clock.merchant,
        }
    }

    /// The number of its id.
    pub fn number(&self) -> u64 {
        match self {
            Self::Customer(customer) => customer.id.number(),
            Self::Session(session) => session.id.number(),
            Self::Endpoint(endpoint) => endpoint.id.number(),
            Self::TestClock(clock) => clock.id.number(),
        }
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        match self {
            Self::Customer(customer) => customer.version,
            Self::Session(session) => session.version,
            Self::Endpoint(endpoint) => endpoint.version,
            Self::TestClock(clock) => clock.version,
        }
    }

    /// When it was made.
    pub fn created(&self) -> AccountTime {
        match self {
            Self::Customer(customer) => customer.created,
            Self::Session(session) => session.created,
            Self::Endpoint(endpoint) => endpoint.created,
            Self::TestClock(clock) => clock.created,
        }
    }

    /// The customer it belongs to.
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::Session(session) => match session.holder {
                model::account::Holder::Customer(customer) => Some(customer),
                model::account::Holder::Account(_) => None,
            },
            Self::Customer(_) | Self::Endpoint(_) | Self::TestClock(_) => None,
        }
    }

    /// The test clock it hangs on.
    pub fn clock(&self) -> Option<ClockId> {
        match self {
            Self::Customer(customer) => customer.test_clock,
            Self::Session(session) => session.clock,
            Self::Endpoint(_) | Self::TestClock(_) => None,
        }
    }

    /// Whether lists leave it out.
    pub fn deleted(&self) -> bool {
        match self {
            Self::Customer(customer) => customer.deleted,
            Self::Endpoint(endpoint) => endpoint.deleted,
            Self::TestClock(clock) => clock.deleted,
            Self::Session(_) => false,
        }
    }

    /// The text it is looked up by.
    pub(crate) fn lookup(&self) -> Option<String> {
        match self {
            Self::Customer(customer) => customer.email.clone(),
            Self::Session(session) => Some(secret_lookup(&session.client_secret)),
            Self::Endpoint(_) | Self::TestClock(_) => None,
        }
    }

    /// Where it stands in its list.
    pub fn place(&self) -> ObjectPlace {
        ObjectPlace { created: self.created(), number: self.number() }
    }
}

impl Kind {
    /// The word that stands in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Session => "session",
            Self::Endpoint => "endpoint",
            Self::TestClock => "test_clock",
        }
    }
}

/// What a session is looked up by: its client secret is stored sealed, so a hash stands for it.
fn secret_lookup(client_secret: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(client_secret.as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
