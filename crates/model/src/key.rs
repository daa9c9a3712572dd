//! API keys that were issued, as opposed to the test keys that a server may take from anybody.
//!
//! A secret key is made together with its publishable key. Both are shown once, when they are made;
//! what is kept is a hash of each. A revoked key stays known, so that nobody else can use its text.

use crate::clock::Rng;
use crate::id::{KeyId, MerchantId};
use crate::time::ServerTime;
use sha2::{Digest, Sha256};

/// Letters and digits of an issued key, behind what it begins with.
pub const KEY_LETTERS: usize = 32;

/// What stands for the text of a key: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

impl KeyDigest {
    /// What stands for this key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }
}

impl std::fmt::Debug for KeyDigest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyDigest")
    }
}

/// A secret key and its publishable key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedKey {
    /// The id of both.
    pub id: KeyId,
    /// Whose they are. The merchant's rows of live mode stand under [`MerchantId::in_live_mode`].
    pub merchant: MerchantId,
    /// Whether they open live mode; otherwise test mode.
    pub livemode: bool,
    /// What its owner calls it; may be empty.
    pub name: String,
    /// The secret key.
    pub secret: KeyDigest,
    /// The publishable key.
    pub publishable: KeyDigest,
    /// When they were made.
    pub created: ServerTime,
    /// Since when they open nothing.
    pub revoked: Option<ServerTime>,
}

impl IssuedKey {
    /// Whose rows a call with this key is about: the two modes of a merchant never meet.
    pub fn owner(&self) -> MerchantId {
        if self.livemode { self.merchant.in_live_mode() } else { self.merchant }
    }
}

/// Random letters and digits, each as likely as any other; near six bits of secret in each.
pub fn random_letters(rng: &dyn Rng, count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(count);
    let mut random = [0; 64];
    while text.len() < count {
        rng.fill(&mut random);
        // Bytes of 248 and more would make the first letters likelier than the rest.
        let fair = random.iter().filter(|byte| **byte < 248);
        let missing = count - text.len();
        text.extend(fair.take(missing).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    text
}
