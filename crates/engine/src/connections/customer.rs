//! Customers: the end users that bank accounts belong to.

use crate::context::render;
use crate::list::list_body;
use crate::objects::missing;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::clock::{AccountTime, TestClock};
use model::customer::{Address, Customer, Shipping, TaxExempt};
use model::event::{EventType, Snapshot};
use model::id::{ClockId, CustomerId};
use model::stored::{Filter, on_clock};
use std::collections::BTreeMap;
use store::{
    AccountsOf, Bounds, Cursor, FindOtherWithValue, Kind, ListAccounts, Object, ObjectKey,
    ObjectPlace, ObjectsOf, Page,
};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::{MetadataChange, Setting};

/// The params of a create or an update. A field that is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct CustomerInput {
    /// The postal address. An empty text unsets it.
    pub address: Option<Setting<Address>>,
    /// The balance in minor units: a credit or a debt.
    pub balance: Option<i64>,
    /// Name of the business.
    pub business_name: Option<Setting<String>>,
    /// The payment method that invoices of a subscription debit by default. An empty text unsets
    /// it.
    pub default_payment_method: Option<Setting<String>>,
    /// Free text.
    pub description: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Name of the person.
    pub individual_name: Option<Setting<String>>,
    /// The prefix of invoice numbers.
    pub invoice_prefix: Option<String>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// Full name.
    pub name: Option<String>,
    /// The number of the next invoice.
    pub next_invoice_sequence: Option<i64>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Languages, the best first.
    pub preferred_locales: Option<Vec<String>>,
    /// The shipping address and contact. An empty text unsets it.
    pub shipping: Option<Setting<Shipping>>,
    /// The tax exemption. An empty text unsets it.
    pub tax_exempt: Option<Setting<TaxExempt>>,
    /// The test clock. Only at creation.
    pub test_clock: Option<String>,
}

/// The filter of a list of customers.
#[derive(Clone, Debug)]
pub struct CustomerFilter {
    /// Those with exactly this e-mail address.
    pub email: Option<String>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// Those on this test clock.
    pub test_clock: Option<String>,
    /// The page of the list.
    pub page: PageParams,
}

fn put<T>(slot: &mut Option<T>, setting: Option<&Setting<T>>)
where
    T: Clone,
{
    match setting {
        Some(Setting::Set(value)) => *slot = Some(value.clone()),
        Some(Setting::Unset) => *slot = None,
        None => {}
    }
}

impl CustomerInput {
    fn apply(&self, customer: &mut Customer) -> Result<(), Error> {
        put(&mut customer.address, self.address.as_ref());
        put(&mut customer.business_name, self.business_name.as_ref());
        put(&mut customer.individual_name, self.individual_name.as_ref());
        put(&mut customer.shipping, self.shipping.as_ref());
        let texts = [
            (&mut customer.description, &self.description),
            (&mut customer.email, &self.email),
            (&mut customer.invoice_prefix, &self.invoice_prefix),
            (&mut customer.name, &self.name),
            (&mut customer.phone, &self.phone),
        ];
        for (stored, setting) in texts {
            if setting.is_some() {
                stored.clone_from(setting);
            }
        }
        if let Some(balance) = self.balance {
            customer.balance = balance;
        }
        if let Some(sequence) = self.next_invoice_sequence {
            customer.next_invoice_sequence = Some(sequence);
        }
        if let Some(locales) = &self.preferred_locales {
            customer.preferred_locales.clone_from(locales);
        }
        match &self.tax_exempt {
            Some(Setting::Set(exempt)) => customer.tax_exempt = *exempt,
            Some(Setting::Unset) => customer.tax_exempt = TaxExempt::None,
            None => {}
        }
        if let Some(change) = &self.metadata {
            change.apply(&mut customer.metadata)?;
        }
        Ok(())
    }
}

impl Engine {
    /// Makes a customer.
    pub async fn create_customer(
        &self,
        context: &Context,
        input: &CustomerInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_customer", async || {
            let test_clock = match &input.test_clock {
                Some(id) => Some(self.clock_param(context, id, "test_clock").await?.id),
                None => None,
            };
            let mut changes = self.changes_on(context, test_clock).await?;
            let now = changes.now;
            let mut customer = self.blank_customer(context, test_clock, now);
            input.apply(&mut customer)?;
            self.check_prefix(context, &customer, input, &mut changes).await?;
            self.set_default_method(context, &mut customer, input, &mut changes).await?;
            let body = self.customer_body(context, &customer);
            let (object, created) = (Object::Customer(customer), EventType::CustomerCreated);
            changes.put_and_emit(object, created, None);
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// A new customer without any data, not stored yet.
    pub(crate) fn blank_customer(
        &self,
        context: &Context,
        test_clock: Option<ClockId>,
        now: AccountTime,
    ) -> Customer {
        Customer {
            id: CustomerId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: now,
            deleted: false,
            deletion_due: None,
            test_clock,
            address: None,
            balance: 0,
            business_name: None,
            default_payment_method: None,
            description: None,
            email: None,
            individual_name: None,
            invoice_prefix: None,
            metadata: BTreeMap::new(),
            name: None,
            next_invoice_sequence: Some(1),
            phone: None,
            preferred_locales: Vec::new(),
            shipping: None,
            tax_exempt: TaxExempt::None,
        }
    }

    /// Shows a customer. A deleted one is shown as such.
    pub async fn retrieve_customer(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let customer = self.get_with_deleted::<Customer>(context, id, "id").await?;
        self.unchanged(context, self.customer_body(context, &customer)).await
    }

    /// Changes a customer.
    pub async fn update_customer(
        &self,
        context: &Context,
        id: &str,
        input: &CustomerInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_customer", async || {
            let before = self.get::<Customer>(context, id, "id").await?;
            let mut changes = self.changes_on(context, before.test_clock).await?;
            let mut customer = before.clone();
            input.apply(&mut customer)?;
            self.check_prefix(context, &customer, input, &mut changes).await?;
            self.set_default_method(context, &mut customer, input, &mut changes).await?;
            if customer == before {
                let body = self.customer_body(context, &customer);
                return self.unchanged(context, body).await.map(Some);
            }
            customer.version += 1;
            let body = self.customer_body(context, &customer);
            let before = Some(Snapshot::Customer(Box::new(before)));
            let (object, updated) = (Object::Customer(customer), EventType::CustomerUpdated);
            changes.put_and_emit(object, updated, before);
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Rejects the prefix of another customer, because their invoice numbers would collide.
    async fn check_prefix(
        &self,
        context: &Context,
        customer: &Customer,
        input: &CustomerInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let prefix = input.invoice_prefix.as_ref().and(customer.invoice_prefix.as_ref());
        let Some(prefix) = prefix else { return Ok(()) };
        let other = FindOtherWithValue {
            merchant: context.merchant,
            kind: Kind::Customer,
            filter: Filter::InvoicePrefix,
            value: prefix.clone(),
            except: customer.id.number(),
        };
        if self.store.read(other).await?.is_none() {
            let (filter, except) = (Filter::InvoicePrefix, vec![customer.id.number()]);
            let merchant = context.merchant;
            changes.require_none_with_value::<Customer>(merchant, filter, prefix.clone(), except);
            return Ok(());
        }
        let message = "Another customer has this invoice prefix; numbers of invoices are unique.";
        Err(ApiError::invalid(message).param("invoice_prefix").into())
    }

    async fn set_default_method(
        &self,
        context: &Context,
        customer: &mut Customer,
        input: &CustomerInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        match &input.default_payment_method {
            Some(Setting::Set(id)) => {
                let param = "invoice_settings[default_payment_method]";
                let method =
                    self.method_of_customer(context, id, customer.id, param, changes).await?;
                customer.default_payment_method = Some(method.id);
            }
            Some(Setting::Unset) => customer.default_payment_method = None,
            None => {}
        }
        Ok(())
    }

    /// Disconnects every account of a holder or a clock, page by page.
    pub(crate) async fn disconnect_all(
        &self,
        context: &Context,
        of: AccountsOf,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        let mut cursor = Cursor::Newest;
        loop {
            let list = ListAccounts {
                merchant: context.merchant,
                of: of.clone(),
                page: Page { limit: model::limits::PAGE_ROWS_MAX, cursor },
            };
            let listed = self.store.read(list).await?;
            for account in &listed.items {
                self.disconnect_one(context, account.id, parent).await?;
            }
            match listed.items.last() {
                Some(oldest) if listed.has_more => {
                    let place = ObjectPlace { created: oldest.created, number: oldest.id.number() };
                    cursor = Cursor::After(place);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Lists customers.
    pub async fn list_customers(
        &self,
        context: &Context,
        filter: &CustomerFilter,
    ) -> Result<ApiResponse, Error> {
        let clock = match &filter.test_clock {
            Some(id) => Some(self.clock_param(context, id, "test_clock").await?.id),
            None => None,
        };
        let of = match &filter.email {
            Some(email) => ObjectsOf::value(Filter::EmailOnClock, &on_clock(clock, email)),
            None => ObjectsOf::on_clock(clock),
        };
        let listed = self.list::<Customer>(context, of, filter.created, &filter.page).await?;
        let bodies: Vec<Vec<u8>> =
            listed.items.iter().map(|customer| self.customer_body(context, customer)).collect();
        let body = list_body("/v1/customers", listed.has_more, &bodies);
        self.unchanged(context, body).await
    }

    pub(crate) fn customer_body(&self, context: &Context, customer: &Customer) -> Vec<u8> {
        let view = context.view(self);
        render(|w| wire::render::connections::customer::write(w, customer, &view))
    }

    /// The clock of a param.
    pub(crate) async fn clock_param(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<TestClock, Error> {
        let clock = self.clock_param_with_deleted(context, id, param).await?;
        if clock.deleted { Err(missing::<TestClock>(id, param).into()) } else { Ok(clock) }
    }

    /// The clock of a param. Deleted clocks are found.
    pub(crate) async fn clock_param_with_deleted(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<TestClock, Error> {
        if context.livemode {
            let message = "Test clocks exist in test mode only.";
            return Err(ApiError::invalid(message).param(param).into());
        }
        self.get_with_deleted::<TestClock>(context, id, param).await
    }
}
