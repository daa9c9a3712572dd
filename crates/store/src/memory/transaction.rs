//! Transactions.

use super::{Memory, page};
use crate::store::Failure;
use crate::{
    FindAccount, FindHeld, FindLeftOut, FindTransaction, ListTransactions, ListedTransactions,
};
use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, TransactionId};
use model::transaction::Transaction;
use std::sync::Arc;

/// The rows of an account, oldest first.
fn rows_of(
    memory: &Memory,
    owner: MerchantId,
    account: AccountId,
) -> impl Iterator<Item = &Transaction> {
    let first = TransactionId { account, listed_at: AccountTime(i64::MIN), ordinal: 0 };
    let last = TransactionId { account, listed_at: AccountTime(i64::MAX), ordinal: u32::MAX };
    let rows = memory.transactions.range(first..=last).map(|(_, row)| row);
    rows.filter(move |(merchant, _)| *merchant == owner).map(|(_, row)| row.as_ref())
}

pub(crate) fn list(
    command: &ListTransactions,
    memory: &Memory,
) -> Result<Option<ListedTransactions>, Failure> {
    let ListTransactions { merchant, account, transacted_at, after, page: wanted } = *command;
    let find = FindAccount { merchant, account };
    let Some(held) = super::account::find(&find, memory)? else { return Ok(None) };
    let rows = rows_of(memory, merchant, account)
        .filter(|row| transacted_at.contains(row.transacted_at.0))
        .filter(|row| after.is_none_or(|after| row.sequence > after))
        .map(|row| (row.id, row.clone()));
    Ok(Some(ListedTransactions { account: (&held).into(), page: page(rows, wanted) }))
}

pub(crate) fn find(
    command: &FindTransaction,
    memory: &Memory,
) -> Result<Option<Transaction>, Failure> {
    let found = memory.transactions.get(&command.transaction);
    let found = found.filter(|(merchant, _)| *merchant == command.merchant);
    Ok(found.map(|(_, row)| row.as_ref().clone()))
}

pub(crate) fn find_left_out(
    command: &FindLeftOut,
    memory: &Memory,
) -> Result<Option<u32>, Failure> {
    let FindLeftOut { merchant, account, transacted_at, after } = *command;
    let left_out = rows_of(memory, merchant, account)
        .filter(|row| !transacted_at.contains(row.transacted_at.0))
        .map(|row| row.sequence)
        .filter(|sequence| after.is_none_or(|after| *sequence > after));
    Ok(left_out.max())
}

pub(crate) fn find_held(command: &FindHeld, memory: &Memory) -> Result<Vec<Transaction>, Failure> {
    let FindHeld { merchant, account, bank_ids, range } = command;
    let held = rows_of(memory, *merchant, *account).filter(|row| {
        bank_ids.contains(&row.bank_id)
            || range.is_some_and(|(from, to)| (from..=to).contains(&row.transacted_at))
    });
    Ok(held.cloned().collect())
}

/// Stores rows: new ones, and the newest form of held ones.
pub(super) fn upsert_many(merchant: MerchantId, rows: &[Transaction], memory: &mut Memory) {
    for row in rows {
        memory.transactions.insert(row.id, (merchant, Arc::new(row.clone())));
    }
}
