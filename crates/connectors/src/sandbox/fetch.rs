//! Fetching from a test bank. A fetch checks the access first, then applies the scripted outcome of
//! the refresh, and then reads the data.

use super::account::Opened;
use super::banks::Sandbox;
use super::catalogue::Owners;
use super::cursor::{Cursor, Progress, Span};
use super::feed::Feed;
use super::plan::Outcome;
use super::state::{Script, State};
use crate::interface::{Fetch, FetchError, FetchOutcome, FetchPage, Records};
use model::account::InactiveCause;
use model::bank::Feature;
use model::clock::AccountTime;
use model::refresh::RefreshCause;

/// The duration of a slow ownership refresh.
const SLOW_S: i64 = 60;
const BROKEN: FetchError = FetchError::Broken { cause: RefreshCause::InstitutionError };

impl Sandbox {
    /// Fetches one page of one feature.
    pub fn fetch(&self, fetch: &Fetch<'_>) -> FetchOutcome {
        let mut response =
            FetchOutcome { result: Err(BROKEN), new_credential: None, new_state: None };
        let Some(opened) = self.open(&fetch.account) else { return response };
        let Some(mut state) = State::find(fetch.account.state) else { return response };
        if let Some((cause, _)) = opened.watch(fetch.now).lost {
            response.result = Err(lost(cause));
            return response;
        }
        let cursor = fetch.cursor.and_then(Cursor::find);
        let first_page = !matches!(cursor, Some(Cursor::Paged { .. }));
        let (script, taken) = state.bind(fetch.feature, fetch.sequence, first_page);
        response.new_state = taken.then(|| state.bytes());
        let planned = opened.planned_outcome(fetch);
        response.result = apply(script, planned, fetch).and_then(|()| match fetch.feature {
            // Stored transactions lead from this balance to those of past days.
            Feature::Balance | Feature::InferredBalances => {
                let records = Records::Balance(Some(opened.balance(&state, fetch.now)));
                Ok(FetchPage { records, next_cursor: None, more: false })
            }
            Feature::Ownership => ownership(&opened, &state, fetch),
            Feature::Transactions => Ok(self.transactions(&opened, &state, cursor, fetch.now)),
        });
        response
    }

    fn transactions(
        &self,
        opened: &Opened,
        state: &State,
        cursor: Option<Cursor>,
        now: AccountTime,
    ) -> FetchPage {
        let here = Progress { until: Opened::second(now), changes: state.changes.len() };
        let (span, position) = match cursor {
            None => (Span { first: Some(here), since: None, upto: here }, None),
            // Time moves backwards only if the clock of the server was set back.
            Some(Cursor::Ended { first, last }) => {
                let upto = Progress { until: here.until.max(last.until), ..here };
                (Span { first, since: Some(last), upto }, None)
            }
            Some(Cursor::Paged { span, position }) => (span, Some(position)),
        };
        // The cursor is stored apart from the state, so its count may not fit the log.
        let counted = &state.changes[..span.upto.changes.min(state.changes.len())];
        let ledger = opened.ledger(counted);
        let feed = Feed::of(&ledger, opened.snapshots(), span, self.page_rows);
        let page = feed.page(position);
        let next_cursor = match page.next {
            Some(position) => Cursor::Paged { span, position },
            None => Cursor::Ended { first: span.first, last: span.upto },
        };
        FetchPage {
            records: Records::Transactions {
                records: page.records,
                removals: page.removals,
                coverage: feed.coverage(),
            },
            next_cursor: Some(next_cursor.bytes()),
            more: page.next.is_some(),
        }
    }
}

fn ownership(opened: &Opened, state: &State, fetch: &Fetch<'_>) -> Result<FetchPage, FetchError> {
    let owners = match (&state.owners, opened.owners_kind()) {
        (Some(owners), _) => owners.clone(),
        (None, Some(Owners::Unsupported)) => return Err(FetchError::Unsupported),
        (None, Some(Owners::Broken)) => return Err(BROKEN),
        (None, kind) => {
            if kind == Some(Owners::Slow) {
                wait(fetch, SLOW_S, RefreshCause::InstitutionTimeout)?;
            }
            opened.owners(fetch.now)
        }
    };
    Ok(FetchPage { records: Records::Owners(owners), next_cursor: None, more: false })
}

/// Postpones a refresh until `delay_s` seconds after its start.
fn wait(fetch: &Fetch<'_>, delay_s: i64, cause: RefreshCause) -> Result<(), FetchError> {
    let left_s = delay_s - fetch.waited_s;
    if left_s > 0 {
        return Err(FetchError::RetryAfter { at: fetch.now.plus(left_s), cause });
    }
    Ok(())
}

/// Applies the outcome that a test scripted, or the one that the scenario defines.
fn apply(
    script: Option<Script>,
    planned: Option<Outcome>,
    fetch: &Fetch<'_>,
) -> Result<(), FetchError> {
    let scripted = script.map(|script| Outcome { cause: script.cause, delay_s: script.delay_s });
    let Some(Outcome { cause, delay_s }) = scripted.or(planned) else { return Ok(()) };
    wait(fetch, delay_s, cause.unwrap_or(RefreshCause::InstitutionTimeout))?;
    cause.map_or(Ok(()), |cause| Err(failure(cause)))
}

/// The error that leads to a cause.
fn failure(cause: RefreshCause) -> FetchError {
    match cause {
        RefreshCause::LoginRequired | RefreshCause::AccessDenied => {
            FetchError::NeedsLogin { cause }
        }
        RefreshCause::AccountClosed | RefreshCause::AccountUnavailable => {
            FetchError::AccountGone { cause }
        }
        RefreshCause::Unsupported => FetchError::Unsupported,
        RefreshCause::InstitutionUnavailable
        | RefreshCause::InstitutionTimeout
        | RefreshCause::InstitutionError
        | RefreshCause::Interrupted => FetchError::Broken { cause },
    }
}

/// The error of a fetch from an account without access.
fn lost(cause: InactiveCause) -> FetchError {
    failure(match cause {
        InactiveCause::AccessDenied => RefreshCause::AccessDenied,
        InactiveCause::AccountClosed => RefreshCause::AccountClosed,
        InactiveCause::AccountUnavailable | InactiveCause::Unspecified => {
            RefreshCause::AccountUnavailable
        }
        InactiveCause::AccessExpired | InactiveCause::InstitutionRequirement => {
            RefreshCause::LoginRequired
        }
    })
}
