//! Institutions, and the one at which a carrier sends its holder.

use crate::connections::banks::Banks;
use crate::context::render;
use crate::list::{list_body, page_by_id};
use crate::{ApiResponse, Context, Engine, Error};
use connectors::{Begin, Institution};
use model::account::PaymentMethodType;
use model::clock::AccountTime;
use model::collection::Collection;
use model::id::{ClockId, InstitutionId};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::render::connections::institution::{self, InstitutionStatus};

const WHAT: &str = "Financial Connections institution";
const URL: &str = "/v1/financial_connections/institutions";
const UNAVAILABLE: &str = "financial_connections_institution_unavailable";

impl Banks {
    /// True if a bank accepts logins.
    pub fn is_up(&self, institution: InstitutionId, now: AccountTime) -> bool {
        self.begin(&Begin { institution, holder_key: "", now }).is_ok()
    }

    /// Finds a bank by the text of its id, which may be the id of Stripe's own test bank.
    fn find_by_id(&self, text: &str) -> Option<Institution> {
        self.find_institution(text).filter(|_| text.starts_with(InstitutionId::PREFIX))
    }
}

impl Engine {
    /// Lists the institutions that can be linked, featured ones first.
    pub async fn list_institutions(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let banks = self.banks(context.merchant, context.livemode).await?;
        let now = self.clock.account_now();
        let institutions = banks.institutions();
        let has_id = |bank: &Institution, id: &str| bank.id.to_string() == id;
        let (shown, has_more) = page_by_id(&institutions, has_id, page, WHAT)?;
        let bodies = shown.iter().map(|bank| body(bank, banks.is_up(bank.id, now)));
        let bodies: Vec<Vec<u8>> = bodies.collect();
        Ok(ApiResponse::unchanged(list_body(URL, has_more, &bodies)))
    }

    /// Shows an institution.
    pub async fn retrieve_institution(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<ApiResponse, Error> {
        let found = self.find_institution_body(context, text).await?;
        let found = found.ok_or_else(|| ApiError::no_such_institution(text, "institution"))?;
        Ok(ApiResponse::unchanged(found))
    }

    /// The body of the institution with this id, if there is one.
    pub(crate) async fn find_institution_body(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        let banks = self.banks(context.merchant, context.livemode).await?;
        let now = self.clock.account_now();
        Ok(banks.find_by_id(text).map(|bank| body(&bank, banks.is_up(bank.id, now))))
    }

    /// Checks that a carrier may send its holder to a bank: the bank exists and accepts logins now.
    pub(crate) async fn check_bank(
        &self,
        context: &Context,
        id: Option<InstitutionId>,
        clock: Option<ClockId>,
        param: &str,
    ) -> Result<(), Error> {
        let Some(id) = id else { return Ok(()) };
        let banks = self.banks(context.merchant, context.livemode).await?;
        let bank = banks.find_by_id(&id.to_string());
        let bank = bank.ok_or_else(|| ApiError::no_such_institution(&id.to_string(), param))?;
        if banks.is_up(id, self.moment(context.merchant, clock).await?.now) {
            return Ok(());
        }
        let message = format!(
            "{} accepts no logins now. Try again later, or leave out the institution.",
            bank.name
        );
        Err(ApiError::invalid(message).code(UNAVAILABLE).param(param).into())
    }

    /// The same for the link requirements of a payment object. `path` is the parameter that contains
    /// them.
    pub(crate) async fn check_collection_bank(
        &self,
        context: &Context,
        collection: &Collection,
        clock: Option<ClockId>,
        path: &str,
    ) -> Result<(), Error> {
        let param = format!("{path}[filters][institution]");
        self.check_bank(context, collection.institution, clock, &param).await
    }
}

fn body(bank: &Institution, up: bool) -> Vec<u8> {
    let payment_method = bank.accounts.iter().any(|account| {
        account.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount)
    });
    let shown = institution::Institution {
        id: bank.id,
        name: &bank.name,
        status: if up { InstitutionStatus::Active } else { InstitutionStatus::Inactive },
        oauth: bank.oauth,
        features: &bank.features,
        payment_method,
        description: &bank.description,
        accounts: &[],
    };
    render(|w| institution::write_plain(w, &shown))
}
