//! Payment objects as stored objects.

use super::{Lookup, Stored};
use crate::clock::AccountTime;
use crate::id::{ClockId, CustomerId, MerchantId};
use crate::payments::checkout::CheckoutSession;
use crate::payments::dispute::Dispute;
use crate::payments::intent::Intent;
use crate::payments::invoice::{Invoice, InvoiceItem};
use crate::payments::mandate::Mandate;
use crate::payments::method_configuration::{MethodConfiguration, state};
use crate::payments::payment_method::PaymentMethod;
use crate::payments::product::{Price, Product};
use crate::payments::subscription::Subscription;

impl Stored for Intent {
    common!(number);

    fn customer(&self) -> Option<CustomerId> {
        self.customer
    }

    fn clock(&self) -> Option<ClockId> {
        self.clock
    }

    fn due_at(&self) -> Option<AccountTime> {
        self.settles_at.or(self.disputed_at)
    }

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Secret(self.client_secret.clone()))
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
}

impl Stored for Price {
    common!(id.number());

    fn lookup(&self) -> Option<Lookup> {
        Some(Lookup::Text(self.product.clone()))
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
}
