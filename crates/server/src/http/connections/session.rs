//! `/v1/financial_connections/sessions`.

use super::institution::read_id;
use crate::http::call::{Call, Outcome};
use crate::http::texts::{check_page_url, check_return_url};
use engine::connect::access::Access;
use engine::connections::relink::RelinkInput;
use engine::connections::session::{HolderInput, SessionInput};
use model::Word;
use model::account::Subcategory;
use model::id::InstitutionId;
use model::session::{
    DeliveryMethod, Hosted, ManualEntry, PaymentMethodSupport, Prefetch, SessionFilters, UiMode,
};
use wire::change::{
    CREDIT_ACCOUNTS, HOSTED_SESSION, INSTITUTION, ONE_COUNTRY, RELINK, SESSION_SETUP,
};
use wire::error::Error;
use wire::expand::Returns;
use wire::params::{Params, Setting, without_repeats};
use wire::version::Version;

/// The kinds of account holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HolderType {
    Account,
    Customer,
}

impl Word for HolderType {
    const ALL: &'static [Self] = &[Self::Account, Self::Customer];

    fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Customer => "customer",
        }
    }
}

pub(in crate::http) async fn create(mut call: Call) -> Outcome {
    let version = call.version().clone();
    let params = &mut call.params;
    let relinks = version.has(&RELINK) && params.has("relink_options");
    let holder = match params.hash("account_holder")? {
        None if relinks => None,
        None => return Err(Error::missing_param("account_holder").into()),
        Some(holder) => Some(take_holder(holder)?),
    };
    let relink =
        if relinks { params.hash("relink_options")?.map(take_relink).transpose()? } else { None };
    let permissions = params.need("permissions", Params::choices)?;
    let input = SessionInput {
        holder,
        relink,
        permissions: permissions.into_iter().collect(),
        prefetch: params.choices_among("prefetch", known_prefetch(&version))?.map(without_repeats),
        filters: params.hash("filters")?.map(|hash| take_filters(hash, &version)).transpose()?,
        return_url: params.text("return_url")?,
        hosted: None,
        limits: None,
        manual_entry: take_manual_entry(params, &version)?,
    };
    let input =
        if version.has(&HOSTED_SESSION) { take_hosted(params, relinks, input)? } else { input };
    let input = if version.has(&SESSION_SETUP) { take_setup(params, input)? } else { input };
    check_return_url(input.return_url.as_deref(), "return_url")?;
    let call = call.ready(Returns::Object("financial_connections.session"))?;
    Ok(call.engine.create_session(&call.context, &input).await?)
}

pub(in crate::http) async fn retrieve(mut call: Call) -> Outcome {
    let client_secret = call.params.text("client_secret")?;
    let publishable = call.publishable;
    // A browser may not expand the customer or the account owners.
    let returns = if publishable {
        Returns::Nothing
    } else {
        Returns::Object("financial_connections.session")
    };
    let call = call.ready(returns)?;
    let access = Access { publishable, client_secret: client_secret.as_deref() };
    Ok(call.engine.retrieve_session(&call.context, call.id(), access).await?)
}

/// The data that a session of this version can fetch as soon as an account is linked.
fn known_prefetch(version: &Version) -> &'static [Prefetch] {
    if version.has(&INSTITUTION) { Prefetch::ALL } else { Prefetch::GENERAL }
}

/// The API error for an account holder that exists only in Stripe's second API generation.
pub(in crate::http) fn no_customer_accounts(param: &str) -> Error {
    Error::invalid("This server has no v2 customer accounts; name a customer (cus_…) instead.")
        .param(param)
}

fn take_holder(mut params: Params) -> Result<HolderInput, Error> {
    let holder_type: HolderType = params.need("type", Params::choice)?;
    if params.has("customer_account") {
        return Err(no_customer_accounts(&params.path_of("customer_account")));
    }
    let (wanted, other) = match holder_type {
        HolderType::Account => ("account", "customer"),
        HolderType::Customer => ("customer", "account"),
    };
    if params.has(other) {
        let path = params.path_of(other);
        let message = format!("{path} does not go with an account holder of type {wanted}.");
        return Err(Error::invalid(message).param(path));
    }
    let id = params.need(wanted, Params::text)?;
    params.finish()?;
    Ok(match holder_type {
        HolderType::Account => HolderInput::Account(id),
        HolderType::Customer => HolderInput::Customer(id),
    })
}

fn take_filters(mut params: Params, version: &Version) -> Result<SessionFilters, Error> {
    let subcategories: Option<Vec<Subcategory>> = params.choices("account_subcategories")?;
    let offered = offered_subcategories(version);
    if let Some(index) =
        subcategories.iter().flatten().position(|subcategory| !offered.contains(subcategory))
    {
        let words: Vec<&str> = offered.iter().map(|one| one.word()).collect();
        let path = format!("{}[{index}]", params.path_of("account_subcategories"));
        return Err(Error::bad_choice(&path, &words));
    }
    let filters = SessionFilters {
        account_subcategories: subcategories.map(without_repeats),
        country: take_country(&mut params, version)?,
        institution: take_institution(&mut params, version)?,
        require_payment_method_support: if version.has(&SESSION_SETUP) {
            params.choice::<PaymentMethodSupport>("require_payment_method_support")?
        } else {
            None
        },
    };
    params.finish()?;
    Ok(filters)
}

/// The account subcategories that a session of this version can be restricted to.
fn offered_subcategories(version: &Version) -> Vec<Subcategory> {
    let offered = |one: &Subcategory| match one {
        Subcategory::Checking | Subcategory::Savings => true,
        Subcategory::Other => false,
        _ => version.has(&CREDIT_ACCOUNTS),
    };
    Subcategory::ALL.iter().copied().filter(offered).collect()
}

/// Takes the bank to which the holder is sent, which only previews know.
fn take_institution(
    params: &mut Params,
    version: &Version,
) -> Result<Option<InstitutionId>, Error> {
    if !version.has(&INSTITUTION) {
        return Ok(None);
    }
    let text = params.text("institution")?;
    text.map(|text| read_id(&text, &params.path_of("institution"))).transpose()
}

/// Takes one country. Older versions send an array, and its first element counts.
fn take_country(params: &mut Params, version: &Version) -> Result<Option<String>, Error> {
    let (path, country) = if version.has(&ONE_COUNTRY) {
        (params.path_of("country"), params.text("country")?)
    } else {
        let path = format!("{}[0]", params.path_of("countries"));
        (path, params.texts("countries")?.unwrap_or_default().into_iter().next())
    };
    match country {
        Some(code) if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Err(Error::invalid("A country is given as two letters, such as US.").param(path))
        }
        country => Ok(country.map(|code| code.to_ascii_uppercase())),
    }
}

fn take_relink(mut params: Params) -> Result<RelinkInput, Error> {
    let authorization = params.need("authorization", Params::text)?;
    let account = params.text("account")?;
    params.finish()?;
    Ok(RelinkInput { authorization, account })
}

/// Takes the settings of a hosted session, which is not shown on top of the merchant's page. The
/// address to return to is a parameter of the session in the types of the SDKs, and one of `hosted` in
/// Stripe's guide. Both are accepted.
fn take_hosted(
    params: &mut Params,
    relinks: bool,
    input: SessionInput,
) -> Result<SessionInput, Error> {
    let is_hosted = params.choice("ui_mode")? == Some(UiMode::Hosted);
    if !is_hosted && params.has("hosted") {
        let message = "hosted goes with ui_mode=hosted only.";
        return Err(Error::invalid(message).param("hosted"));
    }
    if !is_hosted {
        return Ok(input);
    }
    let (delivery_method, inside) = match params.hash("hosted")? {
        Some(hosted) => take_hosted_hash(hosted, relinks)?,
        None => (None, None),
    };
    let return_url = match (input.return_url, inside) {
        (Some(url), Some(inside)) if url != inside => {
            let message = "return_url and hosted[return_url] are the same setting and have different \
                           values. Send return_url alone.";
            return Err(Error::invalid(message).param("return_url"));
        }
        (Some(url), _) => {
            check_page_url(Some(&url), "return_url")?;
            url
        }
        (None, Some(inside)) => inside,
        (None, None) => return Err(Error::missing_param("return_url")),
    };
    let hosted = Some(Hosted { delivery_method, return_url });
    Ok(SessionInput { hosted, return_url: None, ..input })
}

/// Takes `hosted`: the way to the page, and the way back from it.
fn take_hosted_hash(
    mut hosted: Params,
    relinks: bool,
) -> Result<(Option<DeliveryMethod>, Option<String>), Error> {
    let delivery_method = hosted.choice("delivery_method")?;
    if delivery_method.is_some() && !relinks {
        let message = "A delivery method goes with relink_options only.";
        return Err(Error::invalid(message).param(hosted.path_of("delivery_method")));
    }
    if delivery_method == Some(DeliveryMethod::Email) {
        // The server sends no e-mail, but it stores the address in the session.
        hosted.note_inert("delivery_method");
    }
    let return_url = hosted.text("return_url")?;
    check_page_url(return_url.as_deref(), &hosted.path_of("return_url"))?;
    hosted.finish()?;
    Ok((delivery_method, return_url))
}

/// Takes the parameters that exist since [`SESSION_SETUP`].
fn take_setup(params: &mut Params, input: SessionInput) -> Result<SessionInput, Error> {
    let limits = params.hash("limits")?.map(take_accounts_max).transpose()?;
    Ok(SessionInput { limits, ..input })
}

/// Takes `limits`: the maximum number of accounts. An empty string removes the limit.
fn take_accounts_max(mut params: Params) -> Result<Option<u32>, Error> {
    let accounts = params.need("accounts", |params, name| {
        params.unsettable(name, |params, name| params.integer_within(name, 1, i64::from(u32::MAX)))
    })?;
    params.finish()?;
    Ok(match accounts {
        Setting::Set(accounts) => u32::try_from(accounts).ok(),
        Setting::Unset => None,
    })
}

/// Takes `manual_entry`. Its modes depend on the version.
fn take_manual_entry(params: &mut Params, version: &Version) -> Result<Option<ManualEntry>, Error> {
    let known: Vec<&str> = [
        (ManualEntry::Automatic, version.has(&INSTITUTION) || version.has(&SESSION_SETUP)),
        (ManualEntry::Custom, version.has(&INSTITUTION)),
        (ManualEntry::Disabled, version.has(&SESSION_SETUP)),
    ]
    .iter()
    .filter(|(_, is_known)| *is_known)
    .map(|(mode, _)| mode.word())
    .collect();
    if known.is_empty() {
        return Ok(None);
    }
    let Some(mut params) = params.hash("manual_entry")? else { return Ok(None) };
    let mode: Option<ManualEntry> = params.choice("mode")?;
    if mode.is_some_and(|mode| !known.contains(&mode.word())) {
        return Err(Error::bad_choice(&params.path_of("mode"), &known));
    }
    params.finish()?;
    Ok(mode)
}
