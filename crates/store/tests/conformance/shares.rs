//! The shares of merchants: a merchant with much due work leaves room for the others, and merchants take
//! turns.

use crate::delivery::{claim, dispatched_of, keys, load};
use crate::fixture::{Fixture, T0, account, job, merchant, on_both, test_clock};
use model::account::Account;
use model::bank::Feature;
use model::clock::{AccountTime, ClockStatus, TestClock};
use model::connected_account::ConnectedAccount;
use model::id::{InstitutionId, MerchantId};
use std::ops::RangeInclusive;
use store::{
    ClaimClocks, ClaimDeliveries, ClaimRefreshes, ContinueDeliveries, ListDueAccounts, Object,
    RefreshLoad, StartAdvance,
};

/// Merchants take turns, and within a merchant its endpoints do.
#[test]
fn merchants_take_turns() {
    on_both(async |fixture| {
        for number in 11..=13 {
            let due = [(1, -50), (2, -40), (3, -30)];
            dispatched_of(&fixture, merchant(1), number, &due).await;
        }
        for number in 21..=22 {
            dispatched_of(&fixture, merchant(2), number, &[(4, -10)]).await;
        }
        dispatched_of(&fixture, merchant(3), 31, &[(5, -20)]).await;
        let claimed = fixture.write(claim(&fixture, 6)).await;
        assert_eq!(keys(&claimed), [(11, 1), (31, 5), (21, 4), (11, 2), (22, 4), (11, 3)]);
        let claimed = fixture.write(claim(&fixture, 9)).await;
        assert_eq!(
            keys(&claimed),
            [(12, 1), (12, 2), (12, 3), (13, 1), (13, 2), (13, 3)],
            "the endpoints of the first merchant take turns"
        );
    });
}

/// A delivery is claimed while the deliveries in flight of its merchant and of its endpoint are together
/// fewer than the free places. So places stay free for merchants and endpoints without deliveries in
/// flight.
#[test]
fn a_merchant_leaves_places_free() {
    on_both(async |fixture| {
        for number in 11..=16 {
            dispatched_of(&fixture, merchant(1), number, &[(1, -9), (2, -9)]).await;
        }
        let narrow = |free, in_flight| ClaimDeliveries { free, in_flight, ..claim(&fixture, 9) };
        // The fifth would need more free places than its merchant and its endpoint have used.
        let claimed = fixture.write(narrow(8, vec![])).await;
        assert_eq!(keys(&claimed), [(11, 1), (11, 2), (12, 1), (12, 2)]);
        let busy = || vec![load(1, 1, 2), load(1, 2, 2)];
        assert_eq!(keys(&fixture.write(narrow(4, busy())).await), []);
        dispatched_of(&fixture, merchant(2), 21, &[(4, -1)]).await;
        dispatched_of(&fixture, merchant(1), 17, &[(3, -1)]).await;
        let claimed = fixture.write(narrow(4, busy())).await;
        assert_eq!(keys(&claimed), [(21, 4)], "the share of the first merchant is used up");
        let claimed = fixture.write(narrow(5, busy())).await;
        assert_eq!(keys(&claimed), [(17, 3)], "a new endpoint has more room than the busy ones");
        assert_eq!(keys(&fixture.write(narrow(6, busy())).await), []);
        assert_eq!(keys(&fixture.write(narrow(7, busy())).await), [(13, 1)]);
        assert_eq!(keys(&fixture.write(narrow(0, vec![])).await), []);
    });
}

/// The first deliveries of many merchants are claimed while another merchant has more due than the claim.
#[test]
fn a_merchant_with_much_due_is_read_no_further_than_its_turns() {
    on_both(async |fixture| {
        for number in 11..=18 {
            dispatched_of(&fixture, merchant(1), number, &[(1, -60)]).await;
        }
        dispatched_of(&fixture, merchant(2), 21, &[(2, -1)]).await;
        dispatched_of(&fixture, merchant(2), 22, &[(3, -1)]).await;
        let claimed = fixture.write(claim(&fixture, 5)).await;
        assert_eq!(keys(&claimed), [(11, 1), (21, 2), (12, 1), (22, 3), (13, 1)]);
    });
}

/// A connected account uses the share of its platform, with endpoints of its own and of the platform.
#[test]
fn a_connected_account_uses_the_share_of_its_platform() {
    on_both(async |fixture| {
        let account = ConnectedAccount::of(merchant(1), "acct_one", false, AccountTime(0));
        fixture.create(Object::PlatformTie(account.tie())).await;
        let connected = account.acts_as();
        dispatched_of(&fixture, connected, 11, &[(1, -3), (2, -2)]).await;
        dispatched_of(&fixture, merchant(1), 12, &[(3, -1)]).await;
        let of = |merchant: MerchantId, free| {
            let load = load(merchant.number() - 100, 9, 3);
            ClaimDeliveries { free, in_flight: vec![load], ..claim(&fixture, 9) }
        };
        assert_eq!(keys(&fixture.write(of(merchant(1), 3)).await), []);
        let next = ContinueDeliveries { settled: [].into(), claim: Some(of(merchant(2), 9)) };
        let claimed = fixture.write(next).await;
        assert_eq!(keys(&claimed.claimed), [(11, 1), (11, 2), (12, 3)]);
        assert_eq!(claimed.owners, [merchant(1); 3]);
    });
}

/// Links accounts of a merchant at an institution, each with a due refresh.
async fn due_refreshes(
    fixture: &Fixture,
    owner: MerchantId,
    institution: u64,
    accounts: RangeInclusive<u64>,
) {
    for number in accounts {
        let institution = InstitutionId::from_number(institution);
        let mut linked = Account { institution, ..account(owner, number) };
        linked.start_refresh(Feature::Balance, T0);
        fixture.link(linked.clone(), vec![job(&linked, Feature::Balance, 1)]).await;
    }
}

pub(crate) fn claim_refreshes(fixture: &Fixture, limit: usize) -> ClaimRefreshes {
    let now = fixture.time.now();
    let leased_until = now.plus_ms(1_000);
    ClaimRefreshes { now, leased_until, limit, free: 999, in_progress: vec![] }
}

fn busy(owner: u64, institution: u64, refreshes: usize) -> RefreshLoad {
    let institution = InstitutionId::from_number(institution);
    RefreshLoad { owner: merchant(owner), institution, refreshes }
}

/// The accounts of claimed refreshes.
async fn refreshed(fixture: &Fixture, claim: ClaimRefreshes) -> Vec<u64> {
    let claimed = fixture.write(claim).await;
    assert_eq!(claimed.jobs.len(), claimed.loads.len());
    claimed.jobs.iter().map(|job| job.key.account.number()).collect()
}

/// A merchant with one due refresh has its turn beside a merchant with many that were due earlier.
#[test]
fn refreshes_of_merchants_take_turns() {
    on_both(async |fixture| {
        due_refreshes(&fixture, merchant(2), 1, 11..=19).await;
        due_refreshes(&fixture, merchant(1), 1, 21..=22).await;
        due_refreshes(&fixture, merchant(3), 1, 31..=31).await;
        let first = refreshed(&fixture, claim_refreshes(&fixture, 5)).await;
        assert_eq!(first, [11, 21, 31, 12, 22]);
        assert_eq!(refreshed(&fixture, claim_refreshes(&fixture, 3)).await, [13, 14, 15]);
    });
}

/// A merchant, and an institution, have at most as many refreshes in progress as places are free. The
/// refreshes of an institution without a free share do not hide others behind them.
#[test]
fn refreshes_leave_places_free() {
    on_both(async |fixture| {
        due_refreshes(&fixture, merchant(1), 7, 11..=16).await;
        due_refreshes(&fixture, merchant(1), 8, 17..=17).await;
        due_refreshes(&fixture, merchant(2), 8, 21..=21).await;
        let narrow = |limit, free, in_progress| ClaimRefreshes {
            free,
            in_progress,
            ..claim_refreshes(&fixture, limit)
        };
        let slow = vec![busy(3, 7, 4)];
        assert_eq!(refreshed(&fixture, narrow(2, 4, slow)).await, [17, 21]);
        let of_merchant = vec![busy(1, 9, 4)];
        assert_eq!(refreshed(&fixture, narrow(9, 4, of_merchant)).await, [0; 0]);
        assert_eq!(refreshed(&fixture, narrow(9, 4, vec![])).await, [11, 12]);
        assert_eq!(refreshed(&fixture, narrow(9, 0, vec![])).await, [0; 0]);
        assert_eq!(refreshed(&fixture, narrow(9, 99, vec![])).await, [13, 14, 15, 16]);
    });
}

/// Refreshes of connected accounts use the share of their platform.
#[test]
fn refreshes_of_connected_accounts_use_the_share_of_the_platform() {
    on_both(async |fixture| {
        let account = ConnectedAccount::of(merchant(1), "acct_one", false, AccountTime(0));
        fixture.create(Object::PlatformTie(account.tie())).await;
        due_refreshes(&fixture, account.acts_as(), 1, 11..=12).await;
        due_refreshes(&fixture, merchant(2), 1, 21..=22).await;
        let claim = claim_refreshes(&fixture, 1);
        let of_platform = ClaimRefreshes { free: 3, in_progress: vec![busy(1, 9, 3)], ..claim };
        let claimed = fixture.write(of_platform).await;
        assert_eq!(claimed.loads, [busy(2, 1, 1)]);
        let claimed = fixture.write(claim_refreshes(&fixture, 2)).await;
        assert_eq!(claimed.loads, [busy(1, 1, 1), busy(2, 1, 1)]);
    });
}

/// Merchants take turns with the due work of their accounts.
#[test]
fn due_accounts_take_turns() {
    on_both(async |fixture| {
        for (owner, number, at) in [(1, 11, 10), (1, 12, 10), (1, 13, 20), (2, 21, 30), (2, 22, 31)]
        {
            let daily_due_at = Some(AccountTime(at));
            let linked = Account { daily_due_at, ..account(merchant(owner), number) };
            fixture.link(linked, vec![]).await;
        }
        let list = async |limit| {
            let due = fixture.read(ListDueAccounts { now: AccountTime(31), limit }).await;
            due.iter().map(|account| account.id.number()).collect::<Vec<_>>()
        };
        assert_eq!(list(2).await, [11, 21]);
        assert_eq!(list(9).await, [11, 21, 12, 22, 13]);
    });
}

/// A merchant with many advances leaves places to others, and the next place is for the merchant after
/// the last claim.
#[test]
fn advances_leave_places_free() {
    on_both(async |fixture| {
        for (owner, number) in [(1, 5), (1, 6), (1, 7), (2, 8), (3, 9)] {
            let clock = test_clock(merchant(owner), number);
            fixture.create(Object::TestClock(clock.clone())).await;
            let clock = TestClock { version: 2, status: ClockStatus::Advancing, ..clock };
            fixture.done(StartAdvance { clock, events: vec![], reply: None }).await;
        }
        let claim = async |free, after, in_progress: &[u64]| {
            let now = fixture.time.now();
            let in_progress = in_progress.iter().map(|number| merchant(*number)).collect();
            // The lease ends at once, so the next claim finds all advances again.
            let claim = ClaimClocks { now, leased_until: now, after, limit: 3, free, in_progress };
            let claims = fixture.write(claim).await;
            (claims.iter().map(|claim| claim.clock.number()).collect::<Vec<_>>(), claims)
        };
        let (numbers, first) = claim(9, None, &[]).await;
        assert_eq!(numbers, [5, 8, 9]);
        assert_eq!(claim(9, Some(first[1]), &[]).await.0, [9, 5, 8]);
        assert_eq!(
            claim(1, None, &[1, 1]).await.0,
            [8],
            "the first merchant leaves the place free"
        );
        assert_eq!(claim(3, None, &[1, 1]).await.0, [5, 8, 9]);
    });
}
