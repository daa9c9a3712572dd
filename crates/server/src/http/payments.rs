//! The calls of payments.

pub(super) mod balance;
pub(super) mod charge;
pub(super) mod checkout;
pub(super) mod confirmation_token;
pub(super) mod dispute;
pub(super) mod empty_list;
pub(super) mod intent;
pub(super) mod invoice;
pub(super) mod method_configuration;
pub(super) mod payment_method;
pub(super) mod plan;
pub(super) mod product;
pub(super) mod refund;
pub(super) mod search;
pub(super) mod subscription;
