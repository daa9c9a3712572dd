//! Feeds: claimed, dispatched and read by their numbers.

use crate::fixture::{Fixture, customer, delivery, event, merchant, next, on_both, reply};
use model::account::Account;
use model::delivery::DeliveryStatus;
use model::event::{Event, EventType};
use model::id::{AccountId, EventId, MerchantId};
use store::{
    AccountChange, ChangeAccount, ClaimFeeds, DispatchEvents, FeedClaim, FindEvent, ListDeliveries,
    ListFeed, ListUndispatched, ListWaitingFeeds, ResetSandbox, RestoreSnapshot, WaitingFeed,
    Written,
};

/// Changes an account, with one event. A millisecond passes.
async fn change(fixture: &Fixture, account: &mut Account) -> Event {
    *account = next(account);
    let event = event(account, EventType::AccountRefreshedBalance, 0);
    let change =
        AccountChange { events: vec![event.clone()], ..AccountChange::of(account.clone()) };
    fixture.done(ChangeAccount::of(change)).await;
    fixture.time.pass_ms(1);
    event
}

/// Dispatches events without deliveries.
async fn dispatch(fixture: &Fixture, claim: FeedClaim, events: &[&Event]) -> Written {
    let events = events.iter().map(|event| (event.id, vec![])).collect();
    fixture.write(DispatchEvents { claim, events, objects: vec![], leased_until: None }).await
}

fn feed(owner: MerchantId, after: u64) -> ListFeed {
    ListFeed { merchant: owner, account: None, types: vec![], after, limit: 9 }
}

/// The feed numbers and events after a number.
async fn numbers(fixture: &Fixture, list: ListFeed) -> Vec<(u64, EventId)> {
    let listed = fixture.read(list).await;
    listed.into_iter().map(|one| (one.feed, one.event.id)).collect()
}

/// An event gets the next number of its merchant when it is dispatched, and keeps it. Numbers follow
/// the order of the command, without gaps, and each merchant has its own.
#[test]
fn dispatch_numbers_events() {
    on_both(async |fixture| {
        let mut one = fixture.linked(merchant(1), 11).await;
        let mut two = fixture.linked(merchant(1), 12).await;
        let mut other = fixture.linked(merchant(2), 13).await;
        let first = change(&fixture, &mut two).await;
        let second = change(&fixture, &mut one).await;
        let third = change(&fixture, &mut two).await;
        let foreign = change(&fixture, &mut other).await;
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, []);
        let list = ListUndispatched { merchant: merchant(1), limit: 2, bytes_max: usize::MAX };
        let waiting = fixture.read(list).await;
        assert_eq!((waiting.feed, waiting.has_more), (0, true));
        assert_eq!(waiting.events, [first.clone(), second.clone()]);
        let claim = fixture.claim_feed(merchant(1), false).await.unwrap();
        assert_eq!(dispatch(&fixture, claim, &[&first, &second]).await, Written::Done);
        let waiting = fixture.read(list).await;
        assert_eq!((waiting.feed, waiting.has_more), (2, false));
        assert_eq!(waiting.events, std::slice::from_ref(&third));
        // Events that have a number, that do not exist or that belong to another merchant are
        // skipped.
        let mut missing = third.clone();
        missing.id.number += 1;
        let events = [&second, &missing, &foreign, &third];
        assert_eq!(dispatch(&fixture, claim, &events).await, Written::Done);
        let all = [(1, first.id), (2, second.id), (3, third.id)];
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, all);
        assert_eq!(numbers(&fixture, feed(merchant(1), 1)).await, all[1..]);
        let limited = ListFeed { limit: 1, ..feed(merchant(1), 1) };
        assert_eq!(numbers(&fixture, limited).await, all[1..2]);
        let of_account = ListFeed { account: Some(one.id), ..feed(merchant(1), 0) };
        assert_eq!(numbers(&fixture, of_account).await, all[1..2]);
        let types = vec!["customer.*".to_owned()];
        assert_eq!(numbers(&fixture, ListFeed { types, ..feed(merchant(1), 0) }).await, []);
        let find = FindEvent { merchant: merchant(1), event: third.id };
        assert_eq!(fixture.read(find).await.unwrap().feed, Some(3));
        let claim = fixture.claim_feed(merchant(2), false).await.unwrap();
        assert_eq!(dispatch(&fixture, claim, &[&foreign]).await, Written::Done);
        assert_eq!(numbers(&fixture, feed(merchant(2), 0)).await, [(1, foreign.id)]);
    });
}

/// A batch of waiting events ends at its size in bytes, and has at least one event.
#[test]
fn batches_are_bounded_in_bytes() {
    on_both(async |fixture| {
        let mut account = fixture.linked(merchant(1), 11).await;
        for _ in 0..3 {
            change(&fixture, &mut account).await;
        }
        let list = |bytes_max| ListUndispatched { merchant: merchant(1), limit: 9, bytes_max };
        for (bytes_max, expected) in [(0, 1), (1_500, 2), (100_000, 3)] {
            let waiting = fixture.read(list(bytes_max)).await;
            assert_eq!((waiting.events.len(), waiting.has_more), (expected, expected < 3));
        }
    });
}

/// A lease keeps others away until it is released or expires. A crash between claim and dispatch
/// therefore delays the events, and loses none.
#[test]
fn leases_expire() {
    on_both(async |fixture| {
        let mut account = fixture.linked(merchant(1), 11).await;
        assert_eq!(fixture.claim_feed(merchant(1), true).await, None, "no event waits");
        let event = change(&fixture, &mut account).await;
        let first = fixture.claim_feed(merchant(1), false).await.unwrap();
        assert_eq!(first.number, 1);
        assert_eq!(fixture.claim_feed(merchant(1), false).await, None);
        fixture.time.pass_ms(999);
        assert_eq!(fixture.claim_feed(merchant(1), false).await, None);
        fixture.time.pass_ms(1);
        let second = fixture.claim_feed(merchant(1), false).await.unwrap();
        assert_eq!(second.number, 2);
        assert_eq!(dispatch(&fixture, second, &[&event]).await, Written::Done);
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, [(1, event.id)]);
        // The dispatch released the lease.
        change(&fixture, &mut account).await;
        assert_eq!(fixture.claim_feed(merchant(1), false).await.unwrap().number, 3);
    });
}

/// Only the newest claim dispatches. A dispatcher with an older claim writes no delivery and no
/// number, whether it comes before or after the newer one.
#[test]
fn older_claims_are_rejected() {
    on_both(async |fixture| {
        let mut account = fixture.linked(merchant(1), 11).await;
        let event = change(&fixture, &mut account).await;
        let old = fixture.claim_feed(merchant(1), false).await.unwrap();
        let new = fixture.claim_feed(merchant(1), true).await.unwrap();
        let deliveries = vec![delivery(merchant(1), event.id, 1, fixture.time.now())];
        let stale = DispatchEvents {
            claim: old,
            events: vec![(event.id, deliveries)],
            objects: vec![],
            leased_until: None,
        };
        fixture.conflicts(stale.clone()).await;
        let list = ListDeliveries { merchant: merchant(1), event: event.id };
        assert!(fixture.read(list).await.is_empty());
        fixture.done(DispatchEvents { claim: new, ..stale.clone() }).await;
        fixture.conflicts(stale).await;
        let unknown = FeedClaim { number: new.number + 1, ..new };
        assert_eq!(dispatch(&fixture, unknown, &[]).await, Written::VersionConflict);
        let strange = FeedClaim { merchant: merchant(7), number: 0 };
        assert_eq!(dispatch(&fixture, strange, &[]).await, Written::VersionConflict);
        let written = fixture.read(list).await;
        assert_eq!(written.len(), 1);
        assert_eq!(written[0].0.status, DeliveryStatus::Pending);
    });
}

/// A released claim dispatches later events too, until the feed is claimed again.
#[test]
fn released_claims_stay_valid() {
    on_both(async |fixture| {
        let mut account = fixture.linked(merchant(1), 11).await;
        let first = change(&fixture, &mut account).await;
        let claim = fixture.claim_feed(merchant(1), false).await.unwrap();
        assert_eq!(dispatch(&fixture, claim, &[&first]).await, Written::Done);
        let second = change(&fixture, &mut account).await;
        assert_eq!(dispatch(&fixture, claim, &[&second]).await, Written::Done);
        let third = change(&fixture, &mut account).await;
        assert!(fixture.claim_feed(merchant(1), false).await.is_some());
        assert_eq!(dispatch(&fixture, claim, &[&third]).await, Written::VersionConflict);
        let list = ListUndispatched { merchant: merchant(1), limit: 9, bytes_max: usize::MAX };
        assert_eq!(fixture.read(list).await.events, [third]);
    });
}

/// Merchants with waiting events are listed by their number, with their claims.
#[test]
fn waiting_feeds_are_listed() {
    on_both(async |fixture| {
        for (owner, number) in [(3, 13), (1, 11), (2, 12)] {
            let mut account = fixture.linked(merchant(owner), number).await;
            change(&fixture, &mut account).await;
        }
        let list = |after, limit| ListWaitingFeeds { after, limit };
        let waiting =
            |owner| WaitingFeed { merchant: merchant(owner), claim: 0, leased_until: None };
        assert_eq!(fixture.read(list(None, 2)).await, [waiting(1), waiting(2)]);
        assert_eq!(fixture.read(list(Some(merchant(1)), 9)).await, [waiting(2), waiting(3)]);
        let now = fixture.time.now();
        let leased_until = now.plus_ms(5);
        let merchants = vec![merchant(3), merchant(7), merchant(1)];
        let claim = ClaimFeeds { merchants, now, leased_until, forced: false };
        let claims = fixture.write(claim).await;
        let claimed: Vec<MerchantId> = claims.iter().map(|claim| claim.merchant).collect();
        assert_eq!(claimed, [merchant(3), merchant(1)]);
        let claimed =
            |owner| WaitingFeed { claim: 1, leased_until: Some(leased_until), ..waiting(owner) };
        let all = [claimed(1), waiting(2), claimed(3)];
        assert_eq!(fixture.read(list(None, 9)).await, all);
        let event = fixture.undispatched(merchant(1)).await.remove(0);
        fixture.dispatch(merchant(1), event.id, vec![]).await;
        assert_eq!(fixture.read(list(None, 9)).await, all[1..]);
    });
}

/// A restore brings feed numbers back. The merchant's counter never goes back, so a number is used
/// once, and claims from before a restore or a reset are rejected.
#[test]
fn restored_events_keep_their_numbers() {
    on_both(async |fixture| {
        let mut account = fixture.linked(merchant(1), 11).await;
        let first = change(&fixture, &mut account).await;
        let waiting = change(&fixture, &mut account).await;
        fixture.dispatch(merchant(1), first.id, vec![]).await;
        let snapshot = crate::snapshot::take(&fixture, merchant(1), 1).await;
        fixture.dispatch(merchant(1), waiting.id, vec![]).await;
        let undone = change(&fixture, &mut account).await;
        let old = fixture.claim_feed(merchant(1), false).await.unwrap();
        assert_eq!(dispatch(&fixture, old, &[&undone]).await, Written::Done);
        fixture.restored(RestoreSnapshot { merchant: merchant(1), snapshot, reply: None }).await;
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, [(1, first.id)]);
        assert_eq!(dispatch(&fixture, old, &[&waiting]).await, Written::VersionConflict);
        fixture.dispatch(merchant(1), waiting.id, vec![]).await;
        let all = [(1, first.id), (4, waiting.id)];
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, all);
        let record = reply(merchant(1), "reset", fixture.time.now());
        fixture.is_reset(ResetSandbox { merchant: merchant(1), reply: Some(record) }).await;
        let mut later = fixture.linked(merchant(1), 12).await;
        assert_eq!(later.id, AccountId::from_number(12));
        let event = change(&fixture, &mut later).await;
        fixture.dispatch(merchant(1), event.id, vec![]).await;
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, [(5, event.id)]);
    });
}

/// A dispatch replaces objects in its own commit. If one has another version, nothing is written.
#[test]
fn objects_are_stored_with_the_dispatch() {
    on_both(async |fixture| {
        let mut account = fixture.linked(merchant(1), 11).await;
        let event = change(&fixture, &mut account).await;
        let claim = fixture.claim_feed(merchant(1), false).await.unwrap();
        let counter = |version| {
            let object = model::customer::Customer { version, ..customer(merchant(1), 9) };
            store::Object::Customer(object)
        };
        let dispatch = |version| DispatchEvents {
            claim,
            events: vec![(event.id, vec![])],
            objects: vec![counter(version)],
            leased_until: None,
        };
        fixture.conflicts(dispatch(2)).await;
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, []);
        fixture.done(dispatch(1)).await;
        fixture.conflicts(dispatch(1)).await;
        fixture.done(dispatch(2)).await;
        assert_eq!(numbers(&fixture, feed(merchant(1), 0)).await, [(1, event.id)]);
    });
}
