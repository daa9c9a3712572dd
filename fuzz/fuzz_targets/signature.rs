//! The signature header from any text: it is parsed or rejected, and a correct signature verifies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::signature::{sign, verify};

fuzz_target!(|input: (&str, &[u8], i64)| {
    let (header, body, now) = input;
    let _ = verify(header, "whsec_fuzz", body, now, 300);
    let now = now.rem_euclid(1 << 40);
    let signed = sign(&["whsec_fuzz"], now, body);
    assert!(verify(&signed, "whsec_fuzz", body, now, 300).is_ok());
});
