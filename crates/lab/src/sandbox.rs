//! Test helpers that act in place of the bank, and show the bank's own ledger.
//!
//! A control call changes only the connector's state of an account. The rows, balances and owners
//! that clients read change with the next refresh.

use crate::Lab;
use crate::render::bank::{BookEntry, ScriptedRefresh};
use connectors::sandbox::{
    Applied, ControlError, LedgerEntry, LedgerPosition, NewTransaction, SandboxControl, Script,
    TransactionChange,
};
use connectors::{BankAccount, Connector, Institution};
use engine::connections::change::{push_event, record_interrupted_by};
use engine::connections::refresh::bank_cursor;
use engine::connections::watch::{bank_account, relinked};
use engine::{ApiResponse, Context, Error, list_body, render, settled};
use model::account::{Account, AccountStatus, InactiveCause, PaymentMethodType, StatusAction};
use model::bank::{BankOwner, Feature};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::TransactionId;
use store::{AccountChange, ChangeAccount, ChangeConnection, Connection, FindBankId};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::render::connections::institution::{
    Institution as Shown, InstitutionStatus, TestAccount,
};

/// A transaction to add at the bank. Its time defaults to now.
#[derive(Clone, Debug)]
pub struct AddTransaction {
    /// The transaction without its time.
    pub new: NewTransaction,
    /// The time of the transaction.
    pub transacted_at: Option<AccountTime>,
}

impl Lab {
    /// Shows the test banks. Those of the merchant's scenarios are last.
    pub async fn list_institutions(&self, context: &Context) -> Result<ApiResponse, Error> {
        let banks = self.engine.banks(context.merchant, context.livemode).await?;
        let now = self.engine.clock().account_now();
        let up = |institution: &Institution| banks.is_up(institution.id, now);
        let institutions = banks.institutions();
        let bodies: Vec<Vec<u8>> =
            institutions.iter().map(|bank| institution_body(bank, up(bank))).collect();
        let url = "/v1/test_helpers/financial_connections/institutions";
        Ok(ApiResponse::unchanged(list_body(url, false, &bodies)))
    }

    /// Adds a transaction at the bank.
    pub async fn add_bank_transaction(
        &self,
        context: &Context,
        id: &str,
        add: &AddTransaction,
    ) -> Result<ApiResponse, Error> {
        self.steer(context, id, |sandbox, account, now| {
            let transacted_at = add.transacted_at.unwrap_or(now);
            let new = NewTransaction { transacted_at, ..add.new.clone() };
            let steered = sandbox.add_transaction(account, now, self.engine.next_number(), new)?;
            Ok((steered.state, entry_body(&steered.made)))
        })
        .await
    }

    /// Posts, voids or edits a transaction at the bank, by the bank's id or by ours.
    pub async fn change_bank_transaction(
        &self,
        context: &Context,
        id: &str,
        transaction: &str,
        change: &TransactionChange,
    ) -> Result<ApiResponse, Error> {
        let bank_id = match transaction.parse::<TransactionId>() {
            Ok(transaction) => {
                let find = FindBankId { merchant: context.merchant, transaction };
                let bank_id = self.engine.store().read(find).await?;
                let account = transaction.account.to_string();
                // Bank ids are unique within an account only, so the id from another account's row
                // could name an unrelated transaction here.
                bank_id.filter(|_| account == id).ok_or_else(|| {
                    let id_text = transaction.to_string();
                    ApiError::no_such("Financial Connections transaction", &id_text, "transaction")
                })?
            }
            Err(_) => transaction.to_owned(),
        };
        self.steer(context, id, |sandbox, account, now| {
            let steered = sandbox.change_transaction(account, now, &bank_id, change.clone())?;
            Ok((steered.state, entry_body(&steered.made)))
        })
        .await
    }

    /// Sets the bank's current balance, in US cents.
    pub async fn set_bank_balance(
        &self,
        context: &Context,
        id: &str,
        current: i64,
        available: Option<i64>,
    ) -> Result<ApiResponse, Error> {
        self.steer(context, id, |sandbox, account, now| {
            let Applied { state, made } = sandbox.set_balance(account, now, current, available)?;
            Ok((state, render(|w| crate::render::bank::write_balance(w, &made))))
        })
        .await
    }

    /// Sets the owners that the bank reports.
    pub async fn set_bank_owners(
        &self,
        context: &Context,
        id: &str,
        owners: &[BankOwner],
    ) -> Result<ApiResponse, Error> {
        self.steer(context, id, |sandbox, account, _now| {
            let Applied { state, made } = sandbox.set_owners(account, owners.to_vec())?;
            let body = render(|w| {
                w.object(|w| {
                    w.key("object").plain("bankfeed.owners");
                    w.key("owners");
                    crate::render::bank::write_owners(w, &made);
                });
            });
            Ok((state, body))
        })
        .await
    }

    /// Queues an outcome for future refreshes, and shows the queue.
    pub async fn script_refresh(
        &self,
        context: &Context,
        id: &str,
        script: Script,
    ) -> Result<ApiResponse, Error> {
        let account_id = self.engine.get_account(context, id, "account").await?.id;
        self.steer(context, id, |sandbox, account, _now| {
            let Applied { state, made } = sandbox.script(account, script)?;
            Ok((state, scripts_body(account_id, &made)))
        })
        .await
    }

    /// Empties the queue of outcomes, and shows it.
    pub async fn clear_scripted_refreshes(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let account_id = self.engine.get_account(context, id, "account").await?.id;
        self.steer(context, id, |sandbox, account, _now| {
            let Applied { state, made } = sandbox.clear_scripts(account)?;
            Ok((state, scripts_body(account_id, &made)))
        })
        .await
    }

    /// Shows the queue of outcomes.
    pub async fn list_scripted_refreshes(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let (account, connection) = self.linked(context, id).await?;
        let scripts =
            self.sandbox().scripts(&bank_account(&account, &connection)).map_err(control_error)?;
        Ok(ApiResponse::unchanged(scripts_body(account.id, &scripts)))
    }

    /// Shows a page of the part of the bank's current ledger that a client must have. It is computed
    /// without any of our stored rows.
    pub async fn show_ledger(
        &self,
        context: &Context,
        id: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let (account, connection) = self.linked(context, id).await?;
        let now = self.engine.moment(context.merchant, account.clock).await?.now;
        let at_bank = bank_account(&account, &connection);
        let sandbox = self.sandbox();
        let cursor = bank_cursor(&connection, Feature::Transactions);
        let (position, param) = match (&page.starting_after, &page.ending_before) {
            (Some(id), _) => (LedgerPosition::After(id), "starting_after"),
            (None, Some(id)) => (LedgerPosition::Before(id), "ending_before"),
            (None, None) => (LedgerPosition::Oldest, ""),
        };
        let limit = page.limit as usize;
        let shown = sandbox.window_page(&at_bank, now, cursor, (position, limit));
        let shown = shown.map_err(|error| match (error, position) {
            (
                ControlError::UnknownTransaction,
                LedgerPosition::After(id) | LedgerPosition::Before(id),
            ) => ApiError::no_such("bank transaction", id, param).status(400).into(),
            (error, _) => control_error(error),
        })?;
        let balance = sandbox.ledger_balance(&at_bank, now).map_err(control_error)?;
        let owners = sandbox.ledger_owners(&at_bank, now).map_err(control_error)?;
        let body = render(|w| {
            let entries = shown.entries.iter().map(book_entry);
            let page = (entries, shown.has_more);
            crate::render::bank::write_ledger(w, account.id, now, page, &balance, &owners);
        });
        Ok(ApiResponse::unchanged(body))
    }

    /// Makes an account inactive, as its bank could.
    pub async fn deactivate_account(
        &self,
        context: &Context,
        id: &str,
        cause: InactiveCause,
        action: StatusAction,
    ) -> Result<ApiResponse, Error> {
        self.change_status(context, id, |change, _, now| {
            let Some(interrupted) = change.account.deactivate(cause, action) else {
                return Ok(false);
            };
            record_interrupted_by(change, &interrupted, now, context.cause().as_ref());
            push_event(change, EventType::AccountDeactivated, now, context);
            Ok(true)
        })
        .await
    }

    /// Makes an inactive account active, as a relink would.
    pub async fn reactivate_account(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change_status(context, id, |change, connection, now| {
            let connection = connection.ok_or_else(|| not_linked(id))?;
            if !change.account.reactivate(now) {
                return Ok(false);
            }
            push_event(change, EventType::AccountReactivated, now, context);
            // The bank counts from here, as it does when the holder links the account again.
            let connection = relinked(connection, &mut change.account, now);
            self.engine.observe(change, &connection, now, context.cause().as_ref());
            change.connection = Some(connection);
            Ok(true)
        })
        .await
    }

    /// Returns the control of the test banks.
    pub(crate) fn sandbox(&self) -> SandboxControl {
        match self.engine.connector() {
            Connector::Sandbox(sandbox) => SandboxControl::new(sandbox.clone()),
        }
    }

    pub(crate) async fn linked(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<(Account, Connection), Error> {
        let account = self.engine.get_account(context, id, "account").await?;
        if account.status == AccountStatus::Disconnected {
            return Err(disconnected());
        }
        let connection = self.engine.connection_of(&account).await?;
        connection.map(|connection| (account, connection)).ok_or_else(|| not_linked(id))
    }

    /// Changes the connector's state of an account.
    async fn steer(
        &self,
        context: &Context,
        id: &str,
        act: impl Fn(
            &SandboxControl,
            &BankAccount<'_>,
            AccountTime,
        ) -> Result<(Vec<u8>, Vec<u8>), ControlError>,
    ) -> Result<ApiResponse, Error> {
        self.engine
            .change("control_bank", async || {
                let (account, mut connection) = self.linked(context, id).await?;
                let (now, requires) = self.engine.moment_to_write(context, account.clock).await?;
                let at_bank = bank_account(&account, &connection);
                let (state, body) = act(&self.sandbox(), &at_bank, now).map_err(control_error)?;
                connection.state = state;
                connection.version += 1;
                let reply = context.reply(&self.engine, &body);
                let change = ChangeConnection { connection, requires, reply };
                if settled(self.engine.store().write(change).await?)? {
                    return Ok(Some(ApiResponse::committed(body)));
                }
                Ok(None)
            })
            .await
    }

    /// Changes the status of an account, unless it already has the new status. Each try reads the
    /// bank's data again, because otherwise a concurrent change would make every try fail.
    async fn change_status(
        &self,
        context: &Context,
        id: &str,
        act: impl Fn(&mut AccountChange, Option<Connection>, AccountTime) -> Result<bool, Error>,
    ) -> Result<ApiResponse, Error> {
        self.engine
            .change("change_bank_status", async || {
                let mut account = self.engine.get_account(context, id, "account").await?;
                let (now, requires) = self.engine.moment_to_write(context, account.clock).await?;
                let connection = self.engine.connection_of(&account).await?;
                account.version += 1;
                let mut change = AccountChange::of(account);
                if !act(&mut change, connection, now)? {
                    let body = self.engine.account_body(context, &change.account).await?;
                    return Ok(Some(ApiResponse::unchanged(body)));
                }
                let body = self.engine.account_body(context, &change.account).await?;
                let reply = context.reply(&self.engine, &body);
                if settled(
                    self.engine.store().write(ChangeAccount { change, requires, reply }).await?,
                )? {
                    self.engine.wake().dispatch();
                    return Ok(Some(ApiResponse::committed(body)));
                }
                Ok(None)
            })
            .await
    }
}

/// The API error of a call that needs the bank's side of an account without a connection.
fn not_linked(id: &str) -> Error {
    ApiError::no_such("Financial Connections account", id, "account").into()
}

/// The API error of a call that needs the bank's side of a disconnected account.
fn disconnected() -> Error {
    let message = "The account was disconnected, so its bank account can no longer be read or \
                   changed. Link it again.";
    let code = "financial_connections_account_inactive";
    ApiError::invalid(message).code(code).param("account").into()
}

/// The API error of a control call that the bank rejected.
fn control_error(error: ControlError) -> Error {
    let message = format!("The test bank refuses: {error}.");
    let api_error = match error {
        ControlError::UnknownTransaction => {
            ApiError::invalid(message).code("resource_missing").status(404).param("transaction")
        }
        ControlError::TimeOutOfRange { .. } => ApiError::invalid(message).param("transacted_at"),
        ControlError::WrongStatus { .. } => ApiError::invalid(message).param("status"),
        ControlError::TooManyOwners => ApiError::invalid(message).param("owners"),
        ControlError::NotATestAccount
        | ControlError::NothingToChange
        | ControlError::TooManyChanges
        | ControlError::StateTooLarge
        | ControlError::TooManyScripts => ApiError::invalid(message),
    };
    api_error.into()
}

fn book_entry(entry: &LedgerEntry) -> BookEntry<'_> {
    BookEntry {
        bank_id: &entry.transaction.bank_id,
        amount: entry.transaction.amount,
        currency: entry.transaction.currency,
        description: &entry.transaction.description,
        status: entry.status(),
        transacted_at: entry.transaction.transacted_at,
        posted_at: entry.transaction.posted_at,
        void_at: entry.void_at,
        visible_from: entry.visible_from,
    }
}

fn entry_body(entry: &LedgerEntry) -> Vec<u8> {
    render(|w| crate::render::bank::write_entry(w, &book_entry(entry)))
}

fn scripts_body(account: model::id::AccountId, scripts: &[Script]) -> Vec<u8> {
    let shown = scripts.iter().map(|script| ScriptedRefresh {
        feature: script.feature,
        cause: script.cause,
        delay_s: script.delay_s,
        times: script.times,
    });
    render(|w| crate::render::bank::write_scripts(w, account, shown))
}

fn institution_body(institution: &Institution, up: bool) -> Vec<u8> {
    let accounts: Vec<TestAccount<'_>> = institution
        .accounts
        .iter()
        .map(|account| TestAccount {
            name: &account.name,
            category: account.category,
            subcategory: account.subcategory,
            last4: account.last4.as_deref(),
            preselected: account.preselected,
            description: &account.description,
        })
        .collect();
    let payment_method = institution.accounts.iter().any(|account| {
        account.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount)
    });
    let shown = Shown {
        id: institution.id,
        name: &institution.name,
        status: if up { InstitutionStatus::Active } else { InstitutionStatus::Inactive },
        oauth: institution.oauth,
        features: &institution.features,
        payment_method,
        description: &institution.description,
        accounts: &accounts,
    };
    render(|w| wire::render::connections::institution::write(w, &shown))
}
