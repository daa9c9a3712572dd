-- Deliveries that are sent again on demand, and those that a fault on demand hits.

-- Attempts made before it was sent again; the fault in JSON.
ALTER TABLE deliveries ADD COLUMN resent_from INTEGER;
ALTER TABLE deliveries ADD COLUMN hit TEXT;
