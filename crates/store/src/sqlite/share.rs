//! The owners of shares of the bounds of the server.

use super::{Failure, Reading, column, from_json};
use crate::Kind;
use model::Word;
use model::connected_account::PlatformTie;
use model::id::MerchantId;
use rusqlite::params;
use std::collections::HashMap;

pub(super) const FIND_TIE: &str =
    "SELECT body FROM objects WHERE merchant = ?1 AND kind = ?2 AND number = ?3";

/// The owner of the shares that the rows of a merchant use: the platform of a connected account, and the
/// merchant itself otherwise. `row_owner` is the value in the column `merchant` of the rows.
pub(super) fn share_owner(
    merchant: MerchantId,
    row_owner: i64,
    reading: &Reading<'_>,
) -> Result<MerchantId, Failure> {
    let key = params![row_owner, Kind::PlatformTie.word(), column(PlatformTie::NUMBER)];
    let tie: Option<PlatformTie> = reading.find(FIND_TIE, key, |row| from_json(row, 0))?;
    Ok(tie.map_or(merchant, |tie| tie.platform))
}

/// The owners that a command has looked up.
#[derive(Default)]
pub(super) struct Owners(HashMap<MerchantId, MerchantId>);

impl Owners {
    /// The owner of the shares that the rows of a merchant use.
    pub(super) fn of(
        &mut self,
        merchant: MerchantId,
        row_owner: i64,
        reading: &Reading<'_>,
    ) -> Result<MerchantId, Failure> {
        if let Some(known) = self.0.get(&merchant) {
            return Ok(*known);
        }
        let owner = share_owner(merchant, row_owner, reading)?;
        self.0.insert(merchant, owner);
        Ok(owner)
    }
}
