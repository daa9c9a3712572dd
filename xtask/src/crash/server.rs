//! The real binary as a child process: started, killed, started again on the same database and
//! port. What it prints is read all the time: its address says that it takes requests, and
//! `failpoint NAME` that it stands at the place where it is to be killed.

use crate::Failure;
use crate::time::{LOOK_AGAIN, bounded, moment, pass};
use std::collections::VecDeque;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// What the server may take to start.
const START_MAX: Duration = Duration::from_secs(20);
/// What the server may take to come to an armed place, under load.
const REACH_MAX: Duration = Duration::from_secs(30);
/// What a killed process may take to be gone.
const GONE_MAX: Duration = Duration::from_secs(10);
/// Lines of the server's log that are kept for a report, those about reads left out.
const LOG_LINES_MAX: usize = 40;
/// Ports among which one is drawn: below those that outgoing connections are given, so that none
/// of them takes the port while the server is down.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
const SIGKILL: i32 = 9;

/// What the server is told: leases and polls are short, so that what a killed server held is soon
/// taken up again; a lease also bounds an attempt at a delivery, which the follower needs time for.
/// Deliveries are tried again soon and often.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("BANKFEED_LEASE_MS", "1500"),
    ("BANKFEED_POLL_MS", "20"),
    (
        "BANKFEED_RETRY_TEST",
        "100ms,100ms,200ms,200ms,500ms,500ms,1s,1s,1s,1s,2s,2s,2s,2s,5s,5s,5s,5s,5s,5s",
    ),
];

/// A server, running or not.
pub(super) struct Server {
    binary: PathBuf,
    database: PathBuf,
    listen: String,
    running: Option<Running>,
    up: watch::Sender<bool>,
    log: Arc<Mutex<VecDeque<String>>>,
    /// The longest time from a start to the server's address, in milliseconds.
    pub(super) start_ms_max: u128,
}

struct Running {
    child: Child,
    told: watch::Receiver<Told>,
}

/// What the server said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    listening: bool,
    reached: bool,
    ended: bool,
}

impl Server {
    /// A server that is not started yet. `first` decides which port is tried first.
    pub(super) fn new(binary: PathBuf, database: PathBuf, first: u16) -> Result<Self, Failure> {
        let ports = PORTS.len();
        let candidates = PORTS.cycle().skip(usize::from(first) % ports).take(ports);
        let port = candidates
            .into_iter()
            .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .ok_or("no port is free")?;
        Ok(Self {
            binary,
            database,
            listen: format!("127.0.0.1:{port}"),
            running: None,
            up: watch::Sender::new(false),
            log: Arc::default(),
            start_ms_max: 0,
        })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Says whether it is up.
    pub(super) fn up(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// The last lines that it printed, those about reads left out.
    pub(super) fn last_lines(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Starts it, with a place armed as `name:passes` if one is given, and waits until it takes
    /// requests or stands at that place.
    pub(super) async fn start(&mut self, failpoint: Option<&str>) -> Result<(), Failure> {
        let began = moment();
        let mut command = Command::new(&self.binary);
        command
            .args(["serve", "--listen", &self.listen, "--db"])
            .arg(&self.database)
            .envs(ENVIRONMENT.iter().copied())
            .env_remove("BANKFEED_FAILPOINT")
            .envs(failpoint.map(|armed| ("BANKFEED_FAILPOINT", armed)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("starting it: {error}"))?;
        let tell = Arc::new(watch::Sender::new(Told::default()));
        let told = tell.subscribe();
        if let Some(output) = child.stdout.take() {
            self.read(output, &tell);
        }
        if let Some(output) = child.stderr.take() {
            self.read(output, &tell);
        }
        let mut starting = told.clone();
        self.running = Some(Running { child, told });
        let told = bounded("the server to start", START_MAX, async {
            let met = starting.wait_for(|told| told.listening || told.reached || told.ended).await;
            met.map(|told| *told).map_err(|error| error.to_string())
        })
        .await?;
        if told.ended {
            return Err("the server ended at its start".to_owned());
        }
        self.start_ms_max = self.start_ms_max.max(began.elapsed().as_millis());
        self.up.send_replace(true);
        Ok(())
    }

    /// Waits until it stands at the armed place.
    pub(super) async fn reached(&mut self) -> Result<(), Failure> {
        let running = self.running.as_mut().ok_or("the server does not run")?;
        let told = bounded("the server to come to the armed place", REACH_MAX, async {
            let met = running.told.wait_for(|told| told.reached || told.ended).await;
            met.map(|told| *told).map_err(|error| error.to_string())
        })
        .await?;
        if told.reached { Ok(()) } else { Err("the server ended by itself".to_owned()) }
    }

    /// Kills it as a crash would: nothing is flushed, nothing is closed.
    pub(super) async fn kill(&mut self) -> Result<(), Failure> {
        let mut running = self.running.take().ok_or("the server does not run")?;
        let failed = |error: std::io::Error| error.to_string();
        if let Some(status) = running.child.try_wait().map_err(failed)? {
            return Err(format!("the server ended by itself: {status}"));
        }
        self.up.send_replace(false);
        running.child.start_kill().map_err(failed)?;
        let status = bounded("the killed server to be gone", GONE_MAX, async {
            running.child.wait().await.map_err(failed)
        })
        .await?;
        match status.signal() {
            Some(SIGKILL) => Ok(()),
            _ => Err(format!("the server ended by itself: {status}")),
        }
    }

    /// Asks it to stop, as an operator does, and waits for the end.
    pub(super) async fn stop(&mut self) -> Result<(), Failure> {
        let mut running = self.running.take().ok_or("the server does not run")?;
        let pid = running.child.id().ok_or("the server ended by itself")?.to_string();
        self.up.send_replace(false);
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
        asked.map_err(|error| format!("kill -TERM: {error}"))?;
        let status = bounded("the server to stop", START_MAX, async {
            running.child.wait().await.map_err(|error| error.to_string())
        })
        .await?;
        if status.success() { Ok(()) } else { Err(format!("the stopped server said {status}")) }
    }

    /// Reads what it prints, to the end.
    fn read(
        &self,
        output: impl AsyncRead + Send + Unpin + 'static,
        tell: &Arc<watch::Sender<Told>>,
    ) {
        let (url, log, tell) = (self.url(), Arc::clone(&self.log), Arc::clone(tell));
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains(&url) {
                    tell.send_modify(|told| told.listening = true);
                }
                if line.starts_with("failpoint ") {
                    tell.send_modify(|told| told.reached = true);
                }
                if line.contains("method=GET") {
                    // There are so many that nothing else would be left.
                    continue;
                }
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                if log.len() == LOG_LINES_MAX {
                    log.pop_front();
                }
                log.push_back(line);
            }
            tell.send_modify(|told| told.ended = true);
        });
    }
}

/// Waits until the server is up; its next start announces itself.
pub(super) async fn until_up(up: &watch::Receiver<bool>) {
    let mut up = up.clone();
    if up.wait_for(|up| *up).await.is_err() {
        // The run is over; whoever waits here is about to be dropped.
        pass(LOOK_AGAIN).await;
    }
}
