-- When refreshes were started by the server's time, in microseconds: their jobs age by it, since a
-- test clock may show any year.

-- For the jobs of before it is not known: they take the time of their accounts.
ALTER TABLE refreshes ADD COLUMN started_server INTEGER NOT NULL DEFAULT 0;
UPDATE refreshes SET started_server = started_at * 1000000;
DROP INDEX refreshes_started;
CREATE INDEX refreshes_started_server ON refreshes (started_server);
