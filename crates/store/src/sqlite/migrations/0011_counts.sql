-- Counts that a command needs. Counting the rows would take longer with each row.

CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counts (name, value) SELECT 'merchants', COUNT(*) FROM merchants;
