//! Fetching from a test bank: first the account's access, then the refresh's script, then the data.

use super::cursor::{Cursor, Heard};
use super::feed::Feed;
use super::institutions::Owners;
use super::ledger::Books;
use super::owners::owners;
use super::state::{Script, State};
use super::{Opened, Sandbox};
use crate::{Fetch, FetchAnswer, FetchError, FetchPage, Records};
use model::account::{Category, InactiveCause};
use model::bank::{Balance, BalanceType, Feature};
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
        answer.result = obey(script, fetch).and_then(|()| match fetch.feature {
            Feature::Balance => {
                let records = Records::Balance(Some(balance(&opened, &state, fetch.now)));
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
        let books = Books::open(opened.life, opened.start, counted);
        let snapshots = opened.bank.snapshots;
        let feed = Feed { books: &books, snapshots, since, upto, page_rows: self.page_rows };
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

/// The balance as the bank computes it.
pub(super) fn balance(opened: &Opened, state: &State, now: AccountTime) -> Balance {
    let books = Books::open(opened.life, opened.start, &state.changes);
    let (current, available) = books.sums(Opened::second(now), state.balance);
    let credit = opened.account.category == Category::Credit;
    Balance {
        as_of: now,
        current,
        balance_type: if credit { BalanceType::Credit } else { BalanceType::Cash },
        available_or_used: Some(available),
    }
}

fn ownership(opened: &Opened, state: &State, fetch: &Fetch<'_>) -> Result<FetchPage, FetchError> {
    let told = match (&state.owners, opened.account.owners) {
        (Some(owners), _) => owners.clone(),
        (None, Owners::Unsupported) => return Err(FetchError::Unsupported),
        (None, Owners::Broken) => return Err(BROKEN),
        (None, kind) => {
            if kind == Owners::Slow {
                wait(fetch, SLOW_S, RefreshCause::InstitutionTimeout)?;
            }
            owners(kind, opened.identity.holder)
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

/// Does what a script says, if there is one.
fn obey(script: Option<Script>, fetch: &Fetch<'_>) -> Result<(), FetchError> {
    let Some(script) = script else { return Ok(()) };
    wait(fetch, script.delay_s, script.cause.unwrap_or(RefreshCause::InstitutionTimeout))?;
    script.cause.map_or(Ok(()), |cause| Err(failure(cause)))
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
