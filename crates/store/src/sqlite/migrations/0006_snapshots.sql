-- Snapshots of sandboxes: each table with rows of merchants once more, behind the snapshot's number.

-- Above every version, claim, sequence and ordinal of rows that a restore or a reset removed.
ALTER TABLE merchants ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;

-- Sealed columns are copied as they are: they open in their own rows only, once those are back.
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
    forget_at INTEGER,
    PRIMARY KEY (merchant, snapshot, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_accounts (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    account INTEGER NOT NULL,
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
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_connections (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    account INTEGER NOT NULL,
    version INTEGER NOT NULL,
    relinked_at INTEGER NOT NULL,
    credential BLOB NOT NULL,
    state BLOB NOT NULL,
    balance_cursor BLOB,
    ownership_cursor BLOB,
    transactions_cursor BLOB,
    PRIMARY KEY (merchant, snapshot, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_ownerships (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    account INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, account, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_refreshes (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    account INTEGER NOT NULL,
    feature TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    clock INTEGER,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    run_server INTEGER,
    run_clock INTEGER,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    attempts INTEGER NOT NULL,
    started_server INTEGER NOT NULL,
    PRIMARY KEY (merchant, snapshot, account, feature, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_transactions (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    account INTEGER NOT NULL,
    listed_at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    transacted_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    bank_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (merchant, snapshot, account, listed_at, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_events (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    position INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    account INTEGER,
    created INTEGER NOT NULL,
    type TEXT NOT NULL,
    undispatched INTEGER NOT NULL,
    position_listed INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_deliveries (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    claim INTEGER NOT NULL,
    leased_until INTEGER,
    payload BLOB NOT NULL,
    resent_from INTEGER,
    hit TEXT,
    PRIMARY KEY (merchant, snapshot, shard, number, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot_attempts (
    merchant INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    number INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant, snapshot, shard, number, endpoint, attempt)
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
