//! Stored objects: objects that the store looks up and changes as a whole.
//!
//! Such an object is one row. The row's body holds its fields. The values that [`Stored`] returns
//! are in columns of their own, for keys, lists and due work. The values of its filters are in an
//! index. A new object implements this trait here and is named once in the store.

mod filter;
mod kind;

pub use filter::{Filter, clock_value, on_clock, period_value};
pub use kind::{PaymentIntent, SetupIntent, StoredKind};
pub use time_range::{range_values, time_values};

use crate::account::Holder;
use crate::clock::{AccountTime, ServerTime, TestClock};
use crate::connected_account::{ConnectedAccount, PlatformTie};
use crate::connections_settings::ConnectionsSettings;
use crate::customer::Customer;
use crate::endpoint::Endpoint;
use crate::id::{ClockId, CustomerId, MerchantId};
use crate::limits::LINK_FLOW_KEPT_MS_MAX;
use crate::link::{LinkFlow, Offer};
use crate::session::{Session, SessionStatus};
use crate::snapshot::SandboxSnapshot;
use crate::token::BankAccountToken;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The text that an object is looked up by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A text that may be stored as it is.
    Text(String),
    /// A secret text. The database stores its SHA-256 in hex.
    Secret(String),
}

/// An object that the store looks up and changes as a whole.
pub trait Stored {
    /// Returns the merchant that owns it.
    fn merchant(&self) -> MerchantId;

    /// Returns the number of its id.
    fn number(&self) -> u64;

    /// Returns its version: 1 at creation, raised by one by every change.
    fn version(&self) -> u64;

    /// Sets the version of a restored object.
    fn set_version(&mut self, version: u64);

    /// Returns the time of creation.
    fn created(&self) -> AccountTime;

    /// Returns the customer that it belongs to.
    fn customer(&self) -> Option<CustomerId> {
        None
    }

    /// Returns the test clock that it belongs to.
    fn clock(&self) -> Option<ClockId> {
        None
    }

    /// True if it was deleted. Lists leave it out.
    fn deleted(&self) -> bool {
        false
    }

    /// Returns the time at which its next due work is due, by its clock.
    fn due_at(&self) -> Option<AccountTime> {
        None
    }

    /// Returns the server time from which it may be pruned. `None` if it is never pruned.
    fn forget_at(&self) -> Option<ServerTime> {
        None
    }

    /// Returns the text that it is looked up by.
    fn lookup(&self) -> Option<Lookup> {
        None
    }

    /// Returns the values by which lists with a filter select it. A filter may have several values.
    /// The values must follow from the body alone, because a migration reads it without the secret.
    fn filters(&self) -> Vec<(Filter, String)> {
        Vec::new()
    }

    /// Returns the fields that must not be readable in the database. They are left out of the body
    /// (`#[serde(skip)]`), and the store seals these bytes.
    fn secret(&self) -> Option<Vec<u8>> {
        None
    }

    /// Restores the fields that [`Stored::secret`] returned, into an object that was read without
    /// them. Returns true if the bytes could be read.
    #[must_use]
    fn restore_secret(&mut self, _secret: Vec<u8>) -> bool {
        false
    }
}

/// Returns the JSON of secret fields, which the store seals.
fn sealed(secrets: &impl Serialize) -> Vec<u8> {
    match serde_json::to_vec(secrets) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("texts, bytes and integers always become JSON: {error}"),
    }
}

/// Implements the methods that read a field with the method's name. The argument is the path of the
/// number. A macro, because a method of the trait cannot read a field.
macro_rules! common {
    ($($number:tt)+) => {
        fn merchant(&self) -> MerchantId {
            self.merchant
        }

        fn number(&self) -> u64 {
            self.$($number)+
        }

        fn version(&self) -> u64 {
            self.version
        }

        fn set_version(&mut self, version: u64) {
            self.version = version;
        }

        fn created(&self) -> AccountTime {
            self.created
        }
    };
}

mod payments;
mod time_range;

impl Stored for Customer {
    common!(id.number());

    /// A deletion is completed in real time, because its clock may be deleted too.
    fn clock(&self) -> Option<ClockId> {
        self.test_clock.filter(|_| self.deletion_due.is_none())
    }

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.deletion_due
    }

    fn lookup(&self) -> Option<Lookup> {
        self.email.clone().map(Lookup::Text)
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let clock = self.test_clock;
        let mut values = vec![(Filter::Clock, clock_value(clock))];
        let email = self.email.as_deref().map(|email| on_clock(clock, email));
        values.extend(email.map(|value| (Filter::EmailOnClock, value)));
        let prefix = self.invoice_prefix.clone();
        values.extend(prefix.map(|prefix| (Filter::InvoicePrefix, prefix)));
        values
    }
}

impl Stored for Session {
    common!(id.number());

    fn customer(&self) -> Option<CustomerId> {
        match self.holder {
            Some(Holder::Customer(customer)) => Some(customer),
            _ => None,
        }
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Secret(self.client_secret.clone()))
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let is_open = self.hosted.is_some() && self.status != SessionStatus::Succeeded;
        let relink = self.relink.iter().filter(|_| is_open);
        relink.map(|relink| (Filter::HostedRelink, relink.authorization.to_string())).collect()
    }

    fn secret(&self) -> Option<Vec<u8>> {
        Some(self.client_secret.clone().into_bytes())
    }

    fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        let text = String::from_utf8(secret);
        text.map(|text| self.client_secret = text).is_ok()
    }
}

impl Stored for BankAccountToken {
    common!(id.number());

    fn secret(&self) -> Option<Vec<u8>> {
        Some(self.account_number.clone().into_bytes())
    }

    fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        String::from_utf8(secret).map(|digits| self.account_number = digits).is_ok()
    }
}

impl Stored for Endpoint {
    common!(id.number());

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn secret(&self) -> Option<Vec<u8>> {
        Some(sealed(&self.secrets))
    }

    fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        serde_json::from_slice(&secret).map(|secrets| self.secrets = secrets).is_ok()
    }
}

/// The fields of a link flow that are sealed.
#[derive(Serialize, Deserialize)]
struct FlowSecrets<'a> {
    secret: Cow<'a, str>,
    login: Cow<'a, [u8]>,
    offers: Cow<'a, [Offer]>,
}

impl Stored for LinkFlow {
    common!(id.number());

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn forget_at(&self) -> Option<ServerTime> {
        // A holder who saved accounts is found again by the flow that saved them.
        (!self.is_saved()).then(|| self.begun.plus_ms(LINK_FLOW_KEPT_MS_MAX))
    }

    fn lookup(&self) -> Option<Lookup> {
        if self.is_saved() {
            return self.run.sign_up.clone().map(Lookup::Text);
        }
        // The next flow of the carrier continues this one. An id has no @, so it is no address.
        let waits = self.left && self.run.end().is_none();
        waits.then(|| Lookup::Text(self.carrier.clone()))
    }

    fn secret(&self) -> Option<Vec<u8>> {
        let secrets = FlowSecrets {
            secret: Cow::Borrowed(&self.secret),
            login: Cow::Borrowed(&self.run.login),
            offers: Cow::Borrowed(&self.run.offers),
        };
        Some(sealed(&secrets))
    }

    fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        let Ok(secrets) = serde_json::from_slice::<FlowSecrets<'_>>(&secret) else { return false };
        self.secret = secrets.secret.into_owned();
        self.run.login = secrets.login.into_owned();
        self.run.offers = secrets.offers.into_owned();
        true
    }
}

impl Stored for SandboxSnapshot {
    common!(id.number());
}

impl Stored for TestClock {
    common!(id.number());

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.deletion_due
    }
}

impl Stored for ConnectionsSettings {
    fn merchant(&self) -> MerchantId {
        self.merchant
    }

    fn number(&self) -> u64 {
        Self::NUMBER
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }

    fn created(&self) -> AccountTime {
        self.created
    }
}

impl Stored for ConnectedAccount {
    fn merchant(&self) -> MerchantId {
        self.merchant
    }

    fn number(&self) -> u64 {
        Self::number_of(&self.account)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }

    fn created(&self) -> AccountTime {
        self.created
    }

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.deletion_due
    }
}

impl Stored for PlatformTie {
    fn merchant(&self) -> MerchantId {
        self.merchant
    }

    fn number(&self) -> u64 {
        Self::NUMBER
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }

    fn created(&self) -> AccountTime {
        self.created
    }

    fn deleted(&self) -> bool {
        self.deleted
    }
}
