//! What the store must know of an object that is only looked up and changed whole.
//!
//! Such an object is one row: its fields stand in the row's body, and what [`Stored`] answers stands
//! beside it, for keys, lists and what falls due. A new object implements this trait here and is
//! named once in the store.

mod kind;

pub use kind::{PaymentIntent, SetupIntent, StoredKind};

use crate::account::Holder;
use crate::clock::{AccountTime, ServerTime, TestClock};
use crate::connected_account::{ConnectedAccount, PlatformTie};
use crate::connections_settings::ConnectionsSettings;
use crate::customer::Customer;
use crate::endpoint::Endpoint;
use crate::fault::Fault;
use crate::id::{ClockId, CustomerId, MerchantId};
use crate::limits::LINK_FLOW_KEPT_MS_MAX;
use crate::link::{FlowEnd, LinkFlow, Offer};
use crate::scenario::Scenario;
use crate::session::Session;
use crate::snapshot::SandboxSnapshot;
use crate::token::BankAccountToken;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The text that an object is looked up by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A text that may stand in the database as it is.
    Text(String),
    /// A text that may not: its SHA-256, in hex, stands for it.
    Secret(String),
}

/// An object that is only looked up and changed whole.
pub trait Stored {
    /// Whose it is.
    fn merchant(&self) -> MerchantId;

    /// The number of its id.
    fn number(&self) -> u64;

    /// Its version: 1 at first, raised by one by every change.
    fn version(&self) -> u64;

    /// Sets the version of an object that a restore brought back.
    fn set_version(&mut self, version: u64);

    /// When it was made.
    fn created(&self) -> AccountTime;

    /// The customer it belongs to.
    fn customer(&self) -> Option<CustomerId> {
        None
    }

    /// The test clock it hangs on.
    fn clock(&self) -> Option<ClockId> {
        None
    }

    /// Whether lists leave it out.
    fn deleted(&self) -> bool {
        false
    }

    /// When something falls due on it by itself, by its clock.
    fn due_at(&self) -> Option<AccountTime> {
        None
    }

    /// From when on it may be forgotten, by the server's time; never, if there is none.
    fn forget_at(&self) -> Option<ServerTime> {
        None
    }

    /// What it is looked up by.
    fn lookup(&self) -> Option<Lookup> {
        None
    }

    /// What must not stand readable in the database. Its fields are left out of the body
    /// (`#[serde(skip)]`); the store keeps these bytes sealed.
    fn secret(&self) -> Option<Vec<u8>> {
        None
    }

    /// Puts back what [`Stored::secret`] gave, into an object read without it. Answers whether the
    /// bytes could be understood.
    #[must_use]
    fn restore_secret(&mut self, _secret: Vec<u8>) -> bool {
        false
    }
}

/// The JSON of secret fields, which the store seals.
fn sealed(secrets: &impl Serialize) -> Vec<u8> {
    match serde_json::to_vec(secrets) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("texts, bytes and integers always become JSON: {error}"),
    }
}

/// What every object answers from fields of the same names; its number stands where the argument
/// says. A macro, since a method of the trait cannot read a field.
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

impl Stored for Customer {
    common!(id.number());

    fn clock(&self) -> Option<ClockId> {
        self.test_clock
    }

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn lookup(&self) -> Option<Lookup> {
        self.email.clone().map(Lookup::Text)
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

impl Stored for Scenario {
    common!(id.number());

    fn deleted(&self) -> bool {
        self.deleted
    }
}

/// What of a run stands sealed.
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
        // A holder who wants to be found again is found by the run that said so.
        let found_again = self.lookup().is_some();
        (!found_again).then(|| self.begun.plus_ms(LINK_FLOW_KEPT_MS_MAX))
    }

    fn lookup(&self) -> Option<Lookup> {
        let linked = self.run.end() == Some(FlowEnd::Linked);
        self.run.sign_up.clone().filter(|_| linked).map(Lookup::Text)
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

impl Stored for Fault {
    common!(id.number());

    fn deleted(&self) -> bool {
        self.deleted
    }
}

impl Stored for TestClock {
    common!(id.number());

    fn deleted(&self) -> bool {
        self.deleted
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
}
