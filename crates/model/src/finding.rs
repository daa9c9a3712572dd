//! A finding: what a client does that would lose data in production, with what shows it.
//!
//! Findings are made by watching the client and are kept in memory only; docs/judge.md says of each
//! when exactly it is raised.

use crate::clock::ServerTime;
use crate::id::{AccountId, EndpointId, EventId, RequestId};
use crate::limits::JUDGE_EVIDENCE_MAX;
use crate::word::words;

words! {
    /// What was found, the worst first.
    FindingCode {
        /// A webhook whose signature was wrong was answered as if it had been taken.
        WebhookNotVerified = "webhook_not_verified",
        /// A later listing began before the last page of an earlier one was read.
        CursorMovedEarly = "cursor_moved_early",
        /// A listing was left though it had more.
        PagingStopped = "paging_stopped",
        /// The bank's time was used to find what is new.
        TimeAsCursor = "time_as_cursor",
        /// A transaction was used to find what is new.
        RowAsCursor = "row_as_cursor",
        /// An event was taken and what it told of never read.
        EventNotRead = "event_not_read",
        /// A refresh failed and nothing came of it, or it was taken for a success.
        FailedRefreshIgnored = "failed_refresh_ignored",
        /// A webhook was answered with a redirect.
        WebhookRedirected = "webhook_redirected",
        /// A refresh was asked for before it could be started.
        RefreshInCoolDown = "refresh_in_cool_down",
        /// An account was read again and again while a refresh was pending.
        PendingPolled = "pending_polled",
    }
}

impl FindingCode {
    /// What was seen, in a sentence.
    pub fn message(self) -> &'static str {
        match self {
            Self::WebhookNotVerified => {
                "A webhook with a wrong signature was answered with 2xx: anybody who knows the \
                 address can make this client believe anything."
            }
            Self::CursorMovedEarly => {
                "The client went on to a newer transaction_refresh[after] while an earlier listing \
                 still had more pages: it will not be shown those rows again."
            }
            Self::PagingStopped => {
                "The client stopped reading a list of transactions whose has_more was true."
            }
            Self::TimeAsCursor => {
                "The client looks for new transactions by transacted_at: rows that the bank dates \
                 back, posts later, changes or withdraws are never seen."
            }
            Self::RowAsCursor => {
                "The client looks for new transactions from a transaction it has: the list is in \
                 the order of the bank's time, so what is new or changed may stand on either side."
            }
            Self::EventNotRead => {
                "A refreshed_transactions event was delivered and no list of the account's \
                 transactions since could show all that it told of."
            }
            Self::FailedRefreshIgnored => {
                "A refresh failed, which its event says in the status inside, and the client went \
                 on as if it had not."
            }
            Self::WebhookRedirected => {
                "A webhook was answered with a redirect, which is not followed and counts as a \
                 failure."
            }
            Self::RefreshInCoolDown => {
                "A refresh was asked for before next_refresh_available_at: the answer is 200, \
                 nothing was started, and no event will come."
            }
            Self::PendingPolled => {
                "The account was read again and again while a refresh was pending."
            }
        }
    }

    /// What to do instead.
    pub fn fix(self) -> &'static str {
        match self {
            Self::WebhookNotVerified => {
                "Verify Stripe-Signature over the raw body before anything else, and answer 400 \
                 when it does not fit."
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
                 transaction_refresh[after]; upsert rows by id."
            }
            Self::EventNotRead => {
                "On each refreshed_transactions, list the account's transactions without any other \
                 filter than transaction_refresh[after] = the refresh of the event handled before \
                 (not of this one), now or from a queue of your own."
            }
            Self::FailedRefreshIgnored => {
                "Look at the status inside the event; on failed, answer 2xx, read the account, and \
                 refresh it later or have it linked again."
            }
            Self::WebhookRedirected => {
                "Give the endpoint the address that answers by itself, with its scheme and trailing \
                 slash."
            }
            Self::RefreshInCoolDown => {
                "Compare the time with next_refresh_available_at first, or subscribe and let the \
                 daily refresh come."
            }
            Self::PendingPolled => {
                "Wait for the refreshed_… event; without an endpoint, ask at growing intervals."
            }
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// How a bank account is followed.
    Account(AccountId),
    /// How an endpoint answers.
    Endpoint(EndpointId),
    /// How that answers which programs that listen forward events to.
    Listener,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// When.
    pub at: ServerTime,
    /// The request in which.
    pub request: Option<RequestId>,
    /// The event that it has to do with.
    pub event: Option<EventId>,
    /// What, in words.
    pub what: String,
}

/// Something that would lose data in production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub code: FindingCode,
    /// Of what.
    pub subject: Subject,
    /// How often.
    pub times: u32,
    /// When first.
    pub first_at: ServerTime,
    /// When last.
    pub last_at: ServerTime,
    /// What shows it: what was seen first, then the newest.
    pub evidence: Vec<Evidence>,
}

impl Finding {
    /// One that was seen for the first time. The evidence is in the order in which it was seen.
    pub fn new(code: FindingCode, subject: Subject, evidence: Vec<Evidence>) -> Self {
        let first_at = evidence.first().map_or(ServerTime::default(), |seen| seen.at);
        let mut finding =
            Self { code, subject, times: 0, first_at, last_at: first_at, evidence: Vec::new() };
        finding.add(1, evidence);
        finding
    }

    /// The same once more, or more often. Of much evidence the oldest and the newest is kept.
    pub fn add(&mut self, times: u32, evidence: Vec<Evidence>) {
        self.times = self.times.saturating_add(times);
        for seen in evidence {
            self.last_at = self.last_at.max(seen.at);
            if self.evidence.len() >= JUDGE_EVIDENCE_MAX {
                self.evidence.remove(1);
            }
            self.evidence.push(seen);
        }
    }
}

words! {
    /// What a report comes down to.
    Verdict {
        /// Nothing was heard of the client, so nothing can be said of it.
        NothingSeen = "nothing_seen",
        /// It was heard of, and does nothing that would lose data.
        NothingFound = "nothing_found",
        /// It does.
        Found = "found",
    }
}

/// What is reported of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerReport {
    /// Since when it is watched.
    pub since: ServerTime,
    /// Whether the caller says that the client has done all that it will.
    pub finished: bool,
    /// Calls that tell something.
    pub calls: u64,
    /// Attempts to deliver a webhook.
    pub attempts: u64,
    /// Accounts that are watched.
    pub accounts: usize,
    /// The worst first, of the same kind the newest.
    pub findings: Vec<Finding>,
}

impl ConsumerReport {
    /// What it comes down to.
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

    fn seen(at: i64) -> Evidence {
        Evidence { at: ServerTime(at), request: None, event: None, what: at.to_string() }
    }

    /// Evidence has a bound: what was seen first stays, and of the rest the newest.
    #[test]
    fn keeps_the_first_and_the_newest() {
        let subject = Subject::Account(AccountId::from_number(1));
        let mut finding = Finding::new(FindingCode::PagingStopped, subject, vec![seen(0)]);
        for at in 1..20 {
            finding.add(1, vec![seen(at)]);
        }
        let kept: Vec<i64> = finding.evidence.iter().map(|seen| seen.at.0).collect();
        assert_eq!(kept, [0, 15, 16, 17, 18, 19]);
        assert_eq!((finding.times, finding.first_at, finding.last_at.0), (20, ServerTime(0), 19));
    }
}
