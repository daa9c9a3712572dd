//! Every error of the calls about subscriptions, their items, and payments of invoices.

use testkit::{App, CONNECTIONS, LINK, MONTHLY, SUBSCRIPTIONS, path_of};

/// The create call rejects invalid parameters with their path, and creates no object.
#[tokio::test]
async fn creates() {
    let (app, customer) = App::with_gold_and_customer().await;
    let other = app.customer().await;
    let once = app.price(50, "").await;
    let method = app.attach(&other, "success").await.text("/payment_method");
    let ask = |more: &str| format!("{CONNECTIONS}{more}");
    let yearly = MONTHLY.replace("items[0]", "items[1]").replace("month", "year");
    let incomplete = "payment_behavior=default_incomplete";
    let forms = [
        ask("[permissions][]=transactions"),
        format!("{}&{}", ask("[permissions][]=payment_method"), ask("[prefetch][]=balances")),
        ask("[return_url]=https://shop.example"),
        "payment_settings[payment_method_types][]=card".to_owned(),
        "currency=eur".to_owned(),
        MONTHLY.to_owned(),
        format!("items[0][price]={once}"),
        "items[0][price]=price_1".to_owned(),
        "items[0][quantity]=1".to_owned(),
        format!("{MONTHLY}&items[0][price]={once}"),
        format!("{MONTHLY}&items[0][quantity]=-1"),
        MONTHLY.replace("gold", "silver"),
        MONTHLY.replace("=usd", "=eur"),
        format!("{MONTHLY}&items[0][price_data][recurring][interval_count]=37"),
        format!("{MONTHLY}&{yearly}&{incomplete}"),
        format!("{MONTHLY}&items[0][quantity]=99999999&{incomplete}"),
        format!("{MONTHLY}&add_invoice_items[0][price]=price_1&{incomplete}"),
        format!("default_payment_method={method}"),
        "default_payment_method=pm_1".to_owned(),
        "collection_method=send_invoice".to_owned(),
        "days_until_due=3".to_owned(),
        "collection_method=send_invoice&days_until_due=-1".to_owned(),
        "trial_end=5".to_owned(),
        "trial_period_days=2000".to_owned(),
        "trial_period_days=1&trial_end=now".to_owned(),
        "cancel_at=5".to_owned(),
        "cancel_at_period_end=true".to_owned(),
        "cancel_at=1767225700&cancel_at_period_end=true".to_owned(),
        "payment_behavior=whenever".to_owned(),
        "expand[]=items".to_owned(),
        "expand[]=latest_invoice.payments.data.payment.payment_intent".to_owned(),
        "color=red".to_owned(),
    ];
    let mut forms = forms.map(|form| format!("customer={customer}&{form}")).to_vec();
    forms.extend(["currency=usd", "customer=cus_1"].map(str::to_owned));
    insta::assert_snapshot!(app.post_errors(SUBSCRIPTIONS, &forms).await, @"
    POST /v1/subscriptions customer=cus_…&…[permissions][]=transactions
        400 -
          payment_settings[payment_method_options][us_bank_account][financial_connections][permissions]:
          A payment needs the permission payment_method among those it asks for.
    POST /v1/subscriptions customer=cus_…&…[permissions][]=payment_method&…[prefetch][]=balances
        400 -
          payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][0]:
          To prefetch balances, ask for the permission balances too.
    POST /v1/subscriptions customer=cus_…&…[return_url]=https://shop.example
        400 parameter_unknown
          payment_settings[payment_method_options][us_bank_account][financial_connections][return_url]:
          Received unknown parameter:
          payment_settings[payment_method_options][us_bank_account][financial_connections][return_url]
    POST /v1/subscriptions customer=cus_…&payment_settings[payment_method_types][]=card
        400 - payment_settings[payment_method_types]: This server collects bank accounts:
          payment_method_types must include us_bank_account.
    POST /v1/subscriptions customer=cus_…&currency=eur
        400 - currency: Bank accounts of the type us_bank_account are debited in usd only.
    POST /v1/subscriptions customer=cus_…&MONTHLY
        400 resource_missing: This customer has no default payment method. Give
          default_payment_method, or payment_behavior=default_incomplete to collect one with the
          first invoice.
    POST /v1/subscriptions customer=cus_…&items[0][price]=price_…
        400 - items[0][price]: A subscription needs prices that are paid again and again.
    POST /v1/subscriptions customer=cus_…&items[0][price]=price_1
        404 resource_missing items[0][price]: No such price: 'price_1'
    POST /v1/subscriptions customer=cus_…&items[0][quantity]=1
        400 parameter_missing items[0][price]: Missing required parameter: items[0][price].
    POST /v1/subscriptions customer=cus_…&MONTHLY&items[0][price]=price_…
        400 parameters_exclusive items[0][price]: You may give only one of these parameters:
          items[0][price], items[0][price_data].
    POST /v1/subscriptions customer=cus_…&MONTHLY&items[0][quantity]=-1
        400 - items[0][quantity]: A quantity cannot be below 0.
    POST /v1/subscriptions customer=cus_…&items[0][price_data][currency]=usd&
      items[0][price_data][product]=silver&items[0][price_data][unit_amount]=1000&
      items[0][price_data][recurring][interval]=month
        404 resource_missing items[0][price_data][product]: No such product: 'silver'
    POST /v1/subscriptions customer=cus_…&items[0][price_data][currency]=eur&
      items[0][price_data][product]=gold&items[0][price_data][unit_amount]=1000&
      items[0][price_data][recurring][interval]=month
        400 - items[0][price_data]: Bank accounts of the type us_bank_account are debited in usd
          only.
    POST /v1/subscriptions customer=cus_…&MONTHLY&items[0][price_data][recurring][interval_count]=37
        400 - items[0][price_data][recurring][interval_count]: A period is at least one day and at
          most three years long.
    POST /v1/subscriptions customer=cus_…&MONTHLY&items[1][price_data][currency]=usd&
      items[1][price_data][product]=gold&items[1][price_data][unit_amount]=1000&
      items[1][price_data][recurring][interval]=year&payment_behavior=default_incomplete
        400 - items[1][price_data]: All prices of a subscription here have the same interval.
    POST /v1/subscriptions customer=cus_…&MONTHLY&items[0][quantity]=99999999&
      payment_behavior=default_incomplete
        400 amount_too_large items[0][quantity]: An item may come to at most 99999999 cents.
    POST /v1/subscriptions customer=cus_…&MONTHLY&add_invoice_items[0][price]=price_1&
      payment_behavior=default_incomplete
        404 resource_missing add_invoice_items[0][price]: No such price: 'price_1'
    POST /v1/subscriptions customer=cus_…&default_payment_method=pm_…
        400 - default_payment_method: The payment method must be attached to the customer first.
    POST /v1/subscriptions customer=cus_…&default_payment_method=pm_1
        404 resource_missing default_payment_method: No such PaymentMethod: 'pm_1'
    POST /v1/subscriptions customer=cus_…&collection_method=send_invoice
        400 parameter_missing days_until_due: Missing required parameter: days_until_due.
    POST /v1/subscriptions customer=cus_…&days_until_due=3
        400 - days_until_due: days_until_due goes with collection_method=send_invoice only.
    POST /v1/subscriptions customer=cus_…&collection_method=send_invoice&days_until_due=-1
        400 - days_until_due: days_until_due is from 0 to 1825.
    POST /v1/subscriptions customer=cus_…&trial_end=5
        400 - trial_end: A trial ends after now, and within five years.
    POST /v1/subscriptions customer=cus_…&trial_period_days=2000
        400 - trial_period_days: A trial ends after now, and within five years.
    POST /v1/subscriptions customer=cus_…&trial_period_days=1&trial_end=now
        400 parameters_exclusive trial_end: You may give only one of these parameters: trial_end,
          trial_period_days.
    POST /v1/subscriptions customer=cus_…&cancel_at=5
        400 - cancel_at: A subscription can be canceled at a later time only.
    POST /v1/subscriptions customer=cus_…&cancel_at_period_end=true
        400 - cancel_at_period_end: A subscription without items has no periods; cancel it at a
          time.
    POST /v1/subscriptions customer=cus_…&cancel_at=1767225700&cancel_at_period_end=true
        400 parameters_exclusive cancel_at: You may give only one of these parameters: cancel_at,
          cancel_at_period_end.
    POST /v1/subscriptions customer=cus_…&payment_behavior=whenever
        400 - payment_behavior: Invalid payment_behavior: must be one of allow_incomplete,
          default_incomplete, error_if_incomplete, or pending_if_incomplete
    POST /v1/subscriptions customer=cus_…&expand[]=items
        400 - expand: The property 'items' cannot be expanded.
    POST /v1/subscriptions customer=cus_…&
      expand[]=latest_invoice.payments.data.payment.payment_intent
        400 - expand: The property 'latest_invoice.payments.data.payment.payment_intent' cannot be
          expanded because its path has more than 4 levels.
    POST /v1/subscriptions customer=cus_…&color=red
        400 parameter_unknown color: Received unknown parameter: color
    POST /v1/subscriptions currency=usd
        400 parameter_missing customer: Missing required parameter: customer.
    POST /v1/subscriptions customer=cus_1
        404 resource_missing customer: No such customer: 'cus_1'
    ");
    assert_eq!(app.count(&format!("{SUBSCRIPTIONS}?status=all")).await, 0);
    assert_eq!(app.count("/v1/prices").await, 1);
}

/// Errors of the other calls.
#[tokio::test]
async fn others() {
    let (app, customer) = App::with_gold_and_customer().await;
    let incomplete = format!("{MONTHLY}&payment_behavior=default_incomplete");
    let made = app.subscription(&customer, &incomplete).await;
    let bare = app.subscription(&customer, "").await.id();
    let over = app.subscription(&customer, "").await.id();
    app.delete(&path_of(&over)).await.ok();
    let (id, item) = (made.id(), made.text("/items/data/0/id"));
    let carrier = format!("carrier={over}");
    let [path, bare, over, missing] = [&id, &bare, &over, "sub_1"].map(path_of);
    let delete = format!("items[0][id]={item}&items[0][deleted]=true");
    let default = path_of(&customer);
    let yearly = MONTHLY.replace("month", "year");
    let calls: [(&str, &str, &str); 26] = [
        ("GET", &missing, ""),
        ("POST", &missing, ""),
        ("DELETE", &missing, ""),
        ("DELETE", &path, "prorate=maybe"),
        ("DELETE", &path, "cancellation_details[reason]=x"),
        ("POST", &path, "customer=cus_1"),
        ("POST", &path, "items[0][id]=si_1"),
        ("POST", &path, &delete),
        ("POST", &path, &yearly),
        ("POST", &path, "trial_end=1767312000"),
        ("POST", &bare, MONTHLY),
        ("POST", &bare, "cancel_at_period_end=true"),
        ("POST", &over, "description=x"),
        ("POST", &over, "default_payment_method=pm_1"),
        ("POST", LINK, &carrier),
        ("GET", "/v1/subscriptions?status=asleep", ""),
        ("GET", "/v1/subscriptions?customer=cus_1", ""),
        ("GET", "/v1/subscriptions?starting_after=sub_1", ""),
        ("GET", "/v1/subscriptions/search?query=x", ""),
        ("GET", "/v1/subscription_items", ""),
        ("GET", "/v1/subscription_items/si_1", ""),
        ("GET", "/v1/invoice_payments?status=asleep", ""),
        ("GET", "/v1/invoice_payments?payment[type]=cash", ""),
        ("GET", "/v1/invoice_payments?invoice=in_1", ""),
        ("GET", "/v1/invoice_payments/inpay_1", ""),
        ("POST", &default, "invoice_settings[default_payment_method]=pm_1"),
    ];
    insta::assert_snapshot!(app.api_errors(&calls).await, @r#"
    GET /v1/subscriptions/sub_1
    POST /v1/subscriptions/sub_1
    DELETE /v1/subscriptions/sub_1
        404 resource_missing id: No such subscription: 'sub_1'
    DELETE /v1/subscriptions/sub_… prorate=maybe
        400 - prorate: Invalid boolean: maybe
    DELETE /v1/subscriptions/sub_… cancellation_details[reason]=x
        400 parameter_unknown cancellation_details[reason]: Received unknown parameter:
          cancellation_details[reason]
    POST /v1/subscriptions/sub_… customer=cus_1
        400 parameter_unknown customer: Received unknown parameter: customer
    POST /v1/subscriptions/sub_… items[0][id]=si_1
        400 resource_missing items[0][id]: No such subscription item: 'si_1'
    POST /v1/subscriptions/sub_… items[0][id]=si_…&items[0][deleted]=true
        400 - items[0][id]: The last item cannot be taken away; cancel the subscription.
    POST /v1/subscriptions/sub_… items[0][price_data][currency]=usd&
      items[0][price_data][product]=gold&items[0][price_data][unit_amount]=1000&
      items[0][price_data][recurring][interval]=year
        400 - items[0][price_data]: All prices of a subscription here have the same interval.
    POST /v1/subscriptions/sub_… trial_end=1767312000
        400 - trial_end: This server gives a trial only when a subscription is made.
    POST /v1/subscriptions/sub_… MONTHLY
        400 - items: This subscription was made without items, which stays so.
    POST /v1/subscriptions/sub_… cancel_at_period_end=true
        400 - cancel_at_period_end: A subscription without items has no periods; cancel it at a
          time.
    POST /v1/subscriptions/sub_… description=x
    POST /v1/subscriptions/sub_… default_payment_method=pm_1
        400: This subscription is over; only its metadata and cancellation_details can be changed.
    POST HELPERS/link carrier=sub_…
        400 - carrier: The subscription has neither a pending Setup Intent nor an invoice to pay, so
          it collects no account.
    GET /v1/subscriptions?status=asleep
        400 - status: Invalid status: must be one of active, all, canceled, ended, incomplete,
          incomplete_expired, past_due, paused, trialing, or unpaid
    GET /v1/subscriptions?customer=cus_1
        404 resource_missing customer: No such customer: 'cus_1'
    GET /v1/subscriptions?starting_after=sub_1
        400 resource_missing starting_after: No such subscription: 'sub_1'
    GET /v1/subscriptions/search?query=x
        400 - query: Unknown search field: x. Use one of canceled_at, created, status, or
          metadata["key"].
    GET /v1/subscription_items
        400 parameter_missing subscription: Missing required parameter: subscription.
    GET /v1/subscription_items/si_1
        404 resource_missing item: No such subscription item: 'si_1'
    GET /v1/invoice_payments?status=asleep
        400 - status: Invalid status: must be one of canceled, open, or paid
    GET /v1/invoice_payments?payment[type]=cash
        400 - payment[type]: Invalid payment[type]: must be one of payment_intent or payment_record
    GET /v1/invoice_payments?invoice=in_1
        404 resource_missing invoice: No such invoice: 'in_1'
    GET /v1/invoice_payments/inpay_1
        404 resource_missing invoice_payment: No such invoice payment: 'inpay_1'
    POST /v1/customers/cus_… invoice_settings[default_payment_method]=pm_1
        404 resource_missing invoice_settings[default_payment_method]: No such PaymentMethod: 'pm_1'
    "#);
    let page = format!("/v1/subscription_items?subscription={id}&starting_after=si_1");
    insta::assert_snapshot!(app.get(&page).await.api_error(), @"
    400 resource_missing starting_after: No such subscription item: 'si_1'
    ");
}

/// The maximum amount of an item, and of all items of a period together, applies to creates and
/// updates alike, even in a trial. The error has the path of the item.
#[tokio::test]
async fn costs_too_much() {
    let (app, customer) = App::with_gold_and_customer().await;
    let trial = format!("{MONTHLY}&trial_period_days=10");
    let made = app.subscription(&customer, &trial).await;
    let path = path_of(&made.id());
    let item = made.text("/items/data/0/id");
    let price = app.price(500, "recurring[interval]=month").await;
    let half = format!("items[0][id]={item}&items[0][quantity]=50000");
    let calls = [
        (SUBSCRIPTIONS, format!("customer={customer}&{trial}&items[0][quantity]=100000")),
        (
            SUBSCRIPTIONS,
            format!(
                "customer={customer}&{trial}&items[0][quantity]=50000&items[1][price]={price}\
                 &items[1][quantity]=100000"
            ),
        ),
        (&path, format!("items[0][id]={item}&items[0][quantity]=1000000")),
        (&path, format!("items[0][id]={item}&items[0][quantity]=9223372036854775807")),
        (&path, format!("items[0][price]={price}&items[0][quantity]=1000000")),
        (&path, format!("{half}&items[1][price]={price}&items[1][quantity]=100000")),
    ];
    let calls: Vec<(&str, &str, &str)> =
        calls.iter().map(|(path, form)| ("POST", *path, form.as_str())).collect();
    insta::assert_snapshot!(app.api_errors(&calls).await, @"
    POST /v1/subscriptions customer=cus_…&MONTHLY&trial_period_days=10&items[0][quantity]=100000
        400 amount_too_large items[0][quantity]: An item may come to at most 99999999 cents.
    POST /v1/subscriptions customer=cus_…&MONTHLY&trial_period_days=10&items[0][quantity]=50000&
      items[1][price]=price_…&items[1][quantity]=100000
        400 amount_too_large items[1]: A period may come to at most 99999999 cents.
    POST /v1/subscriptions/sub_… items[0][id]=si_…&items[0][quantity]=1000000
    POST /v1/subscriptions/sub_… items[0][id]=si_…&items[0][quantity]=9223372036854775807
    POST /v1/subscriptions/sub_… items[0][price]=price_…&items[0][quantity]=1000000
        400 amount_too_large items[0][quantity]: An item may come to at most 99999999 cents.
    POST /v1/subscriptions/sub_… items[0][id]=si_…&items[0][quantity]=50000&items[1][price]=price_…&
      items[1][quantity]=100000
        400 amount_too_large items[1]: A period may come to at most 99999999 cents.
    ");
    let shown = app.get(&path).await.ok();
    assert_eq!(shown.at("/items/data/0/quantity"), 1);
    app.post(&path, &half).await.ok();
}
