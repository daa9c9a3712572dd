//! `/v1/plans`: recurring prices in their older form.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::take_created;
use engine::payments::price::PriceFilter;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = PriceFilter {
        active: params.boolean("active")?,
        currency: None,
        product: params.text("product")?,
        lookup_keys: None,
        recurring: Some(true),
        recurrence: Vec::new(),
        created: take_created(params)?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List("plan"))?;
    Ok(call.engine.list_plans(&call.context, &filter).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("plan"))?;
    Ok(call.engine.retrieve_plan(&call.context, call.id()).await?)
}
