//! Plain values and pure functions: the objects of bankfeed, their state machines, and the diff
//! that is the heart of a refresh.
//!
//! Nothing here does I/O, waits, knows SQL or writes JSON. Time and randomness arrive as
//! arguments ([`clock::Clock`], [`clock::Rng`]), money is integer minor units, and every bound of
//! the product stands in [`limits`].

pub mod account;
pub mod authorization;
pub mod bank;
pub mod calendar;
pub mod clock;
pub mod collection;
pub mod connected_account;
pub mod connections_settings;
pub mod customer;
pub mod date;
pub mod delivery;
pub mod diff;
mod digits;
pub mod endpoint;
pub mod event;
pub mod fault;
pub mod finding;
pub mod given;
pub mod id;
pub mod key;
pub mod limits;
pub mod link;
pub mod money;
pub mod numbers;
pub mod ownership;
pub mod payments;
pub mod refresh;
pub mod scenario;
pub mod session;
pub mod snapshot;
pub mod stored;
pub mod time;
pub mod token;
pub mod transaction;
mod word;

pub use word::Word;
