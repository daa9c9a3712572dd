//! Lists of intents.

use super::IntentKind;
use super::own::is_own;
use crate::list::list_body;
use crate::payments::{Changes, Seen, bytes};
use crate::{Answer, Context, Engine, Error};
use store::{Bounds, ListObjects, Object};
use wire::list::PageParams;

/// Which intents a list holds.
#[derive(Clone, Debug)]
pub struct IntentFilter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those that are, or are not, for the account itself; only of Setup Intents.
    pub attach_to_self: Option<bool>,
    /// Those made within.
    pub created: Bounds,
    /// Which page.
    pub page: PageParams,
}

impl Engine {
    /// Lists intents, the newest first.
    pub async fn list_intents(
        &self,
        context: &Context,
        kind: IntentKind,
        filter: &IntentFilter,
    ) -> Result<Answer, Error> {
        let of = self.of_customer(context, filter.customer.as_deref()).await?;
        let page = self.object_page(context, kind.kind(), &filter.page).await?;
        let (merchant, created) = (context.merchant, filter.created);
        let list = ListObjects { merchant, kind: kind.kind(), of, created, page };
        let listed = match filter.attach_to_self {
            Some(wanted) => self.list_kept(list, |object| is_of_self(object, wanted)).await?,
            None => self.store.read(list).await?,
        };
        let expand = context.expand.inside("data");
        let mut bodies = Vec::with_capacity(listed.items.len());
        for object in &listed.items {
            if let Object::PaymentIntent(intent) | Object::SetupIntent(intent) = object {
                let seen = Seen::by_merchant(&expand);
                let value = self.intent_value(context, intent, &Changes::default(), seen).await?;
                bodies.push(bytes(&value));
            }
        }
        let url = format!("/v1/{}s", kind.word());
        Ok(Answer::unchanged(list_body(&url, listed.has_more, &bodies)))
    }
}

fn is_of_self(object: &Object, wanted: bool) -> bool {
    matches!(object, Object::SetupIntent(intent) if is_own(intent) == wanted)
}
