//! Payment objects as stored objects.

use super::{Filter, Lookup, Stored, clock_value, on_clock, period_value, time_values};
use crate::clock::AccountTime;
use crate::id::{ClockId, CustomerId, MerchantId};
use crate::payments::charge::Charge;
use crate::payments::checkout::CheckoutSession;
use crate::payments::confirmation_token::ConfirmationToken;
use crate::payments::dispute::Dispute;
use crate::payments::intent::Intent;
use crate::payments::invoice::{Invoice, InvoiceItem};
use crate::payments::mandate::Mandate;
use crate::payments::method_configuration::{MethodConfiguration, state};
use crate::payments::payment_method::PaymentMethod;
use crate::payments::product::{Price, Product};
use crate::payments::refund::Refund;
use crate::payments::subscription::{Subscription, SubscriptionStatus};
use crate::word::Word;

impl Stored for Intent {
    common!(number);

    fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn due_at(&self) -> Option<AccountTime> {
        let times_out = self.microdeposits.map(|deposits| deposits.times_out_at());
        self.settles_at.or(self.disputed_at).or(times_out)
    }

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Secret(self.client_secret.clone()))
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        if !self.is_payment() {
            let mut values = vec![(Filter::AttachToSelf, self.attaches_to_self().to_string())];
            let method = self.payment_method.map(|id| id.to_string());
            values.extend(method.map(|id| (Filter::PaymentMethod, id)));
            return values;
        }
        let Some(invoice) = self.invoice else { return Vec::new() };
        let status = self.payment_status().to_owned();
        vec![(Filter::Invoice, invoice.to_string()), (Filter::PaymentStatus, status)]
    }

    fn secret(&self) -> Option<Vec<u8>> {
        Some(self.client_secret.clone().into_bytes())
    }

    fn restore_secret(&mut self, secret: Vec<u8>) -> bool {
        String::from_utf8(secret).map(|secret| self.client_secret = secret).is_ok()
    }
}

impl Stored for PaymentMethod {
    common!(id.number());

    fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }
}

impl Stored for Mandate {
    common!(id.number());

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let method = self.payment_method.to_string();
        Some((Filter::MandateOfMethod, method))
            .filter(|_| self.serves_later())
            .into_iter()
            .collect()
    }
}

impl Stored for ConfirmationToken {
    common!(id.number());
}

impl Stored for MethodConfiguration {
    common!(id.number());

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Text(state(self.active).to_owned()))
    }
}

impl Stored for CheckoutSession {
    common!(number);

    fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.is_open().then_some(self.expires_at)
    }

    fn lookup(&self) -> Option<Lookup> {
        self.intent.clone().map(Lookup::Text)
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let mut values = vec![(Filter::Status, self.status.word().to_owned())];
        let subscription = self.subscription.map(|id| id.to_string());
        values.extend(subscription.map(|id| (Filter::Subscription, id)));
        let email = self.payer_email().map(str::to_owned);
        values.extend(email.map(|email| (Filter::Email, email)));
        let customer = self.customer.filter(|_| self.is_open());
        values.extend(customer.map(|id| (Filter::UnfinishedOfCustomer, id.to_string())));
        values
    }
}

impl Stored for Charge {
    common!(id.number());

    fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Text(self.payment_intent.to_string()))
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let group = self.given.text(&["transfer_group"]).map(str::to_owned);
        group.map(|group| (Filter::TransferGroup, group)).into_iter().collect()
    }
}

impl Stored for Refund {
    common!(id.number());

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.settles_at
    }

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Text(self.charge.to_string()))
    }
}

impl Stored for Dispute {
    common!(id.number());

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Text(self.payment_intent.to_string()))
    }
}

impl Stored for Product {
    common!(number);

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let mut values = vec![(Filter::Active, self.active.to_string())];
        let shippable = self.given.boolean(&["shippable"]).map(|value| value.to_string());
        values.extend(shippable.map(|value| (Filter::Shippable, value)));
        let url = self.given.text(&["url"]).map(str::to_owned);
        values.extend(url.map(|url| (Filter::Url, url)));
        values
    }
}

impl Stored for Price {
    common!(id.number());

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Text(self.product.clone()))
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let recurring = self.is_recurring();
        let price_type = if recurring { "recurring" } else { "one_time" };
        let mut values = vec![
            (Filter::Active, self.active.to_string()),
            (Filter::Currency, self.currency.as_str().to_owned()),
            (Filter::Type, price_type.to_owned()),
        ];
        values.extend(self.lookup_key.clone().map(|key| (Filter::LookupKey, key)));
        if recurring {
            let text = |name| self.given.text(&["recurring", name]).map(str::to_owned);
            values.extend(text("interval").map(|word| (Filter::RecurringInterval, word)));
            values.extend(text("meter").map(|meter| (Filter::RecurringMeter, meter)));
            let usage_type = text("usage_type").unwrap_or_else(|| "licensed".to_owned());
            values.push((Filter::RecurringUsageType, usage_type));
        }
        values
    }
}

impl Stored for InvoiceItem {
    common!(id.number());

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer)
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let mut values = vec![(Filter::Pending, self.invoice.is_none().to_string())];
        values.push(match self.invoice {
            Some(invoice) => (Filter::Invoice, invoice.to_string()),
            None => (Filter::PendingOfCustomer, self.customer.to_string()),
        });
        values
    }
}

impl Stored for Invoice {
    common!(id.number());

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer)
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn deleted(&self) -> bool {
        self.deleted
    }

    fn due_at(&self) -> Option<AccountTime> {
        Self::due_at(self)
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let mut values = vec![
            (Filter::CollectionMethod, self.collection_method().to_owned()),
            (Filter::Status, self.status.word().to_owned()),
        ];
        let subscription = self.subscription.map(|id| id.to_string());
        values.extend(subscription.map(|id| (Filter::Subscription, id)));
        if let Some(due) = self.given.integer(&["due_date"]) {
            let times = time_values(AccountTime(due)).into_iter();
            values.extend(times.map(|time| (Filter::DueDate, time)));
        }
        values
    }
}

impl Stored for Subscription {
    common!(id.number());

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer)
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn due_at(&self) -> Option<AccountTime> {
        Self::due_at(self)
    }

    fn filters(&self) -> Vec<(Filter, String)> {
        let on_clock = |value: &str| on_clock(self.clock, value);
        let mut values = vec![
            (Filter::Clock, clock_value(self.clock)),
            (Filter::CollectionMethodOnClock, on_clock(self.collection_method.word())),
            (Filter::StatusOnClock, on_clock(self.status.word())),
        ];
        for item in &self.items {
            values.push((Filter::Item, item.id.to_string()));
            values.push((Filter::PriceOnClock, on_clock(&item.price.id.to_string())));
        }
        let method = self.default_payment_method.map(|id| id.to_string());
        values.extend(method.map(|id| (Filter::DefaultPaymentMethod, id)));
        if !self.is_over() {
            values.push((Filter::UnfinishedOfCustomer, self.customer.to_string()));
        }
        let is_canceled = self.status == SubscriptionStatus::Canceled;
        let (start, end) = self.period;
        for (filter, at) in [(Filter::PeriodStartOnClock, start), (Filter::PeriodEndOnClock, end)] {
            let times = time_values(at).into_iter();
            values.extend(times.map(|at| (filter, period_value(self.clock, is_canceled, &at))));
        }
        values
    }
}
