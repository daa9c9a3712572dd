//! Pairs whose outcome depends on a look-up: is there another object with this value?

use bankfeed_tests::pairs::kinds::kind;
use bankfeed_tests::pairs::lane::Lane;
use bankfeed_tests::pairs::search::try_pair;
use testkit::Backend;

/// The pairs, each in both orders.
const PAIRS: &[[&str; 2]] = &[
    // Only one customer gets the prefix.
    ["create_customer_with_prefix", "create_customer_with_prefix"],
    ["create_customer_with_prefix", "update_customer_prefix"],
    // No subscription keeps a default that was detached.
    ["detach_other_method", "create_empty_subscription"],
    ["detach_other_method", "set_subscription_method"],
];

/// A look-up of a call is still true at its commit. The second call may change its result before.
#[tokio::test]
async fn look_ups_hold_at_the_commit() {
    for backend in [Backend::Memory, Backend::Temporary] {
        let mut lane = Lane::start(backend).await;
        for [one, other] in PAIRS {
            for [first, second] in [[one, other], [other, one]] {
                let found = try_pair(&mut lane, &[kind(first), kind(second)]).await;
                assert!(found.overlapped > 0, "{first} + {second}");
                assert!(found.broken.is_empty(), "{}", found.report());
            }
        }
    }
}
