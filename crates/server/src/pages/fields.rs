//! The names of form fields. The pages write them and [`super::form`] reads them.

pub(super) const STEP: &str = "step";
pub(super) const VERSION: &str = "version";
pub(super) const INSTITUTION: &str = "institution";
pub(super) const ACCOUNT: &str = "account";
pub(super) const NAME: &str = "name";
pub(super) const AMOUNT: &str = "amount";
pub(super) const EMAIL: &str = "email";
pub(super) const CODE: &str = "code";
pub(super) const ROUTING_NUMBER: &str = "routing_number";
pub(super) const ACCOUNT_NUMBER: &str = "account_number";
pub(super) const ACCOUNT_NUMBER_AGAIN: &str = "account_number_again";
pub(super) const HOLDER_TYPE: &str = "holder_type";
pub(super) const ACCOUNT_TYPE: &str = "account_type";
/// The search text for the list of banks.
pub(super) const QUERY: &str = "q";
/// A flag: the page is shown in a frame of another page.
pub(super) const FRAME: &str = "frame";
/// The prefix of the names that a bank gives its fields.
pub(super) const BANK_FIELD: &str = "bank_";
/// A flag: the bank is contacted, and the next pane follows.
pub(super) const CONNECTING: &str = "connecting";
/// A flag: the page asks if the holder wants to leave.
pub(super) const LEAVE: &str = "leave";
/// A flag: the holder has left.
pub(super) const LEFT: &str = "left";
