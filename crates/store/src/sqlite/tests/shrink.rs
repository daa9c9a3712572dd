//! Free pages of a database file.

use super::{at, is_there, object, place, run};
use crate::{Created, ShrinkFile, Store};
use model::limits::{FREE_PAGES_MIN, FREED_PAGES_MAX};
use rusqlite::Connection;
use std::path::Path;

/// The pages of a database file, and the free ones among them.
fn pages(path: &Path) -> (u32, u32) {
    let connection = Connection::open(path).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get(0)).unwrap();
    (count("PRAGMA page_count"), count("PRAGMA freelist_count"))
}

/// Writes and deletes rows that take this number of pages.
fn free_pages(path: &Path, pages: u32) {
    let connection = Connection::open(path).unwrap();
    let sql = format!(
        "CREATE TABLE gone (body BLOB) STRICT; \
         WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < {pages}) \
         INSERT INTO gone SELECT zeroblob(4000) FROM c; DROP TABLE gone;"
    );
    connection.execute_batch(&sql).unwrap();
}

/// Free pages go back to the disk in steps, down to those that stay. Rows stay as they are.
#[test]
fn free_pages_are_given_back() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    run(async {
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
        assert_eq!(store.write(ShrinkFile).await.unwrap(), 0, "a new file has no free pages");
        free_pages(&path, FREE_PAGES_MIN + 500);
        let (all, free) = pages(&path);
        assert!(free >= FREE_PAGES_MIN + 500, "{free}");
        let mut freed = 0;
        loop {
            let step = store.write(ShrinkFile).await.unwrap();
            assert!(step <= FREED_PAGES_MAX, "{step}");
            if step == 0 {
                break;
            }
            freed += step;
        }
        assert_eq!(pages(&path), (all - freed, FREE_PAGES_MIN));
        assert_eq!(freed, free - FREE_PAGES_MIN);
        assert!(is_there(&store, 1).await);
    });
}

/// A database of an earlier release keeps its free pages.
#[test]
fn earlier_databases_keep_their_free_pages() {
    let (_folder, path) = place();
    drop(Store::open(at(&path)).unwrap());
    let convert = "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM";
    Connection::open(&path).unwrap().execute_batch(convert).unwrap();
    let store = Store::open(at(&path)).unwrap();
    free_pages(&path, FREE_PAGES_MIN + 500);
    let before = pages(&path);
    assert_eq!(run(store.write(ShrinkFile)).unwrap(), 0);
    assert_eq!(pages(&path), before);
}
