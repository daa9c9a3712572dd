//! Why a use case did not answer, and the one place that decides what a client sees of it.

use wire::error::Error as Refusal;

/// Why a use case did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong; this is what the client is told.
    #[error("the request was refused: {0}")]
    Refused(#[source] Box<Refusal>),
    /// The object is in use: its clock is advancing, or others change it all the time.
    #[error("the object is locked")]
    Locked,
    /// Another request with the same idempotency key was answered meanwhile.
    #[error("the idempotency key has an answer")]
    KeyTaken,
    /// The work came upon something that cannot be; the panic itself says where.
    #[error("the work panicked")]
    Panicked,
    /// The store could not.
    #[error("a store command failed")]
    Store(#[from] store::Error),
}

impl Error {
    /// What a client sees.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => (**refusal).clone(),
            Self::Locked | Self::Store(store::Error::Busy) => Refusal::lock_timeout(),
            // The caller of a use case replays the answer that is there; it comes here only when
            // that answer was pruned in the same instant.
            Self::KeyTaken | Self::Panicked | Self::Store(store::Error::Internal(_)) => {
                Refusal::internal()
            }
        }
    }

    /// Whether the refusal is the outcome of the request, and so to be kept for its idempotency
    /// key.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
