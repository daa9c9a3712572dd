//! The line items of a Checkout Session, with prices of the merchant or prices that the session
//! makes.

use super::CheckoutInput;
use super::subscribe::{SUBSCRIPTION_DATA, trial_in};
use crate::payments::Changes;
use crate::payments::product_input::PriceInput;
use crate::payments::subscription::item::SubscriptionItemInput;
use crate::payments::subscription::item::unit_amount;
use crate::payments::subscription::trial_end;
use crate::{Context, Engine, Error};
use model::extra_params::ExtraParams;
use model::id::LineItemId;
use model::payments::checkout::{CheckoutMode, LineItem, line_amount};
use model::payments::intent::{AMOUNT_MAX, AMOUNT_MIN};
use model::payments::product::{Price, Product};
use wire::error::Error as ApiError;

/// One line item of a create.
#[derive(Clone, Debug)]
pub struct LineItemInput {
    /// Its path in the request, such as `line_items[0]`.
    pub path: String,
    /// The price.
    pub price: Option<String>,
    /// The params of a new price.
    pub price_data: Option<Box<PriceInput>>,
    /// The quantity.
    pub quantity: i64,
    /// All other params.
    pub given: ExtraParams,
}

impl Engine {
    /// The line items of a new session; prices and products that it makes are put among the
    /// changes.
    pub(super) async fn line_items_of(
        &self,
        context: &Context,
        input: &CheckoutInput,
        changes: &mut Changes,
    ) -> Result<Vec<LineItem>, Error> {
        let later = trial_end(trial_in(&input.given), changes.now, SUBSCRIPTION_DATA)?;
        let mut items: Vec<LineItem> = Vec::with_capacity(input.line_items.len());
        // A trial only delays a payment, so the amount counts here.
        let mut total = 0_i128;
        for line in &input.line_items {
            let named = SubscriptionItemInput {
                path: line.path.clone(),
                price: line.price.clone(),
                price_data: line.price_data.clone(),
                ..SubscriptionItemInput::default()
            };
            let price = self.price_of_item(context, &named, changes).await?;
            fits(input.mode, &price, &named, &items)?;
            let put_off = later.is_some() && price.is_recurring();
            let amount = line_amount(unit_amount(&price), line.quantity).ok_or_else(|| {
                let message = "Quantity and unit amount are zero or more, and not out of bounds.";
                ApiError::invalid(message).param(line.path.clone())
            })?;
            total += i128::from(amount);
            let number = Product::number_of(&price.product);
            let product = self.find_unchanged::<Product>(context.merchant, changes, number).await?;
            let name = product.and_then(|product| product.given.text(&["name"]).map(str::to_owned));
            items.push(LineItem {
                id: LineItemId::from_number(self.next_number()),
                currency: price.currency,
                price,
                name: name.unwrap_or_default(),
                quantity: line.quantity,
                amount: if put_off { 0 } else { amount },
                given: line.given.clone().without_unset(),
            });
        }
        check_total(input.mode, &items, total)?;
        Ok(items)
    }
}

/// Rejects a price that does not fit the mode or the other line items.
fn fits(
    mode: CheckoutMode,
    price: &Price,
    named: &SubscriptionItemInput,
    others: &[LineItem],
) -> Result<(), Error> {
    let path = named.price_path();
    if !price.is_recurring() {
        return Ok(());
    }
    if mode != CheckoutMode::Subscription {
        let message = "This session is for one payment, so it needs a price that is paid once. \
                       Use mode=subscription for a recurring price.";
        let param = if named.price_data.is_some() { format!("{path}[recurring]") } else { path };
        return Err(ApiError::invalid(message).param(param).into());
    }
    let Some(recurrence) = price.recurrence() else {
        let message = "A period is at least one day and at most three years long.";
        return Err(ApiError::invalid(message).param(path).into());
    };
    let mut recurrences = others.iter().filter_map(|item| item.price.recurrence());
    if recurrences.any(|other| other != recurrence) {
        let message = "All prices of a subscription here have the same interval.";
        return Err(ApiError::invalid(message).param(path).into());
    }
    Ok(())
}

/// Rejects a session with a total that is too small or too large.
fn check_total(mode: CheckoutMode, items: &[LineItem], total: i128) -> Result<(), Error> {
    let api_error = |message: String, code| {
        Err(ApiError::invalid(message).code(code).param("line_items").into())
    };
    let recurs = items.iter().any(|item| item.price.is_recurring());
    match mode {
        CheckoutMode::Setup => Ok(()),
        CheckoutMode::Subscription if !recurs => {
            let message = "A session in mode=subscription needs a price that is paid again and \
                           again among its line items.";
            Err(ApiError::invalid(message).param("line_items").into())
        }
        CheckoutMode::Payment if total < i128::from(AMOUNT_MIN) => {
            let message = format!("The line items must come to at least {AMOUNT_MIN} cents.");
            api_error(message, "amount_too_small")
        }
        _ if total > i128::from(AMOUNT_MAX) => {
            let message = format!("The line items may come to at most {AMOUNT_MAX} cents.");
            api_error(message, "amount_too_large")
        }
        _ => Ok(()),
    }
}
