//! Due work: the queue of a clock's advance, and the work on objects.
//!
//! Accounts and refreshes have workers of their own. Due objects of the store's generic table are
//! handled here, for test clocks and for real time. After a crash they are still due.

use crate::{Engine, Error};
use model::account::Account;
use model::clock::AccountTime;
use model::id::AccountId;
use model::limits::STUCK_MAX;
use model::refresh::{RefreshJob, RefreshStatus, RunAt};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use store::{AccountChange, ClockItem, DueOnClock, Kind, Object, Precondition, PutOffRefresh};

/// The subject of a due item. A step of an advance works on each subject at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// An account.
    Account(AccountId),
    /// An object: its kind and the number of its id.
    Object(Kind, u64),
}

/// Subjects with failed work. The log reports each of them once, and the others continue.
#[derive(Debug, Default)]
pub(crate) struct Stuck(Mutex<BTreeSet<Subject>>);

impl Stuck {
    /// Records the result of the work on a subject and logs its first failure. Returns the result,
    /// or `None` after a failure. Failed work stays due and is retried.
    pub(crate) fn record<T>(&self, subject: Subject, worked: Result<T, Error>) -> Option<T> {
        let mut stuck = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match worked {
            Ok(worked) => {
                stuck.remove(&subject);
                Some(worked)
            }
            Err(error) => {
                if stuck.len() < STUCK_MAX && stuck.insert(subject) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(?subject, error, "due work failed");
                }
                None
            }
        }
    }

    /// The number of stuck subjects. A list of due work must leave room for them.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// One due item: its time, its subject and its work.
pub(crate) struct Due {
    pub(crate) at: AccountTime,
    pub(crate) subject: Subject,
    pub(crate) what: DueKind,
}

pub(crate) enum DueKind {
    /// Daily work or a change at the bank.
    Account(Box<Account>),
    /// A pending refresh.
    Refresh(Box<RefreshJob>),
    /// Something on an object.
    Object(Box<Object>),
}

/// The result of the work on a due item.
pub(crate) enum Worked {
    /// This is to be stored.
    Item(ClockItem),
    /// Something that it read has changed, so it is still due.
    Conflict,
    /// Nothing had to be done.
    Nothing,
}

impl Engine {
    /// Works on a due object at its own time. Returns [`ClockItem::Objects`]: the object with a
    /// later `due_at` or none, and the objects that change with it.
    pub(crate) async fn work_object(
        &self,
        object: Object,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        match object {
            Object::PaymentIntent(intent) | Object::SetupIntent(intent)
                if intent.microdeposits.is_some() =>
            {
                self.deposits_due(intent, now).await
            }
            Object::PaymentIntent(intent) if intent.disputed_at.is_some() => {
                self.dispute_due(intent, now).await
            }
            Object::PaymentIntent(intent) => self.settle_intent(intent, now).await,
            Object::Refund(refund) => self.refund_due(refund, now).await,
            Object::Checkout(session) => self.checkout_due(session, now).await,
            Object::Invoice(invoice) => self.advance_invoice(invoice, now).await,
            Object::Subscription(subscription) => self.work_subscription(subscription, now).await,
            Object::SetupIntent(_) => Ok(Worked::Nothing),
            other => unreachable!("nothing falls due on a {}", other.kind().name()),
        }
    }
}

impl Subject {
    pub(crate) fn of(object: &Object) -> Self {
        Self::Object(object.kind(), object.number())
    }
}

/// Due items in order: by time, then by account with a refresh before the account's own work, then
/// objects. Also returns the earliest due time that the lists, at most `limit` long each, left out.
pub(crate) fn in_order(
    due: DueOnClock,
    now: AccountTime,
    limit: usize,
) -> (Vec<Due>, Option<AccountTime>) {
    let DueOnClock { accounts, refreshes, objects } = due;
    let refreshes = refreshes.into_iter().map(|job| Due {
        at: match job.run_at {
            RunAt::Server(_) => now,
            RunAt::Clock(at) => at.max(now),
        },
        subject: Subject::Account(job.key.account),
        what: DueKind::Refresh(Box::new(job)),
    });
    let time = |at: Option<AccountTime>| {
        let Some(at) = at else { unreachable!("a row is listed by the time at which it is due") };
        at.max(now)
    };
    let accounts = accounts.into_iter().map(|account| Due {
        at: time(store::due_at(&account)),
        subject: Subject::Account(account.id),
        what: DueKind::Account(Box::new(account)),
    });
    let objects = objects.into_iter().map(|object| Due {
        at: time(object.due_at()),
        subject: Subject::of(&object),
        what: DueKind::Object(Box::new(object)),
    });
    let lists: [Vec<Due>; 3] = [refreshes.collect(), accounts.collect(), objects.collect()];
    // Items that a full list leaves out are due no earlier than its last item.
    let full = lists.iter().filter(|list| list.len() >= limit);
    let left = full.filter_map(|list| list.last()).map(|due| due.at).min();
    let mut queue: Vec<Due> = lists.into_iter().flatten().collect();
    queue.sort_by_key(|due| (due.at, due.subject, matches!(due.what, DueKind::Account(_))));
    (queue, left)
}

/// The objects that an item changes beside the one it is about.
pub(crate) fn others(item: Option<&ClockItem>, subject: Subject) -> Vec<Subject> {
    let Some(ClockItem::Objects { objects, .. }) = item else { return Vec::new() };
    objects.iter().map(Subject::of).filter(|other| *other != subject).collect()
}

/// The objects and accounts that must be unchanged when an item is stored, beside the one it is about.
pub(crate) fn required(item: Option<&ClockItem>, subject: Subject) -> Vec<Subject> {
    let Some(ClockItem::Objects { requires, .. }) = item else { return Vec::new() };
    let subjects = requires.iter().filter_map(|precondition| match precondition {
        Precondition::Version(key, _) => Some(Subject::Object(key.kind, key.number)),
        Precondition::AccountVersion { account, .. } => Some(Subject::Account(*account)),
        _ => None,
    });
    subjects.filter(|other| *other != subject).collect()
}

/// The next due time of an item that was just worked on.
pub(crate) fn next_due(item: &ClockItem) -> Option<AccountTime> {
    let of_change = |change: &AccountChange| {
        let pending = |status| status == RefreshStatus::Pending;
        let started = change.started.iter().filter(|job| pending(job.status)).map(|job| {
            match job.run_at {
                RunAt::Clock(at) => at,
                // It may run immediately, so the clock must not move before it has.
                RunAt::Server(_) => AccountTime(i64::MIN),
            }
        });
        started.chain(store::due_at(&change.account)).min()
    };
    match item {
        ClockItem::Change(change) => of_change(change),
        ClockItem::Apply(apply) => of_change(&apply.change),
        ClockItem::Fail(fail) => of_change(&fail.change),
        ClockItem::PutOff(put_off) => match **put_off {
            PutOffRefresh { run_at: RunAt::Clock(at), .. } => Some(at),
            PutOffRefresh { run_at: RunAt::Server(_), .. } => {
                unreachable!("a refresh of an account on a test clock waits for the clock")
            }
        },
        ClockItem::Objects { objects, .. } => objects.iter().filter_map(Object::due_at).min(),
    }
}
