//! Floods: idle connections, heads and bodies that arrive byte by byte, clients that do not read, and
//! thousands of keys. Meanwhile `/healthz` and the calls of another client get responses, on new
//! connections and on one that is open already.

use super::raw::{Kept, call, exchange, request};
use super::{Plan, Tally, new_folder, start};
use crate::Failure;
use crate::time::{POLL_AGAIN, bounded, pass};
use std::time::Duration;
use testkit::process::send_signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CLIENT: &str = "sk_test_client";
const CUSTOMERS: &str = "/v1/customers";
/// Idle connections, fewer than the server accepts in all.
const IDLE: usize = 1_000;
/// Idle connections above the limit of the server.
const IDLE_ABOVE_LIMIT: usize = 4_600;
/// Idle connections between two calls of the other client.
const CALL_AFTER: usize = 200;
/// Connections of each slow kind.
const SLOW: usize = 100;
/// Connections that do not read in each form, and their requests. The responses are larger than the buffers
/// of a connection.
const UNREAD_SHORT: usize = 12;
const UNREAD_LONG: usize = 30;
const UNREAD_REQUESTS: usize = 120;
/// Distinct test keys in each form, and the connections that use them.
const KEYS_SHORT: u64 = 2_000;
const KEYS_LONG: u64 = 40_000;
const KEY_LANES: u64 = 8;
/// Rounds of calls during each flood.
const ROUNDS: usize = 10;
/// The longest time until the other client has its responses.
const SERVED_MAX: Duration = Duration::from_secs(40);
/// The same with the planted fault, a server that is stopped.
const SABOTAGED_MAX: Duration = Duration::from_secs(3);
/// The longest time until the server has closed slow connections.
const CLOSED_MAX: Duration = Duration::from_mins(5);

/// Runs the floods.
pub(super) async fn run(plan: Plan, tally: &mut Tally) -> Result<(), Failure> {
    let folder = new_folder()?;
    let mut server = start(&folder, &[], &[]).await?;
    let address = server.address()?;
    let mut client = Kept::open(&address).await?;
    for _ in 0..120 {
        // Rows that make a page large.
        client.call(CLIENT, "POST", CUSTOMERS).await?;
    }
    let flood = open_idle(&address, IDLE, tally).await?;
    if plan.sabotage {
        let pid = server.pid().ok_or("the server does not run")?;
        send_signal(pid, "STOP")?;
        served(&address, &mut client, SABOTAGED_MAX, tally).await?;
    }
    served(&address, &mut client, SERVED_MAX, tally).await?;
    drop(flood);
    let mut drips = drip(&address, tally).await?;
    served(&address, &mut client, SERVED_MAX, tally).await?;
    let unread =
        do_not_read(&address, if plan.long { UNREAD_LONG } else { UNREAD_SHORT }, tally).await?;
    served(&address, &mut client, SERVED_MAX, tally).await?;
    drop(unread);
    use_keys(&address, if plan.long { KEYS_LONG } else { KEYS_SHORT }, tally).await?;
    served(&address, &mut client, SERVED_MAX, tally).await?;
    if plan.long {
        drips_are_closed(&mut drips, tally).await?;
    }
    drips.abort_all();
    health_above_limit(&address, &mut client, tally).await?;
    bounded("new connections after the floods", SERVED_MAX, async {
        call(&address, CLIENT, "GET", CUSTOMERS, &[]).await.map(drop)
    })
    .await?;
    server.stop().await
}

/// Calls of a client during a flood: on its open connection, on new ones, and of `/healthz`.
async fn served(
    address: &str,
    client: &mut Kept,
    limit: Duration,
    tally: &mut Tally,
) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        bounded("calls of another client during a flood", limit, async {
            let kept = client.call(CLIENT, "POST", CUSTOMERS).await?;
            let new = call(address, CLIENT, "GET", CUSTOMERS, &[]).await?.status;
            let health = health(address).await?;
            let all = [kept, new, health];
            tally.check(all == [200; 3], || format!("calls during a flood got {all:?}"));
            Ok(())
        })
        .await?;
        tally.add("calls served", 3);
    }
    Ok(())
}

async fn health(address: &str) -> Result<u16, Failure> {
    let text = request(address, "GET", "/healthz", "", "");
    let reply = exchange(address, text.as_bytes()).await?;
    reply.map(|reply| reply.status).ok_or_else(|| "/healthz got no response".to_owned())
}

/// Opens connections that send no byte.
async fn open_idle(
    address: &str,
    count: usize,
    tally: &mut Tally,
) -> Result<Vec<TcpStream>, Failure> {
    let mut idle = Vec::with_capacity(count);
    for _ in 0..count {
        idle.push(TcpStream::connect(address).await.map_err(|error| error.to_string())?);
    }
    tally.add("idle connections", count as u64);
    Ok(idle)
}

/// Opens connections that send a head or a body byte by byte. Each task ends when the server closes its
/// connection.
async fn drip(address: &str, tally: &mut Tally) -> Result<JoinSet<()>, Failure> {
    let head = format!("GET {CUSTOMERS} HTTP/1.1\r\nhost: {address}\r\nx-slow: ");
    let body = format!(
        "POST {CUSTOMERS} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {CLIENT}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 100000\r\n\r\nname="
    );
    let mut drips = JoinSet::new();
    for beginning in [head, body] {
        for _ in 0..SLOW {
            let mut stream =
                TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            stream.write_all(beginning.as_bytes()).await.map_err(|error| error.to_string())?;
            drips.spawn(async move {
                let mut byte = [0; 1];
                // A byte each time that no response arrives.
                while bounded("", POLL_AGAIN * 10, async {
                    Ok(stream.read(&mut byte).await.unwrap_or(0))
                })
                .await
                .is_err()
                {
                    if stream.write_all(b"a").await.is_err() {
                        return;
                    }
                }
            });
        }
    }
    tally.add("dripping connections", drips.len() as u64);
    Ok(drips)
}

/// The server closes each connection without a whole head or body in time. This needs deadlines for
/// heads and bodies.
async fn drips_are_closed(drips: &mut JoinSet<()>, tally: &mut Tally) -> Result<(), Failure> {
    let mut closed = 0;
    let ended = bounded("slow connections to be closed", CLOSED_MAX, async {
        while drips.join_next().await.is_some() {
            closed += 1;
        }
        Ok(())
    });
    ended.await?;
    tally.add("slow connections closed", closed);
    tally.check(true, String::new);
    Ok(())
}

/// Opens connections that send many requests and read no response.
async fn do_not_read(
    address: &str,
    count: usize,
    tally: &mut Tally,
) -> Result<JoinSet<()>, Failure> {
    let request = format!(
        "GET {CUSTOMERS}?limit=100 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {CLIENT}\r\n\r\n"
    );
    let requests = request.repeat(UNREAD_REQUESTS);
    let mut unread = JoinSet::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let requests = requests.clone();
        unread.spawn(async move {
            let _ = stream.write_all(requests.as_bytes()).await;
            std::future::pending::<()>().await;
        });
    }
    tally.add("connections that do not read", count as u64);
    tally.add("requests without a reader", (count * UNREAD_REQUESTS) as u64);
    // The requests reach the server while it serves the other client.
    pass(POLL_AGAIN).await;
    Ok(unread)
}

/// Calls with distinct test keys. Each creates a merchant.
async fn use_keys(address: &str, keys: u64, tally: &mut Tally) -> Result<(), Failure> {
    let mut lanes = JoinSet::new();
    for lane in 0..KEY_LANES {
        let mut connection = Kept::open(address).await?;
        lanes.spawn(async move {
            for number in (lane..keys).step_by(usize::try_from(KEY_LANES).unwrap_or(1)) {
                let key = format!("sk_test_flood{number}");
                let status = connection.call(&key, "POST", CUSTOMERS).await?;
                if status != 200 {
                    return Err(format!("a call of key {number} got {status}"));
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    tally.add("test keys", keys);
    Ok(())
}

/// With more connections than the server accepts, `/healthz` and a client that goes on calling on its
/// open connection get responses. This needs places for health checks above the limit.
async fn health_above_limit(
    address: &str,
    client: &mut Kept,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut flood = Vec::with_capacity(IDLE_ABOVE_LIMIT);
    for number in 0..IDLE_ABOVE_LIMIT {
        let opened = bounded("a connection above the limit", SERVED_MAX, async {
            TcpStream::connect(address).await.map_err(|error| error.to_string())
        });
        flood.push(opened.await?);
        if number % CALL_AFTER == 0 {
            client.call(CLIENT, "GET", CUSTOMERS).await?;
        }
    }
    tally.add("idle connections above the limit", IDLE_ABOVE_LIMIT as u64);
    for _ in 0..ROUNDS {
        let kept =
            bounded("a call above the limit", SERVED_MAX, client.call(CLIENT, "GET", CUSTOMERS));
        let kept = kept.await?;
        tally.check(kept == 200, || format!("a call above the limit of connections got {kept}"));
    }
    for _ in 0..ROUNDS {
        let status = bounded("/healthz above the limit", SERVED_MAX, health(address)).await?;
        tally.check(status == 200, || format!("/healthz above the limit got {status}"));
    }
    tally.add("calls served", 2 * ROUNDS as u64);
    drop(flood);
    Ok(())
}
