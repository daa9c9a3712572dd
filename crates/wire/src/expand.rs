//! Expansion: `expand[]=data.customer` requests an object in place of its id, or a field that exists
//! only when it is expanded.
//!
//! Stripe declares the expandable fields of each kind of object ([`declared`]), and other paths are
//! rejected. A path leads from the kind of the response through the kinds of the expanded objects. It
//! also expands every expandable field on its way.

mod declared;

pub use declared::{Declared, Kind, Mark, kind};

use crate::error::{Error, shown};
use crate::params::Params;
use crate::version::Version;
use declared::Members;
use model::limits::{EXPAND_DEPTH_MAX, EXPAND_PATHS_MAX};
use std::collections::BTreeMap;

/// The content of a response, which determines the paths that can be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// No object with expandable fields.
    Nothing,
    /// An object of this kind.
    Object(&'static str),
    /// An object of one of these kinds.
    Either(&'static [&'static str]),
    /// A list of objects of this kind.
    List(&'static str),
    /// An object of this kind, of which only this field can be expanded.
    Part(&'static str, &'static str),
}

/// The fields of an object or a hash that a caller expands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expand {
    /// The kinds of objects that may replace an id here.
    kinds: Vec<&'static str>,
    fields: BTreeMap<&'static str, Expand>,
}

/// A name of a path, and the kinds of objects that may replace an id there.
type Step = (&'static str, Vec<&'static str>);

impl Expand {
    /// Takes `expand`. Its paths must lead to fields that are expandable in the version.
    pub fn take(params: &mut Params, returns: Returns, version: &Version) -> Result<Self, Error> {
        let texts = params.texts("expand")?.unwrap_or_default();
        if texts.len() > EXPAND_PATHS_MAX {
            return Err(Error::invalid(format!(
                "A request may expand at most {EXPAND_PATHS_MAX} properties."
            ))
            .param("expand"));
        }
        let mut expand = Self::default();
        for path in &texts {
            expand.add(find_path(path, returns, version)?);
        }
        Ok(expand)
    }

    /// True if no field is expanded.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Returns the expansions inside a field that is on a path.
    pub fn inside(&self, name: &str) -> Option<&Self> {
        self.fields.get(name)
    }

    /// True if a path, such as `total_details.breakdown`, is expanded.
    pub fn wants(&self, path: &str) -> bool {
        path.split('.').try_fold(self, Self::inside).is_some()
    }

    /// Returns the kinds of objects that may replace an id here.
    pub fn kinds(&self) -> &[&'static str] {
        &self.kinds
    }

    fn add(&mut self, path: Vec<Step>) {
        let mut expand = self;
        for (name, kinds) in path {
            expand = expand.fields.entry(name).or_default();
            for kind in kinds {
                if !expand.kinds.contains(&kind) {
                    expand.kinds.push(kind);
                }
            }
        }
    }
}

fn find_path(path: &str, returns: Returns, version: &Version) -> Result<Vec<Step>, Error> {
    if path.split('.').count() > EXPAND_DEPTH_MAX {
        return Err(Error::invalid(format!(
            "The property '{}' cannot be expanded because its path has more than \
             {EXPAND_DEPTH_MAX} levels.",
            shown(path)
        ))
        .param("expand"));
    }
    let found = match returns {
        Returns::Object(kind) => find_fields(path, &[kind], version),
        Returns::Either(kinds) => find_fields(path, kinds, version),
        Returns::Part(kind, part) if path == part => find_fields(path, &[kind], version),
        Returns::Nothing | Returns::Part(..) => None,
        Returns::List(kind) => path.strip_prefix("data.").and_then(|path| {
            let mut steps = vec![("data", Vec::new())];
            steps.extend(find_fields(path, &[kind], version)?);
            Some(steps)
        }),
    };
    found.ok_or_else(|| {
        Error::invalid(format!("The property '{}' cannot be expanded.", shown(path)))
            .param("expand")
    })
}

/// Follows a path through objects of these kinds. Returns `None` if a name is not declared, or if the
/// last one is not expandable.
fn find_fields(path: &str, kinds: &[&str], version: &Version) -> Option<Vec<Step>> {
    let mut places: Vec<&'static Members> = members_of(kinds);
    let mut steps = Vec::with_capacity(EXPAND_DEPTH_MAX);
    let mut expandable = false;
    for name in path.split('.') {
        let mut step: Option<Step> = None;
        let mut next = Vec::new();
        expandable = false;
        for (name, member) in places.iter().filter_map(|members| members.find(name)) {
            let known: Vec<&Declared> =
                member.declared.iter().filter(|declared| declared.is_in(version)).collect();
            if known.is_empty() && !member.declared.is_empty() {
                continue;
            }
            let (_, replaced_by) = step.get_or_insert_with(|| (name, Vec::new()));
            for declared in known {
                expandable |= declared.is_expandable();
                next.extend(members_of(&declared.kinds));
                if declared.mark == Mark::Id {
                    replaced_by.extend(&declared.kinds);
                }
            }
            next.push(&member.inside);
        }
        steps.push(step?);
        places = next;
    }
    expandable.then_some(steps)
}

fn members_of(kinds: &[&str]) -> Vec<&'static Members> {
    kinds.iter().filter_map(|name| kind(name)).map(|kind| &kind.members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::listed;
    use proptest::prelude::*;

    const LIST: Returns = Returns::List("invoice");

    fn expand(form: &str, returns: Returns) -> Result<Expand, Error> {
        Expand::take(&mut Params::parse(form, "").unwrap(), returns, &Version::default())
    }

    /// Both spellings are accepted, and a path expands the fields on its way.
    #[test]
    fn takes_paths() {
        let none = expand("", LIST).unwrap();
        assert!(none.is_empty() && !none.wants("data"));
        for form in [
            "expand[]=data.discounts&expand[]=data.customer.test_clock",
            "expand[1]=data.customer.test_clock&expand[0]=data.discounts",
        ] {
            let expand = expand(form, LIST).unwrap();
            assert!(expand.wants("data.discounts") && expand.wants("data.customer"));
            let customer = expand.inside("data").and_then(|item| item.inside("customer")).unwrap();
            assert_eq!(customer.kinds(), ["customer"]);
            assert!(customer.wants("test_clock") && !customer.wants("sources"));
            assert!(!expand.wants("data.payments") && !expand.wants("customer"));
        }
    }

    /// Paths lead through lists, hashes, complete objects, included fields and unions of kinds.
    #[test]
    fn follows_objects_of_every_form() {
        for (path, returns) in [
            ("lines.data.discounts", Returns::Object("invoice")),
            ("parent.subscription_details.subscription", Returns::Object("invoice")),
            ("payments.data.payment.payment_intent", Returns::Object("invoice")),
            ("last_payment_error.payment_method.customer", Returns::Object("payment_intent")),
            ("items.data.price.product", Returns::Object("subscription")),
            ("data.items.data.price.product", Returns::List("subscription")),
            ("total_details.breakdown", Returns::Object("checkout.session")),
            ("latest_charge.balance_transaction", Returns::Object("payment_intent")),
            ("mandate", Returns::Either(&["payment_intent", "setup_intent"])),
            ("latest_charge", Returns::Either(&["payment_intent", "setup_intent"])),
            ("payment_method", Returns::Part("setup_intent", "payment_method")),
        ] {
            let found = find_path(path, returns, &Version::default());
            let accepted = found.is_ok();
            let levels = path.split('.').count();
            assert_eq!(accepted, levels <= EXPAND_DEPTH_MAX, "{path}");
        }
        for (path, returns) in [
            ("payment_method.customer", Returns::Part("setup_intent", "payment_method")),
            ("customer", Returns::Part("setup_intent", "payment_method")),
            ("customer", Returns::Nothing),
            ("customer", Returns::Object("no_kind")),
        ] {
            assert!(find_path(path, returns, &Version::default()).is_err(), "{path}");
        }
    }

    /// A field that a version lacks is rejected in it, and paths through it too.
    #[test]
    fn fields_belong_to_versions() {
        let table = "a\n old id b until 2025-03-31\n new.part id b since 2025-03-31\nb\n";
        let kinds = declared::read(table);
        let in_version = |path: &str, version: &str| {
            let version = Version::parse(version).unwrap();
            let field = kinds["a"].fields.iter().find(|field| field.path == path).unwrap();
            field.is_in(&version)
        };
        assert!(in_version("old", "2024-06-20") && !in_version("new.part", "2024-06-20"));
        assert!(
            !in_version("old", "2025-03-31.basil") && in_version("new.part", "2026-08-26.dahlia")
        );
    }

    /// A path that is not expandable, is unknown or is too deep is rejected.
    #[test]
    fn rejects_other_paths() {
        let many = "expand[]=data.customer&".repeat(51);
        let errors: Vec<Error> = [
            "expand[]=data",
            "expand[]=data.lines",
            "expand[]=customer",
            "expand[]=data.status_transitions",
            "expand[]=data.customer.owners.data.x",
            "expand[]=data..",
            "expand=data.customer",
            "expand[]=",
            &many,
        ]
        .into_iter()
        .map(|form| expand(form, LIST).unwrap_err())
        .collect();
        insta::assert_snapshot!(listed(&errors), @"
        400 - expand
            The property 'data' cannot be expanded.
        400 - expand
            The property 'data.lines' cannot be expanded.
        400 - expand
            The property 'customer' cannot be expanded.
        400 - expand
            The property 'data.status_transitions' cannot be expanded.
        400 - expand
            The property 'data.customer.owners.data.x' cannot be expanded because its path
            has more than 4 levels.
        400 - expand
            The property 'data..' cannot be expanded.
        400 - expand
            Invalid array: data.customer
        400 parameter_invalid_empty expand[0]
            expand[0] is an empty string. Send a value, or leave it out.
        400 - expand
            A request may expand at most 50 properties.
        ");
    }

    proptest! {
        /// No path makes the reader panic.
        #[test]
        fn any_path_is_read_safely(path in "[a-z.]{0,30}", tail: String) {
            let version = Version::default();
            let _ = find_path(&path, LIST, &version);
            let _ = find_path(&format!("data.{tail}"), LIST, &version);
        }
    }
}
