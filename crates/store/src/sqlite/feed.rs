//! Feeds: claimed, dispatched and read by their numbers.

use super::event_list::{list_types, words_of};
use super::event_statuses::{self, Statuses};
use super::generation::{Generation, Idle};
use super::merge::{Order, merge};
use super::{
    Batch, Failure, Param, Reading, column, delivery, from_json, next_claim, number, object,
};
use crate::{
    ClaimFeeds, DispatchEvents, EventPlace, FeedClaim, FeedEvent, ListFeed, ListUndispatched,
    ListWaitingFeeds, Undispatched, WaitingFeed, Written,
};
use model::clock::{AccountTime, ServerTime};
use model::delivery::Delivery;
use model::id::{EventId, MerchantId};
use rusqlite::{Row, named_params, params};

/// Exempt, because the dispatcher works for all merchants.
pub(super) const FIND_NEXT_WAITING: &str =
    "SELECT MIN(merchant) FROM events WHERE feed IS NULL AND merchant > ?1";
pub(super) const FIND_FEED: &str =
    "SELECT feed, dispatch_claim, dispatch_leased_until, floor FROM merchants WHERE merchant = ?1";
/// Reads across the accounts of the merchant, like all lists of its events.
pub(super) const FIND_WAITING_EVENT: &str =
    "SELECT 1 FROM events WHERE merchant = ?1 AND feed IS NULL LIMIT 1";
pub(super) const CLAIM_FEED: &str = "UPDATE merchants \
     SET dispatch_claim = ?2, dispatch_leased_until = ?3 WHERE merchant = ?1";
pub(super) const LIST_UNDISPATCHED: &str = "SELECT body FROM events \
     WHERE merchant = ?1 AND feed IS NULL ORDER BY committed_at, shard LIMIT ?2";
pub(super) const FIND_WAITING_PLACE: &str = "SELECT created, committed_at FROM events \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND merchant = :merchant \
     AND feed IS NULL";
/// Follows the statement above, because an update that returns rows copies them into a table of its
/// own, which takes longer than the look-up.
pub(super) const SET_FEED: &str = "UPDATE events SET feed = :feed \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND merchant = :merchant";
/// The same for an event with deliveries.
pub(super) const SET_FEED_AND_STATUSES: &str = "UPDATE events SET feed = :feed, \
     statuses = COALESCE(statuses, 0) | :statuses \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND merchant = :merchant";
pub(super) const CONTINUE_FEED: &str = "UPDATE merchants \
     SET feed = ?2, dispatch_leased_until = ?3 WHERE merchant = ?1";
pub(super) const LIST_FEED: &str = "SELECT feed, shard, number FROM events \
     WHERE merchant = ?1 AND type = ?2 AND feed > ?3 ORDER BY feed LIMIT ?4";
pub(super) const LIST_FEED_OF_ACCOUNT: &str = "SELECT feed, shard, number FROM events \
     WHERE bucket = :bucket AND shard = :account AND merchant = :merchant AND account = :account \
     AND type = :type AND feed > :after ORDER BY feed LIMIT :row_limit";
pub(super) const FIND_NEXT_TYPE: &str = "SELECT MIN(type) FROM events \
     WHERE merchant = ?1 AND feed IS NOT NULL AND type > ?2";
/// The plus sign prevents `SQLite` from reading the feed of the whole merchant instead.
pub(super) const FIND_NEXT_TYPE_OF_ACCOUNT: &str = "SELECT type FROM events \
     WHERE bucket = ?1 AND shard = ?2 AND +merchant = ?3 AND account = ?2 AND feed IS NOT NULL \
     AND type > ?4 ORDER BY type, feed LIMIT 1";
pub(super) const FIND_FEED_EVENT: &str = "SELECT feed, body, \
     (SELECT COUNT(*) FROM deliveries AS d WHERE d.bucket = ?1 AND d.shard = ?2 \
     AND d.number = ?3 AND d.merchant = ?4 AND d.status = 'pending') \
     FROM events AS e \
     WHERE e.bucket = ?1 AND e.shard = ?2 AND e.number = ?3 AND e.merchant = ?4";

/// The state of a merchant's feed.
struct Feed {
    /// The newest number.
    number: u64,
    claim: u32,
    leased_until: Option<ServerTime>,
    /// The number from which the claims of new rows count.
    floor: u32,
}

/// The floor of a merchant.
pub(super) fn floor(merchant: MerchantId, batch: &Batch<'_>) -> Result<u32, Failure> {
    Ok(find(merchant, &batch.reading())?.map_or(0, |feed| feed.floor))
}

/// The state of a merchant's feed, which is in the merchant's row.
fn find(merchant: MerchantId, reading: &Reading<'_>) -> Result<Option<Feed>, Failure> {
    reading.find(FIND_FEED, [column(merchant.number())], |row| {
        Ok(Feed {
            number: number(row, 0)?,
            claim: row.get(1)?,
            leased_until: row.get::<_, Option<i64>>(2)?.map(ServerTime),
            floor: row.get(3)?,
        })
    })
}

/// The first merchant after this one with events that wait.
pub(super) fn next_waiting(after: i64, reading: &Reading<'_>) -> Result<Option<i64>, Failure> {
    let next = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(0)?);
    Ok(reading.find(FIND_NEXT_WAITING, [after], next)?.flatten())
}

/// Lists merchants with events that wait.
pub(crate) fn list_waiting(
    command: &ListWaitingFeeds,
    reading: &Reading<'_>,
) -> Result<Vec<WaitingFeed>, Failure> {
    let mut waiting = Vec::new();
    reading.in_transaction(|| {
        let idle = Idle::list(reading)?;
        let mut after = match command.after {
            Some(merchant) => reading.generation(merchant)?.owner,
            None => i64::MIN,
        };
        while waiting.len() < command.limit
            && let Some(next) = next_waiting(after, reading)?
        {
            after = next;
            if idle.has(next) {
                continue;
            }
            let merchant = reading.merchant(next)?;
            // An event is written after an object of its merchant, which has made the row.
            let feed = find(merchant, reading)?.ok_or(Failure::Unreadable("events.merchant"))?;
            let (claim, leased_until) = (feed.claim, feed.leased_until);
            waiting.push(WaitingFeed { merchant, claim, leased_until });
        }
        Ok(waiting)
    })
}

/// Claims feeds.
pub(crate) fn claim(command: &ClaimFeeds, batch: &Batch<'_>) -> Result<Vec<FeedClaim>, Failure> {
    let reading = batch.reading();
    let mut claims = Vec::new();
    for &merchant in &command.merchants {
        let owner = column(merchant.number());
        let Some(feed) = find(merchant, &reading)? else { continue };
        let is_leased = feed.leased_until.is_some_and(|until| until > command.now);
        if is_leased && !command.forced {
            continue;
        }
        let events_of = reading.generation(merchant)?.owner;
        if reading.find(FIND_WAITING_EVENT, [events_of], |_| Ok(()))?.is_none() {
            continue;
        }
        let number = next_claim(feed.claim)?;
        batch.execute(CLAIM_FEED, params![owner, number, command.leased_until.0])?;
        claims.push(FeedClaim { merchant, number });
    }
    Ok(claims)
}

/// Lists a merchant's events that wait.
pub(crate) fn list_undispatched(
    command: &ListUndispatched,
    reading: &Reading<'_>,
) -> Result<Undispatched, Failure> {
    let ListUndispatched { merchant, limit, bytes_max } = *command;
    reading.in_transaction(|| {
        let feed = find(merchant, reading)?.map_or(0, |feed| feed.number);
        let mut statement = reading.connection.prepare_cached(LIST_UNDISPATCHED)?;
        let owner = reading.generation(merchant)?.owner;
        let key = params![owner, super::limit(limit.saturating_add(1))];
        let mut rows = statement.query(key)?;
        let (mut events, mut bytes, mut has_more) = (Vec::new(), 0, false);
        while let Some(row) = rows.next()? {
            if events.len() == limit || bytes > bytes_max {
                has_more = true;
                break;
            }
            bytes += row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?.len();
            events.push(from_json(row, 0)?);
        }
        Ok(Undispatched { feed, events, has_more })
    })
}

/// Writes the deliveries of events and numbers the events.
pub(crate) fn dispatch(command: &DispatchEvents, batch: &Batch<'_>) -> Result<Written, Failure> {
    let DispatchEvents { claim, events, objects, leased_until } = command;
    let merchant = claim.merchant;
    let generation = batch.generation(merchant)?;
    let feed = find(merchant, &batch.reading())?;
    let Some(feed) = feed.filter(|feed| feed.claim == claim.number) else {
        return Ok(Written::VersionConflict);
    };
    if !object::put_many(objects, batch)? {
        return Ok(Written::VersionConflict);
    }
    let mut last = feed.number;
    for (event, deliveries) in events {
        let next = column(last) + 1;
        // No deliveries are written if the event was removed meanwhile or belongs to another
        // merchant.
        let Some(place) = set_feed(generation, *event, next, deliveries, batch)? else { continue };
        last += 1;
        let mut all_are_new = true;
        for one in deliveries {
            all_are_new &= delivery::insert((merchant, feed.floor), (*event, place), one, batch)?;
        }
        if !all_are_new {
            // A delivery that exists stays as it is.
            event_statuses::renew(merchant, *event, batch)?;
        }
    }
    let until = leased_until.map(|until| until.0);
    batch.execute(CONTINUE_FEED, params![column(merchant.number()), column(last), until])?;
    Ok(Written::Done)
}

/// Gives an event its feed number, and the statuses of its deliveries. Returns its position in the list
/// of events, or `None` if it is not there or has a number.
fn set_feed(
    generation: Generation,
    event: EventId,
    feed: i64,
    deliveries: &[Delivery],
    batch: &Batch<'_>,
) -> Result<Option<EventPlace>, Failure> {
    let statuses: Statuses = deliveries.iter().map(|delivery| delivery.status).collect();
    let [bucket, shard, number, owner] = generation.event_key(event);
    let feed: Param<'_> = (":feed", &feed);
    let statuses: Param<'_> = (":statuses", &statuses.0);
    let key: [Param<'_>; 4] =
        [(":bucket", &bucket), (":shard", &shard), (":number", &number), (":merchant", &owner)];
    let read = |row: &Row<'_>| {
        let (created, committed_at) = (AccountTime(row.get(0)?), ServerTime(row.get(1)?));
        Ok(EventPlace { created, committed_at, shard: event.shard })
    };
    let Some(place) = batch.reading().find_named(FIND_WAITING_PLACE, &key, read)? else {
        return Ok(None);
    };
    if deliveries.is_empty() {
        batch.execute_named(SET_FEED, &[&[feed], &key])?;
    } else {
        batch.execute_named(SET_FEED_AND_STATUSES, &[&[feed, statuses], &key])?;
    }
    Ok(Some(place))
}

/// Lists a merchant's events after a feed number. The events of each type are a range of an index.
pub(crate) fn list(command: &ListFeed, reading: &Reading<'_>) -> Result<Vec<FeedEvent>, Failure> {
    let ListFeed { merchant, account, types, after, limit } = command;
    let generation = reading.generation(*merchant)?;
    let (owner, after) = (generation.owner, column(*after));
    let account = account.map(|account| generation.account_key(account));
    let key = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let slice = |event_type: &String, last: Option<(i64, i64, i64)>, limit: usize| {
        let after = last.map_or(after, |(feed, ..)| feed);
        let limit = super::limit(limit);
        let Some([bucket, account, _]) = account else {
            return reading.list(LIST_FEED, params![owner, event_type, after, limit], key);
        };
        let values = named_params! {
            ":bucket": bucket,
            ":account": account,
            ":merchant": owner,
            ":type": event_type,
            ":after": after,
            ":row_limit": limit,
        };
        reading.list(LIST_FEED_OF_ACCOUNT, values, key)
    };
    reading.in_transaction(|| {
        let types: Vec<String> = if types.is_empty() {
            types_in_feed(owner, account, reading)?
        } else {
            words_of(types).map(str::to_owned).collect()
        };
        let mut events = Vec::new();
        if *limit == 0 {
            return Ok(events);
        }
        merge(&types, Order::Ascending, *limit, slice, |(_, shard, number)| {
            let unsigned = u64::try_from(shard).map_err(|_| Failure::Unreadable("events.shard"))?;
            let key = params![generation.bucket(unsigned), shard, number, owner];
            let found = reading.find(FIND_FEED_EVENT, key, read)?;
            events.push(found.ok_or(Failure::Unreadable("events.feed"))?);
            Ok(events.len() < *limit)
        })?;
        Ok(events)
    })
}

/// The types in the feed of a merchant, or of one of its accounts. Each takes one look-up.
fn types_in_feed(
    owner: i64,
    account: Option<[i64; 3]>,
    reading: &Reading<'_>,
) -> Result<Vec<String>, Failure> {
    let read = |row: &Row<'_>| Ok(row.get(0)?);
    list_types(|last| {
        let next = match account {
            None => reading.find(FIND_NEXT_TYPE, params![owner, last], read)?,
            Some([bucket, account, owner]) => {
                let key = params![bucket, account, owner, last];
                reading.find(FIND_NEXT_TYPE_OF_ACCOUNT, key, read)?
            }
        };
        Ok(next.flatten())
    })
}

/// An event of a feed from its row: feed number, body, pending deliveries.
fn read(row: &Row<'_>) -> Result<FeedEvent, Failure> {
    Ok(FeedEvent { feed: number(row, 0)?, event: from_json(row, 1)?, pending: row.get(2)? })
}
