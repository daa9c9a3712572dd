//! The balance of a merchant. It is always zero, because this server moves no money.

use crate::payments::bytes;
use crate::{ApiResponse, Context, Engine, Error};
use wire::render::payments::balance::value;

impl Engine {
    /// Shows the balance.
    pub async fn retrieve_balance(&self, context: &Context) -> Result<ApiResponse, Error> {
        self.unchanged(context, bytes(context, value(context.livemode))).await
    }
}
