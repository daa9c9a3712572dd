INSERT INTO events (position, shard, number, merchant, account, created, type, undispatched,
        position_listed, body)
    SELECT committed_at, shard, number, merchant, account, created, type, feed IS NULL, committed_at,
        body
    FROM event_rows;
INSERT INTO snapshot_events (merchant, snapshot, position, shard, number, account, created, type,
        undispatched, position_listed, body)
    SELECT merchant, 1, committed_at, shard, number, account, created, type, feed IS NULL,
        committed_at, body
    FROM event_rows WHERE merchant = 1;
