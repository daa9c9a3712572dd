//! A diagnostic of the client checker: a habit of a client that would lose data in production, with
//! its evidence.
//!
//! The server observes the client and keeps diagnostics in memory only. `docs/judge.md` defines the
//! exact condition of each.

use model::bank::Feature;
use model::clock::{AccountTime, ServerTime};
use model::endpoint::Endpoint;
use model::id::{AccountId, DestinationId, EndpointId, EventId, RequestId};
use model::limits::CHECKER_EVIDENCE_MAX;
use model::{Word, words};

words! {
    /// The kind of a diagnostic, worst first.
    DiagnosticCode {
        /// The client accepted a webhook with a wrong signature.
        WebhookNotVerified = "webhook_not_verified",
        /// The client began a later list before it had read the last page of an earlier one.
        CursorMovedEarly = "cursor_moved_early",
        /// The client stopped reading a list that had more pages.
        PagingStopped = "paging_stopped",
        /// The client used the bank's time to find new transactions.
        TimeAsCursor = "time_as_cursor",
        /// The client used a transaction to find new transactions.
        RowAsCursor = "row_as_cursor",
        /// The client accepted an event and never read the transactions that it reports.
        EventNotRead = "event_not_read",
        /// The client ignored a failed refresh, or treated it as a success.
        FailedRefreshIgnored = "failed_refresh_ignored",
        /// The client read data during a refresh of its own and never read them again.
        ReadWhilePending = "read_while_pending",
        /// The client ignored the error of a call about an account.
        ErrorIgnored = "error_ignored",
        /// The client started refreshes, and no endpoint receives their events.
        NoEndpoint = "no_endpoint",
        /// A webhook got a redirect as its response.
        WebhookRedirected = "webhook_redirected",
        /// The client requested a refresh during its cool-down.
        RefreshInCoolDown = "refresh_in_cool_down",
        /// The client read an account repeatedly while a refresh was pending.
        PendingPolled = "pending_polled",
    }
}

impl DiagnosticCode {
    /// Returns a sentence that describes the observation.
    pub fn message(self) -> &'static str {
        match self {
            Self::WebhookNotVerified => {
                "A webhook with a wrong signature got a 2xx response: anyone who knows the address \
                 can send false events to this client."
            }
            Self::CursorMovedEarly => {
                "The client went on to a newer transaction_refresh[after] before it had read the \
                 last page of an earlier list. It will not see the remaining rows again."
            }
            Self::PagingStopped => {
                "The client stopped reading a list of transactions although has_more was true."
            }
            Self::TimeAsCursor => {
                "The client looks for new transactions by transacted_at. It never sees rows that \
                 the bank dates back, posts later, changes or removes."
            }
            Self::RowAsCursor => {
                "The client looks for new transactions from a transaction that it has. The list is \
                 in the order of the bank's time, so new or changed rows may be on either side."
            }
            Self::EventNotRead => {
                "A refreshed_transactions event was delivered, and no later list of the account's \
                 transactions could show all of its changes."
            }
            Self::FailedRefreshIgnored => {
                "A refresh failed, and the client continued as if it had succeeded. The event has \
                 the status of the refresh."
            }
            Self::ReadWhilePending => {
                "The client started a refresh, read the data while it was pending, and never read \
                 them again. It has the data of before the refresh."
            }
            Self::ErrorIgnored => {
                "A call about the account was rejected, and the client did nothing about it."
            }
            Self::NoEndpoint => {
                "The client started refreshes of this account. No endpoint receives the events of \
                 its refreshes, and the client did not look at the account afterwards."
            }
            Self::WebhookRedirected => {
                "A webhook got a redirect as its response. Redirects are not followed and count as \
                 failures."
            }
            Self::RefreshInCoolDown => {
                "A refresh was requested before next_refresh_available_at. The response is 200, no \
                 refresh was started, and no event will come."
            }
            Self::PendingPolled => "The account was read repeatedly while a refresh was pending.",
        }
    }

    /// Returns a sentence that describes the fix.
    pub fn fix(self) -> &'static str {
        match self {
            Self::WebhookNotVerified => {
                "Verify Stripe-Signature over the raw body first, and return 400 if it does not \
                 match."
            }
            Self::CursorMovedEarly => {
                "Read every page (auto-paging, or starting_after until has_more is false), and only \
                 then remember the refresh of the event."
            }
            Self::PagingStopped => {
                "Read every page: auto_paging_iter, autoPagingEach, or starting_after until \
                 has_more is false."
            }
            Self::TimeAsCursor | Self::RowAsCursor => {
                "Remember transaction_refresh.id of each event and list with \
                 transaction_refresh[after]. Upsert rows by id."
            }
            Self::EventNotRead => {
                "On each refreshed_transactions event, list the account's transactions with no \
                 filter but transaction_refresh[after] = the refresh of the previous event that \
                 you handled, at once or from your own queue."
            }
            Self::FailedRefreshIgnored => {
                "Read the status in the event. If it is failed, return 2xx, read the account, and \
                 refresh it later or have it linked again."
            }
            Self::ReadWhilePending => {
                "Wait for the refreshed_… event, or retrieve the account until the refresh is no \
                 longer pending. Then read the data."
            }
            Self::ErrorIgnored => {
                "Read the code of the error. After \
                 financial_connections_no_successful_transaction_refresh, start a refresh and wait \
                 for its event. After financial_connections_account_inactive, have the account \
                 linked again."
            }
            Self::NoEndpoint => {
                "Create a webhook endpoint for financial_connections.account.refreshed_balance, \
                 …_ownership and …_transactions. Without one, retrieve the account until the \
                 refresh is no longer pending."
            }
            Self::WebhookRedirected => {
                "Set the endpoint's URL to the final address, with its scheme and trailing slash."
            }
            Self::RefreshInCoolDown => {
                "Compare the time with next_refresh_available_at first, or subscribe and wait for \
                 the daily refresh."
            }
            Self::PendingPolled => {
                "Wait for the refreshed_… event. Without an endpoint, poll at growing intervals."
            }
        }
    }
}

/// The subject of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The way in which a client follows a bank account.
    Account(AccountId),
    /// The responses of an endpoint.
    Endpoint(EndpointId),
    /// The responses of an event destination.
    Destination(DestinationId),
    /// The responses of the target that `stripe listen` forwards to.
    Listener,
}

impl Subject {
    /// The subject that an endpoint or a destination of test mode is.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        match endpoint.destination {
            Some(_) => Self::Destination(DestinationId::from_number(endpoint.id.number())),
            None => Self::Endpoint(endpoint.id),
        }
    }
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The time.
    pub at: ServerTime,
    /// The request in which it happened.
    pub request: Option<RequestId>,
    /// The event that it concerns.
    pub event: Option<EventId>,
    /// The description.
    pub what: String,
}

/// A habit that would lose data in production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind.
    pub code: DiagnosticCode,
    /// The subject.
    pub subject: Subject,
    /// The number of observations.
    pub times: u32,
    /// The time of the first observation.
    pub first_at: ServerTime,
    /// The time of the last observation.
    pub last_at: ServerTime,
    /// The evidence: the first observation, then the newest ones.
    pub evidence: Vec<Evidence>,
}

impl Diagnostic {
    /// Creates a diagnostic from its first observations, in the order in which they happened.
    pub fn new(code: DiagnosticCode, subject: Subject, evidence: Vec<Evidence>) -> Self {
        let first_at = evidence.first().map_or(ServerTime::default(), |item| item.at);
        let mut finding =
            Self { code, subject, times: 0, first_at, last_at: first_at, evidence: Vec::new() };
        finding.add(1, evidence);
        finding
    }

    /// Adds further observations. If there are too many, the first and the newest are kept.
    pub fn add(&mut self, times: u32, evidence: Vec<Evidence>) {
        self.times = self.times.saturating_add(times);
        for item in evidence {
            self.last_at = self.last_at.max(item.at);
            if self.evidence.len() >= CHECKER_EVIDENCE_MAX {
                self.evidence.remove(1);
            }
            self.evidence.push(item);
        }
    }
}

words! {
    /// The verdict of a report.
    Verdict {
        /// There were no observations of the client.
        NothingSeen = "nothing_seen",
        /// The client was observed, and there is no diagnostic.
        NothingFound = "nothing_found",
        /// There is a diagnostic.
        Found = "found",
    }
}

/// The number of refreshes of an account that its client started on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshCount {
    /// The account.
    pub account: AccountId,
    /// The start of the day in UTC, by the account's clock.
    pub day: AccountTime,
    /// The numbers, in the order of [`Feature::ALL`].
    pub counts: [u32; Feature::ALL.len()],
}

/// The report about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerReport {
    /// The time at which the observation began.
    pub since: ServerTime,
    /// True if the caller says that the client has finished.
    pub finished: bool,
    /// The number of calls that were observed.
    pub calls: u64,
    /// The number of attempts to deliver a webhook.
    pub attempts: u64,
    /// The number of accounts that were observed.
    pub accounts: usize,
    /// The diagnostics, worst first, and newest first within a kind.
    pub findings: Vec<Diagnostic>,
    /// The refreshes that the client started, by day and account.
    pub refreshes: Vec<RefreshCount>,
}

impl ConsumerReport {
    /// Returns the verdict.
    pub fn verdict(&self) -> Verdict {
        match (self.findings.is_empty(), self.calls, self.attempts) {
            (false, _, _) => Verdict::Found,
            (true, 0, 0) => Verdict::NothingSeen,
            (true, _, _) => Verdict::NothingFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(at: i64) -> Evidence {
        Evidence { at: ServerTime(at), request: None, event: None, what: at.to_string() }
    }

    /// Evidence is bounded: the first observation stays, and the newest ones.
    #[test]
    fn keeps_the_first_and_the_newest() {
        let subject = Subject::Account(AccountId::from_number(1));
        let mut finding =
            Diagnostic::new(DiagnosticCode::PagingStopped, subject, vec![evidence(0)]);
        for at in 1..20 {
            finding.add(1, vec![evidence(at)]);
        }
        let times: Vec<i64> = finding.evidence.iter().map(|evidence| evidence.at.0).collect();
        assert_eq!(times, [0, 15, 16, 17, 18, 19]);
        assert_eq!((finding.times, finding.first_at, finding.last_at.0), (20, ServerTime(0), 19));
    }
}
