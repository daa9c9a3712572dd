//! `/v1/accounts/{id}/external_accounts`: the bank accounts that receive payouts.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_boolean, take_metadata};
use engine::connect::external_account::{
    ExternalInput, ExternalNumbers, ExternalSource, ExternalUpdate,
};
use model::Word;
use model::extra_params::ExtraParams;
use model::token::{BankAccountType, BankHolderType, BankNumbers};
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Setting;

const EXTERNAL: &str = "external_account";
const BANK: &str = "bank_account";

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/accounts/{id}/external_accounts")?;
    let default_for_currency = take_boolean(&mut params, "default_for_currency");
    let metadata = take_metadata(&mut params);
    let input = take_external(&mut params)?.ok_or_else(|| Error::missing_param(EXTERNAL))?;
    let default_for_currency = default_for_currency.or(input.default_for_currency);
    let input = ExternalInput { default_for_currency, metadata, ..input };
    let call = call.ready(Returns::Object("bank_account"))?;
    Ok(call.engine.create_external_account(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("bank_account"))?;
    let (account, id) = (call.id(), call.path_part(1));
    Ok(call.engine.retrieve_external_account(&call.context, account, id).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/accounts/{id}/external_accounts/{external}")?;
    let holder_type = params.take("account_holder_type").map(|value| match value {
        ExtraParams::Text(word) => {
            BankHolderType::from_word(&word).map_or(Setting::Unset, Setting::Set)
        }
        _ => Setting::Unset,
    });
    let holder_name = params.take("account_holder_name").map(|value| match value {
        ExtraParams::Text(name) => Setting::Set(name),
        _ => Setting::Unset,
    });
    let update = ExternalUpdate {
        holder_name,
        holder_type,
        account_type: params.text(&["account_type"]).and_then(BankAccountType::from_word),
        default_for_currency: take_boolean(&mut params, "default_for_currency"),
        metadata: take_metadata(&mut params),
    };
    let call = call.ready(Returns::Object("bank_account"))?;
    let (account, id) = (call.id(), call.path_part(1));
    Ok(call.engine.update_external_account(&call.context, account, id, &update).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    let (account, id) = (call.id(), call.path_part(1));
    Ok(call.engine.delete_external_account(&call.context, account, id).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let cards = match params.text("object")?.as_deref() {
        None | Some(BANK) => false,
        Some("card") => true,
        Some(_) => return Err(Error::bad_choice("object", &[BANK, "card"]).into()),
    };
    let page = take_page(params)?;
    let call = call.ready(Returns::List("bank_account"))?;
    Ok(call.engine.list_external_accounts(&call.context, call.id(), cards, &page).await?)
}

/// Takes the bank account for payouts: `external_account`, or its synonym `bank_account`.
pub(in crate::http) fn take_external(
    params: &mut ExtraParams,
) -> Result<Option<ExternalInput>, Error> {
    let (path, mut value) = match (params.take(EXTERNAL), params.take(BANK)) {
        (Some(_), Some(_)) => return Err(Error::exclusive(&[EXTERNAL, BANK])),
        (Some(value), None) => (EXTERNAL, value),
        (None, Some(value)) => (BANK, value),
        (None, None) => return Ok(None),
    };
    if let ExtraParams::Text(id) = value {
        let source = ExternalSource::Id(id);
        let (default_for_currency, metadata) = (None, None);
        return Ok(Some(ExternalInput { source, default_for_currency, metadata, path }));
    }
    let numbers = take_numbers(&value, path)?;
    Ok(Some(ExternalInput {
        source: ExternalSource::Numbers(Box::new(numbers)),
        default_for_currency: take_boolean(&mut value, "default_for_currency"),
        metadata: take_metadata(&mut value),
        path,
    }))
}

/// Reads account and routing numbers from the hash at a path.
pub(in crate::http) fn take_numbers(
    params: &ExtraParams,
    path: &str,
) -> Result<ExternalNumbers, Error> {
    let full = |name: &str| format!("{path}[{name}]");
    let need = |name: &str| {
        let text = params.text(&[name]);
        text.map(str::to_owned).ok_or_else(|| Error::missing_param(&full(name)))
    };
    if need("country")? != "US" {
        let message = "This server knows banks of the United States only: country must be US.";
        return Err(Error::invalid(message).param(full("country")));
    }
    if params.text(&["currency"]).is_some_and(|currency| currency != "usd") {
        let message = "Accounts at banks of the United States are paid out to in usd.";
        return Err(Error::invalid(message).param(full("currency")));
    }
    let text = |name: &str| params.text(&[name]).map(str::to_owned);
    let account_type = params.text(&["account_type"]);
    let known = account_type.and_then(BankAccountType::from_word);
    if account_type.is_some() && known.is_none() {
        return Err(Error::bad_choice(&full("account_type"), &["checking", "savings"]));
    }
    let holder_type = params.text(&["account_holder_type"]).and_then(BankHolderType::from_word);
    Ok(ExternalNumbers {
        numbers: BankNumbers {
            account_number: need("account_number")?,
            routing_number: need("routing_number")?,
            holder_type: holder_type.unwrap_or(BankHolderType::Individual),
            account_type: known.unwrap_or(BankAccountType::Checking),
        },
        holder_name: text("account_holder_name"),
        holder_type,
        account_type: known,
    })
}
