//! The sandbox in which pairs of calls are made: at least one object of each kind, in each state
//! that a call needs.

use std::collections::BTreeMap;
use testkit::{App, Client, Response};

/// A call that builds a part of the sandbox.
struct Step {
    /// The names of texts in the response, each as `name` for the id or `name=/pointer`.
    names: &'static str,
    path: &'static str,
    form: &'static str,
}

const fn step(names: &'static str, path: &'static str, form: &'static str) -> Step {
    Step { names, path, form }
}

const CUSTOMERS: &str = "/v1/customers";
const CLOCKS: &str = "/v1/test_helpers/test_clocks";
const SESSIONS: &str = "/v1/financial_connections/sessions";
const LINK: &str = "/v1/test_helpers/financial_connections/link";
const PAYMENTS: &str = "/v1/payment_intents";
const SETUPS: &str = "/v1/setup_intents";
const PRICES: &str = "/v1/prices";
const ITEMS: &str = "/v1/invoiceitems";
const INVOICES: &str = "/v1/invoices";
const SUBSCRIPTIONS: &str = "/v1/subscriptions";
const CHECKOUT: &str = "/v1/checkout/sessions";
const DESTINATIONS: &str = "/v2/core/event_destinations";
/// The beginning of the addresses of hosted pages.
const ORIGIN: &str = "http://127.0.0.1:12111";
/// The path of a call inside the connected account begins with this.
pub const INSIDE: &str = "inside ";
/// The path of a call in a preview version begins with this.
const PREVIEW: &str = "preview ";
const PREVIEW_VERSION: &str = "2026-03-25.preview";

/// Customers, test clocks and bank accounts.
const CONNECTIONS: &[Step] = &[
    // The time of the clocks differs from real time, so that a mistake shows.
    step("clock", CLOCKS, "frozen_time=1768000000"),
    step("bare_clock", CLOCKS, "frozen_time=1768000000"),
    step("customer", CUSTOMERS, "email=ada@example.com"),
    step("other_customer", CUSTOMERS, "email=bob@example.com"),
    step("clock_customer", CUSTOMERS, "email=cleo@example.com&test_clock={clock}"),
    step("linking", SESSIONS, "{holder}={customer}&{permissions}"),
    step("account=/accounts/data/0/id", LINK, "carrier={linking}&accounts[]=Success"),
    step("linking", SESSIONS, "{holder}={customer}&{permissions}"),
    step(
        "subscribed=/accounts/data/0/id",
        LINK,
        "carrier={linking}&institution=Short+History&accounts[]=Success",
    ),
    step("", "{fc}/{subscribed}/subscribe", "features[]=transactions"),
    step("linking", SESSIONS, "{holder}={other_customer}&{permissions}"),
    step("inactive=/accounts/data/0/id", LINK, "carrier={linking}&accounts[]=Success"),
    step("linking", SESSIONS, "{holder}={clock_customer}&{permissions}"),
    step("clock_account=/accounts/data/0/id", LINK, "carrier={linking}&accounts[]=Success"),
    step("session secret=/client_secret", SESSIONS, "{holder}={customer}&{permissions}"),
    step("clock_session", SESSIONS, "{holder}={clock_customer}&{permissions}"),
];

/// Objects that are made when the refreshes of the accounts have ended.
const PAYMENT_OBJECTS: &[Step] = &[
    step("authorization=/authorization", "preview {controls}/{inactive}/deactivate", ""),
    step("method=/payment_method", SETUPS, "customer={customer}&{saved}"),
    step("other_method=/payment_method", SETUPS, "customer={customer}&{saved}"),
    step("free_method=/payment_method", SETUPS, "{saved}"),
    step("payment", PAYMENTS, "{amount}&customer={customer}"),
    step(
        "charge=/latest_charge",
        PAYMENTS,
        "{amount}&customer={customer}&payment_method={method}&confirm=true",
    ),
    step(
        "refunded_charge=/latest_charge",
        PAYMENTS,
        "{amount}&customer={customer}&payment_method={method}&confirm=true&{accepted}",
    ),
    step("payable", PAYMENTS, "{amount}&customer={customer}&payment_method={method}"),
    step(
        "payment_deposits \
         deposits_page=/next_action/verify_with_microdeposits/hosted_verification_url",
        PAYMENTS,
        "{amount}&customer={customer}&{typed}",
    ),
    step("setup", SETUPS, "customer={customer}&payment_method_types[]=us_bank_account"),
    step("setup_ready", SETUPS, "customer={customer}&payment_method={method}"),
    step("setup_deposits", SETUPS, "customer={customer}&{typed}"),
    step("product", "/v1/products", "name=Tea"),
    step("priced_product", "/v1/products", "name=Coffee"),
    step("price", PRICES, "product={priced_product}&currency=usd&unit_amount=500"),
    step(
        "monthly",
        PRICES,
        "product={priced_product}&currency=usd&unit_amount=900&recurring[interval]=month",
    ),
    step("draft", INVOICES, "customer={customer}&auto_advance=false"),
    step("draft_item", ITEMS, "customer={customer}&invoice={draft}&amount=700&currency=usd"),
    step("open", INVOICES, "customer={customer}&auto_advance=false"),
    step("", ITEMS, "customer={customer}&invoice={open}&amount=800&currency=usd"),
    step("", "/v1/invoices/{open}/finalize", ""),
    step("due", INVOICES, "customer={customer}&auto_advance=false"),
    step("", ITEMS, "customer={customer}&invoice={due}&amount=600&currency=usd"),
    step("invoice_page=/hosted_invoice_url", "/v1/invoices/{due}/finalize", ""),
    step("", LINK, "carrier={due}&accounts[]=Success"),
    step("pending_item", ITEMS, "customer={customer}&amount=300&currency=usd"),
    step(
        "subscription",
        SUBSCRIPTIONS,
        "customer={customer}&{month}&default_payment_method={method}",
    ),
    step(
        "incomplete",
        SUBSCRIPTIONS,
        "customer={customer}&{month}&payment_behavior=default_incomplete\
         &payment_settings[payment_method_types][]=us_bank_account",
    ),
    step("clock_subscription", SUBSCRIPTIONS, "customer={clock_customer}&{month}&{later}"),
    step("checkout checkout_page=/url", CHECKOUT, "customer={customer}&mode=payment&{line}"),
    step("checkout_setup", CHECKOUT, "customer={customer}&mode=setup&currency=usd"),
    step("configuration", "/v1/payment_method_configurations", "name=Other"),
    step(
        "ctoken",
        "/v1/test_helpers/confirmation_tokens",
        "payment_method=pm_usBankAccount_success",
    ),
];

/// A refund, when the debits have ended. Connected accounts, and the objects inside one.
const CONNECTED: &[Step] = &[
    step("refund", "/v1/refunds", "charge={refunded_charge}&amount=500"),
    step("connected", "/v1/accounts", "type=custom&capabilities[transfers][requested]=true"),
    step("bank", "/v1/accounts/{connected}/external_accounts", "{numbers}=000123456789"),
    step("other_bank", "/v1/accounts/{connected}/external_accounts", "{numbers}=000111111116"),
    step("connected_session", SESSIONS, "{payee}={connected}&permissions[]=payment_method"),
    step("inside_customer", "inside /v1/customers", "email=dan@example.com"),
    step(
        "inside_monthly",
        "inside /v1/prices",
        "product_data[name]=Gold&currency=usd&unit_amount=900&recurring[interval]=month",
    ),
    step(
        "inside_session",
        "inside /v1/financial_connections/sessions",
        "{holder}={inside_customer}&{permissions}",
    ),
    step(
        "endpoint",
        "/v1/webhook_endpoints",
        "url=http://127.0.0.1:9/&enabled_events[]=payment_intent.succeeded",
    ),
    step("destination", DESTINATIONS, "{thin}"),
    step("closed_destination", DESTINATIONS, "{thin}"),
    step("", "/v2/core/event_destinations/{closed_destination}/disable", ""),
];

/// Texts that many forms contain.
const PHRASES: [(&str, &str); 21] = [
    (
        "thin",
        "name=Thin&type=webhook_endpoint&event_payload=thin&webhook_endpoint[url]=http://127.0.0.1:9/\
         &enabled_events[]=v1.payment_intent.succeeded",
    ),
    ("holder", "account_holder[type]=customer&account_holder[customer]"),
    ("payee", "account_holder[type]=account&account_holder[account]"),
    (
        "permissions",
        "permissions[]=transactions&permissions[]=balances&permissions[]=ownership\
         &permissions[]=payment_method",
    ),
    (
        "saved",
        "payment_method=pm_usBankAccount_success&confirm=true\
         &payment_method_types[]=us_bank_account&mandate_data[customer_acceptance][type]=offline",
    ),
    ("amount", "amount=2000&currency=usd&payment_method_types[]=us_bank_account"),
    (
        "typed",
        "confirm=true&mandate_data[customer_acceptance][type]=offline\
         &payment_method_data[type]=us_bank_account\
         &payment_method_data[billing_details][name]=Ada\
         &payment_method_data[us_bank_account][account_holder_type]=individual\
         &payment_method_data[us_bank_account][routing_number]=110000000\
         &payment_method_data[us_bank_account][account_number]=000123456789\
         &payment_method_types[]=us_bank_account\
         &mandate_data[customer_acceptance][type]=offline",
    ),
    ("month", "items[0][price]={monthly}"),
    ("later", "payment_behavior=default_incomplete"),
    (
        "line",
        "line_items[0][quantity]=2&line_items[0][price]={price}\
         &payment_method_types[]=us_bank_account",
    ),
    (
        "numbers",
        "external_account[object]=bank_account&external_account[country]=US\
         &external_account[currency]=usd&external_account[routing_number]=110000000\
         &external_account[account_number]",
    ),
    ("accepted", "mandate_data[customer_acceptance][type]=offline"),
    ("proved", "amounts[]=32&amounts[]=45"),
    ("pending", "pending_invoice_items_behavior=include"),
    ("by_other", "default_payment_method={other_method}"),
    ("fc", "/v1/financial_connections/accounts"),
    ("controls", "/v1/test_helpers/financial_connections/accounts"),
    ("methods", "/v1/payment_methods"),
    ("payments", "/v1/payment_intents"),
    ("setups", "/v1/setup_intents"),
    ("configurations", "/v1/payment_method_configurations"),
];

/// A template with phrases in place of their names. Names of objects stay.
pub fn spelled_out(template: &str) -> String {
    PHRASES.iter().fold(template.to_owned(), |text, (name, phrase)| {
        text.replace(&format!("{{{name}}}"), phrase)
    })
}

/// The names of the sandbox's objects, with their ids.
#[derive(Clone, Debug, Default)]
pub struct Fixture {
    ids: BTreeMap<String, String>,
}

impl Fixture {
    /// Builds the sandbox of the server's usual key.
    pub async fn build(app: &App) -> Self {
        let mut fixture = Self::default();
        for steps in [CONNECTIONS, PAYMENT_OBJECTS, CONNECTED] {
            for step in steps {
                fixture.make(app, step).await;
            }
            app.run_workers_until_idle().await;
        }
        fixture
    }

    /// The id of an object.
    pub fn id(&self, name: &str) -> &str {
        self.ids.get(name).unwrap_or_else(|| panic!("the fixture has no {name}"))
    }

    /// Names a text.
    pub fn insert(&mut self, name: &str, text: &str) {
        self.ids.insert(name.to_owned(), text.to_owned());
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.values().map(String::as_str)
    }

    /// A template with ids and phrases in place of the names in braces.
    pub fn fill(&self, template: &str) -> String {
        let template = spelled_out(template);
        let mut filled = String::new();
        let mut rest = template.as_str();
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            filled += before;
            filled += self.id(name);
            rest = after;
        }
        filled + rest
    }

    /// A client that makes a call with this path, and the path without its mark.
    pub fn caller<'a>(&self, client: &Client, path: &'a str) -> (Client, &'a str) {
        if let Some(path) = path.strip_prefix(INSIDE) {
            return (client.in_account(self.id("connected")), path);
        }
        match path.strip_prefix(PREVIEW) {
            Some(path) => (client.in_version(PREVIEW_VERSION), path),
            None => (client.clone(), path),
        }
    }

    async fn make(&mut self, app: &App, step: &Step) {
        let (client, path) = self.caller(app, step.path);
        let (path, form) = (self.fill(path), self.fill(step.form));
        let made = client.post(&path, &form).await;
        assert_eq!(made.status, 200, "POST {path} {form}: {}", made.body);
        self.name(step.names, &made);
    }

    fn name(&mut self, names: &str, made: &Response) {
        for name in names.split_whitespace() {
            let (name, pointer) = name.split_once('=').unwrap_or((name, "/id"));
            let text = made.text(pointer);
            self.insert(name, text.strip_prefix(ORIGIN).unwrap_or(&text));
        }
    }
}
