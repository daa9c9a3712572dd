//! Changes from the numbers of the steps: objects, accounts, and the ends of refreshes.

use crate::agree::{Both, KINDS, pick};
use crate::fixture::{
    T0, account, connection, customer, endpoint, event, job, merchant, payment_intent, row,
    session, test_clock,
};
use crate::steps::{At, Change, End, Many, New, PutOff, What};
use model::Word;
use model::account::{Account, AccountStatus, Holder, InactiveCause, StatusAction};
use model::bank::Feature;
use model::clock::AccountTime;
use model::event::EventType;
use model::id::{ClockId, CustomerId, InvoiceId, OwnershipId};
use model::ownership::Ownership;
use model::payments::intent::IntentStatus;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use store::{
    AccountChange, ApplyRefresh, Claim, ClockItem, Connection, Cursors, FailRefresh,
    FindConnection, FindObject, Kind, NewAccount, Object, PutOffRefresh,
};

impl Both {
    /// The next versions of several objects of the first one's merchant. Objects that do not exist
    /// are created.
    pub(crate) async fn many(&self, many: &[Many]) -> Vec<Object> {
        let mut objects = Vec::new();
        for Many { at, current } in many {
            let at = At { owner: many[0].at.owner, ..*at };
            let (kind, number) = (KINDS[at.kind], at.number);
            let find = FindObject { merchant: merchant(at.owner), kind, number };
            objects.push(match self.read(find).await {
                Some(object) => changed(object, *current, false),
                None => made(at),
            });
        }
        objects
    }

    pub(crate) async fn next_connection(
        &self,
        account: &Account,
        current: bool,
    ) -> Option<Connection> {
        let find = FindConnection { merchant: account.merchant, account: account.id };
        let mut connection = self.read(find).await?;
        connection.version += u64::from(current);
        connection.state = connection.version.to_le_bytes().to_vec();
        connection.cursors.insert(Feature::Balance, b"next".to_vec());
        Some(connection)
    }

    pub(crate) async fn change(&self, change: &Change, raised: u64) -> Option<AccountChange> {
        let mut account = self.find_account(change.number).await?;
        account.version += raised + u64::from(change.current);
        let mut started = vec![];
        let mut ended = vec![];
        match &change.what {
            What::Due(at) => account.daily_due_at = at.map(AccountTime),
            What::Start { feature, sequence, on_clock } => {
                let mut job = job(&account, Feature::ALL[*feature], *sequence);
                if let Some(at) = on_clock {
                    job.run_at = RunAt::Clock(AccountTime(*at));
                }
                started.push(job);
            }
            What::Deactivate => {
                let cause = InactiveCause::AccountClosed;
                account.status = AccountStatus::Inactive { cause, action: StatusAction::None };
            }
            What::Disconnect => account.status = AccountStatus::Disconnected,
            What::Interrupt { job } => {
                ended.extend(pick(&self.jobs, *job).map(|job| (job.key, RefreshStatus::Failed)));
            }
        }
        let connection =
            if change.connection { self.next_connection(&account, true).await } else { None };
        // Every other account version changes the cursors alone.
        let (connection, cursors) = match connection {
            Some(Connection { version, cursors: by_feature, .. }) if account.version % 2 == 0 => {
                (None, Some(Cursors { version, by_feature }))
            }
            connection => (connection, None),
        };
        let events = if change.event {
            vec![event(&account, EventType::AccountReactivated, 0)]
        } else {
            vec![]
        };
        Some(AccountChange { account, started, ended, connection, cursors, events })
    }

    pub(crate) async fn put_off(&self, put_off: &PutOff) -> Option<PutOffRefresh> {
        let job = pick(&self.jobs, put_off.job)?;
        let run_at = if put_off.on_clock {
            RunAt::Clock(AccountTime(2))
        } else {
            RunAt::Server(self.time.now().plus_ms(1))
        };
        let connection = match self.find_account(job.key.account.number()).await {
            Some(account) if put_off.connection => self.next_connection(&account, true).await,
            _ => None,
        };
        let number = Some(job.claim + u32::from(put_off.old));
        let claim = Claim { key: job.key, merchant: job.merchant, number };
        Some(PutOffRefresh { claim, run_at, attempts: job.attempts + 1, connection })
    }

    pub(crate) async fn end(&self, end: &End, raised: u64) -> Option<ClockItem> {
        let job = pick(&self.jobs, end.job)?;
        let mut account = self.find_account(job.key.account.number()).await?;
        // Ids repeat in this test: after a reset the account may belong to another merchant.
        if account.merchant != job.merchant {
            return None;
        }
        account.version += raised + u64::from(end.current);
        let mut claim = Claim {
            key: job.key,
            merchant: job.merchant,
            number: Some(job.claim + u32::from(end.old)),
        };
        let mut change = AccountChange {
            events: vec![event(&account, EventType::refreshed(job.key.feature), 0)],
            ..AccountChange::of(account)
        };
        if let Some(sequence) = end.ended_now {
            claim.number = None;
            claim.key = RefreshKey { sequence, ..job.key };
            change.started.push(RefreshJob { key: claim.key, ..job.clone() });
        }
        if end.fails {
            return Some(ClockItem::Fail(Box::new(FailRefresh { claim, change })));
        }
        let account = job.key.account;
        let rows = end.rows.iter().map(|(listed_at, ordinal, transacted_at)| {
            let mut row = row(account, *listed_at, *ordinal);
            row.shown.transacted_at = AccountTime(*transacted_at);
            row.shown.sequence = claim.key.sequence;
            row
        });
        let id = OwnershipId { account, sequence: claim.key.sequence };
        let ownership = end.owners.then(|| Ownership { id, created: T0, owners: vec![] });
        let apply = ApplyRefresh { claim, change, rows: rows.collect(), ownership };
        Some(ClockItem::Apply(Box::new(apply)))
    }
}

pub(crate) fn made(at: At) -> Object {
    let owner = merchant(at.owner);
    match KINDS[at.kind] {
        Kind::Customer => Object::Customer(customer(owner, at.number)),
        Kind::Session => Object::Session(session(owner, at.number)),
        Kind::Endpoint => Object::Endpoint(endpoint(owner, at.number)),
        Kind::TestClock => Object::TestClock(test_clock(owner, at.number)),
        _ => Object::PaymentIntent(payment_intent(owner, at.number)),
    }
}

pub(crate) fn changed(mut object: Object, current: bool, deleted: bool) -> Object {
    let raise = u64::from(current);
    match &mut object {
        Object::Customer(customer) => {
            customer.version += raise;
            customer.deleted |= deleted;
            customer.balance += 1;
        }
        Object::Session(session) => session.version += raise,
        Object::Endpoint(endpoint) => {
            endpoint.version += raise;
            endpoint.deleted |= deleted;
            endpoint.secrets.reverse();
        }
        Object::TestClock(clock) => {
            clock.version += raise;
            clock.deleted |= deleted;
        }
        Object::PaymentIntent(intent) => {
            intent.version += raise;
            intent.settles_at = intent.settles_at.map(|at| at.plus(1)).filter(|_| !deleted);
            let even = intent.version % 2 == 0;
            intent.invoice = even.then(|| InvoiceId::from_number(1));
            intent.status =
                if deleted { IntentStatus::Succeeded } else { IntentStatus::Processing };
        }
        other => panic!("nobody makes a {}", other.kind().word()),
    }
    object
}

pub(crate) fn new_account(owner: u64, new: &New) -> NewAccount {
    let mut account = account(merchant(owner), new.number);
    account.bank_account = format!("bank account {}", new.bank_account);
    account.created = T0.plus(i64::from(new.bank_account));
    account.holder = match new.holder {
        0 => None,
        1 => Some(Holder::Account("acct_x".to_owned())),
        other => Some(Holder::Customer(CustomerId::from_number(u64::from(other) - 1))),
    };
    account.clock = new.clock.then(|| ClockId::from_number(1));
    let connection = connection(&account);
    let started = if new.started { vec![job(&account, Feature::Balance, 1)] } else { vec![] };
    let events = vec![event(&account, EventType::AccountCreated, 0)];
    NewAccount { account, connection, started, events }
}
