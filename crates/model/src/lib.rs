//! Values and pure functions: the objects of bankfeed, their state machines, and the diff of a
//! refresh.
//!
//! This crate does no I/O, is not async, and knows neither SQL nor JSON. Time and randomness are
//! arguments ([`clock::Clock`], [`clock::Rng`]). Money is integer minor units. Every bound of the
//! product is in [`limits`].

pub mod account;
pub mod authorization;
pub mod bank;
pub mod calendar;
pub mod clock;
pub mod collection;
pub mod color;
pub mod connected_account;
pub mod connections_settings;
pub mod counted;
pub mod customer;
mod daily;
pub mod delivery;
pub mod diff;
mod digits;
pub mod endpoint;
pub mod event;
pub mod extra_params;
pub mod id;
pub mod inferred_balance;
pub mod key;
pub mod limits;
pub mod link;
pub mod money;
pub mod nearest;
pub mod numbers;
pub mod opaque;
pub mod ownership;
pub mod payments;
pub mod refresh;
pub mod session;
pub mod share;
pub mod snapshot;
pub mod stored;
pub mod thin;
pub mod time;
pub mod token;
pub mod transaction;
pub mod undone;
mod word;

pub use word::Word;
