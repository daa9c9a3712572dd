//! Listings of an account's transactions: the pages that belong together, and what was left undone.
//!
//! A listing begins with a page from the top and goes on with each page that follows the last row of
//! the one before, under the same filters. It is open as long as its last page had more. One with
//! `transaction_refresh[after]` is part of following, and so is one without that is read while an
//! event of the account is to be handled; others may be a person who looks at the first page, and
//! nothing is said of them.
//!
//! What another listing reads to its end is not lost. A listing that began when refresh `e` was the
//! newest that had ended, and asked behind `a`, brings every row that was last touched behind `a`
//! and up to `e`. One that is filtered by the bank's time brings the same behind the newest refresh
//! that touched a row that it leaves out, which is as good as `a`. So listings that follow each other
//! cover all up to a refresh, and an open listing that began before that one ended lacks nothing; nor
//! does one whose own stretch lies in another's.

use super::facts::{Call, Listed};
use crate::diagnostic::{DiagnosticCode, Evidence};
use engine::observer::PageStart;
use model::clock::ServerTime;
use model::id::{AccountId, EventId, RefreshId, TransactionId};
use model::limits::{CHECKER_LISTINGS_MAX, CHECKER_QUIET_MS};
use store::Bounds;

/// What was raised, and what shows it.
pub(super) type Raised = (DiagnosticCode, Vec<Evidence>);

/// A listing that has more.
#[derive(Clone, Debug)]
struct Listing {
    after: Option<u32>,
    transacted_at: Bounds,
    /// The refresh behind which it brings every row that was touched.
    behind: u32,
    /// The newest page.
    newest: Call,
    pages: u32,
    /// Where the newest page began, and the row that the next one follows.
    from: PageStart,
    last: Option<TransactionId>,
    /// Whether it is part of following.
    follows: bool,
    /// The newest refresh that had ended when it began.
    ended: u32,
    /// When it began, in the order of all that was seen of the account.
    order: u64,
    /// The event whose delivery was answered with 2xx while this was open.
    taken: Option<EventId>,
    /// The listing that asked behind a later refresh.
    overtaken: Option<(Call, u32)>,
    /// The listing of a later event that began at the top again, and how often that happened.
    replaced: Option<Call>,
    times: u32,
}

/// The circumstances of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) call: Call,
    /// Its place in the order of all that was seen of the account.
    pub(super) order: u64,
    /// The event that is to be handled, if one is.
    pub(super) event: Option<EventId>,
    /// Deliveries that began so far.
    pub(super) deliveries: u64,
}

/// How the transactions of one account are listed.
#[derive(Clone, Debug, Default)]
pub(super) struct Listings {
    open: Vec<Listing>,
    /// The refresh up to which everything was read.
    covered: Option<u32>,
    /// Whether `transaction_refresh[after]` was ever used.
    uses_after: bool,
    /// The first row of the newest page from the top.
    top: Option<TransactionId>,
    /// The last row of the newest listing that came to its end, and the deliveries until then.
    end: Option<(TransactionId, u64)>,
    /// The latest of the bank's times that was shown.
    latest: Option<i64>,
    /// The least of the bank's times that was asked for behind what was shown.
    least: Option<(i64, Call)>,
}

impl Listings {
    /// Takes a page in.
    pub(super) fn take(&mut self, listed: &Listed, now: &Circumstances) -> Option<Raised> {
        self.uses_after |= listed.page.after.is_some();
        if self.covered.is_none() && !self.open.iter().any(|listing| listing.follows) {
            // Whoever asks behind a refresh has read what came before, as far as can be known.
            self.covered = listed.page.after;
        }
        let raised = match listed.page.from {
            PageStart::Newest => self.begin(listed, now),
            PageStart::After(row) => self.go_on(listed, row, now),
            PageStart::Before(row) => self.look_before(row, now),
        };
        if listed.page.transacted_at == Bounds::default() {
            self.latest = self.latest.max(listed.page.latest);
        }
        raised
    }

    /// A page from the top begins a listing.
    fn begin(&mut self, listed: &Listed, now: &Circumstances) -> Option<Raised> {
        let is_whole = listed.left_out.is_none();
        let raised = self.look_at_time(listed, now);
        self.begin_again(listed, now);
        if let Some(after) = listed.page.after.filter(|_| is_whole) {
            for listing in &mut self.open {
                if listing.follows && listing.behind < after {
                    listing.overtaken.get_or_insert((now.call, after));
                }
            }
        }
        if is_whole && listed.page.first.is_some() {
            self.top = listed.page.first;
        }
        if !listed.page.has_more {
            self.complete(listed, listed.behind(), listed.page.ended, now.deliveries);
            return raised;
        }
        let is_told = listed.page.after.is_some() || now.event.is_some();
        let is_known = self.covered.is_some_and(|covered| listed.page.ended <= covered);
        self.make_room();
        self.open.push(Listing {
            after: listed.page.after,
            transacted_at: listed.page.transacted_at,
            behind: listed.behind(),
            newest: now.call,
            pages: 1,
            from: listed.page.from,
            last: listed.page.last,
            follows: is_told && !is_known && listed.behind() < listed.page.ended,
            ended: listed.page.ended,
            order: now.order,
            taken: None,
            overtaken: None,
            replaced: None,
            times: 1,
        });
        raised
    }

    /// The same listing from the top again, for another event than the one that was taken: the one
    /// before was left for good. Of many that were left alike, the first stands for all.
    fn begin_again(&mut self, listed: &Listed, now: &Circumstances) {
        let is_left = |listing: &Listing| {
            listing.is_like(listed)
                && listing.follows
                && listing.replaced.is_none()
                && listing.taken.zip(now.event).is_some_and(|(event, next)| event != next)
        };
        let before = |listing: &Listing| listing.is_like(listed) && listing.replaced.is_some();
        let first = self.open.iter().position(before);
        let left = self.open.iter().filter(|listing| is_left(listing)).count();
        match first {
            Some(first) => {
                self.open[first].times += u32::try_from(left).unwrap_or(0);
                self.open.retain(|listing| !is_left(listing));
            }
            None => {
                for listing in self.open.iter_mut().filter(|listing| is_left(listing)) {
                    listing.replaced = Some(now.call);
                }
            }
        }
    }

    /// A page behind a row: the next of an open listing, or a listing that begins there.
    fn go_on(
        &mut self,
        listed: &Listed,
        row: TransactionId,
        now: &Circumstances,
    ) -> Option<Raised> {
        let follows = |listing: &Listing| {
            // The same page once more is a retry.
            listing.is_like(listed)
                && (listing.last == Some(row) || listing.from == PageStart::After(row))
        };
        let Some(index) = self.open.iter().rposition(follows) else {
            return self.look_behind(row, now);
        };
        if !listed.page.has_more {
            let Listing { behind, ended, .. } = self.open.remove(index);
            self.complete(listed, behind, ended, now.deliveries);
            return None;
        }
        let listing = &mut self.open[index];
        listing.newest = now.call;
        listing.pages += u32::from(listing.from != listed.page.from);
        listing.from = listed.page.from;
        listing.last = listed.page.last;
        None
    }

    /// A listing that began at this refresh came to its end. What it read is not lost to others.
    fn complete(&mut self, listed: &Listed, behind: u32, ended: u32, deliveries: u64) {
        if let Some(last) = listed.page.last {
            self.end = Some((last, deliveries));
        }
        if behind <= self.covered.unwrap_or(0) {
            self.covered = self.covered.max(Some(ended));
        }
        let covered = self.covered.unwrap_or(0);
        self.open.retain(|listing| {
            let inside = behind <= listing.behind && listing.ended <= ended;
            !inside && listing.ended > covered
        });
    }

    /// A listing that begins behind the newest row goes into the past, one behind the oldest to
    /// nowhere.
    fn look_behind(&self, row: TransactionId, now: &Circumstances) -> Option<Raised> {
        let from_end = self.end.is_some_and(|(end, deliveries)| {
            end == row && now.event.is_some() && now.deliveries > deliveries
        });
        if self.top != Some(row) && !from_end {
            return None;
        }
        Some((DiagnosticCode::RowAsCursor, vec![row_seen("starting_after", row, now)]))
    }

    /// Rows before the newest one are the newer ones, but what changed further down is not.
    fn look_before(&self, row: TransactionId, now: &Circumstances) -> Option<Raised> {
        let is_cursor = self.top == Some(row) && now.event.is_some() && !self.uses_after;
        is_cursor.then(|| (DiagnosticCode::RowAsCursor, vec![row_seen("ending_before", row, now)]))
    }

    /// A least time that leaves out all that was shown before is a cursor: at once while an event
    /// is to be handled, else when it moved.
    fn look_at_time(&mut self, listed: &Listed, now: &Circumstances) -> Option<Raised> {
        let (Some(least), None) = (listed.page.transacted_at.from, listed.page.transacted_at.to)
        else {
            return None;
        };
        if listed.page.after.is_some() || self.uses_after || self.latest.is_none_or(|at| least < at)
        {
            return None;
        }
        let before = self.least.filter(|(before, _)| *before < least);
        let moved = before.is_some();
        self.least = Some((least, now.call));
        if !moved && now.event.is_none() {
            return None;
        }
        let seen = |(least, call): (i64, Call)| Evidence {
            at: call.at,
            request: Some(call.request),
            event: (call == now.call).then_some(now.event).flatten(),
            what: format!("listed from transacted_at {least} on"),
        };
        let evidence = before.into_iter().chain([(least, now.call)]).map(seen).collect();
        Some((DiagnosticCode::TimeAsCursor, evidence))
    }

    /// No row was touched by the refreshes up to this one that were not covered before.
    pub(super) fn nothing_until(&mut self, sequence: u32) {
        self.covered = self.covered.max(Some(sequence));
    }

    /// A refresh failed, so no row was touched by it.
    pub(super) fn nothing_by(&mut self, sequence: u32) {
        if sequence == self.covered.unwrap_or(0) + 1 {
            self.covered = Some(sequence);
        }
    }

    /// An event was taken: what is open of the listings since its delivery began was left for it.
    pub(super) fn taken(&mut self, event: EventId, since: u64) {
        for listing in self.open.iter_mut().filter(|listing| listing.order >= since) {
            listing.taken.get_or_insert(event);
        }
    }

    /// What was left undone, as far as it can be known now.
    pub(super) fn left(
        &self,
        account: AccountId,
        now: ServerTime,
        finished: bool,
    ) -> Vec<(DiagnosticCode, u32, Vec<Evidence>)> {
        let mut left = Vec::new();
        for listing in self.open.iter().filter(|listing| listing.follows) {
            let quiet = now.ms_since(listing.newest.at) >= CHECKER_QUIET_MS;
            let stopped = listing.overtaken.is_some() || listing.replaced.is_some();
            if stopped || quiet || finished {
                let mut evidence = vec![listing.shown(account)];
                evidence.extend(listing.replaced.map(|call| Evidence {
                    at: call.at,
                    request: Some(call.request),
                    event: None,
                    what: "listed the same from the top for another event".to_owned(),
                }));
                left.push((DiagnosticCode::PagingStopped, listing.times, evidence));
            }
            if let Some((call, after)) = listing.overtaken {
                let moved = Evidence {
                    at: call.at,
                    request: Some(call.request),
                    event: None,
                    what: format!("listed after {}", refresh(account, after)),
                };
                let evidence = vec![listing.shown(account), moved];
                left.push((DiagnosticCode::CursorMovedEarly, 1, evidence));
            }
        }
        left
    }

    /// Keeps the open listings within their bound; those of which nothing will be said go first.
    fn make_room(&mut self) {
        if self.open.len() >= CHECKER_LISTINGS_MAX {
            let index = self.open.iter().position(|listing| !listing.follows).unwrap_or(0);
            self.open.remove(index);
        }
    }
}

impl Listing {
    /// Whether a page has the filters of this listing.
    fn is_like(&self, listed: &Listed) -> bool {
        self.after == listed.page.after && self.transacted_at == listed.page.transacted_at
    }

    fn shown(&self, account: AccountId) -> Evidence {
        let pages = match self.pages {
            1 => "one page".to_owned(),
            pages => format!("{pages} pages"),
        };
        let what = match self.after {
            Some(after) => {
                format!("read {pages} after {}, and has_more was true", refresh(account, after))
            }
            None => format!("read {pages}, and has_more was true"),
        };
        let call = self.newest;
        Evidence { at: call.at, request: Some(call.request), event: self.taken, what }
    }
}

fn row_seen(parameter: &str, row: TransactionId, now: &Circumstances) -> Evidence {
    Evidence {
        at: now.call.at,
        request: Some(now.call.request),
        event: now.event,
        what: format!("began a listing with {parameter}={row}"),
    }
}

fn refresh(account: AccountId, sequence: u32) -> RefreshId {
    RefreshId { account, sequence }
}
