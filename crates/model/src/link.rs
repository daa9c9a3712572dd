//! One run of the link flow (`lf_…`): a holder picks a bank, allows, logs in and picks accounts.
//!
//! ```text
//! institutions → consent → login | bank page → accounts → ended (linked)
//!      │                      └→ down | failed → institutions
//!      ├→ sign in → code → consent → saved → ended (linked)
//!      └→ manual entry → ended (numbers entered)         any pane → ended (cancelled | failed)
//! ```
//!
//! A run that links again begins with the consent, at the bank that it is about.
//!
//! The run is what stands in the database, never in a page: a page shows the pane of the version
//! it was rendered from, and a step that names another version changes nothing.

use crate::account::{Category, PaymentMethodType, Subcategory};
use crate::clock::{AccountTime, ServerTime};
use crate::given::Given;
use crate::id::{AccountId, ClockId, InstitutionId, LinkFlowId, MerchantId, TokenId};
use crate::limits::LINK_FLOW_AGE_S_MAX;
use serde::{Deserialize, Serialize};

/// What the holder is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pane {
    /// The list of banks.
    #[default]
    Institutions,
    /// What is asked for, and why.
    Consent,
    /// A form of the bank picked.
    Login {
        /// The names of its fields.
        fields: Vec<String>,
        /// Whether the bank refused the answers before.
        refused: bool,
    },
    /// The bank's own page, in a second window.
    BankPage {
        /// Whether the holder came back without having allowed it.
        refused: bool,
    },
    /// The accounts that the login gave.
    Accounts,
    /// The bank takes no logins.
    Down {
        /// When it will, if it says so.
        until: Option<AccountTime>,
    },
    /// The bank ended the login.
    Failed,
    /// The form for account and routing number.
    ManualEntry,
    /// An e-mail address by which accounts linked before are found.
    SignIn {
        /// Whether nobody is known by the address that was given.
        unknown: bool,
    },
    /// The code that was sent to the address.
    Code,
    /// The accounts linked before.
    Saved,
    /// It is over.
    Ended(FlowEnd),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowEnd {
    /// With accounts.
    Linked,
    /// With numbers that the holder typed.
    NumbersEntered,
    /// The holder left.
    Cancelled,
    /// The bank's fault: it was down, or ended the login.
    Failed,
}

/// An account that can be picked: of a login, or linked before.
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
    /// What it can pay by.
    pub supported_payment_method_types: Vec<PaymentMethodType>,
    /// Whether it is picked unless the holder picks others.
    pub preselected: bool,
    /// The credential of this account.
    pub credential: Vec<u8>,
}

impl Offer {
    /// Whether it can pay by ACH.
    pub fn can_pay(&self) -> bool {
        self.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount)
    }
}

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRun {
    /// What the holder is shown.
    pub pane: Pane,
    /// The bank picked.
    pub institution: Option<InstitutionId>,
    /// The address that a returning holder signs in with.
    pub email: Option<String>,
    /// Whether the code was right.
    pub signed_in: bool,
    /// The address under which the holder wants the linked accounts to be found again.
    pub sign_up: Option<String>,
    /// What the run linked.
    pub accounts: Vec<AccountId>,
    /// The token of the numbers that were typed, if the carrier gives one.
    pub token: Option<TokenId>,
    /// The last four digits of those numbers.
    pub last4: Option<String>,
    /// What the connector needs to go on. Stored sealed, apart from the rest.
    #[serde(skip)]
    pub login: Vec<u8>,
    /// What can be picked. Stored sealed, apart from the rest.
    #[serde(skip)]
    pub offers: Vec<Offer>,
}

impl LinkRun {
    /// How it ended, once it has.
    pub fn end(&self) -> Option<FlowEnd> {
        match self.pane {
            Pane::Ended(end) => Some(end),
            _ => None,
        }
    }
}

/// One run in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFlow {
    /// Its id.
    pub id: LinkFlowId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Raised by every step.
    pub version: u64,
    /// Whether the carrier was made with a live key.
    pub livemode: bool,
    /// When it began.
    pub created: AccountTime,
    /// When it began by the server's time.
    #[serde(default)]
    pub begun: ServerTime,
    /// The test clock of the carrier.
    pub clock: Option<ClockId>,
    /// The id of the carrier.
    pub carrier: String,
    /// The origin of the page that opened it, which is told how it ended.
    pub origin: Option<String>,
    /// What the page that waits told of the holder, for a payment method.
    #[serde(default = "Given::nothing")]
    pub billing_details: Given,
    /// The page of ours that it was begun on and that goes on after it, by its path.
    #[serde(default)]
    pub page: Option<String>,
    /// What the holder's browser shows to be let in. Stored sealed, apart from the rest.
    #[serde(skip)]
    pub secret: String,
    /// Where it stands.
    pub run: LinkRun,
}

impl LinkFlow {
    /// From when on it takes no steps.
    pub fn expires_at(&self) -> AccountTime {
        self.created.plus(LINK_FLOW_AGE_S_MAX)
    }
}
