//! The result of a call that is sent to the client: a response, an API error, or a replayed
//! response.

use engine::ApiResponse;
use lab::{CallFault, FaultKind};
use model::id::RequestId;
use std::borrow::Cow;
use store::IdempotencyRecord;
use wire::error::{Error as ApiError, in_second_version};

/// A response that is ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) notice: Option<Cow<'static, str>>,
    /// The id of the original request, if this is a replay.
    pub(super) original: Option<String>,
    pub(super) should_retry: Option<bool>,
    /// The limit that was reached.
    pub(super) limited: Option<&'static str>,
    /// True if the connection is closed instead of sending the response.
    pub(super) cut: bool,
    /// True if the connection ends after the response.
    pub(super) closes: bool,
    /// True if the use case decided this response. It is false for a replay and for a response that a
    /// fault replaced, because the client checker ignores both.
    pub(super) decided: bool,
}

/// The name of the limit that a rate-limited response reports, as in Stripe's API.
const LIMIT: &str = "global-rate";
/// The name of the limit for a merchant that uses its whole share of a bound of the server.
const CONCURRENCY: &str = "global-concurrency";

impl Sent {
    pub(super) fn succeeded(response: ApiResponse) -> Self {
        Self {
            status: 200,
            body: response.body,
            notice: response.notice.map(Cow::Borrowed),
            original: None,
            should_retry: None,
            limited: None,
            cut: false,
            closes: false,
            decided: true,
        }
    }

    pub(super) fn rejected(api_error: &ApiError) -> Self {
        // A key in use, a lock and a failed server are temporary, so a retry can succeed. A rate
        // limit is different, because the client has to slow down first, and so are places that stay
        // taken.
        let limited = matches!(api_error.code, Some("rate_limit" | "places_taken"));
        let should_retry =
            (matches!(api_error.status, 409 | 429 | 500) && !limited).then_some(true);
        let body = api_error.to_json(None);
        let notice = api_error.notice.as_ref().map(|notice| Cow::Owned(notice.to_string()));
        let status = api_error.status;
        Self {
            status,
            body,
            notice,
            original: None,
            should_retry,
            decided: false,
            limited: limited.then_some(CONCURRENCY),
            cut: false,
            closes: false,
        }
    }

    /// The response of another server.
    pub(super) fn passed_on(status: u16, body: Vec<u8>, notice: Option<Cow<'static, str>>) -> Self {
        Self {
            status,
            body,
            notice,
            original: None,
            should_retry: None,
            limited: None,
            cut: false,
            closes: false,
            decided: false,
        }
    }

    /// Ends the connection after the response.
    pub(super) fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// Turns an error into the form of `/v2`. It is stored for an idempotency key in that of `/v1`.
    #[must_use]
    pub(super) fn in_second_version(self) -> Self {
        if self.status < 400 {
            return self;
        }
        let (status, body) = in_second_version(self.status, &self.body);
        Self { status, body, ..self }
    }

    /// Sets the limit that was reached.
    #[must_use]
    pub(super) fn limited(self, limit: &'static str) -> Self {
        Self { limited: Some(limit), ..self }
    }

    /// The response to a call that finds no room in a budget.
    pub(super) fn full(limit: &'static str) -> Self {
        Self::rejected(&ApiError::rate_limited(limit)).limited(limit)
    }

    /// Closes the connection instead of sending the response.
    #[must_use]
    pub(super) fn cut(self) -> Self {
        Self { cut: true, decided: false, ..self }
    }

    pub(super) fn replayed(record: IdempotencyRecord) -> Self {
        Self {
            status: record.status,
            body: record.body,
            notice: None,
            original: Some(record.request_id),
            // A retry would get the same response every time.
            should_retry: (record.status >= 400).then_some(false),
            limited: None,
            cut: false,
            closes: false,
            decided: false,
        }
    }

    /// Converts an engine error into an API error, and logs it if an operator should know of it.
    pub(super) fn failed(id: RequestId, error: &engine::Error) -> Self {
        let api_error = error.api_error();
        if api_error.status >= 500 {
            let error = error as &dyn std::error::Error;
            tracing::error!(request.id = %id, error, "request failed");
        }
        Self { decided: error.is_outcome(), ..Self::rejected(&api_error) }
    }

    /// The response that a fault sends instead of performing the call, if any.
    pub(super) fn in_place_of(fault: CallFault) -> Option<Self> {
        match fault.kind {
            FaultKind::ApiErrorBefore => Some(Self::rejected(&ApiError::internal())),
            FaultKind::ApiCutBefore => Some(Self::rejected(&ApiError::internal()).cut()),
            FaultKind::ApiRateLimited => {
                Some(Self::rejected(&ApiError::rate_limited(LIMIT)).limited(LIMIT))
            }
            _ => None,
        }
    }

    /// Applies a fault that takes effect after the call has been performed.
    pub(super) fn after(self, fault: CallFault) -> Self {
        match fault.kind {
            FaultKind::ApiErrorAfter => Self::rejected(&ApiError::internal()),
            FaultKind::ApiCutAfter => self.cut(),
            _ => self,
        }
    }
}
