//! Every bound of the product in one place. A queue, page, retry, body or batch without a number
//! here is a defect.

/// Bytes of a request body.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a query string.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// Parameters of a request, query and body together.
pub const PARAMETERS_MAX: usize = 1_000;
/// Brackets behind the name of a parameter.
pub const PARAMETER_DEPTH_MAX: usize = 8;
/// Characters of a text parameter that states no bound of its own (source: Stripe's `OpenAPI` document).
pub const TEXT_CHARS_MAX: usize = 5_000;
/// Rows of a list page; the least is 1.
pub const PAGE_ROWS_MAX: u32 = 100;
/// Rows of a list page when `limit` is left out.
pub const PAGE_ROWS_DEFAULT: u32 = 10;
/// Levels of a path to expand.
pub const EXPAND_DEPTH_MAX: usize = 4;
/// Paths to expand in one request.
pub const EXPAND_PATHS_MAX: usize = 50;
/// Keys of an object's metadata.
pub const METADATA_KEYS_MAX: usize = 50;
/// Characters of a metadata key.
pub const METADATA_KEY_CHARS_MAX: usize = 40;
/// Characters of a metadata value.
pub const METADATA_VALUE_CHARS_MAX: usize = 500;
/// Characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// How long an idempotency key is kept.
pub const IDEMPOTENCY_AGE_MS_MAX: i64 = 24 * 3_600 * 1_000;
/// Merchants that a server in any-key mode makes.
pub const MERCHANTS_MAX: u64 = 100_000;
/// Keys that a server issues, revoked ones among them.
pub const ISSUED_KEYS_MAX: u32 = 10_000;
/// Characters of what an issued key is called.
pub const KEY_NAME_CHARS_MAX: usize = 100;
/// Webhook endpoints of a merchant (Stripe allows 16).
pub const ENDPOINTS_MAX: usize = 16;
/// Bank accounts that a connected account is paid out to.
pub const EXTERNAL_ACCOUNTS_MAX: usize = 50;
/// Event types that an endpoint names.
pub const ENABLED_EVENTS_MAX: usize = 500;
/// Active secrets of an endpoint: the newest and those that are being rolled out.
pub const ENDPOINT_SECRETS_MAX: usize = 2;
/// Accounts that one link flow gives.
pub const LINKED_ACCOUNTS_MAX: usize = 100;

/// Rows that one refresh applies; at the limit it succeeds with what it has.
pub const REFRESH_ROWS_MAX: usize = 20_000;
/// Pages that one refresh fetches.
pub const REFRESH_PAGES_MAX: u32 = 200;
/// Attempts of one refresh, those put off by the bank included.
pub const REFRESH_ATTEMPTS_MAX: u32 = 20;
/// Age at which a pending refresh fails, in account time.
pub const REFRESH_AGE_S_MAX: i64 = 2 * 86_400;
/// Refreshes claimed at once by a worker.
pub const REFRESH_CLAIMS_MAX: usize = 128;
/// How long a refresh, an advance or a delivery is leased unless the operator says otherwise.
pub const LEASE_MS_DEFAULT: i64 = 60_000;
/// How often a command is tried again when its object changed meanwhile.
pub const STALE_RETRIES_MAX: u32 = 16;
/// Bytes of a bank's own transaction id.
pub const BANK_ID_BYTES_MAX: usize = 255;
/// Minor units of an amount or a balance that a test may make up, either way.
pub const STEERED_AMOUNT_MAX: i64 = 1_000_000_000_000;
/// Minor units of a customer's balance that a call may set, either way: sums with it never come near
/// the end of an integer.
pub const BALANCE_MAX: i64 = 1_000_000_000_000;
/// Scripted refresh outcomes queued on one test account.
pub const SCRIPTED_OUTCOMES_MAX: usize = 100;
/// Scripted bank-side changes of one test account.
pub const SCRIPTED_CHANGES_MAX: usize = 10_000;
/// Bytes of a scenario.
pub const SCENARIO_BYTES_MAX: usize = 256 * 1024;
/// Scenarios of a merchant.
pub const SCENARIOS_MAX: usize = 20;
/// Institutions of a scenario.
pub const SCENARIO_INSTITUTIONS_MAX: usize = 20;
/// Holders of a scenario.
pub const SCENARIO_HOLDERS_MAX: usize = 200;
/// Accounts of a scenario.
pub const SCENARIO_ACCOUNTS_MAX: usize = 50;
/// Stretches of one account of a scenario.
pub const SCENARIO_STRETCHES_MAX: usize = 50;
/// Entries in the timeline of one account of a scenario.
pub const SCENARIO_FACTS_MAX: usize = 5_000;
/// Events that an export of an account reads at once.
pub const SCENARIO_EVENTS_READ: usize = 500;
/// How often it does; what is beyond is left out.
pub const SCENARIO_EVENT_PAGES_MAX: usize = 40;

/// Due accounts taken by the scheduler at once.
pub const SCHEDULE_BATCH_MAX: usize = 256;
/// Accounts and objects whose due work failed that are remembered, so that each is told of once and
/// leaves room for the others.
pub const STUCK_MAX: usize = 4_096;
/// Items that one step of a test clock commits together.
pub const CLOCK_STEP_ITEMS_MAX: usize = 256;
/// Transaction rows that one advance of a test clock keeps in memory, some 25 MB. Accounts beyond
/// have theirs read anew for each refresh.
pub const CLOCK_HELD_ROWS_MAX: usize = 100_000;
/// Furthest that a test clock may be advanced at once: two years.
pub const CLOCK_ADVANCE_S_MAX: i64 = 2 * 366 * 86_400;
/// Pages of customers that one deletion of a test clock goes through; a further one deletes the
/// rest.
pub const CLOCK_CUSTOMER_PAGES_MAX: u32 = 10_000;

/// Events dispatched at once.
pub const DISPATCH_BATCH_MAX: usize = 64;
/// Deliveries in flight in the whole server.
pub const DELIVERIES_IN_FLIGHT_MAX: usize = 256;
/// Deliveries in flight to one endpoint.
pub const DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX: usize = 32;
/// How long an endpoint may take to answer; less where leases are shorter, for a lease has to
/// outlast the attempt.
pub const DELIVERY_TIMEOUT_MS: u64 = 20_000;
/// Bytes kept of an endpoint's answer.
pub const ATTEMPT_BODY_BYTES_MAX: usize = 1_024;
/// Attempts that a delivery has room for, those asked for included; the schedules of settings make
/// far fewer.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 100;
/// Faults on demand of a merchant at a time.
pub const FAULTS_MAX: usize = 50;
/// Event types that a fault on demand names.
pub const FAULT_TYPES_MAX: usize = 100;
/// Characters of the path that a fault on demand names.
pub const FAULT_PATH_CHARS_MAX: usize = 500;
/// Longest that a fault on demand holds an API call; SDKs give one up after 80 seconds.
pub const FAULT_LATENCY_MS_MAX: i64 = 60_000;
/// Longest that a fault on demand holds a webhook.
pub const FAULT_DELAY_MS_MAX: i64 = 86_400_000;
/// Things that a fault on demand counts or spares: every so many, the first so many.
pub const FAULT_COUNT_MAX: i64 = 1_000_000;
/// Merchants whose faults on demand are kept in memory; those beyond are read anew.
pub const FAULT_MERCHANTS_HELD_MAX: usize = 4_096;
/// Webhooks held back by faults that reorder, in memory; one more goes out when its time is over.
pub const FAULT_HELD_MAX: usize = 1_024;
/// Longest that one call waits for an event; the SDKs give a call up after 80 seconds.
pub const EVENT_WAIT_S_MAX: i64 = 60;
/// How long a call waits for an event unless it says otherwise.
pub const EVENT_WAIT_S_DEFAULT: i64 = 30;
/// Calls that wait for events in the whole server; one more is refused.
pub const EVENT_WAITS_MAX: usize = 256;
/// News of deliveries that wait for a call that waits for events; one that falls further behind
/// looks through all of its events.
pub const EVENT_NEWS_MAX: usize = 1_024;
/// How long a rolled secret stays active unless the roll says otherwise.
pub const SECRET_ROLL_MS_MAX: i64 = 24 * 3_600 * 1_000;

/// Event streams of the whole server.
pub const EVENT_STREAMS_MAX: usize = 256;
/// Event streams of a merchant.
pub const EVENT_STREAMS_PER_MERCHANT_MAX: usize = 16;
/// Messages that an event stream keeps because they were not acknowledged.
pub const EVENT_STREAM_MESSAGES_MAX: usize = 2_000;
/// How long an event stream is kept while nobody reads it.
pub const EVENT_STREAM_AWAY_MS_MAX: i64 = 60_000;
/// How long a reader of an event stream may take to take a message.
pub const EVENT_STREAM_SEND_MS_MAX: u64 = 10_000;
/// Bytes of a message from a reader of an event stream.
pub const EVENT_STREAM_RECEIVED_BYTES_MAX: usize = 64 * 1_024;

/// Commands waiting for the writer; one more is answered with 429.
pub const WRITER_QUEUE_MAX: usize = 4_096;
/// Commands in one commit.
pub const WRITER_GROUP_MAX: usize = 256;
/// Connections that read.
pub const READERS_MAX: usize = 16;
/// Rows deleted by one step of the pruner.
pub const PRUNE_ROWS_MAX: u32 = 1_000;
/// Snapshots that a merchant keeps.
pub const SNAPSHOTS_MAX: usize = 50;
/// Rows of a sandbox that a snapshot is taken of.
pub const SNAPSHOT_ROWS_MAX: u64 = 200_000;
/// Bytes that these rows hold.
pub const SNAPSHOT_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Rows of a sandbox that a reset, or the way back to a snapshot, removes in its one commit.
pub const SANDBOX_ROWS_MAX: u64 = 1_000_000;
/// Connected accounts whose rows are taken, restored and removed with those of their platform.
pub const SANDBOX_MERCHANTS_MAX: usize = 1_000;
/// Restores after which the refreshes of an account that they undid are told apart one by one; of
/// more, the oldest two count as one, with those between them.
pub const UNDONE_RANGES_MAX: usize = 16;
/// How long events, deliveries and attempts are kept.
pub const EVENT_AGE_MS_MAX: i64 = 30 * 86_400 * 1_000;
/// How long the detail of a refresh is kept.
pub const REFRESH_DETAIL_AGE_MS_MAX: i64 = 90 * 86_400 * 1_000;
/// How long a link session may be completed.
pub const SESSION_AGE_S_MAX: i64 = 86_400;
/// How long a run of the link flow takes steps.
pub const LINK_FLOW_AGE_S_MAX: i64 = 86_400;
/// How long a run of the link flow is kept after it began.
pub const LINK_FLOW_KEPT_MS_MAX: i64 = 30 * 86_400 * 1_000;
/// Customers, and runs of link flows, that one e-mail address is looked up in.
pub const KNOWN_CUSTOMERS_MAX: u32 = 20;
/// Forms that one login may ask for, one after the other.
pub const LOGIN_STEPS_MAX: u32 = 8;
/// Parts into which accounts are spread for claims and for the daily work.
pub const BUCKETS: u32 = 1_024;

/// Merchants whose clients are judged at once; one more, and the one heard of longest ago is
/// forgotten.
pub const JUDGE_MERCHANTS_MAX: usize = 1_000;
/// Accounts that are watched of a merchant; one more, and the one heard of longest ago is forgotten.
pub const JUDGE_ACCOUNTS_MAX: usize = 200;
/// Findings that are kept of a merchant; beyond, the same ones are still counted.
pub const JUDGE_FINDINGS_MAX: usize = 500;
/// What is shown with a finding.
pub const JUDGE_EVIDENCE_MAX: usize = 6;
/// Unfinished listings that are watched of an account.
pub const JUDGE_LISTINGS_MAX: usize = 8;
/// Deliveries about an account that are watched while they are under way.
pub const JUDGE_DELIVERIES_MAX: usize = 16;
/// Refreshes of an account that were told and not read; of more, the oldest are not counted.
pub const JUDGE_UNREAD_MAX: usize = 100;
/// Stretches of an account's refreshes that were read with others between them unread; of more, the
/// oldest is forgotten.
pub const JUDGE_STRETCHES_MAX: usize = 100;
/// How often an account may be read within [`JUDGE_POLLS_MS`] while the same refresh is pending; the
/// last of so many is a finding.
pub const JUDGE_POLLS_MAX: usize = 10;
/// See [`JUDGE_POLLS_MAX`].
pub const JUDGE_POLLS_MS: i64 = 60_000;
/// How long nothing may follow before a client is thought to have left a listing or an event.
pub const JUDGE_QUIET_MS: i64 = 60_000;
/// How long nothing may follow before a failed refresh is thought to be ignored: people may have to
/// act on it.
pub const JUDGE_FAILED_QUIET_MS: i64 = 3_600_000;
/// How long a command waits before it looks again.
pub const COMMAND_POLL_MS: u64 = 100;
/// The longest that a command may be told to wait: a day.
pub const COMMAND_WAIT_S_MAX: u64 = 86_400;
/// Rows that a command shows or writes of one list.
pub const COMMAND_ROWS_MAX: usize = 2_000_000;
/// How far one command advances a test clock: ten years and a leap day or three.
pub const COMMAND_ADVANCE_S_MAX: i64 = 3_653 * 86_400;
/// Bytes of a record of API calls, after which nothing more is written to it.
pub const RECORD_BYTES_MAX: u64 = 1 << 30;
