//! Waiting until all due work is done, so that a test compares states without a sleep.
//!
//! | word | meaning |
//! |---|---|
//! | open work | work that is due or in progress, and deliveries without a first attempt |
//! | scope | the account, the customer, the test clock or the merchant with the open work |
//!
//! A call looks for open work in the order in which work leads to other work: advances, due objects,
//! due accounts, refreshes, events, deliveries. Each step is one commit, so work that moves on during
//! a look is found in a later list. A look ends at the first work that it finds, and the call ends
//! with the first look that finds no work. At the end of its time, the call lists all work for the API
//! error. A look reads, and never writes. A wait is not stored, so it ends if the server dies.

use crate::{Lab, render};
use engine::{ApiResponse, Context, Error};
use model::Word;
use model::account::{Account, Holder};
use model::clock::{ClockStatus, TestClock};
use model::counted::counted;
use model::customer::Customer;
use model::delivery::DeliveryKey;
use model::endpoint::Endpoint;
use model::event::Event;
use model::id::{AccountId, ClockId, CustomerId, EndpointId, MerchantId};
use model::limits::{OPEN_WORK_NAMED_MAX, OPEN_WORK_ROWS_MAX};
use store::{FindAccount, FindEvent, ListOpenWork, ListUndispatched, Object, OpenWork};
use wire::error::Error as ApiError;
use wire::version::Version;

/// The work to wait for, and the time.
#[derive(Clone, Debug, Default)]
pub struct SettledFilter {
    /// Only work of this bank account, and the advance of its test clock.
    pub account: Option<String>,
    /// Only work of this customer, its bank accounts and its payment objects, and the advance of its
    /// test clock.
    pub customer: Option<String>,
    /// Only work of this test clock, and of the customers on it.
    pub clock: Option<String>,
    /// The longest wait in seconds. 0 looks once.
    pub timeout_s: u64,
}

/// The scope of a wait. Without an id it is the merchant.
#[derive(Clone, Debug, Default)]
struct Scope {
    account: Option<AccountId>,
    customer: Option<CustomerId>,
    /// The test clock of the wait, or of its account or customer.
    clock: Option<ClockId>,
    /// True if all work on the test clock counts.
    is_of_clock: bool,
}

/// The owner of some work.
#[derive(Clone, Copy, Debug, Default)]
struct Owner {
    account: Option<AccountId>,
    customer: Option<CustomerId>,
    clock: Option<ClockId>,
}

/// The aim of a look for open work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// Any open work.
    Any,
    /// All open work, for the API error.
    All,
}

/// A description of open work for the API error, and the number of further work.
#[derive(Debug)]
struct Found {
    aim: Aim,
    named: Vec<String>,
    others: usize,
}

impl Found {
    const fn new(aim: Aim) -> Self {
        Self { aim, named: Vec::new(), others: 0 }
    }

    /// True if a look can end here.
    fn is_enough(&self) -> bool {
        self.aim == Aim::Any && !self.is_empty()
    }

    fn add(&mut self, work: impl FnOnce() -> String) {
        if self.named.len() < OPEN_WORK_NAMED_MAX {
            self.named.push(work());
        } else {
            self.others += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    fn text(&self) -> String {
        let named = self.named.join("; ");
        match self.others {
            0 => named,
            others => format!("{named}; and {others} more"),
        }
    }
}

impl Scope {
    fn is_merchant(&self) -> bool {
        self.account.is_none() && self.customer.is_none() && self.clock.is_none()
    }

    fn covers(&self, owner: Owner) -> bool {
        match (self.account, self.customer) {
            (Some(account), _) => owner.account == Some(account),
            (None, Some(customer)) => owner.customer == Some(customer),
            (None, None) if self.is_of_clock => owner.clock == self.clock,
            (None, None) => true,
        }
    }

    fn covers_advance(&self, clock: ClockId) -> bool {
        self.is_merchant() || self.clock == Some(clock)
    }
}

impl Lab {
    /// Returns when all due work in the scope is done, with the first attempt of every delivery that
    /// it caused.
    pub async fn wait_until_settled(
        &self,
        context: &Context,
        filter: &SettledFilter,
    ) -> Result<ApiResponse, Error> {
        let scope = self.scope(context, filter).await?;
        self.settle(context, &scope, filter.timeout_s).await?;
        let body = engine::render(|w| render::settled::write(w, filter));
        Ok(ApiResponse::unchanged(body))
    }

    /// Waits until the work of a test clock is settled, after an advance began.
    pub async fn wait_for_clock(
        &self,
        context: &Context,
        clock: &str,
        timeout_s: u64,
    ) -> Result<ApiResponse, Error> {
        let clock_only = SettledFilter { clock: Some(clock.to_owned()), ..Default::default() };
        let scope = self.scope(context, &clock_only).await?;
        self.settle(context, &scope, timeout_s).await?;
        self.engine.retrieve_clock(context, clock).await
    }

    async fn settle(&self, context: &Context, scope: &Scope, timeout_s: u64) -> Result<(), Error> {
        let merchant = context.merchant;
        self.instruments.checker.waits(merchant, self.engine.clock().server_now());
        let waits = &self.instruments.waits;
        // Enter before the first look, so that no wake-up is missed between the two.
        let mut place = waits.enter(merchant, context.share_owner())?;
        let mut is_open = !self.open_work(merchant, scope, Aim::Any).await?.is_empty();
        let looking = async {
            while is_open {
                place.wake_up().await;
                is_open = !self.open_work(merchant, scope, Aim::Any).await?.is_empty();
            }
            Ok(())
        };
        waits.within(timeout_s, looking).await?;
        if !is_open {
            return Ok(());
        }
        let found = self.open_work(merchant, scope, Aim::All).await?;
        if found.is_empty() {
            return Ok(());
        }
        let open = found.text();
        let timeout = counted(timeout_s, "second");
        let message = format!("Not settled within {timeout}. Still open: {open}.");
        Err(ApiError::waited_in_vain(&message).into())
    }

    async fn scope(&self, context: &Context, filter: &SettledFilter) -> Result<Scope, Error> {
        let mut scope = Scope::default();
        if let Some(id) = &filter.account {
            let account = self.engine.get_account(context, id, "account").await?;
            (scope.account, scope.clock) = (Some(account.id), account.clock);
        }
        if let Some(id) = &filter.customer {
            let customer = self.engine.get::<Customer>(context, id, "customer").await?;
            (scope.customer, scope.clock) = (Some(customer.id), customer.test_clock);
        }
        if let Some(id) = &filter.clock {
            let clock = self.engine.get::<TestClock>(context, id, "clock").await?;
            (scope.clock, scope.is_of_clock) = (Some(clock.id), true);
        }
        Ok(scope)
    }

    /// The open work in a scope. With [`Aim::Any`] the look ends at the first work.
    async fn open_work(
        &self,
        merchant: MerchantId,
        scope: &Scope,
        aim: Aim,
    ) -> Result<Found, Error> {
        let mut found = Found::new(aim);
        if aim == Aim::Any && self.is_advancing(merchant, scope, &mut found).await? {
            return Ok(found);
        }
        let listeners = self.engine.listeners_of(merchant).await?;
        let endpoints: Vec<EndpointId> =
            listeners.endpoints.iter().map(|endpoint| endpoint.id).collect();
        let list = |endpoints: Vec<EndpointId>| ListOpenWork {
            merchant,
            endpoints,
            now: self.engine.clock().server_now(),
            account_now: self.engine.clock().account_now(),
            limit: OPEN_WORK_ROWS_MAX,
        };
        let due = self.engine.store().read(list(Vec::new())).await?;
        self.add_due(merchant, scope, &due, &mut found).await?;
        if found.is_enough() {
            return Ok(found);
        }
        let waiting = ListUndispatched {
            merchant,
            limit: OPEN_WORK_ROWS_MAX,
            bytes_max: model::limits::DISPATCH_BYTES_MAX,
        };
        let waiting = self.engine.store().read(waiting).await?;
        for event in &waiting.events {
            if self.covers_event(scope, event).await? {
                let (id, word) = (event.id, event.event_type.word());
                found.add(|| format!("the dispatch of event {id} ({word})"));
            }
            if found.is_enough() {
                return Ok(found);
            }
        }
        // Deliveries come last, because a dispatch may have written them since the first read.
        let list = list(endpoints);
        for key in self.engine.store().read(list).await?.deliveries {
            if self.covers_delivery(merchant, scope, key).await? {
                let event = key.event;
                let endpoint = listeners.endpoints.iter().find(|one| one.id == key.endpoint);
                let endpoint = endpoint.map_or_else(|| key.endpoint.text(), Endpoint::shown_id);
                let endpoint = endpoint.as_str();
                found.add(|| format!("the first attempt of {key} ({event} to {endpoint})"));
            }
            if found.is_enough() {
                break;
            }
        }
        Ok(found)
    }

    /// Looks at the advance of the scope's test clock, because it is the longest work and one read
    /// finds it.
    async fn is_advancing(
        &self,
        merchant: MerchantId,
        scope: &Scope,
        found: &mut Found,
    ) -> Result<bool, Error> {
        let Some(id) = scope.clock else { return Ok(false) };
        let clock = self.engine.find::<TestClock>(merchant, id.number()).await?;
        let advancing = clock.is_some_and(|clock| clock.status == ClockStatus::Advancing);
        if advancing {
            found.add(|| format!("the advance of test clock {id}"));
        }
        Ok(advancing)
    }

    async fn add_due(
        &self,
        merchant: MerchantId,
        scope: &Scope,
        due: &OpenWork,
        found: &mut Found,
    ) -> Result<(), Error> {
        for clock in due.clocks.iter().filter(|clock| scope.covers_advance(**clock)) {
            found.add(|| format!("the advance of test clock {clock}"));
        }
        for object in &due.objects {
            if scope.covers(self.owner_of_customer(merchant, object.customer()).await?) {
                found.add(|| format!("a due change of {}", name_of(object)));
            }
        }
        for account in due.accounts.iter().filter(|account| scope.covers(owner(account))) {
            found.add(|| format!("due work of account {}", account.id));
        }
        for job in &due.refreshes {
            let is_covered = scope.is_merchant() || {
                let find = FindAccount { merchant, account: job.key.account };
                let account = self.engine.store().read(find).await?;
                account.is_some_and(|account| scope.covers(owner(&account)))
            };
            if is_covered {
                let (feature, account) = (job.key.feature.word(), job.key.account);
                found.add(|| format!("the refresh of {feature} of account {account}"));
            }
        }
        Ok(())
    }

    async fn covers_delivery(
        &self,
        merchant: MerchantId,
        scope: &Scope,
        key: DeliveryKey,
    ) -> Result<bool, Error> {
        if scope.is_merchant() {
            return Ok(true);
        }
        let find = FindEvent { merchant, event: key.event };
        match self.engine.store().read(find).await? {
            Some(stored) => self.covers_event(scope, &stored.event).await,
            None => Ok(false),
        }
    }

    async fn covers_event(&self, scope: &Scope, event: &Event) -> Result<bool, Error> {
        if scope.is_merchant() {
            return Ok(true);
        }
        if let Some(account) = event.account {
            let find = FindAccount { merchant: event.merchant, account };
            let account = self.engine.store().read(find).await?;
            return Ok(account.is_some_and(|account| scope.covers(owner(&account))));
        }
        if scope.account.is_some() {
            return Ok(false);
        }
        let body = self.engine.render_event(event, &Version::newest(), 0, None);
        let shown: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let object = &shown["data"]["object"];
        let id = |value: &serde_json::Value| Some(value.as_str()?.to_owned());
        let mut clocks = [&object["id"], &object["test_clock"]].into_iter().filter_map(id);
        if scope.is_of_clock && clocks.any(|text| text.parse().ok() == scope.clock) {
            return Ok(true);
        }
        let customer = [&object["customer"], &object["account_holder"]["customer"], &object["id"]];
        let customer = customer.into_iter().filter_map(id).find_map(|text| text.parse().ok());
        Ok(scope.covers(self.owner_of_customer(event.merchant, customer).await?))
    }

    async fn owner_of_customer(
        &self,
        merchant: MerchantId,
        customer: Option<CustomerId>,
    ) -> Result<Owner, Error> {
        let Some(customer) = customer else { return Ok(Owner::default()) };
        let found = self.engine.find::<Customer>(merchant, customer.number()).await?;
        let clock = found.and_then(|customer| customer.test_clock);
        Ok(Owner { account: None, customer: Some(customer), clock })
    }
}

/// The kind and the id of an object with due work.
fn name_of(object: &Object) -> String {
    let kind = object.kind().name();
    match object {
        Object::PaymentIntent(intent) | Object::SetupIntent(intent) => {
            format!("{kind} {}", intent.id())
        }
        Object::Refund(refund) => format!("{kind} {}", refund.id),
        Object::Checkout(session) => format!("{kind} {}", session.id()),
        Object::Subscription(subscription) => format!("{kind} {}", subscription.id),
        Object::Customer(customer) => format!("{kind} {}", customer.id),
        Object::TestClock(clock) => format!("{kind} {}", clock.id),
        _ => kind.to_owned(),
    }
}

fn owner(account: &Account) -> Owner {
    let customer = match account.holder {
        Some(Holder::Customer(customer)) => Some(customer),
        Some(Holder::Account(_)) | None => None,
    };
    Owner { account: Some(account.id), customer, clock: account.clock }
}
