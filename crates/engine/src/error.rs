//! The errors of use cases, and the one place that turns them into API errors.

use wire::error::Error as ApiError;

/// An error of a use case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong. The client receives this error.
    #[error("the request was refused: {0}")]
    Rejected(#[source] Box<ApiError>),
    /// The object is in use. Its clock is advancing, or other calls change it continuously.
    #[error("the object is locked")]
    Locked,
    /// Another request with the same idempotency key got its response meanwhile.
    #[error("the idempotency key has an answer")]
    KeyTaken,
    /// Every place for a merchant is taken, and no sandbox may be removed.
    #[error("every place for a merchant is taken")]
    PlacesTaken,
    /// The work panicked on an impossible state. The panic message names the position.
    #[error("the work panicked")]
    Panicked,
    /// The registrations for live data cannot be read.
    #[error("the registrations for live data cannot be read")]
    Registry(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A command of the store failed.
    #[error("a store command failed")]
    Store(#[from] store::Error),
}

impl Error {
    /// The API error that the client receives.
    pub fn api_error(&self) -> ApiError {
        match self {
            Self::Rejected(api_error) => (**api_error).clone(),
            Self::Locked | Self::Store(store::Error::Busy) => ApiError::lock_timeout(),
            Self::Store(store::Error::ShareUsed { most, what }) => {
                ApiError::share_used(*most, what)
            }
            Self::PlacesTaken => ApiError::places_taken(),
            Self::Store(store::Error::ObjectTooLarge) => ApiError::object_too_large(),
            // The caller of a use case replays the existing response. This arm is reached only if
            // that response was pruned at the same moment.
            Self::KeyTaken
            | Self::Panicked
            | Self::Registry(_)
            | Self::Store(store::Error::Internal(_)) => ApiError::internal(),
        }
    }

    /// True if the API error is the outcome of the request, so that it is stored for its
    /// idempotency key.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }
}

impl From<ApiError> for Error {
    fn from(api_error: ApiError) -> Self {
        Self::Rejected(Box::new(api_error))
    }
}
