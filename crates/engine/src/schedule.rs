//! The schedule worker: what falls due by itself on accounts and objects without a test clock.
//!
//! Daily refreshes of subscribed accounts, spread over the day by a hash of the account, and
//! changes at the bank. A due account or object is changed in one command that also moves its due
//! time; a crash leaves it due. Days that passed while no server ran bring one refresh, not one each.

use crate::due::Worked;
use crate::{Engine, Error};
use model::account::Account;
use model::bank::Feature;
use model::clock::AccountTime;
use model::limits;
use store::{
    AccountChange, ChangeAccount, ChangeObjects, Changed, ClockItem, Connection, ListDueAccounts,
    ListDueObjects, Written,
};

impl Engine {
    /// Handles what is due. Answers how much it found.
    pub async fn run_schedule_once(&self) -> Result<usize, Error> {
        let now = self.clock.account_now();
        let due = ListDueAccounts { now, limit: limits::SCHEDULE_BATCH_MAX };
        let accounts = self.store.read(due).await?;
        let found = accounts.len();
        for account in accounts {
            let Some(connection) = self.connection_of(&account).await? else {
                continue;
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
            if self.store.write(ChangeAccount { change, reply: None }).await? == Written::Done {
                self.wake.refresh();
                self.wake.dispatch();
            }
        }
        Ok(found + self.work_due_objects(now).await?)
    }

    /// Handles what is due on objects. Answers how many it changed.
    async fn work_due_objects(&self, now: AccountTime) -> Result<usize, Error> {
        let due = ListDueObjects { now, limit: limits::SCHEDULE_BATCH_MAX };
        let mut changed = 0;
        for object in self.store.read(due).await? {
            let Worked::Item(ClockItem::Objects { objects, events }) =
                self.work_object(object, now).await?
            else {
                continue;
            };
            // Stale: somebody changed an object; it is still due and comes again.
            let change = ChangeObjects { objects, events, reply: None };
            if self.store.write(change).await? == Changed::Done {
                changed += 1;
                self.wake.dispatch();
            }
        }
        Ok(changed)
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
