//! Listings of an account's transactions: the pages that belong together, and the listings that
//! were abandoned.
//!
//! A listing begins with a page from the top. Each page that continues after the last row of the
//! previous one, with the same filters, belongs to it. It is open as long as its last page had
//! more. A listing with `transaction_refresh[after]` counts as following the account. So does a
//! listing without it that is read while an event of the account is to be handled. Others may be a
//! person who looks at the first page, and are not reported.
//!
//! Rows that another listing reads to its end are not lost. Take a listing that began when refresh
//! `e` was the newest that had ended, and that asked for rows after refresh `a`. It returns every
//! row that was last touched after `a` and up to `e`. A listing with a filter by the bank's time
//! does the same with another `a`: the newest refresh that touched an excluded row. So consecutive
//! listings cover all rows up to a refresh. An open listing that began before that refresh ended
//! lost no row. The same is true of a listing with a range that lies within the range of another.

use super::facts::{Call, Listed};
use crate::diagnostic::{DiagnosticCode, Evidence};
use engine::observer::PageStart;
use model::clock::ServerTime;
use model::id::{AccountId, EventId, RefreshId, TransactionId};
use model::limits::{CHECKER_LISTINGS_MAX, CHECKER_QUIET_MS};
use store::Bounds;

/// A raised diagnostic, and its evidence.
pub(super) type Raised = (DiagnosticCode, Vec<Evidence>);

/// A listing that has more.
#[derive(Clone, Debug)]
struct Listing {
    after: Option<u32>,
    transacted_at: Bounds,
    /// The refresh after which it returns every row that was touched.
    behind: u32,
    /// The newest page.
    newest: Call,
    pages: u32,
    /// The start of the newest page, and the row that the next page follows.
    from: PageStart,
    last: Option<TransactionId>,
    /// True if it counts as following the account.
    follows: bool,
    /// The newest refresh that had ended at its start.
    ended: u32,
    /// The position of its start among all observations of the account.
    order: u64,
    /// The event with a delivery that got a 2xx response while this was open.
    taken: Option<EventId>,
    /// The listing that asked for rows after a later refresh.
    overtaken: Option<(Call, u32)>,
    /// The listing of a later event that started from the top again, and the number of times.
    replaced: Option<Call>,
    times: u32,
}

/// The circumstances of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) call: Call,
    /// Its position among all observations of the account.
    pub(super) order: u64,
    /// The event that is to be handled, if there is one.
    pub(super) event: Option<EventId>,
    /// The number of deliveries that have begun.
    pub(super) deliveries: u64,
}

/// The listings of the transactions of one account.
#[derive(Clone, Debug, Default)]
pub(super) struct Listings {
    open: Vec<Listing>,
    /// The refresh up to which everything was read.
    covered: Option<u32>,
    /// True if `transaction_refresh[after]` was ever used.
    uses_after: bool,
    /// The first row of the newest page from the top.
    top: Option<TransactionId>,
    /// The last row of the newest complete listing, and the number of deliveries until then.
    end: Option<(TransactionId, u64)>,
    /// The latest of the bank's times that was shown.
    latest: Option<i64>,
    /// The lowest of the bank's times that was requested after the shown ones.
    least: Option<(i64, Call)>,
}

impl Listings {
    /// Adds a page.
    pub(super) fn take(&mut self, listed: &Listed, now: &Circumstances) -> Option<Raised> {
        self.uses_after |= listed.page.after.is_some();
        if self.covered.is_none() && !self.open.iter().any(|listing| listing.follows) {
            // A client that lists after a refresh has read the earlier ones, as far as can be
            // known.
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

    /// Begins a listing with a page from the top.
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
        let is_reported = listed.page.after.is_some() || now.event.is_some();
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
            follows: is_reported && !is_known && listed.behind() < listed.page.ended,
            ended: listed.page.ended,
            order: now.order,
            taken: None,
            overtaken: None,
            replaced: None,
            times: 1,
        });
        raised
    }

    /// Records that the same listing began from the top again, for another event than the accepted
    /// one. The earlier listing was abandoned. Of several similar ones that were abandoned, only
    /// the first is kept.
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

    /// Adds a page after a row: the next page of an open listing, or the first page of a new one.
    fn go_on(
        &mut self,
        listed: &Listed,
        row: TransactionId,
        now: &Circumstances,
    ) -> Option<Raised> {
        let follows = |listing: &Listing| {
            // A repeated page is a retry.
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

    /// Completes a listing that began at this refresh. The rows that it read are not lost to
    /// others.
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

    /// Reports a listing that begins after a known row. After the newest row there are only older
    /// ones, and after the oldest there are none.
    fn look_behind(&self, row: TransactionId, now: &Circumstances) -> Option<Raised> {
        let from_end = self.end.is_some_and(|(end, deliveries)| {
            end == row && now.event.is_some() && now.deliveries > deliveries
        });
        if self.top != Some(row) && !from_end {
            return None;
        }
        Some((DiagnosticCode::RowAsCursor, vec![row_evidence("starting_after", row, now)]))
    }

    /// Reports a listing that ends before the newest row. It has the newer rows, but not the
    /// changes to older ones.
    fn look_before(&self, row: TransactionId, now: &Circumstances) -> Option<Raised> {
        let is_cursor = self.top == Some(row) && now.event.is_some() && !self.uses_after;
        is_cursor
            .then(|| (DiagnosticCode::RowAsCursor, vec![row_evidence("ending_before", row, now)]))
    }

    /// Reports a minimum time that excludes all rows that were shown before, because the client
    /// uses it as a cursor. It is reported at once while an event is to be handled, and otherwise
    /// after it moved.
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
        let evidence_of = |(least, call): (i64, Call)| Evidence {
            at: call.at,
            request: Some(call.request),
            event: (call == now.call).then_some(now.event).flatten(),
            what: format!("listed from transacted_at {least} on"),
        };
        let evidence = before.into_iter().chain([(least, now.call)]).map(evidence_of).collect();
        Some((DiagnosticCode::TimeAsCursor, evidence))
    }

    /// Notes that the refreshes up to this one, and after the covered ones, touched no row.
    pub(super) fn nothing_until(&mut self, sequence: u32) {
        self.covered = self.covered.max(Some(sequence));
    }

    /// Notes that a refresh failed, so it touched no row.
    pub(super) fn nothing_by(&mut self, sequence: u32) {
        if sequence == self.covered.unwrap_or(0) + 1 {
            self.covered = Some(sequence);
        }
    }

    /// Notes that an event was accepted. Listings that began since its delivery did and are still
    /// open were abandoned for it.
    pub(super) fn taken(&mut self, event: EventId, since: u64) {
        for listing in self.open.iter_mut().filter(|listing| listing.order >= since) {
            listing.taken.get_or_insert(event);
        }
    }

    /// Returns the listings that were abandoned, as far as can be known now.
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

    /// Keeps the number of open listings within its bound. Listings that will not be reported are
    /// removed first.
    fn make_room(&mut self) {
        if self.open.len() >= CHECKER_LISTINGS_MAX {
            let index = self.open.iter().position(|listing| !listing.follows).unwrap_or(0);
            self.open.remove(index);
        }
    }
}

impl Listing {
    /// True if a page has the filters of this listing.
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

fn row_evidence(parameter: &str, row: TransactionId, now: &Circumstances) -> Evidence {
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
