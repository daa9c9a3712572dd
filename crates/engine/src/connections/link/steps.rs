//! The state machine of the link flow. It is pure except for the connector, which responds at once.
//! Data from the store comes with the [`Ground`]. A rejected step may leave the flow half moved, so
//! the caller must read the flow again.
//!
//! A step that does not belong to the current pane has no effect, because another tab was faster.

use super::replaced::{Replaced, with_current_number};
use crate::connections::banks::Banks;
use crate::connections::carrier::LinkRequirements;
use connectors::{Begin, Input, Institution, LinkError, OfferedAccount, Step};
use model::clock::AccountTime;
use model::id::InstitutionId;
use model::limits::LINKED_ACCOUNTS_MAX;
use model::link::{FlowEnd, LinkFlowState, Offer, Pane};
use model::session::{PaymentMethodSupport, RelinkFailure};
use model::token::{BankNumbers, TEST_ROUTING_NUMBER};

/// A step of the holder.
#[derive(Clone, Debug)]
pub enum LinkStep {
    /// Picks a bank.
    PickInstitution(InstitutionId),
    /// Grants the requested permissions.
    Consent,
    /// Fills the fields of the bank's form.
    Fields(Vec<(String, String)>),
    /// Returns from the bank's own page, with the accounts picked there if the bank supports that.
    BankReturned {
        /// Their positions in the list of offers.
        accounts: Option<Vec<usize>>,
    },
    /// Returns from the bank's own page without permission.
    BankDenied,
    /// Picks accounts, by their positions in the list of offers.
    PickAccounts(Vec<usize>),
    /// Switches to typed numbers, here or on a form of the merchant.
    EnterManually,
    /// Types numbers.
    Numbers(BankNumbers),
    /// Switches to the sign-in, or enters the address to sign in with.
    SignIn(Option<String>),
    /// Saves the accounts under this address.
    SignUp(String),
    /// Types the code.
    Code(String),
    /// Goes back one pane.
    Back,
    /// Begins another login at a bank that accepted none.
    Retry,
    /// Goes to the list of banks, or to the consent if there is only one bank.
    PickAnother,
    /// Leaves the flow.
    Cancel,
}

/// The context of a step besides the flow.
pub(crate) struct Ground<'a> {
    pub(crate) needs: &'a LinkRequirements,
    /// The banks that may be linked.
    pub(crate) banks: &'a Banks,
    /// The key that makes the holder's test banks reproducible.
    pub(crate) holder_key: &'a str,
    pub(crate) now: AccountTime,
    /// The accounts known by the address of [`LinkStep::SignIn`] and [`LinkStep::Code`], or those
    /// of the authorization to renew.
    pub(crate) known: Vec<Offer>,
    /// The holder's accounts at the bank that have other numbers now than the login offers.
    pub(crate) replaced: Vec<Replaced>,
}

/// The effect of a step.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// The flow moved, or the step did not belong to its pane.
    Moved,
    /// These accounts are to be linked.
    Link(Vec<Offer>),
    /// These numbers are to be stored.
    Numbers(BankNumbers),
    /// The holder left.
    Leave(FlowEnd),
}

/// An error of a step that the holder can correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickFault {
    /// No such bank.
    NoSuchInstitution,
    /// No account was picked.
    Nothing,
    /// More accounts than may be linked.
    TooMany,
    /// At least one must be able to pay.
    NoneCanPay,
    /// One of them cannot be linked.
    Unusable {
        /// Its position in the list of offers.
        place: usize,
        /// The reason.
        why: Unusable,
    },
    /// The routing number is malformed.
    RoutingNumber,
    /// The account number is malformed.
    AccountNumber,
    /// In test mode only numbers of the test bank are accepted.
    NotForTests,
    /// In live mode numbers of the test bank are rejected.
    ForTestsOnly,
    /// Not an e-mail address.
    Email,
    /// The code is not the one that was sent.
    Code,
}

/// The reason why an account cannot be picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The session does not request accounts of its subcategory.
    Kind,
    /// It cannot pay.
    CannotPay,
    /// Another account is to be renewed.
    NotWanted,
}

/// Checks that an account may be picked.
pub(crate) fn usable(needs: &LinkRequirements, offer: &Offer) -> Result<(), Unusable> {
    if let Some(subcategories) = &needs.account_subcategories
        && !subcategories.contains(&offer.subcategory)
    {
        return Err(Unusable::Kind);
    }
    let wanted = needs.relink.as_ref().and_then(|relink| relink.bank_account.as_ref());
    if wanted.is_some_and(|wanted| *wanted != offer.bank_account) {
        return Err(Unusable::NotWanted);
    }
    let must_pay = needs.payment || needs.support == Some(PaymentMethodSupport::All);
    if must_pay && !offer.can_pay() { Err(Unusable::CannotPay) } else { Ok(()) }
}

/// The most accounts that may be picked.
pub(crate) fn accounts_max(needs: &LinkRequirements) -> usize {
    match needs.accounts_max {
        _ if needs.payment => 1,
        Some(max) => (max as usize).min(LINKED_ACCOUNTS_MAX),
        None => LINKED_ACCOUNTS_MAX,
    }
}

/// Takes a step. A flow that has ended does not move.
pub(crate) fn take_step(
    run: &mut LinkFlowState,
    step: &LinkStep,
    ground: &Ground<'_>,
) -> Result<Effect, PickFault> {
    if ground.banks.lack_only_bank(ground.needs, &run.pane) {
        run.pane = Pane::Failed;
    }
    let pane = match (&run.pane, step) {
        (Pane::Ended(_), _) => return Ok(Effect::Moved),
        (pane, LinkStep::Cancel) => {
            let banks_fault = matches!(pane, Pane::Down { .. } | Pane::Failed);
            let end = if banks_fault { FlowEnd::Failed } else { FlowEnd::Cancelled };
            return Ok(Effect::Leave(end));
        }
        (_, LinkStep::Back) => {
            let before = before(run, ground.needs);
            if before == first(ground.needs) {
                restart(run, ground.needs);
            }
            before
        }
        (
            Pane::Login { .. } | Pane::BankPage { .. } | Pane::Down { .. } | Pane::Failed,
            LinkStep::PickAnother,
        ) => {
            restart(run, ground.needs);
            first(ground.needs)
        }
        (pane, LinkStep::EnterManually)
            if may_type(pane, ground.needs) && ground.needs.has_own_form =>
        {
            return Ok(Effect::Leave(FlowEnd::CustomManualEntry));
        }
        (Pane::Institutions, LinkStep::PickInstitution(id)) => {
            if !ground.banks.institutions().iter().any(|bank| bank.id == *id) {
                return Err(PickFault::NoSuchInstitution);
            }
            run.institution = Some(*id);
            Pane::Consent
        }
        (Pane::Consent, LinkStep::Consent) if run.signed_in => {
            run.offers.clone_from(&ground.known);
            Pane::Saved
        }
        (Pane::Consent, LinkStep::Consent)
        | (Pane::Down { .. } | Pane::Failed, LinkStep::Retry) => begin_login(run, ground),
        (Pane::Login { .. } | Pane::BankPage { .. }, _) => {
            return continue_at_bank(run, step, ground);
        }
        (Pane::Accounts | Pane::Saved, LinkStep::PickAccounts(picks)) => {
            return pick(ground.needs, &run.offers, picks).map(Effect::Link);
        }
        (Pane::ManualEntry, LinkStep::Numbers(numbers)) => {
            return check(ground.needs, numbers).map(|()| Effect::Numbers(numbers.clone()));
        }
        _ => match turn(run, step, ground)? {
            Some(pane) => pane,
            None => return Ok(Effect::Moved),
        },
    };
    run.pane = pane;
    Ok(Effect::Moved)
}

/// A step at the bank: in its form on this server, or on its own page.
fn continue_at_bank(
    run: &mut LinkFlowState,
    step: &LinkStep,
    ground: &Ground<'_>,
) -> Result<Effect, PickFault> {
    run.pane = match (&run.pane, step) {
        (Pane::Login { fields, .. }, LinkStep::Fields(values)) => {
            // Only the requested fields reach the bank, in the requested order.
            let filled_in = |field: &String| {
                let value = values.iter().find(|(name, _)| name == field);
                (field.clone(), value.map(|(_, text)| text.clone()).unwrap_or_default())
            };
            let input = Input::Fields(fields.iter().map(filled_in).collect());
            go_on(run, &input, ground)
        }
        (Pane::BankPage { .. }, LinkStep::BankReturned { accounts }) => {
            let pane = go_on(run, &Input::Returned, ground);
            match accounts {
                Some(picks) if misses_wanted(ground.needs, &run.offers, picks) => {
                    return Ok(Effect::Leave(FlowEnd::Failed));
                }
                Some(picks) if pane == Pane::Accounts => {
                    return pick(ground.needs, &run.offers, picks).map(Effect::Link);
                }
                _ => pane,
            }
        }
        (Pane::BankPage { .. }, LinkStep::BankDenied) => Pane::BankPage { refused: true },
        _ => return Ok(Effect::Moved),
    };
    Ok(Effect::Moved)
}

fn begin_login(run: &mut LinkFlowState, ground: &Ground<'_>) -> Pane {
    let Some(institution) = run.institution else { return Pane::Institutions };
    let begin = Begin { institution, holder_key: ground.holder_key, now: ground.now };
    let step = ground.banks.begin(&begin);
    next_pane(run, step, ground)
}

fn go_on(run: &mut LinkFlowState, input: &Input, ground: &Ground<'_>) -> Pane {
    let step = ground.banks.advance(&run.login, input);
    next_pane(run, step, ground)
}

/// The pane for the next request of the bank.
fn next_pane(run: &mut LinkFlowState, step: Result<Step, LinkError>, ground: &Ground<'_>) -> Pane {
    match step {
        Ok(Step::Redirect { state }) => {
            run.login = state;
            Pane::BankPage { refused: false }
        }
        Ok(Step::Ask { state, fields }) => {
            run.login = state;
            Pane::Login { fields, refused: false }
        }
        Ok(Step::Done { accounts }) => {
            let bank = run
                .institution
                .and_then(|id| ground.banks.institutions().into_iter().find(|bank| bank.id == id));
            let Some(bank) = bank else { return Pane::Failed };
            let offers = accounts.into_iter().map(|account| offer(&bank, account));
            let Ground { needs, known, replaced, .. } = ground;
            run.offers = offered_again(offers.collect(), needs, known, replaced);
            Pane::Accounts
        }
        Err(LinkError::Unavailable { until }) => Pane::Down { until },
        Err(LinkError::Rejected) => match std::mem::take(&mut run.pane) {
            Pane::Login { fields, .. } => Pane::Login { fields, refused: true },
            _ => Pane::BankPage { refused: true },
        },
        Err(LinkError::UnknownInstitution | LinkError::Failed) => Pane::Failed,
    }
}

/// The accounts of a login, with their current numbers. A renewed login shows the accounts that were
/// linked with it, even if the holder's seed has changed.
pub(super) fn offered_again(
    mut offers: Vec<Offer>,
    needs: &LinkRequirements,
    known: &[Offer],
    replaced: &[Replaced],
) -> Vec<Offer> {
    let current = |offer: Offer| with_current_number(offer, replaced);
    let Some(relink) = &needs.relink else {
        return offers.into_iter().map(current).collect();
    };
    let wanted = relink.bank_account.as_ref();
    let mut room = accounts_max(needs);
    for offer in &mut offers {
        let known = known.iter().find(|known| known.name == offer.name);
        if let Some(known) = known.filter(|known| known.bank_account != offer.bank_account) {
            *offer = known.clone();
        }
        *offer = current(offer.clone());
        let picked = known.is_some_and(|known| known.preselected)
            && wanted.is_none_or(|wanted| *wanted == offer.bank_account);
        offer.preselected = picked && room > 0;
        room -= usize::from(offer.preselected);
    }
    offers
}

/// True if the bank offers accounts, but not the one to renew, because it has another number now.
pub(super) fn lacks_wanted(needs: &LinkRequirements, offers: &[Offer]) -> bool {
    let wanted = needs.relink.as_ref().and_then(|relink| relink.bank_account.as_ref());
    wanted.is_some_and(|wanted| offers.iter().all(|offer| offer.bank_account != *wanted))
}

/// True if the holder shares accounts, but not the one to renew.
pub(super) fn misses_wanted(needs: &LinkRequirements, offers: &[Offer], picks: &[usize]) -> bool {
    let wanted = needs.relink.as_ref().and_then(|relink| relink.bank_account.as_ref());
    let mut picked = picks.iter().filter_map(|place| offers.get(*place)).peekable();
    picked.peek().is_some()
        && wanted.is_some_and(|wanted| picked.all(|offer| offer.bank_account != *wanted))
}

/// The reason why a flow without accounts renewed no login.
pub(super) fn relink_failure(
    run: &LinkFlowState,
    needs: &LinkRequirements,
    end: FlowEnd,
) -> RelinkFailure {
    let wanted = needs.relink.as_ref().and_then(|relink| relink.bank_account.as_ref());
    let shown = |wanted: &String| run.offers.iter().any(|offer| offer.bank_account == *wanted);
    if run.offers.is_empty() {
        RelinkFailure::NoAuthorization
    } else if wanted.is_some_and(|wanted| end == FlowEnd::Failed || !shown(wanted)) {
        RelinkFailure::NoAccount
    } else {
        RelinkFailure::Other
    }
}

pub(crate) fn offer(bank: &Institution, account: OfferedAccount) -> Offer {
    Offer {
        institution: bank.id,
        institution_name: bank.name.clone(),
        bank_account: account.bank_account,
        name: account.name,
        category: account.category,
        subcategory: account.subcategory,
        last4: account.last4,
        supported_payment_method_types: account.supported_payment_method_types,
        preselected: account.preselected,
        credential: account.credential,
    }
}

/// A new flow.
pub(crate) fn begun(needs: &LinkRequirements) -> LinkFlowState {
    LinkFlowState { pane: first(needs), institution: needs.bank(), ..LinkFlowState::default() }
}

/// True if the holder may switch to typed numbers on a pane. A flow with one bank has no list of
/// banks, so the consent has the switch.
pub(crate) fn may_type(pane: &Pane, needs: &LinkRequirements) -> bool {
    needs.manual_entry
        && match pane {
            Pane::Institutions | Pane::Down { .. } | Pane::Failed => true,
            Pane::Consent => needs.bank().is_some(),
            _ => false,
        }
}

/// Clears the bank (unless there is only one), its login and the signed-in holder.
fn restart(run: &mut LinkFlowState, needs: &LinkRequirements) {
    run.institution = needs.bank();
    run.signed_in = false;
    run.login = Vec::new();
    run.offers = Vec::new();
}

/// The first pane of a flow.
pub(crate) fn first(needs: &LinkRequirements) -> Pane {
    match needs.bank() {
        Some(_) if needs.banks => Pane::Consent,
        None if needs.banks => Pane::Institutions,
        _ => Pane::ManualEntry,
    }
}

/// The pane that a step back leads to.
fn before(run: &LinkFlowState, needs: &LinkRequirements) -> Pane {
    match run.pane {
        Pane::Login { .. } | Pane::BankPage { .. } => Pane::Consent,
        Pane::Code => Pane::SignIn { unknown: false },
        _ => first(needs),
    }
}

/// The pane of a detour: typed numbers, or accounts linked before. `None` if the step is no detour.
fn turn(
    run: &mut LinkFlowState,
    step: &LinkStep,
    ground: &Ground<'_>,
) -> Result<Option<Pane>, PickFault> {
    Ok(Some(match (&run.pane, step) {
        (pane, LinkStep::EnterManually) if may_type(pane, ground.needs) => {
            restart(run, ground.needs);
            Pane::ManualEntry
        }
        (Pane::Institutions | Pane::SignIn { .. }, LinkStep::SignIn(email))
            if can_sign_in(ground.needs) =>
        {
            sign_in(run, email.as_deref(), ground)?
        }
        (Pane::SignIn { .. }, LinkStep::SignUp(email)) => {
            run.sign_up = Some(address(email)?);
            restart(run, ground.needs);
            Pane::Institutions
        }
        (Pane::Code, LinkStep::Code(code)) => {
            let digits = code.trim();
            if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(PickFault::Code);
            }
            run.signed_in = true;
            Pane::Consent
        }
        _ => return Ok(None),
    }))
}

/// The accounts at these positions, if they may be linked together.
fn pick(
    needs: &LinkRequirements,
    offers: &[Offer],
    picks: &[usize],
) -> Result<Vec<Offer>, PickFault> {
    let mut picked: Vec<Offer> = Vec::with_capacity(picks.len().min(offers.len()));
    for &place in picks {
        let offer = offers.get(place).ok_or(PickFault::Nothing)?;
        usable(needs, offer).map_err(|why| PickFault::Unusable { place, why })?;
        if !picked.contains(offer) {
            picked.push(offer.clone());
        }
    }
    if picked.len() > accounts_max(needs) {
        return Err(PickFault::TooMany);
    }
    if needs.support == Some(PaymentMethodSupport::AtLeastOne) && !picked.iter().any(Offer::can_pay)
    {
        return Err(PickFault::NoneCanPay);
    }
    if picked.is_empty() { Err(PickFault::Nothing) } else { Ok(picked) }
}

fn check(needs: &LinkRequirements, numbers: &BankNumbers) -> Result<(), PickFault> {
    if !numbers.routing_number_fits() {
        Err(PickFault::RoutingNumber)
    } else if !numbers.account_number_fits() {
        Err(PickFault::AccountNumber)
    } else if !needs.livemode && !numbers.are_for_tests() {
        // Real numbers must not be stored in test mode.
        Err(PickFault::NotForTests)
    } else if needs.livemode && numbers.routing_number == TEST_ROUTING_NUMBER {
        Err(PickFault::ForTestsOnly)
    } else {
        Ok(())
    }
}

/// True if a holder may sign in to pick an account linked before. This works in test mode only,
/// because this server cannot send codes. A flow with one bank does not offer it, because the accounts may
/// be at others.
pub(crate) fn can_sign_in(needs: &LinkRequirements) -> bool {
    needs.banks && !needs.livemode && needs.bank().is_none()
}

fn sign_in(
    run: &mut LinkFlowState,
    email: Option<&str>,
    ground: &Ground<'_>,
) -> Result<Pane, PickFault> {
    let Some(email) = email else { return Ok(Pane::SignIn { unknown: false }) };
    run.email = Some(address(email)?);
    Ok(if ground.known.is_empty() { Pane::SignIn { unknown: true } } else { Pane::Code })
}

/// An e-mail address in the form that is compared.
pub(crate) fn address(text: &str) -> Result<String, PickFault> {
    let text = text.trim();
    let (name, host) = text.split_once('@').ok_or(PickFault::Email)?;
    let plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let fits = plain && !name.is_empty() && !host.is_empty() && !host.contains('@');
    if fits && text.len() <= 254 { Ok(text.to_owned()) } else { Err(PickFault::Email) }
}
