-- Lists of accounts seek by a pair of columns. SQLite does so only if neither column is the row's own
-- number, so the indexes name a generated copy of the account's number.

ALTER TABLE accounts ADD COLUMN account_listed INTEGER NOT NULL GENERATED ALWAYS AS (account) VIRTUAL;
DROP INDEX accounts_listed;
DROP INDEX accounts_by_customer;
DROP INDEX accounts_by_holder_account;
DROP INDEX accounts_by_clock;
DROP INDEX accounts_by_authorization;
CREATE INDEX accounts_listed ON accounts (merchant, created, account_listed);
CREATE INDEX accounts_by_customer ON accounts (merchant, customer, created, account_listed)
    WHERE customer IS NOT NULL;
CREATE INDEX accounts_by_holder_account
    ON accounts (merchant, holder_account, created, account_listed)
    WHERE holder_account IS NOT NULL;
CREATE INDEX accounts_by_clock ON accounts (merchant, clock, created, account_listed)
    WHERE clock IS NOT NULL;
CREATE INDEX accounts_by_authorization
    ON accounts (merchant, authorized_by, created, account_listed)
    WHERE authorized_by IS NOT NULL;
