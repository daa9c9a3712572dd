//! Settings in a file and as flags, from any text. The check is in `src/lib.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| bankfeed_fuzz::settings_file(text));
