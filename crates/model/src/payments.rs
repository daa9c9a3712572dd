//! Objects of payments: what can lead to a bank account, and what it leads to.

pub mod checkout;
pub mod dispute;
pub mod intent;
pub mod invoice;
pub mod mandate;
pub mod method_configuration;
pub mod payment_method;
pub mod product;
pub mod subscription;
