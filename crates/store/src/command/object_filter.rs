//! Filters of objects: the objects of a list, and the filters of each kind.
//!
//! An object has an index entry for each of its filters and values ([`model::stored::Filter`]). The
//! commands that write objects write the entries too, in the same commit. A deleted object has no
//! entries.

use crate::{Kind, Object};
use model::id::{ClockId, CustomerId, MerchantId};
use model::stored::{Filter, clock_value};
use std::fmt::Display;

/// The objects of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsOf {
    /// All objects.
    All,
    /// Objects with this lookup text.
    Lookup(String),
    /// Objects of one customer.
    Customer(CustomerId),
    /// Objects with one of these values of a filter, which the kind must have.
    Filter(Filter, Vec<String>),
    /// The objects with these numbers.
    Numbers(Vec<u64>),
}

impl ObjectsOf {
    /// Objects with one value of a filter.
    pub fn value(filter: Filter, value: &(impl Display + ?Sized)) -> Self {
        Self::Filter(filter, vec![value.to_string()])
    }

    /// Objects on a test clock, or without one.
    pub fn on_clock(clock: Option<ClockId>) -> Self {
        Self::Filter(Filter::Clock, vec![clock_value(clock)])
    }

    /// True if the list contains the object.
    pub fn has(&self, object: &Object) -> bool {
        match self {
            Self::All => true,
            Self::Lookup(lookup) => object.lookup().as_ref() == Some(lookup),
            Self::Customer(customer) => object.customer() == Some(*customer),
            Self::Filter(filter, values) => {
                let found = object.filters();
                found.iter().any(|(one, value)| one == filter && values.contains(value))
            }
            Self::Numbers(numbers) => numbers.contains(&object.number()),
        }
    }
}

impl Kind {
    /// The filters of the kind's objects.
    pub fn filters(self) -> &'static [Filter] {
        match self {
            Self::Customer => &[Filter::Clock, Filter::EmailOnClock, Filter::InvoicePrefix],
            Self::Session => &[Filter::HostedRelink],
            Self::PaymentIntent => &[Filter::Invoice, Filter::PaymentStatus],
            Self::SetupIntent => &[Filter::AttachToSelf, Filter::PaymentMethod],
            Self::Charge => &[Filter::TransferGroup],
            Self::Mandate => &[Filter::MandateOfMethod],
            Self::Checkout => {
                &[Filter::Email, Filter::Status, Filter::Subscription, Filter::UnfinishedOfCustomer]
            }
            Self::Product => &[Filter::Active, Filter::Shippable, Filter::Url],
            Self::Price => &[
                Filter::Active,
                Filter::Currency,
                Filter::LookupKey,
                Filter::RecurringInterval,
                Filter::RecurringMeter,
                Filter::RecurringUsageType,
                Filter::Type,
            ],
            Self::InvoiceItem => &[Filter::Invoice, Filter::Pending, Filter::PendingOfCustomer],
            Self::Invoice => {
                &[Filter::CollectionMethod, Filter::DueDate, Filter::Status, Filter::Subscription]
            }
            Self::Subscription => &[
                Filter::Clock,
                Filter::CollectionMethodOnClock,
                Filter::DefaultPaymentMethod,
                Filter::Item,
                Filter::PeriodEndOnClock,
                Filter::PeriodStartOnClock,
                Filter::PriceOnClock,
                Filter::StatusOnClock,
                Filter::UnfinishedOfCustomer,
            ],
            _ => &[],
        }
    }
}

/// Finds another object of a kind with a value of a filter, for values that must be unique. Returns
/// `Option<u64>`, which is the number of one such object. Deleted objects are left out, unless the
/// filter stays taken.
#[derive(Clone, Debug)]
pub struct FindOtherWithValue {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The kind.
    pub kind: Kind,
    /// The filter.
    pub filter: Filter,
    /// The value.
    pub value: String,
    /// The number of the object that may have the value.
    pub except: u64,
}

reads!(FindOtherWithValue => Option<u64>, object_filter::find_other);

/// Counts the objects of a list, up to a limit. Returns `u32`. An object that has several of the
/// values of a filter counts once for each. Numbers are counted without a look at their objects.
#[derive(Clone, Debug)]
pub struct CountObjects {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The kind.
    pub kind: Kind,
    /// The objects of the list.
    pub of: ObjectsOf,
    /// The number at which the count ends.
    pub limit: u32,
}

reads!(CountObjects => u32, object_filter::count);
