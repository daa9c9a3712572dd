-- Objects on which something falls due by itself, and objects listed by customer.

-- By the clock of the object; no object of before has anything due.
ALTER TABLE objects ADD COLUMN due_at INTEGER;
CREATE INDEX objects_due ON objects (due_at, number, merchant, kind)
    WHERE clock IS NULL AND due_at IS NOT NULL;
CREATE INDEX objects_due_on_clock ON objects (merchant, clock, due_at, number, kind)
    WHERE clock IS NOT NULL AND due_at IS NOT NULL;
CREATE INDEX objects_by_customer ON objects (merchant, kind, customer, created, number)
    WHERE customer IS NOT NULL AND deleted = 0;
