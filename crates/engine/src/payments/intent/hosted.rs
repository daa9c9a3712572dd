//! The page where a holder enters the amounts of two small deposits.

use super::{IntentKind, VerifyInput};
use crate::connect::access::Access;
use crate::connections::hosted::PageBank;
use crate::settings::Brand;
use crate::{Context, Engine, Error};
use model::clock::AccountTime;
use model::id::RequestId;
use model::payments::intent::{DepositKind, Deposits, Intent, IntentStatus};
use model::stored::{PaymentIntent, SetupIntent};
use wire::address::HostedPage;

/// The deposits of an intent as their page shows them.
#[derive(Clone, Debug)]
pub struct DepositsPage {
    /// The merchant's name.
    pub merchant_name: String,
    /// The rest of the merchant's brand.
    pub brand: Brand,
    /// True if it is about real money.
    pub livemode: bool,
    /// The state of the deposits.
    pub standing: DepositsStanding,
    /// The account that they go to.
    pub bank: Option<PageBank>,
    /// The URL that the browser goes to afterwards.
    pub return_url: Option<String>,
}

/// The state of deposits for the holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DepositsStanding {
    /// The page asks for them.
    Requested {
        /// The kind of verification.
        kind: DepositKind,
        /// The time of their arrival.
        arrive_at: AccountTime,
        /// The number of attempts left.
        tries_left: u32,
    },
    /// They were verified, or need no verification.
    Done,
    /// They can no longer be verified.
    Failed {
        /// The reason, as a sentence.
        why: String,
    },
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositsOutcome {
    /// The page is shown again.
    Done,
    /// It was wrong, and another attempt is possible.
    Wrong,
}

impl Engine {
    /// Shows the deposits of an intent. Returns `None` for an unknown token.
    pub async fn show_deposits_page(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<DepositsPage>, Error> {
        let Some((context, intent)) = self.open_deposits(token, request).await? else {
            return Ok(None);
        };
        let gone = self.customer_gone(&context, intent.customer).await?;
        let standing = match (intent.microdeposits, &intent.last_error, intent.status) {
            (Some(_), _, _) if gone => {
                DepositsStanding::Failed { why: "The deposits are no longer needed.".to_owned() }
            }
            (Some(deposits), _, _) => DepositsStanding::Requested {
                kind: deposits.kind,
                arrive_at: deposits.arrive_at,
                tries_left: deposits.tries_left(),
            },
            (None, Some(error), IntentStatus::RequiresPaymentMethod) => {
                DepositsStanding::Failed { why: error.message.clone() }
            }
            (None, _, IntentStatus::Canceled) => {
                DepositsStanding::Failed { why: "The deposits are no longer needed.".to_owned() }
            }
            _ => DepositsStanding::Done,
        };
        Ok(Some(DepositsPage {
            merchant_name: self.merchant_name(&context),
            brand: self.merchant_brand(&context),
            livemode: intent.livemode,
            standing,
            bank: self.page_bank(&context, intent.payment_method).await?,
            return_url: intent.return_url,
        }))
    }

    /// Verifies the deposits of an intent. Returns `None` for an unknown token.
    pub async fn confirm_deposits(
        &self,
        token: &str,
        deposits: &Deposits,
        request: RequestId,
    ) -> Result<Option<DepositsOutcome>, Error> {
        let Some((context, intent)) = self.open_deposits(token, request).await? else {
            return Ok(None);
        };
        if intent.microdeposits.is_none() {
            return Ok(Some(DepositsOutcome::Done));
        }
        let kind = super::kind_of(&intent);
        let access = Access { publishable: false, client_secret: None };
        let input = VerifyInput { deposits: deposits.clone() };
        match self.verify_intent(&context, kind, &intent.id(), &input, access).await {
            Ok(_) => Ok(Some(DepositsOutcome::Done)),
            // The wrong attempt is counted, and the page shows the state.
            Err(error) if error.is_outcome() => {
                let page = self.show_deposits_page(token, request).await?.ok_or(error)?;
                let open = matches!(page.standing, DepositsStanding::Requested { .. });
                Ok(Some(if open { DepositsOutcome::Wrong } else { DepositsOutcome::Done }))
            }
            Err(error) => Err(error),
        }
    }

    /// The intent of a token.
    async fn open_deposits(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<(Context, Intent)>, Error> {
        let pages = [
            (HostedPage::PaymentDeposits, IntentKind::Payment),
            (HostedPage::SetupDeposits, IntentKind::Setup),
        ];
        for (page, kind) in pages {
            let Some((merchant, number)) = self.page_key.read(page, token) else { continue };
            let found = match kind {
                IntentKind::Payment => self.find::<PaymentIntent>(merchant, number).await?,
                IntentKind::Setup => self.find::<SetupIntent>(merchant, number).await?,
            };
            if let Some(intent) = found {
                let context = self.page_context(merchant, intent.livemode, request).await?;
                return Ok(context.map(|context| (context, intent)));
            }
        }
        Ok(None)
    }
}
