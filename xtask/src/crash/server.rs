//! The real binary as a child process. It is started, killed, and started again on the same database.
//!
//! The system chooses a free port at each start, so two runs at once do not collide. The output of
//! the process is read all the time. Its address in the output means that it accepts requests, and
//! `failpoint NAME` means that it has stopped at the armed failpoint.

use super::power::Disk;
use crate::Failure;
use crate::time::{POLL_AGAIN, bounded, moment, pass};
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// The longest time of a start.
const START_MAX: Duration = Duration::from_secs(20);
/// The longest time until the server reaches an armed failpoint under load.
const REACH_MAX: Duration = Duration::from_secs(30);
/// The longest time until a killed process has ended.
const GONE_MAX: Duration = Duration::from_secs(10);
/// Lines of the server's log that a report shows. Lines about reads are left out.
const LOG_LINES_MAX: usize = 40;
/// The text before the server's address in its output.
const LISTENS: &str = " listens on ";
/// The text of the log when a migration of an existing database begins.
const MIGRATES: &str = "the migration of the database begins";
const SIGKILL: i32 = 9;

/// Settings of the server. Leases and polls are short, so that the work of a killed server is claimed
/// again soon. A lease also bounds a delivery attempt, for which the follower needs time. Deliveries
/// are retried soon and often.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("BANKFEED_LEASE_MS", "1500"),
    ("BANKFEED_POLL_MS", "20"),
    (
        "BANKFEED_RETRY_TEST",
        "100ms,100ms,200ms,200ms,500ms,500ms,1s,1s,1s,1s,2s,2s,2s,2s,5s,5s,5s,5s,5s,5s",
    ),
];

/// The server's URL while it runs, and `None` between a kill and the next start.
pub(crate) type Up = watch::Receiver<Option<String>>;

/// A server, running or not.
pub(crate) struct Server {
    binary: PathBuf,
    database: PathBuf,
    /// The simulated disk of its files, if it has one. A kill is then a power cut.
    disk: Option<Disk>,
    /// Flags of `serve` besides the address and the database.
    flags: Vec<String>,
    /// Settings as variables.
    environment: &'static [(&'static str, &'static str)],
    running: Option<Running>,
    up: watch::Sender<Option<String>>,
    log: Arc<Mutex<VecDeque<String>>>,
    /// The longest time from a start to the server's address, in milliseconds.
    pub(crate) start_ms_max: u128,
}

struct Running {
    child: Child,
    state: watch::Receiver<State>,
}

/// The state of a process, read from its output.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Its URL, once it listens.
    pub(crate) url: Option<String>,
    /// True if it has begun to migrate an existing database.
    pub(crate) migrates: bool,
    reached: bool,
    ended: bool,
}

impl Server {
    /// A server that is not started yet.
    pub(crate) fn new(binary: PathBuf, database: PathBuf) -> Self {
        Self {
            binary,
            database,
            disk: None,
            flags: Vec::new(),
            environment: ENVIRONMENT,
            running: None,
            up: watch::Sender::new(None),
            log: Arc::default(),
            start_ms_max: 0,
        }
    }

    /// A server with its database on a simulated disk.
    pub(crate) fn on_disk(binary: PathBuf, disk: Disk) -> Self {
        let database = disk.database();
        Self { disk: Some(disk), ..Self::new(binary, database) }
    }

    /// Adds flags of `serve`.
    pub(crate) fn with_flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Replaces the settings for crash tests by others.
    pub(crate) fn with_environment(
        mut self,
        environment: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.environment = environment;
        self
    }

    /// The simulated disk.
    pub(crate) fn disk(&mut self) -> Result<&mut Disk, Failure> {
        self.disk.as_mut().ok_or_else(|| "the server has no simulated disk".to_owned())
    }

    /// The process id while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().and_then(|running| running.child.id())
    }

    /// The file of its database.
    pub(crate) fn database(&self) -> &Path {
        &self.database
    }

    /// Watches the server's URL.
    pub(crate) fn up(&self) -> Up {
        self.up.subscribe()
    }

    /// The last lines of its log, without lines about reads.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Starts the server, optionally with a failpoint armed as `name:passes`, and waits until it
    /// accepts requests. A failpoint stops one thread, so the server listens also if it reaches the
    /// failpoint during its start.
    pub(crate) async fn start(&mut self, failpoint: Option<&str>) -> Result<(), Failure> {
        let began = moment();
        self.launch(failpoint)?;
        let running = self.running.as_mut().ok_or("the server does not run")?;
        let started = bounded("the server to start", START_MAX, async {
            let met = running.state.wait_for(|state| state.url.is_some() || state.ended).await;
            met.map(|state| state.clone()).map_err(|error| error.to_string())
        })
        .await?;
        if started.ended {
            return Err("the server ended during its start".to_owned());
        }
        self.start_ms_max = self.start_ms_max.max(began.elapsed().as_millis());
        self.up.send_replace(started.url);
        Ok(())
    }

    /// Starts the process and does not wait until it accepts requests.
    pub(crate) fn launch(&mut self, failpoint: Option<&str>) -> Result<(), Failure> {
        let mut command = Command::new(&self.binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--db"])
            .arg(&self.database)
            .args(&self.flags)
            .envs(self.environment.iter().copied())
            .envs(self.disk.iter().flat_map(Disk::environment))
            .env_remove("BANKFEED_FAILPOINT")
            .envs(failpoint.map(|armed| ("BANKFEED_FAILPOINT", armed)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("start of the server: {error}"))?;
        let states = Arc::new(watch::Sender::new(State::default()));
        let state = states.subscribe();
        if let Some(output) = child.stdout.take() {
            self.read(output, &states);
        }
        if let Some(output) = child.stderr.take() {
            self.read(output, &states);
        }
        self.running = Some(Running { child, state });
        Ok(())
    }

    /// The host and port of the running server.
    pub(crate) fn address(&self) -> Result<String, Failure> {
        let url = self.up.borrow().clone().ok_or("the server does not run")?;
        Ok(url.trim_start_matches("http://").to_owned())
    }

    /// Waits until the server has begun to migrate an existing database.
    pub(crate) async fn migrating(&mut self) -> Result<(), Failure> {
        let running = self.running.as_mut().ok_or("the server does not run")?;
        let ended = bounded("the server to begin a migration", START_MAX, async {
            let met = running.state.wait_for(|state| state.migrates || state.ended).await;
            met.map(|state| !state.migrates).map_err(|error| error.to_string())
        })
        .await?;
        if ended { Err("the server ended without a kill".to_owned()) } else { Ok(()) }
    }

    /// Waits until the server has stopped at the armed failpoint.
    pub(crate) async fn reached(&mut self) -> Result<(), Failure> {
        let running = self.running.as_mut().ok_or("the server does not run")?;
        let ended = bounded("the server to reach the armed failpoint", REACH_MAX, async {
            let met = running.state.wait_for(|state| state.reached || state.ended).await;
            met.map(|state| !state.reached).map_err(|error| error.to_string())
        })
        .await?;
        if ended { Err("the server ended without a kill".to_owned()) } else { Ok(()) }
    }

    /// Kills the server with SIGKILL, as a crash would. It flushes and closes no file. On a simulated
    /// disk the power fails at the same time. Returns the last state of the process.
    pub(crate) async fn kill(&mut self) -> Result<State, Failure> {
        let mut running = self.running.take().ok_or("the server does not run")?;
        let failed = |error: std::io::Error| error.to_string();
        if let Some(status) = running.child.try_wait().map_err(failed)? {
            return Err(format!("the server ended without a kill: {status}"));
        }
        self.up.send_replace(None);
        running.child.start_kill().map_err(failed)?;
        let status = bounded("the killed server to end", GONE_MAX, async {
            running.child.wait().await.map_err(failed)
        })
        .await?;
        match status.signal() {
            Some(SIGKILL) => {}
            _ => return Err(format!("the server ended without a kill: {status}")),
        }
        if let Some(disk) = &mut self.disk {
            disk.cut()?;
        }
        Ok(running.state.borrow().clone())
    }

    /// Waits until the server ends without a signal. Returns its exit code.
    pub(crate) async fn end(&mut self) -> Result<Option<i32>, Failure> {
        let mut running = self.running.take().ok_or("the server does not run")?;
        let status = bounded("the server to end", START_MAX, async {
            running.child.wait().await.map_err(|error| error.to_string())
        })
        .await?;
        self.up.send_replace(None);
        Ok(status.code())
    }

    /// Stops the server with SIGTERM, as an operator does, and waits until it has ended.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        let mut running = self.running.take().ok_or("the server does not run")?;
        let pid = running.child.id().ok_or("the server ended without a signal")?.to_string();
        self.up.send_replace(None);
        let signal = Command::new("kill").args(["-TERM", &pid]).status().await;
        signal.map_err(|error| format!("kill -TERM: {error}"))?;
        let status = bounded("the server to stop", START_MAX, async {
            running.child.wait().await.map_err(|error| error.to_string())
        })
        .await?;
        if status.success() { Ok(()) } else { Err(format!("the stopped server: {status}")) }
    }

    /// Reads an output of the process to its end.
    fn read(
        &self,
        output: impl AsyncRead + Send + Unpin + 'static,
        states: &Arc<watch::Sender<State>>,
    ) {
        let (log, states) = (Arc::clone(&self.log), Arc::clone(states));
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(url) = url_in(&line) {
                    states.send_modify(|state| state.url = Some(url));
                }
                if line.contains(MIGRATES) {
                    states.send_modify(|state| state.migrates = true);
                }
                if line.starts_with("failpoint ") {
                    states.send_modify(|state| state.reached = true);
                }
                if line.contains("method=GET") {
                    // Lines about reads would push all others out of the log.
                    continue;
                }
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                if log.len() == LOG_LINES_MAX {
                    log.pop_front();
                }
                log.push_back(line);
            }
            states.send_modify(|state| state.ended = true);
        });
    }
}

/// The URL in the line that the server prints when it listens.
fn url_in(line: &str) -> Option<String> {
    let (_, after) = line.split_once(LISTENS)?;
    let url = after.split_whitespace().next()?.trim_end_matches(['.', ',']);
    url.starts_with("http://").then(|| url.to_owned())
}

/// Waits until the server is up. Returns its URL.
pub(crate) async fn until_up(up: &Up) -> String {
    let mut up = up.clone();
    loop {
        if let Ok(url) = up.wait_for(Option::is_some).await {
            return url.clone().unwrap_or_default();
        }
        // The run is over, and this task is about to be dropped.
        pass(POLL_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::url_in;

    /// The URL is read from the greeting and from no other line.
    #[test]
    fn reads_the_url() {
        let url = Some("http://127.0.0.1:4242".to_owned());
        assert_eq!(url_in("bankfeed 0.1.0 listens on http://127.0.0.1:4242"), url);
        assert_eq!(url_in("bankfeed 0.1.0 listens on http://127.0.0.1:4242."), url);
        assert_eq!(url_in("posting to http://127.0.0.1:1"), None);
    }
}
