//! Raw HTTP over TCP. A well-behaved HTTP client cannot send what these checks send.

use crate::Failure;
use crate::time::bounded;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest time until the server has responded and closed. It lets a body arrive for 30 seconds.
const RESPONSE_MAX: Duration = Duration::from_secs(45);
/// Bytes of a response that are read.
const RESPONSE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A response.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The status line and the headers.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// Reads a response. Interim responses (`100 Continue`) are skipped.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = &bytes[end + 4..];
        if (100..200).contains(&status) {
            return Self::parse(body);
        }
        let reply = Self { status, head, body: body.to_vec() };
        // Bytes after the body belong to the response to a further request.
        let length = reply.length().unwrap_or(body.len()).min(body.len());
        Some(Self { body: body[..length].to_vec(), ..reply })
    }

    /// The length of the body by its header.
    fn length(&self) -> Option<usize> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        lengths.find_map(|(_, length)| length.trim().parse().ok())
    }

    /// The body as JSON, or null.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// True for an error in Stripe's envelope.
    pub(super) fn is_envelope(&self) -> bool {
        let json = self.json();
        self.status >= 400
            && (json["error"]["type"].is_string() || json["error"]["code"].is_string())
    }

    /// True for an error of the HTTP parser itself, which has no body and ends the connection.
    pub(super) fn is_bare(&self) -> bool {
        matches!(self.status, 400 | 408 | 414 | 431) && self.body.is_empty()
    }

    /// True if the response has a header with a name that begins with this text.
    pub(super) fn has_header(&self, name: &str) -> bool {
        self.head.lines().skip(1).any(|line| line.to_ascii_lowercase().starts_with(name))
    }
}

/// Sends bytes and reads to the end of the connection. Returns `None` for a connection that was closed
/// without a response.
pub(super) async fn exchange(address: &str, bytes: &[u8]) -> Result<Option<Reply>, Failure> {
    exchange_within(address, bytes, RESPONSE_MAX).await
}

/// The same for a request that may be incomplete. If the server waits for more bytes, the sending half is
/// closed after this time.
pub(super) async fn exchange_within(
    address: &str,
    bytes: &[u8],
    patience: Duration,
) -> Result<Option<Reply>, Failure> {
    bounded("a response or the end of a connection", RESPONSE_MAX, async {
        let failed = |error: std::io::Error| format!("a new connection: {error}");
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        let (reading, mut writing) = stream.into_split();
        let mut response = Vec::new();
        let mut reading = reading.take(RESPONSE_BYTES_MAX);
        // The server may close before it has read everything, so errors of both halves are no faults.
        let exchanged = bounded("", patience, async {
            let _ = tokio::join!(writing.write_all(bytes), reading.read_to_end(&mut response));
            Ok(())
        });
        if exchanged.await.is_err() {
            let _ = writing.shutdown().await;
            let _ = reading.read_to_end(&mut response).await;
        }
        Ok(Reply::parse(&response))
    })
    .await
}

/// The text of a well-formed request. `headers` end with a line break each.
pub(super) fn request(host: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A call with a key and a form, on a connection of its own.
pub(super) async fn call(
    address: &str,
    key: &str,
    method: &str,
    path: &str,
    form: &[(&str, &str)],
) -> Result<Reply, Failure> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let headers = format!(
        "authorization: Bearer {key}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    );
    let text = request(address, method, path, &headers, &body);
    let reply = exchange(address, text.as_bytes()).await?;
    reply.ok_or_else(|| format!("{method} {path} got no response"))
}

/// The JSON of a call that must succeed.
pub(super) async fn succeed(
    address: &str,
    key: &str,
    method: &str,
    path: &str,
    form: &[(&str, &str)],
) -> Result<Value, Failure> {
    let reply = call(address, key, method, path, form).await?;
    if reply.status == 200 {
        return Ok(reply.json());
    }
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    Err(format!("{method} {path} returned {}: {body}", reply.status))
}

/// A connection that stays open for many calls.
pub(super) struct Kept {
    stream: TcpStream,
    address: String,
}

impl Kept {
    pub(super) async fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        Ok(Self { stream, address: address.to_owned() })
    }

    /// Calls with a key. Returns the status.
    pub(super) async fn call(
        &mut self,
        key: &str,
        method: &str,
        path: &str,
    ) -> Result<u16, Failure> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\
             content-length: 0\r\n\r\n",
            self.address
        );
        bounded(&format!("{method} {path} on an open connection"), RESPONSE_MAX, async {
            let failed = |error: std::io::Error| format!("an open connection: {error}");
            self.stream.write_all(request.as_bytes()).await.map_err(failed)?;
            let mut bytes = Vec::new();
            loop {
                if let Some(reply) = Reply::parse(&bytes)
                    && reply.body.len() >= reply.length().unwrap_or(0)
                {
                    return Ok(reply.status);
                }
                if self.stream.read_buf(&mut bytes).await.map_err(failed)? == 0 {
                    return Err(format!("the server closed during {method} {path}"));
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::Reply;

    /// A response is read with its headers, after interim responses.
    #[test]
    fn responses_are_read() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad\r\nx-A: 1\r\n\r\n\
            {\"error\":{\"type\":\"x\"}}";
        let reply = Reply::parse(bytes).unwrap();
        assert_eq!(reply.status, 400);
        assert!(reply.has_header("x-a") && !reply.has_header("x-b"));
        assert!(reply.is_envelope() && !reply.is_bare());
        assert!(Reply::parse(b"HTTP/1.1 200").is_none());
        let two = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 404 Not Found\r\n\r\n";
        assert_eq!(Reply::parse(two).unwrap().body, b"a");
    }
}
