//! The open work of one merchant.

use super::{Memory, object};
use crate::store::Failure;
use crate::{ListOpenWork, OpenWork, due_at};
use model::delivery::DeliveryKey;
use model::refresh::{RefreshStatus, RunAt};

pub(crate) fn list(command: &ListOpenWork, memory: &Memory) -> Result<OpenWork, Failure> {
    let ListOpenWork { merchant, endpoints, now, account_now, limit } = command;
    let rows = &memory.rows;
    let clocks = rows.clock_jobs.keys().filter(|(owner, _)| owner == merchant);
    let mut accounts: Vec<_> = rows
        .accounts
        .values()
        .filter(|account| account.merchant == *merchant && account.clock.is_none())
        .filter_map(|account| Some((due_at(account)?, account)))
        .filter(|(at, _)| at <= account_now)
        .collect();
    accounts.sort_by_key(|(at, account)| (*at, account.id));
    let mut refreshes: Vec<_> = rows
        .refreshes
        .values()
        .filter(|job| job.merchant == *merchant && job.status == RefreshStatus::Pending)
        .filter_map(|job| match job.run_at {
            RunAt::Server(at) if at <= *now => Some(((at, job.key), job)),
            _ => None,
        })
        .collect();
    refreshes.sort_by_key(|(order, _)| *order);
    let targets = endpoints.iter().flat_map(|endpoint| [false, true].map(|last| (endpoint, last)));
    let deliveries = targets.flat_map(|(endpoint, outcome)| {
        let of_target = rows.deliveries.values().filter(move |delivery| {
            let is_target = delivery.key.endpoint == *endpoint && delivery.key.outcome == outcome;
            delivery.merchant == *merchant && is_target
        });
        let mut open: Vec<_> = of_target
            .filter(|delivery| delivery.is_unattempted())
            .filter_map(|delivery| {
                let row = rows.events.get(&delivery.key.event)?;
                Some(((row.event.created, row.committed_at, row.event.id), delivery.key))
            })
            .collect();
        open.sort_by_key(|(order, _)| *order);
        open.into_iter().take(*limit).map(|(_, key): (_, DeliveryKey)| key)
    });
    Ok(OpenWork {
        clocks: clocks.map(|(_, clock)| *clock).take(*limit).collect(),
        objects: object::due(memory, *account_now, *limit, |object| {
            object.merchant() == *merchant && object.clock().is_none()
        }),
        accounts: accounts.into_iter().take(*limit).map(|(_, row)| row.as_ref().clone()).collect(),
        refreshes: refreshes.into_iter().take(*limit).map(|(_, job)| job.clone()).collect(),
        deliveries: deliveries.collect(),
    })
}
