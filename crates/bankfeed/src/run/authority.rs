//! The certificate authority of one run, and the certificate of Stripe's hosts that it signs.
//!
//! The keys exist in memory only. The authority can sign for `stripe.com` and its subdomains only, and
//! its certificates are valid for a month, so a file that stays after a crash does no harm.

use super::hosts::STRIPE_HOSTS;
use model::calendar::{Date, date_of};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring::{default_provider, sign};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// The days for which the certificates are valid.
const DAYS: i64 = 30;
/// The protocol of the connections.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The error of certificates that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    /// A certificate could not be signed.
    #[error("could not sign a certificate")]
    Sign(#[from] rcgen::Error),
    /// The TLS library did not accept a certificate.
    #[error("could not use a certificate")]
    Use(#[from] rustls::Error),
}

/// The authority of one run.
pub(super) struct Authority {
    /// Its certificate as PEM, for the programs that are to trust it.
    pub(super) pem: String,
    /// The TLS side of Stripe's hosts.
    pub(super) tls: Arc<ServerConfig>,
}

impl Authority {
    /// Makes an authority and a certificate that are valid around a day, which is counted from 1970.
    pub(super) fn new(today: i64) -> Result<Self, AuthorityError> {
        let mut params = valid_around(today, CertificateParams::default());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("stripe.com".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        let authority =
            CertifiedIssuer::self_signed(named(params, "bankfeed run"), KeyPair::generate()?)?;

        let key = KeyPair::generate()?;
        let hosts = STRIPE_HOSTS.map(str::to_owned);
        let mut params = valid_around(today, CertificateParams::new(hosts)?);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = named(params, STRIPE_HOSTS[0]).signed_by(&key, &authority)?;

        let key = sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
        let chain = vec![certificate.der().clone(), authority.der().clone()];
        let resolver = Arc::new(OfStripe(Arc::new(CertifiedKey::new(chain, key))));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let mut config = config
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self { pem: authority.pem(), tls: Arc::new(config) })
    }
}

fn valid_around(today: i64, mut params: CertificateParams) -> CertificateParams {
    let at = |day: i64| {
        let Date { year, month, day } = date_of(day);
        let small = |number: i64| u8::try_from(number).unwrap_or(1);
        date_time_ymd(i32::try_from(year).unwrap_or(i32::MAX), small(month), small(day))
    };
    params.not_before = at(today - 1);
    params.not_after = at(today + DAYS);
    params
}

fn named(mut params: CertificateParams, name: &str) -> CertificateParams {
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Returns the certificate to clients that name one of Stripe's hosts, and no certificate to others.
#[derive(Debug)]
struct OfStripe(Arc<CertifiedKey>);

impl ResolvesServerCert for OfStripe {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?;
        STRIPE_HOSTS.contains(&name).then(|| Arc::clone(&self.0))
    }
}
