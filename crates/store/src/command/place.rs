//! The places of merchants. A merchant takes one with its first object.

use model::clock::ServerTime;
use model::id::MerchantId;

/// Stores the day of the last use of merchants. A merchant without objects has no place and is left out,
/// and one of live mode is never removed from then on.
#[derive(Clone, Debug)]
pub struct UseMerchants {
    /// The merchants, with true for those of live mode.
    pub merchants: Vec<(MerchantId, bool)>,
    /// The time of the use.
    pub now: ServerTime,
}

writes!(UseMerchants => (), place::use_merchants);

/// Counts the places that are taken, and finds the sandbox that was used longest ago. Returns
/// [`PlacesTaken`].
#[derive(Clone, Copy, Debug)]
pub struct CountPlaces;

reads!(CountPlaces => PlacesTaken, place::count, for all);

/// The places that are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlacesTaken {
    /// Their number.
    pub taken: u64,
    /// The day of the last use of the sandbox that was used longest ago, in days since 1970. `None` if
    /// none may ever be removed.
    pub oldest_used_day: Option<i64>,
}
