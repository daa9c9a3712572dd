-- Setup Intents are listed by their payment method. A step in Rust writes all of their entries again.
DELETE FROM object_filters WHERE kind = 'setup_intent';
