//! Reads over HTTP: processor time of the server by request, beside that of a static answer.
//!
//! Both servers take the same load over the same few connections, in turns of a second, so that a
//! machine that is slower for a while is slower for both. Processor time is steadier than the
//! number of answers a second, and it is what an answer costs.

use crate::Failure;
use crate::client::{Connection, Recorded, get, load, post, text};
use crate::measure::wait_for;
use crate::proc;
use crate::report::Row;
use crate::server::Server;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Turns of each side.
const TURNS: u32 = 4;
const TURN: Duration = Duration::from_secs(1);
/// What each side gets before its first turn counts.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long a refresh may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Requests that one server is loaded with.
pub(crate) struct Side<'a> {
    pub(crate) server: &'a Server,
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
}

impl<'a> Side<'a> {
    /// The same request again and again.
    pub(crate) fn of_one(server: &'a Server, request: &[u8]) -> Self {
        Self { server, requests: Arc::new(vec![request.to_vec()]) }
    }
}

/// Pages of transactions, a customer and an account.
pub(crate) async fn run(place: &Path) -> Result<Vec<Row>, Failure> {
    let server = Server::bankfeed(&place.join("bankfeed.db"))?;
    let mut connection = Connection::open(server.address).await?;
    let customer = create_customer(&mut connection, &[]).await?;
    let account = link(&mut connection, &customer, "Test (OAuth)").await?;
    wait_refreshed(&mut connection, &account).await?;
    let mut rows = Vec::new();
    for (limit, target) in [(100, "0.20"), (10, "0.35")] {
        let request = get(&page_path(&account, limit, None));
        let answer = connection.record(&request).await?;
        let what = format!("page of {limit} transactions ({} bytes)", answer.len());
        rows.push(beside_static(place, &server, &request, &answer, &what, target).await?);
    }
    let objects = [
        ("customer by id", format!("/v1/customers/{customer}")),
        ("account by id", format!("/v1/financial_connections/accounts/{account}")),
    ];
    for (what, path) in objects {
        let request = get(&path);
        let answer = connection.record(&request).await?;
        let answer = Recorded::parse(&answer)?.with_body(&[b' '; 1_024]);
        let what = format!("{what}, against 1 KB");
        rows.push(beside_static(place, &server, &request, &answer, &what, "0.40").await?);
    }
    server.stop().await?;
    Ok(rows)
}

/// Loads the server with a request, in turns with a static server of this answer.
async fn beside_static(
    place: &Path,
    server: &Server,
    request: &[u8],
    answer: &[u8],
    what: &str,
    target: &'static str,
) -> Result<Row, Failure> {
    let file = place.join("answer");
    std::fs::write(&file, answer)?;
    let ceiling = Server::static_answer(&file)?;
    let ours = Side::of_one(server, request);
    let (ours, ceiling) = costs(&ours, &Side::of_one(&ceiling, request)).await?;
    Ok(Row::of_costs(what, ours, ceiling, target))
}

/// Microseconds of processor time by request of two sides that are loaded in turns.
pub(crate) async fn costs(left: &Side<'_>, right: &Side<'_>) -> Result<(f64, f64), Failure> {
    let sides = [left, right];
    let mut spent = [Duration::ZERO; 2];
    let mut answered = [0; 2];
    for side in sides {
        load(side.server.address, &side.requests, WARM_UP).await?;
    }
    for _ in 0..TURNS {
        for (index, side) in sides.into_iter().enumerate() {
            let before = proc::cpu(side.server.pid())?;
            answered[index] += load(side.server.address, &side.requests, TURN).await?;
            spent[index] += proc::cpu(side.server.pid())?.saturating_sub(before);
        }
    }
    let cost = |index: usize| spent[index].as_secs_f64() * 1e6 / f64::from(answered[index]);
    Ok((cost(0), cost(1)))
}

/// The path of a page of an account's transactions.
pub(crate) fn page_path(account: &str, limit: u32, after: Option<&str>) -> String {
    let after = after.map(|id| format!("&starting_after={id}")).unwrap_or_default();
    format!("/v1/financial_connections/transactions?account={account}&limit={limit}{after}")
}

/// Makes a customer. Answers its id.
pub(crate) async fn create_customer(
    connection: &mut Connection,
    form: &[(&str, &str)],
) -> Result<String, Failure> {
    text(&connection.call(&post("/v1/customers", form)).await?, "/id")
}

/// Links the preselected account of a bank; its first refresh starts at once. Answers its id.
pub(crate) async fn link(
    connection: &mut Connection,
    customer: &str,
    bank: &str,
) -> Result<String, Failure> {
    let form = [
        ("account_holder[type]", "customer"),
        ("account_holder[customer]", customer),
        ("permissions[]", "transactions"),
        ("prefetch[]", "transactions"),
    ];
    let session = connection.call(&post("/v1/financial_connections/sessions", &form)).await?;
    let session = text(&session, "/id")?;
    let path = "/v1/test_helpers/financial_connections/link";
    let linked = post(path, &[("carrier", &session), ("institution", bank)]);
    text(&connection.call(&linked).await?, "/accounts/data/0/id")
}

/// Waits until the transactions of an account have been refreshed.
pub(crate) async fn wait_refreshed(
    connection: &mut Connection,
    account: &str,
) -> Result<(), Failure> {
    let request = get(&format!("/v1/financial_connections/accounts/{account}"));
    wait_for("an account is refreshed", PATIENCE, async || {
        let shown = connection.call(&request).await?;
        match text(&shown, "/transaction_refresh/status")?.as_str() {
            "pending" => Ok(None),
            "succeeded" => Ok(Some(())),
            other => Err(format!("a refresh {other}").into()),
        }
    })
    .await
}
