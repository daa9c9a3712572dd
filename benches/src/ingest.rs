//! Refreshes: from being asked for to being stored, beside the bare rows that they left.
//!
//! Each turn changes something at the banks (which is not measured), refreshes all accounts at
//! once (which is), and then writes the same rows bare, so that both see the disk in the same
//! mood. What they take is summed over the turns.

use crate::Failure;
use crate::bare::{self, Tape};
use crate::changes::{self, Change};
use crate::harness::{DELTA_BANK, House, SNAPSHOT_BANK};
use crate::measure::Spent;
use crate::report::Row;
use model::id::AccountId;
use std::path::Path;

const DELTA_ACCOUNTS: u32 = 500;
const SNAPSHOT_ACCOUNTS: u32 = 200;
const FIRST_ACCOUNTS: u32 = 300;
/// Rows that a refresh finds changed.
const CHANGED: usize = 5;
/// Rows that a snapshot lists.
const SNAPSHOT_ROWS: u32 = 600;
const TURNS: u32 = 4;

/// What a workload and its bare rows took.
#[derive(Default)]
struct Sums {
    ours: Spent,
    bare: Spent,
    refreshes: u32,
    rows: u32,
}

impl Sums {
    fn add(&mut self, ours: Spent, bare: Spent, tape: &Tape) -> Result<(), Failure> {
        self.ours += ours;
        self.bare += bare;
        self.refreshes += u32::try_from(tape.refreshes())?;
        self.rows += u32::try_from(tape.rows())?;
        Ok(())
    }

    /// Rows of a refresh on average.
    fn rows_each(&self) -> f64 {
        f64::from(self.rows) / f64::from(self.refreshes)
    }

    fn row(&self, what: String, unit: &str, count: u32, target: &'static str) -> Row {
        Row::of_rates(what, unit, count, [self.ours, self.bare], target)
    }
}

/// Refreshes that bring five new rows each.
pub(crate) async fn delta(place: &Path) -> Result<Vec<Row>, Failure> {
    let house = House::open(place)?;
    let accounts = house.link_many(DELTA_ACCOUNTS, DELTA_BANK, None).await?;
    house.refresh_many(&accounts).await?;
    let change = Change::Add(u32::try_from(CHANGED)?);
    let sums = turns(&house, &accounts, change, place).await?;
    let what = format!("refresh, delta of {:.1} rows, {DELTA_ACCOUNTS} at once", sums.rows_each());
    Ok(vec![sums.row(what, "refreshes", sums.refreshes, "0.50")])
}

/// Refreshes that list six hundred rows of which five changed. A test bank has about half of them
/// by nature; the others are added to it, and each fetch reads that list of additions too.
pub(crate) async fn snapshot(place: &Path) -> Result<Vec<Row>, Failure> {
    let house = House::open(place)?;
    let accounts = house.link_many(SNAPSHOT_ACCOUNTS, SNAPSHOT_BANK, None).await?;
    let before = bare::mark(&house.database)?;
    house.refresh_many(&accounts).await?;
    let natural = bare::record(&house.database, &before)?.rows() / accounts.len();
    let missing = SNAPSHOT_ROWS.saturating_sub(u32::try_from(natural)?);
    house.clock.pass(60);
    changes::make_many(&house, &accounts, Change::Add(missing)).await?;
    house.refresh_many(&accounts).await?;
    let sums = turns(&house, &accounts, Change::Edit(CHANGED), place).await?;
    let what = format!(
        "refresh, snapshot of {} rows, {:.1} changed, {SNAPSHOT_ACCOUNTS} at once",
        missing + u32::try_from(natural)?,
        sums.rows_each()
    );
    Ok(vec![sums.row(what, "refreshes", sums.refreshes, "0.20")])
}

/// First refreshes, by rows.
pub(crate) async fn first(place: &Path) -> Result<Vec<Row>, Failure> {
    let mut sums = Sums::default();
    for turn in 0..TURNS {
        let place = place.join(turn.to_string());
        std::fs::create_dir_all(&place)?;
        let house = House::open(&place)?;
        let accounts = house.link_many(FIRST_ACCOUNTS, DELTA_BANK, None).await?;
        let before = bare::mark(&house.database)?;
        let ours = house.refresh_many(&accounts).await?;
        let tape = recorded(&house, &before, accounts.len())?;
        sums.add(ours, tape.replay(&place, turn).await?, &tape)?;
    }
    let what = format!(
        "first refresh of 180 days ({:.0} rows), {FIRST_ACCOUNTS} at once",
        sums.rows_each()
    );
    Ok(vec![sums.row(what, "rows", sums.rows, "0.60")])
}

async fn turns(
    house: &House,
    accounts: &[AccountId],
    change: Change,
    place: &Path,
) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    for turn in 0..TURNS {
        house.clock.pass(60);
        changes::make_many(house, accounts, change).await?;
        let before = bare::mark(&house.database)?;
        let ours = house.refresh_many(accounts).await?;
        let tape = recorded(house, &before, accounts.len())?;
        if tape.rows() < accounts.len() * CHANGED {
            return Err(format!("the refreshes brought {} rows only", tape.rows()).into());
        }
        sums.add(ours, tape.replay(place, turn).await?, &tape)?;
    }
    Ok(sums)
}

/// What was written since a mark; a refresh of each account, or something is broken.
fn recorded(house: &House, before: &bare::Mark, refreshes: usize) -> Result<Tape, Failure> {
    let tape = bare::record(&house.database, before)?;
    if tape.refreshes() == refreshes {
        return Ok(tape);
    }
    Err(format!("{} refreshes are stored instead of {refreshes}", tape.refreshes()).into())
}
