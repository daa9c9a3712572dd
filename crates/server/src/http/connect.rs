//! Connected accounts, the bank accounts that they are paid out to, and tokens.

pub(super) mod connected_account;
pub(super) mod external_account;
pub(super) mod token;
