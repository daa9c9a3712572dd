//! The context of a call, and its response.

use crate::connect::access::Connected;
use crate::{Engine, Error};
use model::event::Cause;
use model::id::{MerchantId, RequestId};
use store::{Created, IdempotencyRecord, Written};
use wire::expand::Expand;
use wire::json::JsonWriter;
use wire::render::View;
use wire::version::Version;

/// One API call.
pub struct Context {
    /// The merchant that the call acts for.
    pub merchant: MerchantId,
    /// The connected account that it acts in, if any. The merchant is then that account's.
    pub connected: Option<Box<Connected>>,
    /// True if it came with a live key.
    pub livemode: bool,
    /// True if it came with a publishable key. Its responses leave out bank data.
    pub publishable: bool,
    /// Its id.
    pub request: RequestId,
    /// The API version of the response.
    pub version: Version,
    /// The requested expansions.
    pub expand: Expand,
    /// The idempotency key it came with.
    pub idempotency: Option<Idempotency>,
}

/// The idempotency key of a call.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// SHA-256 over method, path, sorted parameters and API version.
    pub fingerprint: [u8; 32],
}

/// The response of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    /// The JSON.
    pub body: Vec<u8>,
    /// True if it was stored for the idempotency key in the commit of its change. Otherwise the
    /// caller must store it.
    pub recorded: bool,
    /// A remark for the client's developer, sent as `Stripe-Notice`.
    pub notice: Option<&'static str>,
}

impl ApiResponse {
    /// A response of a call that changed nothing.
    pub fn unchanged(body: Vec<u8>) -> Self {
        Self { body, recorded: false, notice: None }
    }

    /// A response that was stored in the commit of its change.
    pub fn committed(body: Vec<u8>) -> Self {
        Self { body, recorded: true, notice: None }
    }
}

impl Context {
    /// The context of work without a call. Its events have no cause.
    pub(crate) fn by_itself(merchant: MerchantId, livemode: bool) -> Self {
        Self::of_page(merchant, livemode, no_request())
    }

    /// A call of a page, which has no key. Its address decides its access.
    pub(crate) fn of_page(merchant: MerchantId, livemode: bool, request: RequestId) -> Self {
        Self {
            merchant,
            connected: None,
            livemode,
            publishable: false,
            request,
            version: Version::default(),
            expand: Expand::default(),
            idempotency: None,
        }
    }

    /// The owner of the call's shares of the server's bounds: the platform of a connected account, and
    /// otherwise the merchant itself.
    pub fn share_owner(&self) -> MerchantId {
        self.connected.as_ref().map_or(self.merchant, |connected| connected.platform)
    }

    /// The cause of the events of this call. `None` for work without a call.
    pub fn cause(&self) -> Option<Cause> {
        let request = self.request;
        let key = self.idempotency.as_ref().map(|idempotency| idempotency.key.clone());
        (request != no_request()).then_some(Cause { request, idempotency_key: key })
    }

    /// The same call for a part of its work that has no response of its own.
    pub(crate) fn without_reply(&self) -> Self {
        Self {
            merchant: self.merchant,
            connected: self.connected.clone(),
            livemode: self.livemode,
            publishable: self.publishable,
            request: self.request,
            version: self.version.clone(),
            expand: Expand::default(),
            idempotency: None,
        }
    }

    /// The idempotency record, if the call came with an idempotency key.
    pub fn reply(&self, engine: &Engine, body: &[u8]) -> Option<IdempotencyRecord> {
        self.idempotency.as_ref().map(|idempotency| IdempotencyRecord {
            merchant: self.merchant,
            key: idempotency.key.clone(),
            fingerprint: idempotency.fingerprint,
            request_id: self.request.to_string(),
            status: 200,
            body: body.to_vec(),
            at: engine.clock.server_now(),
        })
    }

    /// The view of objects in the response.
    pub(crate) fn view<'a>(&'a self, engine: &'a Engine) -> View<'a> {
        View::new(&self.version, engine.settings.show_refresh_errors)
            .at(&engine.settings.public_url, &engine.page_key)
            .to_browser(self.publishable)
    }
}

/// The id that stands for no call. Ids of calls are random and never 0.
fn no_request() -> RequestId {
    RequestId::from_number(0)
}

/// Renders into fresh bytes.
pub fn render(write: impl FnOnce(&mut JsonWriter)) -> Vec<u8> {
    let mut writer = JsonWriter::with_capacity(1_536);
    write(&mut writer);
    writer.into_bytes()
}

/// True if a write was committed, false after a version conflict.
pub fn settled(written: Written) -> Result<bool, Error> {
    match written {
        Written::Done => Ok(true),
        Written::VersionConflict => Ok(false),
        Written::KeyTaken => Err(Error::KeyTaken),
    }
}

/// [`made`], for an object of which a merchant may have `most`. `plural` names them in the error.
pub fn made_within(created: Created, most: usize, plural: &str) -> Result<bool, Error> {
    match created {
        Created::KindFull => {
            let message = format!("Limit reached: at most {most} {plural}. Delete one first.");
            Err(wire::error::Error::invalid(message).into())
        }
        other => made(other),
    }
}

/// True if an object was created, false after a version conflict.
pub fn made(created: Created) -> Result<bool, Error> {
    let full = |what: &str| wire::error::Error::invalid(what).into();
    match created {
        Created::Done => Ok(true),
        Created::VersionConflict => Ok(false),
        Created::KeyTaken => Err(Error::KeyTaken),
        Created::KindFull => Err(full("Limit reached: delete an object of this kind first.")),
        Created::MerchantsFull => Err(Error::PlacesTaken),
    }
}
