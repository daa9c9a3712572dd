//! Visits of the settings page: whoever shows a secret key there may use the page for a while.
//!
//! The key itself is sent once and kept nowhere. A random token stands for it, in the forms of the
//! page: in no address, so that no history, log or referrer has it, and in no cookie, so that a page
//! of others has nothing to send along. Visits are held in memory; after a restart the key is asked
//! for again.

use super::auth::Keys;
use super::caller::Caller;
use crate::rng::Stream;
use model::clock::ServerTime;
use model::id::MerchantId;
use model::key::{KeyDigest, random_letters};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use wire::error::Error;

/// Letters and digits of a token.
const TOKEN_LETTERS: usize = 32;
/// How long a visit lasts.
const VISIT_MS_MAX: i64 = 30 * 60 * 1_000;
/// Visits at once. One more ends the one that would end first.
const VISITS_MAX: usize = 1_000;

/// Who visits, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    /// Whose settings are shown.
    pub(crate) merchant: MerchantId,
    /// Whether they are those of live mode.
    pub(crate) livemode: bool,
    key: KeyDigest,
    until: ServerTime,
}

/// All visits, by what stands for their tokens.
#[derive(Debug)]
pub(super) struct Visits {
    tokens: Stream,
    held: Mutex<HashMap<KeyDigest, Visitor>>,
}

impl Visits {
    /// No visits; tokens come from this stream.
    pub(super) fn new(tokens: Stream) -> Self {
        Self { tokens, held: Mutex::default() }
    }

    /// Begins a visit with a secret key; answers its token.
    pub(super) fn begin(&self, keys: &Keys, key: &str, now: ServerTime) -> Result<String, Error> {
        let Caller { merchant, livemode, publishable } = keys.find_caller(key)?;
        if publishable {
            return Err(Error::secret_key_required());
        }
        let token = random_letters(&self.tokens, TOKEN_LETTERS);
        let until = now.plus_ms(VISIT_MS_MAX);
        let visitor = Visitor { merchant, livemode, key: KeyDigest::of(key), until };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, visitor| visitor.until > now);
        if held.len() >= VISITS_MAX {
            let first = held.iter().min_by_key(|(_, visitor)| visitor.until);
            if let Some(first) = first.map(|(token, _)| *token) {
                held.remove(&first);
            }
        }
        held.insert(KeyDigest::of(&token), visitor);
        Ok(token)
    }

    /// Who has this token. Nobody once the visit is over or its key was revoked.
    pub(super) fn find(
        &self,
        keys: &Keys,
        token: &str,
        now: ServerTime,
    ) -> Result<Option<Visitor>, Error> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let visitor = held.get(&KeyDigest::of(token)).copied();
        drop(held);
        match visitor.filter(|visitor| visitor.until > now) {
            Some(visitor) if !keys.is_revoked(visitor.key)? => Ok(Some(visitor)),
            _ => Ok(None),
        }
    }
}
