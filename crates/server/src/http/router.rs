//! Every address of the server, in one flat list.

use super::app::{App, identified};
use super::connect::{connected_account, external_account, token};
use super::connections::{
    account, authorization, clock, connections_settings, customer, institution, link_flow, session,
    transaction,
};
use super::events::{destination, endpoint, event, event_stream, thin_event};
use super::forward::forward_or_reject;
use super::guard::guard_page;
use super::payments::{
    balance, charge, checkout, confirmation_token, dispute, intent, invoice, method_configuration,
    payment_method, plan, product, refund, search, subscription,
};
use super::routes::Routes;
use super::test_helpers::{delivery, fault, judge, sandbox, scenario, snapshot};
use super::{metrics, record, refused};
use crate::pages::{self, documents, hosted};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use std::sync::Arc;
use wire::change::{INSTITUTION, RELINK};
use wire::error::Error;

/// The text for a person who opens the server in a browser. `BASE` is replaced by the server's
/// address.
const HELLO: &str = "\
bankfeed: a self-hosted server that speaks Stripe's Financial Connections API.

Point an SDK's API base at this address and use any key of the form sk_test_…; each key is a
separate, empty merchant. For instance:

    curl BASE/v1/customers -u sk_test_123: -d email=ada@example.com

Test helpers are under /v1/test_helpers/financial_connections; GET …/institutions lists the test
banks. Open /settings in a browser to see and change the defaults of a key. /llms.txt lists the
documentation. /healthz and /readyz need no key.
";

/// The server's addresses. A layer that only a few of them need is added to those few, because a
/// layer costs a read as much as looking up its key.
pub(super) fn router(app: Arc<App>) -> Router {
    let routes =
        calls().merge(pages(&app)).fallback(unknown_url).method_not_allowed_fallback(wrong_method);
    let routes = match &app.record {
        Some(record) => routes.layer(from_fn_with_state(Arc::clone(record), record::recorded)),
        None => routes,
    };
    let routes = if app.engine().settings().in_order {
        routes.layer(from_fn_with_state(Arc::clone(&app), after_due_work))
    } else {
        routes
    };
    // The layers above are for requests of clients.
    routes.route(refused::PATH, get(refused::respond)).with_state(app)
}

/// Handles a request on a server with a seed, after all due work of earlier requests.
async fn after_due_work(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    app.engine().catch_up().await;
    next.run(request).await
}

/// The calls of the API.
#[expect(clippy::too_many_lines, reason = "one flat list of all of them")]
fn calls() -> Router<Arc<App>> {
    Routes::new()
        // Customers
        .post("/v1/customers", customer::create)
        .get("/v1/customers", customer::list)
        .get("/v1/customers/search", search::customers)
        .get("/v1/customers/{id}", customer::retrieve)
        .post("/v1/customers/{id}", customer::update)
        .delete("/v1/customers/{id}", customer::delete)
        .get("/v1/customers/{id}/payment_methods", payment_method::list_of_customer)
        .get("/v1/customers/{id}/payment_methods/{method}", payment_method::retrieve_of_customer)
        // Intents: a browser that knows a client secret may see, confirm and verify its own
        .post("/v1/payment_intents", intent::create_payment)
        .get("/v1/payment_intents", intent::list_payments)
        .get("/v1/payment_intents/search", search::payment_intents)
        .client_get("/v1/payment_intents/{id}", intent::retrieve_payment)
        .post("/v1/payment_intents/{id}", intent::update_payment)
        .client_post("/v1/payment_intents/{id}/confirm", intent::confirm_payment)
        .post("/v1/payment_intents/{id}/cancel", intent::cancel_payment)
        .post("/v1/payment_intents/{id}/capture", intent::capture_payment)
        .client_post("/v1/payment_intents/{id}/verify_microdeposits", intent::verify_payment)
        .post("/v1/setup_intents", intent::create_setup)
        .get("/v1/setup_intents", intent::list_setups)
        .client_get("/v1/setup_intents/{id}", intent::retrieve_setup)
        .post("/v1/setup_intents/{id}", intent::update_setup)
        .client_post("/v1/setup_intents/{id}/confirm", intent::confirm_setup)
        .post("/v1/setup_intents/{id}/cancel", intent::cancel_setup)
        .client_post("/v1/setup_intents/{id}/verify_microdeposits", intent::verify_setup)
        // Checkout
        .post("/v1/checkout/sessions", checkout::create)
        .get("/v1/checkout/sessions", checkout::list)
        .get("/v1/checkout/sessions/{id}", checkout::retrieve)
        .post("/v1/checkout/sessions/{id}/expire", checkout::expire)
        .get("/v1/checkout/sessions/{id}/line_items", checkout::line_items)
        // Ours: the page to which the replacement of Stripe.js sends a browser that knows a
        // session's id
        .client_get("/v1/checkout/sessions/{id}/page", checkout::page)
        // Payment methods
        .post("/v1/payment_methods", payment_method::create)
        .get("/v1/payment_methods", payment_method::list)
        .get("/v1/payment_methods/{id}", payment_method::retrieve)
        .post("/v1/payment_methods/{id}", payment_method::update)
        .post("/v1/payment_methods/{id}/attach", payment_method::attach)
        .post("/v1/payment_methods/{id}/detach", payment_method::detach)
        .get("/v1/mandates/{id}", payment_method::retrieve_mandate)
        // Confirmation tokens. The replacement of Stripe.js makes them by the helper too
        .get("/v1/confirmation_tokens/{id}", confirmation_token::retrieve)
        .client_post("/v1/test_helpers/confirmation_tokens", confirmation_token::create)
        .post("/v1/payment_method_configurations", method_configuration::create)
        .get("/v1/payment_method_configurations", method_configuration::list)
        .get("/v1/payment_method_configurations/{id}", method_configuration::retrieve)
        .post("/v1/payment_method_configurations/{id}", method_configuration::update)
        .get("/v1/charges", charge::list)
        .get("/v1/charges/{id}", charge::retrieve)
        .post("/v1/charges/{id}", charge::update)
        .get("/v1/charges/{id}/refunds", refund::list_of_charge)
        .get("/v1/charges/{id}/refunds/{refund}", refund::retrieve_of_charge)
        .post("/v1/refunds", refund::create)
        .get("/v1/refunds", refund::list)
        .get("/v1/refunds/{id}", refund::retrieve)
        .post("/v1/refunds/{id}", refund::update)
        .post("/v1/refunds/{id}/cancel", refund::cancel)
        .get("/v1/disputes", dispute::list)
        .get("/v1/disputes/{id}", dispute::retrieve)
        // Products, prices and invoices
        .post("/v1/products", product::create)
        .get("/v1/products", product::list)
        .get("/v1/products/{id}", product::retrieve)
        .post("/v1/products/{id}", product::update)
        .delete("/v1/products/{id}", product::delete)
        .post("/v1/prices", product::create_price)
        .get("/v1/prices", product::list_prices)
        .get("/v1/prices/{id}", product::retrieve_price)
        .post("/v1/prices/{id}", product::update_price)
        .post("/v1/invoiceitems", invoice::create_item)
        .get("/v1/invoiceitems", invoice::list_items)
        .get("/v1/invoiceitems/{id}", invoice::retrieve_item)
        .post("/v1/invoiceitems/{id}", invoice::update_item)
        .delete("/v1/invoiceitems/{id}", invoice::delete_item)
        .post("/v1/invoices", invoice::create)
        .get("/v1/invoices", invoice::list)
        .get("/v1/invoices/search", search::invoices)
        .get("/v1/invoices/{id}", invoice::retrieve)
        .post("/v1/invoices/{id}", invoice::update)
        .delete("/v1/invoices/{id}", invoice::delete)
        .get("/v1/invoices/{id}/lines", invoice::list_lines)
        .post("/v1/invoices/{id}/finalize", invoice::finalize)
        .post("/v1/invoices/{id}/pay", invoice::pay)
        .post("/v1/invoices/{id}/void", invoice::void)
        .get("/v1/plans", plan::list)
        .get("/v1/plans/{plan}", plan::retrieve)
        .get("/v1/invoice_payments", invoice::list_payments)
        .get("/v1/invoice_payments/{id}", invoice::retrieve_payment)
        // Subscriptions
        .post("/v1/subscriptions", subscription::create)
        .get("/v1/subscriptions", subscription::list)
        .get("/v1/subscriptions/search", search::subscriptions)
        .get("/v1/subscriptions/{id}", subscription::retrieve)
        .post("/v1/subscriptions/{id}", subscription::update)
        .delete("/v1/subscriptions/{id}", subscription::cancel)
        .get("/v1/subscription_items", subscription::list_items)
        .get("/v1/subscription_items/{id}", subscription::retrieve_item)
        // Collections without objects, which consumers read
        .empty("/v1/balance_transactions")
        .empty("/v1/balance_transactions/{id}")
        .empty("/v1/coupons")
        .empty("/v1/coupons/{coupon}")
        .empty("/v1/credit_notes")
        .empty("/v1/credit_notes/{id}")
        .empty("/v1/customers/{id}/sources")
        .empty("/v1/customers/{id}/sources/{source}")
        .empty("/v1/customers/{id}/tax_ids")
        .empty("/v1/customers/{id}/tax_ids/{tax_id}")
        .empty("/v1/files")
        .empty("/v1/files/{file}")
        .empty("/v1/payouts")
        .empty("/v1/payouts/{payout}")
        .empty("/v1/products/{id}/features")
        .empty("/v1/products/{id}/features/{feature}")
        .empty("/v1/promotion_codes")
        .empty("/v1/promotion_codes/{promotion_code}")
        .empty("/v1/radar/early_fraud_warnings")
        .empty("/v1/radar/early_fraud_warnings/{early_fraud_warning}")
        .empty("/v1/setup_attempts")
        .empty("/v1/subscription_schedules")
        .empty("/v1/subscription_schedules/{schedule}")
        .empty("/v1/tax_ids")
        .empty("/v1/tax_ids/{id}")
        .empty("/v1/tax_rates")
        .empty("/v1/tax_rates/{tax_rate}")
        .empty("/v1/transfers")
        .empty("/v1/transfers/{transfer}")
        .empty("/v1/accounts/{id}/persons")
        .empty("/v1/accounts/{id}/persons/{person}")
        .get("/v1/balance", balance::retrieve)
        // Connected accounts
        .get("/v1/account", connected_account::retrieve_own)
        .post("/v1/accounts", connected_account::create)
        .get("/v1/accounts", connected_account::list)
        .get("/v1/accounts/{id}", connected_account::retrieve)
        .post("/v1/accounts/{id}", connected_account::update)
        .delete("/v1/accounts/{id}", connected_account::delete)
        .post("/v1/accounts/{id}/external_accounts", external_account::create)
        .get("/v1/accounts/{id}/external_accounts", external_account::list)
        .get("/v1/accounts/{id}/external_accounts/{external}", external_account::retrieve)
        .post("/v1/accounts/{id}/external_accounts/{external}", external_account::update)
        .delete("/v1/accounts/{id}/external_accounts/{external}", external_account::delete)
        .post("/v1/tokens", token::create)
        .get("/v1/tokens/{id}", token::retrieve)
        // Financial Connections
        .post("/v1/financial_connections/sessions", session::create)
        .client_get("/v1/financial_connections/sessions/{id}", session::retrieve)
        .get("/v1/financial_connections/accounts", account::list)
        .get("/v1/financial_connections/accounts/{id}", account::retrieve)
        .post("/v1/financial_connections/accounts/{id}/refresh", account::refresh)
        .post("/v1/financial_connections/accounts/{id}/subscribe", account::subscribe)
        .post("/v1/financial_connections/accounts/{id}/unsubscribe", account::unsubscribe)
        .post("/v1/financial_connections/accounts/{id}/disconnect", account::disconnect)
        .get("/v1/financial_connections/accounts/{id}/owners", account::owners)
        .get_in_preview(
            "/v1/financial_connections/accounts/{id}/inferred_balances",
            &INSTITUTION,
            account::inferred_balances,
        )
        .get_in_preview(
            "/v1/financial_connections/authorizations/{id}",
            &RELINK,
            authorization::retrieve,
        )
        .get_in_preview("/v1/financial_connections/institutions", &INSTITUTION, institution::list)
        .get_in_preview(
            "/v1/financial_connections/institutions/{id}",
            &INSTITUTION,
            institution::retrieve,
        )
        .get("/v1/financial_connections/transactions", transaction::list)
        .get("/v1/financial_connections/transactions/{id}", transaction::retrieve)
        // Ours: Stripe sets these in its dashboard only
        .get("/v1/financial_connections/settings", connections_settings::retrieve)
        .post("/v1/financial_connections/settings", connections_settings::update)
        // Events and their endpoints
        .get("/v1/events", event::list)
        .get("/v1/events/{id}", event::retrieve)
        // Sending an event again, as Stripe's CLI does
        .post("/v1/events/{id}/retry", delivery::resend_event)
        .post("/v1/webhook_endpoints", endpoint::create)
        .get("/v1/webhook_endpoints", endpoint::list)
        .get("/v1/webhook_endpoints/{id}", endpoint::retrieve)
        .post("/v1/webhook_endpoints/{id}", endpoint::update)
        .delete("/v1/webhook_endpoints/{id}", endpoint::delete)
        // Ours: Stripe rolls secrets in its dashboard only.
        .post("/v1/webhook_endpoints/{id}/roll_secret", endpoint::roll_secret)
        // Event destinations, and thin events. Bodies are JSON.
        .post("/v2/core/event_destinations", destination::create)
        .get("/v2/core/event_destinations", destination::list)
        .get("/v2/core/event_destinations/{id}", destination::retrieve)
        .post("/v2/core/event_destinations/{id}", destination::update)
        .delete("/v2/core/event_destinations/{id}", destination::delete)
        .post("/v2/core/event_destinations/{id}/disable", destination::disable)
        .post("/v2/core/event_destinations/{id}/enable", destination::enable)
        .post("/v2/core/event_destinations/{id}/ping", destination::ping)
        .get("/v2/core/events", thin_event::list)
        .get("/v2/core/events/{id}", thin_event::retrieve)
        // For `stripe listen`; its connection is among the pages below
        .post("/v1/stripecli/sessions", event_stream::open)
        // Ours: opens the link flow in a browser
        .client_post("/v1/link_flows", link_flow::create)
        // Test clocks
        .post("/v1/test_helpers/test_clocks", clock::create)
        .get("/v1/test_helpers/test_clocks", clock::list)
        .get("/v1/test_helpers/test_clocks/{id}", clock::retrieve)
        .delete("/v1/test_helpers/test_clocks/{id}", clock::delete)
        .post("/v1/test_helpers/test_clocks/{id}/advance", clock::advance)
        // Ours: calls of a test in place of the holder and of the bank
        .client_post("/v1/test_helpers/financial_connections/link", sandbox::link)
        .get("/v1/test_helpers/financial_connections/institutions", sandbox::institutions)
        .post(
            "/v1/test_helpers/financial_connections/accounts/{id}/transactions",
            sandbox::add_transaction,
        )
        .post(
            "/v1/test_helpers/financial_connections/accounts/{id}/transactions/{transaction}",
            sandbox::change_transaction,
        )
        .post("/v1/test_helpers/financial_connections/accounts/{id}/balance", sandbox::set_balance)
        .post("/v1/test_helpers/financial_connections/accounts/{id}/owners", sandbox::set_owners)
        .get("/v1/test_helpers/financial_connections/accounts/{id}/ledger", sandbox::ledger)
        .post("/v1/test_helpers/financial_connections/accounts/{id}/next_refresh", sandbox::script)
        .get("/v1/test_helpers/financial_connections/accounts/{id}/next_refresh", sandbox::scripts)
        .delete(
            "/v1/test_helpers/financial_connections/accounts/{id}/next_refresh",
            sandbox::clear_scripts,
        )
        .post(
            "/v1/test_helpers/financial_connections/accounts/{id}/deactivate",
            sandbox::deactivate,
        )
        .post(
            "/v1/test_helpers/financial_connections/accounts/{id}/reactivate",
            sandbox::reactivate,
        )
        // Ours: bank timelines as data
        .post("/v1/test_helpers/financial_connections/scenarios", scenario::create)
        .get("/v1/test_helpers/financial_connections/scenarios", scenario::list)
        .get("/v1/test_helpers/financial_connections/scenarios/{id}", scenario::retrieve)
        .delete("/v1/test_helpers/financial_connections/scenarios/{id}", scenario::delete)
        .get("/v1/test_helpers/financial_connections/accounts/{id}/scenario", scenario::export)
        .get("/v1/test_helpers/events/wait", event::wait)
        .get("/v1/test_helpers/settled", event::settled)
        .post("/v1/test_helpers/faults", fault::create)
        .get("/v1/test_helpers/faults", fault::list)
        .get("/v1/test_helpers/faults/{id}", fault::retrieve)
        .delete("/v1/test_helpers/faults/{id}", fault::delete)
        .get("/v1/test_helpers/deliveries", delivery::list)
        .get("/v1/test_helpers/deliveries/{id}", delivery::retrieve)
        .post("/v1/test_helpers/deliveries/{id}/resend", delivery::resend)
        .get("/v1/test_helpers/events/{id}/deliveries", delivery::list_of_event)
        // Ours: the habits of a client that would lose data
        .get("/v1/test_helpers/consumer_report", judge::report)
        .post("/v1/test_helpers/consumer_report/reset", judge::reset)
        // Ours: a snapshot of a sandbox, its restore, and the reset
        .post("/v1/test_helpers/snapshots", snapshot::create)
        .get("/v1/test_helpers/snapshots", snapshot::list)
        .get("/v1/test_helpers/snapshots/{id}", snapshot::retrieve)
        .delete("/v1/test_helpers/snapshots/{id}", snapshot::delete)
        .post("/v1/test_helpers/snapshots/{id}/restore", snapshot::restore)
        .post("/v1/test_helpers/reset", snapshot::reset)
        .router()
        // Calls of Stripe that this server does not have; without these routes the word would be
        // taken for an object's id
        .route("/v1/invoices/create_preview", any(unknown_url))
        // The predecessors of the call above, until 2025-03-31.basil
        .route("/v1/invoices/upcoming", any(unknown_url))
        .route("/v1/invoices/upcoming/lines", any(unknown_url))
        .route("/v1/products/search", any(unknown_url))
        .route("/v1/prices/search", any(unknown_url))
        .route("/v1/charges/search", any(unknown_url))
        .route("/v1/credit_notes/preview", any(unknown_url))
}

/// The addresses besides the calls: pages, and the state of the server for people and monitors.
/// Only the settings page needs a secret key.
fn pages(app: &Arc<App>) -> Router<Arc<App>> {
    let pages = [
        // Pages; the token in the path grants access
        ("/link/{token}", get(pages::link::show).post(pages::link::step)),
        ("/c/pay/{token}", get(hosted::show_checkout).post(hosted::step_checkout)),
        ("/i/{token}", get(hosted::show_invoice).post(hosted::step_invoice)),
        ("/i/{token}/pdf", get(hosted::show_invoice_pdf)),
        ("/microdeposits/{token}", get(hosted::show_deposits).post(hosted::step_deposits)),
        ("/link/{token}/bank", get(pages::link::show_bank).post(pages::link::step_bank)),
        // Events as they happen, for the reader of a stream
        ("/stripecli/subscribe", get(event_stream::subscribe)),
        // For the merchant; asks for a secret key
        ("/settings", get(pages::settings::show).post(pages::settings::act)),
        // The replacement of Stripe.js, also under the name of its own address
        ("/stripe.js", get(pages::stripe)),
        ("/v3", get(pages::stripe)),
        ("/v3/", get(pages::stripe)),
        ("/assets/pages.css", get(pages::style)),
        ("/assets/pages.js", get(pages::script)),
        ("/assets/icon.svg", get(pages::icon)),
        ("/favicon.ico", get(pages::icon)),
        ("/assets/{font}", get(font)),
        ("/assets/brand.css", get(pages::brand::style)),
        ("/assets/logo", get(pages::brand::logo)),
        // The documents, for agents
        ("/llms.txt", get(documents::list)),
        ("/docs/{page}", get(documents::show)),
        ("/", get(hello)),
        ("/healthz", get(healthy)),
        ("/readyz", get(ready)),
    ];
    let shows_metrics = app.shows_metrics.then(|| ("/metrics", get(metrics::show)));
    let pages = pages.into_iter().chain(shows_metrics);
    let counted = pages.map(|(pattern, methods)| match app.metrics {
        Some(_) => {
            let state = (Arc::clone(app), pattern);
            (pattern, methods.layer(from_fn_with_state(state, metrics::count_page)))
        }
        None => (pattern, methods),
    });
    counted
        .fold(Router::new(), |router, (pattern, methods)| router.route(pattern, methods))
        .layer(from_fn(guard_page))
        .layer(map_response_with_state(Arc::clone(app), identified))
}

/// The addresses of the listener for monitors.
pub(super) fn metrics_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::show))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .layer(from_fn(guard_page))
        .route(refused::PATH, get(refused::respond))
        .with_state(app)
}

async fn hello(State(app): State<Arc<App>>) -> String {
    HELLO.replace("BASE", app.public_url())
}

async fn healthy() -> &'static str {
    "ok\n"
}

async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    let store = app.engine().store();
    if !store.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n");
    }
    // A full server serves the keys that have a place, so it is ready.
    match store.is_full(app.engine().clock().server_now()).await {
        Ok(true) => (StatusCode::OK, "ready\nplaces taken\n"),
        Ok(false) | Err(_) => (StatusCode::OK, "ready\n"),
    }
}

/// Sends a font of the pages.
async fn font(app: State<Arc<App>>, Path(name): Path<String>, request: Request) -> Response {
    match pages::font(&name) {
        Some(font) => font.into_response(),
        None => unknown_url(app, request).await,
    }
}

async fn unknown_url(State(app): State<Arc<App>>, request: Request) -> Response {
    forward_or_reject(&app, request, "unknown", |method, path| {
        if path.starts_with("/v2/") {
            Error::unsupported_v2(method, path)
        } else {
            Error::unknown_url(method, path)
        }
    })
    .await
}

pub(super) async fn wrong_method(State(app): State<Arc<App>>, request: Request) -> Response {
    forward_or_reject(&app, request, "wrong method", Error::wrong_method).await
}
