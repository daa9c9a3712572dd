//! Products and prices.

use crate::render::extra_params::{Shown, leave_out, merge, show_number, value as param_value};
use model::extra_params::ExtraParams;
use model::payments::product::{Price, Product};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static PRODUCT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "product",
        "description": null,
        "images": [],
        "marketing_features": [],
        "name": "",
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": null,
        "tax_code": null,
        "tax_details": null,
        "type": "service",
        "unit_label": null,
        "url": null,
    })
});

static PRICE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "object": "price",
        "billing_scheme": "per_unit",
        "custom_unit_amount": null,
        "nickname": null,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
    })
});

/// Renders a product.
pub fn value(product: &Product) -> Value {
    let mut shown = Shown::of(&PRODUCT, &product.given);
    let price = product.default_price.map(|price| price.to_string());
    shown
        .put("id", product.id())
        .put("active", product.active)
        .put("created", product.created.0)
        .put("default_price", price)
        .put("livemode", product.livemode)
        .put("metadata", json!(product.metadata))
        .put("updated", product.updated.0);
    let mut value = shown.into_value();
    for (_, length) in value["package_dimensions"].as_object_mut().into_iter().flatten() {
        show_number(length);
    }
    value
}

/// Renders a price.
pub fn price_value(price: &Price) -> Value {
    let mut shown = Shown::of(&PRICE, &price.given);
    let recurring = price.given.at(&["recurring"]).map(|hash| {
        let mut recurring = json!({
            "aggregate_usage": null,
            "interval_count": 1,
            "meter": null,
            "trial_period_days": null,
            "usage_type": "licensed",
        });
        merge(&mut recurring, param_value(hash));
        recurring
    });
    let product = Some(price.product.clone());
    shown
        .put("id", price.id.to_string())
        .put("active", price.active)
        .put("created", price.created.0)
        .put("currency", price.currency.as_str())
        .put("livemode", price.livemode)
        .put("lookup_key", price.lookup_key.clone())
        .put("metadata", json!(price.metadata))
        .put("product", product)
        .put("recurring", recurring)
        .put("type", if price.is_recurring() { "recurring" } else { "one_time" })
        .put("unit_amount", price.unit_amount)
        .put("unit_amount_decimal", price.unit_amount_decimal.clone());
    let mut value = shown.into_value();
    // The presence of the hash already means that it is enabled.
    leave_out(&mut value["custom_unit_amount"], "enabled");
    value
}

/// Renders a recurring price as a plan, which is its older form. Returns `None` for other prices.
pub fn plan_value(price: &Price) -> Option<Value> {
    let mut shown = price_value(price);
    let recurring = shown["recurring"].take();
    if recurring.is_null() {
        return None;
    }
    let mut plan = json!({
        "object": "plan",
        "amount": shown["unit_amount"].take(),
        "amount_decimal": shown["unit_amount_decimal"].take(),
        "transform_usage": shown["transform_quantity"].take(),
    });
    for name in [
        "id",
        "active",
        "billing_scheme",
        "created",
        "currency",
        "livemode",
        "metadata",
        "nickname",
        "product",
        "tiers_mode",
    ] {
        plan[name] = shown[name].take();
    }
    merge(&mut plan, recurring);
    Some(plan)
}

/// Renders the amounts of a price in each of its currencies. A response contains them only if they
/// are expanded.
pub fn currency_options(price: &Price) -> Value {
    let mut options = Map::new();
    if let Some(ExtraParams::Hash(others)) = price.given.at(&["currency_options"]) {
        for (currency, params) in others {
            let behavior = params.text(&["tax_behavior"]).unwrap_or("unspecified");
            let amount = params.at(&["custom_unit_amount"]).map_or(Value::Null, param_value);
            let (unit_amount, unit_amount_decimal) = amounts(params, "unit_amount");
            let option = json!({
                "custom_unit_amount": amount,
                "tax_behavior": behavior,
                "unit_amount": unit_amount,
                "unit_amount_decimal": unit_amount_decimal,
            });
            options.insert(currency.clone(), with_tiers(option, params));
        }
    }
    let shown = price_value(price);
    let mut own = json!({});
    for name in ["custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal"] {
        own[name] = shown[name].clone();
    }
    options.insert(price.currency.as_str().to_owned(), with_tiers(own, &price.given));
    for option in options.values_mut() {
        leave_out(&mut option["custom_unit_amount"], "enabled");
    }
    options.into()
}

/// Renders the tiers of a price. Returns `None` for a price without tiers. A response contains them
/// only if they are expanded.
pub fn tiers(price: &Price) -> Option<Value> {
    tiers_in(&price.given)
}

fn with_tiers(mut option: Value, params: &ExtraParams) -> Value {
    if let Some(tiers) = tiers_in(params) {
        option["tiers"] = tiers;
    }
    option
}

fn tiers_in(params: &ExtraParams) -> Option<Value> {
    let ExtraParams::List(tiers) = params.at(&["tiers"])? else { return None };
    let tier = |params: &ExtraParams| {
        let (flat_amount, flat_amount_decimal) = amounts(params, "flat_amount");
        let (unit_amount, unit_amount_decimal) = amounts(params, "unit_amount");
        json!({
            "flat_amount": flat_amount,
            "flat_amount_decimal": flat_amount_decimal,
            "unit_amount": unit_amount,
            "unit_amount_decimal": unit_amount_decimal,
            // The last tier has no end.
            "up_to": params.integer(&["up_to"]),
        })
    };
    Some(tiers.iter().map(tier).collect())
}

/// Returns an amount as a whole number and as a decimal. A request has one of them.
fn amounts(params: &ExtraParams, name: &str) -> (Option<i64>, Option<String>) {
    let whole = params.integer(&[name]);
    let decimal = params.text(&[&format!("{name}_decimal")]).map(str::to_owned);
    let from_decimal = decimal.as_ref().and_then(|text| text.parse().ok());
    (whole.or(from_decimal), decimal.or_else(|| whole.map(|whole| whole.to_string())))
}
