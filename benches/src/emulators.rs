//! `GET /v1/customers/{id}` compared with other emulators of Stripe's API, in the same run.
//!
//! Each emulator has one customer and gets the same load as the server under test, in alternation.
//! `cargo xtask bench` installs them under `benches/emulators`. They have no bank accounts, so this
//! workload reads a customer, which all of them have.

use crate::Failure;
use crate::client::{Connection, get, get_with, load, post, text};
use crate::measure::{Form, Spent, Stopwatch};
use crate::proc;
use crate::report::Row;
use crate::server::Server;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// Turns of each side: long form, short form.
const TURNS: (u32, u32) = (3, 1);
/// The length of a turn: long form, short form.
const TURN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_millis(20));
const WARM_UP: (Duration, Duration) = (Duration::from_millis(500), Duration::ZERO);
/// API keys that are used in rotation, because one emulator accepts only 5,000 requests per key and
/// hour.
const KEYS: u32 = 64;
/// The ratio to the fastest emulator that we aim for.
const TARGET: &str = "4";

/// An emulator and the command that starts it.
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

/// A program that npm installed, restricted to the loopback address.
fn node(place: &Path, name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg("--require").arg(place.join("loopback.cjs"));
    command.arg(place.join("node_modules/.bin").join(name)).env("NODE_ENV", "production");
    command
}

/// Compares a customer by id with each emulator.
pub(crate) async fn run(folder: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulators");
    if !python(&place).exists() {
        return Err("the emulators are not installed: cargo xtask bench emulators".into());
    }
    let ours = Server::bankfeed(&folder.join("bankfeed.db"))?;
    let mut rows = Vec::new();
    for emulator in EMULATORS {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = (emulator.command)(&place, address.port());
        // Some write files to their working directory.
        let other = Server::other(command.current_dir(folder), address).await?;
        let [we, they] = rates([&ours, &other], form).await?;
        let what = format!("customer by id, beside {}", emulator.name);
        rows.push(Row::beside(what, "responses", we, they, TARGET));
    }
    ours.stop()?;
    Ok(rows)
}

/// A port that is free at this moment. These emulators cannot report a port of their own choice.
fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Loads two servers in alternation. Returns the number of responses of each, and the time.
async fn rates(servers: [&Server; 2], form: Form) -> Result<[(u32, Spent); 2], Failure> {
    let mut requests = Vec::new();
    for server in servers {
        requests.push(customer_requests(server.address).await?);
        load(server.address, &requests[requests.len() - 1], form.pick(WARM_UP)).await?;
    }
    let mut done = [(0, Spent::default()); 2];
    for _ in 0..form.pick(TURNS) {
        for (index, server) in servers.into_iter().enumerate() {
            let cpu_before = proc::cpu(server.pid())?;
            let watch = Stopwatch::start();
            done[index].0 += load(server.address, &requests[index], form.pick(TURN)).await?;
            let time = watch.elapsed();
            let cpu = proc::cpu(server.pid())?.saturating_sub(cpu_before);
            done[index].1 += Spent { time, cpu };
        }
    }
    Ok(done)
}

/// Creates a customer. Returns one request for it with each key that can read it.
async fn customer_requests(address: SocketAddr) -> Result<Arc<Vec<Vec<u8>>>, Failure> {
    let mut connection = Connection::open(address).await?;
    let form = [("email", "ada@example.com"), ("description", "Ada")];
    let customer = connection.call(&post("/v1/customers", &form)).await?;
    let path = format!("/v1/customers/{}", text(&customer, "/id")?);
    // If each key is a merchant of its own, only the first key can read the customer.
    let other = get_with("sk_test_bench_1", &path);
    if connection.exchange(&other).await? != 200 {
        return Ok(Arc::new(vec![get(&path)]));
    }
    let keys = (0..KEYS).map(|number| get_with(&format!("sk_test_bench_{number}"), &path));
    Ok(Arc::new(keys.collect()))
}
