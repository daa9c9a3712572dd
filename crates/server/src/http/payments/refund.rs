//! Refunds, among all and below their charges.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_created, take_integer, take_metadata, take_text};
use crate::http::texts::check_email;
use engine::payments::refund::{RefundFilter, RefundInput};
use model::Word;
use model::payments::refund::RefundReason;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/refunds")?;
    let instructions_email = take_text(&mut params, "instructions_email");
    check_email(instructions_email.as_deref(), "instructions_email")?;
    for name in ["origin", "customer"] {
        if params.at(&[name]).is_some() {
            let message = "This server has no customer balances to refund from. Name a charge or a \
                           payment_intent.";
            return Err(Error::invalid(message).param(name).into());
        }
    }
    let input = RefundInput {
        charge: take_text(&mut params, "charge"),
        payment_intent: take_text(&mut params, "payment_intent"),
        amount: take_integer(&mut params, "amount"),
        currency: take_text(&mut params, "currency"),
        reason: take_text(&mut params, "reason").and_then(|word| RefundReason::from_word(&word)),
        instructions_email,
        metadata: take_metadata(&mut params),
    };
    let call = call.ready(Returns::Object("refund"))?;
    Ok(call.engine.create_refund(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("refund"))?;
    Ok(call.engine.retrieve_refund(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/refunds/{id}")?;
    let metadata = take_metadata(&mut params);
    let call = call.ready(Returns::Object("refund"))?;
    Ok(call.engine.update_refund(&call.context, call.id(), metadata.as_ref()).await?)
}

pub(in crate::http) async fn cancel(mut call: Call) -> Outcome {
    read(&mut call, "POST /v1/refunds/{id}/cancel")?;
    let call = call.ready(Returns::Object("refund"))?;
    Ok(call.engine.cancel_refund(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = RefundFilter {
        charge: params.text("charge")?,
        payment_intent: params.text("payment_intent")?,
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("refund"))?;
    Ok(call.engine.list_refunds(&call.context, &filter).await?)
}

pub(in crate::http) async fn list_of_charge(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::List("refund"))?;
    Ok(call.engine.list_refunds_of_charge(&call.context, call.id(), &page).await?)
}

pub(in crate::http) async fn retrieve_of_charge(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("refund"))?;
    let refund = call.path_part(1);
    Ok(call.engine.retrieve_refund_of_charge(&call.context, call.id(), refund).await?)
}
