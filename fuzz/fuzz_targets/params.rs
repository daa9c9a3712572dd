//! Queries and form bodies, from any text. The check is in `src/lib.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| bankfeed_fuzz::params(text));
