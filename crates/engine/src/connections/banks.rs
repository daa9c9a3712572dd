//! The banks that a merchant may link.

use crate::connections::carrier::LinkRequirements;
use crate::{Engine, Error};
use connectors::{Begin, Connector, Input, Institution, LinkError, Step};
use model::id::{InstitutionId, MerchantId};
use model::link::Pane;

/// The banks that a merchant may link. Empty in live mode, because all banks are test banks.
pub struct Banks(Option<Connector>);

impl Banks {
    /// All banks, featured ones first.
    pub fn institutions(&self) -> Vec<Institution> {
        self.0.as_ref().map(Connector::institutions).unwrap_or_default()
    }

    /// Finds a bank by its name or its id.
    pub(crate) fn find_institution(&self, text: &str) -> Option<Institution> {
        self.0.as_ref().and_then(|connector| connector.find_institution(text))
    }

    /// True if the only bank of a flow does not exist any more, because its scenario was deleted. A
    /// flow with accounts from its login goes on.
    pub(crate) fn lack_only_bank(&self, needs: &LinkRequirements, pane: &Pane) -> bool {
        let needs_login = matches!(
            pane,
            Pane::Consent
                | Pane::Login { .. }
                | Pane::BankPage { .. }
                | Pane::Down { .. }
                | Pane::Failed
        );
        let exists = |id: InstitutionId| self.institutions().iter().any(|bank| bank.id == id);
        needs_login && needs.bank().is_some_and(|id| !exists(id))
    }

    /// Begins a login.
    pub fn begin(&self, begin: &Begin<'_>) -> Result<Step, LinkError> {
        let connector = self.0.as_ref().ok_or(LinkError::UnknownInstitution)?;
        connector.begin(begin)
    }

    /// True if a bank may replace the numbers of its accounts.
    pub(crate) fn replaces_numbers(&self, institution: InstitutionId) -> bool {
        self.0.as_ref().is_some_and(|connector| connector.replaces_numbers(institution))
    }

    /// Continues a login after the holder did something.
    pub(crate) fn advance(&self, state: &[u8], input: &Input) -> Result<Step, LinkError> {
        let connector = self.0.as_ref().ok_or(LinkError::UnknownInstitution)?;
        connector.advance(state, input)
    }
}

impl Engine {
    /// Returns the banks of a merchant.
    pub async fn banks(&self, merchant: MerchantId, livemode: bool) -> Result<Banks, Error> {
        if livemode {
            return Ok(Banks(None));
        }
        Ok(Banks(Some(self.hooks.connector_for(merchant, &self.connector).await?)))
    }
}
