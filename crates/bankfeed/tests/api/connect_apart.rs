//! Platform and connected account never see each other's rows, whatever they ask for.

use crate::support::{App, Client, FC};

/// Makes one of each object; answers every path that shows one of them, and every list.
async fn populate(client: &Client) -> (Vec<String>, Vec<String>) {
    let id = async |path: &str, form: &str| client.post(path, form).await.ok().text("/id");
    let customer = id("/v1/customers", "email=ada@example.com").await;
    let clock = id("/v1/test_helpers/test_clocks", "frozen_time=1767225600").await;
    let session = client.session(&customer, "prefetch[]=transactions&prefetch[]=ownership").await;
    let account = client.link(&session, "").await.text("/accounts/data/0/id");
    let of_intent = format!("amount=500&currency=usd&customer={customer}");
    let payment = id("/v1/payment_intents", &of_intent).await;
    let setup = client
        .post(
            "/v1/setup_intents",
            &format!(
                "customer={customer}&payment_method=pm_usBankAccount_success&confirm=true\
                 &mandate_data[customer_acceptance][type]=offline"
            ),
        )
        .await
        .ok();
    let product = id("/v1/products", "name=Gold").await;
    let of_price = format!("currency=usd&unit_amount=500&product={product}");
    let price = id("/v1/prices", &of_price).await;
    let of_item = format!("customer={customer}&amount=500&currency=usd");
    let item = id("/v1/invoiceitems", &of_item).await;
    let invoice = id("/v1/invoices", &format!("customer={customer}")).await;
    let checkout = id("/v1/checkout/sessions", "mode=setup&currency=usd").await;
    let hook = "url=http://127.0.0.1:9/&enabled_events[]=invoice.paid";
    let endpoint = id("/v1/webhook_endpoints", hook).await;
    let numbers = "bank_account[country]=US&bank_account[routing_number]=110000000\
        &bank_account[account_number]=000123456789";
    let token = id("/v1/tokens", numbers).await;
    let event = client.get("/v1/events?limit=1").await.ok().text("/data/0/id");
    let single = vec![
        format!("/v1/customers/{customer}"),
        format!("/v1/customers/{customer}/payment_methods"),
        format!("/v1/test_helpers/test_clocks/{clock}"),
        format!("{FC}/sessions/{}", session.text("/id")),
        format!("{FC}/accounts/{account}"),
        format!("{FC}/transactions?account={account}"),
        format!("/v1/test_helpers/financial_connections/accounts/{account}/ledger"),
        format!("/v1/payment_intents/{payment}"),
        format!("/v1/setup_intents/{}", setup.text("/id")),
        format!("/v1/payment_methods/{}", setup.text("/payment_method")),
        format!("/v1/mandates/{}", setup.text("/mandate")),
        format!("/v1/products/{product}"),
        format!("/v1/prices/{price}"),
        format!("/v1/invoiceitems/{item}"),
        format!("/v1/invoices/{invoice}"),
        format!("/v1/invoices/{invoice}/lines"),
        format!("/v1/checkout/sessions/{checkout}"),
        format!("/v1/checkout/sessions/{checkout}/line_items"),
        format!("/v1/webhook_endpoints/{endpoint}"),
        format!("/v1/tokens/{token}"),
        format!("/v1/events/{event}"),
        format!("/v1/test_helpers/events/{event}/deliveries"),
    ];
    let lists = [
        "/v1/customers",
        "/v1/test_helpers/test_clocks",
        "/v1/financial_connections/accounts",
        "/v1/payment_intents",
        "/v1/setup_intents",
        "/v1/payment_methods",
        "/v1/products",
        "/v1/prices",
        "/v1/invoiceitems",
        "/v1/invoices",
        "/v1/checkout/sessions",
        "/v1/webhook_endpoints",
        "/v1/events",
    ];
    (single, lists.map(str::to_owned).to_vec())
}

/// Every id that a list holds.
async fn ids(client: &Client, path: &str) -> Vec<String> {
    let listed = client.get(&format!("{path}?limit=100")).await.ok();
    let id = |item: serde_json::Value| item["id"].as_str().unwrap().to_owned();
    listed.items("/data").into_iter().map(id).collect()
}

/// What the platform, an account of it, another account of it, and an account of the same id of
/// another platform have made is found by its maker alone: by each call that shows something, and
/// in each list.
#[tokio::test]
async fn nobody_sees_the_rows_of_another() {
    let app = App::sqlite().await;
    let clients = [
        app.client(),
        app.in_account("acct_1"),
        app.in_account("acct_2"),
        app.with_key("sk_test_other").in_account("acct_1"),
    ];
    let mut made = Vec::new();
    for client in &clients {
        made.push(populate(client).await);
        app.run_workers_until_idle().await;
    }
    for (maker, (single, lists)) in made.iter().enumerate() {
        for path in single {
            for (asker, client) in clients.iter().enumerate() {
                let status = client.get(path).await.status;
                let found = if asker == maker { status == 200 } else { status == 404 };
                assert!(found, "{asker} asked {status} for {path} of {maker}");
            }
        }
        for path in lists {
            let own = ids(&clients[maker], path).await;
            assert!(!own.is_empty(), "{path}");
            for other in clients.iter().enumerate().filter(|(asker, _)| *asker != maker) {
                let seen = ids(other.1, path).await;
                assert!(!seen.iter().any(|id| own.contains(id)), "{path}");
            }
        }
    }
}
