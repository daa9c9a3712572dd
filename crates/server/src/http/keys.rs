//! The issued keys that open the server, held in memory and read anew when a command has changed
//! them: a key that was made opens the very next request, one that was revoked does not.
//!
//! What is asked of the file for each request with such a key is one number from its head. A file
//! that cannot be read opens nothing: an old copy could let a revoked key in.

use super::caller::Caller;
use model::key::{IssuedKey, KEY_LETTERS, KeyDigest};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use store::{KeyFile, KeyFileError};

/// The issued keys of a server; none where there is no file.
#[derive(Debug, Default)]
pub struct IssuedKeys(Option<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    file: KeyFile,
    /// The number of changes that `known` was read at.
    changes: Option<u32>,
    known: HashMap<KeyDigest, Known>,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) revoked: bool,
}

impl IssuedKeys {
    /// The keys in a file, which is made if there is none.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let mut held = Held { file: KeyFile::open(path)?, changes: None, known: HashMap::new() };
        held.refresh()?;
        Ok(Self(Some(Mutex::new(held))))
    }

    /// What is known of a key, if it was issued.
    pub(super) fn find(&self, key: &str) -> Result<Option<Known>, KeyFileError> {
        if may_be_issued(key) { self.find_digest(KeyDigest::of(key)) } else { Ok(None) }
    }

    /// The same by what stands for the key.
    pub(super) fn find_digest(&self, digest: KeyDigest) -> Result<Option<Known>, KeyFileError> {
        let Some(held) = &self.0 else { return Ok(None) };
        // A thread that panicked while reading leaves what was read whole.
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        held.refresh()?;
        Ok(held.known.get(&digest).copied())
    }
}

impl Held {
    fn refresh(&mut self) -> Result<(), KeyFileError> {
        let changes = self.file.changes()?;
        if self.changes != Some(changes) {
            self.known = self.file.list()?.iter().flat_map(pair).collect();
            // In the middle of a change nobody knows which state was read: the next request reads
            // again. So it does after a change that a crash undid, whose number may come twice.
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

/// Whether a text has the form of issued keys; most test keys have not, and cost no look at the file.
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
    use model::id::{KeyId, MerchantId};
    use model::time::ServerTime;

    /// A key opens as soon as it is made and no longer than it is revoked; its modes are apart.
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

    /// Where there is no file no key was issued.
    #[test]
    fn needs_a_file() {
        let keys = IssuedKeys::default();
        assert!(keys.find(&format!("sk_live_{LETTERS}")).unwrap().is_none());
    }
}
