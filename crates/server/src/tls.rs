//! The certificate of a server that speaks TLS, and its replacement while the server runs.
//!
//! A replacement applies to new connections. Open connections keep the keys that they agreed on. If the
//! new files cannot be used, the old certificate stays.

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use settings::TlsFiles;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// The protocol of the connections.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The reasons for which a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has no part of the wanted kind.
    #[error("could not read the {what} in {}", .path.display())]
    Read {
        /// The wanted kind of part.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: PemError,
    },
    /// The file has no certificate.
    #[error("{} has no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The TLS library does not accept the certificate or its key, or they do not belong together.
    #[error("could not use the certificate {} with the key {}", .files.certificate.display(), .files.key.display())]
    Use {
        /// The files.
        files: TlsFiles,
        /// The cause.
        #[source]
        source: rustls::Error,
    },
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
            .map_err(|source| TlsError::Use { files: self.files.clone(), source })?;
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
    let unreadable = |what, path: &PathBuf| {
        let path = path.clone();
        move |source| TlsError::Read { what, path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable("certificate", certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.clone()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable("private key", key))?;
    let certified = CertifiedKey::from_der(chain, private, &default_provider());
    certified.map(Arc::new).map_err(|source| TlsError::Use { files: files.clone(), source })
}
