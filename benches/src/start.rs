//! The start of the server on an empty database, and its memory when it is idle.

use crate::Failure;
use crate::client::{Connection, get};
use crate::measure::{Form, median, pause};
use crate::proc;
use crate::report::Row;
use crate::server::Server;
use std::path::Path;
use std::time::Duration;

/// Starts, each on a database of its own: long form, short form.
const STARTS: (u32, u32) = (9, 1);
/// The time that the server is idle before its memory is read: long form, short form.
const IDLE: (Duration, Duration) = (Duration::from_secs(2), Duration::ZERO);

/// The time from the start of the process to its first line and to its first response, and its
/// idle memory.
pub(crate) async fn run(place: &Path, form: Form) -> Result<Vec<Row>, Failure> {
    let starts = form.pick(STARTS);
    let (mut announced, mut responded) = (Vec::new(), Vec::new());
    let mut idle = String::new();
    for number in 1..=starts {
        let server = Server::bankfeed(&place.join(format!("start-{number}.db")))?;
        responded.push(first_response(&server).await?);
        announced.push(server.announced_after);
        if number == starts {
            pause(form.pick(IDLE)).await;
            let (own, whole) =
                (proc::memory_mb(server.pid())?, proc::whole_memory_mb(server.pid())?);
            idle = format!("{own:.1} MB, {whole:.1} MB with its program");
            server.stop()?;
        }
    }
    let milliseconds = |times| format!("{:.0} ms", median(times).as_secs_f64() * 1e3);
    Ok(vec![
        Row::plain("start on an empty database, first line", milliseconds(announced), "50 ms"),
        Row::plain("start on an empty database, first response", milliseconds(responded), "50 ms"),
        Row::plain("idle memory", idle, "30 MB"),
    ])
}

/// Calls `/healthz` of a server that was just started. Returns the server's age at the response.
pub(crate) async fn first_response(server: &Server) -> Result<Duration, Failure> {
    let mut connection = Connection::open(server.address).await?;
    match connection.exchange(&get("/healthz")).await? {
        200 => Ok(server.age.elapsed()),
        status => Err(format!("/healthz returned {status}").into()),
    }
}
