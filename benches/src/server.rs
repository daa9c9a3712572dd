//! Child processes that listen: the server under test, and the static server.
//!
//! A child prints its address on standard output.

use crate::Failure;
use crate::measure::{Stopwatch, wait_for};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::process::Process;
use tokio::net::TcpStream;

/// The text before the address in the line that a child prints.
pub(crate) const LISTENING: &str = "http://";
/// The longest time that another program may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child process that listens.
pub(crate) struct Server {
    process: Process,
    /// Its address.
    pub(crate) address: SocketAddr,
    /// The time from its start to the line with its address.
    pub(crate) announced_after: Duration,
    /// The time since its start.
    pub(crate) age: Stopwatch,
}

impl Server {
    /// Starts `bankfeed serve` on this database. It logs warnings only.
    pub(crate) fn bankfeed(database: &Path) -> Result<Self, Failure> {
        let program = crate::beside()?.join("bankfeed");
        if !program.exists() {
            let message =
                "the server's program is missing beside this one: run it by cargo xtask bench";
            return Err(message.into());
        }
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--db"]);
        Self::start(command.arg(database))
    }

    /// Starts this program as the static server of the response in a file.
    pub(crate) fn static_response(file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        Self::start(command.arg(crate::STATIC_RESPONSE).arg(file))
    }

    fn start(command: &mut Command) -> Result<Self, Failure> {
        let age = Stopwatch::start();
        let process = Process::start(command)?;
        let rest = process.after(LISTENING)?;
        let announced_after = age.elapsed();
        let address = address(&rest).ok_or_else(|| format!("no address: {rest}"))?;
        Ok(Self { process, address, announced_after, age })
    }

    /// Starts another program and waits until it listens at this address.
    pub(crate) async fn other(command: &mut Command, address: SocketAddr) -> Result<Self, Failure> {
        let age = Stopwatch::start();
        let process = Process::start(command.stderr(Stdio::null()))?;
        let mut server = Self { process, address, announced_after: Duration::ZERO, age };
        let what = format!("{command:?} listens");
        wait_for(&what, PATIENCE, async || match server.process.try_wait()? {
            Some(status) => Err(format!("{command:?} ended with {status}").into()),
            None => Ok(TcpStream::connect(address).await.ok()),
        })
        .await?;
        server.announced_after = age.elapsed();
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends it SIGTERM and waits until it has ended.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        let status = self.process.terminate()?;
        if status.success() { Ok(()) } else { Err(format!("a server ended with {status}").into()) }
    }
}

/// The address at the begin of a text.
fn address(text: &str) -> Option<SocketAddr> {
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || ".:".contains(letter)));
    text[..end.unwrap_or(text.len())].trim_end_matches(['.', ':']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::address;

    /// The address ends before punctuation and a path.
    #[test]
    fn finds_the_address() {
        let expected = Some(([127, 0, 0, 1], 4_242).into());
        assert_eq!(address("127.0.0.1:4242, ready."), expected);
        assert_eq!(address("127.0.0.1:4242."), expected);
        assert_eq!(address("127.0.0.1:4242/v1"), expected);
        assert_eq!(address("localhost"), None);
    }
}
