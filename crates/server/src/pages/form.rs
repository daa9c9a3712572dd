//! Parsing of a holder's form into a step. A form is a list of names and values. If it cannot be
//! parsed, no step is taken and the page is shown again.

use super::fields::{
    ACCOUNT, ACCOUNT_NUMBER, ACCOUNT_NUMBER_AGAIN, ACCOUNT_TYPE, BANK_FIELD, CODE, EMAIL,
    HOLDER_TYPE, INSTITUTION, ROUTING_NUMBER, STEP, VERSION,
};
use engine::connections::link::{LinkStep, PickFault};
use model::Word;
use model::id::InstitutionId;
use model::token::{BankAccountType, BankHolderType, BankNumbers};

/// The maximum size of a posted form, in bytes.
pub(super) const FORM_BYTES_MAX: usize = 64 * 1024;
/// The maximum number of values in a posted form.
const VALUES_MAX: usize = 500;
/// The maximum length of one value, in characters.
const VALUE_CHARS_MAX: usize = 1_000;

/// A posted form.
#[derive(Clone, Default)]
pub(super) struct Posted(Vec<(String, String)>);

/// The error that the holder has to correct before the step can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The engine rejected the step.
    Step(PickFault),
    /// The account number and its repetition differ.
    NumbersDiffer,
    /// A field of the bank is empty.
    Blank,
}

impl Fault {
    /// True if the message is shown beside a field.
    pub(super) fn is_about_a_field(self) -> bool {
        matches!(
            self,
            Self::NumbersDiffer
                | Self::Blank
                | Self::Step(
                    PickFault::RoutingNumber
                        | PickFault::AccountNumber
                        | PickFault::NotForTests
                        | PickFault::ForTestsOnly
                        | PickFault::Email
                        | PickFault::Code
                )
        )
    }
}

impl Posted {
    /// Reads a form or a query. Returns `None` if it exceeds the limits of this server's forms.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let values: Vec<(String, String)> =
            url::form_urlencoded::parse(bytes).into_owned().take(VALUES_MAX + 1).collect();
        let fits = values.iter().all(|(name, value)| {
            name.chars().count() <= VALUE_CHARS_MAX && value.chars().count() <= VALUE_CHARS_MAX
        });
        (fits && values.len() <= VALUES_MAX).then_some(Self(values))
    }

    /// The first value with this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values with this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// True if the form has no values.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The positions of the picked accounts. An invalid position becomes the position of an account
    /// that does not exist.
    pub(super) fn picks(&self) -> Vec<usize> {
        self.all(ACCOUNT).map(|place| place.parse().unwrap_or(usize::MAX)).collect()
    }

    /// The version of the pane that contained the form.
    pub(super) fn version(&self) -> u64 {
        self.get(VERSION).and_then(|version| version.parse().ok()).unwrap_or(0)
    }

    /// The step, or `None` if the form has no known step.
    pub(super) fn step(&self) -> Option<Result<LinkStep, Fault>> {
        let text = |name| self.get(name).unwrap_or_default().to_owned();
        Some(Ok(match self.get(STEP)? {
            "institution" => match self.get(INSTITUTION)?.parse::<InstitutionId>() {
                Ok(institution) => LinkStep::PickInstitution(institution),
                Err(_) => return Some(Err(Fault::Step(PickFault::NoSuchInstitution))),
            },
            "consent" => LinkStep::Consent,
            "login" => return Some(self.bank_fields().map(LinkStep::Fields)),
            "accounts" => LinkStep::PickAccounts(self.picks()),
            "manual" => LinkStep::EnterManually,
            "numbers" => return Some(self.numbers().map(LinkStep::Numbers)),
            "sign_in" => LinkStep::SignIn(self.get(EMAIL).map(str::to_owned)),
            "sign_up" => LinkStep::SignUp(text(EMAIL)),
            "code" => LinkStep::Code(text(CODE)),
            "back" => LinkStep::Back,
            "retry" => LinkStep::Retry,
            "another_bank" => LinkStep::PickAnother,
            "cancel" => LinkStep::Cancel,
            _ => return None,
        }))
    }

    /// The values of the bank's fields. A bank receives no empty values.
    fn bank_fields(&self) -> Result<Vec<(String, String)>, Fault> {
        let field = |(name, value): &(String, String)| {
            Some((name.strip_prefix(BANK_FIELD)?.to_owned(), value.clone()))
        };
        let fields: Vec<(String, String)> = self.0.iter().filter_map(field).collect();
        let blank = fields.iter().any(|(_, value)| value.trim().is_empty());
        if blank { Err(Fault::Blank) } else { Ok(fields) }
    }

    fn numbers(&self) -> Result<BankNumbers, Fault> {
        // People separate groups of digits with spaces and hyphens.
        let digits = |name| -> String {
            let text = self.get(name).unwrap_or_default();
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
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
