//! Makes the calls of a simulation. It adapts requests that a test bank would reject, so that most
//! calls have an effect.

use crate::app::{Answered, App};
use crate::operation::{Request, Status};
use connectors::sandbox::{NewTransaction, Script, StatusChange, TransactionChange};
use lab::AddTransaction;
use model::bank::{BankStatus, Feature};
use model::clock::AccountTime;
use model::money::Currency;
use serde_json::Value;

/// Makes a call about an account.
pub async fn call(app: &App, id: &str, request: &Request) -> Answered {
    let (engine, lab, context) = (app.engine(), app.lab(), app.context());
    let response = match request {
        Request::Refresh(features) => engine.refresh_account(&context, id, features).await,
        Request::Subscribe => {
            engine.subscribe_account(&context, id, &[Feature::Transactions]).await
        }
        Request::Unsubscribe => {
            engine.unsubscribe_account(&context, id, &[Feature::Transactions]).await
        }
        Request::Disconnect => engine.disconnect_account(&context, id).await,
        Request::Deactivate(cause, action) => {
            lab.deactivate_account(&context, id, *cause, *action).await
        }
        Request::Reactivate => lab.reactivate_account(&context, id).await,
        Request::Script { feature, cause, delay_s, times } => {
            let script =
                Script { feature: *feature, cause: *cause, delay_s: *delay_s, times: *times };
            lab.script_refresh(&context, id, script).await
        }
        Request::Add { amount, posted, ago_s } => {
            let books = Books::open(app, id).await?;
            let new = NewTransaction {
                amount: *amount,
                currency: Currency::USD,
                description: format!("ADDED {amount}"),
                transacted_at: books.now,
                status: if *posted { BankStatus::Posted } else { BankStatus::Pending },
            };
            let add = AddTransaction { new, transacted_at: Some(books.before(*ago_s)) };
            lab.add_bank_transaction(&context, id, &add).await
        }
        Request::Change { place, status, amount, ago_s } => {
            let books = Books::open(app, id).await?;
            let Some(entry) = books.entries.iter().rev().nth(*place) else {
                return Ok(Value::Null);
            };
            let change = TransactionChange {
                status: possible(&entry["status"], *status),
                amount: *amount,
                description: amount.map(|amount| format!("CHANGED {amount}")),
                transacted_at: ago_s.map(|ago_s| books.before(ago_s)),
            };
            let bank_id = entry["id"].as_str().expect("a bank names its transactions");
            lab.change_bank_transaction(&context, id, bank_id, &change).await
        }
    };
    app.answered(response)
}

/// The bank's ledger of an account, as a client sees it.
struct Books {
    now: AccountTime,
    entries: Vec<Value>,
}

impl Books {
    async fn open(app: &App, id: &str) -> Result<Self, wire::error::Error> {
        let ledger = app.show_ledger(id).await?;
        let now = AccountTime(ledger["as_of"].as_i64().expect("books have a time"));
        let entries = ledger["transactions"].as_array().expect("books hold transactions").clone();
        Ok(Self { now, entries })
    }

    /// A time in the past, but not before the oldest entry, because a ledger reaches back at least
    /// to it.
    fn before(&self, ago_s: i64) -> AccountTime {
        let oldest = self.entries.first().and_then(|entry| entry["transacted_at"].as_i64());
        self.now.plus(-ago_s).max(AccountTime(oldest.unwrap_or(self.now.0)))
    }
}

/// The status change that a bank can make: any from pending, only to void from posted, and only
/// back to pending from void.
fn possible(status: &Value, wanted: Option<Status>) -> Option<StatusChange> {
    match (status.as_str(), wanted) {
        (Some("void"), _) | (Some("pending"), Some(Status::Pend)) => Some(StatusChange::Pend),
        (Some("pending"), Some(Status::Post)) => Some(StatusChange::Post),
        (_, Some(_)) => Some(StatusChange::Void),
        (_, None) => None,
    }
}
