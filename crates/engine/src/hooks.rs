//! Hooks: the places where a test may change the normal course of the engine.
//!
//! Every method has a default that changes nothing, so [`NoHooks`] is the product without tests.
//! The hooks are set when the engine is built. They keep no state that a crash could lose, except
//! for deliveries that wait for another one, and those become due at their own time anyway.

use crate::Error;
use connectors::Connector;
use model::delivery::{Delivery, DeliveryKey};
use model::endpoint::{Endpoint, EventForm};
use model::event::Event;
use model::id::MerchantId;
use std::pin::Pin;
use store::Object;

/// The future of an asynchronous hook.
pub type HookFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The places where a test may change the normal course.
pub trait Hooks: Send + Sync {
    /// Runs before the deliveries of a batch of events are written, in the order of the feed. It may
    /// change their status and their due time, and it may attach a mark. Returns objects that are
    /// stored in the same commit. If one of them has another version by then, the batch is repeated.
    fn before_deliveries<'a>(
        &'a self,
        _drafts: &'a mut [EventDraft<'_>],
    ) -> HookFuture<'a, Vec<Object>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Runs before an attempt and returns the changes to it.
    fn before_attempt(&self, _delivery: &Delivery) -> AttemptChange {
        AttemptChange::default()
    }

    /// Runs after a delivery has succeeded. Returns deliveries that waited for it and are due now.
    fn after_success(&self, _delivered: DeliveryKey) -> Vec<(DeliveryKey, MerchantId)> {
        Vec::new()
    }

    /// Returns the connector with the banks that a merchant may link in test mode. The argument is
    /// the connector of the server.
    fn connector_for<'a>(
        &'a self,
        _merchant: MerchantId,
        connector: &'a Connector,
    ) -> HookFuture<'a, Connector> {
        Box::pin(std::future::ready(Ok(connector.clone())))
    }
}

/// Hooks that change nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}

/// An event that is about to be dispatched.
#[derive(Debug)]
pub struct EventDraft<'a> {
    /// The event.
    pub event: &'a Event,
    /// Its deliveries.
    pub deliveries: Vec<DeliveryDraft<'a>>,
}

/// A delivery that is about to be written.
#[derive(Debug)]
pub struct DeliveryDraft<'a> {
    /// The target.
    pub endpoint: &'a Endpoint,
    /// The form of the event.
    pub form: EventForm,
    /// The delivery.
    pub delivery: Delivery,
}

/// Changes to one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttemptChange {
    /// The signing secrets to use instead of the endpoint's.
    pub secrets: Option<Vec<String>>,
    /// True if one more attempt follows although this one succeeds.
    pub repeat: bool,
    /// A word for the record of the attempt.
    pub mark: Option<String>,
}
