//! The runtime and the signals of the process, for commands that wait.

use crate::CommandError;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Builds the asynchronous runtime.
pub fn runtime() -> Result<Runtime, CommandError> {
    Builder::new_multi_thread().enable_all().build().map_err(CommandError::Process)
}

/// The signals that request the end of the process. After `listen` they no longer kill it.
pub struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
    /// The end of the terminal, for commands that clean up after it.
    hangup: Option<Signal>,
}

impl EndSignals {
    /// Starts to listen for the signals, and for the end of the terminal.
    pub fn listen_with_hangup() -> Result<Self, CommandError> {
        let hangup = signal(SignalKind::hangup()).map_err(CommandError::Process)?;
        Ok(Self { hangup: Some(hangup), ..Self::listen()? })
    }

    /// Starts to listen for the signals.
    pub fn listen() -> Result<Self, CommandError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(CommandError::Process)?,
            interrupt: signal(SignalKind::interrupt()).map_err(CommandError::Process)?,
            hangup: None,
        })
    }

    /// Waits for one of the signals, and returns its number.
    pub async fn next(&mut self) -> i32 {
        let received = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            () = received(&mut self.hangup) => SignalKind::hangup(),
        };
        received.as_raw_value()
    }
}

/// The signal that requests new settings, SIGHUP. Without a listener it ends the process.
pub struct ReloadSignal(Option<Signal>);

impl ReloadSignal {
    /// Starts to listen for the signal, if it has an effect.
    pub fn listen(has_effect: bool) -> Result<Self, CommandError> {
        let listen = || signal(SignalKind::hangup()).map_err(CommandError::Process);
        Ok(Self(if has_effect { Some(listen()?) } else { None }))
    }

    /// Waits for the signal.
    pub async fn next(&mut self) {
        received(&mut self.0).await;
    }
}

/// Waits for a signal, if there is a listener.
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
