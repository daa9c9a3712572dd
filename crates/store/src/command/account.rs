//! Bank accounts and what connectors keep beside them.

use crate::{Listed, Object, ObjectPlace, Page, Reply, Written};
use model::account::{Account, Holder};
use model::bank::Feature;
use model::clock::AccountTime;
use model::event::Event;
use model::id::{AccountId, AuthorizationId, ClockId, InstitutionId, MerchantId, OwnershipId};
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus};
use std::collections::BTreeMap;

/// What a connector keeps beside an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The account.
    pub account: AccountId,
    /// Whose.
    pub merchant: MerchantId,
    /// Raised by every change, from 1.
    pub version: u64,
    /// When it was last linked again, else when it was linked.
    pub relinked_at: AccountTime,
    /// What the login gave. Stored sealed.
    pub credential: Vec<u8>,
    /// The connector's own state; empty at first.
    pub state: Vec<u8>,
    /// Where the last successful refresh of each feature ended.
    pub cursors: BTreeMap<Feature, Vec<u8>>,
}

/// A change of one account with all that belongs into its commit.
///
/// `Stale` unless the stored version of the account is one below the new one; if a connection is
/// carried, the same holds for it.
#[derive(Clone, Debug)]
pub struct AccountChange {
    /// The account, with its version raised by one.
    pub account: Account,
    /// Refreshes that it starts, as jobs.
    pub started: Vec<RefreshJob>,
    /// Pending refreshes that it ends by itself (an interruption): as they ended.
    pub ended: Vec<(RefreshKey, RefreshStatus)>,
    /// The connection, with its version raised by one.
    pub connection: Option<Connection>,
    /// What happened.
    pub events: Vec<Event>,
}

impl AccountChange {
    /// A change of nothing but the account itself.
    pub fn of(account: Account) -> Self {
        Self {
            account,
            started: Vec::new(),
            ended: Vec::new(),
            connection: None,
            events: Vec::new(),
        }
    }
}

/// A newly linked account, at version 1.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// What the connector keeps beside it, at version 1.
    pub connection: Connection,
    /// Refreshes that it starts, as jobs.
    pub started: Vec<RefreshJob>,
    /// What happened.
    pub events: Vec<Event>,
}

/// Ends a link flow: its objects (the carrier above all), the new accounts and those that were
/// linked before, in one.
///
/// `Stale` unless every version fits, and when another link of the same bank account by the same
/// holder was committed meanwhile: (merchant, customer, institution, bank account) is unique among
/// accounts that are not disconnected. Accounts without a customer are never compared.
#[derive(Clone, Debug)]
pub struct CompleteLink {
    /// The carrier and what changes with it, by the rule of [`crate::ChangeObjects`]: made at
    /// version 1, else replaced.
    pub objects: Vec<Object>,
    /// Accounts linked for the first time.
    pub new: Vec<NewAccount>,
    /// Accounts linked again.
    pub again: Vec<AccountChange>,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(CompleteLink => Written, account::complete_link);

/// Changes an account. Answers [`crate::Written`].
#[derive(Clone, Debug)]
pub struct ChangeAccount {
    /// The change.
    pub change: AccountChange,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(ChangeAccount => Written, account::change);

/// Finds an account. Answers `Option<Account>`.
#[derive(Clone, Copy, Debug)]
pub struct FindAccount {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub account: AccountId,
}

reads!(FindAccount => Option<Account>, account::find);

/// Finds the account, not disconnected, that stands for a bank account of a customer.
#[derive(Clone, Debug)]
pub struct FindLinkedAccount {
    /// Whose.
    pub merchant: MerchantId,
    /// The holder; only customers are ever found.
    pub holder: Holder,
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's own key.
    pub bank_account: String,
}

reads!(FindLinkedAccount => Option<Account>, account::find_linked);

/// Lists accounts, `created` descending, then id descending. Answers `Listed<Account>`.
#[derive(Clone, Debug)]
pub struct ListAccounts {
    /// Whose.
    pub merchant: MerchantId,
    /// Which of them.
    pub of: AccountsOf,
    /// Which page; the place's number is the account's.
    pub page: Page<ObjectPlace>,
}

reads!(ListAccounts => Listed<Account>, account::list);

/// Which accounts a list holds.
#[derive(Clone, Debug)]
pub enum AccountsOf {
    /// All.
    Merchant,
    /// Those of one holder.
    Holder(Holder),
    /// Those on one test clock.
    Clock(ClockId),
    /// Those linked with one login.
    Authorization(AuthorizationId),
    /// These, at most [`model::limits::LINKED_ACCOUNTS_MAX`].
    Ids(Vec<AccountId>),
}

/// Finds a connection. Answers `Option<Connection>`.
#[derive(Clone, Copy, Debug)]
pub struct FindConnection {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which account.
    pub account: AccountId,
}

reads!(FindConnection => Option<Connection>, account::find_connection);

/// Replaces a connection. Answers [`crate::Written`]: `Stale` unless the stored version is one
/// below the new one.
#[derive(Clone, Debug)]
pub struct ChangeConnection {
    /// The connection, with its version raised by one.
    pub connection: Connection,
    /// The answer to keep.
    pub reply: Option<Reply>,
}

writes!(ChangeConnection => Written, account::change_connection);

/// Finds a snapshot of owners. Answers `Option<Ownership>`.
#[derive(Clone, Copy, Debug)]
pub struct FindOwnership {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub ownership: OwnershipId,
}

reads!(FindOwnership => Option<Ownership>, account::find_ownership);
