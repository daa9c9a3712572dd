//! The addresses that may be called, checked in a URL and again when a name is resolved.

use crate::address::is_public;
use hyper_util::client::legacy::connect::dns::Name;
use ipnet::IpNet;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// The addresses that may be called, in addition to the public ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// All addresses.
    All,
    /// The addresses in these networks.
    Within(Arc<[IpNet]>),
}

impl PrivateAddresses {
    /// No private address.
    pub fn none() -> Self {
        Self::Within(Arc::default())
    }

    /// True if an address that is not public may be called.
    fn includes(&self, address: IpAddr) -> bool {
        match self {
            Self::All => true,
            // A mapped IPv4 address counts as the IPv4 address.
            Self::Within(networks) => {
                networks.iter().any(|network| network.contains(&address.to_canonical()))
            }
        }
    }
}

/// The rule for the addresses of one scheme.
#[derive(Clone, Debug)]
pub(crate) struct AddressRule {
    /// True if public addresses may be called.
    pub(crate) public: bool,
    /// The private addresses that may be called.
    pub(crate) private: PrivateAddresses,
}

impl AddressRule {
    /// True if the address may be called.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        (self.public && is_public(address)) || self.private.includes(address)
    }

    /// The reason for which another address may not be called.
    pub(crate) fn forbidden(&self) -> ForbiddenAddress {
        if self.public { ForbiddenAddress::Private } else { ForbiddenAddress::Http }
    }

    /// True if no address may be called.
    pub(crate) fn is_empty(&self) -> bool {
        let none =
            matches!(&self.private, PrivateAddresses::Within(networks) if networks.is_empty());
        none && !self.public
    }

    /// The resolved addresses that may be called.
    fn admit(&self, found: Vec<SocketAddr>) -> Result<Addresses, AnyError> {
        if found.is_empty() {
            return Err(Box::new(NoAddress));
        }
        let admitted: Vec<SocketAddr> =
            found.into_iter().filter(|found| self.admits(found.ip())).collect();
        if admitted.is_empty() {
            return Err(Box::new(self.forbidden()));
        }
        Ok(admitted.into_iter())
    }
}

/// A name resolved to no address.
#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
pub(crate) struct NoAddress;

/// An address that may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub enum ForbiddenAddress {
    /// The address is private.
    Private,
    /// The address is not one of the private addresses that `http` may be sent to.
    Http,
}

impl ForbiddenAddress {
    /// The reason, as a fixed text.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Private => "the address is not public",
            Self::Http => "http is for the allowed private addresses only",
        }
    }
}

/// The resolver of names at the moment of connecting.
#[derive(Clone, Debug)]
pub(crate) struct Resolver(pub(crate) AddressRule);

/// The resolved addresses.
type Addresses = std::vec::IntoIter<SocketAddr>;
type AnyError = Box<dyn Error + Send + Sync>;

impl Service<Name> for Resolver {
    type Response = Addresses;
    type Error = AnyError;
    type Future = Pin<Box<dyn Future<Output = Result<Addresses, AnyError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), AnyError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let rule = self.0.clone();
        Box::pin(async move {
            // The connector replaces port 0 with the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            rule.admit(found.map_err(|_| NoAddress)?.collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(networks: &[&str]) -> PrivateAddresses {
        PrivateAddresses::Within(networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    /// Resolved addresses that may not be called are dropped, and a name without others is rejected.
    #[test]
    fn resolved_addresses_are_checked() {
        let found: Vec<SocketAddr> =
            vec!["10.1.2.3:0".parse().unwrap(), "8.8.8.8:0".parse().unwrap()];
        let admit = |public, private: &PrivateAddresses, found: &[SocketAddr]| {
            let rule = AddressRule { public, private: private.clone() };
            rule.admit(found.to_vec()).map(Iterator::collect::<Vec<_>>)
        };
        let (none, ten, eleven) =
            (PrivateAddresses::none(), within(&["10.0.0.0/8"]), within(&["11.0.0.0/8"]));
        assert_eq!(admit(true, &PrivateAddresses::All, &found).unwrap(), found);
        assert_eq!(admit(true, &none, &found).unwrap(), found[1..]);
        assert_eq!(admit(true, &ten, &found).unwrap(), found);
        assert_eq!(admit(true, &eleven, &found).unwrap(), found[1..]);
        assert_eq!(admit(false, &ten, &found).unwrap(), found[..1]);
        for (public, private) in [(true, &none), (false, &none), (true, &eleven)] {
            let failed = admit(public, private, &found[..1]);
            assert!(failed.is_err_and(|error| error.is::<ForbiddenAddress>()));
        }
        assert!(admit(true, &ten, &[]).is_err_and(|error| error.is::<NoAddress>()));
        let mapped = "[::ffff:10.1.2.3]:0".parse().unwrap();
        assert_eq!(admit(true, &ten, &[mapped]).unwrap(), [mapped]);
    }
}
