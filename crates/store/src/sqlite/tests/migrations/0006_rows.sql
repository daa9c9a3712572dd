-- A snapshot of the first merchant. The name of a customer changed after it.

INSERT INTO objects (merchant, kind, number, version, created, deleted, customer, clock, lookup, secret, body, due_at, forget_at) VALUES
    (1, 'snapshot', 1, 1, 1700000000, 0, NULL, NULL, NULL, NULL, '{"id":"snap_00000000001A4wl6p4f9mSyk","merchant":"acct_00000000001bUIezHfj8hXcb","version":1,"created":1700000000,"name":"before","metadata":{},"size":{"merchants":["acct_00000000001bUIezHfj8hXcb","acct_2ij74K4rI4nfjBXXcvdQ9hoj"],"counts":{"account":4,"attempt":3,"checkout_session":1,"clock_job":1,"connected_account":1,"connection":4,"connections_settings":1,"customer":3,"delivery":3,"dispute":1,"endpoint":1,"event":5,"fault":1,"invoice":1,"invoice_item":1,"link_flow":1,"mandate":1,"ownership":1,"payment_intent":3,"payment_method":1,"payment_method_configuration":1,"price":1,"product":1,"refresh":4,"scenario":1,"session":5,"setup_intent":1,"subscription":1,"test_clock":1,"token":1,"transaction":3},"bytes":22230}}', NULL, NULL);

INSERT INTO snapshot_objects (merchant, snapshot, kind, number, version, created, deleted,
        customer, clock, lookup, secret, body, due_at, forget_at)
    SELECT merchant, 1, kind, number, version, created, deleted, customer, clock, lookup,
        secret, body, due_at, forget_at
    FROM objects WHERE merchant = 1 AND kind NOT IN ('snapshot', 'platform_tie');
INSERT INTO snapshot_accounts (merchant, snapshot, account, customer, holder_account, clock,
        institution, bank_account, created, bucket, version, status, due_at, body)
    SELECT merchant, 1, account, customer, holder_account, clock, institution, bank_account,
        created, bucket, version, status, due_at, body
    FROM accounts WHERE merchant = 1;
INSERT INTO snapshot_connections (merchant, snapshot, account, version, relinked_at, credential,
        state, balance_cursor, ownership_cursor, transactions_cursor)
    SELECT merchant, 1, account, version, relinked_at, credential, state, balance_cursor,
        ownership_cursor, transactions_cursor
    FROM connections WHERE merchant = 1;
INSERT INTO snapshot_ownerships (merchant, snapshot, account, sequence, body)
    SELECT merchant, 1, account, sequence, body
    FROM ownerships WHERE merchant = 1;
INSERT INTO snapshot_refreshes (merchant, snapshot, account, feature, sequence, clock, status,
        started_at, run_server, run_clock, claim, leased_until, attempts, started_server)
    SELECT merchant, 1, account, feature, sequence, clock, status, started_at, run_server,
        run_clock, claim, leased_until, attempts, started_server
    FROM refreshes WHERE merchant = 1;
INSERT INTO snapshot_transactions (merchant, snapshot, account, listed_at, ordinal,
        transacted_at, sequence, bank_id, body)
    SELECT merchant, 1, account, listed_at, ordinal, transacted_at, sequence, bank_id, body
    FROM transactions WHERE merchant = 1;
INSERT INTO snapshot_deliveries (merchant, snapshot, shard, number, endpoint, status, attempts,
        due_at, claim, leased_until, payload, resent_from, hit)
    SELECT merchant, 1, shard, number, endpoint, status, attempts, due_at, claim,
        leased_until, payload, resent_from, hit
    FROM deliveries WHERE merchant = 1;
INSERT INTO snapshot_attempts (merchant, snapshot, shard, number, endpoint, attempt, body)
    SELECT merchant, 1, shard, number, endpoint, attempt, body
    FROM attempts WHERE merchant = 1;
INSERT INTO snapshot_replies (merchant, snapshot, key, fingerprint, request_id, status, body,
        at)
    SELECT merchant, 1, key, fingerprint, request_id, status, body, at
    FROM replies WHERE merchant = 1;
INSERT INTO snapshot_clock_jobs (merchant, snapshot, clock, claim, leased_until)
    SELECT merchant, 1, clock, claim, leased_until
    FROM clock_jobs WHERE merchant = 1;
UPDATE snapshot_objects
    SET version = 1, body = json_set(body, '$.version', 1, '$.name', NULL)
    WHERE kind = 'customer' AND number = 1;
