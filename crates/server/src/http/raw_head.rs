//! The check of a request head before the HTTP library reads it.
//!
//! The library responds to invalid heads with a bare status, chooses one of two headers with the same
//! name, and reads heads of any host. Here such a head gets an API error instead. A head that passes
//! the check is one that the library accepts.

use super::framing::Framing;
use super::hosts::{Hosts, host_of};
use super::refused::Refusal;
use axum::http::Uri;
use httparse::{Header, Status};
use model::limits::{HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};
use std::mem::MaybeUninit;

/// Headers with one meaning, so that a second one would be ambiguous.
const SINGLE: [&str; 8] = [
    "Host",
    "Authorization",
    "Content-Type",
    "Stripe-Account",
    "Stripe-Context",
    "Stripe-Version",
    "Idempotency-Key",
    "Transfer-Encoding",
];
/// The positions of these in the list.
const HOST: usize = 0;
const TRANSFER_ENCODING: usize = 7;
/// The paths that show the health of the server.
const HEALTH: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// A complete head that passed the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// The number of bytes of the head.
    pub(super) bytes: usize,
    pub(super) framing: Framing,
    /// True if the client wants another protocol on the connection.
    pub(super) upgrades: bool,
    /// True if the request only asks for the health of the server.
    pub(super) is_health: bool,
}

/// The headers that decide on a request.
#[derive(Default)]
struct Deciding<'a> {
    seen: [bool; SINGLE.len()],
    host: Option<&'a [u8]>,
    length: Option<u64>,
    is_chunked: bool,
    upgrades: bool,
}

/// Reads and checks a head at the beginning of these bytes. Returns `None` if more bytes are needed.
pub(super) fn check(bytes: &[u8], hosts: &Hosts) -> Option<Result<Checked, Refusal>> {
    let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(Status::Complete(end)) => Some(check_parsed(&request, end, hosts)),
        Ok(Status::Partial) if bytes.len() < HEAD_BYTES_MAX => None,
        Ok(Status::Partial) if !bytes.contains(&b'\n') => Some(Err(Refusal::TargetTooLong)),
        Ok(Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            Some(Err(Refusal::HeadTooLarge))
        }
        Err(httparse::Error::Version) => Some(Err(Refusal::Version)),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => {
            Some(Err(Refusal::Malformed("a header has characters that are not allowed")))
        }
        Err(_) => {
            Some(Err(Refusal::Malformed("the first line is not a method, a target and HTTP/1.1")))
        }
    }
}

fn check_parsed(
    request: &httparse::Request<'_, '_>,
    bytes: usize,
    hosts: &Hosts,
) -> Result<Checked, Refusal> {
    if bytes > HEAD_BYTES_MAX {
        return Err(Refusal::HeadTooLarge);
    }
    let target = request.path.unwrap_or("");
    if target.len() > TARGET_BYTES_MAX {
        return Err(Refusal::TargetTooLong);
    }
    let is_newest = request.version == Some(1);
    let deciding = Deciding::read(request.headers)?;
    if is_newest && deciding.host.is_none() {
        return Err(Refusal::NoHost);
    }
    let named = deciding.host.map(|host| std::str::from_utf8(host).ok().and_then(host_of));
    let named = match named {
        Some(None) => return Err(Refusal::UnreadableHost),
        Some(Some(host)) => Some(host),
        None => None,
    };
    let full = full_target(target, request.method == Some("CONNECT"))?;
    let authority = full.as_ref().and_then(Uri::authority);
    let host = match authority {
        // The host of a complete target counts, and not that of the header.
        Some(authority) => Some(host_of(authority.as_str()).ok_or(Refusal::UnreadableHost)?),
        None => named,
    };
    if let Some(host) = host.filter(|host| !hosts.admit(host)) {
        return Err(Refusal::Host(host.to_owned()));
    }
    let framing = match (deciding.is_chunked, deciding.length) {
        (true, None) if is_newest => Framing::CHUNKED,
        (true, None) => {
            return Err(Refusal::Malformed("HTTP/1.0 has no Transfer-Encoding"));
        }
        (true, Some(_)) => {
            return Err(Refusal::Malformed(
                "it has both Content-Length and Transfer-Encoding; send one of them",
            ));
        }
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::NONE,
    };
    let path = full.as_ref().map_or(target, Uri::path);
    let path = path.split('?').next().unwrap_or(path);
    Ok(Checked { bytes, framing, upgrades: deciding.upgrades, is_health: HEALTH.contains(&path) })
}

/// Reads a target that is more than a path. Returns `None` for a plain path.
fn full_target(target: &str, connects: bool) -> Result<Option<Uri>, Refusal> {
    if target.starts_with('/') && target.bytes().all(is_plain) {
        return Ok(None);
    }
    let wrong = Refusal::Malformed("the target is neither a path nor a complete URL");
    let Ok(uri) = Uri::try_from(target) else { return Err(wrong) };
    // Without a scheme the text could also be a host alone, which only CONNECT has.
    let is_url = uri.scheme().is_some() == uri.authority().is_some();
    if is_url || connects { Ok(Some(uri)) } else { Err(wrong) }
}

/// True for the characters of a plain path and query.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'_'
                | b'-'
                | b'.'
                | b'~'
                | b'%'
                | b'?'
                | b'&'
                | b'='
                | b'+'
                | b':'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b','
                | b';'
                | b'*'
                | b'\''
                | b'('
                | b')'
        )
}

impl<'a> Deciding<'a> {
    fn read(headers: &[Header<'a>]) -> Result<Self, Refusal> {
        let mut deciding = Self::default();
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if let Some(index) = SINGLE.iter().position(|name| is(name)) {
                if std::mem::replace(&mut deciding.seen[index], true) {
                    return Err(Refusal::Repeated(SINGLE[index]));
                }
                match index {
                    HOST => deciding.host = Some(header.value),
                    TRANSFER_ENCODING if !header.value.eq_ignore_ascii_case(b"chunked") => {
                        return Err(Refusal::Malformed(
                            "the only Transfer-Encoding of this server is chunked",
                        ));
                    }
                    TRANSFER_ENCODING => deciding.is_chunked = true,
                    _ => {}
                }
            } else if is("Content-Length") {
                let length = read_length(header.value)
                    .ok_or(Refusal::Malformed("Content-Length must be a number of bytes"))?;
                if deciding.length.replace(length).is_some_and(|other| other != length) {
                    return Err(Refusal::Malformed(
                        "two Content-Length headers have different values",
                    ));
                }
            } else if is("Upgrade") {
                deciding.upgrades = true;
            }
        }
        Ok(deciding)
    }
}

/// A number of digits only. Longer ones are beyond every bound, and beyond the range of the HTTP
/// library.
fn read_length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let length = is_number.then(|| std::str::from_utf8(value).ok()?.parse::<u64>().ok()).flatten();
    length.filter(|length| *length < 1 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Result<Checked, Refusal> {
        check(head.as_bytes(), &Hosts::of_loopback()).expect("the head is complete")
    }

    fn with(headers: &str) -> Result<Checked, Refusal> {
        of(&format!("POST /v1/x?a=b HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"))
    }

    /// The check reads the length of the head, the form of its body, and its purpose.
    #[test]
    fn reads_what_decides() {
        let head = "\r\nGET /readyz?x HTTP/1.1\r\nhost: 127.0.0.1:80\r\n\r\n";
        let framing = Framing::NONE;
        let checked = Checked { bytes: head.len(), framing, upgrades: false, is_health: true };
        assert_eq!(of(&format!("{head}GET")), Ok(checked));
        assert!(of("GET http://localhost/healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap().is_health);
        assert!(of("GET / HTTP/1.0\r\n\r\n").is_ok());
        assert!(!with("").unwrap().is_health);
        assert!(with("UPGRADE: websocket\r\n").unwrap().upgrades);
        assert_eq!(with("Content-Length: 7\r\n").unwrap().framing, Framing::Length(7));
        let twice = with("Content-Length: 7\r\ncontent-length: 7\r\n");
        assert_eq!(twice.unwrap().framing, Framing::Length(7));
        assert_eq!(with("Transfer-Encoding: Chunked\r\n").unwrap().framing, Framing::CHUNKED);
        assert_eq!(check(&head.as_bytes()[..head.len() - 1], &Hosts::any()), None);
    }

    /// Each ambiguous or invalid head is refused for its reason.
    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        for name in SINGLE.iter().filter(|name| **name != "Host") {
            let value = if *name == "Transfer-Encoding" { "chunked" } else { "a" };
            let one = format!("{name}: {value}\r\n");
            let second = one.to_ascii_lowercase();
            assert_eq!(with(&format!("{one}A: b\r\n{second}")), Err(Refusal::Repeated(name)));
            assert!(with(&one).is_ok(), "{name}");
        }
        assert_eq!(with("HOST: localhost\r\n"), Err(Refusal::Repeated("Host")));
        assert_eq!(of("GET / HTTP/1.1\r\n\r\n"), Err(Refusal::NoHost));
        for host in ["", "a b", "u@localhost", "localhost:x", "\u{e9}"] {
            let head = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(of(&head), Err(Refusal::UnreadableHost), "{host}");
        }
        for headers in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "A : b\r\n",
            " folded\r\n",
            "A: \u{0}\r\n",
        ] {
            assert!(matches!(with(headers), Err(Refusal::Malformed(_))), "{headers:?}");
        }
        let chunked = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(matches!(of(chunked), Err(Refusal::Malformed(_))));
        for line in
            ["nonsense", "GET /", "GET  / HTTP/1.1", "GET /a\"{<> HTTP/1.1", "GET x HTTP/1.1"]
        {
            let refused = of(&format!("{line}\r\nHost: localhost\r\n\r\n"));
            assert!(matches!(refused, Err(Refusal::Malformed(_))), "{line}: {refused:?}");
        }
        for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2"] {
            assert_eq!(of(&format!("GET / {version}\r\n\r\n")), Err(Refusal::Version));
        }
    }

    /// The host of a complete target is checked instead of the header.
    #[test]
    fn the_host_of_the_target_counts() {
        let of = |target, host| of(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(of("http://localhost:1/v1", "evil.example").is_ok());
        let refused = Err(Refusal::Host("evil.example".to_owned()));
        assert_eq!(of("http://evil.example:1/v1", "localhost"), refused);
        assert_eq!(of("/v1", "evil.example:80"), refused);
        assert_eq!(of("http://a@localhost/", "localhost"), Err(Refusal::UnreadableHost));
    }

    /// Heads are bounded, also while their end has not arrived.
    #[test]
    fn heads_are_bounded() {
        let at = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(length));
        let any = |head: &str| check(head.as_bytes(), &Hosts::any());
        assert!(matches!(any(&at(TARGET_BYTES_MAX - 1)), Some(Ok(_))));
        assert_eq!(any(&at(TARGET_BYTES_MAX)), Some(Err(Refusal::TargetTooLong)));
        let endless = "GET /".to_owned() + &"a".repeat(HEAD_BYTES_MAX);
        assert_eq!(any(&endless), Some(Err(Refusal::TargetTooLong)));
        let headers = |count: usize| "A: b\r\n".repeat(count);
        let with = |headers: String| any(&format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n"));
        assert!(matches!(with(headers(HEADERS_MAX - 1)), Some(Ok(_))));
        assert_eq!(with(headers(HEADERS_MAX)), Some(Err(Refusal::HeadTooLarge)));
        let large = format!("A: {}\r\n", "a".repeat(HEAD_BYTES_MAX));
        assert_eq!(with(large.clone()), Some(Err(Refusal::HeadTooLarge)));
        assert_eq!(any(&format!("GET / HTTP/1.1\r\n{large}")), Some(Err(Refusal::HeadTooLarge)));
    }
}
