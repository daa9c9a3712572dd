//! Concurrent callers: every command is atomic, and commands run one after the other.

use crate::fixture::{account, begin, customer, job, merchant, sqlite};
use model::bank::Feature;
use model::clock::Clock;
use std::sync::Arc;
use store::{
    ChangeObject, ClaimRefreshes, CreateObject, Created, FindObject, Kind, Object, Store, Written,
};

fn on_both_with_threads(test: impl AsyncFn(crate::fixture::Fixture)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let time = begin();
    let store = Store::memory_model(Arc::clone(&time) as Arc<dyn Clock>);
    runtime.block_on(test(crate::fixture::Fixture { store, time }));
    let time = begin();
    let store = sqlite(Arc::clone(&time));
    runtime.block_on(test(crate::fixture::Fixture { store, time }));
}

/// Of many changes of the same version exactly one is committed. No change is lost.
#[test]
fn no_change_is_lost() {
    on_both_with_threads(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Customer(customer(owner, 1))).await;
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let store = fixture.store.clone();
            tasks.push(tokio::spawn(async move {
                let find = FindObject { merchant: owner, kind: Kind::Customer, number: 1 };
                let mut done = 0;
                while done < 10 {
                    let found = store.read(find).await.unwrap();
                    let Some(Object::Customer(mut customer)) = found else { unreachable!() };
                    customer.version += 1;
                    customer.balance += 1;
                    let change = ChangeObject::of(Object::Customer(customer));
                    if store.write(change).await.unwrap() == Written::Done {
                        done += 1;
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let find = FindObject { merchant: owner, kind: Kind::Customer, number: 1 };
        let Some(Object::Customer(customer)) = fixture.read(find).await else { unreachable!() };
        assert_eq!((customer.balance, customer.version), (80, 81));
    });
}

/// Workers that claim at the same time never claim the same refresh.
#[test]
fn a_refresh_is_claimed_by_one_worker() {
    on_both_with_threads(async |fixture| {
        for number in 11..=30 {
            let linked = account(merchant(1), number);
            fixture.link(linked.clone(), vec![job(&linked, Feature::Balance, 1)]).await;
        }
        let now = fixture.time.now();
        let claim = ClaimRefreshes {
            now,
            leased_until: now.plus_ms(1),
            limit: 3,
            free: 999,
            in_progress: vec![],
        };
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let (store, claim) = (fixture.store.clone(), claim.clone());
                tokio::spawn(async move { store.write(claim).await.unwrap() })
            })
            .collect();
        let mut claimed = Vec::new();
        for task in tasks {
            claimed.extend(task.await.unwrap().jobs.into_iter().map(|job| job.key.account));
        }
        claimed.sort_unstable();
        let before = claimed.len();
        claimed.dedup();
        assert_eq!((before, claimed.len()), (20, 20));
    });
}

/// A failing command does not affect the other commands of its group.
#[test]
fn a_failing_command_fails_alone() {
    on_both_with_threads(async |fixture| {
        let owner = merchant(1);
        fixture.create(Object::Customer(customer(owner, 1))).await;
        let tasks: Vec<_> = (0..60_u64)
            .map(|index| {
                let store = fixture.store.clone();
                // Every third customer has a number that exists.
                let number = if index % 3 == 0 { 1 } else { 100 + index };
                let command = CreateObject::of(Object::Customer(customer(owner, number)));
                tokio::spawn(async move { (number, store.write(command).await) })
            })
            .collect();
        for task in tasks {
            let (number, created) = task.await.unwrap();
            if number == 1 {
                assert!(created.is_err());
            } else {
                assert_eq!(created.unwrap(), Created::Done);
                assert!(fixture.find(owner, Kind::Customer, number).await.is_some());
            }
        }
    });
}

/// Closing a store runs the waiting commands. Later commands fail.
#[test]
fn a_closed_store_rejects_commands() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = sqlite(begin());
    runtime.block_on(async {
        assert!(store.is_ready());
        let waiting = store.clone();
        let command = CreateObject::of(Object::Customer(customer(merchant(1), 1)));
        let task = tokio::spawn(async move { waiting.write(command).await });
        tokio::task::yield_now().await;
        store.close().await;
        assert_eq!(task.await.unwrap().unwrap(), Created::Done);
        assert!(!store.is_ready());
        let late = CreateObject::of(Object::Customer(customer(merchant(1), 2)));
        assert!(store.write(late).await.is_err());
        let find = FindObject { merchant: merchant(1), kind: Kind::Customer, number: 1 };
        assert!(store.read(find).await.is_err());
        store.close().await;
    });
}
