INSERT INTO events (position, shard, number, merchant, account, created, type, position_listed, body,
        feed)
    SELECT committed_at, shard, number, merchant, account, created, type, committed_at, body, feed
    FROM event_rows;
INSERT INTO snapshot_events (merchant, snapshot, position, shard, number, account, created, type,
        position_listed, body, feed)
    SELECT merchant, 1, committed_at, shard, number, account, created, type, committed_at, body, feed
    FROM event_rows WHERE merchant = 1;
