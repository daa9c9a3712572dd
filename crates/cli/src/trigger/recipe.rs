//! The recipes of `bankfeed trigger`: the calls that lead to each event. `recipes.txt` describes
//! their syntax.

use crate::account::{path_of, segment};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;

const RECIPES: &str = include_str!("recipes.txt");

/// All recipes.
pub(super) struct Book {
    recipes: Vec<Recipe>,
}

/// The recipe of one event, or a part that several recipes share.
pub(super) struct Recipe {
    name: &'static str,
    is_event: bool,
    lines: Vec<Line>,
}

/// A line of a recipe.
pub(super) struct Line {
    text: &'static str,
    pub(super) step: Step,
}

/// The effect of a line.
pub(super) enum Step {
    /// Another recipe, which runs first.
    Use(&'static str),
    /// The following calls are made in a connected account.
    Inside(String),
    /// A call.
    Call {
        /// The name under which its response is stored.
        keep: Option<&'static str>,
        method: &'static str,
        path: &'static str,
        form: Vec<(String, String)>,
    },
}

impl Book {
    /// Reads the recipes. An invalid line would be skipped, and a test checks that all lines are
    /// valid.
    pub(super) fn read() -> Self {
        let mut recipes: Vec<Recipe> = Vec::new();
        for line in RECIPES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.split_once(' ') {
                Some(("", rest)) => {
                    let line = Line::read(rest.trim());
                    if let (Some(recipe), Some(line)) = (recipes.last_mut(), line) {
                        recipe.lines.push(line);
                    }
                }
                Some((kind, name)) => {
                    recipes.push(Recipe { name, is_event: kind == "event", lines: Vec::new() });
                }
                None => {}
            }
        }
        Self { recipes }
    }

    /// Every event that can be triggered, in the order of the recipes.
    pub(super) fn events(&self) -> impl Iterator<Item = &'static str> {
        self.recipes.iter().filter(|recipe| recipe.is_event).map(|recipe| recipe.name)
    }

    /// The recipe of an event.
    pub(super) fn event(&self, name: &str) -> Option<&Recipe> {
        self.recipes.iter().find(|recipe| recipe.is_event && recipe.name == name)
    }

    /// The calls of a recipe, those of its parts first. A finished part is skipped.
    pub(super) fn gather<'a>(
        &'a self,
        recipe: &'a Recipe,
        done: &mut BTreeSet<&'a str>,
        lines: &mut Vec<&'a Line>,
    ) {
        for line in &recipe.lines {
            match &line.step {
                Step::Use(name) => {
                    let part =
                        self.recipes.iter().find(|part| !part.is_event && part.name == *name);
                    if let Some(part) = part.filter(|part| done.insert(part.name)) {
                        self.gather(part, done, lines);
                    }
                }
                Step::Inside(_) | Step::Call { .. } => lines.push(line),
            }
        }
    }
}

/// An object that existed before the first call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    kind: &'static str,
    id: &'a str,
}

impl Subject<'_> {
    /// The path of the object.
    pub(super) fn path(&self) -> String {
        match self.kind {
            "customer" => format!("/v1/customers/{}", segment(self.id)),
            _ => path_of(self.id),
        }
    }
}

impl Line {
    fn read(text: &'static str) -> Option<Self> {
        let words: Vec<&'static str> = text.split(' ').collect();
        let call = |keep, method, path, form: &str| Step::Call {
            keep,
            method,
            path,
            form: form_urlencoded::parse(form.as_bytes()).into_owned().collect(),
        };
        let step = match *words.as_slice() {
            ["use", name] => Step::Use(name),
            ["inside", name] => Step::Inside(name.to_owned()),
            [keep, "=", method, path] => call(Some(keep), method, path, ""),
            [keep, "=", method, path, form] => call(Some(keep), method, path, form),
            [method, path] => call(None, method, path, ""),
            [method, path, form] => call(None, method, path, form),
            _ => return None,
        };
        Some(Self { text, step })
    }

    /// The named object that this call is about.
    pub(super) fn subject<'a>(&self, named: &[(&'static str, &'a str)]) -> Option<Subject<'a>> {
        let Step::Call { path, .. } = &self.step else { return None };
        let called = named.iter().find(|(name, _)| path.contains(&format!("{{{name}}}")));
        called.map(|(kind, id)| Subject { kind, id })
    }

    /// True if the line contains a placeholder.
    pub(super) fn mentions(&self, place: &str) -> bool {
        self.text.contains(place)
    }
}

/// Replaces `{NAME}` and `{NAME/POINTER}` in a text with stored values.
pub(super) fn fill(text: &str, objects: &BTreeMap<&str, Value>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((place, after)) = after.split_once('}') else { break };
        let (name, pointer) = place.split_at(place.find('/').unwrap_or(place.len()));
        let pointer = if pointer.is_empty() { "/id" } else { pointer };
        let value = objects.get(name).and_then(|object| object.pointer(pointer));
        filled.push_str(before);
        filled.push_str(value.and_then(Value::as_str).unwrap_or_default());
        rest = after;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Word;
    use model::event::EventType;

    /// Every type of event has a recipe, except those that no call here leads to.
    #[test]
    fn every_event_has_a_recipe() {
        let book = Book::read();
        let known: BTreeSet<&str> = book.events().collect();
        assert_eq!(known.len(), book.events().count());
        let missing: Vec<&str> = EventType::ALL
            .iter()
            .map(|event| event.word())
            .filter(|word| !known.contains(word))
            .collect();
        assert_eq!(
            missing,
            [
                // Only calls of preview versions lead to these two.
                "financial_connections.account.refreshed_inferred_balances",
                "financial_connections.session.updated",
                // An advance fails only where the server does.
                "test_helpers.test_clock.internal_failure",
                // A ping goes to one destination, and a call of the API sends it.
                "v2.core.event_destination.ping",
            ]
        );
        let words: BTreeSet<&str> = EventType::ALL.iter().map(|event| event.word()).collect();
        assert!(known.is_subset(&words));
    }

    /// Every line is valid, every part exists, and each placeholder has a stored value.
    #[test]
    fn every_line_holds() {
        let book = Book::read();
        let expected = RECIPES.lines().filter(|line| line.starts_with(' ')).count();
        assert_eq!(book.recipes.iter().map(|recipe| recipe.lines.len()).sum::<usize>(), expected);
        for recipe in &book.recipes {
            for line in &recipe.lines {
                if let Step::Use(name) = line.step {
                    assert!(
                        book.recipes.iter().any(|part| !part.is_event && part.name == name),
                        "{name}"
                    );
                }
            }
            let mut lines = Vec::new();
            book.gather(recipe, &mut BTreeSet::new(), &mut lines);
            let mut objects: BTreeSet<&str> = BTreeSet::new();
            for line in lines {
                let places =
                    line.text.split('{').skip(1).map(|rest| rest.split(['}', '/']).next().unwrap());
                for place in places {
                    assert!(objects.contains(place), "{}: {place}", recipe.name);
                }
                if let Step::Call { keep: Some(keep), .. } = line.step {
                    objects.insert(keep);
                }
            }
        }
    }

    /// Placeholders are filled with ids, or with the value at a pointer.
    #[test]
    fn fills_places() {
        let objects = BTreeMap::from([("a", serde_json::json!({"id": "x_1", "b": [{"c": "y"}]}))]);
        assert_eq!(fill("/v1/{a}/z?{a/b/0/c}", &objects), "/v1/x_1/z?y");
        assert_eq!(fill("{unknown}", &objects), "");
    }
}
