//! Snapshots of a merchant's sandbox (`snap_…`): all of its rows as they were at one commit, to be
//! gone back to.
//!
//! This is what is told of one. The rows themselves are the store's affair, which copies them as
//! they stand; so nothing here changes once a snapshot is taken.

use crate::clock::AccountTime;
use crate::id::{MerchantId, SnapshotId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is told of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Whose.
    pub merchant: MerchantId,
    /// 1 for ever.
    pub version: u64,
    /// When it was taken, in the time of objects without a clock.
    pub created: AccountTime,
    /// A name for people.
    pub name: Option<String>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it holds.
    pub size: SandboxSize,
}

/// What a sandbox holds: the rows of a merchant, and those of its connected accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxSize {
    /// The merchant first, then the merchants that its connected accounts act as, in order.
    pub merchants: Vec<MerchantId>,
    /// Rows of each kind, under the word of the kind. Kinds of which there are none are left out,
    /// and so are answers kept for idempotency keys, of which the call that asks makes one more.
    pub counts: BTreeMap<String, u64>,
    /// Bytes of what the rows say, without their keys and the database's own.
    pub bytes: u64,
}

impl SandboxSize {
    /// Rows of all kinds.
    pub fn rows(&self) -> u64 {
        self.counts.values().sum()
    }
}
