//! Every error of each call about Checkout Sessions, except errors that all calls share.

use testkit::{App, CHECKOUT, LINK, ONE_ITEM, OPTIONS, path_of};

/// Every error of these calls, with its code and parameter.
#[tokio::test]
async fn api_errors() {
    let app = App::start().await;
    let bank = |more: &str| format!("{OPTIONS}{more}");
    let no_payment = bank("[permissions][]=transactions");
    let prefetch =
        format!("{}&{}", bank("[permissions][]=payment_method"), bank("[prefetch][]=balances"));
    let alone = bank("[prefetch][]=transactions");
    let filters = bank("[filters][account_subcategories][]=checking");
    let item = |more: &str| format!("mode=payment&line_items[0][quantity]=1&line_items[0]{more}");
    let data =
        |more: &str| item(&format!("[price_data][currency]=usd&line_items[0][price_data]{more}"));
    let priced =
        |more: &str| data(&format!("[product_data][name]=Tea&line_items[0][price_data]{more}"));
    let forms = [
        no_payment,
        prefetch,
        alone,
        filters,
        "payment_method_options[us_bank_account][verification_method]=microdeposits".to_owned(),
        "mode=subscription".to_owned(),
        "mode=payment".to_owned(),
        ONE_ITEM.replace("mode=payment&", ""),
        ONE_ITEM.replace("mode=payment", "mode=setup"),
        item("[price]=price_1"),
        item("[metadata][a]=b"),
        data("[product]=prod_1"),
        data("[unit_amount]=100"),
        priced("[recurring][interval]=month"),
        priced("[tax_behavior]=exclusive"),
        priced("[unit_amount]=1&line_items[0][price_data][unit_amount_decimal]=1"),
        priced("[unit_amount]=49"),
        priced("[unit_amount]=99999999&line_items[0][quantity]=2"),
        priced("[unit_amount]=-1"),
        ONE_ITEM.replace("=usd", "=eur"),
        ONE_ITEM.replace("line_items[0][quantity]=2&", ""),
        "mode=setup&currency=eur".to_owned(),
        "mode=setup&ui_mode=elements".to_owned(),
        "mode=setup&optional_items[0][price]=price_1&optional_items[0][quantity]=1".to_owned(),
        "mode=setup&payment_intent_data[description]=a".to_owned(),
        format!("{ONE_ITEM}&setup_intent_data[description]=a"),
        format!("{ONE_ITEM}&payment_intent_data[capture_method]=manual"),
        "mode=setup&payment_method_types[]=card".to_owned(),
        "mode=setup&expires_at=1767227399".to_owned(),
        "mode=setup&expires_at=1767312001".to_owned(),
        "mode=setup&customer=cus_1&customer_email=a@example.com".to_owned(),
        "mode=setup&customer=cus_1".to_owned(),
        "mode=setup&expand[]=custom_text".to_owned(),
        "mode=setup&color=red".to_owned(),
    ];
    insta::assert_snapshot!(app.post_errors(CHECKOUT, &forms).await, @"
    POST /v1/checkout/sessions …[permissions][]=transactions
        400 - payment_method_options[us_bank_account][financial_connections][permissions]: A payment
          needs the permission payment_method among those it asks for.
    POST /v1/checkout/sessions …[permissions][]=payment_method&…[prefetch][]=balances
        400 - payment_method_options[us_bank_account][financial_connections][prefetch][0]: To
          prefetch balances, ask for the permission balances too.
    POST /v1/checkout/sessions …[prefetch][]=transactions
        400 - payment_method_options[us_bank_account][financial_connections][prefetch][0]: To
          prefetch transactions, ask for the permission transactions too.
    POST /v1/checkout/sessions …[filters][account_subcategories][]=checking
        400 parameter_unknown
          payment_method_options[us_bank_account][financial_connections][filters]: Received unknown
          parameter: payment_method_options[us_bank_account][financial_connections][filters]
    POST /v1/checkout/sessions
      payment_method_options[us_bank_account][verification_method]=microdeposits
        400 - payment_method_options[us_bank_account][verification_method]: Invalid
          payment_method_options[us_bank_account][verification_method]: must be one of automatic or
          instant
    POST /v1/checkout/sessions mode=subscription
    POST /v1/checkout/sessions mode=payment
        400 parameter_missing line_items: Missing required parameter: line_items.
    POST /v1/checkout/sessions line_items[0][quantity]=2&…[currency]=usd&…[unit_amount]=1250&
      …[product_data][name]=Tea
        400 parameter_missing mode: Missing required parameter: mode.
    POST /v1/checkout/sessions mode=setup&line_items[0][quantity]=2&…[currency]=usd&
      …[unit_amount]=1250&…[product_data][name]=Tea
        400 - line_items: Nothing is paid in mode=setup, so there are no line items.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&line_items[0][price]=price_1
        404 resource_missing line_items[0][price]: No such price: 'price_1'
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&line_items[0][metadata][a]=b
        400 parameter_missing line_items[0][price]: Missing required parameter:
          line_items[0][price].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product]=prod_1
        400 parameter_missing line_items[0][price_data][unit_amount]: Missing required parameter:
          line_items[0][price_data][unit_amount].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[unit_amount]=100
        400 parameter_missing line_items[0][price_data][product]: Missing required parameter:
          line_items[0][price_data][product].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product_data][name]=Tea&…[recurring][interval]=month
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product_data][name]=Tea&…[tax_behavior]=exclusive
        400 parameter_missing line_items[0][price_data][unit_amount]: Missing required parameter:
          line_items[0][price_data][unit_amount].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product_data][name]=Tea&…[unit_amount]=1&…[unit_amount_decimal]=1
        400 parameters_exclusive line_items[0][price_data][unit_amount]: You may give only one of
          these parameters: line_items[0][price_data][unit_amount],
          line_items[0][price_data][unit_amount_decimal].
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product_data][name]=Tea&…[unit_amount]=49
        400 amount_too_small line_items: The line items must come to at least 50 cents.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product_data][name]=Tea&…[unit_amount]=99999999&line_items[0][quantity]=2
        400 amount_too_large line_items: The line items may come to at most 99999999 cents.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=1&…[currency]=usd&
      …[product_data][name]=Tea&…[unit_amount]=-1
        400 - line_items[0][price_data][unit_amount]: A unit amount is from 0 to 99999999 cents.
    POST /v1/checkout/sessions mode=payment&line_items[0][quantity]=2&…[currency]=eur&
      …[unit_amount]=1250&…[product_data][name]=Tea
        400 - line_items[0][price_data][currency]: Bank accounts of the type us_bank_account are
          debited in usd only.
    POST /v1/checkout/sessions mode=payment&…[currency]=usd&…[unit_amount]=1250&
      …[product_data][name]=Tea
        400 parameter_missing line_items[0][quantity]: Missing required parameter:
          line_items[0][quantity].
    POST /v1/checkout/sessions mode=setup&currency=eur
        400 - currency: Bank accounts of the type us_bank_account are debited in usd only.
    POST /v1/checkout/sessions mode=setup&ui_mode=elements
        400 - ui_mode: This server shows Checkout on its own page only: ui_mode is hosted_page.
    POST /v1/checkout/sessions mode=setup&optional_items[0][price]=price_1&
      optional_items[0][quantity]=1
        400 - optional_items: This server's page offers no optional items.
    POST /v1/checkout/sessions mode=setup&payment_intent_data[description]=a
        400 - payment_intent_data: payment_intent_data does not go with mode=setup.
    POST /v1/checkout/sessions ONE_ITEM&setup_intent_data[description]=a
        400 - setup_intent_data: setup_intent_data does not go with mode=payment.
    POST /v1/checkout/sessions ONE_ITEM&payment_intent_data[capture_method]=manual
        400 - payment_intent_data[capture_method]: A us_bank_account is debited at once;
          capture_method=manual is for other types of payment method.
    POST /v1/checkout/sessions mode=setup&payment_method_types[]=card
        400 - payment_method_types: This server collects bank accounts: payment_method_types must
          include us_bank_account.
    POST /v1/checkout/sessions mode=setup&expires_at=1767227399
    POST /v1/checkout/sessions mode=setup&expires_at=1767312001
        400 - expires_at: A Checkout Session expires from 30 minutes to 24 hours after it was made.
    POST /v1/checkout/sessions mode=setup&customer=cus_1&customer_email=a@example.com
        400 parameters_exclusive customer: You may give only one of these parameters: customer,
          customer_email.
    POST /v1/checkout/sessions mode=setup&customer=cus_1
        404 resource_missing customer: No such customer: 'cus_1'
    POST /v1/checkout/sessions mode=setup&expand[]=custom_text
        400 - expand: The property 'custom_text' cannot be expanded.
    POST /v1/checkout/sessions mode=setup&color=red
        400 parameter_unknown color: Received unknown parameter: color
    ");

    let id = app.checkout("mode=setup").await.id();
    let other = app.with_key("sk_test_other");
    assert_eq!(other.get(&path_of(&id)).await.status, 404);
    let live = path_of(&id.replace("test", "live"));
    insta::assert_snapshot!(app.api_errors(&[
        ("GET", "/v1/checkout/sessions/cs_test_1", ""),
        ("GET", &live, ""),
        ("POST", "/v1/checkout/sessions/cs_test_1/expire", ""),
        ("GET", "/v1/checkout/sessions/cs_test_1/line_items", ""),
        ("GET", "/v1/checkout/sessions?status=paid", ""),
        ("GET", "/v1/checkout/sessions?customer=cus_1", ""),
        ("GET", "/v1/checkout/sessions?payment_intent=pi_1", ""),
        ("GET", "/v1/checkout/sessions?starting_after=cs_test_1", ""),
        ("POST", LINK, "carrier=cs_test_1"),
    ]).await, @"
    GET /v1/checkout/sessions/cs_test_1
        404 resource_missing session: No such checkout session: 'cs_test_1'
    GET /v1/checkout/sessions/cs_live_…
        404 resource_missing session: No such checkout session: 'cs_live_…'
    POST /v1/checkout/sessions/cs_test_1/expire
    GET /v1/checkout/sessions/cs_test_1/line_items
        404 resource_missing session: No such checkout session: 'cs_test_1'
    GET /v1/checkout/sessions?status=paid
        400 - status: Invalid status: must be one of complete, expired, or open
    GET /v1/checkout/sessions?customer=cus_1
        404 resource_missing customer: No such customer: 'cus_1'
    GET /v1/checkout/sessions?payment_intent=pi_1
        404 resource_missing payment_intent: No such payment_intent: 'pi_1'
    GET /v1/checkout/sessions?starting_after=cs_test_1
        400 resource_missing starting_after: No such checkout session: 'cs_test_1'
    POST HELPERS/link carrier=cs_test_1
        404 resource_missing carrier: No such checkout session: 'cs_test_1'
    ");
}
