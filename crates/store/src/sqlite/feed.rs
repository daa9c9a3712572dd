//! Feeds: claimed, dispatched and read by their numbers.

use super::{
    Batch, Failure, Param, Reading, bucket, column, delivery, from_json, next_claim, number, object,
};
use crate::command::event::takes_type;
use crate::{
    ClaimFeeds, DispatchEvents, FeedClaim, FeedEvent, ListFeed, ListUndispatched, ListWaitingFeeds,
    Undispatched, WaitingFeed, Written,
};
use model::clock::ServerTime;
use model::id::MerchantId;
use rusqlite::{Row, params};

/// Exempt, because the dispatcher works for all merchants.
pub(super) const FIND_NEXT_WAITING: &str =
    "SELECT MIN(merchant) FROM events WHERE feed IS NULL AND merchant > ?1";
pub(super) const FIND_FEED: &str =
    "SELECT feed, dispatch_claim, dispatch_leased_until FROM merchants WHERE merchant = ?1";
/// Reads across the accounts of the merchant, like all lists of its events.
pub(super) const FIND_WAITING_EVENT: &str =
    "SELECT 1 FROM events WHERE merchant = ?1 AND feed IS NULL LIMIT 1";
pub(super) const CLAIM_FEED: &str = "UPDATE merchants \
     SET dispatch_claim = ?2, dispatch_leased_until = ?3 WHERE merchant = ?1";
pub(super) const LIST_UNDISPATCHED: &str = "SELECT body FROM events \
     WHERE merchant = ?1 AND feed IS NULL ORDER BY committed_at, shard LIMIT ?2";
pub(super) const SET_FEED: &str = "UPDATE events SET feed = :feed \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND merchant = :merchant \
     AND feed IS NULL RETURNING committed_at";
pub(super) const CONTINUE_FEED: &str = "UPDATE merchants \
     SET feed = ?2, dispatch_leased_until = ?3 WHERE merchant = ?1";
/// Has no limit, because types are filtered while the index is read.
pub(super) const LIST_FEED: &str = "SELECT feed, type, shard, number FROM events \
     WHERE merchant = ?1 AND feed > ?2 ORDER BY feed";
/// The caller sorts the rows, because the index has another order. The plus sign prevents `SQLite`
/// from reading the feed of the whole merchant instead.
pub(super) const LIST_FEED_OF_ACCOUNT: &str = "SELECT feed, type, shard, number FROM events \
     WHERE bucket = ?1 AND shard = ?2 AND merchant = ?3 AND account = ?2 AND +feed > ?4";
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
}

/// The state of a merchant's feed, which is in the merchant's row.
fn find(merchant: MerchantId, reading: &Reading<'_>) -> Result<Option<Feed>, Failure> {
    reading.find(FIND_FEED, [column(merchant.number())], |row| {
        Ok(Feed {
            number: number(row, 0)?,
            claim: row.get(1)?,
            leased_until: row.get::<_, Option<i64>>(2)?.map(ServerTime),
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
    let mut after = command.after.map_or(-1, |merchant| column(merchant.number()));
    let mut waiting = Vec::new();
    reading.in_transaction(|| {
        while waiting.len() < command.limit
            && let Some(next) = next_waiting(after, reading)?
        {
            let number = u64::try_from(next).map_err(|_| Failure::Unreadable("events.merchant"))?;
            let merchant = MerchantId::from_number(number);
            // An event is written after an object of its merchant, which has made the row.
            let feed = find(merchant, reading)?.ok_or(Failure::Unreadable("events.merchant"))?;
            let (claim, leased_until) = (feed.claim, feed.leased_until);
            waiting.push(WaitingFeed { merchant, claim, leased_until });
            after = next;
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
        if reading.find(FIND_WAITING_EVENT, [owner], |_| Ok(()))?.is_none() {
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
        let key = params![column(merchant.number()), super::limit(limit.saturating_add(1))];
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
    let owner = column(merchant.number());
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
        let values: [Param<'_>; 5] = [
            (":feed", &next),
            (":bucket", &event.bucket()),
            (":shard", &column(event.shard)),
            (":number", &column(event.number)),
            (":merchant", &owner),
        ];
        let committed_at =
            batch.reading().find_named(SET_FEED, &values, |row| Ok(ServerTime(row.get(0)?)))?;
        // No deliveries are written if the event was removed meanwhile or belongs to another
        // merchant.
        let Some(committed_at) = committed_at else { continue };
        last += 1;
        for one in deliveries {
            // A delivery that exists stays as it is.
            let _ = delivery::insert(merchant, (*event, committed_at), one, batch)?;
        }
    }
    let until = leased_until.map(|until| until.0);
    batch.execute(CONTINUE_FEED, params![owner, column(last), until])?;
    Ok(Written::Done)
}

/// Lists a merchant's events after a feed number.
pub(crate) fn list(command: &ListFeed, reading: &Reading<'_>) -> Result<Vec<FeedEvent>, Failure> {
    let ListFeed { merchant, account, types, after, limit } = command;
    let (owner, after) = (column(merchant.number()), column(*after));
    // The feed number and the event's key, if the type is listed.
    let key = |row: &Row<'_>| -> Result<Option<(i64, u64, i64)>, Failure> {
        let event_type = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let key = (row.get(0)?, number(row, 2)?, row.get(3)?);
        Ok(takes_type(types, event_type).then_some(key))
    };
    reading.in_transaction(|| {
        let mut keys = Vec::new();
        if let Some(account) = account {
            let own = params![account.bucket(), column(account.number()), owner, after];
            keys.extend(reading.list(LIST_FEED_OF_ACCOUNT, own, key)?.into_iter().flatten());
            keys.sort_unstable();
            keys.truncate(*limit);
        } else {
            let mut statement = reading.connection.prepare_cached(LIST_FEED)?;
            let mut rows = statement.query(params![owner, after])?;
            while keys.len() < *limit
                && let Some(row) = rows.next()?
            {
                keys.extend(key(row)?);
            }
        }
        let found = keys.iter().map(|&(_, shard, number)| {
            let key = params![bucket(shard), column(shard), number, owner];
            let found = reading.find(FIND_FEED_EVENT, key, read)?;
            found.ok_or(Failure::Unreadable("events.feed"))
        });
        found.collect()
    })
}

/// An event of a feed from its row: feed number, body, pending deliveries.
fn read(row: &Row<'_>) -> Result<FeedEvent, Failure> {
    Ok(FeedEvent { feed: number(row, 0)?, event: from_json(row, 1)?, pending: row.get(2)? })
}
