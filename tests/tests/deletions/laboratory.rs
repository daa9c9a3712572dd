//! The effects of deleting a scenario, a fault or a snapshot, and of revoking a key.

use crate::{merchant, refused, rows, stored};
use store::{Kind, Object};
use testkit::{App, HELPERS, Recorder};

const FAULTS: &str = "/v1/test_helpers/faults";
const SNAPSHOTS: &str = "/v1/test_helpers/snapshots";
const LEDGER: &str = "/v1/test_helpers/deliveries";

/// The banks of a deleted scenario cannot be linked. Its row stays, with an empty text.
#[tokio::test]
async fn the_scenarios_banks_are_gone() {
    let (app, customer) = App::with_customer().await;
    let scenarios = format!("{HELPERS}/scenarios");
    let scenario = app.post(&scenarios, "name=overdrawn").await.ok();
    let bank = scenario.text("/institutions/0/id");
    let session = app.session(&customer, "").await.id();
    let link = format!("institution={bank}");
    app.link_carrier(&session, &link).await.ok();
    app.delete(&format!("{scenarios}/{}", scenario.id())).await.ok();
    let session = app.session(&customer, "").await.id();
    let missing = app.link_carrier(&session, &link).await;
    assert_eq!(refused(&missing), "400 - institution");
    let row = stored(&app, merchant(), Kind::Scenario, &scenario.id()).await;
    let Object::Scenario(row) = row else { panic!("a scenario is stored") };
    assert_eq!((row.deleted, row.fields["text"].as_str()), (true, Some("")));
}

/// Deliveries that a deleted fault has hit still name it, and its row stays with its counts.
#[tokio::test]
async fn the_faults_hits_stay() {
    let app = App::start().await;
    let receiver = Recorder::start().await.unwrap();
    app.endpoint(&receiver.url, "customer.created", "").await;
    let fault = app.post(FAULTS, "kind=webhook_lost").await.ok().id();
    app.customer().await;
    app.run_workers_until_idle().await;
    let before = app.get(LEDGER).await.ok();
    assert_eq!(before.text("/data/0/fault/id"), fault);
    let counted = stored(&app, merchant(), Kind::Fault, &fault).await;
    app.delete(&format!("{FAULTS}/{fault}")).await.ok();
    assert_eq!(app.get(LEDGER).await.ok().body, before.body);
    let (Object::Fault(counted), Object::Fault(row)) =
        (counted, stored(&app, merchant(), Kind::Fault, &fault).await)
    else {
        panic!("a fault is stored")
    };
    assert!(row.deleted && row.fields == counted.fields);
}

/// A deleted snapshot changes no current data, and no call finds it.
#[tokio::test]
async fn a_deleted_snapshot_changes_no_current_data() {
    let (app, customer) = App::with_customer().await;
    app.account().await;
    app.run_workers_until_idle().await;
    let snapshot = app.post(SNAPSHOTS, "").await.ok().id();
    let path = format!("{SNAPSHOTS}/{snapshot}");
    let counts = async || [rows(&app, "transaction").await, rows(&app, "customer").await];
    let before = counts().await;
    app.delete(&path).await.ok();
    assert_eq!(counts().await, before);
    app.retrieve(&customer).await;
    let restore = app.post(&format!("{path}/restore"), "").await;
    let missing = "404 resource_missing snapshot";
    assert_eq!([refused(&app.get(&path).await), refused(&restore)], [missing, missing]);
}

/// The objects of a merchant stay when one of its keys is revoked. Another key of the merchant reads
/// them.
#[tokio::test]
async fn objects_outlive_their_key() {
    let app = App::start().await;
    let (key, other) = (app.keys().issue(1, false), app.keys().issue(1, false));
    let customer = app.with_key(&key.secret).customer().await;
    app.keys().revoke(&key);
    let rejected = app.with_key(&key.secret).get("/v1/customers").await;
    assert_eq!(refused(&rejected), "401 api_key_expired");
    assert_eq!(app.with_key(&other.secret).ids("/v1/customers").await, [customer]);
}
