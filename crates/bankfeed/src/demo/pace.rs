//! The demo on a terminal: pauses between the steps, and colours.
//!
//! In a pipe there are neither pauses nor colours. `NO_COLOR` turns the colours off.

use super::{DemoFlags, Failure};
use cli::output::{self, Tone, toned};
use std::io::{BufRead as _, IsTerminal as _};
use tokio::sync::oneshot;

/// The width of the column of changes.
const CHANGE_WIDTH: usize = 8;

/// The pauses of a run.
pub(super) struct Pace {
    is_paused: bool,
}

impl Pace {
    /// Pauses if a person reads the demo on a terminal and can press Enter.
    pub(super) fn of(flags: &DemoFlags) -> Self {
        let terminals = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self { is_paused: terminals && !flags.no_pause }
    }

    /// Waits for Enter. At the end of the input there are no more pauses.
    pub(super) async fn pause(&mut self) -> Result<(), Failure> {
        if !self.is_paused {
            return Ok(());
        }
        output::ask("\nPress Enter to continue. ");
        // The server of the demo continues meanwhile. The thread does not belong to the runtime,
        // because a runtime waits at its end for a read that Enter alone would end.
        let (sender, read) = oneshot::channel();
        std::thread::Builder::new().spawn(move || {
            let mut line = String::new();
            // After a signal the receiver is gone.
            let _ = sender.send(std::io::stdin().lock().read_line(&mut line));
        })?;
        self.is_paused = read.await?? > 0;
        Ok(())
    }
}

/// The title of a step.
pub(super) fn title(text: &str) -> String {
    toned(text, Tone::Title)
}

/// The mark of a call.
pub(super) fn sent(mark: &str) -> String {
    toned(mark, Tone::Running)
}

/// The mark of a response or a webhook.
pub(super) fn received(mark: &str) -> String {
    toned(mark, Tone::Good)
}

/// The kind of a change, padded to its column.
pub(super) fn change(kind: &str) -> String {
    let tone = match kind {
        "posted" => Tone::Good,
        "void" => Tone::Bad,
        "edited" => Tone::Running,
        _ => Tone::Plain,
    };
    toned(&format!("{kind:<CHANGE_WIDTH$}"), tone)
}
