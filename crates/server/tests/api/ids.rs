//! Ids in responses: each id that a response shows can be retrieved.

use crate::expansion::Places;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::{App, Client, FC, path_of};

/// The calls that return an object, by the prefix of its id, besides those of [`path_of`].
const CALLS: [(&str, &str); 10] = [
    ("acct", "/v1/accounts"),
    ("btok", "/v1/tokens"),
    ("evt", "/v1/events"),
    ("fca", "/v1/financial_connections/accounts"),
    ("fcsess", "/v1/financial_connections/sessions"),
    ("fctxn", "/v1/financial_connections/transactions"),
    ("plan", "/v1/plans"),
    ("pmc", "/v1/payment_method_configurations"),
    ("prod", "/v1/products"),
    ("we", "/v1/webhook_endpoints"),
];
/// Prefixes of ids that Stripe has no call for, or that are returned by a call of their parent.
const WITHOUT_CALL: [&str; 10] = [
    // The application of a platform is only expanded.
    "ca", // An external account is below its connected account.
    "ba",
    // Owners are listed by their ownership, and an authorization and a refresh are parts of the
    // account.
    "fcaown", "fcaowns", "fcauth", "fctxnref",
    // Institutions have no call at Stripe.
    "fcinst", // Lines are listed below their invoice or session.
    "il", "li", // A request is no object.
    "req",
];
/// The minimum number of letters and digits after the prefix of an id.
const TAIL_MIN: usize = 14;

/// The prefix of an id, if the text is one.
fn prefix(text: &str) -> Option<&str> {
    let (head, tail) = text.rsplit_once('_')?;
    let is_id = tail.len() >= TAIL_MIN
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && head.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && !head.contains("secret");
    is_id.then(|| head.split('_').next()).flatten()
}

/// Adds the ids in a response, without those in secrets and in the merchant's own keys.
fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if prefix(text).is_some() => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            let shown = members.iter().filter(|(name, _)| {
                !name.contains("secret")
                    && !["metadata", "idempotency_key"].contains(&name.as_str())
            });
            shown.for_each(|(_, member)| collect(member, found));
        }
        _ => {}
    }
}

/// The path of the object with an id. `None` if no call returns it.
fn find_path(id: &str) -> Option<String> {
    let prefix = prefix(id).unwrap();
    if WITHOUT_CALL.contains(&prefix) {
        return None;
    }
    let call = CALLS.iter().find(|(known, _)| *known == prefix);
    Some(call.map_or_else(|| path_of(id), |(_, path)| format!("{path}/{id}")))
}

/// Retrieves each id of these responses, and the ids in what is returned. Returns the number of
/// retrieved objects by prefix.
async fn walk(client: &Client, paths: Vec<String>) -> BTreeMap<String, usize> {
    let mut found = BTreeSet::new();
    for path in paths {
        collect(&client.get(&path).await.ok().json(), &mut found);
    }
    let mut counts = BTreeMap::new();
    let (mut seen, mut waiting) = (BTreeSet::new(), found);
    while let Some(id) = waiting.pop_first() {
        let Some(path) = find_path(&id).filter(|_| seen.insert(id.clone())) else { continue };
        let shown = client.get(&path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        assert_eq!(shown.id(), id, "{path}");
        collect(&shown.json(), &mut waiting);
        *counts.entry(prefix(&id).unwrap().to_owned()).or_insert(0) += 1;
    }
    counts
}

/// Every id in the responses of all kinds of objects, of their lists and of their events can be
/// retrieved. Stripe's reference describes ids as identifiers of objects of the API, and programs
/// follow them, such as the `charge` of a dispute.
#[tokio::test]
async fn every_shown_id_can_be_retrieved() {
    let app = App::start().await;
    let places = Places::of(&app).await;
    let mut paths = vec!["/v1/events?limit=100".to_owned(), format!("{FC}/accounts?limit=100")];
    for (_, one, list) in places.0 {
        paths.extend(one);
        paths.extend(list);
    }
    let account = app.account().await;
    let refresh = format!("{FC}/accounts/{account}/refresh");
    app.post(&refresh, "features[]=transactions&features[]=ownership").await.ok();
    app.run_workers_until_idle().await;
    paths.push(format!("{FC}/transactions?account={account}&limit=3"));
    paths.push("/v1/payment_method_configurations".to_owned());
    paths.push("/v1/plans".to_owned());
    let counts = walk(&app, paths).await;
    let prefixes: Vec<&str> = counts.keys().map(String::as_str).collect();
    insta::assert_snapshot!(prefixes.join(" "), @"acct btok clock cs cus du evt fca fcsess fctxn ii in inpay mandate pi pm pmc price py pyr seti si sub");
}

/// The objects that a platform makes in a connected account name the application of the platform, by
/// the descriptions of `application` in Stripe's reference. Due work follows them, and so does a
/// Checkout Session that is completed on its page. The platform's own objects have none. Each id in
/// them can be retrieved in the account.
#[tokio::test]
async fn objects_in_an_account_name_the_platforms_application() {
    let app = App::start().await;
    let platform = app.post("/v1/payment_intents", "amount=500&currency=usd").await.ok();
    assert_eq!(platform.at("/application"), Value::Null);
    let account = app.post("/v1/accounts", "type=custom").await.ok().id();
    let inside = app.in_account(&account);
    let customer = inside.customer().await;
    let mandate = "mandate_data[customer_acceptance][type]=offline";
    let debit = "payment_method=pm_usBankAccount_success&confirm=true";
    let form = format!("amount=500&currency=usd&customer={customer}&{debit}&{mandate}");
    let payment = inside.post("/v1/payment_intents", &form).await.ok();
    let application = payment.text("/application");
    assert!(application.starts_with("ca_"), "{application}");
    let form = format!("customer={customer}&{debit}&{mandate}");
    let setup = inside.post("/v1/setup_intents", &form).await.ok();
    let method = setup.text("/payment_method");
    let price = "product_data[name]=Gold&currency=usd&unit_amount=900&recurring[interval]=month";
    let price = inside.post("/v1/prices", price).await.ok().id();
    let form =
        format!("customer={customer}&items[0][price]={price}&default_payment_method={method}");
    let subscription = inside.post("/v1/subscriptions", &form).await.ok();
    app.run_workers_until_idle().await;
    let invoice = subscription.text("/latest_invoice");
    let mut paths = Vec::new();
    for id in [payment.id(), payment.text("/latest_charge"), setup.id(), subscription.id(), invoice]
    {
        let shown = inside.retrieve(&id).await;
        assert_eq!(shown.text("/application"), application, "{id}");
        paths.push(path_of(&id));
    }
    let path = format!("{}?expand[]=application", path_of(&payment.id()));
    let expanded = inside.get(&path).await.ok();
    assert_eq!(expanded.text("/application/id"), application);
    assert_eq!(expanded.text("/application/object"), "application");
    paths.push("/v1/events?limit=100".to_owned());
    walk(&inside, paths).await;
    let other = app.with_key("sk_test_other");
    let other = other.in_account(&other.post("/v1/accounts", "type=custom").await.ok().id());
    let form = "amount=500&currency=usd";
    let others = other.post("/v1/payment_intents", form).await.ok().text("/application");
    assert_ne!(others, application);
}
