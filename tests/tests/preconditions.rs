//! `docs/preconditions.md`: the facts that each use case requires at its commit.
//!
//! A recorder at the gate sees every command while the calls of the pairs and the workers run. The
//! page is made of its notes and compared with the file, so a use case that loses a precondition
//! fails this test. `BANKFEED_WRITE_DOCS=1 cargo test -p bankfeed-tests --test preconditions` writes the
//! file.
//!
//! It is the only test of its program, because a subscriber of one thread misses spans while other
//! threads register them without one.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on stops")]

use bankfeed_tests::pairs::fixture::Fixture;
use bankfeed_tests::pairs::kinds::{CallKind, KINDS};
use model::Word;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use store::{Precondition, Summary, WriteGate};
use testkit::{App, BEGIN_S, Backend, Behind, DAY_S, Options};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const HEAD: &str = "\
# Preconditions

This page lists the facts that each use case requires when its command commits. If one is no longer
true, the command writes no rows, and the use case decides again. A test makes this page while it runs
one call of each kind and the workers, and fails if the page differs.

A command also compares the versions of all rows that it replaces, which this page leaves out. A fact in
parentheses is required by some of the recorded commands only.

| word | required at the commit |
|---|---|
| exists | The object exists and is not deleted |
| live | The object is not deleted, if it exists |
| unchanged | The object has the version that was read |
| unique | No other object has the lookup text |
";

/// The use cases that this test does not reach, because they are steps of a page or of the laboratory.
const NOT_RECORDED: &str = "\
## Not recorded

These use cases are steps on a page, or they are made by a test on a bank or a delivery. Their tests are
in `crates/server/tests/api`.
";

/// The name of the use case that a span covers.
struct UseCase(String);

/// A layer that stores the name of each use case with its span.
struct UseCases;

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for UseCases {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut name = ChangeField(None);
        attributes.record(&mut name);
        if let (Some(span), Some(name)) = (context.span(id), name.0) {
            span.extensions_mut().insert(UseCase(name));
        }
    }
}

/// The value of the field `change`.
struct ChangeField(Option<String>);

impl Visit for ChangeField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "change" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// The name of the use case that runs now. `None` for the work of a worker.
fn current_use_case() -> Option<String> {
    let id = tracing::Span::current().id()?;
    tracing::dispatcher::get_default(|dispatch| {
        let registry: &Registry = dispatch.downcast_ref()?;
        let named = |span: tracing_subscriber::registry::SpanRef<'_, Registry>| {
            span.extensions().get::<UseCase>().map(|name| name.0.clone())
        };
        registry.span(&id)?.scope().find_map(named)
    })
}

/// The recorded commands of one use case.
#[derive(Default)]
struct Recorded {
    commands: BTreeSet<&'static str>,
    count: usize,
    /// The number of commands with each required fact.
    requires: BTreeMap<String, usize>,
    /// The number of commands that write each kind.
    writes: BTreeMap<&'static str, usize>,
}

/// A gate that notes every command.
#[derive(Default)]
struct Recorder {
    recorded: Mutex<BTreeMap<String, Recorded>>,
}

impl WriteGate for Recorder {
    fn pass(&self, command: Summary) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let name = current_use_case();
        if name.is_some() || !command.writes.is_empty() {
            let name = name.unwrap_or_else(|| format!("worker: {}", command.command));
            self.note(name, &command);
        }
        Box::pin(std::future::ready(()))
    }
}

impl Recorder {
    fn note(&self, name: String, command: &Summary) {
        let mut recorded = self.recorded.lock().unwrap();
        let recorded = recorded.entry(name).or_default();
        recorded.commands.insert(command.command);
        recorded.count += 1;
        for fact in command.requires.iter().map(fact).collect::<BTreeSet<_>>() {
            *recorded.requires.entry(fact).or_default() += 1;
        }
        for kind in command.writes.iter().collect::<BTreeSet<_>>() {
            *recorded.writes.entry(kind).or_default() += 1;
        }
    }

    /// The page, with the names of use cases that were not recorded.
    fn page(&self, all: &BTreeSet<String>) -> String {
        let recorded = self.recorded.lock().unwrap();
        let mut page = HEAD.to_owned();
        page += "\n## Recorded\n\n| use case | commands | requires | writes |\n|---|---|---|---|\n";
        for (name, recorded) in recorded.iter() {
            let commands = recorded.commands.iter().copied().collect::<Vec<_>>().join(", ");
            let requires = listed(&recorded.requires, recorded.count);
            let writes = listed(&recorded.writes, recorded.count);
            let _ = writeln!(page, "| {name} | {commands} | {requires} | {writes} |");
        }
        let _ = write!(page, "\n{NOT_RECORDED}\n");
        for name in all.iter().filter(|name| !recorded.contains_key(*name)) {
            let _ = writeln!(page, "- {name}");
        }
        page
    }
}

/// A required fact, as the page shows it.
fn fact(precondition: &Precondition) -> String {
    match precondition {
        Precondition::Exists(key) => format!("exists {}", key.kind.name()),
        Precondition::NotDeleted(key) => format!("live {}", key.kind.name()),
        Precondition::Version(key, _) => format!("unchanged {}", key.kind.name()),
        Precondition::AccountVersion { .. } => "unchanged account".to_owned(),
        Precondition::NoneWithLookup { kind, .. } => format!("unique {}", kind.name()),
        Precondition::NoneWithValue { kind, filter, .. } => {
            format!("unique {} of {}", filter.word().replace('_', " "), kind.name())
        }
    }
}

/// Names, in parentheses if only some of the commands have them.
fn listed<T: AsRef<str>>(counts: &BTreeMap<T, usize>, all: usize) -> String {
    let shown = |(name, count): (&T, &usize)| {
        let name = name.as_ref().replace('_', " ");
        if *count == all { name } else { format!("({name})") }
    };
    counts.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The page lists every use case with its preconditions.
#[tokio::test]
async fn every_use_case_has_its_preconditions() {
    let subscriber = tracing_subscriber::registry().with(UseCases);
    let _guard = tracing::subscriber::set_default(subscriber);
    let app = App::with(Options { backend: Backend::Memory, ..Options::default() }).await;
    let recorder = Arc::new(Recorder::default());
    let behind = app.behind(recorder.clone()).await;
    let fixture = Fixture::build(&app).await;
    let snapshot = app.post("/v1/test_helpers/snapshots", "").await.ok().id();
    let restore = format!("/v1/test_helpers/snapshots/{snapshot}/restore");
    for kind in KINDS {
        app.post(&restore, "").await.ok();
        call(&behind, &fixture, kind).await;
        behind.run_workers_until_idle().await;
    }
    let clock = fixture.fill("/v1/test_helpers/test_clocks/{clock}/advance");
    let months = format!("frozen_time={}", BEGIN_S + 70 * DAY_S);
    app.post(&restore, "").await.ok();
    behind.client.post(&clock, &months).await.ok();
    behind.run_workers_until_idle().await;
    app.pass_s(40 * DAY_S);
    behind.run_workers_until_idle().await;

    let text = recorder.page(&use_cases());
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/preconditions.md");
    if std::env::var_os("BANKFEED_WRITE_DOCS").is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    let written = std::fs::read_to_string(&place).unwrap_or_default();
    let differs = text.lines().zip(written.lines()).find(|(made, found)| made != found);
    assert!(
        written == text,
        "docs/preconditions.md is outdated at {differs:#?}; write it with BANKFEED_WRITE_DOCS=1"
    );
}

async fn call(behind: &Behind, fixture: &Fixture, kind: &CallKind) {
    let (client, path) = fixture.caller(&behind.client, kind.path);
    let (path, form) = (fixture.fill(path), fixture.fill(kind.form));
    client.request_with(kind.method, &path, &form).send().await.ok();
}

/// The names of all use cases, from the sources of the engine and the laboratory.
fn use_cases() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut folders = vec![crates.join("engine/src"), crates.join("lab/src")];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let calls = text.split(".change(").skip(1);
            let name = |rest: &str| {
                Some(rest.trim_start().strip_prefix('"')?.split('"').next()?.to_owned())
            };
            names.extend(calls.filter_map(name));
        }
    }
    names
}
