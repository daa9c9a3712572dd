//! `/v1/financial_connections/settings`: ours. Stripe has these in its Dashboard only.

use super::call::{Call, Outcome};
use engine::connections_settings::SettingsInput;
use wire::params::Params;

pub(super) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(&[])?;
    Ok(call.engine.retrieve_connections_settings(&call.context).await?)
}

pub(super) async fn update(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let permissions = params.unsettable("permissions", Params::choices)?;
    let prefetch = params.unsettable("prefetch", Params::choices)?;
    let input = SettingsInput {
        permissions: permissions.map(|given| given.into_option().unwrap_or_default()),
        prefetch: prefetch.map(|given| given.into_option().unwrap_or_default()),
    };
    let call = call.ready(&[])?;
    Ok(call.engine.update_connections_settings(&call.context, &input).await?)
}
