//! Issued API keys. A server may also accept unissued test keys.
//!
//! A secret key is created together with its publishable key. Both are shown once, at creation. The
//! database stores a hash of each. A revoked key stays stored, so that its text can never be issued
//! to another merchant.

use crate::clock::Rng;
use crate::id::{KeyId, MerchantId};
use crate::time::ServerTime;
use sha2::{Digest, Sha256};

/// The number of random letters and digits of an issued key, after its prefix.
pub const KEY_LETTERS: usize = 32;

/// The SHA-256 of a key, which is stored in place of its text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest(pub [u8; 32]);

impl KeyDigest {
    /// Returns the digest of a key.
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
    /// The merchant. Its rows of live mode belong to [`MerchantId::in_live_mode`].
    pub merchant: MerchantId,
    /// True if they give access to live mode, false for test mode.
    pub livemode: bool,
    /// The name that its owner gave it, possibly empty.
    pub name: String,
    /// The secret key.
    pub secret: KeyDigest,
    /// The publishable key.
    pub publishable: KeyDigest,
    /// The time of creation.
    pub created: ServerTime,
    /// The time of revocation.
    pub revoked: Option<ServerTime>,
}

impl IssuedKey {
    /// Returns the merchant that owns the rows of calls with this key. The two modes of a merchant
    /// never share rows.
    pub fn owner(&self) -> MerchantId {
        if self.livemode { self.merchant.in_live_mode() } else { self.merchant }
    }
}

/// Returns random letters and digits with equal probability, almost six bits of secret each.
pub fn random_letters(rng: &dyn Rng, count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(count);
    let mut random = [0; 64];
    while text.len() < count {
        rng.fill(&mut random);
        // Bytes of 248 and more would make the first letters more probable than the others.
        let fair = random.iter().filter(|byte| **byte < 248);
        let missing = count - text.len();
        text.extend(fair.take(missing).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    text
}
