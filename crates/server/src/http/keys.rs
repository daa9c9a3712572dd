//! The issued keys that the server accepts. They are cached in memory and read again after a
//! command has changed them. A new key works from the very next request, and a revoked key is
//! rejected from the very next request.
//!
//! For each request with such a key the server reads only a change counter from the head of the
//! file. If the file cannot be read, every issued key is rejected, because an old copy could
//! contain a revoked key. The file also has the registrations for live data.

use super::caller::Caller;
use engine::connections::registry::Registry;
use model::connections_settings::Registrations;
use model::id::MerchantId;
use model::key::{IssuedKey, KEY_LETTERS, KeyDigest};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{KeptMerchants, KeyFile, KeyFileError, StoredRegistration};

/// The issued keys of a server, or none if the server has no key file. Clones share the file.
#[derive(Clone, Debug, Default)]
pub struct IssuedKeys(Option<Arc<Mutex<Cache>>>);

#[derive(Debug)]
struct Cache {
    file: KeyFile,
    /// The change counter of the file when `known` was read.
    changes: Option<u32>,
    known: HashMap<KeyDigest, Known>,
    /// The merchants of these keys.
    merchants: BTreeSet<MerchantId>,
    /// The registrations, by the merchant's id of live mode.
    registrations: HashMap<MerchantId, Registrations>,
}

/// The properties of an issued key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) revoked: bool,
}

impl IssuedKeys {
    /// Opens the key file, and creates it if it does not exist.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let file = KeyFile::open(path)?;
        let (known, registrations) = (HashMap::new(), HashMap::new());
        let merchants = BTreeSet::new();
        let mut cache = Cache { file, changes: None, known, merchants, registrations };
        cache.refresh()?;
        Ok(Self(Some(Arc::new(Mutex::new(cache)))))
    }

    /// Finds the properties of an issued key.
    pub(super) fn find(&self, key: &str) -> Result<Option<Known>, KeyFileError> {
        if may_be_issued(key) { self.find_digest(KeyDigest::of(key)) } else { Ok(None) }
    }

    /// Finds the properties of an issued key by its hash.
    pub(super) fn find_digest(&self, digest: KeyDigest) -> Result<Option<Known>, KeyFileError> {
        let cache = self.current()?;
        Ok(cache.and_then(|cache| cache.known.get(&digest).copied()))
    }

    /// The cache, after every change of the file. `None` without a file.
    fn current(&self) -> Result<Option<MutexGuard<'_, Cache>>, KeyFileError> {
        let Some(cache) = &self.0 else { return Ok(None) };
        // A thread that panicked while reading leaves the cached keys complete.
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.refresh()?;
        Ok(Some(cache))
    }
}

impl KeptMerchants for IssuedKeys {
    /// True for a merchant with an issued key, revoked or not. If the file cannot be read, every merchant
    /// is kept.
    fn keeps(&self, merchant: MerchantId) -> bool {
        match self.current() {
            Ok(None) => false,
            Ok(Some(cache)) => cache.merchants.contains(&merchant),
            Err(_) => true,
        }
    }

    fn list(&self) -> Vec<MerchantId> {
        let cache = self.current().ok().flatten();
        cache.map(|cache| cache.merchants.iter().copied().collect()).unwrap_or_default()
    }
}

impl Registry for IssuedKeys {
    fn registrations(&self, merchant: MerchantId) -> Result<Registrations, engine::Error> {
        let cache = self.current().map_err(|error| engine::Error::Registry(Box::new(error)))?;
        let found = cache.and_then(|cache| cache.registrations.get(&merchant).cloned());
        Ok(found.unwrap_or_default())
    }
}

impl Cache {
    fn refresh(&mut self) -> Result<(), KeyFileError> {
        let changes = self.file.changes()?;
        if self.changes != Some(changes) {
            self.known = self.file.list()?.iter().flat_map(pair).collect();
            self.merchants = self.known.values().map(|known| known.caller.merchant).collect();
            self.registrations.clear();
            for registration in self.file.list_registrations()? {
                let StoredRegistration { merchant, permission, state } = registration;
                let of_merchant = self.registrations.entry(merchant.in_live_mode()).or_default();
                of_merchant.insert(permission, state);
            }
            // The state that was read in the middle of a change is unknown, so the next request
            // reads again. The same applies after a change that a crash rolled back, because its
            // number may be reused.
            self.changes = (self.file.changes()? == changes).then_some(changes);
        }
        Ok(())
    }
}

/// A key and its publishable key.
fn pair(key: &IssuedKey) -> [(KeyDigest, Known); 2] {
    let known = |publishable| Known {
        caller: Caller { merchant: key.owner(), livemode: key.livemode, publishable },
        revoked: key.revoked.is_some(),
    };
    [(key.secret, known(false)), (key.publishable, known(true))]
}

/// True if a text has the form of an issued key. Most test keys do not, so they need no access to
/// the file.
fn may_be_issued(key: &str) -> bool {
    let letters = ["sk_test_", "pk_test_", "sk_live_", "pk_live_"]
        .iter()
        .find_map(|beginning| key.strip_prefix(beginning));
    letters.is_some_and(|letters| {
        letters.len() == KEY_LETTERS && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::KeyId;
    use model::time::ServerTime;

    /// A key works as soon as it is issued and stops working when it is revoked. Its modes are
    /// separate.
    #[test]
    fn follows_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let keys = IssuedKeys::open(&path).unwrap();
        let (secret, publishable) = ("sk_live_", "pk_live_");
        let [secret, publishable] = [secret, publishable].map(|text| text.to_owned() + LETTERS);
        assert!(keys.find(&secret).unwrap().is_none());

        let command = KeyFile::open(&path).unwrap();
        let (id, merchant) = (KeyId::from_number(1), MerchantId::from_number(7));
        let key = IssuedKey {
            id,
            merchant,
            livemode: true,
            name: String::new(),
            secret: KeyDigest::of(&secret),
            publishable: KeyDigest::of(&publishable),
            created: ServerTime(1),
            revoked: None,
        };
        command.create(&key).unwrap();
        let caller =
            |publishable| Caller { merchant: merchant.in_live_mode(), livemode: true, publishable };
        let found = |key: &str| keys.find(key).unwrap().map(|known| (known.caller, known.revoked));
        assert_eq!(found(&secret), Some((caller(false), false)));
        assert_eq!(found(&publishable), Some((caller(true), false)));
        assert_eq!(found(&secret.replace("_live_", "_test_")), None);
        assert_eq!(found("sk_test_123"), None);

        assert!(command.revoke(id, ServerTime(2)).unwrap());
        assert_eq!(found(&secret), Some((caller(false), true)));
        assert_eq!(found(&publishable), Some((caller(true), true)));
    }

    const LETTERS: &str = "0123456789abcdefghijABCDEFGHIJ01";

    /// A server without a key file has no issued keys.
    #[test]
    fn needs_a_file() {
        let keys = IssuedKeys::default();
        assert!(keys.find(&format!("sk_live_{LETTERS}")).unwrap().is_none());
    }
}
