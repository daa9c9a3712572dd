# The calls of Stripe's guide "Access transactions for a Financial Connections account", as its pages
# print them. `main.py` sends them with another host and with values in place of `<<…>>`, `{{…}}` and
# the example's refresh id; nothing else is changed.
#
# A call is a line with its name and the command below it, up to an empty line.

# create customer
curl https://api.stripe.com/v1/customers \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d email={{CUSTOMER_EMAIL}} \
  -d phone={{CUSTOMER_PHONE}}

# create session
curl https://api.stripe.com/v1/financial_connections/sessions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "account_holder[type]"=customer \
  -d "account_holder[customer]"="{{CUSTOMER_ID}}" \
  -d "permissions[]"=transactions

# subscribe
curl https://api.stripe.com/v1/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/subscribe \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "features[]"=transactions

# list transactions
curl -G https://api.stripe.com/v1/financial_connections/transactions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d account="{{FINANCIALCONNECTIONSACCOUNT_ID}}"

# list transactions after a refresh
curl -G https://api.stripe.com/v1/financial_connections/transactions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d account="{{FINANCIALCONNECTIONSACCOUNT_ID}}" \
  -d "transaction_refresh[after]"=fctxnref_1LXp8WGxLVUXRs6Hkc5PNUXf

# unsubscribe
curl https://api.stripe.com/v1/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/unsubscribe \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "features[]"=transactions

# create session with prefetch
curl https://api.stripe.com/v1/financial_connections/sessions \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "account_holder[type]"=customer \
  -d "account_holder[customer]"="{{CUSTOMER_ID}}" \
  -d "permissions[]"=transactions \
  -d "prefetch[]"=transactions

# refresh
curl https://api.stripe.com/v1/financial_connections/accounts/{{FINANCIALCONNECTIONSACCOUNT_ID}}/refresh \
  -u "<<YOUR_SECRET_KEY>>:" \
  -d "features[]"=transactions
