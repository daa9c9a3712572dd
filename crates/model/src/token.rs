//! A bank account token (`btok_…`): typed account numbers, as the merchant sees them. It can be
//! used once, to create another object with the same numbers.

use crate::clock::AccountTime;
use crate::id::{BankAccountId, MerchantId, TokenId};
use crate::word::words;
use serde::{Deserialize, Serialize};

/// The routing number of the test bank, which all test account numbers belong to.
pub const TEST_ROUTING_NUMBER: &str = "110000000";
/// The name of the bank behind [`TEST_ROUTING_NUMBER`].
pub const TEST_BANK_NAME: &str = "STRIPE TEST BANK";

/// The account numbers with a special meaning in test mode, and their effects.
pub const TEST_ACCOUNT_NUMBERS: [(&str, &str); 13] = [
    ("000123456789", "payments succeed"),
    ("000111111113", "the account is closed"),
    ("000111111116", "no such account"),
    ("000222222227", "insufficient funds"),
    ("000333333335", "the debit is not authorized"),
    ("000444444440", "the currency is wrong"),
    ("000666666661", "the microdeposits cannot be sent"),
    ("000555555559", "payments are disputed later"),
    ("000000000009", "payments never end"),
    ("000000005126", "payments succeed, and refunds fail"),
    ("000777777771", "payments exceed the weekly limit"),
    ("000000004954", "payments are blocked as too risky"),
    ("000888888885", "the tokenized number is deactivated"),
];

words! {
    /// The kind of holder of a bank account.
    BankHolderType {
        /// A company's.
        Company = "company",
        /// A person's.
        Individual = "individual",
    }
}

words! {
    /// The kind of a bank account that can pay.
    BankAccountType {
        /// For payments.
        Checking = "checking",
        /// For saving.
        Savings = "savings",
    }
}

/// Account numbers that a holder typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankNumbers {
    /// The routing number, nine digits.
    pub routing_number: String,
    /// The account number, 4 to 17 digits.
    pub account_number: String,
    /// The kind of holder.
    pub holder_type: BankHolderType,
    /// Its kind.
    pub account_type: BankAccountType,
}

impl std::fmt::Debug for BankNumbers {
    /// Formats without the digits, which must not appear in a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BankNumbers").field("last4", &self.last4()).finish_non_exhaustive()
    }
}

impl BankNumbers {
    /// Returns the last four digits of the account number.
    pub fn last4(&self) -> String {
        let digits = self.account_number.chars().count();
        self.account_number.chars().skip(digits.saturating_sub(4)).collect()
    }

    /// True if the routing number has nine digits and a correct check digit.
    pub fn routing_number_fits(&self) -> bool {
        let digits = self.routing_number.as_bytes();
        let weights = [3, 7, 1].into_iter().cycle();
        let sum: u32 =
            digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit & 15) * weight).sum();
        digits.len() == 9 && digits.iter().all(u8::is_ascii_digit) && sum.is_multiple_of(10)
    }

    /// True if the account number has 4 to 17 digits.
    pub fn account_number_fits(&self) -> bool {
        let digits = self.account_number.as_bytes();
        (4..=17).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    }

    /// True if they are numbers of the test bank.
    pub fn are_for_tests(&self) -> bool {
        self.routing_number == TEST_ROUTING_NUMBER && self.has_test_account()
    }

    /// True if the account number has a special meaning in test mode.
    pub fn has_test_account(&self) -> bool {
        TEST_ACCOUNT_NUMBERS.iter().any(|(number, _)| *number == self.account_number)
    }
}

/// One token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountToken {
    /// Its id.
    pub id: TokenId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// The bank account of the token.
    pub bank_account: BankAccountId,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// True if it was used. It can be used once.
    pub used: bool,
    /// The routing number.
    pub routing_number: String,
    /// The bank's name, if known.
    pub bank_name: Option<String>,
    /// The last four digits of the account number.
    pub last4: String,
    /// The account number. It is stored sealed, apart from the other fields, and never shown.
    #[serde(skip)]
    pub account_number: String,
    /// A fingerprint that is equal for equal numbers of one merchant, and only for those.
    pub fingerprint: String,
    /// The name of the holder, if given.
    pub holder_name: Option<String>,
    /// The kind of holder.
    pub holder_type: BankHolderType,
    /// Its kind.
    pub account_type: BankAccountType,
}

impl std::fmt::Debug for BankAccountToken {
    /// Formats without the digits, which must not appear in a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("BankAccountToken");
        shown.field("id", &self.id).field("last4", &self.last4).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks of routing and account numbers accept the test numbers and reject wrong ones.
    #[test]
    fn checks_numbers() {
        let numbers = |routing: &str, account: &str| BankNumbers {
            routing_number: routing.into(),
            account_number: account.into(),
            holder_type: BankHolderType::Individual,
            account_type: BankAccountType::Checking,
        };
        for routing in [TEST_ROUTING_NUMBER, "021000021", "011401533"] {
            assert!(numbers(routing, "").routing_number_fits(), "{routing}");
        }
        for routing in ["", "110000001", "11000000", "1100000000", "11000000x"] {
            assert!(!numbers(routing, "").routing_number_fits(), "{routing}");
        }
        for (account, _) in TEST_ACCOUNT_NUMBERS {
            let test = numbers(TEST_ROUTING_NUMBER, account);
            assert!(test.account_number_fits() && test.are_for_tests(), "{account}");
            assert!(!format!("{test:?}").contains(account));
        }
        for account in ["", "123", "123456789012345678", "12 4"] {
            assert!(!numbers("", account).account_number_fits(), "{account}");
        }
        assert_eq!(numbers("", "000123456789").last4(), "6789");
        assert!(!numbers("021000021", "000123456789").are_for_tests());
    }
}
