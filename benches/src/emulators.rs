//! `GET /v1/customers/{id}` beside other emulators of Stripe's API, in the same run.
//!
//! Each holds one customer and takes the same load as the server under test, in turns with it. They
//! are installed under `benches/emulators` by `cargo xtask bench`; none of them knows bank accounts,
//! so a customer is what all of them can be asked for.

use crate::Failure;
use crate::client::{Connection, get, get_with, load, post, text};
use crate::measure::{Spent, Stopwatch};
use crate::proc;
use crate::report::Row;
use crate::server::Server;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Turns of each side.
const TURNS: u32 = 3;
const TURN: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_millis(500);
/// Keys that an emulator is asked with in turn: one of them answers each only 5,000 times an hour.
const KEYS: u32 = 64;
/// How much faster than the fastest of them we mean to be.
const TARGET: &str = "4";

/// How an emulator is started.
struct Emulator {
    name: &'static str,
    command: fn(&Path, u16) -> Command,
}

const EMULATORS: [Emulator; 3] = [
    Emulator { name: "localstripe 1.15.10", command: localstripe },
    Emulator { name: "stripe-stateful-mock 0.0.16", command: stateful_mock },
    Emulator { name: "emulate 0.11.2", command: emulate },
];

fn localstripe(place: &Path, port: u16) -> Command {
    let mut command = Command::new(python(place));
    command.arg(place.join("run_localstripe.py")).arg(port.to_string());
    command
}

fn stateful_mock(place: &Path, port: u16) -> Command {
    let mut command = node(place, "stripe-stateful-mock");
    command.env("PORT", port.to_string()).env("LOG_LEVEL", "silent");
    command
}

fn emulate(place: &Path, port: u16) -> Command {
    let mut command = node(place, "emulate");
    command.args(["start", "--service", "stripe", "--port", &port.to_string()]);
    command
}

fn python(place: &Path) -> PathBuf {
    place.join("python/bin/python")
}

/// A program that npm brought, kept to this machine's own address.
fn node(place: &Path, name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg("--require").arg(place.join("loopback.cjs"));
    command.arg(place.join("node_modules/.bin").join(name)).env("NODE_ENV", "production");
    command
}

/// A customer by id, beside each emulator.
pub(crate) async fn run(folder: &Path) -> Result<Vec<Row>, Failure> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulators");
    if !python(&place).exists() {
        return Err("the emulators are not installed: cargo xtask bench emulators".into());
    }
    let ours = Server::bankfeed(&folder.join("bankfeed.db"))?;
    let mut rows = Vec::new();
    for emulator in EMULATORS {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = (emulator.command)(&place, address.port());
        // Some keep files where they are started.
        let other = Server::other(command.current_dir(folder), address).await?;
        let [we, they] = rates([&ours, &other]).await?;
        let what = format!("customer by id, beside {}", emulator.name);
        rows.push(Row::beside(what, "answers", we, they, TARGET));
    }
    ours.stop().await?;
    Ok(rows)
}

/// A port that nobody listens on at this moment.
fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// How many answers two servers gave, and what they took, loaded in turns.
async fn rates(servers: [&Server; 2]) -> Result<[(u32, Spent); 2], Failure> {
    let mut requests = Vec::new();
    for server in servers {
        requests.push(customer_requests(server.address).await?);
        load(server.address, &requests[requests.len() - 1], WARM_UP).await?;
    }
    let mut done = [(0, Spent::default()); 2];
    for _ in 0..TURNS {
        for (index, server) in servers.into_iter().enumerate() {
            let cpu_before = proc::cpu(server.pid())?;
            let watch = Stopwatch::start();
            done[index].0 += load(server.address, &requests[index], TURN).await?;
            let time = watch.elapsed();
            let cpu = proc::cpu(server.pid())?.saturating_sub(cpu_before);
            done[index].1 += Spent { time, cpu };
        }
    }
    Ok(done)
}

/// Makes a customer, and asks for it with every key that may see it.
async fn customer_requests(address: SocketAddr) -> Result<Arc<Vec<Vec<u8>>>, Failure> {
    let mut connection = Connection::open(address).await?;
    let form = [("email", "ada@example.com"), ("description", "Ada")];
    let customer = connection.call(&post("/v1/customers", &form)).await?;
    let path = format!("/v1/customers/{}", text(&customer, "/id")?);
    // Where each key is a merchant of its own, only the first sees the customer.
    let other = get_with("sk_test_bench_1", &path);
    if connection.exchange(&other).await? != 200 {
        return Ok(Arc::new(vec![get(&path)]));
    }
    let keys = (0..KEYS).map(|number| get_with(&format!("sk_test_bench_{number}"), &path));
    Ok(Arc::new(keys.collect()))
}
