//! The refreshes that the client of a bank account started: reads before their end, events that no
//! endpoint receives, and rejected calls.

use super::facts::Call;
use crate::diagnostic::{DiagnosticCode, Evidence};
use engine::observer::{PageStart, TransactionsPage};
use model::Word;
use model::bank::Feature;
use model::clock::ServerTime;
use model::id::EventId;
use model::limits::CHECKER_QUIET_MS;

/// The number of features.
const FEATURES: usize = Feature::ALL.len();

/// The newest refresh of one feature that the client started.
#[derive(Clone, Copy, Debug, Default)]
struct Requested {
    /// Its sequence. 0 if the client started none.
    sequence: u32,
    /// The last read while it was pending, and the number of such reads.
    early: Option<(Call, u32)>,
    /// The last event about the feature that no endpoint receives, its time, and the number of such
    /// events.
    unreceived: Option<(EventId, ServerTime, u32)>,
}

/// The refreshes that the client started, by feature, and the rejected call that it ignored.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestedRefreshes {
    features: [Requested; FEATURES],
    /// The last rejected call, its description, and the number of such calls.
    rejected: Option<(Call, &'static str, u32)>,
}

impl RequestedRefreshes {
    /// Adds refreshes that the client started.
    pub(super) fn started(&mut self, started: &[(Feature, u32)]) {
        for (feature, sequence) in started {
            let requested = self.of(*feature);
            *requested = Requested { sequence: *sequence, early: None, ..*requested };
        }
    }

    /// Adds a page of transactions that is not part of handling an event.
    pub(super) fn listed(&mut self, page: &TransactionsPage, call: Call) {
        let requested = self.of(Feature::Transactions);
        if page.from != PageStart::Newest || requested.sequence == 0 {
            return;
        }
        if page.pending == Some(requested.sequence) {
            requested.read_early(call);
        } else if page.ended >= requested.sequence {
            requested.early = None;
        }
    }

    /// Adds a read of the account, with the sequences of its pending refreshes.
    pub(super) fn shown(&mut self, pending: &[Option<u32>; FEATURES], call: Call) {
        for (feature, pending) in Feature::ALL.iter().zip(pending) {
            let requested = self.of(*feature);
            if pending.is_none() {
                requested.unreceived = None;
            }
            // The account contains no transactions.
            if *feature == Feature::Transactions || requested.sequence == 0 {
                continue;
            }
            if *pending == Some(requested.sequence) {
                requested.read_early(call);
            } else {
                requested.early = None;
            }
        }
    }

    /// Notes that the client has seen the state of all refreshes, or received an event about them.
    pub(super) fn seen(&mut self) {
        for requested in &mut self.features {
            (requested.early, requested.unreceived) = (None, None);
        }
    }

    /// Notes that the client accepted an event about this feature.
    pub(super) fn taken(&mut self, feature: Feature) {
        let requested = self.of(feature);
        (requested.early, requested.unreceived) = (None, None);
    }

    /// Adds an event that no endpoint receives. It counts if the client has started a refresh of the
    /// feature.
    pub(super) fn unreceived(&mut self, feature: Feature, event: EventId, at: ServerTime) {
        let requested = self.of(feature);
        let times = match requested.unreceived {
            _ if requested.sequence == 0 => return,
            // The dispatcher may try a batch again.
            Some((earlier, ..)) if earlier == event => return,
            Some((.., times)) => times.saturating_add(1),
            None => 1,
        };
        requested.unreceived = Some((event, at, times));
    }

    /// Notes that the client waits for events by a test helper.
    pub(super) fn waits(&mut self) {
        for requested in &mut self.features {
            requested.unreceived = None;
        }
    }

    /// Notes that an event was forwarded to a program that listens.
    pub(super) fn forwarded(&mut self, event: EventId) {
        for requested in &mut self.features {
            if requested.unreceived.is_some_and(|(unreceived, ..)| unreceived == event) {
                requested.unreceived = None;
            }
        }
    }

    /// Adds a list that was rejected because no refresh has succeeded. It counts if a refresh is
    /// pending or the client has started one. Otherwise a person may have looked.
    pub(super) fn not_ready(&mut self, is_pending: bool, call: Call) {
        if is_pending || self.of(Feature::Transactions).sequence > 0 {
            self.rejected(call, "listed transactions though no refresh has succeeded");
        }
    }

    /// Adds a rejected call.
    pub(super) fn rejected(&mut self, call: Call, what: &'static str) {
        let times = self.rejected.map_or(1, |(.., times)| times.saturating_add(1));
        self.rejected = Some((call, what, times));
    }

    /// Notes that the client acted on the rejection.
    pub(super) fn acted(&mut self) {
        self.rejected = None;
    }

    /// Returns the open cases that are old enough.
    pub(super) fn left(
        &self,
        now: ServerTime,
        finished: bool,
    ) -> Vec<(DiagnosticCode, u32, Vec<Evidence>)> {
        let is_over = |since: ServerTime| finished || now.ms_since(since) >= CHECKER_QUIET_MS;
        let mut left = Vec::new();
        for (requested, feature) in self.features.iter().zip(Feature::ALL) {
            let word = feature.word();
            // A client that retrieves the account again and again polls, and has seen the state.
            let is_early = |(call, times): &(Call, u32)| {
                is_over(call.at) && (*feature == Feature::Transactions || *times == 1)
            };
            if let Some((call, times)) = requested.early.filter(is_early) {
                let what = match feature {
                    Feature::Transactions => "listed while the refresh was pending".to_owned(),
                    _ => format!("retrieved the account while the refresh of {word} was pending"),
                };
                left.push((DiagnosticCode::ReadWhilePending, times, vec![by(call, what)]));
            }
            if let Some((event, at, times)) = requested.unreceived.filter(|(_, at, _)| is_over(*at))
            {
                let what = format!("refreshed_{word} was created, and no endpoint receives it");
                let evidence = Evidence { at, request: None, event: Some(event), what };
                left.push((DiagnosticCode::NoEndpoint, times, vec![evidence]));
            }
        }
        if let Some((call, what, times)) = self.rejected.filter(|(call, ..)| is_over(call.at)) {
            left.push((DiagnosticCode::ErrorIgnored, times, vec![by(call, what.to_owned())]));
        }
        left
    }

    fn of(&mut self, feature: Feature) -> &mut Requested {
        let index = Feature::ALL.iter().position(|other| *other == feature).unwrap_or(0);
        &mut self.features[index]
    }
}

impl Requested {
    fn read_early(&mut self, call: Call) {
        let times = self.early.map_or(1, |(_, times)| times.saturating_add(1));
        self.early = Some((call, times));
    }
}

/// The evidence of a call.
fn by(call: Call, what: String) -> Evidence {
    Evidence { at: call.at, request: Some(call.request), event: None, what }
}
