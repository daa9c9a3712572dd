//! The prune worker: deletes rows past their age and rows that no command sees, and gives free pages
//! back, in bounded steps. It also stores the days on which sandboxes were used.

use crate::{Engine, Error};
use store::{Prune, Pruned, RemoveGenerations, ShrinkFile};

impl Engine {
    /// Does one step of each kind. Returns the number of deleted rows and freed pages.
    pub async fn run_prune_once(&self) -> Result<usize, Error> {
        self.store.store_uses(self.clock.server_now()).await?;
        let prune = Prune { now: self.clock.server_now() };
        let Pruned { replies, events, refreshes, objects } = self.store.write(prune).await?;
        let removed = self.store.write(RemoveGenerations { sandbox: None, given_up: None }).await?;
        // A step that removes only the last entry of a generation has more to look at, too.
        let steps = u32::from(removed.has_more);
        let rows = replies + events + refreshes + objects + removed.rows.max(steps);
        let pages = if rows == 0 { self.store.write(ShrinkFile).await? } else { 0 };
        Ok((rows + pages) as usize)
    }
}
