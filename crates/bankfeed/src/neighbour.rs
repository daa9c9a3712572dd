//! The program that listens at an address which is not free.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// The time for each step of the conversation. The other program is on this machine.
const STEP_MAX: Duration = Duration::from_millis(500);
/// The bytes of the response that are read. The response of bankfeed is shorter.
const RESPONSE_BYTES_MAX: u64 = 4_096;

/// A program that listens at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    /// A server of bankfeed.
    Bankfeed,
    /// A server of bankfeed that takes https requests only.
    BankfeedWithTls,
    /// Another program.
    Other,
}

/// Finds out which program listens at an address.
pub(crate) fn at(address: &str) -> Neighbour {
    let Ok(response) = ask(address) else { return Neighbour::Other };
    // Each response of bankfeed has an id of this form.
    let has_id = response.contains("request-id: req_");
    match response.split(' ').nth(1) {
        Some("200") if has_id && response.ends_with("\r\n\r\nok\n") => Neighbour::Bankfeed,
        Some("400") if has_id && response.contains("https requests only") => {
            Neighbour::BankfeedWithTls
        }
        _ => Neighbour::Other,
    }
}

/// The response to a request for the health of a server.
fn ask(address: &str) -> io::Result<String> {
    let socket = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&socket, STEP_MAX)?;
    stream.set_read_timeout(Some(STEP_MAX))?;
    stream.set_write_timeout(Some(STEP_MAX))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.take(RESPONSE_BYTES_MAX).read_to_string(&mut response)?;
    Ok(response)
}
