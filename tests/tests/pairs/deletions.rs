//! Pairs that once left a child without its parent, each with its right result.

use bankfeed_tests::pairs::kinds::kind;
use bankfeed_tests::pairs::lane::Lane;
use testkit::{Backend, FC};

/// The time of the fixture's test clocks.
const CLOCK_S: i64 = 1_768_000_000;

/// Holds a call back before its first write while another call runs. Returns the status of both
/// responses, with code and parameter of an API error.
pub(crate) async fn overlap(lane: &Lane, held: &str, meanwhile: &str) -> [String; 2] {
    overlap_after(lane, 0, held, meanwhile).await
}

/// The same for a call that is held back after this number of writes.
async fn overlap_after(lane: &Lane, writes: usize, held: &str, meanwhile: &str) -> [String; 2] {
    let outcome = lane.held(&[kind(held), kind(meanwhile)], writes).await.unwrap();
    outcome.responses.map(|response| match response.strip_prefix("200 ") {
        Some(_) => "200".to_owned(),
        None => response,
    })
}

pub(crate) async fn lane() -> Lane {
    Lane::start(Backend::Temporary).await
}

/// The values of a field of a list's objects. The path may contain names of the fixture.
async fn values(lane: &Lane, path: &str, field: &str) -> Vec<String> {
    let listed = lane.app().get(&lane.fixture().fill(path)).await.ok();
    listed.texts("/data", field)
}

/// A link for a customer that is deleted meanwhile fails. A link that ends while the deletion begins
/// succeeds, and the deletion disconnects its account.
#[tokio::test]
async fn a_deleted_customer_gains_no_account() {
    let lane = lane().await;
    let accounts = format!("{FC}/accounts?account_holder[customer]={{customer}}");
    let missing = "404 \"resource_missing\" \"carrier\"".to_owned();
    assert_eq!(overlap(&lane, "link_session", "delete_customer").await, [missing, "200".into()]);
    assert_eq!(values(&lane, &accounts, "status").await, ["disconnected"; 2]);
    assert_eq!(overlap(&lane, "delete_customer", "link_session").await, ["200", "200"]);
    assert_eq!(values(&lane, &accounts, "status").await, ["disconnected"; 3]);
}

/// A payment method is not attached to a customer that is deleted meanwhile.
#[tokio::test]
async fn a_deleted_customer_gains_no_payment_method() {
    let lane = lane().await;
    let missing = "404 \"resource_missing\" \"customer\"".to_owned();
    assert_eq!(overlap(&lane, "attach_method", "delete_customer").await, [missing, "200".into()]);
    let path = lane.fixture().fill("/v1/payment_methods/{free_method}");
    assert!(lane.app().get(&path).await.ok().at("/customer").is_null());
    assert_eq!(overlap(&lane, "delete_customer", "attach_method").await, ["200", "200"]);
}

/// A subscription for a customer that is deleted meanwhile fails. One that is created while the
/// deletion begins is canceled by it.
#[tokio::test]
async fn a_deleted_customer_gains_no_subscription() {
    let lane = lane().await;
    let subscriptions = "/v1/subscriptions?customer={customer}&status=all";
    let missing = "404 \"resource_missing\" \"customer\"".to_owned();
    let pair = ["create_subscription", "delete_customer"];
    assert_eq!(overlap(&lane, pair[0], pair[1]).await, [missing, "200".into()]);
    assert_eq!(values(&lane, subscriptions, "status").await, ["canceled"; 2]);
    assert_eq!(overlap(&lane, pair[1], pair[0]).await, ["200", "200"]);
    assert_eq!(values(&lane, subscriptions, "status").await, ["canceled"; 3]);
}

/// A Checkout Session for a customer that is deleted meanwhile fails. One that is created while the
/// deletion begins expires by it.
#[tokio::test]
async fn a_deleted_customer_gains_no_checkout_session() {
    let lane = lane().await;
    let sessions = "/v1/checkout/sessions?customer={customer}";
    let missing = "404 \"resource_missing\" \"customer\"".to_owned();
    let pair = ["create_checkout", "delete_customer"];
    assert_eq!(overlap(&lane, pair[0], pair[1]).await, [missing, "200".into()]);
    assert_eq!(values(&lane, sessions, "status").await, ["expired"; 2]);
    assert_eq!(overlap(&lane, pair[1], pair[0]).await, ["200", "200"]);
    assert_eq!(values(&lane, sessions, "status").await, ["expired"; 3]);
}

/// A customer on a test clock that is deleted meanwhile is not created. One that is created while
/// the deletion begins is deleted by it.
#[tokio::test]
async fn a_deleted_clock_gains_no_customer() {
    let lane = lane().await;
    let customers = "/v1/customers?limit=100";
    let before = values(&lane, customers, "id").await;
    let missing = "404 \"resource_missing\" \"test_clock\"".to_owned();
    let pair = ["create_customer_on_bare_clock", "delete_bare_clock"];
    assert_eq!(overlap(&lane, pair[0], pair[1]).await, [missing, "200".into()]);
    assert_eq!(values(&lane, customers, "id").await, before);
    assert_eq!(overlap(&lane, pair[1], pair[0]).await, ["200", "200"]);
    assert_eq!(values(&lane, customers, "id").await, before);
}

/// A price of a product that is deleted meanwhile is not created. A product that gains a price
/// meanwhile is not deleted.
#[tokio::test]
async fn a_deleted_product_gains_no_price() {
    let lane = lane().await;
    let prices = "/v1/prices?product={product}";
    let missing = "404 \"resource_missing\" \"product\"".to_owned();
    assert_eq!(overlap(&lane, "create_price", "delete_product").await, [missing, "200".into()]);
    assert_eq!(values(&lane, prices, "id").await.len(), 0);
    let has_prices = "400 null null".to_owned();
    assert_eq!(overlap(&lane, "delete_product", "create_price").await, [has_prices, "200".into()]);
    assert_eq!(values(&lane, prices, "id").await.len(), 1);
}

/// A payment method that is detached meanwhile does not become a customer's default. A detachment
/// drops the default that was set meanwhile.
#[tokio::test]
async fn a_detached_payment_method_is_no_default() {
    let lane = lane().await;
    let path = lane.fixture().fill("/v1/customers/{customer}");
    let default = "/invoice_settings/default_payment_method";
    let detached = "400 null \"invoice_settings[default_payment_method]\"".to_owned();
    let pair = ["set_default_method", "detach_other_method"];
    assert_eq!(overlap(&lane, pair[0], pair[1]).await, [detached, "200".into()]);
    assert!(lane.app().get(&path).await.ok().at(default).is_null());
    assert_eq!(overlap(&lane, pair[1], pair[0]).await, ["200", "200"]);
    assert!(lane.app().get(&path).await.ok().at(default).is_null());
}

/// A Session for a connected account that is deleted meanwhile links no account. A link that ends
/// while the deletion begins succeeds, and the deletion disconnects its account.
#[tokio::test]
async fn a_deleted_connected_account_gains_no_account() {
    let lane = lane().await;
    let accounts = format!("{FC}/accounts?account_holder[account]={{connected}}");
    let missing = "404 \"resource_missing\" \"carrier\"".to_owned();
    let pair = ["link_connected_session", "delete_connected"];
    assert_eq!(overlap(&lane, pair[0], pair[1]).await, [missing, "200".into()]);
    assert_eq!(values(&lane, &accounts, "status").await.len(), 0);
    assert_eq!(overlap(&lane, pair[1], pair[0]).await, ["200", "200"]);
    assert_eq!(values(&lane, &accounts, "status").await, ["disconnected"]);
}

/// A link for a customer whose deletion is in progress fails as it does after the deletion, also if
/// its Checkout Session is still open.
#[tokio::test]
async fn a_customer_in_deletion_is_missing() {
    let lane = lane().await;
    let missing = "404 \"resource_missing\" \"carrier\"".to_owned();
    for writes in [1, 2] {
        let pair = ["delete_customer", "link_checkout"];
        let responses = overlap_after(&lane, writes, pair[0], pair[1]).await;
        assert_eq!(responses, ["200".into(), missing.clone()]);
    }
    let carrier = lane.fixture().fill("carrier={checkout_setup}");
    let later = lane.app().post(testkit::LINK, &carrier).await;
    assert_eq!((later.status, later.text("/error/code")), (404, "resource_missing".into()));
}

/// A customer whose test clock is in deletion acts at the time of the clock. So does the rest of the
/// deletion of a customer that ends after that of its clock.
#[tokio::test]
async fn a_deleted_clock_keeps_its_time() {
    let lane = lane().await;
    let newest_s = async |event_type: &str| {
        let newest = lane.app().get(&format!("/v1/events?type={event_type}&limit=1")).await.ok();
        newest.at("/data/0/created")
    };
    let pair = ["delete_clock", "link_clock_session"];
    assert_eq!(overlap_after(&lane, 1, pair[0], pair[1]).await, ["200", "200"]);
    let accounts = format!("{FC}/accounts?account_holder[customer]={{clock_customer}}");
    assert_eq!(values(&lane, &accounts, "status").await, ["disconnected"; 2]);
    assert_eq!(newest_s("financial_connections.account.created").await, CLOCK_S);
    assert_eq!(newest_s("customer.deleted").await, CLOCK_S);

    let pair = ["delete_clock_customer", "delete_clock"];
    assert_eq!(overlap_after(&lane, 2, pair[0], pair[1]).await, ["200", "200"]);
    assert_eq!(newest_s("customer.deleted").await, CLOCK_S);
}

/// A call in a connected account that is deleted meanwhile is rejected as it is after the deletion.
#[tokio::test]
async fn a_deleted_connected_account_rejects_calls() {
    let lane = lane().await;
    let invalid = "403 \"account_invalid\" null".to_owned();
    for held in ["create_session_inside", "create_customer_inside", "link_session_inside"] {
        let responses = overlap(&lane, held, "delete_connected").await;
        assert_eq!(responses, [invalid.clone(), "200".into()], "{held}");
    }
}
