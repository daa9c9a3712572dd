//! The hosts of a run: those of Stripe's API, local ones, and those that the user allows.

use std::net::{IpAddr, Ipv6Addr};

/// The hosts that official SDKs call. The server serves the paths of the first. It responds to others
/// as to any path that it does not know.
///
/// Source: the default base addresses of stripe-python 15.6.2, and of the Go SDK.
pub(super) const STRIPE_HOSTS: [&str; 4] =
    ["api.stripe.com", "files.stripe.com", "connect.stripe.com", "meter-events.stripe.com"];
/// The port of Stripe's hosts.
pub(super) const STRIPE_PORT: u16 = 443;

/// The treatment of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// The server takes the calls in place of Stripe.
    Serve,
    /// The proxy connects to the host.
    Pass,
    /// The proxy rejects the request.
    Refuse,
}

/// The hosts that the user allows with `--allow`.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    allowed: Vec<String>,
}

impl Hosts {
    /// The hosts of a run that allows these names. Letter case is ignored.
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    /// The treatment of a host. It is a name or an address, without brackets and port.
    pub(super) fn treatment(&self, host: &str) -> Treatment {
        let host = host.to_ascii_lowercase();
        if STRIPE_HOSTS.contains(&host.as_str()) {
            Treatment::Serve
        } else if is_loopback(&host) || self.allowed.contains(&host) {
            Treatment::Pass
        } else {
            Treatment::Refuse
        }
    }
}

/// True if a host is this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.filter(|inner| inner.parse::<Ipv6Addr>().is_ok()).unwrap_or(host)
}

/// The value of `NO_PROXY`: this machine, and the user's entries except those that would send calls
/// past the proxy to Stripe.
pub(super) fn no_proxy(inherited: &str) -> String {
    let own = ["localhost", "127.0.0.1", "::1"];
    let kept = inherited.split([',', ' ']).map(str::trim).filter(|entry| {
        let name = entry.trim_start_matches('*').trim_start_matches('.').to_ascii_lowercase();
        let name = name.split(':').next().unwrap_or_default();
        let covers = |host: &str| host == name || host.ends_with(&format!(".{name}"));
        !name.is_empty() && !own.contains(entry) && !STRIPE_HOSTS.into_iter().any(covers)
    });
    own.into_iter().chain(kept).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripe's hosts are served, this machine and allowed hosts are passed on, and others refused.
    #[test]
    fn hosts_have_one_treatment() {
        let hosts = Hosts::new(&["Example.com".to_owned()]);
        let of = |host: &str| hosts.treatment(host);
        for host in ["api.stripe.com", "API.stripe.com", "files.stripe.com"] {
            assert_eq!(of(host), Treatment::Serve, "{host}");
        }
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "example.com"] {
            assert_eq!(of(host), Treatment::Pass, "{host}");
        }
        for host in ["stripe.com", "js.stripe.com", "api.stripe.com.example.org", "10.0.0.1", ""] {
            assert_eq!(of(host), Treatment::Refuse, "{host}");
        }
    }

    /// The user's `NO_PROXY` stays, except for entries that match Stripe's hosts.
    #[test]
    fn no_proxy_cannot_reach_stripe() {
        assert_eq!(no_proxy(""), "localhost,127.0.0.1,::1");
        let inherited = "*, .stripe.com,api.stripe.com:443,*.com,localhost,db.internal,.svc";
        assert_eq!(no_proxy(inherited), "localhost,127.0.0.1,::1,db.internal,.svc");
    }

    /// Brackets belong to the URL and not to the address.
    #[test]
    fn brackets_are_removed() {
        assert_eq!(
            (bare("[::1]"), bare("api.stripe.com"), bare("[x]")),
            ("::1", "api.stripe.com", "[x]")
        );
    }
}
