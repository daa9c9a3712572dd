//! The link flow, from a waiting carrier to its end.
//!
//! One state machine ([`steps`]) moves a flow from pane to pane, and [`complete`] turns the picked
//! accounts into linked ones. The headless call below drives the machine in memory, with
//! credentials that always work, and commits once. Carrier, accounts, first refreshes and events
//! are one command, so a flow either ends completely or can run again.

mod complete;
pub(crate) mod flow;
mod known;
mod leave;
mod replaced;
mod steps;
mod view;

use crate::connections::banks::Banks;
use crate::connections::carrier::{CarrierEnd, LinkRequirements};
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use connectors::Institution;
use model::account::Holder;
use model::clock::AccountTime;
use model::counted::counted;
use model::customer::Customer;
use model::id::CustomerId;
use model::limits::LOGIN_STEPS_MAX;
use model::link::{FlowEnd, Offer, Pane};
use model::nearest::suggestions;
use model::session::RelinkFailure;
use steps::{Effect, Ground};
use wire::error::Error as ApiError;

pub use crate::connections::carrier::CarrierInput;
pub use flow::{FlowInput, Stepped};
pub(crate) use steps::address;
pub use steps::{LinkStep, PickFault, Unusable};
pub use view::{Choice, FlowView, Shown};

/// The end of a link flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// The holder links accounts.
    Success,
    /// The holder leaves.
    Cancel,
    /// The holder leaves for the merchant's own form of account numbers.
    CustomManualEntry,
    /// The bank takes no logins.
    InstitutionDown,
    /// The bank rejects the login.
    LoginFailed,
}

impl model::Word for LinkOutcome {
    const ALL: &'static [Self] = &[
        Self::Success,
        Self::Cancel,
        Self::CustomManualEntry,
        Self::InstitutionDown,
        Self::LoginFailed,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Cancel => "cancel",
            Self::CustomManualEntry => "custom_manual_entry",
            Self::InstitutionDown => "institution_down",
            Self::LoginFailed => "login_failed",
        }
    }
}

/// The params of a link call.
#[derive(Clone, Debug)]
pub struct LinkInput {
    /// The carrier, by its client secret or by its id.
    pub carrier: CarrierInput,
    /// The bank, by name or id.
    pub institution: Option<String>,
    /// The accounts that the holder picks, by name. Left out, the preselected accounts.
    pub accounts: Option<Vec<String>>,
    /// Seeds the bank instead of the customer's e-mail address.
    pub seed: Option<String>,
    /// The end of the flow.
    pub outcome: LinkOutcome,
}

/// The bank to link when the request names none.
const INSTITUTION_DEFAULT: &str = "Test (Non-OAuth)";

/// The end of a headless flow.
enum Walked {
    /// With these accounts.
    Picked(Vec<Offer>),
    /// Without accounts, and the reason why no login was renewed.
    Left(FlowEnd, RelinkFailure),
}

impl Engine {
    /// Ends the link flow of a carrier. The response is the carrier.
    pub async fn link(&self, context: &Context, input: &LinkInput) -> Result<ApiResponse, Error> {
        self.change("link", async || {
            let carrier = self.find_carrier(context, &input.carrier).await?;
            carrier.check_offered()?;
            let needs = carrier.requirements();
            let mut changes = self.changes_on(context, needs.clock).await?;
            let now = changes.now;
            // The deletion of the holder ends the carrier later, so the holder is checked first.
            self.check_holder(context, &needs, &mut changes).await?;
            open(&needs, now)?;
            self.check_registered(context, needs.permissions.iter().copied()).await?;
            let end = match input.outcome {
                LinkOutcome::Success => None,
                LinkOutcome::Cancel => Some(FlowEnd::Cancelled),
                LinkOutcome::CustomManualEntry if needs.manual_entry && needs.has_own_form => {
                    Some(FlowEnd::CustomManualEntry)
                }
                LinkOutcome::CustomManualEntry => return Err(no_own_form()),
                LinkOutcome::InstitutionDown | LinkOutcome::LoginFailed => Some(FlowEnd::Failed),
            };
            let walked = match end {
                None => self.walk(context, &needs, &carrier.id(), input, now).await?,
                Some(end) => Walked::Left(end, RelinkFailure::NoAuthorization),
            };
            let committed = match walked {
                Walked::Picked(picked) => {
                    self.link_accounts(context, carrier, picked, None, changes).await?
                }
                Walked::Left(end, failure) => {
                    let ended = self.carrier_left(context, carrier, end, failure, changes).await?;
                    self.leave(context, ended).await?
                }
            };
            Ok(committed.map(|body| {
                self.wake.dispatch();
                self.wake.refresh();
                ApiResponse::committed(body)
            }))
        })
        .await
    }

    /// Drives a flow from the list of banks to the picked accounts.
    async fn walk(
        &self,
        context: &Context,
        needs: &LinkRequirements,
        carrier: &str,
        input: &LinkInput,
        now: AccountTime,
    ) -> Result<Walked, Error> {
        if !needs.banks {
            let message = "This carrier takes typed numbers only (verification_method=microdeposits): \
                           confirm it with payment_method_data, or open its link flow in a browser.";
            return Err(ApiError::invalid(message).into());
        }
        let banks = self.banks(context.merchant, needs.livemode).await?;
        let institution = requested_institution(needs, &banks, input)?;
        let holder_key = match &input.seed {
            Some(seed) => format!("seed {seed}"),
            None => self.holder_key(context, needs, carrier).await?,
        };
        let known = self.known_to_relink(needs).await?;
        let replaced = self.replaced(needs, &banks, Some(institution.id), now).await?;
        let holder_key = holder_key.as_str();
        let ground = Ground { needs, banks: &banks, holder_key, now, known, replaced };
        let mut run = steps::begun(needs);
        let mut step = match run.pane {
            Pane::Consent => LinkStep::Consent,
            _ => LinkStep::PickInstitution(institution.id),
        };
        for _ in 0..LOGIN_STEPS_MAX + 2 {
            // These steps have nothing to pick.
            let moved = steps::take_step(&mut run, &step, &ground);
            debug_assert!(matches!(moved, Ok(Effect::Moved)), "the walk takes steps that are open");
            step = match &run.pane {
                Pane::Consent => LinkStep::Consent,
                Pane::Login { fields, refused: false } => LinkStep::Fields(
                    fields.iter().map(|field| (field.clone(), "headless".to_owned())).collect(),
                ),
                Pane::BankPage { refused: false } => LinkStep::BankReturned { accounts: None },
                Pane::Accounts if steps::lacks_wanted(needs, &run.offers) => {
                    return Ok(Walked::Left(FlowEnd::Failed, RelinkFailure::NoAccount));
                }
                Pane::Accounts => {
                    let at_bank = institution.picks_accounts;
                    let picks = picks(needs, &run.offers, input.accounts.as_deref(), at_bank)?;
                    if at_bank && steps::misses_wanted(needs, &run.offers, &picks) {
                        return Ok(Walked::Left(FlowEnd::Failed, RelinkFailure::NoAccount));
                    }
                    let step = LinkStep::PickAccounts(picks);
                    return match steps::take_step(&mut run, &step, &ground) {
                        Ok(Effect::Link(offers)) => Ok(Walked::Picked(offers)),
                        Ok(_) => Err(stopped(&institution, &run.pane, input)),
                        Err(fault) => Err(unpicked(&fault, needs, &run.offers)),
                    };
                }
                pane => return Err(stopped(&institution, pane, input)),
            };
        }
        Err(stopped(&institution, &Pane::Failed, input))
    }

    /// The key that makes a holder's test banks reproducible.
    async fn holder_key(
        &self,
        context: &Context,
        needs: &LinkRequirements,
        carrier: &str,
    ) -> Result<String, Error> {
        Ok(match &needs.holder {
            Some(Holder::Customer(id)) => {
                let customer = self.find::<Customer>(context.merchant, id.number()).await?;
                let customer = customer.filter(|customer| !customer.deleted);
                let customer = customer.ok_or_else(|| no_such_holder(*id))?;
                match (customer.metadata.get("seed"), &customer.email) {
                    (Some(seed), _) => format!("seed {seed}"),
                    (None, Some(email)) => format!("email {email}"),
                    (None, None) => format!("customer {id}"),
                }
            }
            Some(Holder::Account(id)) => format!("account {id}"),
            None => format!("carrier {carrier}"),
        })
    }

    /// True if the holder of the accounts was deleted. Otherwise the changes require that it still
    /// exists.
    pub(crate) async fn holder_gone(
        &self,
        context: &Context,
        holder: Option<&Holder>,
        changes: &mut Changes,
    ) -> Result<bool, Error> {
        match holder {
            Some(Holder::Customer(id)) => {
                self.has_no_customer(changes, context.merchant, Some(*id)).await
            }
            Some(Holder::Account(id)) => self.has_no_account(context, id, changes).await,
            None => Ok(false),
        }
    }

    /// Rejects the carrier of a deleted holder.
    async fn check_holder(
        &self,
        context: &Context,
        needs: &LinkRequirements,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        if !self.holder_gone(context, needs.holder.as_ref(), changes).await? {
            return Ok(());
        }
        Err(match &needs.holder {
            Some(Holder::Customer(id)) => no_such_holder(*id),
            Some(Holder::Account(id)) => ApiError::no_such("account", id, "carrier").into(),
            None => unreachable!("accounts without a holder can always be linked"),
        })
    }

    /// Ends a carrier without accounts. Returns `None` after a version conflict.
    async fn leave(&self, context: &Context, ended: CarrierEnd) -> Result<Option<Vec<u8>>, Error> {
        let CarrierEnd { changes, body, .. } = ended;
        Ok(self.commit(context, changes, &body).await?.then_some(body))
    }
}

/// The API error about the carrier of a deleted customer.
fn no_such_holder(id: CustomerId) -> Error {
    ApiError::no_such("customer", &id.to_string(), "carrier").into()
}

/// The API error about a holder who leaves for a form that the merchant does not offer.
fn no_own_form() -> Error {
    let message = "This carrier has no form of its own for account numbers. Create it with \
                   manual_entry[mode]=custom.";
    ApiError::invalid(message).param("outcome").into()
}

/// Rejects a flow that has ended or expired.
fn open(needs: &LinkRequirements, now: AccountTime) -> Result<(), Error> {
    if !needs.open {
        let message = "This link flow has ended; make a new session to link again.";
        return Err(ApiError::invalid(message).into());
    }
    if needs.expires_at.is_some_and(|at| now >= at) {
        return Err(ApiError::invalid("This link flow has expired; make a new session.").into());
    }
    Ok(())
}

/// The bank that a request names. A login that is renewed fixes the bank and the holder. A filter of
/// the carrier fixes the bank.
fn requested_institution(
    needs: &LinkRequirements,
    banks: &Banks,
    input: &LinkInput,
) -> Result<Institution, Error> {
    let text = input.institution.as_deref();
    let Some(id) = needs.bank() else {
        let text = text.unwrap_or(INSTITUTION_DEFAULT);
        return banks.find_institution(text).ok_or_else(|| no_such_institution(text, banks));
    };
    let carrier = input.carrier.param();
    if needs.relink.is_some() && input.seed.is_some() {
        let message = "A link that renews a login logs in as the link before: leave the seed out.";
        return Err(ApiError::invalid(message).param("seed").into());
    }
    let id = id.to_string();
    let bank = banks.find_institution(&id).ok_or_else(|| bank_gone(&id, needs, carrier))?;
    let named = text.map(|text| banks.find_institution(text));
    if named.is_some_and(|named| named.is_none_or(|named| named.id != bank.id)) {
        let message = match needs.relink {
            Some(_) => format!("The session renews a login at {}.", bank.name),
            None => format!("filters[institution] of the carrier is {}.", bank.name),
        };
        return Err(ApiError::invalid(message).param("institution").into());
    }
    Ok(bank)
}

/// The API error about the only bank of a carrier, which does not exist any more.
fn bank_gone(id: &str, needs: &LinkRequirements, carrier: &'static str) -> Error {
    let bank = match needs.relink {
        Some(_) => "of the login that is renewed",
        None => "in filters[institution] of the carrier",
    };
    let message = format!(
        "The institution {id} {bank} does not exist any more. Create its scenario again, or send \
         outcome=cancel and make a new carrier."
    );
    ApiError::invalid(message).param(carrier).into()
}

fn no_such_institution(text: &str, banks: &Banks) -> Error {
    let institutions = banks.institutions();
    let names: Vec<&str> = institutions.iter().map(|bank| bank.name.as_str()).collect();
    let message = with_suggestions(&format!("No such institution: '{text}'."), text, &names);
    ApiError::invalid(message).param("institution").into()
}

/// Adds the nearest name to a message about an unknown one, and all names if they are few.
fn with_suggestions(message: &str, text: &str, known: &[&str]) -> String {
    format!("{message} {}", suggestions(text, known)).trim_end().to_owned()
}

/// The positions of the accounts that the request names, or of the preselected ones. `at_bank` is
/// true if they are picked at the bank, which does not know the account to renew.
fn picks(
    needs: &LinkRequirements,
    offers: &[Offer],
    names: Option<&[String]>,
    at_bank: bool,
) -> Result<Vec<usize>, Error> {
    let Some(names) = names else {
        let preselected =
            |(_, offer): &(usize, &Offer)| offer.preselected && steps::usable(needs, offer).is_ok();
        return Ok(offers.iter().enumerate().filter(preselected).map(|(place, _)| place).collect());
    };
    let mut picks = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let api_error = |message: String| {
            Error::from(ApiError::invalid(message).param(format!("accounts[{index}]")))
        };
        let place = offers
            .iter()
            .position(|offer| offer.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                let names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
                let message = format!("The institution has no account '{name}'.");
                api_error(with_suggestions(&message, name, &names))
            })?;
        match steps::usable(needs, &offers[place]) {
            Err(Unusable::NotWanted) if at_bank => {}
            usable => usable.map_err(|fault| api_error(unusable(fault, &offers[place])))?,
        }
        if !picks.contains(&place) {
            picks.push(place);
        }
    }
    Ok(picks)
}

fn unusable(fault: Unusable, offer: &Offer) -> String {
    match fault {
        Unusable::Kind => {
            format!("The session's filters[account_subcategories] leaves out '{}'.", offer.name)
        }
        Unusable::NotWanted => {
            format!(
                "The session's relink_options[account] is another account than '{}'.",
                offer.name
            )
        }
        Unusable::CannotPay => {
            format!("The session asks for accounts that can pay; '{}' cannot.", offer.name)
        }
    }
}

/// The API error of accounts that cannot be linked together.
fn unpicked(fault: &PickFault, needs: &LinkRequirements, offers: &[Offer]) -> Error {
    let message = match fault {
        PickFault::TooMany => {
            let most = counted(steps::accounts_max(needs), "account");
            format!("This session links at most {most}.")
        }
        PickFault::NoneCanPay => "This session asks for at least one account that can pay.".into(),
        PickFault::Unusable { place, why } => match offers.get(*place) {
            Some(offer) => unusable(*why, offer),
            None => "The institution has no such account.".into(),
        },
        _ => "None of the accounts that would be picked may be linked by this session; \
              name others in accounts."
            .into(),
    };
    ApiError::invalid(message).param("accounts").into()
}

/// The API error of a headless flow that did not reach the accounts. It names the parameter that chose
/// the bank.
fn stopped(institution: &Institution, pane: &Pane, input: &LinkInput) -> Error {
    let name = &institution.name;
    let message = match pane {
        Pane::Down { until: Some(until) } => {
            format!("{name} is down for maintenance until {}.", until.0)
        }
        Pane::Down { until: None } => format!("{name} is down; nobody knows for how long."),
        Pane::Login { .. } | Pane::BankPage { .. } => format!("{name}: the login was refused."),
        _ => format!("{name}: the login failed."),
    };
    let param = match input.institution {
        Some(_) => "institution",
        None => input.carrier.param(),
    };
    ApiError::invalid(message).param(param).into()
}
