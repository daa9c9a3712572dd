//! Connected accounts, the bank accounts that receive their payouts, and tokens.

pub(super) mod connected_account;
pub(super) mod external_account;
pub(super) mod token;
