-- Accounts are found by their authorization, which a link that renews it names.

ALTER TABLE accounts ADD COLUMN authorized_by TEXT;
UPDATE accounts SET authorized_by = json_extract(body, '$.authorization');
CREATE INDEX accounts_by_authorization ON accounts (merchant, authorized_by, created, account);
ALTER TABLE snapshot_accounts ADD COLUMN authorized_by TEXT;
UPDATE snapshot_accounts SET authorized_by = json_extract(body, '$.authorization');
