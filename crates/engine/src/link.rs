//! The link flow without a browser: a carrier goes from pending to its end in one call.
//!
//! The connector is driven as a browser would drive it, with answers that always work; what the
//! holder would have picked comes from the request. Carrier, accounts, first refreshes and events
//! are one command, so a flow either ended wholly or may be run again.

use crate::change::push_event;
use crate::context::{settled, tries};
use crate::session::secret_lookup;
use crate::watch::{bank_account, first_events, first_look, relinked};
use crate::{Answer, Context, Engine, Error};
use connectors::{Begin, Input, Institution, LinkError, OfferedAccount, Step};
use model::account::{Account, AccountStatus, Holder, PaymentMethodType, StatusAction};
use model::clock::AccountTime;
use model::event::EventType;
use model::id::{AccountId, AuthorizationId};
use model::limits;
use model::refresh::RefreshJob;
use model::session::{PaymentMethodSupport, Session, SessionStatus};
use store::{
    AccountChange, ChangeObject, CompleteLink, Connection, FindLinkedAccount, FindObjectByLookup,
    Kind, NewAccount, Object,
};
use wire::error::Error as Refusal;

/// How a link flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// The holder links accounts.
    Success,
    /// The holder leaves.
    Cancel,
    /// The bank takes no logins.
    InstitutionDown,
    /// The bank refuses the login.
    LoginFailed,
}

impl model::Word for LinkOutcome {
    const ALL: &'static [Self] =
        &[Self::Success, Self::Cancel, Self::InstitutionDown, Self::LoginFailed];

    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Cancel => "cancel",
            Self::InstitutionDown => "institution_down",
            Self::LoginFailed => "login_failed",
        }
    }
}

/// What a link call says.
#[derive(Clone, Debug)]
pub struct LinkInput {
    /// Which carrier, by its client secret or by its id.
    pub carrier: CarrierInput,
    /// The bank, by name or id.
    pub institution: Option<String>,
    /// The accounts that the holder picks, by name; those preselected when left out.
    pub accounts: Option<Vec<String>>,
    /// Seeds the bank instead of the customer's e-mail address.
    pub seed: Option<String>,
    /// How the flow ends.
    pub outcome: LinkOutcome,
}

/// Names a carrier.
#[derive(Clone, Debug)]
pub enum CarrierInput {
    /// By its client secret.
    ClientSecret(String),
    /// By its id.
    Id(String),
}

/// The bank that is linked when the request names none.
const INSTITUTION_DEFAULT: &str = "Test (Non-OAuth)";

impl Engine {
    /// Ends the link flow of a carrier and answers with the carrier.
    pub async fn link(&self, context: &Context, input: &LinkInput) -> Result<Answer, Error> {
        for _ in tries() {
            let session = self.carrier(context, &input.carrier).await?;
            let now = self.moment_to_write(context.merchant, session.clock).await?;
            open(&session, now)?;
            let committed = match input.outcome {
                LinkOutcome::Success => self.link_accounts(context, session, input, now).await?,
                LinkOutcome::Cancel => {
                    self.end_flow(context, session, SessionStatus::Cancelled).await?
                }
                LinkOutcome::InstitutionDown | LinkOutcome::LoginFailed => {
                    self.end_flow(context, session, SessionStatus::Failed).await?
                }
            };
            if let Some(body) = committed {
                self.wake.dispatch();
                self.wake.refresh();
                return Ok(Answer::committed(body));
            }
        }
        Err(Error::Locked)
    }

    async fn carrier(&self, context: &Context, carrier: &CarrierInput) -> Result<Session, Error> {
        match carrier {
            CarrierInput::Id(id) => self.get_session(context, id, "carrier").await,
            CarrierInput::ClientSecret(secret) => {
                let find = FindObjectByLookup {
                    merchant: context.merchant,
                    kind: Kind::Session,
                    lookup: secret_lookup(secret),
                };
                match self.store.read(find).await? {
                    Some(Object::Session(session)) => Ok(session),
                    _ => Err(Refusal::invalid("No link flow has this client secret.")
                        .param("client_secret")
                        .into()),
                }
            }
        }
    }

    async fn end_flow(
        &self,
        context: &Context,
        mut session: Session,
        status: SessionStatus,
    ) -> Result<Option<Vec<u8>>, Error> {
        session.status = status;
        session.version += 1;
        let body = self.session_body_with(context, &session, &[]).await?;
        let change = ChangeObject {
            object: Object::Session(session),
            events: Vec::new(),
            reply: context.reply(self, &body),
        };
        Ok(settled(self.store.write(change).await?)?.then_some(body))
    }

    async fn link_accounts(
        &self,
        context: &Context,
        mut session: Session,
        input: &LinkInput,
        now: AccountTime,
    ) -> Result<Option<Vec<u8>>, Error> {
        let given = input.institution.as_deref().unwrap_or(INSTITUTION_DEFAULT);
        let institution = self.connector.find_institution(given).ok_or_else(|| {
            Refusal::invalid(format!("No such institution: '{given}'.")).param("institution")
        })?;
        let holder_key = self.holder_key(context, &session, input).await?;
        let offered = self.log_in(&institution, &holder_key, now)?;
        let picked = picked(&session, offered, input.accounts.as_deref())?;
        let authorization = AuthorizationId::from_number(self.next_number());
        let mut link =
            CompleteLink { objects: Vec::new(), new: Vec::new(), again: Vec::new(), reply: None };
        let linking = Linking { context, session: &session, institution, authorization, now };
        for offer in picked {
            match self.linked_before(context, &linking, &offer).await? {
                Some((account, connection)) => {
                    link.again.push(self.linked_again(&linking, account, connection, offer));
                }
                None => link.new.push(self.newly_linked(&linking, offer)),
            }
        }
        let accounts: Vec<Account> = {
            let new = link.new.iter().map(|new| new.account.clone());
            let again = link.again.iter().map(|change| change.account.clone());
            new.chain(again).collect()
        };
        let mut shown = accounts.clone();
        shown.sort_by_key(|account| std::cmp::Reverse((account.created, account.id)));
        session.accounts = accounts.iter().map(|account| account.id).collect();
        session.status = SessionStatus::Succeeded;
        session.version += 1;
        let body = self.session_body_with(context, &session, &shown).await?;
        link.objects.push(Object::Session(session));
        link.reply = context.reply(self, &body);
        Ok(settled(self.store.write(link).await?)?.then_some(body))
    }

    /// What makes a holder's test banks repeat.
    async fn holder_key(
        &self,
        context: &Context,
        session: &Session,
        input: &LinkInput,
    ) -> Result<String, Error> {
        if let Some(seed) = &input.seed {
            return Ok(format!("seed {seed}"));
        }
        Ok(match &session.holder {
            Holder::Customer(id) => {
                let customer = self.find_customer(context, *id).await?;
                let customer = customer.filter(|customer| !customer.deleted).ok_or_else(|| {
                    let id = id.to_string();
                    Refusal::no_such("customer", &id, "account_holder[customer]")
                })?;
                match (customer.metadata.get("seed"), &customer.email) {
                    (Some(seed), _) => format!("seed {seed}"),
                    (None, Some(email)) => format!("email {email}"),
                    (None, None) => format!("customer {id}"),
                }
            }
            Holder::Account(id) => format!("account {id}"),
        })
    }

    /// Goes through the bank's login with answers that work.
    fn log_in(
        &self,
        institution: &Institution,
        holder_key: &str,
        now: AccountTime,
    ) -> Result<Vec<OfferedAccount>, Error> {
        let refuse = |error: LinkError| {
            let message = match error {
                LinkError::Unavailable { until: Some(until) } => {
                    format!("{} is down for maintenance until {}.", institution.name, until.0)
                }
                LinkError::Unavailable { until: None } => {
                    format!("{} is down; nobody knows for how long.", institution.name)
                }
                other => format!("{}: {other}.", institution.name),
            };
            Error::from(Refusal::invalid(message).param("institution"))
        };
        let begin = Begin { institution: institution.id, holder_key, now };
        let mut step = self.connector.begin(&begin).map_err(refuse)?;
        for _ in 0..LOGIN_STEPS_MAX {
            let (state, input) = match step {
                Step::Done { accounts } => return Ok(accounts),
                Step::Redirect { state } => (state, Input::Returned),
                Step::Ask { state, fields } => {
                    let filled = fields.into_iter().map(|field| (field, "headless".to_owned()));
                    (state, Input::Fields(filled.collect()))
                }
            };
            step = self.connector.advance(&state, &input).map_err(refuse)?;
        }
        Err(refuse(LinkError::Failed))
    }

    async fn linked_before(
        &self,
        context: &Context,
        linking: &Linking<'_>,
        offer: &OfferedAccount,
    ) -> Result<Option<(Account, Connection)>, Error> {
        let find = FindLinkedAccount {
            merchant: context.merchant,
            holder: linking.session.holder.clone(),
            institution: linking.institution.id,
            bank_account: offer.bank_account.clone(),
        };
        let Some(account) = self.store.read(find).await? else {
            return Ok(None);
        };
        let connection = self.connection_of(&account).await?;
        Ok(connection.map(|connection| (account, connection)))
    }

    fn newly_linked(&self, linking: &Linking<'_>, offer: OfferedAccount) -> NewAccount {
        let session = linking.session;
        let mut account = Account {
            id: AccountId::from_number(self.next_number()),
            merchant: session.merchant,
            version: 1,
            livemode: session.livemode,
            created: linking.now,
            holder: Some(session.holder.clone()),
            clock: session.clock,
            authorization: linking.authorization,
            institution: linking.institution.id,
            institution_name: linking.institution.name.clone(),
            bank_account: offer.bank_account,
            category: offer.category,
            subcategory: offer.subcategory,
            display_name: Some(offer.name),
            last4: offer.last4,
            supported_payment_method_types: offer.supported_payment_method_types,
            account_numbers: Vec::new(),
            permissions: session.permissions.clone(),
            status: AccountStatus::Active,
            expected_deactivation: None,
            balance: None,
            ownership: None,
            balance_refresh: None,
            ownership_refresh: None,
            transaction_refresh: None,
            transactions_listable: false,
            subscribed: false,
            daily_due_at: None,
            bank_due_at: None,
            rows: 0,
        };
        let connection = Connection {
            account: account.id,
            merchant: account.merchant,
            version: 1,
            relinked_at: linking.now,
            credential: offer.credential,
            state: Vec::new(),
            cursors: std::collections::BTreeMap::new(),
        };
        let watch = self.connector.watch(&bank_account(&account, &connection), linking.now);
        let news = first_look(&mut account, watch);
        let started = self.prefetched(&mut account, session, linking.now);
        let events = first_events(&account, &news, linking.now, &linking.context.cause());
        NewAccount { account, connection, started, events }
    }

    /// An account that the holder links again: permissions are united, an inactive one is active
    /// again, and the new login counts.
    fn linked_again(
        &self,
        linking: &Linking<'_>,
        mut account: Account,
        connection: Connection,
        offer: OfferedAccount,
    ) -> AccountChange {
        account.version += 1;
        account.permissions.extend(linking.session.permissions.iter().copied());
        account.authorization = linking.authorization;
        // An account that nothing helps (it was closed) stays what it is.
        let lost =
            matches!(account.status, AccountStatus::Inactive { action: StatusAction::None, .. });
        let mut connection = if lost {
            Connection { version: connection.version + 1, ..connection }
        } else {
            relinked(connection, &account, linking.now)
        };
        connection.credential = offer.credential;
        let reactivated = !lost && account.reactivate(linking.now);
        let mut change = AccountChange::of(account);
        if reactivated {
            let event_type = EventType::AccountReactivated;
            push_event(&mut change, event_type, linking.now, linking.context);
        }
        let cause = linking.context.cause();
        self.observe(&mut change, &connection, linking.now, Some(&cause));
        change.started = self.prefetched(&mut change.account, linking.session, linking.now);
        change.connection = Some(connection);
        change
    }

    /// Starts what the session asked to have fetched at once.
    fn prefetched(
        &self,
        account: &mut Account,
        session: &Session,
        now: AccountTime,
    ) -> Vec<RefreshJob> {
        let mut started = Vec::new();
        for prefetch in session.prefetch.iter().flatten() {
            let feature = prefetch.feature();
            if account.is_active() && !account.is_pending(feature) {
                started.push(self.start(account, feature, now));
            }
        }
        started
    }
}

/// Steps that a login takes at most.
const LOGIN_STEPS_MAX: u32 = 8;

/// What all accounts of one link share.
struct Linking<'a> {
    context: &'a Context,
    session: &'a Session,
    institution: Institution,
    authorization: AuthorizationId,
    now: AccountTime,
}

/// Refuses a flow that has ended or run out of time.
fn open(session: &Session, now: AccountTime) -> Result<(), Error> {
    if session.status != SessionStatus::Pending {
        let message = "This link flow has ended; make a new session to link again.";
        return Err(Refusal::invalid(message).into());
    }
    if now >= session.expires_at() {
        return Err(Refusal::invalid("This link flow has expired; make a new session.").into());
    }
    Ok(())
}

/// The accounts that the holder picks, of those that the session lets them pick.
fn picked(
    session: &Session,
    offered: Vec<OfferedAccount>,
    names: Option<&[String]>,
) -> Result<Vec<OfferedAccount>, Error> {
    let picked: Vec<OfferedAccount> = match names {
        None => offered
            .into_iter()
            .filter(|offer| offer.preselected && allowed(session, offer).is_ok())
            .collect(),
        Some(names) => {
            let mut picked: Vec<OfferedAccount> = Vec::with_capacity(names.len());
            for (index, name) in names.iter().enumerate() {
                let refuse = |message: String| {
                    Error::from(Refusal::invalid(message).param(format!("accounts[{index}]")))
                };
                let offer = offered
                    .iter()
                    .find(|offer| offer.name.eq_ignore_ascii_case(name))
                    .ok_or_else(|| refuse(format!("The institution has no account '{name}'.")))?;
                allowed(session, offer).map_err(refuse)?;
                if !picked.contains(offer) {
                    picked.push(offer.clone());
                }
            }
            picked
        }
    };
    let accounts_max = session.accounts_max.map_or(limits::LINKED_ACCOUNTS_MAX, |max| max as usize);
    if picked.len() > accounts_max {
        let message = format!("This session links at most {accounts_max} accounts.");
        return Err(Refusal::invalid(message).param("accounts").into());
    }
    let support = session.filters.as_ref().and_then(|f| f.require_payment_method_support);
    if support == Some(PaymentMethodSupport::AtLeastOne) && !picked.iter().any(can_pay) {
        let message = "This session asks for at least one account that can pay.";
        return Err(Refusal::invalid(message).param("accounts").into());
    }
    if picked.is_empty() {
        let message = "None of the accounts that would be picked may be linked by this session; \
                       name others in accounts.";
        return Err(Refusal::invalid(message).param("accounts").into());
    }
    Ok(picked)
}

fn can_pay(offer: &OfferedAccount) -> bool {
    offer.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount)
}

/// Whether a session lets an account be picked; if not, why.
fn allowed(session: &Session, offer: &OfferedAccount) -> Result<(), String> {
    let Some(filters) = &session.filters else {
        return Ok(());
    };
    if let Some(subcategories) = &filters.account_subcategories
        && !subcategories.contains(&offer.subcategory)
    {
        return Err(format!(
            "The session's filters[account_subcategories] leaves out '{}'.",
            offer.name
        ));
    }
    if filters.require_payment_method_support == Some(PaymentMethodSupport::All) && !can_pay(offer)
    {
        return Err(format!(
            "The session asks for accounts that can pay; '{}' cannot.",
            offer.name
        ));
    }
    Ok(())
}
