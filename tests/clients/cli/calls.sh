# The calls of Stripe's guide as its pages print them for the Stripe CLI. `main.py` fills in what stands in
# double braces, and adds whose key it is and where the server is; nothing else is changed.

# create customer
stripe customers create \
  --email={{CUSTOMER_EMAIL}} \
  --phone={{CUSTOMER_PHONE}}

# create session
stripe financial_connections sessions create  \
  -d "account_holder[type]"=customer \
  -d "account_holder[customer]"="{{CUSTOMER_ID}}" \
  -d "permissions[0]"=transactions

# create session with prefetch
stripe financial_connections sessions create  \
  -d "account_holder[type]"=customer \
  -d "account_holder[customer]"="{{CUSTOMER_ID}}" \
  -d "permissions[0]"=transactions \
  -d "prefetch[0]"=transactions

# subscribe
stripe financial_connections accounts subscribe {{ACCOUNT_ID}} \
  -d "features[0]"=transactions

# refresh
stripe financial_connections accounts refresh {{ACCOUNT_ID}} \
  -d "features[0]"=transactions

# list transactions
stripe financial_connections transactions list \
  --account="{{ACCOUNT_ID}}"

# list transactions after a refresh
stripe financial_connections transactions list \
  --account="{{ACCOUNT_ID}}" \
  -d "transaction_refresh[after]"={{AFTER}}

# unsubscribe
stripe financial_connections accounts unsubscribe {{ACCOUNT_ID}} \
  -d "features[0]"=transactions

# payment intent
stripe payment_intents create  \
  --amount=2000 \
  --currency=usd \
  --customer="{{CUSTOMER_ID}}" \
  --setup-future-usage=off_session \
  -d "payment_method_types[0]"=us_bank_account \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][0]"=payment_method \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][1]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][prefetch][0]"=transactions

# setup intent
stripe setup_intents create  \
  --customer="{{CUSTOMER_ID}}" \
  -d "payment_method_types[0]"=us_bank_account \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][0]"=payment_method \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][1]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][prefetch][0]"=transactions

# checkout session
stripe checkout sessions create  \
  --customer="{{CUSTOMER_ID}}" \
  -d "payment_method_types[0]"=us_bank_account \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][0]"=payment_method \
  -d "payment_method_options[us_bank_account][financial_connections][permissions][1]"=transactions \
  -d "payment_method_options[us_bank_account][financial_connections][prefetch][0]"=transactions

# subscription
stripe subscriptions create  \
  --customer="{{CUSTOMER_ID}}" \
  -d "payment_settings[payment_method_types][0]"=us_bank_account \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][0]"=payment_method \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][1]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][0]"=transactions

# invoice
stripe invoices create  \
  --customer="{{CUSTOMER_ID}}" \
  -d "payment_settings[payment_method_types][0]"=us_bank_account \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][0]"=payment_method \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][permissions][1]"=transactions \
  -d "payment_settings[payment_method_options][us_bank_account][financial_connections][prefetch][0]"=transactions
