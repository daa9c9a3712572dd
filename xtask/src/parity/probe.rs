//! Asks the real binary what it knows of each parameter that Stripe declares, at every depth.
//!
//! A call is sent once for each declared parameter, with what the document requires beside it and a
//! name that nobody knows. A server that knows the parameter complains of the unknown name, or of the
//! value, which is as short as can be; one that does not know it says so. And each declared hash is
//! sent with a name that it does not declare, which has to be refused.

use super::document::Document;
use crate::Failure;
use crate::process::{built, program};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A name that no call knows.
const UNKNOWN: &str = "zz";
/// The version that the document is of.
const VERSION: &str = "2026-05-27.dahlia";
/// How deep hashes are looked into; Stripe's own go no deeper.
const DEPTH_MAX: usize = 12;

/// What the server needs beside what is declared as required, since it has fewer ways than Stripe.
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

/// What became of the declared parameters of a call.
#[derive(Default)]
pub(crate) struct Asked {
    /// How many are known, at every depth.
    pub(crate) known: usize,
    /// The paths of those that are refused as unknown.
    pub(crate) refused: Vec<String>,
    /// Hashes that took a name which is not declared in them, each with what was said instead.
    pub(crate) open: Vec<(String, String)>,
}

/// The binary, while it is asked; ended when this is dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts it on a free port and a temporary database.
    pub(crate) fn start() -> Result<Self, Failure> {
        let binary = built("bankfeed");
        let words = ["serve", "--memory", "--listen", "127.0.0.1:0", "--log-level", "off"];
        let mut command = program(&binary.to_string_lossy(), &words);
        command.env_remove("BANKFEED_RECORD").env_remove("BANKFEED_STRICT");
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let output = child.stdout.take();
        let mut server = Self { child, address: String::new() };
        let mut lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
        let greeting = lines.next().and_then(Result::ok).unwrap_or_default();
        let (_, address) = greeting.split_once(" listens on http://").ok_or("it did not start")?;
        address.clone_into(&mut server.address);
        // What else it says is left unread: a greeting is shorter than a pipe.
        Ok(server)
    }

    /// What it says of every parameter of a call.
    pub(crate) fn ask(&self, document: &Document, call: &str) -> Result<Asked, Failure> {
        let form = document.parameters(call);
        let mut required = required(&form, "");
        let needed = NEEDED.iter().filter(|(of, _)| *of == call).flat_map(|(_, pairs)| *pairs);
        required.extend(needed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let told = |said: &Value| said["message"].as_str().unwrap_or("nothing").to_owned();
        let mut asked = Asked::default();
        let mut declared = Vec::new();
        list(&form, "", &required, &mut declared);
        for Declared { path, sample, is_hash } in declared {
            let mut pairs = sample;
            let nobody = (UNKNOWN.to_owned(), "1".to_owned());
            pairs.push(nobody);
            let said = self.send(call, &pairs)?;
            if is_unknown(&said, |param| within(&path, param) || within(param, &path)) {
                asked.refused.push(path);
                continue;
            }
            asked.known += 1;
            if is_hash {
                pairs.pop();
                pairs.push((format!("{path}[{UNKNOWN}]"), "1".to_owned()));
                let said = self.send(call, &pairs)?;
                if !refuses(&said) {
                    asked.open.push((path, told(&said)));
                }
            }
        }
        let nobody = (UNKNOWN.to_owned(), "1".to_owned());
        let pairs: Vec<_> = required.into_iter().chain([nobody]).collect();
        let said = self.send(call, &pairs)?;
        if !is_unknown(&said, |param| param == UNKNOWN) {
            asked.open.push((String::new(), told(&said)));
        }
        Ok(asked)
    }

    /// Sends a call, whose path names things that are not there; answers the error.
    fn send(&self, call: &str, pairs: &[(String, String)]) -> Result<Value, Failure> {
        let (method, path) = call.split_once(' ').unwrap_or(("GET", call));
        let path = path.replace("{id}", "x");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        let form = form.finish();
        let in_query = method != "POST";
        let query = if in_query { format!("?{form}") } else { String::new() };
        let body = if in_query { "" } else { &form };
        let request = format!(
            "{method} {path}{query} HTTP/1.1\r\nHost: bankfeed\r\nConnection: close\r\n\
             Authorization: Bearer sk_test_parity\r\nStripe-Version: {VERSION}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let fault = |error: std::io::Error| format!("{call}: {error}");
        let mut stream = TcpStream::connect(&self.address).map_err(fault)?;
        stream.write_all(request.as_bytes()).map_err(fault)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(fault)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let answer: Value =
            serde_json::from_str(body).map_err(|error| format!("{call}: {error}: {answer}"))?;
        Ok(answer["error"].clone())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It keeps nothing, so nothing is lost; that it has ended by itself is no fault here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a call was refused for a parameter; what is not there is looked for after all of them.
fn refuses(error: &Value) -> bool {
    error["param"].is_string() && error["code"] != "resource_missing"
}

fn is_unknown(error: &Value, of: impl Fn(&str) -> bool) -> bool {
    error["code"] == "parameter_unknown" && error["param"].as_str().is_some_and(of)
}

/// Whether a path is another one or a part of it.
fn within(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}

/// A parameter that is declared.
struct Declared {
    path: String,
    /// The least form that has it.
    sample: Vec<(String, String)>,
    is_hash: bool,
}

/// Every parameter that a schema declares, at every depth; `outer` is what the hashes around it
/// cannot do without.
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

/// The hash with named members that a parameter may be, or the items of its list.
fn hash_in(schema: &Value) -> Option<&Value> {
    let options = alternatives(schema);
    let items = options.iter().filter(|option| option["type"] == "array");
    let items = items.flat_map(|list| alternatives(&list["items"]));
    let mut hashes = options.iter().copied().chain(items);
    hashes.find(|option| option["properties"].as_object().is_some_and(|it| !it.is_empty()))
}

/// The least form of what a schema requires.
fn required(schema: &Value, path: &str) -> Vec<(String, String)> {
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names.flat_map(|name| of_member(schema, path, name)).collect()
}

/// The least form of the first member of a hash.
fn first(schema: &Value, path: &str) -> Vec<(String, String)> {
    let name = schema["properties"].as_object().and_then(|members| members.keys().next());
    name.map_or_else(Vec::new, |name| of_member(schema, path, name))
}

fn of_member(schema: &Value, path: &str, name: &str) -> Vec<(String, String)> {
    let path = if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") };
    sample(&schema["properties"][name], &path)
}

/// The least form of a value.
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

    /// Every declared parameter is listed once, with what its hash cannot do without.
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
        let told: Vec<String> = declared
            .iter()
            .map(|Declared { path, sample, is_hash }| {
                let pairs = sample.iter().map(|(name, value)| format!("{name}={value}"));
                format!("{path}: {} {is_hash}", pairs.collect::<Vec<_>>().join("&"))
            })
            .collect();
        assert_eq!(
            told,
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

    /// A path is within itself and its hash, not within what merely begins like it.
    #[test]
    fn paths_are_within_their_hash() {
        assert!(within("a[b]", "a") && within("a", "a"));
        assert!(!within("ab", "a") && !within("a", "a[b]"));
    }
}
