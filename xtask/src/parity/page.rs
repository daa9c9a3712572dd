//! `docs/parity.md`: the supported part of Stripe's API, counted against its description.

use super::document::{Document, call_name};
use super::probe::Probed;
use crate::Failure;
use crate::process::root;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const HEAD: &str = "\
# Parity

What of Stripe's API is here, counted against Stripe's own description of it: the OpenAPI document of
`2026-05-27.dahlia`, with the later versions laid over it (`xtask/overlays`, each line with its source).
`cargo xtask parity` writes this page and fails if it is stale.

Three things are checked by it. **Answers**: everything that the HTTP tests and the client programs were
answered has each required key, no key that is not declared, and values of the declared types and words
only, in the version that was asked for. **Known parameters**: each that Stripe declares, at every depth,
is sent to the binary. **Unknown ones**: a name that is not declared, in the call or in any of its
hashes, is refused.
";

/// Hashes with members that are not checked, by the beginning of their calls.
const IGNORED: [(&str, &[&str]); 2] = [
    (
        "POST /v1/customers",
        &["bank_account", "card", "cash_balance", "invoice_settings", "tax", "tax_id_data"],
    ),
    ("GET /v1/subscriptions", &["automatic_tax"]),
];

/// The content of the page.
pub(crate) struct Page<'a> {
    /// The document without an overlay.
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
        let fates = fates()?;
        let (stripes, own): (Vec<&String>, Vec<&String>) =
            self.calls.iter().partition(|call| self.document.has_call(&plain(call)));
        let known: usize = self.known.values().map(|known| known.known).sum();
        let refused: usize = self.known.values().map(|known| known.refused.len()).sum();
        let not_served = self.not_served();
        let count = not_served.values().map(BTreeSet::len).sum::<usize>();
        let _ = write!(
            text,
            "\n| | |\n|---|---|\n| calls of Stripe's that are served | {} |\n\
             | calls of Stripe's that are not | {count} |\n| calls that only this server describes | {} |\n\
             | parameters of the served calls, at every depth | {} |\n\
             | of these known | {known} |\n| refused | {refused} |\n\
             | objects that were answered and checked | {} |\n",
            stripes.len(),
            own.len(),
            known + refused,
            self.objects.len(),
        );
        text.push_str(
            "\n## Calls\n\nParameters at every depth, and what becomes of those at the top: acted on, \
             echoed, checked only,\npassed over, refused. Each is named in [parameters.md](parameters.md).\n\n\
             | call | known | refused | acted on | echoed | checked | passed over |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for call in &stripes {
            let plain = plain(call);
            let (known, refused) =
                self.known.get(&plain).map_or((0, 0), |known| (known.known, known.refused.len()));
            let fate = |word| fates.get(&(plain.clone(), word)).copied().unwrap_or(0);
            let _ = writeln!(
                text,
                "| [`{call}`](parameters.md#{}) | {known} | {refused} | {} | {} | {} | {} |",
                anchor(call),
                fate("acted on"),
                fate("echoed"),
                fate("checked only"),
                fate("passed over"),
            );
        }
        self.write_refused(&mut text);
        self.write_objects(&mut text);
        text.push_str("\n## Calls that the description does not have\n\nOur own, and what Stripe's CLI asks for.\n\n");
        for call in own {
            let _ = writeln!(text, "- `{call}`");
        }
        text.push_str("\n## Not served\n\nBy what their paths begin with. They are 404.\n\n");
        text.push_str("| resource | calls |\n|---|---|\n");
        for (resource, calls) in not_served {
            let calls: Vec<String> = calls.iter().map(|call| format!("`{call}`")).collect();
            let _ = writeln!(text, "| `{resource}` | {} |", calls.join(", "));
        }
        Ok(text)
    }

    fn write_refused(&self, text: &mut String) {
        text.push_str(
            "\n## Refused parameters\n\nDeclared by Stripe and unknown here: 400 `parameter_unknown`.\n\n\
             | call | parameters |\n|---|---|\n",
        );
        for (call, known) in self.known.iter().filter(|(_, known)| !known.refused.is_empty()) {
            let refused: Vec<String> =
                known.refused.iter().map(|path| format!("`{path}`")).collect();
            let _ = writeln!(text, "| `{call}` | {} |", refused.join(", "));
        }
    }

    fn write_objects(&self, text: &mut String) {
        text.push_str(
            "\n## Objects\n\nThe keys that the document declares; those that are required are in every \
             answer.\n\n| object | keys | required |\n|---|---|---|\n",
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
fn fates() -> Result<BTreeMap<(String, &'static str), u32>, Failure> {
    let place = root().join("docs/parameters.md");
    let text =
        std::fs::read_to_string(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let mut counts = BTreeMap::new();
    let mut call = String::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("### ") {
            call = plain(head);
        }
        let Some(fate) = line.strip_prefix("| `").and_then(|row| row.split(" | ").nth(1)) else {
            continue;
        };
        let words = ["acted on", "echoed", "checked only", "passed over", "refused"];
        if let Some(word) = words.into_iter().find(|word| *word == fate) {
            *counts.entry((call.clone(), word)).or_insert(0) += 1;
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
    let kept = heading.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
