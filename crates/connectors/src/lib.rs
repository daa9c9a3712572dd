//! Bank data sources. They never see the store, never sleep and never retry by themselves: they
//! answer, and the engine decides.
//!
//! A connector serves institutions. A link goes through [`Connector::begin`] and
//! [`Connector::advance`] until it is done and gives a credential and the accounts on offer. From
//! then on [`Connector::fetch`] brings one page of one feature of one account at a time,
//! [`Connector::watch`] tells what the bank does to an account by itself (closes it, ends the
//! access), and [`Connector::revoke`] ends the access.
//!
//! A connector may keep bytes of its own beside an account (its *state*) and beside a feature (its
//! *cursor*); the engine stores them, the cursor in the same command as the rows it stands for.
//! A new credential or state is stored at once, also when the fetch failed, before any further
//! call; so a crash never loses a credential that the bank has replaced.

#[cfg(test)]
mod contract;
pub mod sandbox;

use model::account::{
    AccountNumber, Category, ExpectedDeactivation, InactiveCause, PaymentMethodType, StatusAction,
    Subcategory,
};
use model::bank::{Balance, BankOwner, BankTransaction, Coverage, Feature, Removal};
use model::clock::AccountTime;
use model::id::InstitutionId;
use model::refresh::RefreshCause;
use sandbox::Sandbox;

/// A bank as link flows offer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// Its id.
    pub id: InstitutionId,
    /// Its name, as objects show it.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// Whether the holder logs in on the bank's own page.
    pub oauth: bool,
    /// Whether the holder picks the accounts there, too.
    pub picks_accounts: bool,
    /// The features it gives.
    pub features: Vec<Feature>,
    /// The accounts it would offer, where that is known before a login (test banks).
    pub accounts: Vec<OfferedAccount>,
}

/// An account on offer after a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedAccount {
    /// The bank's own key, the same whenever the holder links the account.
    pub bank_account: String,
    /// The name by which a holder picks it.
    pub name: String,
    /// What it does, in a sentence, for test accounts.
    pub description: String,
    /// Its kind.
    pub category: Category,
    /// Its kind within the category.
    pub subcategory: Subcategory,
    /// The last four digits of its number.
    pub last4: Option<String>,
    /// What it can pay by.
    pub supported_payment_method_types: Vec<PaymentMethodType>,
    /// Whether it is picked unless the holder picks others.
    pub preselected: bool,
    /// The credential of this account.
    pub credential: Vec<u8>,
}

/// Who links, as far as a connector needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// The bank.
    pub institution: InstitutionId,
    /// What makes a test holder's banks repeat: the same key sees the same bank for ever.
    pub holder_key: &'a str,
    /// When the flow began.
    pub now: AccountTime,
}

/// What a link flow has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the holder to the bank's page and come back with what it says.
    Redirect {
        /// What to call [`Connector::advance`] with.
        state: Vec<u8>,
    },
    /// Ask the holder for these fields.
    Ask {
        /// What to call [`Connector::advance`] with.
        state: Vec<u8>,
        /// The names of the fields.
        fields: Vec<String>,
    },
    /// The login is done.
    Done {
        /// What the holder may pick.
        accounts: Vec<OfferedAccount>,
    },
}

/// What the holder did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Came back from the bank's page.
    Returned,
    /// Filled the fields.
    Fields(Vec<(String, String)>),
}

/// Why a link cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No such bank.
    #[error("no such institution")]
    UnknownInstitution,
    /// The bank takes no logins now.
    #[error("the institution is unavailable")]
    Unavailable {
        /// When it will, if it says so.
        until: Option<AccountTime>,
    },
    /// The bank refused the login; the holder may try again.
    #[error("the login was refused")]
    Refused,
    /// The bank ended the login.
    #[error("the login failed")]
    Failed,
}

/// The account that a call is about.
#[derive(Clone, Copy, Debug)]
pub struct BankAccount<'a> {
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's own key of the account.
    pub bank_account: &'a str,
    /// When it was linked.
    pub linked_at: AccountTime,
    /// When it was last linked again, else `linked_at`.
    pub relinked_at: AccountTime,
    /// What the login gave.
    pub credential: &'a [u8],
    /// The connector's own state; empty at first.
    pub state: &'a [u8],
}

/// One page of one feature.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// Of which account.
    pub account: BankAccount<'a>,
    /// Which feature.
    pub feature: Feature,
    /// The place of the refresh in the order of this feature's refreshes.
    pub sequence: u32,
    /// For how many seconds the refresh has been pending: by the account's test clock, else by real
    /// time. Zero or more.
    pub waited_s: i64,
    /// Where the last page, or the last refresh, ended.
    pub cursor: Option<&'a [u8]>,
    /// The time of the account.
    pub now: AccountTime,
}

/// What a fetch says, and what is to be stored whether it worked or not.
#[derive(Clone, Debug)]
pub struct FetchAnswer {
    /// The page, or why there is none.
    pub result: Result<FetchPage, FetchError>,
    /// Replaces the credential.
    pub new_credential: Option<Vec<u8>>,
    /// Replaces the state.
    pub new_state: Option<Vec<u8>>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPage {
    /// What it holds.
    pub records: Records,
    /// Where the next page, or the next refresh, begins.
    pub next_cursor: Option<Vec<u8>>,
    /// Whether another page follows at once.
    pub more: bool,
}

/// The records of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// Of transactions.
    Transactions {
        /// As the bank shows them now.
        records: Vec<BankTransaction>,
        /// Those it says are gone.
        removals: Vec<Removal>,
        /// What all pages of the fetch together speak for; the same on each of them.
        coverage: Coverage,
    },
    /// Of the balance; a bank may give none.
    Balance(Option<Balance>),
    /// Of the owners; a bank may give none.
    Owners(Vec<BankOwner>),
}

/// What the engine is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Ask again at this time, with the same cursor; the refresh stays pending.
    #[error("the institution asks to come back later")]
    RetryAfter {
        /// When.
        at: AccountTime,
        /// What to report if it never works.
        cause: RefreshCause,
    },
    /// The holder must log in again.
    #[error("the institution asks for a new login")]
    NeedsLogin {
        /// Why.
        cause: RefreshCause,
    },
    /// The account is gone.
    #[error("the account is gone")]
    AccountGone {
        /// Why.
        cause: RefreshCause,
    },
    /// The bank does not give this feature.
    #[error("the institution does not offer this data")]
    Unsupported,
    /// The fetch failed; the next refresh may work.
    #[error("the institution failed")]
    Broken {
        /// Why.
        cause: RefreshCause,
    },
}

/// What the bank does to an account by itself, as of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Set when the access is lost.
    pub lost: Option<(InactiveCause, StatusAction)>,
    /// Set when a loss is foreseen. `announced` says whether thirty days or less are left.
    pub expected_deactivation: Option<ExpectedDeactivation>,
    /// The numbers. `announced` says whether an expiry is thirty days away or less.
    pub account_numbers: Vec<AccountNumber>,
    /// When any of this changes next.
    pub next_change_at: Option<AccountTime>,
}

/// Every kind of bank data source.
#[derive(Clone, Debug)]
pub enum Connector {
    /// The test banks.
    Sandbox(Sandbox),
}

impl Connector {
    /// The banks that it serves, featured ones first.
    pub fn institutions(&self) -> Vec<Institution> {
        match self {
            Self::Sandbox(sandbox) => sandbox.institutions(),
        }
    }

    /// The bank of a name or id: current or older name in any case, our id or a published one.
    pub fn find_institution(&self, name_or_id: &str) -> Option<Institution> {
        match self {
            Self::Sandbox(sandbox) => sandbox.find_institution(name_or_id),
        }
    }

    /// Begins a link.
    pub fn begin(&self, begin: &Begin<'_>) -> Result<Step, LinkError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.begin(begin),
        }
    }

    /// Goes on with a link after the holder did something.
    pub fn advance(&self, state: &[u8], input: &Input) -> Result<Step, LinkError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.advance(state, input),
        }
    }

    /// Fetches one page.
    pub fn fetch(&self, fetch: &Fetch<'_>) -> FetchAnswer {
        match self {
            Self::Sandbox(sandbox) => sandbox.fetch(fetch),
        }
    }

    /// Tells what the bank does to an account by itself.
    pub fn watch(&self, account: &BankAccount<'_>, now: AccountTime) -> Watch {
        match self {
            Self::Sandbox(sandbox) => sandbox.watch(account, now),
        }
    }

    /// Ends the access to an account at the bank.
    pub fn revoke(&self, account: &BankAccount<'_>) {
        match self {
            // A test bank has no access to end.
            Self::Sandbox(_) => {
                let _ = account;
            }
        }
    }
}
