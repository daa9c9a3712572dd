//! Filters of lists: the fields of a stored object by which lists select it.
//!
//! The store has one index entry for each filter and value of an object. A list with a filter reads
//! the entries of one value, so its cost does not depend on the other objects. The words are part of
//! the database. A new filter, or other values of a filter, need a migration that writes the entries
//! of existing objects.

use crate::id::ClockId;

crate::words! {
    /// A field, or a pair of fields, by which a list selects objects.
    Filter {
        /// True if the product or price may be used.
        Active = "active",
        /// True if the Setup Intent is for the account itself.
        AttachToSelf = "attach_to_self",
        /// The test clock.
        Clock = "clock",
        /// The collection method of an invoice.
        CollectionMethod = "collection_method",
        /// The test clock and the collection method of a subscription.
        CollectionMethodOnClock = "collection_method_on_clock",
        /// The currency of a price.
        Currency = "currency",
        /// The default payment method of a subscription.
        DefaultPaymentMethod = "default_payment_method",
        /// The time at which an invoice is due. Values are those of [`super::time_values`].
        DueDate = "due_date",
        /// The payer's e-mail address of a Checkout Session.
        Email = "email",
        /// The test clock and the e-mail address of a customer.
        EmailOnClock = "email_on_clock",
        /// The authorization that a hosted session links again, unless the session has succeeded.
        HostedRelink = "hosted_relink",
        /// The invoice of an item or of a Payment Intent.
        Invoice = "invoice",
        /// The customer's prefix of invoice numbers.
        InvoicePrefix = "invoice_prefix",
        /// An item of a subscription.
        Item = "item",
        /// The merchant's own look-up key of a price.
        LookupKey = "lookup_key",
        /// The payment method that an active mandate permits to debit again.
        MandateOfMethod = "mandate_of_method",
        /// The payment method of a Setup Intent.
        PaymentMethod = "payment_method",
        /// The status of the payment of an invoice. Other Payment Intents have no entry.
        PaymentStatus = "payment_status",
        /// True if the invoice item has no invoice yet.
        Pending = "pending",
        /// The customer of an invoice item that has no invoice yet.
        PendingOfCustomer = "pending_of_customer",
        /// The test clock and the end of a subscription's period. Values are those of
        /// [`period_value`].
        PeriodEndOnClock = "period_end_on_clock",
        /// The same for the start of the period.
        PeriodStartOnClock = "period_start_on_clock",
        /// The test clock and a price of a subscription.
        PriceOnClock = "price_on_clock",
        /// The interval of a recurring price.
        RecurringInterval = "recurring_interval",
        /// The meter of a recurring price.
        RecurringMeter = "recurring_meter",
        /// The usage type of a recurring price.
        RecurringUsageType = "recurring_usage_type",
        /// True if the product is shipped.
        Shippable = "shippable",
        /// The status.
        Status = "status",
        /// The test clock and the status of a subscription.
        StatusOnClock = "status_on_clock",
        /// The subscription of an invoice or of a Checkout Session.
        Subscription = "subscription",
        /// The group of transfers of a charge.
        TransferGroup = "transfer_group",
        /// The type of a price: `recurring` or `one_time`.
        Type = "type",
        /// The customer of a subscription that is not over, or of an open Checkout Session.
        UnfinishedOfCustomer = "unfinished_of_customer",
        /// The address of a product's page.
        Url = "url",
    }
}

impl Filter {
    /// True if a deleted object keeps its values, so that no other object can take them.
    pub fn stays_taken(self) -> bool {
        self == Self::InvoicePrefix
    }
}

/// Returns the value of [`Filter::Clock`].
///
/// ```
/// assert_eq!(model::stored::clock_value(None), "none");
/// ```
pub fn clock_value(clock: Option<ClockId>) -> String {
    clock.map_or_else(|| "none".to_owned(), |clock| clock.to_string())
}

/// Returns the value of a filter that is a pair of a test clock and another field.
///
/// ```
/// assert_eq!(model::stored::on_clock(None, "active"), "none active");
/// ```
pub fn on_clock(clock: Option<ClockId>, value: &str) -> String {
    format!("{} {value}", clock_value(clock))
}

/// Returns the value of a filter of a subscription's period: the test clock, the state of the
/// subscription, and one of the values of a time. Lists leave out canceled subscriptions unless they
/// are requested, so both kinds are apart.
///
/// ```
/// assert_eq!(model::stored::period_value(None, true, "0/5"), "none canceled 0/5");
/// ```
pub fn period_value(clock: Option<ClockId>, is_canceled: bool, time: &str) -> String {
    let state = if is_canceled { "canceled" } else { "current" };
    on_clock(clock, &format!("{state} {time}"))
}
