//! The panes on which a holder types: numbers, an address, a code.

use super::fields::{
    ACCOUNT_NUMBER, ACCOUNT_NUMBER_AGAIN, ACCOUNT_TYPE, CODE, EMAIL, HOLDER_TYPE, ROUTING_NUMBER,
};
use super::form::Fault;
use super::making::Making;
use super::pieces::choice_of;
use engine::connections::link::PickFault;
use maud::{Markup, html};
use model::Word;
use model::token::{BankAccountType, BankHolderType, TEST_ACCOUNT_NUMBERS, TEST_ROUTING_NUMBER};

impl Making<'_> {
    pub(super) fn manual_entry(&self) -> Markup {
        let invalid = |names: &[&str], name: &str| names.contains(&name).then_some("true");
        let wrong: &[&str] = match self.fault {
            Some(Fault::NumbersDiffer) => &[ACCOUNT_NUMBER_AGAIN],
            Some(Fault::Step(PickFault::RoutingNumber)) => &[ROUTING_NUMBER],
            Some(Fault::Step(PickFault::AccountNumber)) => &[ACCOUNT_NUMBER],
            Some(Fault::Step(PickFault::NotForTests | PickFault::ForTestsOnly)) => {
                &[ROUTING_NUMBER, ACCOUNT_NUMBER]
            }
            _ => &[],
        };
        let numbers = [
            (ROUTING_NUMBER, "Routing number", "Nine digits, at the bottom left of a check"),
            (ACCOUNT_NUMBER, "Account number", "4 to 17 digits"),
            (ACCOUNT_NUMBER_AGAIN, "Account number again", "To make sure that it is correct"),
        ];
        html! {
            p { "Your bank account will be linked by its numbers, without a login." }
            (self.form("numbers", &html! {
                @for (name, label, hint) in numbers {
                    label for=(name) { (label) }
                    p.hint id=(format!("{name}-hint")) { (hint) }
                    input id=(name) name=(name) inputmode="numeric" autocomplete="off" required
                        value=[self.posted.get(name).filter(|_| name == ROUTING_NUMBER)]
                        aria-describedby=(format!("{name}-hint"))
                        aria-invalid=[invalid(wrong, name)];
                }
                (choice_of(HOLDER_TYPE, "Type of owner", self.posted, &[
                    (BankHolderType::Individual.word(), "Person"),
                    (BankHolderType::Company.word(), "Company"),
                ]))
                (choice_of(ACCOUNT_TYPE, "Type of account", self.posted, &[
                    (BankAccountType::Checking.word(), "Checking"),
                    (BankAccountType::Savings.word(), "Savings"),
                ]))
                button.main { "Continue" }
            }))
            @if !self.view.livemode {
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
    }

    pub(super) fn sign_in(&self, unknown: bool) -> Markup {
        let address = self.posted.get(EMAIL).or(self.view.email.as_deref());
        html! {
            @if unknown {
                p.alert role="alert" {
                    "There are no saved accounts for " (address.unwrap_or_default()) "."
                }
                @if let Some(email) = address {
                    (self.form("sign_up", &html! {
                        input type="hidden" name=(EMAIL) value=(email);
                        button.quiet { "Link a bank and save it with this address" }
                    }))
                }
            }
            p {
                "You can use accounts that you linked before, without a new login at your bank. We "
                "will send you a code."
            }
            (self.form("sign_in", &html! {
                label for=(EMAIL) { "E-mail address" }
                input id=(EMAIL) name=(EMAIL) type="email" autocomplete="email" required
                    value=[address]
                    aria-describedby=[self.fault.map(|_| "fault")]
                    aria-invalid=[self.fault.map(|_| "true")];
                button.main { "Send me a code" }
            }))
            (self.button("back", "quiet", "Continue without saved accounts"))
        }
    }

    pub(super) fn code(&self) -> Markup {
        html! {
            p {
                "We sent a code of six digits to "
                strong { (self.view.email.as_deref().unwrap_or("you")) } "."
            }
            (self.form("code", &html! {
                label for=(CODE) { "Code" }
                input.code id=(CODE) name=(CODE) inputmode="numeric" maxlength="12" required
                    autocomplete="one-time-code"
                    aria-describedby=[self.fault.map(|_| "fault")]
                    aria-invalid=[self.fault.map(|_| "true")];
                button.main { "Continue" }
            }))
            p.note { "Test mode: no code was sent. Enter any six digits." }
        }
    }
}
