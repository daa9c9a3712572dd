//! The test banks: a connector like any other, except that it computes its data. All data is a pure
//! function of the account's seed, the time, and the changes that tests made.
//!
//! - `catalogue`: the banks and accounts. `identity`: the credential of an account. `bank`: a bank
//!   as clients see it. `link`: the login.
//! - `row`: one movement. `pattern`: the kinds of accounts of the catalogue. `generator` and `day`:
//!   their rows. `plan` and `routine`: an account of a scenario and its rows. `profile`: the rows of
//!   either, day by day. `banking`: the days on which a bank posts.
//! - `life`: the income and the habits of a holder. `checking`: the rows of a checking account for
//!   them. `budget`: the money that such an account needs. `texts` and `wording`: the texts of rows.
//! - `sums`: sums by currency. `state`: the changes that tests made. `touched`: a changed
//!   transaction. `ledger`: the ledger with these changes applied. `ledger_page`: a page of it.
//!   `running`: its balance at the end of each day.
//! - `watch`: the end of accesses and account numbers. `owners`: the owners of an account.
//! - `account`: an opened account. `banks`: all banks of a server.
//! - `fetch`: a fetch. `feed`: its pages of transactions. `cursor`: the end of a page.
//! - `control`: changes by tests, and reads of the ledger. `export`: an account's history as a
//!   scenario.
//! - `scenario`: readers and writers of scenario files.
//!
//! The imports have no cycles. The sandbox stores no data between calls, so a crash loses no data.

mod account;
mod bank;
mod banking;
mod banks;
mod budget;
mod catalogue;
mod checking;
mod control;
mod cursor;
mod day;
pub mod export;
mod feed;
mod fetch;
mod generator;
mod identity;
mod ledger;
mod ledger_page;
mod life;
mod link;
mod owners;
mod pattern;
mod plan;
mod profile;
mod random;
mod routine;
mod row;
mod running;
pub mod scenario;
mod state;
mod sums;
#[cfg(test)]
mod tests;
mod texts;
mod touched;
mod watch;
mod wording;

pub use banks::Sandbox;
pub use control::{Applied, ControlError, NewTransaction, SandboxControl, TransactionChange};
pub use ledger::LedgerEntry;
pub use ledger_page::{LedgerPage, LedgerPosition};
pub use state::{OWNERS_MAX, Script, StatusChange};
