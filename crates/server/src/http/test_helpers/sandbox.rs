//! `/v1/test_helpers/financial_connections`: a test's actions in place of the holder and the bank.

use crate::http::call::{Call, Outcome};
use crate::http::connections::account::refreshable;
use crate::http::connections::link_flow::take_carrier;
use connectors::sandbox::{NewTransaction, Script, StatusChange, TransactionChange};
use engine::connections::link::{CarrierInput, LinkInput, LinkOutcome};
use lab::AddTransaction;
use model::Word;
use model::account::{InactiveCause, StatusAction};
use model::bank::{BankOwner, BankStatus, Feature};
use model::clock::{AccountTime, DAY_S};
use model::limits::{LEDGER_PAGE_ROWS_MAX, STEERED_AMOUNT_MAX};
use model::money::Currency;
use model::refresh::RefreshCause;
use wire::error::Error;
use wire::expand::Returns;
use wire::list::take_page_up_to;
use wire::params::{Params, Setting};

/// The longest delay that can be scripted. A refresh that is pending for more than two days fails
/// anyway.
const DELAY_S_MAX: i64 = 30 * DAY_S;
/// The largest number of refreshes that one scripted outcome applies to.
const TIMES_MAX: i64 = 1_000;

/// The new status of a transaction at the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Pending,
    Posted,
    Void,
}

impl Word for Target {
    const ALL: &'static [Self] = &[Self::Pending, Self::Posted, Self::Void];

    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Posted => "posted",
            Self::Void => "void",
        }
    }
}

/// The outcome of a scripted refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scripted {
    Succeeded,
    Failed,
}

impl Word for Scripted {
    const ALL: &'static [Self] = &[Self::Succeeded, Self::Failed];

    fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// The cause of a scripted failure. Deactivating or disconnecting an account interrupts its
/// refresh, so that cause is not among these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScriptedCause(RefreshCause);

impl Word for ScriptedCause {
    const ALL: &'static [Self] = &[
        Self(RefreshCause::InstitutionUnavailable),
        Self(RefreshCause::InstitutionTimeout),
        Self(RefreshCause::InstitutionError),
        Self(RefreshCause::LoginRequired),
        Self(RefreshCause::AccessDenied),
        Self(RefreshCause::AccountClosed),
        Self(RefreshCause::AccountUnavailable),
        Self(RefreshCause::Unsupported),
    ];

    fn word(self) -> &'static str {
        self.0.word()
    }
}

pub(in crate::http) async fn link(mut call: Call) -> Outcome {
    let publishable = call.publishable;
    let params = &mut call.params;
    let carrier = take_carrier(params, publishable)?;
    let input = LinkInput {
        carrier,
        institution: params.text("institution")?,
        accounts: params.texts("accounts")?,
        seed: params.text("seed")?,
        outcome: params.choice("outcome")?.unwrap_or(LinkOutcome::Success),
    };
    // The response is the carrier, so its kind determines the expandable fields.
    let carrier = match &input.carrier {
        CarrierInput::Id(text) | CarrierInput::ClientSecret(text) => text,
    };
    let returns = match carrier.split('_').next() {
        _ if publishable => Returns::Nothing,
        Some("pi" | "seti" | "in" | "sub") => Returns::Either(&["payment_intent", "setup_intent"]),
        Some("cs") => Returns::Object("checkout.session"),
        _ => Returns::Object("financial_connections.session"),
    };
    let call = call.ready(returns)?;
    Ok(call.engine.link(&call.context, &input).await?)
}

pub(in crate::http) async fn institutions(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_institutions(&call.context).await?)
}

pub(in crate::http) async fn add_transaction(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let transacted_at = params.integer("transacted_at")?.map(AccountTime);
    let new = NewTransaction {
        amount: params.need("amount", take_amount)?,
        currency: take_currency(params)?,
        description: params.text("description")?.unwrap_or_else(|| "Test transaction".to_owned()),
        // The engine puts the account's own time here.
        transacted_at: AccountTime::default(),
        status: params.choice("status")?.unwrap_or(BankStatus::Posted),
    };
    let call = call.ready(Returns::Nothing)?;
    let add = AddTransaction { new, transacted_at };
    Ok(call.lab.add_bank_transaction(&call.context, call.id(), &add).await?)
}

pub(in crate::http) async fn change_transaction(mut call: Call) -> Outcome {
    let params = &mut call.params;
    let status: Option<Target> = params.choice("status")?;
    let change = TransactionChange {
        status: status.map(|target| match target {
            Target::Pending => StatusChange::Pend,
            Target::Posted => StatusChange::Post,
            Target::Void => StatusChange::Void,
        }),
        amount: take_amount(params, "amount")?,
        description: params.text("description")?,
        transacted_at: params.integer("transacted_at")?.map(AccountTime),
    };
    let call = call.ready(Returns::Nothing)?;
    let (account, transaction) = (call.id(), call.path_part(1));
    let lab = &call.lab;
    Ok(lab.change_bank_transaction(&call.context, account, transaction, &change).await?)
}

pub(in crate::http) async fn set_balance(mut call: Call) -> Outcome {
    let current = call.params.need("current", take_amount)?;
    let available = take_amount(&mut call.params, "available")?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.set_bank_balance(&call.context, call.id(), current, available).await?)
}

pub(in crate::http) async fn set_owners(mut call: Call) -> Outcome {
    let owners =
        call.params.need("owners", |params, name| params.unsettable(name, Params::hashes))?;
    let owners = match owners {
        Setting::Set(owners) => owners.into_iter().map(take_owner).collect::<Result<_, _>>()?,
        Setting::Unset => Vec::new(),
    };
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.set_bank_owners(&call.context, call.id(), &owners).await?)
}

pub(in crate::http) async fn ledger(mut call: Call) -> Outcome {
    let page = take_page_up_to(&mut call.params, LEDGER_PAGE_ROWS_MAX)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.show_ledger(&call.context, call.id(), &page).await?)
}

pub(in crate::http) async fn script(mut call: Call) -> Outcome {
    let known = refreshable(call.version());
    let script = take_script(&mut call.params, known)?;
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.script_refresh(&call.context, call.id(), script).await?)
}

pub(in crate::http) async fn scripts(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.list_scripted_refreshes(&call.context, call.id()).await?)
}

pub(in crate::http) async fn clear_scripts(call: Call) -> Outcome {
    let call = call.ready(Returns::Nothing)?;
    Ok(call.lab.clear_scripted_refreshes(&call.context, call.id()).await?)
}

pub(in crate::http) async fn deactivate(mut call: Call) -> Outcome {
    let cause = call.params.choice("cause")?.unwrap_or(InactiveCause::AccessExpired);
    let action = call.params.choice("action")?.unwrap_or(match cause {
        InactiveCause::AccountClosed => StatusAction::None,
        _ => StatusAction::RelinkRequired,
    });
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.lab.deactivate_account(&call.context, call.id(), cause, action).await?)
}

pub(in crate::http) async fn reactivate(call: Call) -> Outcome {
    let call = call.ready(Returns::Object("financial_connections.account"))?;
    Ok(call.lab.reactivate_account(&call.context, call.id()).await?)
}

fn take_currency(params: &mut Params) -> Result<Currency, Error> {
    match params.text("currency")? {
        None => Ok(Currency::USD),
        Some(code) => Currency::parse(&code).ok_or_else(|| {
            Error::invalid("A currency is given as three letters, such as usd.").param("currency")
        }),
    }
}

/// Takes an amount in minor units. Its size is limited, so that no sum of a ledger overflows.
fn take_amount(params: &mut Params, name: &'static str) -> Result<Option<i64>, Error> {
    params.integer_within(name, -STEERED_AMOUNT_MAX, STEERED_AMOUNT_MAX)
}

fn take_owner(mut params: Params) -> Result<BankOwner, Error> {
    let owner = BankOwner {
        name: params.need("name", Params::text)?,
        email: params.text("email")?,
        phone: params.text("phone")?,
        raw_address: params.text("raw_address")?,
    };
    params.finish()?;
    Ok(owner)
}

/// Takes a scripted outcome of a feature that the caller's version knows. It is a failure if it has a
/// cause or is set to fail, and otherwise a success.
fn take_script(params: &mut Params, known: &[Feature]) -> Result<Script, Error> {
    let cause = params.choice("cause")?.map(|ScriptedCause(cause)| cause);
    let outcome: Option<Scripted> = params.choice("outcome")?;
    let cause = match (outcome, cause) {
        (Some(Scripted::Succeeded), Some(_)) => {
            let message = "A refresh that succeeds has no cause to fail.";
            return Err(Error::invalid(message).param("cause"));
        }
        (Some(Scripted::Failed), None) => Some(RefreshCause::InstitutionUnavailable),
        (_, cause) => cause,
    };
    let times = params.integer_within("times", 1, TIMES_MAX)?.unwrap_or(1);
    Ok(Script {
        feature: params.choice_among("feature", known)?,
        cause,
        delay_s: params.integer_within("delay_seconds", 0, DELAY_S_MAX)?.unwrap_or(0),
        times: u32::try_from(times).unwrap_or(1),
    })
}
