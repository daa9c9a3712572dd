//! Objects that are only looked up and changed whole: customers, sessions, endpoints, test clocks.
//!
//! Their kinds are listed in one place, below. What the store must know of each, it says itself
//! ([`model::stored::Stored`]).

use crate::{Bounds, Listed, Page, Reply, Written};
use model::Word;
use model::clock::{AccountTime, ServerTime, TestClock};
use model::connected_account::{ConnectedAccount, PlatformTie};
use model::connections_settings::ConnectionsSettings;
use model::customer::Customer;
use model::endpoint::Endpoint;
use model::event::Event;
use model::fault::Fault;
use model::id::{ClockId, CustomerId, MerchantId};
use model::link::LinkFlow;
use model::payments::checkout::CheckoutSession;
use model::payments::dispute::Dispute;
use model::payments::intent::Intent;
use model::payments::invoice::{Invoice, InvoiceItem};
use model::payments::mandate::Mandate;
use model::payments::method_configuration::MethodConfiguration;
use model::payments::payment_method::PaymentMethod;
use model::payments::product::{Price, Product};
use model::payments::subscription::Subscription;
use model::scenario::Scenario;
use model::session::Session;
use model::snapshot::SandboxSnapshot;
use model::stored::{Lookup, Stored};
use model::token::BankAccountToken;
use sha2::{Digest, Sha256};

/// Declares the kinds of objects, one line each: the variant of both enums, its type, and the word
/// that stands in the database. A macro, since a kind must not be able to lack any of it.
macro_rules! objects {
    ($($(#[doc = $doc:literal])+ $(#[cfg($cfg:meta)])? $kind:ident($type:ty) = $word:literal,)+) => {
        /// The kind of an object; part of its key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])+ $(#[cfg($cfg)])? $kind),+
        }

        /// An object as a row.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Object {
            $($(#[doc = $doc])+ $(#[cfg($cfg)])? $kind($type)),+
        }

        impl Word for Kind {
            const ALL: &'static [Self] = &[$($(#[cfg($cfg)])? Self::$kind),+];

            fn word(self) -> &'static str {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind => $word),+
                }
            }
        }

        impl Object {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind(_) => Kind::$kind),+
                }
            }

            fn stored(&self) -> &dyn Stored {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind(stored) => stored),+
                }
            }

            fn stored_mut(&mut self) -> &mut dyn Stored {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind(stored) => stored),+
                }
            }

            /// All of it but its secret, as JSON.
            pub(crate) fn body(&self) -> serde_json::Result<String> {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind(stored) => serde_json::to_string(stored)),+
                }
            }

            /// An object from its body, without its secret.
            pub(crate) fn from_body(kind: Kind, body: &str) -> serde_json::Result<Self> {
                match kind {
                    $($(#[cfg($cfg)])? Kind::$kind => serde_json::from_str(body).map(Self::$kind)),+
                }
            }
        }
    };
}

objects! {
    /// A customer. Looked up by its e-mail address.
    Customer(Customer) = "customer",
    /// A Financial Connections Session. Looked up by the SHA-256 of its client secret, in hex.
    Session(Session) = "session",
    /// A webhook endpoint.
    Endpoint(Endpoint) = "endpoint",
    /// A test clock.
    TestClock(TestClock) = "test_clock",
    /// A Payment Intent. Looked up by the SHA-256 of its client secret, in hex.
    PaymentIntent(Intent) = "payment_intent",
    /// A Setup Intent. Looked up by the SHA-256 of its client secret, in hex.
    SetupIntent(Intent) = "setup_intent",
    /// A payment method.
    PaymentMethod(PaymentMethod) = "payment_method",
    /// The settings of Financial Connections; one row a merchant.
    ConnectionsSettings(ConnectionsSettings) = "connections_settings",
    /// A mandate.
    Mandate(Mandate) = "mandate",
    /// One run of a link flow in a browser. Looked up by the address under which its accounts are
    /// to be found again.
    LinkFlow(LinkFlow) = "link_flow",
    /// A Checkout Session. Looked up by the id of the intent that it made.
    Checkout(CheckoutSession) = "checkout_session",
    /// A dispute. Looked up by the id of its Payment Intent.
    Dispute(Dispute) = "dispute",
    /// A product.
    Product(Product) = "product",
    /// A price. Looked up by the id of its product.
    Price(Price) = "price",
    /// An invoice item.
    InvoiceItem(InvoiceItem) = "invoice_item",
    /// An invoice.
    Invoice(Invoice) = "invoice",
    /// A connected account, among the rows of its platform.
    ConnectedAccount(ConnectedAccount) = "connected_account",
    /// Whose a connected account is, among its own rows; one row a merchant.
    PlatformTie(PlatformTie) = "platform_tie",
    /// A subscription.
    Subscription(Subscription) = "subscription",
    /// A token of bank account numbers.
    Token(BankAccountToken) = "token",
    /// A configuration of payment methods. Looked up by whether it is active.
    MethodConfiguration(MethodConfiguration) = "payment_method_configuration",
    /// A fault on demand.
    Fault(Fault) = "fault",
    /// A snapshot of a sandbox. No snapshot holds snapshots.
    Snapshot(SandboxSnapshot) = "snapshot",
    /// A scenario of test banks.
    Scenario(Scenario) = "scenario",
    /// What falls due in the tests of this crate.
    #[cfg(test)]
    Alarm(crate::due_tests::Alarm) = "alarm",
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

/// Makes and replaces several objects in one: those at version 1 are made, the others replace the
/// version one below. If one does not fit the answer is `Stale` and nothing is written.
#[derive(Clone, Debug)]
pub struct ChangeObjects {
    /// The objects, in order: all of one merchant, or of a platform and its connected account. An
    /// object may come more than once, each time one version on.
    pub objects: Vec<Object>,
    /// What happened.
    pub events: Vec<Event>,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(ChangeObjects => Changed, object::change_many);

/// What became of several objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    /// Committed.
    Done,
    /// An object is there already that was to be made, or the stored version of one that was to be
    /// replaced is not one below the new one.
    Stale,
    /// The idempotency key has an answer already.
    KeyTaken,
    /// The server has as many merchants as it may ([`model::limits::MERCHANTS_MAX`]).
    MerchantsFull,
}

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
    /// Which of them.
    pub of: ObjectsOf,
    /// Only those made within.
    pub created: Bounds,
    /// Which page.
    pub page: Page<ObjectPlace>,
}

reads!(ListObjects => Listed<Object>, object::list);

/// Which objects a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsOf {
    /// All, whatever their clock.
    All,
    /// Those with this lookup text, whatever their clock.
    Lookup(String),
    /// Those of one customer, whatever their clock.
    Customer(CustomerId),
    /// Those on one test clock.
    Clock {
        /// Which.
        clock: ClockId,
        /// Only those with this lookup text.
        lookup: Option<String>,
    },
    /// Those on no test clock.
    NoClock {
        /// Only those with this lookup text.
        lookup: Option<String>,
    },
}

/// Lists objects of any merchant and kind, on no test clock, on which something is due at `now`:
/// the longest due first, then the oldest. Answers `Vec<Object>`.
#[derive(Clone, Copy, Debug)]
pub struct ListDueObjects {
    /// The time of objects without a clock.
    pub now: AccountTime,
    /// The most objects.
    pub limit: usize,
}

reads!(ListDueObjects => Vec<Object>, object::list_due);

impl Object {
    /// Whose it is.
    pub fn merchant(&self) -> MerchantId {
        self.stored().merchant()
    }

    /// The number of its id.
    pub fn number(&self) -> u64 {
        self.stored().number()
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.stored().version()
    }

    /// When it was made.
    pub fn created(&self) -> AccountTime {
        self.stored().created()
    }

    /// The customer it belongs to.
    pub fn customer(&self) -> Option<CustomerId> {
        self.stored().customer()
    }

    /// The test clock it hangs on.
    pub fn clock(&self) -> Option<ClockId> {
        self.stored().clock()
    }

    /// Whether lists leave it out.
    pub fn deleted(&self) -> bool {
        self.stored().deleted()
    }

    /// When something falls due on it by itself. On a deleted object nothing does.
    pub fn due_at(&self) -> Option<AccountTime> {
        self.stored().due_at().filter(|_| !self.deleted())
    }

    /// From when on it may be forgotten.
    pub(crate) fn forget_at(&self) -> Option<ServerTime> {
        self.stored().forget_at()
    }

    /// The text it is looked up by.
    pub(crate) fn lookup(&self) -> Option<String> {
        Some(match self.stored().lookup()? {
            Lookup::Text(text) => text,
            Lookup::Secret(secret) => secret_lookup(&secret),
        })
    }

    /// What must not stand in its body.
    pub(crate) fn secret(&self) -> Option<Vec<u8>> {
        self.stored().secret()
    }

    /// Sets the version of one that a restore brought back.
    pub(crate) fn set_version(&mut self, version: u64) {
        self.stored_mut().set_version(version);
    }

    /// Puts its secret back; answers whether it could be understood.
    #[must_use]
    pub(crate) fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        self.stored_mut().restore_secret(secret)
    }

    /// Where it stands in its list.
    pub fn place(&self) -> ObjectPlace {
        ObjectPlace { created: self.created(), number: self.number() }
    }
}

/// What stands for a secret that an object is looked up by: the secret itself is stored sealed.
fn secret_lookup(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
