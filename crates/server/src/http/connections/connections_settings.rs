//! `/v1/financial_connections/settings`, an addition of this server. Stripe has these settings only
//! in its Dashboard.

use crate::http::call::{Call, Outcome};
use engine::connections::connections_settings::SettingsInput;
use model::Word;
use model::account::Permission;
use model::connections_settings::Registration;
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
    let prefetch = params.unsettable("prefetch", Params::choices)?;
    let register = match params.hash("registration")? {
        Some(hash) => take_registration(hash)?,
        None => Vec::new(),
    };
    let input = SettingsInput {
        register,
        permissions: permissions.map(|value| value.into_option().unwrap_or_default()),
        prefetch: prefetch.map(|value| value.into_option().unwrap_or_default()),
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.update_connections_settings(&call.context, &input).await?)
}

/// Takes the kinds of data with a complete registration. A registration cannot be withdrawn.
fn take_registration(mut params: Params) -> Result<Vec<Permission>, Error> {
    let mut register = Vec::new();
    for permission in Permission::ALL {
        let path = params.path_of(permission.word());
        match params.choice::<Registration>(permission.word())? {
            Some(Registration::Active) => register.push(*permission),
            Some(Registration::Unrequested) => {
                let message = "A registration is completed by 'active'; it cannot be taken back.";
                return Err(Error::invalid(message).param(path));
            }
            None => {}
        }
    }
    params.finish()?;
    Ok(register)
}
