//! A small HTTP/1.1 client: one kept-alive connection, one request at a time.
//!
//! It does what a load generator needs and no more, so that it leaves the machine to the servers:
//! requests are ready bytes, and of an answer it reads the status and the length.

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

/// The key of all requests.
pub(crate) const KEY: &str = "sk_test_bench";
/// Connections that a load comes over.
const LOAD_CONNECTIONS: usize = 4;
/// What ends an answer that does not say its length.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
    filled: usize,
}

/// An answer that was read whole.
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
        Ok(Self { stream, answer: vec![0; 128 * 1024], filled: 0 })
    }

    /// Sends a request and reads the answer. Answers its status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16, Failure> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let mut whole = None;
        while whole.is_none_or(|whole| self.filled < whole) {
            if self.filled == self.answer.len() {
                if self.filled >= ANSWER_BYTES_MAX {
                    return Err("an answer is too long".into());
                }
                self.answer.resize(self.filled * 2, 0);
            }
            let read = self.stream.read(&mut self.answer[self.filled..]).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            self.filled += read;
            if whole.is_none()
                && let Some(head) = head_length(&self.answer[..self.filled])
            {
                whole = match content_length(&self.answer[..head])? {
                    Some(length) => Some(head + length),
                    // In chunks, of which the last is empty. JSON holds no bare line ends.
                    None if self.answer[..self.filled].ends_with(LAST_CHUNK) => Some(self.filled),
                    None => None,
                };
            }
        }
        status(&self.answer)
    }

    /// Sends a request and keeps the answer.
    pub(crate) async fn record(&mut self, request: &[u8]) -> Result<Vec<u8>, Failure> {
        let status = self.exchange(request).await?;
        let answer = self.answer[..self.filled].to_vec();
        if status == 200 {
            return Ok(answer);
        }
        let asked = String::from_utf8_lossy(request).into_owned();
        Err(format!("{asked}\nwas answered with {}", String::from_utf8_lossy(&answer)).into())
    }

    /// Makes a call of the API; an answer other than 200 is a failure.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Value, Failure> {
        let recorded = Recorded::parse(&self.record(request).await?)?;
        // In an answer in chunks the one object stands between lengths.
        let brace = |byte: &u8| b"{}".contains(byte);
        let first = recorded.body.iter().position(brace).ok_or("an answer has no object")?;
        let last = recorded.body.iter().rposition(brace).ok_or("an answer has no object")?;
        Ok(serde_json::from_slice(&recorded.body[first..=last])?)
    }
}

impl Recorded {
    /// Takes an answer apart.
    pub(crate) fn parse(answer: &[u8]) -> Result<Self, Failure> {
        let head = head_length(answer).ok_or("an answer has no end of its head")?;
        let text = std::str::from_utf8(&answer[..head])?;
        let headers = text.lines().skip(1).filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        Ok(Self {
            status: status(answer)?,
            headers: headers.collect(),
            body: answer[head..].to_vec(),
        })
    }

    /// The bytes of the answer with another body.
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

/// A request that reads.
pub(crate) fn get(path: &str) -> Vec<u8> {
    get_with(KEY, path)
}

/// A request that reads, with a key.
pub(crate) fn get_with(key: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n")
        .into_bytes()
}

/// A request that does something.
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

/// A text of an answer.
pub(crate) fn text(answer: &Value, pointer: &str) -> Result<String, Failure> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("an answer has no {pointer}: {answer}"))?.to_owned())
}

/// Sends these requests in turn over a few connections for a while. Answers how many were
/// answered; an answer other than 200 is a failure.
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
            let mut answered: u32 = 0;
            let own = requests.iter().cycle().skip(first).step_by(LOAD_CONNECTIONS);
            for request in own {
                if watch.elapsed() >= time {
                    break;
                }
                if connection.exchange(request).await? != 200 {
                    return Err(Failure::from("a request under load was refused"));
                }
                answered += 1;
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(ended) = connections.join_next().await {
        answered += ended??;
    }
    Ok(answered)
}

fn head_length(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|window| window == b"\r\n\r\n").map(|place| place + 4)
}

/// The length of a body, unless it comes in chunks.
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
    Err("an answer does not say its length".into())
}

fn status(answer: &[u8]) -> Result<u16, Failure> {
    let digits = answer.get(9..12).ok_or("an answer has no status")?;
    Ok(std::str::from_utf8(digits)?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::{Recorded, post};

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nrequest-id: req_1\r\n\r\n{}";

    /// An answer is taken apart and put together again with another body.
    #[test]
    fn takes_answers_apart() {
        let recorded = Recorded::parse(ANSWER).unwrap();
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
