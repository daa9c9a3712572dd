//! Products (`prod_…`) and their prices (`price_…`): what an invoice says it is for.
//!
//! Carriers need them to come to an amount, no more: an amount is so many of a price. Tiers,
//! other currencies and packages are kept and shown, not acted on.

use crate::clock::AccountTime;
use crate::given::Given;
use crate::id::{MerchantId, PriceId, ProductId, hash_number};
use crate::money::Currency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The number of its id.
    pub number: u64,
    /// The id that the merchant chose, which need not look like one of ours.
    pub chosen_id: Option<String>,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// When it was changed last.
    pub updated: AccountTime,
    /// Whether lists leave it out.
    pub deleted: bool,
    /// Whether it may be sold.
    pub active: bool,
    /// The price that it is sold at by default.
    pub default_price: Option<PriceId>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it; its name among it.
    pub given: Given,
}

impl Product {
    /// Its id.
    pub fn id(&self) -> String {
        let own = || ProductId::from_number(self.number).to_string();
        self.chosen_id.clone().unwrap_or_else(own)
    }

    /// The number of a product with this id: of ours, or of the merchant's choice.
    pub fn number_of(id: &str) -> u64 {
        let chosen = |_| hash_number(&[b"product", id.as_bytes()]);
        id.parse().map_or_else(chosen, ProductId::number)
    }
}

/// One price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Its id.
    pub id: PriceId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every change.
    pub version: u64,
    /// Whether it was made with a live key.
    pub livemode: bool,
    /// When it was made.
    pub created: AccountTime,
    /// Whether it may be used.
    pub active: bool,
    /// The id of what it is a price of.
    pub product: String,
    /// Of what.
    pub currency: Currency,
    /// How many minor units one costs; none where that is decided otherwise.
    pub unit_amount: Option<i64>,
    /// The same with the fraction that it may have.
    pub unit_amount_decimal: Option<String>,
    /// The merchant's own name for it.
    pub lookup_key: Option<String>,
    /// The merchant's own keys.
    pub metadata: BTreeMap<String, String>,
    /// What it echoes without acting on it.
    pub given: Given,
}

impl Price {
    /// Whether it is paid again and again.
    pub fn is_recurring(&self) -> bool {
        self.given.at(&["recurring"]).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Product;
    use crate::id::ProductId;

    /// An id of ours is its number; any other leads to the same number each time.
    #[test]
    fn numbers_of_ids() {
        let own = ProductId::from_number(7);
        assert_eq!(Product::number_of(&own.to_string()), 7);
        assert_eq!(Product::number_of("gold"), Product::number_of("gold"));
        assert_ne!(Product::number_of("gold"), Product::number_of("silver"));
    }
}
