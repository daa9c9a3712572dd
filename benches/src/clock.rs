//! A test clock that moves ten subscribed accounts through thirty days, measured from the call
//! until the clock is `ready`.

use crate::Failure;
use crate::bare;
use crate::client::text;
use crate::harness::{DELTA_BANK, Harness, SNAPSHOT_BANK, id_of};
use crate::measure::{Form, Meter, START, Spent};
use crate::report::Row;
use std::path::Path;

const ACCOUNTS: u32 = 10;
/// Days of one advance: long form, short form.
const DAYS: (i64, i64) = (30, 5);
/// Turns: long form, short form.
const TURNS: (u32, u32) = (4, 1);

/// Thirty days at a bank that sends deltas, and at a bank that lists all its rows.
pub(crate) async fn run(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (kind, bank) in [("delta", DELTA_BANK), ("snapshot", SNAPSHOT_BANK)] {
        let place = place.join(kind);
        std::fs::create_dir_all(&place)?;
        rows.push(at_bank(&place, kind, bank, form).await?);
    }
    Ok(rows)
}

async fn at_bank(place: &Path, kind: &str, bank: &'static str, form: Form) -> Result<Row, Failure> {
    let harness = Harness::open(place)?;
    let context = harness.context();
    let clock = harness.engine.create_clock(&context, START.0, None).await?;
    let clock = id_of(&clock.body, "/id")?;
    for account in harness.link_many(ACCOUNTS, bank, Some(&clock)).await? {
        let features = &[model::bank::Feature::Transactions];
        harness.engine.subscribe_account(&context, &account.to_string(), features).await?;
    }
    harness.settle_refreshes().await?;
    let (days, turns) = (form.pick(DAYS), form.pick(TURNS));
    let (mut ours, mut bare) = (Spent::default(), Spent::default());
    let mut refreshes = 0;
    for turn in 1..=turns {
        let before = bare::mark(&harness.database)?;
        ours += advance(&harness, &clock, START.0 + i64::from(turn) * days * 86_400).await?;
        let tape = bare::record(&harness.database, &before)?;
        refreshes += u32::try_from(tape.refreshes())?;
        bare += tape.replay(place, turn).await?;
    }
    let seconds = ours.time.as_secs_f64() / f64::from(turns);
    let what = format!("test clock, {days} days × {ACCOUNTS} accounts ({kind}): {seconds:.2} s");
    Ok(Row::of_rates(what, "refreshes", refreshes, [ours, bare], "0.25"))
}

async fn advance(harness: &Harness, clock: &str, frozen_time: i64) -> Result<Spent, Failure> {
    let context = harness.context();
    let meter = Meter::start()?;
    harness.engine.advance_clock(&context, clock, frozen_time).await?;
    while harness.engine.run_clock_once().await? > 0 {}
    let took = meter.spent()?;
    let shown = harness.engine.retrieve_clock(&context, clock).await?;
    let status = text(&serde_json::from_slice(&shown.body)?, "/status")?;
    if status == "ready" { Ok(took) } else { Err(format!("the clock is {status}").into()) }
}
