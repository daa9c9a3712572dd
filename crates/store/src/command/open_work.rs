//! The open work of one merchant, for calls that wait until it is done.

use crate::Object;
use model::account::Account;
use model::clock::{AccountTime, ServerTime};
use model::delivery::DeliveryKey;
use model::id::{ClockId, EndpointId, MerchantId};
use model::refresh::RefreshJob;

/// Lists the work of a merchant that is due or in progress, a number of rows of each kind. Returns
/// [`OpenWork`]. Events that wait for their dispatch have a list of their own
/// ([`crate::ListUndispatched`]).
#[derive(Clone, Debug)]
pub struct ListOpenWork {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The endpoints with the deliveries to list.
    pub endpoints: Vec<EndpointId>,
    /// The current server time.
    pub now: ServerTime,
    /// The current time of accounts and objects without a test clock.
    pub account_now: AccountTime,
    /// The maximum number of rows of each kind, and of deliveries to each endpoint.
    pub limit: usize,
}

reads!(ListOpenWork => OpenWork, open_work::list);

/// The open work of a merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenWork {
    /// Test clocks that are advancing, in the order of their ids.
    pub clocks: Vec<ClockId>,
    /// Due objects without a test clock, such as a payment that settles, earliest first.
    pub objects: Vec<Object>,
    /// Accounts without a test clock that have a due daily refresh or a due change at their bank,
    /// earliest first.
    pub accounts: Vec<Account>,
    /// Pending refreshes that may run, claimed or not, earliest first. Those on an advancing test
    /// clock belong to its advance and are listed too.
    pub refreshes: Vec<RefreshJob>,
    /// Deliveries whose first attempt is still to be made or recorded, by endpoint, the oldest event
    /// first.
    pub deliveries: Vec<DeliveryKey>,
}
