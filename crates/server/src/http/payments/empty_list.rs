//! Collections of Stripe that this server has no objects of. Consumers read them, so they are
//! empty lists instead of unknown addresses. One table has their parameters, by Stripe's
//! description of its API.

use crate::http::call::{Call, Handler, Outcome};
use engine::payments::empty_list::Owner;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page;
use wire::params::Params;

/// A collection without objects.
struct EmptyList {
    /// The pattern of the list. The object in it is the owner.
    path: &'static str,
    /// The kind of its objects.
    kind: &'static str,
    /// The kinds of the owner.
    owner: OwnerKind,
    /// The parameters besides those of all lists.
    params: &'static [Param],
}

/// The kind of a list's owner.
#[derive(Clone, Copy)]
enum OwnerKind {
    Merchant,
    Customer,
    Product,
    Account,
    /// Named by the required parameter `setup_intent`.
    SetupIntent,
}

/// A parameter and its type. Every value fits an empty list.
enum Param {
    Text(&'static str),
    Boolean(&'static str),
    Range(&'static str),
    Word(&'static str, &'static [&'static str]),
    Hash(&'static str, &'static [&'static str]),
}

use OwnerKind::{Account, Customer, Merchant, Product, SetupIntent};
use Param::{Boolean, Hash, Range, Text, Word};

const CREATED: Param = Range("created");

/// The collections, in the order of their paths.
const LISTS: [EmptyList; 16] = [
    EmptyList {
        path: "/v1/accounts/{id}/persons",
        kind: "person",
        owner: Account,
        params: &[Hash("relationship", &RELATIONSHIPS)],
    },
    EmptyList {
        path: "/v1/balance_transactions",
        kind: "balance_transaction",
        owner: Merchant,
        params: &[CREATED, Text("currency"), Text("payout"), Text("source"), Text("type")],
    },
    EmptyList { path: "/v1/coupons", kind: "coupon", owner: Merchant, params: &[CREATED] },
    EmptyList {
        path: "/v1/credit_notes",
        kind: "credit_note",
        owner: Merchant,
        params: &[CREATED, Text("customer"), Text("customer_account"), Text("invoice")],
    },
    EmptyList {
        path: "/v1/customers/{id}/sources",
        // The kind that decides on the expandable fields.
        kind: "bank_account",
        owner: Customer,
        params: &[Text("object")],
    },
    EmptyList { path: "/v1/customers/{id}/tax_ids", kind: "tax_id", owner: Customer, params: &[] },
    EmptyList {
        path: "/v1/files",
        kind: "file",
        owner: Merchant,
        params: &[CREATED, Word("purpose", &PURPOSES)],
    },
    EmptyList {
        path: "/v1/payouts",
        kind: "payout",
        owner: Merchant,
        params: &[Range("arrival_date"), CREATED, Text("destination"), Text("status")],
    },
    EmptyList {
        path: "/v1/products/{id}/features",
        kind: "product_feature",
        owner: Product,
        params: &[],
    },
    EmptyList {
        path: "/v1/promotion_codes",
        kind: "promotion_code",
        owner: Merchant,
        params: &[
            Boolean("active"),
            Text("code"),
            Text("coupon"),
            CREATED,
            Text("customer"),
            Text("customer_account"),
        ],
    },
    EmptyList {
        path: "/v1/radar/early_fraud_warnings",
        kind: "radar.early_fraud_warning",
        owner: Merchant,
        params: &[Text("charge"), CREATED, Text("payment_intent")],
    },
    EmptyList {
        path: "/v1/setup_attempts",
        kind: "setup_attempt",
        owner: SetupIntent,
        params: &[CREATED],
    },
    EmptyList {
        path: "/v1/subscription_schedules",
        kind: "subscription_schedule",
        owner: Merchant,
        params: &[
            Range("canceled_at"),
            Range("completed_at"),
            CREATED,
            Text("customer"),
            Text("customer_account"),
            Range("released_at"),
            Boolean("scheduled"),
        ],
    },
    EmptyList {
        path: "/v1/tax_ids",
        kind: "tax_id",
        owner: Merchant,
        params: &[Hash("owner", &["account", "customer", "customer_account", "type"])],
    },
    EmptyList {
        path: "/v1/tax_rates",
        kind: "tax_rate",
        owner: Merchant,
        params: &[Boolean("active"), CREATED, Boolean("inclusive")],
    },
    EmptyList {
        path: "/v1/transfers",
        kind: "transfer",
        owner: Merchant,
        params: &[CREATED, Text("destination"), Text("transfer_group")],
    },
];

const RELATIONSHIPS: [&str; 6] =
    ["authorizer", "director", "executive", "legal_guardian", "owner", "representative"];

const PURPOSES: [&str; 21] = [
    "account_requirement",
    "additional_verification",
    "business_icon",
    "business_logo",
    "customer_signature",
    "dispute_evidence",
    "document_provider_identity_document",
    "finance_report_run",
    "financial_account_statement",
    "identity_document",
    "identity_document_downloadable",
    "issuing_regulatory_reporting",
    "pci_document",
    "platform_terms_of_service",
    "selfie",
    "sigma_scheduled_query",
    "tax_document_user_upload",
    "terminal_android_apk",
    "terminal_reader_splashscreen",
    "terminal_wifi_certificate",
    "terminal_wifi_private_key",
];

/// Returns the handler of a list, or of one object of a list, by the pattern in the router.
pub(in crate::http) fn handler(pattern: &'static str) -> Handler {
    if let Some(list) = find(pattern) {
        return Box::new(move |call| Box::pin(show_list(list, call)));
    }
    let parts = pattern.strip_suffix('}').and_then(|pattern| pattern.rsplit_once("/{"));
    match parts.and_then(|(path, param)| Some((find(path)?, param))) {
        Some((list, param)) => Box::new(move |call| Box::pin(find_none(list, param, call))),
        None => unreachable!("the table has no collection {pattern}"),
    }
}

fn find(pattern: &str) -> Option<&'static EmptyList> {
    const { &LISTS }.iter().find(|list| list.path == pattern)
}

async fn show_list(list: &'static EmptyList, mut call: Call) -> Outcome {
    let params = &mut call.params;
    let intent = match list.owner {
        SetupIntent => params.need("setup_intent", Params::text)?,
        _ => String::new(),
    };
    for param in list.params {
        take(params, param)?;
    }
    let page = take_page(params)?;
    let call = call.ready(Returns::List(list.kind))?;
    let named = if intent.is_empty() { call.id() } else { &intent };
    let url = match list.path.split_once('{').zip(list.path.split_once('}')) {
        Some(((before, _), (_, after))) => format!("{before}{named}{after}"),
        None => list.path.to_owned(),
    };
    let owner = owner(list, named);
    Ok(call.engine.list_none(&call.context, owner, list.kind, &url, &page).await?)
}

/// Returns the error of an object that does not exist.
async fn find_none(list: &'static EmptyList, param: &'static str, call: Call) -> Outcome {
    let call = call.ready(Returns::Object(list.kind))?;
    call.engine.check_list_owner(&call.context, owner(list, call.id())).await?;
    let id = if list.path.contains('{') { call.path_part(1) } else { call.id() };
    Err(Error::no_such(list.kind, id, param).into())
}

fn owner<'a>(list: &EmptyList, id: &'a str) -> Owner<'a> {
    match list.owner {
        Merchant => Owner::Merchant,
        Customer => Owner::Customer(id),
        Product => Owner::Product(id),
        Account => Owner::Account(id),
        SetupIntent => Owner::SetupIntent(id),
    }
}

fn take(params: &mut Params, param: &'static Param) -> Result<(), Error> {
    match param {
        Text(name) => params.text(name).map(drop),
        Boolean(name) => params.boolean(name).map(drop),
        Range(name) => params.range(name).map(drop),
        Word(name, words) => match params.text(name)? {
            Some(word) if !words.contains(&word.as_str()) => Err(Error::bad_choice(name, words)),
            _ => Ok(()),
        },
        Hash(name, members) => {
            let Some(mut hash) = params.hash(name)? else { return Ok(()) };
            for member in *members {
                hash.text(member)?;
            }
            hash.finish()
        }
    }
}
