//! The page of a Checkout Session. The holder types a name and an e-mail address, links a bank
//! account in the link flow, returns, and pays or saves it.
//!
//! The session stores the typed fields and the linked account, so the page continues after a
//! reload, in another tab or after a crash. Only the confirmation makes the intent, in one commit
//! with the end of the session.

use crate::connections::carrier::Carrier;
use crate::connections::hosted::{
    PageBank, PageFault, PageLine, PageStep, Typed, begun, read_email, read_name,
};
use crate::payments::{Changes, bytes};
use crate::settings::Brand;
use crate::{ApiResponse, Context, Engine, Error};
use model::extra_params::ExtraParams;
use model::id::RequestId;
use model::money::Currency;
use model::payments::checkout::{CheckoutMode, CheckoutSession, CheckoutStatus, LineItem};
use model::payments::intent::Intent;
use model::payments::payment_method::PaymentMethod;
use serde_json::json;
use store::Object;
use wire::address::HostedPage;

/// A session as its page shows it.
#[derive(Clone, Debug)]
pub struct CheckoutPage {
    /// The merchant's name.
    pub merchant_name: String,
    /// The rest of the merchant's brand.
    pub brand: Brand,
    /// True if it is about real money.
    pub livemode: bool,
    /// The state of the session.
    pub standing: CheckoutStanding,
    /// Its mode.
    pub mode: CheckoutMode,
    /// The line items.
    pub lines: Vec<PageLine>,
    /// The total in minor units with its currency, or `None` if an account is only saved.
    pub total: Option<(i64, Currency)>,
    /// The holder's e-mail address.
    pub email: Option<String>,
    /// True if the merchant set it, so that the holder need not type it.
    pub email_known: bool,
    /// The holder's name.
    pub name: Option<String>,
    /// The account to debit.
    pub bank: Option<PageBank>,
    /// The error of the last attempt.
    pub failure: Option<String>,
    /// The URL that the browser goes to after completion.
    pub success_url: Option<String>,
    /// The URL that the browser goes to when the holder cancels.
    pub cancel_url: Option<String>,
}

/// The state of a session for the holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutStanding {
    /// It waits for the holder.
    Open,
    /// It is complete.
    Complete {
        /// The page where the holder enters the amounts of two small deposits, if required.
        deposits_url: Option<String>,
    },
    /// It waited too long.
    Expired,
    /// Its customer was deleted.
    Gone,
}

impl Engine {
    /// Shows the page of a session. Returns `None` for an unknown token.
    pub async fn show_checkout_page(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<CheckoutPage>, Error> {
        let Some((context, session)) = self.open_checkout(token, request).await? else {
            return Ok(None);
        };
        let now = self.moment(context.merchant, session.clock).await?.now;
        let intent = self.find_intent_of_checkout(&session, &Changes::none()).await?;
        let gone = self.customer_gone(&context, session.customer).await?;
        let standing = match session.status {
            CheckoutStatus::Complete => {
                let view = context.view(self);
                let url = intent.as_ref().and_then(|intent| deposits_url(intent, &view));
                CheckoutStanding::Complete { deposits_url: url }
            }
            CheckoutStatus::Open | CheckoutStatus::Expired if gone => CheckoutStanding::Gone,
            CheckoutStatus::Open if now < session.expires_at => CheckoutStanding::Open,
            CheckoutStatus::Open | CheckoutStatus::Expired => CheckoutStanding::Expired,
        };
        let bank = self.page_bank(&context, session.collected).await?;
        let text = |name: &str| session.given.text(&[name]).map(str::to_owned);
        let success = text("success_url");
        Ok(Some(CheckoutPage {
            merchant_name: self.merchant_name(&context),
            brand: self.merchant_brand(&context),
            livemode: session.livemode,
            standing,
            mode: session.mode,
            lines: session.line_items.iter().map(line).collect(),
            total: session.amount().zip(session.currency),
            email: session.payer_email().map(str::to_owned),
            email_known: session.email.is_some(),
            name: session.payer.name.clone(),
            bank,
            failure: intent.and_then(|intent| intent.last_error).map(|error| error.message),
            success_url: success.map(|url| url.replace("{CHECKOUT_SESSION_ID}", &session.id())),
            cancel_url: text("cancel_url"),
        }))
    }

    /// Returns the address of a session's page to a browser that knows the session's id. The
    /// response has no other data of the session.
    pub async fn retrieve_checkout_url(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let session = self.get_checkout(context, id, "session").await?;
        let page =
            || context.view(self).page(HostedPage::Checkout, session.merchant, session.number);
        let url = if session.is_open() { page() } else { None };
        let shown = json!({"id": session.id(), "object": "checkout.session_page", "url": url});
        Ok(ApiResponse::unchanged(bytes(context, shown)))
    }

    /// Begins a link flow from the page. Returns `None` for an unknown token.
    pub async fn link_on_checkout_page(
        &self,
        token: &str,
        typed: &Typed,
        request: RequestId,
    ) -> Result<Option<PageStep>, Error> {
        self.change("link_on_checkout_page", async || {
            let Some((context, mut session)) = self.open_checkout(token, request).await? else {
                return Ok(Some(None));
            };
            if self.changes_of_page(&context, &session).await?.is_none() {
                return Ok(Some(Some(PageStep::Done)));
            }
            if let Err(fault) = introduce(&mut session, typed) {
                return Ok(Some(Some(PageStep::Fault(fault))));
            }
            session.version += 1;
            let page = (HostedPage::Checkout, session.number);
            let carrier = Carrier::CheckoutPage(session.clone());
            let (flow, mut changes) = self.begin_flow(&context, &carrier, Some(page)).await?;
            let step = begun(flow, &mut changes);
            changes.put(Object::Checkout(session));
            if !self.commit(&context, changes, &[]).await? {
                return Ok(None);
            }
            Ok(Some(Some(step)))
        })
        .await
    }

    /// Confirms the payment on the page. Returns `None` for an unknown token.
    pub async fn pay_on_checkout_page(
        &self,
        token: &str,
        typed: &Typed,
        request: RequestId,
    ) -> Result<Option<PageStep>, Error> {
        self.change("pay_on_checkout_page", async || {
            let Some((context, mut session)) = self.open_checkout(token, request).await? else {
                return Ok(Some(None));
            };
            let Some(mut changes) = self.changes_of_page(&context, &session).await? else {
                return Ok(Some(Some(PageStep::Done)));
            };
            if let Err(fault) = introduce(&mut session, typed) {
                return Ok(Some(Some(PageStep::Fault(fault))));
            }
            let method = match session.collected.take() {
                Some(id) => {
                    let (merchant, number) = (context.merchant, id.number());
                    self.find_unchanged::<PaymentMethod>(merchant, &mut changes, number).await?
                }
                None => None,
            };
            let Some(mut method) = method else {
                return Ok(Some(Some(PageStep::Fault(PageFault::NoBank))));
            };
            session.payer.user_agent = Some(typed.user_agent.clone());
            let stored =
                [("email", session.payer_email()), ("name", session.payer.name.as_deref())];
            for (name, text) in stored {
                if let Some(text) = text {
                    method.billing_details.put(name, ExtraParams::Text(text.to_owned()));
                }
            }
            method.version += 1;
            let end = self.checkout_collected(&context, session, Some(method), changes).await?;
            // A failed payment leaves an intent with the error. A failed subscription leaves no
            // object.
            let silent = |object: &Object| {
                matches!(object, Object::Checkout(session)
                    if session.is_open() && session.intent.is_none())
            };
            let failed = end.changes.objects.iter().any(silent);
            if !self.commit(&context, end.changes, &[]).await? {
                return Ok(None);
            }
            let failed = failed.then_some(PageStep::Fault(PageFault::Failed));
            Ok(Some(Some(failed.unwrap_or(PageStep::Done))))
        })
        .await
    }

    /// The changes of a step on the page of a session, none yet. Returns `None` if the page takes
    /// no more steps.
    async fn changes_of_page(
        &self,
        context: &Context,
        session: &CheckoutSession,
    ) -> Result<Option<Changes>, Error> {
        let mut changes = self.changes_on(context, session.clock).await?;
        let customer = session.customer;
        let gone = self.has_no_customer(&mut changes, context.merchant, customer).await?;
        let open = session.is_open() && changes.now < session.expires_at && !gone;
        Ok(open.then_some(changes))
    }

    async fn open_checkout(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<(Context, CheckoutSession)>, Error> {
        let Some((merchant, number)) = self.page_key.read(HostedPage::Checkout, token) else {
            return Ok(None);
        };
        let found = self.find::<CheckoutSession>(merchant, number).await?;
        let Some(session) = found else { return Ok(None) };
        let context = self.page_context(merchant, session.livemode, request).await?;
        Ok(context.map(|context| (context, session)))
    }
}

/// The page where the holder enters the deposits of an intent that waits for them.
pub(crate) fn deposits_url(intent: &Intent, view: &wire::render::View<'_>) -> Option<String> {
    intent.microdeposits?;
    let page = wire::render::payments::intent::deposits_page(intent);
    view.page(page, intent.merchant, intent.number)
}

fn line(item: &LineItem) -> PageLine {
    PageLine {
        name: item.name.clone(),
        quantity: item.quantity,
        amount: item.amount,
        currency: item.currency,
    }
}

/// Stores the holder's typed name and e-mail address.
fn introduce(session: &mut CheckoutSession, typed: &Typed) -> Result<(), PageFault> {
    if session.email.is_none() {
        session.payer.email = Some(read_email(typed.email.as_deref())?);
    }
    session.payer.name = Some(read_name(typed.name.as_deref())?);
    Ok(())
}
