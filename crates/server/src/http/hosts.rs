//! The host names by which the server may be called.
//!
//! A page on the web can make a browser call a server on its user's machine or network. The page's
//! own name then leads to the server's address (DNS rebinding), so the browser sees one origin and
//! shows the page every response. `Host` still contains the name of the page. A server that accepts
//! any key therefore accepts only names that no stranger controls.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Names that lead to this machine from a container.
const CONTAINER_NAMES: [&str; 2] = ["host.docker.internal", "host.containers.internal"];
/// The domain of the hosts whose calls `bankfeed run` passes on unchanged.
const STRIPE: &str = "stripe.com";
const LOCAL: &str = "localhost";

/// The accepted hosts of requests.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    any: bool,
    without_dot: bool,
    /// Names in lower case. One with a dot in front is a domain with all names below it.
    names: Vec<String>,
}

impl Hosts {
    /// Hosts of a server that only this machine reaches: names of loopback, and addresses.
    pub fn of_loopback() -> Self {
        Self::default()
    }

    /// Every host, for a server that accepts only issued keys.
    pub fn any() -> Self {
        Self { any: true, ..Self::default() }
    }

    /// Accepts names without a dot too, such as those of containers. Public DNS has no such names, so
    /// a page on the web cannot have one.
    #[must_use]
    pub fn with_names_without_dot(self) -> Self {
        Self { without_dot: true, ..self }
    }

    /// Accepts these names too.
    #[must_use]
    pub fn with<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.names.extend(names.into_iter().map(|name| bare(name).to_ascii_lowercase()));
        self
    }

    /// True if a request may have this host, which has no port.
    pub fn admit(&self, host: &str) -> bool {
        let host = bare(host);
        self.any
            || host.eq_ignore_ascii_case(LOCAL)
            || host.starts_with('[')
            || host.parse::<Ipv4Addr>().is_ok()
            || is_below(host, LOCAL)
            || (self.without_dot && !host.contains('.') && has_letter(host))
            || CONTAINER_NAMES.iter().any(|name| host.eq_ignore_ascii_case(name))
            || is_below(host, STRIPE)
            || self.names.iter().any(|name| match name.strip_prefix('.') {
                Some(domain) => host.eq_ignore_ascii_case(domain) || is_below(host, domain),
                None => host.eq_ignore_ascii_case(name),
            })
    }
}

/// A name without the dot that may end it.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// True if a name belongs to a domain and is longer.
fn is_below(host: &str, domain: &str) -> bool {
    let Some(end) = host.len().checked_sub(domain.len()) else { return false };
    let Some((front, back)) = host.split_at_checked(end) else { return false };
    front.len() > 1 && front.ends_with('.') && back.eq_ignore_ascii_case(domain)
}

/// False for numbers, which some clients read as addresses.
fn has_letter(host: &str) -> bool {
    host.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The host in `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`. A host in brackets keeps them.
pub(super) fn host_of(authority: &str) -> Option<&str> {
    let end = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            rest[..end].parse::<Ipv6Addr>().ok()?;
            end + 2
        }
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let port_is_read = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let host_is_read = host.starts_with('[') || host.bytes().all(is_name);
    (port_is_read && host_is_read && !bare(host).is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: [&str; 10] = [
        "localhost",
        "LOCALHOST.",
        "shop.localhost",
        "127.0.0.1",
        "10.1.2.3",
        "8.8.8.8",
        "[::1]",
        "[2001:db8::1]",
        "api.stripe.com",
        "host.docker.internal",
    ];
    const STRANGE: [&str; 9] = [
        "evil.example",
        "localhost.evil.example",
        "notlocalhost",
        ".localhost",
        "127.0.0.1.evil.example",
        "stripe.com",
        "evilstripe.com",
        "api.stripe.com.evil.example",
        "2130706433",
    ];

    /// A server on loopback accepts names of loopback, addresses, and the names that were set.
    #[test]
    fn loopback_accepts_its_own_names() {
        let hosts = Hosts::of_loopback().with(["Bank.Example.", ".corp.example"]);
        for host in LOOPBACK.iter().chain(&["bank.example", "corp.example", "a.b.CORP.example"]) {
            assert!(hosts.admit(host), "{host}");
        }
        for host in STRANGE.iter().chain(&["bankfeed", "a.bank.example", "xcorp.example"]) {
            assert!(!hosts.admit(host), "{host}");
        }
    }

    /// A server with any key that others reach accepts names of containers too.
    #[test]
    fn names_without_a_dot_are_those_of_containers() {
        let hosts = Hosts::of_loopback().with_names_without_dot();
        for host in LOOPBACK.iter().chain(&["bankfeed", "bank_feed-1", "notlocalhost", "ai."]) {
            assert!(hosts.admit(host), "{host}");
        }
        for host in STRANGE.iter().filter(|host| host.contains('.') || !has_letter(host)) {
            assert!(!hosts.admit(host), "{host}");
        }
        assert!(STRANGE.iter().all(|host| Hosts::any().admit(host)));
    }

    /// A host may have a port. Text that is neither a name nor an address is no host.
    #[test]
    fn reads_the_host_of_an_authority() {
        for (authority, host) in [
            ("localhost:12111", Some("localhost")),
            ("a_b-c.example", Some("a_b-c.example")),
            ("127.0.0.1:", Some("127.0.0.1")),
            ("[::1]:80", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("[::1]x", None),
            ("[localhost]", None),
            ("[::1", None),
            ("", None),
            (".", None),
            (":80", None),
            ("a:b", None),
            ("a@localhost", None),
            ("localhost, evil.example", None),
            ("a/b", None),
        ] {
            assert_eq!(host_of(authority), host, "{authority}");
        }
    }
}
