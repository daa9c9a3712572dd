//! The real binary as a child process.
//!
//! A thread reads its output, so that it never waits for a full pipe. A [`Process`] is killed when it
//! is dropped, also when a test fails. Waits are for named conditions and have a bound.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// The time limit of a wait, far longer than any condition needs.
const WAIT: Duration = Duration::from_mins(1);
/// The text before the server's URL in the line that it prints when it accepts requests.
pub const LISTENS: &str = " listens on ";

/// A running command.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The lines of its standard output. The channel closes when the process ends.
    lines: Receiver<String>,
}

impl Process {
    /// Starts a command without input.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        Self::start_with(command, Stdio::null())
    }

    /// Starts a command with this input.
    pub fn start_with(command: &mut Command, input: Stdio) -> Result<Self, String> {
        let piped = command.stdin(input).stdout(Stdio::piped());
        let mut child = piped.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let (sender, lines) = channel();
        let output = child.stdout.take().into_iter();
        let mut output = output.flat_map(|output| BufReader::new(output).lines());
        std::thread::spawn(move || {
            while let Some(Ok(line)) = output.next() {
                // The owner may have dropped the receiver. The pipe is still read to its end.
                let _ = sender.send(line);
            }
        });
        Ok(Self { child, lines })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, or `None` while it runs.
    pub fn try_wait(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for a line that contains these words, and returns the rest of the line.
    pub fn after(&self, words: &str) -> Result<String, String> {
        loop {
            let line =
                self.lines.recv_timeout(WAIT).map_err(|_| format!("no line has {words:?}"))?;
            if let Some((_, rest)) = line.split_once(words) {
                return Ok(rest.to_owned());
            }
        }
    }

    /// Waits for the next line.
    pub fn next_line(&self) -> Result<String, String> {
        self.lines.recv_timeout(WAIT).map_err(|_| "no line was printed".to_owned())
    }

    /// Writes a line to its standard input, which must be a pipe.
    pub fn write_line(&mut self, line: &str) -> Result<(), String> {
        self.write_bytes(line.as_bytes())
    }

    /// Writes bytes and the end of a line to the process, as [`Self::write_line`] does.
    pub fn write_bytes(&mut self, line: &[u8]) -> Result<(), String> {
        let input = self.child.stdin.as_mut().ok_or("the input is no pipe")?;
        let written = input.write_all(line).and_then(|()| input.write_all(b"\n"));
        written.map_err(|error| error.to_string())
    }

    /// Waits until the process ends, and returns its exit status and the rest of its output.
    pub fn end(mut self) -> Result<(ExitStatus, Vec<String>), String> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(WAIT) {
                Ok(line) => lines.push(line),
                // The output closes when the process ends.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err("the process did not end".to_owned()),
            }
        }
        Ok((self.child.wait().map_err(|error| error.to_string())?, lines))
    }

    /// Closes its standard input, if that is a pipe.
    pub fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Sends SIGTERM, and returns the exit status.
    pub fn terminate(self) -> Result<ExitStatus, String> {
        send_signal(self.pid(), "TERM")?;
        Ok(self.end()?.0)
    }
}

/// Sends the signal with this name, such as `TERM`, to a process.
pub fn send_signal(pid: u32, name: &str) -> Result<(), String> {
    let kill = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    match kill {
        Ok(sent) if sent.success() => Ok(()),
        sent => Err(format!("kill -{name} {pid}: {sent:?}")),
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both calls fail if it has already ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call that blocks the calling thread, for programs without an async runtime.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The API key.
    pub key: &'a str,
    /// The API version, if it is not the default.
    pub version: Option<&'a str>,
    /// The method.
    pub method: &'a str,
    /// The path, with its query.
    pub path: &'a str,
    /// The form.
    pub form: &'a str,
}

impl Call<'_> {
    /// Sends the call to the server at this URL. Returns the status and the body, which is JSON.
    pub fn send(self, url: &str) -> std::io::Result<(u16, serde_json::Value)> {
        let Self { key, version, method, path, form } = self;
        let address = url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        let version = version.map(|version| format!("stripe-version: {version}\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: Bearer {key}\r\n{}content-length: {}\r\n\r\n{form}",
            version.unwrap_or_default(),
            form.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Ok((status, serde_json::from_str(body)?))
    }
}
