//! The names of a server that listens at an address: its URL, and the hosts by which clients may call
//! it.

use crate::http::Hosts;
use settings::{KeyPolicy, Settings};
use std::net::{IpAddr, SocketAddr};

/// The URL of a listening server on its own machine. `scheme` is `http` or `https`.
pub(crate) fn url_of(scheme: &str, address: SocketAddr) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!("{scheme}://{host}:{}", address.port())
}

/// The hosts by which clients may call a server at this address. Only a server that others reach and
/// that accepts no unknown key may have every name, because a page on the web could choose one.
pub(crate) fn hosts(settings: &Settings, address: SocketAddr, keys: KeyPolicy) -> Hosts {
    let hosts = match keys {
        _ if address.ip().is_loopback() => Hosts::of_loopback(),
        KeyPolicy::Issued => Hosts::any(),
        KeyPolicy::Any => Hosts::of_loopback().with_names_without_dot(),
    };
    let public = settings.public_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let public = public.as_ref().and_then(|url| url.host_str());
    hosts.with(public).with(settings.allowed_hosts.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address and the accepted keys decide by which names the server may be called.
    #[test]
    fn hosts_follow_from_address_and_keys() {
        let names = ["localhost", "bankfeed", "b.example", "x.corp.example", "evil.example"];
        let admitted = |address: &str, keys, flags: &[(&'static str, &str)]| {
            let flags = flags.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
            let settings = settings::resolve(&flags, |_| None, None).unwrap().settings().unwrap();
            let hosts = hosts(&settings, address.parse().unwrap(), keys);
            names.map(|name| u8::from(hosts.admit(name)))
        };
        let (any, issued) = (KeyPolicy::Any, KeyPolicy::Issued);
        assert_eq!(admitted("127.0.0.1:1", any, &[]), [1, 0, 0, 0, 0]);
        assert_eq!(admitted("[::1]:1", issued, &[]), [1, 0, 0, 0, 0]);
        assert_eq!(admitted("0.0.0.0:1", any, &[]), [1, 1, 0, 0, 0]);
        assert_eq!(admitted("[::]:1", issued, &[]), [1, 1, 1, 1, 1]);
        let public = ("public-url", "https://B.example:8443/bank");
        assert_eq!(admitted("127.0.0.1:1", any, &[public]), [1, 0, 1, 0, 0]);
        let allowed = ("allowed-hosts", "bankfeed,.corp.example");
        assert_eq!(admitted("127.0.0.1:1", any, &[public, allowed]), [1, 1, 1, 1, 0]);
        assert_eq!(admitted("10.0.0.1:1", any, &[allowed]), [1, 1, 0, 1, 0]);
    }

    /// An address that means all addresses of a machine is shown as one that can be called.
    #[test]
    fn shows_a_url_that_can_be_called() {
        let url = |text: &str| url_of("http", text.parse().unwrap());
        assert_eq!(url("127.0.0.1:12111"), "http://127.0.0.1:12111");
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(url("[::]:80"), "http://[::1]:80");
        assert_eq!(url("[::1]:80"), "http://[::1]:80");
    }
}
