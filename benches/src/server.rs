//! Child processes that listen: the server under test, and the static server.
//!
//! A child prints its address on standard output. Its handle ends it, also when the bench fails.

use crate::Failure;
use crate::measure::{Stopwatch, wait_for};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tokio::net::TcpStream;

/// The text before the address in the line that a child prints.
pub(crate) const LISTENING: &str = "http://";
/// The longest time that a child may take to listen, or to end after a signal.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child process that listens.
pub(crate) struct Server {
    child: Child,
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
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("a child has no standard output")?;
        let (announce, listening) = mpsc::channel();
        // The thread reads to the end, so that the child never waits for a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = address(&line) {
                    let _ = announce.send((address, age.elapsed()));
                }
            }
        });
        let Ok((address, announced_after)) = listening.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{command:?} printed no address").into());
        };
        Ok(Self { child, address, announced_after, age })
    }

    /// Starts another program and waits until it listens at this address.
    pub(crate) async fn other(command: &mut Command, address: SocketAddr) -> Result<Self, Failure> {
        let age = Stopwatch::start();
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = quiet.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut server = Self { child, address, announced_after: Duration::ZERO, age };
        let what = format!("{command:?} listens");
        wait_for(&what, PATIENCE, async || match server.child.try_wait()? {
            Some(status) => Err(format!("{command:?} ended with {status}").into()),
            None => Ok(TcpStream::connect(address).await.ok()),
        })
        .await?;
        server.announced_after = age.elapsed();
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it SIGTERM and waits until it has ended.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let ended = wait_for("a server ends", PATIENCE, async || Ok(self.child.try_wait()?));
        let status = ended.await?;
        if status.success() { Ok(()) } else { Err(format!("a server ended with {status}").into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both calls fail if it has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line that a child prints.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once(LISTENING)?;
    let end = after.find(|letter: char| !(letter.is_ascii_digit() || ".:".contains(letter)));
    after[..end.unwrap_or(after.len())].trim_end_matches(['.', ':']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::address;

    /// The address is found at any position of a line.
    #[test]
    fn finds_the_address() {
        let expected = Some(([127, 0, 0, 1], 4_242).into());
        assert_eq!(address("listening on http://127.0.0.1:4242, ready."), expected);
        assert_eq!(address("http://127.0.0.1:4242."), expected);
        assert_eq!(address("http://127.0.0.1:4242/v1"), expected);
        assert_eq!(address("docs at http://localhost"), None);
    }
}
