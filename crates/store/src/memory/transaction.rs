//! Transactions.

use super::{Memory, page};
use crate::store::Failure;
use crate::{
    FindAccount, FindBankId, FindLeftOut, FindStoredTransactions, FindTransaction,
    ListTransactions, ListedTransactions,
};
use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, TransactionId};
use model::transaction::{StoredTransaction, Transaction};
use std::sync::Arc;

/// The rows of an account, oldest first.
fn rows_of(
    memory: &Memory,
    owner: MerchantId,
    account: AccountId,
) -> impl Iterator<Item = &StoredTransaction> {
    let first = TransactionId { account, listed_at: AccountTime(i64::MIN), ordinal: 0 };
    let last = TransactionId { account, listed_at: AccountTime(i64::MAX), ordinal: u32::MAX };
    let rows = memory.rows.transactions.range(first..=last).map(|(_, row)| row);
    rows.filter(move |(merchant, _)| *merchant == owner).map(|(_, row)| row.as_ref())
}

pub(crate) fn list(
    command: &ListTransactions,
    memory: &Memory,
) -> Result<Option<ListedTransactions>, Failure> {
    let ListTransactions { merchant, account, transacted_at, after, page: wanted } = *command;
    let find = FindAccount { merchant, account };
    let Some(found) = super::account::find(&find, memory)? else { return Ok(None) };
    let rows = rows_of(memory, merchant, account)
        .filter(|row| transacted_at.contains(row.shown.transacted_at.0))
        .filter(|row| after.is_none_or(|after| row.shown.sequence > after))
        .map(|row| (row.shown.id, row.shown.clone()));
    Ok(Some(ListedTransactions { account: (&found).into(), page: page(rows, wanted) }))
}

pub(crate) fn find(
    command: &FindTransaction,
    memory: &Memory,
) -> Result<Option<Transaction>, Failure> {
    let FindTransaction { merchant, transaction } = *command;
    Ok(find_row(memory, merchant, transaction).map(|row| row.shown.clone()))
}

pub(crate) fn find_left_out(
    command: &FindLeftOut,
    memory: &Memory,
) -> Result<Option<u32>, Failure> {
    let FindLeftOut { merchant, account, transacted_at, after } = *command;
    let left_out = rows_of(memory, merchant, account)
        .filter(|row| !transacted_at.contains(row.shown.transacted_at.0))
        .map(|row| row.shown.sequence)
        .filter(|sequence| after.is_none_or(|after| *sequence > after));
    Ok(left_out.max())
}

pub(crate) fn find_bank_id(
    command: &FindBankId,
    memory: &Memory,
) -> Result<Option<String>, Failure> {
    let FindBankId { merchant, transaction } = *command;
    Ok(find_row(memory, merchant, transaction).map(|row| row.bank_id.clone()))
}

fn find_row(memory: &Memory, owner: MerchantId, id: TransactionId) -> Option<&StoredTransaction> {
    let (merchant, row) = memory.rows.transactions.get(&id)?;
    (*merchant == owner).then_some(row.as_ref())
}

pub(crate) fn find_stored(
    command: &FindStoredTransactions,
    memory: &Memory,
) -> Result<Vec<StoredTransaction>, Failure> {
    let FindStoredTransactions { merchant, account, bank_ids, range } = command;
    let rows = rows_of(memory, *merchant, *account).filter(|row| {
        bank_ids.contains(&row.bank_id)
            || range.is_some_and(|(from, to)| (from..=to).contains(&row.shown.transacted_at))
    });
    Ok(rows.cloned().collect())
}

/// Stores new rows, and the newest form of stored rows.
pub(super) fn upsert_many(merchant: MerchantId, rows: &[StoredTransaction], memory: &mut Memory) {
    for row in rows {
        memory.rows.transactions.insert(row.shown.id, (merchant, Arc::new(row.clone())));
    }
}
