//! Feeds: claimed, dispatched and read by their numbers.

use super::{EventRow, Memory, event, is_free, object};
use crate::command::event::takes_type;
use crate::store::Failure;
use crate::{
    ClaimFeeds, DispatchEvents, FeedClaim, FeedEvent, ListFeed, ListUndispatched, ListWaitingFeeds,
    Undispatched, WaitingFeed, Written,
};
use model::Word;
use model::delivery::{Delivery, DeliveryKey};
use model::id::MerchantId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The events that wait for their dispatch.
pub(super) fn waiting(memory: &Memory) -> impl Iterator<Item = &EventRow> {
    memory.rows.events.values().filter(|row| row.feed.is_none())
}

pub(crate) fn list_waiting(
    &ListWaitingFeeds { after, limit }: &ListWaitingFeeds,
    memory: &Memory,
) -> Result<Vec<WaitingFeed>, Failure> {
    let merchants: BTreeSet<MerchantId> = waiting(memory).map(|row| row.event.merchant).collect();
    let merchants = merchants.into_iter().filter(|merchant| Some(*merchant) > after);
    let waiting = merchants.take(limit).map(|merchant| {
        let row = memory.merchants.get(&merchant).ok_or(Failure::Unreadable("events.merchant"))?;
        Ok(WaitingFeed { merchant, claim: row.claim, leased_until: row.leased_until })
    });
    waiting.collect()
}

pub(crate) fn claim(command: &ClaimFeeds, memory: &mut Memory) -> Result<Vec<FeedClaim>, Failure> {
    let ClaimFeeds { merchants, now, leased_until, forced } = command;
    let waiting: BTreeSet<MerchantId> = waiting(memory).map(|row| row.event.merchant).collect();
    let mut claims = Vec::new();
    for &merchant in merchants.iter().filter(|merchant| waiting.contains(merchant)) {
        let Some(row) = memory.merchants.get_mut(&merchant) else { continue };
        if *forced || is_free(row.leased_until, *now) {
            row.claim += 1;
            row.leased_until = Some(*leased_until);
            claims.push(FeedClaim { merchant, number: row.claim });
        }
    }
    Ok(claims)
}

pub(crate) fn list_undispatched(
    &ListUndispatched { merchant, limit, bytes_max }: &ListUndispatched,
    memory: &Memory,
) -> Result<Undispatched, Failure> {
    let mut rows: Vec<&EventRow> =
        waiting(memory).filter(|row| row.event.merchant == merchant).collect();
    rows.sort_by_key(|row| row.order());
    let (mut events, mut bytes) = (Vec::new(), 0);
    for row in &rows {
        if events.len() == limit || bytes > bytes_max {
            break;
        }
        bytes += serde_json::to_string(row.event.as_ref())?.len();
        events.push(row.event.as_ref().clone());
    }
    let feed = memory.merchants.get(&merchant).map_or(0, |row| row.feed);
    Ok(Undispatched { feed, has_more: events.len() < rows.len(), events })
}

pub(crate) fn dispatch(command: &DispatchEvents, memory: &mut Memory) -> Result<Written, Failure> {
    let DispatchEvents { claim, events, objects, leased_until } = command;
    let merchant = claim.merchant;
    let is_newest = memory.merchants.get(&merchant).is_some_and(|row| row.claim == claim.number);
    if !is_newest || !object::put_many(objects, memory) {
        return Ok(Written::VersionConflict);
    }
    let Some(row) = memory.merchants.get_mut(&merchant) else {
        unreachable!("the merchant was found in this command")
    };
    row.leased_until = *leased_until;
    for (id, deliveries) in events {
        let found = memory.rows.events.get_mut(id);
        let found = found.filter(|event| event.event.merchant == merchant && event.feed.is_none());
        let Some(event) = found else { continue };
        row.feed += 1;
        event.feed = Some(row.feed);
        for delivery in deliveries {
            let key = DeliveryKey { event: *id, ..delivery.key };
            let claim = delivery.claim.max(row.floor);
            let delivery = Delivery { key, merchant, claim, ..delivery.clone() };
            memory.rows.deliveries.entry(key).or_insert(Arc::new(delivery));
        }
    }
    Ok(Written::Done)
}

pub(crate) fn list(command: &ListFeed, memory: &Memory) -> Result<Vec<FeedEvent>, Failure> {
    let ListFeed { merchant, account, types, after, limit } = command;
    let rows = memory.rows.events.values().filter(|row| row.event.merchant == *merchant);
    let rows = rows.filter(|row| account.is_none() || row.event.account == *account);
    let rows = rows.filter(|row| takes_type(types, row.event.event_type.word()));
    let mut rows: Vec<(u64, &EventRow)> =
        rows.filter_map(|row| Some((row.feed.filter(|feed| feed > after)?, row))).collect();
    rows.sort_by_key(|(feed, _)| *feed);
    let rows = rows.into_iter().take(*limit);
    let listed = rows.map(|(feed, row)| FeedEvent {
        feed,
        event: row.event.as_ref().clone(),
        pending: event::pending(row, memory),
    });
    Ok(listed.collect())
}
