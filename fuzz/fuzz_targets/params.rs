//! The form decoder on any text: it returns params or an error, and params can be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::params::Params;

fuzz_target!(|text: (&str, &str)| {
    let (query, body) = text;
    if let Ok(mut params) = Params::parse(query, body) {
        let before = params.fingerprint();
        let _ = params.text("account");
        let _ = params.integer("limit");
        let _ = params.range("created");
        let _ = params.metadata();
        let _ = params.texts("features");
        if let Ok(Some(mut holder)) = params.hash("account_holder") {
            let _ = holder.text("customer");
            let _ = holder.finish();
        }
        assert_eq!(before, Params::parse(query, body).map_or_else(|_| Vec::new(), |p| p.fingerprint()));
        let _ = params.finish();
    }
});
