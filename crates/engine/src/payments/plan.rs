//! Plans: recurring prices in their older form. They are created and changed as prices.

use crate::payments::bytes;
use crate::payments::price::PriceFilter;
use crate::{ApiResponse, Context, Engine, Error};
use model::payments::product::Price;
use wire::error::Error as ApiError;
use wire::render::payments::product::plan_value;

impl Engine {
    /// Shows a recurring price as a plan.
    pub async fn retrieve_plan(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let price = self.find_id::<Price>(context, id).await?;
        let plan = price.as_ref().and_then(plan_value);
        let plan = plan.ok_or_else(|| ApiError::no_such("plan", id, "plan"))?;
        self.unchanged(context, bytes(context, plan)).await
    }

    /// Lists recurring prices as plans. The filter must leave out other prices.
    pub async fn list_plans(
        &self,
        context: &Context,
        filter: &PriceFilter,
    ) -> Result<ApiResponse, Error> {
        let (of, created, page) = (filter.of(), filter.created, &filter.page);
        let cursors =
            [(&page.starting_after, "starting_after"), (&page.ending_before, "ending_before")];
        for (cursor, param) in cursors {
            let Some(id) = cursor else { continue };
            let price = self.find_id::<Price>(context, id).await?;
            if price.as_ref().and_then(plan_value).is_none() {
                // Stripe returns 400 for an unknown cursor, as for any wrong parameter.
                return Err(ApiError::no_such("plan", id, param).status(400).into());
            }
        }
        let listed = self.list_in_all::<Price>(context, of, created, page).await?;
        let plan = |price: &Price| match plan_value(price) {
            Some(plan) => plan,
            None => unreachable!("the filter leaves out prices that are not recurring"),
        };
        self.list_values(context, "/v1/plans", listed, plan).await
    }
}
