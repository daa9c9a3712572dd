//! The account that a call acts for: the merchant of its key, or a connected account named in a
//! header.

use super::headers::{STRIPE_ACCOUNT, STRIPE_CONTEXT};
use axum::http::Method;
use axum::http::request::Parts;
use engine::Engine;
use engine::connect::access::Connected;
use model::id::MerchantId;
use wire::error::Error;

/// The caller of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) merchant: MerchantId,
    /// True if the key is a live mode key.
    pub(super) livemode: bool,
    /// True if the key may only drive client flows.
    pub(super) publishable: bool,
}

/// Switches the caller to the connected account that the call names in a header, if any. Newer
/// libraries send the second header in place of the first.
pub(super) async fn act_in(
    engine: &Engine,
    caller: &mut Caller,
    parts: &Parts,
) -> Result<Option<Connected>, engine::Error> {
    let (account, context) = (parts.headers.get(STRIPE_ACCOUNT), parts.headers.get(STRIPE_CONTEXT));
    if account.zip(context).is_some_and(|(account, context)| account != context) {
        return Err(Error::other_context().into());
    }
    let Some(id) = account.or(context) else { return Ok(None) };
    let id = String::from_utf8_lossy(id.as_bytes());
    let writes = parts.method != Method::GET;
    let connected = engine.act_in(caller.merchant, caller.livemode, &id, writes).await?;
    if let Some(connected) = &connected {
        caller.merchant = connected.merchant;
    }
    Ok(connected)
}
