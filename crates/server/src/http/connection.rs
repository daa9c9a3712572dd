//! A connection of a client.
//!
//! A client that sends or reads slowly, or not at all, must not hold a connection for long. So each
//! part of a request has a time as a whole: the head (the first one with the handshake of TLS), the
//! body, the response to a slow reader, and the wait for the next request. A running request has no time
//! here, because calls that wait have their own. A websocket closes after silence.
//!
//! The HTTP library gets one request at a time, and only heads that passed [`super::raw_head`]. In
//! place of other heads, and of heads that take too long, it gets the head of [`super::refused`].
//! After a response to a request that was not read to its end, the rest is read and dropped for a
//! while. Otherwise the system could discard the response before the client reads it.

use super::connection_bounds::Beat;
use super::framing::Framing;
use super::hosts::Hosts;
use super::places::{Link, Place};
use super::raw_head::{self, Checked};
use super::read_buffer::ReadBuffer;
use super::refused::Refusal;
use super::socket::{Socket, Transport};
use model::limits::DROPPED_BYTES_MAX;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The beginning of the response that changes the protocol of a connection.
const SWITCHING: &[u8] = b"HTTP/1.1 101";
/// The line in front of a response with which the server asks for the body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The part of a request that the connection reads next.
enum Phase {
    /// A request head.
    Head,
    /// The rest of a head that passed the check, with this number of bytes.
    Passing(usize, Checked),
    /// A request body.
    Body(Framing),
    /// The request was read. Only the end of the connection is of interest before the response.
    Responding,
    /// The rest of the head in place of a refused one.
    Refused(&'static [u8]),
    /// Another protocol.
    Tunnel,
    /// No more bytes for the HTTP library. True if the client may still send some.
    Over(bool),
}

/// A connection with times for each part of a request.
pub(super) struct Connection<S = Socket> {
    stream: S,
    place: Place,
    hosts: Arc<Hosts>,
    buffer: ReadBuffer,
    phase: Phase,
    /// True while the wait for the first request lasts.
    is_new: bool,
    /// True if the connection may make every request.
    is_admitted: bool,
    /// True if a byte of the present head has arrived.
    has_head: bool,
    beat: Beat,
    /// The beats in this phase.
    beats: u32,
    /// The beats since the client was first slower than the response, or `None` before.
    blocked_beats: Option<u32>,
    /// True if a part of the response was written.
    has_written: bool,
    /// True if the client wants another protocol, until the response begins.
    may_switch: bool,
    /// True if the client sends no more bytes.
    has_ended: bool,
    is_shut: bool,
    /// The number of dropped bytes.
    dropped: usize,
}

/// The result of reading from the stream.
enum Filled {
    Bytes,
    End,
    /// The time of the phase is over.
    Late,
}

impl<S: Transport> Connection<S> {
    pub(super) fn new(stream: S, place: Place, hosts: Arc<Hosts>, beat: Beat) -> Self {
        Self {
            stream,
            place,
            hosts,
            buffer: ReadBuffer::default(),
            phase: Phase::Head,
            is_new: true,
            is_admitted: false,
            has_head: false,
            beat,
            beats: 0,
            blocked_beats: None,
            has_written: false,
            may_switch: false,
            has_ended: false,
            is_shut: false,
            dropped: 0,
        }
    }

    /// The part that the connection shares with its requests and its place.
    pub(super) fn link(&self) -> &Arc<Link> {
        &self.place.link
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.beats = 0;
        self.has_head = false;
    }

    /// Reads more bytes into the buffer, which has space.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Filled>> {
        let mut read = ReadBuf::new(self.buffer.space());
        match Pin::new(&mut self.stream).poll_read(context, &mut read) {
            Poll::Ready(Ok(())) => {
                let count = read.filled().len();
                self.buffer.add(count);
                self.has_ended = count == 0;
                if !std::mem::replace(&mut self.has_head, true) && !self.is_new {
                    // The time of the head begins after that of the wait.
                    self.beats = 0;
                }
                Poll::Ready(Ok(if count == 0 { Filled::End } else { Filled::Bytes }))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.place.link.wakes(context.waker());
                if self.place.link.is_evicted() {
                    return Poll::Ready(Ok(Filled::End));
                }
                if self.count_beats(context) && self.is_late() {
                    return Poll::Ready(Ok(Filled::Late));
                }
                Poll::Pending
            }
        }
    }

    /// Counts new beats. Returns true if there are any.
    fn count_beats(&mut self, context: &mut Context<'_>) -> bool {
        let beats = self.beat.poll(context);
        self.beats = self.beats.saturating_add(beats);
        if let Some(blocked) = &mut self.blocked_beats {
            *blocked = blocked.saturating_add(beats);
        }
        beats > 0
    }

    /// True if the time of this phase is over.
    fn is_late(&self) -> bool {
        let bounds = self.place.places().bounds();
        let time = match self.phase {
            _ if self.is_shut => bounds.dropped,
            Phase::Head if self.is_new || self.has_head => bounds.head,
            Phase::Head | Phase::Tunnel => bounds.idle,
            Phase::Body(_) => bounds.body,
            Phase::Passing(..) | Phase::Responding | Phase::Refused(_) | Phase::Over(_) => {
                return false;
            }
        };
        self.beats > bounds.beats(time)
    }

    /// Checks the head in the buffer, if it is complete.
    fn take_head(&mut self) {
        self.buffer.skip_line_ends();
        if self.buffer.is_empty() || !self.buffer.may_have_head() {
            return;
        }
        let Some(checked) = raw_head::check(self.buffer.bytes(), &self.hosts) else { return };
        let checked = match self.stream.refusal() {
            Some(refusal) => Err(refusal),
            None => checked,
        };
        let admitted = checked.and_then(|checked| {
            if !checked.is_health && !self.is_admitted {
                self.place.admit()?;
                self.is_admitted = true;
            }
            Ok(checked)
        });
        if !self.place.link.begin_request() {
            self.has_ended = true;
            return self.enter(Phase::Over(false));
        }
        match admitted {
            Ok(checked) => {
                (self.has_written, self.blocked_beats) = (false, None);
                (self.is_new, self.may_switch) = (false, checked.upgrades);
                self.enter(Phase::Passing(checked.bytes, checked));
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        let head = Refusal::head_in_place_of(self.buffer.bytes());
        self.place.link.refuse(refusal);
        self.enter(Phase::Refused(head));
    }

    /// Reacts to the end of the client's bytes, or of the time of a phase. Returns true if the HTTP
    /// library sees the end of the connection.
    fn end_phase(&mut self, filled: &Filled) -> io::Result<bool> {
        let is_late = matches!(filled, Filled::Late);
        let counts = &self.place.places().counts;
        match self.phase {
            Phase::Head
                if is_late && !self.buffer.is_empty() && self.place.link.begin_request() =>
            {
                counts.close("head");
                self.refuse(Refusal::TooSlow);
                return Ok(false);
            }
            Phase::Head | Phase::Tunnel if is_late => counts.close("idle"),
            Phase::Body(_) if is_late => {
                counts.close("body");
                self.enter(Phase::Over(true));
                return Err(io::ErrorKind::TimedOut.into());
            }
            _ => {}
        }
        if !matches!(self.phase, Phase::Body(_)) {
            self.enter(Phase::Over(false));
        }
        Ok(true)
    }

    /// Passes bytes of a body on. Returns true if there were any, or if the body is broken.
    fn pass_body(&mut self, mut framing: Framing, out: &mut ReadBuf<'_>) -> io::Result<bool> {
        let bytes = self.buffer.bytes();
        let bytes = &bytes[..bytes.len().min(out.remaining())];
        if bytes.is_empty() {
            return Ok(false);
        }
        let Ok(taken) = framing.take(bytes) else {
            self.enter(Phase::Over(true));
            return Err(io::ErrorKind::InvalidData.into());
        };
        out.put_slice(&bytes[..taken]);
        self.buffer.take(taken);
        if framing.is_done() {
            self.enter(Phase::Responding);
        } else {
            self.phase = Phase::Body(framing);
        }
        Ok(true)
    }

    /// Passes on what the buffer has for the phase. Returns false if more bytes are needed.
    fn pass(&mut self, out: &mut ReadBuf<'_>) -> io::Result<bool> {
        if matches!(self.phase, Phase::Head) && !self.buffer.is_empty() {
            self.take_head();
        }
        match &mut self.phase {
            Phase::Passing(left, checked) => {
                let count = (*left).min(out.remaining());
                out.put_slice(&self.buffer.bytes()[..count]);
                self.buffer.take(count);
                *left -= count;
                if *left == 0 {
                    let framing = checked.framing;
                    let is_whole = framing.is_done();
                    self.enter(if is_whole { Phase::Responding } else { Phase::Body(framing) });
                }
                Ok(true)
            }
            Phase::Refused(head) if !head.is_empty() => {
                let (now, later) = head.split_at(head.len().min(out.remaining()));
                out.put_slice(now);
                *head = later;
                Ok(true)
            }
            Phase::Body(framing) => {
                let framing = *framing;
                self.pass_body(framing, out)
            }
            Phase::Tunnel if !self.buffer.is_empty() => {
                let count = self.buffer.bytes().len().min(out.remaining());
                out.put_slice(&self.buffer.bytes()[..count]);
                self.buffer.take(count);
                self.beats = 0;
                Ok(true)
            }
            Phase::Over(_) => Ok(true),
            _ => Ok(false),
        }
    }

    /// True if the HTTP library waits for the response, so that it gets no bytes now.
    fn is_quiet(&self) -> bool {
        match self.phase {
            // The response ends the connection.
            Phase::Refused(head) => head.is_empty(),
            // The end of the connection follows the requests that arrived before it.
            Phase::Responding => {
                self.buffer.is_full() || (self.has_ended && !self.buffer.is_empty())
            }
            _ => false,
        }
    }

    /// Notes that bytes of the response are written.
    fn note_written(&mut self, bytes: &[u8]) {
        self.has_written |= bytes != CONTINUE;
        if std::mem::take(&mut self.may_switch) && bytes.starts_with(SWITCHING) {
            self.enter(Phase::Tunnel);
        }
    }

    /// Ends a write that the client is too slow for.
    fn check_write<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() && !matches!(self.phase, Phase::Tunnel) {
            self.blocked_beats.get_or_insert(0);
            self.count_beats(context);
            let bounds = self.place.places().bounds();
            if self.blocked_beats > Some(bounds.beats(bounds.response)) {
                self.place.places().counts.close("response");
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        written
    }

    fn check_cut(&self) -> io::Result<()> {
        if self.place.link.is_cut() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    /// Reads and drops bytes of the client until it closes the connection.
    fn poll_drop(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.dropped <= DROPPED_BYTES_MAX {
            self.dropped += self.buffer.bytes().len();
            self.buffer.clear();
            match ready!(self.poll_fill(context)) {
                Ok(Filled::Bytes) => {}
                Ok(Filled::End | Filled::Late) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: Transport> AsyncRead for Connection<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        while !connection.pass(out)? {
            if connection.is_quiet() {
                return Poll::Pending;
            }
            let filled = if connection.has_ended {
                Filled::End
            } else {
                ready!(connection.poll_fill(context))?
            };
            if !matches!(filled, Filled::Bytes) && connection.end_phase(&filled)? {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_cut()?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.note_written(bytes);
        }
        self.check_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_cut()?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        if written.is_ready() {
            self.note_written(parts.first().map_or(&[], |part| part));
        }
        self.check_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The HTTP library flushes once it has written a whole response.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        ready!(self.check_write(context, flushed))?;
        if matches!(self.phase, Phase::Responding) && self.has_written {
            self.enter(Phase::Head);
            self.place.wait();
            // The library may have tried to read the next request before.
            if self.has_ended || !self.buffer.is_empty() {
                context.waker().wake_by_ref();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            let shut = Pin::new(&mut self.stream).poll_shutdown(context);
            ready!(self.check_write(context, shut))?;
            self.is_shut = true;
            self.beats = 0;
            let is_unread =
                matches!(self.phase, Phase::Body(_) | Phase::Refused(_) | Phase::Over(true));
            if !is_unread || self.place.link.is_evicted() {
                self.has_ended = true;
            } else if !self.has_ended {
                self.place.wait();
            }
        }
        if !self.has_ended {
            ready!(self.poll_drop(context));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "connection_tls_tests.rs"]
mod tls_tests;
