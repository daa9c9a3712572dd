//! `/v1/tokens`: single-use tokens for the numbers of a bank account.

use super::external_account::take_numbers;
use crate::http::call::{Call, Outcome};
use crate::http::extra_params::read;
use engine::payments::payment_method::test_methods_hint;
use wire::error::Error;
use wire::expand::Returns;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    if call.params.has("card") {
        let message = format!("This server has no cards. {}", test_methods_hint());
        return Err(Error::invalid(message).param("card").into());
    }
    let params = read(&mut call, "POST /v1/tokens")?;
    let path = "bank_account";
    let hash = params.at(&[path]).ok_or_else(|| Error::missing_param(path))?;
    if hash.text(&[]).is_some() {
        let message = "This server makes tokens of numbers: give bank_account as a hash.";
        return Err(Error::invalid(message).param(path).into());
    }
    let numbers = take_numbers(hash, path)?;
    let call = call.ready(Returns::Object("token"))?;
    Ok(call.engine.create_token(&call.context, &numbers, path).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("token"))?;
    Ok(call.engine.retrieve_token(&call.context, call.id()).await?)
}
