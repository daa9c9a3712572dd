//! Visits of the settings page. A person who enters a secret key there may use the page for a
//! limited time.
//!
//! The key itself is sent once and is not stored. A random token in the forms of the page
//! represents it. The token is never part of a URL, so that it does not appear in a history, log or
//! referrer. It is not in a cookie either, so that a foreign page cannot send it. Visits are stored
//! in memory only. After a restart the page asks for the key again.

use super::auth::Keys;
use super::caller::Caller;
use crate::rng::Stream;
use model::clock::ServerTime;
use model::id::MerchantId;
use model::key::{KeyDigest, random_letters};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use wire::error::Error;

/// The length of a token, in letters and digits.
const TOKEN_LETTERS: usize = 32;
/// The duration of a visit, in milliseconds.
const VISIT_MS_MAX: i64 = 30 * 60 * 1_000;
/// The maximum number of concurrent visits. One more ends the visit that would expire first.
const VISITS_MAX: usize = 1_000;

/// The owner of a visit and its expiry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    /// The merchant that owns the displayed settings.
    pub(crate) merchant: MerchantId,
    /// True if the visit shows the live mode settings.
    pub(crate) livemode: bool,
    key: KeyDigest,
    until: ServerTime,
}

/// All visits, by the hash of their token.
#[derive(Debug)]
pub(super) struct Visits {
    tokens: Stream,
    visitors: Mutex<HashMap<KeyDigest, Visitor>>,
}

impl Visits {
    /// Creates an empty set of visits. The stream supplies the tokens.
    pub(super) fn new(tokens: Stream) -> Self {
        Self { tokens, visitors: Mutex::default() }
    }

    /// Begins a visit with a secret key. Returns its token.
    pub(super) fn begin(&self, keys: &Keys, key: &str, now: ServerTime) -> Result<String, Error> {
        let Caller { merchant, livemode, publishable } = keys.find_caller(key)?;
        if publishable {
            return Err(Error::secret_key_required());
        }
        let token = random_letters(&self.tokens, TOKEN_LETTERS);
        let until = now.plus_ms(VISIT_MS_MAX);
        let visitor = Visitor { merchant, livemode, key: KeyDigest::of(key), until };
        let mut visitors = self.visitors.lock().unwrap_or_else(PoisonError::into_inner);
        visitors.retain(|_, visitor| visitor.until > now);
        if visitors.len() >= VISITS_MAX {
            let first = visitors.iter().min_by_key(|(_, visitor)| visitor.until);
            if let Some(first) = first.map(|(token, _)| *token) {
                visitors.remove(&first);
            }
        }
        visitors.insert(KeyDigest::of(&token), visitor);
        Ok(token)
    }

    /// Finds the visitor with this token. Returns `None` if the visit has expired or its key is
    /// revoked.
    pub(super) fn find(
        &self,
        keys: &Keys,
        token: &str,
        now: ServerTime,
    ) -> Result<Option<Visitor>, Error> {
        let visitors = self.visitors.lock().unwrap_or_else(PoisonError::into_inner);
        let visitor = visitors.get(&KeyDigest::of(token)).copied();
        drop(visitors);
        match visitor.filter(|visitor| visitor.until > now) {
            Some(visitor) if !keys.is_revoked(visitor.key)? => Ok(Some(visitor)),
            _ => Ok(None),
        }
    }
}
