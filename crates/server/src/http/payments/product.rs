//! Products and prices.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{
    read, take_boolean, take_created, take_integer, take_metadata, take_text,
};
use engine::payments::price::PriceFilter;
use engine::payments::product::ProductFilter;
use engine::payments::product_input::{PriceInput, ProductInput};
use model::Word;
use model::calendar::{Interval, Recurrence};
use model::extra_params::ExtraParams;
use model::money::Currency;
use model::payments::intent::AMOUNT_MAX;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/products")?;
    let input = take_product(params)?;
    let call = call.ready(Returns::Object("product"))?;
    Ok(call.engine.create_product(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("product"))?;
    Ok(call.engine.retrieve_product(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/products/{id}")?;
    let input = take_product(params)?;
    let call = call.ready(Returns::Object("product"))?;
    Ok(call.engine.update_product(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_product(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = ProductFilter {
        active: params.boolean("active")?,
        ids: params.texts("ids")?,
        shippable: params.boolean("shippable")?,
        url: params.text("url")?,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("product"))?;
    Ok(call.engine.list_products(&call.context, &filter).await?)
}

pub(in crate::http) async fn create_price(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/prices")?;
    let input = take_price(params, "")?;
    let call = call.ready(Returns::Object("price"))?;
    Ok(call.engine.create_price(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve_price(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("price"))?;
    Ok(call.engine.retrieve_price(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update_price(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/prices/{id}")?;
    let input = PriceInput {
        active: take_boolean(&mut params, "active"),
        lookup_key: take_text(&mut params, "lookup_key"),
        metadata: take_metadata(&mut params),
        given: params,
        ..PriceInput::default()
    };
    let call = call.ready(Returns::Object("price"))?;
    Ok(call.engine.update_price(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn list_prices(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let recurring = match params.text("type")?.as_deref() {
        None => None,
        Some("one_time") => Some(false),
        Some("recurring") => Some(true),
        Some(_) => return Err(Error::bad_choice("type", &["one_time", "recurring"]).into()),
    };
    let mut recurrence = Vec::new();
    if let Some(mut hash) = params.hash("recurring")? {
        for name in ["interval", "meter", "usage_type"] {
            recurrence.extend(hash.text(name)?.map(|word| (name, word)));
        }
        hash.finish()?;
    }
    let filter = PriceFilter {
        active: params.boolean("active")?,
        currency: params.text("currency")?,
        product: params.text("product")?,
        lookup_keys: params.texts("lookup_keys")?,
        recurring,
        recurrence,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("price"))?;
    Ok(call.engine.list_prices(&call.context, &filter).await?)
}

fn take_product(mut params: ExtraParams) -> Result<ProductInput, Error> {
    let price = match params.take("default_price_data") {
        Some(data) => Some(Box::new(take_price(data, "default_price_data")?)),
        None => None,
    };
    Ok(ProductInput {
        id: take_text(&mut params, "id"),
        active: take_boolean(&mut params, "active"),
        default_price: take_text(&mut params, "default_price"),
        default_price_data: price,
        metadata: take_metadata(&mut params),
        given: params,
    })
}

/// Takes the data of a price from a hash at `path` or from the request itself.
pub(in crate::http) fn take_price(
    mut params: ExtraParams,
    path: &str,
) -> Result<PriceInput, Error> {
    let product_data = match params.take("product_data") {
        Some(data) => Some(Box::new(take_product(data)?)),
        None => None,
    };
    let input = PriceInput {
        active: take_boolean(&mut params, "active"),
        currency: take_text(&mut params, "currency").and_then(|code| Currency::parse(&code)),
        product: take_text(&mut params, "product"),
        product_data,
        unit_amount: take_integer(&mut params, "unit_amount"),
        unit_amount_decimal: take_text(&mut params, "unit_amount_decimal"),
        lookup_key: take_text(&mut params, "lookup_key"),
        metadata: take_metadata(&mut params),
        given: params,
    };
    let full = |name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") }
    };
    if input.unit_amount.is_some() && input.unit_amount_decimal.is_some() {
        return Err(Error::exclusive(&[full("unit_amount"), full("unit_amount_decimal")]));
    }
    let tiered = input.given.text(&["billing_scheme"]) == Some("tiered");
    let chosen_by_payer = input.given.at(&["custom_unit_amount"]).is_some();
    let amount = input.unit_amount.is_some() || input.unit_amount_decimal.is_some();
    if !amount && !tiered && !chosen_by_payer {
        return Err(Error::missing_param(&full("unit_amount")));
    }
    let wrong = |text: &str| {
        model::payments::invoice::cost(text, 1).is_none_or(|cost| !(0..=AMOUNT_MAX).contains(&cost))
    };
    if input.unit_amount_decimal.as_deref().is_some_and(wrong) {
        let message =
            format!("A unit amount is from 0 to {AMOUNT_MAX} cents, with at most twelve decimals.");
        return Err(Error::invalid(message).param(full("unit_amount_decimal")));
    }
    if input.unit_amount.is_some_and(|amount| !(0..=AMOUNT_MAX).contains(&amount)) {
        let message = format!("A unit amount is from 0 to {AMOUNT_MAX} cents.");
        return Err(Error::invalid(message).param(full("unit_amount")));
    }
    check_recurring(&input.given, &full("recurring"))?;
    Ok(input)
}

/// Rejects a billing period shorter than one day or longer than three years.
fn check_recurring(params: &ExtraParams, path: &str) -> Result<(), Error> {
    let interval = params.text(&["recurring", "interval"]).and_then(Interval::from_word);
    let (Some(interval), Some(count)) =
        (interval, params.integer(&["recurring", "interval_count"]))
    else {
        return Ok(());
    };
    if Recurrence::new(interval, count).is_some() {
        return Ok(());
    }
    let message = "A period is at least one day and at most three years long.";
    Err(Error::invalid(message).param(format!("{path}[interval_count]")))
}
