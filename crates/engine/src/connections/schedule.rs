//! The schedule worker: due work on accounts and objects without a test clock.
//!
//! It starts daily refreshes of subscribed accounts, spread over the day by a hash of the account,
//! and applies changes at the bank. One command changes a due account or object and moves its due
//! time, so a crash leaves it due. Days on which the server was down bring one refresh in total.

use crate::due_work::{Subject, Worked};
use crate::worker::caught;
use crate::{Engine, Error};
use model::account::Account;
use model::clock::AccountTime;
use model::limits;
use store::{
    AccountChange, ChangeAccount, ChangeObjects, Changed, ClockItem, Connection, ListDueAccounts,
    ListDueObjects, Object, Written,
};

impl Engine {
    /// Handles due work. Returns the number of changes. Failed work stays due and does not delay
    /// other work.
    pub async fn run_schedule_once(&self) -> Result<usize, Error> {
        let now = self.clock.account_now();
        let limit = limits::SCHEDULE_BATCH_MAX + self.stuck.count();
        let mut changed = 0;
        for account in self.store.read(ListDueAccounts { now, limit }).await? {
            let subject = Subject::Account(account.id);
            let worked = caught(self.work_due_account(account, now)).await;
            changed += usize::from(self.stuck.record(subject, worked) == Some(true));
        }
        for object in self.store.read(ListDueObjects { now, limit }).await? {
            let subject = Subject::of(&object);
            let worked = caught(Box::pin(self.work_due_object(object, now))).await;
            changed += usize::from(self.stuck.record(subject, worked) == Some(true));
        }
        Ok(changed)
    }

    /// Handles due work on an account. Returns true if it changed.
    async fn work_due_account(&self, account: Account, now: AccountTime) -> Result<bool, Error> {
        let Some(connection) = self.connection_of(&account).await? else {
            return Ok(false);
        };
        let mut change = self.due_change(account, &connection, now);
        if is_due(change.account.daily_due_at, now) {
            self.start_daily(&mut change, now);
            change.account.daily_due_at = Some(change.account.next_daily(now));
        }
        // After a version conflict the account is still due and is listed again.
        let done = self.store.write(ChangeAccount::of(change)).await? == Written::Done;
        if done {
            self.wake.refresh();
            self.wake.dispatch();
        }
        Ok(done)
    }

    /// Starts the daily refreshes of an account, except those that are pending.
    pub(crate) fn start_daily(&self, change: &mut AccountChange, now: AccountTime) {
        for feature in change.account.subscriptions() {
            if !change.account.is_pending(feature) {
                let job = self.start(&mut change.account, feature, now);
                change.started.push(job);
            }
        }
    }

    /// Handles due work on an object. Returns true if it changed.
    async fn work_due_object(&self, object: Object, now: AccountTime) -> Result<bool, Error> {
        if object.deleted() {
            self.complete_deletion(object).await?;
            return Ok(true);
        }
        let Worked::Item(ClockItem::Objects { objects, requires, events }) =
            self.work_object(object, now).await?
        else {
            return Ok(false);
        };
        // After a version conflict the object is still due and is listed again.
        let change = ChangeObjects { objects, requires, events, reply: None };
        let done = self.store.write(change).await? == Changed::Done;
        if done {
            self.wake.dispatch();
        }
        Ok(done)
    }

    /// The next version of a due account, with the changes at its bank.
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

/// True if a time has come.
pub(crate) fn is_due(at: Option<AccountTime>, now: AccountTime) -> bool {
    at.is_some_and(|at| at <= now)
}
