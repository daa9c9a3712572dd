//! The observations of one merchant's client: its accounts, its endpoints and its diagnostics.

use super::account::AccountWatch;
use super::facts::{Call, Ended, Observed, RefreshNews};
use super::listing::Raised;
use crate::diagnostic::{
    ConsumerReport, Diagnostic, DiagnosticCode, Evidence, RefreshCount, Subject,
};
use engine::observer::CallFact;
use model::Word;
use model::bank::Feature;
use model::clock::{AccountTime, DAY_S, ServerTime};
use model::id::{AccountId, EventId};
use model::limits::{CHECKER_ACCOUNTS_MAX, CHECKER_DIAGNOSTICS_MAX, CHECKER_REFRESH_DAYS_MAX};
use std::collections::{BTreeMap, HashMap};

/// The observations of a merchant.
#[derive(Clone, Debug, Default)]
pub(super) struct MerchantWatch {
    since: ServerTime,
    /// The time of the last observation.
    pub(super) last_observed_at: ServerTime,
    calls: u64,
    attempts: u64,
    accounts: HashMap<AccountId, Watched>,
    findings: Findings,
    refreshes: RefreshCounts,
    /// True if the client waits for events by a test helper, so it needs no endpoint.
    waits: bool,
}

#[derive(Clone, Debug, Default)]
struct Watched {
    /// The number of calls and attempts of the merchant at its last observation.
    last_observation: u64,
    watch: AccountWatch,
}

/// The diagnostics, by kind and subject.
#[derive(Clone, Debug, Default)]
struct Findings(BTreeMap<(DiagnosticCode, Subject), Diagnostic>);

impl MerchantWatch {
    pub(super) fn new(now: ServerTime) -> Self {
        Self { since: now, last_observed_at: now, ..Self::default() }
    }

    /// Adds a completed call.
    pub(super) fn call(&mut self, observed: &Observed<'_>, call: Call) {
        self.calls += 1;
        self.last_observed_at = call.at;
        let Some(account) = observed.account else {
            self.call_about_all(observed.fact);
            return;
        };
        if let CallFact::RefreshesStarted { started, at } = observed.fact {
            self.refreshes.add(account, started, *at);
        }
        let raised = self.account(account).call(observed.fact, observed.left_out, call);
        self.raise(Subject::Account(account), raised);
    }

    /// Adds a call about the whole merchant.
    fn call_about_all(&mut self, fact: &CallFact) {
        for (id, watched) in &mut self.accounts {
            match fact {
                // A page of a list shows nothing about the accounts on other pages.
                CallFact::AccountsListed(shown) if !shown.contains(id) => {}
                CallFact::EventsListed => watched.watch.seen(),
                CallFact::AccountsListed(_) => {
                    watched.watch.named();
                    watched.watch.acted();
                    watched.watch.seen();
                }
                _ => {
                    watched.watch.named();
                    watched.watch.acted();
                }
            }
        }
    }

    /// Notes that the client waits for events by a test helper.
    pub(super) fn waits(&mut self) {
        self.waits = true;
        for watched in self.accounts.values_mut() {
            watched.watch.waits();
        }
    }

    /// Adds an event about a refresh that no endpoint receives.
    pub(super) fn unreceived(
        &mut self,
        account: AccountId,
        feature: Feature,
        event: EventId,
        at: ServerTime,
    ) {
        if let Some(watched) = self.accounts.get_mut(&account).filter(|_| !self.waits) {
            watched.watch.unreceived(feature, event, at);
        }
    }

    /// Adds the start of a delivery.
    pub(super) fn attempt_started(
        &mut self,
        to: Subject,
        news: Option<RefreshNews>,
        is_first: bool,
        at: ServerTime,
    ) {
        self.attempts += 1;
        self.last_observed_at = at;
        if let Some(news) = news {
            self.account(news.account).attempt_started(to, news, is_first);
        }
    }

    /// Adds the end of a delivery.
    pub(super) fn attempt_ended(&mut self, event: EventId, to: Subject, ended: &Ended) {
        self.last_observed_at = ended.at;
        let account = AccountId::from_number(event.shard);
        if let Some(watched) = self.accounts.get_mut(&account) {
            let raised = watched.watch.attempt_ended(event, to, ended);
            self.raise(Subject::Account(account), raised);
        }
        let Some(status) = ended.status else { return };
        let code = match status {
            200..300 if ended.is_forged => DiagnosticCode::WebhookNotVerified,
            300..400 => DiagnosticCode::WebhookRedirected,
            _ => return,
        };
        let signed = if ended.is_forged { "wrongly signed and " } else { "" };
        let evidence = Evidence {
            at: ended.at,
            request: None,
            event: Some(event),
            what: format!("{signed}answered with {status}"),
        };
        self.raise(to, Some((code, vec![evidence])));
    }

    /// Returns the current report. Open work counts as abandoned if the client has finished.
    pub(super) fn report(&self, now: ServerTime, finished: bool) -> ConsumerReport {
        let mut found = self.findings.clone();
        for (id, watched) in &self.accounts {
            for (code, times, evidence) in watched.watch.left(*id, now, finished) {
                found.add(code, Subject::Account(*id), times, evidence);
            }
        }
        let mut findings: Vec<Diagnostic> = found.0.into_values().collect();
        findings.sort_by_key(|finding| (finding.code, -finding.last_at.0, finding.subject));
        ConsumerReport {
            since: self.since,
            finished,
            calls: self.calls,
            attempts: self.attempts,
            accounts: self.accounts.len(),
            findings,
            refreshes: self.refreshes.list(),
        }
    }

    /// Returns the observations of an account. If there are too many, the account observed longest
    /// ago is forgotten, but its diagnostics stay.
    fn account(&mut self, id: AccountId) -> &mut AccountWatch {
        if self.accounts.len() >= CHECKER_ACCOUNTS_MAX && !self.accounts.contains_key(&id) {
            let oldest = self.accounts.iter().min_by_key(|(_, watched)| watched.last_observation);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.accounts.remove(&oldest);
            }
        }
        let watched = self.accounts.entry(id).or_default();
        watched.last_observation = self.calls + self.attempts;
        &mut watched.watch
    }

    fn raise(&mut self, subject: Subject, raised: Option<Raised>) {
        if let Some((code, evidence)) = raised {
            self.findings.add(code, subject, 1, evidence);
        }
    }
}

/// The refreshes that the client started, by day and account.
#[derive(Clone, Debug, Default)]
struct RefreshCounts(BTreeMap<(i64, AccountId), [u32; Feature::ALL.len()]>);

impl RefreshCounts {
    /// Adds started refreshes. If there are too many days, the oldest is forgotten.
    fn add(&mut self, account: AccountId, started: &[(Feature, u32)], at: AccountTime) {
        let counts = self.0.entry((at.0.div_euclid(DAY_S), account)).or_default();
        for (count, feature) in counts.iter_mut().zip(Feature::ALL) {
            let of_feature = started.iter().filter(|(started, _)| started == feature).count();
            *count = count.saturating_add(u32::try_from(of_feature).unwrap_or(u32::MAX));
        }
        if self.0.len() > CHECKER_REFRESH_DAYS_MAX {
            self.0.pop_first();
        }
    }

    fn list(&self) -> Vec<RefreshCount> {
        let count = |(&(day, account), counts): (&(i64, AccountId), &[u32; Feature::ALL.len()])| {
            RefreshCount { account, day: AccountTime(day * DAY_S), counts: *counts }
        };
        self.0.iter().map(count).collect()
    }
}

impl Findings {
    fn add(&mut self, code: DiagnosticCode, subject: Subject, times: u32, evidence: Vec<Evidence>) {
        let is_full = self.0.len() >= CHECKER_DIAGNOSTICS_MAX;
        match self.0.get_mut(&(code, subject)) {
            Some(finding) => finding.add(times, evidence),
            None if is_full => {}
            None => {
                let mut finding = Diagnostic::new(code, subject, evidence);
                finding.times = times;
                self.0.insert((code, subject), finding);
            }
        }
    }
}
