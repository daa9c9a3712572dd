//! Writes the schemas in `crates/wire/src/schema/` from Stripe's public description of its API. The
//! argument is the path of the OpenAPI document. Only names, types, bounds and words are copied,
//! because they are facts.
//!
//! `--from-sdk` as the argument writes the changes of later versions instead ([`sdk`](crate::sdk)).
//!
//! `wire::schema` reads the schemas and describes their lines. For calls without a schema, only the
//! names of parameters are written. The test of `docs/parameters.md` reads them. The table of
//! expandable fields is written too.

mod expansions;

use crate::Failure;
use crate::process::root;
use crate::sdk;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The POST calls with a schema, by file.
const CALLS: [(&str, &[&str]); 14] = [
    (
        "payment_intents",
        &[
            "/v1/payment_intents",
            "/v1/payment_intents/{intent}",
            "/v1/payment_intents/{intent}/cancel",
            "/v1/payment_intents/{intent}/capture",
            "/v1/payment_intents/{intent}/confirm",
            "/v1/payment_intents/{intent}/verify_microdeposits",
        ],
    ),
    (
        "setup_intents",
        &[
            "/v1/setup_intents",
            "/v1/setup_intents/{intent}",
            "/v1/setup_intents/{intent}/cancel",
            "/v1/setup_intents/{intent}/confirm",
            "/v1/setup_intents/{intent}/verify_microdeposits",
        ],
    ),
    ("charges", &["/v1/charges/{charge}"]),
    ("refunds", &["/v1/refunds", "/v1/refunds/{refund}", "/v1/refunds/{refund}/cancel"]),
    ("checkout", &["/v1/checkout/sessions", "/v1/checkout/sessions/{session}/expire"]),
    (
        "invoices",
        &[
            "/v1/invoices",
            "/v1/invoices/{invoice}",
            "/v1/invoices/{invoice}/finalize",
            "/v1/invoices/{invoice}/pay",
            "/v1/invoices/{invoice}/void",
        ],
    ),
    ("invoiceitems", &["/v1/invoiceitems", "/v1/invoiceitems/{invoiceitem}"]),
    ("subscriptions", &["/v1/subscriptions", "/v1/subscriptions/{subscription_exposed_id}"]),
    (
        "payment_methods",
        &[
            "/v1/payment_methods",
            "/v1/payment_methods/{payment_method}",
            "/v1/payment_methods/{payment_method}/attach",
            "/v1/payment_methods/{payment_method}/detach",
        ],
    ),
    ("confirmation_tokens", &["/v1/test_helpers/confirmation_tokens"]),
    ("products", &["/v1/products", "/v1/products/{id}"]),
    ("prices", &["/v1/prices", "/v1/prices/{price}"]),
    (
        "accounts",
        &["/v1/accounts", "/v1/accounts/{account}", "/v1/accounts/{account}/external_accounts"],
    ),
    (
        "payment_method_configurations",
        &["/v1/payment_method_configurations", "/v1/payment_method_configurations/{configuration}"],
    ),
];

/// Schemas that were completed by hand and are not written, because the document allows only a string
/// in places where Stripe accepts a hash too.
const BY_HAND: [&str; 1] = ["accounts"];

/// Writes the schemas from the document at the path in the first argument.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [path] = arguments else {
        return Err("the argument is the path of the OpenAPI document, or --from-sdk".to_owned());
    };
    if path == "--from-sdk" {
        return sdk::run();
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("read {path}: {error}"))?;
    let document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    for (file, calls) in CALLS.into_iter().filter(|(file, _)| !BY_HAND.contains(file)) {
        let mut table = String::new();
        for call in calls {
            let schema = &document["paths"][call]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
                ["schema"];
            if schema.is_null() {
                return Err(format!("the document has no POST {call}"));
            }
            let _ = writeln!(table, "POST {}", with_plain_ids(call));
            write_members(&mut table, schema, 1);
        }
        let place = root().join("crates/wire/src/schema").join(format!("{file}.txt"));
        std::fs::write(&place, table).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    let place = root().join("crates/wire/src/schema/expansions.txt");
    let fault = |error: std::io::Error| format!("{}: {error}", place.display());
    let before = std::fs::read_to_string(&place).map_err(fault)?;
    std::fs::write(&place, expansions::table(&document, &before)?).map_err(fault)?;
    write_published(&document)
}

/// Writes the names of parameters for every call of the server that has no schema.
fn write_published(document: &Value) -> Result<(), Failure> {
    let router = root().join("crates/server/src/http/router.rs");
    let router = std::fs::read_to_string(&router).map_err(|error| error.to_string())?;
    let patterns: BTreeSet<String> = router.split('"').map(with_plain_ids).collect();
    let mut published = String::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let plain = with_plain_ids(path);
        if !patterns.contains(&plain) {
            continue;
        }
        for method in ["get", "post", "delete"] {
            let shaped = CALLS.iter().any(|(_, calls)| calls.contains(&path.as_str()));
            let call = &item[method];
            if call.is_null() || (method == "post" && shaped) {
                continue;
            }
            let body = &call["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
                ["properties"];
            let in_body = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            let query = call["parameters"].as_array().into_iter().flatten();
            let in_query = query
                .filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str());
            let names: BTreeSet<&str> = in_body.chain(in_query).collect();
            let _ = writeln!(published, "{} {plain}", method.to_uppercase());
            for name in names {
                let _ = writeln!(published, " {name}");
            }
        }
    }
    let place = root().join("crates/server/tests/api/parameters/published.txt");
    std::fs::write(&place, published).map_err(|error| format!("{}: {error}", place.display()))
}

/// A path with `{id}` for each of its parameters, as in the router.
pub(crate) fn with_plain_ids(call: &str) -> String {
    let plain = |part: &str| if part.starts_with('{') { "{id}".into() } else { part.to_owned() };
    call.split('/').map(plain).collect::<Vec<_>>().join("/")
}

fn write_members(table: &mut String, schema: &Value, depth: usize) {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let members: BTreeMap<&str, &Value> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(n, s)| (n.as_str(), s))
        .collect();
    for (name, member) in members {
        let options = alternatives(member);
        let _ = write!(table, "{}{name}", " ".repeat(depth));
        if required.contains(&name) {
            table.push('*');
        }
        if options.len() < variants(member).len() {
            table.push('?');
        }
        table.push(' ');
        match options[..] {
            [one] => write_type(table, one, depth),
            ref several => {
                table.push_str("either\n");
                for option in several {
                    let _ = write!(table, "{}- ", " ".repeat(depth + 1));
                    write_type(table, option, depth + 1);
                }
            }
        }
    }
}

fn variants(schema: &Value) -> Vec<&Value> {
    schema["anyOf"].as_array().map_or_else(|| vec![schema], |any| any.iter().collect())
}

/// The types of a value, without the empty string that unsets it.
fn alternatives(schema: &Value) -> Vec<&Value> {
    variants(schema)
        .into_iter()
        .filter(|option| {
            option["enum"].as_array().is_none_or(|words| words[..] != [Value::from("")])
        })
        .collect()
}

/// Writes a type to the end of the line, and the members of a hash on the next lines.
fn write_type(table: &mut String, schema: &Value, depth: usize) {
    let words: Vec<&str> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    match schema["type"].as_str().unwrap_or("object") {
        "array" => {
            table.push_str("list ");
            match alternatives(&schema["items"])[..] {
                [one] => write_type(table, one, depth),
                ref several => {
                    table.push_str("either\n");
                    for option in several {
                        let _ = write!(table, "{}- ", " ".repeat(depth + 1));
                        write_type(table, option, depth + 1);
                    }
                }
            }
        }
        "object" if schema["properties"].is_object() => {
            table.push_str("hash\n");
            write_members(table, schema, depth + 1);
        }
        "object" => {
            table.push_str("map ");
            write_type(table, alternatives(&schema["additionalProperties"])[0], depth);
        }
        "string" if !words.is_empty() => {
            let _ = writeln!(table, "word {}", words.join("|"));
        }
        "string" => match (schema["format"].as_str(), schema["maxLength"].as_u64()) {
            (Some(format @ ("currency" | "decimal")), _) => {
                let _ = writeln!(table, "{format}");
            }
            (_, Some(most)) if most != 5_000 => {
                let _ = writeln!(table, "text {most}");
            }
            _ => table.push_str("text\n"),
        },
        other => {
            let _ = writeln!(table, "{other}");
        }
    }
}
