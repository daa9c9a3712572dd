//! The guide's calls, from the customer to the end of the subscription.

use crate::{EMAIL, Merchant, Outcome, Step, equal, holds, refresh_of};
use stripe_core::customer::CreateCustomer;
use stripe_misc::financial_connections_account::{
    ListFinancialConnectionsAccount, ListOwnersFinancialConnectionsAccount,
    RefreshFinancialConnectionsAccount, RefreshFinancialConnectionsAccountFeatures,
    RetrieveFinancialConnectionsAccount, SubscribeFinancialConnectionsAccount,
    SubscribeFinancialConnectionsAccountFeatures, UnsubscribeFinancialConnectionsAccount,
    UnsubscribeFinancialConnectionsAccountFeatures,
};
use stripe_misc::financial_connections_session::{
    CreateFinancialConnectionsSession, CreateFinancialConnectionsSessionAccountHolder,
    CreateFinancialConnectionsSessionAccountHolderType, RetrieveFinancialConnectionsSession,
};
use stripe_misc::financial_connections_transaction::{
    ListFinancialConnectionsTransaction, ListFinancialConnectionsTransactionTransactionRefresh,
};
use stripe_misc::webhook_endpoint::{CreateWebhookEndpoint, CreateWebhookEndpointEnabledEvents};
use stripe_misc::{FinancialConnectionsSessionPermissions, FinancialConnectionsSessionPrefetch};
use stripe_webhook::{EventObject, Webhook};

pub const STEPS: &[Step] = &[
    ("an endpoint is made with the client's own version", an_endpoint),
    ("a customer is made", a_customer),
    ("a session asks for transactions, and its holder links an account", a_session),
    ("subscribing starts a refresh, and a webhook tells of its end", subscribing),
    ("transactions are listed page by page", paging),
    ("after a refresh only what came later is listed", later),
    ("unsubscribing keeps what was refreshed", unsubscribing),
    ("a prefetch starts with the link; owners come with their permission", prefetch),
];

fn an_endpoint(merchant: &mut Merchant) -> Outcome {
    let version = stripe_shared::version::VERSION;
    let all = vec![CreateWebhookEndpointEnabledEvents::All];
    let endpoint = CreateWebhookEndpoint::new(all, &*merchant.inbox.url)
        .api_version(version.clone())
        .send_blocking(&merchant.client)?;
    merchant.secret = endpoint.secret.ok_or("no secret")?;
    equal(endpoint.api_version, Some(version.to_string()))
}

fn a_customer(merchant: &mut Merchant) -> Outcome {
    let customer =
        CreateCustomer::new().email(EMAIL).phone("2025550100").send_blocking(&merchant.client)?;
    merchant.customer = customer.id.to_string();
    equal(customer.email.as_deref(), Some(EMAIL))
}

pub fn session(customer: &str) -> CreateFinancialConnectionsSession {
    let mut holder = CreateFinancialConnectionsSessionAccountHolder::new(
        CreateFinancialConnectionsSessionAccountHolderType::Customer,
    );
    holder.customer = Some(customer.to_owned());
    let transactions = vec![FinancialConnectionsSessionPermissions::Transactions];
    CreateFinancialConnectionsSession::new(holder, transactions)
}

fn a_session(merchant: &mut Merchant) -> Outcome {
    let made = session(&merchant.customer).send_blocking(&merchant.client)?;
    let form = format!("carrier={}&accounts[]=Success", made.id);
    merchant.server.help("/financial_connections/link", &form)?;
    let linked =
        RetrieveFinancialConnectionsSession::new(made.id).send_blocking(&merchant.client)?;
    let account = linked.accounts.data.first().ok_or("no account was linked")?;
    merchant.account = account.id.to_string();
    equal(linked.accounts.data.len(), 1)?;
    holds(account.transaction_refresh.is_none(), "nothing was refreshed")
}

fn subscribing(merchant: &mut Merchant) -> Outcome {
    let features = vec![SubscribeFinancialConnectionsAccountFeatures::Transactions];
    let account = SubscribeFinancialConnectionsAccount::new(&*merchant.account, features)
        .send_blocking(&merchant.client)?;
    equal(account.subscriptions.as_ref().map(Vec::len), Some(1))?;
    merchant.refresh = refresh_of(&account)?;
    merchant.told(&merchant.refresh.clone())
}

fn paging(merchant: &mut Merchant) -> Outcome {
    let rows = ListFinancialConnectionsTransaction::new(&*merchant.account)
        .limit(40)
        .paginate()
        .get_all(&merchant.client)?;
    holds(rows.len() > 100, &format!("{} are more than 100", rows.len()))?;
    let own = rows.iter().all(|row| row.transaction_refresh == merchant.refresh);
    holds(own, "the one refresh brought all rows")
}

fn later(merchant: &mut Merchant) -> Outcome {
    let path = format!("/financial_connections/accounts/{}/transactions", merchant.account);
    merchant.server.help(&path, "amount=-1200&description=Blue%20Door%20Coffee")?;
    let features = vec![RefreshFinancialConnectionsAccountFeatures::Transactions];
    let account = RefreshFinancialConnectionsAccount::new(&*merchant.account, features)
        .send_blocking(&merchant.client)?;
    let before = std::mem::replace(&mut merchant.refresh, refresh_of(&account)?);
    merchant.told(&merchant.refresh.clone())?;
    let rows = ListFinancialConnectionsTransaction::new(&*merchant.account)
        .transaction_refresh(ListFinancialConnectionsTransactionTransactionRefresh::new(before))
        .paginate()
        .get_all(&merchant.client)?;
    let own = rows.iter().all(|row| row.transaction_refresh == merchant.refresh);
    holds(own, "only the later refresh is listed")?;
    let coffee = rows.iter().find(|row| row.description == "Blue Door Coffee");
    equal(coffee.map(|row| row.amount), Some(-1200))
}

fn unsubscribing(merchant: &mut Merchant) -> Outcome {
    let features = vec![UnsubscribeFinancialConnectionsAccountFeatures::Transactions];
    let account = UnsubscribeFinancialConnectionsAccount::new(&*merchant.account, features)
        .send_blocking(&merchant.client)?;
    equal(refresh_of(&account)?, merchant.refresh.clone())?;
    equal(account.subscriptions.map(|list| list.len()), Some(0))
}

fn prefetch(merchant: &mut Merchant) -> Outcome {
    let prefetch = vec![
        FinancialConnectionsSessionPrefetch::Transactions,
        FinancialConnectionsSessionPrefetch::Ownership,
    ];
    let mut holder = CreateFinancialConnectionsSessionAccountHolder::new(
        CreateFinancialConnectionsSessionAccountHolderType::Customer,
    );
    holder.customer = Some(merchant.customer.clone());
    let permissions = vec![
        FinancialConnectionsSessionPermissions::Transactions,
        FinancialConnectionsSessionPermissions::Ownership,
    ];
    let made = CreateFinancialConnectionsSession::new(holder, permissions)
        .prefetch(prefetch)
        .send_blocking(&merchant.client)?;
    let form = format!("carrier={}&accounts[]=High%20Balance", made.id);
    merchant.server.help("/financial_connections/link", &form)?;
    let listed = ListFinancialConnectionsAccount::new()
        .session(made.id.to_string())
        .send_blocking(&merchant.client)?;
    let linked = listed.data.first().ok_or("no account was linked")?;
    merchant.told(&refresh_of(linked)?)?;
    let secret = merchant.secret.clone();
    merchant.inbox.wait("the owners", |delivery| {
        let event = Webhook::construct_event(&delivery.body, &delivery.signature, &secret).ok()?;
        match event.data.object {
            EventObject::FinancialConnectionsAccountRefreshedOwnership(account) => {
                (account.id == linked.id).then_some(())
            }
            _ => None,
        }
    })?;
    let shown = RetrieveFinancialConnectionsAccount::new(linked.id.clone())
        .expand(vec!["ownership".to_owned()])
        .send_blocking(&merchant.client)?;
    let ownership = shown.ownership.ok_or("no owners are known")?;
    let ownership = ownership.as_object().ok_or("the owners were not expanded")?;
    let owners =
        ListOwnersFinancialConnectionsAccount::new(linked.id.clone(), ownership.id.to_string())
            .send_blocking(&merchant.client)?;
    let names = |owners: &[stripe_misc::FinancialConnectionsAccountOwner]| {
        owners.iter().map(|owner| owner.name.clone()).collect::<Vec<_>>()
    };
    equal(names(&owners.data), names(&ownership.owners.data))
}
