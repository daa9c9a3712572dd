-- The claim of refreshes takes turns of merchants, so the index of due refreshes begins with the merchant.
DROP INDEX refreshes_due;
CREATE INDEX refreshes_due ON refreshes (merchant, run_server, account, feature)
    WHERE status = 'pending' AND run_server IS NOT NULL;
