//! Items of subscriptions.

use crate::list::{list_body, page_of};
use crate::payments::product_input::PriceInput;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::extra_params::ExtraParams;
use model::id::SubscriptionItemId;
use model::payments::intent::AMOUNT_MAX;
use model::payments::invoice::cost;
use model::payments::product::Price;
use model::payments::subscription::{ITEMS_MAX, Subscription, SubscriptionItem};
use model::stored::Filter;
use store::ObjectsOf;
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::subscription::item_value;

/// The params of an item.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionItemInput {
    /// Its path in the request, such as `items[0]`.
    pub path: String,
    /// The item to change, or `None` for a new one.
    pub id: Option<String>,
    /// True if the item is removed.
    pub deleted: bool,
    /// The price.
    pub price: Option<String>,
    /// The params of a new price.
    pub price_data: Option<Box<PriceInput>>,
    /// The quantity.
    pub quantity: Option<i64>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}

impl SubscriptionItemInput {
    /// The parameter that names its price.
    pub(crate) fn price_path(&self) -> String {
        let name = if self.price_data.is_some() { "price_data" } else { "price" };
        format!("{}[{name}]", self.path)
    }

    fn says_price(&self) -> bool {
        self.price.is_some() || self.price_data.is_some()
    }
}

impl Engine {
    /// The items of a new subscription.
    pub(super) async fn set_items(
        &self,
        context: &Context,
        subscription: &mut Subscription,
        inputs: &[SubscriptionItemInput],
        changes: &mut Changes,
    ) -> Result<(), Error> {
        for input in inputs {
            self.add_item(context, subscription, input, changes).await?;
        }
        check_period(subscription, inputs)
    }

    /// Changes, adds and removes items. Periods stay as they are.
    pub(super) async fn change_items(
        &self,
        context: &Context,
        subscription: &mut Subscription,
        inputs: &[SubscriptionItemInput],
        changes: &mut Changes,
    ) -> Result<(), Error> {
        for input in inputs {
            let Some(id) = &input.id else {
                if subscription.items.is_empty() {
                    let message = "This subscription was made without items, which stays so.";
                    return Err(ApiError::invalid(message).param("items").into());
                }
                self.add_item(context, subscription, input, changes).await?;
                continue;
            };
            let path = format!("{}[id]", input.path);
            let place = subscription.items.iter().position(|item| item.id.to_string() == *id);
            let missing = || ApiError::no_such("subscription item", id, &path).status(400);
            let place = place.ok_or_else(missing)?;
            if input.deleted {
                if subscription.items.len() == 1 {
                    let message = "The last item cannot be taken away; cancel the subscription.";
                    return Err(ApiError::invalid(message).param(path).into());
                }
                subscription.items.remove(place);
                continue;
            }
            if input.says_price() {
                let price = self.recurring_price(context, subscription, input, changes).await?;
                subscription.items[place].price = price;
            }
            say(&mut subscription.items[place], input)?;
        }
        check_period(subscription, inputs)
    }

    async fn add_item(
        &self,
        context: &Context,
        subscription: &mut Subscription,
        input: &SubscriptionItemInput,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if subscription.items.len() >= ITEMS_MAX {
            let message = format!("A subscription has at most {ITEMS_MAX} items.");
            return Err(ApiError::invalid(message).param("items").into());
        }
        let price = self.recurring_price(context, subscription, input, changes).await?;
        if subscription.items.iter().any(|item| item.price.id == price.id) {
            let message = "Each item of a subscription has a price of its own; say a quantity.";
            return Err(ApiError::invalid(message).param(input.price_path()).into());
        }
        let mut item = self.new_item(price, 1, changes.now);
        say(&mut item, input)?;
        subscription.items.push(item);
        Ok(())
    }

    /// A recurring price that fits the other items.
    async fn recurring_price(
        &self,
        context: &Context,
        subscription: &Subscription,
        input: &SubscriptionItemInput,
        changes: &mut Changes,
    ) -> Result<Price, Error> {
        let api_error =
            |message: &str| ApiError::invalid(message.to_owned()).param(input.price_path());
        let price = self.price_of_item(context, input, changes).await?;
        if !price.is_recurring() {
            return Err(
                api_error("A subscription needs prices that are paid again and again.").into()
            );
        }
        let Some(recurrence) = price.recurrence() else {
            return Err(
                api_error("A period is at least one day and at most three years long.").into()
            );
        };
        if subscription.recurrence().is_some_and(|other| other != recurrence) {
            let message = "All prices of a subscription here have the same interval.";
            return Err(api_error(message).into());
        }
        Ok(price)
    }

    /// The price of a param. A price that the request makes is inactive for other uses, as at
    /// Stripe.
    pub(crate) async fn price_of_item(
        &self,
        context: &Context,
        input: &SubscriptionItemInput,
        changes: &mut Changes,
    ) -> Result<Price, Error> {
        let path = input.price_path();
        let api_error = |message: &str| ApiError::invalid(message.to_owned()).param(path.clone());
        let price = match (&input.price, &input.price_data) {
            (Some(_), Some(_)) => {
                let paths = [format!("{}[price]", input.path), path];
                return Err(ApiError::exclusive(&paths).into());
            }
            (Some(id), None) => self.get_unchanged::<Price>(context, changes, id, &path).await?,
            (None, Some(data)) => self.make_price(context, data, &path, changes).await?,
            (None, None) => return Err(ApiError::missing_param(&path).into()),
        };
        if !price.active && input.price.is_some() {
            return Err(api_error("The price is inactive.").into());
        }
        if price.currency != model::money::Currency::USD {
            let message = "Bank accounts of the type us_bank_account are debited in usd only.";
            return Err(api_error(message).into());
        }
        if price.unit_amount_decimal.is_none() {
            return Err(api_error("Only prices with a unit_amount can be invoiced here.").into());
        }
        Ok(price)
    }

    /// Shows an item.
    pub async fn retrieve_subscription_item(
        &self,
        context: &Context,
        id_text: &str,
    ) -> Result<ApiResponse, Error> {
        let missing = || Error::from(ApiError::no_such("subscription item", id_text, "item"));
        let id: SubscriptionItemId = id_text.parse().map_err(|_| missing())?;
        let of = ObjectsOf::value(Filter::Item, &id);
        let found = self.newest::<Subscription>(context.merchant, of, 1).await?;
        let subscription = found.into_iter().next().ok_or_else(missing)?;
        let item = subscription.items.iter().find(|item| item.id == id).ok_or_else(missing)?;
        self.unchanged(context, bytes(context, item_value(&subscription, item))).await
    }

    /// Lists the items of a subscription.
    pub async fn list_subscription_items(
        &self,
        context: &Context,
        subscription: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let stored = self.get::<Subscription>(context, subscription, "subscription").await?;
        let items: Vec<_> = stored.items.iter().map(|item| item_value(&stored, item)).collect();
        let (shown, has_more) = page_of(&items, page, "subscription item")?;
        let bodies: Vec<Vec<u8>> = shown.iter().map(|one| bytes(context, one.clone())).collect();
        self.unchanged(context, list_body("/v1/subscription_items", has_more, &bodies)).await
    }
}

/// Applies the params of an item except its price.
fn say(item: &mut SubscriptionItem, input: &SubscriptionItemInput) -> Result<(), Error> {
    item.quantity = input.quantity.unwrap_or(item.quantity);
    if let Some(change) = &input.metadata {
        change.apply(&mut item.metadata)?;
    }
    item.given.update(input.given.clone());
    let cost = cost_of(item).filter(|cost| *cost <= AMOUNT_MAX);
    if cost.is_none() && (input.quantity.is_some() || input.says_price()) {
        let path = match input.quantity {
            Some(_) => format!("{}[quantity]", input.path),
            None => input.price_path(),
        };
        let message = format!("An item may come to at most {AMOUNT_MAX} cents.");
        return Err(ApiError::invalid(message).code("amount_too_large").param(path).into());
    }
    Ok(())
}

fn cost_of(item: &SubscriptionItem) -> Option<i64> {
    cost(unit_amount(&item.price), item.quantity)
}

/// The unit amount of a price in minor units. The price belongs to a subscription or a session.
pub(crate) fn unit_amount(price: &Price) -> &str {
    let Some(amount) = &price.unit_amount_decimal else {
        unreachable!("a price without an amount is refused when it is named ({})", price.id)
    };
    amount
}

/// Rejects items if their total is too large for the next invoice. The API error names the last
/// item of the request.
fn check_period(
    subscription: &Subscription,
    inputs: &[SubscriptionItemInput],
) -> Result<(), Error> {
    let Some(last) = inputs.iter().rfind(|input| !input.deleted) else { return Ok(()) };
    let costs = subscription.items.iter().map(|item| cost_of(item).unwrap_or(i64::MAX));
    if costs.fold(0, i64::saturating_add) > AMOUNT_MAX {
        let message = format!("A period may come to at most {AMOUNT_MAX} cents.");
        let path = last.path.clone();
        return Err(ApiError::invalid(message).code("amount_too_large").param(path).into());
    }
    Ok(())
}
