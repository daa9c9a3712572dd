-- The pending delivery that was written first, for the age of the oldest undelivered event. The
-- number of the row follows the indexed column.
CREATE INDEX deliveries_pending ON deliveries (status) WHERE status = 'pending';
