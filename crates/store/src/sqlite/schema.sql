-- The schema of a new database, which is the result of all migrations. A test writes this file:
-- BANKFEED_WRITE_DOCS=1 cargo test -p bankfeed-store new_database

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE merchants (
    merchant INTEGER PRIMARY KEY
, floor INTEGER NOT NULL DEFAULT 0, feed INTEGER NOT NULL DEFAULT 0, dispatch_claim INTEGER NOT NULL DEFAULT 0, dispatch_leased_until INTEGER, owner INTEGER, turn INTEGER NOT NULL DEFAULT 0, used_day INTEGER, vacant INTEGER NOT NULL DEFAULT 0) STRICT;

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
    body TEXT NOT NULL, due_at INTEGER, forget_at INTEGER, filters TEXT,
    PRIMARY KEY (merchant, kind, number)
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

CREATE TABLE clock_jobs (
    merchant INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    PRIMARY KEY (merchant, clock)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_objects (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
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
    due_at INTEGER,
    forget_at INTEGER, filters TEXT,
    PRIMARY KEY (merchant, snapshot, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_replies (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (merchant, snapshot, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_clock_jobs (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    PRIMARY KEY (merchant, snapshot, clock)
) STRICT, WITHOUT ROWID;

CREATE TABLE object_filters (
    merchant INTEGER NOT NULL,
    kind TEXT NOT NULL,
    filter TEXT NOT NULL,
    value TEXT NOT NULL,
    created INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (merchant, kind, filter, value, created, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE "accounts" (
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

CREATE TABLE account_links (
    merchant INTEGER NOT NULL,
    customer INTEGER NOT NULL,
    institution INTEGER NOT NULL,
    bank_account TEXT NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (merchant, customer, institution, bank_account)
) STRICT, WITHOUT ROWID;

CREATE TABLE "connections" (
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

CREATE TABLE "ownerships" (
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, account, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE "refreshes" (
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

CREATE TABLE "transactions" (
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

CREATE TABLE "snapshot_accounts" (
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

CREATE TABLE "snapshot_connections" (
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

CREATE TABLE "snapshot_ownerships" (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    account INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, bucket, account, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE "snapshot_refreshes" (
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

CREATE TABLE "snapshot_transactions" (
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

CREATE TABLE "deliveries" (
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
    payload BLOB NOT NULL, event_created INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bucket, shard, number, endpoint)
) STRICT;

CREATE TABLE "snapshot_deliveries" (
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
    payload BLOB NOT NULL, event_created INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant, snapshot, bucket, shard, number, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE "events" (
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    committed_at INTEGER NOT NULL,
    feed INTEGER,
    body TEXT NOT NULL, statuses INTEGER,
    PRIMARY KEY (bucket, shard, number)
) STRICT;

CREATE TABLE "snapshot_events" (
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
    body TEXT NOT NULL, statuses INTEGER,
    PRIMARY KEY (merchant, snapshot, bucket, shard, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE "attempts" (
    bucket INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    merchant INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bucket, shard, number, endpoint, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE "snapshot_attempts" (
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

CREATE INDEX objects_listed ON objects (merchant, kind, created, number) WHERE deleted = 0;

CREATE INDEX objects_by_lookup ON objects (merchant, kind, lookup, created, number)
    WHERE lookup IS NOT NULL AND deleted = 0;

CREATE INDEX replies_by_age ON replies (at);

CREATE INDEX objects_due ON objects (due_at, number, merchant, kind)
    WHERE clock IS NULL AND due_at IS NOT NULL;

CREATE INDEX objects_due_on_clock ON objects (merchant, clock, due_at, number, kind)
    WHERE clock IS NOT NULL AND due_at IS NOT NULL;

CREATE INDEX objects_by_customer ON objects (merchant, kind, customer, created, number)
    WHERE customer IS NOT NULL AND deleted = 0;

CREATE INDEX objects_forgotten ON objects (forget_at, merchant, kind, number)
    WHERE forget_at IS NOT NULL;

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

CREATE UNIQUE INDEX refreshes_pending ON refreshes (bucket, account, feature)
    WHERE status = 'pending';

CREATE INDEX refreshes_on_clock
    ON refreshes (merchant, clock, run_clock, run_server, account, feature)
    WHERE status = 'pending' AND clock IS NOT NULL;

CREATE INDEX refreshes_started_server ON refreshes (started_server);

CREATE INDEX transactions_changed ON transactions (account, sequence, transacted_at);

CREATE INDEX transactions_by_bank_id ON transactions (account, bank_id);

CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, shard, number)
    WHERE status = 'pending';

CREATE INDEX deliveries_pending ON deliveries (committed_at) WHERE status = 'pending';

CREATE INDEX events_listed ON events (merchant, created, committed_at, shard, number, type);

CREATE INDEX events_by_age ON events (committed_at, shard, number);

CREATE INDEX events_waiting ON events (merchant, committed_at, shard) WHERE feed IS NULL;

CREATE INDEX events_by_type ON events (merchant, type, created, committed_at, shard, number);

CREATE INDEX events_by_statuses
    ON events (merchant, statuses, type, created, committed_at, shard, number)
    WHERE statuses IS NOT NULL;

CREATE INDEX deliveries_by_endpoint
    ON deliveries (endpoint, merchant, status, event_created, committed_at, shard, number);

CREATE INDEX events_in_feed ON events (merchant, type, feed) WHERE feed IS NOT NULL;

CREATE INDEX events_in_feed_of_account ON events (bucket, shard, type, feed)
    WHERE account IS NOT NULL AND feed IS NOT NULL;

CREATE INDEX transactions_moved ON transactions (bucket, account, transacted_at - listed_at)
    WHERE transacted_at <> listed_at;

CREATE INDEX generations_idle ON generations (state, owner) WHERE state <> 'current';

CREATE INDEX refreshes_due ON refreshes (merchant, run_server, account, feature)
    WHERE status = 'pending' AND run_server IS NOT NULL;

CREATE INDEX merchants_used ON merchants (used_day, merchant) WHERE used_day IS NOT NULL;

INSERT INTO counts VALUES ('generations', 0);
INSERT INTO counts VALUES ('merchants', 0);

-- This creates the table of sizes, which only SQLite can.
ANALYZE migrations;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 VALUES ('transactions', 'transactions', '1000000 300 300 2 1');
INSERT INTO sqlite_stat1 VALUES ('transactions', 'transactions_by_bank_id', '1000000 300 1');
INSERT INTO sqlite_stat1 VALUES ('transactions', 'transactions_changed', '1000000 300 10 2');
ANALYZE sqlite_schema;
