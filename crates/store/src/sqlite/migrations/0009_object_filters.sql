-- The index of filters: one row for each filter and value of an object that is not deleted.

-- The entries of the object as JSON, so that a change writes only the difference. Null if there are
-- none. After this file the program writes the entries of existing rows, in the same transaction.
ALTER TABLE objects ADD COLUMN filters TEXT;
ALTER TABLE snapshot_objects ADD COLUMN filters TEXT;

CREATE TABLE object_filters (
    merchant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    filter TEXT NOT NULL,
    value TEXT NOT NULL,
    created INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (merchant, kind, filter, value, created, number)
) STRICT, WITHOUT ROWID;

-- Lists by test clock use the filter.
DROP INDEX objects_by_clock;
