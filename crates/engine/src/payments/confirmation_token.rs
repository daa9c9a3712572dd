//! Confirmation tokens: made in a browser or by a test helper, and used by one confirmation.
//!
//! The confirmation stores the token together with the intent, marked as used. Two confirmations at
//! once conflict by its version.

use super::intent::{Confirmation, MethodParam};
use super::payment_method::{MadeFor, check_usable};
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::extra_params::ExtraParams;
use model::id::ConfirmationTokenId;
use model::payments::confirmation_token::ConfirmationToken;
use model::payments::intent::Intent;
use store::Object;
use wire::error::Error as ApiError;
use wire::render::payments::confirmation_token::value;
use wire::render::payments::payment_method::billing_details;

/// The param of intents that names a token.
const PARAM: &str = "confirmation_token";
/// The params of a Payment Intent that a token sets if the intent has no value.
const FUTURE_USAGE: &str = "setup_future_usage";
const SHIPPING: &str = "shipping";

/// The params of a confirmation token.
#[derive(Clone, Debug)]
pub struct ConfirmationTokenInput {
    /// The payment method.
    pub method: MethodParam,
    /// The holder's acceptance of debits.
    pub acceptance: ExtraParams,
    /// The URL that the browser goes to after the confirmation.
    pub return_url: Option<String>,
    /// The later payments for which the payment method is saved.
    pub setup_future_usage: Option<String>,
    /// The address for deliveries.
    pub shipping: Option<ExtraParams>,
}

impl Engine {
    /// Makes a token.
    pub async fn create_confirmation_token(
        &self,
        context: &Context,
        input: &ConfirmationTokenInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_confirmation_token", async || {
            let mut changes = self.changes_on(context, None).await?;
            let made_for = MadeFor { now: changes.now, clock: None };
            let (method, method_stored) = match &input.method {
                MethodParam::Id(id) => {
                    let name = "payment_method";
                    let method =
                        self.method_param(context, id, name, made_for, &mut changes).await?;
                    // A test name makes a new payment method.
                    let is_stored = method.id.to_string() == *id;
                    (method, is_stored)
                }
                MethodParam::Data(data) => {
                    (self.new_method(context, data, made_for, &mut changes).await?, false)
                }
                MethodParam::Made(method) => ((**method).clone(), false),
            };
            check_usable(&method)?;
            let token = ConfirmationToken {
                id: ConfirmationTokenId::from_number(self.next_number()),
                merchant: context.merchant,
                version: 1,
                livemode: context.livemode,
                created: changes.now,
                method,
                method_stored,
                acceptance: input.acceptance.clone(),
                return_url: input.return_url.clone(),
                setup_future_usage: input.setup_future_usage.clone(),
                shipping: input.shipping.clone(),
                used_by: None,
            };
            let mut shown = value(&token);
            if context.publishable && token.method_stored {
                // A browser must not read the holder's details by the id of a payment method.
                shown["payment_method_preview"]["billing_details"] = billing_details(None);
            }
            let body = bytes(context, shown);
            changes.put(Object::ConfirmationToken(token));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Shows a token.
    pub async fn retrieve_confirmation_token(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let token = self.get::<ConfirmationToken>(context, id, PARAM).await?;
        self.unchanged(context, bytes(context, value(&token))).await
    }

    /// Uses the token of a confirmation. Returns the confirmation with the token's values. Values of
    /// the request and of the intent come first.
    pub(crate) async fn with_token(
        &self,
        context: &Context,
        intent: &mut Intent,
        confirmation: &Confirmation,
        changes: &mut Changes,
    ) -> Result<Confirmation, Error> {
        let mut confirmation = confirmation.clone();
        let Some(id) = confirmation.token.take() else { return Ok(confirmation) };
        let mut token = self.get::<ConfirmationToken>(context, &id, PARAM).await?;
        // Tokens have no test clock, because their holder is not known yet.
        let now = self.clock.account_now();
        if let Some(message) = rejection(&token, now >= token.expires_at()) {
            return Err(ApiError::invalid(message).param(PARAM).into());
        }
        if confirmation.method.is_none() {
            confirmation.method = Some(if token.method_stored {
                MethodParam::Id(token.method.id.to_string())
            } else {
                MethodParam::Made(Box::new(token.method.clone()))
            });
        }
        if confirmation.acceptance.is_none() && confirmation.mandate.is_none() {
            confirmation.acceptance = Some(token.acceptance.clone());
        }
        if confirmation.return_url.is_none() {
            confirmation.return_url.clone_from(&token.return_url);
        }
        if intent.is_payment() {
            let usage = token.setup_future_usage.clone().map(ExtraParams::Text);
            put_missing(intent, FUTURE_USAGE, usage);
            put_missing(intent, SHIPPING, token.shipping.clone());
        }
        token.used_by = Some(intent.id());
        token.version += 1;
        changes.put(Object::ConfirmationToken(token));
        Ok(confirmation)
    }
}

/// Sets a param of an intent that has no value.
fn put_missing(intent: &mut Intent, name: &str, value: Option<ExtraParams>) {
    if let Some(value) = value
        && intent.given.at(&[name]).is_none()
    {
        intent.given.put(name, value);
    }
}

/// The reason why a token cannot be used, if there is one.
fn rejection(token: &ConfirmationToken, has_expired: bool) -> Option<String> {
    let id = token.id;
    if let Some(intent) = &token.used_by {
        return Some(format!(
            "The ConfirmationToken {id} was used to confirm {intent}. Create another token for each \
             confirmation."
        ));
    }
    has_expired.then(|| {
        format!(
            "The ConfirmationToken {id} expired 12 hours after its creation. Create another token."
        )
    })
}
