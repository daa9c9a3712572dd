//! The certificate of a server that speaks TLS, and its replacement while the server runs.
//!
//! A replacement applies to new connections. Open connections keep the keys that they agreed on. If the
//! new files cannot be used, the old certificate stays.

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, RootCertStore, ServerConfig, version};
use settings::TlsFiles;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The protocol of the connections.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The reasons for which a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has no part of the wanted kind.
    #[error("could not read the {what} in {}: {reason}", .path.display())]
    Read {
        /// The wanted kind of part.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The TLS library does not accept the certificate or its key, or they do not belong together.
    #[error("could not use the certificate {} with the key {}: {reason}", .files.certificate.display(), .files.key.display())]
    Use {
        /// The files.
        files: TlsFiles,
        /// The reason.
        reason: String,
    },
}

/// The reason why clients do not accept a certificate, whoever issued it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitCertificate {
    /// Its basic constraints say `CA:TRUE`. Clients built on rustls do not accept that.
    #[error("it is the certificate of an authority (CA:TRUE), which many clients refuse")]
    OfAuthority,
    /// Its time has passed.
    #[error("it has expired")]
    Expired,
    /// Its time has not begun.
    #[error("it is not valid yet")]
    NotValidYet,
}

/// The certificate of a server, with the files that it is read from.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads a certificate with its key.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(read(&files)?);
        Ok(Self { files, current })
    }

    /// The reason why clients would not accept the certificate at a time, in Unix seconds. The issuer
    /// and the host name are not checked.
    pub fn unfit_at(&self, now_s: i64) -> Option<UnfitCertificate> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let parsed = ParsedCertificate::try_from(current.cert.first()?).ok()?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now_s.try_into().ok()?));
        // The properties of the certificate are checked before its issuer, which no store here knows.
        let algorithms = default_provider().signature_verification_algorithms.all;
        let roots = RootCertStore::empty();
        let checked =
            verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &[], now, algorithms);
        let Err(rustls::Error::InvalidCertificate(fault)) = checked else { return None };
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Some(UnfitCertificate::Expired)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Some(UnfitCertificate::NotValidYet)
            }
            CertificateError::Other(other) => match other.0.downcast_ref() {
                Some(webpki::Error::CaUsedAsEndEntity) => Some(UnfitCertificate::OfAuthority),
                _ => None,
            },
            _ => None,
        }
    }

    /// Reads the files again. If they cannot be used, the certificate stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = read(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The settings of connections with this certificate: TLS 1.2 and 1.3, and HTTP/1.1 only.
    pub(crate) fn config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| unusable(&self.files, &error))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let TlsFiles { certificate, key } = files;
    let unreadable = |what, path: &PathBuf, error: PemError| {
        let reason = pem_reason(what, path, &error);
        TlsError::Read { what, path: path.clone(), reason }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable("certificate", certificate, error))?;
    if chain.is_empty() {
        return Err(unreadable("certificate", certificate, PemError::NoItemsFound));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("private key", key, error))?;
    let certified = CertifiedKey::from_der(chain, private, &default_provider());
    certified.map(Arc::new).map_err(|error| unusable(files, &error))
}

/// The reason why a file in the PEM format cannot be read. The errors of its library show lines as
/// lists of bytes.
fn pem_reason(what: &str, path: &Path, error: &PemError) -> String {
    let is_encrypted = || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
    };
    match error {
        PemError::Io(error) => error.to_string(),
        PemError::NoItemsFound | PemError::Base64Decode(_) if is_encrypted() => {
            "the key is encrypted, so write it without a passphrase (openssl pkey)".to_owned()
        }
        PemError::NoItemsFound => format!("the file has no {what} in the PEM format"),
        PemError::MissingSectionEnd { .. } => "a part has no END line".to_owned(),
        PemError::IllegalSectionStart { .. } => "a BEGIN line is incomplete".to_owned(),
        PemError::Base64Decode(_) => "a part is not valid Base64".to_owned(),
        other => other.to_string(),
    }
}

fn unusable(files: &TlsFiles, error: &rustls::Error) -> TlsError {
    let reason = match error {
        rustls::Error::InconsistentKeys(_) => "they do not belong together".to_owned(),
        rustls::Error::InvalidCertificate(_) => "the certificate is damaged".to_owned(),
        other => other.to_string(),
    };
    TlsError::Use { files: files.clone(), reason }
}
