-- Objects that may be forgotten: from when on, in microseconds of the server's time.

-- Runs of the link flow that nobody is found again by are kept for thirty days.
ALTER TABLE objects ADD COLUMN forget_at INTEGER;
UPDATE objects SET forget_at = (created + 2592000) * 1000000
    WHERE kind = 'link_flow' AND lookup IS NULL;
CREATE INDEX objects_forgotten ON objects (forget_at, merchant, kind, number)
    WHERE forget_at IS NOT NULL;
