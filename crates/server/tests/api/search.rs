//! Search in customers, Payment Intents, invoices and subscriptions, by Stripe's guide to its query
//! language.

use serde_json::json;
use testkit::{App, INTENTS, MONTHLY, path_of};

/// The ids that a search finds.
async fn found(app: &App, path: &str, query: &str) -> Vec<String> {
    app.get(&format!("{path}/search?query={query}")).await.ok().ids()
}

/// Customers are found by e-mail address, name and metadata, in pages.
#[tokio::test]
async fn customers_are_found() {
    let app = App::start().await;
    let path = "/v1/customers";
    let mut made = Vec::new();
    for form in [
        "email=ada@example.com&name=Ada&metadata[plan]=gold",
        "email=bob@example.com&metadata[plan]=silver",
        "email=ada@example.com",
    ] {
        made.push(app.post(path, form).await.ok().id());
    }
    app.delete(&path_of(&app.customer().await)).await.ok();
    for (query, places) in [
        ("email:'ADA@example.com'", vec![2, 0]),
        ("email~'example'", vec![2, 1, 0]),
        ("metadata['plan']:'gold'", vec![0]),
        ("metadata['plan']:null", vec![2]),
        ("-metadata['plan']:null%20AND%20-email~'bob'", vec![0]),
        ("name:'ada'%20OR%20metadata[\"plan\"]:\"silver\"", vec![1, 0]),
        ("created>0%20email:'none'", vec![]),
    ] {
        let expected: Vec<&String> = places.iter().map(|place| &made[*place]).collect();
        assert_eq!(found(&app, path, query).await.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let query = format!("{path}/search?query=email~'example'&limit=2");
    let first = app.get(&query).await.ok();
    assert_eq!(first.at("/object"), "search_result");
    assert_eq!(first.at("/url"), "/v1/customers/search");
    assert_eq!(first.at("/has_more"), true);
    let second = app.get(&format!("{query}&page={}", first.text("/next_page"))).await.ok();
    assert_eq!(second.ids(), [made[0].clone()]);
    assert_eq!((second.at("/has_more"), second.at("/next_page")), (json!(false), json!(null)));
    let expanded = app.get(&format!("{query}&expand[]=data.subscriptions")).await.ok();
    assert_eq!(expanded.at("/data/0/subscriptions/object"), "list");
}

/// Payment Intents, invoices and subscriptions are found by status, customer, amount and metadata.
#[tokio::test]
async fn payment_objects_are_found() {
    let app = App::with_gold().await;
    let customer = app.customer().await;
    let intent = format!("amount=500&currency=usd&customer={customer}&metadata[order]=7");
    let intent = app.post(INTENTS, &intent).await.ok().id();
    app.post(INTENTS, "amount=900&currency=usd").await.ok();
    let order = format!("metadata['order']:'7'%20AND%20customer:'{customer}'");
    assert_eq!(found(&app, INTENTS, &order).await, [intent.as_str()]);
    let status = "status:'requires_payment_method'%20amount<900";
    assert_eq!(found(&app, INTENTS, status).await, [intent]);
    let invoice = app.open_invoice().await.id();
    app.draft_invoice("").await;
    assert_eq!(found(&app, "/v1/invoices", "status:'open'%20total:1000").await, [invoice]);
    let form = format!("{MONTHLY}&trial_period_days=5&metadata[a]=b");
    let subscription = app.subscription(&customer, &form).await.id();
    let trials = found(&app, "/v1/subscriptions", "status:'trialing'%20metadata['a']:'b'").await;
    assert_eq!(trials, [subscription]);
}

/// A missing or wrong query, an unknown field and an unknown page are rejected.
#[tokio::test]
async fn what_search_rejects() {
    let app = App::start().await;
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", "/v1/customers/search", ""),
        ("GET", "/v1/customers/search?query=ada", ""),
        ("GET", "/v1/customers/search?query=ada&colour=red", ""),
        ("GET", "/v1/invoices/search?query=email:'a'", ""),
        ("GET", "/v1/subscriptions/search?query=status:'active'&page=sub_1", ""),
        ("GET", "/v1/payment_intents/search?query=amount:1&starting_after=pi_1", ""),
    ]).await, @r#"
    GET /v1/customers/search
        400 parameter_missing query: Missing required parameter: query.
    GET /v1/customers/search?query=ada
        400 - query: Unknown search field: ada. Use one of created, email, name, phone, or
          metadata["key"].
    GET /v1/customers/search?query=ada&colour=red
        400 parameter_unknown colour: Received unknown parameter: colour
    GET /v1/invoices/search?query=email:'a'
        400 - query: Unknown search field: email. Use one of created, currency, customer, number,
          status, subscription, total, or metadata["key"].
    GET /v1/subscriptions/search?query=status:'active'&page=sub_1
        400 - page: The page is unknown. Use next_page of the previous response.
    GET /v1/payment_intents/search?query=amount:1&starting_after=pi_1
        400 parameter_unknown starting_after: Received unknown parameter: starting_after
    "#);
}
