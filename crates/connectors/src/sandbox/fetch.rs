//! Fetching from a test bank: first the account's access, then the refresh's script, then the data.

use super::catalogue::Owners;
use super::cursor::{Cursor, Heard};
use super::feed::Feed;
use super::ledger::Sums;
use super::owners::owners;
use super::plan::Outcome;
use super::state::{BalanceOffset, Script, State};
use super::{Known, Opened, Sandbox};
use crate::{Fetch, FetchAnswer, FetchError, FetchPage, Records};
use model::account::{Category, InactiveCause};
use model::bank::{Balance, BalanceType, BankOwner, Feature};
use model::clock::AccountTime;
use model::refresh::RefreshCause;

/// How long a slow ownership refresh takes.
const SLOW_S: i64 = 60;
const BROKEN: FetchError = FetchError::Broken { cause: RefreshCause::InstitutionError };

impl Sandbox {
    /// Fetches one page of one feature.
    pub fn fetch(&self, fetch: &Fetch<'_>) -> FetchAnswer {
        let mut answer = FetchAnswer { result: Err(BROKEN), new_credential: None, new_state: None };
        let Some(opened) = self.open(&fetch.account) else { return answer };
        let Some(mut state) = State::find(fetch.account.state) else { return answer };
        if let Some((cause, _)) = self.watch(&fetch.account, fetch.now).lost {
            answer.result = Err(lost(cause));
            return answer;
        }
        let cursor = fetch.cursor.and_then(Cursor::find);
        let first_page = !matches!(cursor, Some(Cursor::Paged { .. }));
        let (script, taken) = state.bind(fetch.feature, fetch.sequence, first_page);
        answer.new_state = taken.then(|| state.bytes());
        let planned = opened.planned_outcome(fetch);
        answer.result = obey(script, planned, fetch).and_then(|()| match fetch.feature {
            Feature::Balance => {
                let records = Records::Balance(Some(opened.balance(&state, fetch.now)));
                Ok(FetchPage { records, next_cursor: None, more: false })
            }
            Feature::Ownership => ownership(&opened, &state, fetch),
            Feature::Transactions => Ok(self.transactions(&opened, &state, cursor, fetch.now)),
        });
        answer
    }

    fn transactions(
        &self,
        opened: &Opened,
        state: &State,
        cursor: Option<Cursor>,
        now: AccountTime,
    ) -> FetchPage {
        let here = Heard { until: Opened::second(now), changes: state.changes.len() };
        let (since, upto, place) = match cursor {
            None => (None, here, None),
            // Time never runs back, except on a server whose clock was set back.
            Some(Cursor::Ended(since)) => {
                (Some(since), Heard { until: here.until.max(since.until), ..here }, None)
            }
            Some(Cursor::Paged { since, upto, place }) => (since, upto, Some(place)),
        };
        let counted = &state.changes[..upto.changes.min(state.changes.len())];
        let books = opened.books(counted);
        let feed = Feed::of(&books, opened.snapshots(), (since, upto), self.page_rows);
        let page = feed.page(place);
        let next_cursor = match page.next {
            Some(place) => Cursor::Paged { since, upto, place },
            None => Cursor::Ended(upto),
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

impl Opened {
    /// The balance as the bank computes it.
    pub(super) fn balance(&self, state: &State, now: AccountTime) -> Balance {
        let offset = state.balance.or_else(|| self.planned_offset(state, now));
        let (current, available) = self.books(&state.changes).sums(Self::second(now), offset);
        let credit = self.category() == Category::Credit;
        Balance {
            as_of: now,
            current,
            balance_type: if credit { BalanceType::Credit } else { BalanceType::Cash },
            available_or_used: Some(available),
        }
    }

    /// How far a scenario says that the balance stands from the books.
    fn planned_offset(&self, state: &State, now: AccountTime) -> Option<BalanceOffset> {
        let Known::Planned(plan) = &self.known else { return None };
        Some(plan.offset(self.linked.first, now, |at| {
            // What was done by hand later than that had no part in it.
            let made = state.changes.iter().take_while(|change| change.at.0 <= at).count();
            let (posted, with_pending) = self.books(&state.changes[..made]).sums(at, None);
            let sum = |sums: &Sums| sums.get(&plan.currency).copied().unwrap_or(0);
            (sum(&posted), sum(&with_pending))
        }))
    }

    fn planned_outcome(&self, fetch: &Fetch<'_>) -> Option<Outcome> {
        let Known::Planned(plan) = &self.known else { return None };
        let started_at = fetch.now.plus(-fetch.waited_s);
        plan.outcome(self.linked.first, started_at, (fetch.feature, fetch.sequence))
    }

    /// The owners that the bank tells of, unless tests changed them.
    pub(super) fn owners(&self, now: AccountTime) -> Vec<BankOwner> {
        match &self.known {
            Known::Catalogue(_, account) => owners(account.owners, self.identity.holder),
            Known::Planned(plan) => match plan.owners(self.linked.first, now) {
                Some(told) => told.to_vec(),
                None => owners(Owners::Complete(1), self.identity.holder),
            },
        }
    }
}

fn ownership(opened: &Opened, state: &State, fetch: &Fetch<'_>) -> Result<FetchPage, FetchError> {
    let told = match (&state.owners, opened.owners_kind()) {
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
    Ok(FetchPage { records: Records::Owners(told), next_cursor: None, more: false })
}

/// Puts a refresh off until so long after its start.
fn wait(fetch: &Fetch<'_>, delay_s: i64, cause: RefreshCause) -> Result<(), FetchError> {
    let left_s = delay_s - fetch.waited_s;
    if left_s > 0 {
        return Err(FetchError::RetryAfter { at: fetch.now.plus(left_s), cause });
    }
    Ok(())
}

/// Does what tests scripted, else what a scenario says, if there is either.
fn obey(
    script: Option<Script>,
    planned: Option<Outcome>,
    fetch: &Fetch<'_>,
) -> Result<(), FetchError> {
    let scripted = script.map(|script| Outcome { cause: script.cause, delay_s: script.delay_s });
    let Some(Outcome { cause, delay_s }) = scripted.or(planned) else { return Ok(()) };
    wait(fetch, delay_s, cause.unwrap_or(RefreshCause::InstitutionTimeout))?;
    cause.map_or(Ok(()), |cause| Err(failure(cause)))
}

/// The error that brings a cause about.
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

/// The error of a fetch from an account whose access is lost.
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
