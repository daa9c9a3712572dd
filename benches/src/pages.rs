//! Reads over HTTP: processor time of the server per request, compared with a static response.
//!
//! Both servers get the same load over the same number of connections, in alternating turns of a
//! second. A machine that slows down for a while slows down both. Processor time varies less than
//! the number of responses per second, and it is the cost of a response.

use crate::Failure;
use crate::client::{Connection, Recorded, get, load, post, text};
use crate::measure::{Form, wait_for};
use crate::proc;
use crate::report::Row;
use crate::server::Server;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Turns of each side: long form, short form.
const TURNS: (u32, u32) = (4, 1);
/// The length of a turn: long form, short form.
const TURN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(20));
/// The load on each side before its first turn.
const WARM_UP: (Duration, Duration) = (Duration::from_millis(300), Duration::ZERO);
/// The longest time of a refresh.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server and the requests that load it.
pub(crate) struct Side<'a> {
    pub(crate) server: &'a Server,
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
}

impl<'a> Side<'a> {
    /// One request, repeated.
    pub(crate) fn of_one(server: &'a Server, request: &[u8]) -> Self {
        Self { server, requests: Arc::new(vec![request.to_vec()]) }
    }
}

/// Pages of transactions, a customer and an account.
pub(crate) async fn run(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let server = Server::bankfeed(&place.join("bankfeed.db"))?;
    let mut connection = Connection::open(server.address).await?;
    let customer = create_customer(&mut connection, &[]).await?;
    let account = link(&mut connection, &customer, "Test (OAuth)").await?;
    wait_refreshed(&mut connection, &account).await?;
    let mut rows = Vec::new();
    for (limit, target) in [(100, "0.20"), (10, "0.35")] {
        let request = get(&page_path(&account, limit, None));
        let response = connection.record(&request).await?;
        let what = format!("page of {limit} transactions ({} bytes)", response.len());
        let compared = Compared { request: &request, response: &response, what: &what, target };
        rows.push(beside_static(place, &server, &compared, form).await?);
    }
    let objects = [
        ("customer by id", format!("/v1/customers/{customer}")),
        ("account by id", format!("/v1/financial_connections/accounts/{account}")),
    ];
    for (what, path) in objects {
        let request = get(&path);
        let response = connection.record(&request).await?;
        let response = Recorded::parse(&response)?.with_body(&[b' '; 1_024]);
        let what = format!("{what}, against 1 KB");
        let compared =
            Compared { request: &request, response: &response, what: &what, target: "0.40" };
        rows.push(beside_static(place, &server, &compared, form).await?);
    }
    server.stop()?;
    Ok(rows)
}

/// A request, and the response that the static server returns to it.
struct Compared<'a> {
    request: &'a [u8],
    response: &'a [u8],
    what: &'a str,
    target: &'static str,
}

/// Loads the server and a static server with a request, in alternation.
async fn beside_static(
    place: &Path,
    server: &Server,
    compared: &Compared<'_>,
    form: Form,
) -> Result<Row, Failure> {
    let file = place.join("response");
    std::fs::write(&file, compared.response)?;
    let ceiling = Server::static_response(&file)?;
    let ours = Side::of_one(server, compared.request);
    let (ours, ceiling) = costs(&ours, &Side::of_one(&ceiling, compared.request), form).await?;
    Ok(Row::of_costs(compared.what, ours, ceiling, compared.target))
}

/// Microseconds of processor time per request of two sides that are loaded in alternation.
pub(crate) async fn costs(
    left: &Side<'_>,
    right: &Side<'_>,
    form: Form,
) -> Result<(f64, f64), Failure> {
    let sides = [left, right];
    let mut spent = [Duration::ZERO; 2];
    let mut responses = [0; 2];
    for side in sides {
        load(side.server.address, &side.requests, form.pick(WARM_UP)).await?;
    }
    for _ in 0..form.pick(TURNS) {
        for (index, side) in sides.into_iter().enumerate() {
            let before = proc::cpu(side.server.pid())?;
            responses[index] += load(side.server.address, &side.requests, form.pick(TURN)).await?;
            spent[index] += proc::cpu(side.server.pid())?.saturating_sub(before);
        }
    }
    let cost = |index: usize| spent[index].as_secs_f64() * 1e6 / f64::from(responses[index]);
    Ok((cost(0), cost(1)))
}

/// The path of a page of an account's transactions.
pub(crate) fn page_path(account: &str, limit: u32, after: Option<&str>) -> String {
    let after = after.map(|id| format!("&starting_after={id}")).unwrap_or_default();
    format!("/v1/financial_connections/transactions?account={account}&limit={limit}{after}")
}

/// Creates a customer. Returns its id.
pub(crate) async fn create_customer(
    connection: &mut Connection,
    form: &[(&str, &str)],
) -> Result<String, Failure> {
    text(&connection.call(&post("/v1/customers", form)).await?, "/id")
}

/// Links the preselected account of a bank, which starts its first refresh. Returns its id.
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

/// Waits until the transaction refresh of an account has ended.
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
