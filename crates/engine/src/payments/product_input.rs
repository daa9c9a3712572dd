//! The params of products and prices. A product may be created with a price, and a price with a
//! product.

use model::extra_params::ExtraParams;
use model::money::Currency;
use wire::params::MetadataChange;

/// The params of a create or an update of a product.
#[derive(Clone, Debug, Default)]
pub struct ProductInput {
    /// The id that the merchant chooses. Only at creation.
    pub id: Option<String>,
    /// True if it may be sold.
    pub active: Option<bool>,
    /// The default price. Only in updates.
    pub default_price: Option<String>,
    /// The params of a default price. Only at creation.
    pub default_price_data: Option<Box<PriceInput>>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}

/// The params of a create or an update of a price.
#[derive(Clone, Debug, Default)]
pub struct PriceInput {
    /// True if it may be used.
    pub active: Option<bool>,
    /// The currency. Required at creation.
    pub currency: Option<Currency>,
    /// The product.
    pub product: Option<String>,
    /// The params of a new product.
    pub product_data: Option<Box<ProductInput>>,
    /// The unit amount in minor units.
    pub unit_amount: Option<i64>,
    /// The unit amount with a fraction.
    pub unit_amount_decimal: Option<String>,
    /// The merchant's name for it.
    pub lookup_key: Option<String>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}
