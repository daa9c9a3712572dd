//! Reads a JSON body, as the calls under `/v2` have it, into the tree of a form.

use super::form::{Branch, Node};
use crate::error::{Error, shown};
use model::limits::{PARAMETER_DEPTH_MAX, PARAMETERS_MAX};
use serde_json::{Map, Value};

/// The hash in which null deletes a key.
const METADATA: &str = "metadata";

/// Reads a body into the tree. Its members count as sent later than those of the tree.
pub(super) fn read(tree: &mut Branch, count: &mut usize, body: &str) -> Result<(), Error> {
    if body.trim().is_empty() {
        return Ok(());
    }
    let value: Value = serde_json::from_str(body).map_err(|error| {
        Error::invalid(format!(
            "The request body is not valid JSON: {}.",
            shown(&error.to_string())
        ))
    })?;
    let Value::Object(members) = value else {
        return Err(Error::invalid("The request body must be a JSON object."));
    };
    for (name, value) in members {
        if let Some(node) = node_of(&name, value, (0, name == METADATA), count)? {
            tree.named.insert(name, node);
        }
    }
    Ok(())
}

/// The node of a member. `None` for a null that counts as left out.
fn node_of(
    name: &str,
    value: Value,
    (depth, in_metadata): (usize, bool),
    count: &mut usize,
) -> Result<Option<Node>, Error> {
    if name.contains('\0') {
        return Err(Error::invalid("A name contains a zero byte. Leave the byte out."));
    }
    *count += 1;
    if *count > PARAMETERS_MAX {
        return Err(Error::invalid(format!(
            "A request may have at most {PARAMETERS_MAX} parameters."
        )));
    }
    if depth > PARAMETER_DEPTH_MAX {
        return Err(Error::invalid(format!(
            "A JSON body may have at most {PARAMETER_DEPTH_MAX} levels below a member."
        )));
    }
    let inner = (depth + 1, in_metadata);
    Ok(Some(match value {
        Value::Null if in_metadata && depth > 0 => Node::Text(String::new()),
        Value::Null => return Ok(None),
        Value::String(text) if text.contains('\0') => {
            return Err(Error::invalid("A parameter contains a zero byte. Leave the byte out."));
        }
        Value::String(text) => Node::Text(text),
        Value::Bool(_) | Value::Number(_) => Node::Json(value.to_string()),
        Value::Object(members) => Node::Branch(hash_of(members, inner, count)?),
        Value::Array(items) => {
            let mut appended = Vec::with_capacity(items.len());
            for item in items {
                let node = node_of("", item, inner, count)?;
                appended.push(node.unwrap_or_else(|| Node::Json("null".to_owned())));
            }
            Node::Branch(Branch { appended, ..Branch::default() })
        }
    }))
}

fn hash_of(
    members: Map<String, Value>,
    inner: (usize, bool),
    count: &mut usize,
) -> Result<Branch, Error> {
    let mut branch = Branch::default();
    for (name, value) in members {
        if let Some(node) = node_of(&name, value, inner, count)? {
            branch.named.insert(name, node);
        }
    }
    Ok(branch)
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::error::tests::listed;
    use crate::params::{MetadataChange, Params};
    use model::limits::PARAMETERS_MAX;

    fn params(body: &str) -> Params {
        Params::parse_json("", body).unwrap()
    }

    /// Texts, lists, hashes and metadata are read as from a form. A null is left out, and in metadata
    /// it deletes its key.
    #[test]
    fn reads_a_body() {
        let body = r#"{"a":"1","b":["x","y"],"c":{"d":"e","f":null},"g":null,
            "metadata":{"h":"i","j":null}}"#;
        let mut params = params(body);
        assert_eq!(params.text("a").unwrap().as_deref(), Some("1"));
        assert_eq!(params.texts("b").unwrap().unwrap(), ["x", "y"]);
        let mut hash = params.hash("c").unwrap().unwrap();
        assert_eq!(hash.text("d").unwrap().as_deref(), Some("e"));
        hash.finish().unwrap();
        let keys = [("h".to_owned(), Some("i".to_owned())), ("j".to_owned(), None)].into();
        let change = MetadataChange { clear: false, keys };
        assert_eq!(params.metadata().unwrap(), Some(change));
        params.finish().unwrap();
        Params::parse_json("", "").unwrap().finish().unwrap();
    }

    /// A member of another type is rejected with its path, and so is an unknown one at any depth.
    #[test]
    fn rejects_other_types() {
        let mut errors: Vec<Error> = Vec::new();
        for body in [r#"{"a":1}"#, r#"{"a":true}"#, r#"{"a":["b"]}"#, r#"{"a":{"b":"c"}}"#] {
            errors.push(params(body).text("a").unwrap_err());
        }
        for body in [r#"{"a":1}"#, r#"{"a":{"b":"c"}}"#, r#"{"a":["b",null]}"#, r#"{"a":[2]}"#] {
            errors.push(params(body).texts("a").unwrap_err());
        }
        let mut whole = params(r#"{"a":{"b":"c","d":[]}}"#);
        let mut hash = whole.hash("a").unwrap().unwrap();
        hash.text("b").unwrap();
        errors.push(hash.finish().unwrap_err());
        for body in ["[]", "3", "{", r#"{"a":"\u0000"}"#] {
            errors.push(Params::parse_json("", body).unwrap_err());
        }
        let many: Vec<String> = (0..=PARAMETERS_MAX).map(|at| at.to_string()).collect();
        let body = format!(r#"{{"a":[{}]}}"#, many.join(","));
        errors.push(Params::parse_json("", &body).unwrap_err());
        insta::assert_snapshot!(listed(&errors), @"
        400 - a
            Invalid string: 1
        400 - a
            Invalid string: true
        400 - a
            Invalid string: a must be a string, not a hash or a list
        400 - a
            Invalid string: a must be a string, not a hash or a list
        400 - a
            Invalid array: 1
        400 - a
            Invalid array: a must be a list, not a hash
        400 - a[1]
            Invalid string: null
        400 - a[0]
            Invalid string: 2
        400 parameter_unknown a[d]
            Received unknown parameter: a[d]
        400 - -
            The request body must be a JSON object.
        400 - -
            The request body must be a JSON object.
        400 - -
            The request body is not valid JSON: EOF while parsing an object at line 1 column
            1.
        400 - -
            A parameter contains a zero byte. Leave the byte out.
        400 - -
            A request may have at most 1000 parameters.
        ");
    }

    /// The fingerprint tells a number from a text of the same digits.
    #[test]
    fn fingerprints_differ_by_type() {
        assert_ne!(params(r#"{"a":1}"#).fingerprint(), params(r#"{"a":"1"}"#).fingerprint());
        let orders = [r#"{"a":"1","b":["c"]}"#, r#"{"b":["c"],"a":"1"}"#];
        let [one, other] = orders.map(|body| params(body).fingerprint());
        assert_eq!(one, other);
    }
}
