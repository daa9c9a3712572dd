//! The schemas of later versions.
//!
//! The tables of calls describe the version [`BASE`]. `versions.txt` lists the changes of each
//! version, oldest first. The changes of [`BASE`] itself are parameters that the official SDK of
//! that version declares and the `OpenAPI` document does not. `cargo xtask shapes --from-sdk` writes
//! the file. A version begins with `= ` and its name. Its calls follow in the form of the other
//! tables. A member is added, or replaces the member of its name, with two exceptions:
//!
//! - `~name hash` changes the hash of that name, or the hashes of a list, by the members below.
//! - `-name` removes a member.
//!
//! `previews.txt` lists the changes that all previews have, in the same form. Its source is the types of
//! stripe-python 11.3.0b1 (2024-10-28), 12.1.0b1 (2025-03-31.preview), 14.4.0b1 (2026-01-28.preview) and
//! 16.1.0b1 (2026-09-30.preview), which agree.

use super::{CALLS, Member, Schema, read_table};
use crate::version::Version;
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

/// The version that the tables describe.
pub const BASE: &str = "2026-05-27.dahlia";
const TABLE: &str = include_str!("versions.txt");
const PREVIEWS: &str = include_str!("previews.txt");
/// The beginning of the line that names a version.
const HEADING: &str = "= ";
/// The mark of a removed member.
const REMOVED: char = '-';
/// The mark of a hash whose members change.
const CHANGED: char = '~';

type Calls = BTreeMap<&'static str, Schema>;

/// A later version.
struct Later {
    name: &'static str,
    /// Its changes, as a table.
    table: &'static str,
    /// The calls that this version or an earlier one changed. Most servers read few versions, so
    /// the schemas are made at the first use.
    calls: OnceLock<Calls>,
}

static LATER: LazyLock<Vec<Later>> = LazyLock::new(|| {
    let parts = TABLE.split(HEADING).skip(1);
    parts
        .map(|part| {
            let (name, table) = part.split_once('\n').unwrap_or((part, ""));
            Later { name, table, calls: OnceLock::new() }
        })
        .collect()
});

/// The calls that previews change, by the number of later versions that the preview has.
static IN_PREVIEW: LazyLock<Vec<OnceLock<Calls>>> =
    LazyLock::new(|| (0..=LATER.len()).map(|_| OnceLock::new()).collect());

/// Returns the parameters of a call in a version. Versions before [`BASE`] have the parameters of
/// [`BASE`]. Returns `None` if no table has the call.
///
/// ```
/// use wire::schema::{of_call, of_call_in};
/// use wire::version::Version;
/// let call = "POST /v1/prices/{id}";
/// assert_eq!(of_call_in(call, &Version::parse("2024-06-20").unwrap()), of_call(call));
/// assert_eq!(of_call_in("POST /v1/charges", &Version::newest()), None);
/// ```
pub fn of_call_in(call: &str, version: &Version) -> Option<&'static Schema> {
    let is_known = |later: &&Later| later.name == BASE || version.at_least(date(later.name));
    let known = LATER.iter().take_while(is_known).count();
    if version.is_preview()
        && let Some(schema) = calls_in_preview(known).get(call)
    {
        return Some(schema);
    }
    general(call, known)
}

/// Returns the parameters of a call in general versions that have this number of later versions.
fn general(call: &str, known: usize) -> Option<&'static Schema> {
    let changed = known.checked_sub(1).and_then(|place| calls_at(place).get(call));
    changed.or_else(|| super::of_call(call))
}

fn calls_in_preview(known: usize) -> &'static Calls {
    IN_PREVIEW[known].get_or_init(|| {
        let table = read_table(PREVIEWS).into_iter();
        let calls = table.filter_map(|(call, change)| {
            let mut schema = general(call, known)?.clone();
            change_members(&mut schema, change);
            Some((call, schema))
        });
        calls.collect()
    })
}

/// Returns the names of the later versions, oldest first.
pub fn names() -> impl Iterator<Item = &'static str> {
    LATER.iter().map(|later| later.name)
}

/// Returns the changes of each later version, oldest first: its name, and the members that each
/// call gained, changed or, with a minus before the name, lost.
pub fn changes() -> impl Iterator<Item = (&'static str, BTreeMap<&'static str, Schema>)> {
    LATER.iter().map(|later| (later.name, read_table(later.table)))
}

fn date(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Returns the changed calls of the version at a position.
fn calls_at(place: usize) -> &'static Calls {
    let later = &LATER[place];
    later.calls.get_or_init(|| {
        let before = place.checked_sub(1).map(calls_at);
        let mut calls = before.cloned().unwrap_or_default();
        for (call, change) in read_table(later.table) {
            // Calls without a table are read by hand.
            if let Some(older) = CALLS.get(call) {
                change_members(calls.entry(call).or_insert_with(|| older.clone()), change);
            }
        }
        calls
    })
}

/// Changes the members of a hash, or of the hashes of a list.
fn change_members(schema: &mut Schema, change: Schema) {
    match (schema, change) {
        (Schema::Hash(members), Schema::Hash(changes)) => {
            for change in changes {
                apply(members, change);
            }
        }
        (Schema::List(item), Schema::List(change)) => change_members(item, *change),
        // The releases of the SDK agree with the table about the kind of each member, except for
        // tables that were completed by hand.
        _ => {}
    }
}

fn apply(members: &mut Vec<Member>, change: Member) {
    let name = change.name.trim_start_matches([REMOVED, CHANGED]);
    let older = members.iter().position(|member| member.name == name);
    match (change.name.chars().next(), older) {
        (Some(REMOVED), _) => members.retain(|member| member.name != name),
        (Some(CHANGED), Some(place)) => {
            let older = &mut members[place];
            older.required = change.required;
            older.unsettable = change.unsettable;
            change_members(&mut older.schema, change.schema);
        }
        (Some(CHANGED), None) => {}
        (_, Some(place)) => members[place] = change,
        (_, None) => members.push(change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::of_call;

    fn at(call: &str, version: &str) -> &'static Schema {
        of_call_in(call, &Version::parse(version).unwrap()).unwrap()
    }

    fn find<'a>(schema: &'a Schema, path: &str) -> Option<&'a Member> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let members = match schema {
            Schema::Hash(members) => members,
            Schema::List(item) => return find(item, path),
            _ => return None,
        };
        let member = members.iter().find(|member| member.name == name)?;
        if rest.is_empty() { Some(member) } else { find(&member.schema, rest) }
    }

    /// Versions are listed oldest first, and their names exist.
    #[test]
    fn versions_are_in_order() {
        assert_eq!(names().next(), Some(BASE));
        assert!(names().is_sorted());
        for name in names() {
            assert!(Version::parse(name).is_ok(), "{name}");
        }
    }

    /// Every line of the table is read. The reader stops at a line that is indented too far, so a
    /// call after such a line would be missing.
    #[test]
    fn every_line_is_read() {
        let read: usize = changes().map(|(_, calls)| calls.len() + 1).sum();
        let begins = |line: &&str| !line.starts_with(' ');
        assert_eq!(read, TABLE.lines().filter(begins).count());
    }

    /// A parameter is known from its version on. Sources: stripe-python 15.2.1 to 16.1.0.
    #[test]
    fn parameters_are_known_since_their_version() {
        for (call, path, since, before) in [
            (
                "POST /v1/subscriptions",
                "invoice_settings.footer",
                "2026-06-24.dahlia",
                "2026-05-27.dahlia",
            ),
            (
                "POST /v1/payment_intents",
                "radar_options.referrer",
                "2026-07-29.dahlia",
                "2026-06-24.dahlia",
            ),
            ("POST /v1/products", "tax_details.tax_code", "2026-09-30.endive", "2026-08-26.dahlia"),
            (
                "POST /v1/checkout/sessions",
                "subscription_data.invoice_settings.footer",
                "2026-10-28.endive",
                "2026-09-30.endive",
            ),
        ] {
            assert!(find(at(call, since), path).is_some(), "{call} {path}");
            assert!(find(at(call, "2026-10-28.preview"), path).is_some(), "{call} {path}");
            assert!(find(at(call, before), path).is_none(), "{call} {path}");
        }
    }

    /// A member can change its type, lose its mark and be removed. The bounds of other members stay
    /// as the document has them.
    #[test]
    fn members_change() {
        let (call, path) = ("POST /v1/subscriptions/{id}", "billing_cycle_anchor");
        let anchor = |version| &find(at(call, version), path).unwrap().schema;
        assert_eq!(*anchor("2026-08-26.dahlia"), Schema::Word(vec!["now", "unchanged"]));
        assert!(matches!(anchor("2026-09-30.endive"), Schema::Hash(_)));
        let path = "trial_settings.end_behavior.missing_payment_method";
        let required = |version| find(at(call, version), path).unwrap().required;
        assert!(required("2026-08-26.dahlia") && !required("2026-09-30.endive"));
        let (call, newest) = ("POST /v1/payment_intents", "2026-10-28.endive");
        assert!(find(at(call, "2026-08-26.dahlia"), "payment_method_types").is_some());
        assert!(find(at(call, newest), "payment_method_types").is_none());
        assert_eq!(find(at(call, newest), "description").unwrap().schema, Schema::Text(1_000));
        assert_eq!(find(of_call(call).unwrap(), "radar_options.referrer"), None);
    }

    /// Previews of every date have their own parameters, and no general version has them.
    #[test]
    fn previews_have_more_parameters() {
        let bank = "payment_method_options.us_bank_account.financial_connections";
        for (call, paths) in [
            (
                "POST /v1/payment_intents/{id}/confirm",
                vec!["filters.institution", "manual_entry.mode"],
            ),
            ("POST /v1/setup_intents", vec!["filters.institution", "manual_entry.mode"]),
        ] {
            for path in paths.iter().map(|path| format!("{bank}.{path}")) {
                for (version, known) in [
                    ("2024-10-28.preview", true),
                    ("2026-11-18.preview", true),
                    ("2024-10-28.acacia", false),
                    ("2026-11-18.endive", false),
                ] {
                    assert_eq!(find(at(call, version), &path).is_some(), known, "{path} {version}");
                }
            }
        }
        for call in read_table(PREVIEWS).keys() {
            let changed = at(call, "2026-11-18.preview");
            assert_ne!(Some(changed), of_call_in(call, &Version::newest()), "{call}");
        }
    }

    /// The marks of changes are in no schema.
    #[test]
    fn changes_leave_no_marks() {
        fn check(schema: &Schema) {
            match schema {
                Schema::Hash(members) => {
                    for member in members {
                        assert!(!member.name.starts_with([REMOVED, CHANGED]), "{}", member.name);
                        check(&member.schema);
                    }
                }
                Schema::List(item) | Schema::Map(item) => check(item),
                Schema::Either(options) => options.iter().for_each(check),
                _ => {}
            }
        }
        for place in 0..LATER.len() {
            calls_at(place).values().for_each(check);
        }
        for known in 0..=LATER.len() {
            calls_in_preview(known).values().for_each(check);
        }
    }
}
