//! Products (`prod_…`) and their prices (`price_…`).
//!
//! Payment objects need them only to compute an amount, which is a quantity of a price. Tiers,
//! other currencies and packages are stored and shown, and have no other effect.

use crate::clock::AccountTime;
use crate::extra_params::ExtraParams;
use crate::id::{MerchantId, PriceId, ProductId, hash_number};
use crate::money::Currency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The number of its id.
    pub number: u64,
    /// The id that the merchant chose. It may have any form.
    pub chosen_id: Option<String>,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// The time of the last change.
    pub updated: AccountTime,
    /// True if it was deleted. Lists leave it out.
    pub deleted: bool,
    /// True if it may be sold.
    pub active: bool,
    /// The default price.
    pub default_price: Option<PriceId>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores, the name included.
    pub given: ExtraParams,
}

impl Product {
    /// Returns the id.
    pub fn id(&self) -> String {
        let own = || ProductId::from_number(self.number).to_string();
        self.chosen_id.clone().unwrap_or_else(own)
    }

    /// Returns the number of the product with this id: the number in an id of ours, else a hash of
    /// the text.
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
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every change raises by one.
    pub version: u64,
    /// True if it was created with a live key.
    pub livemode: bool,
    /// The time of creation.
    pub created: AccountTime,
    /// True if it may be used.
    pub active: bool,
    /// The id of the product.
    pub product: String,
    /// The currency.
    pub currency: Currency,
    /// The amount of one in minor units. `None` if another field decides it.
    pub unit_amount: Option<i64>,
    /// The amount of one, with a possible fraction.
    pub unit_amount_decimal: Option<String>,
    /// The merchant's own look-up key.
    pub lookup_key: Option<String>,
    /// The merchant's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Parameters that the server echoes and otherwise ignores.
    pub given: ExtraParams,
}

impl Price {
    /// True if it recurs.
    pub fn is_recurring(&self) -> bool {
        self.given.at(&["recurring"]).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Product;
    use crate::id::ProductId;

    /// An id of ours gives its number. Any other id gives the same number each time.
    #[test]
    fn numbers_of_ids() {
        let own = ProductId::from_number(7);
        assert_eq!(Product::number_of(&own.to_string()), 7);
        assert_eq!(Product::number_of("gold"), Product::number_of("gold"));
        assert_ne!(Product::number_of("gold"), Product::number_of("silver"));
    }
}
