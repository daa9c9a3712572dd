//! Requests as bytes, for tests of invalid and unusual ones.

use testkit::App;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection on which a test writes and reads bytes.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(app: &App) -> Self {
        let address = app.url().strip_prefix("http://").unwrap();
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        Self(stream)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Ends the bytes of the client.
    pub(crate) async fn finish(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Reads until the received text ends with this one.
    pub(crate) async fn read_to(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let byte = self.0.read_u8().await;
            text.push(char::from(byte.unwrap_or_else(|_| panic!("the end came before: {text}"))));
        }
        text
    }

    /// Reads until the server closes the connection.
    pub(crate) async fn read_all(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).await.unwrap();
        text
    }

    /// Begins a request without sending its body. It runs when this returns.
    pub(crate) async fn begin_request(&mut self) {
        let head = "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
                    Authorization: Bearer sk_test_123\r\nContent-Length: 7\r\n\r\n";
        self.send(head).await;
        self.read_to("HTTP/1.1 100 Continue\r\n\r\n").await;
    }
}

/// Sends bytes, and reads until the server closes the connection.
pub(crate) async fn send_raw(app: &App, text: &str) -> String {
    let mut raw = Raw::connect(app).await;
    raw.send(text).await;
    raw.read_all().await
}

/// The lines of responses that do not vary.
pub(crate) fn steady(responses: &str) -> String {
    let varies = |line: &&str| line.starts_with("date: ") || line.starts_with("request-id: req_");
    let lines = responses.lines().filter(|line| !varies(line));
    lines.collect::<Vec<_>>().join("\n")
}
