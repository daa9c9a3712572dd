//! The test kit: the one harness of all tests, benches and checks.
//!
//! | module | content | feature |
//! |---|---|---|
//! | [`clock`], [`rng`] | time that only a test moves, and repeatable randomness | – |
//! | [`follower`] | the follower of the documents, without a transport | – |
//! | [`objects`] | sample objects of the model | – |
//! | [`show`] | texts for snapshots | – |
//! | [`client`], [`receiver`] | an API client, and an HTTP server for webhooks | `http` |
//! | [`process`] | the real binary as a child process | `http` |
//! | [`gate`] | a gate that holds a call back before one of its writes | `server` |
//! | [`engine`], [`server`] | the engine alone, and behind HTTP in this process | `server` |
//! | [`sample`], [`payments`] | calls that create and find the objects that many tests need | `server` |
//!
//! The program depends on this crate for `bankfeed demo`, with the feature `http`. [`follower`] and
//! [`receiver`] therefore return errors. The other modules panic, as tests do.
//! A crash of the process leaves no state of this crate behind.

pub mod clock;
pub mod follower;
pub mod objects;
pub mod rng;
pub mod show;

#[cfg(feature = "http")]
pub mod client;
#[cfg(feature = "http")]
pub mod process;
#[cfg(feature = "http")]
pub mod receiver;

#[cfg(feature = "server")]
pub mod engine;
#[cfg(feature = "server")]
pub mod gate;
#[cfg(feature = "server")]
pub mod payments;
#[cfg(feature = "server")]
pub mod sample;
#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "http")]
pub use crate::client::{Client, HOLDER, KEY, MONTHLY, NUMBERS, ONE_ITEM, Response};
#[cfg(feature = "server")]
pub use crate::payments::{CHECKOUT, INTENTS, SETUP_INTENTS, SUBSCRIPTIONS, path_of};
#[cfg(feature = "http")]
pub use crate::receiver::Recorder;
#[cfg(feature = "server")]
pub use crate::sample::{ACCEPTED, CONNECTIONS, DAY_S, FC, HELPERS, LINK, OPTIONS, typed_numbers};
#[cfg(feature = "server")]
pub use crate::server::{App, BEGIN_S, Backend, Behind, Options, start_process};
