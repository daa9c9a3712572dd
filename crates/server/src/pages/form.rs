//! What a holder posted, as a step. A form is a list of names and values; what cannot be read is no
//! step, and the page is shown again.

use super::fields::{
    ACCOUNT, ACCOUNT_NUMBER, ACCOUNT_NUMBER_AGAIN, ACCOUNT_TYPE, BANK_FIELD, CODE, EMAIL,
    HOLDER_TYPE, INSTITUTION, ROUTING_NUMBER, STEP, VERSION,
};
use engine::connections::link::{LinkStep, PickFault};
use model::Word;
use model::id::InstitutionId;
use model::token::{BankAccountType, BankHolderType, BankNumbers};

/// Bytes of a posted form.
pub(super) const FORM_BYTES_MAX: usize = 64 * 1024;
/// Values of a posted form.
const VALUES_MAX: usize = 500;
/// Characters of one value.
const VALUE_CHARS_MAX: usize = 1_000;

/// A posted form.
#[derive(Clone, Default)]
pub(super) struct Posted(Vec<(String, String)>);

/// Why a step has to be put right before it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The engine says so.
    Step(PickFault),
    /// The account number and its repetition differ.
    NumbersDiffer,
}

impl Posted {
    /// Reads a form or a query; none when it has more than any form of ours.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let values: Vec<(String, String)> =
            url::form_urlencoded::parse(bytes).into_owned().take(VALUES_MAX + 1).collect();
        let fits = values.iter().all(|(name, value)| {
            name.chars().count() <= VALUE_CHARS_MAX && value.chars().count() <= VALUE_CHARS_MAX
        });
        (fits && values.len() <= VALUES_MAX).then_some(Self(values))
    }

    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Whether anything was posted.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The places of the accounts picked; a place that is none stands for one that is not there.
    pub(super) fn picks(&self) -> Vec<usize> {
        self.all(ACCOUNT).map(|place| place.parse().unwrap_or(usize::MAX)).collect()
    }

    /// The version of the pane that the form was made from.
    pub(super) fn version(&self) -> u64 {
        self.get(VERSION).and_then(|version| version.parse().ok()).unwrap_or(0)
    }

    /// The step; none when it is none of ours.
    pub(super) fn step(&self) -> Option<Result<LinkStep, Fault>> {
        let text = |name| self.get(name).unwrap_or_default().to_owned();
        Some(Ok(match self.get(STEP)? {
            "institution" => match self.get(INSTITUTION)?.parse::<InstitutionId>() {
                Ok(institution) => LinkStep::PickInstitution(institution),
                Err(_) => return Some(Err(Fault::Step(PickFault::NoSuchInstitution))),
            },
            "consent" => LinkStep::Consent,
            "login" => LinkStep::Fields(
                self.0
                    .iter()
                    .filter_map(|(name, value)| {
                        Some((name.strip_prefix(BANK_FIELD)?.to_owned(), value.clone()))
                    })
                    .collect(),
            ),
            "accounts" => LinkStep::PickAccounts(self.picks()),
            "manual" => LinkStep::EnterManually,
            "numbers" => return Some(self.numbers().map(LinkStep::Numbers)),
            "sign_in" => LinkStep::SignIn(self.get(EMAIL).map(str::to_owned)),
            "sign_up" => LinkStep::SignUp(text(EMAIL)),
            "code" => LinkStep::Code(text(CODE)),
            "back" => LinkStep::Back,
            "cancel" => LinkStep::Cancel,
            _ => return None,
        }))
    }

    fn numbers(&self) -> Result<BankNumbers, Fault> {
        // People group digits by spaces and hyphens.
        let digits = |name| -> String {
            let given = self.get(name).unwrap_or_default();
            given.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
        };
        let numbers = BankNumbers {
            routing_number: digits(ROUTING_NUMBER),
            account_number: digits(ACCOUNT_NUMBER),
            holder_type: self.word(HOLDER_TYPE).unwrap_or(BankHolderType::Individual),
            account_type: self.word(ACCOUNT_TYPE).unwrap_or(BankAccountType::Checking),
        };
        if digits(ACCOUNT_NUMBER_AGAIN) == numbers.account_number {
            Ok(numbers)
        } else {
            Err(Fault::NumbersDiffer)
        }
    }

    fn word<T: Word>(&self, name: &str) -> Option<T> {
        self.get(name).and_then(T::from_word)
    }
}
