//! An authorization (`fcauth_…`): the credentials of one link at one institution. It groups the
//! accounts that were linked with them. It has no row of its own, because every account holds a
//! copy.

use crate::account::{Account, AccountStatus, ExpectedDeactivation, Holder, StatusAction};
use crate::id::{AuthorizationId, InstitutionId};
use serde::{Deserialize, Serialize};

/// One authorization, as one of its accounts holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// Its id.
    pub id: AuthorizationId,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The holder who linked.
    pub holder: Option<Holder>,
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's name.
    pub institution_name: String,
    /// The action that restores access, if access is lost. `None` while it is active.
    pub lost: Option<StatusAction>,
    /// True if all of its accounts are disconnected. Access is then lost for good.
    #[serde(default)]
    pub disconnected: bool,
    /// An expected loss of access.
    pub expected_deactivation: Option<ExpectedDeactivation>,
}

impl Authorization {
    /// The authorization of an account.
    pub fn of(account: &Account) -> Self {
        Self {
            id: account.authorization,
            livemode: account.livemode,
            holder: account.holder.clone(),
            institution: account.institution,
            institution_name: account.institution_name.clone(),
            lost: match account.status {
                AccountStatus::Active => None,
                AccountStatus::Inactive { action, .. } => Some(action),
                AccountStatus::Disconnected => Some(StatusAction::None),
            },
            disconnected: account.status == AccountStatus::Disconnected,
            expected_deactivation: account.expected_deactivation,
        }
    }

    /// The authorization of all of its accounts. It is active while one of them is, and its expected
    /// loss of access is the first one. `None` without an account.
    pub fn of_all(accounts: &[Account]) -> Option<Self> {
        let each: Vec<Self> = accounts.iter().map(Self::of).collect();
        let rank = |one: &Self| (one.disconnected, one.lost == Some(StatusAction::None));
        let active: Vec<&Self> = each.iter().filter(|one| one.lost.is_none()).collect();
        let expected = active.iter().filter_map(|one| one.expected_deactivation);
        let shown = match active.first() {
            Some(first) => (*first).clone(),
            None => each.iter().min_by_key(|one| rank(one))?.clone(),
        };
        Some(Self { expected_deactivation: expected.min_by_key(|one| one.at), ..shown })
    }
}
