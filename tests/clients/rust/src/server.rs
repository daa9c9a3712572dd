//! The real binary as a child process, an inbox for webhooks, and an unreliable connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, fs, io, process, thread};

const WAIT_MAX: Duration = Duration::from_secs(30);
/// The key of the steps' client.
pub const KEY: &str = "sk_test_rust";

/// The server on an empty database.
pub struct Server {
    child: Child,
    folder: PathBuf,
    pub port: u16,
}

impl Server {
    pub fn start() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("bankfeed-client-{}", process::id()));
        fs::create_dir(&folder)?;
        let binary = env::var("BANKFEED_BINARY").unwrap_or("target/debug/bankfeed".to_owned());
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--db"])
            .arg(folder.join("bank.db"))
            .envs([("BANKFEED_POLL_MS", "50"), ("BANKFEED_COOL_DOWN_TEST", "0")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let printed = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        // The address is printed once the server accepts requests.
        for line in BufReader::new(printed).lines() {
            if let Some((_, rest)) = line?.split_once("http://127.0.0.1:") {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                let port = digits.parse().map_err(io::Error::other)?;
                return Ok(Self { child, folder, port });
            }
        }
        Err(io::Error::other("the server did not start"))
    }

    /// Calls one of the server's own test helpers.
    pub fn help(&self, path: &str, form: &str) -> io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(
            stream,
            "POST /v1/test_helpers{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\
             Authorization: Bearer {KEY}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(io::Error::other(answer)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors are ignored because the program ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A received webhook: the signed text and the signature.
#[derive(Clone)]
pub struct Delivery {
    pub body: String,
    pub signature: String,
}

/// A webhook endpoint that stores its deliveries.
pub struct Inbox {
    pub url: String,
    came: Receiver<Delivery>,
    seen: Vec<Delivery>,
}

impl Inbox {
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/webhook", listener.local_addr()?);
        let (sender, came) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    while let Ok(Some(delivery)) = read_delivery(&mut reader) {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                        if sender.send(delivery).is_err()
                            || reader.get_mut().write_all(answer).is_err()
                        {
                            break;
                        }
                    }
                });
            }
        });
        Ok(Self { url, came, seen: Vec::new() })
    }

    /// Waits for the first delivery for which `find` returns a value.
    pub fn wait<T>(
        &mut self,
        what: &str,
        find: impl Fn(&Delivery) -> Option<T>,
    ) -> Result<T, String> {
        let mut place = 0;
        loop {
            while let Some(delivery) = self.seen.get(place) {
                place += 1;
                if let Some(found) = find(delivery) {
                    return Ok(found);
                }
            }
            let fresh = self.came.recv_timeout(WAIT_MAX);
            self.seen.push(fresh.map_err(|_| format!("waited {WAIT_MAX:?} for {what}"))?);
        }
    }
}

/// Reads one request of a persistent connection. Returns `None` at its end.
fn read_delivery(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Delivery>> {
    let (mut length, mut signature) = (0, String::new());
    let mut lines = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        lines += 1;
        let line = line.trim_end();
        if line.is_empty() && lines > 1 {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "stripe-signature" => signature = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).map_err(io::Error::other)?;
    Ok(Some(Delivery { body, signature }))
}

/// Opens a port to the server. Its first connection is cut after the server has done the work.
pub fn cut_once(server: u16) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for (place, client) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || forward(&client, server, place == 0));
        }
    });
    Ok(port)
}

fn forward(client: &TcpStream, server: u16, cut: bool) -> io::Result<()> {
    let upstream = TcpStream::connect(("127.0.0.1", server))?;
    let (mut asked, mut up) = (client.try_clone()?, upstream.try_clone()?);
    thread::spawn(move || io::copy(&mut asked, &mut up));
    if cut {
        (&upstream).read_exact(&mut [0])?;
    } else {
        io::copy(&mut &upstream, &mut &*client)?;
    }
    client.shutdown(Shutdown::Both)?;
    upstream.shutdown(Shutdown::Both)
}
