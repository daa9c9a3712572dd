//! `docs/parity.md`: the supported part of Stripe's API, counted against its description.

use super::document::{Document, call_name};
use super::probe::Probed;
use crate::Failure;
use crate::process::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const HEAD: &str = "\
# Parity

This page counts the supported part of Stripe's API against Stripe's own description of it. The description
is the OpenAPI document of `2026-05-27.dahlia` with the changes of later versions: parameters from the types
of the official SDKs (`crates/wire/src/schema/versions.txt`), and keys of objects (`xtask/overlays`, each line
with its source). The counts are those of `2026-10-28.endive`. `cargo xtask parity` writes this page, and CI
fails if it is out of date.

The command checks these rules:

- **Responses** to the HTTP tests and the client programs have every required key, only declared keys, and
  only values of the declared types and words. Each is checked in the version that the request named.
- **Declared parameters** are sent to the binary, at every depth and in each version since the document's.
  Those that a later version added must be known.
- **Undeclared parameters** must be rejected, in the call and in each of its hashes.
";

/// Hashes with members that are not checked, by the beginning of their calls.
const IGNORED: [(&str, &[&str]); 2] = [
    (
        "POST /v1/customers",
        &["bank_account", "card", "cash_balance", "invoice_settings", "tax", "tax_id_data"],
    ),
    ("GET /v1/subscriptions", &["automatic_tax"]),
];

/// The treatments of parameters, as `docs/parameters.md` names them.
const TREATMENTS: [&str; 4] = ["supported", "echoed", "checked", "ignored"];

/// The content of the page.
pub(crate) struct Page<'a> {
    /// The document of the newest version.
    pub(crate) document: &'a Document,
    /// The calls of the router, in its order.
    pub(crate) calls: &'a [String],
    /// The parameters that the binary knows.
    pub(crate) known: &'a BTreeMap<String, Probed>,
    /// The objects in responses.
    pub(crate) objects: BTreeSet<&'a str>,
}

impl Page<'_> {
    /// The page as text.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        let mut text = HEAD.to_owned();
        let treatments = treatments()?;
        let (stripes, own): (Vec<&String>, Vec<&String>) =
            self.calls.iter().partition(|call| self.document.has_call(&plain(call)));
        let known: usize = self.known.values().map(|known| known.known).sum();
        let rejected: usize = self.known.values().map(|known| known.rejected.len()).sum();
        let not_served = self.not_served();
        let count = not_served.values().map(BTreeSet::len).sum::<usize>();
        let _ = write!(
            text,
            "\n| | |\n|---|---|\n| Stripe's calls that are supported | {} |\n\
             | Stripe's calls that are not supported | {count} |\n| calls of this server alone | {} |\n\
             | parameters of the supported calls, at every depth | {} |\n\
             | known parameters | {known} |\n| rejected parameters | {rejected} |\n\
             | checked objects in responses | {} |\n",
            stripes.len(),
            own.len(),
            known + rejected,
            self.objects.len(),
        );
        text.push_str(
            "\n## Calls\n\nKnown and rejected parameters are counted at every depth. The other columns \
             count parameters at the top\nby their treatment. Each is named in \
             [parameters.md](parameters.md). Members of JSON bodies under `/v2` are not counted.\n\n\
             | call | known | rejected | supported | echoed | checked | ignored |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for call in &stripes {
            let plain = plain(call);
            if call.contains(" /v2/") {
                let section = "api.md#thin-events-and-event-destinations";
                let _ = writeln!(text, "| [`{call}`]({section}) | | | | | | |");
                continue;
            }
            let (known, rejected) =
                self.known.get(&plain).map_or((0, 0), |known| (known.known, known.rejected.len()));
            let count = |word| treatments.get(&(plain.clone(), word)).copied().unwrap_or(0);
            let _ = writeln!(
                text,
                "| [`{call}`](parameters.md#{}) | {known} | {rejected} | {} | {} | {} | {} |",
                anchor(call),
                count("supported"),
                count("echoed"),
                count("checked"),
                count("ignored"),
            );
        }
        self.write_rejected(&mut text);
        self.write_objects(&mut text);
        text.push_str("\n## Calls that the description does not have\n\nCalls of our own, and calls that Stripe's CLI makes.\n\n");
        for call in own {
            let _ = writeln!(text, "- `{call}`");
        }
        text.push_str("\n## Not supported\n\nThese calls return 404. They are listed by the beginning of their paths.\n\n");
        text.push_str("| resource | calls |\n|---|---|\n");
        for (resource, calls) in not_served {
            let calls: Vec<String> = calls.iter().map(|call| format!("`{call}`")).collect();
            let _ = writeln!(text, "| `{resource}` | {} |", calls.join(", "));
        }
        Ok(text)
    }

    fn write_rejected(&self, text: &mut String) {
        text.push_str(
            "\n## Rejected parameters\n\nStripe declares these parameters, and this server rejects them with 400 `parameter_unknown`.\n\n\
             | call | parameters |\n|---|---|\n",
        );
        for (call, known) in self.known.iter().filter(|(_, known)| !known.rejected.is_empty()) {
            let rejected: Vec<String> =
                known.rejected.iter().map(|path| format!("`{path}`")).collect();
            let _ = writeln!(text, "| `{call}` | {} |", rejected.join(", "));
        }
    }

    fn write_objects(&self, text: &mut String) {
        text.push_str(
            "\n## Objects\n\nThe numbers of declared and required keys. Required keys are in every \
             response.\n\n| object | keys | required |\n|---|---|---|\n",
        );
        for object in &self.objects {
            let Some(schema) = self.document.schemas.get(*object) else { continue };
            let keys = schema["properties"].as_object().map_or(0, serde_json::Map::len);
            let required = schema["required"].as_array().map_or(0, Vec::len);
            let _ = writeln!(text, "| `{object}` | {keys} | {required} |");
        }
    }

    /// The calls that are only in the document, by the first words of their paths.
    fn not_served(&self) -> BTreeMap<String, BTreeSet<String>> {
        let served: BTreeSet<String> = self.calls.iter().map(|call| plain(call)).collect();
        let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for call in self.document.calls().filter(|call| !served.contains(*call)) {
            let (method, path) = call.split_once(' ').unwrap_or(("", call));
            let rest = path.strip_prefix("/v1/").unwrap_or(path);
            let (resource, rest) = rest
                .split_once('/')
                .map_or((rest, String::new()), |(one, rest)| (one, format!("/{rest}")));
            let calls = missing.entry(resource.to_owned()).or_default();
            calls.insert(format!("{method} {rest}").trim_end().to_owned());
        }
        missing
    }
}

fn plain(call: &str) -> String {
    let (method, path) = call.split_once(' ').unwrap_or(("", call));
    call_name(method, path)
}

/// The number of parameters of each call by their treatment, read from `docs/parameters.md`.
fn treatments() -> Result<BTreeMap<(String, &'static str), u32>, Failure> {
    let place = root().join("docs/parameters.md");
    let text =
        std::fs::read_to_string(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let mut counts = BTreeMap::new();
    let mut call = String::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("### ") {
            call = plain(head);
        }
        let Some(word) = line.strip_prefix("| `").and_then(|row| row.split(" | ").nth(1)) else {
            continue;
        };
        if let Some(treatment) = TREATMENTS.iter().find(|treatment| **treatment == word) {
            *counts.entry((call.clone(), *treatment)).or_insert(0) += 1;
        }
    }
    Ok(counts)
}

/// True if the server ignores all members of this hash.
pub(crate) fn is_ignored(call: &str, path: &str) -> bool {
    let name = path.split('[').next().unwrap_or(path);
    IGNORED.iter().any(|(calls, names)| call.starts_with(calls) && names.contains(&name))
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    let characters = heading.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c));
    characters.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
