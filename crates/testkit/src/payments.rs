//! Calls that create and find payment objects: intents, Checkout Sessions, invoices and
//! subscriptions. Each asserts that it succeeds, unless its comment says otherwise.

use crate::client::{Client, Response};
use crate::sample::{ACCEPTED, BANK_ACCOUNT, CONNECTIONS};

/// The path of Payment Intents.
pub const INTENTS: &str = "/v1/payment_intents";
/// The path of Setup Intents.
pub const SETUP_INTENTS: &str = "/v1/setup_intents";
/// The path of Checkout Sessions.
pub const CHECKOUT: &str = "/v1/checkout/sessions";
/// The path of subscriptions.
pub const SUBSCRIPTIONS: &str = "/v1/subscriptions";
/// The prefixes of ids with the paths of their objects.
const PATHS: [(&str, &str); 17] = [
    ("clock", "/v1/test_helpers/test_clocks"),
    ("cs", CHECKOUT),
    ("cus", "/v1/customers"),
    ("du", "/v1/disputes"),
    ("fca", "/v1/financial_connections/accounts"),
    ("ii", "/v1/invoiceitems"),
    ("in", "/v1/invoices"),
    ("inpay", "/v1/invoice_payments"),
    ("mandate", "/v1/mandates"),
    ("pi", INTENTS),
    ("pm", "/v1/payment_methods"),
    ("price", "/v1/prices"),
    ("py", "/v1/charges"),
    ("pyr", "/v1/refunds"),
    ("seti", SETUP_INTENTS),
    ("si", "/v1/subscription_items"),
    ("sub", SUBSCRIPTIONS),
];

/// The path of the object with this id. A query or the verb of a call may follow the id.
#[track_caller]
pub fn path_of(id: &str) -> String {
    let prefix = id.split_once('_').map_or(id, |(prefix, _)| prefix);
    let path = PATHS.iter().find_map(|(known, path)| (*known == prefix).then_some(path));
    format!("{}/{id}", path.unwrap_or_else(|| panic!("no path is known for the id {id}")))
}

/// The link requirements of the guides for invoices and subscriptions.
fn asks() -> String {
    format!(
        "payment_settings[payment_method_types][]=us_bank_account\
         &{CONNECTIONS}[permissions][]=payment_method&{CONNECTIONS}[permissions][]=transactions"
    )
}

impl Client {
    /// Retrieves the object with this id. A query may follow the id.
    pub async fn retrieve(&self, id: &str) -> Response {
        self.get(&path_of(id)).await.ok()
    }

    /// Calls a verb of an object, such as `confirm` of an intent. The call may fail.
    pub async fn act(&self, id: &str, verb: &str, form: &str) -> Response {
        self.post(&path_of(&format!("{id}/{verb}")), form).await
    }

    /// The status of the object with this id.
    pub async fn status(&self, id: &str) -> String {
        self.retrieve(id).await.text("/status")
    }

    /// Creates a Checkout Session.
    pub async fn checkout(&self, form: &str) -> Response {
        self.post(CHECKOUT, form).await.ok()
    }

    /// Creates the guide's draft of an invoice for a new customer.
    pub async fn draft_invoice(&self, more: &str) -> Response {
        let customer = self.customer().await;
        let form =
            format!("customer={customer}&{}&{CONNECTIONS}[prefetch][]=transactions&{more}", asks());
        self.post("/v1/invoices", &form).await.ok()
    }

    /// Adds an item to a draft.
    pub async fn invoice_item(&self, draft: &Response, more: &str) -> Response {
        let form = format!("customer={}&invoice={}&{more}", draft.text("/customer"), draft.id());
        self.post("/v1/invoiceitems", &form).await.ok()
    }

    /// Creates a finalized invoice with a total of ten dollars. Returns it with its payments.
    pub async fn open_invoice(&self) -> Response {
        let draft = self.draft_invoice("").await;
        self.invoice_item(&draft, "amount=1000&currency=usd").await;
        self.act(&draft.id(), "finalize", "expand[]=payments").await.ok()
    }

    /// Confirms the Payment Intent of an open invoice with the holder's acceptance. The call may
    /// fail.
    pub async fn pay_open(&self, invoice: &str, more: &str) -> Response {
        let shown = self.retrieve(&format!("{invoice}?expand[]=payments")).await;
        let intent = shown.text("/payments/data/0/payment/payment_intent");
        self.act(&intent, "confirm", &format!("{ACCEPTED}&{more}")).await
    }

    /// Creates the product `gold`.
    pub async fn gold(&self) {
        self.post("/v1/products", "id=gold&name=Gold").await.ok();
    }

    /// Creates a price of the product `gold`, with these further parameters. Returns its id.
    pub async fn price(&self, cents: i64, more: &str) -> String {
        let form = format!("product=gold&currency=usd&unit_amount={cents}&{more}");
        self.post("/v1/prices", &form).await.ok().id()
    }

    /// Creates the guide's subscription of a customer, with these further parameters.
    pub async fn subscription(&self, customer: &str, more: &str) -> Response {
        let form = format!("customer={customer}&{}&{more}", asks());
        self.post(SUBSCRIPTIONS, &form).await.ok()
    }

    /// Attaches the payment method with this test name to a customer. Returns its Setup Intent.
    pub async fn attach(&self, customer: &str, name: &str) -> Response {
        let form = format!(
            "customer={customer}&payment_method=pm_usBankAccount_{name}&confirm=true&{ACCEPTED}"
        );
        self.post(SETUP_INTENTS, &form).await.ok()
    }

    /// Makes the payment method with this test name the default of a customer. Returns its id.
    pub async fn pays_by(&self, customer: &str, name: &str) -> String {
        let method = self.attach(customer, name).await.text("/payment_method");
        let form = format!("invoice_settings[default_payment_method]={method}");
        self.post(&path_of(customer), &form).await.ok();
        method
    }

    /// The positions in `ids` of the objects that a list returns, followed by `…` if there are more.
    pub async fn places(&self, path: &str, ids: &[String], query: &str) -> String {
        let list = self.get(&format!("{path}?{query}")).await.ok();
        let place = |id: &String| ids.iter().position(|known| known == id);
        let place = |id| place(id).unwrap_or_else(|| panic!("{query} returns {id}")).to_string();
        let more = (list.at("/has_more") == true).then(|| "…".to_owned());
        list.ids().iter().map(place).chain(more).collect::<Vec<_>>().join(" ")
    }

    /// The API error of a POST with each of these forms, for snapshots.
    pub async fn post_errors(&self, path: &str, forms: &[String]) -> String {
        let calls: Vec<_> = forms.iter().map(|form| ("POST", path, form.as_str())).collect();
        self.api_errors(&calls).await
    }
}

impl Response {
    /// The account of the payment method at a JSON pointer.
    #[track_caller]
    pub fn account_of(&self, method: &str) -> String {
        self.text(&format!("{method}{BANK_ACCOUNT}"))
    }
}
