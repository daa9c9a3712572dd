//! Ids of objects of their own. The tail of the text is a check.

use super::NotAnId;
use super::text::{IdText, NUMBER_BOUND, check, id_text, parse, spread, text};
use crate::limits::BUCKETS;
use crate::time::DAY_S;
use sha2::{Digest, Sha256};
use std::str::FromStr;

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
