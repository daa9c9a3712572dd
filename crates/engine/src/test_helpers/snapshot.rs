//! Snapshots of a sandbox, the way back to one, and the reset to an empty one.
//!
//! The store copies, removes and puts back all rows of a merchant in one commit; what is decided
//! here is only what is told of it. A snapshot says what it holds, so it is measured first and taken
//! if it still holds that. Afterwards every worker is woken: what was put back may be due at once.
//! After a crash a sandbox is as it was before or as it was told to be, never between.

use crate::context::{render, tries};
use crate::{Answer, Context, Engine, Error};
use model::id::SnapshotId;
use model::limits;
use model::snapshot::SandboxSnapshot;
use std::collections::BTreeMap;
use store::{
    Bounds, DropSnapshot, FindObject, Kind, MeasureSandbox, Object, ResetSandbox, RestoreSnapshot,
    Snapshotted, TakeSnapshot,
};
use wire::error::Error as Refusal;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::test_helpers::snapshot::{OBJECT, write, write_reset};

fn body(snapshot: &SandboxSnapshot) -> Vec<u8> {
    render(|w| write(w, snapshot))
}

fn no_such_snapshot(given: &str) -> Error {
    Refusal::no_such("snapshot", given, "snapshot").into()
}

impl Engine {
    /// Takes a snapshot of all that the merchant has.
    pub async fn take_snapshot(
        &self,
        context: &Context,
        name: Option<String>,
        metadata: &MetadataChange,
    ) -> Result<Answer, Error> {
        let mut own = BTreeMap::new();
        metadata.apply(&mut own)?;
        let merchant = context.merchant;
        let mut snapshot = SandboxSnapshot {
            id: SnapshotId::from_number(self.next_number()),
            merchant,
            version: 1,
            created: self.clock.account_now(),
            name,
            metadata: own,
            size: self.store.read(MeasureSandbox { merchant }).await?,
        };
        for _ in tries() {
            let body = body(&snapshot);
            let take = TakeSnapshot {
                snapshot: snapshot.clone(),
                snapshots_max: limits::SNAPSHOTS_MAX,
                reply: context.reply(self, &body),
            };
            if written(self.store.write(take).await?, snapshot.id.text().as_str())? {
                return Ok(Answer::committed(body));
            }
            snapshot.size = self.store.read(MeasureSandbox { merchant }).await?;
        }
        Err(Error::Locked)
    }

    /// Shows a snapshot.
    pub async fn retrieve_snapshot(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        Ok(Answer::unchanged(body(&self.get_snapshot(context, id).await?)))
    }

    /// Lists snapshots.
    pub async fn list_snapshots(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<Answer, Error> {
        let url = "/v1/test_helpers/snapshots";
        self.list_all::<SandboxSnapshot>(context, Bounds::default(), page, url, body).await
    }

    /// Puts a snapshot in the place of all that the merchant has.
    pub async fn restore_snapshot(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        let snapshot = self.get_snapshot(context, id).await?;
        let body = body(&snapshot);
        let restore = RestoreSnapshot {
            merchant: context.merchant,
            snapshot: snapshot.id,
            reply: context.reply(self, &body),
        };
        written(self.store.write(restore).await?, id)?;
        self.forget_rows(context);
        self.wake.all();
        Ok(Answer::committed(body))
    }

    /// Removes a snapshot; the sandbox stays as it is.
    pub async fn delete_snapshot(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        let snapshot = self.get_snapshot(context, id).await?;
        let body = render(|w| wire::render::deleted::write(w, &snapshot.id, OBJECT));
        let drop = DropSnapshot {
            merchant: context.merchant,
            snapshot: snapshot.id,
            reply: context.reply(self, &body),
        };
        written(self.store.write(drop).await?, id)?;
        Ok(Answer::committed(body))
    }

    /// Removes all that the merchant has, but not its snapshots.
    pub async fn reset_sandbox(&self, context: &Context) -> Result<Answer, Error> {
        let body = render(|w| write_reset(w, self.clock.account_now()));
        let reset = ResetSandbox { merchant: context.merchant, reply: context.reply(self, &body) };
        written(self.store.write(reset).await?, "")?;
        self.forget_rows(context);
        Ok(Answer::committed(body))
    }

    /// Forgets what is held in memory of rows that are no longer there.
    fn forget_rows(&self, context: &Context) {
        self.faults.begin_anew(context.merchant);
        self.forget_client(context.merchant);
    }

    async fn get_snapshot(&self, context: &Context, given: &str) -> Result<SandboxSnapshot, Error> {
        let id: SnapshotId = given.parse().map_err(|_| no_such_snapshot(given))?;
        let merchant = context.merchant;
        let find = FindObject { merchant, kind: Kind::Snapshot, number: id.number() };
        match self.store.read(find).await? {
            Some(Object::Snapshot(snapshot)) => Ok(snapshot),
            _ => Err(no_such_snapshot(given)),
        }
    }
}

/// Whether it was written; if not, whether to begin again or what to tell.
fn written(outcome: Snapshotted, given: &str) -> Result<bool, Error> {
    let refuse = |message: String| Err(Refusal::invalid(message).into());
    match outcome {
        Snapshotted::Done => Ok(true),
        Snapshotted::Stale => Ok(false),
        Snapshotted::KeyTaken => Err(Error::KeyTaken),
        Snapshotted::Missing => Err(no_such_snapshot(given)),
        Snapshotted::Full => refuse(format!(
            "You have {} snapshots, as many as you may have. Delete one first.",
            limits::SNAPSHOTS_MAX
        )),
        Snapshotted::TooLarge => refuse(format!(
            "This sandbox is too large for that: a snapshot takes at most {} rows of {} bytes, a \
             restore or a reset removes at most {} rows, of at most {} connected accounts. Begin \
             anew with another test key.",
            limits::SNAPSHOT_ROWS_MAX,
            limits::SNAPSHOT_BYTES_MAX,
            limits::SANDBOX_ROWS_MAX,
            limits::SANDBOX_MERCHANTS_MAX - 1
        )),
        Snapshotted::MerchantsFull => {
            refuse("This server holds as many API keys as it may.".to_owned())
        }
    }
}
