-- Lists of events by type and by the outcome of their deliveries, feeds by type, and the ledger of
-- deliveries read ranges of indexes.

-- The set of the statuses of an event's deliveries: 1 pending, 2 succeeded, 4 failed, 8 canceled,
-- 16 lost, added up. Null without deliveries.
ALTER TABLE events ADD COLUMN statuses INTEGER;
ALTER TABLE snapshot_events ADD COLUMN statuses INTEGER;
-- With the time of the commit, the position of the event in its list.
ALTER TABLE deliveries ADD COLUMN event_created INTEGER NOT NULL DEFAULT 0;
ALTER TABLE snapshot_deliveries ADD COLUMN event_created INTEGER NOT NULL DEFAULT 0;

UPDATE events SET statuses = (SELECT MAX(d.status = 'pending') + 2 * MAX(d.status = 'succeeded')
        + 4 * MAX(d.status = 'failed') + 8 * MAX(d.status = 'canceled')
        + 16 * MAX(d.status = 'lost')
    FROM deliveries AS d WHERE d.bucket = events.bucket AND d.shard = events.shard
        AND d.number = events.number);
UPDATE snapshot_events SET statuses = (SELECT MAX(d.status = 'pending')
        + 2 * MAX(d.status = 'succeeded') + 4 * MAX(d.status = 'failed')
        + 8 * MAX(d.status = 'canceled') + 16 * MAX(d.status = 'lost')
    FROM snapshot_deliveries AS d WHERE d.merchant = snapshot_events.merchant
        AND d.snapshot = snapshot_events.snapshot AND d.bucket = snapshot_events.bucket
        AND d.shard = snapshot_events.shard AND d.number = snapshot_events.number);
UPDATE deliveries SET event_created = e.created
    FROM events AS e WHERE e.bucket = deliveries.bucket AND e.shard = deliveries.shard
        AND e.number = deliveries.number;
UPDATE snapshot_deliveries SET event_created = e.created
    FROM snapshot_events AS e WHERE e.merchant = snapshot_deliveries.merchant
        AND e.snapshot = snapshot_deliveries.snapshot AND e.bucket = snapshot_deliveries.bucket
        AND e.shard = snapshot_deliveries.shard AND e.number = snapshot_deliveries.number;

CREATE INDEX events_by_type ON events (merchant, type, created, committed_at, shard, number);
CREATE INDEX events_by_statuses
    ON events (merchant, statuses, type, created, committed_at, shard, number)
    WHERE statuses IS NOT NULL;
CREATE INDEX deliveries_by_endpoint
    ON deliveries (endpoint, merchant, status, event_created, committed_at, shard, number);
-- The feed of each type. A feed of all types is read as one list of several.
DROP INDEX events_in_feed;
CREATE INDEX events_in_feed ON events (merchant, type, feed) WHERE feed IS NOT NULL;
CREATE INDEX events_in_feed_of_account ON events (bucket, shard, type, feed)
    WHERE account IS NOT NULL AND feed IS NOT NULL;

-- Transactions whose time changed after they were first stored, by the difference. A list of a range
-- of times reads the rows around the range as far as the greatest difference.
CREATE INDEX transactions_moved ON transactions (bucket, account, transacted_at - listed_at)
    WHERE transacted_at <> listed_at;

-- Invoices and subscriptions have entries for their times. A step in Rust writes all entries again.
DELETE FROM object_filters;
