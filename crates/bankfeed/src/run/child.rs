//! The command as a child process: its start, the signals that it gets, and its exit code.

use super::RunError;
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as Incoming, SignalKind, signal};

/// The base of the exit code that shells use for a program that a signal ended.
const SIGNALLED: i32 = 128;

/// A signal that is forwarded.
#[derive(Clone, Copy)]
struct Forwarded {
    /// Its kind, to catch it.
    kind: fn() -> SignalKind,
    /// The same signal, to send it.
    signal: Signal,
    /// True if a terminal sends it to every process in its foreground, so that the command has it
    /// already.
    of_terminal: bool,
}

/// The signals that are forwarded.
const FORWARDED: [Forwarded; 6] = [
    Forwarded { kind: SignalKind::terminate, signal: Signal::TERM, of_terminal: false },
    Forwarded { kind: SignalKind::user_defined1, signal: Signal::USR1, of_terminal: false },
    Forwarded { kind: SignalKind::user_defined2, signal: Signal::USR2, of_terminal: false },
    Forwarded { kind: SignalKind::interrupt, signal: Signal::INT, of_terminal: true },
    Forwarded { kind: SignalKind::quit, signal: Signal::QUIT, of_terminal: true },
    Forwarded { kind: SignalKind::hangup, signal: Signal::HUP, of_terminal: true },
];

/// The signals of this process, caught before the command starts.
pub(super) struct Signals([Incoming; FORWARDED.len()]);

impl Signals {
    /// Starts to catch the signals, which no longer end this process.
    pub(super) fn listen() -> std::io::Result<Self> {
        let [one, two, three, four, five, six] =
            FORWARDED.map(|forwarded| signal((forwarded.kind)()));
        Ok(Self([one?, two?, three?, four?, five?, six?]))
    }

    /// Waits for a signal. Returns it, with true if the terminal sent it.
    pub(super) async fn next(&mut self) -> (Signal, bool) {
        let [one, two, three, four, five, six] = &mut self.0;
        let place = tokio::select! {
            _ = one.recv() => 0,
            _ = two.recv() => 1,
            _ = three.recv() => 2,
            _ = four.recv() => 3,
            _ = five.recv() => 4,
            _ = six.recv() => 5,
        };
        let Forwarded { signal, of_terminal, .. } = FORWARDED[place];
        (signal, of_terminal && is_in_foreground())
    }
}

/// True if this process is in the foreground of its terminal.
fn is_in_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(&terminal).is_ok_and(|group| group == getpgrp()))
}

/// Starts a command with additional variables.
pub(super) fn spawn(
    command: &[OsString],
    variables: &[(&'static str, OsString)],
) -> Result<Child, RunError> {
    let (program, arguments) = command
        .split_first()
        .map_or((OsStr::new(""), &[][..]), |split| (split.0.as_os_str(), split.1));
    let mut child = Command::new(program);
    child.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    child.spawn().map_err(|source| {
        let command = program.to_string_lossy().into_owned();
        RunError::Start { command, source }
    })
}

/// Waits for the end of a command, and forwards signals to it. Returns its exit code.
pub(super) async fn wait(mut child: Child, signals: &mut Signals) -> std::io::Result<u8> {
    loop {
        tokio::select! {
            ended = child.wait() => return Ok(code_of(ended?)),
            (signal, has_it) = signals.next() => {
                let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
                if let Some(pid) = pid.filter(|_| !has_it) {
                    // An error means that it has just ended.
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
}

/// The exit code of a command, as shells return it.
fn code_of(ended: ExitStatus) -> u8 {
    let code = ended.code().or_else(|| ended.signal().map(|signal| SIGNALLED + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command has its own exit code, or that of the signal that ended it.
    #[test]
    fn exit_codes_are_those_of_shells() {
        assert_eq!(code_of(ExitStatus::from_raw(0)), 0);
        assert_eq!(code_of(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code_of(ExitStatus::from_raw(15)), 143);
    }
}
