//! The panes on which a holder types: numbers, an address, a code.

use super::fields::{
    ACCOUNT_NUMBER, ACCOUNT_NUMBER_AGAIN, ACCOUNT_TYPE, CODE, EMAIL, HOLDER_TYPE, ROUTING_NUMBER,
};
use super::form::Fault;
use super::icons::{Icon, icon};
use super::making::Making;
use super::panes::Content;
use super::pieces::{Field, choice_of};
use super::words;
use engine::connections::link::PickFault;
use maud::{Markup, html};
use model::Word;
use model::token::{BankAccountType, BankHolderType, TEST_ACCOUNT_NUMBERS, TEST_ROUTING_NUMBER};

impl Making<'_> {
    /// The form for routing and account number.
    pub(super) fn manual_entry(&self) -> Content {
        let of_both = matches!(
            self.fault,
            Some(Fault::Step(PickFault::NotForTests | PickFault::ForTestsOnly))
        );
        let wrong = match self.fault {
            Some(Fault::NumbersDiffer) => Some(ACCOUNT_NUMBER_AGAIN),
            Some(Fault::Step(PickFault::AccountNumber)) => Some(ACCOUNT_NUMBER),
            Some(_) => Some(ROUTING_NUMBER),
            None => None,
        };
        let message = self.message();
        let is_empty = |name| self.posted.get(name).unwrap_or_default().trim().is_empty();
        let error = |name| match wrong {
            Some(_) if is_empty(name) => Some("Enter this number."),
            Some(wrong) if wrong == name => message.as_deref(),
            _ => None,
        };
        let numbers = [
            (ROUTING_NUMBER, "Routing number", Some("Nine digits, at the bottom left of a check")),
            (ACCOUNT_NUMBER, "Account number", Some("4 to 17 digits")),
            (ACCOUNT_NUMBER_AGAIN, "Confirm account number", None),
        ];
        let first_wrong = numbers.iter().find(|(name, ..)| error(*name).is_some());
        let below = html! {
            p.lead { "Your bank account will be connected by its numbers, without signing in." }
            (self.form("numbers", &html! {
                @for (name, label, hint) in numbers {
                    (Field {
                        id: name,
                        label,
                        hint,
                        class: Some("digits"),
                        numeric: true,
                        value: self.posted.get(name),
                        error: error(name),
                        wrong: of_both && name == ACCOUNT_NUMBER,
                        focus: first_wrong.is_some_and(|(first, ..)| *first == name),
                        ..Field::default()
                    }.render())
                }
                (choice_of(HOLDER_TYPE, "Account holder", self.posted, &[
                    (BankHolderType::Individual.word(), "Individual"),
                    (BankHolderType::Company.word(), "Company"),
                ]))
                (choice_of(ACCOUNT_TYPE, "Account type", self.posted, &[
                    (BankAccountType::Checking.word(), "Checking"),
                    (BankAccountType::Savings.word(), "Savings"),
                ]))
            }))
            @if !self.view.livemode { (self.test_numbers()) }
        };
        Content {
            back: self.view.banks,
            below,
            actions: Self::submit("numbers", "Continue"),
            ..Content::titled("Enter your bank details")
        }
    }

    fn test_numbers(&self) -> Markup {
        html! {
            details.note open[self.fault == Some(Fault::Step(PickFault::NotForTests))] {
                summary { "Numbers for tests" }
                p { "Routing number " code { (TEST_ROUTING_NUMBER) } }
                ul {
                    @for (number, what) in TEST_ACCOUNT_NUMBERS {
                        li { code { (number) } ": " (what) }
                    }
                }
            }
        }
    }

    /// The form for the address under which accounts were saved.
    pub(super) fn sign_in(&self, unknown: bool) -> Content {
        let known = self.view.email.is_some() && !unknown;
        let address = self.posted.get(EMAIL).or(self.view.email.as_deref());
        let message = self.message();
        let below = html! {
            @if unknown {
                p.alert role="alert" {
                    (icon(Icon::Alert))
                    span { "There are no saved accounts for " (address.unwrap_or_default()) "." }
                }
                @if let Some(email) = address {
                    (self.form("sign_up", &html! {
                        input type="hidden" name=(EMAIL) value=(email);
                    }))
                }
            }
            p.lead {
                @if unknown { "Enter another address, or connect a bank and save it." }
                @else {
                    "You can use accounts that you connected before, without signing in at your bank "
                    "again. We will send you a code."
                }
            }
            (self.form("sign_in", &Field {
                id: EMAIL,
                label: "Email",
                kind: "email",
                autocomplete: "email",
                value: address,
                error: message.as_deref(),
                focus: message.is_some(),
                ..Field::default()
            }.render()))
        };
        let actions = html! {
            (Self::submit("sign_in", "Send me a code"))
            @if unknown && address.is_some() {
                button.quiet form="form-sign_up" { "Connect a bank and save it with this address" }
            }
            (Self::button("back", "plain", "Skip"))
        };
        let title = if known { "Welcome back" } else { "Use saved accounts" };
        Content { back: true, wrong: unknown, below, actions, ..Content::titled(title) }
    }

    /// The form for the code that was sent to the address.
    pub(super) fn code(&self) -> Content {
        let message = self.message();
        let below = html! {
            p.lead {
                "We sent a code of six digits to "
                strong { (self.view.email.as_deref().unwrap_or("you")) } "."
            }
            (self.form("code", &Field {
                id: CODE,
                label: "Code",
                class: Some("code digits"),
                autocomplete: "one-time-code",
                numeric: true,
                value: self.posted.get(CODE),
                error: message.as_deref(),
                focus: message.is_some(),
                ..Field::default()
            }.render()))
            p.note { "Test mode: no code was sent. Enter any six digits." }
        };
        let actions = Self::submit("code", "Continue");
        Content { back: true, below, actions, ..Content::titled("Enter your code") }
    }

    /// The message about the fault, if there is one.
    fn message(&self) -> Option<String> {
        self.fault.map(|fault| words::fault(fault, self.view.accounts_max))
    }
}
