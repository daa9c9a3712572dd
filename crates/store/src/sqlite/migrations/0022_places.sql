-- Places of merchants. A sandbox that was not used for long may give its place to another one.

-- The day of the last call, in days since 1970. Null for a merchant that is never removed on its own:
-- one with an issued key, one in live mode, and a connected account, which goes with its platform.
ALTER TABLE merchants ADD COLUMN used_day INTEGER;
-- 1 while the rows of a removed sandbox are being deleted. The row has no place meanwhile.
ALTER TABLE merchants ADD COLUMN vacant INTEGER NOT NULL DEFAULT 0;

-- An earlier release stored no times of use. So all sandboxes count as used at the newest event.
UPDATE merchants SET used_day =
    (SELECT COALESCE(MAX(committed_at), 0) / 86400000000 FROM events)
    WHERE NOT EXISTS (SELECT 1 FROM objects AS o
        WHERE o.merchant = COALESCE(merchants.owner, merchants.merchant) AND o.kind = 'platform_tie');
CREATE INDEX merchants_used ON merchants (used_day, merchant) WHERE used_day IS NOT NULL;
