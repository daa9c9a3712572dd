//! The places of connections: how many may be open, in all and of one client address.
//!
//! A connection that waits for a request can be closed in favour of a new one, the longest wait
//! first. Without such a connection, a new one gets one of a few further places. There it may only
//! read the health of the server, and other requests get 503. If these are taken by running requests
//! too, the new connection waits in the system's queue.
//!
//! All of this is in memory and ends with the process.

use super::connection_bounds::ConnectionBounds;
use super::refused::Refusal;
use futures_util::task::AtomicWaker;
use ipnet::IpNet;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use tokio::sync::Notify;

/// The turn of a connection with a running request.
const BUSY: u64 = 0;
/// The turn of a connection that gives its place away.
const EVICTED: u64 = u64::MAX;

/// The part of a connection that its requests and its place share.
#[derive(Debug, Default)]
pub(super) struct Link {
    cut: AtomicBool,
    refusal: OnceLock<Refusal>,
    /// The turn at which the connection began to wait for a request.
    waits_since: AtomicU64,
    waker: AtomicWaker,
}

impl Link {
    /// Ends the connection: the server writes no more bytes, and the client sees it close.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// The reason for which the last head of the connection was refused.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.get()
    }

    pub(super) fn refuse(&self, refusal: Refusal) {
        // A refused head is the last one of its connection.
        let _ = self.refusal.set(refusal);
    }

    /// Begins a request. Returns false if the connection was evicted.
    pub(super) fn begin_request(&self) -> bool {
        self.waits_since.swap(BUSY, Ordering::AcqRel) != EVICTED
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.waits_since.load(Ordering::Acquire) == EVICTED
    }

    /// Wakes this task when the connection is evicted.
    pub(super) fn wakes(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Evicts the connection, if it still waits since this turn.
    fn evict(&self, turn: u64) -> bool {
        let evicted =
            self.waits_since.compare_exchange(turn, EVICTED, Ordering::AcqRel, Ordering::Acquire);
        self.waker.wake();
        evicted.is_ok()
    }
}

/// The places of a listener.
pub(super) struct Places {
    bounds: ConnectionBounds,
    trusted_proxies: Vec<IpNet>,
    open: Mutex<Open>,
    freed: Notify,
    turns: AtomicU64,
    pub(super) counts: ConnectionCounts,
}

#[derive(Default)]
struct Open {
    connections: BTreeMap<u64, Held>,
    last: u64,
    /// The number of connections that may make every request.
    ordinary: usize,
    owners: HashMap<IpAddr, usize>,
}

struct Held {
    link: Arc<Link>,
    /// The address with the share that this connection belongs to.
    owner: Option<IpAddr>,
    is_ordinary: bool,
}

/// The numbers of connections, for the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionCounts {
    pub(super) open: Gauge,
    pub(super) closed: Family<CauseLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CauseLabels {
    cause: &'static str,
}

impl ConnectionCounts {
    /// Counts a connection that the server closed.
    pub(super) fn close(&self, cause: &'static str) {
        self.closed.get_or_create(&CauseLabels { cause }).inc();
    }
}

/// The place of an open connection. It is free again when this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    pub(super) link: Arc<Link>,
}

impl Places {
    pub(super) fn new(
        bounds: ConnectionBounds,
        trusted_proxies: Vec<IpNet>,
        counts: ConnectionCounts,
    ) -> Self {
        let (open, freed) = (Mutex::default(), Notify::new());
        Self { bounds, trusted_proxies, open, freed, turns: AtomicU64::new(BUSY + 1), counts }
    }

    pub(super) fn bounds(&self) -> &ConnectionBounds {
        &self.bounds
    }

    /// Takes a place for a connection from this address, as soon as there is one.
    pub(super) async fn take(self: &Arc<Self>, address: IpAddr) -> Place {
        let owner = self.owner_of(address);
        loop {
            if let Some(place) = self.find_free(owner) {
                return place;
            }
            // A place that was freed meanwhile has left a permit.
            self.freed.notified().await;
        }
    }

    fn find_free(self: &Arc<Self>, owner: Option<IpAddr>) -> Option<Place> {
        let mut open = self.lock();
        let is_ordinary = match open.has_ordinary(&self.bounds, owner) {
            Ok(()) => true,
            Err(of) => {
                if self.evict(&open, |held| held.is_ordinary && (of.is_none() || held.owner == of))
                {
                    return None;
                }
                let others = open.connections.len() - open.ordinary;
                if others >= self.bounds.for_health {
                    self.evict(&open, |held| !held.is_ordinary);
                    return None;
                }
                false
            }
        };
        open.last += 1;
        let number = open.last;
        let link = Arc::new(Link::default());
        link.waits_since.store(self.next_turn(), Ordering::Release);
        open.connections
            .insert(number, Held { link: Arc::clone(&link), owner, is_ordinary: false });
        if is_ordinary {
            open.make_ordinary(number);
        }
        self.counts.open.inc();
        Some(Place { places: Arc::clone(self), number, link })
    }

    /// Evicts the connection that has waited longest, unless another one is about to close. Returns
    /// true if a place becomes free.
    fn evict(&self, open: &Open, fits: impl Fn(&Held) -> bool) -> bool {
        let mut longest: Option<(u64, &Held)> = None;
        for held in open.connections.values().filter(|held| fits(held)) {
            match held.link.waits_since.load(Ordering::Acquire) {
                EVICTED => return true,
                BUSY => {}
                turn if longest.is_none_or(|(other, _)| turn < other) => {
                    longest = Some((turn, held));
                }
                _ => {}
            }
        }
        let evicted = longest.is_some_and(|(turn, held)| held.link.evict(turn));
        if evicted {
            self.counts.close("displaced");
        }
        evicted
    }

    fn next_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// The address with the share that a connection belongs to. Many clients share a loopback address or a
    /// proxy, and a client has a whole network of IPv6.
    fn owner_of(&self, address: IpAddr) -> Option<IpAddr> {
        let address = address.to_canonical();
        let is_trusted = self.trusted_proxies.iter().any(|network| network.contains(&address));
        match address {
            _ if address.is_loopback() || is_trusted => None,
            IpAddr::V4(_) => Some(address),
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                Some(Ipv6Addr::from(network).into())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Checks that a connection of this owner can be an ordinary one. The error is the owner if its
    /// share is full, or `None` if all places are taken.
    fn has_ordinary(
        &self,
        bounds: &ConnectionBounds,
        owner: Option<IpAddr>,
    ) -> Result<(), Option<IpAddr>> {
        let share = owner.and_then(|owner| self.owners.get(&owner)).copied().unwrap_or(0);
        if share >= bounds.per_address {
            return Err(owner);
        }
        if self.ordinary >= bounds.connections { Err(None) } else { Ok(()) }
    }

    fn make_ordinary(&mut self, number: u64) {
        let Some(held) = self.connections.get_mut(&number) else { return };
        held.is_ordinary = true;
        self.ordinary += 1;
        if let Some(owner) = held.owner {
            *self.owners.entry(owner).or_default() += 1;
        }
    }

    fn remove(&mut self, number: u64) {
        let Some(held) = self.connections.remove(&number) else { return };
        if !held.is_ordinary {
            return;
        }
        self.ordinary -= 1;
        if let Some(owner) = held.owner
            && let Some(share) = self.owners.get_mut(&owner)
        {
            *share -= 1;
            if *share == 0 {
                self.owners.remove(&owner);
            }
        }
    }
}

impl Place {
    /// Checks that the connection may make requests besides those for health.
    pub(super) fn admit(&self) -> Result<(), Refusal> {
        let mut open = self.places.lock();
        let Some(held) = open.connections.get(&self.number) else { return Ok(()) };
        if held.is_ordinary {
            return Ok(());
        }
        let bounds = &self.places.bounds;
        match open.has_ordinary(bounds, held.owner) {
            Ok(()) => {
                open.make_ordinary(self.number);
                Ok(())
            }
            Err(Some(_)) => Err(Refusal::AddressFull(bounds.per_address)),
            Err(None) => Err(Refusal::Full(bounds.connections)),
        }
    }

    /// Waits for the next request, after the present one.
    pub(super) fn wait(&self) {
        self.link.waits_since.store(self.places.next_turn(), Ordering::Release);
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(self.number);
        self.places.counts.open.dec();
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    impl Link {
        /// Evicts the connection, if it waits.
        pub(in crate::http) fn evict_for_test(&self) -> bool {
            let turn = self.waits_since.load(Ordering::Acquire);
            turn != BUSY && self.evict(turn)
        }
    }

    fn places(connections: usize, per_address: usize, for_health: usize) -> Arc<Places> {
        let bounds =
            ConnectionBounds { connections, per_address, for_health, ..Default::default() };
        let trusted = vec!["10.9.0.0/16".parse().unwrap()];
        Arc::new(Places::new(bounds, trusted, ConnectionCounts::default()))
    }

    fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    /// Takes a place that is free.
    fn take(places: &Arc<Places>, address: &str) -> Place {
        let place = poll(&mut Box::pin(places.take(address.parse().unwrap())));
        place.expect("a place is free")
    }

    /// Takes a place for a connection with a running request.
    fn busy(places: &Arc<Places>, address: &str) -> Place {
        let place = take(places, address);
        assert!(place.link.begin_request());
        place
    }

    /// If all places are taken, the connection that has waited longest gives its place away. One with
    /// a running request keeps its own.
    #[test]
    fn the_longest_wait_ends_first() {
        let places = places(3, 3, 0);
        let running = busy(&places, "127.0.0.1");
        let [first, second] = ["127.0.0.1"; 2].map(|address| take(&places, address));
        // The first one makes a request and waits again.
        assert!(first.link.begin_request());
        first.wait();
        let mut next = Box::pin(places.take("127.0.0.1".parse().unwrap()));
        assert!(poll(&mut next).is_none());
        assert!(second.link.is_evicted() && !first.link.is_evicted() && !running.link.is_evicted());
        // A place that became free for another reason does not evict a second connection.
        places.freed.notify_one();
        assert!(poll(&mut next).is_none());
        assert!(!first.link.is_evicted());
        drop(second);
        assert!(poll(&mut next).is_some());
    }

    /// If all places have running requests, a few further connections may read the health. They can
    /// become ordinary ones when a place is free.
    #[test]
    fn further_places_are_for_health() {
        let places = places(1, 1, 2);
        let ordinary = busy(&places, "127.0.0.1");
        assert_eq!(ordinary.admit(), Ok(()));
        let further = busy(&places, "127.0.0.1");
        assert_eq!(further.admit(), Err(Refusal::Full(1)));
        let last = take(&places, "127.0.0.1");
        // These places give way to new connections too.
        let mut next = Box::pin(places.take("127.0.0.1".parse().unwrap()));
        assert!(poll(&mut next).is_none());
        assert!(last.link.is_evicted());
        drop(last);
        let next = poll(&mut next).unwrap();
        assert!(next.link.begin_request());
        // With running requests everywhere, one more waits until one of them ends.
        let mut waiting = Box::pin(places.take("127.0.0.1".parse().unwrap()));
        assert!(poll(&mut waiting).is_none());
        drop(ordinary);
        assert_eq!(further.admit(), Ok(()));
        assert_eq!(poll(&mut waiting).unwrap().admit(), Err(Refusal::Full(1)));
        assert_eq!(next.admit(), Err(Refusal::Full(1)));
    }

    /// An address has a share of the places. Loopback and trusted proxies have none, and an address of
    /// IPv6 stands for its network.
    #[test]
    fn each_address_has_a_share() {
        let places = places(9, 1, 9);
        for (first, second, is_shared) in [
            ("203.0.113.1", "203.0.113.1", true),
            ("203.0.113.2", "::ffff:203.0.113.2", true),
            ("203.0.113.3", "203.0.113.4", false),
            ("2001:db8:1::1", "2001:db8:1::2:3", true),
            ("2001:db8:2::1", "2001:db8:2:1::1", false),
            ("127.0.0.1", "127.0.0.1", false),
            ("::1", "::1", false),
            ("10.9.0.1", "10.9.0.1", false),
        ] {
            let (_first, second) = (busy(&places, first), busy(&places, second));
            let expected = if is_shared { Err(Refusal::AddressFull(1)) } else { Ok(()) };
            assert_eq!(second.admit(), expected, "{first}");
        }
        // The address itself gives up the connection that waits longest.
        let idle = take(&places, "203.0.113.1");
        let other = take(&places, "203.0.113.2");
        let mut next = Box::pin(places.take("203.0.113.1".parse().unwrap()));
        assert!(poll(&mut next).is_none());
        assert!(idle.link.is_evicted() && !other.link.is_evicted());
    }
}
