//! The schedule worker: what falls due by itself on accounts and objects without a test clock.
//!
//! Daily refreshes of subscribed accounts, spread over the day by a hash of the account, and
//! changes at the bank. A due account or object is changed in one command that also moves its due
//! time; a crash leaves it due. Days that passed while no server ran bring one refresh, not one each.

use crate::due::{Subject, Worked};
use crate::worker::caught;
use crate::{Engine, Error};
use model::account::Account;
use model::bank::Feature;
use model::clock::AccountTime;
use model::limits;
use store::{
    AccountChange, ChangeAccount, ChangeObjects, Changed, ClockItem, Connection, ListDueAccounts,
    ListDueObjects, Object, Written,
};

impl Engine {
    /// Handles what is due. Answers how much it changed. What fails is due as before, and keeps
    /// nothing else waiting.
    pub async fn run_schedule_once(&self) -> Result<usize, Error> {
        let now = self.clock.account_now();
        let limit = limits::SCHEDULE_BATCH_MAX + self.stuck.count();
        let mut changed = 0;
        for account in self.store.read(ListDueAccounts { now, limit }).await? {
            let subject = Subject::Account(account.id);
            let worked = caught(self.work_due_account(account, now)).await;
            changed += usize::from(self.stuck.seen(subject, worked) == Some(true));
        }
        for object in self.store.read(ListDueObjects { now, limit }).await? {
            let subject = Subject::of(&object);
            let worked = caught(Box::pin(self.work_due_object(object, now))).await;
            changed += usize::from(self.stuck.seen(subject, worked) == Some(true));
        }
        Ok(changed)
    }

    /// Handles what is due on an account. Answers whether it changed.
    async fn work_due_account(&self, account: Account, now: AccountTime) -> Result<bool, Error> {
        let Some(connection) = self.connection_of(&account).await? else {
            return Ok(false);
        };
        let mut change = self.due_change(account, &connection, now);
        if is_due(change.account.daily_due_at, now) {
            if !change.account.is_pending(Feature::Transactions) {
                let job = self.start(&mut change.account, Feature::Transactions, now);
                change.started.push(job);
            }
            change.account.daily_due_at = Some(change.account.next_daily(now));
        }
        // Stale: somebody changed the account; it is still due and comes again.
        let done = self.store.write(ChangeAccount { change, reply: None }).await? == Written::Done;
        if done {
            self.wake.refresh();
            self.wake.dispatch();
        }
        Ok(done)
    }

    /// Handles what is due on an object. Answers whether it changed.
    async fn work_due_object(&self, object: Object, now: AccountTime) -> Result<bool, Error> {
        let Worked::Item(ClockItem::Objects { objects, events }) =
            self.work_object(object, now).await?
        else {
            return Ok(false);
        };
        // Stale: somebody changed an object; it is still due and comes again.
        let change = ChangeObjects { objects, events, reply: None };
        let done = self.store.write(change).await? == Changed::Done;
        if done {
            self.wake.dispatch();
        }
        Ok(done)
    }

    /// The next version of a due account, with what its bank did to it.
    pub(crate) fn due_change(
        &self,
        mut account: Account,
        connection: &Connection,
        now: AccountTime,
    ) -> AccountChange {
        account.version += 1;
        let bank_due = is_due(account.bank_due_at, now);
        let mut change = AccountChange::of(account);
        if bank_due {
            self.observe(&mut change, connection, now, None);
        }
        change
    }
}

/// Whether a time has come.
pub(crate) fn is_due(at: Option<AccountTime>, now: AccountTime) -> bool {
    at.is_some_and(|at| at <= now)
}
