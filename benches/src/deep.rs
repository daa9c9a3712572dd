//! The last page of a long account compared with its first page. Both must cost the same.
//!
//! The account is on a test clock. The clock is advanced by two years at a time, with one refresh
//! after each advance, until the account has ten thousand rows.

use crate::Failure;
use crate::client::{Connection, get, post, text};
use crate::measure::{Form, START, wait_for};
use crate::pages::{Side, costs, create_customer, link, page_path, wait_refreshed};
use crate::report::Row;
use crate::server::Server;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Rows of the account: long form, short form.
const ROWS_MIN: (usize, usize) = (10_000, 1_000);
const PAGE_ROWS: usize = 100;
/// Two years.
const ADVANCE_S: i64 = 2 * 365 * 86_400;
/// More advances than any account needs.
const ADVANCES_MAX: i64 = 30;
const PATIENCE: Duration = Duration::from_mins(1);

/// Compares the last page with the first page.
pub(crate) async fn run(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let server = Server::bankfeed(&place.join("bankfeed.db"))?;
    let mut connection = Connection::open(server.address).await?;
    let account = link_on_clock(&mut connection).await?;
    let ids = ids_of_long_account(&mut connection, &account, form.pick(ROWS_MIN)).await?;
    let limit = u32::try_from(PAGE_ROWS)?;
    let before_last = &ids[ids.len() - PAGE_ROWS - 1];
    let first = get(&page_path(&account.id, limit, None));
    let last = get(&page_path(&account.id, limit, Some(before_last)));
    let (last, first) =
        costs(&Side::of_one(&server, &last), &Side::of_one(&server, &first), form).await?;
    server.stop()?;
    let what = format!("last page of {} rows, against the first page", ids.len());
    Ok(vec![Row::of_costs(what, last, first, "0.9")])
}

struct Linked {
    id: String,
    clock: String,
}

async fn link_on_clock(connection: &mut Connection) -> Result<Linked, Failure> {
    let frozen = START.0.to_string();
    let form = [("frozen_time", frozen.as_str())];
    let clock = connection.call(&post("/v1/test_helpers/test_clocks", &form)).await?;
    let clock = text(&clock, "/id")?;
    let customer = create_customer(connection, &[("test_clock", &clock)]).await?;
    let id = link(connection, &customer, "Test (OAuth)").await?;
    wait_refreshed(connection, &id).await?;
    Ok(Linked { id, clock })
}

/// Advances the clock until the account has enough rows. Returns their ids in the order of the list.
async fn ids_of_long_account(
    connection: &mut Connection,
    account: &Linked,
    rows_min: usize,
) -> Result<Vec<String>, Failure> {
    let clock = format!("/v1/test_helpers/test_clocks/{}", account.clock);
    let refresh = format!("/v1/financial_connections/accounts/{}/refresh", account.id);
    for step in 1..=ADVANCES_MAX {
        let time = (START.0 + step * ADVANCE_S).to_string();
        connection.call(&post(&format!("{clock}/advance"), &[("frozen_time", &time)])).await?;
        wait_for("a test clock is ready", PATIENCE, async || {
            let shown = connection.call(&get(&clock)).await?;
            Ok((text(&shown, "/status")? == "ready").then_some(()))
        })
        .await?;
        connection.call(&post(&refresh, &[("features[]", "transactions")])).await?;
        wait_refreshed(connection, &account.id).await?;
        let ids = list_ids(connection, &account.id).await?;
        if ids.len() >= rows_min {
            return Ok(ids);
        }
    }
    Err(format!("{ADVANCES_MAX} advances gave fewer than {rows_min} rows").into())
}

/// The ids of all transactions of an account, page by page.
pub(crate) async fn list_ids(
    connection: &mut Connection,
    account: &str,
) -> Result<Vec<String>, Failure> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().map(String::as_str);
        let path = page_path(account, u32::try_from(PAGE_ROWS)?, after);
        let page = connection.call(&get(&path)).await?;
        let items = page["data"].as_array().ok_or("a page has no data")?;
        for item in items {
            ids.push(text(item, "/id")?);
        }
        if page["has_more"] != Value::Bool(true) || items.is_empty() {
            return Ok(ids);
        }
    }
}
