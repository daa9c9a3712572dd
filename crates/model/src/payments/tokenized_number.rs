//! Tokenized account numbers. A bank with such numbers issues a new account number and a new routing
//! number whenever the holder authorizes the access, and never reveals the permanent ones.

use crate::account::{Account, NumberType};
use crate::id::hash_number;
use crate::token::TEST_ROUTING_NUMBER;

/// The first digits of all tokenized routing numbers. No other number of a test bank begins so.
const ROUTING_BEGIN: [u64; 4] = [1, 1, 0, 9];
/// The bound of account numbers, which have twelve digits.
const ACCOUNT_BOUND: u64 = 1_000_000_000_000;

/// A tokenized account number with its routing number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizedNumber {
    /// The routing number of the token, with a valid check digit.
    pub routing_number: String,
    /// The account number.
    pub account_number: String,
}

impl TokenizedNumber {
    /// Returns the token of the newest authorization of an account. `None` if the account has a
    /// permanent number.
    pub fn of_account(account: &Account) -> Option<Self> {
        let numbers = &account.account_numbers;
        let token = NumberType::TokenizedAccountNumber;
        numbers.iter().find(|number| number.identifier_type == token)?;
        let authorization = account.authorization.number().to_be_bytes();
        let renewals = account.renewals.to_be_bytes();
        let bank_account = account.bank_account.as_bytes();
        let number = |kind: &[u8]| hash_number(&[kind, bank_account, &authorization, &renewals]);
        Some(Self {
            routing_number: routing_number(number(b"tokenized routing number")),
            account_number: format!("{:012}", number(b"tokenized number") % ACCOUNT_BOUND),
        })
    }

    /// The last four digits of the account number.
    pub fn last4(&self) -> String {
        let begin = self.account_number.len().saturating_sub(4);
        self.account_number.get(begin..).unwrap_or_default().to_owned()
    }
}

/// The numbers by which payments reach a linked account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentNumbers {
    /// The routing number.
    pub routing_number: String,
    /// The account number.
    pub account_number: String,
    /// The last four digits, if the bank shows them.
    pub last4: Option<String>,
}

impl PaymentNumbers {
    /// Returns the numbers of an account. Test banks have no permanent account numbers, so the bank's
    /// own key of the account replaces them.
    pub fn of_account(account: &Account) -> Self {
        match TokenizedNumber::of_account(account) {
            Some(token) => Self {
                last4: Some(token.last4()),
                routing_number: token.routing_number,
                account_number: token.account_number,
            },
            None => Self {
                routing_number: TEST_ROUTING_NUMBER.to_owned(),
                account_number: account.bank_account.clone(),
                last4: account.last4.clone(),
            },
        }
    }
}

/// A routing number from four digits of a hash, with the check digit of ABA.
fn routing_number(hash: u64) -> String {
    let own = [hash / 1_000 % 10, hash / 100 % 10, hash / 10 % 10, hash % 10];
    let digits: Vec<u64> = ROUTING_BEGIN.into_iter().chain(own).collect();
    let weighted = digits.iter().zip([3, 7, 1].into_iter().cycle());
    let sum: u64 = weighted.map(|(digit, weight)| digit * weight).sum();
    let check = (10 - sum % 10) % 10;
    digits.iter().chain([&check]).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A routing number has nine digits, and their weighted sum is a multiple of ten (ABA).
    #[test]
    fn routing_numbers_have_a_check_digit() {
        for hash in [0, 1, 9_999, 123_456_789] {
            let number = routing_number(hash);
            let digits = number.bytes().map(|byte| u64::from(byte - b'0'));
            let weighted = digits.zip([3, 7, 1].into_iter().cycle());
            let sum: u64 = weighted.map(|(digit, weight)| digit * weight).sum();
            assert_eq!((number.len(), sum % 10), (9, 0), "{number}");
        }
    }
}
