//! `/v1/customers`.

use crate::http::call::{Call, Outcome};
use crate::http::texts::check_email;
use engine::connections::customer::{CustomerFilter, CustomerInput};
use model::customer::{Address, Shipping};
use model::limits::BALANCE_MAX;
use store::Bounds;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::{Params, Range, Setting};

const NAME_CHARS_MAX: usize = 256;
const BUSINESS_NAME_CHARS_MAX: usize = 150;
const EMAIL_CHARS_MAX: usize = 512;
const PHONE_CHARS_MAX: usize = 20;
const INVOICE_SEQUENCE_MAX: i64 = 1_000_000_000;

/// Parameters of Stripe about payments and invoices that this server ignores.
const PASSED_OVER: [&str; 3] = ["cash_balance", "source", "tax"];
const PASSED_OVER_AT_CREATION: [&str; 2] = ["payment_method", "tax_id_data"];
const PASSED_OVER_IN_UPDATES: [&str; 6] = [
    "bank_account",
    "card",
    "default_alipay_account",
    "default_bank_account",
    "default_card",
    "default_source",
];

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let test_clock = call.params.text("test_clock")?;
    let input = take_input(&mut call.params, &PASSED_OVER_AT_CREATION)?;
    let call = call.ready(Returns::Object("customer"))?;
    let input = CustomerInput { test_clock, ..input };
    Ok(call.engine.create_customer(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("customer"))?;
    Ok(call.engine.retrieve_customer(&call.context, call.id()).await?)
}

pub(in crate::http) async fn update(mut call: Call) -> Outcome {
    let input = take_input(&mut call.params, &PASSED_OVER_IN_UPDATES)?;
    let call = call.ready(Returns::Object("customer"))?;
    Ok(call.engine.update_customer(&call.context, call.id(), &input).await?)
}

pub(in crate::http) async fn delete(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.engine.delete_customer(&call.context, call.id()).await?)
}

pub(in crate::http) async fn list(mut call: Call) -> Outcome {
    let filter = CustomerFilter {
        email: call.params.text_up_to("email", EMAIL_CHARS_MAX)?,
        created: bounds(call.params.range("created")?),
        test_clock: call.params.text("test_clock")?,
        page: take_page(&mut call.params)?,
    };
    let call = call.ready(Returns::List("customer"))?;
    Ok(call.engine.list_customers(&call.context, &filter).await?)
}

/// Converts a range into the store's bounds. An absent range matches everything.
pub(in crate::http) fn bounds(range: Option<Range>) -> Bounds {
    range.map_or_else(Bounds::default, |range| Bounds { from: range.from, to: range.to })
}

/// Takes the parameters that create and update share. An empty string unsets a parameter only where
/// Stripe's `OpenAPI` document allows an empty alternative: the address, both names of persons and
/// businesses, metadata, shipping and the tax status.
fn take_input(params: &mut Params, passed_over: &[&'static str]) -> Result<CustomerInput, Error> {
    for name in PASSED_OVER.iter().chain(passed_over) {
        params.ignore(name);
    }
    let address = params.unsettable("address", Params::hash)?;
    let shipping = params.unsettable("shipping", Params::hash)?;
    Ok(CustomerInput {
        address: address.map(|address| set(address, take_address)).transpose()?,
        balance: params.integer_within("balance", -BALANCE_MAX, BALANCE_MAX)?,
        business_name: params.unsettable_text("business_name", BUSINESS_NAME_CHARS_MAX)?,
        default_payment_method: take_default_method(params)?,
        description: params.text("description")?,
        email: take_email(params)?,
        individual_name: params.unsettable_text("individual_name", BUSINESS_NAME_CHARS_MAX)?,
        invoice_prefix: take_invoice_prefix(params)?,
        metadata: params.metadata()?,
        name: params.text_up_to("name", NAME_CHARS_MAX)?,
        next_invoice_sequence: params.integer_within(
            "next_invoice_sequence",
            1,
            INVOICE_SEQUENCE_MAX,
        )?,
        phone: params.text_up_to("phone", PHONE_CHARS_MAX)?,
        preferred_locales: params.texts("preferred_locales")?,
        shipping: shipping.map(|shipping| set(shipping, take_shipping)).transpose()?,
        tax_exempt: params.unsettable("tax_exempt", Params::choice)?,
        test_clock: None,
    })
}

/// Reads the hash of a setting unless the request unsets it.
fn set<T>(
    setting: Setting<Params>,
    take: impl FnOnce(Params) -> Result<T, Error>,
) -> Result<Setting<T>, Error> {
    match setting {
        Setting::Set(hash) => take(hash).map(Setting::Set),
        Setting::Unset => Ok(Setting::Unset),
    }
}

/// Takes the payment method for subscription invoices. The other parameters concern the look of
/// invoices.
fn take_default_method(params: &mut Params) -> Result<Option<Setting<String>>, Error> {
    let Some(mut settings) = params.hash("invoice_settings")? else { return Ok(None) };
    for name in ["custom_fields", "footer", "rendering_options"] {
        settings.ignore(name);
    }
    let method = settings.unsettable("default_payment_method", Params::text)?;
    settings.finish()?;
    Ok(method)
}

fn take_email(params: &mut Params) -> Result<Option<String>, Error> {
    let email = params.text_up_to("email", EMAIL_CHARS_MAX)?;
    check_email(email.as_deref(), "email")?;
    Ok(email)
}

/// Takes the prefix of the customer's invoice numbers, within Stripe's published bounds.
fn take_invoice_prefix(params: &mut Params) -> Result<Option<String>, Error> {
    let prefix = params.text("invoice_prefix")?;
    let fits = |prefix: &str| {
        (3..=12).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    if prefix.as_deref().is_some_and(|prefix| !fits(prefix)) {
        let message = "An invoice prefix is 3 to 12 upper-case letters or digits.";
        return Err(Error::invalid(message).param("invoice_prefix"));
    }
    Ok(prefix)
}

fn take_address(mut params: Params) -> Result<Address, Error> {
    let mut line = |name| params.text(name);
    let address = Address {
        city: line("city")?,
        country: line("country")?,
        line1: line("line1")?,
        line2: line("line2")?,
        postal_code: line("postal_code")?,
        state: line("state")?,
    };
    params.finish()?;
    Ok(address)
}

fn take_shipping(mut params: Params) -> Result<Shipping, Error> {
    let phone = params.text("phone")?;
    let shipping = Shipping {
        address: take_address(params.need("address", Params::hash)?)?,
        name: params.need("name", Params::text)?,
        phone,
    };
    params.finish()?;
    Ok(shipping)
}
