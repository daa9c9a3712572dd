//! The reasons for a missing response, as fixed texts without secrets.

use crate::ForbiddenAddress;
use crate::client::Failure;
use crate::resolve::NoAddress;
use rustls::CertificateError;
use std::io::{self, ErrorKind};

/// The reason for a response that was not complete in time.
pub(crate) const TOO_LATE: &str = "no response in time";

/// The reason for a missing response.
pub(crate) fn reason(failure: &Failure) -> &'static str {
    let mut source = Some(failure.error());
    let mut kind = None;
    while let Some(cause) = source {
        if let Some(forbidden) = cause.downcast_ref::<ForbiddenAddress>() {
            return forbidden.reason();
        }
        if cause.is::<NoAddress>() {
            return "the name does not resolve";
        }
        if let Some(error) = cause.downcast_ref::<rustls::Error>() {
            return tls_reason(error);
        }
        let io = cause.downcast_ref::<io::Error>();
        if let Some(io) = io {
            kind = Some(io.kind());
        }
        // The source of an I/O error is that of the error in it, which would be left out.
        source = match io.and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    match (failure, kind) {
        (_, Some(ErrorKind::TimedOut)) => TOO_LATE,
        (_, Some(ErrorKind::ConnectionRefused)) => "the connection was refused",
        (_, Some(ErrorKind::ConnectionReset)) => "the connection was reset",
        (Failure::Connect(_), _) => "no connection",
        (Failure::Build(_), _) => "the request could not be built",
        (Failure::Broken(_), _) => "the connection broke before a response",
    }
}

/// The reason of an error of TLS. A reason that begins with "the certificate" is one of the server's
/// certificate.
fn tls_reason(error: &rustls::Error) -> &'static str {
    use CertificateError as Fault;
    let fault = match error {
        rustls::Error::InvalidCertificate(fault) => fault,
        rustls::Error::InvalidMessage(_) => return "the server does not speak TLS",
        _ => return "the TLS handshake failed",
    };
    match fault {
        Fault::UnknownIssuer => "the certificate is not trusted, because its issuer is unknown",
        Fault::BadSignature => "the certificate is not trusted, because its issuer did not sign it",
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            "the certificate is for another host name"
        }
        Fault::Expired | Fault::ExpiredContext { .. } => "the certificate has expired",
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => "the certificate is not valid yet",
        Fault::Revoked => "the certificate is revoked",
        Fault::Other(other) if is_of_authority(other) => {
            "the certificate is that of an authority (CA:TRUE), not of a server"
        }
        _ => "the certificate is not valid",
    }
}

fn is_of_authority(error: &rustls::OtherError) -> bool {
    matches!(error.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
