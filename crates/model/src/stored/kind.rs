//! The kinds of stored objects as types, for generic code.
//!
//! A kind has a name for error messages, and parses the number of an object from the text of its
//! id. Most kinds are the type of their objects. Payment Intents and Setup Intents share a type, so
//! each has a kind of its own here.

use super::Stored;
use crate::clock::TestClock;
use crate::connected_account::{ConnectedAccount, PlatformTie};
use crate::connections_settings::ConnectionsSettings;
use crate::customer::Customer;
use crate::endpoint::Endpoint;
use crate::id::{
    ChargeId, ClockId, ConfirmationTokenId, CustomerId, DisputeId, EndpointId, InvoiceId,
    InvoiceItemId, LinkFlowId, MandateId, MethodConfigurationId, PaymentIntentId, PaymentMethodId,
    PriceId, RefundId, SessionId, SetupIntentId, SnapshotId, SubscriptionId, TokenId,
};
use crate::link::LinkFlow;
use crate::payments::charge::Charge;
use crate::payments::checkout::CheckoutSession;
use crate::payments::confirmation_token::ConfirmationToken;
use crate::payments::dispute::Dispute;
use crate::payments::intent::Intent;
use crate::payments::invoice::{Invoice, InvoiceItem};
use crate::payments::mandate::Mandate;
use crate::payments::method_configuration::MethodConfiguration;
use crate::payments::payment_method::PaymentMethod;
use crate::payments::product::{Price, Product};
use crate::payments::refund::Refund;
use crate::payments::subscription::Subscription;
use crate::session::Session;
use crate::snapshot::SandboxSnapshot;
use crate::token::BankAccountToken;

/// A kind of stored objects.
///
/// ```
/// use model::payments::invoice::Invoice;
/// use model::stored::StoredKind;
///
/// assert_eq!(Invoice::NAME, "invoice");
/// assert_eq!(Invoice::parse_number("in_unknown"), None);
/// ```
pub trait StoredKind {
    /// The type of the objects.
    type Object: Stored;

    /// The name in error messages, as in "No such invoice".
    const NAME: &'static str;

    /// Returns the number in the text of an id, or `None` if the text is not an id of this kind.
    /// The object need not exist. Returns `None` for a kind of which a merchant has one object,
    /// because such an object has no id.
    fn parse_number(text: &str) -> Option<u64>;
}

/// The kind of Payment Intents.
#[derive(Debug)]
pub enum PaymentIntent {}

/// The kind of Setup Intents.
#[derive(Debug)]
pub enum SetupIntent {}

/// Implements [`StoredKind`] for kinds with an id type. A macro, because only the three types and
/// the name differ.
macro_rules! kinds {
    ($($kind:ty, $object:ty, $id:ty, $name:literal;)+) => {
        $(impl StoredKind for $kind {
            type Object = $object;
            const NAME: &'static str = $name;

            fn parse_number(text: &str) -> Option<u64> {
                text.parse().ok().map(<$id>::number)
            }
        })+
    };
}

kinds! {
    BankAccountToken, Self, TokenId, "token";
    Charge, Self, ChargeId, "charge";
    ConfirmationToken, Self, ConfirmationTokenId, "confirmation_token";
    Customer, Self, CustomerId, "customer";
    Dispute, Self, DisputeId, "dispute";
    Endpoint, Self, EndpointId, "webhook endpoint";
    Invoice, Self, InvoiceId, "invoice";
    InvoiceItem, Self, InvoiceItemId, "invoiceitem";
    LinkFlow, Self, LinkFlowId, "link flow";
    Mandate, Self, MandateId, "mandate";
    MethodConfiguration, Self, MethodConfigurationId, "payment_method_configuration";
    PaymentIntent, Intent, PaymentIntentId, "payment_intent";
    PaymentMethod, Self, PaymentMethodId, "PaymentMethod";
    Price, Self, PriceId, "price";
    Refund, Self, RefundId, "refund";
    SandboxSnapshot, Self, SnapshotId, "snapshot";
    Session, Self, SessionId, "Financial Connections session";
    SetupIntent, Intent, SetupIntentId, "setup_intent";
    Subscription, Self, SubscriptionId, "subscription";
    TestClock, Self, ClockId, "test clock";
}

impl StoredKind for CheckoutSession {
    type Object = Self;
    const NAME: &'static str = "checkout session";

    fn parse_number(text: &str) -> Option<u64> {
        Self::number_of(text)
    }
}

impl StoredKind for ConnectedAccount {
    type Object = Self;
    const NAME: &'static str = "account";

    fn parse_number(text: &str) -> Option<u64> {
        Some(Self::number_of(text))
    }
}

impl StoredKind for ConnectionsSettings {
    type Object = Self;
    const NAME: &'static str = "settings";

    fn parse_number(_text: &str) -> Option<u64> {
        None
    }
}

impl StoredKind for PlatformTie {
    type Object = Self;
    const NAME: &'static str = "platform";

    fn parse_number(_text: &str) -> Option<u64> {
        None
    }
}

impl StoredKind for Product {
    type Object = Self;
    const NAME: &'static str = "product";

    fn parse_number(text: &str) -> Option<u64> {
        Some(Self::number_of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_has_no_number() {
        let payment = PaymentIntentId::from_number(7).to_string();
        assert_eq!(PaymentIntent::parse_number(&payment), Some(7));
        assert_eq!(SetupIntent::parse_number(&payment), None);
        assert_eq!(Customer::parse_number(&payment), None);
    }

    #[test]
    fn an_object_that_a_merchant_has_once_has_no_id() {
        assert_eq!(ConnectionsSettings::parse_number("settings"), None);
        assert_eq!(PlatformTie::parse_number("acct_1"), None);
    }

    #[test]
    fn ids_that_clients_choose_have_a_number_whatever_their_text() {
        assert_eq!(Product::parse_number("gold"), Some(Product::number_of("gold")));
    }
}
