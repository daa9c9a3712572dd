//! Transactions: the most frequent reads, and the only function that writes their rows.

use super::account::FIND_ACCOUNT;
use super::list::{Lists, Window, lists};
use super::{Batch, Failure, Param, Reading, bind, body, column, from_json};
use crate::{
    Bounds, Cursor, FindBankId, FindLeftOut, FindStoredTransactions, FindTransaction,
    ListTransactions, ListedTransactions, Page,
};
use model::clock::AccountTime;
use model::id::{AccountId, MerchantId, TransactionId};
use model::transaction::{StoredTransaction, Transaction};
use rusqlite::{Row, ToSql, named_params, params};
use std::cell::LazyCell;
use std::collections::HashSet;

pub(super) const LIST_TRANSACTIONS: Lists = lists!(
    "SELECT listed_at, ordinal, transacted_at, sequence, body FROM transactions \
     WHERE bucket = :bucket AND account = :account AND merchant = :merchant \
     AND transacted_at BETWEEN :transacted_from AND :transacted_to",
    "listed_at",
    "ordinal"
);
/// Changed rows are found and sorted within the index `transactions_changed`. Only the rows of the
/// page are looked up in the table. The plus signs prevent `SQLite` from reading the rows of the whole
/// account in the order of the list instead.
pub(super) const LIST_CHANGED: Lists = Lists {
    older: "SELECT t.listed_at, t.ordinal, t.transacted_at, t.sequence, t.body \
        FROM (SELECT +listed_at AS first, +ordinal AS second FROM transactions \
            WHERE bucket = :bucket AND account = :account AND sequence > :after \
            AND transacted_at BETWEEN :transacted_from AND :transacted_to \
            AND (+listed_at, +ordinal) < (:edge_first, :edge_second) AND +listed_at >= :end \
            ORDER BY first DESC, second DESC LIMIT :row_limit) AS c \
        CROSS JOIN transactions AS t \
        WHERE t.bucket = :bucket AND t.account = :account AND t.listed_at = c.first \
        AND t.ordinal = c.second AND t.merchant = :merchant \
        ORDER BY c.first DESC, c.second DESC",
    newer: "SELECT t.listed_at, t.ordinal, t.transacted_at, t.sequence, t.body \
        FROM (SELECT +listed_at AS first, +ordinal AS second FROM transactions \
            WHERE bucket = :bucket AND account = :account AND sequence > :after \
            AND transacted_at BETWEEN :transacted_from AND :transacted_to \
            AND (+listed_at, +ordinal) > (:edge_first, :edge_second) AND +listed_at <= :end \
            ORDER BY first, second LIMIT :row_limit) AS c \
        CROSS JOIN transactions AS t \
        WHERE t.bucket = :bucket AND t.account = :account AND t.listed_at = c.first \
        AND t.ordinal = c.second AND t.merchant = :merchant \
        ORDER BY c.first, c.second",
};
/// The two ends of the differences between the time of a row and its place in the list. Rows without a
/// difference are not in the index, and an account usually has few others.
pub(super) const FIND_EARLIEST: &str = "SELECT transacted_at - listed_at FROM transactions \
     WHERE bucket = ?1 AND account = ?2 AND merchant = ?3 AND transacted_at <> listed_at \
     ORDER BY transacted_at - listed_at LIMIT 1";
pub(super) const FIND_LATEST: &str = "SELECT transacted_at - listed_at FROM transactions \
     WHERE bucket = ?1 AND account = ?2 AND merchant = ?3 AND transacted_at <> listed_at \
     ORDER BY transacted_at - listed_at DESC LIMIT 1";
pub(super) const FIND_TRANSACTION: &str = "SELECT listed_at, ordinal, transacted_at, sequence, \
     body FROM transactions WHERE bucket = :bucket AND account = :account \
     AND listed_at = :listed_at AND ordinal = :ordinal AND merchant = :merchant";
pub(super) const FIND_BANK_ID: &str = "SELECT bank_id FROM transactions \
     WHERE bucket = :bucket AND account = :account \
     AND listed_at = :listed_at AND ordinal = :ordinal AND merchant = :merchant";
/// The newest change is at the end of the index `transactions_changed`, so it is found first.
pub(super) const FIND_LEFT_OUT: &str = "SELECT sequence FROM transactions \
     WHERE bucket = :bucket AND account = :account AND merchant = :merchant AND sequence > :after \
     AND (transacted_at < :transacted_from OR transacted_at > :transacted_to) \
     ORDER BY sequence DESC LIMIT 1";
pub(super) const FIND_BY_BANK_ID: &str = "SELECT listed_at, ordinal, transacted_at, sequence, \
     body, bank_id FROM transactions \
     WHERE bucket = ?1 AND account = ?2 AND bank_id = ?3 AND merchant = ?4";
pub(super) const LIST_ACCOUNT: &str = "SELECT listed_at, ordinal, transacted_at, sequence, \
     body, bank_id FROM transactions WHERE bucket = ?1 AND account = ?2 AND merchant = ?3";
/// A row never changes its position or its bank id.
pub(super) const UPSERT_TRANSACTION: &str = "INSERT INTO transactions (bucket, account, \
     listed_at, ordinal, merchant, transacted_at, sequence, bank_id, body) \
     VALUES (:bucket, :account, :listed_at, :ordinal, :merchant, :transacted_at, :sequence, \
     :bank_id, :body) \
     ON CONFLICT (bucket, account, listed_at, ordinal) DO UPDATE SET \
     transacted_at = excluded.transacted_at, sequence = excluded.sequence, body = excluded.body \
     WHERE transactions.merchant = excluded.merchant";

/// Lists an account's transactions.
pub(crate) fn list(
    command: &ListTransactions,
    reading: &Reading<'_>,
) -> Result<Option<ListedTransactions>, Failure> {
    let &ListTransactions { merchant, account, transacted_at, after, page } = command;
    let [bucket, shard, owner] = reading.generation(merchant)?.account_key(account);
    let from = transacted_at.from.unwrap_or(i64::MIN);
    let to = transacted_at.to.unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| read(account, row);
    // The page is read while the account's row is open, so both are of one state, and the database
    // is locked once.
    let key = params![bucket, shard, owner];
    reading.find(FIND_ACCOUNT, key, |row| {
        let listed_at = listed_within(transacted_at, key, reading)?;
        let window = Window::of(pair_page(page), listed_at);
        let bucket: Param<'_> = (":bucket", &bucket);
        let (account, merchant): (Param<'_>, Param<'_>) =
            ((":account", &shard), (":merchant", &owner));
        let (from, to): (Param<'_>, Param<'_>) =
            ((":transacted_from", &from), (":transacted_to", &to));
        let listed = match after {
            None => reading.page(
                LIST_TRANSACTIONS,
                &window,
                &[bucket, account, merchant, from, to],
                read,
            ),
            Some(after) => {
                let before = [bucket, account, (":after", &after), from, to];
                reading.page_between(LIST_CHANGED, &window, &before, &[merchant], read)
            }
        };
        Ok(ListedTransactions { account: from_json(row, 0)?, page: listed? })
    })
}

/// The part of the list in which rows with these times are. A row is listed by the time with which it
/// was first stored, and a later refresh may change its time.
fn listed_within(
    transacted_at: Bounds,
    account: &[&dyn ToSql],
    reading: &Reading<'_>,
) -> Result<Bounds, Failure> {
    // A difference beyond 64 bits is a float in SQL, and gives no bound.
    let difference = |row: &Row<'_>| Ok(row.get_ref(0)?.as_i64().ok());
    let moved = |sql: &'static str| -> Result<Option<i64>, Failure> {
        Ok(reading.find(sql, account, difference)?.unwrap_or(Some(0)))
    };
    let from = match transacted_at.from {
        Some(from) => moved(FIND_LATEST)?.map(|latest| from.saturating_sub(latest.max(0))),
        None => None,
    };
    let to = match transacted_at.to {
        Some(to) => moved(FIND_EARLIEST)?.map(|earliest| to.saturating_sub(earliest.min(0))),
        None => None,
    };
    Ok(Bounds { from, to })
}

fn pair_page(page: Page<TransactionId>) -> Page<(i64, i64)> {
    let pair = |id: TransactionId| (id.listed_at.0, i64::from(id.ordinal));
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(id) => Cursor::After(pair(id)),
        Cursor::Before(id) => Cursor::Before(pair(id)),
    };
    Page { limit: page.limit, cursor }
}

/// Finds a transaction.
pub(crate) fn find(
    command: &FindTransaction,
    reading: &Reading<'_>,
) -> Result<Option<Transaction>, Failure> {
    let account = command.transaction.account;
    find_row(FIND_TRANSACTION, command.merchant, command.transaction, reading, |row| {
        read(account, row)
    })
}

/// Finds the newest refresh of the rows outside of a list's bounds.
pub(crate) fn find_left_out(
    command: &FindLeftOut,
    reading: &Reading<'_>,
) -> Result<Option<u32>, Failure> {
    let FindLeftOut { merchant, account, transacted_at, after } = *command;
    let [bucket, account, owner] = reading.generation(merchant)?.account_key(account);
    let key = named_params! {
        ":bucket": bucket,
        ":account": account,
        ":merchant": owner,
        ":after": after.unwrap_or(0),
        ":transacted_from": transacted_at.from.unwrap_or(i64::MIN),
        ":transacted_to": transacted_at.to.unwrap_or(i64::MAX),
    };
    reading.find(FIND_LEFT_OUT, key, |row| Ok(row.get(0)?))
}

/// Finds the bank's own id of a transaction.
pub(crate) fn find_bank_id(
    command: &FindBankId,
    reading: &Reading<'_>,
) -> Result<Option<String>, Failure> {
    find_row(FIND_BANK_ID, command.merchant, command.transaction, reading, |row| Ok(row.get(0)?))
}

/// Finds one row by its id.
fn find_row<T>(
    sql: &'static str,
    merchant: MerchantId,
    transaction: TransactionId,
    reading: &Reading<'_>,
    read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let TransactionId { account, listed_at, ordinal } = transaction;
    let [bucket, account, owner] = reading.generation(merchant)?.account_key(account);
    let key: [Param<'_>; 5] = [
        (":bucket", &bucket),
        (":account", &account),
        (":listed_at", &listed_at.0),
        (":ordinal", &ordinal),
        (":merchant", &owner),
    ];
    reading.find_named(sql, &key, read)
}

/// Finds the stored rows that a fetch may change.
///
/// With a range, the whole account is read once, in the order of the table, and filtered. An index
/// by `transacted_at` would be written with every row of every refresh. It would save time only for
/// an account that is much longer than the bank's list.
pub(crate) fn find_stored(
    command: &FindStoredTransactions,
    reading: &Reading<'_>,
) -> Result<Vec<StoredTransaction>, Failure> {
    let FindStoredTransactions { merchant, account, bank_ids, range } = command;
    let [bucket, shard, owner] = reading.generation(*merchant)?.account_key(*account);
    let wanted = || bank_ids.iter().map(String::as_str).collect::<HashSet<&str>>();
    let mut stored = Vec::new();
    let Some((from, to)) = range else {
        return reading.in_transaction(|| {
            let mut statement = reading.connection.prepare_cached(FIND_BY_BANK_ID)?;
            for bank_id in wanted() {
                let mut rows = statement.query(params![bucket, shard, bank_id, owner])?;
                while let Some(row) = rows.next()? {
                    stored.push(read_stored(*account, row)?);
                }
            }
            Ok(stored)
        });
    };
    let mut statement = reading.connection.prepare_cached(LIST_ACCOUNT)?;
    let mut rows = statement.query(params![bucket, shard, owner])?;
    // Only rows outside of the range are compared by bank id, and usually there are few.
    let names = LazyCell::new(wanted);
    while let Some(row) = rows.next()? {
        let transacted_at = AccountTime(row.get(2)?);
        let is_named = || -> Result<bool, Failure> {
            let bank_id = row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?;
            Ok(names.contains(bank_id))
        };
        if (*from..=*to).contains(&transacted_at) || is_named()? {
            stored.push(read_stored(*account, row)?);
        }
    }
    Ok(stored)
}

/// Stores new rows, and the newest form of stored rows.
pub(super) fn upsert_many(
    merchant: MerchantId,
    rows: &[StoredTransaction],
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let generation = batch.generation(merchant)?;
    let mut buffer = Vec::with_capacity(256);
    batch.statements.with(UPSERT_TRANSACTION, &mut |statement| {
        for StoredTransaction { bank_id, shown: row } in rows {
            body::write(row, &mut buffer);
            let params: [Param<'_>; 9] = [
                (":bucket", &generation.bucket(row.id.account.number())),
                (":account", &column(row.id.account.number())),
                (":listed_at", &row.id.listed_at.0),
                (":ordinal", &row.id.ordinal),
                (":merchant", &generation.owner),
                (":transacted_at", &row.transacted_at.0),
                (":sequence", &row.sequence),
                (":bank_id", bank_id),
                (":body", &buffer),
            ];
            bind(statement, &[&params])?;
            statement.raw_execute()?;
        }
        Ok(())
    })
}

/// A stored row: the columns that [`read`] takes, then the bank id.
fn read_stored(account: AccountId, row: &Row<'_>) -> Result<StoredTransaction, Failure> {
    Ok(StoredTransaction { bank_id: row.get(5)?, shown: read(account, row)? })
}

/// A transaction from its row: listed at, ordinal, transacted at, sequence, body.
fn read(account: AccountId, row: &Row<'_>) -> Result<Transaction, Failure> {
    let listed_at = AccountTime(row.get(0)?);
    let bytes = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
    let body = body::read(listed_at, bytes)?;
    Ok(Transaction {
        id: TransactionId { account, listed_at, ordinal: row.get(1)? },
        amount: body.amount,
        currency: body.currency,
        description: body.description,
        status: body.status,
        transacted_at: AccountTime(row.get(2)?),
        posted_at: body.posted_at,
        void_at: body.void_at,
        sequence: row.get(3)?,
        updated: body.updated,
    })
}
