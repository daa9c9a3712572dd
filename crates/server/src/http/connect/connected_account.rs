//! `/v1/accounts` and `/v1/account`: connected accounts.

use super::external_account::take_external;
use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_created, take_metadata};
use engine::connect::connected_account::{ConnectedAccountFilter, ConnectedAccountInput};
use model::extra_params::ExtraParams;
use std::collections::BTreeMap;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;

/// Parameters that are not stored, because they describe people and no response contains them.
const NOT_KEPT: [&str; 5] = ["account_token", "bank_account", "company", "documents", "individual"];

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/accounts")?;
    let input = take_input(params)?;
    let call = call.ready(Returns::Object("account"))?;
    Ok(call.engine.create_connected_account(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve_own(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("account"))?;
    Ok(call.engine.retrieve_own_account(&call.context).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("account"))?;
    Ok(call.engine.retrieve_connected_account(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/accounts/{id}")?;
    let input = take_input(params)?;
    let call = call.ready(Returns::Object("account"))?;
    Ok(call.engine.update_connected_account(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_connected_account(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter =
        ConnectedAccountFilter { created: take_created(params)?, page: take_page(params)? };
    let call = call.ready(Returns::List("account"))?;
    Ok(call.engine.list_connected_accounts(&call.context, &filter).await?)
}

fn take_input(mut params: ExtraParams) -> Result<ConnectedAccountInput, Error> {
    if params.at(&["type"]).is_some() && params.at(&["controller"]).is_some() {
        return Err(Error::exclusive(&["type", "controller"]));
    }
    if params.text(&["country"]).is_some_and(|country| !is_country(country)) {
        let message = "A country is given as two letters, such as US.";
        return Err(Error::invalid(message).param("country"));
    }
    let external = take_external(&mut params)?;
    let capabilities = take_capabilities(&mut params);
    let metadata = take_metadata(&mut params);
    for name in NOT_KEPT {
        params.take(name);
    }
    Ok(ConnectedAccountInput { capabilities, external, metadata, given: params })
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Takes `capabilities[name][requested]`. A capability that the request omits stays unchanged.
fn take_capabilities(params: &mut ExtraParams) -> BTreeMap<String, bool> {
    let Some(ExtraParams::Hash(requested)) = params.take("capabilities") else {
        return BTreeMap::new();
    };
    let requested = requested.into_iter();
    requested.filter_map(|(name, how)| Some((name, how.boolean(&["requested"])?))).collect()
}
