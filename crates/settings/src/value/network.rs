//! Settings that are networks: private networks for webhooks, and proxies.

use super::Resolved;
use crate::SettingsError;
use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// The private networks. Other special networks, such as multicast, have no receiver of webhooks.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

impl Resolved {
    /// Parses a list of addresses and networks.
    pub(super) fn networks(&self, name: &'static str) -> Result<Vec<IpNet>, SettingsError> {
        let wanted = "must be addresses or networks, such as 10.0.0.7,10.1.0.0/16";
        let parse = |text: &str| {
            let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            let network = address.or_else(|_| text.parse().map(canonical));
            let network = network.map_err(|_| self.fault(name, wanted))?;
            if network.trunc() == network {
                return Ok(network);
            }
            let problem = format!(
                "must name networks by their first address: write {} instead of {text}",
                network.trunc()
            );
            Err(self.fault(name, &problem))
        };
        self.text(name).values().map(parse).collect()
    }

    /// Parses a list of addresses and networks that are private.
    pub(super) fn private_networks(&self, name: &'static str) -> Result<Vec<IpNet>, SettingsError> {
        let networks = self.networks(name)?;
        let private = PRIVATE.map(str::parse::<IpNet>);
        let is_private = |network: &&IpNet| {
            private.iter().any(|one| one.as_ref().is_ok_and(|one| one.contains(*network)))
        };
        let Some(other) = networks.iter().find(|network| !is_private(network)) else {
            return Ok(networks);
        };
        let problem = format!(
            "must be within private networks, and {other} is public or reserved; webhooks to public \
             addresses need no permission. Private are {}",
            PRIVATE.join(", ")
        );
        Err(self.fault(name, &problem))
    }
}

/// Returns the IPv4 network of a network of mapped addresses, because addresses are compared in this
/// form.
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(network) => {
            let prefix = network.prefix_len().checked_sub(96);
            network.addr().to_ipv4_mapped().zip(prefix)
        }
        IpNet::V4(_) => None,
    };
    let mapped = mapped.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    mapped.map_or(network, IpNet::V4)
}
