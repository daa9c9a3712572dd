//! The external accounts that connected accounts are paid out to. They are part of the account's
//! own row, so the default of a currency changes in one place.

use crate::connect::access::Connected;
use crate::connect::connected_account::is_own_account;
use crate::events::next_position;
use crate::payments::empty_list::Owner;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::connected_account::{ConnectedAccount, ExternalAccount};
use model::event::{Event, EventType, Happened, Snapshot};
use model::id::{BankAccountId, PaymentMethodId};
use model::limits::EXTERNAL_ACCOUNTS_MAX;
use model::payments::payment_method::{PaymentMethod, fingerprint};
use model::token::{
    BankAccountToken, BankAccountType, BankHolderType, BankNumbers, TEST_BANK_NAME,
    TEST_ROUTING_NUMBER,
};
use std::collections::BTreeMap;
use store::Object;
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::{MetadataChange, Setting};
use wire::render::connect::connected_account::{external_account, external_list};

/// The params of an external account.
#[derive(Clone, Debug)]
pub struct ExternalInput {
    /// The source of its bank account.
    pub source: ExternalSource,
    /// True if payouts in its currency go to it.
    pub default_for_currency: Option<bool>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The path of the parameter.
    pub path: &'static str,
}

/// The source of an external account.
#[derive(Clone, Debug)]
pub enum ExternalSource {
    /// The id of a token (`btok_…`) or of a payment method of the account itself (`pm_…`).
    Id(String),
    /// Numbers.
    Numbers(Box<ExternalNumbers>),
}

/// Account numbers from a request.
#[derive(Clone, Debug)]
pub struct ExternalNumbers {
    /// The bank and the account.
    pub numbers: BankNumbers,
    /// The name of its holder.
    pub holder_name: Option<String>,
    /// The type of its holder, if the request names it.
    pub holder_type: Option<BankHolderType>,
    /// The type of the account, if the request names it.
    pub account_type: Option<BankAccountType>,
}

/// The params of an update. A field that is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ExternalUpdate {
    /// The name of its holder.
    pub holder_name: Option<Setting<String>>,
    /// The type of its holder.
    pub holder_type: Option<Setting<BankHolderType>>,
    /// True if payouts in its currency go to it.
    pub account_type: Option<BankAccountType>,
    /// True if payouts in its currency go to it.
    pub default_for_currency: Option<bool>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
}

impl Engine {
    /// Adds an external account.
    pub async fn create_external_account(
        &self,
        context: &Context,
        account: &str,
        input: &ExternalInput,
    ) -> Result<ApiResponse, Error> {
        if is_platform(context, account) {
            let message = "The external accounts of your own account are managed in the dashboard. \
                           Name a connected account instead.";
            return Err(ApiError::invalid(message).param("account").into());
        }
        self.change("create_external_account", async || {
            let before = self.get_connected(context, account).await?;
            let mut account = before.clone();
            let mut changes = Changes::of_call(context, self.clock.account_now());
            let added = self.new_external(context, &account, input, &mut changes).await?;
            let id = added.id;
            account.add_external_account(added);
            let body = |account: &ConnectedAccount| body_of(context, account, id);
            self.commit_connected(context, before, account, changes, body).await
        })
        .await
    }

    /// Shows an external account.
    pub async fn retrieve_external_account(
        &self,
        context: &Context,
        account: &str,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let account = self.get_connected(context, account).await?;
        let id = find_external(&account, id)?;
        self.unchanged(context, body_of(context, &account, id)).await
    }

    /// Changes an external account.
    pub async fn update_external_account(
        &self,
        context: &Context,
        account: &str,
        id: &str,
        update: &ExternalUpdate,
    ) -> Result<ApiResponse, Error> {
        self.change("update_external_account", async || {
            let before = self.get_connected(context, account).await?;
            let id = find_external(&before, id)?;
            let mut account = before.clone();
            let matching =
                account.external_accounts.iter_mut().filter(|external| external.id == id);
            for external in matching {
                apply(external, update)?;
            }
            if update.default_for_currency == Some(true) {
                account.make_default(id);
            }
            let body = |account: &ConnectedAccount| body_of(context, account, id);
            let changes = Changes::none();
            self.commit_connected(context, before, account, changes, body).await
        })
        .await
    }

    /// Deletes an external account that no payouts need.
    pub async fn delete_external_account(
        &self,
        context: &Context,
        account: &str,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("delete_external_account", async || {
            let before = self.get_connected(context, account).await?;
            let id = find_external(&before, id)?;
            check_unneeded(&before, id)?;
            let mut account = before.clone();
            account.external_accounts.retain(|external| external.id != id);
            let body = |_: &ConnectedAccount| {
                let deleted = serde_json::json!({
                    "id": id.to_string(),
                    "object": "bank_account",
                    "deleted": true,
                });
                bytes(context, deleted)
            };
            let changes = Changes::none();
            self.commit_connected(context, before, account, changes, body).await
        })
        .await
    }

    /// Lists external accounts, the newest first. With `cards` the list is empty, because this
    /// server has no cards. The caller's own account has none.
    pub async fn list_external_accounts(
        &self,
        context: &Context,
        account: &str,
        cards: bool,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        if is_platform(context, account) {
            let url = format!("/v1/accounts/{account}/external_accounts");
            return self.list_none(context, Owner::Merchant, "external account", &url, page).await;
        }
        let account = self.get_connected(context, account).await?;
        let mut accounts: Vec<&ExternalAccount> = account.external_accounts.iter().rev().collect();
        if cards {
            accounts.clear();
        }
        let place = |id_text: &str, param: &str| {
            let id: Option<BankAccountId> = id_text.parse().ok();
            let place = id.and_then(|id| accounts.iter().position(|external| external.id == id));
            let missing = ApiError::no_such("external account", id_text, param).status(400);
            place.ok_or(missing)
        };
        let limit = page.limit as usize;
        let (shown, has_more) = match (&page.starting_after, &page.ending_before) {
            (Some(id_text), _) => first(&accounts[place(id_text, "starting_after")? + 1..], limit),
            (None, Some(id_text)) => {
                let before = &accounts[..place(id_text, "ending_before")?];
                let left_out = before.len().saturating_sub(limit);
                (&before[left_out..], left_out > 0)
            }
            (None, None) => first(&accounts, limit),
        };
        let data: Vec<_> = shown.iter().map(|external| external_account(external)).collect();
        self.unchanged(context, bytes(context, external_list(&account.account, &data, has_more)))
            .await
    }

    /// A new external account. A token that it uses up is put among the changes.
    pub(crate) async fn new_external(
        &self,
        context: &Context,
        account: &ConnectedAccount,
        input: &ExternalInput,
        changes: &mut Changes,
    ) -> Result<ExternalAccount, Error> {
        if account.external_accounts.len() >= EXTERNAL_ACCOUNTS_MAX {
            let message =
                format!("An account has at most {EXTERNAL_ACCOUNTS_MAX} external accounts.");
            return Err(ApiError::invalid(message).into());
        }
        let mut added = match &input.source {
            ExternalSource::Numbers(numbers) => {
                self.external_of_numbers(context, account, numbers, input.path)?
            }
            ExternalSource::Id(id) if id.starts_with(PaymentMethodId::PREFIX) => {
                self.external_of_method(context, account, id, input.path).await?
            }
            ExternalSource::Id(id) => {
                self.external_of_token(context, account, id, input.path, changes).await?
            }
        };
        if let Some(change) = &input.metadata {
            change.apply(&mut added.metadata)?;
        }
        added.default_for_currency = input.default_for_currency == Some(true);
        Ok(added)
    }

    fn external_of_numbers(
        &self,
        context: &Context,
        account: &ConnectedAccount,
        value: &ExternalNumbers,
        path: &str,
    ) -> Result<ExternalAccount, Error> {
        let numbers = &value.numbers;
        check_numbers(numbers, context.livemode, path)?;
        let known = numbers.routing_number == TEST_ROUTING_NUMBER;
        let fingerprint =
            fingerprint(account.merchant, &numbers.routing_number, &numbers.account_number);
        Ok(ExternalAccount {
            holder_name: value.holder_name.clone(),
            holder_type: value.holder_type,
            account_type: value.account_type,
            bank_name: known.then(|| TEST_BANK_NAME.to_owned()),
            routing_number: numbers.routing_number.clone(),
            last4: numbers.last4(),
            ..self.blank_external(account, fingerprint)
        })
    }

    /// An external account of a token. The token belongs to the caller or to the account.
    async fn external_of_token(
        &self,
        context: &Context,
        account: &ConnectedAccount,
        id: &str,
        path: &str,
        changes: &mut Changes,
    ) -> Result<ExternalAccount, Error> {
        let inside = inside(context, account);
        let of_account = self.find_id::<BankAccountToken>(&inside, id).await?;
        let owner = if of_account.is_some() { &inside } else { context };
        let token = self.use_token(owner, id, path).await?;
        let external = ExternalAccount {
            id: token.bank_account,
            holder_name: token.holder_name.clone(),
            holder_type: Some(token.holder_type),
            account_type: Some(token.account_type),
            bank_name: token.bank_name.clone(),
            routing_number: token.routing_number.clone(),
            last4: token.last4.clone(),
            ..self.blank_external(
                account,
                fingerprint(account.merchant, &token.routing_number, &token.account_number),
            )
        };
        changes.put(Object::Token(token));
        Ok(external)
    }

    /// An external account of a payment method that a Setup Intent attached to the account itself.
    async fn external_of_method(
        &self,
        context: &Context,
        account: &ConnectedAccount,
        id: &str,
        path: &str,
    ) -> Result<ExternalAccount, Error> {
        let method = self.get::<PaymentMethod>(&inside(context, account), id, path).await?;
        if !method.of_self {
            let message = "Only a payment method that a Setup Intent with attach_to_self=true \
                           attached to the account can be paid out to.";
            return Err(ApiError::invalid(message).param(path.to_owned()).into());
        }
        Ok(ExternalAccount {
            holder_name: method.billing_details.text(&["name"]).map(str::to_owned),
            holder_type: Some(method.holder_type),
            account_type: Some(method.account_type),
            bank_name: method.bank_name.clone(),
            routing_number: method.routing_number.clone(),
            last4: method.last4.clone().unwrap_or_default(),
            ..self.blank_external(account, method.fingerprint)
        })
    }

    fn blank_external(&self, account: &ConnectedAccount, fingerprint: String) -> ExternalAccount {
        ExternalAccount {
            id: BankAccountId::from_number(self.next_number()),
            account: account.account.clone(),
            country: "US".to_owned(),
            currency: "usd".to_owned(),
            default_for_currency: false,
            holder_name: None,
            holder_type: None,
            account_type: None,
            bank_name: None,
            routing_number: String::new(),
            last4: String::new(),
            fingerprint,
            metadata: BTreeMap::new(),
        }
    }

    /// Emits the changes of the external accounts of an account.
    pub(crate) fn emit_external(
        &self,
        context: &Context,
        before: Option<&ConnectedAccount>,
        account: &ConnectedAccount,
        changes: &mut Changes,
    ) {
        let stored = before.map_or(&[][..], |before| &before.external_accounts);
        let now = &account.external_accounts;
        let find = |among: &[ExternalAccount], id: BankAccountId| {
            among.iter().find(|one| one.id == id).cloned()
        };
        let mut events = Vec::new();
        for gone in stored.iter().filter(|one| find(now, one.id).is_none()) {
            events.push((EventType::ConnectedExternalAccountDeleted, gone.clone(), None));
        }
        for one in now {
            match find(stored, one.id) {
                None => {
                    events.push((EventType::ConnectedExternalAccountCreated, one.clone(), None));
                }
                Some(was) if was != *one => {
                    let updated = EventType::ConnectedExternalAccountUpdated;
                    events.push((updated, one.clone(), Some(was)));
                }
                Some(_) => {}
            }
        }
        let cause = context.cause();
        for (event_type, external, was) in events {
            let position = next_position(&changes.events);
            let snapshot = |external| Snapshot::ExternalAccount(Box::new(external));
            let happened = Happened {
                at: self.clock.account_now(),
                livemode: account.livemode,
                cause: cause.as_ref(),
            };
            let mut event = Event::of_connected_account(
                account,
                snapshot(external),
                event_type,
                position,
                happened,
            );
            event.previous = was.map(snapshot);
            changes.events.push(event);
        }
    }
}

/// The context of a call that acts in the account.
fn inside(context: &Context, account: &ConnectedAccount) -> Context {
    let connected = Connected::of(account);
    Context {
        merchant: connected.merchant,
        connected: Some(Box::new(connected)),
        ..context.without_reply()
    }
}

/// The first `limit` of these accounts, and true if there are more.
/// True if an id is that of the caller's own account, which is not a connected one.
fn is_platform(context: &Context, id: &str) -> bool {
    context.connected.is_none() && is_own_account(context, id)
}

fn first<T>(items: &[T], limit: usize) -> (&[T], bool) {
    (&items[..items.len().min(limit)], items.len() > limit)
}

fn body_of(context: &Context, account: &ConnectedAccount, id: BankAccountId) -> Vec<u8> {
    let external = account.external_accounts.iter().find(|external| external.id == id);
    let Some(external) = external else { unreachable!("the account was just seen to hold it") };
    bytes(context, external_account(external))
}

fn find_external(account: &ConnectedAccount, id_text: &str) -> Result<BankAccountId, Error> {
    let id: Option<BankAccountId> = id_text.parse().ok();
    let found = id.filter(|id| account.external_accounts.iter().any(|external| external.id == *id));
    found.ok_or_else(|| ApiError::no_such("external account", id_text, "id").into())
}

fn apply(external: &mut ExternalAccount, update: &ExternalUpdate) -> Result<(), Error> {
    match &update.holder_name {
        Some(Setting::Set(name)) => external.holder_name = Some(name.clone()),
        Some(Setting::Unset) => external.holder_name = None,
        None => {}
    }
    match &update.holder_type {
        Some(Setting::Set(holder_type)) => external.holder_type = Some(*holder_type),
        Some(Setting::Unset) => external.holder_type = None,
        None => {}
    }
    external.account_type = update.account_type.or(external.account_type);
    if let Some(change) = &update.metadata {
        change.apply(&mut external.metadata)?;
    }
    Ok(())
}

/// Rejects the removal of the account that payouts in a currency go to.
fn check_unneeded(account: &ConnectedAccount, id: BankAccountId) -> Result<(), Error> {
    let Some(external) = account.external_accounts.iter().find(|external| external.id == id) else {
        return Ok(());
    };
    let default_currency = account.given.text(&["default_currency"]).unwrap_or("usd");
    let others = account
        .external_accounts
        .iter()
        .any(|other| other.id != external.id && other.currency == external.currency);
    if external.default_for_currency && (others || external.currency == default_currency) {
        let message = format!(
            "Payouts in {} go to this external account. Make another one the default with \
             default_for_currency=true first.",
            external.currency
        );
        return Err(ApiError::invalid(message).param("id").into());
    }
    Ok(())
}

/// Rejects malformed numbers, and numbers of the other mode.
pub(crate) fn check_numbers(
    numbers: &BankNumbers,
    livemode: bool,
    path: &str,
) -> Result<(), ApiError> {
    if !numbers.routing_number_fits() {
        let message = "The routing number must have nine digits, the last of which checks the \
                       others.";
        let api_error = ApiError::invalid(message).code("routing_number_invalid");
        return Err(api_error.param(format!("{path}[routing_number]")));
    }
    let reject = |message: &str| {
        let api_error = ApiError::invalid(message.to_owned()).code("account_number_invalid");
        Err(api_error.param(format!("{path}[account_number]")))
    };
    if !numbers.account_number_fits() {
        return reject("The account number must have 4 to 17 digits.");
    }
    match (livemode, numbers.are_for_tests()) {
        (false, false) => reject(
            "In test mode only test numbers will do, such as 000123456789 with the routing number \
             110000000.",
        ),
        (true, true) => reject("These are test numbers; in live mode they lead nowhere."),
        _ => Ok(()),
    }
}
