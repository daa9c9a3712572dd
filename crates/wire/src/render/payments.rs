//! Rendering of the objects of payments.

pub mod balance;
pub mod charge;
pub mod checkout;
pub mod confirmation_token;
pub mod dispute;
pub mod intent;
pub mod invoice;
pub mod mandate;
pub mod method_configuration;
pub mod payment_method;
pub mod product;
pub mod refund;
pub mod subscription;
