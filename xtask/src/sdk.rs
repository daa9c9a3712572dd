//! Writes what each later version of the API changed, from the types of the official Python SDK.
//!
//! `xtask/sdk/packages.txt` names one release of the SDK for each version. A Python program reads the
//! types of each from its files, without running them. The differences between two releases are the
//! changes of the later version. `wire::schema::versions` describes the table of parameters, and
//! `wire::change` that of the keys of objects. Only names, types and words are copied, because they are
//! facts.

use crate::Failure;
use crate::process::{self, program, root};
use crate::shapes::with_plain_ids;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use wire::schema::versions::BASE;
use wire::schema::{Schema, of_call};

/// The tables that this writes.
const PARAMETERS: &str = "crates/wire/src/schema/versions.txt";
const KEYS: &str = "crates/wire/src/change/keys.txt";
const EXPANSIONS: &str = "crates/wire/src/schema/expansions.txt";
/// The words before the date of the first version that has an expandable field, and of the first one
/// that lacks it again.
const SINCE: &str = " since ";
const UNTIL: &str = " until ";
const OLDEST: &str = "crates/server/tests/api/older_shapes/required.txt";
/// The objects that payment renderers show. Renderers of other objects check versions themselves.
const OBJECTS: [&str; 18] = [
    "account",
    "charge",
    "checkout.session",
    "dispute",
    "invoice",
    "invoice_payment",
    "invoiceitem",
    "line_item",
    "mandate",
    "payment_intent",
    "payment_method",
    "plan",
    "price",
    "product",
    "refund",
    "setup_intent",
    "subscription",
    "subscription_item",
];
/// Calls whose tables were completed by hand, so the release of the document's version adds none.
const BY_HAND: [&str; 2] = ["POST /v1/accounts", "POST /v1/tokens"];

/// Reads the releases and writes the tables.
pub(crate) fn run() -> Result<(), Failure> {
    let packages = read(&root().join("xtask/sdk/packages.txt"))?;
    let packages = packages.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let releases: Vec<Value> = packages.map(types_of).collect::<Result<_, _>>()?;
    write(&root().join(PARAMETERS), &parameters(&releases)?)?;
    write(&root().join(KEYS), &keys(&releases))?;
    write_expansions(&releases)?;
    let oldest = releases.first().ok_or("xtask/sdk/packages.txt names no release")?;
    write(&root().join(OLDEST), &required(oldest))
}

/// Returns the table of the parameters that each version changed, from that of the document on.
fn parameters(releases: &[Value]) -> Result<String, Failure> {
    let base = releases.iter().position(|release| release["version"] == BASE);
    let base = base.ok_or("xtask/sdk/packages.txt has no release of the document's version")?;
    let (first, releases) = (&releases[base], &releases[base..]);
    let mut table = heading(first);
    for (call, form) in members(&first["calls"]) {
        if let Some(schema) =
            of_call(call).filter(|_| !BY_HAND.iter().any(|of| call.starts_with(of)))
        {
            let mut lines = String::new();
            write_additions(&mut lines, 1, schema, &form["members"]);
            write_call(&mut table, call, &lines);
        }
    }
    for pair in releases.windows(2) {
        let [older, newer] = pair else { continue };
        table.push_str(&heading(newer));
        for (call, form) in members(&newer["calls"]) {
            let mut lines = String::new();
            write_changes(&mut lines, 1, &older["calls"][call]["members"], &form["members"]);
            write_call(&mut table, call, &lines);
        }
    }
    Ok(table)
}

/// Writes the expandable fields that not all versions have into the table of expansions.
fn write_expansions(releases: &[Value]) -> Result<(), Failure> {
    let place = root().join(EXPANSIONS);
    let table = read(&place)?;
    let has_versions = |line: &&str| line.contains(SINCE) || line.contains(UNTIL);
    let document: BTreeSet<(&str, &str)> = fields_of(&table)
        .filter(|(_, line)| !has_versions(line))
        .map(|(kind, line)| (kind, line.split(' ').next().unwrap_or_default()))
        .collect();
    let mut lines: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for pair in releases.windows(2) {
        let [older, newer] = pair else { continue };
        let date = text(&newer["version"]).split('.').next().unwrap_or_default().to_owned();
        for object in OBJECTS {
            let expandable = |release: &Value| {
                let mut fields = BTreeMap::new();
                list_expandable(&mut fields, "", &release["objects"][object]);
                fields
            };
            let (before, after) = (expandable(older), expandable(newer));
            let lines = lines.entry(object).or_default();
            for (path, field) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
                if !document.contains(&(object, path)) {
                    lines.insert(path.clone(), format!(" {path} {field}{SINCE}{date}"));
                }
            }
            for (path, field) in before.iter().filter(|(path, _)| !after.contains_key(*path)) {
                if !document.contains(&(object, path)) {
                    let since = lines.remove(path);
                    let line = since.unwrap_or_else(|| format!(" {path} {field}"));
                    lines.insert(path.clone(), format!("{line}{UNTIL}{date}"));
                }
            }
        }
    }
    write(&place, &merged(&table, &lines))
}

/// Returns each field of the table with its kind.
fn fields_of(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut kind = "";
    table.lines().filter_map(move |line| {
        let field = line.strip_prefix(' ');
        if field.is_none() {
            kind = line;
        }
        Some((kind, field?))
    })
}

/// Replaces the lines of the table that have versions.
fn merged(table: &str, lines: &BTreeMap<&str, BTreeMap<String, String>>) -> String {
    let mut kinds: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for kind in table.lines().filter(|line| !line.starts_with(' ')) {
        kinds.entry(kind).or_default();
    }
    for (kind, field) in fields_of(table) {
        if !field.contains(SINCE) && !field.contains(UNTIL) {
            kinds.entry(kind).or_default().insert(format!(" {field}"));
        }
    }
    for (kind, lines) in lines {
        // Objects that this server does not have are not in the table.
        if let Some(fields) = kinds.get_mut(kind) {
            fields.extend(lines.values().cloned());
        }
    }
    let mut merged = String::new();
    for (kind, fields) in kinds {
        let _ = writeln!(merged, "{kind}");
        for field in fields {
            let _ = writeln!(merged, "{field}");
        }
    }
    merged
}

/// Lists the expandable fields of a type, and the objects in it that are always complete, each with
/// its mark and kinds.
fn list_expandable(fields: &mut BTreeMap<String, String>, path: &str, kind: &Value) {
    match text(&kind["kind"]) {
        "hash" => {
            for (name, member) in members(&kind["members"]) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                list_expandable(fields, &path, &member["type"]);
            }
        }
        "list" => list_expandable(fields, path, &kind["item"]),
        "page" => list_expandable(fields, &format!("{path}.data"), &kind["item"]),
        word @ ("ref" | "either") => {
            let options = std::slice::from_ref(kind);
            let options = if word == "ref" {
                Some(options)
            } else {
                kind["options"].as_array().map(Vec::as_slice)
            };
            let kinds = options.into_iter().flatten().filter(|option| option["kind"] == "ref");
            let kinds: BTreeSet<&str> = kinds.map(|option| text(&option["object"])).collect();
            if !kinds.is_empty() && !path.is_empty() {
                let mark = if kind["expandable"] == true { "id" } else { "object" };
                let kinds = kinds.into_iter().collect::<Vec<_>>().join("|");
                fields.insert(path.to_owned(), format!("{mark} {kinds}"));
            }
        }
        _ => {}
    }
}

/// Returns the keys that the objects of a release always have and that are never null.
fn required(release: &Value) -> String {
    let mut table = heading(release);
    for object in OBJECTS {
        write_required(&mut table, object, "", &release["objects"][object]);
    }
    table
}

fn write_required(table: &mut String, object: &str, path: &str, kind: &Value) {
    for (name, member) in members(&kind["members"]) {
        if member["type"]["nullable"] == true {
            continue;
        }
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let _ = writeln!(table, "{object} {path}");
        write_required(table, object, &path, &member["type"]);
    }
}

/// Returns the table of the keys that objects gained and, with a minus, lost in each version.
fn keys(releases: &[Value]) -> String {
    let mut table = String::new();
    for pair in releases.windows(2) {
        let [older, newer] = pair else { continue };
        table.push_str(&heading(newer));
        for object in OBJECTS {
            let (before, after) = (&older["objects"][object], &newer["objects"][object]);
            if before.is_null() || after.is_null() {
                continue;
            }
            write_keys(&mut table, object, "", before, after);
            write_keys(&mut table, &format!("-{object}"), "", after, before);
        }
    }
    table
}

/// Writes the keys that only the newer type has, without the keys inside them.
fn write_keys(table: &mut String, object: &str, path: &str, before: &Value, after: &Value) {
    match text(&after["kind"]) {
        "hash" => {
            for (name, member) in members(&after["members"]) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match before["members"].get(name) {
                    Some(older) => {
                        write_keys(table, object, &path, &older["type"], &member["type"]);
                    }
                    None => {
                        let _ = writeln!(table, "{object} {path}");
                    }
                }
            }
        }
        "list" | "map" => write_keys(table, object, path, &before["item"], &after["item"]),
        _ => {}
    }
}

fn heading(release: &Value) -> String {
    format!("= {}\n", text(&release["version"]))
}

fn write_call(table: &mut String, call: &str, lines: &str) {
    if !lines.is_empty() {
        let _ = writeln!(table, "{call}");
        table.push_str(lines);
    }
}

/// Unpacks a release and returns its types.
fn types_of(release: &str) -> Result<Value, Failure> {
    let place = root().join("target/sdk").join(release);
    if !place.join("stripe").exists() {
        unpack(release, &place)?;
    }
    let calls = root().join("target/sdk/calls.txt");
    write(&calls, &served()?)?;
    let reader = root().join("xtask/sdk/read_types.py");
    let mut python = program("python3", &[]);
    let output = python.args([&reader, &place, &calls]).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("run python3: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("types of {release}: {error}"))
}

fn unpack(release: &str, place: &Path) -> Result<(), Failure> {
    let fault = |error: std::io::Error| format!("{}: {error}", place.display());
    std::fs::create_dir_all(place).map_err(fault)?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."];
    let package = format!("stripe=={release}");
    process::run(program("python3", &download).arg(package).current_dir(place))?;
    let files = std::fs::read_dir(place).map_err(fault)?;
    let wheel: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    let [wheel] = &wheel[..] else { return Err(format!("{release} is not one wheel")) };
    process::run(program("python3", &["-m", "zipfile", "-e"]).arg(wheel).arg(place))
}

/// Returns the served calls, one per line.
fn served() -> Result<String, Failure> {
    let router = read(&root().join("crates/server/src/http/router.rs"))?;
    let paths = router.split('"').filter(|part| part.starts_with("/v1/")).map(with_plain_ids);
    let paths: BTreeSet<String> = paths.collect();
    let calls = paths
        .iter()
        .flat_map(|path| ["GET", "POST", "DELETE"].map(|verb| format!("{verb} {path}")));
    Ok(calls.collect::<Vec<_>>().join("\n"))
}

/// Writes the members that only the release declares.
fn write_additions(table: &mut String, depth: usize, schema: &Schema, members_of: &Value) {
    let Schema::Hash(known) = schema else { return };
    for (name, member) in members(members_of) {
        let Some(older) = known.iter().find(|known| known.name == name) else {
            write_member(table, depth, name, member);
            continue;
        };
        let (mut schema, mut kind) = (&older.schema, &member["type"]);
        let mut words = String::new();
        while let (Schema::List(item), "list") = (schema, text(&kind["kind"])) {
            (schema, kind) = (item, &kind["item"]);
            words.push_str("list ");
        }
        let mut lines = String::new();
        write_additions(&mut lines, depth + 1, schema, &kind["members"]);
        if !lines.is_empty() {
            let marks = marks(older.required, older.unsettable);
            let _ = writeln!(table, "{}~{name}{marks} {words}hash", " ".repeat(depth));
            table.push_str(&lines);
        }
    }
}

/// Writes the members that differ between two releases.
fn write_changes(table: &mut String, depth: usize, older: &Value, newer: &Value) {
    let indent = " ".repeat(depth);
    for (name, _) in members(older).filter(|(name, _)| newer.get(name).is_none()) {
        let _ = writeln!(table, "{indent}-{name}");
    }
    for (name, member) in members(newer) {
        let Some(before) = older.get(name) else {
            write_member(table, depth, name, member);
            continue;
        };
        if before == member {
            continue;
        }
        let Some((words, before, after)) = hashes(&before["type"], &member["type"]) else {
            write_member(table, depth, name, member);
            continue;
        };
        let _ = writeln!(table, "{indent}~{name}{} {words}hash", marks_of(member));
        write_changes(table, depth + 1, before, after);
    }
}

/// Returns the members of two hashes, or of the hashes in two lists, with the words around `hash`.
fn hashes<'a>(before: &'a Value, after: &'a Value) -> Option<(String, &'a Value, &'a Value)> {
    match (text(&before["kind"]), text(&after["kind"])) {
        ("hash", "hash") => Some((String::new(), &before["members"], &after["members"])),
        ("list", "list") => {
            let (words, before, after) = hashes(&before["item"], &after["item"])?;
            Some((format!("list {words}"), before, after))
        }
        _ => None,
    }
}

fn write_member(table: &mut String, depth: usize, name: &str, member: &Value) {
    let _ = write!(table, "{}{name}{} ", " ".repeat(depth), marks_of(member));
    write_type(table, depth, &member["type"]);
}

fn marks_of(member: &Value) -> &'static str {
    marks(member["required"] == true, member["unsettable"] == true)
}

fn marks(required: bool, unsettable: bool) -> &'static str {
    match (required, unsettable) {
        (true, true) => "*?",
        (true, false) => "*",
        (false, true) => "?",
        (false, false) => "",
    }
}

/// Writes a type to the end of the line, and the members of a hash on the next lines.
fn write_type(table: &mut String, depth: usize, kind: &Value) {
    match text(&kind["kind"]) {
        "hash" => {
            table.push_str("hash\n");
            for (name, member) in members(&kind["members"]) {
                write_member(table, depth + 1, name, member);
            }
        }
        word @ ("list" | "map") => {
            let _ = write!(table, "{word} ");
            write_type(table, depth, &kind["item"]);
        }
        "word" => {
            let words: Vec<&str> =
                kind["words"].as_array().into_iter().flatten().map(text).collect();
            let _ = writeln!(table, "word {}", words.join("|"));
        }
        "either" => {
            table.push_str("either\n");
            for option in kind["options"].as_array().into_iter().flatten() {
                let _ = write!(table, "{}- ", " ".repeat(depth + 1));
                write_type(table, depth + 1, option);
            }
        }
        "any" => table.push_str("text\n"),
        word => {
            let _ = writeln!(table, "{word}");
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn read(place: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(place).map_err(|error| format!("{}: {error}", place.display()))
}

fn write(place: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(place, text).map_err(|error| format!("{}: {error}", place.display()))
}
