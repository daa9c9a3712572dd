//! Bank accounts: read, refresh, subscribe, unsubscribe, disconnect.
//!
//! A requested refresh becomes a job for the refresh worker. If no refresh can start, the call
//! returns the unchanged account with status 200.

use crate::connections::change::{push_event, record_interrupted_by};
use crate::connections::watch::bank_account;
use crate::context::{render, settled};
use crate::list::list_body;
use crate::observer::CallFact;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::account::{Account, AccountStatus, Holder, Permission, permissions_for};
use model::bank::Feature;
use model::clock::AccountTime;
use model::customer::Customer;
use model::event::EventType;
use model::id::AccountId;
use model::refresh::{RefreshJob, RefreshKey, RefreshStatus, RunAt};
use model::session::Session;
use std::collections::BTreeSet;
use store::{
    AccountChange, AccountsOf, ChangeAccount, ChangeConnection, Cursor, FindAccount, ListAccounts,
    ObjectKey, ObjectPlace, Page, Precondition,
};
use wire::error::Error as ApiError;
use wire::list::PageParams;

/// The filter of a list of accounts. At most one of customer, account and session is set.
#[derive(Clone, Debug)]
pub struct AccountFilter {
    /// Those of a customer.
    pub customer: Option<String>,
    /// Those of a connected account.
    pub account: Option<String>,
    /// Those that a session linked.
    pub session: Option<String>,
    /// The page of the list.
    pub page: PageParams,
}

/// The notice of a call that came too early to start a refresh of these features.
fn too_early(account: &Account, features: &[Feature]) -> &'static str {
    if features.iter().any(|feature| account.is_pending(*feature)) {
        "No refresh was started, because the previous refresh is still pending."
    } else {
        "No refresh was started, because next_refresh_available_at is in the future."
    }
}

/// The API error of a call that needs an active account.
pub(crate) fn inactive() -> Error {
    ApiError::invalid("Data cannot be refreshed on inactive accounts.")
        .code("financial_connections_account_inactive")
        .into()
}

/// Rejects a feature that the holder did not permit.
pub(crate) fn permitted(
    permissions: &BTreeSet<Permission>,
    feature: Feature,
    param: &str,
) -> Result<(), Error> {
    let mut needed = permissions_for(feature).iter();
    let Some(missing) = needed.find(|one| !permissions.contains(one)) else { return Ok(()) };
    let message = format!(
        "The holder of this account did not grant the permission {}; link it again with a session \
         that asks for it.",
        missing.word()
    );
    Err(ApiError::invalid(message).param(param).into())
}

impl Engine {
    /// Shows an account.
    pub async fn retrieve_account(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let account = self.get_account(context, id, "account").await?;
        let body = self.account_body(context, &account).await?;
        let pending = std::array::from_fn(|place| {
            let refresh = account.refresh(Feature::ALL[place]);
            refresh.filter(|refresh| refresh.is_pending()).map(|refresh| refresh.sequence)
        });
        self.emit_call(context, Some(account.id), CallFact::AccountShown { pending });
        Ok(ApiResponse::unchanged(body))
    }

    /// Lists accounts.
    pub async fn list_accounts(
        &self,
        context: &Context,
        filter: &AccountFilter,
    ) -> Result<ApiResponse, Error> {
        let of = self.accounts_filter(context, filter).await?;
        let (id, param) = match (&filter.page.starting_after, &filter.page.ending_before) {
            (Some(id), _) => (Some(id), "starting_after"),
            (None, id) => (id.as_ref(), "ending_before"),
        };
        let cursor = match id {
            None => Cursor::Newest,
            Some(id) => {
                let what = "Financial Connections account";
                let missing = || Error::from(ApiError::no_such(what, id, param).status(400));
                let account = id.parse().map_err(|_| missing())?;
                let find = FindAccount { merchant: context.merchant, account };
                let account = self.store.read(find).await?.ok_or_else(missing)?;
                let place = ObjectPlace { created: account.created, number: account.id.number() };
                if param == "starting_after" { Cursor::After(place) } else { Cursor::Before(place) }
            }
        };
        let page = Page { limit: filter.page.limit, cursor };
        let listed = self.store.read(ListAccounts { merchant: context.merchant, of, page }).await?;
        let bodies: Vec<Vec<u8>> =
            listed.items.iter().map(|account| self.account_bytes(context, account)).collect();
        let url = "/v1/financial_connections/accounts";
        let shown = listed.items.iter().map(|account| account.id).collect();
        let response = self.unchanged(context, list_body(url, listed.has_more, &bodies)).await?;
        self.emit_call(context, None, CallFact::AccountsListed(shown));
        Ok(response)
    }

    async fn accounts_filter(
        &self,
        context: &Context,
        filter: &AccountFilter,
    ) -> Result<AccountsOf, Error> {
        if let Some(id) = &filter.customer {
            let customer =
                self.get_with_deleted::<Customer>(context, id, "account_holder[customer]").await?;
            return Ok(AccountsOf::Holder(Holder::Customer(customer.id)));
        }
        if let Some(id) = &filter.account {
            return Ok(AccountsOf::Holder(Holder::Account(id.clone())));
        }
        if let Some(id) = &filter.session {
            let session = self.get::<Session>(context, id, "session").await?;
            return Ok(AccountsOf::Ids(session.accounts));
        }
        Ok(AccountsOf::Merchant)
    }

    /// Starts a refresh of each feature that can be started.
    pub async fn refresh_account(
        &self,
        context: &Context,
        id: &str,
        features: &[Feature],
    ) -> Result<ApiResponse, Error> {
        let needed = features.iter().flat_map(|feature| permissions_for(*feature)).copied();
        self.check_registered(context, needed).await?;
        self.change("refresh_account", async || {
            let mut account = self.get_active_account(context, id).await?;
            let changes = self.changes_on(context, account.clock).await?;
            let now = changes.now;
            for (index, feature) in features.iter().enumerate() {
                permitted(&account.permissions, *feature, &format!("features[{index}]"))?;
            }
            let mut started = Vec::new();
            for feature in features {
                if account.refresh_available(*feature, now) {
                    started.push(self.start(&mut account, *feature, now));
                }
            }
            if started.is_empty() {
                let body = self.account_body(context, &account).await?;
                self.emit_call(context, Some(account.id), not_started(&account, features));
                return Ok(Some(ApiResponse {
                    notice: Some(too_early(&account, features)),
                    ..ApiResponse::unchanged(body)
                }));
            }
            self.commit_account(context, account, started, changes).await
        })
        .await
    }

    /// Subscribes to daily refreshes of features. A new subscription starts a refresh unless one is
    /// pending, or in test mode a prefetch serves it. An existing one starts a refresh only after the
    /// cool-down.
    pub async fn subscribe_account(
        &self,
        context: &Context,
        id: &str,
        features: &[Feature],
    ) -> Result<ApiResponse, Error> {
        let needed = features.iter().flat_map(|feature| permissions_for(*feature)).copied();
        self.check_registered(context, needed).await?;
        self.change("subscribe_account", async || {
            let mut account = self.get_active_account(context, id).await?;
            let changes = self.changes_on(context, account.clock).await?;
            let now = changes.now;
            for (index, feature) in features.iter().enumerate() {
                permitted(&account.permissions, *feature, &format!("features[{index}]"))?;
            }
            let subscribed = account.subscriptions();
            let starts = |feature: &Feature| {
                if subscribed.contains(feature) {
                    account.refresh_available(*feature, now)
                } else {
                    account.subscription_refreshes(*feature, now)
                }
            };
            let starting: Vec<Feature> = features.iter().copied().filter(starts).collect();
            let is_known = features.iter().all(|feature| subscribed.contains(feature));
            if is_known && starting.is_empty() {
                let body = self.account_body(context, &account).await?;
                self.emit_call(context, Some(account.id), CallFact::AccountActedOn);
                return Ok(Some(ApiResponse {
                    notice: Some(too_early(&account, features)),
                    ..ApiResponse::unchanged(body)
                }));
            }
            for feature in features {
                account.subscribe(*feature, now);
            }
            let mut started = Vec::new();
            for feature in starting {
                started.push(self.start(&mut account, feature, now));
            }
            self.commit_account(context, account, started, changes).await
        })
        .await
    }

    /// Ends the daily refreshes of features. A pending refresh finishes.
    pub async fn unsubscribe_account(
        &self,
        context: &Context,
        id: &str,
        features: &[Feature],
    ) -> Result<ApiResponse, Error> {
        self.change("unsubscribe_account", async || {
            let mut account = self.get_account(context, id, "account").await?;
            let changes = self.changes_on(context, account.clock).await?;
            let subscribed = account.subscriptions();
            if !features.iter().any(|feature| subscribed.contains(feature)) {
                let body = self.account_body(context, &account).await?;
                self.emit_call(context, Some(account.id), CallFact::AccountActedOn);
                return Ok(Some(ApiResponse::unchanged(body)));
            }
            for feature in features {
                account.unsubscribe(*feature);
            }
            self.commit_account(context, account, Vec::new(), changes).await
        })
        .await
    }

    /// Ends the access to an account permanently.
    pub async fn disconnect_account(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("disconnect_account", async || {
            let account = self.get_account(context, id, "account").await?;
            let mut changes = self.changes_on(context, account.clock).await?;
            let Some(change) = disconnected(context, account.clone(), changes.now) else {
                self.end_access(&account).await?;
                return Ok(Some(ApiResponse::unchanged(
                    self.account_body(context, &account).await?,
                )));
            };
            let body = self.account_body(context, &change.account).await?;
            let reply = context.reply(self, &body);
            let account = change.account.clone();
            let requires = changes.take_requires();
            if !settled(self.store.write(ChangeAccount { change, requires, reply }).await?)? {
                return Ok(None);
            }
            self.wake.dispatch();
            self.end_access(&account).await?;
            self.emit_call(context, Some(account.id), CallFact::AccountActedOn);
            Ok(Some(ApiResponse::committed(body)))
        })
        .await
    }

    /// Ends the access at the bank of a disconnected account, and then erases the credential, the
    /// state and the cursors. After a crash in between they stay until the disconnection or the
    /// deletion of the holder is repeated. The server fetches no more data in any case.
    async fn end_access(&self, account: &Account) -> Result<(), Error> {
        let Account { merchant, id, .. } = *account;
        self.change("end_access", async || {
            // A restore may have connected the account again.
            let found = self.store.read(FindAccount { merchant, account: id }).await?;
            let is_disconnected = |account: &Account| account.status == AccountStatus::Disconnected;
            let Some(account) = found.filter(is_disconnected) else { return Ok(Some(())) };
            let connection = self.connection_of(&account).await?;
            let Some(connection) = connection.filter(|connection| !connection.is_erased()) else {
                return Ok(Some(()));
            };
            self.connector.revoke(&bank_account(&account, &connection));
            let version = account.version;
            let requires = vec![Precondition::AccountVersion { merchant, account: id, version }];
            let erase = ChangeConnection::of(connection.erased());
            let change = ChangeConnection { requires, ..erase };
            Ok(settled(self.store.write(change).await?)?.then_some(()))
        })
        .await
    }

    /// Disconnects an account together with its holder or its clock, while the deletion of this parent
    /// is in progress.
    pub(crate) async fn disconnect_one(
        &self,
        context: &Context,
        id: AccountId,
        parent: ObjectKey,
    ) -> Result<(), Error> {
        self.change("disconnect_one", async || {
            let Some(in_progress) = self.deletion_in_progress(parent).await? else {
                return Ok(Some(()));
            };
            let find = FindAccount { merchant: context.merchant, account: id };
            let Some(account) = self.store.read(find).await? else {
                return Ok(Some(()));
            };
            let now = self.moment(context.merchant, account.clock).await?.now;
            let Some(change) = disconnected(context, account.clone(), now) else {
                return self.end_access(&account).await.map(Some);
            };
            let account = change.account.clone();
            let requires = vec![in_progress];
            let disconnect = ChangeAccount { requires, ..ChangeAccount::of(change) };
            if !settled(self.store.write(disconnect).await?)? {
                return Ok(None);
            }
            self.wake.dispatch();
            self.end_access(&account).await.map(Some)
        })
        .await
    }

    /// Starts a refresh of a feature at this time, as a job that may run immediately.
    pub(crate) fn start(
        &self,
        account: &mut Account,
        feature: Feature,
        now: AccountTime,
    ) -> RefreshJob {
        let sequence = account.start_refresh(feature, now);
        self.job(account, feature, sequence, now)
    }

    /// The job of a refresh that was started at this time. It may run once the delay of test mode is
    /// over.
    pub(crate) fn job(
        &self,
        account: &Account,
        feature: Feature,
        sequence: u32,
        now: AccountTime,
    ) -> RefreshJob {
        let server_now = self.clock.server_now();
        let is_delayed = !account.livemode && account.clock.is_none();
        let delay_ms = if is_delayed { self.settings.refresh_delay_ms } else { 0 };
        RefreshJob {
            key: RefreshKey { account: account.id, feature, sequence },
            merchant: account.merchant,
            clock: account.clock,
            status: RefreshStatus::Pending,
            started_at: now,
            started_server: server_now,
            run_at: RunAt::Server(server_now.plus_ms(delay_ms)),
            claim: 0,
            leased_until: None,
            attempts: 0,
        }
    }

    /// Commits a changed account with its response. Returns `None` after a version conflict.
    async fn commit_account(
        &self,
        context: &Context,
        mut account: Account,
        started: Vec<RefreshJob>,
        mut changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        account.version += 1;
        let body = self.account_body(context, &account).await?;
        let reply = context.reply(self, &body);
        let fact = match started.as_slice() {
            [] => CallFact::AccountActedOn,
            [first, ..] => CallFact::RefreshesStarted {
                started: started.iter().map(|job| (job.key.feature, job.key.sequence)).collect(),
                at: first.started_at,
            },
        };
        let change = AccountChange { started, ..AccountChange::of(account) };
        let id = change.account.id;
        let write = ChangeAccount { change, requires: changes.take_requires(), reply };
        let committed = settled(self.store.write(write).await?)?;
        self.wake.refresh();
        if committed {
            self.emit_call(context, Some(id), fact);
        }
        Ok(committed.then(|| ApiResponse::committed(body)))
    }

    /// An account by the text of its id.
    pub async fn get_account(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<Account, Error> {
        let missing = || no_such_account(id, param);
        let account: AccountId = id.parse().map_err(|_| missing())?;
        let find = FindAccount { merchant: context.merchant, account };
        self.store.read(find).await?.ok_or_else(missing)
    }

    async fn get_active_account(&self, context: &Context, id: &str) -> Result<Account, Error> {
        let account = self.get_account(context, id, "account").await?;
        if account.is_active() {
            return Ok(account);
        }
        self.emit_call(context, Some(account.id), CallFact::AccountNotUsable);
        Err(inactive())
    }

    /// Rejects a read of data of an account that is not active.
    pub(crate) fn check_readable(
        &self,
        context: &Context,
        account: AccountId,
        status: AccountStatus,
    ) -> Result<(), Error> {
        readable(status).inspect_err(|_| {
            self.emit_call(context, Some(account), CallFact::AccountNotUsable);
        })
    }

    /// An account as this call's response shows it, with the requested expansions.
    pub async fn account_body(
        &self,
        context: &Context,
        account: &Account,
    ) -> Result<Vec<u8>, Error> {
        let body = self.account_bytes(context, account);
        if context.expand.is_empty() {
            return Ok(body);
        }
        self.expanded(context, &Changes::none(), body).await
    }

    fn account_bytes(&self, context: &Context, account: &Account) -> Vec<u8> {
        let view = context.view(self);
        render(|w| wire::render::connections::account::write(w, account, &view))
    }
}

/// The change that disconnects an account, or `None` if it is disconnected already.
fn disconnected(
    context: &Context,
    mut account: Account,
    now: AccountTime,
) -> Option<AccountChange> {
    let interrupted = account.disconnect()?;
    account.version += 1;
    let mut change = AccountChange::of(account);
    record_interrupted_by(&mut change, &interrupted, now, context.cause().as_ref());
    push_event(&mut change, EventType::AccountDisconnected, now, context);
    Some(change)
}

/// The fact of a request that started no refresh. A pending refresh ends with an event, and a feature
/// in its cool-down gets none.
fn not_started(account: &Account, features: &[Feature]) -> CallFact {
    let cooling = features.iter().copied().filter(|feature| !account.is_pending(*feature));
    let features: Vec<Feature> = cooling.collect();
    if features.is_empty() {
        CallFact::AccountActedOn
    } else {
        CallFact::RefreshNotStarted { features }
    }
}

/// The API error for an account that does not exist.
pub(crate) fn no_such_account(id: &str, param: &str) -> Error {
    ApiError::no_such("Financial Connections account", id, param).into()
}

fn readable(status: AccountStatus) -> Result<(), Error> {
    if status == AccountStatus::Disconnected {
        let message = "The account was disconnected, so its data can no longer be read.";
        let code = "financial_connections_account_inactive";
        return Err(ApiError::invalid(message).code(code).param("account").into());
    }
    Ok(())
}
