# What the checks need beside the guide's calls: reading, waiting for events, moving time, acting for the holder
# and for the bank. In the same form.

# retrieve account
curl https://api.stripe.com/v1/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}} \
  -u "<<YOUR_SECRET_KEY>>:"

# list refresh events
curl -G https://api.stripe.com/v1/events \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d type=financial_connections.account.refreshed_transactions \
  -d limit=100

# create webhook endpoint
curl https://api.stripe.com/v1/webhook_endpoints \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "enabled_events[]"="*" \
  -d url="{{WEBHOOK_URL}}"

# create test clock
curl https://api.stripe.com/v1/test_helpers/test_clocks \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d frozen_time={{TIME}}

# advance test clock
curl https://api.stripe.com/v1/test_helpers/test_clocks/{{TEST_CLOCK_ID}}/advance \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d frozen_time={{TIME}}

# create customer on a clock
curl https://api.stripe.com/v1/customers \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d email={{CUSTOMER_EMAIL}} \
  -d test_clock={{TEST_CLOCK_ID}}

# link
curl https://api.stripe.com/v1/test_helpers/financial_connections/link \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d carrier={{CARRIER_ID}} \
  -d institution="Test (OAuth)" \
  -d "accounts[]"=Success

# delay the next refresh
curl https://api.stripe.com/v1/test_helpers/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/next_refresh \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d feature=transactions \
  -d delay_seconds={{SECONDS}}

# fail the next refresh
curl https://api.stripe.com/v1/test_helpers/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/next_refresh \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d feature=transactions \
  -d outcome=failed

# add a transaction at the bank
curl https://api.stripe.com/v1/test_helpers/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/transactions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d amount=-1200 \
  -d description="Blue Door Coffee"

# deactivate
curl https://api.stripe.com/v1/test_helpers/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/deactivate \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d cause=access_expired
