//! Calls that create the objects that many tests need. Each asserts that it succeeds.

use crate::client::{Client, HOLDER, Response};
use crate::server::BEGIN_S;
use serde_json::{Value, json};

/// The prefix of most paths.
pub const FC: &str = "/v1/financial_connections";
/// The prefix of most calls that only tests make.
pub const HELPERS: &str = "/v1/test_helpers/financial_connections";
/// The path of the call that completes a link flow.
pub const LINK: &str = "/v1/test_helpers/financial_connections/link";
/// The link requirements in the parameters of intents and Checkout Sessions.
pub const OPTIONS: &str = "payment_method_options[us_bank_account][financial_connections]";
/// The link requirements in the parameters of invoices and subscriptions.
pub const CONNECTIONS: &str =
    "payment_settings[payment_method_options][us_bank_account][financial_connections]";
/// The path from a payment method to its account.
pub const BANK_ACCOUNT: &str = "/us_bank_account/financial_connections_account";
/// The parameter by which a confirmation records the holder's acceptance of debits.
pub const ACCEPTED: &str = "mandate_data[customer_acceptance][type]=offline";
/// The seconds of a day.
pub const DAY_S: i64 = model::clock::DAY_S;

/// The parameters of an intent that is confirmed with typed numbers.
pub fn typed_numbers(account_number: &str) -> String {
    format!(
        "confirm=true&{ACCEPTED}&payment_method_data[type]=us_bank_account\
         &payment_method_data[billing_details][name]=Ada\
         &payment_method_data[us_bank_account][account_holder_type]=individual\
         &payment_method_data[us_bank_account][routing_number]=110000000\
         &payment_method_data[us_bank_account][account_number]={account_number}"
    )
}

impl Client {
    /// Creates a customer with an e-mail address and returns its id.
    pub async fn customer(&self) -> String {
        self.post("/v1/customers", "email=ada@example.com").await.ok().id()
    }

    /// Creates a test clock at the time at which every test begins, and a customer on it. Returns
    /// both ids.
    pub async fn customer_on_clock(&self) -> (String, String) {
        let form = format!("frozen_time={BEGIN_S}");
        let clock = self.post("/v1/test_helpers/test_clocks", &form).await.ok().id();
        let form = format!("test_clock={clock}&email=ada@example.com");
        (self.post("/v1/customers", &form).await.ok().id(), clock)
    }

    /// Creates a session of a customer with these further parameters and returns it.
    pub async fn session(&self, customer: &str, more: &str) -> Response {
        let form = format!(
            "{HOLDER}={customer}&permissions[]=transactions&permissions[]=balances&permissions[]=ownership&{more}"
        );
        self.post(&format!("{FC}/sessions"), &form).await.ok()
    }

    /// A session in the preview version, which shows the state of its flow.
    pub async fn session_in_preview(&self, session: &Response) -> Response {
        let preview = self.in_version("2026-10-14.preview");
        preview.get(&format!("{FC}/sessions/{}", session.id())).await.ok()
    }

    /// Links accounts of a session with these further parameters and returns the session.
    pub async fn link(&self, session: &Response, more: &str) -> Response {
        let form = format!("client_secret={}&{more}", session.text("/client_secret"));
        self.post(LINK, &form).await.ok()
    }

    /// Completes the link flow of any carrier, by its id. The call may fail.
    pub async fn link_carrier(&self, carrier: &str, more: &str) -> Response {
        self.post(LINK, &format!("carrier={carrier}&{more}")).await
    }

    /// Links one account of a new customer and returns its id.
    pub async fn account(&self) -> String {
        let session = self.session(&self.customer().await, "").await;
        self.link(&session, "").await.text("/accounts/data/0/id")
    }

    /// Subscribes to the transactions of an account.
    pub async fn subscribe(&self, account: &str) -> Response {
        let path = format!("{FC}/accounts/{account}/subscribe");
        self.post(&path, "features[]=transactions").await.ok()
    }

    /// Requests a refresh of a feature of an account.
    pub async fn refresh(&self, account: &str, feature: &str) -> Response {
        let path = format!("{FC}/accounts/{account}/refresh");
        self.post(&path, &format!("features[]={feature}")).await.ok()
    }

    /// Creates a webhook endpoint for this event type, with these further parameters.
    pub async fn endpoint(&self, url: &str, event_type: &str, more: &str) -> Response {
        let form = format!("url={url}&enabled_events[]={event_type}&{more}");
        self.post("/v1/webhook_endpoints", &form).await.ok()
    }

    /// Creates an event destination for thin events with this name, and returns it with its signing
    /// secret.
    pub async fn thin_destination(&self, url: &str, name: &str) -> Response {
        let body = json!({
            "name": "Thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": [name],
            "webhook_endpoint": {"url": url},
            "include": ["webhook_endpoint.signing_secret"],
        });
        self.post_json("/v2/core/event_destinations", &body).await.ok()
    }

    /// The number of objects on the first page of a list.
    pub async fn count(&self, path: &str) -> usize {
        self.get(path).await.ok().items("/data").len()
    }

    /// The ids on the first page of a list.
    pub async fn ids(&self, path: &str) -> Vec<String> {
        self.get(path).await.ok().ids()
    }

    /// The transactions of the bank's own ledger of an account, page by page.
    pub async fn ledger(&self, account: &str) -> Vec<Value> {
        let path = format!("{HELPERS}/accounts/{account}/ledger");
        let mut page = self.get(&path).await.ok();
        let mut entries = page.items("/transactions");
        while page.at("/has_more") == true {
            let last = entries.last().map_or("", |entry| entry["id"].as_str().unwrap_or(""));
            page = self.get(&format!("{path}?starting_after={last}")).await.ok();
            entries.extend(page.items("/transactions"));
        }
        entries
    }

    /// The number of transactions of an account that are listed now, at most a hundred.
    pub async fn count_transactions(&self, account: &str) -> usize {
        self.count(&format!("{FC}/transactions?account={account}&limit=100")).await
    }

    /// The types of all events, oldest first, at most a hundred.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100").await.ok();
        events.texts("/data", "type").into_iter().rev().collect()
    }
}
