//! Encryption of the columns with secrets: bodies of idempotency records, credentials of
//! connections, client secrets and signing secrets.
//!
//! The cipher is ChaCha20-Poly1305. A value is bound to its table, column and row key, so it cannot
//! be opened at another position. The stored form is a version byte, the nonce, the ciphertext.

use crate::store::Failure;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use model::clock::Rng;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Seals and opens values with the key of one database.
#[derive(Clone)]
pub(crate) struct Sealer {
    key: [u8; 32],
    cipher: ChaCha20Poly1305,
    rng: Arc<dyn Rng>,
}

/// The position of a sealed value.
#[derive(Clone, Copy)]
pub(crate) struct CellPosition<'a> {
    /// `table.column`.
    pub(crate) column: &'static str,
    /// The key of the row, in parts.
    pub(crate) row: &'a [&'a [u8]],
}

impl CellPosition<'_> {
    /// The bytes that the value is bound to. Each part is preceded by its length, so that different
    /// keys have different bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        for part in std::iter::once(self.column.as_bytes()).chain(self.row.iter().copied()) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

impl Sealer {
    pub(crate) fn new(key: [u8; 32], rng: Arc<dyn Rng>) -> Self {
        Self { key, cipher: ChaCha20Poly1305::new(&key.into()), rng }
    }

    /// Seals a value for its position.
    pub(crate) fn seal(
        &self,
        position: CellPosition<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let bound = position.bytes();
        let nonce = self.nonce(&bound, plain);
        let payload = Payload { msg: plain, aad: &bound };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Failure::Sealed(position.column))?;
        let mut stored = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        stored.push(VERSION);
        stored.extend_from_slice(&nonce);
        stored.extend_from_slice(&sealed);
        Ok(stored)
    }

    /// Opens a value from its position.
    pub(crate) fn open(
        &self,
        position: CellPosition<'_>,
        stored: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let unreadable = Failure::Sealed(position.column);
        let Some((&VERSION, rest)) = stored.split_first() else { return Err(unreadable) };
        let Some((nonce, sealed)) = rest.split_first_chunk::<NONCE_BYTES>() else {
            return Err(unreadable);
        };
        let bound = position.bytes();
        let payload = Payload { msg: sealed, aad: &bound };
        self.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| unreadable)
    }

    /// Derives a nonce from random bytes and from the value. A server with a fixed seed draws the
    /// same random bytes after every start, and must not use one nonce for two values.
    fn nonce(&self, bound: &[u8], plain: &[u8]) -> [u8; NONCE_BYTES] {
        let mut random = [0; 32];
        self.rng.fill(&mut random);
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(random);
        hash.update(bound);
        hash.update(plain);
        let digest = hash.finalize();
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&digest[..NONCE_BYTES]);
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::rng::RepeatedByte;

    proptest! {
        /// A value opens at its own position only, and not after any byte has changed.
        #[test]
        fn opens_only_at_its_position(plain: Vec<u8>, key: Vec<u8>, other: Vec<u8>, at: prop::sample::Index) {
            prop_assume!(key != other);
            let sealer = Sealer::new([1; 32], Arc::new(RepeatedByte(7)));
            let position = CellPosition { column: "replies.body", row: &[&key, b"x"] };
            let mut stored = sealer.seal(position, &plain).unwrap();
            prop_assert_eq!(sealer.open(position, &stored).unwrap(), plain);
            for elsewhere in [
                CellPosition { column: "replies.body", row: &[&other, b"x"] },
                CellPosition { column: "replies.body", row: &[&key] },
                CellPosition { column: "objects.secret", row: &[&key, b"x"] },
            ] {
                prop_assert!(sealer.open(elsewhere, &stored).is_err());
            }
            prop_assert!(Sealer::new([2; 32], Arc::new(RepeatedByte(7))).open(position, &stored).is_err());
            let at = at.index(stored.len());
            stored[at] ^= 1;
            prop_assert!(sealer.open(position, &stored).is_err());
        }

        /// Two different values never share a nonce, even with the same random bytes.
        #[test]
        fn nonces_differ_by_value(one: Vec<u8>, two: Vec<u8>) {
            prop_assume!(one != two);
            let sealer = Sealer::new([1; 32], Arc::new(RepeatedByte(7)));
            prop_assert_ne!(sealer.nonce(b"position", &one), sealer.nonce(b"position", &two));
        }
    }
}
