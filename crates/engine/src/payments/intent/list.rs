//! Lists of intents.

use super::IntentKind;

use crate::list::list_body;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::payments::payment_method::PaymentMethod;
use model::stored::{Filter, PaymentIntent, SetupIntent};
use store::{Bounds, ObjectsOf};
use wire::list::PageParams;

/// The filter of a list of intents.
#[derive(Clone, Debug)]
pub struct IntentFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// True for those of the account itself, false for the others. Only for Setup Intents.
    pub attach_to_self: Option<bool>,
    /// Those with this payment method. Only for Setup Intents.
    pub payment_method: Option<String>,
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Engine {
    /// Lists intents, the newest first.
    pub async fn list_intents(
        &self,
        context: &Context,
        kind: IntentKind,
        filter: &IntentFilter,
    ) -> Result<ApiResponse, Error> {
        let customer = self.of_customer(context, filter.customer.as_deref()).await?;
        let mut of = Vec::from_iter(customer);
        let (created, page) = (filter.created, &filter.page);
        let listed = match kind {
            IntentKind::Payment => {
                self.list_in_all::<PaymentIntent>(context, of, created, page).await?
            }
            IntentKind::Setup => {
                let own = filter.attach_to_self;
                of.extend(own.map(|own| ObjectsOf::value(Filter::AttachToSelf, &own)));
                if let Some(id) = &filter.payment_method {
                    let method = self.get::<PaymentMethod>(context, id, "payment_method").await?;
                    of.push(ObjectsOf::value(Filter::PaymentMethod, &method.id));
                }
                self.list_in_all::<SetupIntent>(context, of, created, page).await?
            }
        };
        let none = Changes::none();
        let mut bodies = Vec::with_capacity(listed.items.len());
        for intent in &listed.items {
            bodies.push(bytes(context, self.intent_value(context, intent, &none, false).await?));
        }
        let url = format!("/v1/{}s", kind.word());
        self.unchanged(context, list_body(&url, listed.has_more, &bodies)).await
    }
}
