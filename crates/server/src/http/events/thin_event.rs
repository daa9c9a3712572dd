//! `/v2/core/events`.

use crate::http::call::{Call, Outcome};
use engine::events::thin::ThinFilter;
use model::limits::THIN_TYPES_MAX;
use store::Bounds;
use wire::date_time::{Moment, read};
use wire::error::Error;
use wire::event_names::check_thin_types;
use wire::list::take_token_page;
use wire::params::Params;

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let mut query = Vec::new();
    let page = take_token_page(params)?;
    query.push(("limit".to_owned(), page.limit.to_string()));
    let object = params.text("object_id")?;
    query.extend(object.clone().map(|id| ("object_id".to_owned(), id)));
    let names = params.texts("types")?;
    for (index, name) in names.iter().flatten().enumerate() {
        query.push((format!("types[{index}]"), name.clone()));
    }
    if let Some(names) = &names {
        if names.len() > THIN_TYPES_MAX {
            let message = format!("types has at most {THIN_TYPES_MAX} names.");
            return Err(Error::invalid(message).param("types").into());
        }
        check_thin_types(names, "types")?;
    }
    let created = take_created(params, &mut query)?;
    let call = call.ready_in_second_version()?;
    let filter = ThinFilter { names, object, created, page, query };
    Ok(call.engine.list_thin_events(&call.context, &filter).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready_in_second_version()?;
    Ok(call.engine.retrieve_thin_event(&call.context, call.id()).await?)
}

/// Takes the range of times, which are texts. Events happen at whole seconds.
fn take_created(params: &mut Params, query: &mut Vec<(String, String)>) -> Result<Bounds, Error> {
    let mut bounds = Bounds::default();
    let Some(mut range) = params.hash("created")? else { return Ok(bounds) };
    for bound in ["gt", "gte", "lt", "lte"] {
        let path = range.path_of(bound);
        let Some(text) = range.text(bound)? else { continue };
        let Some(Moment { second, has_fraction }) = read(&text) else {
            let message = format!(
                "Invalid {path}: must be a time in the form of RFC 3339, such as \
                 2026-01-31T09:30:00Z."
            );
            return Err(Error::invalid(message).param(path));
        };
        let later = |is_later: bool| second + i64::from(is_later);
        match bound {
            "gt" => raise(&mut bounds, later(true)),
            "gte" => raise(&mut bounds, later(has_fraction)),
            "lt" => lower(&mut bounds, later(has_fraction) - 1),
            _ => lower(&mut bounds, second),
        }
        query.push((path, text));
    }
    range.finish()?;
    Ok(bounds)
}

fn raise(bounds: &mut Bounds, from: i64) {
    bounds.from = Some(bounds.from.map_or(from, |current| current.max(from)));
}

fn lower(bounds: &mut Bounds, to: i64) {
    bounds.to = Some(bounds.to.map_or(to, |current| current.min(to)));
}
