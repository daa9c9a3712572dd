//! Lists: the page that is asked for, the objects on it, and the envelope around them.

use crate::{Answer, Context, Engine, Error};
use model::connected_account::ConnectedAccount;
use model::id::{
    ClockId, CustomerId, DisputeId, EndpointId, FaultId, InvoiceId, InvoiceItemId, LinkFlowId,
    MandateId, MethodConfigurationId, PaymentIntentId, PaymentMethodId, PriceId, ScenarioId,
    SessionId, SetupIntentId, SnapshotId, SubscriptionId, TokenId,
};
use model::limits::PAGE_ROWS_MAX;
use model::payments::checkout::CheckoutSession;
use model::payments::product::Product;
use serde_json::Value;
use std::str::FromStr;
use store::{
    Bounds, Cursor, FindObject, Kind, ListObjects, Listed, Object, ObjectPlace, ObjectsOf, Page,
};
use wire::error::Error as Refusal;
use wire::json::JsonWriter;
use wire::list::{PageParams, write_list};

/// The most pages that are read for one page of a list that leaves some objects out.
const LIST_READS_MAX: usize = 1_000;

impl Engine {
    /// The page that a list of objects asks for. The object that a cursor names must exist.
    pub(crate) async fn object_page(
        &self,
        context: &Context,
        kind: Kind,
        page: &PageParams,
    ) -> Result<Page<ObjectPlace>, Error> {
        let (given, param) = match (&page.starting_after, &page.ending_before) {
            (Some(given), _) => (given, "starting_after"),
            (None, Some(given)) => (given, "ending_before"),
            (None, None) => return Ok(Page { limit: page.limit, cursor: Cursor::Newest }),
        };
        let (number, what) = match kind {
            Kind::Customer => (number_of(given, CustomerId::number), "customer"),
            Kind::TestClock => (number_of(given, ClockId::number), "test clock"),
            Kind::Session => (number_of(given, SessionId::number), "session"),
            Kind::Endpoint => (number_of(given, EndpointId::number), "webhook endpoint"),
            Kind::PaymentIntent => (number_of(given, PaymentIntentId::number), "payment_intent"),
            Kind::SetupIntent => (number_of(given, SetupIntentId::number), "setup_intent"),
            Kind::PaymentMethod => (number_of(given, PaymentMethodId::number), "payment_method"),
            Kind::Checkout => (CheckoutSession::number_of(given), "checkout session"),
            Kind::Mandate => (number_of(given, MandateId::number), "mandate"),
            Kind::ConnectedAccount => (Some(ConnectedAccount::number_of(given)), "account"),
            // A merchant has one at most, so no list of them is asked for.
            Kind::PlatformTie => (None, "platform"),
            Kind::ConnectionsSettings => (None, "settings"),
            Kind::Snapshot => (number_of(given, SnapshotId::number), "snapshot"),
            Kind::Token => (number_of(given, TokenId::number), "token"),
            Kind::LinkFlow => (number_of(given, LinkFlowId::number), "link flow"),
            Kind::Dispute => (number_of(given, DisputeId::number), "dispute"),
            Kind::Product => (Some(Product::number_of(given)), "product"),
            Kind::Price => (number_of(given, PriceId::number), "price"),
            Kind::InvoiceItem => (number_of(given, InvoiceItemId::number), "invoiceitem"),
            Kind::MethodConfiguration => {
                (number_of(given, MethodConfigurationId::number), "payment_method_configuration")
            }
            Kind::Fault => (number_of(given, FaultId::number), "fault"),
            Kind::Invoice => (number_of(given, InvoiceId::number), "invoice"),
            Kind::Subscription => (number_of(given, SubscriptionId::number), "subscription"),
            Kind::Scenario => (number_of(given, ScenarioId::number), "scenario"),
        };
        // Stripe answers an unknown cursor with 400, as a fault of the parameter.
        let missing = || Error::from(Refusal::no_such(what, given, param).status(400));
        let find =
            FindObject { merchant: context.merchant, kind, number: number.ok_or_else(missing)? };
        let place = self.store.read(find).await?.ok_or_else(missing)?.place();
        let cursor = if page.starting_after.is_some() {
            Cursor::After(place)
        } else {
            Cursor::Before(place)
        };
        Ok(Page { limit: page.limit, cursor })
    }

    /// A page of all objects of a kind, each as `body` renders it; what `body` passes over is left
    /// out.
    pub(crate) async fn list_all(
        &self,
        context: &Context,
        kind: Kind,
        created: Bounds,
        page: &PageParams,
        url: &str,
        body: impl Fn(&Object) -> Option<Vec<u8>>,
    ) -> Result<Answer, Error> {
        let page = self.object_page(context, kind, page).await?;
        let merchant = context.merchant;
        let list = ListObjects { merchant, kind, of: ObjectsOf::All, created, page };
        let listed = self.store.read(list).await?;
        let bodies: Vec<Vec<u8>> = listed.items.iter().filter_map(body).collect();
        Ok(Answer::unchanged(list_body(url, listed.has_more, &bodies)))
    }

    /// The page of a list that holds only some of the objects of a kind. Those it leaves out are
    /// read as well, in pages; after so many the list goes on where it was asked on.
    pub(crate) async fn list_kept(
        &self,
        mut list: ListObjects,
        keep: impl Fn(&Object) -> bool + Send + Sync,
    ) -> Result<Listed<Object>, Error> {
        let wanted = usize::try_from(list.page.limit).unwrap_or(usize::MAX);
        let backward = matches!(list.page.cursor, Cursor::Before(_));
        list.page.limit = PAGE_ROWS_MAX;
        let mut kept = Listed { items: Vec::new(), has_more: true };
        for _ in 0..LIST_READS_MAX {
            let mut read = self.store.read(list.clone()).await?;
            if backward {
                read.items.reverse();
            }
            let end = read.items.last().map(Object::place);
            kept.items.extend(read.items.into_iter().filter(&keep));
            list.page.cursor = match end.filter(|_| read.has_more && kept.items.len() <= wanted) {
                Some(place) if backward => Cursor::Before(place),
                Some(place) => Cursor::After(place),
                None => {
                    kept.has_more = kept.items.len() > wanted;
                    break;
                }
            };
        }
        kept.items.truncate(wanted);
        if backward {
            kept.items.reverse();
        }
        Ok(kept)
    }

    /// The objects of a customer, or all.
    pub(crate) async fn of_customer(
        &self,
        context: &Context,
        customer: Option<&str>,
    ) -> Result<ObjectsOf, Error> {
        Ok(match customer {
            Some(given) => {
                ObjectsOf::Customer(self.get_customer(context, given, "customer").await?.id)
            }
            None => ObjectsOf::All,
        })
    }
}

/// The number of an id of this kind.
fn number_of<I: FromStr>(given: &str, number: fn(I) -> u64) -> Option<u64> {
    given.parse().ok().map(number)
}

/// The page of a list that is read whole, in its order; and whether there is more.
pub(crate) fn page_of<'a>(
    items: &'a [Value],
    page: &PageParams,
    what: &str,
) -> Result<(&'a [Value], bool), Error> {
    let place = |given: &str, param: &str| {
        let found = items.iter().position(|item| item["id"] == given);
        found.ok_or_else(|| Error::from(Refusal::no_such(what, given, param).status(400)))
    };
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    if let (None, Some(given)) = (&page.starting_after, &page.ending_before) {
        let to = place(given, "ending_before")?;
        let from = to.saturating_sub(limit);
        return Ok((&items[from..to], from > 0));
    }
    let from = match &page.starting_after {
        Some(given) => place(given, "starting_after")? + 1,
        None => 0,
    };
    let to = items.len().min(from.saturating_add(limit));
    Ok((&items[from..to], to < items.len()))
}

/// A list envelope around items that are rendered already.
pub(crate) fn list_body(url: &str, has_more: bool, items: &[Vec<u8>]) -> Vec<u8> {
    let bytes = items.iter().map(Vec::len).sum::<usize>() + 256;
    let mut writer = JsonWriter::with_capacity(bytes);
    write_list(&mut writer, url, has_more, items, |w, item| {
        w.raw(item);
    });
    writer.into_bytes()
}
