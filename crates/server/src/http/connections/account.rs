//! `/v1/financial_connections/accounts`.

use crate::http::call::{Call, Outcome};
use engine::connections::account::AccountFilter;
use model::Word;
use model::bank::Feature;
use wire::change::INSTITUTION;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::{Params, without_repeats};
use wire::version::Version;

/// The features that an account can be subscribed to.
fn subscribable(version: &Version) -> &'static [Feature] {
    if version.has(&INSTITUTION) {
        &[Feature::Balance, Feature::InferredBalances, Feature::Transactions]
    } else {
        &[Feature::Transactions]
    }
}

/// The features that can be refreshed.
pub(in crate::http) fn refreshable(version: &Version) -> &'static [Feature] {
    if version.has(&INSTITUTION) { Feature::ALL } else { Feature::GENERAL }
}

/// Takes `features`, each once.
fn take_features(call: &mut Call, known: &'static [Feature]) -> Result<Vec<Feature>, Error> {
    let take = |params: &mut Params, name| params.choices_among(name, known);
    Ok(without_repeats(call.params.need("features", take)?))
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let filter = take_filter(&mut call.params)?;
    let call = call.ready(Returns::List("financial_connections.account"))?;
    Ok(call.engine.list_accounts(&call.context, &filter).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.engine.retrieve_account(&call.context, call.id()).await?)
}

pub(in crate::http) async fn refresh(mut call: Call) -> Outcome {
    let known = refreshable(call.version());
    let features = take_features(&mut call, known)?;
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.engine.refresh_account(&call.context, call.id(), &features).await?)
}

pub(in crate::http) async fn subscribe(mut call: Call) -> Outcome {
    let known = subscribable(call.version());
    let features = take_features(&mut call, known)?;
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.engine.subscribe_account(&call.context, call.id(), &features).await?)
}

pub(in crate::http) async fn unsubscribe(mut call: Call) -> Outcome {
    let known = subscribable(call.version());
    let features = take_features(&mut call, known)?;
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.engine.unsubscribe_account(&call.context, call.id(), &features).await?)
}

pub(in crate::http) async fn disconnect(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.engine.disconnect_account(&call.context, call.id()).await?)
}

pub(in crate::http) async fn owners(mut call: Call) -> Outcome {
    let ownership = call.params.need("ownership", Params::text)?;
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_owners(&call.context, call.id(), &ownership, &page).await?)
}

pub(in crate::http) async fn inferred_balances(mut call: Call) -> Outcome {
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.list_inferred_balances(&call.context, call.id(), &page).await?)
}

/// Takes the list filter: at most one of customer, connected account and session.
fn take_filter(params: &mut Params) -> Result<AccountFilter, Error> {
    let page = take_page(params)?;
    let mut named = Vec::new();
    let (mut customer, mut account) = (None, None);
    if let Some(mut holder) = params.hash("account_holder")? {
        for name in ["customer", "account", "customer_account"] {
            if holder.has(name) {
                named.push(holder.path_of(name));
            }
        }
        if named.len() == 1 && holder.has("customer_account") {
            return Err(super::session::no_customer_accounts(&named[0]));
        }
        customer = holder.text("customer")?;
        account = holder.text("account")?;
        holder.ignore("customer_account");
        holder.finish()?;
    }
    let session = params.text("session")?;
    if session.is_some() {
        named.push("session".to_owned());
    }
    if named.len() > 1 {
        return Err(Error::exclusive(&named));
    }
    Ok(AccountFilter { customer, account, session, page })
}
