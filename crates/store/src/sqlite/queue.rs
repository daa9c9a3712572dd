//! The writer's queue: the messages to its thread, and the commands in them. A command runs once or,
//! if the writer rolls back a group, twice.

use super::Batch;
use super::prepared::Prepared;
use crate::store::{Failure, Outcome, command_name};
use crate::{Error, Write};
use model::limits::WRITER_GROUP_MAX;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

/// A message to the writer thread.
pub(super) enum Message {
    Run(Box<dyn Queued>),
    Close(oneshot::Sender<()>),
}

/// The commands that wait, as the thread sees them.
pub(super) struct Commands {
    messages: mpsc::Receiver<Message>,
    pub(super) group: Vec<Box<dyn Queued>>,
    pub(super) closing: Option<oneshot::Sender<()>>,
}

impl Commands {
    pub(super) fn of(messages: mpsc::Receiver<Message>) -> Self {
        Self { messages, group: Vec::with_capacity(WRITER_GROUP_MAX), closing: None }
    }

    /// Waits for a group. Returns false if no more commands come.
    pub(super) fn next_group(&mut self) -> bool {
        if self.closing.is_some() {
            return false;
        }
        let mut next = self.messages.blocking_recv();
        while let Some(message) = next {
            match message {
                Message::Run(command) => self.group.push(command),
                Message::Close(sender) => {
                    self.closing = Some(sender);
                    break;
                }
            }
            let has_room = self.group.len() < WRITER_GROUP_MAX;
            next = if has_room { self.messages.try_recv().ok() } else { None };
        }
        !self.group.is_empty()
    }

    /// Sends the responses of the group.
    pub(super) fn respond(&mut self, committed: bool) {
        for command in self.group.drain(..) {
            command.respond(committed);
        }
    }
}

/// The result of a command.
pub(super) enum Ran {
    /// Its writes are part of the commit.
    Applied,
    /// It rejected the write, for a reason that its output states.
    Rejected,
    /// It rejected the write because of a version conflict.
    VersionConflict,
    /// It failed.
    Failed,
}

impl Ran {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Applied => "done",
            Self::Rejected => "rejected",
            Self::VersionConflict => "rejected: version conflict",
            Self::Failed => "failed",
        }
    }
}

/// A command in the queue, without its type.
pub(super) trait Queued: Send {
    /// The name of the command's type.
    fn name(&self) -> &'static str;
    /// The span of the command.
    fn span(&self) -> &Span;
    /// Runs the command and stores its output.
    fn run(&mut self, batch: &Batch<'_>) -> Ran;
    /// Stores a failure in place of the output.
    fn fail(&mut self, failure: Failure);
    /// Sends the output to the caller. Without a commit, it is a failure.
    fn respond(self: Box<Self>, committed: bool);
}

/// A command in the queue, with its type.
pub(super) struct Waiting<C: Write> {
    command: C,
    prepared: Prepared,
    output: Option<Result<C::Output, Failure>>,
    sender: oneshot::Sender<Result<C::Output, Error>>,
    span: Span,
    _bytes: QueuedBytes,
}

impl<C: Write> Waiting<C> {
    /// A command with its prepared values, the sender of its output, and its share of the queue.
    pub(super) fn new(
        command: C,
        prepared: Prepared,
        sender: oneshot::Sender<Result<C::Output, Error>>,
        (span, bytes): (Span, QueuedBytes),
    ) -> Self {
        Self { command, prepared, output: None, sender, span, _bytes: bytes }
    }
}

/// The share of a command in the bytes of the queue, which it gives back when it is dropped.
pub(super) struct QueuedBytes {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl QueuedBytes {
    /// Takes a share. Returns `None` if the queue has other commands and no room for it.
    pub(super) fn take(all: &Arc<AtomicUsize>, bytes: usize, bytes_max: usize) -> Option<Self> {
        let before = all.fetch_add(bytes, Ordering::AcqRel);
        let taken = Self { bytes, all: Arc::clone(all) };
        (before == 0 || before + bytes <= bytes_max).then_some(taken)
    }
}

impl Drop for QueuedBytes {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

impl<C: Write> Queued for Waiting<C> {
    fn name(&self) -> &'static str {
        command_name::<C>()
    }

    fn span(&self) -> &Span {
        &self.span
    }

    fn run(&mut self, batch: &Batch<'_>) -> Ran {
        // Another command, or one that was undone, may have made another generation current.
        batch.generation.set(None);
        let output = self.command.sqlite(&Batch { prepared: &self.prepared, ..*batch });
        let ran = match &output {
            Ok(output) if output.stays() => Ran::Applied,
            Ok(output) if output.is_version_conflict() => Ran::VersionConflict,
            Ok(_) => Ran::Rejected,
            Err(_) => Ran::Failed,
        };
        self.output = Some(output);
        ran
    }

    fn fail(&mut self, failure: Failure) {
        self.output = Some(Err(failure));
    }

    fn respond(self: Box<Self>, committed: bool) {
        let response = match self.output {
            Some(output) if committed => output.map_err(Error::from),
            Some(Err(failure)) => Err(failure.into()),
            _ => Err(Failure::Commit.into()),
        };
        // The receiver is gone if the caller was dropped. The command is committed all the same.
        let _ = self.sender.send(response);
    }
}
