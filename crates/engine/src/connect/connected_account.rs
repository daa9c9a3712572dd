//! Connected accounts: made and changed by their platform, and acted in by calls that name one.
//!
//! A call that names an account acts as another merchant ([`Engine::act_in`]). Every other use case
//! sees that merchant only, so platform and account cannot reach each other's rows. The tie of a
//! merchant to its platform is a row of its own, for the dispatcher.
//!
//! Deleting an account disconnects its bank accounts first, one commit each. A crash between two
//! commits leaves an account that can be deleted again.

use crate::connect::access::Connected;
use crate::connect::external_account::ExternalInput;
use crate::events::next_position;
use crate::payments::{Changes, bytes};
use crate::settings::Brand;
use crate::{ApiResponse, Context, Engine, Error};
use model::color::Color;
use model::connected_account::{ConnectedAccount, PlatformTie};
use model::event::{Event, EventType, Happened, Snapshot};
use model::extra_params::ExtraParams;
use model::id::{MerchantId, RequestId};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Bounds, ChangeObjects, Changed, Object};
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::connect::connected_account::{platform_value, value};

/// The params of a create or an update.
#[derive(Clone, Debug, Default)]
pub struct ConnectedAccountInput {
    /// The capabilities that are requested, by name.
    pub capabilities: BTreeMap<String, bool>,
    /// The bank account that it is paid out to.
    pub external: Option<ExternalInput>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The other params, to be echoed.
    pub given: ExtraParams,
}

/// The filter of a list of accounts.
#[derive(Clone, Debug)]
pub struct ConnectedAccountFilter {
    /// Those created within these bounds.
    pub created: Bounds,
    /// The page of the list.
    pub page: PageParams,
}

impl Connected {
    /// The access of a call that acts in an account.
    pub(crate) fn of(account: &ConnectedAccount) -> Self {
        let name = account.given.text(&["business_profile", "name"]);
        Self {
            platform: account.merchant,
            account: account.account.clone(),
            merchant: account.acts_as(),
            name: name.map(str::to_owned),
            brand: brand_of(&account.given),
        }
    }
}

/// The brand that an account has set. Buttons have its secondary colour, which is the accent of its
/// brand, and otherwise its primary colour.
fn brand_of(given: &ExtraParams) -> Brand {
    let color = |name| Color::parse(given.text(&["settings", "branding", name])?);
    let part = |name| given.text(&["business_profile", "support_address", name]).unwrap_or("");
    let place = [part("city"), part("state"), part("postal_code")].join(" ");
    let place = place.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = [part("line1"), part("line2"), &place, part("country")];
    Brand {
        color: color("secondary_color").or_else(|| color("primary_color")),
        // An account's logo is a file of Stripe's, which this server does not have.
        logo: false,
        address: lines.into_iter().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
    }
}

/// True if an id is that of the account that the call acts in.
pub(crate) fn is_own_account(context: &Context, id: &str) -> bool {
    match &context.connected {
        Some(connected) => connected.account == id,
        None => context.merchant.text().as_str() == id,
    }
}

impl Engine {
    /// The account that a call of this platform acts in, or `None` when it names the platform
    /// itself. In test mode the first call that writes creates an unknown account.
    pub async fn act_in(
        &self,
        platform: MerchantId,
        livemode: bool,
        id: &str,
        writes: bool,
    ) -> Result<Option<Connected>, Error> {
        if !ConnectedAccount::is_id(id) {
            return Err(ApiError::malformed_account(id).into());
        }
        if id == platform.text().as_str() {
            return Ok(None);
        }
        let found = if writes {
            Some(self.open_connected(platform, livemode, id).await?)
        } else {
            self.find_connected(platform, id).await?
        };
        let closed = found.as_ref().map_or(livemode, |account| account.deleted);
        if closed {
            return Err(ApiError::account_invalid(id).into());
        }
        let now = self.clock.account_now();
        let unknown = || ConnectedAccount::of(platform, id, livemode, now);
        Ok(Some(Connected::of(&found.unwrap_or_else(unknown))))
    }

    /// Rejects a call in a connected account that was deleted since the call began.
    pub async fn check_not_deleted(&self, connected: &Connected) -> Result<(), Error> {
        let found = self.find_connected(connected.platform, &connected.account).await?;
        if found.is_some_and(|account| account.deleted) {
            return Err(ApiError::account_invalid(&connected.account).into());
        }
        Ok(())
    }

    /// The context of a call from a page of a merchant, or `None` if the merchant is a deleted
    /// connected account.
    pub(crate) async fn page_context(
        &self,
        merchant: MerchantId,
        livemode: bool,
        request: RequestId,
    ) -> Result<Option<Context>, Error> {
        let context = Context::of_page(merchant, livemode, request);
        let Some(tie) = self.platform_of(merchant).await? else { return Ok(Some(context)) };
        let found = self.find_connected(tie.platform, &tie.account).await?;
        let account = found.filter(|account| !account.deleted);
        Ok(account.map(|account| Context {
            connected: Some(Box::new(Connected::of(&account))),
            ..context
        }))
    }

    /// The name that the merchant's customers know.
    pub(crate) fn merchant_name(&self, context: &Context) -> String {
        let own = context.connected.as_ref().and_then(|connected| connected.name.clone());
        own.unwrap_or_else(|| self.settings.merchant_name.clone())
    }

    /// The rest of the merchant's brand.
    pub(crate) fn merchant_brand(&self, context: &Context) -> Brand {
        let own = context.connected.as_ref().map(|connected| &connected.brand);
        own.unwrap_or(&self.settings.brand).clone()
    }

    /// Makes a connected account.
    pub async fn create_connected_account(
        &self,
        context: &Context,
        input: &ConnectedAccountInput,
    ) -> Result<ApiResponse, Error> {
        if context.connected.is_some() {
            let message = "A connected account has no connected accounts of its own; leave the \
                           Stripe-Account header out.";
            return Err(ApiError::invalid(message).into());
        }
        self.change("create_connected_account", async || {
            let now = self.clock.account_now();
            let id = MerchantId::from_number(self.next_number()).to_string();
            let mut account = ConnectedAccount::of(context.merchant, &id, context.livemode, now);
            let mut changes = Changes::of_call(context, now);
            apply(&mut account, input)?;
            if let Some(external) = &input.external {
                let added = self.new_external(context, &account, external, &mut changes).await?;
                account.add_external_account(added);
            }
            self.emit_external(context, None, &account, &mut changes);
            changes.put(Object::PlatformTie(account.tie()));
            let body = bytes(context, value(&account));
            changes.put(Object::ConnectedAccount(account));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Shows the account that a call acts in: a connected one, or the platform itself.
    pub async fn retrieve_own_account(&self, context: &Context) -> Result<ApiResponse, Error> {
        let Some(connected) = &context.connected else {
            return self.unchanged(context, bytes(context, platform_value(context.merchant))).await;
        };
        let found = self.find_connected(connected.platform, &connected.account).await?;
        // No call has written in it yet.
        let account = found.unwrap_or_else(|| {
            let now = self.clock.account_now();
            ConnectedAccount::of(connected.platform, &connected.account, context.livemode, now)
        });
        self.unchanged(context, bytes(context, value(&account))).await
    }

    /// Shows an account of the platform, or the platform itself.
    pub async fn retrieve_connected_account(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        if is_own_account(context, id) {
            return self.retrieve_own_account(context).await;
        }
        let account = self.get_connected(context, id).await?;
        self.unchanged(context, bytes(context, value(&account))).await
    }

    /// Changes an account.
    pub async fn update_connected_account(
        &self,
        context: &Context,
        id: &str,
        input: &ConnectedAccountInput,
    ) -> Result<ApiResponse, Error> {
        self.change("update_connected_account", async || {
            let before = self.get_connected(context, id).await?;
            let mut account = before.clone();
            let mut changes = Changes::of_call(context, self.clock.account_now());
            apply(&mut account, input)?;
            if let Some(external) = &input.external {
                let added = self.new_external(context, &account, external, &mut changes).await?;
                // An account that comes with the connected account itself replaces the default.
                account.external_accounts.retain(|stored| {
                    stored.currency != added.currency || !stored.default_for_currency
                });
                let id = added.id;
                account.add_external_account(added);
                account.make_default(id);
            }
            let body = |account: &ConnectedAccount| bytes(context, value(account));
            self.commit_connected(context, before, account, changes, body).await
        })
        .await
    }

    /// Lists the accounts of the platform.
    pub async fn list_connected_accounts(
        &self,
        context: &Context,
        filter: &ConnectedAccountFilter,
    ) -> Result<ApiResponse, Error> {
        let ConnectedAccountFilter { created, page } = filter;
        let body = |account: &ConnectedAccount| bytes(context, value(account));
        self.list_all::<ConnectedAccount>(context, *created, page, "/v1/accounts", body).await
    }

    /// Commits a changed account with its events. Returns `None` after a version conflict.
    pub(crate) async fn commit_connected(
        &self,
        context: &Context,
        before: ConnectedAccount,
        mut account: ConnectedAccount,
        mut changes: Changes,
        body: impl Fn(&ConnectedAccount) -> Vec<u8>,
    ) -> Result<Option<ApiResponse>, Error> {
        if account == before {
            return self.unchanged(context, body(&account)).await.map(Some);
        }
        account.version += 1;
        self.emit_external(context, Some(&before), &account, &mut changes);
        let position = next_position(&changes.events);
        let snapshot = Snapshot::ConnectedAccount(Box::new(account.clone()));
        let cause = context.cause();
        let happened = Happened {
            at: self.clock.account_now(),
            livemode: account.livemode,
            cause: cause.as_ref(),
        };
        let updated = EventType::ConnectedAccountUpdated;
        let mut event =
            Event::of_connected_account(&account, snapshot, updated, position, happened);
        event.previous = Some(Snapshot::ConnectedAccount(Box::new(before)));
        changes.events.push(event);
        let body = body(&account);
        changes.put(Object::ConnectedAccount(account));
        self.commit_any(context, changes, body).await
    }

    /// An account that the caller may see: one of the platform, or the one that the call acts in.
    pub(crate) async fn get_connected(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ConnectedAccount, Error> {
        let account = self.get_connected_with_deleted(context, id).await?;
        if account.deleted { Err(ApiError::account_invalid(id).into()) } else { Ok(account) }
    }

    /// The same. Deleted accounts are found.
    pub(crate) async fn get_connected_with_deleted(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ConnectedAccount, Error> {
        let platform = match &context.connected {
            Some(connected) if connected.account == id => connected.platform,
            Some(_) => return Err(ApiError::account_invalid(id).into()),
            None => context.merchant,
        };
        let found = self.find_connected(platform, id).await?;
        found.ok_or_else(|| ApiError::account_invalid(id).into())
    }

    /// An account of a platform. Deleted accounts are found.
    pub(crate) async fn find_connected(
        &self,
        platform: MerchantId,
        account: &str,
    ) -> Result<Option<ConnectedAccount>, Error> {
        let number = ConnectedAccount::number_of(account);
        let found = self.find::<ConnectedAccount>(platform, number).await?;
        Ok(found.filter(|found| found.account == account))
    }

    /// Returns an account, and creates it in test mode. Otherwise it is an API error.
    async fn open_connected(
        &self,
        platform: MerchantId,
        livemode: bool,
        id: &str,
    ) -> Result<ConnectedAccount, Error> {
        self.change("open_connected", async || {
            match self.find_connected(platform, id).await? {
                Some(account) if !account.deleted => return Ok(Some(account)),
                None if !livemode => {}
                _ => return Err(ApiError::account_invalid(id).into()),
            }
            let now = self.clock.account_now();
            let account = ConnectedAccount::of(platform, id, livemode, now);
            let tie = Object::PlatformTie(account.tie());
            let objects = vec![tie, Object::ConnectedAccount(account.clone())];
            let change = ChangeObjects::of(objects);
            match self.store.write(change).await? {
                Changed::Done => Ok(Some(account)),
                // Another call made it in the same instant.
                Changed::VersionConflict | Changed::KeyTaken => Ok(None),
                Changed::MerchantsFull => Err(Error::PlacesTaken),
            }
        })
        .await
    }

    /// Checks that an account may hold bank accounts: the caller's own, or one of the platform. In
    /// test mode it creates the account.
    pub(crate) async fn open_holder(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<(), Error> {
        let missing = || Error::from(ApiError::no_such("account", id, param).status(400));
        match &context.connected {
            Some(connected) if connected.account == id => return Ok(()),
            None if context.merchant.text().as_str() == id => return Ok(()),
            None if ConnectedAccount::is_id(id) => {}
            _ => return Err(missing()),
        }
        match self.open_connected(context.merchant, context.livemode, id).await {
            Err(Error::Rejected(api_error)) if api_error.status == 403 => Err(missing()),
            opened => opened.map(drop),
        }
    }

    /// True if the holder of bank accounts is a connected account that was deleted. Otherwise the
    /// changes require that it still exists.
    pub(crate) async fn has_no_account(
        &self,
        context: &Context,
        id: &str,
        changes: &mut Changes,
    ) -> Result<bool, Error> {
        let connected = context.connected.as_ref();
        let is_own = context.merchant.text().as_str() == id
            || connected.is_some_and(|connected| connected.account == id);
        if is_own {
            return Ok(false);
        }
        let found = self.find_connected(context.merchant, id).await?;
        let Some(account) = found.filter(|account| !account.deleted) else { return Ok(true) };
        changes.require_exists::<ConnectedAccount>(&account);
        Ok(false)
    }

    /// An account as a part of another object. A connected account sees only itself.
    pub(crate) async fn account_value_of(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<Option<Value>, Error> {
        let platform = match &context.connected {
            Some(connected) if connected.account == id => connected.platform,
            Some(_) => return Ok(None),
            None if context.merchant.text().as_str() == id => {
                return Ok(Some(platform_value(context.merchant)));
            }
            None => context.merchant,
        };
        let found = self.find_connected(platform, id).await?;
        Ok(found.filter(|account| !account.deleted).map(|account| value(&account)))
    }

    /// The tie of a connected account to its platform, or `None` if the merchant is no connected
    /// account.
    pub(crate) async fn platform_of(
        &self,
        merchant: MerchantId,
    ) -> Result<Option<PlatformTie>, Error> {
        self.find::<PlatformTie>(merchant, PlatformTie::NUMBER).await
    }
}

fn apply(account: &mut ConnectedAccount, input: &ConnectedAccountInput) -> Result<(), Error> {
    for (name, requested) in &input.capabilities {
        account.capabilities.insert(name.clone(), *requested);
    }
    if let Some(change) = &input.metadata {
        change.apply(&mut account.metadata)?;
    }
    account.given.update(input.given.clone());
    Ok(())
}
