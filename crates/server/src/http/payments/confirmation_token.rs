//! Confirmation tokens. A test helper makes them, which the replacement of Stripe.js calls too.

use super::intent::{FUTURE_USAGE, take_method};
use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_text};
use crate::http::texts::check_return_url;
use engine::payments::confirmation_token::ConfirmationTokenInput;
use model::extra_params::ExtraParams;
use wire::error::Error;
use wire::expand::Returns;

const KIND: &str = "confirmation_token";

/// Makes a token for a test or a browser. The holder accepts the debit online in both cases.
pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/test_helpers/confirmation_tokens")?;
    let method = take_method(&mut params)?;
    let return_url = take_text(&mut params, "return_url");
    check_return_url(return_url.as_deref(), "return_url")?;
    let setup_future_usage = take_text(&mut params, FUTURE_USAGE);
    let returns = if call.publishable { Returns::Nothing } else { Returns::Object(KIND) };
    let call = call.ready(returns)?;
    let mut acceptance = ExtraParams::empty();
    acceptance.put("type", ExtraParams::Text("online".to_owned()));
    acceptance.put("online", ExtraParams::empty());
    let input = ConfirmationTokenInput {
        method: method.ok_or_else(|| Error::missing_param("payment_method"))?,
        acceptance,
        return_url,
        setup_future_usage,
        shipping: params.take("shipping"),
    };
    Ok(call.engine.create_confirmation_token(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object(KIND))?;
    Ok(call.engine.retrieve_confirmation_token(&call.context, call.id()).await?)
}
