//! Tests of the API: every call through HTTP against a server in this process.
//!
//! All tests are in one binary, because linking takes longer than running.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::too_many_lines, reason = "a snapshot is as long as what it shows")]

mod bounds;
mod browser;
mod checkout;
mod checkout_sells;
mod checkout_shows;
mod clock_steps;
mod conflicts;
mod connect;
mod connect_acting;
mod connect_apart;
mod connect_payouts;
mod connections_settings;
mod cool_down;
mod cursors;
mod customers;
mod customers_gone;
mod debits;
mod deletions;
mod determinism;
mod dialect;
mod due_fails;
mod endpoints;
mod errors;
mod errors_checkout;
mod errors_intents;
mod errors_invoices;
mod errors_steering;
mod errors_subscriptions;
mod event_streams;
mod expansion;
mod failures;
mod faults;
mod feeds;
mod filters;
mod guide;
mod hosted;
mod hosted_sessions;
mod idempotency;
mod indent;
mod intents;
mod invoice_balances;
mod invoice_payments;
mod invoices;
mod judge;
mod judge_reads;
mod keys;
mod ledger;
mod limits;
mod link_flow;
mod link_flow_carriers;
mod link_flow_faults;
mod link_flow_hostile;
mod link_flow_known;
mod live;
mod method_configurations;
mod metrics;
mod older_shapes;
mod other_origins;
mod parameters;
mod prefetch;
mod record;
mod relinks;
mod scenarios;
mod settings_page;
mod snapshots;
mod steering;
mod subscriptions;
mod subscriptions_life;
mod versions;
mod versions_shown;
mod waits;
