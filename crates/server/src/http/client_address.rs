//! The address of the client, which trusted proxies report.
//!
//! Each proxy appends the address of its own client to `X-Forwarded-For`. A client can write any
//! addresses in front of these. Therefore the header is read from its end, and only as far as
//! trusted proxies wrote it.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client behind the trusted proxies. `peer` is the other end of the connection.
pub(super) fn client_address(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if trusted.is_empty() {
        return client;
    }
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    let reported = lines.into_iter().rev().flat_map(|line| {
        // A line that is not text names no address.
        line.to_str().unwrap_or("?").rsplit(',')
    });
    for text in reported {
        if !is_trusted(client) {
            break;
        }
        let Some(address) = parse(text.trim()) else { break };
        client = address;
    }
    client
}

/// An address with or without a port. Proxies write both.
fn parse(text: &str) -> Option<IpAddr> {
    let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "::1/128"].map(|text| text.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        client_address(&trusted, peer.parse().unwrap(), &headers).to_string()
    }

    /// A client without a proxy cannot choose its address.
    #[test]
    fn ignores_the_header_of_strangers() {
        assert_eq!(of("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(of("::ffff:203.0.113.9", &[]), "203.0.113.9");
    }

    /// The address that the outermost trusted proxy saw is the client's. Addresses in front of it
    /// were written by the client.
    #[test]
    fn finds_the_client_behind_proxies() {
        assert_eq!(of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.2.3.4", "198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("::ffff:10.0.0.1", &["2001:db8::5"]), "2001:db8::5");
        assert_eq!(of("::1", &["[2001:db8::5]:443"]), "2001:db8::5");
        assert_eq!(of("::1", &["198.51.100.1:5000"]), "198.51.100.1");
    }

    /// Without a readable address the nearest known one remains.
    #[test]
    fn stops_at_unreadable_addresses() {
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1, _hidden, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(of("10.0.0.1", &["10.0.0.3"]), "10.0.0.3");
    }
}
