//! Observations: facts about calls and deliveries that the engine emits and never reads.
//!
//! A use case emits at most one observation per call, after it has decided the response and, for a
//! write, after the commit. The deliver worker emits one observation when an attempt starts and one
//! when it ends. The observer is set when the engine is built. It must return at once, because the
//! engine calls it inside its own work. A crash loses observations that were not handled yet.

use crate::{Context, Engine};
use model::Word;
use model::bank::Feature;
use model::clock::{AccountTime, ServerTime};
use model::delivery::Delivery;
use model::endpoint::Endpoint;
use model::event::Event;
use model::id::{AccountId, EventId, MerchantId, RequestId, TransactionId};
use store::Bounds;

/// A receiver of observations.
pub trait Observer: Send + Sync {
    /// Receives the observation of a call.
    fn on_call(&self, observation: CallObservation);

    /// Receives the observation of a delivery.
    fn on_delivery(&self, observation: &DeliveryObservation<'_>);
}

/// An observer that ignores every observation.
#[derive(Clone, Copy, Debug, Default)]
pub struct IgnoreAll;

impl Observer for IgnoreAll {
    fn on_call(&self, _observation: CallObservation) {}

    fn on_delivery(&self, _observation: &DeliveryObservation<'_>) {}
}

/// The observation of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallObservation {
    /// The merchant that owns the objects of the call.
    pub merchant: MerchantId,
    /// The id of the call.
    pub request: RequestId,
    /// The bank account that the call names. `None` if the call is about the whole merchant.
    pub account: Option<AccountId>,
    /// The outcome of the call.
    pub fact: CallFact,
}

/// The outcome of a call, as far as it concerns a client that follows a bank account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFact {
    /// A page of the account's transactions was returned.
    TransactionsListed(TransactionsPage),
    /// The list of transactions was rejected, because no refresh has succeeded yet.
    TransactionsNotReady {
        /// The sequence of the newest refresh that has ended. 0 if none has.
        ended: u32,
        /// The sequence of the pending refresh, if there is one.
        pending: Option<u32>,
    },
    /// The account was returned.
    AccountShown {
        /// The sequences of pending refreshes, in the order of [`Feature::ALL`].
        pending: [Option<u32>; Feature::ALL.len()],
    },
    /// Refreshes were requested, none is pending and none was started.
    RefreshNotStarted {
        /// The features of the request that are not pending.
        features: Vec<Feature>,
    },
    /// Refreshes were started.
    RefreshesStarted {
        /// The features, each with the sequence of its refresh.
        started: Vec<(Feature, u32)>,
        /// The time of the start by the account's clock.
        at: AccountTime,
    },
    /// The call was rejected, because the account is inactive or disconnected.
    AccountNotUsable,
    /// A page of accounts was returned, with these accounts.
    AccountsListed(Vec<AccountId>),
    /// A page of events was returned.
    EventsListed,
    /// Owners or one transaction of the account were returned. They do not show the state of a
    /// refresh.
    DataShown,
    /// The account was refreshed, subscribed, unsubscribed or disconnected, with or without an
    /// effect.
    AccountActedOn,
    /// A Financial Connections Session was created.
    SessionCreated,
}

/// One page of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionsPage {
    /// The sequence in `transaction_refresh[after]`.
    pub after: Option<u32>,
    /// The bounds of `transacted_at`.
    pub transacted_at: Bounds,
    /// The position where the page begins.
    pub from: PageStart,
    /// The first row of the page.
    pub first: Option<TransactionId>,
    /// The last row of the page.
    pub last: Option<TransactionId>,
    /// The latest `transacted_at` on the page, in seconds since 1970.
    pub latest: Option<i64>,
    /// True if more rows follow.
    pub has_more: bool,
    /// The sequence of the newest refresh that has ended. 0 if none has.
    pub ended: u32,
    /// The sequence of the pending refresh, if there is one.
    pub pending: Option<u32>,
}

/// The position where a page of transactions begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// The newest row.
    Newest,
    /// The row after this one.
    After(TransactionId),
    /// The page ends before this row.
    Before(TransactionId),
}

/// A step of a delivery.
#[derive(Clone, Copy, Debug)]
pub enum DeliveryObservation<'a> {
    /// An attempt is about to be made.
    AttemptStarted {
        /// The delivery, as it was claimed.
        delivery: &'a Delivery,
        /// The target.
        endpoint: &'a Endpoint,
        /// The time.
        at: ServerTime,
    },
    /// An attempt was made. Its record is not committed yet.
    AttemptEnded {
        /// The delivery, as it was claimed.
        delivery: &'a Delivery,
        /// The target.
        endpoint: &'a Endpoint,
        /// The time.
        at: ServerTime,
        /// The HTTP status. `None` if there was no response.
        status: Option<u16>,
        /// True if no further attempt follows.
        is_last: bool,
    },
    /// The settlement of an attempt or of a canceled delivery was committed.
    Settled {
        /// The merchant that owns the event.
        merchant: MerchantId,
    },
    /// Events were dispatched, with or without a subscribed endpoint.
    Dispatched {
        /// The merchant that owns the events.
        merchant: MerchantId,
    },
    /// An event was sent to an event stream with a reader that forwards events.
    Forwarded {
        /// The event.
        event: &'a Event,
        /// The exact bytes that were sent.
        payload: &'a [u8],
        /// The time.
        at: ServerTime,
    },
    /// The reader of an event stream reported the response to a forwarded event.
    ForwardEnded {
        /// The merchant that owns the event.
        merchant: MerchantId,
        /// The event.
        event: EventId,
        /// The HTTP status.
        status: u16,
        /// The time.
        at: ServerTime,
    },
}

impl Engine {
    /// Emits the observation of a call.
    pub(crate) fn emit_call(&self, context: &Context, account: Option<AccountId>, fact: CallFact) {
        self.observer.on_call(CallObservation {
            merchant: context.merchant,
            request: context.request,
            account,
            fact,
        });
    }
}
