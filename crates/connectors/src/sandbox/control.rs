//! What tests do to a bank account, and what the bank's own books say: the judge of followers.
//!
//! Every steering call reads the account's state and answers the new state, which the engine
//! stores, together with what was made. A change holds from the account's time at which it was made;
//! the next refresh sees it. Nothing here touches what a follower has stored.

use super::ledger::LedgerEntry;
use super::state::{ADDED_PREFIX, BalanceOffset, Change, Script, State, StatusChange, What};
use super::{Opened, Sandbox};
use crate::BankAccount;
use model::bank::{Balance, BankOwner, BankStatus};
use model::clock::AccountTime;
use model::money::Currency;
use model::transaction::TransactionStatus;

/// Owners that one account may have: a snapshot numbers them with a byte.
pub const OWNERS_MAX: usize = 255;

/// Why the bank refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SteerError {
    /// The account is none of a test bank, or its state is unreadable.
    #[error("not an account of a test bank")]
    NotATestAccount,
    /// The bank shows no transaction of this id.
    #[error("no such transaction at the bank")]
    UnknownTransaction,
    /// The change names nothing to change.
    #[error("nothing to change")]
    NothingToChange,
    /// The transaction cannot go where it is told to, or it has vanished and cannot be edited.
    #[error("the transaction is {} at the bank", model::Word::word(*.status))]
    WrongStatus {
        /// Where it stands at the bank.
        status: TransactionStatus,
    },
    /// A transaction must take place between the start of the bank's books and now.
    #[error("the time must lie between {} and {}", .from.0, .to.0)]
    TimeOutOfRange {
        /// The first second allowed.
        from: AccountTime,
        /// The last second allowed: now.
        to: AccountTime,
    },
    /// The log is full: [`model::limits::SCRIPTED_CHANGES_MAX`].
    #[error("too many changes to this account")]
    TooManyChanges,
    /// The queue is full: [`model::limits::SCRIPTED_OUTCOMES_MAX`].
    #[error("too many scripted outcomes for this account")]
    TooManyScripts,
    /// More than [`OWNERS_MAX`].
    #[error("too many owners")]
    TooManyOwners,
}

/// What a steering call did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steered<T> {
    /// Replaces the connector's state of the account.
    pub state: Vec<u8>,
    /// What the bank shows now.
    pub made: T,
}

/// A transaction to add on the bank's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransaction {
    /// Minor units; negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: String,
    /// When it took place: between the start of the bank's books and now.
    pub transacted_at: AccountTime,
    /// Whether it is booked already; it is then booked now.
    pub status: BankStatus,
}

/// Changes to a transaction on the bank's side; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionChange {
    /// Posts it, makes it vanish or keeps it pending.
    pub status: Option<StatusChange>,
    /// Another amount, in minor units.
    pub amount: Option<i64>,
    /// Another text.
    pub description: Option<String>,
    /// Another time: between the start of the bank's books and now.
    pub transacted_at: Option<AccountTime>,
}

impl Sandbox {
    /// Adds a transaction on the bank's side. The number makes its bank id: no other of the account
    /// may have it, nor one that was there before the account was put back to an earlier state.
    pub fn add_transaction(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        number: u64,
        new: NewTransaction,
    ) -> Result<Steered<LedgerEntry>, SteerError> {
        let (opened, mut state) = self.steer(account)?;
        opened.check_time(new.transacted_at, now)?;
        let bank_id = format!("{ADDED_PREFIX}{number}");
        let what = What::Add {
            amount: new.amount,
            currency: new.currency,
            description: new.description,
            transacted_at: new.transacted_at,
            status: new.status,
        };
        opened.record(&mut state, Change { at: now, bank_id, what })
    }

    /// Posts, voids or edits a transaction on the bank's side, natural or added.
    pub fn change_transaction(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        bank_id: &str,
        change: TransactionChange,
    ) -> Result<Steered<LedgerEntry>, SteerError> {
        let (opened, mut state) = self.steer(account)?;
        let books = opened.books(&state.changes);
        let second = Opened::second(now);
        let entry = books.find(bank_id, second).ok_or(SteerError::UnknownTransaction)?;
        let first_id = books.first_id(bank_id, second).unwrap_or(bank_id).to_owned();
        if change == TransactionChange::default() {
            return Err(SteerError::NothingToChange);
        }
        if !allowed(entry.status, change.status) {
            return Err(SteerError::WrongStatus { status: entry.status });
        }
        if let Some(at) = change.transacted_at {
            opened.check_time(at, now)?;
        }
        let what = What::Edit {
            status: change.status,
            amount: change.amount,
            description: change.description,
            transacted_at: change.transacted_at,
        };
        opened.record(&mut state, Change { at: now, bank_id: first_id, what })
    }

    /// Makes the balance read this now, in minor units of the account's currency; later movements
    /// count from there. Without `available`, what is available moves as far as what is current.
    pub fn set_balance(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
        current: i64,
        available: Option<i64>,
    ) -> Result<Steered<Balance>, SteerError> {
        let (opened, mut state) = self.steer(account)?;
        let second = Opened::second(now);
        let (posted, with_pending) = opened.books(&state.changes).sums(second, None);
        let currency = opened.currency();
        let sum = |sums: &super::ledger::Sums| sums.get(&currency).copied().unwrap_or(0);
        let moved = current.saturating_sub(sum(&posted));
        let available =
            available.map_or(moved, |available| available.saturating_sub(sum(&with_pending)));
        state.balance = Some(BalanceOffset { current: moved, available });
        Ok(Steered { made: opened.balance(&state, now), state: state.bytes() })
    }

    /// Makes the bank tell of these owners, whatever it told before; at most [`OWNERS_MAX`].
    pub fn set_owners(
        &self,
        account: &BankAccount<'_>,
        owners: Vec<BankOwner>,
    ) -> Result<Steered<Vec<BankOwner>>, SteerError> {
        let (_, mut state) = self.steer(account)?;
        if owners.len() > OWNERS_MAX {
            return Err(SteerError::TooManyOwners);
        }
        state.owners = Some(owners.clone());
        Ok(Steered { state: state.bytes(), made: owners })
    }

    /// Queues an outcome for coming refreshes and answers the queue.
    pub fn script(
        &self,
        account: &BankAccount<'_>,
        script: Script,
    ) -> Result<Steered<Vec<Script>>, SteerError> {
        let (_, mut state) = self.steer(account)?;
        if !state.takes_script() {
            return Err(SteerError::TooManyScripts);
        }
        let (delay_s, times) = (script.delay_s.max(0), script.times.max(1));
        state.scripts.push(Script { delay_s, times, ..script });
        Ok(Steered { state: state.bytes(), made: state.scripts })
    }

    /// The queue of outcomes that no refresh has taken yet.
    pub fn scripts(&self, account: &BankAccount<'_>) -> Result<Vec<Script>, SteerError> {
        Ok(self.steer(account)?.1.scripts)
    }

    /// Empties the queue. A refresh that has taken its outcome keeps it.
    pub fn clear_scripts(
        &self,
        account: &BankAccount<'_>,
    ) -> Result<Steered<Vec<Script>>, SteerError> {
        let (_, mut state) = self.steer(account)?;
        state.scripts.clear();
        Ok(Steered { state: state.bytes(), made: Vec::new() })
    }

    /// Every transaction in the bank's own books, vanished ones included, oldest first.
    pub fn ledger_entries(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
    ) -> Result<Vec<LedgerEntry>, SteerError> {
        let (opened, state) = self.steer(account)?;
        Ok(opened.books(&state.changes).entries(Opened::second(now)))
    }

    /// The balance in the bank's own books.
    pub fn ledger_balance(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
    ) -> Result<Balance, SteerError> {
        let (opened, state) = self.steer(account)?;
        Ok(opened.balance(&state, now))
    }

    /// The owners in the bank's own books; none where the bank does not tell.
    pub fn ledger_owners(
        &self,
        account: &BankAccount<'_>,
        now: AccountTime,
    ) -> Result<Vec<BankOwner>, SteerError> {
        let (opened, state) = self.steer(account)?;
        Ok(state.owners.unwrap_or_else(|| opened.owners(now)))
    }

    pub(super) fn steer(&self, account: &BankAccount<'_>) -> Result<(Opened, State), SteerError> {
        let opened = self.open(account).ok_or(SteerError::NotATestAccount)?;
        let state = State::find(account.state).ok_or(SteerError::NotATestAccount)?;
        Ok((opened, state))
    }
}

impl Opened {
    fn check_time(&self, at: AccountTime, now: AccountTime) -> Result<(), SteerError> {
        let (from, to) = (AccountTime(self.start), now);
        let allowed = (from..=to).contains(&at);
        if allowed { Ok(()) } else { Err(SteerError::TimeOutOfRange { from, to }) }
    }

    /// Writes a change into the log and answers what the books show then.
    fn record(
        &self,
        state: &mut State,
        change: Change,
    ) -> Result<Steered<LedgerEntry>, SteerError> {
        if !state.takes_change() {
            return Err(SteerError::TooManyChanges);
        }
        let (bank_id, now) = (change.bank_id.clone(), Opened::second(change.at));
        state.changes.push(change);
        let books = self.books(&state.changes);
        let shown_id = books.shown_id(bank_id, now);
        let made = books.find(&shown_id, now).ok_or(SteerError::UnknownTransaction)?;
        Ok(Steered { state: state.bytes(), made })
    }
}

/// Whether a transaction that stands so may be changed so. Posted ones never become pending again;
/// vanished ones may only be shown again.
fn allowed(status: TransactionStatus, wanted: Option<StatusChange>) -> bool {
    match (status, wanted) {
        (TransactionStatus::Pending, _)
        | (TransactionStatus::Posted, None | Some(StatusChange::Void))
        | (TransactionStatus::Void, Some(StatusChange::Pend)) => true,
        (TransactionStatus::Posted, Some(StatusChange::Post | StatusChange::Pend))
        | (TransactionStatus::Void, None | Some(StatusChange::Post | StatusChange::Void)) => false,
    }
}
