//! Accounts that have other numbers now than at their link. A login offers them under the key of the first
//! number. The holder links the account with the current number in place of it, and the account with
//! the old number stays inactive.

use crate::connections::banks::Banks;
use crate::connections::carrier::LinkRequirements;
use crate::connections::watch::bank_account;
use crate::{Engine, Error};
use connectors::Replacement;
use model::account::{Account, AccountStatus};
use model::clock::AccountTime;
use model::id::InstitutionId;
use model::limits::PAGE_ROWS_MAX;
use model::link::Offer;
use store::{AccountsOf, Cursor, ListAccounts, Page};

/// A linked account with its current number.
pub(crate) struct Replaced {
    /// The key that the account is linked with.
    bank_account: String,
    replacement: Replacement,
}

impl Engine {
    /// The holder's accounts at a bank that have other numbers now than the login offers.
    pub(super) async fn replaced(
        &self,
        needs: &LinkRequirements,
        banks: &Banks,
        institution: Option<InstitutionId>,
        now: AccountTime,
    ) -> Result<Vec<Replaced>, Error> {
        let Some(institution) = institution.filter(|id| banks.replaces_numbers(*id)) else {
            return Ok(Vec::new());
        };
        let mut replaced = Vec::new();
        for account in self.accounts_of_holder(needs).await? {
            let counts =
                account.institution == institution && account.status != AccountStatus::Disconnected;
            if !counts {
                continue;
            }
            let Some(connection) = self.connection_of(&account).await? else { continue };
            let at_bank = bank_account(&account, &connection);
            if let Some(replacement) = self.connector.replacement(&at_bank, now) {
                replaced.push(Replaced { bank_account: account.bank_account.clone(), replacement });
            }
        }
        Ok(replaced)
    }

    /// The newest accounts of the holder. Accounts without a holder are those of the login to renew.
    async fn accounts_of_holder(&self, needs: &LinkRequirements) -> Result<Vec<Account>, Error> {
        let of = match (&needs.holder, &needs.relink) {
            (Some(holder), _) => AccountsOf::Holder(holder.clone()),
            (None, Some(relink)) => AccountsOf::Authorization(relink.authorization),
            (None, None) => return Ok(Vec::new()),
        };
        let page = Page { limit: PAGE_ROWS_MAX, cursor: Cursor::Newest };
        Ok(self.store.read(ListAccounts { merchant: needs.merchant, of, page }).await?.items)
    }
}

/// The offer with the current number of its account.
pub(super) fn with_current_number(offer: Offer, replaced: &[Replaced]) -> Offer {
    let of = |known: &&Replaced| {
        known.bank_account == offer.bank_account || known.replacement.offered == offer.bank_account
    };
    let Some(Replaced { replacement, .. }) = replaced.iter().find(of) else { return offer };
    Offer {
        bank_account: replacement.bank_account.clone(),
        last4: replacement.last4.clone(),
        credential: replacement.credential.clone(),
        ..offer
    }
}
