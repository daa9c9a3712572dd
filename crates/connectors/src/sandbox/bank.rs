//! A test bank, of the catalogue or of a scenario, as the connector shows it.

use super::catalogue::{Bank, Challenge, Login, Number, TestAccount};
use super::identity::Identity;
use super::plan::Plan;
use super::scenario::PlannedBank;
use crate::interface::{Institution, OfferedAccount};
use model::account::PaymentMethodType;
use model::bank::Feature;
use model::id::InstitutionId;

/// The features of every test bank.
const FEATURES: [Feature; 3] = [Feature::Balance, Feature::Ownership, Feature::Transactions];

/// A bank of the catalogue or of a scenario.
#[derive(Clone, Copy, Debug)]
pub(super) enum AnyBank<'a> {
    Catalogue(&'static Bank),
    Planned(&'a PlannedBank),
}

impl AnyBank<'_> {
    pub(super) fn login(self) -> Login {
        match self {
            Self::Catalogue(bank) => bank.login,
            Self::Planned(bank) => bank.login,
        }
    }

    /// The question that the bank asks at every login.
    pub(super) fn challenge(self) -> Option<Challenge> {
        match self {
            Self::Catalogue(_) => None,
            Self::Planned(bank) => bank.challenge,
        }
    }

    /// The accounts that the bank offers a holder after the login.
    pub(super) fn offered(self, seed: u64, holder_key: &str) -> Vec<OfferedAccount> {
        let claim = |identity: &Identity, credential, unclaimed| OfferedAccount {
            bank_account: identity.bank_account(),
            last4: Some(identity.last4()),
            credential,
            ..unclaimed
        };
        match self {
            Self::Catalogue(bank) => {
                let accounts = bank.accounts.iter().map(|account| {
                    let names = (account.name, account.partner);
                    let identity = Identity::of(seed, bank.name, names, holder_key);
                    let offered = claim(&identity, identity.credential(), unclaimed(bank, account));
                    // Accounts that earlier releases linked have the key without the ending. A new
                    // link does not give them another history.
                    OfferedAccount {
                        bank_account: format!("{}-2", offered.bank_account),
                        ..offered
                    }
                });
                accounts.collect()
            }
            Self::Planned(bank) => {
                let accounts = bank.accounts.iter().enumerate().map(|(position, plan)| {
                    let names = (plan.name.as_str(), None);
                    let identity = Identity::of(seed, &bank.name, names, holder_key);
                    let credential = identity.planned_credential(plan);
                    let offered = claim(&identity, credential, unclaimed_plan(plan, position == 0));
                    OfferedAccount { last4: plan.last4.clone().or(offered.last4), ..offered }
                });
                accounts.collect()
            }
        }
    }
}

pub(super) fn institution(id: InstitutionId, bank: &'static Bank) -> Institution {
    Institution {
        id,
        name: bank.name.to_owned(),
        description: bank.description.to_owned(),
        oauth: matches!(bank.login, Login::OAuth | Login::OAuthPick),
        picks_accounts: bank.login == Login::OAuthPick,
        features: FEATURES.to_vec(),
        accounts: bank.accounts.iter().map(|account| unclaimed(bank, account)).collect(),
    }
}

pub(super) fn planned_institution(bank: &PlannedBank) -> Institution {
    let accounts = bank.accounts.iter().enumerate();
    Institution {
        id: bank.id,
        name: bank.name.clone(),
        description: bank.description.clone(),
        oauth: bank.login == Login::OAuth,
        picks_accounts: false,
        features: FEATURES.to_vec(),
        accounts: accounts.map(|(position, plan)| unclaimed_plan(plan, position == 0)).collect(),
    }
}

/// An account of the catalogue before any login: without key, number and credential.
fn unclaimed(bank: &Bank, account: &TestAccount) -> OfferedAccount {
    let preselected = bank.preselected().is_some_and(|picked| picked.name == account.name);
    OfferedAccount {
        bank_account: String::new(),
        name: account.name.to_owned(),
        description: account.description.to_owned(),
        category: account.category,
        subcategory: account.subcategory,
        last4: None,
        // An expired number moves no money.
        supported_payment_method_types: payment_methods(
            account.payable && account.number != Number::TokenExpired,
        ),
        preselected,
        credential: Vec::new(),
    }
}

/// An account of a scenario before any login.
fn unclaimed_plan(plan: &Plan, preselected: bool) -> OfferedAccount {
    OfferedAccount {
        bank_account: String::new(),
        name: plan.name.clone(),
        description: plan.description.clone(),
        category: plan.category,
        subcategory: plan.subcategory,
        last4: None,
        supported_payment_method_types: payment_methods(plan.payable),
        preselected,
        credential: Vec::new(),
    }
}

fn payment_methods(payable: bool) -> Vec<PaymentMethodType> {
    payable.then_some(PaymentMethodType::UsBankAccount).into_iter().collect()
}
