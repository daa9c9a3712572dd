//! Expansion: `expand[]=data.account_holder.customer` requests an object in place of its id.
//!
//! A static tree per object lists the expandable fields ([`Field`], beside each renderer). Any
//! other path is rejected. A path also expands every expandable field on its way.

use crate::error::{Error, shown};
use crate::params::Params;
use model::limits::{EXPAND_DEPTH_MAX, EXPAND_PATHS_MAX};

/// A field that can be expanded, or that contains such fields.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the object.
    pub name: &'static str,
    /// True if it is an id that can be replaced by its object.
    pub expandable: bool,
    /// The expandable fields inside it.
    pub inside: &'static [Field],
}

/// The fields that a caller expands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expand {
    paths: Vec<Vec<&'static str>>,
}

impl Expand {
    /// Takes `expand`. Its paths must lead to expandable fields of the tree.
    pub fn take(params: &mut Params, schema: &'static [Field]) -> Result<Self, Error> {
        let texts = params.texts("expand")?.unwrap_or_default();
        if texts.len() > EXPAND_PATHS_MAX {
            return Err(Error::invalid(format!(
                "A request may expand at most {EXPAND_PATHS_MAX} properties."
            ))
            .param("expand"));
        }
        let paths = texts.iter().map(|path| find_path(path, schema)).collect::<Result<_, _>>()?;
        Ok(Self { paths })
    }

    /// True if a path, such as `account_holder.customer`, is expanded.
    pub fn wants(&self, path: &str) -> bool {
        self.paths.iter().any(|wanted| {
            let mut names = wanted.iter();
            path.split('.').all(|name| names.next() == Some(&name))
        })
    }

    /// Returns the expansions inside a field, which is `data` of a list or an expanded object.
    #[must_use]
    pub fn inside(&self, name: &str) -> Self {
        let rest = |path: &Vec<&'static str>| match path.split_first() {
            Some((first, rest)) if *first == name && !rest.is_empty() => Some(rest.to_vec()),
            _ => None,
        };
        Self { paths: self.paths.iter().filter_map(rest).collect() }
    }

    /// True if no field is expanded.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

fn find_path(path: &str, schema: &'static [Field]) -> Result<Vec<&'static str>, Error> {
    if path.split('.').count() > EXPAND_DEPTH_MAX {
        return Err(Error::invalid(format!(
            "The property '{}' cannot be expanded because its path has more than \
             {EXPAND_DEPTH_MAX} levels.",
            shown(path)
        ))
        .param("expand"));
    }
    let mut fields = schema;
    let mut names = Vec::with_capacity(EXPAND_DEPTH_MAX);
    let mut expandable = false;
    for name in path.split('.') {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(not_expandable(path));
        };
        names.push(field.name);
        expandable = field.expandable;
        fields = field.inside;
    }
    if expandable { Ok(names) } else { Err(not_expandable(path)) }
}

fn not_expandable(path: &str) -> Error {
    Error::invalid(format!("The property '{}' cannot be expanded.", shown(path))).param("expand")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::listed;
    use proptest::prelude::*;

    static CLOCK: [Field; 1] = [Field { name: "clock", expandable: true, inside: &[] }];
    static HOLDER: [Field; 1] = [Field { name: "customer", expandable: true, inside: &CLOCK }];
    static ACCOUNT: [Field; 2] = [
        Field { name: "holder", expandable: false, inside: &HOLDER },
        Field { name: "ownership", expandable: true, inside: &[] },
    ];
    static LIST: [Field; 1] = [Field { name: "data", expandable: false, inside: &ACCOUNT }];

    fn expand(form: &str) -> Result<Expand, Error> {
        Expand::take(&mut Params::parse(form, "").unwrap(), &LIST)
    }

    /// Both spellings are accepted, and a path expands the fields on its way.
    #[test]
    fn takes_paths() {
        let none = expand("").unwrap();
        assert!(none.is_empty() && !none.wants("data"));
        for form in [
            "expand[]=data.ownership&expand[]=data.holder.customer.clock",
            "expand[1]=data.holder.customer.clock&expand[0]=data.ownership",
        ] {
            let expand = expand(form).unwrap();
            assert!(expand.wants("data.ownership") && expand.wants("data.holder.customer"));
            let item = expand.inside("data");
            assert!(item.wants("ownership") && item.wants("holder.customer.clock"));
            assert!(!item.wants("holder.account") && !item.wants("customer"));
            assert!(item.inside("holder").inside("customer").wants("clock"));
            assert!(item.inside("ownership").is_empty());
        }
    }

    /// A path that cannot be expanded, is unknown or is too deep is rejected.
    #[test]
    fn rejects_other_paths() {
        let many = "expand[]=data.ownership&".repeat(51);
        let errors: Vec<Error> = [
            "expand[]=data",
            "expand[]=data.holder",
            "expand[]=ownership",
            "expand[]=data.balance",
            "expand[]=data.ownership.owners.data.x",
            "expand[]=data..",
            "expand=data.ownership",
            "expand[]=",
            &many,
        ]
        .into_iter()
        .map(|form| expand(form).unwrap_err())
        .collect();
        insta::assert_snapshot!(listed(&errors), @"
        400 - expand
            The property 'data' cannot be expanded.
        400 - expand
            The property 'data.holder' cannot be expanded.
        400 - expand
            The property 'ownership' cannot be expanded.
        400 - expand
            The property 'data.balance' cannot be expanded.
        400 - expand
            The property 'data.ownership.owners.data.x' cannot be expanded because its path
            has more than 4 levels.
        400 - expand
            The property 'data..' cannot be expanded.
        400 - expand
            Invalid array: data.ownership
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
            let _ = find_path(&path, &LIST);
            let _ = find_path(&format!("data.{tail}"), &LIST);
        }
    }
}
