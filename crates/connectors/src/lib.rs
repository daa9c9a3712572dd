//! Bank data sources. A connector never sees the store, never sleeps and never retries. It returns
//! data and errors, and the engine decides.
//!
//! - A connector serves institutions. A link calls [`Connector::begin`], and then
//!   [`Connector::advance`] until the login is done. The result is a credential and the accounts on
//!   offer.
//! - [`Connector::fetch`] returns one page of one feature of one account. [`Connector::watch`]
//!   reports changes that the bank makes on its own, such as a closed account.
//!   [`Connector::revoke`] ends the access.
//! - A connector may store its own bytes beside an account (its *state*) and beside a feature (its
//!   *cursor*). The engine stores them for it, and stores a cursor in the same command as its rows.
//! - After a crash, no credential is missing: a new credential or state is stored before any
//!   further call, even if the fetch failed.

mod connector;
#[cfg(test)]
mod contract;
mod interface;
pub mod sandbox;

pub use connector::Connector;
pub use interface::{
    BankAccount, Begin, Fetch, FetchError, FetchOutcome, FetchPage, Input, Institution, LinkError,
    OfferedAccount, Records, Replacement, Step, Watch,
};
