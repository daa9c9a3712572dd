INSERT INTO events (position, shard, number, merchant, account, created, type, undispatched,
        position_listed, body)
    SELECT committed_at, shard, number, merchant, account, created, type, feed IS NULL, committed_at,
        body
    FROM event_rows;
