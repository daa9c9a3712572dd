//! What a caller may see and do: all of a merchant's with its secret key, of a connected account's when
//! the call names one, and in a browser what a client secret stands for.

use model::id::MerchantId;
use sha2::{Digest, Sha256};

/// Who calls: a server with its secret key, or a browser with a client secret.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Whether the key is publishable.
    pub publishable: bool,
    /// The client secret that came with the call.
    pub client_secret: Option<&'a str>,
}

/// The connected account that a call acts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Whose it is.
    pub platform: MerchantId,
    /// Its id.
    pub account: String,
    /// The merchant that it acts as.
    pub merchant: MerchantId,
    /// What its customers know it by, if it has said so.
    pub name: Option<String>,
}

/// What a client secret is looked up by; the secret itself stands only in a sealed column.
pub(crate) fn secret_lookup(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
