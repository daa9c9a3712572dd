//! The objects and parameters that each call needs besides the tested parameter.

use testkit::{ACCEPTED, App, CHECKOUT, ONE_ITEM, typed_numbers};

/// The ids in a call's path, and its minimal form.
pub(super) struct Start {
    pub(super) ids: Vec<String>,
    pub(super) form: String,
}

const TYPED: &str = "type=us_bank_account&billing_details[name]=Ada\
                     &us_bank_account[account_holder_type]=individual\
                     &us_bank_account[routing_number]=110000000\
                     &us_bank_account[account_number]=000123456789";
const PAYMENT: &str = "amount=2000&currency=usd";
const SUCCESS: &str = "payment_method=pm_usBankAccount_success";
const BANK: &str = "external_account[object]=bank_account&external_account[country]=US\
                    &external_account[currency]=usd&external_account[routing_number]=110000000\
                    &external_account[account_number]=000123456789";
const NUMBERS: &str = "bank_account[country]=US&bank_account[currency]=usd\
                       &bank_account[routing_number]=110000000\
                       &bank_account[account_number]=000123456789";
const DEPOSITS: &str = "amounts[]=32&amounts[]=45";

/// Prepares a call with its own objects. Calls without a schema reject an unknown parameter before
/// they look up objects, so they get none.
pub(super) async fn start(app: &App, call: &str) -> Start {
    let (method, path) = call.split_once(' ').unwrap();
    if method != "POST" {
        return Start { ids: Vec::new(), form: required(call).to_owned() };
    }
    let (ids, form) = match path.strip_prefix("/v1/").unwrap().split('/').next().unwrap() {
        "payment_intents" => intent(app, "payment_intents", path, PAYMENT).await,
        "setup_intents" => intent(app, "setup_intents", path, "").await,
        "charges" if path.ends_with("{id}") => (vec![charge(app).await], String::new()),
        "refunds" => refund(app, path).await,
        "checkout" => checkout(app, path).await,
        "payment_methods" => payment_method(app, path).await,
        "payment_method_configurations" if path.ends_with("{id}") => {
            (vec![made(app, "/v1/payment_method_configurations", "").await], String::new())
        }
        "products" | "prices" => price(app, path).await,
        "invoices" | "invoiceitems" => invoice(app, path).await,
        "tokens" if path == "/v1/tokens" => (Vec::new(), NUMBERS.to_owned()),
        "accounts" => account(app, path).await,
        "payment_method_configurations" => configuration(app, path).await,
        "subscriptions" => subscription(app, path).await,
        _ => (Vec::new(), required(call).to_owned()),
    };
    Start { ids, form }
}

/// The parameters that a call without a schema requires.
fn required(call: &str) -> &'static str {
    match call.rsplit('/').next().unwrap() {
        "sessions" if call.contains("stripecli") => "websocket_features[]=webhooks",
        "sessions" if call.starts_with("POST") => {
            "account_holder[type]=customer&account_holder[customer]=cus_x&permissions[]=transactions"
        }
        "refresh" | "subscribe" | "unsubscribe" => "features[]=transactions",
        "owners" if call.starts_with("GET") => "ownership=x",
        "owners" => "owners[0][name]=Ada",
        "scenarios" if call.starts_with("POST") => "name=overdrawn",
        "transactions" if call.starts_with("GET") => "account=x",
        "transactions" => "amount=1",
        "webhook_endpoints" if call.starts_with("POST") => {
            "url=http://127.0.0.1:9/hook&enabled_events[]=*"
        }
        "test_clocks" | "advance" if call.starts_with("POST") => "frozen_time=1767225600",
        "link" | "link_flows" => "client_secret=x",
        "balance" => "current=1",
        "faults" if call.starts_with("POST") => "kind=webhook_lost",
        "confirmation_tokens" => SUCCESS,
        "search" => "query=created:1",
        "setup_attempts" => "setup_intent=x",
        "subscription_items" => "subscription=x",
        _ => "",
    }
}

/// Creates an object. Returns its id.
async fn made(app: &App, path: &str, form: &str) -> String {
    app.post(path, form).await.ok().id()
}

async fn intent(app: &App, kind: &str, path: &str, form: &str) -> (Vec<String>, String) {
    let create = format!("/v1/{kind}");
    let verb = path.rsplit('/').next().unwrap();
    let (before, now) = match verb {
        "{id}" | "cancel" | "capture" => (form.to_owned(), ""),
        "confirm" => (format!("{form}&{SUCCESS}"), ACCEPTED),
        "verify_microdeposits" => (format!("{form}&{}", typed_numbers("000123456789")), DEPOSITS),
        _ => return (Vec::new(), form.to_owned()),
    };
    (vec![made(app, &create, &before).await], now.to_owned())
}

async fn charge(app: &App) -> String {
    let form = format!("{PAYMENT}&{SUCCESS}&confirm=true&{ACCEPTED}");
    app.post("/v1/payment_intents", &form).await.ok().text("/latest_charge")
}

async fn refund(app: &App, path: &str) -> (Vec<String>, String) {
    let form = format!("charge={}&amount=1", charge(app).await);
    app.run_workers_until_idle().await;
    if path == "/v1/refunds" {
        return (Vec::new(), form);
    }
    (vec![made(app, "/v1/refunds", &form).await], String::new())
}

async fn checkout(app: &App, path: &str) -> (Vec<String>, String) {
    if path == CHECKOUT {
        return (Vec::new(), ONE_ITEM.to_owned());
    }
    (vec![made(app, CHECKOUT, ONE_ITEM).await], String::new())
}

async fn payment_method(app: &App, path: &str) -> (Vec<String>, String) {
    let verb = path.rsplit('/').next().unwrap();
    if verb == "payment_methods" {
        return (Vec::new(), TYPED.to_owned());
    }
    let customer = app.customer().await;
    let holder = format!("customer={customer}");
    // The object to attach must not have an owner yet, because a detached object cannot be used
    // again.
    let owned = if verb == "attach" { String::new() } else { format!("{holder}&") };
    let form = format!("{owned}confirm=true&{ACCEPTED}&{SUCCESS}");
    let set_up = app.post("/v1/setup_intents", &form).await.ok();
    let needed = if verb == "attach" { holder } else { String::new() };
    (vec![set_up.text("/payment_method")], needed)
}

async fn price(app: &App, path: &str) -> (Vec<String>, String) {
    if path == "/v1/products" {
        return (Vec::new(), "name=Tea".to_owned());
    }
    let product = made(app, "/v1/products", "name=Tea").await;
    let price = format!("product={product}&currency=usd&unit_amount=500");
    match path {
        "/v1/products/{id}" => (vec![product], String::new()),
        "/v1/prices" => (Vec::new(), price),
        _ => (vec![made(app, "/v1/prices", &price).await], String::new()),
    }
}

async fn invoice(app: &App, path: &str) -> (Vec<String>, String) {
    let customer = format!("customer={}", app.customer().await);
    let item = format!("{customer}&amount=2500&currency=usd");
    match path {
        "/v1/invoices" => return (Vec::new(), customer),
        "/v1/invoiceitems" => return (Vec::new(), item),
        "/v1/invoiceitems/{id}" => {
            return (vec![made(app, "/v1/invoiceitems", &item).await], String::new());
        }
        _ => {}
    }
    let invoice = made(app, "/v1/invoices", &customer).await;
    made(app, "/v1/invoiceitems", &format!("{item}&invoice={invoice}")).await;
    let verb = path.rsplit('/').next().unwrap();
    if verb == "pay" || verb == "void" {
        app.act(&invoice, "finalize", "").await.ok();
    }
    let mut form = String::new();
    if verb == "pay" {
        let saved = format!("{customer}&confirm=true&{ACCEPTED}&{SUCCESS}");
        let saved = app.post("/v1/setup_intents", &saved).await.ok();
        form = format!("payment_method={}", saved.text("/payment_method"));
    }
    (vec![invoice], form)
}

async fn subscription(app: &App, path: &str) -> (Vec<String>, String) {
    let customer = format!("customer={}", app.customer().await);
    if path == "/v1/subscriptions" {
        return (Vec::new(), customer);
    }
    let price = "currency=usd&unit_amount=500&recurring[interval]=month&product_data[name]=Tea";
    let price = made(app, "/v1/prices", price).await;
    let form = format!("{customer}&items[0][price]={price}&payment_behavior=default_incomplete");
    (vec![made(app, "/v1/subscriptions", &form).await], String::new())
}

async fn account(app: &App, path: &str) -> (Vec<String>, String) {
    if path == "/v1/accounts" {
        return (Vec::new(), String::new());
    }
    let account = made(app, "/v1/accounts", "type=custom&country=US").await;
    let bank = format!("/v1/accounts/{account}/external_accounts");
    match path {
        "/v1/accounts/{id}" => (vec![account], String::new()),
        "/v1/accounts/{id}/external_accounts" => (vec![account], BANK.to_owned()),
        _ => {
            let bank = made(app, &bank, BANK).await;
            (vec![account, bank], String::new())
        }
    }
}

async fn configuration(app: &App, path: &str) -> (Vec<String>, String) {
    let create = "/v1/payment_method_configurations";
    if path == create {
        return (Vec::new(), String::new());
    }
    (vec![made(app, create, "name=Other").await], String::new())
}
