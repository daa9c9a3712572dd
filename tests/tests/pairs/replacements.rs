//! Pairs of a write and a call that replaces the whole sandbox or takes a snapshot of it. Each outcome is
//! that of one order.

use bankfeed_tests::pairs::kinds::{REPLACEMENTS, TAKE, kind};
use bankfeed_tests::pairs::lane::Lane;
use bankfeed_tests::pairs::search::try_pair;
use testkit::Backend;

/// Writes of each sort: with and without a parent, of one commit and of several. Calls in a connected
/// account return 429 if a reset removes the account, so they are left out.
const WRITES: [&str; 12] = [
    "create_customer",
    "create_session",
    "create_subscription",
    "delete_clock",
    "delete_connected",
    "delete_customer",
    "delete_endpoint",
    "disconnect_account",
    "link_session",
    "pay_on_invoice_page",
    "refresh_account",
    "update_customer_email",
];

/// A write that overlaps a reset or a restore commits before it or after it. Both calls are held back
/// before each of their commands.
#[tokio::test]
async fn a_replacement_is_before_or_after_a_write() {
    for backend in [Backend::Memory, Backend::Temporary] {
        let mut lane = Lane::start(backend).await;
        for replacement in REPLACEMENTS {
            for write in WRITES.map(kind) {
                for pair in [[replacement, write], [write, replacement]] {
                    let found = try_pair(&mut lane, &pair).await;
                    assert!(found.overlapped > 0, "{} + {}", pair[0].name, pair[1].name);
                    assert!(found.broken.is_empty(), "{}", found.report());
                }
            }
        }
    }
}

/// Writes of one commit.
const COMMITS: [&str; 5] = [
    "create_customer",
    "create_subscription",
    "link_session",
    "refresh_account",
    "update_customer_email",
];

/// A snapshot that overlaps a write shows the state before the write or after it. Both calls are held
/// back before each of their commands. A call that takes a snapshot has read the rows before its first
/// command.
#[tokio::test]
async fn a_snapshot_is_before_or_after_a_write() {
    for backend in [Backend::Memory, Backend::Temporary] {
        let lane = Lane::start(backend).await;
        let before = lane.rows_after(None).await;
        for write in COMMITS.map(kind) {
            let after = lane.rows_after(Some(&write)).await;
            assert_ne!(before, after, "{}", write.name);
            let mut held = 0;
            while let Some(taken) = lane.rows_taken(&[TAKE, write], held).await {
                assert_eq!(taken, before, "{} after {held} writes", write.name);
                held += 1;
            }
            assert!(held >= 2, "a snapshot has a first and a last command");
            let taken = lane.rows_taken(&[write, TAKE], 0).await;
            assert_eq!(taken.as_ref(), Some(&before), "{} did not begin", write.name);
            assert_eq!(lane.rows_taken(&[write, TAKE], 1).await, None, "{}", write.name);
        }
    }
}
