//! Child processes that listen: the server under test, and the static one.
//!
//! A child says on standard output where it listens. It is ended by its handle, never by a name,
//! and also when the bench fails.

use crate::Failure;
use crate::measure::{Stopwatch, wait_for};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tokio::net::TcpStream;

/// What stands before the address in the line that says where a child listens.
pub(crate) const LISTENING: &str = "http://";
/// How long a child may take to listen, or to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child that listens.
pub(crate) struct Server {
    child: Child,
    /// Where.
    pub(crate) address: SocketAddr,
    /// How long it took from being started to saying so.
    pub(crate) said_after: Duration,
    /// Runs since it was started.
    pub(crate) age: Stopwatch,
}

impl Server {
    /// Starts `bankfeed serve` on this database, logging warnings only.
    pub(crate) fn bankfeed(database: &Path) -> Result<Self, Failure> {
        let program = crate::beside()?.join("bankfeed");
        if !program.exists() {
            let message = "the server is not built: cargo build --release -p bankfeed";
            return Err(message.into());
        }
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--db"]);
        Self::start(command.arg(database))
    }

    /// Starts this program as the static server of the answer in a file.
    pub(crate) fn static_answer(file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        Self::start(command.arg(crate::STATIC_ANSWER).arg(file))
    }

    fn start(command: &mut Command) -> Result<Self, Failure> {
        let age = Stopwatch::start();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("a child has no standard output")?;
        let (said, listening) = mpsc::channel();
        // Reads to the end, so that the child never waits for a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(address) = address(&line) {
                    let _ = said.send((address, age.elapsed()));
                }
            }
        });
        let Ok((address, said_after)) = listening.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{command:?} did not say where it listens").into());
        };
        Ok(Self { child, address, said_after, age })
    }

    /// Starts another program that will listen at an address, and waits until it does.
    pub(crate) async fn other(command: &mut Command, address: SocketAddr) -> Result<Self, Failure> {
        let age = Stopwatch::start();
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = quiet.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut server = Self { child, address, said_after: Duration::ZERO, age };
        let what = format!("{command:?} listens");
        wait_for(&what, PATIENCE, async || match server.child.try_wait()? {
            Some(status) => Err(format!("{command:?} ended with {status}").into()),
            None => Ok(TcpStream::connect(address).await.ok()),
        })
        .await?;
        server.said_after = age.elapsed();
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to end, and waits until it has.
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
        // It may have ended already, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line that says where a child listens.
fn address(line: &str) -> Option<SocketAddr> {
    let (_, after) = line.split_once(LISTENING)?;
    let end = after.find(|letter: char| !(letter.is_ascii_digit() || ".:".contains(letter)));
    after[..end.unwrap_or(after.len())].trim_end_matches(['.', ':']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::address;

    /// The address is found wherever it stands in a line.
    #[test]
    fn finds_the_address() {
        let expected = Some(([127, 0, 0, 1], 4_242).into());
        assert_eq!(address("listening on http://127.0.0.1:4242, ready."), expected);
        assert_eq!(address("http://127.0.0.1:4242."), expected);
        assert_eq!(address("http://127.0.0.1:4242/v1"), expected);
        assert_eq!(address("docs at http://localhost"), None);
    }
}
