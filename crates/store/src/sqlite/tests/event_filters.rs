//! The migration to filters of events: events and deliveries that earlier releases wrote are in every
//! list.

use crate::sqlite::migration::{MIGRATIONS, migrate};
use rusqlite::Connection;

/// The migrations before buckets and filters of events.
const EARLIER: usize = 13;

fn migrated() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &MIGRATIONS[..EARLIER]).unwrap();
    let rows = "INSERT INTO events (shard, number, merchant, created, type, committed_at, feed, body)
         VALUES (5, 1, 1, 90, 'a', 10, 1, '{}'), (5, 2, 1, 80, 'a', 20, 2, '{}'),
            (6, 1, 1, 70, 'a', 30, 3, '{}'), (6, 2, 1, 60, 'a', 40, NULL, '{}');
         INSERT INTO deliveries (shard, number, endpoint, merchant, status, attempts, due_at, claim,
            payload)
         VALUES (5, 1, 1, 1, 'succeeded', 1, 0, 1, x''), (5, 1, 2, 1, 'succeeded', 1, 0, 1, x''),
            (5, 2, 1, 1, 'succeeded', 1, 0, 1, x''), (5, 2, 2, 1, 'pending', 1, 0, 1, x''),
            (5, 2, 3, 1, 'lost', 1, 0, 1, x''), (6, 2, 1, 1, 'failed', 1, 0, 1, x'');
         INSERT INTO snapshot_events (merchant, snapshot, shard, number, created, type, committed_at,
            feed, body)
         SELECT merchant, 7, shard, number, created + 1, type, committed_at, feed, body FROM events;
         INSERT INTO snapshot_deliveries (merchant, snapshot, shard, number, endpoint, status,
            attempts, due_at, claim, payload)
         SELECT merchant, 7, shard, number, endpoint, 'canceled', attempts, due_at, claim, payload
         FROM deliveries";
    connection.execute_batch(rows).unwrap();
    migrate(&mut connection, MIGRATIONS).unwrap();
    connection
}

/// Every event has the set of its deliveries' statuses, also in snapshots.
#[test]
fn earlier_events_have_their_statuses() {
    let connection = migrated();
    let sets = |table: &str| -> Vec<Option<i64>> {
        let sql = format!("SELECT statuses FROM {table} ORDER BY committed_at");
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(sets("events"), [Some(2), Some(1 + 2 + 16), None, Some(4)]);
    assert_eq!(sets("snapshot_events"), [Some(8), Some(8), None, Some(8)]);
}

/// Every delivery has the position of its event, also in snapshots.
#[test]
fn earlier_deliveries_have_the_position_of_their_event() {
    let connection = migrated();
    let positions = |table: &str| -> Vec<(i64, i64)> {
        let sql = format!(
            "SELECT event_created, committed_at FROM {table} ORDER BY shard, number, endpoint"
        );
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let stored = positions("deliveries");
    assert_eq!(stored, [(90, 10), (90, 10), (80, 20), (80, 20), (80, 20), (60, 40)]);
    let copied = positions("snapshot_deliveries");
    assert_eq!(copied, [(91, 10), (91, 10), (81, 20), (81, 20), (81, 20), (61, 40)]);
}
