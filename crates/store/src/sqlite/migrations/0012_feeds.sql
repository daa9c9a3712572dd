-- Feeds: each event has a number in its merchant's feed once it is dispatched. Before that, the
-- number is null.

ALTER TABLE merchants ADD COLUMN feed INTEGER NOT NULL DEFAULT 0;
-- The claim of the merchant's feed, and the end of its lease in microseconds of server time.
ALTER TABLE merchants ADD COLUMN dispatch_claim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE merchants ADD COLUMN dispatch_leased_until INTEGER;
ALTER TABLE events ADD COLUMN feed INTEGER;
ALTER TABLE snapshot_events ADD COLUMN feed INTEGER;

-- Earlier events are numbered in the order of their commits. An event in a snapshot has the same
-- number as outside of it.
CREATE TABLE numbered (position INTEGER PRIMARY KEY, merchant INTEGER NOT NULL, feed INTEGER NOT NULL) STRICT;
INSERT INTO numbered (position, merchant, feed)
    SELECT position, merchant, ROW_NUMBER() OVER (PARTITION BY merchant ORDER BY position)
    FROM (SELECT position, merchant FROM events WHERE undispatched = 0
        UNION SELECT position, merchant FROM snapshot_events WHERE undispatched = 0);
UPDATE events SET feed = (SELECT n.feed FROM numbered AS n WHERE n.position = events.position)
    WHERE undispatched = 0;
UPDATE snapshot_events
    SET feed = (SELECT n.feed FROM numbered AS n WHERE n.position = snapshot_events.position)
    WHERE undispatched = 0;
UPDATE merchants SET feed = n.feed
    FROM (SELECT merchant, MAX(feed) AS feed FROM numbered GROUP BY merchant) AS n
    WHERE n.merchant = merchants.merchant;
DROP TABLE numbered;

DROP INDEX events_undispatched;
ALTER TABLE events DROP COLUMN undispatched;
ALTER TABLE snapshot_events DROP COLUMN undispatched;
CREATE INDEX events_waiting ON events (merchant, position) WHERE feed IS NULL;
CREATE INDEX events_in_feed ON events (merchant, feed, type) WHERE feed IS NOT NULL;
