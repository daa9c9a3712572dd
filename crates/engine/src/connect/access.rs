//! Access of a caller. A secret key opens all objects of a merchant, or those of a connected
//! account that the call names. In a browser, a client secret opens the one object that it belongs
//! to.

use crate::settings::Brand;
use model::id::MerchantId;
use sha2::{Digest, Sha256};

/// The caller: a server with its secret key, or a browser with a client secret.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// True if the key is publishable.
    pub publishable: bool,
    /// The client secret that came with the call.
    pub client_secret: Option<&'a str>,
}

/// The connected account that a call acts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The platform that the account belongs to.
    pub platform: MerchantId,
    /// Its id.
    pub account: String,
    /// The merchant that it acts as.
    pub merchant: MerchantId,
    /// The name that its customers know, if the account has set one.
    pub name: Option<String>,
    /// The rest of its brand. The platform's does not apply to it.
    pub brand: Brand,
}

/// The lookup text of a client secret. The secret itself is stored in a sealed column only.
pub(crate) fn secret_lookup(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
