//! Checkout Sessions echo the parameters that they were created with.

use serde_json::Value;
use testkit::{App, ONE_ITEM, path_of};

/// Line items are listed in the order of the request, each with the price created for it. Fractions
/// of a cent are added before they are rounded.
#[tokio::test]
async fn line_items() {
    let app = App::start().await;
    let form = format!(
        "{ONE_ITEM}&line_items[1][quantity]=1000&line_items[1][price_data][currency]=usd\
         &line_items[1][price_data][unit_amount_decimal]=0.25\
         &line_items[1][price_data][product_data][name]=Leaf&expand[]=line_items"
    );
    let session = app.checkout(&form).await;
    assert_eq!(session.at("/amount_total"), 2_750);
    assert_eq!(session.at("/line_items/data/1/amount_total"), 250);
    assert_eq!(session.at("/line_items/data/1/price/unit_amount"), Value::Null);
    let path = path_of(&format!("{}/line_items", session.id()));
    let first = app.get(&format!("{path}?limit=1")).await.ok();
    insta::assert_snapshot!(first.shown(), @r#"
    200
    {
      data: [
        {
          amount_discount: 0
          amount_subtotal: 2500
          amount_tax: 0
          amount_total: 2500
          currency: "usd"
          description: "Tea"
          id: "li_…"
          metadata: {}
          object: "item"
          price: {
            active: false
            billing_scheme: "per_unit"
            created: 1767225600
            currency: "usd"
            id: "price_…"
            livemode: false
            metadata: {}
            object: "price"
            product: "prod_…"
            tax_behavior: "unspecified"
            type: "one_time"
            unit_amount: 1250
            unit_amount_decimal: "1250"
            null: custom_unit_amount, lookup_key, nickname, recurring, tiers_mode
            null: transform_quantity
          }
          quantity: 2
          null: adjustable_quantity
        }
      ]
      has_more: true
      object: "list"
      url: "/v1/checkout/sessions/cs_test_…/line_items"
    }
    "#);
    let item = first.text("/data/0/id");
    let rest = app.get(&format!("{path}?starting_after={item}")).await.ok();
    assert_eq!(rest.at("/data/0/description"), "Leaf");
    assert_eq!(rest.at("/has_more"), false);
    let back = format!("{path}?ending_before={}", rest.text("/data/0/id"));
    assert_eq!(app.get(&back).await.ok().at("/data/0/id"), item.as_str());
    insta::assert_snapshot!(
        app.get(&format!("{path}?starting_after=li_1")).await.api_error(), @"
    400 resource_missing starting_after: No such line item: 'li_1'
    ");
}

/// Parameters that Stripe knows and this server does not support are echoed where the object has
/// them.
#[tokio::test]
async fn echoes() {
    let app = App::start().await;
    let form = "mode=setup&locale=de&client_reference_id=7&submit_type=auto&cancel_url=https://a.example\
         &custom_text[submit][message]=Soon&custom_fields[0][key]=size\
         &custom_fields[0][label][type]=custom&custom_fields[0][label][custom]=Size\
         &custom_fields[0][type]=text&branding_settings[display_name]=Tea\
         &payment_method_options[us_bank_account][verification_method]=instant";
    let session = app.checkout(form).await;
    let json = session.json();
    let shown: Vec<String> = [
        "branding_settings",
        "cancel_url",
        "client_reference_id",
        "custom_fields",
        "custom_text",
        "locale",
        "payment_method_options",
        "submit_type",
    ]
    .iter()
    .map(|name| format!("{name}: {}", json[name]))
    .collect();
    insta::assert_snapshot!(shown.join("\n"), @r##"
    branding_settings: {"background_color":"#ffffff","border_style":"rounded","button_color":"#0074d4","display_name":"Tea","font_family":"default","icon":null,"logo":null}
    cancel_url: "https://a.example"
    client_reference_id: "7"
    custom_fields: [{"key":"size","label":{"custom":"Size","type":"custom"},"optional":false,"type":"text"}]
    custom_text: {"after_submit":null,"shipping_address":null,"submit":{"message":"Soon"},"terms_of_service_acceptance":null}
    locale: "de"
    payment_method_options: {"us_bank_account":{"financial_connections":{"prefetch":null},"verification_method":"instant"}}
    submit_type: "auto"
    "##);
}
