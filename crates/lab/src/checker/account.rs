//! The observations of one bank account: listings, deliveries about it, and reads during a refresh.

use super::facts::{Call, Ended, Listed, RefreshNews};
use super::listing::{Circumstances, Listings, Raised};
use super::requested::RequestedRefreshes;
use super::stretches::Stretches;
use crate::diagnostic::{DiagnosticCode, Evidence, Subject};
use engine::observer::{CallFact, PageStart};
use model::Word;
use model::bank::Feature;
use model::clock::ServerTime;
use model::id::{AccountId, EventId};
use model::limits::{
    CHECKER_DELIVERIES_MAX, CHECKER_FAILED_QUIET_MS, CHECKER_POLLS_MAX, CHECKER_POLLS_MS,
    CHECKER_QUIET_MS, CHECKER_UNREAD_MAX,
};
use std::collections::{BTreeMap, VecDeque};

/// A delivery in progress.
#[derive(Clone, Debug)]
struct UnderWay {
    /// The endpoint, or the program that listens.
    to: Subject,
    news: RefreshNews,
    /// The position of its start among all observations of the account.
    order: u64,
    /// True if the client has used the account since.
    named: bool,
    /// The list call that failed meanwhile because no refresh has succeeded yet.
    rejected: Option<Call>,
}

/// An event that was delivered and that the client has not handled yet.
#[derive(Clone, Copy, Debug)]
struct Unhandled {
    event: EventId,
    at: ServerTime,
    /// The number of similar events.
    times: u32,
}

/// Reads of the account while the same refresh was pending.
#[derive(Clone, Debug, Default)]
struct Polls {
    sequence: u32,
    calls: VecDeque<Call>,
}

/// The observations of an account.
#[derive(Clone, Debug, Default)]
pub(super) struct AccountWatch {
    /// The number of observations.
    order: u64,
    deliveries: u64,
    under_way: Vec<UnderWay>,
    listings: Listings,
    /// The transaction refreshes that a list could show.
    shown: Stretches,
    /// The first transaction refresh with an event that was sent while the client was observed.
    first_reported: Option<u32>,
    /// Refreshes of transactions that an event reported and no list showed, by sequence.
    unread: BTreeMap<u32, Unhandled>,
    /// A failed refresh that an event reported, by feature.
    failed: [Option<Unhandled>; Feature::ALL.len()],
    polls: [Polls; Feature::ALL.len()],
    requested: RequestedRefreshes,
}

impl AccountWatch {
    /// Notes a call that may show the client how a refresh of the account ended.
    pub(super) fn named(&mut self) {
        self.failed = Default::default();
        for delivery in &mut self.under_way {
            delivery.named = true;
        }
    }

    /// Notes a call that shows the client the state of the account's refreshes.
    pub(super) fn seen(&mut self) {
        self.requested.seen();
    }

    /// Notes a call about the whole merchant that may answer a rejected call about the account.
    pub(super) fn acted(&mut self) {
        self.requested.acted();
    }

    /// Notes that the client waits for events by a test helper.
    pub(super) fn waits(&mut self) {
        self.requested.waits();
    }

    /// Adds an event about a refresh that no endpoint receives.
    pub(super) fn unreceived(&mut self, feature: Feature, event: EventId, at: ServerTime) {
        self.requested.unreceived(feature, event, at);
    }

    /// Adds a call about the account.
    pub(super) fn call(
        &mut self,
        fact: &CallFact,
        left_out: Option<u32>,
        call: Call,
    ) -> Option<Raised> {
        self.order += 1;
        if !matches!(fact, CallFact::TransactionsListed(_) | CallFact::DataShown) {
            self.named();
        }
        if !matches!(
            fact,
            CallFact::TransactionsNotReady { .. }
                | CallFact::AccountNotUsable
                | CallFact::DataShown
        ) {
            self.requested.acted();
        }
        match fact {
            CallFact::TransactionsListed(page) => {
                if self.event_to_handle().is_none() {
                    self.requested.listed(page, call);
                }
                let listed = Listed { page: *page, left_out };
                let now = Circumstances {
                    call,
                    order: self.order,
                    event: self.event_to_handle(),
                    deliveries: self.deliveries,
                };
                let raised = self.listings.take(&listed, &now);
                self.read(&listed);
                raised
            }
            CallFact::TransactionsNotReady { ended, pending } => {
                self.listings.nothing_until(*ended);
                // During the event of a failed refresh, the error means an empty list.
                if self.under_way.is_empty() {
                    self.requested.not_ready(pending.is_some(), call);
                }
                for delivery in self.under_way.iter_mut().filter(|delivery| delivery.news.failed) {
                    delivery.rejected.get_or_insert(call);
                }
                None
            }
            CallFact::AccountShown { pending } => {
                self.requested.shown(pending, call);
                self.shown(pending, call)
            }
            CallFact::AccountNotUsable => {
                self.requested.rejected(call, "called for data of an account that is not active");
                None
            }
            CallFact::RefreshesStarted { started, .. } => {
                self.requested.started(started);
                None
            }
            CallFact::RefreshNotStarted { features } => {
                let words: Vec<&str> = features.iter().map(|feature| feature.word()).collect();
                let what = format!("asked for a refresh of {} in its cool-down", words.join(", "));
                let evidence =
                    Evidence { at: call.at, request: Some(call.request), event: None, what };
                Some((DiagnosticCode::RefreshInCoolDown, vec![evidence]))
            }
            CallFact::AccountActedOn
            | CallFact::DataShown
            | CallFact::AccountsListed(_)
            | CallFact::EventsListed
            | CallFact::SessionCreated => None,
        }
    }

    /// Adds a page from the top. With the pages after it, it is the client's way to read refreshes.
    fn read(&mut self, listed: &Listed) {
        if listed.page.from != PageStart::Newest {
            return;
        }
        if let (Some(after), true) = (listed.page.after, self.shown.is_empty()) {
            // A client that lists after a refresh has read the earlier ones, as far as can be
            // known.
            let known =
                self.first_reported.map_or(after, |first| after.min(first.saturating_sub(1)));
            self.shown.add(0, known);
        }
        self.shown.add(listed.behind(), listed.page.ended);
        self.unread.retain(|sequence, _| !self.shown.contains(*sequence));
    }

    /// Adds a read of the account. Repeated reads during a pending refresh are polling.
    fn shown(&mut self, pending: &[Option<u32>], call: Call) -> Option<Raised> {
        let mut raised = None;
        for ((polls, sequence), feature) in self.polls.iter_mut().zip(pending).zip(Feature::ALL) {
            let Some(sequence) = *sequence else {
                polls.calls.clear();
                continue;
            };
            if polls.sequence != sequence {
                *polls = Polls { sequence, calls: VecDeque::new() };
            }
            polls.calls.push_back(call);
            if polls.calls.len() < CHECKER_POLLS_MAX {
                continue;
            }
            let first = polls.calls.pop_front().unwrap_or(call);
            if call.at.ms_since(first.at) > CHECKER_POLLS_MS {
                continue;
            }
            polls.calls.clear();
            let evidence = |call: Call, place: &str| Evidence {
                at: call.at,
                request: Some(call.request),
                event: None,
                what: format!("{place} read while the refresh of {} was pending", feature.word()),
            };
            let last = format!("{CHECKER_POLLS_MAX}th");
            raised = Some((
                DiagnosticCode::PendingPolled,
                vec![evidence(first, "1st"), evidence(call, &last)],
            ));
        }
        raised
    }

    /// Adds the start of a delivery about the account. If it is not the first attempt, the client
    /// may have read the reported rows before the observation began.
    pub(super) fn attempt_started(&mut self, to: Subject, news: RefreshNews, is_first: bool) {
        self.order += 1;
        self.deliveries += 1;
        // The same delivery may have been in progress in a worker that died.
        self.under_way.retain(|other| (other.news.event, other.to) != (news.event, to));
        if self.under_way.len() >= CHECKER_DELIVERIES_MAX {
            self.under_way.remove(0);
        }
        match news.sequence {
            Some(sequence) if news.failed => self.listings.nothing_by(sequence),
            Some(sequence) if is_first => {
                let first = self.first_reported.unwrap_or(sequence);
                self.first_reported = Some(first.min(sequence));
            }
            _ => {}
        }
        if !news.failed {
            // The refresh of the feature succeeded after all.
            self.failed[place(news.feature)] = None;
        }
        self.requested.forwarded(news.event);
        let order = self.order;
        self.under_way.push(UnderWay { to, news, order, named: false, rejected: None });
    }

    /// Adds the end of a delivery.
    pub(super) fn attempt_ended(
        &mut self,
        event: EventId,
        to: Subject,
        ended: &Ended,
    ) -> Option<Raised> {
        self.order += 1;
        let is_it = |other: &UnderWay| other.to == to && other.news.event == event;
        let index = self.under_way.iter().position(is_it)?;
        let delivery = self.under_way.remove(index);
        let news = delivery.news;
        if ended.is_taken() {
            self.listings.taken(news.event, delivery.order);
            self.requested.taken(news.feature);
        } else if let Some(call) = delivery.rejected {
            return Some((DiagnosticCode::FailedRefreshIgnored, rejected(&news, call, ended)));
        }
        if !ended.is_taken() && !ended.is_last {
            return None;
        }
        let unhandled = Unhandled { event: news.event, at: ended.at, times: 1 };
        if news.failed {
            if !delivery.named && !news.daily {
                let times = self.failed[place(news.feature)].map_or(0, |earlier| earlier.times);
                self.failed[place(news.feature)] =
                    Some(Unhandled { times: times + 1, ..unhandled });
            }
        } else if let Some(sequence) = news.sequence
            && !self.shown.contains(sequence)
        {
            self.unread.insert(sequence, unhandled);
            if self.unread.len() > CHECKER_UNREAD_MAX {
                self.unread.pop_first();
            }
        }
        None
    }

    /// Returns the work that the client abandoned, as far as can be known now.
    pub(super) fn left(
        &self,
        account: AccountId,
        now: ServerTime,
        finished: bool,
    ) -> Vec<(DiagnosticCode, u32, Vec<Evidence>)> {
        let mut left = self.listings.left(account, now, finished);
        left.extend(self.requested.left(now, finished));
        let is_over =
            |since: ServerTime, quiet_ms: i64| finished || now.ms_since(since) >= quiet_ms;
        let evidence = |unhandled: &Unhandled, what: String| Evidence {
            at: unhandled.at,
            request: None,
            event: Some(unhandled.event),
            what,
        };
        if let Some((_, unread)) = self.unread.last_key_value()
            && is_over(unread.at, CHECKER_QUIET_MS)
        {
            let times = u32::try_from(self.unread.len()).unwrap_or(u32::MAX);
            let what = "delivered, and no list of transactions since that brings it whole";
            left.push((
                DiagnosticCode::EventNotRead,
                times,
                vec![evidence(unread, what.to_owned())],
            ));
        }
        for (failed, feature) in self.failed.iter().zip(Feature::ALL) {
            if let Some(failed) = failed
                && is_over(failed.at, CHECKER_FAILED_QUIET_MS)
            {
                let word = feature.word();
                let what = format!("the refresh of {word} failed, and no call since is about it");
                let code = DiagnosticCode::FailedRefreshIgnored;
                left.push((code, failed.times, vec![evidence(failed, what)]));
            }
        }
        left
    }

    /// Returns the event about new transactions that the client has to handle now. It is being
    /// delivered, or was delivered and not read.
    fn event_to_handle(&self) -> Option<EventId> {
        let of_transactions = |delivery: &&UnderWay| delivery.news.feature == Feature::Transactions;
        let under_way = self.under_way.iter().rev().find(of_transactions);
        under_way
            .map(|delivery| delivery.news.event)
            .or(self.unread.last_key_value().map(|(_, unread)| unread.event))
    }
}

/// Returns the index of a feature.
fn place(feature: Feature) -> usize {
    Feature::ALL.iter().position(|other| *other == feature).unwrap_or(0)
}

/// Returns the evidence of a list call that followed a failed refresh, and of the response to the
/// event.
fn rejected(news: &RefreshNews, call: Call, ended: &Ended) -> Vec<Evidence> {
    let outcome = match ended.status {
        Some(status) => format!("with {status}"),
        None => "by nothing".to_owned(),
    };
    vec![
        Evidence {
            at: call.at,
            request: Some(call.request),
            event: Some(news.event),
            what: "listed transactions though no refresh has succeeded".to_owned(),
        },
        Evidence {
            at: ended.at,
            request: None,
            event: Some(news.event),
            what: format!("the event of the failed refresh was answered {outcome}"),
        },
    ]
}
