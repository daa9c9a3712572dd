//! The values that a connector takes and returns.

use model::account::{
    AccountNumber, Category, ExpectedDeactivation, InactiveCause, PaymentMethodType, StatusAction,
    Subcategory,
};
use model::bank::{Balance, BankOwner, BankTransaction, Coverage, Feature, Removal};
use model::clock::AccountTime;
use model::id::InstitutionId;
use model::refresh::RefreshCause;

/// A bank in a link flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// The id.
    pub id: InstitutionId,
    /// The name, as objects show it.
    pub name: String,
    /// The purpose, in a sentence.
    pub description: String,
    /// True if the holder logs in on the bank's own page.
    pub oauth: bool,
    /// True if the holder also picks the accounts there.
    pub picks_accounts: bool,
    /// The features that the bank offers.
    pub features: Vec<Feature>,
    /// The accounts on offer, if they are known before a login (test banks).
    pub accounts: Vec<OfferedAccount>,
}

/// An account on offer after a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedAccount {
    /// The bank's own key, the same for each link of this account by this holder.
    pub bank_account: String,
    /// The name that the holder sees.
    pub name: String,
    /// The behaviour of a test account, in a sentence.
    pub description: String,
    /// The category.
    pub category: Category,
    /// The subcategory.
    pub subcategory: Subcategory,
    /// The last four digits of its number.
    pub last4: Option<String>,
    /// The payment methods that the account supports.
    pub supported_payment_method_types: Vec<PaymentMethodType>,
    /// True if the account is preselected for the holder.
    pub preselected: bool,
    /// The credential of this account.
    pub credential: Vec<u8>,
}

/// The start of a link.
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// The bank.
    pub institution: InstitutionId,
    /// The key of a test holder. One key sees the same banks at any time.
    pub holder_key: &'a str,
    /// The time at which the flow began.
    pub now: AccountTime,
}

/// The next step of a link flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Redirect the holder to the bank's page, and continue when the holder is back.
    Redirect {
        /// The argument of the next [`crate::Connector::advance`].
        state: Vec<u8>,
    },
    /// Ask the holder for these fields.
    Ask {
        /// The argument of the next [`crate::Connector::advance`].
        state: Vec<u8>,
        /// The names of the fields.
        fields: Vec<String>,
    },
    /// The login is done.
    Done {
        /// The accounts on offer.
        accounts: Vec<OfferedAccount>,
    },
}

/// The holder's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The holder came back from the bank's page.
    Returned,
    /// The holder filled the fields.
    Fields(Vec<(String, String)>),
}

/// A link that cannot continue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The bank is unknown.
    #[error("no such institution")]
    UnknownInstitution,
    /// The bank accepts no logins now.
    #[error("the institution is unavailable")]
    Unavailable {
        /// The end of the interruption, if it is known.
        until: Option<AccountTime>,
    },
    /// The bank rejected the login. The holder may try again.
    #[error("the login was rejected")]
    Rejected,
    /// The bank ended the login.
    #[error("the login failed")]
    Failed,
}

/// An account with the number that it has at its bank now. A bank may replace the number of a linked
/// account. The login then offers the account under another key, and the old one stays without
/// access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The key that the bank's login offers, which is that of the first number.
    pub offered: String,
    /// The bank's own key of the account with the current number.
    pub bank_account: String,
    /// The last four digits of the current number.
    pub last4: Option<String>,
    /// The credential of the account with the current number.
    pub credential: Vec<u8>,
}

/// The account of a call.
#[derive(Clone, Copy, Debug)]
pub struct BankAccount<'a> {
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's own key of the account.
    pub bank_account: &'a str,
    /// The time of the first link.
    pub linked_at: AccountTime,
    /// The time of the newest link, equal to `linked_at` if there was one link only.
    pub relinked_at: AccountTime,
    /// The credential from the login.
    pub credential: &'a [u8],
    /// The connector's own state, empty at first.
    pub state: &'a [u8],
}

/// A request for one page of one feature.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// The account.
    pub account: BankAccount<'a>,
    /// The feature.
    pub feature: Feature,
    /// The refresh's number among the refreshes of this feature.
    pub sequence: u32,
    /// The seconds since the refresh started, zero or more. They are counted by the account's test
    /// clock, or else in real time.
    pub waited_s: i64,
    /// The end of the last page, or of the last refresh.
    pub cursor: Option<&'a [u8]>,
    /// The account's time.
    pub now: AccountTime,
}

/// The response to a fetch. The new credential and the new state are stored even if the fetch
/// failed.
#[derive(Clone, Debug)]
pub struct FetchOutcome {
    /// The page, or an error.
    pub result: Result<FetchPage, FetchError>,
    /// The new credential.
    pub new_credential: Option<Vec<u8>>,
    /// The new state.
    pub new_state: Option<Vec<u8>>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPage {
    /// The content.
    pub records: Records,
    /// The start of the next page, or of the next refresh.
    pub next_cursor: Option<Vec<u8>>,
    /// True if another page follows at once.
    pub more: bool,
}

/// The records of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// A page of transactions.
    Transactions {
        /// The transactions as the bank shows them now.
        records: Vec<BankTransaction>,
        /// The transactions that vanished.
        removals: Vec<Removal>,
        /// The range that all pages of the fetch cover together. Each page has the same one.
        coverage: Coverage,
    },
    /// The balance. A bank may have none.
    Balance(Option<Balance>),
    /// The owners. A bank may have none.
    Owners(Vec<BankOwner>),
}

/// An error, as an instruction to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Retry at this time with the same cursor. The refresh stays pending.
    #[error("the institution asked for a retry later")]
    RetryAfter {
        /// The time.
        at: AccountTime,
        /// The cause to report if no retry succeeds.
        cause: RefreshCause,
    },
    /// The holder must log in again.
    #[error("the institution requires a new login")]
    NeedsLogin {
        /// The cause.
        cause: RefreshCause,
    },
    /// The account is gone.
    #[error("the account no longer exists")]
    AccountGone {
        /// The cause.
        cause: RefreshCause,
    },
    /// The bank does not offer this feature.
    #[error("the institution does not offer this data")]
    Unsupported,
    /// The fetch failed. The next refresh may succeed.
    #[error("the institution returned an error")]
    Broken {
        /// The cause.
        cause: RefreshCause,
    },
}

/// The state of an account's access and numbers, which the bank changes on its own, at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Present if the access is lost.
    pub lost: Option<(InactiveCause, StatusAction)>,
    /// Present if a loss is expected. `announced` is true if it is thirty days away or less.
    pub expected_deactivation: Option<ExpectedDeactivation>,
    /// The account numbers. `announced` is true if the expiry is thirty days away or less.
    pub account_numbers: Vec<AccountNumber>,
    /// The time of the next change.
    pub next_change_at: Option<AccountTime>,
}
