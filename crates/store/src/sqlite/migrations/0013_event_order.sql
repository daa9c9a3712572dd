-- Events without a position in the order of all commits, which only one writer can give. The key of
-- an event is that of its id. Its position becomes the time of its commit, which orders the events
-- of one shard.

-- Rows are stored in the order in which they were written, so that a large body beside a small key
-- does not slow down look-ups.
CREATE TABLE events_moved (
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    committed_at INTEGER NOT NULL,
    feed INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (shard, number)
) STRICT;
INSERT INTO events_moved
    (shard, number, merchant, account, created, type, committed_at, feed, body)
    SELECT shard, number, merchant, account, created, type, position, feed, body
    FROM events ORDER BY position;
DROP TABLE events;
ALTER TABLE events_moved RENAME TO events;
CREATE INDEX events_listed ON events (merchant, created, committed_at, shard, number, type);
CREATE INDEX events_by_age ON events (committed_at, shard, number);
CREATE INDEX events_waiting ON events (merchant, committed_at, shard) WHERE feed IS NULL;
CREATE INDEX events_in_feed ON events (merchant, feed, type) WHERE feed IS NOT NULL;

CREATE TABLE snapshot_events_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    committed_at INTEGER NOT NULL,
    feed INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, shard, number)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_events_moved (merchant, snapshot, shard, number, account, created, type,
        committed_at, feed, body)
    SELECT merchant, snapshot, shard, number, account, created, type, position, feed, body
    FROM snapshot_events;
DROP TABLE snapshot_events;
ALTER TABLE snapshot_events_moved RENAME TO snapshot_events;
