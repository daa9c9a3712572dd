//! Reads the bytes of a form or query string into a tree.
//!
//! Percent signs and `+` are decoded first, in keys and values, and then keys are split at their
//! brackets. The order matters because some clients escape brackets and some do not. `a[b]`, `a[]`
//! and `a[0]` may be mixed in any order, and indexes may have gaps. If a scalar is repeated, the
//! last value counts.

use crate::error::{Error, shown};
use model::limits::{PARAMETER_DEPTH_MAX, PARAMETERS_MAX};
use std::collections::BTreeMap;

/// A value of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// `a=text`.
    Text(String),
    /// A number, a boolean or a null of a JSON body, as it was sent.
    Json(String),
    /// All parameters with brackets after one name.
    Branch(Branch),
}

/// The content of the brackets after one name: a hash, a list, or a mix that is valid as neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Branch {
    /// `a[b]` and `a[0]`.
    pub(super) named: BTreeMap<String, Node>,
    /// `a[]`, in the order of the request.
    pub(super) appended: Vec<Node>,
}

impl Node {
    /// Returns the path of the first value inside hashes at `path`. A list counts as one value.
    pub(super) fn first_path(&self, path: String) -> String {
        let Self::Branch(branch) = self else { return path };
        match branch.named.first_key_value() {
            Some((name, node)) if index_of(name).is_none() => {
                node.first_path(format!("{path}[{name}]"))
            }
            _ => path,
        }
    }
}

/// Returns the index in the text of a bracket.
pub(super) fn index_of(name: &str) -> Option<u64> {
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| name.parse().ok()).flatten()
}

impl Branch {
    /// Returns the items of a list, or `None` if a name is not an index. Indexed items come first,
    /// in the order of their indexes, then appended items.
    pub(super) fn into_items(self) -> Option<Vec<Node>> {
        let mut items = self
            .named
            .into_iter()
            .map(|(name, node)| index_of(&name).map(|index| (index, node)))
            .collect::<Option<Vec<_>>>()?;
        items.sort_by_key(|(index, _)| *index);
        let indexed = items.into_iter().map(|(_, node)| node);
        Some(indexed.chain(self.appended).collect())
    }

    /// Writes canonical bytes, which are equal for equal parameters in any order and spelling.
    pub(super) fn write_canonical(&self, bytes: &mut Vec<u8>) {
        let last = self.named.keys().filter_map(|name| index_of(name)).max();
        let next = last.map_or(0, |index| index.saturating_add(1));
        bytes.push(b'{');
        for (name, node) in &self.named {
            write_member(bytes, name, node);
        }
        for (node, place) in self.appended.iter().zip(0..) {
            write_member(bytes, &next.saturating_add(place).to_string(), node);
        }
        bytes.push(b'}');
    }

    fn insert(&mut self, path: &[&str], key: &str, value: String) -> Result<(), Error> {
        let [segment, rest @ ..] = path else { return Err(malformed(key)) };
        if segment.is_empty() {
            return self.append(rest, key, value);
        }
        match (self.named.get_mut(*segment), rest) {
            (None, []) => {
                self.named.insert((*segment).to_owned(), Node::Text(value));
                Ok(())
            }
            (None, _) => {
                let mut branch = Self::default();
                branch.insert(rest, key, value)?;
                self.named.insert((*segment).to_owned(), Node::Branch(branch));
                Ok(())
            }
            (Some(node @ (Node::Text(_) | Node::Json(_))), []) => {
                *node = Node::Text(value);
                Ok(())
            }
            (Some(Node::Branch(branch)), [_, ..]) => branch.insert(rest, key, value),
            (Some(_), _) => Err(two_shapes(key)),
        }
    }

    /// Appends an item. `a[]=x` is a new item, and `a[][b]=x` belongs to the last item until that
    /// has a `b`.
    fn append(&mut self, rest: &[&str], key: &str, value: String) -> Result<(), Error> {
        if rest.is_empty() {
            self.appended.push(Node::Text(value));
            return Ok(());
        }
        if let Some(Node::Branch(last)) = self.appended.last_mut()
            && !last.holds(rest)
        {
            return last.insert(rest, key, value);
        }
        let mut branch = Self::default();
        branch.insert(rest, key, value)?;
        self.appended.push(Node::Branch(branch));
        Ok(())
    }

    fn holds(&self, path: &[&str]) -> bool {
        match path {
            [] | ["", ..] => false,
            [segment, rest @ ..] => match self.named.get(*segment) {
                None => false,
                Some(Node::Branch(branch)) if !rest.is_empty() => branch.holds(rest),
                Some(_) => true,
            },
        }
    }
}

/// Reads pairs into the tree. The pairs of a second call count as sent later.
pub(super) fn read_pairs(tree: &mut Branch, count: &mut usize, form: &str) -> Result<(), Error> {
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        *count += 1;
        if *count > PARAMETERS_MAX {
            return Err(Error::invalid(format!(
                "A request may have at most {PARAMETERS_MAX} parameters."
            )));
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key)?;
        let value = decode(value)?;
        let path = split_key(&key)?;
        tree.insert(&path, &key, value)?;
    }
    Ok(())
}

fn write_member(bytes: &mut Vec<u8>, name: &str, node: &Node) {
    write_text(bytes, name);
    match node {
        Node::Text(text) => write_text(bytes, text),
        Node::Json(literal) => {
            // Differs from a text of the same letters.
            bytes.push(b'=');
            write_text(bytes, literal);
        }
        Node::Branch(branch) => branch.write_canonical(bytes),
    }
}

/// Writes a text after its length, so that two different trees never give the same bytes.
fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(text.len().to_string().as_bytes());
    bytes.push(b':');
    bytes.extend_from_slice(text.as_bytes());
}

fn decode(text: &str) -> Result<String, Error> {
    if text.bytes().all(|byte| !matches!(byte, b'+' | b'%' | 0)) {
        return Ok(text.to_owned());
    }
    // The decoder would leave a percent sign without two digits unchanged.
    let mut escapes = text.split('%').skip(1).map(|rest| rest.as_bytes().get(..2));
    if !escapes.all(|digits| digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
    {
        return Err(Error::invalid(format!(
            "Invalid percent-encoding in the parameters: {}",
            shown(text)
        )));
    }
    let spaced = text.replace('+', " ");
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(&spaced).collect();
    // Some databases cannot store a text with a zero byte.
    match String::from_utf8(bytes) {
        Ok(decoded) if !decoded.contains('\0') => Ok(decoded),
        Ok(_) => Err(Error::invalid("A parameter contains a zero byte. Leave the byte out.")),
        Err(_) => Err(Error::invalid("A parameter is not valid UTF-8.")),
    }
}

/// Splits `a[b][]` into `a`, `b`, and an empty segment.
fn split_key(key: &str) -> Result<Vec<&str>, Error> {
    let (name, mut rest) = key.find('[').map_or((key, ""), |at| key.split_at(at));
    if name.is_empty() || name.contains(']') {
        return Err(malformed(key));
    }
    let mut path = vec![name];
    while !rest.is_empty() {
        if path.len() > PARAMETER_DEPTH_MAX {
            return Err(Error::invalid(format!(
                "A parameter may have at most {PARAMETER_DEPTH_MAX} brackets: {}",
                shown(key)
            )));
        }
        let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match inside {
            Some((segment, after)) if !segment.contains('[') => {
                path.push(segment);
                rest = after;
            }
            _ => return Err(malformed(key)),
        }
    }
    Ok(path)
}

fn malformed(key: &str) -> Error {
    Error::invalid(format!("Invalid parameter name: {}", shown(key)))
}

fn two_shapes(key: &str) -> Error {
    Error::invalid(format!(
        "The parameter {} was sent both with and without brackets. Send one form.",
        shown(key)
    ))
    .param(shown(key))
}
