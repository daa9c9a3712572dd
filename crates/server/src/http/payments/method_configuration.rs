//! Configurations of payment methods.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_text};
use engine::payments::method_configuration::MethodConfigurationInput;
use model::Word;
use model::extra_params::ExtraParams;
use model::payments::method_configuration::Preference;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/payment_method_configurations")?;
    let input = take_input(params);
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.create_method_configuration(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.retrieve_method_configuration(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let params = read(&mut call, "POST /v1/payment_method_configurations/{id}")?;
    let input = take_input(params);
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.update_method_configuration(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let active = params.boolean("active")?;
    // Applications of third parties create no configurations here.
    params.ignore("application");
    let page = take_page(params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_method_configurations(&call.context, active, &page).await?)
}

fn take_input(mut params: ExtraParams) -> MethodConfigurationInput {
    let active = match params.take("active") {
        Some(ExtraParams::Boolean(active)) => Some(active),
        _ => None,
    };
    let (name, parent) = (take_text(&mut params, "name"), take_text(&mut params, "parent"));
    let ExtraParams::Hash(methods) = params else {
        return MethodConfigurationInput { active, name, parent, ..Default::default() };
    };
    // The remaining parameters are payment methods, each with its preference.
    let preference = |(name, method): (String, ExtraParams)| {
        let word = method.text(&["display_preference", "preference"])?;
        Some((name, Preference::from_word(word)?))
    };
    let preferences = methods.into_iter().filter_map(preference).collect();
    MethodConfigurationInput { active, name, parent, preferences }
}
