//! `/v1/financial_connections/settings`, an addition of this server. Stripe has these settings only
//! in its Dashboard.

use crate::http::call::{Call, Outcome};
use engine::connections::connections_settings::SettingsInput;
use model::Word;
use model::account::Permission;
use model::connections_settings::{Registration, Registrations};
use model::session::Prefetch;
use wire::error::Error;
use wire::expand::Returns;
use wire::params::Params;

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_connections_settings(&call.context).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let permissions = params.unsettable("permissions", Params::choices)?;
    let prefetch = params
        .unsettable("prefetch", |params, name| params.choices_among(name, Prefetch::GENERAL))?;
    let rehearse = match params.hash("registration")? {
        Some(hash) => take_registration(hash)?,
        None => Registrations::new(),
    };
    let input = SettingsInput {
        rehearse,
        permissions: permissions.map(|value| value.into_option().unwrap_or_default()),
        prefetch: prefetch.map(|value| value.into_option().unwrap_or_default()),
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.update_connections_settings(&call.context, &input).await?)
}

/// Takes the states of the registration to rehearse.
fn take_registration(mut params: Params) -> Result<Registrations, Error> {
    let mut states = Registrations::new();
    for permission in Permission::ALL {
        if let Some(state) = params.choice::<Registration>(permission.word())? {
            states.insert(*permission, state);
        }
    }
    params.finish()?;
    Ok(states)
}
