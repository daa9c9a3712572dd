//! The tables of a snapshot, and for each table the statements that measure, copy, remove and
//! restore the rows of one merchant.
//!
//! A macro builds the statements, because they differ only in the table's name and columns. Each
//! statement takes the first one, two or three of these parameters:
//!
//! | statements | `?1` | `?2` | `?3` |
//! |---|---|---|---|
//! | measure, take, clear | the merchant | a kind of object that stays | the snapshot |
//! | restore, drop | the merchant | the snapshot | the floor |

/// The statements of one table.
#[derive(Clone, Copy)]
pub(super) struct SnapshotTable {
    /// The table.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look for tables that are missing"))]
    pub(super) table: &'static str,
    /// Returns kind, rows and bytes.
    pub(super) measure: &'static str,
    /// Copies the rows into the snapshot.
    pub(super) take: &'static str,
    /// Removes the rows.
    pub(super) clear: &'static str,
    /// Copies the snapshot's rows back.
    pub(super) restore: &'static str,
    /// Removes the snapshot's rows.
    pub(super) drop: &'static str,
}

/// Builds the statements of a table. The arguments are its name, its columns without the merchant,
/// and the values with which these are restored. Then follow the measured columns, the condition
/// for a merchant's rows, and the grouping of the measured rows.
macro_rules! snapshot_table {
    ($table:literal, $columns:literal, $restored:literal, $measured:literal, $which:literal $(, $group:literal)?) => {
        SnapshotTable {
            table: $table,
            measure: concat!(
                "SELECT ", $measured, " FROM ", $table, " WHERE ", $which $(, " ", $group)?
            ),
            take: concat!(
                "INSERT INTO snapshot_", $table, " (merchant, snapshot, ", $columns, ") ",
                "SELECT merchant, ?3, ", $columns, " FROM ", $table, " WHERE ", $which
            ),
            clear: concat!("DELETE FROM ", $table, " WHERE ", $which),
            restore: concat!(
                "INSERT INTO ", $table, " (merchant, ", $columns, ") SELECT merchant, ", $restored,
                " FROM snapshot_", $table, " WHERE merchant = ?1 AND snapshot = ?2"
            ),
            drop: concat!(
                "DELETE FROM snapshot_", $table, " WHERE merchant = ?1 AND snapshot = ?2"
            ),
        }
    };
}

/// Every table with rows of merchants. Tables with rows that are found by rows of another come
/// first.
pub(super) const SNAPSHOT_TABLES: &[SnapshotTable] = &[
    snapshot_table!(
        "attempts",
        "bucket, shard, number, endpoint, attempt, body",
        "bucket, shard, number, endpoint, attempt, body",
        "'attempt', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "(bucket, shard, number) IN \
         (SELECT e.bucket, e.shard, e.number FROM events AS e WHERE e.merchant = ?1) \
         AND merchant = ?1"
    ),
    snapshot_table!(
        "deliveries",
        "bucket, shard, number, endpoint, event_created, committed_at, status, attempts, due_at, \
         claim, leased_until, payload, resent_from, hit",
        "bucket, shard, number, endpoint, event_created, committed_at, status, attempts, due_at, \
         ?3, NULL, payload, resent_from, hit",
        "'delivery', COUNT(*), COALESCE(SUM(OCTET_LENGTH(payload)), 0)",
        "(bucket, shard, number) IN \
         (SELECT e.bucket, e.shard, e.number FROM events AS e WHERE e.merchant = ?1) \
         AND merchant = ?1"
    ),
    snapshot_table!(
        "events",
        "bucket, shard, number, account, created, type, committed_at, feed, body, statuses",
        "bucket, shard, number, account, created, type, committed_at, feed, body, statuses",
        "'event', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "merchant = ?1"
    ),
    snapshot_table!(
        "transactions",
        "bucket, account, listed_at, ordinal, transacted_at, sequence, bank_id, body",
        "bucket, account, listed_at, ordinal, transacted_at, sequence, bank_id, body",
        "'transaction', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = ?1) \
         AND merchant = ?1"
    ),
    snapshot_table!(
        "ownerships",
        "bucket, account, sequence, body",
        "bucket, account, sequence, body",
        "'ownership', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = ?1) \
         AND merchant = ?1"
    ),
    snapshot_table!(
        "refreshes",
        "bucket, account, feature, sequence, clock, status, started_at, run_server, run_clock, \
         claim, leased_until, attempts, started_server",
        "bucket, account, feature, sequence, clock, status, started_at, run_server, run_clock, \
         ?3, NULL, attempts, started_server",
        "'refresh', COUNT(*), 0",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = ?1) \
         AND merchant = ?1"
    ),
    snapshot_table!(
        "connections",
        "bucket, account, version, relinked_at, credential, state, balance_cursor, \
         ownership_cursor, transactions_cursor",
        "bucket, account, ?3, relinked_at, credential, state, balance_cursor, \
         ownership_cursor, transactions_cursor",
        "'connection', COUNT(*), COALESCE(SUM(OCTET_LENGTH(state)), 0)",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = ?1) \
         AND merchant = ?1"
    ),
    snapshot_table!(
        "accounts",
        "bucket, account, customer, holder_account, clock, institution, bank_account, created, \
         version, status, due_at, body, authorized_by",
        "bucket, account, customer, holder_account, clock, institution, bank_account, created, \
         ?3, status, due_at, body, authorized_by",
        "'account', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "merchant = ?1"
    ),
    snapshot_table!(
        "objects",
        "kind, number, version, created, deleted, customer, clock, lookup, secret, body, due_at, \
         forget_at, filters",
        "kind, number, ?3, created, deleted, customer, clock, lookup, secret, \
         json_set(body, '$.version', ?3), due_at, forget_at, filters",
        "kind, COUNT(*), SUM(OCTET_LENGTH(body))",
        "merchant = ?1 AND kind NOT IN ('snapshot', ?2)",
        "GROUP BY kind"
    ),
    snapshot_table!(
        "replies",
        "key, fingerprint, request_id, status, body, at",
        "key, fingerprint, request_id, status, body, at",
        "'idempotency_record', COUNT(*), 0",
        "merchant = ?1"
    ),
    snapshot_table!(
        "clock_jobs",
        "clock, claim, leased_until",
        "clock, ?3, NULL",
        "'clock_job', COUNT(*), 0",
        "merchant = ?1"
    ),
];
