//! Carriers: the objects that can start a link flow, as the flow sees them.
//!
//! The flow reads the link requirements of its carrier ([`Carrier::requirements`]) and reports its
//! end to it (`carrier_…`). Each report returns the objects and events to commit together with the
//! accounts, so that all of them are one command. This module writes to no store.

use crate::connect::access::secret_lookup;
use crate::payments::intent::IntentKind;
use crate::payments::method_configuration::check_offered;
use crate::payments::payment_method::MadeFor;
use crate::payments::{Changes, bytes, intent_object};
use crate::{Context, Engine, Error};
use model::account::{Account, Holder, Permission, Subcategory};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::{
    ClockId, InstitutionId, InvoiceId, MerchantId, PaymentIntentId, SetupIntentId, SubscriptionId,
    TokenId,
};
use model::link::FlowEnd;
use model::payments::checkout::CheckoutSession;
use model::payments::intent::Intent;
use model::payments::payment_method::PaymentMethod;
use model::session::{
    CancelReason, ManualEntry, PaymentMethodSupport, Prefetch, Relink, RelinkFailure, Session,
    SessionCopy, SessionStatus,
};
use model::token::{BankAccountToken, BankNumbers};
use std::collections::BTreeSet;
use store::Object;
use wire::error::Error as ApiError;

/// Names a carrier.
#[derive(Clone, Debug)]
pub enum CarrierInput {
    /// By its client secret.
    ClientSecret(String),
    /// By its id.
    Id(String),
}

impl CarrierInput {
    /// Returns the parameter that names the carrier.
    pub(crate) fn param(&self) -> &'static str {
        match self {
            Self::ClientSecret(_) => "client_secret",
            Self::Id(_) => "carrier",
        }
    }
}

/// An object that can start a link flow.
pub(crate) enum Carrier {
    /// A Financial Connections Session.
    Session(Session),
    /// A Payment Intent or a Setup Intent.
    Intent(Intent),
    /// A Checkout Session that is complete when the flow has ended.
    Checkout(CheckoutSession),
    /// A Checkout Session with a page that continues after the flow. The holder confirms there.
    CheckoutPage(CheckoutSession),
}

/// The link requirements of a carrier.
#[derive(Clone, Debug)]
pub(crate) struct LinkRequirements {
    pub(crate) merchant: MerchantId,
    pub(crate) livemode: bool,
    /// The time after which no flow may end. Without one the flow's own age is the bound.
    pub(crate) expires_at: Option<AccountTime>,
    /// True if a flow may still end.
    pub(crate) open: bool,
    pub(crate) clock: Option<ClockId>,
    /// The holder of the accounts. Accounts without a holder are never merged with others.
    pub(crate) holder: Option<Holder>,
    pub(crate) permissions: BTreeSet<Permission>,
    pub(crate) prefetch: Vec<Prefetch>,
    /// The only subcategories that may be linked, or `None` for all.
    pub(crate) account_subcategories: Option<Vec<Subcategory>>,
    /// The only bank, or `None` for all.
    pub(crate) institution: Option<InstitutionId>,
    /// The number of linked accounts that must be able to pay.
    pub(crate) support: Option<PaymentMethodSupport>,
    pub(crate) accounts_max: Option<u32>,
    /// True if the holder may type numbers.
    pub(crate) manual_entry: bool,
    /// True if the holder leaves the flow to type them on a form of the merchant.
    pub(crate) has_own_form: bool,
    /// True if the holder may pick a bank. Otherwise the holder types numbers.
    pub(crate) banks: bool,
    /// True if the flow is for a payment, which needs one account that can pay.
    pub(crate) payment: bool,
    /// The URL that the browser goes to at the end, if no page waits for the end.
    pub(crate) return_url: Option<String>,
    /// True if the browser goes there without a click.
    pub(crate) hosted: bool,
    /// The login to renew. Its bank is then the only one.
    pub(crate) relink: Option<Relink>,
}

impl LinkRequirements {
    /// The bank at which the flow begins, if it is fixed.
    pub(crate) fn bank(&self) -> Option<InstitutionId> {
        self.relink.as_ref().map(|relink| relink.institution).or(self.institution)
    }
}

/// The effect of the end of a flow on its carrier.
pub(crate) struct CarrierEnd {
    /// The objects to store, with their events.
    pub(crate) changes: Changes,
    /// The carrier as the response shows it.
    pub(crate) body: Vec<u8>,
    /// The token of typed numbers, for carriers that create one.
    pub(crate) token: Option<TokenId>,
}

impl Carrier {
    /// The link requirements.
    pub(crate) fn requirements(&self) -> LinkRequirements {
        match self {
            Self::Session(session) => session_requirements(session),
            Self::Intent(intent) => intent_requirements(intent),
            Self::Checkout(session) | Self::CheckoutPage(session) => checkout_requirements(session),
        }
    }

    /// Rejects a link flow for an object with a payment method configuration that offers no bank
    /// accounts.
    pub(crate) fn check_offered(&self) -> Result<(), Error> {
        let (types, configuration) = match self {
            Self::Intent(intent) => (&intent.method_types, &intent.configuration),
            Self::Checkout(session) | Self::CheckoutPage(session) => {
                (&session.method_types, &session.configuration)
            }
            Self::Session(_) => return Ok(()),
        };
        check_offered(types.as_deref(), configuration.as_ref(), None)
    }

    /// Its id.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Session(session) => session.id.to_string(),
            Self::Intent(intent) => intent.id(),
            Self::Checkout(session) | Self::CheckoutPage(session) => session.id(),
        }
    }

    /// The e-mail address that the holder typed on the carrier's page.
    pub(crate) fn payer_email(&self) -> Option<&str> {
        match self {
            Self::CheckoutPage(session) => session.payer_email(),
            _ => None,
        }
    }
}

impl Engine {
    /// The carrier of a client secret or an id.
    pub(crate) async fn find_carrier(
        &self,
        context: &Context,
        carrier: &CarrierInput,
    ) -> Result<Carrier, Error> {
        match carrier {
            CarrierInput::Id(id) if id.starts_with(PaymentIntentId::PREFIX) => {
                let kind = IntentKind::Payment;
                Ok(Carrier::Intent(self.get_intent(context, kind, id, "carrier").await?))
            }
            CarrierInput::Id(id) if id.starts_with(SetupIntentId::PREFIX) => {
                let kind = IntentKind::Setup;
                Ok(Carrier::Intent(self.get_intent(context, kind, id, "carrier").await?))
            }
            CarrierInput::Id(id) if id.starts_with("cs_") => {
                Ok(Carrier::Checkout(self.get_checkout(context, id, "carrier").await?))
            }
            CarrierInput::Id(id) if id.starts_with(InvoiceId::PREFIX) => {
                Ok(Carrier::Intent(self.get_intent_of_invoice(context, id, "carrier").await?))
            }
            CarrierInput::Id(id) if id.starts_with(SubscriptionId::PREFIX) => {
                Ok(Carrier::Intent(self.get_intent_of_subscription(context, id, "carrier").await?))
            }
            CarrierInput::Id(id) => {
                Ok(Carrier::Session(self.get::<Session>(context, id, "carrier").await?))
            }
            CarrierInput::ClientSecret(secret) => {
                if let Some(intent) = self.find_intent_of_secret(context, secret).await? {
                    return Ok(Carrier::Intent(intent));
                }
                let lookup = secret_lookup(secret);
                let found = self.find_by_lookup::<Session>(context.merchant, lookup).await?;
                found.map(Carrier::Session).ok_or_else(|| {
                    let message = "No link flow has this client secret.";
                    ApiError::invalid(message).param("client_secret").into()
                })
            }
        }
    }

    /// Ends the carrier of a flow that linked these accounts. There is at least one, and they are
    /// not stored yet.
    pub(crate) async fn carrier_linked(
        &self,
        context: &Context,
        carrier: Carrier,
        accounts: &[Account],
        changes: Changes,
    ) -> Result<CarrierEnd, Error> {
        let now = changes.now;
        let [first, ..] = accounts else { unreachable!("a flow links at least one account") };
        // The flow of a payment links one account.
        let method = |clock| self.method_of_account(context, first, MadeFor { now, clock });
        match carrier {
            Carrier::Session(mut session) => {
                let mut shown = accounts.to_vec();
                shown.sort_by_key(|account| std::cmp::Reverse((account.created, account.id)));
                session.accounts = accounts.iter().map(|account| account.id).collect();
                session.status = SessionStatus::Succeeded;
                let token = self.payout_token(context, &session, &shown, now);
                session.token = token.as_ref().map(|token| token.id);
                self.session_ended(context, session, &shown, token, changes).await
            }
            Carrier::Intent(intent) => {
                let method = method(intent.clock);
                self.intent_collected(context, intent, Some(method), changes).await
            }
            Carrier::Checkout(session) => {
                let method = Some(method(session.clock));
                Box::pin(self.checkout_collected(context, session, method, changes)).await
            }
            Carrier::CheckoutPage(session) => {
                let method = method(session.clock);
                Ok(page_collected(changes, session, Some(method)))
            }
        }
    }

    /// Ends the carrier of a flow without accounts: the holder left, or the bank failed. A carrier
    /// that renews a login records `failure`.
    pub(crate) async fn carrier_left(
        &self,
        context: &Context,
        carrier: Carrier,
        end: FlowEnd,
        failure: RelinkFailure,
        changes: Changes,
    ) -> Result<CarrierEnd, Error> {
        match carrier {
            Carrier::Session(mut session) => {
                if let Some(relink) = &mut session.relink {
                    relink.failure = Some(failure);
                }
                session.cancel_reason = match end {
                    FlowEnd::Cancelled => Some(CancelReason::Other),
                    FlowEnd::CustomManualEntry => Some(CancelReason::CustomManualEntry),
                    _ => None,
                };
                session.status = match end {
                    FlowEnd::Failed => SessionStatus::Failed,
                    FlowEnd::Cancelled | FlowEnd::CustomManualEntry => SessionStatus::Cancelled,
                    FlowEnd::Linked | FlowEnd::NumbersEntered => {
                        unreachable!("this end has accounts or numbers")
                    }
                };
                self.session_ended(context, session, &[], None, changes).await
            }
            // The holder may begin again, so nothing changes.
            Carrier::Intent(intent) => self.intent_collected(context, intent, None, changes).await,
            Carrier::Checkout(session) => {
                Box::pin(self.checkout_collected(context, session, None, changes)).await
            }
            Carrier::CheckoutPage(session) => Ok(page_collected(changes, session, None)),
        }
    }

    /// Ends the carrier of a flow in which the holder typed numbers instead of linking an account.
    pub(crate) async fn carrier_numbers_entered(
        &self,
        context: &Context,
        carrier: Carrier,
        numbers: &BankNumbers,
        changes: Changes,
    ) -> Result<CarrierEnd, Error> {
        let now = changes.now;
        match carrier {
            Carrier::Session(mut session) => {
                let token = self.token_of_numbers(context, numbers, None, now);
                session.token = Some(token.id);
                session.status = SessionStatus::Succeeded;
                self.session_ended(context, session, &[], Some(token), changes).await
            }
            Carrier::Intent(intent) => {
                let made_for = MadeFor { now, clock: intent.clock };
                let method = self.method_of_numbers(context, numbers, made_for);
                self.intent_collected(context, intent, Some(method), changes).await
            }
            Carrier::Checkout(session) => {
                let made_for = MadeFor { now, clock: session.clock };
                let method = self.method_of_numbers(context, numbers, made_for);
                Box::pin(self.checkout_collected(context, session, Some(method), changes)).await
            }
            Carrier::CheckoutPage(session) => {
                let made_for = MadeFor { now, clock: session.clock };
                let method = self.method_of_numbers(context, numbers, made_for);
                Ok(page_collected(changes, session, Some(method)))
            }
        }
    }

    async fn session_ended(
        &self,
        context: &Context,
        mut session: Session,
        accounts: &[Account],
        token: Option<BankAccountToken>,
        mut changes: Changes,
    ) -> Result<CarrierEnd, Error> {
        session.version += 1;
        let body = self.session_body_with(context, &session, accounts, token.as_ref()).await?;
        let id = token.as_ref().map(|token| token.id);
        if self.has_preview_listener(session.merchant, EventType::SessionUpdated).await? {
            let shown = Session { client_secret: String::new(), ..session.clone() };
            let (accounts, token) = (accounts.to_vec(), token.clone());
            changes.emit_session(SessionCopy { session: shown, accounts, token });
        }
        changes.objects.extend(token.map(Object::Token));
        changes.put(Object::Session(session));
        Ok(CarrierEnd { changes, body, token: id })
    }

    /// Applies the payment method of a flow to an intent, if there is one.
    async fn intent_collected(
        &self,
        context: &Context,
        mut intent: Intent,
        method: Option<PaymentMethod>,
        mut changes: Changes,
    ) -> Result<CarrierEnd, Error> {
        if let Some(method) = method {
            intent.attach(method.id);
            intent.version += 1;
            changes.put(Object::PaymentMethod(method));
            changes.put(intent_object(intent.clone()));
        }
        let body = bytes(context, self.intent_value(context, &intent, &changes, false).await?);
        let body = self.expanded(context, &changes, body).await?;
        Ok(CarrierEnd { changes, body, token: None })
    }
}

/// Applies the payment method of a flow to the page of a Checkout Session, if there is one. The
/// body is empty because the page renders the session again.
fn page_collected(
    mut changes: Changes,
    mut session: CheckoutSession,
    method: Option<PaymentMethod>,
) -> CarrierEnd {
    if let Some(method) = method {
        session.collected = Some(method.id);
        session.version += 1;
        changes.put(Object::PaymentMethod(method));
        changes.put(Object::Checkout(session));
    }
    CarrierEnd { changes, body: Vec::new(), token: None }
}

fn session_requirements(session: &Session) -> LinkRequirements {
    let filters = session.filters.as_ref();
    let one_account = session.relink.as_ref().is_some_and(|relink| relink.account.is_some());
    LinkRequirements {
        merchant: session.merchant,
        livemode: session.livemode,
        expires_at: Some(session.expires_at()),
        open: session.status == SessionStatus::Pending,
        clock: session.clock,
        holder: session.holder.clone(),
        permissions: session.permissions.clone(),
        prefetch: session.prefetch.clone().unwrap_or_default(),
        account_subcategories: filters.and_then(|filters| filters.account_subcategories.clone()),
        institution: filters.and_then(|filters| filters.institution),
        support: filters
            .and_then(|filters| filters.require_payment_method_support)
            .or(session.for_payouts.then_some(PaymentMethodSupport::All)),
        accounts_max: if one_account || (session.for_payouts && !session.limits_given) {
            Some(1)
        } else {
            session.accounts_max
        },
        // Typed numbers renew no login.
        manual_entry: session.relink.is_none()
            && match session.manual_entry {
                Some(mode) => mode != ManualEntry::Disabled,
                None => session.for_payouts,
            },
        has_own_form: session.manual_entry == Some(ManualEntry::Custom),
        banks: true,
        payment: false,
        return_url: match &session.hosted {
            Some(hosted) => Some(hosted.return_url.clone()),
            None => session.return_url.clone(),
        },
        hosted: session.hosted.is_some(),
        relink: session.relink.clone(),
    }
}

fn intent_requirements(intent: &Intent) -> LinkRequirements {
    let collection = &intent.collection;
    let settings = intent.from_settings.as_ref();
    LinkRequirements {
        merchant: intent.merchant,
        livemode: intent.livemode,
        expires_at: None,
        open: intent.collects(),
        clock: intent.clock,
        holder: intent.customer.map(Holder::Customer),
        permissions: collection.requested_permissions(settings),
        prefetch: collection.requested_prefetch(settings),
        account_subcategories: collection.account_subcategories.clone(),
        institution: collection.institution,
        support: None,
        accounts_max: Some(1),
        // Typed live numbers cannot be debited.
        manual_entry: intent.manual_entry() && (!intent.livemode || collection.has_own_form()),
        has_own_form: collection.has_own_form(),
        banks: intent.livemode || !collection.numbers_only(),
        payment: true,
        return_url: collection.return_url.clone(),
        hosted: false,
        relink: None,
    }
}

fn checkout_requirements(session: &CheckoutSession) -> LinkRequirements {
    let collection = &session.collection;
    let settings = session.from_settings.as_ref();
    LinkRequirements {
        merchant: session.merchant,
        livemode: session.livemode,
        expires_at: Some(session.expires_at),
        open: session.is_open(),
        clock: session.clock,
        holder: session.customer.map(Holder::Customer),
        permissions: collection.requested_permissions(settings),
        prefetch: collection.requested_prefetch(settings),
        account_subcategories: collection.account_subcategories.clone(),
        institution: collection.institution,
        support: None,
        accounts_max: Some(1),
        manual_entry: session.manual_entry() && (!session.livemode || collection.has_own_form()),
        has_own_form: collection.has_own_form(),
        banks: session.livemode || !collection.numbers_only(),
        payment: true,
        return_url: session.given.text(&["success_url"]).map(str::to_owned),
        hosted: false,
        relink: None,
    }
}
