//! Isolation: platform and connected account never see each other's rows, in any call.

use testkit::{App, Client, DAY_S, FC};

/// The source of the router, which lists the addresses of the server.
const ROUTER: &str = include_str!("../../src/http/router.rs");
/// Addresses that show the platform, an account or the server itself. They belong to no row of a
/// merchant, or exist for both.
const SHARED: [&str; 5] = [
    "/v1/account",
    // It is zero for each merchant.
    "/v1/balance",
    "/v1/financial_connections/settings",
    "/v1/test_helpers/financial_connections/institutions",
    // These belong to each merchant but to no row. The tests of the client checker prove their
    // isolation.
    "/v1/test_helpers/consumer_report",
];

/// Creates one of each object. Returns the paths that show them.
async fn populate(client: &Client) -> Vec<String> {
    let id = async |path: &str, form: &str| client.post(path, form).await.ok().id();
    let customer = id("/v1/customers", "email=ada@example.com").await;
    let of_customer = format!("metadata[of]={customer}");
    client.post(&format!("/v1/customers/{customer}"), &of_customer).await.ok();
    let clock = id("/v1/test_helpers/test_clocks", "frozen_time=1767225600").await;
    let session = client.session(&customer, "prefetch[]=transactions&prefetch[]=ownership").await;
    let account = client.link(&session, "").await.text("/accounts/data/0/id");
    let pay = format!(
        "amount=500&currency=usd&customer={customer}&payment_method=pm_usBankAccount_dispute\
         &payment_method_types[]=us_bank_account&confirm=true\
         &mandate_data[customer_acceptance][type]=offline"
    );
    let payment = id("/v1/payment_intents", &pay).await;
    let refundable = id("/v1/payment_intents", &pay.replace("_dispute", "_success")).await;
    let save = format!(
        "customer={customer}&payment_method=pm_usBankAccount_success&confirm=true\
         &mandate_data[customer_acceptance][type]=offline"
    );
    let setup = client.post("/v1/setup_intents", &save).await.ok();
    let (method, mandate) = (setup.text("/payment_method"), setup.text("/mandate"));
    let product = id("/v1/products", "name=Gold").await;
    let of_price = format!("currency=usd&unit_amount=500&product={product}");
    let price = id("/v1/prices", &of_price).await;
    let monthly = id("/v1/prices", &format!("{of_price}&recurring[interval]=month")).await;
    let of_item = format!("customer={customer}&amount=500&currency=usd");
    let item = id("/v1/invoiceitems", &of_item).await;
    let invoice = id("/v1/invoices", &format!("customer={customer}")).await;
    client.post(&format!("/v1/invoices/{invoice}/finalize"), "").await.ok();
    let subscription = format!(
        "customer={customer}&items[0][price]={monthly}&payment_behavior=default_incomplete\
         &{of_customer}"
    );
    let subscription = client.post("/v1/subscriptions", &subscription).await.ok();
    let first_invoice = subscription.text("/latest_invoice");
    let of_subscription = subscription.text("/items/data/0/id");
    let subscription = subscription.id();
    let checkout = id("/v1/checkout/sessions", "mode=setup&currency=usd").await;
    let hook = "url=http://127.0.0.1:9/&enabled_events[]=payment_intent.succeeded";
    let endpoint = id("/v1/webhook_endpoints", hook).await;
    let numbers = "bank_account[country]=US&bank_account[routing_number]=110000000\
        &bank_account[account_number]=000123456789";
    let token = id("/v1/tokens", numbers).await;
    let success = "payment_method=pm_usBankAccount_success";
    let confirmation = id("/v1/test_helpers/confirmation_tokens", success).await;
    let fault = id("/v1/test_helpers/faults", "kind=webhook_lost&types[]=price.updated").await;
    let configuration = id("/v1/payment_method_configurations", "name=Banks").await;
    let snapshot = id("/v1/test_helpers/snapshots", "").await;
    let helpers = "/v1/test_helpers/financial_connections";
    let scenario = id(&format!("{helpers}/scenarios"), "name=overdrawn").await;
    let bank = format!("{helpers}/accounts/{account}");
    vec![
        format!("/v1/customers/{customer}"),
        format!("/v1/customers/search?query=metadata['of']:'{customer}'"),
        format!("/v1/payment_intents/search?query=customer:'{customer}'"),
        format!("/v1/invoices/search?query=customer:'{customer}'"),
        format!("/v1/subscriptions/search?query=metadata['of']:'{customer}'"),
        format!("/v1/customers/{customer}/payment_methods"),
        format!("/v1/customers/{customer}/payment_methods/{method}"),
        format!("/v1/test_helpers/test_clocks/{clock}"),
        format!("{FC}/sessions/{}", session.id()),
        format!("{FC}/accounts/{account}"),
        format!("{FC}/transactions?account={account}"),
        format!("{bank}/ledger"),
        format!("{bank}/next_refresh"),
        format!("{helpers}/scenarios/{scenario}"),
        format!("{bank}/scenario"),
        format!("/v1/payment_intents/{payment}"),
        format!("/v1/payment_intents/{refundable}"),
        format!("/v1/setup_intents/{}", setup.id()),
        format!("/v1/payment_methods/{method}"),
        format!("/v1/mandates/{mandate}"),
        format!("/v1/products/{product}"),
        format!("/v1/prices/{price}"),
        format!("/v1/plans/{monthly}"),
        format!("/v1/invoiceitems/{item}"),
        format!("/v1/invoices/{invoice}"),
        format!("/v1/invoices/{invoice}/lines"),
        format!("/v1/invoice_payments?invoice={first_invoice}"),
        format!("/v1/subscriptions/{subscription}"),
        format!("/v1/subscription_items?subscription={subscription}"),
        format!("/v1/subscription_items/{of_subscription}"),
        format!("/v1/checkout/sessions/{checkout}"),
        format!("/v1/checkout/sessions/{checkout}/line_items"),
        format!("/v1/checkout/sessions/{checkout}/page"),
        format!("/v1/webhook_endpoints/{endpoint}"),
        format!("/v1/tokens/{token}"),
        format!("/v1/confirmation_tokens/{confirmation}"),
        format!("/v1/payment_method_configurations/{configuration}"),
        format!("/v1/test_helpers/faults/{fault}"),
        format!("/v1/test_helpers/snapshots/{snapshot}"),
    ]
}

/// Adds the paths of the objects that resulted from these, as their owner finds them.
async fn followed(client: &Client, made: &mut Vec<String>) {
    let first = async |path: &str, pointer: &str| client.get(path).await.ok().text(pointer);
    let account = made.iter().find(|path| path.starts_with(&format!("{FC}/accounts/"))).cloned();
    let account = account.unwrap();
    let about = account.rsplit('/').next().unwrap();
    made.push(format!("/v1/test_helpers/events/wait?account={about}&timeout=0"));
    made.push(format!("/v1/test_helpers/settled?account={about}&timeout=0"));
    let ownership = first(&account, "/ownership").await;
    made.push(format!("{account}/owners?ownership={ownership}"));
    let of_account = made.iter().find(|path| path.contains("/transactions?")).cloned().unwrap();
    let transaction = first(&of_account, "/data/0/id").await;
    made.push(format!("{FC}/transactions/{transaction}"));
    let deliveries = "/v1/test_helpers/deliveries";
    for list in ["/v1/charges", "/v1/disputes", "/v1/invoice_payments", "/v1/events", deliveries] {
        made.push(format!("{list}/{}", first(list, "/data/0/id").await));
    }
    let mut payments = made.iter().filter(|path| path.starts_with("/v1/payment_intents/pi_"));
    let refundable = payments.next_back().and_then(|path| path.rsplit('/').next()).unwrap();
    let refund = client.post("/v1/refunds", &format!("payment_intent={refundable}")).await.ok();
    let refunds = format!("/v1/charges/{}/refunds", refund.text("/charge"));
    made.push(format!("/v1/refunds/{}", refund.id()));
    made.push(format!("{refunds}/{}", refund.id()));
    made.push(refunds);
    let event = first("/v1/events", "/data/0/id").await;
    made.push(format!("/v1/test_helpers/events/{event}/deliveries"));
}

/// The list calls that need no object to be named, which are those without a path parameter.
fn lists() -> Vec<&'static str> {
    // These require a parameter that names an object.
    let of_something = [
        "/v1/financial_connections/transactions",
        "/v1/subscription_items",
        // These require a query.
        "/v1/customers/search",
        "/v1/invoices/search",
        "/v1/payment_intents/search",
        "/v1/subscriptions/search",
        // This call waits for one event and shows it.
        "/v1/test_helpers/events/wait",
        // This call waits, and shows no row.
        "/v1/test_helpers/settled",
    ];
    let lists = patterns().into_iter().filter(|pattern| !pattern.contains('{'));
    lists.filter(|pattern| !of_something.contains(pattern)).collect()
}

/// Every address that shows an object of a merchant.
fn patterns() -> Vec<&'static str> {
    let reads = ROUTER.split_inclusive(".get(").filter(|before| before.ends_with(".get("));
    let starts = reads.scan(0, |end, before| {
        *end += before.len();
        Some(*end)
    });
    let from_browser = ROUTER.match_indices(".client_get(").map(|(at, call)| at + call.len());
    let patterns = starts.chain(from_browser).filter_map(|at| {
        let pattern = ROUTER[at..].trim_start().strip_prefix('"')?.split('"').next()?;
        let shared = SHARED.iter().any(|shared| pattern.starts_with(shared));
        (pattern.starts_with("/v1/") && !shared).then_some(pattern)
    });
    patterns.collect()
}

/// True if a path matches an address.
fn is_of(path: &str, pattern: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let parts = path.split('/').count() == pattern.split('/').count();
    let fits = |(part, open): (&str, &str)| open.starts_with('{') || part == open;
    parts && path.split('/').zip(pattern.split('/')).all(fits)
}

/// Every id that a list contains.
async fn ids(client: &Client, path: &str) -> Vec<String> {
    client.ids(&format!("{path}?limit=100")).await
}

/// Only the creator of an object sees it. The test compares the platform, two of its accounts, and
/// an account with the same id of another platform. This holds for each address that shows an
/// object and for each list. No other caller can delete the object.
#[tokio::test]
async fn nobody_sees_the_rows_of_another() {
    let app = App::start().await;
    let clients = [
        app.client(),
        app.in_account("acct_1"),
        app.in_account("acct_2"),
        app.with_key("sk_test_other").in_account("acct_1"),
    ];
    let mut made = Vec::new();
    for client in &clients {
        made.push(populate(client).await);
    }
    // The payments complete, and some are disputed.
    app.run_workers_until_idle().await;
    app.elapse_s(10 * DAY_S).await;
    for (client, paths) in clients.iter().zip(&mut made) {
        followed(client, paths).await;
    }
    for pattern in patterns() {
        let shown = made[0].iter().any(|path| is_of(path, pattern)) || lists().contains(&pattern);
        assert!(shown, "nothing is asked for at {pattern}");
    }
    for (maker, paths) in made.iter().enumerate() {
        for path in paths {
            for (asker, client) in clients.iter().enumerate() {
                let reply = client.get(path).await;
                let found = reply.at("/object") == "list" || reply.at("/object") == "search_result";
                let list = path.contains('?') && found;
                let empty = list && reply.items("/data").is_empty();
                let found = if asker == maker {
                    reply.status == 200 && !empty
                } else {
                    reply.status == 404 || empty
                };
                assert!(found, "{asker} was told {} for {path} of {maker}", reply.status);
                if asker != maker {
                    let status = client.delete(path).await.status;
                    assert!(matches!(status, 404 | 405), "{asker} deleted {path} of {maker}");
                }
            }
        }
        for path in lists() {
            let own = ids(&clients[maker], path).await;
            assert!(!own.is_empty(), "{path}");
            let others = clients.iter().enumerate().filter(|(asker, _)| *asker != maker);
            for (_, other) in others {
                let seen = ids(other, path).await;
                assert!(!seen.iter().any(|id| own.contains(id)), "{path}");
            }
        }
    }
}
