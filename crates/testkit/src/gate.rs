//! A gate in front of the store. It holds one call back before one of its writes, so that a test
//! decides the order of two calls that overlap.

use std::pin::Pin;
use store::{Summary, WriteGate};
use tokio::sync::watch;

/// The state of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Every write passes.
    Open,
    /// The write after this number of writes is held back.
    Armed(usize),
    /// A write is held back. Other writes pass.
    Held,
    /// Writes wait until this number of them has arrived.
    Gathering(usize),
}

/// A gate that a test opens and closes.
#[derive(Debug)]
pub struct Gate {
    phase: watch::Sender<Phase>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { phase: watch::Sender::new(Phase::Open) }
    }
}

impl Gate {
    /// Lets every write pass, also those that wait.
    pub fn open(&self) {
        self.phase.send_replace(Phase::Open);
    }

    /// Holds the next write back that follows `passing` other writes.
    pub fn hold_after(&self, passing: usize) {
        self.phase.send_replace(Phase::Armed(passing));
    }

    /// Holds writes back until `calls` of them wait.
    pub fn gather(&self, calls: usize) {
        self.phase.send_replace(Phase::Gathering(calls));
    }

    /// True if every write passes.
    pub fn is_open(&self) -> bool {
        *self.phase.borrow() == Phase::Open
    }

    /// Returns when a write is held back.
    pub async fn held(&self) {
        self.reach(Phase::Held).await;
    }

    async fn reach(&self, phase: Phase) {
        // The gate owns the sender, so the channel stays open.
        let _ = self.phase.subscribe().wait_for(|now| *now == phase).await;
    }

    /// Counts a write. Returns true if it has to wait.
    fn arrive(&self) -> bool {
        let mut waits = false;
        self.phase.send_if_modified(|phase| {
            let next = match *phase {
                Phase::Armed(0) => Phase::Held,
                Phase::Armed(passing) => Phase::Armed(passing - 1),
                Phase::Gathering(calls) if calls > 1 => Phase::Gathering(calls - 1),
                Phase::Gathering(_) => Phase::Open,
                unchanged => unchanged,
            };
            waits = matches!((*phase, next), (Phase::Armed(0), _) | (_, Phase::Gathering(_)));
            std::mem::replace(phase, next) != next
        });
        waits
    }
}

impl WriteGate for Gate {
    fn pass(&self, _: Summary) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            if self.arrive() {
                self.reach(Phase::Open).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A call with this number of writes, which counts those that passed.
    fn call(
        gate: &Arc<Gate>,
        writes: usize,
        passed: &Arc<AtomicUsize>,
    ) -> tokio::task::JoinHandle<()> {
        let (gate, passed) = (Arc::clone(gate), Arc::clone(passed));
        tokio::spawn(async move {
            for _ in 0..writes {
                gate.pass(Summary::default()).await;
                passed.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// The chosen write waits until the gate opens, and other calls pass meanwhile.
    #[tokio::test]
    async fn one_write_is_held_back() {
        let (gate, passed) = (Arc::new(Gate::default()), Arc::default());
        gate.hold_after(1);
        let held = call(&gate, 3, &passed);
        gate.held().await;
        assert_eq!(passed.load(Ordering::Relaxed), 1);
        call(&gate, 2, &passed).await.unwrap();
        assert_eq!(passed.load(Ordering::Relaxed), 3);
        gate.open();
        held.await.unwrap();
        assert_eq!(passed.load(Ordering::Relaxed), 5);
    }

    /// Two calls meet at their first writes. Later writes pass.
    #[tokio::test]
    async fn writes_gather() {
        let (gate, passed) = (Arc::new(Gate::default()), Arc::default());
        gate.gather(2);
        let one = call(&gate, 2, &passed);
        tokio::task::yield_now().await;
        assert_eq!(passed.load(Ordering::Relaxed), 0);
        let other = call(&gate, 2, &passed);
        one.await.unwrap();
        other.await.unwrap();
        assert_eq!(passed.load(Ordering::Relaxed), 4);
    }
}
