//! Probes the real binary for each parameter that Stripe declares, at every depth.
//!
//! A call is sent once for each declared parameter, with its required parameters and an unknown name.
//! A server that knows the parameter rejects the unknown name, or the shortest possible value. A server
//! that does not know the parameter rejects the parameter itself. Each declared hash is also sent with
//! a name that it does not declare, which must be rejected.

use super::document::Document;
use crate::Failure;
use crate::process::{built, program};
use serde_json::Value;
use testkit::process::{Call, LISTENS, Process};

/// A name that no call declares.
const UNKNOWN: &str = "zz";
/// The maximum depth of hashes, which Stripe's own hashes do not exceed.
const DEPTH_MAX: usize = 12;

/// Parameters that this server requires in addition to the declared ones, because it supports fewer
/// variants than Stripe.
const NEEDED: [(&str, &[(&str, &str)]); 9] = [
    ("POST /v1/accounts/{id}/external_accounts", &[("external_account", "btok_x")]),
    ("POST /v1/financial_connections/sessions", &[("account_holder[account]", "acct_x")]),
    (
        "POST /v1/payment_intents/{id}/verify_microdeposits",
        &[("amounts[0]", "32"), ("amounts[1]", "45")],
    ),
    (
        "POST /v1/payment_methods",
        &[
            ("type", "us_bank_account"),
            ("us_bank_account[financial_connections_account]", "fca_x"),
            ("billing_details[name]", "x"),
        ],
    ),
    ("POST /v1/payment_methods/{id}/attach", &[("customer", "cus_x")]),
    (
        "POST /v1/setup_intents/{id}/verify_microdeposits",
        &[("amounts[0]", "32"), ("amounts[1]", "45")],
    ),
    ("POST /v1/prices", &[("unit_amount", "500"), ("product", "prod_x")]),
    (
        "POST /v1/tokens",
        &[
            ("bank_account[country]", "US"),
            ("bank_account[account_number]", "000123456789"),
            ("bank_account[routing_number]", "110000000"),
        ],
    ),
    ("GET /v1/invoice_payments", &[("payment[type]", "payment_intent")]),
];

/// The result for the declared parameters of a call.
#[derive(Default)]
pub(crate) struct Probed {
    /// The number of known parameters, at every depth.
    pub(crate) known: usize,
    /// The paths of parameters that are rejected as unknown.
    pub(crate) rejected: Vec<String>,
    /// Hashes that accepted an undeclared name, each with the returned message.
    pub(crate) open: Vec<(String, String)>,
}

/// The running binary. It ends when this is dropped.
pub(crate) struct Server {
    _process: Process,
    url: String,
}

impl Server {
    /// Starts the binary on a free port with a temporary database.
    pub(crate) fn start() -> Result<Self, Failure> {
        let binary = built("bankfeed");
        let words = ["serve", "--memory", "--listen", "127.0.0.1:0", "--log-level", "off"];
        let mut command = program(&binary.to_string_lossy(), &words);
        command.env_remove("BANKFEED_RECORD").env_remove("BANKFEED_STRICT");
        let process = Process::start(&mut command)?;
        let url = process.after(LISTENS)?;
        Ok(Self { _process: process, url })
    }

    /// Probes every parameter of a call in a version.
    pub(crate) fn probe(
        &self,
        document: &Document,
        call: &str,
        version: &str,
    ) -> Result<Probed, Failure> {
        let send = |pairs: &[(String, String)]| self.send(call, version, pairs);
        let form = document.parameters(call);
        let mut required = required(&form, "");
        let needed = NEEDED.iter().filter(|(of, _)| *of == call).flat_map(|(_, pairs)| *pairs);
        required.extend(needed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let message = |error: &Value| error["message"].as_str().unwrap_or("no message").to_owned();
        let mut probed = Probed::default();
        let mut declared = Vec::new();
        list(&form, "", &required, &mut declared);
        for Declared { path, sample, is_hash } in declared {
            let mut pairs = sample;
            pairs.push((UNKNOWN.to_owned(), "1".to_owned()));
            let error = send(&pairs)?;
            if is_unknown(&error, |param| within(&path, param) || within(param, &path)) {
                probed.rejected.push(path);
                continue;
            }
            probed.known += 1;
            if is_hash {
                pairs.pop();
                pairs.push((format!("{path}[{UNKNOWN}]"), "1".to_owned()));
                let error = send(&pairs)?;
                if !rejects_parameter(&error) {
                    probed.open.push((path, message(&error)));
                }
            }
        }
        let unknown = (UNKNOWN.to_owned(), "1".to_owned());
        let pairs: Vec<_> = required.into_iter().chain([unknown]).collect();
        let error = send(&pairs)?;
        if !is_unknown(&error, |param| param == UNKNOWN) {
            probed.open.push((String::new(), message(&error)));
        }
        Ok(probed)
    }

    /// Sends a call for objects that do not exist. Returns the error.
    fn send(
        &self,
        call: &str,
        version: &str,
        pairs: &[(String, String)],
    ) -> Result<Value, Failure> {
        let (method, path) = call.split_once(' ').unwrap_or(("GET", call));
        let path = path.replace("{id}", "x");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        let form = form.finish();
        let in_query = method != "POST";
        let query = if in_query { format!("?{form}") } else { String::new() };
        let path = format!("{path}{query}");
        let form = if in_query { "" } else { &form };
        let sent =
            Call { key: "sk_test_parity", version: Some(version), method, path: &path, form };
        let (_, body) = sent.send(&self.url).map_err(|error| format!("{call}: {error}"))?;
        Ok(body["error"].clone())
    }
}

/// True if a call was rejected because of a parameter. Objects are looked up after all parameters.
fn rejects_parameter(error: &Value) -> bool {
    error["param"].is_string() && error["code"] != "resource_missing"
}

fn is_unknown(error: &Value, of: impl Fn(&str) -> bool) -> bool {
    error["code"] == "parameter_unknown" && error["param"].as_str().is_some_and(of)
}

/// True if a path is equal to another path or is inside it.
pub(crate) fn within(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

/// A declared parameter.
struct Declared {
    path: String,
    /// The smallest form that contains it.
    sample: Vec<(String, String)>,
    is_hash: bool,
}

/// Lists every parameter that a schema declares, at every depth. `outer` contains the parameters that
/// the surrounding hashes require.
fn list(schema: &Value, path: &str, outer: &[(String, String)], declared: &mut Vec<Declared>) {
    if path.matches('[').count() > DEPTH_MAX {
        return;
    }
    let mut needed = outer.to_vec();
    for pair in required(schema, path) {
        if !needed.contains(&pair) {
            needed.push(pair);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}[{name}]") };
        let hash = hash_in(member);
        let inside = if is_list(member) { format!("{path}[0]") } else { path.clone() };
        let own = match hash {
            Some(hash) => {
                let needed = required(hash, &inside);
                if needed.is_empty() { first(hash, &inside) } else { needed }
            }
            None => sample(member, &path),
        };
        let around = needed.iter().filter(|(name, _)| !within(name, &path));
        let around: Vec<(String, String)> = around.cloned().collect();
        let sample = own.into_iter().chain(around.iter().cloned()).collect();
        let is_hash = hash.is_some() && inside == path;
        declared.push(Declared { path, sample, is_hash });
        if let Some(hash) = hash {
            list(hash, &inside, &around, declared);
        }
    }
}

fn alternatives(schema: &Value) -> Vec<&Value> {
    let all = schema["anyOf"].as_array().map_or_else(|| vec![schema], |any| any.iter().collect());
    let unsets = |option: &&Value| option["enum"].as_array().is_some_and(|it| it[..] == [""]);
    all.into_iter().filter(|option| !unsets(option)).collect()
}

fn is_list(schema: &Value) -> bool {
    alternatives(schema).iter().any(|option| option["type"] == "array")
}

/// The hash with named members among a parameter's types, or among the types of its list items.
fn hash_in(schema: &Value) -> Option<&Value> {
    let options = alternatives(schema);
    let items = options.iter().filter(|option| option["type"] == "array");
    let items = items.flat_map(|list| alternatives(&list["items"]));
    let mut hashes = options.iter().copied().chain(items);
    hashes.find(|option| option["properties"].as_object().is_some_and(|it| !it.is_empty()))
}

/// The smallest form of a schema's required members.
fn required(schema: &Value, path: &str) -> Vec<(String, String)> {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.flat_map(|name| of_member(schema, path, name)).collect()
}

/// The smallest form of the first member of a hash.
fn first(schema: &Value, path: &str) -> Vec<(String, String)> {
    let name = schema["properties"].as_object().and_then(|members| members.keys().next());
    name.map_or_else(Vec::new, |name| of_member(schema, path, name))
}

fn of_member(schema: &Value, path: &str, name: &str) -> Vec<(String, String)> {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") };
    sample(&schema["properties"][name], &path)
}

/// The smallest form of a value.
fn sample(schema: &Value, path: &str) -> Vec<(String, String)> {
    let options = alternatives(schema);
    let Some(schema) = options.first() else { return Vec::new() };
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let value = match schema["type"].as_str() {
        Some("array") => return sample(&schema["items"], &format!("{path}[0]")),
        Some("object") if schema["properties"].is_object() => {
            let needed = required(schema, path);
            return if needed.is_empty() { first(schema, path) } else { needed };
        }
        Some("object") => return vec![(format!("{path}[a]"), "1".to_owned())],
        Some("integer") if path.ends_with("amount") => "2000",
        Some("integer" | "number") => "1",
        Some("boolean") => "true",
        _ => {
            let by_name = [("currency", "usd"), ("country", "US"), ("url", "https://x.example")];
            let name = path.trim_end_matches(']').rsplit('[').next().unwrap_or(path);
            let by_name = by_name.into_iter().find(|(ending, _)| name.ends_with(ending));
            let word = words.clone().find(|word| !word.is_empty());
            word.unwrap_or(by_name.map_or("x", |(_, value)| value))
        }
    };
    vec![(path.to_owned(), value.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every declared parameter is listed once, with the required members of its hash.
    #[test]
    fn lists_every_depth() {
        let schema = json!({"properties": {
            "name": {"type": "string"},
            "shape": {"anyOf": [{"type": "string", "enum": [""]}, {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {"type": "string", "enum": ["round", "flat"]},
                    "size": {"type": "integer"},
                },
            }]},
            "parts": {"type": "array", "items": {
                "type": "object", "properties": {"label": {"type": "string"}}}},
        }});
        let mut declared = Vec::new();
        list(&schema, "", &[], &mut declared);
        let listed: Vec<String> = declared
            .iter()
            .map(|Declared { path, sample, is_hash }| {
                let pairs = sample.iter().map(|(name, value)| format!("{name}={value}"));
                format!("{path}: {} {is_hash}", pairs.collect::<Vec<_>>().join("&"))
            })
            .collect();
        assert_eq!(
            listed,
            [
                "name: name=x false",
                "parts: parts[0][label]=x false",
                "parts[0][label]: parts[0][label]=x false",
                "shape: shape[kind]=round true",
                "shape[kind]: shape[kind]=round false",
                "shape[size]: shape[size]=1&shape[kind]=round false",
            ]
        );
    }

    /// A path is within itself and its hash, and not within a path that only begins the same.
    #[test]
    fn paths_are_within_their_hash() {
        assert!(within("a[b]", "a") && within("a", "a"));
        assert!(!within("ab", "a") && !within("a", "a[b]"));
    }
}
