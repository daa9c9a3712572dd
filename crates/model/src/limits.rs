//! Every bound of the product in one place. A queue, page, retry, body or batch without a bound
//! here is a defect.

/// The maximum size of a request body in bytes.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// The maximum size of the bodies in bytes that the server reads and works on at once. More wait. Bodies of
/// at most [`BODY_FREE_BYTES_MAX`] do not count.
pub const BODIES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The maximum size of a body that needs no room in [`BODIES_BYTES_MAX`].
pub const BODY_FREE_BYTES_MAX: usize = 4 * 1024;
/// The maximum size of the response to a read in bytes.
pub const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The maximum size in bytes of the responses that wait for their readers. A read beyond it returns 429.
/// Responses of at most [`RESPONSE_FREE_BYTES_MAX`] do not count.
pub const RESPONSES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The maximum size of a response that needs no room in [`RESPONSES_BYTES_MAX`].
pub const RESPONSE_FREE_BYTES_MAX: usize = 16 * 1024;
/// The maximum size of a stored object in bytes, except for a scenario.
pub const OBJECT_BYTES_MAX: usize = 256 * 1024;
/// The maximum size of a query string in bytes.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;
/// The maximum size of a request's first line and headers in bytes.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// The maximum size of a request's target, with its query string, in bytes.
pub const TARGET_BYTES_MAX: usize = 24 * 1024;
/// The maximum number of headers of a request.
pub const HEADERS_MAX: usize = 100;
/// The time for a whole request head, from its first byte, or from the beginning of the connection.
pub const HEAD_MS_MAX: u64 = 30_000;
/// The time for a whole request body.
pub const BODY_MS_MAX: u64 = 30_000;
/// The time in which a client has to read a whole response, from the moment at which it is slower
/// than the server.
pub const RESPONSE_MS_MAX: u64 = 60_000;
/// The time for which a connection without a request is kept open, and one to an event stream without
/// a message of its client.
pub const IDLE_CONNECTION_MS_MAX: u64 = 90_000;
/// The maximum number of bytes that are read and dropped of a request that was rejected, so that its
/// client sees the response.
pub const DROPPED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The time for which bytes of a rejected request are read and dropped.
pub const DROPPED_MS_MAX: u64 = 10_000;
/// The maximum number of open connections of the whole server.
pub const CONNECTIONS_MAX: usize = 4_096;
/// The maximum number of open connections of one client address, so that no client takes all places.
/// Loopback addresses and trusted proxies have no such bound.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_024;
/// The maximum number of further connections, which may only read the health of the server.
pub const HEALTH_CONNECTIONS_MAX: usize = 16;
/// The maximum number of lines of a merchant's address.
pub const ADDRESS_LINES_MAX: usize = 6;
/// The maximum length of a line of a merchant's address, in characters.
pub const ADDRESS_LINE_CHARS_MAX: usize = 80;
/// The maximum length of the name of a merchant in characters.
pub const MERCHANT_NAME_CHARS_MAX: usize = 100;
/// The maximum size of a merchant's logo, in bytes.
pub const LOGO_BYTES_MAX: u64 = 64 * 1024;
/// The maximum number of hosts of the setting `allowed-hosts`.
pub const ALLOWED_HOSTS_MAX: usize = 100;
/// The maximum number of parameters of a request, query and body together.
pub const PARAMETERS_MAX: usize = 1_000;
/// The maximum number of brackets in the name of a parameter.
pub const PARAMETER_DEPTH_MAX: usize = 8;
/// The maximum number of characters of a text parameter without a bound of its own (source:
/// Stripe's `OpenAPI` document).
pub const TEXT_CHARS_MAX: usize = 5_000;
/// The maximum number of rows of a list page. The minimum is 1.
pub const PAGE_ROWS_MAX: u32 = 100;
/// The number of rows of a list page without `limit`.
pub const PAGE_ROWS_DEFAULT: u32 = 10;
/// The maximum number of clauses of a search query.
pub const SEARCH_CLAUSES_MAX: usize = 10;
/// The maximum depth of a path to expand.
pub const EXPAND_DEPTH_MAX: usize = 4;
/// The maximum number of paths to expand in one request.
pub const EXPAND_PATHS_MAX: usize = 50;
/// The maximum number of objects that the expansions of one response add.
pub const EXPAND_OBJECTS_MAX: usize = 2_000;
/// The maximum number of keys of an object's metadata.
pub const METADATA_KEYS_MAX: usize = 50;
/// The maximum number of characters of a metadata key.
pub const METADATA_KEY_CHARS_MAX: usize = 40;
/// The maximum number of characters of a metadata value.
pub const METADATA_VALUE_CHARS_MAX: usize = 500;
/// The maximum number of characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// The time for which an idempotency key is stored.
pub const IDEMPOTENCY_AGE_MS_MAX: i64 = 24 * 3_600 * 1_000;
/// The maximum number of merchants with objects. A key without objects takes no place.
pub const MERCHANTS_MAX: u64 = 100_000;
/// The days without a call after which a sandbox may give its place to another one, unless the operator
/// sets another number.
pub const SANDBOX_IDLE_DAYS_DEFAULT: u32 = 30;
/// The maximum of this number.
pub const SANDBOX_IDLE_DAYS_MAX: u32 = 3_650;
/// The maximum number of sandboxes that a command passes in search of an unused one.
pub const PLACES_PASSED_MAX: usize = 256;
/// The maximum number of merchants with calls that are noted in memory until they are stored.
pub const USES_NOTED_MAX: usize = 10_000;
/// The maximum number of keys that a server issues, revoked keys included.
pub const ISSUED_KEYS_MAX: u32 = 10_000;
/// The maximum number of characters of an issued key's name.
pub const KEY_NAME_CHARS_MAX: usize = 100;
/// The maximum number of webhook endpoints of a merchant (Stripe allows 16).
pub const ENDPOINTS_MAX: usize = 16;
/// The maximum number of external accounts of a connected account.
pub const EXTERNAL_ACCOUNTS_MAX: usize = 50;
/// The maximum number of event types that an endpoint names.
pub const ENABLED_EVENTS_MAX: usize = 500;
/// The maximum number of active secrets of an endpoint: the newest and those that a roll is
/// replacing.
pub const ENDPOINT_SECRETS_MAX: usize = 2;
/// The maximum number of accounts that one link flow links.
pub const LINKED_ACCOUNTS_MAX: usize = 100;

/// The maximum number of rows that one refresh applies. At the limit the refresh succeeds with the
/// rows that it has.
pub const REFRESH_ROWS_MAX: usize = 20_000;
/// The size of the fetched rows in bytes after which a refresh fetches no further page.
pub const REFRESH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The maximum size in bytes of the rows of large refreshes at once. More wait.
pub const REFRESHES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The size of the fetched rows in bytes from which on a refresh is large.
pub const REFRESH_FREE_BYTES_MAX: usize = 256 * 1024;
/// The maximum number of pages that one refresh fetches.
pub const REFRESH_PAGES_MAX: u32 = 200;
/// The maximum number of attempts of one refresh, including attempts that the bank postponed.
pub const REFRESH_ATTEMPTS_MAX: u32 = 20;
/// The age at which a pending refresh fails, in account time.
pub const REFRESH_AGE_S_MAX: i64 = 2 * 86_400;
/// The maximum number of refreshes in progress. A merchant, and an institution, have at most as many as
/// are free.
pub const REFRESHES_IN_PROGRESS_MAX: usize = 128;
/// The maximum number of due refreshes of a merchant that one claim reads.
pub const REFRESHES_READ_MAX: usize = 1_024;
/// The lease of a refresh, an advance or a delivery, unless the operator sets another.
pub const LEASE_MS_DEFAULT: i64 = 60_000;
/// The maximum number of retries of a command after a version conflict.
pub const STALE_RETRIES_MAX: u32 = 16;
/// The maximum size of a bank's own transaction id in bytes.
pub const BANK_ID_BYTES_MAX: usize = 255;
/// The maximum number of refunds of a charge.
pub const REFUNDS_MAX: u32 = 100;
/// The maximum absolute amount of a transaction or balance that a test may set, in minor units.
pub const STEERED_AMOUNT_MAX: i64 = 1_000_000_000_000;
/// The maximum absolute balance of a customer that a call may set, in minor units. Sums with it
/// stay far from the bounds of an integer.
pub const BALANCE_MAX: i64 = 1_000_000_000_000;
/// The maximum number of scripted refresh outcomes in the queue of one test account.
pub const SCRIPTED_OUTCOMES_MAX: usize = 100;
/// The maximum number of scripted bank-side changes of one test account.
pub const SCRIPTED_CHANGES_MAX: usize = 10_000;
/// The maximum size in bytes of an account's state at a test bank, with all changes and scripted outcomes.
/// Each fetch reads it.
pub const BANK_STATE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The maximum number of entries of a page of a bank's ledger, and the number without `limit`.
pub const LEDGER_PAGE_ROWS_MAX: u32 = 1_000;
/// The size of its entries in bytes after which a page of a bank's ledger ends.
pub const LEDGER_PAGE_BYTES_MAX: usize = 1024 * 1024;
/// The maximum size of a scenario in bytes.
pub const SCENARIO_BYTES_MAX: usize = 256 * 1024;
/// The maximum number of scenarios of a merchant.
pub const SCENARIOS_MAX: usize = 20;
/// The maximum number of institutions of a scenario.
pub const SCENARIO_INSTITUTIONS_MAX: usize = 20;
/// The maximum number of holders of a scenario.
pub const SCENARIO_HOLDERS_MAX: usize = 200;
/// The maximum number of accounts of a scenario.
pub const SCENARIO_ACCOUNTS_MAX: usize = 50;
/// The maximum number of periods of one account of a scenario.
pub const SCENARIO_STRETCHES_MAX: usize = 50;
/// The maximum number of entries in the timeline of one account of a scenario.
pub const SCENARIO_FACTS_MAX: usize = 5_000;
/// The number of events that an export of an account reads at once.
pub const SCENARIO_EVENTS_READ: usize = 500;
/// The maximum number of such reads. Later events are left out.
pub const SCENARIO_EVENT_PAGES_MAX: usize = 40;

/// The maximum number of due accounts that the scheduler takes at once.
pub const SCHEDULE_BATCH_MAX: usize = 256;
/// The maximum number of accounts and objects with failed due work that are remembered. Each is
/// logged once, and does not delay the others.
pub const STUCK_MAX: usize = 4_096;
/// The maximum number of items that one step of a test clock commits together.
pub const CLOCK_STEP_ITEMS_MAX: usize = 256;
/// The number of transaction rows after which one step of a test clock takes no further item.
pub const CLOCK_STEP_ROWS_MAX: usize = 1_000;
/// The maximum number of transaction rows that one advance of a test clock caches, about 10 MB. The
/// rows of further accounts are read from the database for each refresh. Each 256 bytes of a text count as
/// another row.
pub const CLOCK_CACHED_ROWS_MAX: usize = 40_000;
/// The maximum distance of one advance of a test clock: two years.
pub const CLOCK_ADVANCE_S_MAX: i64 = 2 * 366 * 86_400;
/// The maximum number of pages of customers that one deletion of a test clock processes. A second
/// call deletes the rest.
pub const CLOCK_CUSTOMER_PAGES_MAX: u32 = 10_000;
/// Seconds after which the server completes the deletion of a customer, a test clock or a connected
/// account whose call has not completed it.
pub const DELETION_TAKEOVER_S: i64 = 60;

/// The maximum number of events of a merchant that one command dispatches.
pub const DISPATCH_BATCH_MAX: usize = 64;
/// The size of stored events in bytes after which a batch ends.
pub const DISPATCH_BYTES_MAX: usize = 256 * 1_024;
/// The maximum number of batches of a merchant before another merchant has a turn.
pub const FEED_TURN_BATCHES_MAX: u32 = 8;
/// The maximum number of merchants with events that are dispatched at the same time.
pub const FEED_TURNS_MAX: usize = 8;
/// The maximum number of waiting merchants that the dispatcher reads at once.
pub const FEEDS_LISTED_MAX: usize = 64;
/// The lease of a merchant's feed. A batch takes milliseconds, and a crash delays the merchant's
/// events by this time at most.
pub const FEED_LEASE_MS: i64 = 5_000;
/// The maximum number of claims that a dispatcher caches.
pub const FEED_CLAIMS_CACHED_MAX: usize = 4_096;
/// The maximum number of batches that a call dispatches before it creates an endpoint or opens an
/// event stream.
pub const FEED_BATCHES_AT_ONCE_MAX: u32 = 256;
/// The maximum number of deliveries in flight on the whole server. A merchant has at most as many as are
/// free, so one merchant has at most half of them.
pub const DELIVERIES_IN_FLIGHT_MAX: usize = 256;
/// The maximum number of deliveries that one command claims, and of attempts that it records.
pub const DELIVERY_CLAIMS_MAX: usize = 256;
/// The maximum number of deliveries in flight to one endpoint.
pub const DELIVERIES_IN_FLIGHT_PER_ENDPOINT_MAX: usize = 32;
/// The maximum number of deliveries to a closed endpoint that one command makes due.
pub const RELEASE_ROWS_MAX: u32 = 200;
/// The timeout of a delivery attempt. It is shorter where leases are shorter, because a lease must
/// outlast the attempt.
pub const DELIVERY_TIMEOUT_MS: u64 = 20_000;
/// The maximum number of stored bytes of an endpoint's response.
pub const ATTEMPT_BODY_BYTES_MAX: usize = 1_024;
/// The maximum number of attempts of a delivery, attempts on demand included. The schedules of
/// settings make far fewer.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 100;
/// The maximum number of faults on demand of a merchant.
pub const FAULTS_MAX: usize = 50;
/// The maximum number of event types that a fault on demand names.
pub const FAULT_TYPES_MAX: usize = 100;
/// The maximum number of characters of the path that a fault on demand names.
pub const FAULT_PATH_CHARS_MAX: usize = 500;
/// The maximum delay of an API call by a fault on demand. SDKs give up after 80 seconds.
pub const FAULT_LATENCY_MS_MAX: i64 = 60_000;
/// The maximum delay of a webhook by a fault on demand.
pub const FAULT_DELAY_MS_MAX: i64 = 86_400_000;
/// The maximum of the numbers that select the hits of a fault on demand: every nth, or the first n.
pub const FAULT_COUNT_MAX: i64 = 1_000_000;
/// The maximum number of merchants with cached faults on demand. Those of further merchants are
/// read from the database.
pub const FAULT_MERCHANTS_CACHED_MAX: usize = 4_096;
/// The maximum number of cached faults of all merchants, of up to 10 KB each.
pub const FAULTS_CACHED_MAX: usize = 4_096;
/// The time after which a server reads the cached faults on demand of a merchant again. Another
/// server may have changed them.
pub const FAULTS_CACHED_MS_MAX: i64 = 1_000;
/// The maximum number of webhooks that reordering faults keep in memory. A merchant has at most as many as
/// are free. One more is sent when its delay is over.
pub const FAULT_HELD_MAX: usize = 1_024;
/// The maximum time that one call waits for an event. SDKs give up after 80 seconds.
pub const EVENT_WAIT_S_MAX: i64 = 60;
/// The time that a call waits for an event unless it sets another.
pub const EVENT_WAIT_S_DEFAULT: i64 = 30;
/// The maximum number of calls that wait on the whole server. One more is rejected.
pub const EVENT_WAITS_MAX: usize = 2_048;
/// The maximum number of calls of one merchant that wait. It also has at most as many as are free.
pub const EVENT_WAITS_PER_MERCHANT_MAX: usize = 128;
/// The interval at which a waiting call looks without a wake-up, in milliseconds.
pub const EVENT_WAIT_POLL_MS: u64 = 1_000;
/// The maximum number of rows of each kind that one look for open work reads.
pub const OPEN_WORK_ROWS_MAX: usize = 200;
/// The maximum number of open pieces of work that an API error names.
pub const OPEN_WORK_NAMED_MAX: usize = 10;
/// The maximum number of advances that a server with a seed claims at once.
pub const CLOCK_CLAIMS_MAX: usize = 1_024;
/// The maximum number of advances that a server works on at once. Their steps share commits. A merchant
/// has at most as many as are free.
pub const ADVANCES_MAX: usize = 24;
/// The maximum number of rounds in which a server with a seed does due work before a call.
pub const CATCH_UP_ROUNDS_MAX: usize = 1_000;
/// The time for which a rolled secret stays active, unless the roll sets another.
pub const SECRET_ROLL_MS_MAX: i64 = 24 * 3_600 * 1_000;

/// The maximum number of event streams on the whole server.
pub const EVENT_STREAMS_MAX: usize = 256;
/// The maximum number of event streams of a merchant. It also has at most as many as are free.
pub const EVENT_STREAMS_PER_MERCHANT_MAX: usize = 16;
/// The maximum number of connected accounts with a position in an event stream.
pub const EVENT_STREAM_FEEDS_MAX: usize = 4_096;
/// The maximum size in bytes of the messages that an event stream keeps until they are acknowledged. A
/// single event may be larger.
pub const EVENT_STREAM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The maximum size of the messages of all event streams of a merchant.
pub const EVENT_STREAMS_BYTES_PER_MERCHANT_MAX: usize = 16 * 1024 * 1024;
/// The maximum size of the messages of all event streams of the server.
pub const EVENT_STREAMS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The maximum number of sent events of an event stream that its reader may still report on.
pub const EVENT_STREAM_MESSAGES_MAX: usize = 2_000;
/// The time for which an event stream without a reader is kept.
pub const EVENT_STREAM_AWAY_MS_MAX: i64 = 60_000;
/// The time that a reader of an event stream has to take a message.
pub const EVENT_STREAM_SEND_MS_MAX: u64 = 10_000;
/// The maximum size of a message from a reader of an event stream in bytes.
pub const EVENT_STREAM_RECEIVED_BYTES_MAX: usize = 64 * 1_024;

/// The maximum number of commands that wait for the writer. One more gets a 429 response.
pub const WRITER_QUEUE_MAX: usize = 4_096;
/// The maximum size of these commands in bytes. One more gets a 429 response.
pub const WRITER_QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The maximum number of commands in one commit.
pub const WRITER_GROUP_MAX: usize = 256;
/// The maximum number of connections that read.
pub const READERS_MAX: usize = 16;
/// The steps of `SQLite` (instructions of its virtual machine) that a read may take on a serving
/// thread, about a millisecond. A page of a hundred rows takes a tenth. A longer read moves to the
/// pool of long reads.
pub const READ_STEPS_MAX: u32 = 50_000;
/// The maximum number of long reads that run at once. One merchant runs at most one.
pub const LONG_READS_MAX: usize = 2;
/// The maximum number of calls that another server handles at once.
pub const FORWARDED_CALLS_MAX: usize = 16;
/// The maximum time of a call that another server handles, in milliseconds.
pub const FORWARDED_CALL_MS_MAX: u64 = 30_000;
/// The maximum number of long reads that copy or measure a sandbox at once. A list does not wait for them.
pub const COPY_READS_MAX: usize = 1;
/// The maximum number of long reads that run or wait. A merchant has at most as many as are free.
pub const LONG_READS_WAITING_MAX: usize = 256;
/// The maximum number of due rows of each kind that metrics count.
pub const BACKLOG_ROWS_MAX: u32 = 10_000;
/// The maximum number of rows of each kind that one step of the pruner deletes.
pub const PRUNE_ROWS_MAX: u32 = 200;
/// The maximum number of pages of 4 KiB that one step gives back to the disk.
pub const FREED_PAGES_MAX: u32 = 200;
/// The free pages that always stay in the file.
pub const FREE_PAGES_MIN: u32 = 1_024;
/// One page of this number may stay free.
pub const FREE_PAGES_PART: u32 = 10;
/// The maximum number of snapshots of a merchant.
pub const SNAPSHOTS_MAX: usize = 50;
/// The maximum number of snapshots that are taken at once. More wait.
pub const SNAPSHOTS_AT_ONCE_MAX: usize = 8;
/// The maximum number of rows of a sandbox that a snapshot can hold.
pub const SNAPSHOT_ROWS_MAX: u64 = 200_000;
/// The maximum size of these rows in bytes.
pub const SNAPSHOT_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// The maximum number of rows that one step of a snapshot or of a restore writes, or that one step of a
/// removal deletes. A step takes about 8 ms of the writer.
pub const REPLACE_ROWS_MAX: usize = 200;
/// The maximum number of such steps that run or wait for the writer at once. The merchants take turns.
pub const COPY_STEPS_MAX: usize = 1;
/// The number of bytes after which a step of a snapshot or of a restore ends.
pub const REPLACE_BYTES_MAX: usize = 256 * 1024;
/// The time without a step after which the pruner removes the rows of a snapshot that is being taken, or
/// those of a restore.
pub const REPLACE_LEASE_MS: i64 = 60_000;
/// The number of bytes from which the copy of a sandbox is in a file instead of memory, until its rows
/// are in the snapshot.
pub const COPY_MEMORY_BYTES_MAX: usize = 1024 * 1024;
/// The number of stored events that a page of thin events reads at most.
pub const THIN_EVENTS_READ_MAX: u32 = 1_000;
/// The maximum number of names in the filter of a list of thin events.
pub const THIN_TYPES_MAX: usize = 20;
/// The maximum number of connected accounts that are saved, restored and removed with their
/// platform.
pub const SANDBOX_MERCHANTS_MAX: usize = 1_000;
/// The maximum number of restores that are recorded apart with their undone refreshes. Beyond it
/// the oldest two count as one, with the refreshes between them.
pub const UNDONE_RANGES_MAX: usize = 16;
/// The time for which events, deliveries and attempts are stored.
pub const EVENT_AGE_MS_MAX: i64 = 30 * 86_400 * 1_000;
/// The time for which the detail of a refresh is stored.
pub const REFRESH_DETAIL_AGE_MS_MAX: i64 = 90 * 86_400 * 1_000;
/// The most days with an inferred balance.
pub const INFERRED_DAYS_MAX: i64 = 180;
/// The time after a hosted session that links again for which no second one is created, unless the
/// first has succeeded.
pub const HOSTED_RELINK_PAUSE_S: i64 = 2 * 86_400;
/// The age at which a link session expires.
pub const SESSION_AGE_S_MAX: i64 = 86_400;
/// The age at which a link flow expires.
pub const LINK_FLOW_AGE_S_MAX: i64 = 86_400;
/// The time for which a link flow is stored after its start.
pub const LINK_FLOW_KEPT_MS_MAX: i64 = 30 * 86_400 * 1_000;
/// The maximum number of customers, and of link flows, in which one e-mail address is looked up.
pub const KNOWN_CUSTOMERS_MAX: u32 = 20;
/// The maximum number of forms that one login asks for, one after the other.
pub const LOGIN_STEPS_MAX: u32 = 8;
/// The number of buckets that divide the rows of accounts and their events. The keys of stored rows
/// begin with a bucket, so this number must never change.
pub const BUCKETS: u32 = 4_096;

/// The maximum number of merchants with a client checker. Beyond it the one observed longest ago is
/// dropped.
pub const CHECKER_MERCHANTS_MAX: usize = 200;
/// The maximum number of observed accounts of a merchant. Beyond it the one observed longest ago is
/// dropped.
pub const CHECKER_ACCOUNTS_MAX: usize = 200;
/// The maximum number of diagnostics of a merchant. Beyond it, known diagnostics are still counted.
pub const CHECKER_DIAGNOSTICS_MAX: usize = 200;
/// The maximum number of observations that a diagnostic shows.
pub const CHECKER_EVIDENCE_MAX: usize = 6;
/// The maximum number of unfinished lists that are observed per account.
pub const CHECKER_LISTINGS_MAX: usize = 8;
/// The maximum number of deliveries in flight that are observed per account.
pub const CHECKER_DELIVERIES_MAX: usize = 16;
/// The maximum number of unread refreshes of an account. Beyond it the oldest are not counted.
pub const CHECKER_UNREAD_MAX: usize = 100;
/// The maximum number of read ranges of an account's refreshes with unread ones between them.
/// Beyond it the oldest is dropped.
pub const CHECKER_STRETCHES_MAX: usize = 100;
/// The days and accounts for which the client checker counts refreshes.
pub const CHECKER_REFRESH_DAYS_MAX: usize = 1_000;
/// The number of reads of an account within [`CHECKER_POLLS_MS`], during one pending refresh, that
/// gives a diagnostic.
pub const CHECKER_POLLS_MAX: usize = 10;
/// The window of [`CHECKER_POLLS_MAX`].
pub const CHECKER_POLLS_MS: i64 = 60_000;
/// The time without activity after which the client checker treats a list or an event as abandoned.
pub const CHECKER_QUIET_MS: i64 = 60_000;
/// The time without activity after which a failed refresh counts as ignored. It is long because
/// people may have to act.
pub const CHECKER_FAILED_QUIET_MS: i64 = 3_600_000;
/// The interval at which a waiting command polls.
pub const COMMAND_POLL_MS: u64 = 100;
/// The interval at which `bankfeed listen` checks that its server is ready.
pub const LISTEN_CHECK_MS: u64 = 1_000;
/// The maximum number of events that `bankfeed listen` remembers, and sends again after a restart.
pub const LISTEN_EVENTS_MAX: usize = 1_000;
/// The maximum time that a command may wait: a day.
pub const COMMAND_WAIT_S_MAX: u64 = 86_400;
/// The maximum number of rows that a command shows or writes of one list.
pub const COMMAND_ROWS_MAX: usize = 2_000_000;
/// The maximum distance of one command that advances a test clock: ten years, with up to three leap
/// days.
pub const COMMAND_ADVANCE_S_MAX: i64 = 3_653 * 86_400;
/// The maximum size of a record of API calls in bytes. Calls beyond it are not recorded.
pub const RECORD_BYTES_MAX: u64 = 1 << 30;
/// The maximum number of connections of the programs that `bankfeed run` runs.
pub const RUN_CONNECTIONS_MAX: usize = 1_024;
/// The maximum number of remarks that `bankfeed run` prints about the calls of its program.
pub const RUN_REMARKS_MAX: usize = 64;
