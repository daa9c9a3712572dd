# What goes wrong, and what is done about it. In the same form.

# list customers
curl -G https://api.stripe.com/v1/customers \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d email={{CUSTOMER_EMAIL}}

# list transactions from a row on
curl -G https://api.stripe.com/v1/financial_connections/transactions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d account="{{FINANCIALCONNECTIONSACCOUNT_ID}}" \
  -d limit=100 \
  -d starting_after={{ROW_ID}}

# create customer once
curl https://api.stripe.com/v1/customers \
  --retry 3 --retry-all-errors --retry-delay 1 \
  -u "<<YOUR_SECRET_KEY>>:" \
  -H "Idempotency-Key: {{KEY}}" \
  -d email={{CUSTOMER_EMAIL}}

# refresh nothing
curl -X POST https://api.stripe.com/v1/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/refresh \
  -u "<<YOUR_SECRET_KEY>>:"

# fail the next call
curl https://api.stripe.com/v1/test_helpers/faults \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d kind={{FAULT_KIND}} \
  -d path=/v1/customers \
  -d times=1
