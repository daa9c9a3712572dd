//! The set of the statuses of an event's deliveries, in `events.statuses`. Lists by the outcome of
//! deliveries read it from an index. It is null for an event without deliveries.
//!
//! Every command that writes the status of a delivery renews the set in its own commit.

use super::{Batch, Failure, word};
use model::delivery::DeliveryStatus;
use model::id::{EventId, MerchantId};
use rusqlite::named_params;

pub(super) const LIST_STATUSES: &str = "SELECT status FROM deliveries \
     WHERE bucket = ?1 AND shard = ?2 AND number = ?3 AND merchant = ?4";
/// Leaves an event with this set as it is, so its entries in indexes are not written.
pub(super) const SET_STATUSES: &str = "UPDATE events SET statuses = :statuses \
     WHERE bucket = :bucket AND shard = :shard AND number = :number AND merchant = :merchant \
     AND statuses IS NOT :statuses";

/// A set of statuses. Each is one bit, so the database can compare sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statuses(pub(super) i64);

impl Statuses {
    fn bit(status: DeliveryStatus) -> i64 {
        match status {
            DeliveryStatus::Pending => 1,
            DeliveryStatus::Succeeded => 2,
            DeliveryStatus::Failed => 4,
            DeliveryStatus::Canceled => 8,
            DeliveryStatus::Lost => 16,
        }
    }

    pub(super) fn has(self, status: DeliveryStatus) -> bool {
        self.0 & Self::bit(status) != 0
    }

    /// True if all deliveries succeeded.
    pub(super) fn is_success(self) -> bool {
        self == Self::from_iter([DeliveryStatus::Succeeded])
    }
}

impl FromIterator<DeliveryStatus> for Statuses {
    fn from_iter<I: IntoIterator<Item = DeliveryStatus>>(statuses: I) -> Self {
        Self(statuses.into_iter().fold(0, |bits, status| bits | Self::bit(status)))
    }
}

/// Renews the set of an event after the statuses of its deliveries have changed.
pub(super) fn renew(
    merchant: MerchantId,
    event: EventId,
    batch: &Batch<'_>,
) -> Result<(), Failure> {
    let key = batch.generation(merchant)?.event_key(event);
    let [bucket, shard, number, owner] = key;
    let read = |row: &rusqlite::Row<'_>| word(row, 0, "deliveries.status");
    let statuses = batch.reading().list(LIST_STATUSES, key, read)?;
    let set = (!statuses.is_empty()).then(|| Statuses::from_iter(statuses).0);
    batch.execute_named(
        SET_STATUSES,
        &[named_params! {
            ":statuses": set,
            ":bucket": bucket,
            ":shard": shard,
            ":number": number,
            ":merchant": owner,
        }],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Word;

    /// Every status has a bit of its own.
    #[test]
    fn statuses_differ() {
        let all: Statuses = DeliveryStatus::ALL.iter().copied().collect();
        assert_eq!(all.0.count_ones() as usize, DeliveryStatus::ALL.len());
        assert!(!Statuses::default().is_success() && !all.is_success());
        assert!(DeliveryStatus::ALL.iter().all(|status| all.has(*status)), "{}", all.0);
    }
}
