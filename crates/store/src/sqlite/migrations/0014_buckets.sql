-- Buckets: the keys of the rows of accounts begin with a bucket, which follows from the number of the
-- account. A database on several machines can then divide these tables by the bucket, and each
-- statement reaches one machine. The function bucket_of is the program's own.

CREATE TABLE accounts_moved (
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    customer INTEGER,
    holder_account TEXT,
    clock INTEGER,
    institution INTEGER NOT NULL,
    bank_account TEXT NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER,
    authorized_by TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, account)
) STRICT;
INSERT INTO accounts_moved (bucket, account, merchant, customer, holder_account, clock, institution,
        bank_account, created, version, status, due_at, authorized_by, body)
    SELECT bucket_of(account), account, merchant, customer, holder_account, clock, institution,
        bank_account, created, version, status, due_at, authorized_by, body
    FROM accounts ORDER BY account;
DROP TABLE accounts;
ALTER TABLE accounts_moved RENAME TO accounts;
CREATE INDEX accounts_listed ON accounts (merchant, created, account);
CREATE INDEX accounts_by_customer ON accounts (merchant, customer, created, account)
    WHERE customer IS NOT NULL;
CREATE INDEX accounts_by_holder_account ON accounts (merchant, holder_account, created, account)
    WHERE holder_account IS NOT NULL;
CREATE INDEX accounts_by_clock ON accounts (merchant, clock, created, account)
    WHERE clock IS NOT NULL;
CREATE INDEX accounts_by_authorization ON accounts (merchant, authorized_by, created, account)
    WHERE authorized_by IS NOT NULL;
CREATE INDEX accounts_due ON accounts (due_at, account)
    WHERE clock IS NULL AND due_at IS NOT NULL;
CREATE INDEX accounts_due_on_clock ON accounts (merchant, clock, due_at, account)
    WHERE clock IS NOT NULL AND due_at IS NOT NULL;

-- A customer links a bank account once. The row ends with the link. It replaces an index of accounts,
-- because a unique index of a divided table must begin with the bucket.
CREATE TABLE account_links (
    merchant INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    institution INTEGER NOT NULL,
    bank_account TEXT NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (merchant, customer, institution, bank_account)
) STRICT, WITHOUT ROWID;
INSERT INTO account_links (merchant, customer, institution, bank_account, account)
    SELECT merchant, customer, institution, bank_account, account FROM accounts
    WHERE customer IS NOT NULL AND status <> 'disconnected';

CREATE TABLE connections_moved (
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    version INTEGER NOT NULL,
    relinked_at INTEGER NOT NULL,
    credential BLOB NOT NULL,
    state BLOB NOT NULL,
    balance_cursor BLOB,
    ownership_cursor BLOB,
    transactions_cursor BLOB,
    PRIMARY KEY (bucket, account)
) STRICT;
INSERT INTO connections_moved (bucket, account, merchant, version, relinked_at, credential, state,
        balance_cursor, ownership_cursor, transactions_cursor)
    SELECT bucket_of(account), account, merchant, version, relinked_at, credential, state,
        balance_cursor, ownership_cursor, transactions_cursor
    FROM connections ORDER BY account;
DROP TABLE connections;
ALTER TABLE connections_moved RENAME TO connections;

CREATE TABLE ownerships_moved (
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, account, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO ownerships_moved (bucket, account, sequence, merchant, body)
    SELECT bucket_of(account), account, sequence, merchant, body FROM ownerships;
DROP TABLE ownerships;
ALTER TABLE ownerships_moved RENAME TO ownerships;

CREATE TABLE refreshes_moved (
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    feature TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    clock INTEGER,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    started_server INTEGER NOT NULL,
    run_server INTEGER,
    run_clock INTEGER,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (bucket, account, feature, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO refreshes_moved (bucket, account, feature, sequence, merchant, clock, status, started_at,
        started_server, run_server, run_clock, claim, leased_until, attempts)
    SELECT bucket_of(account), account, feature, sequence, merchant, clock, status, started_at,
        started_server, run_server, run_clock, claim, leased_until, attempts
    FROM refreshes;
DROP TABLE refreshes;
ALTER TABLE refreshes_moved RENAME TO refreshes;
CREATE UNIQUE INDEX refreshes_pending ON refreshes (bucket, account, feature)
    WHERE status = 'pending';
CREATE INDEX refreshes_due ON refreshes (run_server, account, feature)
    WHERE status = 'pending' AND run_server IS NOT NULL;
CREATE INDEX refreshes_on_clock
    ON refreshes (merchant, clock, run_clock, run_server, account, feature)
    WHERE status = 'pending' AND clock IS NOT NULL;
CREATE INDEX refreshes_started_server ON refreshes (started_server);

-- The rows move in the order of the new key, so that its pages are full.
CREATE TABLE transactions_moved (
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    listed_at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    transacted_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    bank_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (bucket, account, listed_at, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO transactions_moved (bucket, account, listed_at, ordinal, merchant, transacted_at, sequence,
        bank_id, body)
    SELECT a.bucket, t.account, t.listed_at, t.ordinal, t.merchant, t.transacted_at, t.sequence,
        t.bank_id, t.body
    FROM (SELECT bucket_of(account) AS bucket, account FROM (SELECT DISTINCT account FROM transactions)
        ORDER BY bucket, account) AS a
    CROSS JOIN transactions AS t ON t.account = a.account;
DROP TABLE transactions;
ALTER TABLE transactions_moved RENAME TO transactions;
-- These indexes begin with the account. The bucket would find no fewer rows. It would spread the rows
-- of new accounts over the whole index, which makes writes slower.
CREATE INDEX transactions_changed ON transactions (account, sequence, transacted_at);
CREATE INDEX transactions_by_bank_id ON transactions (account, bank_id);

-- The usual sizes of an account's lists. Otherwise the planner assumes ten rows for each account, and
-- reads the whole account in place of an index.
ANALYZE migrations;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('transactions', 'transactions', '1000000 300 300 2 1'),
    ('transactions', 'transactions_changed', '1000000 300 10 2'),
    ('transactions', 'transactions_by_bank_id', '1000000 300 1');
ANALYZE sqlite_schema;

CREATE TABLE snapshot_accounts_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    customer INTEGER,
    holder_account TEXT,
    clock INTEGER,
    institution INTEGER NOT NULL,
    bank_account TEXT NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER,
    authorized_by TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, account)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_accounts_moved (merchant, snapshot, bucket, account, customer, holder_account,
        clock, institution, bank_account, created, version, status, due_at, authorized_by, body)
    SELECT merchant, snapshot, bucket_of(account), account, customer, holder_account,
        clock, institution, bank_account, created, version, status, due_at, authorized_by, body
    FROM snapshot_accounts;
DROP TABLE snapshot_accounts;
ALTER TABLE snapshot_accounts_moved RENAME TO snapshot_accounts;

CREATE TABLE snapshot_connections_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    version INTEGER NOT NULL,
    relinked_at INTEGER NOT NULL,
    credential BLOB NOT NULL,
    state BLOB NOT NULL,
    balance_cursor BLOB,
    ownership_cursor BLOB,
    transactions_cursor BLOB,
    PRIMARY KEY (merchant, snapshot, bucket, account)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_connections_moved (merchant, snapshot, bucket, account, version, relinked_at,
        credential, state, balance_cursor, ownership_cursor, transactions_cursor)
    SELECT merchant, snapshot, bucket_of(account), account, version, relinked_at,
        credential, state, balance_cursor, ownership_cursor, transactions_cursor
    FROM snapshot_connections;
DROP TABLE snapshot_connections;
ALTER TABLE snapshot_connections_moved RENAME TO snapshot_connections;

CREATE TABLE snapshot_ownerships_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, account, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_ownerships_moved (merchant, snapshot, bucket, account, sequence, body)
    SELECT merchant, snapshot, bucket_of(account), account, sequence, body FROM snapshot_ownerships;
DROP TABLE snapshot_ownerships;
ALTER TABLE snapshot_ownerships_moved RENAME TO snapshot_ownerships;

CREATE TABLE snapshot_refreshes_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    feature TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    clock INTEGER,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    started_server INTEGER NOT NULL,
    run_server INTEGER,
    run_clock INTEGER,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, account, feature, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_refreshes_moved (merchant, snapshot, bucket, account, feature, sequence, clock,
        status, started_at, started_server, run_server, run_clock, claim, leased_until, attempts)
    SELECT merchant, snapshot, bucket_of(account), account, feature, sequence, clock,
        status, started_at, started_server, run_server, run_clock, claim, leased_until, attempts
    FROM snapshot_refreshes;
DROP TABLE snapshot_refreshes;
ALTER TABLE snapshot_refreshes_moved RENAME TO snapshot_refreshes;

CREATE TABLE snapshot_transactions_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    listed_at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    transacted_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    bank_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, account, listed_at, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_transactions_moved (merchant, snapshot, bucket, account, listed_at, ordinal,
        transacted_at, sequence, bank_id, body)
    SELECT merchant, snapshot, bucket_of(account), account, listed_at, ordinal,
        transacted_at, sequence, bank_id, body
    FROM snapshot_transactions;
DROP TABLE snapshot_transactions;
ALTER TABLE snapshot_transactions_moved RENAME TO snapshot_transactions;

-- Events, with the bucket of their shard. Rows keep their order, which is that in which they were
-- written.

-- A delivery has the time of its event's commit, which finds the oldest event that is not delivered.
CREATE TABLE deliveries_moved (
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    resent_from INTEGER,
    hit TEXT,
    payload BLOB NOT NULL,
    PRIMARY KEY (bucket, shard, number, endpoint)
) STRICT;
INSERT INTO deliveries_moved (bucket, shard, number, endpoint, merchant, committed_at, status, attempts,
        due_at, claim, leased_until, resent_from, hit, payload)
    SELECT bucket_of(d.shard), d.shard, d.number, d.endpoint, d.merchant,
        COALESCE(e.committed_at, d.due_at), d.status, d.attempts,
        d.due_at, d.claim, d.leased_until, d.resent_from, d.hit, d.payload
    FROM deliveries AS d LEFT JOIN events AS e ON e.shard = d.shard AND e.number = d.number
    ORDER BY d.rowid;
DROP TABLE deliveries;
ALTER TABLE deliveries_moved RENAME TO deliveries;
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, shard, number)
    WHERE status = 'pending';
CREATE INDEX deliveries_pending ON deliveries (committed_at) WHERE status = 'pending';

CREATE TABLE snapshot_deliveries_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    resent_from INTEGER,
    hit TEXT,
    payload BLOB NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, shard, number, endpoint)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_deliveries_moved (merchant, snapshot, bucket, shard, number, endpoint,
        committed_at, status, attempts, due_at, claim, leased_until, resent_from, hit, payload)
    SELECT d.merchant, d.snapshot, bucket_of(d.shard), d.shard, d.number, d.endpoint,
        COALESCE(e.committed_at, d.due_at), d.status, d.attempts, d.due_at, d.claim, d.leased_until,
        d.resent_from, d.hit, d.payload
    FROM snapshot_deliveries AS d LEFT JOIN snapshot_events AS e ON e.merchant = d.merchant
        AND e.snapshot = d.snapshot AND e.shard = d.shard AND e.number = d.number;
DROP TABLE snapshot_deliveries;
ALTER TABLE snapshot_deliveries_moved RENAME TO snapshot_deliveries;

CREATE TABLE events_moved (
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    committed_at INTEGER NOT NULL,
    feed INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, shard, number)
) STRICT;
INSERT INTO events_moved
    (bucket, shard, number, merchant, account, created, type, committed_at, feed, body)
    SELECT bucket_of(shard), shard, number, merchant, account, created, type, committed_at, feed, body
    FROM events ORDER BY rowid;
DROP TABLE events;
ALTER TABLE events_moved RENAME TO events;
CREATE INDEX events_listed ON events (merchant, created, committed_at, shard, number, type);
CREATE INDEX events_by_age ON events (committed_at, shard, number);
CREATE INDEX events_waiting ON events (merchant, committed_at, shard) WHERE feed IS NULL;
CREATE INDEX events_in_feed ON events (merchant, feed, type) WHERE feed IS NOT NULL;

CREATE TABLE snapshot_events_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    committed_at INTEGER NOT NULL,
    feed INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, shard, number)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_events_moved (merchant, snapshot, bucket, shard, number, account, created, type,
        committed_at, feed, body)
    SELECT merchant, snapshot, bucket_of(shard), shard, number, account, created, type,
        committed_at, feed, body
    FROM snapshot_events;
DROP TABLE snapshot_events;
ALTER TABLE snapshot_events_moved RENAME TO snapshot_events;

CREATE TABLE attempts_moved (
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, shard, number, endpoint, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts_moved (bucket, shard, number, endpoint, attempt, merchant, body)
    SELECT bucket_of(shard), shard, number, endpoint, attempt, merchant, body FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_moved RENAME TO attempts;

CREATE TABLE snapshot_attempts_moved (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, shard, number, endpoint, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO snapshot_attempts_moved (merchant, snapshot, bucket, shard, number, endpoint, attempt, body)
    SELECT merchant, snapshot, bucket_of(shard), shard, number, endpoint, attempt, body
    FROM snapshot_attempts;
DROP TABLE snapshot_attempts;
ALTER TABLE snapshot_attempts_moved RENAME TO snapshot_attempts;
