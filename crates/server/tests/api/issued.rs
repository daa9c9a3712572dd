//! Keys that a test issues for its server.

use model::clock::ServerTime;
use model::id::{KeyId, MerchantId};
use model::key::{IssuedKey, KeyDigest};
use std::sync::atomic::{AtomicU64, Ordering};
use store::KeyFile;

/// The key file of a test, in which keys are issued while the server runs, as the operator's
/// command does.
pub(crate) struct Keys {
    pub(crate) path: std::path::PathBuf,
    file: KeyFile,
    made: AtomicU64,
    _folder: tempfile::TempDir,
}

/// An issued key in plain text, which is shown only once.
pub(crate) struct Issued {
    pub(crate) id: KeyId,
    pub(crate) secret: String,
    pub(crate) publishable: String,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api-keys");
        let file = KeyFile::open(&path).unwrap();
        Self { path, file, made: AtomicU64::new(1), _folder: folder }
    }

    /// Issues a key for a merchant.
    pub(crate) fn issue(&self, merchant: u64, livemode: bool) -> Issued {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mode = if livemode { "live" } else { "test" };
        let text = |kind: &str| format!("{kind}_{mode}_{number:032}");
        let id = KeyId::from_number(number);
        let issued = Issued { id, secret: text("sk"), publishable: text("pk") };
        let key = IssuedKey {
            id,
            merchant: MerchantId::from_number(merchant),
            livemode,
            name: String::new(),
            secret: KeyDigest::of(&issued.secret),
            publishable: KeyDigest::of(&issued.publishable),
            created: ServerTime(0),
            revoked: None,
        };
        self.file.create(&key).unwrap();
        issued
    }

    /// Revokes a key.
    pub(crate) fn revoke(&self, issued: &Issued) {
        assert!(self.file.revoke(issued.id, ServerTime(1)).unwrap());
    }
}
