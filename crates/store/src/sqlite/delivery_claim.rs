//! The claim of due deliveries.

use super::delivery::read;
use super::generation::Idle;
use super::share::share_owner;
use super::target::Target;
use super::{Batch, Failure, Param, Reading, column, next_claim};
use crate::ClaimDeliveries;
use crate::command::delivery::EndpointOwners;
use crate::command::share::{Candidate, choose};
use model::delivery::Delivery;
use model::id::{EndpointId, EventId, MerchantId};
use rusqlite::params;
use std::collections::btree_map::Entry;

/// Exempt like the other statements of claims, because they work for all merchants. The order is that
/// of the index of due deliveries, which `SQLite` would not choose for the lowest endpoint alone.
pub(super) const FIND_NEXT_ENDPOINT: &str = "SELECT endpoint FROM deliveries \
     WHERE status = 'pending' AND endpoint > ?1 ORDER BY endpoint, due_at LIMIT 1";
pub(super) const LIST_DUE_OF_ENDPOINT: &str = "SELECT shard, number, endpoint, merchant, status, \
     attempts, due_at, claim, leased_until, payload, resent_from, hit, bucket \
     FROM deliveries WHERE status = 'pending' AND endpoint = ?1 AND due_at <= ?2 \
     AND (leased_until IS NULL OR leased_until <= ?2) \
     ORDER BY due_at, shard, number LIMIT ?3";
/// Changes no row if another worker has claimed it since the statement above has read it. It returns
/// no row, because `SQLite` would copy the returned row into a table of its own.
pub(super) const CLAIM_DELIVERY: &str = "UPDATE deliveries \
     SET claim = :claim + 1, leased_until = :leased_until \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND endpoint = :endpoint \
     AND merchant = :merchant AND claim = :claim";

/// A due delivery with its target.
struct Due {
    target: i64,
    /// Its position among the due deliveries of its target.
    rank: usize,
    delivery: Delivery,
    /// The bucket and the owner of its row.
    row: [i64; 2],
}

/// A target of which a claim reads deliveries, and the most that it may take.
type Room = (i64, usize);

/// Claims due deliveries.
pub(crate) fn claim(
    command: &ClaimDeliveries,
    batch: &Batch<'_>,
) -> Result<Vec<Delivery>, Failure> {
    let claimed = claim_with_owners(command, batch)?;
    Ok(claimed.into_iter().map(|(delivery, _)| delivery).collect())
}

/// Claims due deliveries. Returns each with the owner of its share.
pub(super) fn claim_with_owners(
    command: &ClaimDeliveries,
    batch: &Batch<'_>,
) -> Result<Vec<(Delivery, MerchantId)>, Failure> {
    let due = list_due(command, &batch.reading())?;
    let mut claimed = Vec::with_capacity(due.len());
    for (Due { mut delivery, row: [bucket, row_owner], .. }, owner) in due {
        let EventId { shard, number } = delivery.key.event;
        let endpoint = Target::of(delivery.key).column();
        let values: [Param<'_>; 7] = [
            (":claim", &delivery.claim),
            (":leased_until", &command.leased_until.0),
            (":bucket", &bucket),
            (":shard", &column(shard)),
            (":number", &column(number)),
            (":endpoint", &endpoint),
            (":merchant", &row_owner),
        ];
        if batch.execute_named(CLAIM_DELIVERY, &[&values])? == 1 {
            delivery.claim = next_claim(delivery.claim)?;
            delivery.leased_until = Some(command.leased_until);
            claimed.push((delivery, owner));
        }
    }
    Ok(claimed)
}

/// The due deliveries that a claim takes, in the order of their turns, with the owners of their
/// shares.
///
/// Each target is read as far as an equal part of the claim. A target that has more is read again, twice
/// as far, if its merchant ran out of deliveries before the claim was full.
fn list_due(
    command: &ClaimDeliveries,
    reading: &Reading<'_>,
) -> Result<Vec<(Due, MerchantId)>, Failure> {
    let idle = Idle::list(reading)?;
    let mut owners = command.owners();
    let mut open = targets_with_room(command, &owners, reading)?;
    let mut due: Vec<Due> = Vec::new();
    let mut depth = 0;
    loop {
        depth = command.limit.div_ceil(open.len().max(1)).max(2 * depth);
        due.retain(|one| !open.iter().any(|(target, _)| *target == one.target));
        let mut with_more = Vec::new();
        for (target, room) in open {
            let most = room.min(depth);
            let before = due.len();
            list_target((target, most), command, &idle, &mut due, reading)?;
            if due.len() - before == most && most < room {
                with_more.push((target, room));
            }
        }
        add_owners(&mut owners, &due, reading)?;
        let owner = |endpoint| owners.get(&endpoint).copied();
        let candidates: Vec<Candidate<EndpointId>> = due
            .iter()
            .filter_map(|Due { delivery, rank, .. }| {
                Some(ClaimDeliveries::candidate(delivery, *rank, owner(delivery.key.endpoint)?))
            })
            .collect();
        let allows = |used| command.allows(used);
        let choice = choose(&candidates, command.limit, command.shares(), allows);
        open = with_more;
        open.retain(|(target, _)| {
            let endpoint = Target::of_column(*target).endpoint;
            owner(endpoint).is_some_and(|owner| {
                choice.ran_out.contains(&owner) && !choice.refused.contains(&(owner, endpoint))
            })
        });
        if open.is_empty() {
            let mut due: Vec<_> = due.into_iter().map(Some).collect();
            let taken = choice.taken.into_iter();
            let taken = taken.filter_map(|at| Some((due[at].take()?, candidates[at].owner)));
            return Ok(taken.collect());
        }
    }
}

/// Adds the owners of endpoints without deliveries in flight. Each is that of the first due delivery.
fn add_owners(
    owners: &mut EndpointOwners,
    due: &[Due],
    reading: &Reading<'_>,
) -> Result<(), Failure> {
    for outcome in [false, true] {
        let first = due.iter().filter(|one| one.rank == 0 && one.delivery.key.outcome == outcome);
        for Due { delivery, row: [_, row_owner], .. } in first {
            if let Entry::Vacant(unknown) = owners.entry(delivery.key.endpoint) {
                unknown.insert(share_owner(delivery.merchant, *row_owner, reading)?);
            }
        }
    }
    Ok(())
}

/// The targets with pending deliveries and a free share.
fn targets_with_room(
    command: &ClaimDeliveries,
    owners: &EndpointOwners,
    reading: &Reading<'_>,
) -> Result<Vec<Room>, Failure> {
    let shares = command.shares();
    let mut open = Vec::new();
    let mut last = i64::MIN;
    while let Some(target) =
        reading.find(FIND_NEXT_ENDPOINT, [last], |row| Ok(row.get::<_, i64>(0)?))?
    {
        let room = command.room(Target::of_column(target).endpoint, owners, &shares);
        if room > 0 {
            open.push((target, room));
        }
        last = target;
    }
    Ok(open)
}

/// Adds the first due deliveries of a target.
fn list_target(
    (target, most): Room,
    command: &ClaimDeliveries,
    idle: &Idle,
    due: &mut Vec<Due>,
    reading: &Reading<'_>,
) -> Result<(), Failure> {
    let key = params![target, command.now.0, idle.limit(most)];
    let listed = reading.list(LIST_DUE_OF_ENDPOINT, key, |row| {
        let owner = row.get(3)?;
        let read = |merchant| Ok((read(merchant, row, reading.seal)?, [row.get(12)?, owner]));
        idle.pass(owner, reading, read)
    })?;
    let listed = listed.into_iter().flatten().take(most).enumerate();
    due.extend(listed.map(|(rank, (delivery, row))| Due { target, rank, delivery, row }));
    Ok(())
}
