//! A payment method (`pm_…`) of the type `us_bank_account`: from a linked account, or from typed
//! account numbers.
//!
//! Account numbers are not stored. The last four digits and a fingerprint take their place. The
//! test number or the test account decides the result of payments at creation.

use crate::account::Account;
use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{AccountId, ClockId, CustomerId, MerchantId, PaymentMethodId, hash_number};
use crate::token::{BankAccountType, BankHolderType};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The result of payments from a test account.
    PaymentBehavior {
        /// They succeed.
        Succeeds = "succeeds",
        /// They succeed and are disputed later.
        Disputed = "disputed",
        /// They stay in processing.
        Processing = "processing",
        /// The account is closed.
        AccountClosed = "account_closed",
        /// The account does not exist.
        NoAccount = "no_account",
        /// The balance is too low.
        InsufficientFunds = "insufficient_funds",
        /// The holder's bank does not permit the debit.
        DebitNotAuthorized = "debit_not_authorized",
        /// The account has another currency.
        InvalidCurrency = "invalid_currency",
        /// The weekly limit is exceeded.
        ChargeExceedsSourceLimit = "charge_exceeds_source_limit",
        /// The small deposits cannot be sent.
        MicrodepositsFail = "microdeposits_fail",
        /// The tokenized account number was deactivated.
        TokenizedNumberDeactivated = "tokenized_account_number_deactivated",
        /// They are blocked because of the highest risk, before the bank sees them.
        Blocked = "blocked",
        /// They succeed, and their refunds fail.
        RefundFails = "refund_fails",
    }
}

words! {
    /// The reason why a bank account is blocked. These are the words of Stripe's type that a test
    /// account can lead to.
    BlockReason {
        /// The account is closed.
        BankAccountClosed = "bank_account_closed",
        /// The account does not exist.
        BankAccountInvalidDetails = "bank_account_invalid_details",
        /// The holder's bank does not permit the debit.
        DebitNotAuthorized = "debit_not_authorized",
        /// The tokenized account number was deactivated.
        TokenizedNumberDeactivated = "tokenized_account_number_deactivated",
    }
}

/// The block of a bank account after a debit that its bank returned. Later debits are not sent to the
/// bank. A payment method from another link has no block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The reason.
    pub reason: BlockReason,
    /// The ACH code of the return. `None` if the debit never reached the bank's network.
    pub network_code: Option<String>,
}

impl Block {
    /// Returns the block that the failure of a debit leads to, by the failure's code. A balance that
    /// is too low, an exceeded limit and a wrong currency lead to none.
    pub fn of_failure(code: &str, holder_type: BankHolderType) -> Option<Self> {
        let (reason, network_code) = match code {
            "account_closed" => (BlockReason::BankAccountClosed, Some("R02")),
            "no_account" => (BlockReason::BankAccountInvalidDetails, Some("R03")),
            // The network has one code for consumers and another for companies.
            "debit_not_authorized" => match holder_type {
                BankHolderType::Individual => (BlockReason::DebitNotAuthorized, Some("R10")),
                BankHolderType::Company => (BlockReason::DebitNotAuthorized, Some("R29")),
            },
            "tokenized_account_number_deactivated" => {
                (BlockReason::TokenizedNumberDeactivated, None)
            }
            _ => return None,
        };
        Some(Self { reason, network_code: network_code.map(str::to_owned) })
    }
}

/// The account numbers of the test bank, their names in `pm_usBankAccount_…`, and the results of
/// payments from them. Stripe documents them for ACH tests, except the number of refunds that fail.
/// That one has the end and the name of Stripe's test card for it. The last one has no name.
const TEST_NUMBERS: [(&str, &str, PaymentBehavior); 13] = [
    ("000123456789", "success", PaymentBehavior::Succeeds),
    ("000111111113", "accountClosed", PaymentBehavior::AccountClosed),
    ("000111111116", "noAccount", PaymentBehavior::NoAccount),
    ("000222222227", "insufficientFunds", PaymentBehavior::InsufficientFunds),
    ("000333333335", "debitNotAuthorized", PaymentBehavior::DebitNotAuthorized),
    ("000444444440", "invalidCurrency", PaymentBehavior::InvalidCurrency),
    ("000666666661", "failMicrodeposits", PaymentBehavior::MicrodepositsFail),
    ("000555555559", "dispute", PaymentBehavior::Disputed),
    ("000000000009", "processing", PaymentBehavior::Processing),
    ("000000005126", "refundFail", PaymentBehavior::RefundFails),
    ("000777777771", "weeklyLimitExceeded", PaymentBehavior::ChargeExceedsSourceLimit),
    ("000000004954", "riskLevelHighest", PaymentBehavior::Blocked),
    ("000888888885", "", PaymentBehavior::TokenizedNumberDeactivated),
];

impl PaymentBehavior {
    /// Returns the result of payments from a typed account number. In live mode there are no test
    /// numbers.
    pub fn of_number(account_number: &str) -> Self {
        let known = TEST_NUMBERS.iter().find(|(number, _, _)| *number == account_number);
        known.map_or(Self::Succeeds, |(_, _, behavior)| *behavior)
    }

    /// Returns the test number of a name such as `pm_usBankAccount_success`.
    pub fn number_of_test_method(id: &str) -> Option<&'static str> {
        let name = id.strip_prefix("pm_usBankAccount_")?;
        let found = TEST_NUMBERS.iter().find(|(_, known, _)| !known.is_empty() && *known == name);
        found.map(|(number, _, _)| *number)
    }

    /// Returns the names of the test methods.
    pub fn test_methods() -> impl Iterator<Item = String> {
        let named = TEST_NUMBERS.iter().filter(|(_, name, _)| !name.is_empty());
        named.map(|(_, name, _)| format!("pm_usBankAccount_{name}"))
    }

    /// Returns the result of payments from a linked test account, by the name that its bank gives
    /// it.
    pub fn of_account(account: &Account) -> Self {
        match account.display_name.as_deref() {
            Some("Insufficient Funds") => Self::InsufficientFunds,
            Some("Success (Later Disputed)") => Self::Disputed,
            Some("Payment Processes Indefinitely") => Self::Processing,
            Some("Debit Not Authorized") => Self::DebitNotAuthorized,
            Some("Weekly Payment Volume Exceeded") => Self::ChargeExceedsSourceLimit,
            Some("Failure" | "Account closes after linking") => Self::AccountClosed,
            _ => Self::Succeeds,
        }
    }
}

/// One payment method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// Its id.
    pub id: PaymentMethodId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The test clock of the customer or object that it was created for.
    pub clock: Option<ClockId>,
    /// True if it belongs to the merchant itself, as a target of payouts.
    #[serde(default)]
    pub of_self: bool,
    /// The customer it is attached to.
    pub customer: Option<CustomerId>,
    /// True if it was detached from a customer, after which it cannot be used.
    #[serde(default)]
    pub detached: bool,
    /// True if it was debited without a customer, after which it cannot be used again.
    #[serde(default)]
    pub used_up: bool,
    /// The kind of holder.
    pub holder_type: BankHolderType,
    /// `checking` or `savings`.
    pub account_type: BankAccountType,
    /// The bank's name.
    pub bank_name: Option<String>,
    /// A fingerprint that is equal for equal numbers of one merchant.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Option<String>,
    /// The bank's routing number.
    pub routing_number: String,
    /// The linked account that it was made from.
    pub account: Option<AccountId>,
    /// The result of payments from it.
    pub behavior: PaymentBehavior,
    /// The block after a debit that its bank returned.
    #[serde(default)]
    pub block: Option<Block>,
    /// True if the holder's ownership is proven: it was linked, or verified by deposits.
    pub verified: bool,
    /// `always`, `limited` or `unspecified`.
    pub allow_redisplay: Option<String>,
    /// The holder's name, e-mail address and so on.
    pub billing_details: ExtraParams,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Returns a fingerprint that is equal for equal numbers of one merchant and does not reveal them.
pub fn fingerprint(merchant: MerchantId, routing_number: &str, account_number: &str) -> String {
    let owner = merchant.number().to_be_bytes();
    let parts: [&[u8]; 4] =
        [b"fingerprint", &owner, routing_number.as_bytes(), account_number.as_bytes()];
    format!("{:016x}", hash_number(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of test methods lead to the numbers with that result.
    #[test]
    fn test_methods_behave_by_name() {
        let number = PaymentBehavior::number_of_test_method("pm_usBankAccount_noAccount").unwrap();
        assert_eq!(PaymentBehavior::of_number(number), PaymentBehavior::NoAccount);
        for unknown in ["pm_usBankAccount_x", "pm_usBankAccount_"] {
            assert_eq!(PaymentBehavior::number_of_test_method(unknown), None);
        }
        assert_eq!(PaymentBehavior::of_number("000999999991"), PaymentBehavior::Succeeds);
    }

    /// The numbers that pages offer in test mode are the numbers with a special result.
    #[test]
    fn test_numbers_are_those_offered() {
        let offered = crate::token::TEST_ACCOUNT_NUMBERS.map(|(number, _)| number);
        assert_eq!(TEST_NUMBERS.map(|(number, _, _)| number), offered);
    }

    /// Equal numbers have the same fingerprint for one merchant, and different ones for two
    /// merchants.
    #[test]
    fn fingerprints_tell_numbers_apart() {
        let (one, two) = (MerchantId::from_number(1), MerchantId::from_number(2));
        assert_eq!(fingerprint(one, "110000000", "1"), fingerprint(one, "110000000", "1"));
        assert_ne!(fingerprint(one, "110000000", "1"), fingerprint(one, "110000000", "2"));
        assert_ne!(fingerprint(one, "110000000", "1"), fingerprint(two, "110000000", "1"));
    }
}
