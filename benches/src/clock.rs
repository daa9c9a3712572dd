//! A test clock that takes ten subscribed accounts through thirty days: from the call to `ready`.

use crate::Failure;
use crate::bare;
use crate::client::text;
use crate::harness::{DELTA_BANK, House, SNAPSHOT_BANK, id_of};
use crate::measure::{Meter, START, Spent};
use crate::report::Row;
use std::path::Path;

const ACCOUNTS: u32 = 10;
const DAYS: i64 = 30;
const TURNS: i64 = 4;

/// Thirty days at a bank that tells what changed, and at one that lists everything.
pub(crate) async fn run(place: &Path) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (kind, bank) in [("delta", DELTA_BANK), ("snapshot", SNAPSHOT_BANK)] {
        let place = place.join(kind);
        std::fs::create_dir_all(&place)?;
        rows.push(at_bank(&place, kind, bank).await?);
    }
    Ok(rows)
}

async fn at_bank(place: &Path, kind: &str, bank: &'static str) -> Result<Row, Failure> {
    let house = House::open(place)?;
    let context = house.context();
    let clock = house.engine.create_clock(&context, START.0, None).await?;
    let clock = id_of(&clock.body, "/id")?;
    for account in house.link_many(ACCOUNTS, bank, Some(&clock)).await? {
        house.engine.subscribe_account(&context, &account.to_string()).await?;
    }
    house.settle_refreshes().await?;
    let (mut ours, mut bare) = (Spent::default(), Spent::default());
    let mut refreshes = 0;
    for turn in 1..=TURNS {
        let before = bare::mark(&house.database)?;
        ours += advance(&house, &clock, START.0 + turn * DAYS * 86_400).await?;
        let tape = bare::record(&house.database, &before)?;
        refreshes += u32::try_from(tape.refreshes())?;
        bare += tape.replay(place, u32::try_from(turn)?).await?;
    }
    let seconds = ours.time.as_secs_f64() / f64::from(i32::try_from(TURNS)?);
    let what = format!("test clock, {DAYS} days × {ACCOUNTS} accounts ({kind}): {seconds:.2} s");
    Ok(Row::of_rates(what, "refreshes", refreshes, [ours, bare], "0.25"))
}

async fn advance(house: &House, clock: &str, frozen_time: i64) -> Result<Spent, Failure> {
    let context = house.context();
    let meter = Meter::start()?;
    house.engine.advance_clock(&context, clock, frozen_time).await?;
    while house.engine.run_clock_once().await? > 0 {}
    let took = meter.spent()?;
    let shown = house.engine.retrieve_clock(&context, clock).await?;
    let status = text(&serde_json::from_slice(&shown.body)?, "/status")?;
    if status == "ready" { Ok(took) } else { Err(format!("the clock is {status}").into()) }
}
