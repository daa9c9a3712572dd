//! Control of the test banks: changes that tests make to a bank account, and reads of the bank's
//! own ledger. The ledger is the reference for the copies of followers.
//!
//! - Each change reads the account's state and returns the new state together with its result. The
//!   caller stores the state.
//! - A change counts from the account's time at which it was made, and the next refresh reports it.
//!   Control never touches the rows that a follower has stored.

use super::account::Opened;
use super::banks::Sandbox;
use super::cursor::{Cursor, Progress};
use super::ledger::LedgerEntry;
use super::ledger_page::{LedgerPage, LedgerPosition};
use super::state::{
    ADDED_PREFIX, BalanceOffset, Change, ChangeKind, OWNERS_MAX, Script, State, StatusChange,
};
use super::sums::sum_of;
use crate::interface::BankAccount;
use model::bank::{Balance, BankOwner, BankStatus};
use model::clock::AccountTime;
use model::limits::BANK_STATE_BYTES_MAX;
use model::money::Currency;
use model::transaction::TransactionStatus;

/// A rejection by the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The account is not an account of a test bank, or its state is unreadable.
    #[error("not an account of a test bank")]
    NotATestAccount,
    /// The bank shows no transaction of this id.
    #[error("no such transaction at the bank")]
    UnknownTransaction,
    /// The change has no field.
    #[error("nothing to change")]
    NothingToChange,
    /// The transaction cannot reach the wanted status, or it has vanished and cannot be edited.
    #[error("the transaction is {} at the bank", model::Word::word(*.status))]
    WrongStatus {
        /// Its status at the bank.
        status: TransactionStatus,
    },
    /// A transaction must take place between the start of the bank's ledger and now.
    #[error("the time must lie between {} and {}", .from.0, .to.0)]
    TimeOutOfRange {
        /// The first second allowed.
        from: AccountTime,
        /// The last second allowed, which is now.
        to: AccountTime,
    },
    /// The log is full: [`model::limits::SCRIPTED_CHANGES_MAX`].
    #[error("too many changes to this account")]
    TooManyChanges,
    /// The queue is full: [`model::limits::SCRIPTED_OUTCOMES_MAX`].
    #[error("too many scripted outcomes for this account")]
    TooManyScripts,
    /// The changes to the account take more than [`model::limits::BANK_STATE_BYTES_MAX`].
    #[error(
        "the changes to this account take more than {} bytes; link another account",
        model::limits::BANK_STATE_BYTES_MAX
    )]
    StateTooLarge,
    /// More than [`OWNERS_MAX`] owners.
    #[error("too many owners")]
    TooManyOwners,
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied<T> {
    /// The new connector's state of the account.
    pub state: Vec<u8>,
    /// The bank's own view of the changed thing.
    pub made: T,
}

/// A transaction to add at the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransaction {
    /// Minor units; negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// The time at which it took place, between the start of the bank's ledger and now.
    pub transacted_at: AccountTime,
    /// The first status. A posted transaction is posted now.
    pub status: BankStatus,
}

/// Changes to a transaction at the bank. An absent field stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionChange {
    /// Posts it, voids it or keeps it pending.
    pub status: Option<StatusChange>,
    /// The new amount, in minor units.
    pub amount: Option<i64>,
    /// The new text.
    pub description: Option<String>,
    /// The new time, between the start of the bank's ledger and now.
    pub transacted_at: Option<AccountTime>,
}

/// The handle by which tests control the test banks. The connector itself has no method that
/// changes a bank.
#[derive(Clone, Debug)]
pub struct SandboxControl {
    sandbox: Sandbox,
}

impl SandboxControl {
    /// Control of these banks. Clones of a sandbox are the same banks.
    pub fn new(sandbox: Sandbox) -> Self {
        Self { sandbox }
    }

    /// Adds a transaction at the bank. The bank's id is made from `number`, which must be new for
    /// the account. A number from before the account was put back to an old state is not new.
    pub fn add_transaction(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        number: u64,
        new: NewTransaction,
    ) -> Result<Applied<LedgerEntry>, ControlError> {
        let (opened, mut state) = self.open(account)?;
        opened.check_time(new.transacted_at, now)?;
        let bank_id = format!("{ADDED_PREFIX}{number}");
        let kind = ChangeKind::Add {
            amount: new.amount,
            currency: new.currency,
            description: new.description,
            transacted_at: new.transacted_at,
            status: new.status,
        };
        opened.record(&mut state, Change { at: now, bank_id, kind })
    }

    /// Posts, voids or edits a natural or added transaction at the bank.
    pub fn change_transaction(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        bank_id: &str,
        change: TransactionChange,
    ) -> Result<Applied<LedgerEntry>, ControlError> {
        let (opened, mut state) = self.open(account)?;
        let ledger = opened.ledger(&state.changes);
        let second = Opened::second(now);
        let status = ledger.find(bank_id, second).ok_or(ControlError::UnknownTransaction)?.status();
        let Some(first_id) = ledger.first_id(bank_id, second).map(str::to_owned) else {
            unreachable!("the ledger found the transaction by its first id");
        };
        if change == TransactionChange::default() {
            return Err(ControlError::NothingToChange);
        }
        if !allowed(status, change.status) {
            return Err(ControlError::WrongStatus { status });
        }
        if let Some(at) = change.transacted_at {
            opened.check_time(at, now)?;
        }
        let kind = ChangeKind::Edit {
            status: change.status,
            amount: change.amount,
            description: change.description,
            transacted_at: change.transacted_at,
        };
        opened.record(&mut state, Change { at: now, bank_id: first_id, kind })
    }

    /// Sets the balance as of now, in minor units of the account's currency. Later movements are
    /// added to it. Without `available`, the available balance moves by as much as the current one.
    pub fn set_balance(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        current: i64,
        available: Option<i64>,
    ) -> Result<Applied<Balance>, ControlError> {
        let (opened, mut state) = self.open(account)?;
        let second = Opened::second(now);
        let (posted, with_pending) = opened.ledger(&state.changes).sums(second);
        let currency = opened.currency();
        let moved = current.saturating_sub(sum_of(&posted, currency));
        let available = available
            .map_or(moved, |available| available.saturating_sub(sum_of(&with_pending, currency)));
        state.balance = Some(BalanceOffset { current: moved, available });
        Ok(Applied { made: opened.balance(&state, now), state: state.bytes() })
    }

    /// Replaces the owners that the bank reports, at most [`OWNERS_MAX`].
    pub fn set_owners(
        &self,
        account: &BankAccount<'_>,
        owners: Vec<BankOwner>,
    ) -> Result<Applied<Vec<BankOwner>>, ControlError> {
        let (_, mut state) = self.open(account)?;
        if owners.len() > OWNERS_MAX {
            return Err(ControlError::TooManyOwners);
        }
        state.owners = Some(owners.clone());
        applied(&state, owners)
    }

    /// Queues an outcome for later refreshes and returns the queue. The delay is not negative, and
    /// the outcome is for at least one refresh.
    pub fn script(
        &self,
        account: &BankAccount<'_>,
        script: Script,
    ) -> Result<Applied<Vec<Script>>, ControlError> {
        assert!(script.delay_s >= 0, "the API accepts no negative delay");
        assert!(script.times >= 1, "the API accepts no outcome for zero refreshes");
        let (_, mut state) = self.open(account)?;
        if !state.takes_script() {
            return Err(ControlError::TooManyScripts);
        }
        state.scripts.push(script);
        Ok(Applied { state: state.bytes(), made: state.scripts })
    }

    /// The queue of outcomes that no refresh has taken yet.
    pub fn scripts(&self, account: &BankAccount<'_>) -> Result<Vec<Script>, ControlError> {
        Ok(self.open(account)?.1.scripts)
    }

    /// Empties the queue. A refresh that has taken its outcome keeps it.
    pub fn clear_scripts(
        &self,
        account: &BankAccount<'_>,
    ) -> Result<Applied<Vec<Script>>, ControlError> {
        let (_, mut state) = self.open(account)?;
        state.scripts.clear();
        Ok(Applied { state: state.bytes(), made: Vec::new() })
    }

    /// Every transaction in the bank's own ledger, vanished ones included, oldest first.
    pub fn ledger_entries(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
    ) -> Result<Vec<LedgerEntry>, ControlError> {
        let (opened, state) = self.open(account)?;
        Ok(opened.ledger(&state.changes).entries(Opened::second(now)))
    }

    /// The part of the ledger that a follower must have: its transactions since the start of the
    /// follower's window, vanished ones included, oldest first. `cursor` is the cursor after the
    /// follower's last fetch. Without it, this is the window of a first fetch now.
    pub fn window_entries(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        cursor: Option<&[u8]>,
    ) -> Result<Vec<LedgerEntry>, ControlError> {
        let (opened, state) = self.open(account)?;
        let second = Opened::second(now);
        let first = first_fetch(&state, second, cursor);
        Ok(opened.ledger(&state.changes).window(first, second))
    }

    /// A page of the same part of the ledger, of at most `limit` entries. It ends earlier at
    /// [`model::limits::LEDGER_PAGE_BYTES_MAX`]. Only its own rows are generated.
    pub fn window_page(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        cursor: Option<&[u8]>,
        (position, limit): (LedgerPosition<'_>, usize),
    ) -> Result<LedgerPage, ControlError> {
        let (opened, state) = self.open(account)?;
        let second = Opened::second(now);
        let ledger = opened.ledger(&state.changes);
        let first = first_fetch(&state, second, cursor);
        ledger.page(first, second, position, limit).ok_or(ControlError::UnknownTransaction)
    }

    /// The balance in the bank's own ledger.
    pub fn ledger_balance(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
    ) -> Result<Balance, ControlError> {
        let (opened, state) = self.open(account)?;
        Ok(opened.balance(&state, now))
    }

    /// The owners that the bank knows. Empty if the bank does not report owners.
    pub fn ledger_owners(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
    ) -> Result<Vec<BankOwner>, ControlError> {
        let (opened, state) = self.open(account)?;
        Ok(state.owners.unwrap_or_else(|| opened.owners(now)))
    }

    pub(super) fn open(&self, account: &BankAccount<'_>) -> Result<(Opened, State), ControlError> {
        let opened = self.sandbox.open(account).ok_or(ControlError::NotATestAccount)?;
        let state = State::find(account.state).ok_or(ControlError::NotATestAccount)?;
        Ok((opened, state))
    }
}

impl Opened {
    fn check_time(&self, at: AccountTime, now: AccountTime) -> Result<(), ControlError> {
        let (from, to) = (AccountTime(self.start), now);
        let allowed = (from..=to).contains(&at);
        if allowed { Ok(()) } else { Err(ControlError::TimeOutOfRange { from, to }) }
    }

    /// Writes a change into the log and returns the entry that the ledger then shows.
    fn record(
        &self,
        state: &mut State,
        change: Change,
    ) -> Result<Applied<LedgerEntry>, ControlError> {
        if !state.takes_change() {
            return Err(ControlError::TooManyChanges);
        }
        let (bank_id, now) = (change.bank_id.clone(), Opened::second(change.at));
        state.changes.push(change);
        let ledger = self.ledger(&state.changes);
        let shown_id = ledger.shown_id(bank_id, now);
        let Some(made) = ledger.find(&shown_id, now) else {
            unreachable!("the ledger showed the transaction, or this change added it");
        };
        applied(state, made)
    }
}

/// The result of a change that leads to this state.
fn applied<T>(state: &State, made: T) -> Result<Applied<T>, ControlError> {
    let state = state.bytes();
    if state.len() > BANK_STATE_BYTES_MAX {
        return Err(ControlError::StateTooLarge);
    }
    Ok(Applied { state, made })
}

/// The first fetch of a follower with this cursor. Without a cursor, it is now.
fn first_fetch(state: &State, now: i64, cursor: Option<&[u8]>) -> Option<Progress> {
    match cursor.and_then(Cursor::find) {
        Some(cursor) => cursor.first(),
        None => Some(Progress { until: now, changes: state.changes.len() }),
    }
}

/// True if the change of status is allowed. A posted transaction never becomes pending again, and a
/// vanished one can only be shown again.
fn allowed(status: TransactionStatus, wanted: Option<StatusChange>) -> bool {
    match (status, wanted) {
        (TransactionStatus::Pending, _)
        | (TransactionStatus::Posted, None | Some(StatusChange::Void))
        | (TransactionStatus::Void, Some(StatusChange::Pend)) => true,
        (TransactionStatus::Posted, Some(StatusChange::Post | StatusChange::Pend))
        | (TransactionStatus::Void, None | Some(StatusChange::Post | StatusChange::Void)) => false,
    }
}
