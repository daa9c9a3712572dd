//! The lists of authorities that the command trusts, as files in the forms that languages read.
//!
//! A list that replaces the system's contains the system's authorities too, because calls of allowed
//! hosts need them.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::Path;

/// The system's list of authorities, in the places of distributions: Debian, Fedora, macOS.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The beginning of a Java key store, with its version.
const JAVA_STORE: [u32; 2] = [0xfeed_feed, 2];
/// The kind of an entry with a trusted certificate.
const JAVA_TRUSTED: u32 = 2;
/// The bytes of the digest at the end. Java compares it only if the store has a password.
const JAVA_DIGEST: [u8; 20] = [0; 20];

/// The text of a list: the authorities of the run, of the system, and of files that the user's
/// environment names. Missing files are skipped.
pub(super) fn bundle(own: &str, named: &[String]) -> String {
    let system = SYSTEM.into_iter().find(|path| Path::new(path).exists());
    let mut paths: Vec<&str> = system.into_iter().chain(named.iter().map(String::as_str)).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut bundle = own.to_owned();
    for text in paths.into_iter().filter_map(|path| std::fs::read_to_string(path).ok()) {
        bundle.push('\n');
        bundle.push_str(&text);
    }
    bundle
}

/// A Java key store with the certificates of a list. Certificates that cannot be read are skipped.
pub(super) fn java_store(bundle: &str) -> Vec<u8> {
    let certificates: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(bundle.as_bytes()).flatten().collect();
    let mut store = Vec::new();
    for number in JAVA_STORE {
        store.extend(number.to_be_bytes());
    }
    store.extend(length(certificates.len()));
    for (place, certificate) in certificates.iter().enumerate() {
        store.extend(JAVA_TRUSTED.to_be_bytes());
        put_text(&mut store, &format!("authority{place}"));
        // The date of the entry, which has no effect.
        store.extend(0_u64.to_be_bytes());
        put_text(&mut store, "X.509");
        store.extend(length(certificate.len()));
        store.extend_from_slice(certificate);
    }
    store.extend(JAVA_DIGEST);
    store
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

/// Writes a short ASCII text with its length.
fn put_text(store: &mut Vec<u8>, text: &str) {
    store.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    store.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::authority::Authority;

    /// A list has the run's authority first, and the certificates of the files that exist.
    #[test]
    fn lists_contain_named_files() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("named.pem");
        std::fs::write(&named, "named").unwrap();
        let named = named.to_str().unwrap().to_owned();
        let bundle = bundle("own", &[named.clone(), named, "/missing".to_owned()]);
        assert!(bundle.starts_with("own\n"), "{bundle}");
        assert_eq!(bundle.matches("named").count(), 1);
    }

    /// A Java store has a header, an entry per certificate and a digest.
    #[test]
    fn java_stores_have_an_entry_per_certificate() {
        let authority = Authority::new(20_000).unwrap();
        let pem = format!(
            "{0}\n-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            authority.pem
        );
        let store = java_store(&pem);
        assert_eq!(store[..12], [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1]);
        let certificate = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
        assert!(store.windows(certificate.len()).any(|window| window == &*certificate));
        assert_eq!(store.len(), 12 + 4 + 2 + 10 + 8 + 2 + 5 + 4 + certificate.len() + 20);
    }
}
