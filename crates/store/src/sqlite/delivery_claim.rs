//! The claim of due deliveries.

use super::delivery::read;
use super::generation::Idle;
use super::target::Target;
use super::{Batch, Failure, Param, Reading, column, next_claim};
use crate::ClaimDeliveries;
use model::delivery::Delivery;
use model::id::{EndpointId, EventId};
use rusqlite::params;
use std::collections::HashMap;

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

/// A due delivery with its rank among those of its target.
struct Due {
    rank: usize,
    delivery: Delivery,
    /// The bucket and the owner of its row.
    row: [i64; 2],
}

/// Claims due deliveries round-robin by endpoint: the first of each, then the second of each.
pub(crate) fn claim(
    command: &ClaimDeliveries,
    batch: &Batch<'_>,
) -> Result<Vec<Delivery>, Failure> {
    let reading = batch.reading();
    let idle = Idle::list(&reading)?;
    let mut in_flight: HashMap<i64, usize> = HashMap::new();
    for (endpoint, count) in &command.in_flight {
        *in_flight.entry(column(endpoint.number())).or_default() += count;
    }
    let used_by = |endpoint: i64| {
        let number = Target::of_column(endpoint).endpoint.number();
        in_flight.get(&column(number)).copied().unwrap_or(0)
    };
    let mut free = Vec::new();
    let mut last = i64::MIN;
    while let Some(endpoint) =
        reading.find(FIND_NEXT_ENDPOINT, [last], |row| Ok(row.get::<_, i64>(0)?))?
    {
        let used = used_by(endpoint);
        if used < command.per_endpoint {
            free.push((endpoint, command.per_endpoint - used));
        }
        last = endpoint;
    }
    let mut due = list_due(command, free, &idle, &reading)?;
    due.sort_unstable_by_key(|Due { rank, delivery, .. }| {
        (*rank, delivery.due_at, delivery.key.endpoint, delivery.key.outcome)
    });
    // Both targets of an endpoint share its room.
    let mut taken: HashMap<EndpointId, usize> = HashMap::new();
    due.retain(|Due { delivery, .. }| {
        let endpoint = delivery.key.endpoint;
        let taken = taken.entry(endpoint).or_insert_with(|| used_by(column(endpoint.number())));
        *taken += 1;
        *taken <= command.per_endpoint
    });
    due.truncate(command.limit);
    let mut claimed = Vec::with_capacity(due.len());
    for Due { mut delivery, row: [bucket, owner], .. } in due {
        let EventId { shard, number } = delivery.key.event;
        let endpoint = Target::of(delivery.key).column();
        let values: [Param<'_>; 7] = [
            (":claim", &delivery.claim),
            (":leased_until", &command.leased_until.0),
            (":bucket", &bucket),
            (":shard", &column(shard)),
            (":number", &column(number)),
            (":endpoint", &endpoint),
            (":merchant", &owner),
        ];
        if batch.execute_named(CLAIM_DELIVERY, &[&values])? == 1 {
            delivery.claim = next_claim(delivery.claim)?;
            delivery.leased_until = Some(command.leased_until);
            claimed.push(delivery);
        }
    }
    Ok(claimed)
}

/// The due deliveries of endpoints, at most the free share of each. Those with the lowest ranks are
/// enough for a claim. Each endpoint is read as far as an equal share of the claim. Endpoints that have
/// more are read again, as far as a share of the rest.
fn list_due(
    command: &ClaimDeliveries,
    mut endpoints: Vec<(i64, usize)>,
    idle: &Idle,
    reading: &Reading<'_>,
) -> Result<Vec<Due>, Failure> {
    let mut due = Vec::new();
    let mut share = 0;
    while !endpoints.is_empty() && due.len() < command.limit {
        let left = command.limit - due.len();
        share = left.div_ceil(endpoints.len()).max(share + 1);
        let (mut with_more, mut of_those) = (Vec::new(), Vec::new());
        for (endpoint, free) in endpoints {
            let most = free.min(share);
            let key = params![endpoint, command.now.0, idle.limit(most)];
            let listed = reading.list(LIST_DUE_OF_ENDPOINT, key, |row| {
                let owner = row.get(3)?;
                let read = |merchant| Ok((read(merchant, row, reading.seal)?, [row.get(12)?, owner]));
                idle.pass(owner, reading, read)
            })?;
            let listed: Vec<_> = listed.into_iter().flatten().take(most).collect();
            let has_more = listed.len() == most && most < free;
            let ranked = (1..).zip(listed);
            let ranked = ranked.map(|(rank, (delivery, row))| Due { rank, delivery, row });
            if has_more {
                of_those.extend(ranked);
                with_more.push((endpoint, free));
            } else {
                due.extend(ranked);
            }
        }
        endpoints = with_more;
        if due.len() + of_those.len() >= command.limit {
            due.extend(of_those);
            break;
        }
    }
    Ok(due)
}
