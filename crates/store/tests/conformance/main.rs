//! What every back end of the store must do: each test runs on `SQLite` and on the plain
//! collections, and a property test sends random lists of commands to both and compares.

mod account;
mod agree;
mod bed;
mod clock;
mod concurrent;
mod delivery;
mod event;
mod object;
mod prune;
mod refresh;
mod reply;
mod steps;
mod transaction;
