//! The kinds of calls that pairs are made of. Each succeeds alone in the sandbox.

use crate::pairs::fixture::{INSIDE, spelled_out};

/// A call over the objects of the sandbox.
#[derive(Clone, Copy, Debug)]
pub struct CallKind {
    /// The name in reports.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The template of the path. It begins with `inside` for a call inside the connected account,
    /// and with `preview` for a call in a preview version.
    pub path: &'static str,
    /// The template of the parameters.
    pub form: &'static str,
}

impl CallKind {
    /// True if the call deletes a parent in several commits. Two such calls share them.
    pub fn has_steps(&self) -> bool {
        let parents = ["/v1/customers/", "/v1/test_helpers/test_clocks/", "/v1/accounts/"];
        let is_id = |rest: &str| !rest.contains('/');
        let path = self.path.trim_start_matches(INSIDE);
        let is_below = |parent| path.strip_prefix(parent).is_some_and(is_id);
        self.method == "DELETE" && parents.into_iter().any(is_below)
    }

    /// True if the call advances a test clock. Calls on this clock return 429 until it is ready.
    pub fn advances_a_clock(&self) -> bool {
        self.path.ends_with("/advance")
    }

    /// The name of the object that the call ends. `None` if it ends no object.
    pub fn ended(&self) -> Option<&'static str> {
        let ends = ["/detach", "/disconnect", "/deactivate", "/cancel", "/expire", "/void"];
        let is_end = self.method == "DELETE"
            || self.form == "active=false"
            || ends.into_iter().any(|end| self.path.ends_with(end));
        let (_, name) = self.path.rsplit_once('{').filter(|_| is_end)?;
        name.split('}').next()
    }

    /// True if the call names an object of the fixture, or an object that was made for it.
    pub fn depends_on(&self, name: &str) -> bool {
        let text = format!("{} {}", self.path, spelled_out(self.form));
        let is_inside = name == "connected" && self.path.starts_with(INSIDE);
        let names = [format!("{{{name}}}"), format!("{{{name}_")];
        let is_page = name == "customer" && self.path.ends_with("_page}");
        is_inside || is_page || names.iter().any(|name| text.contains(name))
    }
}

const fn post(name: &'static str, path: &'static str, form: &'static str) -> CallKind {
    CallKind { name, method: "POST", path, form }
}

const fn delete(name: &'static str, path: &'static str) -> CallKind {
    CallKind { name, method: "DELETE", path, form: "" }
}

const CUSTOMERS: &str = "/v1/customers";
const CUSTOMER: &str = "/v1/customers/{customer}";
const SESSIONS: &str = "/v1/financial_connections/sessions";
const LINK: &str = "/v1/test_helpers/financial_connections/link";
const CLOCKS: &str = "/v1/test_helpers/test_clocks";
const SUBSCRIPTIONS: &str = "/v1/subscriptions";
const INVOICES: &str = "/v1/invoices";
const ITEMS: &str = "/v1/invoiceitems";
const CHECKOUT: &str = "/v1/checkout/sessions";
const PAYMENTS: &str = "/v1/payment_intents";
const BANKS: &str = "/v1/accounts/{connected}/external_accounts";
const OTHER_BANK: &str = "/v1/accounts/{connected}/external_accounts/{other_bank}";
const INSIDE_SESSIONS: &str = "inside /v1/financial_connections/sessions";
const INSIDE_LINK: &str = "inside /v1/test_helpers/financial_connections/link";
const INSIDE_SUBSCRIPTIONS: &str = "inside /v1/subscriptions";

/// All kinds.
pub const KINDS: &[CallKind] = &[
    // Customers and test clocks
    post("create_customer", CUSTOMERS, "email=ada@example.com"),
    post("create_customer_with_prefix", CUSTOMERS, "invoice_prefix=ROCKET1"),
    post("update_customer_metadata", CUSTOMER, "metadata[a]=b"),
    post("update_customer_email", CUSTOMER, "email=ada@example.org"),
    post("update_customer_prefix", CUSTOMER, "invoice_prefix=ROCKET1"),
    post("set_default_method", CUSTOMER, "invoice_settings[default_payment_method]={other_method}"),
    post("update_other_customer", "/v1/customers/{other_customer}", "name=Bob"),
    delete("delete_customer", CUSTOMER),
    delete("delete_other_customer", "/v1/customers/{other_customer}"),
    post("create_clock", CLOCKS, "frozen_time=1767225600"),
    post("create_customer_on_clock", CUSTOMERS, "test_clock={clock}&name=New"),
    post("advance_clock", "/v1/test_helpers/test_clocks/{clock}/advance", "frozen_time=1768086400"),
    delete("delete_clock", "/v1/test_helpers/test_clocks/{clock}"),
    delete("delete_bare_clock", "/v1/test_helpers/test_clocks/{bare_clock}"),
    post("create_customer_on_bare_clock", CUSTOMERS, "test_clock={bare_clock}"),
    post("update_clock_customer", "/v1/customers/{clock_customer}", "name=Cleo"),
    delete("delete_clock_customer", "/v1/customers/{clock_customer}"),
    // Sessions and links
    post("create_session", SESSIONS, "{holder}={customer}&{permissions}"),
    post("create_session_on_clock", SESSIONS, "{holder}={clock_customer}&{permissions}"),
    post(
        "create_hosted_session",
        "preview /v1/financial_connections/sessions",
        "{holder}={customer}&{permissions}&ui_mode=hosted\
         &hosted[return_url]=https://shop.example/back",
    ),
    post(
        "create_hosted_relink",
        "preview /v1/financial_connections/sessions",
        "{holder}={other_customer}&{permissions}&ui_mode=hosted\
         &hosted[return_url]=https://shop.example/back\
         &relink_options[authorization]={authorization}",
    ),
    post("create_connected_session", SESSIONS, "{payee}={connected}&permissions[]=payment_method"),
    post("link_session", LINK, "carrier={session}&accounts[]=Savings"),
    post("link_session_again", LINK, "carrier={session}&accounts[]=Success"),
    post("link_clock_session", LINK, "carrier={clock_session}&accounts[]=Savings"),
    post("link_connected_session", LINK, "carrier={connected_session}"),
    post("link_payment", LINK, "carrier={payment}"),
    post("link_setup", LINK, "carrier={setup}"),
    post("link_checkout", LINK, "carrier={checkout_setup}"),
    post("link_incomplete", LINK, "carrier={incomplete}"),
    post("link_invoice", LINK, "carrier={open}"),
    post("open_link_flow", "/v1/link_flows", "carrier={session}"),
    // Bank accounts
    post("refresh_account", "{fc}/{account}/refresh", "features[]=transactions"),
    post("refresh_balance", "{fc}/{account}/refresh", "features[]=balance"),
    post("subscribe_account", "{fc}/{account}/subscribe", "features[]=transactions"),
    post("unsubscribe_account", "{fc}/{subscribed}/unsubscribe", "features[]=transactions"),
    post("disconnect_account", "{fc}/{account}/disconnect", ""),
    post("disconnect_subscribed", "{fc}/{subscribed}/disconnect", ""),
    post("refresh_clock_account", "{fc}/{clock_account}/refresh", "features[]=transactions"),
    post("deactivate_account", "{controls}/{account}/deactivate", ""),
    post("reactivate_account", "{controls}/{inactive}/reactivate", ""),
    post("add_transaction", "{controls}/{account}/transactions", "amount=-1200"),
    post("set_balance", "{controls}/{account}/balance", "current=5"),
    post("update_settings", "/v1/financial_connections/settings", "permissions[]=balances"),
    // Products and prices
    post("create_product", "/v1/products", "name=Cake"),
    post("update_product", "/v1/products/{priced_product}", "name=Mocha"),
    post("set_default_price", "/v1/products/{priced_product}", "default_price={price}"),
    post("deactivate_product", "/v1/products/{priced_product}", "active=false"),
    delete("delete_product", "/v1/products/{product}"),
    post("create_price", "/v1/prices", "product={product}&currency=usd&unit_amount=5"),
    post("create_other_price", "/v1/prices", "product={priced_product}&currency=usd&unit_amount=5"),
    post("update_price", "/v1/prices/{price}", "nickname=small"),
    post("deactivate_price", "/v1/prices/{price}", "active=false"),
    post("deactivate_monthly_price", "/v1/prices/{monthly}", "active=false"),
    // Payment methods
    post(
        "create_method",
        "/v1/payment_methods",
        "type=us_bank_account&billing_details[name]=Ada\
         &us_bank_account[financial_connections_account]={account}",
    ),
    post("attach_method", "{methods}/{free_method}/attach", "customer={customer}"),
    post("attach_to_other", "{methods}/{free_method}/attach", "customer={other_customer}"),
    post("update_method", "{methods}/{other_method}", "metadata[a]=b"),
    post("detach_method", "{methods}/{method}/detach", ""),
    post("detach_other_method", "{methods}/{other_method}/detach", ""),
    // Payment Intents and Setup Intents
    post("update_charge", "/v1/charges/{charge}", "description=Rocket"),
    post("create_refund", "/v1/refunds", "charge={charge}&amount=1500"),
    post("create_other_refund", "/v1/refunds", "charge={charge}&amount=600"),
    post("update_refund", "/v1/refunds/{refund}", "metadata[a]=b"),
    post("create_payment", PAYMENTS, "{amount}&customer={customer}"),
    post(
        "create_confirmed_payment",
        PAYMENTS,
        "{amount}&customer={customer}&payment_method={other_method}&confirm=true&{accepted}",
    ),
    post("update_payment", "{payments}/{payable}", "amount=2100"),
    post("set_payment_method", "{payments}/{payable}", "payment_method={other_method}"),
    post("confirm_payment", "{payments}/{payable}/confirm", "{accepted}"),
    post("cancel_payment", "{payments}/{payable}/cancel", ""),
    post("cancel_linkable_payment", "{payments}/{payment}/cancel", ""),
    post("verify_payment", "{payments}/{payment_deposits}/verify_microdeposits", "{proved}"),
    post("create_setup", "/v1/setup_intents", "customer={customer}"),
    post("create_confirmed_setup", "/v1/setup_intents", "customer={customer}&{saved}"),
    post("update_setup", "{setups}/{setup_ready}", "payment_method={other_method}"),
    post("confirm_setup", "{setups}/{setup_ready}/confirm", "{accepted}"),
    post("cancel_setup", "{setups}/{setup}/cancel", ""),
    post("verify_setup", "{setups}/{setup_deposits}/verify_microdeposits", "{proved}"),
    // Invoices and their items
    post("create_invoice", INVOICES, "customer={customer}"),
    post("create_invoice_of_pending", INVOICES, "customer={customer}&{pending}"),
    post("update_invoice", "/v1/invoices/{draft}", "description=June"),
    post("set_invoice_method", "/v1/invoices/{draft}", "{by_other}"),
    post("finalize_invoice", "/v1/invoices/{draft}/finalize", ""),
    delete("delete_invoice", "/v1/invoices/{draft}"),
    post("pay_invoice", "/v1/invoices/{open}/pay", "payment_method={other_method}"),
    post("pay_out_of_band", "/v1/invoices/{open}/pay", "paid_out_of_band=true"),
    post("void_invoice", "/v1/invoices/{open}/void", ""),
    post("create_item", ITEMS, "customer={customer}&amount=400&currency=usd"),
    post("create_draft_item", ITEMS, "customer={customer}&invoice={draft}&pricing[price]={price}"),
    post("update_item", "/v1/invoiceitems/{draft_item}", "amount=710"),
    post("update_pending_item", "/v1/invoiceitems/{pending_item}", "amount=310"),
    delete("delete_item", "/v1/invoiceitems/{draft_item}"),
    delete("delete_pending_item", "/v1/invoiceitems/{pending_item}"),
    // Subscriptions and Checkout Sessions
    post("create_subscription", SUBSCRIPTIONS, "customer={customer}&{month}&{later}"),
    post(
        "create_subscription_with_method",
        SUBSCRIPTIONS,
        "customer={customer}&{month}&{by_other}",
    ),
    post("create_empty_subscription", SUBSCRIPTIONS, "customer={customer}&{by_other}"),
    post(
        "create_subscription_on_clock",
        SUBSCRIPTIONS,
        "customer={clock_customer}&{month}&{later}",
    ),
    post("update_subscription", "/v1/subscriptions/{subscription}", "metadata[a]=b"),
    post("end_subscription", "/v1/subscriptions/{subscription}", "cancel_at_period_end=true"),
    post("set_subscription_method", "/v1/subscriptions/{subscription}", "{by_other}"),
    delete("cancel_subscription", "/v1/subscriptions/{subscription}"),
    delete("cancel_incomplete", "/v1/subscriptions/{incomplete}"),
    post("create_checkout", CHECKOUT, "customer={customer}&mode=payment&{line}"),
    post("create_checkout_without_customer", CHECKOUT, "mode=setup&currency=usd"),
    post("expire_checkout", "/v1/checkout/sessions/{checkout_setup}/expire", ""),
    post("expire_payment_checkout", "/v1/checkout/sessions/{checkout}/expire", ""),
    // Payment method configurations
    post("create_configuration", "/v1/payment_method_configurations", "name=New"),
    post("update_configuration", "{configurations}/{configuration}", "name=B"),
    post("deactivate_configuration", "{configurations}/{configuration}", "active=false"),
    post(
        "create_payment_by_configuration",
        PAYMENTS,
        "amount=2000&currency=usd&payment_method_configuration={configuration}",
    ),
    // Confirmation tokens
    post(
        "create_token",
        "/v1/test_helpers/confirmation_tokens",
        "payment_method=pm_usBankAccount_success",
    ),
    post(
        "create_payment_by_token",
        PAYMENTS,
        "amount=2000&currency=usd&confirm=true&confirmation_token={ctoken}",
    ),
    // Connected accounts
    post("create_connected", "/v1/accounts", "type=custom"),
    post("update_connected", "/v1/accounts/{connected}", "metadata[a]=b"),
    delete("delete_connected", "/v1/accounts/{connected}"),
    post("create_bank", BANKS, "{numbers}=000222222227"),
    post("update_bank", OTHER_BANK, "metadata[a]=b"),
    post("set_default_bank", OTHER_BANK, "default_for_currency=true"),
    delete("delete_bank", OTHER_BANK),
    post("create_customer_inside", "inside /v1/customers", "name=Dan"),
    post("create_session_inside", INSIDE_SESSIONS, "{holder}={inside_customer}&{permissions}"),
    post(
        "create_subscription_inside",
        INSIDE_SUBSCRIPTIONS,
        "customer={inside_customer}&items[0][price]={inside_monthly}&{later}",
    ),
    post("link_session_inside", INSIDE_LINK, "carrier={inside_session}"),
    delete("delete_customer_inside", "inside /v1/customers/{inside_customer}"),
    // Webhook endpoints
    post(
        "create_endpoint",
        "/v1/webhook_endpoints",
        "url=http://127.0.0.1:9/new&enabled_events[]=customer.created",
    ),
    post("update_endpoint", "/v1/webhook_endpoints/{endpoint}", "description=Mine"),
    post("roll_endpoint_secret", "/v1/webhook_endpoints/{endpoint}/roll_secret", ""),
    delete("delete_endpoint", "/v1/webhook_endpoints/{endpoint}"),
    // Event destinations
    post(
        "create_event_destination",
        "/v2/core/event_destinations",
        "name=New&type=webhook_endpoint&event_payload=thin&webhook_endpoint[url]=http://127.0.0.1:9/new\
         &enabled_events[]=v1.customer.created",
    ),
    post("update_event_destination", "/v2/core/event_destinations/{destination}", "name=Other"),
    post("disable_event_destination", "/v2/core/event_destinations/{destination}/disable", ""),
    post("enable_event_destination", "/v2/core/event_destinations/{closed_destination}/enable", ""),
    post("ping_event_destination", "/v2/core/event_destinations/{destination}/ping", ""),
    delete("delete_event_destination", "/v2/core/event_destinations/{destination}"),
    // Steps on hosted pages
    post("link_on_checkout_page", "{checkout_page}", "step=link&name=Ada"),
    post("pay_on_invoice_page", "{invoice_page}", "step=pay"),
    post("verify_on_deposits_page", "{deposits_page}", "step=tell&amount=32&amount=45"),
];

/// The calls that replace the whole sandbox. They are no [`KINDS`], because every row differs after
/// them, and their runs take long.
pub const REPLACEMENTS: [CallKind; 2] = [
    post("reset", "/v1/test_helpers/reset", ""),
    post("restore", "/v1/test_helpers/snapshots/{snapshot}/restore", ""),
];

/// The call that takes a snapshot. It is no [`KINDS`], because it changes no row of the sandbox.
pub const TAKE: CallKind = post("take_snapshot", "/v1/test_helpers/snapshots", "");

/// The kind with this name.
pub fn kind(name: &str) -> CallKind {
    let found = KINDS.iter().find(|kind| kind.name == name);
    *found.unwrap_or_else(|| panic!("no kind of calls is named {name}"))
}
