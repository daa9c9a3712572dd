//! The tables of a snapshot, and for each table the statements that measure, read, store and remove rows.
//!
//! A macro builds the statements, because they differ only in the table's name and columns. They have
//! some of these parameters:
//!
//! | parameter | value |
//! |---|---|
//! | `:owner` | the owner of the generation whose rows are measured or read |
//! | `:left_out` | a kind of object that stays, besides snapshots |
//! | `:merchant`, `:snapshot` | the key of the snapshot's rows |
//! | `:floor` | the number from which restored rows count |
//! | `:turn` | the number that is added to buckets |
//! | `:after_…` | the key of the last row |
//! | `:row_limit` | the number of rows |

use crate::command::snapshot::KeyPart;

/// The statements of one table.
#[derive(Clone, Copy)]
pub(super) struct SnapshotTable {
    /// The table.
    pub(super) table: &'static str,
    /// The columns of the key in a snapshot.
    pub(super) key: &'static [&'static str],
    /// The column of the key that is a text.
    text_column: Option<&'static str>,
    /// Returns kind, rows and bytes.
    pub(super) measure: &'static str,
    /// Reads the rows of a generation: the merchant, then the columns with their values in a snapshot.
    pub(super) take: &'static str,
    /// Inserts such a row into the snapshot: the values of the row, then the snapshot.
    pub(super) store: &'static str,
    /// Reads rows of the snapshot in the order of their keys: the key, then the columns with the
    /// values that a restore gives them.
    pub(super) read: &'static str,
    /// Inserts a row.
    pub(super) insert: &'static str,
    /// Removes rows of the snapshot.
    pub(super) drop: &'static str,
}

impl SnapshotTable {
    /// A key below those of all rows.
    pub(super) fn lowest_key(&self) -> Vec<KeyPart> {
        let lowest = |column: &&str| {
            let is_text = self.text_column == Some(*column);
            if is_text { KeyPart::Text(String::new()) } else { KeyPart::Number(i64::MIN) }
        };
        self.key.iter().map(lowest).collect()
    }
}

/// The value of a column in a snapshot.
macro_rules! taken {
    (bucket) => {
        ", (bucket + :turn) % 4096 AS bucket"
    };
    ($column:ident) => {
        concat!(", ", stringify!($column))
    };
}

/// The value of a column after a restore.
macro_rules! restored {
    (bucket) => {
        ", (bucket + :turn) % 4096"
    };
    ($column:ident) => {
        concat!(", ", stringify!($column))
    };
    ($column:ident $value:literal) => {
        concat!(", ", $value)
    };
}

/// Builds the statements of a table. The arguments are its name, its key in a snapshot with the text
/// in it, and its columns with the values that a restore gives them. Then follow the measured columns,
/// the condition for a generation's rows, and the grouping of the measured rows.
macro_rules! snapshot_table {
    (
        $table:literal, [$first:ident $(, $key:ident)*], $text_column:expr,
        [$($column:ident $(= $value:literal)?),+],
        $measured:literal, $which:literal $(, $group:literal)?
    ) => {
        SnapshotTable {
            table: $table,
            key: &[stringify!($first) $(, stringify!($key))*],
            text_column: $text_column,
            measure: concat!(
                "SELECT ", $measured, " FROM ", $table, " WHERE ", $which $(, " ", $group)?
            ),
            take: concat!(
                "SELECT :merchant AS merchant", $(taken!($column)),+,
                " FROM ", $table, " WHERE ", $which
            ),
            store: concat!(
                "INSERT INTO snapshot_", $table, " (merchant", $(", ", stringify!($column)),+,
                ", snapshot) VALUES (:merchant", $(", :", stringify!($column)),+, ", :snapshot)"
            ),
            read: concat!(
                "SELECT ", stringify!($first) $(, ", ", stringify!($key))*,
                $(restored!($column $($value)?)),+,
                " FROM snapshot_", $table, " WHERE merchant = :merchant AND snapshot = :snapshot",
                " AND (", stringify!($first) $(, ", ", stringify!($key))*,
                ") > (:after_", stringify!($first) $(, ", :after_", stringify!($key))*,
                ") ORDER BY ", stringify!($first) $(, ", ", stringify!($key))*, " LIMIT :row_limit"
            ),
            insert: concat!(
                "INSERT INTO ", $table, " (merchant", $(", ", stringify!($column)),+,
                ") VALUES (:merchant", $(", :", stringify!($column)),+, ")"
            ),
            drop: concat!(
                "DELETE FROM snapshot_", $table,
                " WHERE merchant = :merchant AND snapshot = :snapshot",
                " AND (", stringify!($first) $(, ", ", stringify!($key))*,
                ") IN (SELECT ", stringify!($first) $(, ", ", stringify!($key))*,
                " FROM snapshot_", $table,
                " WHERE merchant = :merchant AND snapshot = :snapshot LIMIT :row_limit)"
            ),
        }
    };
}

/// Every table with rows of merchants. A row comes before those that a removal finds through it. The
/// other rows with due work come last, because workers pass them until the generation is current.
pub(super) const SNAPSHOT_TABLES: &[SnapshotTable] = &[
    snapshot_table!(
        "accounts",
        [bucket, account],
        None,
        [
            bucket,
            account,
            customer,
            holder_account,
            clock,
            institution,
            bank_account,
            created,
            version = ":floor",
            status,
            due_at,
            body,
            authorized_by
        ],
        "'account', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "merchant = :owner"
    ),
    snapshot_table!(
        "transactions",
        [bucket, account, listed_at, ordinal],
        None,
        [bucket, account, listed_at, ordinal, transacted_at, sequence, bank_id, body],
        "'transaction', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = :owner) \
         AND merchant = :owner"
    ),
    snapshot_table!(
        "ownerships",
        [bucket, account, sequence],
        None,
        [bucket, account, sequence, body],
        "'ownership', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = :owner) \
         AND merchant = :owner"
    ),
    snapshot_table!(
        "connections",
        [bucket, account],
        None,
        [
            bucket,
            account,
            version = ":floor",
            relinked_at,
            credential,
            state,
            balance_cursor,
            ownership_cursor,
            transactions_cursor
        ],
        "'connection', COUNT(*), COALESCE(SUM(OCTET_LENGTH(state)), 0)",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = :owner) \
         AND merchant = :owner"
    ),
    snapshot_table!(
        "events",
        [bucket, shard, number], None,
        [
            bucket, shard, number, account, created, type, committed_at, feed, body, statuses
        ],
        "'event', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "merchant = :owner"
    ),
    snapshot_table!(
        "attempts",
        [bucket, shard, number, endpoint, attempt],
        None,
        [bucket, shard, number, endpoint, attempt, body],
        "'attempt', COUNT(*), COALESCE(SUM(OCTET_LENGTH(body)), 0)",
        "(bucket, shard, number) IN \
         (SELECT e.bucket, e.shard, e.number FROM events AS e WHERE e.merchant = :owner) \
         AND merchant = :owner"
    ),
    snapshot_table!(
        "replies",
        [key],
        Some("key"),
        [key, fingerprint, request_id, status, body, at],
        "'idempotency_record', COUNT(*), 0",
        "merchant = :owner"
    ),
    snapshot_table!(
        "objects",
        [kind, number],
        Some("kind"),
        [
            kind,
            number,
            version = ":floor",
            created,
            deleted,
            customer,
            clock,
            lookup,
            secret,
            body = "json_set(body, '$.version', :floor)",
            due_at,
            forget_at,
            filters
        ],
        "kind, COUNT(*), SUM(OCTET_LENGTH(body))",
        "merchant = :owner AND kind NOT IN ('snapshot', :left_out)",
        "GROUP BY kind"
    ),
    snapshot_table!(
        "deliveries",
        [bucket, shard, number, endpoint],
        None,
        [
            bucket,
            shard,
            number,
            endpoint,
            event_created,
            committed_at,
            status,
            attempts,
            due_at,
            claim = ":floor",
            leased_until = "NULL",
            payload,
            resent_from,
            hit
        ],
        "'delivery', COUNT(*), COALESCE(SUM(OCTET_LENGTH(payload)), 0)",
        "(bucket, shard, number) IN \
         (SELECT e.bucket, e.shard, e.number FROM events AS e WHERE e.merchant = :owner) \
         AND merchant = :owner"
    ),
    snapshot_table!(
        "refreshes",
        [bucket, account, feature, sequence],
        Some("feature"),
        [
            bucket,
            account,
            feature,
            sequence,
            clock,
            status,
            started_at,
            run_server,
            run_clock,
            claim = ":floor",
            leased_until = "NULL",
            attempts,
            started_server
        ],
        "'refresh', COUNT(*), 0",
        "(bucket, account) IN (SELECT a.bucket, a.account FROM accounts AS a WHERE a.merchant = :owner) \
         AND merchant = :owner"
    ),
    snapshot_table!(
        "clock_jobs",
        [clock],
        None,
        [clock, claim = ":floor", leased_until = "NULL"],
        "'clock_job', COUNT(*), 0",
        "merchant = :owner"
    ),
];
