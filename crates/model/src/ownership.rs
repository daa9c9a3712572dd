//! The owners of an account: one snapshot (`fcaowns_…`) per successful ownership refresh.

use crate::bank::BankOwner;
use crate::clock::AccountTime;
use crate::id::{OwnerId, OwnershipId};
use serde::{Deserialize, Serialize};

/// The owners at one point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// Its id, which contains the account and the refresh.
    pub id: OwnershipId,
    /// The time of the fetch.
    pub created: AccountTime,
    /// The owners, at most 255, in the bank's order.
    pub owners: Vec<BankOwner>,
}

impl Ownership {
    /// Returns the owners with their ids.
    pub fn with_ids(&self) -> impl DoubleEndedIterator<Item = (OwnerId, &BankOwner)> + '_ {
        let ids = (0..=u8::MAX).map(|index| OwnerId { ownership: self.id, index });
        ids.zip(&self.owners).collect::<Vec<_>>().into_iter()
    }
}
