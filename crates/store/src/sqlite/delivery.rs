//! Deliveries and their attempts.

use super::event_list::{self, Found, Part, edge, parts_by_statuses};
use super::event_statuses::{self, Statuses};
use super::generation::Generation;
use super::list::Window;
use super::payload;
use super::prepared;
use super::target::Target;
use super::{
    Batch, Failure, Param, Reading, column, delivery_claim, feed, from_json, idempotency, number,
    word,
};
use crate::seal::Sealer;
use crate::{
    Bounds, ContinueDeliveries, Continued, Cursor, DeliveryPlace, EventPlace, FindEvent,
    ListDeliveries, ListLedger, Listed, Page, ReleaseDelivery, ReleaseEndpoint, ResendDeliveries,
    SettleDelivery, WithAttempts, Written, exact,
};
use model::Word;
use model::clock::ServerTime;
use model::delivery::{Delivery, DeliveryKey, DeliveryStatus};
use model::id::{EndpointId, EventId, MerchantId};
use model::limits::{DELIVERY_ATTEMPTS_MAX, RELEASE_ROWS_MAX};
use rusqlite::{Row, named_params, params};

pub(super) const INSERT_DELIVERY: &str = "INSERT INTO deliveries (bucket, shard, number, \
     endpoint, merchant, event_created, committed_at, status, attempts, due_at, claim, \
     leased_until, payload, resent_from, hit) \
     VALUES (:bucket, :shard, :number, :endpoint, :merchant, :event_created, :committed_at, \
     :status, :attempts, :due_at, :claim, :leased_until, :payload, :resent_from, :hit) \
     ON CONFLICT DO NOTHING";
pub(super) const SETTLE_DELIVERY: &str = "UPDATE deliveries SET status = :status, \
     due_at = :due_at, attempts = attempts + :attempts_added, leased_until = NULL \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND endpoint = :endpoint \
     AND merchant = :merchant AND claim = :claim \
     AND status = 'pending'";
pub(super) const INSERT_ATTEMPT: &str = "INSERT INTO attempts (bucket, shard, number, endpoint, \
     attempt, merchant, body) \
     VALUES (:bucket, :shard, :number, :endpoint, :attempt, :merchant, :body) \
     ON CONFLICT (bucket, shard, number, endpoint, attempt) DO UPDATE SET body = excluded.body \
     WHERE attempts.merchant = excluded.merchant";
pub(super) const LIST_DELIVERIES: &str = "SELECT shard, number, endpoint, merchant, status, \
     attempts, due_at, claim, leased_until, payload, resent_from, hit FROM deliveries \
     WHERE bucket = ?1 AND shard = ?2 AND number = ?3 AND merchant = ?4 ORDER BY endpoint";
pub(super) const FIND_DELIVERY: &str = "SELECT shard, number, endpoint, merchant, status, \
     attempts, due_at, claim, leased_until, payload, resent_from, hit FROM deliveries \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND endpoint = :endpoint \
     AND merchant = :merchant";
pub(super) const LIST_ATTEMPTS: &str = "SELECT body FROM attempts \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND endpoint = :endpoint \
     AND merchant = :merchant ORDER BY attempt";
/// Changes no row while an attempt is in flight, or after too many attempts.
pub(super) const RESEND_DELIVERY: &str = "UPDATE deliveries SET status = 'pending', due_at = :now, \
     leased_until = NULL, resent_from = attempts \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND endpoint = :endpoint \
     AND merchant = :merchant AND (leased_until IS NULL OR leased_until <= :now) AND attempts < :attempts_max";
pub(super) const RELEASE_DELIVERY: &str = "UPDATE deliveries SET due_at = :now \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND endpoint = :endpoint \
     AND merchant = :merchant AND due_at > :now \
     AND status = 'pending' AND attempts = 0 AND leased_until IS NULL";
/// Includes deliveries of connected accounts. The id of an endpoint is unique in the server.
pub(super) const RELEASE_ENDPOINT: &str = "UPDATE deliveries SET due_at = ?2 \
     WHERE endpoint = ?1 AND (bucket, shard, number) IN \
     (SELECT d.bucket, d.shard, d.number FROM deliveries AS d \
     WHERE d.endpoint = ?1 AND d.status = 'pending' AND d.due_at > ?2 \
     ORDER BY d.due_at, d.shard, d.number LIMIT ?3)";

/// Inserts a delivery of an event, with the event's position, unless it exists. Its claims begin at the
/// floor, because the claim of an attempt from before a restore must not fit. Returns true if it was
/// inserted.
pub(super) fn insert(
    (merchant, floor): (MerchantId, u32),
    (event, place): (EventId, EventPlace),
    delivery: &Delivery,
    batch: &Batch<'_>,
) -> Result<bool, Failure> {
    let generation = batch.generation(merchant)?;
    let payload = payload::stored(delivery, batch.seal)?;
    let inserted = batch.execute_named(
        INSERT_DELIVERY,
        &[named_params! {
                    ":bucket": generation.bucket(event.shard),
                    ":shard": column(event.shard),
                    ":number": column(event.number),
                    ":endpoint": Target::of(delivery.key).column(),
                    ":merchant": generation.owner,
                    ":event_created": place.created.0,
        ":committed_at": place.committed_at.0,
                    ":status": delivery.status.word(),
                    ":attempts": delivery.attempts,
                    ":due_at": delivery.due_at.0,
                    ":claim": delivery.claim.max(floor),
                    ":leased_until": delivery.leased_until.map(|until| until.0),
                    ":payload": &*payload,
                    ":resent_from": delivery.resent_from,
                    ":hit": delivery.mark,
        }],
    )?;
    Ok(inserted == 1)
}

/// A delivery from its row.
pub(super) fn read(
    merchant: MerchantId,
    row: &Row<'_>,
    seal: &Sealer,
) -> Result<Delivery, Failure> {
    let event = EventId { shard: number(row, 0)?, number: number(row, 1)? };
    let key = Target::of_column(row.get(2)?).key(event);
    Ok(Delivery {
        key,
        merchant,
        status: word(row, 4, "deliveries.status")?,
        attempts: row.get(5)?,
        due_at: ServerTime(row.get(6)?),
        claim: row.get(7)?,
        leased_until: row.get::<_, Option<i64>>(8)?.map(ServerTime),
        payload: payload::read(key, row.get(9)?, seal)?,
        resent_from: row.get(10)?,
        mark: row.get(11)?,
    })
}

/// Records the result of a claimed delivery.
pub(crate) fn settle(command: &SettleDelivery, batch: &Batch<'_>) -> Result<Written, Failure> {
    let key = delivery_key(command.key, batch.generation(command.merchant)?);
    let [bucket, shard, event, endpoint, owner] = key;
    let settled = batch.execute_named(
        SETTLE_DELIVERY,
        &[named_params! {
                    ":status": command.status.word(),
                    ":due_at": command.due_at.0,
                    ":attempts_added": command.attempt.is_some(),
                    ":bucket": bucket,
                    ":shard": shard,
                    ":number": event,
                    ":endpoint": endpoint,
                    ":merchant": owner,
                    ":claim": command.claim,
        }],
    )?;
    if settled == 0 {
        return Ok(Written::VersionConflict);
    }
    if let Some(attempt) = &command.attempt {
        let body = batch.prepared.json(prepared::Part::Attempt(command.key), attempt)?;
        let values = named_params! {
            ":bucket": bucket,
            ":shard": shard,
            ":number": event,
            ":endpoint": endpoint,
            ":attempt": attempt.number,
            ":merchant": owner,
            ":body": body,
        };
        batch.execute_named(INSERT_ATTEMPT, &[values])?;
    }
    if command.status != DeliveryStatus::Pending {
        event_statuses::renew(command.merchant, command.key.event, batch)?;
    }
    Ok(Written::Done)
}

/// Records results, each of which may conflict on its own, and claims further deliveries. A result that
/// conflicts has changed no row.
pub(crate) fn continue_with(
    command: &ContinueDeliveries,
    batch: &Batch<'_>,
) -> Result<Continued, Failure> {
    let ContinueDeliveries { settled, claim: next } = command;
    let written = settled.iter().map(|one| settle(one, batch)).collect::<Result<_, _>>()?;
    let claimed = match next {
        Some(next) => delivery_claim::claim_with_owners(next, batch)?,
        None => Vec::new(),
    };
    let (claimed, owners) = claimed.into_iter().unzip();
    Ok(Continued { written, claimed, owners })
}

/// Lists an event's deliveries with their attempts.
pub(crate) fn list(
    command: &ListDeliveries,
    reading: &Reading<'_>,
) -> Result<Vec<WithAttempts>, Failure> {
    reading.in_transaction(|| list_of(command.merchant, command.event, |_| true, reading))
}

/// The deliveries of an event that match `wanted`, with their attempts.
fn list_of(
    merchant: MerchantId,
    event: EventId,
    wanted: impl Fn(&Delivery) -> bool,
    reading: &Reading<'_>,
) -> Result<Vec<WithAttempts>, Failure> {
    let key = reading.generation(merchant)?.event_key(event);
    let read = |row: &Row<'_>| read(merchant, row, reading.seal);
    let deliveries = reading.list(LIST_DELIVERIES, key, read)?.into_iter().filter(wanted);
    let mut deliveries: Vec<Delivery> = deliveries.collect();
    deliveries.sort_unstable_by_key(|delivery| delivery.key);
    let deliveries = deliveries.into_iter();
    deliveries.map(|delivery| with_attempts(merchant, delivery, reading)).collect()
}

/// The deliveries of an event to an endpoint that match `wanted`, with their attempts.
fn find_of(
    merchant: MerchantId,
    event: EventId,
    endpoint: EndpointId,
    wanted: impl Fn(&Delivery) -> bool,
    reading: &Reading<'_>,
) -> Result<Vec<WithAttempts>, Failure> {
    let generation = reading.generation(merchant)?;
    let mut of_endpoint = Vec::new();
    for target in Target::both(endpoint) {
        let key = delivery_key(target.key(event), generation);
        let read = |row: &Row<'_>| read(merchant, row, reading.seal);
        if let Some(delivery) = reading.find(FIND_DELIVERY, &named(&key)[..], read)?
            && wanted(&delivery)
        {
            of_endpoint.push(with_attempts(merchant, delivery, reading)?);
        }
    }
    Ok(of_endpoint)
}

fn with_attempts(
    merchant: MerchantId,
    delivery: Delivery,
    reading: &Reading<'_>,
) -> Result<WithAttempts, Failure> {
    let key = delivery_key(delivery.key, reading.generation(merchant)?);
    let attempts = reading.list(LIST_ATTEMPTS, &named(&key)[..], |row| from_json(row, 0))?;
    Ok((delivery, attempts))
}

/// Lists a merchant's deliveries event by event, in the order of the list of events. Every event that
/// is read has a delivery that fits, except the one of the cursor.
pub(crate) fn list_ledger(
    command: &ListLedger,
    reading: &Reading<'_>,
) -> Result<Listed<WithAttempts>, Failure> {
    let ListLedger { merchant, endpoint, status, page } = command;
    let window = Window::of(events_of(*page), Bounds::default());
    let fits = |place: EventPlace, delivery: &Delivery| {
        let at = DeliveryPlace::of(place, delivery.key);
        status.is_none_or(|status| status == delivery.status)
            && match page.cursor {
                Cursor::Newest => true,
                Cursor::After(after) => at < after,
                Cursor::Before(before) => at > before,
            }
    };
    reading.in_transaction(|| {
        let parts = match (endpoint, status) {
            (None, _) => {
                let has = |set: Statuses| status.is_none_or(|status| set.has(status));
                parts_by_statuses(*merchant, &[], has, reading)?
            }
            (Some(endpoint), status) => {
                let statuses = DeliveryStatus::ALL.iter().copied();
                let statuses = statuses.filter(|one| status.is_none_or(|status| status == *one));
                let targets = statuses.flat_map(|status| {
                    let targets = Target::both(*endpoint);
                    targets.map(|target| Part::Target(target.column(), status))
                });
                targets.collect()
            }
        };
        let mut items = Vec::new();
        let mut last = None;
        event_list::each(*merchant, &parts, &window, reading, |Found { id, place }| {
            // An event with two deliveries to the endpoint is in two parts.
            if last.replace(id) == Some(id) {
                return Ok(true);
            }
            let wanted = |delivery: &Delivery| fits(place, delivery);
            let mut of_event = match endpoint {
                None => list_of(*merchant, id, wanted, reading)?,
                Some(endpoint) => find_of(*merchant, id, *endpoint, wanted, reading)?,
            };
            if !window.upward {
                of_event.reverse();
            }
            items.extend(of_event);
            Ok(items.len() <= window.limit)
        })?;
        Ok(window.page(items))
    })
}

/// The events of a page. The event of the cursor may have more deliveries, so it is read again.
fn events_of(page: Page<DeliveryPlace>) -> Page<(i64, i64, i64)> {
    let cursor = match page.cursor {
        Cursor::Newest => Cursor::Newest,
        Cursor::After(DeliveryPlace { event, .. }) => {
            let (created, committed_at, shard) = edge(event);
            Cursor::After((created, committed_at, shard.saturating_add(1)))
        }
        Cursor::Before(DeliveryPlace { event, .. }) => {
            let (created, committed_at, shard) = edge(event);
            Cursor::Before((created, committed_at, shard - 1))
        }
    };
    Page { limit: page.limit, cursor }
}

/// Makes deliveries due at once.
pub(crate) fn resend(command: &ResendDeliveries, batch: &Batch<'_>) -> Result<Written, Failure> {
    let ResendDeliveries { merchant, event, deliveries, now, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), batch)? {
        return Ok(Written::KeyTaken);
    }
    let find = FindEvent { merchant: *merchant, event: *event };
    let Some(found) = super::event::find(&find, &batch.reading())? else {
        return Ok(Written::VersionConflict);
    };
    let place = EventPlace {
        created: found.event.created,
        committed_at: found.committed_at,
        shard: event.shard,
    };
    let floor = feed::floor(*merchant, batch)?;
    for delivery in deliveries {
        if insert((*merchant, floor), (*event, place), delivery, batch)? {
            continue;
        }
        let key = DeliveryKey { event: *event, ..delivery.key };
        let key = delivery_key(key, batch.generation(*merchant)?);
        let [bucket, shard, number, endpoint, owner] = key;
        let values = named_params! {
            ":bucket": bucket,
            ":shard": shard,
            ":number": number,
            ":endpoint": endpoint,
            ":merchant": owner,
            ":now": now.0,
            ":attempts_max": DELIVERY_ATTEMPTS_MAX,
        };
        if batch.execute(RESEND_DELIVERY, values)? == 0 {
            return Ok(Written::VersionConflict);
        }
    }
    event_statuses::renew(*merchant, *event, batch)?;
    Ok(Written::Done)
}

/// Makes a delivery due that waits for its first attempt.
pub(crate) fn release(command: &ReleaseDelivery, batch: &Batch<'_>) -> Result<(), Failure> {
    let generation = batch.generation(command.merchant)?;
    let [bucket, shard, number, endpoint, owner] = delivery_key(command.key, generation);
    batch.execute(
        RELEASE_DELIVERY,
        named_params! {
            ":bucket": bucket,
            ":shard": shard,
            ":number": number,
            ":endpoint": endpoint,
            ":merchant": owner,
            ":now": command.now.0,
        },
    )?;
    Ok(())
}

/// Makes all pending deliveries to an endpoint due.
pub(crate) fn release_endpoint(
    command: &ReleaseEndpoint,
    batch: &Batch<'_>,
) -> Result<u32, Failure> {
    let mut released = 0;
    for target in Target::both(command.endpoint) {
        let key = params![target.column(), command.now.0, RELEASE_ROWS_MAX - released];
        let more = batch.execute(RELEASE_ENDPOINT, key)?;
        released += exact::<_, u32>(more, "a command releases at most RELEASE_ROWS_MAX rows");
    }
    Ok(released)
}

fn delivery_key(key: DeliveryKey, generation: Generation) -> [i64; 5] {
    let [bucket, shard, number, owner] = generation.event_key(key.event);
    [bucket, shard, number, Target::of(key).column(), owner]
}

/// The columns of a key with their names.
fn named(key: &[i64; 5]) -> [Param<'_>; 5] {
    let [bucket, shard, number, endpoint, merchant] = key;
    [
        (":bucket", bucket),
        (":shard", shard),
        (":number", number),
        (":endpoint", endpoint),
        (":merchant", merchant),
    ]
}
