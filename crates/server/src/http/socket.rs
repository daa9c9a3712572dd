//! The bytes of a connection below HTTP: plain, or within TLS.
//!
//! The handshake is a part of the first read. So the times and the places of [`super::connection`] cover
//! it: a client that does not finish it within the time of a head is closed, and one that waits in it
//! can give its place away.
//!
//! A client that sends a plain request to a server with TLS gets an error in plain HTTP, which says so.

use super::refused::Refusal;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The first byte of a handshake, which begins no request.
const HANDSHAKE: u8 = 0x16;
/// The bytes of a response that a connection encrypts before the client has read earlier ones.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// A stream of bytes that a connection reads requests from.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// The reason for which every request of this stream is refused.
    fn refusal(&self) -> Option<Refusal> {
        None
    }
}

/// The socket of a client.
pub(super) enum Socket {
    /// HTTP without TLS.
    Plain(TcpStream),
    /// A server with TLS.
    Tls(Box<TlsSocket>),
}

/// The socket of a client of a server with TLS. A state is `Ended` only while it changes, and after a
/// failed handshake.
pub(super) enum TlsSocket {
    /// No byte has arrived.
    New(TcpStream, TlsAcceptor),
    Handshake(Accept<TcpStream>),
    Open(TlsStream<TcpStream>),
    /// The client does not speak TLS.
    Plain(TcpStream),
    Ended,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> Self {
        match acceptor {
            None => Self::Plain(stream),
            Some(acceptor) => Self::Tls(Box::new(TlsSocket::New(stream, acceptor.clone()))),
        }
    }
}

impl TlsSocket {
    /// Goes on until requests can be read, or the handshake has failed.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self {
                Self::New(stream, _) => {
                    let mut first = [0];
                    let mut peeked = ReadBuf::new(&mut first);
                    let count = ready!(stream.poll_peek(context, &mut peeked))?;
                    let is_handshake = first[0] == HANDSHAKE;
                    let Self::New(stream, acceptor) = std::mem::replace(self, Self::Ended) else {
                        unreachable!("the state is matched above")
                    };
                    *self = if count > 0 && is_handshake {
                        Self::Handshake(acceptor.accept_with(stream, |session| {
                            session.set_buffer_limit(Some(BUFFER_BYTES_MAX));
                        }))
                    } else {
                        Self::Plain(stream)
                    };
                }
                Self::Handshake(accept) => match ready!(Pin::new(accept).poll(context)) {
                    Ok(stream) => *self = Self::Open(stream),
                    Err(error) => {
                        *self = Self::Ended;
                        return Poll::Ready(Err(error));
                    }
                },
                Self::Open(_) | Self::Plain(_) => return Poll::Ready(Ok(())),
                Self::Ended => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
    }
}

impl TlsSocket {
    /// The stream that takes responses, once the handshake is over.
    fn open(&mut self) -> Option<Pin<&mut (dyn AsyncWrite + Unpin)>> {
        match self {
            Self::Open(stream) => Some(Pin::new(stream as _)),
            Self::Plain(stream) => Some(Pin::new(stream as _)),
            Self::New(..) | Self::Handshake(_) | Self::Ended => None,
        }
    }
}

impl Transport for Socket {
    fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Tls(socket) if matches!(**socket, TlsSocket::Plain(_)) => {
                Some(Refusal::WithoutTls)
            }
            Self::Plain(_) | Self::Tls(_) => None,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let socket = match self.get_mut() {
            Self::Plain(stream) => return Pin::new(stream).poll_read(context, out),
            Self::Tls(socket) => socket,
        };
        ready!(socket.poll_open(context))?;
        match &mut **socket {
            TlsSocket::Open(stream) => match ready!(Pin::new(stream).poll_read(context, out)) {
                // Many clients close without the message that says so. HTTP knows where a body ends, so
                // a cut one is found all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => Poll::Ready(read),
            },
            TlsSocket::Plain(stream) => Pin::new(stream).poll_read(context, out),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(socket) => match socket.open() {
                Some(stream) => stream.poll_write(context, bytes),
                None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            },
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, parts),
            Self::Tls(socket) => match socket.open() {
                Some(stream) => stream.poll_write_vectored(context, parts),
                None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            },
        }
    }

    fn is_write_vectored(&self) -> bool {
        // Both kinds of streams take several parts at once.
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(socket) => match socket.open() {
                Some(stream) => stream.poll_flush(context),
                None => Poll::Ready(Ok(())),
            },
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = match self.get_mut() {
            Self::Plain(stream) => stream,
            Self::Tls(socket) => match &mut **socket {
                TlsSocket::Open(stream) => return Pin::new(stream).poll_shutdown(context),
                TlsSocket::New(stream, _) | TlsSocket::Plain(stream) => stream,
                TlsSocket::Handshake(accept) => match accept.get_mut() {
                    Some(stream) => stream,
                    None => return Poll::Ready(Ok(())),
                },
                TlsSocket::Ended => return Poll::Ready(Ok(())),
            },
        };
        Pin::new(stream).poll_shutdown(context)
    }
}
