//! Every statement compares its shard and its merchant. So no row is read or written with the key
//! of another merchant, and each statement reaches one shard.
//!
//! The tests read a statement as words. For each table, the first column of its key (the shard) and
//! the merchant must be compared with `=`, in words that no `OR` makes optional. An INSERT must
//! fill both, and may change an existing row only if its merchant is equal. Exempt statements are
//! listed with reasons, and an exemption that is not needed fails the test.

use super::folder;
use super::statements::{LISTS, STATEMENTS, database, snapshot_statements};
use crate::sqlite::list::Lists;

/// The first column of each table's key.
const SHARDS: &[(&str, &str)] = &[
    ("account_links", "merchant"),
    ("accounts", "bucket"),
    ("attempts", "bucket"),
    ("clock_jobs", "merchant"),
    ("connections", "bucket"),
    ("deliveries", "bucket"),
    ("events", "bucket"),
    ("merchants", "merchant"),
    ("object_filters", "merchant"),
    ("objects", "merchant"),
    ("ownerships", "bucket"),
    ("refreshes", "bucket"),
    ("replies", "merchant"),
    ("snapshot_accounts", "merchant"),
    ("snapshot_attempts", "merchant"),
    ("snapshot_clock_jobs", "merchant"),
    ("snapshot_connections", "merchant"),
    ("snapshot_deliveries", "merchant"),
    ("snapshot_events", "merchant"),
    ("snapshot_objects", "merchant"),
    ("snapshot_ownerships", "merchant"),
    ("snapshot_refreshes", "merchant"),
    ("snapshot_replies", "merchant"),
    ("snapshot_transactions", "merchant"),
    ("transactions", "bucket"),
];

/// Tables about the database itself, and a function in place of a table.
const OF_NO_MERCHANT: &[&str] = &["counts", "facts", "json_each", "migrations"];

/// Statements that compare their merchant, but read across its accounts.
const ACROSS_SHARDS: &[(&str, &str)] = &[
    ("account::LIST_ACCOUNTS", "a merchant's list of accounts"),
    ("account::LIST_ACCOUNTS_OF_AUTHORIZATION", "a merchant's list of accounts"),
    ("account::LIST_ACCOUNTS_OF_CUSTOMER", "a merchant's list of accounts"),
    ("account::LIST_ACCOUNTS_OF_HOLDER_ACCOUNT", "a merchant's list of accounts"),
    ("account::LIST_ACCOUNTS_ON_CLOCK", "a merchant's list of accounts"),
    ("clock::LIST_DUE_ACCOUNTS_ON_CLOCK", "a clock moves many accounts"),
    ("clock::LIST_DUE_REFRESHES_ON_CLOCK", "a clock moves many accounts"),
    ("event::LIST_EVENTS", "the merchant's list of events"),
    ("backlog::COUNT_EVENTS_OF_MERCHANT", "metrics are about all accounts"),
    ("feed::FIND_WAITING_EVENT", "the merchant's waiting events"),
    ("feed::LIST_FEED", "the merchant's feed"),
    ("feed::LIST_UNDISPATCHED", "the merchant's waiting events"),
    ("snapshot::FIND_HIGHEST_CONNECTION", "all of a merchant's sandbox"),
    ("snapshot::FIND_HIGHEST_DELIVERY", "all of a merchant's sandbox"),
    ("snapshot::FIND_HIGHEST_REFRESH", "all of a merchant's sandbox"),
    ("snapshot::LIST_ALL_ACCOUNTS", "all of a merchant's sandbox"),
];

/// Statements that do not compare their merchant everywhere.
const ACROSS_MERCHANTS: &[(&str, &str)] = &[
    ("backlog::COUNT_ACCOUNTS", "metrics are about all merchants"),
    ("backlog::COUNT_CLOCKS", "metrics are about all merchants"),
    ("backlog::COUNT_DELIVERIES_OF_ENDPOINT", "metrics are about all merchants"),
    ("backlog::COUNT_OBJECTS", "metrics are about all merchants"),
    ("backlog::COUNT_REFRESHES", "metrics are about all merchants"),
    ("backlog::FIND_OLDEST_UNDELIVERED", "metrics are about all merchants"),
    ("clock::LIST_CLAIMABLE_CLOCKS", "workers claim for all merchants"),
    ("delivery::FIND_NEXT_ENDPOINT", "workers claim for all merchants"),
    ("delivery::LIST_DUE_OF_ENDPOINT", "workers claim for all merchants"),
    ("delivery::RELEASE_ENDPOINT", "an endpoint also receives events of connected accounts"),
    ("feed::FIND_NEXT_WAITING", "the dispatcher works for all merchants"),
    ("object::LIST_DUE_OBJECTS", "the scheduler works for all merchants"),
    ("object_filter::LIST_BODIES", "a migration changes the rows of all merchants"),
    ("object_filter::LIST_SNAPSHOT_BODIES", "a migration changes the rows of all merchants"),
    ("prune::DELETE_OBJECTS", "the pruner works for all merchants"),
    ("prune::DELETE_REFRESHES", "the pruner works for all merchants"),
    ("prune::DELETE_RECORDS", "the pruner works for all merchants"),
    ("prune::LIST_OLD_EVENTS", "the pruner works for all merchants"),
    ("refresh::LIST_CLAIMABLE", "workers claim for all merchants"),
    ("refresh::LIST_DUE_ACCOUNTS", "the scheduler works for all merchants"),
    ("transaction::LIST_CHANGED", "the index has no merchant, so the rows are compared after it"),
    ("writer::FIND_LAST_COMMIT", "reads only the newest time"),
];

/// The comparisons that a statement lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Missing {
    shard: bool,
    merchant: bool,
}

/// Words and punctuation, in order.
fn words(sql: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for piece in sql.split_whitespace() {
        let mut rest = piece;
        while let Some(at) = rest.find(['(', ')', ',']) {
            words.extend([&rest[..at], &rest[at..=at]]);
            rest = &rest[at + 1..];
        }
        words.push(rest);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The tables that a statement names, each with the prefix of its columns.
fn tables<'a>(words: &[&'a str]) -> Vec<(&'a str, String)> {
    let mut tables = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let after_do = index > 0 && words[index - 1] == "DO";
        if !matches!(*word, "FROM" | "JOIN" | "INTO" | "UPDATE") || after_do {
            continue;
        }
        let skip = if words.get(index + 1) == Some(&"OR") { 3 } else { 1 };
        let Some(table) = words.get(index + skip).filter(|word| **word != "(") else { continue };
        let prefix = match words.get(index + skip + 1..index + skip + 3) {
            Some(["AS", alias]) => format!("{alias}."),
            _ => String::new(),
        };
        tables.push((*table, prefix));
    }
    tables
}

/// True if a condition compares the column with `=`, and no `OR` beside it admits other rows.
fn compares(words: &[&str], column: &str) -> bool {
    let conditions = words.iter().position(|word| matches!(*word, "WHERE" | "ON"));
    let words = &words[conditions.unwrap_or(words.len())..];
    let mut depth = 0;
    let depths: Vec<i32> = words
        .iter()
        .map(|word| {
            depth += i32::from(*word == "(") - i32::from(*word == ")");
            depth
        })
        .collect();
    let optional =
        |depth| words.iter().zip(&depths).any(|(word, at)| *word == "OR" && *at == depth);
    (0..words.len())
        .any(|index| words[index..].starts_with(&[column, "="]) && !optional(depths[index]))
}

/// The comparisons with one table's columns that a statement lacks.
fn missing(words: &[&str], table: &str, prefix: &str) -> Missing {
    let shard = SHARDS.iter().find(|(known, _)| *known == table);
    let (_, shard) = shard.unwrap_or_else(|| panic!("unknown table {table}"));
    if words[0] != "INSERT" {
        let named = |column: &str| compares(words, &format!("{prefix}{column}"));
        return Missing { shard: !named(shard), merchant: !named("merchant") };
    }
    let columns: Vec<&str> = words.iter().copied().take_while(|word| *word != ")").collect();
    let changes = words.windows(2).any(|pair| pair == ["DO", "UPDATE"]);
    let target = words.windows(4).any(|w| w[0] == "CONFLICT" && w[1] == "(" && w[2] == *shard);
    let own = format!("{table}.merchant");
    let guard = words.windows(3).any(|w| w == [own.as_str(), "=", "excluded.merchant"]);
    let guarded = guard || *shard == "merchant";
    Missing {
        shard: !columns.contains(shard) || (changes && !target),
        merchant: !columns.contains(&"merchant") || (changes && !guarded),
    }
}

/// The comparisons that a statement lacks for any of its tables.
fn missing_of(name: &str, sql: &str) -> Missing {
    let words = words(sql);
    let tables = tables(&words);
    let of_none = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "CREATE"];
    assert!(!tables.is_empty() || of_none.contains(&words[0]), "{name} names no table");
    let mut all = Missing::default();
    for (table, prefix) in tables.iter().filter(|(table, _)| !OF_NO_MERCHANT.contains(table)) {
        let of_table = missing(&words, table, prefix);
        all.shard |= of_table.shard;
        all.merchant |= of_table.merchant;
    }
    all
}

/// Every statement compares shard and merchant, unless it is exempt and lacks them.
#[test]
fn every_statement_names_shard_and_merchant() {
    let lists =
        LISTS.iter().flat_map(|(name, Lists { older, newer })| [(*name, *older), (*name, *newer)]);
    let listed = |exempt: &[(&str, &str)], name: &str| exempt.iter().any(|(one, _)| *one == name);
    for (name, sql) in STATEMENTS.iter().copied().chain(lists) {
        let missing = missing_of(name, sql);
        if listed(ACROSS_MERCHANTS, name) {
            assert!(missing.merchant, "{name} is exempt without need: {sql}");
        } else if listed(ACROSS_SHARDS, name) {
            let expected = Missing { shard: true, merchant: false };
            assert_eq!(missing, expected, "{name}: {sql}");
        } else {
            assert_eq!(missing, Missing::default(), "{name}: {sql}");
        }
    }
    let known = |name| {
        STATEMENTS.iter().any(|(known, _)| *known == name)
            || LISTS.iter().any(|(known, _)| *known == name)
    };
    for (name, reason) in ACROSS_SHARDS.iter().chain(ACROSS_MERCHANTS) {
        assert!(known(*name), "{name} ({reason}) is no statement");
    }
}

/// Statements of snapshots read across the shards of one merchant, but never reach another
/// merchant. Each part of them compares the merchant of every table in it.
#[test]
fn snapshots_stay_within_the_merchant() {
    for (table, sql) in snapshot_statements() {
        let parts = match sql.split_once(" SELECT ") {
            Some((insert, select)) if sql.starts_with("INSERT") => {
                vec![insert.to_owned(), format!("SELECT {select}")]
            }
            _ => vec![sql.to_owned()],
        };
        for part in parts {
            assert!(!missing_of(table, &part).merchant, "{table}: {part}");
        }
    }
}

/// The reader of statements finds missing comparisons.
#[test]
fn missing_comparisons_are_found() {
    let left_out = |sql| {
        let Missing { shard, merchant } = missing_of("test", sql);
        (shard, merchant)
    };
    let cases = [
        ("SELECT body FROM accounts WHERE bucket = ?1 AND merchant = ?2", (false, false)),
        ("SELECT body FROM accounts WHERE bucket = ?1", (false, true)),
        ("SELECT body FROM accounts WHERE merchant = ?1", (true, false)),
        ("SELECT merchant, account FROM accounts", (true, true)),
        ("UPDATE accounts SET merchant = ?1 WHERE bucket = ?2", (false, true)),
        ("DELETE FROM accounts WHERE bucket = ?1 AND merchant >= ?2", (false, true)),
        ("SELECT body FROM accounts WHERE bucket = ?1 OR merchant = ?2", (true, true)),
        ("SELECT 1 FROM events AS e WHERE e.bucket = ?1 AND d.merchant = ?2", (false, true)),
        ("INSERT INTO ownerships (bucket, body) VALUES (?1, ?2)", (false, true)),
        (
            "INSERT INTO attempts (bucket, merchant) VALUES (?1, ?2) \
             ON CONFLICT (bucket) DO UPDATE SET body = excluded.body",
            (false, true),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(left_out(sql), expected, "{sql}");
    }
}

/// Each table has a merchant and a unique key that begins with its shard, as listed above.
#[test]
fn keys_begin_with_the_shard() {
    let folder = folder();
    let connection = database(&folder);
    let texts = |sql: &str, of: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([of], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let all = "SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%'";
    for table in texts(all, "table") {
        if OF_NO_MERCHANT.contains(&table.as_str()) {
            continue;
        }
        let shard = SHARDS.iter().find(|(known, _)| *known == table);
        let (_, shard) = shard.unwrap_or_else(|| panic!("{table} has no shard"));
        let columns = texts("SELECT name FROM pragma_table_info(?1)", &table);
        assert!(columns.iter().any(|column| column == "merchant"), "{table}");
        let first_of_key = "SELECT name FROM pragma_table_info(?1) WHERE pk = 1 UNION ALL \
             SELECT i.name FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i \
             WHERE l.origin = 'u' AND i.seqno = 0";
        assert!(texts(first_of_key, &table).iter().any(|column| column == shard), "{table}");
    }
}
