UPDATE merchants SET feed = 3, dispatch_claim = 3 WHERE merchant = 1;
UPDATE merchants SET feed = 1, dispatch_claim = 1 WHERE merchant = 2;
