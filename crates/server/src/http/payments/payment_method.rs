//! Payment methods and mandates.

use crate::http::call::{Call, Outcome};
use crate::http::extra_params::{read, take_metadata, take_text};
use crate::http::texts::check_email;
use engine::payments::empty_list::Owner;
use engine::payments::payment_method::{
    MethodClone, MethodInput, MethodSource, MethodUpdate, test_methods_hint,
};
use model::Word;
use model::extra_params::ExtraParams;
use model::token::{BankAccountType, BankHolderType, BankNumbers};
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::schema::{Schema, of_call};

/// The kind of a payment method.
const METHOD: &str = "payment_method";

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/payment_methods")?;
    if let Some(method) = take_text(&mut params, "payment_method") {
        let customer = take_text(&mut params, "customer");
        let metadata = take_metadata(&mut params);
        let call = call.ready(Returns::Object("payment_method"))?;
        let clone = MethodClone { method, customer, metadata };
        return Ok(call.engine.clone_payment_method(&call.context, &clone).await?);
    }
    let input = take_method_data(&mut params, "")?;
    let call = call.ready(Returns::Object("payment_method"))?;
    Ok(call.engine.create_payment_method(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("payment_method"))?;
    Ok(call.engine.retrieve_payment_method(&call.context, call.id()).await?)
}

pub(in crate::http) async fn retrieve_of_customer(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("payment_method"))?;
    let (customer, id) = (call.id(), call.path_part(1));
    Ok(call.engine.retrieve_customer_method(&call.context, customer, id).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/payment_methods/{id}")?;
    check_email(params.text(&["billing_details", "email"]), "billing_details[email]")?;
    let update = MethodUpdate {
        billing_details: params.at(&["billing_details"]).cloned(),
        allow_redisplay: take_text(&mut params, "allow_redisplay"),
        metadata: take_metadata(&mut params),
        holder_type: holder_type(&params),
        account_type: account_type(&params),
    };
    let call = call.ready(Returns::Object("payment_method"))?;
    Ok(call.engine.update_payment_method(&call.context, call.id(), &update).await?)
}

pub(in crate::http) async fn attach(mut call: Call) -> Outcome {
    let mut params = read(&mut call, "POST /v1/payment_methods/{id}/attach")?;
    let customer =
        take_text(&mut params, "customer").ok_or_else(|| Error::missing_param("customer"))?;
    let call = call.ready(Returns::Object("payment_method"))?;
    Ok(call.engine.attach_payment_method(&call.context, call.id(), &customer).await?)
}

pub(in crate::http) async fn detach(mut call: Call) -> Outcome {
    read(&mut call, "POST /v1/payment_methods/{id}/detach")?;
    let call = call.ready(Returns::Object("payment_method"))?;
    Ok(call.engine.detach_payment_method(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let customer = params.text("customer")?;
    let has_type = take_list_filter(&mut call)?;
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::List("payment_method"))?;
    let url = "/v1/payment_methods";
    if !has_type {
        let owner = customer.as_deref().map_or(Owner::Merchant, Owner::Customer);
        return Ok(call.engine.list_none(&call.context, owner, METHOD, url, &page).await?);
    }
    Ok(call.engine.list_payment_methods(&call.context, customer.as_deref(), url, &page).await?)
}

pub(in crate::http) async fn list_of_customer(mut call: Call) -> Outcome {
    let has_type = take_list_filter(&mut call)?;
    let page = take_page(&mut call.params)?;
    let call = call.ready(Returns::List("payment_method"))?;
    let customer = call.id();
    let url = format!("/v1/customers/{customer}/payment_methods");
    if !has_type {
        let owner = Owner::Customer(customer);
        return Ok(call.engine.list_none(&call.context, owner, METHOD, &url, &page).await?);
    }
    Ok(call.engine.list_payment_methods(&call.context, Some(customer), &url, &page).await?)
}

pub(in crate::http) async fn retrieve_mandate(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("mandate"))?;
    Ok(call.engine.retrieve_mandate(&call.context, call.id()).await?)
}

/// Takes the filter by type. Returns false for a type of which this server has no objects.
fn take_list_filter(call: &mut Call) -> Result<bool, Error> {
    let params = &mut call.params;
    params.ignore("allow_redisplay");
    params.ignore("customer_account");
    match params.text("type")? {
        Some(word) if !type_words().contains(&word.as_str()) => {
            Err(Error::bad_choice("type", type_words()))
        }
        Some(word) => Ok(word == "us_bank_account"),
        None => Ok(true),
    }
}

/// Returns the types of payment methods, which are the same words in every call.
fn type_words() -> &'static [&'static str] {
    let Some(Schema::Hash(members)) = of_call("POST /v1/payment_methods") else { return &[] };
    match members.iter().find(|member| member.name == "type").map(|member| &member.schema) {
        Some(Schema::Word(words)) => words,
        _ => &[],
    }
}

/// Takes the data of a new payment method from a hash at `path` or from the request itself.
pub(in crate::http) fn take_method_data(
    params: &mut ExtraParams,
    path: &'static str,
) -> Result<MethodInput, Error> {
    let full = |name: &str| match (path, name.split_once('[')) {
        ("", _) => name.to_owned(),
        (path, Some((first, rest))) => format!("{path}[{first}][{rest}"),
        (path, None) => format!("{path}[{name}]"),
    };
    match params.text(&["type"]) {
        None => return Err(Error::missing_param(&full("type"))),
        Some("us_bank_account") => {}
        Some(_) => return Err(other_type(&full("type"))),
    }
    if params.at(&["us_bank_account"]).is_none() {
        return Err(Error::missing_param(&full("us_bank_account")));
    }
    if params.text(&["billing_details", "name"]).is_none() {
        return Err(Error::missing_param(&full("billing_details[name]")));
    }
    check_email(params.text(&["billing_details", "email"]), &full("billing_details[email]"))?;
    let holder_type = holder_type(params);
    let account = params.text(&["us_bank_account", "financial_connections_account"]);
    let source = match account {
        Some(account) => MethodSource::Account(account.to_owned()),
        None => MethodSource::Numbers(take_numbers(params, &full)?),
    };
    Ok(MethodInput {
        source,
        billing_details: params.at(&["billing_details"]).cloned().unwrap_or_default(),
        allow_redisplay: take_text(params, "allow_redisplay"),
        metadata: take_metadata(params),
        holder_type,
        path,
    })
}

fn take_numbers(params: &ExtraParams, full: &dyn Fn(&str) -> String) -> Result<BankNumbers, Error> {
    let need = |name: &str| {
        let path = full(&format!("us_bank_account[{name}]"));
        let text = params.text(&["us_bank_account", name]);
        text.map(str::to_owned).ok_or_else(|| Error::missing_param(&path))
    };
    let numbers = BankNumbers {
        account_number: need("account_number")?,
        routing_number: need("routing_number")?,
        holder_type: holder_type(params)
            .ok_or_else(|| Error::missing_param(&full("us_bank_account[account_holder_type]")))?,
        account_type: account_type(params).unwrap_or(BankAccountType::Checking),
    };
    if !numbers.routing_number_fits() {
        let message = "The routing number must have nine digits, the last of which checks the \
                       others.";
        let api_error = Error::invalid(message).code("routing_number_invalid");
        return Err(api_error.param(full("us_bank_account[routing_number]")));
    }
    if !numbers.account_number_fits() {
        let api_error = Error::invalid("The account number must have 4 to 17 digits.");
        let param = full("us_bank_account[account_number]");
        return Err(api_error.code("account_number_invalid").param(param));
    }
    Ok(numbers)
}

fn holder_type(params: &ExtraParams) -> Option<BankHolderType> {
    params.text(&["us_bank_account", "account_holder_type"]).and_then(BankHolderType::from_word)
}

fn account_type(params: &ExtraParams) -> Option<BankAccountType> {
    params.text(&["us_bank_account", "account_type"]).and_then(BankAccountType::from_word)
}

/// The API error of a payment method of another type.
pub(in crate::http) fn other_type(param: &str) -> Error {
    let message = format!(
        "This server has payment methods of the type us_bank_account only. {}",
        test_methods_hint()
    );
    Error::invalid(message).param(param.to_owned())
}
