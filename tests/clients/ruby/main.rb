# The official Ruby client against the real binary: the calls of Stripe's guide in the order of an
# integration, by `StripeClient` and in the resource style. Needs the gem of the `Gemfile`. Prints a line
# a step, and at the end `N passed, M failed`.

require "fileutils"
require "stripe"
require_relative "server"

HELPERS = "/v1/test_helpers".freeze
REFRESHED = "financial_connections.account.refreshed_transactions".freeze
EMAIL = "jenny.rosen@example.com".freeze
KEY = "sk_test_ruby".freeze
TYPES = ["us_bank_account"].freeze
OPTIONS = {
  us_bank_account: {
    financial_connections: {
      permissions: %w[payment_method transactions],
      prefetch: ["transactions"],
    },
  },
}.freeze

# What the steps share: each one begins where the one before it ended.
class Merchant
  def initialize(server)
    @server = server
    @inbox = Inbox.new
    @client = connect(KEY)
    @v1 = @client.v1
    @connections = @v1.financial_connections
  end

  def connect(key, port: @server.port, retries: 2)
    # A client keeps what was said of retries when it was made.
    Stripe.max_network_retries = retries
    Stripe::StripeClient.new(key, api_base: "http://127.0.0.1:#{port}")
  ensure
    Stripe.max_network_retries = 2
  end

  # Steps, in order.

  def an_endpoint_is_made_with_the_clients_own_version
    endpoint = @v1.webhook_endpoints.create(
      { url: @inbox.url, enabled_events: ["*"], api_version: Stripe.api_version },
    )
    holds(endpoint.api_version == Stripe.api_version, endpoint)
    @secret = endpoint.secret
  end

  def the_guide_by_the_client
    customer = @v1.customers.create({ email: EMAIL, phone: "2025550100" })
    holds(customer.is_a?(Stripe::Customer) && customer.email == EMAIL, customer)
    session = @connections.sessions.create(
      {
        account_holder: { type: "customer", customer: customer.id },
        permissions: ["transactions"],
      },
    )
    link(session.id)
    listed = @connections.accounts.list({ session: session.id })
    @account = listed.data.first.id
    error = refused(Stripe::InvalidRequestError) do
      @connections.transactions.list({ account: @account })
    end
    holds(error.code == "financial_connections_no_successful_transaction_refresh", error)
    features = { features: ["transactions"] }
    first = @connections.accounts.subscribe(@account, features).transaction_refresh.id
    told(first)
    rows = @connections.transactions.list({ account: @account, limit: 40 }).auto_paging_each.to_a
    holds(rows.size > 100 && rows.map(&:id).uniq.size == rows.size, rows.size)
    entry = { amount: -1200, description: "Blue Door Coffee" }
    raw("/financial_connections/accounts/#{@account}/transactions", entry)
    second = @connections.accounts.refresh(@account, features).transaction_refresh.id
    told(second)
    after = { account: @account, transaction_refresh: { after: first } }
    later = @connections.transactions.list(after).auto_paging_each.to_a
    holds(later.all? { |row| row.transaction_refresh == second }, later)
    holds(later.any? { |row| row.description == "Blue Door Coffee" && row.amount == -1200 }, later)
    ended = @connections.accounts.unsubscribe(@account, features)
    holds(ended.subscriptions == [], ended)
  end

  def the_guide_by_resources
    Stripe.api_key = KEY
    Stripe.api_base = @server.url
    customer = Stripe::Customer.create({ email: EMAIL })
    session = Stripe::FinancialConnections::Session.create(
      {
        account_holder: { type: "customer", customer: customer.id },
        permissions: ["transactions"],
        prefetch: ["transactions"],
      },
    )
    link(session.id)
    session = Stripe::FinancialConnections::Session.retrieve(session.id)
    account = session.accounts.data.first
    told(account.transaction_refresh.id)
    resource = Stripe::FinancialConnections::Account
    told(resource.subscribe(account.id, { features: ["transactions"] }).transaction_refresh.id)
    asked = resource.refresh_account(account.id, { features: ["transactions"] })
    told(asked.transaction_refresh.id)
    rows = Stripe::FinancialConnections::Transaction.list({ account: account.id })
    holds(rows.auto_paging_each.count > 100, rows)
    ended = resource.unsubscribe(account.id, { features: ["transactions"] })
    holds(ended.subscriptions == [], ended)
  end

  def every_carrier_collects_an_account
    method = { expand: ["payment_method"] }
    payment = @v1.payment_intents.create(
      { amount: 2000, currency: "usd", customer: payer, setup_future_usage: "off_session" }
        .merge(payment_method_types: TYPES, payment_method_options: OPTIONS),
    )
    link(payment.id)
    collected(@v1.payment_intents.retrieve(payment.id, method).payment_method)

    wanted = { customer: payer, payment_method_types: TYPES, payment_method_options: OPTIONS }
    setup = @v1.setup_intents.create(wanted)
    link(setup.id)
    collected(@v1.setup_intents.retrieve(setup.id, method).payment_method)

    checkout = @v1.checkout.sessions.create(wanted)
    link(checkout.id)
    done = @v1.checkout.sessions.retrieve(checkout.id, { expand: ["setup_intent.payment_method"] })
    holds(done.status == "complete", done)
    collected(done.setup_intent.payment_method)
  end

  def every_bill_collects_an_account
    settings = { payment_method_types: TYPES, payment_method_options: OPTIONS }
    customer = payer
    draft = @v1.invoices.create({ customer: customer, payment_settings: settings })
    @v1.invoice_items.create(
      { customer: customer, invoice: draft.id, amount: 1000, currency: "usd" },
    )
    @v1.invoices.finalize_invoice(draft.id)
    link(draft.id)
    expand = { expand: ["payments.data.payment.payment_intent"] }
    paying = @v1.invoices.retrieve(draft.id, expand).payments.data.first.payment.payment_intent
    collected(@v1.payment_intents.retrieve(paying.id, { expand: ["payment_method"] }).payment_method)

    subscription = @v1.subscriptions.create({ customer: payer, payment_settings: settings })
    link(subscription.id)
    expand = { expand: ["pending_setup_intent.payment_method"] }
    shown = @v1.subscriptions.retrieve(subscription.id, expand)
    collected(shown.pending_setup_intent.payment_method)
  end

  def mistakes_are_typed_errors
    error = refused(Stripe::AuthenticationError) { connect("sk_wrong").v1.customers.list }
    holds(error.http_status == 401, error)
    error = refused(Stripe::PermissionError) { connect("pk_test_ruby").v1.customers.list }
    holds(error.http_status == 403, error)
    error = refused(Stripe::InvalidRequestError) { @connections.accounts.retrieve("fca_none") }
    holds(error.http_status == 404 && error.code == "resource_missing", error)
    error = refused(Stripe::InvalidRequestError) { @connections.accounts.subscribe(@account) }
    holds(error.param == "features", error)
    once = { idempotency_key: "ruby-once" }
    first = @v1.customers.create({ name: "Once" }, once)
    holds(@v1.customers.create({ name: "Once" }, once).id == first.id, first)
    refused(Stripe::IdempotencyError) { @v1.customers.create({ name: "Twice" }, once) }
  end

  def a_forged_webhook_is_refused
    body, signature = @inbox.wait("any webhook") { |*delivery| delivery }
    forged = body.sub('"livemode":false', '"livemode":true')
    refused(Stripe::SignatureVerificationError) do
      Stripe::Webhook.construct_event(forged, signature, @secret)
    end
  end

  def a_cut_connection_is_tried_again
    front = CutOnce.new(@server.port)
    made = connect(KEY, port: front.port).v1.customers.create({ email: "cut@example.com" })
    all = @v1.customers.list({ email: "cut@example.com" })
    holds(all.data.map(&:id) == [made.id], all)
    gone = TCPServer.open("127.0.0.1", 0) { |free| free.addr[1] }
    refused(Stripe::APIConnectionError) do
      connect(KEY, port: gone, retries: 0).v1.customers.list
    end
  end

  def a_disconnected_account_is_closed
    @connections.accounts.disconnect(@account)
    error = refused(Stripe::InvalidRequestError) do
      @connections.transactions.list({ account: @account })
    end
    holds(error.code == "financial_connections_account_inactive", error)
  end

  def a_rate_limit_and_a_failure_inside_the_server_are_typed_errors
    hasty = connect(KEY, retries: 0).v1.customers
    fault = { path: "/v1/customers", times: 1 }
    raw("/faults", { kind: "api_rate_limited", **fault })
    error = refused(Stripe::RateLimitError) { hasty.list }
    holds(error.http_status == 429 && error.code == "rate_limit", error)
    raw("/faults", { kind: "api_error_before", **fault })
    error = refused(Stripe::APIError) { hasty.list }
    holds(error.http_status == 500, error)
  end

  private

  def raw(path, params)
    @client.raw_request(:post, "#{HELPERS}#{path}", params: params)
  end

  # Links an account of a test bank as the holder would, without a browser.
  def link(carrier)
    raw("/financial_connections/link", { carrier: carrier })
  end

  # Waits for the verified event about the end of a refresh.
  def told(refresh)
    account = @inbox.wait("the end of #{refresh}") do |body, signature|
      event = Stripe::Webhook.construct_event(body, signature, @secret)
      shown = event.data.object
      shown if event.type == REFRESHED && shown.transaction_refresh.id == refresh
    end
    holds(account.transaction_refresh.status == "succeeded", account)
  end

  def payer
    @v1.customers.create({ email: EMAIL }).id
  end

  # Looks at the account of a payment method; its prefetch has to end in a webhook.
  def collected(method)
    account = @connections.accounts.retrieve(method.us_bank_account.financial_connections_account)
    told(account.transaction_refresh.id)
    holds(@connections.transactions.list({ account: account.id }).data.any?, account)
  end

  def holds(condition, what)
    raise "it does not hold: #{what.inspect}" unless condition
  end

  def refused(type)
    yield
  rescue Stripe::StripeError => e
    raise unless e.instance_of?(type)

    e
  else
    raise "the call was not refused"
  end
end

STEPS = %i[
  an_endpoint_is_made_with_the_clients_own_version
  the_guide_by_the_client
  the_guide_by_resources
  every_carrier_collects_an_account
  every_bill_collects_an_account
  mistakes_are_typed_errors
  a_forged_webhook_is_refused
  a_cut_connection_is_tried_again
  a_disconnected_account_is_closed
  a_rate_limit_and_a_failure_inside_the_server_are_typed_errors
].freeze

server = Server.new
passed = 0
failed = 0
begin
  merchant = Merchant.new(server)
  # The first failure ends it, since later steps stand on earlier ones.
  STEPS.each do |step|
    merchant.public_send(step)
    passed += 1
    puts "ruby stripe #{Stripe::VERSION} (#{Stripe.api_version}): #{step.to_s.tr('_', ' ')}"
  end
rescue StandardError => e
  failed = 1
  puts "FAILED ruby: #{STEPS[passed]}", e.full_message
ensure
  server.stop
end
puts "#{passed} passed, #{failed} failed"
exit(failed.zero? ? 0 : 1)
