//! Schemas that depend on the API version: the types of payment methods in requests and responses.

use testkit::{App, Options, Response};

const DAHLIA: &str = "2026-08-26.dahlia";
const ENDIVE: &str = "2026-09-30.endive";
const PREVIEW: &str = "2026-08-26.preview";
const NAMED: &str = "payment_method_types[]=us_bank_account";
const ALLOWED: &str =
    "allowed_payment_method_types[]=card&allowed_payment_method_types[]=us_bank_account";

/// The allowed types and the actual types.
fn types(shown: &Response) -> String {
    let [allowed, there] = ["/allowed_payment_method_types", "/payment_method_types"];
    format!("{} of {}", shown.at(there), shown.at(allowed))
}

/// The calls that could name types, with their other required parameters.
async fn calls(app: &App) -> Vec<(String, &'static str)> {
    let payment =
        app.in_version(DAHLIA).post("/v1/payment_intents", "amount=2000&currency=usd").await;
    let setup = app.in_version(DAHLIA).post("/v1/setup_intents", "").await;
    let payment = format!("/v1/payment_intents/{}", payment.ok().id());
    let setup = format!("/v1/setup_intents/{}", setup.ok().id());
    vec![
        ("/v1/payment_intents".to_owned(), "&amount=2000&currency=usd"),
        (payment.clone(), ""),
        (format!("{payment}/confirm"), ""),
        ("/v1/setup_intents".to_owned(), ""),
        (setup, ""),
    ]
}

/// From endive on, and in the preview before it, intents reject named types and no object is
/// created.
#[tokio::test]
async fn endive_refuses_named_types_on_intents() {
    let app = App::start().await;
    for (path, more) in calls(&app).await {
        for version in [PREVIEW, ENDIVE, "2026-10-28.endive"] {
            let refused = app.in_version(version).post(&path, &format!("{NAMED}{more}")).await;
            assert_eq!(refused.status, 400, "{path}");
            let code = refused.at("/error/code");
            assert_eq!(code, "payment_method_types_no_longer_supported", "{path}");
            assert_eq!(refused.at("/error/param"), "payment_method_types", "{path}");
        }
    }
    let refused = app.in_version(ENDIVE).post("/v1/setup_intents", NAMED).await;
    insta::assert_snapshot!(refused.api_error(), @"
    400 payment_method_types_no_longer_supported payment_method_types: payment_method_types is no
      longer supported in API version 2026-09-30.endive. Leave it out. To restrict the types, use
      allowed_payment_method_types.
    ");
    for path in ["/v1/payment_intents", "/v1/setup_intents"] {
        assert_eq!(app.count(path).await, 1, "{path}");
    }
}

/// Checkout rejects the parameter as unknown.
#[tokio::test]
async fn endive_has_no_named_types_on_checkout() {
    let app = App::start().await;
    let refused = app.in_version(ENDIVE).post("/v1/checkout/sessions", NAMED).await;
    insta::assert_snapshot!(refused.api_error(), @"
    400 parameter_unknown payment_method_types: Received unknown parameter: payment_method_types
    ");
    let session = app.in_version(ENDIVE).post("/v1/checkout/sessions", ALLOWED).await.ok();
    insta::assert_snapshot!(types(&session), @r#"["us_bank_account"] of ["card","us_bank_account"]"#);
    let refused = app.in_version(DAHLIA).post("/v1/checkout/sessions", ALLOWED).await;
    assert_eq!(refused.at("/error/code"), "parameter_unknown");
    // The preview in which intents change is a month before the one in which Checkout does. Sources:
    // stripe-node 22.7.0-beta.1 and stripe-python 16.1.0b1.
    for version in [DAHLIA, PREVIEW] {
        let older = app.in_version(version).post("/v1/checkout/sessions", NAMED).await.ok();
        assert!(!older.body.contains("allowed_payment_method_types"), "{version}");
        let refused = app.in_version(version).post("/v1/checkout/sessions", ALLOWED).await;
        assert_eq!(refused.at("/error/code"), "parameter_unknown", "{version}");
    }
    let refused = app.in_version("2026-09-30.preview").post("/v1/checkout/sessions", NAMED).await;
    assert_eq!(refused.at("/error/code"), "parameter_unknown");
}

/// The anchor in an update of a subscription is a word, and from endive on a hash. Sources:
/// stripe-python 15.6.2 and 16.0.1.
#[tokio::test]
async fn endive_has_an_anchor_with_a_type() {
    let app = App::start().await;
    let (word, hash) = ("billing_cycle_anchor=unchanged", "billing_cycle_anchor[type]=unchanged");
    let missing = "/v1/subscriptions/sub_x";
    for (version, accepted, refused) in
        [(DAHLIA, word, hash), (ENDIVE, hash, word), ("2026-11-18.preview", hash, word)]
    {
        let found = app.in_version(version).post(missing, accepted).await;
        assert_eq!(found.status, 404, "{version} {accepted}");
        let found = app.in_version(version).post(missing, refused).await;
        let param = found.text("/error/param");
        assert_eq!((found.status, param.as_str()), (400, "billing_cycle_anchor"), "{version}");
    }
}

/// A parameter of another payment method is accepted and ignored from its version on, and a strict
/// server rejects it. An unknown name is rejected in every version. Source: stripe-python 16.1.0.
#[tokio::test]
async fn newer_parameters_are_known_since_their_version() {
    let app = App::start().await;
    let strict = App::with(Options { strict: true, ..Options::default() }).await;
    let payment = "amount=2000&currency=usd";
    let form = format!("{payment}&payment_method_options[card][setup_credential_usage]=recurring");
    let path = "/v1/payment_intents";
    let code = |refused: &Response| refused.text("/error/code");
    assert_eq!(code(&app.in_version(ENDIVE).post(path, &form).await), "parameter_unknown");
    app.in_version("2026-10-28.endive").post(path, &form).await.ok();
    let refused = strict.in_version("2026-10-28.endive").post(path, &form).await;
    assert_eq!(code(&refused), "parameter_not_acted_on");
    for version in ["2024-06-20", DAHLIA, ENDIVE, "2026-11-18.endive", "2026-11-18.preview"] {
        let form = format!("{payment}&payment_method_options[zz]=1");
        let refused = app.in_version(version).post(path, &form).await;
        assert_eq!(code(&refused), "parameter_unknown", "{version}");
        assert_eq!(refused.at("/error/param"), "payment_method_options[zz]", "{version}");
    }
}

/// Allowed types are stored unchanged, and the matching ones are shown as the actual types.
#[tokio::test]
async fn allowed_types_narrow_down() {
    let app = App::start().await;
    for (path, more) in
        [("/v1/payment_intents", "&amount=2000&currency=usd"), ("/v1/setup_intents", "")]
    {
        for version in ["2026-07-29.dahlia", DAHLIA, ENDIVE] {
            let intent = app.in_version(version).post(path, &format!("{ALLOWED}{more}")).await.ok();
            let allowed = intent.at("/allowed_payment_method_types");
            assert_eq!(allowed, serde_json::json!(["card", "us_bank_account"]), "{path} {version}");
            let types = intent.at("/payment_method_types");
            assert_eq!(types, serde_json::json!(["us_bank_account"]), "{path} {version}");
        }
        let refused =
            app.in_version("2026-06-24.dahlia").post(path, &format!("{ALLOWED}{more}")).await;
        assert_eq!(refused.at("/error/code"), "parameter_unknown", "{path}");
        let older =
            app.in_version("2026-06-24.dahlia").post(path, &format!("{NAMED}{more}")).await.ok();
        assert!(!older.body.contains("allowed_payment_method_types"), "{path}");
    }
}

/// A later request replaces one way of naming types with the other.
#[tokio::test]
async fn one_way_takes_the_place_of_the_other() {
    let app = App::start().await;
    let named = "payment_method_types[]=card&payment_method_types[]=us_bank_account";
    let intent = app.in_version(DAHLIA).post("/v1/setup_intents", named).await.ok();
    let path = format!("/v1/setup_intents/{}", intent.id());
    insta::assert_snapshot!(types(&intent), @r#"["card","us_bank_account"] of null"#);
    let intent = app.in_version(DAHLIA).post(&path, ALLOWED).await.ok();
    insta::assert_snapshot!(types(&intent), @r#"["us_bank_account"] of ["card","us_bank_account"]"#);
    let intent = app.in_version(DAHLIA).post(&path, "allowed_payment_method_types=").await.ok();
    insta::assert_snapshot!(types(&intent), @r#"["us_bank_account"] of null"#);
    app.in_version(DAHLIA).post(&path, ALLOWED).await.ok();
    let intent = app.in_version(DAHLIA).post(&path, named).await.ok();
    insta::assert_snapshot!(types(&intent), @r#"["card","us_bank_account"] of null"#);
}

/// Allowed types cannot be combined with other parameters that select types, and must include the
/// one that exists.
#[tokio::test]
async fn allowed_types_have_conditions() {
    let app = App::start().await;
    let mut forms: Vec<String> = [
        "payment_method_types[]=us_bank_account",
        "excluded_payment_method_types[]=card",
        "automatic_payment_methods[enabled]=true",
        "payment_method_configuration=pmc_1",
    ]
    .iter()
    .map(|more| format!("{ALLOWED}&{more}"))
    .collect();
    forms.push("allowed_payment_method_types[]=card".to_owned());
    let mut told = Vec::new();
    for form in forms {
        let refused = app.in_version(DAHLIA).post("/v1/setup_intents", &form).await;
        let message = refused.text("/error/message");
        told.push(format!("{} {message} {}", refused.status, refused.at("/error/param")));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    400 You may give only one of these parameters: allowed_payment_method_types, payment_method_types. "allowed_payment_method_types"
    400 You may give only one of these parameters: allowed_payment_method_types, excluded_payment_method_types. "allowed_payment_method_types"
    400 You may give only one of these parameters: allowed_payment_method_types, automatic_payment_methods. "allowed_payment_method_types"
    400 You may give only one of these parameters: allowed_payment_method_types, payment_method_configuration. "allowed_payment_method_types"
    400 This server collects bank accounts: allowed_payment_method_types must include us_bank_account. "allowed_payment_method_types"
    "#);
}
