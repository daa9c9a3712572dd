//! Flows in a browser. The state of a flow is in the store, and every step is one command. A step
//! names the version that its page was rendered from. Of two tabs, one moves the flow and the other
//! shows its new state.

use super::steps::{Effect, Ground, LinkStep, PickFault, begun, relink_failure};
use super::{CarrierInput, open};
use crate::connections::carrier::{Carrier, CarrierEnd};
use crate::context::render;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::account::Holder;
use model::customer::Customer;
use model::extra_params::ExtraParams;
use model::id::{LinkFlowId, MerchantId, RequestId};
use model::link::{FlowEnd, LinkFlow, LinkFlowState, Pane};
use model::session::Session;
use model::token::BankNumbers;
use sha2::{Digest, Sha256};
use store::Object;
use wire::address::{HostedPage, PageKey};

/// Letters and digits of a flow's secret.
const SECRET_CHARS: usize = 32;
/// Digits of a number in a token.
const NUMBER_CHARS: usize = 16;

/// The params of a create.
#[derive(Clone, Debug)]
pub struct FlowInput {
    /// The carrier of the flow.
    pub carrier: CarrierInput,
    /// The origin of the page that waits for the end.
    pub origin: Option<String>,
    /// Billing details for a payment method that the flow makes.
    pub billing_details: ExtraParams,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// The page shows the current pane, because this step or another tab moved the flow.
    Done,
    /// The holder can correct an error.
    Fault(PickFault),
}

/// A flow with its carrier.
pub(super) struct Opened {
    pub(super) context: Context,
    pub(super) flow: LinkFlow,
    pub(super) carrier: Carrier,
}

impl Engine {
    /// Begins a flow in a browser.
    pub async fn create_link_flow(
        &self,
        context: &Context,
        input: &FlowInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_link_flow", async || {
            let carrier = self.find_carrier(context, &input.carrier).await?;
            let (begun, mut changes) = self.begin_flow(context, &carrier, None).await?;
            let (origin, billing_details) = (input.origin.clone(), input.billing_details.clone());
            let flow = LinkFlow { origin, billing_details, ..begun };
            let url = format!("{}{}", self.settings.public_url, path(&flow));
            let body = render(|w| {
                w.object(|w| {
                    w.key("id").plain(flow.id.text().as_str());
                    w.key("object").plain("link_flow");
                    w.key("carrier").string(&flow.carrier);
                    w.key("url").string(&url);
                });
            });
            changes.put(Object::LinkFlow(flow));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// A new flow, not stored yet, with the preconditions to store it. `page` is the
    /// hosted page that it begins on, with the number of its object.
    pub(super) async fn new_flow(
        &self,
        context: &Context,
        carrier: &Carrier,
        page: Option<(HostedPage, u64)>,
    ) -> Result<(LinkFlow, Changes), Error> {
        carrier.check_offered()?;
        let needs = carrier.requirements();
        let mut changes = self.changes_on(context, needs.clock).await?;
        let now = changes.now;
        self.check_holder(context, &needs, &mut changes).await?;
        open(&needs, now)?;
        self.check_registered(context, needs.permissions.iter().copied()).await?;
        let customer = self.flow_customer(context, needs.holder.as_ref()).await?;
        let email = customer.and_then(|customer| customer.email);
        let payer_email = carrier.payer_email().map(str::to_owned);
        let mut run = LinkFlowState { email: payer_email.clone(), ..begun(&needs) };
        if let Some(email) = email.or(payer_email)
            && super::steps::can_sign_in(&needs)
            && !self.known_accounts(context.merchant, &email).await?.is_empty()
        {
            run.pane = Pane::SignIn { unknown: false };
        }
        let flow = LinkFlow {
            id: LinkFlowId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: needs.livemode,
            created: now,
            begun: self.clock.server_now(),
            clock: needs.clock,
            carrier: carrier.id(),
            origin: None,
            billing_details: ExtraParams::empty(),
            page: page
                .map(|(page, number)| PageKey::path_without_code(page, context.merchant, number)),
            left: false,
            secret: self.secret("", SECRET_CHARS),
            run,
        };
        Ok((flow, changes))
    }

    /// The flow of a hosted session. It exists from the start, so the session's address opens the
    /// same flow in every browser.
    pub(crate) async fn hosted_flow(
        &self,
        context: &Context,
        session: &Session,
    ) -> Result<Option<LinkFlow>, Error> {
        if session.hosted.is_none() {
            return Ok(None);
        }
        let carrier = Carrier::Session(session.clone());
        // The session is created in the same commit, with the same preconditions.
        let (flow, _) = self.new_flow(context, &carrier, None).await?;
        let number = session.id.number();
        let token = self.page_key.token(HostedPage::Session, session.merchant, number);
        // Its token is the one in the address, which contains the session's number and the secret.
        let secret = token[2 * NUMBER_CHARS..].to_owned();
        Ok(Some(LinkFlow { id: LinkFlowId::from_number(number), secret, ..flow }))
    }

    /// The flow that a token opens, if any.
    pub(super) async fn open_flow(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<Opened>, Error> {
        let Some((merchant, number, secret)) = read_token(token) else { return Ok(None) };
        let Some(flow) = self.find::<LinkFlow>(merchant, number).await? else { return Ok(None) };
        // Hashes are compared, because the time of the comparison then reveals nothing about the
        // secret.
        if Sha256::digest(secret.as_bytes()) != Sha256::digest(flow.secret.as_bytes()) {
            return Ok(None);
        }
        let Some(context) = self.page_context(merchant, flow.livemode, request).await? else {
            return Ok(None);
        };
        let id = CarrierInput::Id(flow.carrier.clone());
        let carrier = match self.find_carrier(&context, &id).await? {
            Carrier::Checkout(session) if flow.page.is_some() => Carrier::CheckoutPage(session),
            carrier => carrier,
        };
        Ok(Some(Opened { context, flow, carrier }))
    }

    /// Takes a step from the pane of a version. Returns `None` for an unknown token.
    pub async fn step_link_flow(
        &self,
        token: &str,
        version: u64,
        step: &LinkStep,
        request: RequestId,
    ) -> Result<Option<Stepped>, Error> {
        self.change("step_link_flow", async || {
            let Some(opened) = self.open_flow(token, request).await? else {
                return Ok(Some(None));
            };
            let needs = opened.carrier.requirements();
            let mut changes = self.changes_on(&opened.context, needs.clock).await?;
            let now = changes.now;
            let gone =
                self.holder_gone(&opened.context, needs.holder.as_ref(), &mut changes).await?;
            let over = opened.flow.run.end().is_some() || now >= opened.flow.expires_at() || gone;
            if over || opened.flow.version != version || open(&needs, now).is_err() {
                return Ok(Some(Some(Stepped::Done)));
            }
            Ok(match Box::pin(self.try_step(opened, step, changes)).await? {
                Tried::Written => {
                    self.wake.dispatch();
                    self.wake.refresh();
                    Some(Some(Stepped::Done))
                }
                Tried::Fault(fault) => Some(Some(Stepped::Fault(fault))),
                Tried::Conflict => None,
            })
        })
        .await
    }

    async fn try_step(
        &self,
        opened: Opened,
        step: &LinkStep,
        mut changes: Changes,
    ) -> Result<Tried, Error> {
        let now = changes.now;
        let Opened { context, mut flow, carrier } = opened;
        let needs = carrier.requirements();
        let holder_key = self.holder_key(&context, &needs, &flow.carrier).await?;
        let email = match step {
            LinkStep::SignIn(Some(email)) => Some(email.trim().to_owned()),
            LinkStep::Consent if flow.run.signed_in => flow.run.email.clone(),
            _ => None,
        };
        let known = match email {
            Some(email) => self.known_accounts(context.merchant, &email).await?,
            None => self.known_to_relink(&needs).await?,
        };
        let banks = self.banks(context.merchant, needs.livemode).await?;
        let replaced = match step {
            LinkStep::Fields(_) | LinkStep::BankReturned { .. } => {
                self.replaced(&needs, &banks, flow.run.institution, now).await?
            }
            _ => Vec::new(),
        };
        let holder_key = holder_key.as_str();
        let ground = Ground { needs: &needs, banks: &banks, holder_key, now, known, replaced };
        let before = flow.run.clone();
        let written = match super::steps::take_step(&mut flow.run, step, &ground) {
            Err(fault) => return Ok(Tried::Fault(fault)),
            Ok(Effect::Moved) if flow.run == before => true,
            Ok(Effect::Moved) => {
                flow.version += 1;
                changes.put(Object::LinkFlow(flow));
                self.write_changes(changes, None).await?
            }
            Ok(Effect::Link(picked)) => {
                self.link_accounts(&context, carrier, picked, Some(flow), changes).await?.is_some()
            }
            Ok(Effect::Numbers(numbers)) => {
                let mut end =
                    self.carrier_numbers_entered(&context, carrier, &numbers, changes).await?;
                bill(&mut end, &flow.billing_details);
                self.end_flow(with_numbers(flow, &numbers, &end), FlowEnd::NumbersEntered, end)
                    .await?
            }
            Ok(Effect::Leave(how)) => {
                let failure = relink_failure(&flow.run, &needs, how);
                let end = self.carrier_left(&context, carrier, how, failure, changes).await?;
                self.end_flow(flow, how, end).await?
            }
        };
        Ok(if written { Tried::Written } else { Tried::Conflict })
    }

    async fn end_flow(&self, flow: LinkFlow, how: FlowEnd, end: CarrierEnd) -> Result<bool, Error> {
        let mut changes = end.changes;
        changes.put(ended(flow, how));
        self.write_changes(changes, None).await
    }

    /// The customer that a flow links accounts for.
    pub(super) async fn flow_customer(
        &self,
        context: &Context,
        holder: Option<&Holder>,
    ) -> Result<Option<Customer>, Error> {
        match holder {
            Some(Holder::Customer(id)) => {
                let customer = self.find::<Customer>(context.merchant, id.number()).await?;
                Ok(customer.filter(|customer| !customer.deleted))
            }
            _ => Ok(None),
        }
    }
}

/// The result of one attempt at a step.
enum Tried {
    Written,
    Fault(PickFault),
    Conflict,
}

/// Adds the billing details of the page to the payment methods that a flow made.
pub(super) fn bill(end: &mut CarrierEnd, details: &ExtraParams) {
    for object in &mut end.changes.objects {
        if let Object::PaymentMethod(method) = object
            && method.version == 1
        {
            method.billing_details.update(details.clone());
        }
    }
}

fn with_numbers(mut flow: LinkFlow, numbers: &BankNumbers, end: &CarrierEnd) -> LinkFlow {
    flow.run.token = end.token;
    flow.run.last4 = Some(numbers.last4());
    flow
}

/// A flow that has ended. It drops the credentials that are no longer needed.
pub(super) fn ended(mut flow: LinkFlow, how: FlowEnd) -> Object {
    flow.version += 1;
    flow.run.pane = Pane::Ended(how);
    flow.run.login = Vec::new();
    flow.run.offers = Vec::new();
    Object::LinkFlow(flow)
}

/// The path of the pages of a flow.
pub(crate) fn path(flow: &LinkFlow) -> String {
    format!("/link/{}", token(flow))
}

/// The text that opens a flow: its merchant, its number and its secret.
fn token(flow: &LinkFlow) -> String {
    format!("{:016x}{:016x}{}", flow.merchant.number(), flow.id.number(), flow.secret)
}

fn read_token(token: &str) -> Option<(MerchantId, u64, &str)> {
    let fits = token.len() == 2 * NUMBER_CHARS + SECRET_CHARS;
    if !fits || !token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let merchant = u64::from_str_radix(&token[..NUMBER_CHARS], 16).ok()?;
    let number = u64::from_str_radix(&token[NUMBER_CHARS..2 * NUMBER_CHARS], 16).ok()?;
    let merchant = MerchantId::from_number(merchant);
    let number = LinkFlowId::from_number(number).number();
    Some((merchant, number, &token[2 * NUMBER_CHARS..]))
}
