INSERT INTO events (shard, number, merchant, account, created, type, committed_at, feed, body)
    SELECT shard, number, merchant, account, created, type, committed_at, feed, body
    FROM event_rows ORDER BY committed_at;
INSERT INTO snapshot_events (merchant, snapshot, shard, number, account, created, type, committed_at,
        feed, body)
    SELECT merchant, 1, shard, number, account, created, type, committed_at, feed, body
    FROM event_rows WHERE merchant = 1;
