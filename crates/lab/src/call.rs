//! Calls of clients under observation.
//!
//! The engine emits the observation of a call before the server knows the fate of the response. A
//! fault may replace it, and a repeated idempotency key returns an earlier one. So an observation
//! is kept until the server reports that the client received the response. Only calls that are
//! watched are kept, so the number of current calls bounds the memory.

use crate::{Instruments, Lab};
use engine::observer::{CallFact, CallObservation, PageStart};
use model::id::{MerchantId, RequestId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Bounds, FindLeftOut};

/// Observations of the current calls.
#[derive(Debug, Default)]
pub(crate) struct WatchedCalls(Mutex<HashMap<RequestId, Option<CallObservation>>>);

impl WatchedCalls {
    fn all(&self) -> MutexGuard<'_, HashMap<RequestId, Option<CallObservation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an observation if its call is watched.
    pub(crate) fn keep(&self, observation: CallObservation) {
        if let Some(slot) = self.all().get_mut(&observation.request) {
            *slot = Some(observation);
        }
    }
}

/// A call of a client that the client checker observes. Dropping it ends the observation.
pub struct WatchedCall {
    instruments: Arc<Instruments>,
    merchant: MerchantId,
    request: RequestId,
}

impl Lab {
    /// Watches a call of the client of a merchant in test mode.
    pub fn watch_call(&self, merchant: MerchantId, request: RequestId) -> WatchedCall {
        let instruments = Arc::clone(&self.instruments);
        instruments.calls.all().insert(request, None);
        WatchedCall { instruments, merchant, request }
    }
}

impl WatchedCall {
    /// Hands the observation of the call to the client checker, because the client receives the
    /// response that the engine decided.
    pub async fn responded(self) {
        let slot = self.instruments.calls.all().remove(&self.request).flatten();
        let Some(observation) = slot else { return };
        let left_out = self.find_left_out(&observation).await;
        let at = self.instruments.clock.server_now();
        self.instruments.checker.call(self.merchant, &observation, left_out, at);
    }

    /// Returns the newest refresh that touched a row which a page from the top excludes by the
    /// bank's time.
    async fn find_left_out(&self, observation: &CallObservation) -> Option<u32> {
        let CallFact::TransactionsListed(page) = &observation.fact else { return None };
        if page.from != PageStart::Newest || page.transacted_at == Bounds::default() {
            return None;
        }
        let find = FindLeftOut {
            merchant: self.merchant,
            account: observation.account?,
            transacted_at: page.transacted_at,
            after: page.after,
        };
        self.instruments.store.read(find).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the client checker could not read the rows left out");
            None
        })
    }
}

impl Drop for WatchedCall {
    fn drop(&mut self) {
        self.instruments.calls.all().remove(&self.request);
    }
}
