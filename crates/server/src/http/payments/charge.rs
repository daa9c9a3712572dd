//! Charges.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_created, take_metadata, take_text};
use crate::http::texts::check_email;
use engine::payments::charge::{ChargeFilter, ChargeInput};
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("charge"))?;
    Ok(call.engine.retrieve_charge(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = ChargeFilter {
        customer: params.text("customer")?,
        payment_intent: params.text("payment_intent")?,
        transfer_group: params.text("transfer_group")?,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("charge"))?;
    Ok(call.engine.list_charges(&call.context, &filter).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/charges/{id}")?;
    check_email(params.text(&["receipt_email"]), "receipt_email")?;
    let input = ChargeInput {
        customer: take_text(&mut params, "customer"),
        metadata: take_metadata(&mut params),
        given: params,
    };
    let call = call.ready(Returns::Object("charge"))?;
    Ok(call.engine.update_charge(&call.context, call.id(), &input).await?)
}
