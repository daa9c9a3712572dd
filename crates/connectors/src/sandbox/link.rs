//! Logging in at a test bank. The state of a login holds the bank, the holder's key and what was
//! asked; accounts are offered once nothing is left to ask.

use super::catalogue::{Bank, Login, TestAccount};
use super::identity::Identity;
use super::plan::Plan;
use super::{AnyBank, Sandbox};
use crate::{Begin, Input, LinkError, OfferedAccount, Step};
use model::account::PaymentMethodType;
use model::id::InstitutionId;
use serde::{Deserialize, Serialize};

const HOUR_S: i64 = 3_600;

/// A login under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LoginState {
    institution: InstitutionId,
    holder_key: String,
    /// The field that was asked last; the first form asks two.
    asked: Option<String>,
}

/// Answers that bring another question, and the field that it asks.
const PROMPTS: [(&str, &str); 4] = [
    ("options", "option"),
    ("mfa", "code"),
    ("confirm_mfa", "confirmation"),
    ("security_question", "answer"),
];

impl Sandbox {
    /// Begins a link at a bank.
    pub fn begin(&self, begin: &Begin<'_>) -> Result<Step, LinkError> {
        let bank = self.find_bank(begin.institution).ok_or(LinkError::UnknownInstitution)?;
        let state = LoginState {
            institution: begin.institution,
            holder_key: begin.holder_key.to_owned(),
            asked: None,
        };
        match bank.login() {
            Login::OAuth | Login::OAuthPick => Ok(Step::Redirect { state: bytes(&state)? }),
            Login::Form | Login::Prompts => Ok(Step::Ask {
                state: bytes(&state)?,
                fields: vec!["username".to_owned(), "password".to_owned()],
            }),
            Login::DownUntil => {
                // A full hour, at least one away.
                let hour = begin.now.0.div_euclid(HOUR_S).saturating_add(2);
                let until = model::clock::AccountTime(hour.saturating_mul(HOUR_S));
                Err(LinkError::Unavailable { until: Some(until) })
            }
            Login::Down => Err(LinkError::Unavailable { until: None }),
            Login::Fails => Err(LinkError::Failed),
        }
    }

    /// Goes on with a link.
    pub fn advance(&self, state: &[u8], input: &Input) -> Result<Step, LinkError> {
        let mut state: LoginState = serde_json::from_slice(state).map_err(|_| LinkError::Failed)?;
        let bank = self.find_bank(state.institution).ok_or(LinkError::UnknownInstitution)?;
        let prompt = match (bank.login(), input) {
            (Login::OAuth | Login::OAuthPick, Input::Returned)
            | (Login::Form, Input::Fields(_)) => None,
            (Login::Prompts, Input::Fields(fields)) => prompt(fields)?,
            // The holder came back without having logged in.
            _ => return Err(LinkError::Refused),
        };
        let Some(field) = prompt else {
            let accounts = self.offered(bank, &state.holder_key);
            return Ok(Step::Done { accounts });
        };
        state.asked = Some(field.to_owned());
        Ok(Step::Ask { state: bytes(&state)?, fields: vec![field.to_owned()] })
    }

    /// What a bank offers a holder.
    pub(super) fn offered(&self, bank: AnyBank<'_>, holder_key: &str) -> Vec<OfferedAccount> {
        let claim = |identity: &Identity, credential, unclaimed| OfferedAccount {
            bank_account: identity.bank_account(),
            last4: Some(identity.last4()),
            credential,
            ..unclaimed
        };
        match bank {
            AnyBank::Catalogue(bank) => {
                let accounts = bank.accounts.iter().map(|account| {
                    let names = (account.name, account.partner);
                    let identity = Identity::of(self.seed, bank.name, names, holder_key);
                    claim(&identity, identity.credential(), unclaimed(bank, account))
                });
                accounts.collect()
            }
            AnyBank::Planned(bank) => {
                let accounts = bank.accounts.iter().enumerate().map(|(place, plan)| {
                    let names = (plan.name.as_str(), None);
                    let identity = Identity::of(self.seed, &bank.name, names, holder_key);
                    let credential = identity.planned_credential(plan);
                    let offered = claim(&identity, credential, unclaimed_plan(plan, place == 0));
                    OfferedAccount { last4: plan.last4.clone().or(offered.last4), ..offered }
                });
                accounts.collect()
            }
        }
    }
}

/// An account before anybody has logged in: without key, number and credential.
pub(super) fn unclaimed(bank: &Bank, account: &TestAccount) -> OfferedAccount {
    let preselected = bank.preselected().is_some_and(|picked| picked.name == account.name);
    OfferedAccount {
        bank_account: String::new(),
        name: account.name.to_owned(),
        description: account.description.to_owned(),
        category: account.category,
        subcategory: account.subcategory,
        last4: None,
        supported_payment_method_types: pays(account.payable),
        preselected,
        credential: Vec::new(),
    }
}

/// The same of an account of a scenario.
pub(super) fn unclaimed_plan(plan: &Plan, preselected: bool) -> OfferedAccount {
    OfferedAccount {
        bank_account: String::new(),
        name: plan.name.clone(),
        description: plan.description.clone(),
        category: plan.category,
        subcategory: plan.subcategory,
        last4: None,
        supported_payment_method_types: pays(plan.payable),
        preselected,
        credential: Vec::new(),
    }
}

fn pays(payable: bool) -> Vec<PaymentMethodType> {
    payable.then_some(PaymentMethodType::UsBankAccount).into_iter().collect()
}

/// The question that the answers bring, if any. Answers count in the order of the fields; a user
/// name is never one.
fn prompt(fields: &[(String, String)]) -> Result<Option<&'static str>, LinkError> {
    for (_, value) in fields.iter().filter(|(name, _)| name != "username") {
        match value.as_str() {
            "error" => return Err(LinkError::Failed),
            "incorrect" => return Err(LinkError::Refused),
            value => {
                if let Some((_, field)) = PROMPTS.iter().find(|(answer, _)| *answer == value) {
                    return Ok(Some(field));
                }
            }
        }
    }
    Ok(None)
}

fn bytes(state: &LoginState) -> Result<Vec<u8>, LinkError> {
    serde_json::to_vec(state).map_err(|_| LinkError::Failed)
}
