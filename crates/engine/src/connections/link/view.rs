//! The view of a flow that a page needs.

use super::flow::Opened;
use super::open;
use super::steps::{Unusable, accounts_max, can_sign_in, may_type, offer, offered_again, usable};
use crate::connections::banks::Banks;
use crate::connections::carrier::LinkRequirements;
use crate::payments::Changes;
use crate::settings::Brand;
use crate::{Engine, Error};
use connectors::{Input, Institution, Step};
use model::account::{Permission, Subcategory};
use model::id::{LinkFlowId, RequestId};
use model::link::{LinkFlowState, Offer, Pane};

/// A flow as a page shows it.
#[derive(Clone, Debug)]
pub struct FlowView {
    /// Its id.
    pub id: LinkFlowId,
    /// The version that a step must name.
    pub version: u64,
    /// True if it is about real banks.
    pub livemode: bool,
    /// The state to show.
    pub shown: Shown,
    /// The merchant's name.
    pub merchant_name: String,
    /// The rest of the merchant's brand.
    pub brand: Brand,
    /// The banks, featured ones first, if the pane lists them.
    pub institutions: Vec<Institution>,
    /// The bank picked.
    pub institution: Option<Institution>,
    /// The requested permissions.
    pub permissions: Vec<Permission>,
    /// The accounts that can be picked.
    pub choices: Vec<Choice>,
    /// The most accounts that may be picked.
    pub accounts_max: usize,
    /// True if numbers may be typed instead of the shown pane.
    pub manual_entry: bool,
    /// True if a bank may be picked.
    pub banks: bool,
    /// True if the holder may sign in.
    pub sign_in: bool,
    /// The known e-mail address of the holder.
    pub email: Option<String>,
    /// The e-mail address that the accounts are saved under.
    pub sign_up: Option<String>,
    /// The linked accounts.
    pub linked: Vec<Choice>,
    /// True if it is for a payment.
    pub payment: bool,
    /// The last four digits of the typed numbers.
    pub last4: Option<String>,
    /// The origin of the page that waits.
    pub origin: Option<String>,
    /// The URL that the browser goes to at the end.
    pub return_url: Option<String>,
    /// True if the browser goes there without a click when the flow has ended.
    pub hosted: bool,
    /// True if a login is renewed.
    pub relink: bool,
    /// True if there is only one bank.
    pub one_bank: bool,
    /// True if that bank does not exist any more, so the holder can only leave or type numbers.
    pub bank_gone: bool,
    /// The path of the hosted page that follows.
    pub page: Option<String>,
}

/// The state of a flow on its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Its pane.
    Pane(Pane),
    /// It has expired.
    Expired,
    /// Another flow has ended its carrier.
    Closed,
    /// The customer that it links accounts for was deleted.
    Gone,
}

/// An account in a list of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// Its bank's name.
    pub institution_name: String,
    /// Its kind.
    pub subcategory: Subcategory,
    /// The last four digits of its number.
    pub last4: Option<String>,
    /// The reason why it cannot be picked, if it cannot.
    pub unusable: Option<Unusable>,
    /// True if it is preselected.
    pub preselected: bool,
}

impl Engine {
    /// Shows a flow. Returns `None` for an unknown token.
    pub async fn show_link_flow(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<FlowView>, Error> {
        let Some(opened) = self.open_flow(token, request).await? else { return Ok(None) };
        let Opened { context, flow, carrier } = opened;
        let needs = carrier.requirements();
        let now = self.moment(context.merchant, needs.clock).await?.now;
        let expired = now >= flow.expires_at() || needs.expires_at.is_some_and(|at| now >= at);
        let gone = needs.open
            && self.holder_gone(&context, needs.holder.as_ref(), &mut Changes::none()).await?;
        let works = !expired && !gone && open(&needs, now).is_ok();
        let shown = if flow.run.end().is_some() || works {
            Shown::Pane(flow.run.pane.clone())
        } else if gone {
            Shown::Gone
        } else if needs.open {
            Shown::Expired
        } else {
            Shown::Closed
        };
        let customer = self.flow_customer(&context, needs.holder.as_ref()).await?;
        let linked = self.accounts_of(&context, flow.run.accounts.clone()).await?;
        let banks = self.banks(context.merchant, needs.livemode).await?;
        let institutions = banks.institutions();
        let picked = institutions.iter().find(|bank| Some(bank.id) == flow.run.institution);
        let offers = match self.offers_at_bank(&needs, &banks, &flow.run, picked).await? {
            Some(offers) => offers,
            None => flow.run.offers.clone(),
        };
        // The bank's own page does not know the account to renew.
        let at_bank = matches!(flow.run.pane, Pane::BankPage { .. });
        let choices = offers.iter().map(|offer| choice(&needs, offer, at_bank)).collect();
        let bank_gone = banks.lack_only_bank(&needs, &flow.run.pane);
        // Without its bank, the login has failed.
        let types_at = if bank_gone { &Pane::Failed } else { &flow.run.pane };
        Ok(Some(FlowView {
            id: flow.id,
            version: flow.version,
            livemode: flow.livemode,
            merchant_name: self.merchant_name(&context),
            brand: self.merchant_brand(&context),
            institution: picked.cloned(),
            institutions: if flow.run.pane == Pane::Institutions {
                institutions
            } else {
                Vec::new()
            },
            permissions: needs.permissions.iter().copied().collect(),
            choices,
            accounts_max: accounts_max(&needs),
            manual_entry: may_type(types_at, &needs),
            banks: needs.banks,
            sign_in: can_sign_in(&needs),
            email: flow.run.email.or_else(|| customer.and_then(|customer| customer.email)),
            sign_up: flow.run.sign_up,
            linked: linked
                .into_iter()
                .map(|account| Choice {
                    name: account.display_name.unwrap_or_default(),
                    institution_name: account.institution_name,
                    subcategory: account.subcategory,
                    last4: account.last4,
                    unusable: None,
                    preselected: false,
                })
                .collect(),
            payment: needs.payment,
            last4: flow.run.last4,
            origin: flow.origin,
            hosted: needs.hosted,
            relink: needs.relink.is_some(),
            one_bank: needs.bank().is_some(),
            bank_gone,
            return_url: needs.return_url,
            page: flow.page.map(|page| self.page_key.with_code(&page)),
            shown,
        }))
    }

    /// The accounts on the page of a bank that has its own account picker.
    async fn offers_at_bank(
        &self,
        needs: &LinkRequirements,
        banks: &Banks,
        run: &LinkFlowState,
        bank: Option<&Institution>,
    ) -> Result<Option<Vec<Offer>>, Error> {
        let (Pane::BankPage { .. }, Some(bank)) = (&run.pane, bank) else { return Ok(None) };
        let Ok(Step::Done { accounts }) = banks.advance(&run.login, &Input::Returned) else {
            return Ok(Some(Vec::new()));
        };
        let offers = accounts.into_iter().map(|account| offer(bank, account)).collect();
        let known = self.known_to_relink(needs).await?;
        // A bank with an account picker of its own never replaces numbers.
        Ok(Some(offered_again(offers, needs, &known, &[])))
    }
}

fn choice(needs: &LinkRequirements, offer: &Offer, at_bank: bool) -> Choice {
    Choice {
        name: offer.name.clone(),
        institution_name: offer.institution_name.clone(),
        subcategory: offer.subcategory,
        last4: offer.last4.clone(),
        unusable: usable(needs, offer).err().filter(|why| !at_bank || *why != Unusable::NotWanted),
        preselected: offer.preselected,
    }
}
