//! Authorizations. An authorization has no row of its own, so it is read from its accounts.

use crate::context::render;
use crate::{ApiResponse, Context, Engine, Error};
use model::authorization::Authorization;
use wire::error::Error as ApiError;
use wire::render::connections::authorization::write;

impl Engine {
    /// Shows an authorization.
    pub async fn retrieve_authorization(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<ApiResponse, Error> {
        let accounts = match text.parse() {
            Ok(id) => self.accounts_of_authorization(context.merchant, id).await?,
            Err(_) => Vec::new(),
        };
        let authorization = Authorization::of_all(&accounts).ok_or_else(|| {
            ApiError::no_such("Financial Connections authorization", text, "authorization")
        })?;
        let view = context.view(self);
        self.unchanged(context, render(|w| write(w, &authorization, &view))).await
    }
}
