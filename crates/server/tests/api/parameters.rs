//! `docs/parameters.md`: every call, every parameter, and the effect of each parameter.
//!
//! The document is generated here and compared with the file, so it always matches the behaviour of
//! the server. The names of a call's parameters come from its notice about an unknown parameter.
//! Calls with a schema echo most of their parameters. Each parameter is sent alone, and the change
//! in the response determines its effect. Only two parts are written by hand: the notes on
//! supported parameters (`wire::supported`), and a first call of each kind (`start`).
//!
//! `BANKFEED_WRITE_DOCS=1 cargo test -p bankfeed-server --test api parameters` writes the file.

mod start;

use serde_json::Value;
use start::{Start, start};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use testkit::{App, Options, Response};
use wire::schema::{Member, Schema, of_call_in};
use wire::supported;
use wire::version::Version;

/// The names that Stripe publishes for the calls without a schema.
const PUBLISHED: &str = include_str!("parameters/published.txt");
const ROUTER: &str = include_str!("../../src/http/router.rs");
/// The effect of a parameter that changes more than its own key and has no note.
const UNNOTED: &str = "decides something, so it needs a note";
/// The one call that is always rejected.
const CAPTURE: &str = "POST /v1/payment_intents/{id}/capture";
/// A name that is unknown to every call.
const UNKNOWN: &str = "zz";
/// The minimum length of an id or a secret, in consecutive letters and digits.
const ID_DIGITS_MIN: usize = 24;
/// Keys with a different value in each object, besides ids and secrets.
const OWN: [&str; 2] = ["fingerprint", "number"];
const HEAD: &str = "\
# Parameters

This page lists every call under `/v1` and the effect of each parameter. [api.md](api.md) describes the
calls. A test makes this page from the server's responses and fails if they differ.

| effect | meaning |
|---|---|
| supported | It has an effect |
| echoed | Checked by type, words and bounds, and shown by the object, without another effect |
| checked | Checked in the same way, neither shown nor used |
| ignored | Accepted in any form, without an effect |
| rejected | 400, because Stripe publishes it and this server cannot support it. The note gives the reason |

The page is for the default version. [versions.md](versions.md) lists the others. A parameter without a
row returns 400 `parameter_unknown`, at every depth. A path in brackets has its own row if it differs from
the rest of its hash.
";

/// The effect of a parameter, and a note.
type Fate = (&'static str, String);

/// The document matches the behaviour of the server.
#[tokio::test]
async fn every_parameter_is_documented() {
    let strict = Options { strict: true, ..Options::default() };
    let (app, strict) = (App::start().await, App::with(strict).await);
    let published = blocks(PUBLISHED);
    let mut text = HEAD.to_owned();
    let mut resource = "";
    let calls = routes();
    for call in &calls {
        let (_, path) = call.split_once(' ').unwrap();
        let of = resource_of(path);
        if of != resource {
            let _ = write!(text, "\n## {of}\n");
            resource = of;
        }
        let mut fates = fates(&app, call, supported::of_call(call)).await;
        check_strict(&strict, call, &fates).await;
        for name in published.get(with_plain_ids(call).as_str()).into_iter().flatten() {
            let refused = || ("rejected", "unknown here".to_owned());
            fates.entry((*name).to_owned()).or_insert_with(refused);
        }
        let _ = write!(text, "\n### {call}\n\n");
        if fates.is_empty() {
            text.push_str("Takes no parameters.\n");
            continue;
        }
        text.push_str("| parameter | effect | note |\n|---|---|---|\n");
        for (name, (fate, note)) in fates {
            let _ = writeln!(text, "| `{name}` | {fate} | {note} |");
        }
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/parameters.md");
    if std::env::var_os("BANKFEED_WRITE_DOCS").is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    let written = std::fs::read_to_string(&place).unwrap_or_default();
    let unnoted: Vec<&str> =
        text.lines().filter(|line| line.starts_with("###") || line.contains(UNNOTED)).collect();
    assert!(!text.contains(UNNOTED), "{}", unnoted.join("\n"));
    let differs = text.lines().zip(written.lines()).find(|(made, found)| made != found);
    assert!(
        written == text,
        "docs/parameters.md is outdated at {differs:?}; write it with BANKFEED_WRITE_DOCS=1"
    );
}

/// The parameters of a call in the default version, if a table has the call.
fn shaped(call: &str) -> Option<&'static Schema> {
    of_call_in(call, &Version::default())
}

/// A parameter of a call in the default version.
fn member(call: &str, name: &str) -> Option<&'static Member> {
    match shaped(call) {
        Some(Schema::Hash(members)) => members.iter().find(|member| member.name == name),
        _ => None,
    }
}

/// The calls of the router, in its order.
fn routes() -> Vec<String> {
    let mut calls = Vec::new();
    for (start, method) in
        [(".get(", "GET"), (".empty(", "GET"), (".post(", "POST"), (".delete(", "DELETE")]
            .into_iter()
            .flat_map(|(word, method)| {
                ROUTER.match_indices(word).map(move |(at, _)| (at + word.len(), method))
            })
            .chain(ROUTER.match_indices("client_get(").map(|(at, word)| (at + word.len(), "GET")))
            .chain(ROUTER.match_indices("client_post(").map(|(at, word)| (at + word.len(), "POST")))
    {
        let rest = ROUTER[start..].trim_start();
        if let Some(path) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next())
            && path.starts_with("/v1/")
        {
            calls.push((start, format!("{method} {path}")));
        }
    }
    calls.sort();
    calls.into_iter().map(|(_, call)| call).collect()
}

/// A call in the notation of the schemas, in which every path parameter is named `{id}`.
fn with_plain_ids(call: &str) -> String {
    let plain = |part| if str::starts_with(part, '{') { "{id}" } else { part };
    call.split('/').map(plain).collect::<Vec<_>>().join("/")
}

/// The section of the document for a path, which is the path without ids and verbs.
fn resource_of(path: &str) -> &str {
    let path = path.strip_prefix("/v1/").unwrap();
    path.split("/{").next().unwrap()
}

/// Groups indented lines by the preceding line without indentation.
fn blocks(text: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut blocks: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut head = "";
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix(' ') {
            Some(inside) => blocks.entry(head).or_default().push(inside),
            None => head = line,
        }
    }
    blocks
}

async fn fates(
    app: &App,
    call: &str,
    notes: Option<&BTreeMap<&'static str, &'static str>>,
) -> BTreeMap<String, Fate> {
    let none = BTreeMap::new();
    let notes = notes.unwrap_or(&none);
    let (taken, passed_over) = known(app, call).await;
    let mut fates = BTreeMap::new();
    for name in &passed_over {
        fates.insert(name.clone(), ("ignored", String::new()));
    }
    let mut without = None;
    let schema = shaped(call).filter(|_| call.starts_with("POST "));
    for name in &taken {
        let fate = match (schema, notes.get(name.as_str())) {
            (_, Some(said)) => match said.strip_prefix("echoed; ") {
                Some(rest) => ("echoed", rest.to_owned()),
                None => ("supported", (*said).to_owned()),
            },
            (Some(_), None) if name != "expand" => {
                let member = member(call, name);
                let member =
                    member.unwrap_or_else(|| panic!("{call} takes {name}, and no table has it"));
                if without.is_none() {
                    let first = start(app, call).await;
                    let reply = send(app, call, &first, &[]).await;
                    without = Some((first, reply));
                }
                let (first, reply) = without.as_ref().unwrap();
                measured(app, call, member, (first, reply)).await
            }
            _ => ("supported", of_every_call(name).to_owned()),
        };
        fates.insert(name.clone(), fate);
    }
    for (name, said) in notes {
        let (first, inside) = name.split_once('[').unwrap_or((name, ""));
        assert!(taken.contains(first), "{call} does not take {name}");
        if inside.is_empty() {
            continue;
        }
        // A note on a part of a hash covers only that part. The rest of the hash is measured.
        check_part(app, call, name).await;
        fates.insert((*name).to_owned(), ("supported", (*said).to_owned()));
    }
    fates
}

/// A strict server rejects exactly the parameters that other servers ignore, with their path.
async fn check_strict(strict: &App, call: &str, fates: &BTreeMap<String, Fate>) {
    for (name, (fate, _)) in fates.iter().filter(|(name, _)| !name.contains('[')) {
        let schema = member(call, name);
        let mut form = Vec::new();
        match schema {
            Some(member) => sample(name, &member.schema, false, &mut form),
            None if *fate == "ignored" => form.push(format!("{name}=x")),
            None => continue,
        }
        let start = start(strict, call).await;
        let reply = send(strict, call, &start, &form).await;
        let refused = reply.at("/error/code") == "parameter_not_acted_on";
        let drops = match *fate {
            "ignored" => true,
            "checked" => !supported::is_stored(name),
            "echoed" if schema.is_some() => {
                !supported::is_stored(name)
                    && supported::of_call(call).is_none_or(|of| !of.contains_key(&**name))
            }
            _ => false,
        };
        let drops = drops && !form.iter().all(|pair| pair.ends_with("=false"));
        // A value of `false` is accepted. The error for a hash may name one unsupported part of it.
        let part = refused && reply.text("/error/param").starts_with(&format!("{name}["));
        assert!(refused == drops || part, "{call} {form:?}: {fate}, {}", reply.body);
        if refused {
            assert!(reply.text("/error/param").starts_with(&**name), "{}", reply.body);
        }
    }
}

/// The note on a parameter that many calls share.
fn of_every_call(name: &str) -> &'static str {
    match name {
        "expand" => "[what can be expanded](api.md#expansion)",
        "limit" | "starting_after" | "ending_before" => "[lists](api.md#lists)",
        _ => "",
    }
}

/// The names that a call takes, and those that it ignores.
async fn known(app: &App, call: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let start = start(app, call).await;
    let reply = send(app, call, &start, &[format!("{UNKNOWN}=1")]).await;
    let notice = reply.header("stripe-notice").unwrap_or_else(|| {
        panic!("{call} was not refused for an unknown parameter, give it a start: {}", reply.body)
    });
    assert!(notice.starts_with("This call takes: "), "{call}: {notice}");
    let (taken, passed_over) = notice.split_once(" Ignored: ").unwrap_or((notice, ""));
    let names = |list: &str| -> BTreeSet<String> {
        let list = list.trim_start_matches("This call takes: ").trim_end_matches('.');
        list.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    (names(taken), names(passed_over))
}

/// Checks that the call knows a part of a hash. The notice about a similar name lists it.
async fn check_part(app: &App, call: &str, path: &str) {
    let whole = path.trim_end_matches("[]");
    let (hash, name) = whole.trim_end_matches(']').rsplit_once('[').unwrap();
    let start = start(app, call).await;
    let reply = send(app, call, &start, &[format!("{hash}[{name}q]=1")]).await;
    let notice = reply.header("stripe-notice").unwrap_or_default();
    let knows = notice.split([' ', ',', '.']).any(|word| word == name);
    let needs = reply.at("/error/param") == whole;
    assert!(knows || needs, "{call} does not take {path}: {notice} {}", reply.body);
}

/// Measures the effect of a parameter without a note, by sending it alone.
async fn measured(
    app: &App,
    call: &str,
    member: &'static Member,
    (first, without): (&Start, &Response),
) -> Fate {
    if call == CAPTURE {
        assert_eq!(without.status, 400, "{}", without.body);
        return ("checked", "the call itself is always refused".to_owned());
    }
    assert_eq!(without.status, 200, "{call}: {}", without.body);
    let without = masked(&without.json());
    let mut echoed = false;
    let mut sent = Vec::new();
    for second in [false, true] {
        let mut form = Vec::new();
        sample(member.name, &member.schema, second, &mut form);
        if form == sent {
            break;
        }
        sent.clone_from(&form);
        // A call that creates an object needs no new object each time.
        let with = if call.contains("/{id}") {
            send_fresh(app, call, &form).await
        } else {
            send(app, call, first, &form).await
        };
        if with.status != 200 {
            assert!(matches!(with.status, 400 | 404), "{call} {form:?}: {}", with.body);
            let param = with.at("/error/param");
            let of_it = param.as_str().is_some_and(|param| param.starts_with(member.name))
                && with.at("/error/code") != "resource_missing"
                && !second;
            return (if of_it { "rejected" } else { UNNOTED }, with.text("/error/message"));
        }
        let mut with = masked(&with.json());
        let mut plain = without.clone();
        echoed |= with[member.name] != plain[member.name];
        for object in [&mut with, &mut plain] {
            object.as_object_mut().unwrap().remove(member.name);
        }
        if with != plain {
            return (UNNOTED, String::new());
        }
    }
    if echoed { ("echoed", String::new()) } else { ("checked", String::new()) }
}

/// The minimal form of a value. For enums, currencies and booleans, `second` selects a different
/// value.
fn sample(path: &str, schema: &Schema, second: bool, form: &mut Vec<String>) {
    let value = match schema {
        // The names of texts with a special format contain that format.
        Schema::Text(_) if path.contains("email") => "x@x.example".to_owned(),
        Schema::Text(_) if path.contains("_url") => "https://x.example".to_owned(),
        Schema::Text(_) => "x".to_owned(),
        Schema::Integer | Schema::Decimal => "1".to_owned(),
        Schema::Currency => if second { "eur" } else { "usd" }.to_owned(),
        Schema::Boolean => (!second).to_string(),
        Schema::Word(words) => {
            let word = if second { words.last() } else { words.first() };
            (*word.unwrap()).to_owned()
        }
        Schema::Hash(members) => {
            let required: Vec<&Member> = members.iter().filter(|member| member.required).collect();
            let chosen =
                if required.is_empty() { members.iter().take(1).collect() } else { required };
            for member in chosen {
                sample(&format!("{path}[{}]", member.name), &member.schema, second, form);
            }
            return;
        }
        Schema::List(item) => return sample(&format!("{path}[0]"), item, second, form),
        Schema::Map(value) => return sample(&format!("{path}[a]"), value, second, form),
        Schema::Either(options) => return sample(path, &options[0], second, form),
    };
    form.push(format!("{path}={value}"));
}

/// A copy of a value without the parts that differ each time.
fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let run = |part: &str| part.len() >= ID_DIGITS_MIN;
            let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric());
            if parts.into_iter().any(run) { "…".into() } else { value.clone() }
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Object(members) => {
            let shown = members.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
            shown.map(|(name, value)| (name.clone(), masked(value))).collect()
        }
        other => other.clone(),
    }
}

async fn send_fresh(app: &App, call: &str, form: &[String]) -> Response {
    send(app, call, &start(app, call).await, form).await
}

/// Sends a call. Parameters in `more` override those of the start.
async fn send(app: &App, call: &str, start: &Start, more: &[String]) -> Response {
    let (method, pattern) = call.split_once(' ').unwrap();
    let mut path = String::new();
    let mut ids = start.ids.iter();
    for part in pattern.split('/').skip(1) {
        path.push('/');
        path.push_str(if part.starts_with('{') {
            ids.next().map_or("x", String::as_str)
        } else {
            part
        });
    }
    let mut form = vec![start.form.clone()];
    form.extend_from_slice(more);
    let form = form.join("&");
    if method == "POST" {
        app.post(&path, &form).await
    } else {
        app.request(method, &format!("{path}?{form}")).send().await
    }
}
