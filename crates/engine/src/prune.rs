//! The prune worker: deletes rows past their age, in bounded batches.

use crate::{Engine, Error};
use store::{Prune, Pruned};

impl Engine {
    /// Deletes one batch. Returns the number of deleted rows.
    pub async fn run_prune_once(&self) -> Result<usize, Error> {
        let prune = Prune { now: self.clock.server_now() };
        let Pruned { replies, events, refreshes, objects } = self.store.write(prune).await?;
        Ok((replies + events + refreshes + objects) as usize)
    }
}
