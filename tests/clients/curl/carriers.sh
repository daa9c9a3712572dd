# The guide's calls that create carriers, with the prefetch that it prints for a Payment Intent; what
# completes each carrier; and where its account is found. In the same form.

# create setup intent with prefetch
curl https://api.stripe.com/v1/setup_intents \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer="{{CUSTOMER_ID}}" \
  -d "payment_method_types[]"=us_bank_account \
  -d "payment_method_options[us_bank_account][financial_connections][prefetch][]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][]"=payment_method

# create session with prefetch
curl https://api.stripe.com/v1/financial_connections/sessions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "account_holder[type]"=customer \
  -d "account_holder[customer]"="{{CUSTOMER_ID}}" \
  -d "permissions[]"=transactions \
  -d "prefetch[]"=transactions

# create checkout session with prefetch
curl https://api.stripe.com/v1/checkout/sessions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer="{{CUSTOMER_ID}}" \
  -d "payment_method_types[]"=us_bank_account \
  -d "payment_method_options[us_bank_account][financial_connections][prefetch][]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][]"=payment_method

# create invoice with prefetch
curl https://api.stripe.com/v1/invoices \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer="{{CUSTOMER_ID}}" \
  -d "payment_settings[payment_method_types][]"=us_bank_account \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=payment_method

# create subscription with prefetch
curl https://api.stripe.com/v1/subscriptions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer={{CUSTOMER_ID}} \
  -d "payment_settings[payment_method_types][]"=us_bank_account \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=payment_method

# create subscription with items
curl https://api.stripe.com/v1/subscriptions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer={{CUSTOMER_ID}} \
  -d "items[0][price]"={{PRICE_ID}} \
  -d payment_behavior=default_incomplete \
  -d "payment_settings[save_default_payment_method]"=on_subscription \
  -d "payment_settings[payment_method_types][]"=us_bank_account \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=payment_method \
  -d "expand[]"=latest_invoice.confirmation_secret

# create subscription with items with prefetch
curl https://api.stripe.com/v1/subscriptions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer={{CUSTOMER_ID}} \
  -d "items[0][price]"={{PRICE_ID}} \
  -d payment_behavior=default_incomplete \
  -d "payment_settings[save_default_payment_method]"=on_subscription \
  -d "payment_settings[payment_method_types][]"=us_bank_account \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][]"=payment_method \
  -d "expand[]"=latest_invoice.confirmation_secret

# create monthly price
curl https://api.stripe.com/v1/prices \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d currency=usd \
  -d unit_amount=500 \
  -d "recurring[interval]"=month \
  -d "product_data[name]"=Tea

# retrieve subscription
curl -G https://api.stripe.com/v1/subscriptions/{{SUBSCRIPTION_ID}} \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "expand[]"={{PATH}}

# confirm
curl https://api.stripe.com/v1/{{KIND}}/{{INTENT_ID}}/confirm \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "mandate_data[customer_acceptance][type]"=offline

# retrieve intent
curl -G https://api.stripe.com/v1/{{KIND}}/{{INTENT_ID}} \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "expand[]"=payment_method

# retrieve session
curl https://api.stripe.com/v1/financial_connections/sessions/{{SESSION_ID}} \
  -u "<<YOUR_SECRET_KEY>>:"

# retrieve checkout session
curl -G https://api.stripe.com/v1/checkout/sessions/{{SESSION_ID}} \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "expand[]"=setup_intent.payment_method

# add an invoice item
curl https://api.stripe.com/v1/invoiceitems \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d customer="{{CUSTOMER_ID}}" \
  -d invoice="{{INVOICE_ID}}" \
  -d amount=2500 \
  -d currency=usd

# finalize invoice
curl https://api.stripe.com/v1/invoices/{{INVOICE_ID}}/finalize \
  -u "<<YOUR_SECRET_KEY>>:" \
  -X POST

# retrieve invoice
curl -G https://api.stripe.com/v1/invoices/{{INVOICE_ID}} \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "expand[]"={{PATH}}
