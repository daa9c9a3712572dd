//! The start of the server on an empty database, and the memory it has when it is idle.

use crate::Failure;
use crate::client::{Connection, get};
use crate::measure::{median, pause};
use crate::proc;
use crate::report::Row;
use crate::server::Server;
use std::path::Path;
use std::time::Duration;

/// Starts, each on a database of its own.
const STARTS: u32 = 9;
/// How long a server is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(2);

/// From the start of the process to the line it prints and to its first answer; idle memory.
pub(crate) async fn run(place: &Path) -> Result<Vec<Row>, Failure> {
    let (mut said, mut answered) = (Vec::new(), Vec::new());
    let mut idle = String::new();
    for number in 1..=STARTS {
        let server = Server::bankfeed(&place.join(format!("start-{number}.db")))?;
        answered.push(first_answer(&server).await?);
        said.push(server.said_after);
        if number == STARTS {
            pause(IDLE).await;
            let (own, whole) =
                (proc::memory_mb(server.pid())?, proc::whole_memory_mb(server.pid())?);
            idle = format!("{own:.1} MB, {whole:.1} MB with its program");
            server.stop().await?;
        }
    }
    let milliseconds = |times| format!("{:.0} ms", median(times).as_secs_f64() * 1e3);
    Ok(vec![
        Row::plain("start on an empty database, until it says so", milliseconds(said), "50 ms"),
        Row::plain("start on an empty database, first answer", milliseconds(answered), "50 ms"),
        Row::plain("idle memory", idle, "30 MB"),
    ])
}

/// Asks a server that was just started whether it is well. Answers how old it was then.
pub(crate) async fn first_answer(server: &Server) -> Result<Duration, Failure> {
    let mut connection = Connection::open(server.address).await?;
    match connection.exchange(&get("/healthz")).await? {
        200 => Ok(server.age.elapsed()),
        status => Err(format!("/healthz was answered with {status}").into()),
    }
}
