//! The claim of due deliveries.

use super::{Memory, is_free, owner};
use crate::ClaimDeliveries;
use crate::command::share::choose;
use crate::store::Failure;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::id::{EndpointId, MerchantId};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn claim(
    command: &ClaimDeliveries,
    memory: &mut Memory,
) -> Result<Vec<Delivery>, Failure> {
    let claimed = claim_with_owners(command, memory);
    Ok(claimed.into_iter().map(|(delivery, _)| delivery).collect())
}

/// The claimed deliveries, each with the owner of its share.
pub(super) fn claim_with_owners(
    command: &ClaimDeliveries,
    memory: &mut Memory,
) -> Vec<(Delivery, MerchantId)> {
    let shares = command.shares();
    let mut by_target: BTreeMap<(EndpointId, bool), Vec<&Arc<Delivery>>> = BTreeMap::new();
    for delivery in memory.rows.deliveries.values() {
        if delivery.status == DeliveryStatus::Pending
            && delivery.due_at <= command.now
            && is_free(delivery.leased_until, command.now)
        {
            let DeliveryKey { endpoint, outcome, .. } = delivery.key;
            by_target.entry((endpoint, outcome)).or_default().push(delivery);
        }
    }
    let (mut candidates, mut keys) = (Vec::new(), Vec::new());
    let mut owners = command.owners();
    let in_flight = owners.clone();
    for ((endpoint, _), mut deliveries) in by_target {
        deliveries.sort_by_key(|delivery| (delivery.due_at, delivery.key));
        deliveries.truncate(command.room(endpoint, &in_flight, &shares));
        for (rank, delivery) in deliveries.into_iter().enumerate() {
            // An endpoint without deliveries in flight has the owner of its first due delivery.
            let of_first = || owner(&memory.rows, delivery.merchant);
            let owner = *owners.entry(endpoint).or_insert_with(of_first);
            candidates.push(ClaimDeliveries::candidate(delivery, rank, owner));
            keys.push(delivery.key);
        }
    }
    let allows = |used| command.allows(used);
    let taken = choose(&candidates, command.limit, shares, allows).taken;
    let claimed = taken.into_iter().filter_map(|place| {
        let delivery = Arc::make_mut(memory.rows.deliveries.get_mut(&keys[place])?);
        delivery.claim += 1;
        delivery.leased_until = Some(command.leased_until);
        Some((delivery.clone(), candidates[place].owner))
    });
    claimed.collect()
}
