//! The export of an account's history as a scenario. The bank's ledger comes from the connector.
//! The outcomes of refreshes and the loss of access come from the events.
//!
//! Events are kept for thirty days, so an export contains no earlier outcomes.

use crate::Lab;
use connectors::sandbox::export::{ExportError, History, OddRefresh};
use engine::connections::watch::bank_account;
use engine::{ApiResponse, Context, Error, render};
use model::Word;
use model::account::{Account, AccountStatus};
use model::bank::Feature;
use model::clock::AccountTime;
use model::event::{Event, EventType, Snapshot};
use model::limits::{SCENARIO_EVENT_PAGES_MAX, SCENARIO_EVENTS_READ};
use model::refresh::{RefreshCause, RefreshState, RefreshStatus};
use store::ListFeed;
use wire::error::Error as ApiError;

/// The largest delay in seconds that still counts as an immediate response of the bank, because a
/// refresh is noticed a little later.
const AT_ONCE_S: i64 = 2;

impl Lab {
    /// Writes the history of an account up to now as a scenario.
    pub async fn export_scenario(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let (account, connection) = self.linked(context, id).await?;
        let now = self.engine.moment(context.merchant, account.clock).await?.now;
        let history = self.history(&account).await?;
        let at_bank = bank_account(&account, &connection);
        let text = self
            .sandbox()
            .export(&at_bank, now, &account.institution_name, &history)
            .map_err(|error| export_error(&error))?;
        Ok(ApiResponse::unchanged(render(|w| {
            crate::render::scenario::write_export(w, account.id, now, &text);
        })))
    }

    /// Collects the unusual outcomes of an account's refreshes, and the loss of its access.
    async fn history(&self, account: &Account) -> Result<History, Error> {
        // The feed has all committed events of the account only once they are dispatched.
        self.engine.dispatch_committed(account.merchant).await?;
        let mut noted = Noted::default();
        let mut after = 0;
        for _ in 0..SCENARIO_EVENT_PAGES_MAX {
            let list = ListFeed {
                merchant: account.merchant,
                account: Some(account.id),
                types: Vec::new(),
                after,
                limit: SCENARIO_EVENTS_READ,
            };
            let read = self.engine.store().read(list).await?;
            for found in &read {
                noted.note(&found.event);
                after = found.feed;
            }
            if read.len() < SCENARIO_EVENTS_READ {
                break;
            }
        }
        Ok(noted.history)
    }
}

/// The history from the events so far.
#[derive(Default)]
struct Noted {
    history: History,
    /// The time of the last failed refresh that ended the access.
    lost_by_refresh_at: Option<AccountTime>,
}

impl Noted {
    /// Adds an event to the history.
    fn note(&mut self, event: &Event) {
        let Snapshot::Account(account) = &event.snapshot else { return };
        // An account that was linked without access was never deactivated.
        let recorded = [EventType::AccountCreated, EventType::AccountDeactivated];
        if recorded.contains(&event.event_type) {
            // A refresh that fails for the same reason will deactivate the account again.
            if let AccountStatus::Inactive { cause, .. } = account.status
                && self.lost_by_refresh_at != Some(event.created)
            {
                self.history.access_ends.push((event.created, cause));
            }
            return;
        }
        let ended = |feature: &&Feature| event.event_type == EventType::refreshed(**feature);
        let Some(feature) = Feature::ALL.iter().find(ended) else { return };
        let state = match feature {
            Feature::Balance => &account.balance_refresh,
            Feature::Ownership => &account.ownership_refresh,
            Feature::Transactions => &account.transaction_refresh,
            Feature::InferredBalances => &account.inferred_balances_refresh,
        };
        let Some(state) = state else { return };
        if ends_access(state) {
            self.lost_by_refresh_at = Some(event.created);
        }
        let took_s = event.created.0 - state.last_attempted_at.0;
        let took_s = if took_s > AT_ONCE_S { took_s } else { 0 };
        let failed = state.status == RefreshStatus::Failed;
        if (failed || took_s > 0) && state.cause != Some(RefreshCause::Interrupted) {
            let (sequence, cause) = (state.sequence, state.cause);
            let odd = OddRefresh { feature: *feature, sequence, cause, took_s };
            self.history.refreshes.push(odd);
        }
    }
}

/// True if a refresh with this failure makes its account inactive.
fn ends_access(state: &RefreshState) -> bool {
    matches!(
        state.cause,
        Some(
            RefreshCause::LoginRequired
                | RefreshCause::AccessDenied
                | RefreshCause::AccountClosed
                | RefreshCause::AccountUnavailable
        )
    )
}

fn export_error(error: &ExportError) -> Error {
    ApiError::invalid(format!("The account cannot be exported: {error}.")).into()
}
