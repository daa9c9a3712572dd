-- Active mandates have an entry for their payment method. A step in Rust writes all entries again.
DELETE FROM object_filters;
