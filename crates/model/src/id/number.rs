//! Ids of objects of their own. The tail of the text is a check.

use super::NotAnId;
use super::text::{IdText, NUMBER_BOUND, check, id_text, parse, spread, text};
use crate::limits::BUCKETS;
use crate::time::DAY_S;
use sha2::{Digest, Sha256};
use std::str::FromStr;

/// Declares the id of an object of its own.
macro_rules! number_id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The prefix of the text.
            pub const PREFIX: &'static str = $prefix;

            /// Creates the id of a number. Only the low 63 bits are used.
            pub fn from_number(number: u64) -> Self {
                Self(number & (NUMBER_BOUND - 1))
            }

            /// Returns the number, as the database stores it.
            pub fn number(self) -> u64 {
                self.0
            }

            /// Returns the text without an allocation.
            pub fn text(self) -> IdText {
                text($prefix, self.0, check($prefix, self.0))
            }
        }

        id_text!($name);

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let (number, tail) = parse($prefix, text)?;
                if tail == check($prefix, number) { Ok(Self(number)) } else { Err(NotAnId) }
            }
        }
    };
}

number_id!(
    /// A merchant, which owns API keys.
    MerchantId, "acct_"
);
number_id!(
    /// An issued API key.
    KeyId, "key_"
);
number_id!(
    /// A customer: the end user who owns a bank account.
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
    /// One link flow in a browser.
    LinkFlowId, "lf_"
);
number_id!(
    /// A token of bank account numbers.
    TokenId, "btok_"
);
number_id!(
    /// A bank account as payments know it, by its numbers.
    BankAccountId, "ba_"
);
number_id!(
    /// A scenario: a file that defines events at test banks.
    ScenarioId, "scn_"
);
number_id!(
    /// A webhook endpoint.
    EndpointId, "we_"
);
number_id!(
    /// An event destination of test mode. Its number is that of its endpoint.
    DestinationId, "ed_test_"
);
number_id!(
    /// An event destination of live mode.
    DestinationLiveId, "ed_"
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
    /// A mandate: the holder's permission to debit a payment method.
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
    /// A line item of a Checkout Session.
    LineItemId, "li_"
);
number_id!(
    /// A charge: one debit of a bank account.
    ChargeId, "py_"
);
number_id!(
    /// The application of a platform, which makes objects in its connected accounts.
    ApplicationId, "ca_"
);
number_id!(
    /// A refund of a charge.
    RefundId, "pyr_"
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
    /// An invoice item, on an invoice or waiting for one.
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
    /// An item of a subscription.
    SubscriptionItemId, "si_"
);
number_id!(
    /// A line of an invoice. Its number is that of its item.
    InvoiceLineId, "il_"
);
number_id!(
    /// A payment of an invoice. Its number is that of its Payment Intent.
    InvoicePaymentId, "inpay_"
);
number_id!(
    /// A configuration of payment methods.
    MethodConfigurationId, "pmc_"
);
number_id!(
    /// A confirmation token.
    ConfirmationTokenId, "ctoken_"
);

impl MerchantId {
    /// Returns the merchant of a secret key. It is the same on every server and after a restart.
    pub fn of_key(secret_key: &str) -> Self {
        Self::from_number(hash_number(&[b"merchant", secret_key.as_bytes()]))
    }

    /// Returns the merchant that a connected account of a platform acts as. The same account has a
    /// different merchant for each platform.
    pub fn of_connected(platform: Self, account: &str) -> Self {
        let platform = platform.0.to_be_bytes();
        Self::from_number(hash_number(&[b"connected", &platform, account.as_bytes()]))
    }

    /// Returns the merchant that owns the live-mode rows of a test-mode merchant. It is a different
    /// merchant, so that no look-up can cross the modes.
    #[must_use]
    pub fn in_live_mode(self) -> Self {
        Self::from_number(hash_number(&[b"live", &self.0.to_le_bytes()]))
    }
}

impl AccountId {
    /// Returns the second of the day at which the account's daily work is due.
    pub fn daily_second(self) -> i64 {
        (spread(self.0 ^ 0x5ca1_ab1e) % DAY_S.unsigned_abs()).cast_signed()
    }
}

/// Returns the bucket of a shard, which is the number of an account or of a merchant. The store adds
/// the turn of a generation to it. Stored rows contain it, so the result for a number must never
/// change.
pub fn bucket_of(shard: u64) -> u32 {
    let Ok(bucket) = u32::try_from(spread(shard) % u64::from(BUCKETS)) else {
        unreachable!("a remainder is smaller than its divisor")
    };
    bucket
}

/// Returns the first 63 bits of a SHA-256 over the parts, each preceded by its length.
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
