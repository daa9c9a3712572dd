//! Addresses: hosts that are not the server's, receivers in private networks, credentials in URLs, and
//! line breaks. All of them are refused, and no response has a header that a client wrote.

use super::raw::{Reply, call, exchange, request};
use super::{Plan, Tally, new_folder, start};
use crate::Failure;
use crate::process::built;
use serde_json::Value;
use std::process::Command;

const KEY: &str = "sk_test_addresses";
const ENDPOINTS: &str = "/v1/webhook_endpoints";
/// Hosts of other sites, as a page sends them after it has bound its own name to this server.
const FOREIGN_HOSTS: &[&str] = &[
    "rebound.example",
    "rebound.example:12111",
    "127.0.0.1.rebound.example",
    "localhost.rebound.example",
    "127.0.0.1@rebound.example",
];
/// Receivers that no live webhook may reach: private addresses in several spellings, and `http`.
const PRIVATE_URLS: &[&str] = &[
    "https://127.0.0.1/hook",
    "https://127.1/hook",
    "https://2130706433/hook",
    "https://0x7f000001/hook",
    "https://017700000001/hook",
    "https://10.0.0.1/hook",
    "https://172.16.0.1/hook",
    "https://192.168.1.1/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/hook",
    "https://0.0.0.0/hook",
    "https://[::1]/hook",
    "https://[::ffff:127.0.0.1]/hook",
    "https://[fe80::1]/hook",
    "https://[fd00::1]/hook",
    "http://203.0.113.1/hook",
    "http://hooks.example/hook",
];
/// URLs that are refused in every mode.
const AMBIGUOUS_URLS: &[&str] = &[
    "https://user:secret@hooks.example/hook",
    "https://user@hooks.example/hook",
    "https://hooks.example\\@127.0.0.1/hook",
    "https://hooks.example/\r\nx-injected: 1",
    "https://hooks.example/\nx-injected: 1",
    "https://hooks.example/a b",
    "https:/hooks.example",
    "file:///etc/hostname",
    "ftp://hooks.example/",
    "gopher://hooks.example/",
    "javascript:void(0)",
    "hooks.example",
    "",
];
/// Text with a line break and a header, as it is and encoded.
const INJECTIONS: &[&str] = &["a\r\nx-injected: 1", "a\nx-injected: 1", "a%0d%0ax-injected:%201"];
const INJECTED: &str = "x-injected";

/// Runs the checks.
pub(super) async fn run(plan: Plan, tally: &mut Tally) -> Result<(), Failure> {
    let folder = new_folder()?;
    let mut server = start(&folder, &["--metrics", "on"], &[]).await?;
    let address = server.address()?;
    let created = Command::new(built("bankfeed"))
        .args(["--json", "key", "create", "--live", "--db"])
        .arg(server.database())
        .output()
        .map_err(|error| error.to_string())?;
    let created: Value =
        serde_json::from_slice(&created.stdout).map_err(|error| error.to_string())?;
    let live = created["secret"].as_str().ok_or("no live key was created")?;
    private_receivers(&address, live, plan, tally).await?;
    ambiguous_urls(&address, live, tally).await?;
    line_breaks(&address, tally).await?;
    foreign_hosts(&address, tally).await?;
    server.stop().await
}

/// Private receivers are refused in live mode, with the name of the parameter.
async fn private_receivers(
    address: &str,
    live: &str,
    plan: Plan,
    tally: &mut Tally,
) -> Result<(), Failure> {
    // The planted fault: a URL that is allowed.
    let planted = plan.sabotage.then_some("https://203.0.114.1/hook");
    for url in PRIVATE_URLS.iter().copied().chain(planted) {
        let form = [("url", url), ("enabled_events[]", "*")];
        let reply = call(address, live, "POST", ENDPOINTS, &form).await?;
        tally.check(is_refused(&reply, "url"), || refusal(&format!("{url} in live mode"), &reply));
        tally.add("private receivers", 1);
    }
    Ok(())
}

/// URLs with credentials, line breaks, spaces and other schemes are refused in both modes.
async fn ambiguous_urls(address: &str, live: &str, tally: &mut Tally) -> Result<(), Failure> {
    for url in AMBIGUOUS_URLS {
        for key in [KEY, live] {
            let form = [("url", *url), ("enabled_events[]", "*")];
            let reply = call(address, key, "POST", ENDPOINTS, &form).await?;
            tally.check(is_refused(&reply, "url"), || refusal(&format!("{url:?}"), &reply));
            tally.add("ambiguous URLs", 1);
        }
    }
    Ok(())
}

/// A line break in a parameter, a path or a header adds no header to a response.
async fn line_breaks(address: &str, tally: &mut Tally) -> Result<(), Failure> {
    for text in INJECTIONS {
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let authorization = format!("authorization: Bearer {KEY}\r\n");
        let requests = [
            request(
                address,
                "GET",
                &format!("/v1/customers?starting_after={encoded}"),
                &authorization,
                "",
            ),
            request(address, "GET", &format!("/v1/customers/{encoded}"), &authorization, ""),
            request(address, "GET", &format!("/link/{encoded}"), "", ""),
            request(
                address,
                "GET",
                "/v1/customers?limit=x",
                &format!("{authorization}idempotency-key: a%0d%0ax-injected:%201\r\n"),
                "",
            ),
            request(
                address,
                "GET",
                "/v1/customers",
                &format!("{authorization}origin: https://a.example\rx-injected: 1\r\n"),
                "",
            ),
        ];
        for text in requests {
            let reply = exchange(address, text.as_bytes()).await?;
            let has_header = reply.as_ref().is_some_and(|reply| reply.has_header(INJECTED));
            tally.check(!has_header, || format!("a response has a header of the client: {text:?}"));
            tally.add("line breaks", 1);
        }
    }
    Ok(())
}

/// Requests for another host are refused, so that a page that binds its name to this server reads no data.
/// This needs a list of allowed hosts.
async fn foreign_hosts(address: &str, tally: &mut Tally) -> Result<(), Failure> {
    let authorization = format!("authorization: Bearer {KEY}\r\n");
    for host in FOREIGN_HOSTS {
        for path in ["/v1/customers", "/settings", "/metrics"] {
            let text = request(host, "GET", path, &authorization, "");
            let reply = exchange(address, text.as_bytes()).await?;
            let is_open = reply.as_ref().is_some_and(|reply| reply.status < 400);
            tally.check(!is_open, || format!("{path} is open to the host {host:?}"));
            tally.add("foreign hosts", 1);
        }
    }
    let own = call(address, KEY, "GET", "/v1/customers", &[]).await?;
    tally.check(own.status == 200, || format!("the own host got {}", own.status));
    Ok(())
}

fn is_refused(reply: &Reply, param: &str) -> bool {
    reply.status == 400 && reply.is_envelope() && reply.json()["error"]["param"] == param
}

fn refusal(what: &str, reply: &Reply) -> String {
    let body: String = String::from_utf8_lossy(&reply.body).chars().take(160).collect();
    format!("{what} is not refused: {} {body}", reply.status)
}
