//! The listener that accepts connections, each in a place of its own.

use super::connection::Connection;
use super::connection_bounds::Beat;
use super::hosts::Hosts;
use super::places::{Link, Places};
use super::socket::Socket;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Accepts connections within their bounds.
pub(super) struct Connections {
    listener: TcpListener,
    places: Arc<Places>,
    hosts: Arc<Hosts>,
    /// TLS, if the server speaks it.
    acceptor: Option<TlsAcceptor>,
}

impl Connections {
    pub(super) fn new(listener: TcpListener, places: Places, hosts: Arc<Hosts>) -> Self {
        Self { listener, places: Arc::new(places), hosts, acceptor: None }
    }

    /// The same connections, within TLS.
    pub(super) fn within(self, acceptor: Option<TlsAcceptor>) -> Self {
        Self { acceptor, ..self }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Without it a response could wait until the client acknowledges the previous one.
        let _ = stream.set_nodelay(true);
        let place = self.places.take(address.ip()).await;
        let beat = Beat::of(self.places.bounds());
        let stream = Socket::new(stream, self.acceptor.as_ref());
        (Connection::new(stream, place, Arc::clone(&self.hosts), beat), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) link: Arc<Link>,
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self { address: stream.remote_addr().ip(), link: Arc::clone(stream.io().link()) }
    }
}
