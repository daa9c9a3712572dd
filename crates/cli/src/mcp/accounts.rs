//! The tools that link accounts, refresh them and advance their test clocks.

use super::Agent;
use super::results::ToolError;
use crate::account::{self, Feature};
use crate::advance::{AdvanceFlags, advance_by};
use crate::format;
use crate::link::{LinkFlags, link_accounts};
use crate::server::ServerError;
use model::limits::COMMAND_WAIT_S_MAX;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The bank of a link without one.
const BANK: &str = "Test (Non-OAuth)";
const EMAIL: &str = "jenny.rosen@example.com";
/// The default time limit of a wait in seconds. Many agents wait for a tool for a minute.
pub(super) const WAIT_S: u64 = 50;

/// A permission of a session.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Permission {
    Balances,
    Ownership,
    PaymentMethod,
    Transactions,
}

impl Permission {
    pub(super) const ALL: [Self; 4] =
        [Self::Balances, Self::Ownership, Self::PaymentMethod, Self::Transactions];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Balances => "balances",
            Self::Ownership => "ownership",
            Self::PaymentMethod => "payment_method",
            Self::Transactions => "transactions",
        }
    }
}

/// Data that is fetched when an account is linked.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Prefetch {
    Balances,
    Ownership,
    Transactions,
}

impl Prefetch {
    fn word(self) -> &'static str {
        match self {
            Self::Balances => "balances",
            Self::Ownership => "ownership",
            Self::Transactions => "transactions",
        }
    }
}

/// The arguments of `link_account`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Link {
    /// Name or id of the bank, as `list_banks` shows it. Default: Test (Non-OAuth)
    pub(super) bank: Option<String>,
    /// Names of accounts of the bank. Default: the preselected account
    pub(super) accounts: Vec<String>,
    /// Existing customer, `cus_…`. Default: a new one
    pub(super) customer: Option<String>,
    /// E-mail of the new customer. It determines the bank data
    pub(super) email: Option<String>,
    /// Existing test clock of the new customer, `clock_…`
    pub(super) test_clock: Option<String>,
    /// Create a test clock for the new customer, so that `advance_clock` can let days pass
    pub(super) new_test_clock: bool,
    /// Session, intent or another object to link, in place of a customer
    pub(super) carrier: Option<String>,
    /// Permissions of the session. Default: all
    pub(super) permissions: Option<Vec<Permission>>,
    /// Data to fetch at once
    pub(super) prefetch: Vec<Prefetch>,
    /// Subscribe the accounts to daily transactions, and wait for the first refresh
    pub(super) subscribe: bool,
}

impl Link {
    /// The flags of the command that does the same.
    fn flags(self) -> Result<LinkFlags, ServerError> {
        let new_customer = [
            ("email", self.email.is_some()),
            ("test_clock", self.test_clock.is_some()),
            ("new_test_clock", self.new_test_clock),
        ];
        let holder = match (&self.customer, &self.carrier) {
            (Some(_), Some(_)) => return Err(exclusive("customer", "carrier")),
            (Some(_), None) => Some("customer"),
            (None, Some(_)) => Some("carrier"),
            (None, None) => None,
        };
        let clashes = new_customer.iter().find(|(_, is_set)| *is_set);
        if let (Some(holder), Some((other, _))) = (holder, clashes) {
            return Err(exclusive(holder, other));
        }
        if self.test_clock.is_some() && self.new_test_clock {
            return Err(exclusive("test_clock", "new_test_clock"));
        }
        let permissions = self.permissions.unwrap_or_else(|| Permission::ALL.to_vec());
        Ok(LinkFlags {
            bank: self.bank.unwrap_or_else(|| BANK.to_owned()),
            account: self.accounts,
            customer: self.customer,
            email: self.email.unwrap_or_else(|| EMAIL.to_owned()),
            clock: self.test_clock,
            new_clock: self.new_test_clock.then(|| "now".to_owned()),
            carrier: self.carrier,
            relink: None,
            permission: permissions.iter().map(|word| word.word().to_owned()).collect(),
            prefetch: self.prefetch.iter().map(|word| word.word().to_owned()).collect(),
            subscribe: self.subscribe,
            list: false,
        })
    }
}

fn exclusive(one: &str, other: &str) -> ServerError {
    ServerError::Usage {
        problem: format!("{one} and {other} exclude each other"),
        help: format!("Leave out {one} or {other}"),
    }
}

/// Links accounts.
pub(super) async fn link(agent: &Agent, arguments: Link) -> Result<Value, ToolError> {
    let flags = arguments.flags()?;
    let linked = link_accounts(&agent.server, &flags, agent.clock.account_now()).await?;
    Ok(json!({
        "carrier": linked.carrier,
        "created_customer": linked.made.customer,
        "created_test_clock": linked.made.clock,
        "accounts": linked.accounts,
    }))
}

/// A kind of data that can be refreshed.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefreshedFeature {
    Balance,
    Ownership,
    Transactions,
}

impl RefreshedFeature {
    fn feature(self) -> Feature {
        match self {
            Self::Balance => Feature::Balance,
            Self::Ownership => Feature::Ownership,
            Self::Transactions => Feature::Transactions,
        }
    }
}

/// The arguments of `refresh_account`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    /// Account, `fca_…`
    account: String,
    /// Data to refresh. Default: transactions
    #[serde(default)]
    features: Vec<RefreshedFeature>,
    /// Wait for the end. Default: true
    #[serde(default = "yes")]
    wait: bool,
    /// Maximum wait in seconds. Default: 50
    #[serde(default = "wait_s")]
    timeout_s: u64,
}

fn yes() -> bool {
    true
}

fn wait_s() -> u64 {
    WAIT_S
}

/// Checks the time limit of a wait.
pub(super) fn checked_timeout(timeout_s: u64) -> Result<u64, ServerError> {
    if timeout_s <= COMMAND_WAIT_S_MAX {
        return Ok(timeout_s);
    }
    Err(ServerError::Usage {
        problem: format!("timeout_s is {timeout_s}, more than {COMMAND_WAIT_S_MAX}"),
        help: format!("Pass a timeout_s of at most {COMMAND_WAIT_S_MAX}"),
    })
}

/// Refreshes an account.
pub(super) async fn refresh(agent: &Agent, arguments: Refresh) -> Result<Value, ToolError> {
    let mut features: Vec<Feature> =
        arguments.features.iter().map(|feature| feature.feature()).collect();
    if features.is_empty() {
        features.push(Feature::Transactions);
    }
    let timeout_s = checked_timeout(arguments.timeout_s)?;
    let timeout_s = arguments.wait.then_some(timeout_s);
    let account = account::refresh(&agent.server, &arguments.account, &features, timeout_s).await?;
    let refreshes: Map<String, Value> = features
        .iter()
        .map(|feature| (feature.word().to_owned(), account[feature.refresh()].clone()))
        .collect();
    Ok(json!({"refreshes": refreshes, "account": account}))
}

/// The arguments of `advance_clock`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    /// Duration: 3d, 12h, 90m, 45s, 2w, 1y, or several of them, such as 1d12h
    duration: String,
    /// Test clock, `clock_…`. Optional if the key has only one
    test_clock: Option<String>,
    /// Maximum wait in seconds. Default: 50
    #[serde(default = "wait_s")]
    timeout_s: u64,
}

/// Advances a test clock.
pub(super) async fn advance(agent: &Agent, arguments: Advance) -> Result<Value, ToolError> {
    let Advance { duration, test_clock, timeout_s } = arguments;
    let (clock, from) = advance_clock(agent, &duration, test_clock, timeout_s).await?;
    Ok(json!({"test_clock": clock, "from": from, "to": clock["frozen_time"]}))
}

/// Advances a test clock by a duration, and waits for the first attempts of its webhooks. Returns the clock
/// and its earlier time.
pub(super) async fn advance_clock(
    agent: &Agent,
    duration: &str,
    clock: Option<String>,
    timeout_s: u64,
) -> Result<(Value, i64), ServerError> {
    let duration_s = format::duration_s(duration).map_err(|problem| ServerError::Usage {
        problem,
        help: "A duration looks like 3d, 12h or 1d12h".to_owned(),
    })?;
    let timeout = checked_timeout(timeout_s)?;
    let flags = AdvanceFlags { duration_s, clock, settled: true, timeout };
    advance_by(&agent.server, &flags).await
}
