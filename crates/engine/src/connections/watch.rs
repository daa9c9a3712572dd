//! Changes at the bank, turned into a change of the account and its events.

use crate::Engine;
use crate::connections::change::{push_event_of, record_interrupted_by};
use connectors::{BankAccount, Watch};
use model::account::{
    Account, AccountNumber, ExpectedDeactivation, NumberStatus, PaymentMethodType,
};
use model::clock::AccountTime;
use model::event::{Cause, Event, EventType};
use store::{AccountChange, Connection};

/// An account as connectors see it.
pub fn bank_account<'a>(account: &'a Account, connection: &'a Connection) -> BankAccount<'a> {
    BankAccount {
        institution: account.institution,
        bank_account: &account.bank_account,
        linked_at: account.created,
        relinked_at: connection.relinked_at,
        credential: &connection.credential,
        state: &connection.state,
    }
}

/// A connection that the holder renewed. Banks distinguish a link and its renewal even within the
/// same second. The account counts its renewals.
pub fn relinked(mut connection: Connection, account: &mut Account, now: AccountTime) -> Connection {
    account.renewals += 1;
    connection.relinked_at = now.max(account.created.plus(1));
    connection.version += 1;
    connection
}

impl Engine {
    /// Applies the bank's view of an account at this time. The change must carry the new version
    /// already, because events are numbered by it.
    pub fn observe(
        &self,
        change: &mut AccountChange,
        connection: &Connection,
        now: AccountTime,
        cause: Option<&Cause>,
    ) {
        let watch = self.connector.watch(&bank_account(&change.account, connection), now);
        take_over(change, watch, now, cause);
    }
}

/// Applies the bank's view of a new account. Its numbers, and access that is missing from the
/// start, emit no event. A foreseen loss of access does.
pub(crate) fn first_look(account: &mut Account, watch: Watch) -> Vec<EventType> {
    account.bank_due_at = watch.next_change_at;
    account.account_numbers = watch.account_numbers;
    account.expected_deactivation = watch.expected_deactivation;
    if let Some((cause, action)) = watch.lost {
        account.deactivate(cause, action);
        return Vec::new();
    }
    account.supported_payment_method_types = supported_types(account);
    let numbers = number_news(&[], &account.account_numbers);
    let of_numbers = numbers.into_iter().filter(|news| *news != EventType::AccountNumbersUpdated);
    of_numbers.chain(expectation_news(None, account.expected_deactivation)).collect()
}

/// The events of a new account: its creation, and the changes that its bank foresees.
pub(crate) fn first_events(
    account: &Account,
    news: &[EventType],
    now: AccountTime,
    cause: Option<&Cause>,
) -> Vec<Event> {
    let types = std::iter::once(&EventType::AccountCreated).chain(news);
    let mut events = Vec::new();
    for (place, event_type) in (0_u8..).zip(types) {
        events.push(Event::of_account(account, *event_type, place, now, cause.cloned()));
        events.extend(of_authorization(account, *event_type, now));
    }
    events
}

fn take_over(change: &mut AccountChange, watch: Watch, now: AccountTime, cause: Option<&Cause>) {
    let account = &mut change.account;
    account.bank_due_at = watch.next_change_at;
    if let Some((lost_cause, action)) = watch.lost {
        if let Some(interrupted) = account.deactivate(lost_cause, action) {
            record_interrupted_by(change, &interrupted, now, cause);
            push_event_of(change, EventType::AccountDeactivated, now, cause.cloned());
        }
        return;
    }
    let numbers = std::mem::replace(&mut account.account_numbers, watch.account_numbers);
    let expected =
        std::mem::replace(&mut account.expected_deactivation, watch.expected_deactivation);
    let types = supported_types(account);
    let types = std::mem::replace(&mut account.supported_payment_method_types, types);
    let types_changed = types != account.supported_payment_method_types;
    let news = number_news(&numbers, &change.account.account_numbers)
        .into_iter()
        .chain(types_changed.then_some(EventType::AccountSupportedPaymentMethodTypesUpdated))
        .chain(expectation_news(expected, change.account.expected_deactivation));
    for event_type in news.collect::<Vec<_>>() {
        push_event_of(change, event_type, now, cause.cloned());
        change.events.extend(of_authorization(&change.account, event_type, now));
    }
}

/// The event of a whole authorization that follows from a date of an account.
fn of_authorization(account: &Account, event_type: EventType, now: AccountTime) -> Option<Event> {
    let event_type = match event_type {
        EventType::AccountExpectedDeactivationDateUpdated => {
            EventType::AuthorizationExpectedDeactivationDateUpdated
        }
        EventType::AccountUpcomingDeactivation => EventType::AuthorizationUpcomingDeactivation,
        _ => return None,
    };
    Some(Event::of_authorization(account, event_type, now))
}

/// The payment method types that an account supports. An account with numbers pays while one of them
/// can move money.
fn supported_types(account: &Account) -> Vec<PaymentMethodType> {
    let numbers = &account.account_numbers;
    if numbers.is_empty() {
        return account.supported_payment_method_types.clone();
    }
    let pays = numbers.iter().any(|number| number.status == NumberStatus::Transactable);
    pays.then_some(PaymentMethodType::UsBankAccount).into_iter().collect()
}

fn number_news(before: &[AccountNumber], after: &[AccountNumber]) -> Vec<EventType> {
    let facts = |numbers: &[AccountNumber]| -> Vec<AccountNumber> {
        numbers.iter().map(|number| AccountNumber { announced: false, ..*number }).collect()
    };
    let mut news = Vec::new();
    if facts(before) != facts(after) {
        news.push(EventType::AccountNumbersUpdated);
    }
    // A number that replaced another is identified by its own expiry, and is announced again.
    let was_announced = |number: &AccountNumber| {
        before
            .iter()
            .any(|old| old.announced && old.expected_expiry_at == number.expected_expiry_at)
    };
    // The expiry of a number that has expired is not upcoming.
    let expires =
        |number: &&AccountNumber| number.announced && number.status == NumberStatus::Transactable;
    if after.iter().filter(expires).any(|number| !was_announced(number)) {
        news.push(EventType::AccountUpcomingAccountNumberExpiry);
    }
    news
}

fn expectation_news(
    before: Option<ExpectedDeactivation>,
    after: Option<ExpectedDeactivation>,
) -> Vec<EventType> {
    let mut news = Vec::new();
    if before.map(|expected| expected.at) != after.map(|expected| expected.at) {
        news.push(EventType::AccountExpectedDeactivationDateUpdated);
    }
    let announced = |expected: Option<ExpectedDeactivation>| {
        expected.filter(|expected| expected.announced).map(|expected| expected.at)
    };
    if announced(after).is_some() && announced(after) != announced(before) {
        news.push(EventType::AccountUpcomingDeactivation);
    }
    news
}
