//! Payment Intents and Setup Intents. The same functions read the parameters that both have in
//! common. The schema of each call rejects parameters that Stripe does not know.

use super::payment_method::take_method_data;
use crate::http::call::{Call, Outcome};
use crate::http::connections::collection;
use crate::http::extra_params::{read, take_metadata, take_text};
use crate::http::texts::{check_email, check_return_url};
use engine::connect::access::Access;
use engine::payments::intent::{
    Confirmation, IntentFilter, IntentInput, IntentKind, MethodParam, VerifyInput,
};
use model::extra_params::ExtraParams;
use model::money::Currency;
use model::payments::intent::{AMOUNT_MAX, AMOUNT_MIN, Deposits};
use store::Bounds;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Range;

/// The hash that contains, among other things, the link requirements.
const METHOD_OPTIONS: &str = "payment_method_options";
/// The later payments for which a payment saves its payment method.
pub(super) const FUTURE_USAGE: &str = "setup_future_usage";
/// The currency of bank accounts in the United States. Other currencies get a clear API error.
const CURRENCY: &str = "usd";

pub(in crate::http) async fn create_payment(call: Call) -> Outcome {
    create(call, IntentKind::Payment).await
}

pub(in crate::http) async fn create_setup(call: Call) -> Outcome {
    create(call, IntentKind::Setup).await
}

pub(in crate::http) async fn retrieve_payment(call: Call) -> Outcome {
    retrieve(call, IntentKind::Payment).await
}

pub(in crate::http) async fn retrieve_setup(call: Call) -> Outcome {
    retrieve(call, IntentKind::Setup).await
}

pub(in crate::http) async fn update_payment(call: Call) -> Outcome {
    update(call, IntentKind::Payment).await
}

pub(in crate::http) async fn update_setup(call: Call) -> Outcome {
    update(call, IntentKind::Setup).await
}

pub(in crate::http) async fn confirm_payment(call: Call) -> Outcome {
    confirm(call, IntentKind::Payment).await
}

pub(in crate::http) async fn confirm_setup(call: Call) -> Outcome {
    confirm(call, IntentKind::Setup).await
}

pub(in crate::http) async fn cancel_payment(call: Call) -> Outcome {
    cancel(call, IntentKind::Payment).await
}

pub(in crate::http) async fn cancel_setup(call: Call) -> Outcome {
    cancel(call, IntentKind::Setup).await
}

pub(in crate::http) async fn verify_payment(call: Call) -> Outcome {
    verify(call, IntentKind::Payment).await
}

pub(in crate::http) async fn verify_setup(call: Call) -> Outcome {
    verify(call, IntentKind::Setup).await
}

pub(in crate::http) async fn list_payments(call: Call) -> Outcome {
    list(call, IntentKind::Payment).await
}

pub(in crate::http) async fn list_setups(call: Call) -> Outcome {
    list(call, IntentKind::Setup).await
}

async fn create(mut call: Call, kind: IntentKind) -> Outcome {
    let mut params = read(&mut call, &format!("POST /v1/{}s", kind.word()))?;
    let mut input = take_input(&mut params)?;
    if kind == IntentKind::Payment && input.currency != Currency::parse(CURRENCY) {
        let message = "Bank accounts of the type us_bank_account are debited in usd only.";
        return Err(Error::invalid(message).param("currency").into());
    }
    let confirmed = params.take("confirm") == Some(ExtraParams::Boolean(true));
    let confirmation = take_confirmation(&mut params, false)?;
    if confirmed {
        input.confirmation = Some(confirmation);
    } else if let Some(name) = confirmation_param(&confirmation) {
        let message = format!("{name} may be given only together with confirm=true.");
        return Err(Error::invalid(message).param(name).into());
    }
    input.given = params;
    let call = call.ready(Returns::Object(kind.word()))?;
    Ok(call.engine.create_intent(&call.context, kind, &input).await?)
}

async fn retrieve(mut call: Call, kind: IntentKind) -> Outcome {
    let client_secret = call.params.text("client_secret")?;
    let publishable = call.publishable;
    let call = call.ready(fields(kind, publishable))?;
    let access = Access { publishable, client_secret: client_secret.as_deref() };
    Ok(call.engine.retrieve_intent(&call.context, kind, call.id(), access).await?)
}

async fn update(mut call: Call, kind: IntentKind) -> Outcome {
    let mut params = read(&mut call, &format!("POST /v1/{}s/{{id}}", kind.word()))?;
    let mut input = take_input(&mut params)?;
    input.given = params;
    let call = call.ready(Returns::Object(kind.word()))?;
    Ok(call.engine.update_intent(&call.context, kind, call.id(), &input).await?)
}

async fn confirm(mut call: Call, kind: IntentKind) -> Outcome {
    let mut params = read(&mut call, &format!("POST /v1/{}s/{{id}}/confirm", kind.word()))?;
    let client_secret = take_text(&mut params, "client_secret");
    let method = take_method(&mut params)?;
    let publishable = call.publishable;
    let mut confirmation = Confirmation { method, ..take_confirmation(&mut params, publishable)? };
    let collection = collection::take(&mut params, &[METHOD_OPTIONS])?;
    // The merchant decides on the link requirements, not a browser.
    let mut echoed = ExtraParams::empty();
    if !publishable {
        confirmation.collection = collection;
        if let Some(options) = params.take(METHOD_OPTIONS) {
            echoed.put(METHOD_OPTIONS, options);
        }
    }
    if let Some(usage) = params.take(FUTURE_USAGE) {
        echoed.put(FUTURE_USAGE, usage);
    }
    confirmation.given = Some(echoed);
    let call = call.ready(fields(kind, publishable))?;
    let access = Access { publishable, client_secret: client_secret.as_deref() };
    let id = call.id();
    Ok(call.engine.confirm_intent(&call.context, kind, id, &confirmation, access).await?)
}

async fn cancel(mut call: Call, kind: IntentKind) -> Outcome {
    let mut params = read(&mut call, &format!("POST /v1/{}s/{{id}}/cancel", kind.word()))?;
    let reason = take_text(&mut params, "cancellation_reason");
    let call = call.ready(Returns::Object(kind.word()))?;
    let id = call.id();
    Ok(call.engine.cancel_intent(&call.context, kind, id, reason.as_deref()).await?)
}

pub(in crate::http) async fn capture_payment(mut call: Call) -> Outcome {
    read(&mut call, "POST /v1/payment_intents/{id}/capture")?;
    let call = call.ready(Returns::Object(IntentKind::Payment.word()))?;
    Ok(call.engine.capture_intent(&call.context, call.id()).await?)
}

async fn verify(mut call: Call, kind: IntentKind) -> Outcome {
    let name = format!("POST /v1/{}s/{{id}}/verify_microdeposits", kind.word());
    let mut params = read(&mut call, &name)?;
    let client_secret = take_text(&mut params, "client_secret");
    let deposits = take_deposits(&params)?;
    let publishable = call.publishable;
    let call = call.ready(fields(kind, publishable))?;
    let access = Access { publishable, client_secret: client_secret.as_deref() };
    let input = VerifyInput { deposits };
    Ok(call.engine.verify_intent(&call.context, kind, call.id(), &input, access).await?)
}

async fn list(mut call: Call, kind: IntentKind) -> Outcome {
    let params = &mut call.params;
    params.ignore("customer_account");
    let (attach_to_self, payment_method) = match kind {
        IntentKind::Payment => (None, None),
        IntentKind::Setup => (params.boolean("attach_to_self")?, params.text("payment_method")?),
    };
    let Range { from, to } = params.range("created")?.unwrap_or_default();
    let filter = IntentFilter {
        customer: params.text("customer")?,
        attach_to_self,
        payment_method,
        created: Bounds { from, to },
        page: take_page(params)?,
    };
    let call = call.ready(Returns::List(kind.word()))?;
    Ok(call.engine.list_intents(&call.context, kind, &filter).await?)
}

/// The intent as this caller can expand it. A browser expands the payment method that it attached.
fn fields(kind: IntentKind, publishable: bool) -> Returns {
    if publishable {
        Returns::Part(kind.word(), "payment_method")
    } else {
        Returns::Object(kind.word())
    }
}

/// Takes the parameters that this server uses. The rest stays to be echoed.
fn take_input(params: &mut ExtraParams) -> Result<IntentInput, Error> {
    let amount = take_amount(params)?;
    let currency = take_text(params, "currency").and_then(|code| Currency::parse(&code));
    if params.text(&["capture_method"]) == Some("manual") {
        let message = "A us_bank_account is debited at once; capture_method=manual is for other \
                       types of payment method.";
        return Err(Error::invalid(message).param("capture_method"));
    }
    check_email(params.text(&["receipt_email"]), "receipt_email")?;
    let collection = collection::take(params, &[METHOD_OPTIONS])?;
    let metadata = take_metadata(params);
    Ok(IntentInput {
        amount,
        currency,
        customer: take_text(params, "customer"),
        method: take_method(params)?,
        method_types: take_types(params)?,
        collection,
        confirmation: None,
        metadata,
        given: ExtraParams::empty(),
    })
}

fn take_amount(params: &mut ExtraParams) -> Result<Option<i64>, Error> {
    let Some(ExtraParams::Integer(amount)) = params.take("amount") else { return Ok(None) };
    if amount < AMOUNT_MIN {
        let message = format!("The amount must be at least {AMOUNT_MIN} cents.");
        return Err(Error::invalid(message).code("amount_too_small").param("amount"));
    }
    if amount > AMOUNT_MAX {
        let message = format!("The amount must be at most {AMOUNT_MAX} cents.");
        return Err(Error::invalid(message).code("amount_too_large").param("amount"));
    }
    Ok(Some(amount))
}

/// The parameters that cannot be combined with a list of allowed types.
const EXCLUSIVE: [&str; 4] = [
    "automatic_payment_methods",
    "excluded_payment_method_types",
    "payment_method_configuration",
    TYPES,
];
const TYPES: &str = "payment_method_types";
const ALLOWED_TYPES: &str = "allowed_payment_method_types";

/// Takes the named types, which must include the one that this server supports. Types that are only
/// allowed stay to be echoed and leave the choice to the merchant's settings.
pub(in crate::http) fn take_types(params: &mut ExtraParams) -> Result<Option<Vec<String>>, Error> {
    if let Some(allowed) = params.texts(&[ALLOWED_TYPES]) {
        if let Some(other) = EXCLUSIVE.into_iter().find(|name| params.at(&[name]).is_some()) {
            return Err(Error::exclusive(&[ALLOWED_TYPES, other]));
        }
        return must_have_bank(&allowed, ALLOWED_TYPES).map(|()| None);
    }
    let Some(types) = params.texts(&[TYPES]) else { return Ok(None) };
    params.take(TYPES);
    if types.is_empty() {
        return Ok(None);
    }
    must_have_bank(&types, TYPES)?;
    Ok(Some(types))
}

fn must_have_bank(types: &[String], param: &str) -> Result<(), Error> {
    if types.iter().any(|name| name == "us_bank_account") {
        return Ok(());
    }
    let message =
        format!("This server collects bank accounts: {param} must include us_bank_account.");
    Err(Error::invalid(message).param(param))
}

/// Takes the payment method that a request names or creates.
pub(super) fn take_method(params: &mut ExtraParams) -> Result<Option<MethodParam>, Error> {
    let id = take_text(params, "payment_method");
    let data = params.take("payment_method_data");
    match (id, data) {
        (Some(_), Some(_)) => Err(Error::exclusive(&["payment_method", "payment_method_data"])),
        (Some(id), None) => Ok(Some(MethodParam::Id(id))),
        (None, Some(mut data)) => {
            let input = take_method_data(&mut data, "payment_method_data")?;
            Ok(Some(MethodParam::Data(Box::new(input))))
        }
        (None, None) => Ok(None),
    }
}

/// The name of the parameter that only a confirmation takes, if it has one.
fn confirmation_param(confirmation: &Confirmation) -> Option<&'static str> {
    let data = confirmation.acceptance.as_ref().map(|_| "mandate_data");
    let token = confirmation.token.as_ref().map(|_| "confirmation_token");
    data.or(confirmation.mandate.as_ref().map(|_| "mandate")).or(token)
}

/// Takes the parameters of a confirmation. A browser cannot know its own address.
fn take_confirmation(params: &mut ExtraParams, publishable: bool) -> Result<Confirmation, Error> {
    let acceptance = match params.take("mandate_data") {
        Some(ExtraParams::Hash(mut data)) => data.remove("customer_acceptance"),
        _ => None,
    };
    if let Some(acceptance) = &acceptance {
        let online = acceptance.text(&["type"]) == Some("online");
        let has_ip_address = acceptance.text(&["online", "ip_address"]).is_some();
        if online && !has_ip_address && !publishable {
            let path = "mandate_data[customer_acceptance][online]";
            return Err(Error::missing_param(path));
        }
    }
    let mandate = take_text(params, "mandate");
    if acceptance.is_some() && mandate.is_some() {
        return Err(Error::exclusive(&["mandate", "mandate_data"]));
    }
    let return_url = take_text(params, "return_url");
    check_return_url(return_url.as_deref(), "return_url")?;
    let token = take_text(params, "confirmation_token");
    Ok(Confirmation { token, acceptance, mandate, return_url, ..Confirmation::default() })
}

fn take_deposits(params: &ExtraParams) -> Result<Deposits, Error> {
    let amounts = params.list(&["amounts"]);
    match (amounts, params.text(&["descriptor_code"])) {
        (Some(_), Some(_)) => Err(Error::exclusive(&["amounts", "descriptor_code"])),
        (Some([ExtraParams::Integer(one), ExtraParams::Integer(two)]), None) => {
            Ok(Deposits::Amounts([*one, *two]))
        }
        (Some(_), None) => {
            Err(Error::invalid("Give the amounts of both deposits, in cents.").param("amounts"))
        }
        (None, Some(code)) => Ok(Deposits::DescriptorCode(code.to_owned())),
        (None, None) => Err(Error::missing_param("amounts")),
    }
}
