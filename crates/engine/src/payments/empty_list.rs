//! Lists without objects: collections of Stripe that this server has no objects of.

use crate::connect::connected_account::is_own_account;
use crate::list::list_body;
use crate::{ApiResponse, Context, Engine, Error};
use model::customer::Customer;
use model::stored::SetupIntent;
use wire::error::Error as ApiError;
use wire::list::PageParams;

/// The object that a list belongs to, by its id.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// The merchant itself.
    Merchant,
    /// A customer.
    Customer(&'a str),
    /// A product.
    Product(&'a str),
    /// A connected account, or the merchant's own.
    Account(&'a str),
    /// A Setup Intent, named by the parameter `setup_intent`.
    SetupIntent(&'a str),
}

impl Engine {
    /// Lists no objects. The owner must exist. A cursor names an object that does not exist.
    pub async fn list_none(
        &self,
        context: &Context,
        owner: Owner<'_>,
        kind: &str,
        url: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        self.check_list_owner(context, owner).await?;
        let cursors =
            [("starting_after", &page.starting_after), ("ending_before", &page.ending_before)];
        for (param, cursor) in cursors {
            if let Some(id) = cursor {
                // Stripe returns 400 for an unknown cursor, as for any wrong parameter.
                return Err(ApiError::no_such(kind, id, param).status(400).into());
            }
        }
        Ok(ApiResponse::unchanged(list_body(url, false, &[])))
    }

    /// Rejects an owner that does not exist.
    pub async fn check_list_owner(&self, context: &Context, owner: Owner<'_>) -> Result<(), Error> {
        match owner {
            Owner::Merchant => {}
            Owner::Customer(id) => {
                self.get::<Customer>(context, id, "customer").await?;
            }
            Owner::Product(id) => {
                self.get_product(context, id, "product").await?;
            }
            Owner::Account(id) if is_own_account(context, id) => {}
            Owner::Account(id) => {
                self.get_connected(context, id).await?;
            }
            Owner::SetupIntent(id) => {
                self.get::<SetupIntent>(context, id, "setup_intent").await?;
            }
        }
        Ok(())
    }
}
