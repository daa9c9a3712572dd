//! Lists with gaps in their indexes, as in `prefetch[7]=x`. They are read as lists without gaps,
//! and code knows an item by its position. Error messages name the index that the client sent.

use super::form::{Branch, Node, index_of};
use std::collections::BTreeMap;

/// The sent indexes, by the path of the list, if they differ from the positions. Paths name the
/// outer lists by positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps(BTreeMap<String, Vec<u64>>);

impl Gaps {
    pub(super) fn of(tree: &Branch) -> Self {
        let mut gaps = Self::default();
        for (name, node) in &tree.named {
            // Its keys are the merchant's own and may be numbers.
            if name != "metadata" {
                gaps.look_at(name, node);
            }
        }
        gaps
    }

    fn look_at(&mut self, path: &str, node: &Node) {
        let Node::Branch(branch) = node else { return };
        let indexes: Option<Vec<u64>> = branch.named.keys().map(|name| index_of(name)).collect();
        match indexes {
            Some(mut indexes) if !indexes.is_empty() => {
                indexes.sort_unstable();
                let members = branch.named.iter();
                for (name, node) in members {
                    let place = index_of(name).and_then(|index| indexes.binary_search(&index).ok());
                    if let Some(place) = place {
                        self.look_at(&format!("{path}[{place}]"), node);
                    }
                }
                // Appended items get the next indexes.
                let next = indexes.last().map_or(0, |last| last.saturating_add(1));
                let appended = (0_u64..).zip(&branch.appended);
                indexes.extend(appended.map(|(place, _)| next.saturating_add(place)));
                if (0_u64..).zip(&indexes).any(|(place, index)| place != *index) {
                    self.0.insert(path.to_owned(), indexes);
                }
            }
            _ => {
                for (name, node) in branch.named.iter().filter(|(name, _)| *name != "metadata") {
                    self.look_at(&format!("{path}[{name}]"), node);
                }
            }
        }
    }

    /// True if no list has gaps.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path of a parameter as it was sent.
    pub fn as_sent(&self, path: &str) -> String {
        let mut end = 0;
        let part_as_sent = |part: &str| {
            let list = self.0.get(path.get(..end).unwrap_or_default());
            end += part.len() + usize::from(end > 0);
            let place = part.trim_end_matches(']').parse::<usize>().ok();
            let index = list.zip(place).and_then(|(indexes, place)| indexes.get(place));
            index.map_or_else(|| part.to_owned(), |index| format!("{index}]"))
        };
        path.split('[').map(part_as_sent).collect::<Vec<_>>().join("[")
    }
}
