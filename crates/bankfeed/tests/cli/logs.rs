//! The log of the built binary: a line per request with its facts, and the spans of other lines.

use crate::support::command;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A server that writes its log as JSON. It is killed if the test ends without stopping it.
struct Logging(Child);

impl Logging {
    fn start(flags: &[&str]) -> (Self, String) {
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--memory", "--log-format", "json"];
        let mut child = command(&[&fixed, flags].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut greeting = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = greeting.next().unwrap().unwrap();
        let address = first.split_once(" listens on http://").unwrap().1.to_owned();
        (Self(child), address)
    }

    /// Stops the server in order and returns the lines of its log.
    fn stop(mut self) -> Vec<Value> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let log = BufReader::new(self.0.stderr.take().unwrap());
        log.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Creates a product, as a proxy forwards the request of its client.
fn create_product(address: &str) {
    let form = "name=Tea";
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /v1/products HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         authorization: Bearer sk_test_123\r\nx-forwarded-for: 203.0.113.9\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

fn request_line(log: &[Value]) -> Value {
    let mut lines = log.iter().filter(|line| line["message"] == "request");
    let mut line = lines.next().unwrap().clone();
    assert_eq!(lines.next(), None);
    for varying in ["timestamp", "duration_ms", "request.id"] {
        assert_ne!(line.as_object_mut().unwrap().remove(varying), None, "{line}");
    }
    line
}

/// A request has one line with its route, its merchant and its client. The client is the address
/// that a trusted proxy reports, or else the other end of the connection.
#[test]
fn requests_name_their_client() {
    for (flags, client) in [
        (&[][..], "127.0.0.1"),
        (&["--trusted-proxy", "10.0.0.1"], "127.0.0.1"),
        (&["--trusted-proxy", "10.0.0.1,127.0.0.0/8"], "203.0.113.9"),
    ] {
        let (server, address) = Logging::start(flags);
        create_product(&address);
        let expected = serde_json::json!({
            "level": "INFO",
            "message": "request",
            "method": "POST",
            "route": "/v1/products",
            "status": 200,
            "merchant": "acct_9RP1R1d0yzB2hYhnyXuPUqgG",
            "client": client,
            "replayed": false,
        });
        assert_eq!(request_line(&server.stop()), expected);
    }
}

/// At the level `debug` each command has a line, which names the request, the change and the size
/// of the group of commands in its commit.
#[test]
fn commands_name_their_request() {
    let (server, address) = Logging::start(&["--log-level", "debug"]);
    create_product(&address);
    let log = server.stop();
    let access = log.iter().find(|line| line["message"] == "request").unwrap();
    let is_of_request = |line: &&Value| line["spans"][0]["request.id"] == access["request.id"];
    let mut lines = log.iter().filter(is_of_request);
    let command = lines.next().unwrap();
    assert_eq!(command["message"], "command done");
    assert!(command["duration_us"].is_u64(), "{command}");
    assert_eq!(command["span"]["command"], "ChangeObjects");
    // A worker's command may share its commit.
    assert!(command["span"]["group_commands"].as_u64() >= Some(1), "{command}");
    let request = &command["spans"][0];
    assert_eq!((&request["name"], &request["route"]), (&"request".into(), &"/v1/products".into()));
    let change = lines.next().unwrap();
    assert_eq!(change["message"], "change ended");
    assert_eq!(
        (&change["span"]["change"], &change["span"]["retries"]),
        (&"create_product".into(), &0.into())
    );
}
