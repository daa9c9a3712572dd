-- The first form of the database.
--
-- Words of the API stand as text, so that the tables read well in a shell. Numbers of ids are
-- signed integers below 2^63. Times of objects are seconds, real times microseconds.

-- One row of facts about the database itself.
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE merchants (
    merchant INTEGER PRIMARY KEY
) STRICT;

-- Objects that are only looked up and changed whole.
CREATE TABLE objects (
    merchant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    customer INTEGER,
    clock INTEGER,
    lookup TEXT,
    secret BLOB,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, kind, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_listed ON objects (merchant, kind, created, number) WHERE deleted = 0;
CREATE INDEX objects_by_lookup ON objects (merchant, kind, lookup, created, number)
    WHERE lookup IS NOT NULL AND deleted = 0;
CREATE INDEX objects_by_clock ON objects (merchant, kind, clock, created, number)
    WHERE clock IS NOT NULL AND deleted = 0;

CREATE TABLE accounts (
    account INTEGER PRIMARY KEY,
    merchant INTEGER NOT NULL,
    customer INTEGER,
    holder_account TEXT,
    clock INTEGER,
    institution INTEGER NOT NULL,
    bank_account TEXT NOT NULL,
    created INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX accounts_listed ON accounts (merchant, created, account);
CREATE INDEX accounts_by_customer ON accounts (merchant, customer, created, account)
    WHERE customer IS NOT NULL;
CREATE INDEX accounts_by_holder_account ON accounts (merchant, holder_account, created, account)
    WHERE holder_account IS NOT NULL;
CREATE INDEX accounts_by_clock ON accounts (merchant, clock, created, account)
    WHERE clock IS NOT NULL;
CREATE UNIQUE INDEX accounts_linked ON accounts (merchant, customer, institution, bank_account)
    WHERE customer IS NOT NULL AND status <> 'disconnected';
CREATE INDEX accounts_due ON accounts (due_at, account)
    WHERE clock IS NULL AND due_at IS NOT NULL;
CREATE INDEX accounts_due_on_clock ON accounts (merchant, clock, due_at, account)
    WHERE clock IS NOT NULL AND due_at IS NOT NULL;

CREATE TABLE connections (
    account INTEGER PRIMARY KEY,
    merchant INTEGER NOT NULL,
    version INTEGER NOT NULL,
    relinked_at INTEGER NOT NULL,
    credential BLOB NOT NULL,
    state BLOB NOT NULL,
    balance_cursor BLOB,
    ownership_cursor BLOB,
    transactions_cursor BLOB
) STRICT;

CREATE TABLE ownerships (
    account INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;

-- Jobs of refreshes. One of run_server (real time) and run_clock (the test clock's) is set.
CREATE TABLE refreshes (
    account INTEGER NOT NULL,
    feature TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    clock INTEGER,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    run_server INTEGER,
    run_clock INTEGER,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (account, feature, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX refreshes_pending ON refreshes (account, feature) WHERE status = 'pending';
CREATE INDEX refreshes_due ON refreshes (run_server, account, feature)
    WHERE status = 'pending' AND run_server IS NOT NULL;
CREATE INDEX refreshes_on_clock ON refreshes (merchant, clock, run_clock, run_server)
    WHERE status = 'pending' AND clock IS NOT NULL;
CREATE INDEX refreshes_started ON refreshes (started_at);

-- Rows of accounts, clustered in the order of their lists.
CREATE TABLE transactions (
    account INTEGER NOT NULL,
    listed_at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    transacted_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    bank_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (account, listed_at, ordinal)
) STRICT, WITHOUT ROWID;
-- The key of the table follows by itself, so a list of what changed is sorted within this index.
CREATE INDEX transactions_changed ON transactions (account, sequence, transacted_at);
CREATE INDEX transactions_by_bank_id ON transactions (account, bank_id);

-- Clustered by commit order: new events go to the end, the pruner takes from the beginning, and a
-- large body beside a small key stays out of the way of look-ups. The position stands in a second
-- column for the list alone: SQLite seeks by a pair only if neither part is the row's own number.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    undispatched INTEGER NOT NULL,
    position_listed INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (shard, number)
) STRICT;
CREATE INDEX events_listed ON events (merchant, created, position_listed, type);
CREATE INDEX events_undispatched ON events (position) WHERE undispatched = 1;

CREATE TABLE deliveries (
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    payload BLOB NOT NULL,
    UNIQUE (shard, number, endpoint)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, shard, number)
    WHERE status = 'pending';

CREATE TABLE attempts (
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (shard, number, endpoint, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE replies (
    merchant INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (merchant, key)
) STRICT;
CREATE INDEX replies_by_age ON replies (at);

-- Advances of test clocks under way.
CREATE TABLE clock_jobs (
    merchant INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    PRIMARY KEY (merchant, clock)
) STRICT, WITHOUT ROWID;
