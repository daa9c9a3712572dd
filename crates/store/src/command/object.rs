//! Objects that are read and replaced as a whole: customers, sessions, endpoints, test clocks and
//! others.
//!
//! Their kinds are listed once, below. Each type implements [`model::stored::Stored`], which gives
//! the store everything it needs to know of an object.

use crate::command::summary;
use crate::{Bounds, IdempotencyRecord, Listed, ObjectsOf, Page, Precondition, Written};
use model::Word;
use model::clock::{AccountTime, ServerTime, TestClock};
use model::connected_account::{ConnectedAccount, PlatformTie};
use model::connections_settings::ConnectionsSettings;
use model::customer::Customer;
use model::endpoint::Endpoint;
use model::event::Event;
use model::id::{ClockId, CustomerId, FaultId, MerchantId, ScenarioId};
use model::link::LinkFlow;
use model::opaque::OpaqueObject;
use model::payments::charge::Charge;
use model::payments::checkout::CheckoutSession;
use model::payments::confirmation_token::ConfirmationToken;
use model::payments::dispute::Dispute;
use model::payments::intent::Intent;
use model::payments::invoice::{Invoice, InvoiceItem};
use model::payments::mandate::Mandate;
use model::payments::method_configuration::MethodConfiguration;
use model::payments::payment_method::PaymentMethod;
use model::payments::product::{Price, Product};
use model::payments::refund::Refund;
use model::payments::subscription::Subscription;
use model::session::Session;
use model::snapshot::SandboxSnapshot;
use model::stored::{Filter, Lookup, Stored, StoredKind};
use model::token::BankAccountToken;
use sha2::{Digest, Sha256};

/// A kind of objects as a type, with its row.
pub trait StoredObject: StoredKind {
    /// The kind's value.
    const KIND: Kind;

    /// The object in a row, or `None` if the row has another kind.
    fn from_object(object: Object) -> Option<Self::Object>;

    /// The object in a borrowed row, or `None` if the row has another kind.
    fn of_object(object: &Object) -> Option<&Self::Object>;

    /// The row of an object.
    fn into_object(object: Self::Object) -> Object;
}

/// The type of a kind's objects, unless a line names another.
macro_rules! type_of_kind {
    ($type:ty) => {
        $type
    };
    ($type:ty, $of:ty) => {
        $of
    };
}

/// Declares the kinds of objects, one line each: the variant of both enums, its type, and its word in
/// the database. If several kinds share a type of objects, `of` names the type that represents the
/// kind. It is a macro, so that a kind cannot lack one of these.
macro_rules! objects {
    ($(
        $(#[doc = $doc:literal])+
        $(#[cfg($cfg:meta)])?
        $kind:ident($type:ty) $(of $of:ty)? = $word:literal,
    )+) => {
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

        impl Kind {
            /// The name in error messages, as in "No such invoice".
            pub fn name(self) -> &'static str {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind => {
                        <type_of_kind!($type $(, $of)?) as StoredKind>::NAME
                    }),+
                }
            }

            /// The number of the object that this text is the id of, or `None` if the text is no id
            /// of this kind.
            pub fn parse_number(self, text: &str) -> Option<u64> {
                match self {
                    $($(#[cfg($cfg)])? Self::$kind => {
                        <type_of_kind!($type $(, $of)?) as StoredKind>::parse_number(text)
                    }),+
                }
            }
        }

        $($(#[cfg($cfg)])? impl StoredObject for type_of_kind!($type $(, $of)?) {
            const KIND: Kind = Kind::$kind;

            fn from_object(object: Object) -> Option<$type> {
                match object {
                    Object::$kind(object) => Some(object),
                    _ => None,
                }
            }

            fn of_object(object: &Object) -> Option<&$type> {
                match object {
                    Object::$kind(object) => Some(object),
                    _ => None,
                }
            }

            fn into_object(object: $type) -> Object {
                Object::$kind(object)
            }
        })+

        impl Object {
            /// The object's kind.
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

            /// The object without its secret, as JSON.
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
    PaymentIntent(Intent) of model::stored::PaymentIntent = "payment_intent",
    /// A Setup Intent. Looked up by the SHA-256 of its client secret, in hex.
    SetupIntent(Intent) of model::stored::SetupIntent = "setup_intent",
    /// A payment method.
    PaymentMethod(PaymentMethod) = "payment_method",
    /// The settings of Financial Connections, one row for each merchant.
    ConnectionsSettings(ConnectionsSettings) = "connections_settings",
    /// A mandate.
    Mandate(Mandate) = "mandate",
    /// A link flow in a browser. Looked up by the e-mail address under which its accounts can be
    /// found again.
    LinkFlow(LinkFlow) = "link_flow",
    /// A Checkout Session. Looked up by the id of the intent that it created.
    Checkout(CheckoutSession) = "checkout_session",
    /// A charge. Looked up by the id of its Payment Intent.
    Charge(Charge) = "charge",
    /// A refund. Looked up by the id of its charge.
    Refund(Refund) = "refund",
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
    /// The platform of a connected account, among the connected account's own rows. One row for
    /// each merchant.
    PlatformTie(PlatformTie) = "platform_tie",
    /// A subscription.
    Subscription(Subscription) = "subscription",
    /// A token of bank account numbers.
    Token(BankAccountToken) = "token",
    /// A confirmation token.
    ConfirmationToken(ConfirmationToken) = "confirmation_token",
    /// A configuration of payment methods. Looked up by its state, active or not.
    MethodConfiguration(MethodConfiguration) = "payment_method_configuration",
    /// A fault on demand. Only the laboratory knows its fields.
    Fault(OpaqueObject<FaultId>) = "fault",
    /// A snapshot of a sandbox. Snapshots contain no snapshots.
    Snapshot(SandboxSnapshot) = "snapshot",
    /// A scenario of test banks. Only the laboratory knows its fields.
    Scenario(OpaqueObject<ScenarioId>) = "scenario",
    /// An object with due work, which only the tests of this crate have.
    #[cfg(test)]
    Alarm(crate::due_tests::Alarm) = "alarm",
}

/// Creates an object. The merchant's own row is created with its first object.
#[derive(Clone, Debug)]
pub struct CreateObject {
    /// The object, at version 1.
    pub object: Object,
    /// The facts that the decision rests on.
    pub requires: Vec<Precondition>,
    /// The maximum number of this kind that the merchant may have. Deleted objects do not count.
    pub kind_max: Option<usize>,
    /// Events to emit.
    pub events: Vec<Event>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

impl CreateObject {
    /// The creation of an object, without a maximum, events, idempotency record and preconditions.
    pub fn of(object: Object) -> Self {
        Self { object, requires: vec![], kind_max: None, events: vec![], reply: None }
    }
}

writes!(CreateObject => Created, object::create, summary::of_create; prepared::of_create);

/// The result of creating an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Created {
    /// Committed.
    Done,
    /// The idempotency key has a record already.
    KeyTaken,
    /// A version conflict: a precondition does not hold.
    VersionConflict,
    /// The merchant has the maximum number of this kind.
    KindFull,
    /// The server has the maximum number of merchants ([`crate::StoreBounds`]).
    MerchantsFull,
}

/// Replaces an object. Returns [`crate::Written`]. It is a version conflict unless the stored
/// version is one below the new one, which includes an object that does not exist.
#[derive(Clone, Debug)]
pub struct ChangeObject {
    /// The object, with its version raised by one.
    pub object: Object,
    /// The facts that the decision rests on.
    pub requires: Vec<Precondition>,
    /// Events to emit.
    pub events: Vec<Event>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

impl ChangeObject {
    /// The change of an object, without events, idempotency record and preconditions.
    pub fn of(object: Object) -> Self {
        Self { object, requires: vec![], events: vec![], reply: None }
    }
}

writes!(ChangeObject => Written, object::change, summary::of_change; prepared::of_change);

/// Creates and replaces several objects in one command. An object at version 1 is created, and any
/// other replaces the version one below. If one of them conflicts, or a precondition does not hold,
/// the command is a version conflict and writes no rows.
#[derive(Clone, Debug)]
pub struct ChangeObjects {
    /// The objects, in order. They belong to one merchant, or to a platform and its connected
    /// account. An object may occur several times, each time one version later.
    pub objects: Vec<Object>,
    /// The facts that the decision rests on.
    pub requires: Vec<Precondition>,
    /// Events to emit.
    pub events: Vec<Event>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

impl ChangeObjects {
    /// The change of objects, without events, idempotency record and preconditions.
    pub fn of(objects: Vec<Object>) -> Self {
        Self { objects, requires: vec![], events: vec![], reply: None }
    }
}

writes!(ChangeObjects => Changed, object::change_many, summary::of_changes; prepared::of_changes);

/// The result of changing several objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    /// Committed.
    Done,
    /// A version conflict: an object to create exists, the stored version of an object to replace
    /// is not one below the new one, or a precondition does not hold.
    VersionConflict,
    /// The idempotency key has a record already.
    KeyTaken,
    /// The server has the maximum number of merchants ([`model::limits::MERCHANTS_MAX`]).
    MerchantsFull,
}

/// Finds an object by its number, deleted or not.
#[derive(Clone, Copy, Debug)]
pub struct FindObject {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The kind.
    pub kind: Kind,
    /// The number of the object's id.
    pub number: u64,
}

reads!(FindObject => Option<Object>, object::find);

/// Finds the newest object of a kind with a lookup text. Deleted objects are left out.
#[derive(Clone, Debug)]
pub struct FindObjectByLookup {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The kind.
    pub kind: Kind,
    /// The lookup text.
    pub lookup: String,
}

reads!(FindObjectByLookup => Option<Object>, object::find_by_lookup);

/// The position of an object in its list: `created` descending, then number descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectPlace {
    /// The time of its creation.
    pub created: AccountTime,
    /// The number of the object's id.
    pub number: u64,
}

/// Lists objects of a kind, without deleted ones. Returns `Listed<Object>`.
#[derive(Clone, Debug)]
pub struct ListObjects {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The kind.
    pub kind: Kind,
    /// The filter of the list.
    pub of: ObjectsOf,
    /// The bounds of the objects' `created`.
    pub created: Bounds,
    /// The page to return.
    pub page: Page<ObjectPlace>,
}

reads!(ListObjects => Listed<Object>, object::list);

/// Lists objects with work that is due at `now`, of every merchant and kind, without a test clock.
/// The longest due object comes first, then the oldest. Merchants take turns. Returns `Vec<Object>`.
#[derive(Clone, Copy, Debug)]
pub struct ListDueObjects {
    /// The current time of objects without a clock.
    pub now: AccountTime,
    /// The maximum number of objects.
    pub limit: usize,
}

reads!(ListDueObjects => Vec<Object>, object::list_due, for all);

impl Object {
    /// The merchant that owns the object.
    pub fn merchant(&self) -> MerchantId {
        self.stored().merchant()
    }

    /// The number of the object's id.
    pub fn number(&self) -> u64 {
        self.stored().number()
    }

    /// The object's version.
    pub fn version(&self) -> u64 {
        self.stored().version()
    }

    /// The time of its creation.
    pub fn created(&self) -> AccountTime {
        self.stored().created()
    }

    /// The customer that the object belongs to.
    pub fn customer(&self) -> Option<CustomerId> {
        self.stored().customer()
    }

    /// The object's test clock.
    pub fn clock(&self) -> Option<ClockId> {
        self.stored().clock()
    }

    /// True if the object is deleted. Lists leave it out.
    pub fn deleted(&self) -> bool {
        self.stored().deleted()
    }

    /// The values by which lists with a filter select the object, sorted and each once. A deleted
    /// object has only those that stay taken.
    pub fn filters(&self) -> Vec<(Filter, String)> {
        let mut values = self.stored().filters();
        if self.deleted() {
            values.retain(|(filter, _)| filter.stays_taken());
        }
        values.sort_unstable();
        values.dedup();
        let known = self.kind().filters();
        debug_assert!(values.iter().all(|(filter, _)| known.contains(filter)), "{values:?}");
        values
    }

    /// The time of the object's next due work. The due work of a deleted object is the rest of its
    /// deletion.
    pub fn due_at(&self) -> Option<AccountTime> {
        self.stored().due_at()
    }

    /// The time from which on the pruner may delete the object.
    pub(crate) fn forget_at(&self) -> Option<ServerTime> {
        self.stored().forget_at()
    }

    /// The text by which the object is looked up.
    pub(crate) fn lookup(&self) -> Option<String> {
        Some(match self.stored().lookup()? {
            Lookup::Text(text) => text,
            Lookup::Secret(secret) => secret_lookup(&secret),
        })
    }

    /// The secret, which is not part of the body.
    pub(crate) fn secret(&self) -> Option<Vec<u8>> {
        self.stored().secret()
    }

    /// Sets the version of an object that a restore brings back.
    pub(crate) fn set_version(&mut self, version: u64) {
        self.stored_mut().set_version(version);
    }

    /// Puts the secret back. Returns true if it could be parsed.
    #[must_use]
    pub(crate) fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        self.stored_mut().restore_secret(secret)
    }

    /// The object's position in its list.
    pub fn place(&self) -> ObjectPlace {
        ObjectPlace { created: self.created(), number: self.number() }
    }
}

/// The lookup text of a secret. It is a hash, because the secret itself is stored sealed.
fn secret_lookup(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
