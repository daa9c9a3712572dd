//! Products and prices.

use crate::expand::Field;
use crate::render::extra_params::{
    Expanded, Shown, id_or_object, leave_out, merge, show_number, value as param_value,
};
use model::payments::product::{Price, Product};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The expandable fields of a product.
pub const FIELDS: &[Field] = &[Field { name: "default_price", expandable: true, inside: &[] }];

/// The expandable fields of a price.
pub const PRICE_FIELDS: &[Field] = &[Field { name: "product", expandable: true, inside: &[] }];

/// The expandable fields of a list of products.
pub const LIST_FIELDS: &[Field] = &[Field { name: "data", expandable: false, inside: FIELDS }];

/// The expandable fields of a list of prices.
pub const PRICE_LIST_FIELDS: &[Field] =
    &[Field { name: "data", expandable: false, inside: PRICE_FIELDS }];

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

/// Renders a product with its expanded fields.
pub fn value(product: &Product, expanded: &Expanded) -> Value {
    let mut shown = Shown::of(&PRODUCT, &product.given);
    let price = product.default_price.map(|price| price.to_string());
    shown
        .put("id", product.id())
        .put("active", product.active)
        .put("created", product.created.0)
        .put("default_price", id_or_object(expanded, "default_price", price))
        .put("livemode", product.livemode)
        .put("metadata", json!(product.metadata))
        .put("updated", product.updated.0);
    let mut value = shown.into_value();
    for (_, length) in value["package_dimensions"].as_object_mut().into_iter().flatten() {
        show_number(length);
    }
    value
}

/// Renders a price with its expanded fields.
pub fn price_value(price: &Price, expanded: &Expanded) -> Value {
    let mut shown = Shown::of(&PRICE, &price.given);
    let recurring = price.given.at(&["recurring"]).map(|hash| {
        let mut recurring = json!({
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
        .put("product", id_or_object(expanded, "product", product))
        .put("recurring", recurring)
        .put("type", if price.is_recurring() { "recurring" } else { "one_time" })
        .put("unit_amount", price.unit_amount)
        .put("unit_amount_decimal", price.unit_amount_decimal.clone());
    let mut value = shown.into_value();
    // The presence of the hash already means that it is enabled.
    leave_out(&mut value["custom_unit_amount"], "enabled");
    value
}
