//! Connected accounts with their external accounts, and bank account tokens.

pub mod connected_account;
pub mod token;
