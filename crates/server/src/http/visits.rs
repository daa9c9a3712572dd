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
use model::share::has_share;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use wire::error::Error;

/// The length of a token, in letters and digits.
const TOKEN_LETTERS: usize = 32;
/// The duration of a visit, in milliseconds.
const VISIT_MS_MAX: i64 = 30 * 60 * 1_000;
/// The maximum number of concurrent visits. A merchant has at most as many as are free. One more ends the
/// visit of the merchant that would expire first.
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
        make_room(&mut visitors, merchant);
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

/// Makes room for one more visit of a merchant. If its share is used up, its first visit ends. So no merchant
/// ends the visits of others.
fn make_room(visitors: &mut HashMap<KeyDigest, Visitor>, merchant: MerchantId) {
    let own = visitors.values().filter(|visitor| visitor.merchant == merchant).count();
    let free = VISITS_MAX.saturating_sub(visitors.len());
    if has_share(own, free) {
        return;
    }
    let is_own = |visitor: &Visitor| own == 0 || visitor.merchant == merchant;
    let candidates = visitors.iter().filter(|(_, visitor)| is_own(visitor));
    let first = candidates.min_by_key(|(_, visitor)| visitor.until).map(|(token, _)| *token);
    if let Some(first) = first {
        visitors.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A merchant that begins visits again and again ends its own, and not those of others.
    #[test]
    fn a_merchant_ends_only_its_own_visits() {
        let mut visitors = HashMap::new();
        let mut begin = |owner: u64, number: usize| {
            let merchant = MerchantId::from_number(owner);
            make_room(&mut visitors, merchant);
            let key = KeyDigest::of("sk_test");
            let until = ServerTime(i64::try_from(number).unwrap());
            let visitor = Visitor { merchant, livemode: false, key, until };
            visitors.insert(KeyDigest::of(&format!("{owner} {number}")), visitor);
        };
        begin(1, 0);
        for number in 1..=2 * VISITS_MAX {
            begin(2, number);
        }
        begin(3, 0);
        let of = |owner: u64| {
            let merchant = MerchantId::from_number(owner);
            visitors.values().filter(|visitor| visitor.merchant == merchant).count()
        };
        assert_eq!([of(1), of(2), of(3)], [1, VISITS_MAX / 2, 1]);
    }
}
