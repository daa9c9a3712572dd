//! Snapshots of a sandbox, restoring one, and the reset to an empty sandbox.
//!
//! The store copies, removes and restores all rows of a merchant. A snapshot has the rows of one state.
//! One commit makes it visible, and one commit makes restored rows current. This module decides only
//! the responses. A snapshot reports its size, so the rows are read first. After a restore every worker
//! is woken, because restored work may be due at once. After a crash a sandbox is in its state before
//! the call or after it, never between, and a snapshot has all of its rows or does not exist.

use crate::Lab;
use crate::render::snapshot::{OBJECT, write, write_reset};
use engine::{ApiResponse, Context, Error, list_body, render};
use model::id::SnapshotId;
use model::limits;
use model::snapshot::SandboxSnapshot;
use std::collections::BTreeMap;
use store::{
    Bounds, CopySandbox, DropSnapshot, FindObject, Kind, Object, ObjectsOf, ResetSandbox,
    RestoreSnapshot, Snapshotted, TakeSnapshot,
};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;

fn body(snapshot: &SandboxSnapshot) -> Vec<u8> {
    render(|w| write(w, snapshot))
}

fn no_such_snapshot(id: &str) -> Error {
    ApiError::no_such("snapshot", id, "snapshot").into()
}

impl Lab {
    /// Takes a snapshot of all objects of the merchant.
    pub async fn take_snapshot(
        &self,
        context: &Context,
        name: Option<String>,
        metadata: &MetadataChange,
    ) -> Result<ApiResponse, Error> {
        let mut own = BTreeMap::new();
        metadata.apply(&mut own)?;
        let merchant = context.merchant;
        let created = self.engine.clock().account_now();
        // The semaphore is never closed.
        let _place = self.snapshots.acquire().await.ok();
        self.engine
            .change("take_snapshot", async || {
                let copy = self.engine.store().read(CopySandbox { merchant }).await?;
                // Rows of a snapshot that was given up may be left under its id.
                let id = SnapshotId::from_number(self.engine.next_number());
                let snapshot = SandboxSnapshot {
                    id,
                    merchant,
                    version: 1,
                    created,
                    name: name.clone(),
                    metadata: own.clone(),
                    size: copy.size.clone(),
                };
                let body = body(&snapshot);
                let take = TakeSnapshot {
                    snapshot,
                    copy,
                    snapshots_max: limits::SNAPSHOTS_MAX,
                    reply: context.reply(&self.engine, &body),
                };
                let taken = self.engine.store().take_snapshot(take).await?;
                let is_taken = written(taken, id.text().as_str())?;
                Ok(is_taken.then(|| ApiResponse::committed(body)))
            })
            .await
    }

    /// Shows a snapshot.
    pub async fn retrieve_snapshot(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        Ok(ApiResponse::unchanged(body(&self.get_snapshot(context, id).await?)))
    }

    /// Lists snapshots.
    pub async fn list_snapshots(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let (all, created) = (ObjectsOf::All, Bounds::default());
        let listed = self.engine.list::<SandboxSnapshot>(context, all, created, page).await?;
        let bodies: Vec<Vec<u8>> = listed.items.iter().map(body).collect();
        let url = "/v1/test_helpers/snapshots";
        Ok(ApiResponse::unchanged(list_body(url, listed.has_more, &bodies)))
    }

    /// Replaces all objects of the merchant by those of a snapshot.
    pub async fn restore_snapshot(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let snapshot = self.get_snapshot(context, id).await?;
        let body = body(&snapshot);
        let restore = RestoreSnapshot {
            merchant: context.merchant,
            snapshot: snapshot.id,
            reply: context.reply(&self.engine, &body),
        };
        written(self.engine.store().restore_snapshot(restore).await?, id)?;
        self.forget_rows(context);
        self.engine.wake().all();
        Ok(ApiResponse::committed(body))
    }

    /// Deletes a snapshot. The sandbox does not change.
    pub async fn delete_snapshot(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let snapshot = self.get_snapshot(context, id).await?;
        let body = render(|w| wire::render::deleted::write(w, &snapshot.id, OBJECT));
        let drop = DropSnapshot {
            merchant: context.merchant,
            snapshot: snapshot.id,
            reply: context.reply(&self.engine, &body),
        };
        written(self.engine.store().write(drop).await?, id)?;
        self.engine.store().remove_generations(context.merchant).await?;
        Ok(ApiResponse::committed(body))
    }

    /// Removes all objects of the merchant except its snapshots.
    pub async fn reset_sandbox(&self, context: &Context) -> Result<ApiResponse, Error> {
        let body = render(|w| write_reset(w, self.engine.clock().account_now()));
        let reset =
            ResetSandbox { merchant: context.merchant, reply: context.reply(&self.engine, &body) };
        written(self.engine.store().reset_sandbox(reset).await?, "")?;
        self.forget_rows(context);
        Ok(ApiResponse::committed(body))
    }

    /// Drops cached data of rows that no longer exist.
    fn forget_rows(&self, context: &Context) {
        self.instruments.faults.forget_all();
        self.engine.forget_rehearsals();
        self.instruments.checker.forget(context.merchant);
    }

    async fn get_snapshot(
        &self,
        context: &Context,
        id_text: &str,
    ) -> Result<SandboxSnapshot, Error> {
        let id: SnapshotId = id_text.parse().map_err(|_| no_such_snapshot(id_text))?;
        let merchant = context.merchant;
        let find = FindObject { merchant, kind: Kind::Snapshot, number: id.number() };
        match self.engine.store().read(find).await? {
            Some(Object::Snapshot(snapshot)) => Ok(snapshot),
            _ => Err(no_such_snapshot(id_text)),
        }
    }
}

/// Returns true if it was written, and false after a version conflict. All else is an error.
fn written(outcome: Snapshotted, id: &str) -> Result<bool, Error> {
    let reject = |message: String| Err(ApiError::invalid(message).into());
    match outcome {
        Snapshotted::Done => Ok(true),
        Snapshotted::VersionConflict => Ok(false),
        Snapshotted::KeyTaken => Err(Error::KeyTaken),
        Snapshotted::Missing => Err(no_such_snapshot(id)),
        Snapshotted::Full => reject(format!(
            "Limit reached: at most {} snapshots. Delete one first.",
            limits::SNAPSHOTS_MAX
        )),
        Snapshotted::TooLarge => reject(format!(
            "This merchant has too much data. A snapshot contains at most {} rows of {} bytes. A \
             snapshot, a restore and a reset include at most {} connected accounts. Start again with \
             another test key.",
            limits::SNAPSHOT_ROWS_MAX,
            limits::SNAPSHOT_BYTES_MAX,
            limits::SANDBOX_MERCHANTS_MAX - 1
        )),
        Snapshotted::MerchantsFull => Err(Error::PlacesTaken),
    }
}
