//! Financial Connections Sessions: carriers of a link flow.

use crate::connect::access::{Access, secret_lookup};
use crate::connections::relink::RelinkInput;
use crate::context::render;
use crate::observer::CallFact;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::account::{Account, Holder, Permission};
use model::customer::Customer;
use model::id::{AccountId, ClockId, SessionId};
use model::session::{
    Hosted, ManualEntry, Prefetch, Relink, Session, SessionFilters, SessionStatus,
};
use model::stored::Filter;
use model::token::BankAccountToken;
use std::collections::BTreeSet;
use store::{AccountsOf, Cursor, ListAccounts, Object, Page};
use wire::change::EQUAL_DEFAULTS;
use wire::error::Error as ApiError;
use wire::render::connections::session::SessionParts;

/// The params of a create.
#[derive(Clone, Debug)]
pub struct SessionInput {
    /// The holder. It may be left out with `relink`, which has a holder.
    pub holder: Option<HolderInput>,
    /// The login to renew.
    pub relink: Option<RelinkInput>,
    /// The permissions to request from the holder.
    pub permissions: BTreeSet<Permission>,
    /// The data to fetch as soon as an account is linked.
    pub prefetch: Option<Vec<Prefetch>>,
    /// The accounts to offer.
    pub filters: Option<SessionFilters>,
    /// `limits[accounts]`: set to a number, or set to no limit.
    pub limits: Option<Option<u32>>,
    /// True if the holder may type account numbers.
    pub manual_entry: Option<ManualEntry>,
    /// The URL that a webview returns to.
    pub return_url: Option<String>,
    /// Set for one that is shown on a page of this server.
    pub hosted: Option<Hosted>,
}

/// The holder as the request names it.
#[derive(Clone, Debug)]
pub enum HolderInput {
    /// A customer of the merchant.
    Customer(String),
    /// A connected account.
    Account(String),
}

const INSTITUTION: &str = "filters[institution]";

/// True if the defaults of a session are those for payouts of a connected account.
fn is_for_payouts(context: &Context, input: &SessionInput) -> bool {
    matches!(input.holder, Some(HolderInput::Account(_)))
        && input.permissions.contains(&Permission::PaymentMethod)
        && !context.version.has(&EQUAL_DEFAULTS)
}

impl Engine {
    /// Makes a session.
    pub async fn create_session(
        &self,
        context: &Context,
        input: &SessionInput,
    ) -> Result<ApiResponse, Error> {
        self.check_registered(context, input.permissions.iter().copied()).await?;
        self.change("create_session", async || {
            let (holder, clock, relink) = self.requested_holder(context, input).await?;
            let earlier = match (&input.relink, &relink) {
                (Some(requested), Some(relink)) if input.hosted.is_some() => {
                    let holder = (holder.as_ref(), clock);
                    self.check_hosted_relink(context, requested, relink, holder).await?
                }
                _ => None,
            };
            let bank = input.filters.as_ref().and_then(|filters| filters.institution);
            if relink.as_ref().is_some_and(|one| bank.is_some_and(|bank| bank != one.institution)) {
                let message = "The accounts to be linked again belong to another institution.";
                return Err(ApiError::invalid(message).param(INSTITUTION).into());
            }
            self.check_bank(context, bank, clock, INSTITUTION).await?;
            for (index, prefetch) in input.prefetch.iter().flatten().enumerate() {
                let mut needed = prefetch.permissions().iter();
                if let Some(missing) = needed.find(|one| !input.permissions.contains(one)) {
                    use model::Word;
                    let message = format!(
                        "To prefetch {}, ask for the permission {} too.",
                        prefetch.word(),
                        missing.word()
                    );
                    return Err(ApiError::invalid(message)
                        .param(format!("prefetch[{index}]"))
                        .into());
                }
            }
            let mut changes = self.changes_on(context, clock).await?;
            if self.holder_gone(context, holder.as_ref(), &mut changes).await? {
                // It was deleted after it was read.
                return Ok(None);
            }
            if let (Some(earlier), Some(relink)) = (earlier, &relink) {
                let (filter, value) = (Filter::HostedRelink, relink.authorization.to_string());
                changes.require_none_with_value::<Session>(
                    context.merchant,
                    filter,
                    value,
                    earlier,
                );
            }
            let now = changes.now;
            let session = Session {
                id: SessionId::from_number(self.next_number()),
                merchant: context.merchant,
                version: 1,
                livemode: context.livemode,
                created: now,
                holder,
                clock,
                client_secret: self.secret("fcsess_client_secret_", 24),
                permissions: input.permissions.clone(),
                prefetch: input.prefetch.clone(),
                filters: input.filters.clone(),
                accounts_max: input.limits.flatten(),
                limits_given: input.limits.is_some(),
                manual_entry: input.manual_entry,
                for_payouts: is_for_payouts(context, input),
                return_url: input.return_url.clone(),
                hosted: input.hosted.clone(),
                relink,
                status: SessionStatus::Pending,
                cancel_reason: None,
                accounts: Vec::new(),
                token: None,
            };
            let body = self.session_body(context, &session).await?;
            let flow = self.hosted_flow(context, &session).await?.map(Object::LinkFlow);
            changes.put(Object::Session(session));
            changes.objects.extend(flow);
            let committed = self.commit(context, changes, &body).await?;
            if committed {
                self.emit_call(context, None, CallFact::SessionCreated);
            }
            Ok(committed.then(|| ApiResponse::committed(body)))
        })
        .await
    }

    /// The holder, its test clock, and the login to renew.
    async fn requested_holder(
        &self,
        context: &Context,
        input: &SessionInput,
    ) -> Result<(Option<Holder>, Option<ClockId>, Option<Relink>), Error> {
        let requested = match &input.holder {
            Some(HolderInput::Customer(id)) => {
                let param = "account_holder[customer]";
                let customer = self.get::<Customer>(context, id, param).await?;
                Some((Holder::Customer(customer.id), customer.test_clock, param))
            }
            Some(HolderInput::Account(id)) => {
                let param = "account_holder[account]";
                self.open_holder(context, id, param).await?;
                Some((Holder::Account(id.clone()), None, param))
            }
            None => None,
        };
        let Some(id) = &input.relink else {
            let requested = requested.map(|(holder, clock, _)| (holder, clock));
            let (holder, clock) = requested.unzip();
            return Ok((holder, clock.flatten(), None));
        };
        let (relink, account) = self.find_relink(context, id, input.hosted.is_some()).await?;
        match requested {
            Some((holder, _, param)) if Some(&holder) != account.holder.as_ref() => {
                let message = "This is not the holder of the accounts to be linked again.";
                Err(ApiError::invalid(message).param(param).into())
            }
            _ => Ok((account.holder, account.clock, Some(relink))),
        }
    }

    /// Shows a session.
    pub async fn retrieve_session(
        &self,
        context: &Context,
        id: &str,
        access: Access<'_>,
    ) -> Result<ApiResponse, Error> {
        let session = self.get::<Session>(context, id, "session").await?;
        match access.client_secret {
            Some(secret) if secret_lookup(secret) != secret_lookup(&session.client_secret) => {
                let message = "The client_secret given does not belong to this session.";
                return Err(ApiError::invalid(message).param("client_secret").into());
            }
            None if access.publishable => {
                return Err(ApiError::missing_param("client_secret").into());
            }
            _ => {}
        }
        Ok(ApiResponse::unchanged(self.session_body(context, &session).await?))
    }

    /// A session with the accounts it linked.
    pub(crate) async fn session_body(
        &self,
        context: &Context,
        session: &Session,
    ) -> Result<Vec<u8>, Error> {
        let accounts = self.accounts_of(context, session.accounts.clone()).await?;
        let token = match session.token {
            Some(id) => self.find::<BankAccountToken>(context.merchant, id.number()).await?,
            None => None,
        };
        self.session_body_with(context, session, &accounts, token.as_ref()).await
    }

    /// A session with these accounts and this token, which need not be stored yet.
    pub(crate) async fn session_body_with(
        &self,
        context: &Context,
        session: &Session,
        accounts: &[Account],
        token: Option<&BankAccountToken>,
    ) -> Result<Vec<u8>, Error> {
        let now = self.moment(context.merchant, session.clock).await?.now;
        let view = context.view(self);
        let session =
            SessionParts { session, accounts, token, secret_shown: now < session.expires_at() };
        let body = render(|w| wire::render::connections::session::write(w, &session, &view));
        self.expanded(context, &Changes::none(), body).await
    }

    /// Accounts by their ids, in the order of the account list.
    pub(crate) async fn accounts_of(
        &self,
        context: &Context,
        ids: Vec<AccountId>,
    ) -> Result<Vec<Account>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let list = ListAccounts {
            merchant: context.merchant,
            of: AccountsOf::Ids(ids),
            page: Page { limit: model::limits::PAGE_ROWS_MAX, cursor: Cursor::Newest },
        };
        Ok(self.store.read(list).await?.items)
    }
}
