//! Reads of everything in the store, page by page, for the property test.

use crate::agree::{Both, KINDS};
use crate::fixture::{T0, account, merchant, row};
use model::Word;
use model::account::{Account, Holder};
use model::clock::AccountTime;
use model::delivery::DeliveryStatus;
use model::id::{AccountId, ClockId, CustomerId, EndpointId, InvoiceId, MerchantId, OwnershipId};
use model::stored::{Filter, on_clock};
use store::{
    AccountsOf, Backlog, Bounds, Cursor, DeliveryPlace, FindBankId, FindConnection, FindEvent,
    FindIdempotencyRecord, FindLinkedAccount, FindOwnership, FindStoredTransactions,
    FindTransaction, Kind, ListAccounts, ListDeliveries, ListDueAccounts, ListDueObjects,
    ListDueOnClock, ListEvents, ListFeed, ListLedger, ListObjects, ListOpenWork, ListTransactions,
    ListUndispatched, ListWaitingFeeds, MeasureBacklog, MeasureSandbox, Object, ObjectPlace,
    ObjectsOf, Page, Store, StoredEvent,
};

impl Both {
    /// Reads everything and compares both back ends.
    pub(crate) async fn compare_all(&self) {
        for owner in [merchant(0), merchant(1)] {
            self.read(MeasureSandbox { merchant: owner }).await;
            for kind in KINDS.into_iter().chain([Kind::Snapshot]) {
                self.compare_objects(owner, kind).await;
            }
            self.compare_accounts(owner).await;
            self.compare_events(owner).await;
            for key in ["key 0", "key 1"] {
                let now = self.time.now();
                self.read(FindIdempotencyRecord { merchant: owner, key: key.to_owned(), now })
                    .await;
            }
        }
        self.compare_backlog().await;
        self.compare_waiting_feeds().await;
        self.read(ListDueAccounts { now: AccountTime(2), limit: 2 }).await;
        self.compare_due_objects().await;
    }

    /// Compares the due objects. Each store has an order of its own for merchants.
    async fn compare_due_objects(&self) {
        let list = async |store: &Store| {
            let due = ListDueObjects { now: AccountTime(2), limit: 99 };
            let mut due = store.read(due).await.unwrap();
            due.sort_by_key(|object| (object.merchant(), object.kind(), object.number()));
            due
        };
        assert_eq!(list(&self.database).await, list(&self.model).await);
    }

    /// Compares all pages of the waiting feeds. Each store has an order of its own.
    async fn compare_waiting_feeds(&self) {
        let list = async |store: &Store| {
            let (mut all, mut after) = (Vec::new(), None);
            while let Some(feed) =
                store.read(ListWaitingFeeds { after, limit: 1 }).await.unwrap().pop()
            {
                after = Some(feed.merchant);
                all.push(feed);
            }
            all.sort_by_key(|feed| feed.merchant);
            all
        };
        assert_eq!(list(&self.database).await, list(&self.model).await);
    }

    /// Leaves out the oldest undelivered event, because the database finds it by the order in which
    /// deliveries were written. Here that is not the order of events.
    async fn compare_backlog(&self) {
        let measure = MeasureBacklog { now: self.time.now(), account_now: AccountTime(2) };
        let of = |backlog| Backlog { oldest_undelivered_ms: None, ..backlog };
        let database = of(self.database.read(measure).await.unwrap());
        let model = of(self.model.read(measure).await.unwrap());
        assert_eq!(database, model);
    }

    async fn compare_objects(&self, owner: MerchantId, kind: Kind) {
        let clock = ClockId::from_number(1);
        let email = |number: u8| format!("{number}@example.com");
        for of in [
            ObjectsOf::All,
            ObjectsOf::Lookup(email(0)),
            ObjectsOf::Customer(CustomerId::from_number(1)),
            ObjectsOf::Numbers(vec![1, 3]),
            ObjectsOf::on_clock(None),
            ObjectsOf::on_clock(Some(clock)),
            ObjectsOf::value(Filter::EmailOnClock, &on_clock(None, &email(0))),
            ObjectsOf::value(Filter::Invoice, &InvoiceId::from_number(1)),
            ObjectsOf::Filter(Filter::PaymentStatus, ["open", "paid"].map(str::to_owned).to_vec()),
        ] {
            let list = |page| ListObjects {
                merchant: owner,
                kind,
                of: of.clone(),
                created: Bounds { from: Some(T0.0), to: Some(T0.plus(1).0) },
                page,
            };
            for page in pages(self.read(list(first())).await.items.iter().map(Object::place)) {
                self.read(list(page)).await;
            }
        }
    }

    async fn compare_accounts(&self, owner: MerchantId) {
        let customer = Holder::Customer(CustomerId::from_number(1));
        let ids: Vec<AccountId> = (1..4).map(AccountId::from_number).collect();
        let clock = ClockId::from_number(1);
        let position = |account: &Account| ObjectPlace {
            created: account.created,
            number: account.id.number(),
        };
        for of in [
            AccountsOf::Merchant,
            AccountsOf::Holder(customer.clone()),
            AccountsOf::Holder(Holder::Account("acct_x".to_owned())),
            AccountsOf::Clock(clock),
            AccountsOf::Ids(ids),
        ] {
            let list = |page| ListAccounts { merchant: owner, of: of.clone(), page };
            for page in pages(self.read(list(first())).await.items.iter().map(position)) {
                self.read(list(page)).await;
            }
        }
        let until = AccountTime(2);
        self.read(ListDueOnClock { merchant: owner, clock, until, limit: 2 }).await;
        for number in 1..6 {
            let account = AccountId::from_number(number);
            self.read(FindConnection { merchant: owner, account }).await;
            let ownership = OwnershipId { account, sequence: 1 };
            self.read(FindOwnership { merchant: owner, ownership }).await;
            self.compare_transactions(owner, account).await;
        }
        let bank_account = "bank account 1".to_owned();
        let institution = account(owner, 1).institution;
        let find =
            FindLinkedAccount { merchant: owner, holder: customer, institution, bank_account };
        self.read(find).await;
    }

    async fn compare_transactions(&self, owner: MerchantId, account: AccountId) {
        for after in [None, Some(1)] {
            for transacted_at in [Bounds::default(), Bounds { from: Some(1), to: Some(3) }] {
                let list = |page| ListTransactions {
                    merchant: owner,
                    account,
                    transacted_at,
                    after,
                    page,
                };
                let listed = self.read(list(first())).await;
                let rows = listed.iter().flat_map(|listed| &listed.page.items);
                for page in pages(rows.map(|row| row.id)) {
                    self.read(list(page)).await;
                }
            }
        }
        let transaction = row(account, 1, 1).shown.id;
        self.read(FindTransaction { merchant: owner, transaction }).await;
        self.read(FindBankId { merchant: owner, transaction }).await;
        for range in [None, Some((AccountTime(1), AccountTime(3)))] {
            let bank_ids = vec!["bank 1".to_owned(), "bank 4".to_owned()];
            let find = FindStoredTransactions { merchant: owner, account, bank_ids, range };
            let mut database = self.database.read(find.clone()).await.unwrap();
            let model = self.model.read(find).await.unwrap();
            database.sort_by_key(|row| row.shown.id);
            assert_eq!(database, model);
        }
    }

    async fn compare_events(&self, owner: MerchantId) {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let family: Vec<String> = words(&["financial_connections.account.*"]);
        let types: [Vec<String>; 3] = [vec![], family.clone(), words(&TYPES)];
        for types in &types {
            for delivery_success in [None, Some(true), Some(false)] {
                self.compare_event_list(owner, types, delivery_success).await;
            }
        }
        for endpoint in [None, Some(1), Some(2)] {
            let statuses = DeliveryStatus::ALL.iter().copied().map(Some);
            for status in statuses.chain([None]) {
                self.compare_ledger(owner, endpoint.map(EndpointId::from_number), status).await;
            }
        }
        for limit in [1, 99] {
            let endpoints = [1, 2].map(EndpointId::from_number).to_vec();
            let (now, account_now) = (self.time.now(), AccountTime(2));
            self.read(ListOpenWork { merchant: owner, endpoints, now, account_now, limit }).await;
        }
        for (limit, bytes_max) in [(3, usize::MAX), (99, 2_000)] {
            self.read(ListUndispatched { merchant: owner, limit, bytes_max }).await;
        }
        for account in [None, Some(AccountId::from_number(1)), Some(AccountId::from_number(2))] {
            for types in &types {
                let list = |after| ListFeed {
                    merchant: owner,
                    account,
                    types: types.clone(),
                    after,
                    limit: 2,
                };
                let listed = self.read(list(0)).await;
                for stored in listed {
                    self.read(list(stored.feed)).await;
                }
            }
        }
    }

    async fn compare_event_list(
        &self,
        owner: MerchantId,
        types: &[String],
        delivery_success: Option<bool>,
    ) {
        let list = |page| ListEvents {
            merchant: owner,
            types: types.to_vec(),
            created: Bounds::default(),
            delivery_success,
            only_thin: false,
            in_preview: true,
            page,
        };
        let listed = self.read(list(first())).await.items;
        for stored in &listed {
            self.read(FindEvent { merchant: owner, event: stored.event.id }).await;
            self.read(ListDeliveries { merchant: owner, event: stored.event.id }).await;
        }
        for page in pages(listed.iter().map(StoredEvent::place)) {
            self.read(list(page)).await;
        }
        let created = Bounds { from: Some(T0.0), to: Some(T0.0) };
        self.read(ListEvents { created, ..list(first()) }).await;
    }

    async fn compare_ledger(
        &self,
        owner: MerchantId,
        endpoint: Option<EndpointId>,
        status: Option<DeliveryStatus>,
    ) {
        let list = |page| ListLedger { merchant: owner, endpoint, status, page };
        let listed = self.read(list(first())).await.items;
        let mut positions = Vec::new();
        for (delivery, _) in &listed {
            let find = FindEvent { merchant: owner, event: delivery.key.event };
            let Some(stored) = self.read(find).await else { continue };
            positions.push(DeliveryPlace::of(stored.place(), delivery.key));
        }
        for page in pages(positions.into_iter()) {
            self.read(list(page)).await;
        }
    }
}

/// Types that the steps of the test use.
const TYPES: [&str; 2] = [
    "financial_connections.account.refreshed_balance",
    "financial_connections.account.reactivated",
];

fn first<P>() -> Page<P> {
    Page { limit: 100, cursor: Cursor::Newest }
}

/// Small pages before and after every position.
fn pages<P: Copy>(positions: impl Iterator<Item = P>) -> Vec<Page<P>> {
    let cursors =
        positions.flat_map(|position| [Cursor::After(position), Cursor::Before(position)]);
    cursors.map(|cursor| Page { limit: 2, cursor }).collect()
}
