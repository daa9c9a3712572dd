//! A client of the API, for tests: a key, an account, a form, and the whole response.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use crate::show;
use outbound::{Outbound, OutboundSettings, PrivateAddresses};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The key of a client without another key.
pub const KEY: &str = "sk_test_123";

/// Parts of paths and parameters, with the text that snapshots of calls show for them.
const FREQUENT: [(&str, &str); 10] = [
    ("/v1/test_helpers/financial_connections", "HELPERS"),
    ("/v1/financial_connections", "…"),
    ("payment_settings[payment_method_options][us_bank_account][financial_connections]", "…"),
    ("payment_method_options[us_bank_account][financial_connections]", "…"),
    ("payment_method_data[us_bank_account]", "…"),
    (HOLDER, "HOLDER"),
    (NUMBERS, "NUMBERS"),
    (ONE_ITEM, "ONE_ITEM"),
    (MONTHLY, "MONTHLY"),
    ("line_items[0][price_data]", "…"),
];

/// The parameters of a session that name a customer, whose id follows.
pub const HOLDER: &str = "account_holder[type]=customer&account_holder[customer]";
/// The parameters of an external account without its number.
pub const NUMBERS: &str = "external_account[object]=bank_account&external_account[country]=US\
                           &external_account[currency]=usd\
                           &external_account[routing_number]=110000000";
/// The parameters of a Checkout Session for two teas of 12.50 dollars each.
pub const ONE_ITEM: &str = "mode=payment&line_items[0][quantity]=2\
                            &line_items[0][price_data][currency]=usd\
                            &line_items[0][price_data][unit_amount]=1250\
                            &line_items[0][price_data][product_data][name]=Tea";
/// An item of a subscription at ten dollars a month, with the product `gold`.
pub const MONTHLY: &str = "items[0][price_data][currency]=usd&items[0][price_data][product]=gold\
                           &items[0][price_data][unit_amount]=1000\
                           &items[0][price_data][recurring][interval]=month";

/// A client with a key.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    key: String,
    /// The headers of every call, besides the key.
    headers: BTreeMap<&'static str, String>,
    http: reqwest::Client,
}

impl Client {
    /// A client of the server at this URL, with the usual key.
    #[expect(clippy::disallowed_methods, reason = "a test is a client, not the server")]
    pub fn of(url: &str) -> Self {
        // Installs the TLS provider, because no client can be built without it.
        Outbound::new(OutboundSettings {
            private: PrivateAddresses::All,
            https_to_public: false,
            timeout_ms: 1,
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { url: url.to_owned(), key: KEY.to_owned(), headers: BTreeMap::new(), http }
    }

    /// A client of the same server with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// A client of the same server in a connected account.
    #[must_use]
    pub fn in_account(&self, account: &str) -> Self {
        self.with_header("Stripe-Account", account)
    }

    /// A client of the same server in an API version.
    #[must_use]
    pub fn in_version(&self, version: &str) -> Self {
        self.with_header("Stripe-Version", version)
    }

    /// A client of the same server whose calls have an idempotency key.
    #[must_use]
    pub fn idempotent(&self, key: &str) -> Self {
        self.with_header("Idempotency-Key", key)
    }

    fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.insert(name, value.to_owned());
        client
    }

    /// The URL of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await
    }

    /// Posts a form, as curl would write it. Under `/v2` it is sent as a JSON body.
    pub async fn post(&self, path: &str, form: &str) -> Response {
        self.request_with("POST", path, form).send().await
    }

    /// A request with the parameters of a form. Under `/v2` they are sent as a JSON body.
    pub fn request_with(&self, method: &str, path: &str, form: &str) -> Request {
        let request = self.request(method, path);
        if !path.starts_with("/v2/") {
            return request.form(form);
        }
        let pairs: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).collect();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
        let body = wire::nested::json_of(&pairs).to_string();
        request.header("Content-Type", "application/json").body(&body)
    }

    /// Posts a JSON body, as calls under `/v2` have it.
    pub async fn post_json(&self, path: &str, body: &Value) -> Response {
        let request = self.request("POST", path).header("Content-Type", "application/json");
        request.body(&body.to_string()).send().await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).send().await
    }

    /// A request with the key, which the test may change before sending it.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let key = format!("Bearer {}", self.key);
        let request = self.bare_request(method, path).header("Authorization", &key);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// A request without a key.
    pub fn bare_request(&self, method: &str, path: &str) -> Request {
        let method = method.parse().unwrap();
        Request(self.http.request(method, format!("{}{path}", self.url)))
    }

    /// The API error of each call, for snapshots. A call is method, path and form. Frequent parts of
    /// paths and parameters are shown as `…`, and frequent forms by the name of their constant.
    /// Calls in a row with the same error are listed above it.
    pub async fn api_errors(&self, calls: &[(&str, &str, &str)]) -> String {
        let (mut shown, mut last) = (String::new(), String::new());
        for (method, path, form) in calls {
            let response = self.request(method, path).form(form).send().await;
            let call = format!("{method} {path} {form}");
            let call = FREQUENT.iter().fold(call, |call, (part, shown)| call.replace(part, shown));
            let error = show::wrapped(&response.error_text(), 4);
            if error != last {
                shown += &last;
            }
            shown += &show::wrapped(&call, 0);
            last = error;
        }
        shown + &last
    }
}

/// A request in construction.
#[derive(Debug)]
pub struct Request(reqwest::RequestBuilder);

impl Request {
    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Sets a form body, as curl would write it.
    #[must_use]
    pub fn form(self, form: &str) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded").body(form)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(self, body: &str) -> Self {
        Self(self.0.body(body.to_owned()))
    }

    /// Sends the request. A call without a response fails the test.
    pub async fn send(self) -> Response {
        self.try_send().await.unwrap()
    }

    /// Sends the request, for a test in which the server may end.
    pub async fn try_send(self) -> Result<Response, reqwest::Error> {
        let response = self.0.send().await?;
        let status = response.status().as_u16();
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        Ok(Response { status, headers, body: response.text().await? })
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Response {
    /// Returns the response and asserts that its status is 200.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "the assertion alone is a use")]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The value at a JSON pointer, or null.
    pub fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_default()
    }

    /// The text at a JSON pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        match self.at(pointer) {
            Value::String(text) => text,
            _ => panic!("no text at {pointer}: {}", self.body),
        }
    }

    /// The id of the object.
    #[track_caller]
    pub fn id(&self) -> String {
        self.text("/id")
    }

    /// The items of a list at a pointer.
    pub fn items(&self, pointer: &str) -> Vec<Value> {
        self.at(pointer).as_array().cloned().unwrap_or_default()
    }

    /// The text of a field of each item of a list at a pointer.
    #[track_caller]
    pub fn texts(&self, pointer: &str, field: &str) -> Vec<String> {
        let text = |item: Value| item[field].as_str().unwrap().to_owned();
        self.items(pointer).into_iter().map(text).collect()
    }

    /// The ids of a list.
    #[track_caller]
    pub fn ids(&self) -> Vec<String> {
        self.texts("/data", "id")
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The values at some JSON pointers on one line, for snapshots.
    pub fn facts(&self, pointers: &[&str]) -> String {
        let shown = |pointer: &&str| match self.at(pointer) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        show::redacted(&pointers.iter().map(shown).collect::<Vec<_>>().join(" "))
    }

    /// The status and the body, for snapshots.
    pub fn shown(&self) -> String {
        let body = match serde_json::from_str(&self.body) {
            Ok(json) => show::value(&json),
            Err(_) => self.body.clone(),
        };
        format!("{}\n{body}", self.status)
    }

    /// The fields that differ from those of another object, and the names of fields that only the
    /// other object has, for snapshots.
    pub fn shown_beside(&self, other: &Self) -> String {
        let (object, other) = (self.json(), other.json());
        let (own, others) = (object.as_object().unwrap(), other.as_object().unwrap());
        let changed = own.iter().filter(|(name, value)| others.get(*name) != Some(value));
        let changed = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        let absent: Vec<&String> = others.keys().filter(|name| !own.contains_key(*name)).collect();
        format!("{}\nabsent: {absent:?}", show::value(&Value::Object(changed)))
    }

    /// The value at a JSON pointer, for snapshots.
    pub fn shown_at(&self, pointer: &str) -> String {
        show::value(&self.at(pointer))
    }

    /// The whole envelope of an error as `status code param: message`, with the type if it is not
    /// the usual one. The derived fields are checked here. These are the documentation page of the
    /// code, and the absence of other fields.
    #[track_caller]
    pub fn api_error(&self) -> String {
        show::wrapped(&self.error_text(), 0)
    }

    /// The whole envelope of an error of `/v2` as `status code: message`, with the type if it is not
    /// the usual one. The absence of other fields is checked here.
    #[track_caller]
    pub fn second_version_error(&self) -> String {
        let (code, message) = (self.text("/error/code"), self.text("/error/message"));
        let error_type = self.text("/error/type");
        let whole = json!({"error": {"code": code, "message": message, "type": error_type}});
        assert_eq!(self.json(), whole, "{}", self.body);
        let usual = error_type == "invalid_request_error";
        let shown = if usual { String::new() } else { format!("{error_type} ") };
        show::wrapped(&format!("{} {shown}{code}: {message}", self.status), 0)
    }

    #[track_caller]
    fn error_text(&self) -> String {
        let mut error = self.at("/error");
        let mut word = |name: &str| {
            let value = error.as_object_mut().and_then(|error| error.remove(name))?;
            Some(value.as_str().unwrap().to_owned())
        };
        let (code, param, page) = (word("code"), word("param"), word("doc_url"));
        let anchor = code.as_ref().map(|code| code.replace('_', "-"));
        let expected = anchor.map(|code| format!("https://stripe.com/docs/error-codes/{code}"));
        assert_eq!(page, expected);
        let mut shown = self.status.to_string();
        let kind = word("type").filter(|kind| kind != "invalid_request_error");
        let code = code.or_else(|| param.is_some().then(|| "-".to_owned()));
        for part in [kind, code, param].into_iter().flatten() {
            shown = shown + " " + &part;
        }
        shown = shown + ": " + &word("message").unwrap();
        assert_eq!(error, json!({}), "{}", self.body);
        shown
    }
}
