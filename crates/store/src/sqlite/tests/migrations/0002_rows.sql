UPDATE objects SET due_at = 1700086400 WHERE kind = 'payment_intent' AND number IN (3, 4);
UPDATE objects SET due_at = 9223372036854775807 WHERE kind IN ('checkout_session', 'subscription');
