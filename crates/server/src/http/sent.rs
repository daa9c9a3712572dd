//! What is sent for a call: an answer, a refusal, or the answer that was sent before.

use engine::Answer;
use lab::{CallFault, FaultKind};
use model::id::RequestId;
use std::borrow::Cow;
use store::Reply;
use wire::error::Error as Refusal;

/// An answer on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) notice: Option<Cow<'static, str>>,
    /// The request that was answered first, when this is a replay.
    pub(super) original: Option<String>,
    pub(super) should_retry: Option<bool>,
    /// The limit that was reached.
    pub(super) limited: Option<&'static str>,
    /// Whether the connection ends in its place.
    pub(super) cut: bool,
    /// True if the use case decided this response. A replay, or a response that a fault replaced,
    /// tells the laboratory nothing about the client.
    pub(super) decided: bool,
}

/// The limit that a limited call is told of, as Stripe names it.
const LIMIT: &str = "global-rate";

impl Sent {
    pub(super) fn answered(answer: Answer) -> Self {
        Self {
            status: 200,
            body: answer.body,
            notice: answer.notice.map(Cow::Borrowed),
            original: None,
            should_retry: None,
            limited: None,
            cut: false,
            decided: true,
        }
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        // A key in use, a lock and a failed server are gone when the client comes again.
        // A limit of requests is not: whoever is told of it is to slow down first.
        let limited = refusal.code == Some("rate_limit");
        let should_retry = (matches!(refusal.status, 409 | 429 | 500) && !limited).then_some(true);
        let body = refusal.to_json(None);
        let notice = refusal.notice.as_ref().map(|notice| Cow::Owned(notice.to_string()));
        let status = refusal.status;
        Self {
            status,
            body,
            notice,
            original: None,
            should_retry,
            decided: false,
            limited: None,
            cut: false,
        }
    }

    /// The same with the limit that was reached.
    #[must_use]
    pub(super) fn limited(self, limit: &'static str) -> Self {
        Self { limited: Some(limit), ..self }
    }

    /// In its place the connection ends.
    #[must_use]
    pub(super) fn cut(self) -> Self {
        Self { cut: true, decided: false, ..self }
    }

    pub(super) fn replayed(reply: Reply) -> Self {
        Self {
            status: reply.status,
            body: reply.body,
            notice: None,
            original: Some(reply.request_id),
            // It would be the same answer every time.
            should_retry: (reply.status >= 400).then_some(false),
            limited: None,
            cut: false,
            decided: false,
        }
    }

    /// Logs why there is no answer if a person should know, and says what the client is told.
    pub(super) fn failed(id: RequestId, error: &engine::Error) -> Self {
        let refusal = error.refusal();
        if refusal.status >= 500 {
            let error = error as &dyn std::error::Error;
            tracing::error!(request.id = %id, error, "request failed");
        }
        Self { decided: error.is_outcome(), ..Self::refused(&refusal) }
    }

    /// What is sent in place of an answer if a call is not to be done.
    pub(super) fn in_place_of(fault: CallFault) -> Option<Self> {
        match fault.kind {
            FaultKind::ApiErrorBefore => Some(Self::refused(&Refusal::internal())),
            FaultKind::ApiCutBefore => Some(Self::refused(&Refusal::internal()).cut()),
            FaultKind::ApiRateLimited => {
                Some(Self::refused(&Refusal::rate_limited(LIMIT)).limited(LIMIT))
            }
            _ => None,
        }
    }

    /// What is sent of it under a fault that hits when the call was done.
    pub(super) fn after(self, fault: CallFault) -> Self {
        match fault.kind {
            FaultKind::ApiErrorAfter => Self::refused(&Refusal::internal()),
            FaultKind::ApiCutAfter => self.cut(),
            _ => self,
        }
    }
}
