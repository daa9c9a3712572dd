//! Bank accounts and their connections.

use crate::command::summary;
use crate::{IdempotencyRecord, Listed, Object, ObjectPlace, Page, Precondition, Written};
use model::account::{Account, Holder};
use model::bank::Feature;
use model::clock::AccountTime;
use model::event::Event;
use model::id::{AccountId, AuthorizationId, ClockId, InstitutionId, MerchantId, OwnershipId};
use model::ownership::Ownership;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus};
use std::collections::BTreeMap;

/// The connector's data of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The account's id.
    pub account: AccountId,
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The version, raised by every change. It starts at 1.
    pub version: u64,
    /// The time of the last relink, or of the first link.
    pub relinked_at: AccountTime,
    /// The credential that the login returned. Stored sealed.
    pub credential: Vec<u8>,
    /// The connector's own state. It is empty at first.
    pub state: Vec<u8>,
    /// The cursor after the last successful refresh of each feature.
    pub cursors: BTreeMap<Feature, Vec<u8>>,
}

impl Connection {
    /// The next version, without credential, state and cursors.
    #[must_use]
    pub fn erased(self) -> Self {
        Self {
            version: self.version + 1,
            credential: Vec::new(),
            state: Vec::new(),
            cursors: BTreeMap::new(),
            ..self
        }
    }

    /// True if there is neither credential nor state nor cursor.
    pub fn is_erased(&self) -> bool {
        self.credential.is_empty() && self.state.is_empty() && self.cursors.is_empty()
    }
}

/// A change of one account, with everything that is committed with it.
///
/// It is a version conflict unless the stored version of the account is one below the new one. The
/// same holds for the connection, if the change carries one. It is also a version conflict to give a
/// disconnected account another status.
#[derive(Clone, Debug)]
pub struct AccountChange {
    /// The account, with its version raised by one.
    pub account: Account,
    /// Jobs of the refreshes that the change starts.
    pub started: Vec<RefreshJob>,
    /// Pending refreshes that the change interrupts, with the status they end with.
    pub ended: Vec<(RefreshKey, RefreshStatus)>,
    /// The connection, with its version raised by one.
    pub connection: Option<Connection>,
    /// The cursors of a connection that stays the same otherwise.
    pub cursors: Option<Cursors>,
    /// Events to emit.
    pub events: Vec<Event>,
}

/// New cursors of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursors {
    /// The version of the connection, raised by one.
    pub version: u64,
    /// All cursors, by feature.
    pub by_feature: BTreeMap<Feature, Vec<u8>>,
}

impl AccountChange {
    /// A change of the account alone.
    pub fn of(account: Account) -> Self {
        Self {
            account,
            started: Vec::new(),
            ended: Vec::new(),
            connection: None,
            cursors: None,
            events: Vec::new(),
        }
    }
}

/// A newly linked account, at version 1.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// The connector's data, at version 1.
    pub connection: Connection,
    /// Jobs of the refreshes that the change starts.
    pub started: Vec<RefreshJob>,
    /// Events to emit.
    pub events: Vec<Event>,
}

/// Ends a link flow. One command stores its objects, the new accounts and the relinked accounts.
///
/// It is a version conflict unless every version matches. It is also one if the same holder linked
/// the same bank account meanwhile. The reason is that (merchant, customer, institution, bank
/// account) is unique among accounts that are not disconnected. Accounts without a customer are
/// never compared.
#[derive(Clone, Debug)]
pub struct CompleteLink {
    /// The carrier of the flow and the objects that change with it. As in [`crate::ChangeObjects`],
    /// an object at version 1 is created and any other replaced.
    pub objects: Vec<Object>,
    /// The facts that the decision rests on.
    pub requires: Vec<Precondition>,
    /// Accounts that are linked for the first time.
    pub new: Vec<NewAccount>,
    /// Accounts that are linked again.
    pub again: Vec<AccountChange>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

impl CompleteLink {
    /// A link of new accounts, without idempotency record and preconditions.
    pub fn of(objects: Vec<Object>, new: Vec<NewAccount>) -> Self {
        Self { objects, requires: vec![], new, again: vec![], reply: None }
    }
}

writes!(CompleteLink => Written, account::complete_link, summary::of_link; prepared::of_link);

/// Changes an account. Returns [`crate::Written`].
#[derive(Clone, Debug)]
pub struct ChangeAccount {
    /// The change.
    pub change: AccountChange,
    /// The facts that the decision rests on.
    pub requires: Vec<Precondition>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

impl ChangeAccount {
    /// The change of an account, without idempotency record and preconditions.
    pub fn of(change: AccountChange) -> Self {
        Self { change, requires: vec![], reply: None }
    }
}

writes!(ChangeAccount => Written, account::change, summary::of_account; prepared::of_account);

/// Finds an account. Returns `Option<Account>`.
#[derive(Clone, Copy, Debug)]
pub struct FindAccount {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The account's id.
    pub account: AccountId,
}

reads!(FindAccount => Option<Account>, account::find);

/// Finds the linked account of a customer's bank account. Disconnected accounts are left out.
#[derive(Clone, Debug)]
pub struct FindLinkedAccount {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The holder. Only accounts of customers are found.
    pub holder: Holder,
    /// The institution's id.
    pub institution: InstitutionId,
    /// The bank's own key of the bank account.
    pub bank_account: String,
}

reads!(FindLinkedAccount => Option<Account>, account::find_linked);

/// Lists accounts, `created` descending, then id descending. Returns `Listed<Account>`.
#[derive(Clone, Debug)]
pub struct ListAccounts {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The filter of the list.
    pub of: AccountsOf,
    /// The page to return. The number of its cursor is the account's.
    pub page: Page<ObjectPlace>,
}

reads!(ListAccounts => Listed<Account>, account::list);

/// The filter of a list of accounts.
#[derive(Clone, Debug)]
pub enum AccountsOf {
    /// All accounts.
    Merchant,
    /// Accounts of one holder.
    Holder(Holder),
    /// Accounts on one test clock.
    Clock(ClockId),
    /// Accounts that were linked with one login.
    Authorization(AuthorizationId),
    /// These accounts, at most [`model::limits::LINKED_ACCOUNTS_MAX`].
    Ids(Vec<AccountId>),
}

/// Finds a connection. Returns `Option<Connection>`.
#[derive(Clone, Copy, Debug)]
pub struct FindConnection {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The account's id.
    pub account: AccountId,
}

reads!(FindConnection => Option<Connection>, connection::find);

/// Replaces a connection. Returns [`crate::Written`]. It is a version conflict unless the stored
/// version is one below the new one.
#[derive(Clone, Debug)]
pub struct ChangeConnection {
    /// The connection, with its version raised by one.
    pub connection: Connection,
    /// The facts that the decision rests on.
    pub requires: Vec<Precondition>,
    /// The idempotency record to store.
    pub reply: Option<IdempotencyRecord>,
}

impl ChangeConnection {
    /// The change of a connection, without idempotency record and preconditions.
    pub fn of(connection: Connection) -> Self {
        Self { connection, requires: vec![], reply: None }
    }
}

writes!(ChangeConnection => Written, connection::change, summary::of_connection; prepared::of_connection);

/// Finds an ownership, the list of an account's owners at one time. Returns `Option<Ownership>`.
#[derive(Clone, Copy, Debug)]
pub struct FindOwnership {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The id of the ownership.
    pub ownership: OwnershipId,
}

reads!(FindOwnership => Option<Ownership>, account::find_ownership);
