//! Tests of the command line: the built binary runs against servers of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod accounts;
mod backup;
mod clocks;
mod demo;
mod doctor;
mod ends;
mod events;
mod export;
mod faults;
mod files;
mod global_flags;
mod help;
mod judge;
mod key_files;
mod listen;
mod logs;
mod mcp;
mod network;
mod process;
mod raw;
mod reset;
mod run;
mod snapshots;
mod starting;
mod suggestions;
mod support;
mod terminal;
mod tls;
