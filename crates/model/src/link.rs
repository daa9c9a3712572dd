//! One link flow (`lf_…`): a holder picks a bank, consents, logs in and picks accounts.
//!
//! ```text
//! institutions → consent → login | bank page → accounts → ended (linked)
//!      │                      └→ down | failed → institutions
//!      ├→ sign in → code → consent → saved → ended (linked)
//!      └→ manual entry → ended (numbers entered)         any pane → ended (cancelled | failed)
//! ```
//!
//! A flow that links again begins with the consent, at its bank. A holder may leave at any pane. The
//! flow then stays where it is, and the next flow of its carrier continues it.
//!
//! The database holds the state of the flow, and a page never does. A page shows the pane of the
//! version that it was rendered from. A step that names another version changes no state.

use crate::account::{Category, PaymentMethodType, Subcategory};
use crate::clock::{AccountTime, ServerTime};
use crate::extra_params::ExtraParams;
use crate::id::{AccountId, ClockId, InstitutionId, LinkFlowId, MerchantId, TokenId};
use crate::limits::LINK_FLOW_AGE_S_MAX;
use serde::{Deserialize, Serialize};

/// The pane that the holder sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pane {
    /// The list of banks.
    #[default]
    Institutions,
    /// The consent: the data that is requested, and the reason.
    Consent,
    /// A form of the chosen bank.
    Login {
        /// The names of its fields.
        fields: Vec<String>,
        /// True if the bank rejected the previous input.
        refused: bool,
    },
    /// The bank's own page, in a second window.
    BankPage {
        /// True if the holder came back without allowing access.
        refused: bool,
    },
    /// The accounts of the login.
    Accounts,
    /// The bank accepts no logins.
    Down {
        /// The time at which the bank will accept logins, if it gives one.
        until: Option<AccountTime>,
    },
    /// The bank ended the login.
    Failed,
    /// The form for account and routing number.
    ManualEntry,
    /// An e-mail address by which accounts linked before are found.
    SignIn {
        /// True if no accounts are known for the address that the holder gave.
        unknown: bool,
    },
    /// The code that was sent to the address.
    Code,
    /// The accounts that were linked before.
    Saved,
    /// The flow has ended.
    Ended(FlowEnd),
}

/// The result of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowEnd {
    /// The holder linked accounts.
    Linked,
    /// The holder typed account numbers.
    NumbersEntered,
    /// The holder left.
    Cancelled,
    /// The holder left for the merchant's own form of account numbers.
    CustomManualEntry,
    /// The bank was down, or ended the login.
    Failed,
}

/// An account that the holder can pick: from a login, or linked before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The bank.
    pub institution: InstitutionId,
    /// The bank's name.
    pub institution_name: String,
    /// The bank's own key of the account.
    pub bank_account: String,
    /// The name by which a holder picks it.
    pub name: String,
    /// Its kind.
    pub category: Category,
    /// Its kind within the category.
    pub subcategory: Subcategory,
    /// The last four digits of its number.
    pub last4: Option<String>,
    /// The payment method types that it supports.
    pub supported_payment_method_types: Vec<PaymentMethodType>,
    /// True if it is picked unless the holder picks others.
    pub preselected: bool,
    /// The credential of this account.
    pub credential: Vec<u8>,
}

impl Offer {
    /// True if it can pay by ACH.
    pub fn can_pay(&self) -> bool {
        self.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount)
    }
}

/// The state of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFlowState {
    /// The pane that the holder sees.
    pub pane: Pane,
    /// The chosen bank.
    pub institution: Option<InstitutionId>,
    /// The address with which a returning holder signs in.
    pub email: Option<String>,
    /// True if the holder entered the right code.
    pub signed_in: bool,
    /// The address under which the holder saves the linked accounts.
    pub sign_up: Option<String>,
    /// The accounts that the flow linked.
    pub accounts: Vec<AccountId>,
    /// The token of the typed numbers, if the carrier creates one.
    pub token: Option<TokenId>,
    /// The last four digits of those numbers.
    pub last4: Option<String>,
    /// The login state of the connector. It is stored sealed, apart from the other fields.
    #[serde(skip)]
    pub login: Vec<u8>,
    /// The accounts that can be picked. They are stored sealed, apart from the other fields.
    #[serde(skip)]
    pub offers: Vec<Offer>,
}

impl LinkFlowState {
    /// Returns the result, if the flow has ended.
    pub fn end(&self) -> Option<FlowEnd> {
        match self.pane {
            Pane::Ended(end) => Some(end),
            _ => None,
        }
    }
}

/// One flow in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFlow {
    /// Its id.
    pub id: LinkFlowId,
    /// The merchant that owns it.
    pub merchant: MerchantId,
    /// The version, which every step raises by one.
    pub version: u64,
    /// True if the carrier was created with a live key.
    pub livemode: bool,
    /// The time of its start.
    pub created: AccountTime,
    /// The time of its start by the server's clock.
    #[serde(default)]
    pub begun: ServerTime,
    /// The test clock of the carrier.
    pub clock: Option<ClockId>,
    /// The id of the carrier.
    pub carrier: String,
    /// The origin of the page that opened the flow and receives its result.
    pub origin: Option<String>,
    /// The holder's billing details from the page that waits, for a payment method.
    #[serde(default = "ExtraParams::empty")]
    pub billing_details: ExtraParams,
    /// The path of our page that began the flow and continues after it, without the code of its
    /// token.
    #[serde(default)]
    pub page: Option<String>,
    /// True if the holder left the flow without ending it. The next flow of the carrier continues
    /// it.
    #[serde(default)]
    pub left: bool,
    /// The secret that gives the holder's browser access. It is stored sealed, apart from the other
    /// fields.
    #[serde(skip)]
    pub secret: String,
    /// The state.
    pub run: LinkFlowState,
}

impl LinkFlow {
    /// True if a holder is found again by the flow, because the linked accounts were saved.
    pub fn is_saved(&self) -> bool {
        self.run.sign_up.is_some() && self.run.end() == Some(FlowEnd::Linked)
    }

    /// Returns the time at which the flow expires.
    pub fn expires_at(&self) -> AccountTime {
        self.created.plus(LINK_FLOW_AGE_S_MAX)
    }
}
