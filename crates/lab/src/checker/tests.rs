//! Tests of the rules against clients that follow a bank account in this process. A correct client
//! is never reported, under any fault. A client that loses rows is always reported.

use super::ClientChecker;
use super::facts::{Call, Ended, Observed, RefreshNews};
use super::merchant::MerchantWatch;
use crate::diagnostic::{DiagnosticCode, Subject};
use engine::observer::{CallFact, CallObservation, PageStart, TransactionsPage};
use model::Word;
use model::bank::Feature;
use model::clock::{AccountTime, ServerTime};
use model::id::{AccountId, EndpointId, EventId, MerchantId, RequestId, TransactionId};
use model::limits::{
    CHECKER_ACCOUNTS_MAX, CHECKER_DIAGNOSTICS_MAX, CHECKER_EVIDENCE_MAX, CHECKER_LISTINGS_MAX,
    CHECKER_MERCHANTS_MAX,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use store::Bounds;

/// The next step.
#[derive(Clone, Debug)]
enum Step {
    /// A refresh ends. It fails, or adds `new` rows and changes every n-th old one.
    Refresh { failed: bool, new: u32, changed: u32 },
    /// The client handles the oldest event that waits for it.
    Handle(Handling),
    /// An event that was handled comes again.
    Repeat { index: usize },
    /// A person looks at pages of this size from the top.
    Look { limit: usize, pages: usize },
    /// Time passes.
    Wait { seconds: i64 },
}

/// The way in which an event is handled.
#[derive(Clone, Copy, Debug)]
struct Handling {
    /// The number of rows per page.
    limit: usize,
    /// The number of pages after which the client crashes and gets the event again.
    crash_after: Option<usize>,
    /// The number of pages after which a refresh ends that no event has reported yet.
    lands_after: Option<usize>,
    /// True if the client sends its response first and reads afterwards.
    responds_first: bool,
    /// The number of pages after which a person lists from the top, with the same page size.
    looked_after: Option<usize>,
}

fn handling() -> impl Strategy<Value = Handling> {
    let maybe = || proptest::option::weighted(0.3, 0..4_usize);
    (1..6_usize, maybe(), maybe(), any::<bool>(), maybe()).prop_map(
        |(limit, crash_after, lands_after, responds_first, looked_after)| Handling {
            limit,
            crash_after,
            lands_after,
            responds_first,
            looked_after,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (proptest::bool::weighted(0.2), 0..9_u32, 1..4_u32)
            .prop_map(|(failed, new, changed)| Step::Refresh { failed, new, changed }),
        5 => handling().prop_map(Step::Handle),
        1 => (0..20_usize).prop_map(|index| Step::Repeat { index }),
        1 => (1..6_usize, 1..3_usize).prop_map(|(limit, pages)| Step::Look { limit, pages }),
        1 => (0..30_i64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// A server with one account, a client that follows it, and the client checker.
struct World {
    watch: MerchantWatch,
    now: ServerTime,
    requests: u64,
    /// The last refresh that touched each row.
    rows: BTreeMap<TransactionId, u32>,
    refreshes: Vec<bool>,
    waiting: VecDeque<u32>,
    handled: Vec<u32>,
    /// The client's cursor and copy: each row with the refresh that it was read with.
    cursor: Option<u32>,
    copy: BTreeMap<TransactionId, u32>,
    /// Events with at least one attempt.
    attempted: BTreeSet<u32>,
    client: Reads,
}

/// The rows that a client reads after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// All rows after the refresh of the previous event, and the account if the refresh failed.
    All,
    /// The first page of them.
    FirstPage,
    /// All rows after the refresh of the event itself.
    Nothing,
    /// All rows after a fixed time by the bank's dates.
    Recent,
}

/// The filter of a client that reads [`Reads::Recent`].
const RECENT: Bounds = Bounds { from: Some(20), to: None };

const ACCOUNT: u64 = 7;

/// A call about an account.
fn observed(account: AccountId, fact: &CallFact) -> Observed<'_> {
    Observed { account: Some(account), fact, left_out: None }
}

/// The endpoint that receives the events.
fn to() -> Subject {
    Subject::Endpoint(EndpointId::from_number(1))
}

impl World {
    fn new(client: Reads) -> Self {
        Self {
            watch: MerchantWatch::new(ServerTime(0)),
            now: ServerTime(0),
            requests: 0,
            rows: BTreeMap::new(),
            refreshes: Vec::new(),
            waiting: VecDeque::new(),
            handled: Vec::new(),
            cursor: None,
            copy: BTreeMap::new(),
            attempted: BTreeSet::new(),
            client,
        }
    }

    fn account() -> AccountId {
        AccountId::from_number(ACCOUNT)
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Refresh { failed, new, changed } => self.refresh(failed, new, changed),
            Step::Handle(handling) => {
                if let Some(sequence) = self.waiting.pop_front()
                    && !self.handle(sequence, handling)
                {
                    self.waiting.push_front(sequence);
                }
            }
            Step::Repeat { index } => {
                let handled = self.handled.get(index).copied();
                self.waiting.extend(handled);
            }
            Step::Look { limit, pages } => self.look(limit, pages),
            Step::Wait { seconds } => self.now = self.now.plus_ms(seconds * 1_000),
        }
    }

    fn refresh(&mut self, failed: bool, new: u32, changed: u32) {
        self.refreshes.push(failed);
        let sequence = u32::try_from(self.refreshes.len()).unwrap();
        if !failed {
            for (index, touched) in (0..).zip(self.rows.values_mut()) {
                if index % (changed + 1) == 0 {
                    *touched = sequence;
                }
            }
            for _ in 0..new {
                let ordinal = u32::try_from(self.rows.len()).unwrap() + 1;
                // The bank dates some rows back.
                let listed_at = AccountTime(i64::from(ordinal * 7 % 40));
                self.rows.insert(
                    TransactionId { account: Self::account(), listed_at, ordinal },
                    sequence,
                );
            }
        }
        self.waiting.push_back(sequence);
    }

    /// Handles the event of a refresh. Returns true if the response is 2xx.
    fn handle(&mut self, sequence: u32, handling: Handling) -> bool {
        let refresh_news = self.refresh_news(sequence);
        let is_first = self.attempted.insert(sequence);
        self.watch.attempt_started(to(), Some(refresh_news), is_first, self.now);
        let ended = |now, status| Ended { at: now, status, is_last: false, is_forged: false };
        if handling.responds_first {
            self.watch.attempt_ended(refresh_news.event, to(), &ended(self.now, Some(200)));
        }
        let done = self.sync(sequence, handling);
        if !handling.responds_first {
            let status = if done { 200 } else { 500 };
            self.watch.attempt_ended(refresh_news.event, to(), &ended(self.now, Some(status)));
        }
        if done {
            self.handled.push(sequence);
        }
        done
    }

    /// Reads the rows after the cursor and moves the cursor. Returns true if it read to the end.
    fn sync(&mut self, sequence: u32, handling: Handling) -> bool {
        let (after, times) = match self.client {
            Reads::All | Reads::FirstPage => (self.cursor, Bounds::default()),
            Reads::Nothing => (Some(sequence), Bounds::default()),
            Reads::Recent => (None, RECENT),
        };
        let mut from = PageStart::Newest;
        for page in 0.. {
            if handling.crash_after == Some(page) {
                return false;
            }
            if handling.lands_after == Some(page) {
                self.refresh(false, 2, 1);
            }
            if handling.looked_after == Some(page) {
                self.look(handling.limit, 1);
            }
            let Some(listed) = self.list(after, times, from, handling.limit) else { break };
            if !listed.has_more || self.client == Reads::FirstPage {
                break;
            }
            from = PageStart::After(listed.last.unwrap());
        }
        if self.refreshes[sequence as usize - 1] {
            self.requests += 1;
            let call = Call { at: self.now, request: RequestId::from_number(self.requests) };
            let fact = CallFact::AccountShown { pending: [None; Feature::ALL.len()] };
            self.watch.call(&observed(Self::account(), &fact), call);
        }
        self.cursor = Some(sequence);
        true
    }

    /// Reads pages from the top, as a person does.
    fn look(&mut self, limit: usize, pages: usize) {
        let copy = self.copy.clone();
        let mut from = PageStart::Newest;
        for _ in 0..pages {
            let Some(TransactionsPage { last: Some(last), has_more: true, .. }) =
                self.list(None, Bounds::default(), from, limit)
            else {
                break;
            };
            from = PageStart::After(last);
        }
        self.copy = copy;
    }

    /// Lists a page and shows it to the client checker. Does nothing before the first success.
    fn list(
        &mut self,
        after: Option<u32>,
        times: Bounds,
        from: PageStart,
        limit: usize,
    ) -> Option<TransactionsPage> {
        self.requests += 1;
        let call = Call { at: self.now, request: RequestId::from_number(self.requests) };
        let account = Self::account();
        if !self.refreshes.contains(&false) {
            let ended = u32::try_from(self.refreshes.len()).unwrap();
            let fact = CallFact::TransactionsNotReady { ended, pending: None };
            self.watch.call(&observed(account, &fact), call);
            return None;
        }
        let behind = self.rows.iter().rev().filter(|(_, touched)| Some(**touched) > after);
        let (fitting, others): (Vec<_>, Vec<_>) =
            behind.partition(|(id, _)| times.contains(id.listed_at.0));
        let rows: Vec<(TransactionId, u32)> = fitting
            .into_iter()
            .filter(|(id, _)| !matches!(from, PageStart::After(row) if **id >= row))
            .map(|(id, touched)| (*id, *touched))
            .collect();
        let page = &rows[..limit.min(rows.len())];
        self.copy.extend(page.iter().copied());
        let left_out = others.into_iter().map(|(_, touched)| *touched).max();
        let listed = TransactionsPage {
            after,
            transacted_at: times,
            from,
            first: page.first().map(|row| row.0),
            last: page.last().map(|row| row.0),
            latest: page.iter().map(|row| row.0.listed_at.0).max(),
            has_more: rows.len() > limit,
            ended: u32::try_from(self.refreshes.len()).unwrap(),
            pending: None,
        };
        let fact = CallFact::TransactionsListed(listed);
        self.watch.call(&Observed { left_out, ..observed(account, &fact) }, call);
        Some(listed)
    }

    fn refresh_news(&self, sequence: u32) -> RefreshNews {
        RefreshNews {
            event: EventId { shard: ACCOUNT, number: u64::from(sequence) },
            account: Self::account(),
            feature: Feature::Transactions,
            failed: self.refreshes[sequence as usize - 1],
            sequence: Some(sequence),
            daily: false,
        }
    }

    /// Handles the waiting events, without a fault.
    fn drain(&mut self) {
        let handling = Handling {
            limit: 3,
            crash_after: None,
            lands_after: None,
            responds_first: false,
            looked_after: None,
        };
        while let Some(sequence) = self.waiting.pop_front() {
            self.handle(sequence, handling);
        }
    }

    fn found(&self) -> BTreeSet<DiagnosticCode> {
        let report = self.watch.report(self.now, true);
        report.findings.iter().map(|finding| finding.code).collect()
    }
}

proptest! {
    /// A client that reads to the end and only then moves its cursor gets no diagnostic after it
    /// has handled all events. It has every row in its latest state. This holds under any fault.
    #[test]
    fn a_good_client_is_never_named(steps in proptest::collection::vec(step(), 0..40)) {
        let mut world = World::new(Reads::All);
        for step in &steps {
            world.take(step);
        }
        world.drain();
        prop_assert_eq!(&world.copy, &world.rows);
        prop_assert_eq!(world.found(), BTreeSet::new());
    }

    /// A client that reads only first pages during a delivery, and thereby lost a row, is reported
    /// for its paging.
    #[test]
    fn a_client_that_loses_rows_is_named(steps in proptest::collection::vec(step(), 0..40)) {
        let mut world = World::new(Reads::FirstPage);
        for step in &steps {
            match step {
                // A client that reads later, without a filter by refresh, looks the same as a
                // person who lists. The rows that a person reads to the end were read.
                Step::Look { .. } => {}
                Step::Handle(handling) => {
                    world.take(&Step::Handle(Handling {
                        responds_first: false,
                        looked_after: None,
                        ..*handling
                    }));
                }
                step => world.take(step),
            }
        }
        world.drain();
        let found = world.found();
        if world.copy != world.rows {
            prop_assert!(found.contains(&DiagnosticCode::PagingStopped), "{found:?}");
        }
        let of_paging = BTreeSet::from([DiagnosticCode::PagingStopped, DiagnosticCode::CursorMovedEarly]);
        prop_assert!(found.is_subset(&of_paging), "{found:?}");
    }
}

proptest! {
    /// A client with a filter that excludes reported rows, and that thereby lost a row, is
    /// reported. A client with a filter that excludes no row is not.
    #[test]
    fn a_client_that_leaves_rows_out_is_named(
        steps in proptest::collection::vec(step(), 0..40),
        asks_behind_itself in any::<bool>(),
    ) {
        let client = if asks_behind_itself { Reads::Nothing } else { Reads::Recent };
        let mut world = World::new(client);
        for step in steps.iter().filter(|step| !matches!(step, Step::Look { .. })) {
            let step = match step {
                Step::Handle(handling) => Step::Handle(Handling { looked_after: None, ..*handling }),
                step => step.clone(),
            };
            world.take(&step);
        }
        world.drain();
        let named = world.found().contains(&DiagnosticCode::EventNotRead);
        if world.copy != world.rows {
            prop_assert!(named, "{:?}", world.found());
        } else if !asks_behind_itself {
            prop_assert!(!named, "{:?}", world.found());
        }
    }
}

/// Accepting a wrongly signed webhook is a fault of its endpoint, and so is a redirect. Rejecting
/// it is not.
#[test]
fn endpoints_are_named() {
    let mut world = World::new(Reads::All);
    world.refresh(false, 1, 1);
    let event = world.refresh_news(1).event;
    for (status, is_forged) in [(400, true), (500, false), (200, true), (308, false)] {
        let ended = Ended { at: world.now, status: Some(status), is_last: false, is_forged };
        world.watch.attempt_started(to(), None, true, world.now);
        world.watch.attempt_ended(event, to(), &ended);
    }
    let report = world.watch.report(world.now, true);
    let named: Vec<_> =
        report.findings.iter().map(|finding| (finding.code, finding.times)).collect();
    assert_eq!(
        named,
        [(DiagnosticCode::WebhookNotVerified, 1), (DiagnosticCode::WebhookRedirected, 1)]
    );
}

/// Memory is bounded. If there are too many accounts or merchants, those observed longest ago are
/// forgotten. The diagnostics of forgotten accounts are kept, up to their own bound.
#[test]
fn memory_is_bounded() {
    let mut watch = MerchantWatch::new(ServerTime(0));
    let many = u64::try_from(CHECKER_DIAGNOSTICS_MAX).unwrap() + 10;
    for number in 1..=many {
        let fact = CallFact::RefreshNotStarted { features: vec![Feature::Balance] };
        let account = AccountId::from_number(number);
        let call = Call { at: ServerTime(0), request: RequestId::from_number(number) };
        watch.call(&observed(account, &fact), call);
    }
    let report = watch.report(ServerTime(0), true);
    assert_eq!(
        (report.accounts, report.findings.len()),
        (CHECKER_ACCOUNTS_MAX, CHECKER_DIAGNOSTICS_MAX)
    );

    let checker = ClientChecker::default();
    let merchants = u64::try_from(CHECKER_MERCHANTS_MAX).unwrap();
    for number in 0..=merchants {
        let merchant = MerchantId::from_number(number);
        let observation = CallObservation {
            merchant,
            request: RequestId::from_number(1),
            account: None,
            fact: CallFact::SessionCreated,
        };
        let at = ServerTime(i64::try_from(number).unwrap());
        checker.call(merchant, &observation, None, at);
    }
    let all = checker.all();
    assert_eq!(all.len(), CHECKER_MERCHANTS_MAX);
    assert!(!all.contains_key(&MerchantId::from_number(0)));
    assert!(all.contains_key(&MerchantId::from_number(merchants)));
}

/// The memory of one account is bounded too, for any number of open listings.
#[test]
fn what_is_open_is_bounded() {
    let mut world = World::new(Reads::All);
    for sequence in 1..100 {
        world.refresh(false, 3, 0);
        let refresh_news = world.refresh_news(sequence);
        world.watch.attempt_started(to(), Some(refresh_news), true, world.now);
        world.list(Some(sequence - 1), Bounds::default(), PageStart::Newest, 1);
    }
    let report = world.watch.report(world.now, true);
    let most = u32::try_from(CHECKER_LISTINGS_MAX).unwrap();
    assert_eq!(report.findings.len(), 2);
    assert!(report.findings.iter().all(|finding| finding.times <= most), "{report:?}");
    assert!(report.findings.iter().all(|finding| finding.evidence.len() <= CHECKER_EVIDENCE_MAX));
}
