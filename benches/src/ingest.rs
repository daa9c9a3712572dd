//! Refreshes, measured from the request until the rows are stored, compared with a bare copy of the
//! rows that they wrote.
//!
//! Each turn changes transactions at the banks (not measured), refreshes all accounts at once
//! (measured) and then writes the same rows bare. Because the two sides alternate, both see the same
//! speed of the disk. The sums over all turns are reported.

use crate::Failure;
use crate::bare::{self, Tape};
use crate::changes::{self, Change};
use crate::harness::{DELTA_BANK, Harness, SNAPSHOT_BANK};
use crate::measure::{Form, Spent};
use crate::report::Row;
use model::id::AccountId;
use std::path::Path;

/// Accounts of each workload: long form, short form.
const DELTA_ACCOUNTS: (u32, u32) = (500, 10);
const SNAPSHOT_ACCOUNTS: (u32, u32) = (200, 5);
const FIRST_ACCOUNTS: (u32, u32) = (300, 5);
/// Turns: long form, short form.
const TURNS: (u32, u32) = (4, 1);
/// Changed rows in one refresh.
const CHANGED: usize = 5;
/// Rows in one snapshot.
const SNAPSHOT_ROWS: u32 = 600;

/// Time that a workload and its bare copies took.
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

    /// The average number of rows in one refresh.
    fn rows_each(&self) -> f64 {
        f64::from(self.rows) / f64::from(self.refreshes)
    }

    fn row(&self, what: String, unit: &str, count: u32, target: &'static str) -> Row {
        Row::of_rates(what, unit, count, [self.ours, self.bare], target)
    }
}

/// Refreshes that bring five new rows each.
pub(crate) async fn delta(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let count = form.pick(DELTA_ACCOUNTS);
    let harness = Harness::open(place)?;
    let accounts = harness.link_many(count, DELTA_BANK, None).await?;
    harness.refresh_many(&accounts).await?;
    let change = Change::Add(u32::try_from(CHANGED)?);
    let sums = turns(&harness, &accounts, change, place, form).await?;
    let what = format!("refresh, delta of {:.1} rows, {count} at once", sums.rows_each());
    Ok(vec![sums.row(what, "refreshes", sums.refreshes, "0.50")])
}

/// Refreshes that list six hundred rows of which five changed. A test bank has about half of these
/// rows. The workload adds the others, and every fetch reads that list of additions too.
pub(crate) async fn snapshot(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let count = form.pick(SNAPSHOT_ACCOUNTS);
    let harness = Harness::open(place)?;
    let accounts = harness.link_many(count, SNAPSHOT_BANK, None).await?;
    let before = bare::mark(&harness.database)?;
    harness.refresh_many(&accounts).await?;
    let generated = bare::record(&harness.database, &before)?.rows() / accounts.len();
    let missing = SNAPSHOT_ROWS.saturating_sub(u32::try_from(generated)?);
    harness.clock.pass(60);
    changes::make_many(&harness, &accounts, Change::Add(missing)).await?;
    harness.refresh_many(&accounts).await?;
    let sums = turns(&harness, &accounts, Change::Edit(CHANGED), place, form).await?;
    let what = format!(
        "refresh, snapshot of {} rows, {:.1} changed, {count} at once",
        missing + u32::try_from(generated)?,
        sums.rows_each()
    );
    Ok(vec![sums.row(what, "refreshes", sums.refreshes, "0.20")])
}

/// First refreshes, in rows per second.
pub(crate) async fn first(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let count = form.pick(FIRST_ACCOUNTS);
    let mut sums = Sums::default();
    for turn in 0..form.pick(TURNS) {
        let place = place.join(turn.to_string());
        std::fs::create_dir_all(&place)?;
        let harness = Harness::open(&place)?;
        let accounts = harness.link_many(count, DELTA_BANK, None).await?;
        let before = bare::mark(&harness.database)?;
        let ours = harness.refresh_many(&accounts).await?;
        let tape = recorded(&harness, &before, accounts.len())?;
        sums.add(ours, tape.replay(&place, turn).await?, &tape)?;
    }
    let what = format!("first refresh of 180 days ({:.0} rows), {count} at once", sums.rows_each());
    Ok(vec![sums.row(what, "rows", sums.rows, "0.60")])
}

async fn turns(
    harness: &Harness,
    accounts: &[AccountId],
    change: Change,
    place: &Path,
    form: Form,
) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    for turn in 0..form.pick(TURNS) {
        harness.clock.pass(60);
        changes::make_many(harness, accounts, change).await?;
        let before = bare::mark(&harness.database)?;
        let ours = harness.refresh_many(accounts).await?;
        let tape = recorded(harness, &before, accounts.len())?;
        if tape.rows() < accounts.len() * CHANGED {
            return Err(format!("the refreshes brought {} rows only", tape.rows()).into());
        }
        sums.add(ours, tape.replay(place, turn).await?, &tape)?;
    }
    Ok(sums)
}

/// Reads the rows written since a mark. It is an error unless each account was refreshed once.
fn recorded(harness: &Harness, before: &bare::Mark, refreshes: usize) -> Result<Tape, Failure> {
    let tape = bare::record(&harness.database, before)?;
    if tape.refreshes() == refreshes {
        return Ok(tape);
    }
    Err(format!("{} refreshes are stored instead of {refreshes}", tape.refreshes()).into())
}
