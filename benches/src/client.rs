//! A small HTTP/1.1 client: one kept-alive connection, one request at a time.
//!
//! It does only the work of a load generator, so that the servers get the machine. Requests are
//! prepared bytes, and the client parses only the status and the length of a response.

use crate::Failure;
use crate::measure::Stopwatch;
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The API key of all requests.
pub(crate) const KEY: &str = "sk_test_bench";
/// Connections of a load.
const LOAD_CONNECTIONS: usize = 4;
/// The end of a response without a `Content-Length`.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
/// Bytes of a response.
const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    response: Vec<u8>,
    filled: usize,
}

/// A whole response.
pub(crate) struct Recorded {
    /// The status.
    pub(crate) status: u16,
    /// The headers, their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, response: vec![0; 128 * 1024], filled: 0 })
    }

    /// Sends a request and reads the response. Returns its status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16, Failure> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let mut whole = None;
        while whole.is_none_or(|whole| self.filled < whole) {
            if self.filled == self.response.len() {
                if self.filled >= RESPONSE_BYTES_MAX {
                    return Err(format!("a response has over {RESPONSE_BYTES_MAX} bytes").into());
                }
                self.response.resize(self.filled * 2, 0);
            }
            let read = self.stream.read(&mut self.response[self.filled..]).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            self.filled += read;
            if whole.is_none()
                && let Some(head) = head_length(&self.response[..self.filled])
            {
                whole = match content_length(&self.response[..head])? {
                    Some(length) => Some(head + length),
                    // In chunks, the last of which is empty. JSON contains no bare line ends.
                    None if self.response[..self.filled].ends_with(LAST_CHUNK) => Some(self.filled),
                    None => None,
                };
            }
        }
        status(&self.response)
    }

    /// Sends a request and returns the whole response.
    pub(crate) async fn record(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let status = self.exchange(request).await?;
        let response = self.response[..self.filled].to_vec();
        if status == 200 {
            return Ok(response);
        }
        let request = String::from_utf8_lossy(request);
        Err(format!("{request}\nreturned {}", String::from_utf8_lossy(&response)).into())
    }

    /// Calls the API and parses the response. A status other than 200 is an error.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Value, Failure> {
        let recorded = Recorded::parse(&self.record(request).await?)?;
        // In a chunked response the one object is between the lengths of the chunks.
        let brace = |byte: &u8| b"{}".contains(byte);
        let first = recorded.body.iter().position(brace).ok_or("a response has no object")?;
        let last = recorded.body.iter().rposition(brace).ok_or("a response has no object")?;
        Ok(serde_json::from_slice(&recorded.body[first..=last])?)
    }
}

impl Recorded {
    /// Parses a response.
    pub(crate) fn parse(response: &[u8]) -> Result<Self, Failure> {
        let head = head_length(response).ok_or("a response has no end of its head")?;
        let text = std::str::from_utf8(&response[..head])?;
        let headers = text.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        Ok(Self {
            status: status(response)?,
            headers: headers.collect(),
            body: response[head..].to_vec(),
        })
    }

    /// The bytes of the response with another body.
    pub(crate) fn with_body(&self, body: &[u8]) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} OK\r\n", self.status);
        for (name, value) in &self.headers {
            // Writing to a String cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }
}

/// A GET request.
pub(crate) fn get(path: &str) -> Vec<u8> {
    get_with(KEY, path)
}

/// A GET request with this API key.
pub(crate) fn get_with(key: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n")
        .into_bytes()
}

/// A POST request with this form.
pub(crate) fn post(path: &str, form: &[(&str, &str)]) -> Vec<u8> {
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let body = pairs.join("&");
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A string in a response.
pub(crate) fn text(response: &Value, pointer: &str) -> Result<String, Failure> {
    let found = response.pointer(pointer).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("a response has no {pointer}: {response}"))?.to_owned())
}

/// Sends these requests in rotation over a few connections for this time, at least one on each.
/// Returns the number of responses. A status other than 200 is an error.
pub(crate) async fn load(
    address: SocketAddr,
    requests: &Arc<Vec<Vec<u8>>>,
    time: Duration,
) -> Result<u32, Failure> {
    let watch = Stopwatch::start();
    let mut connections = JoinSet::new();
    for first in 0..LOAD_CONNECTIONS {
        let requests = Arc::clone(requests);
        connections.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut responses: u32 = 0;
            let own = requests.iter().cycle().skip(first).step_by(LOAD_CONNECTIONS);
            for request in own {
                if connection.exchange(request).await? != 200 {
                    return Err(Failure::from("a request under load did not return 200"));
                }
                responses += 1;
                if watch.elapsed() >= time {
                    break;
                }
            }
            Ok(responses)
        });
    }
    let mut responses = 0;
    while let Some(ended) = connections.join_next().await {
        responses += ended??;
    }
    Ok(responses)
}

fn head_length(response: &[u8]) -> Option<usize> {
    response.windows(4).position(|window| window == b"\r\n\r\n").map(|start| start + 4)
}

/// The length of a body, or `None` if it is sent in chunks.
fn content_length(head: &[u8]) -> Result<Option<usize>, Failure> {
    for line in std::str::from_utf8(head)?.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(Some(value.trim().parse()?));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(None);
        }
    }
    Err("a response has no length".into())
}

fn status(response: &[u8]) -> Result<u16, Failure> {
    let digits = response.get(9..12).ok_or("a response has no status")?;
    Ok(std::str::from_utf8(digits)?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::{Recorded, post};

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nrequest-id: req_1\r\n\r\n{}";

    /// A response is parsed, and joined with another body.
    #[test]
    fn parses_responses() {
        let recorded = Recorded::parse(RESPONSE).unwrap();
        assert_eq!((recorded.status, recorded.body.as_slice()), (200, b"{}".as_slice()));
        assert_eq!(recorded.headers[1], ("request-id".to_owned(), "req_1".to_owned()));
        let other = recorded.with_body(b"[]");
        assert!(other.ends_with(b"request-id: req_1\r\n\r\n[]"));
    }

    /// Names and values of a form are percent-encoded.
    #[test]
    fn encodes_forms() {
        let request = post("/", &[("permissions[]", "a b")]);
        assert!(request.ends_with(b"\r\n\r\npermissions%5B%5D=a%20b"));
    }
}
