//! A server of the built binary, and clients that choose when they send and read.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use testkit::process::{Call, LISTENS, Process};

/// A running server with a temporary database, killed at the end of its test.
pub(crate) struct Server {
    process: Process,
    pub(crate) url: String,
    /// The host and port.
    pub(crate) address: String,
}

impl Server {
    /// Starts a server with these additional flags.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_bankfeed"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BANKFEED_")) {
            serve.env_remove(name);
        }
        serve.args(["serve", "--memory", "--listen", "127.0.0.1:0"]).args(flags);
        let process = Process::start(serve.stderr(Stdio::null())).unwrap();
        let url = process.after(LISTENS).unwrap();
        let address = url.trim_start_matches("http://").to_owned();
        Self { process, url, address }
    }

    /// Sends a call. Returns the status and the body.
    pub(crate) fn send(
        &self,
        key: &str,
        method: &str,
        path: &str,
        form: &str,
    ) -> (u16, serde_json::Value) {
        Call { key, version: None, method, path, form }.send(&self.url).unwrap()
    }

    /// A successful call with a key.
    pub(crate) fn call_as(
        &self,
        key: &str,
        method: &str,
        path: &str,
        form: &str,
    ) -> serde_json::Value {
        let (status, body) = self.send(key, method, path, form);
        assert_eq!(status, 200, "{body}");
        body
    }

    /// A successful call.
    pub(crate) fn call(&self, method: &str, path: &str, form: &str) -> serde_json::Value {
        self.call_as("sk_test_123", method, path, form)
    }

    /// The greatest memory that the server has had, without the pages of its files. Those belong to the
    /// system, which takes them back when it needs memory.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid()));
        let status = status.unwrap();
        let kib = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        let files = kib("RssFile:") + kib("RssShmem:");
        (kib("VmHWM:").saturating_sub(files)).max(kib("RssAnon:")) * 1_024
    }
}

/// The bytes of a call.
pub(crate) fn request(method: &str, path: &str, key: &str, host: &str, form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         authorization: Bearer {key}\r\ncontent-length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

/// Sends as many bytes as the system takes at once. Returns their number.
pub(crate) fn send_some(mut socket: &TcpStream, bytes: &[u8]) -> usize {
    socket.set_nonblocking(true).unwrap();
    let mut sent = 0;
    while sent < bytes.len() {
        match socket.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    socket.set_nonblocking(false).unwrap();
    sent
}

/// Waits for the first byte of a response, which stays unread.
pub(crate) fn peek(socket: &TcpStream) {
    assert_eq!(socket.peek(&mut [0]).unwrap(), 1);
}

/// Reads the status of a response. 0 if the connection ended before it.
pub(crate) fn read_status(socket: &mut TcpStream) -> u16 {
    let mut line = [0; 12];
    if socket.read_exact(&mut line).is_err() {
        return 0;
    }
    String::from_utf8_lossy(&line[9..]).parse().unwrap_or(0)
}

/// Reads the rest of a response.
pub(crate) fn body(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    // A reset after the last byte has no effect.
    let _ = socket.read_to_string(&mut text);
    text
}
