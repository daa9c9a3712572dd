//! A payment method (`pm_…`) of the type `us_bank_account`: from a linked account, or from numbers
//! that somebody typed.
//!
//! Numbers are not kept: the last four digits and a fingerprint stand for them. What a payment
//! from it will do is decided when it is made, by the test number or the test account.

use crate::account::Account;
use crate::clock::AccountTime;
use crate::given::Given;
use crate::id::{AccountId, ClockId, CustomerId, MerchantId, PaymentMethodId, hash_number};
use crate::token::{BankAccountType, BankHolderType};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// What a payment from a test account does.
    PaymentBehavior {
        /// It succeeds.
        Succeeds = "succeeds",
        /// It succeeds and is disputed later.
        Disputed = "disputed",
        /// It never ends.
        Processing = "processing",
        /// The account is closed.
        AccountClosed = "account_closed",
        /// There is no such account.
        NoAccount = "no_account",
        /// There is too little in it.
        InsufficientFunds = "insufficient_funds",
        /// The holder's bank does not let it be debited.
        DebitNotAuthorized = "debit_not_authorized",
        /// It is held in another currency.
        InvalidCurrency = "invalid_currency",
        /// More was asked of it in a week than may be.
        ChargeExceedsSourceLimit = "charge_exceeds_source_limit",
        /// The small deposits cannot be sent.
        MicrodepositsFail = "microdeposits_fail",
    }
}

/// Account numbers of the test bank and what payments from them do; any other number is taken and
/// succeeds. Documented by Stripe for ACH tests.
const TEST_NUMBERS: [(&str, &str, PaymentBehavior); 9] = [
    ("000123456789", "success", PaymentBehavior::Succeeds),
    ("000111111113", "accountClosed", PaymentBehavior::AccountClosed),
    ("000111111116", "noAccount", PaymentBehavior::NoAccount),
    ("000222222227", "insufficientFunds", PaymentBehavior::InsufficientFunds),
    ("000333333335", "debitNotAuthorized", PaymentBehavior::DebitNotAuthorized),
    ("000444444440", "invalidCurrency", PaymentBehavior::InvalidCurrency),
    ("000666666661", "failMicrodeposits", PaymentBehavior::MicrodepositsFail),
    ("000555555559", "dispute", PaymentBehavior::Disputed),
    ("000000000009", "processing", PaymentBehavior::Processing),
];

impl PaymentBehavior {
    /// What payments from a typed account number do.
    pub fn of_number(account_number: &str) -> Self {
        let known = TEST_NUMBERS.iter().find(|(number, _, _)| *number == account_number);
        known.map_or(Self::Succeeds, |(_, _, behavior)| *behavior)
    }

    /// The test number behind a name such as `pm_usBankAccount_success`.
    pub fn number_of_test_method(id: &str) -> Option<&'static str> {
        let name = id.strip_prefix("pm_usBankAccount_")?;
        TEST_NUMBERS.iter().find(|(_, known, _)| *known == name).map(|(number, _, _)| *number)
    }

    /// What payments from a linked test account do, by the name that its bank gives it.
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
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// The test clock of whom it was made for.
    pub clock: Option<ClockId>,
    /// Whether it belongs to the merchant itself, to be paid out to.
    #[serde(default)]
    pub of_self: bool,
    /// The customer it is attached to.
    pub customer: Option<CustomerId>,
    /// Whether it was taken from a customer, after which it is of no more use.
    #[serde(default)]
    pub detached: bool,
    /// Whose the account is.
    pub holder_type: BankHolderType,
    /// `checking` or `savings`.
    pub account_type: BankAccountType,
    /// The bank.
    pub bank_name: Option<String>,
    /// Alike for alike numbers of one merchant.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Option<String>,
    /// The bank's routing number.
    pub routing_number: String,
    /// The linked account that it was made from.
    pub account: Option<AccountId>,
    /// What a payment from it does.
    pub behavior: PaymentBehavior,
    /// Whether it is known to be the holder's: linked, or verified by deposits.
    pub verified: bool,
    /// `always`, `limited` or `unspecified`.
    pub allow_redisplay: Option<String>,
    /// Name, e-mail address and the like.
    pub billing_details: Given,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
}

/// Alike for alike numbers of one merchant; tells nothing of them.
pub fn fingerprint(merchant: MerchantId, routing_number: &str, account_number: &str) -> String {
    let owner = merchant.number().to_be_bytes();
    let parts: [&[u8]; 4] =
        [b"fingerprint", &owner, routing_number.as_bytes(), account_number.as_bytes()];
    format!("{:016x}", hash_number(&parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of test methods lead to the numbers with that behaviour.
    #[test]
    fn test_methods_behave_by_name() {
        let number = PaymentBehavior::number_of_test_method("pm_usBankAccount_noAccount").unwrap();
        assert_eq!(PaymentBehavior::of_number(number), PaymentBehavior::NoAccount);
        assert_eq!(PaymentBehavior::number_of_test_method("pm_usBankAccount_x"), None);
        assert_eq!(PaymentBehavior::of_number("000999999991"), PaymentBehavior::Succeeds);
    }

    /// The numbers that pages offer in test mode are those that behave in some way.
    #[test]
    fn test_numbers_are_those_offered() {
        let offered = crate::token::TEST_ACCOUNT_NUMBERS.map(|(number, _)| number);
        assert_eq!(TEST_NUMBERS.map(|(number, _, _)| number), offered);
    }

    /// The same numbers have the same fingerprint for one merchant, and another for another.
    #[test]
    fn fingerprints_tell_numbers_apart() {
        let (one, two) = (MerchantId::from_number(1), MerchantId::from_number(2));
        assert_eq!(fingerprint(one, "110000000", "1"), fingerprint(one, "110000000", "1"));
        assert_ne!(fingerprint(one, "110000000", "1"), fingerprint(one, "110000000", "2"));
        assert_ne!(fingerprint(one, "110000000", "1"), fingerprint(two, "110000000", "1"));
    }
}
