//! Deliveries: `/v1/test_helpers/deliveries`, and sending an event again as Stripe's CLI does.

use crate::http::call::{Call, Outcome};
use lab::{LedgerFilter, ResendTo};
use model::connected_account::ConnectedAccount;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let filter = LedgerFilter {
        event: params.text("event")?,
        endpoint: params.text("endpoint")?,
        status: params.choice("status")?,
        page: take_page(params)?,
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_ledger(&call.context, &filter).await?)
}

pub(in crate::http) async fn list_of_event(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_deliveries(&call.context, call.id()).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.retrieve_delivery(&call.context, call.id()).await?)
}

pub(in crate::http) async fn resend(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.resend_delivery(&call.context, call.id()).await?)
}

pub(in crate::http) async fn resend_event(mut call: Call) -> Outcome {
    let params = &mut call.params;
    params.exclusive(&["webhook_endpoint", "for_stripecli"])?;
    let account = params.text("account")?;
    if let Some(id) = account.as_ref().filter(|id| !ConnectedAccount::is_id(id)) {
        return Err(Error::malformed_account(id).param("account").into());
    }
    let listening = params.boolean("for_stripecli")?.unwrap_or(false);
    let to = match params.text("webhook_endpoint")? {
        Some(endpoint) => ResendTo::Endpoint(endpoint),
        None if listening => ResendTo::Listening,
        None => ResendTo::All,
    };
    let mut call = call.ready(Returns::Nothing)?;
    if let Some(id) = account {
        let own = call.context.connected.as_ref().map(|connected| connected.account.clone());
        if own.as_ref() != Some(&id) {
            if own.is_some() {
                return Err(Error::other_context().param("account").into());
            }
            let context = &call.context;
            let (platform, livemode) = (context.merchant, context.livemode);
            let found = call.engine.act_in(platform, livemode, &id, false).await?;
            if let Some(connected) = found {
                call.context.merchant = connected.merchant;
                call.context.connected = Some(Box::new(connected));
            }
        }
    }
    Ok(call.lab.resend_event(&call.context, call.id(), &to).await?)
}
