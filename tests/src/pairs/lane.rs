//! A lane: a server on one back end, with two more servers on its store behind a gate.
//!
//! The first call of a pair goes to one of the two, and the second call to the other. The ids of
//! new objects therefore have the same order in every run, and only the order of writes differs.

use crate::pairs::fixture::Fixture;
use crate::pairs::kinds::{CallKind, TAKE};
use crate::pairs::outcome::{Outcome, Reader};
use model::id::MerchantId;
use std::collections::HashMap;
use std::sync::Arc;
use testkit::gate::Gate;
use testkit::{App, Backend, Behind, KEY, Options, Response};

/// The number of an engine behind the gate: that of the pair's first call or of its second call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    First,
    Second,
}

/// The order of two calls that do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// In the order of the pair.
    AsNamed,
    /// The second call of the pair is made first.
    Swapped,
}

/// A server with the fixture, on which pairs run one after the other.
pub struct Lane {
    app: App,
    gate: Arc<Gate>,
    servers: [Behind; 2],
    fixture: Fixture,
    snapshot: String,
    reader: Reader,
    serial: HashMap<(&'static str, &'static str, Order), Outcome>,
}

impl Lane {
    /// Starts the servers and builds the fixture.
    pub async fn start(backend: Backend) -> Self {
        let app = App::with(Options { backend, ..Options::default() }).await;
        let gate = Arc::new(Gate::default());
        let servers = [app.behind(gate.clone()).await, app.behind(gate.clone()).await];
        let mut fixture = Fixture::build(&app).await;
        let platform = MerchantId::of_key(KEY);
        let connected = MerchantId::of_connected(platform, fixture.id("connected"));
        let snapshot = app.post("/v1/test_helpers/snapshots", "").await.ok().id();
        fixture.insert("snapshot", &snapshot);
        let mut reader = Reader::new(app.engine.store(), vec![platform, connected]).await;
        reader.know(fixture.ids());
        let serial = HashMap::new();
        Self { app, gate, servers, fixture, snapshot, reader, serial }
    }

    /// The server without a gate.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The ids of the fixture.
    pub fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    /// Makes a call alone. Returns its response.
    pub async fn alone(&self, kind: &CallKind) -> Response {
        self.restore().await;
        self.send(Side::First, kind).await
    }

    /// The outcome of two calls, the one after the other.
    pub async fn serial(&mut self, pair: &[CallKind; 2], order: Order) -> Outcome {
        let key = (pair[0].name, pair[1].name, order);
        if let Some(outcome) = self.serial.get(&key) {
            return outcome.clone();
        }
        let restored = self.restore().await;
        let responses = match order {
            Order::AsNamed => {
                let first = self.send(Side::First, &pair[0]).await;
                [first, self.send(Side::Second, &pair[1]).await]
            }
            Order::Swapped => {
                let second = self.send(Side::Second, &pair[1]).await;
                [self.send(Side::First, &pair[0]).await, second]
            }
        };
        let outcome = self.outcome(pair, restored, &responses).await;
        self.serial.insert(key, outcome.clone());
        outcome
    }

    /// The outcome of a pair whose first call is held back after this number of writes, until the
    /// second call has ended. `None` if the first call ends before.
    pub async fn held(&self, pair: &[CallKind; 2], writes: usize) -> Option<Outcome> {
        let restored = self.restore().await;
        let responses = self.send_held(pair, writes).await?;
        Some(self.outcome(pair, restored, &responses).await)
    }

    /// The responses of a pair whose first call is held back in the same way.
    async fn send_held(&self, pair: &[CallKind; 2], writes: usize) -> Option<[Response; 2]> {
        self.gate.hold_after(writes);
        let mut first = Box::pin(self.send(Side::First, &pair[0]));
        let is_held = tokio::select! {
            _ = &mut first => false,
            () = self.gate.held() => true,
        };
        if !is_held {
            self.gate.open();
            return None;
        }
        let second = self.send(Side::Second, &pair[1]).await;
        self.gate.open();
        Some([first.await, second])
    }

    /// All rows of a snapshot that is taken alone, after another call or in the state of the fixture.
    pub async fn rows_after(&self, call: Option<&CallKind>) -> Vec<String> {
        self.restore().await;
        if let Some(call) = call {
            self.send(Side::First, call).await.ok();
        }
        let taken = self.send(Side::Second, &TAKE).await;
        self.rows_of(taken).await
    }

    /// All rows of a snapshot that one call of a pair takes. The first call is held back after this
    /// number of writes, until the second call has ended. `None` if the first call ends before.
    pub async fn rows_taken(&self, pair: &[CallKind; 2], writes: usize) -> Option<Vec<String>> {
        self.restore().await;
        let responses = self.send_held(pair, writes).await?;
        let taken = pair.iter().zip(responses).find(|(call, _)| call.name == TAKE.name);
        let (_, response) = taken.expect("a call of the pair takes a snapshot");
        Some(self.rows_of(response).await)
    }

    /// Restores a snapshot that was taken, reads all rows and deletes it.
    async fn rows_of(&self, taken: Response) -> Vec<String> {
        let snapshot = format!("{}/{}", TAKE.path, taken.ok().id());
        self.app.post(&format!("{snapshot}/restore"), "").await.ok();
        let rows = self.reader.state(self.app.engine.store(), 0, &[]).await;
        self.app.delete(&snapshot).await.ok();
        rows
    }

    /// The outcome of a pair whose calls meet before their first writes and then run at the same
    /// time. `None` if one of them ends without a write.
    pub async fn at_once(&self, pair: &[CallKind; 2]) -> Option<Outcome> {
        let restored = self.restore().await;
        self.gate.gather(2);
        let send = async |side, kind| {
            let response = self.send(side, kind).await;
            let met = self.gate.is_open();
            self.gate.open();
            (response, met)
        };
        let (first, second) =
            tokio::join!(send(Side::First, &pair[0]), send(Side::Second, &pair[1]));
        let met = first.1 && second.1;
        let outcome = self.outcome(pair, restored, &[first.0, second.0]).await;
        met.then_some(outcome)
    }

    /// Restores the fixture. Returns the version that all rows have then.
    async fn restore(&self) -> u64 {
        let path = format!("/v1/test_helpers/snapshots/{}/restore", self.snapshot);
        self.app.post(&path, "").await.ok();
        self.reader.restored_version(self.app.engine.store()).await
    }

    async fn send(&self, side: Side, kind: &CallKind) -> Response {
        let server = &self.servers[usize::from(side == Side::Second)];
        let (client, path) = self.fixture.caller(&server.client, kind.path);
        let (path, form) = (self.fixture.fill(path), self.fixture.fill(kind.form));
        client.request_with(kind.method, &path, &form).send().await
    }

    async fn outcome(
        &self,
        pair: &[CallKind; 2],
        restored: u64,
        responses: &[Response; 2],
    ) -> Outcome {
        let calls = pair.iter().zip(responses);
        let with_steps = calls.filter(|(kind, _)| kind.has_steps());
        let apart: Vec<String> =
            with_steps.map(|(_, response)| response.headers["request-id"].clone()).collect();
        let responses = [&responses[0], &responses[1]].map(|one| self.reader.response(one));
        let state = self.reader.state(self.app.engine.store(), restored, &apart).await;
        Outcome { responses, state }
    }
}
