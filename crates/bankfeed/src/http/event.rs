//! `/v1/events`, and the deliveries of one under `/v1/test_helpers/events`.

use super::call::{Call, Outcome};
use super::customer::bounds;
use engine::event::EventFilter;
use wire::list::take_page;

pub(super) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.exclusive(&["type", "types"])?;
    let one = params.text("type")?;
    let many = params.texts("types")?;
    let filter = EventFilter {
        types: one.map(|one| vec![one]).or(many).unwrap_or_default(),
        created: bounds(params.range("created")?),
        delivery_success: params.boolean("delivery_success")?,
        page: take_page(params)?,
    };
    let call = call.ready(&[])?;
    Ok(call.engine.list_events(&call.context, &filter).await?)
}

pub(super) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(&[])?;
    Ok(call.engine.retrieve_event(&call.context, call.id()).await?)
}

pub(super) async fn deliveries(call: Call) -> Outcome {
    let call = call.ready(&[])?;
    Ok(call.engine.list_deliveries(&call.context, call.id()).await?)
}
