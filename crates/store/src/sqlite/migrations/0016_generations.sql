-- Generations of sandboxes. A restore builds the new rows beside the old ones, and one small commit
-- makes them current.

-- The value in the column `merchant` of the merchant's rows. Null until the first restore or reset,
-- when it is the merchant's own number.
ALTER TABLE merchants ADD COLUMN owner INTEGER;
-- The number that is added to the buckets of the merchant's rows.
ALTER TABLE merchants ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;

-- `owner` is negative, except for the rows from before the first restore or reset of a merchant.
-- `state` is `building`, `current`, `retired`, or `dropped` for the rows of a deleted snapshot.
CREATE TABLE generations (
    owner INTEGER PRIMARY KEY,
    merchant INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    state TEXT NOT NULL,
    sandbox INTEGER NOT NULL,
    replacement INTEGER NOT NULL,
    snapshot INTEGER,
    leased_until INTEGER NOT NULL
) STRICT;
CREATE INDEX generations_idle ON generations (state, owner) WHERE state <> 'current';


INSERT INTO counts (name, value) VALUES ('generations', 0);
