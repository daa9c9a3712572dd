//! Snapshots, restores and resets, each a series of commands.
//!
//! Every command commits for itself, and the writer serves other callers between two of them. One of
//! these commits makes the snapshot visible, or changes the sandbox. If the caller is dropped before it,
//! there is no snapshot, or the sandbox stays as it is. The pruner removes the rows that are left.

use crate::command::snapshot::floor_above;
use crate::{
    BeginReplacement, BeginSnapshot, Begun, BuildGeneration, BuildPosition, Built, Error,
    FillSnapshot, FindObject, FinishSnapshot, IdempotencyRecord, Kind, MeasureCounts, Object,
    RemoveGenerations, Replacement, ResetSandbox, RestoreSnapshot, Snapshotted, Store,
    SwitchGeneration, TakeSnapshot, Written,
};
use model::connected_account::PlatformTie;
use model::id::{MerchantId, SnapshotId};

/// The growth of counts that each try allows while the rows are built. Other callers that write a lot
/// may exceed it.
const SLACKS: [u32; 4] = [1 << 10, 1 << 14, 1 << 18, 1 << 22];

impl Store {
    /// Stores the copy of a sandbox as a snapshot. No command finds the snapshot until one commit, which
    /// also stores the idempotency record.
    pub async fn take_snapshot(&self, command: TakeSnapshot) -> Result<Snapshotted, Error> {
        let owner = command.snapshot.merchant;
        let series = match self.write(BeginSnapshot { take: command.clone() }).await? {
            Begun::Done(series) => series,
            Begun::Rejected(result) => return Ok(result),
        };
        let turn_of = self.share_owner(owner).await?;
        let taken = self.fill(command, series, turn_of).await?;
        if taken != Snapshotted::Done {
            self.remove(owner, Some(series)).await?;
        }
        Ok(taken)
    }

    /// Stores the rows of a snapshot and makes it visible.
    async fn fill(
        &self,
        take: TakeSnapshot,
        series: Replacement,
        turn_of: MerchantId,
    ) -> Result<Snapshotted, Error> {
        let (snapshot, replacement) = (take.snapshot.id, series);
        let mut at = 0;
        while let Some((rows, next)) = take.copy.step(at)? {
            let fill = FillSnapshot { snapshot, replacement, rows };
            let filled = self.write_step(turn_of, fill).await?;
            if filled != Written::Done {
                return Ok(Snapshotted::VersionConflict);
            }
            at = next;
        }
        self.write(FinishSnapshot { take, replacement }).await
    }

    /// Replaces a sandbox by a snapshot of it. Other commands see the old rows until one commit, and
    /// the new ones from then on. Returns [`Error::Busy`] if others write too much meanwhile.
    pub async fn restore_snapshot(&self, command: RestoreSnapshot) -> Result<Snapshotted, Error> {
        let RestoreSnapshot { merchant, snapshot, reply } = command;
        self.replace(merchant, Some(snapshot), reply.as_ref()).await
    }

    /// Empties a sandbox, in the same way.
    pub async fn reset_sandbox(&self, command: ResetSandbox) -> Result<Snapshotted, Error> {
        self.replace(command.merchant, None, command.reply.as_ref()).await
    }

    /// Removes the rows of deleted snapshots and of old generations of a sandbox.
    pub async fn remove_generations(&self, sandbox: MerchantId) -> Result<(), Error> {
        self.remove(sandbox, None).await
    }

    async fn remove(
        &self,
        sandbox: MerchantId,
        given_up: Option<Replacement>,
    ) -> Result<(), Error> {
        let turn_of = self.share_owner(sandbox).await?;
        let sandbox = Some(sandbox);
        let step = RemoveGenerations { sandbox, given_up };
        while self.write_step(turn_of, step).await?.has_more {}
        Ok(())
    }

    async fn replace(
        &self,
        merchant: MerchantId,
        snapshot: Option<SnapshotId>,
        reply: Option<&IdempotencyRecord>,
    ) -> Result<Snapshotted, Error> {
        for slack in SLACKS {
            let replacement = match self.write(BeginReplacement { merchant, snapshot }).await? {
                Begun::Done(replacement) => replacement,
                Begun::Rejected(result) => return Ok(result),
            };
            let replaced = self.build(merchant, snapshot, (replacement, slack), reply).await?;
            // Either the old generation is not current any more, or the new one never was.
            self.remove(merchant, Some(replacement)).await?;
            if replaced != Snapshotted::VersionConflict {
                return Ok(replaced);
            }
        }
        Err(Error::Busy)
    }

    /// The owner of the turns of a sandbox: the platform of a connected account, and
    /// otherwise the merchant itself.
    async fn share_owner(&self, merchant: MerchantId) -> Result<MerchantId, Error> {
        let (kind, number) = (Kind::PlatformTie, PlatformTie::NUMBER);
        Ok(match self.read(FindObject { merchant, kind, number }).await? {
            Some(Object::PlatformTie(tie)) => tie.platform,
            _ => merchant,
        })
    }

    /// Builds a generation and makes it current.
    async fn build(
        &self,
        merchant: MerchantId,
        snapshot: Option<SnapshotId>,
        (replacement, slack): (Replacement, u32),
        reply: Option<&IdempotencyRecord>,
    ) -> Result<Snapshotted, Error> {
        let highest = self.read_long(MeasureCounts { merchant }).await?;
        let floor = floor_above(highest, slack)?;
        let mut built = None;
        if let Some(snapshot) = snapshot {
            let turn_of = self.share_owner(merchant).await?;
            let mut from = BuildPosition::default();
            built = loop {
                let step = BuildGeneration { merchant, snapshot, replacement, floor, from };
                match self.write_step(turn_of, step).await? {
                    Built::Next(next) => from = next,
                    Built::Done(end) => break Some(end),
                    Built::VersionConflict => return Ok(Snapshotted::VersionConflict),
                }
            };
        }
        let reply = reply.cloned();
        let switch =
            SwitchGeneration { merchant, snapshot, replacement, built, floor, slack, reply };
        self.write(switch).await
    }
}
