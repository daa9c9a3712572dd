//! Connect: connected accounts, their external accounts and tokens, and acting for them.

pub mod access;
pub mod connected_account;
pub mod external_account;
pub mod token;
