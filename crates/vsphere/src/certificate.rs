//! Judges the certificate a server shows.
//!
//! A pinned thumbprint replaces only the chain of authorities: that the server holds the certificate's key is proved
//! in every handshake, by the crypto provider. The invariant: every way to accept a certificate is in [`Verifier`],
//! and the one that accepts any, [`Judge::Witness`], never carries a password.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::error::Error;
use super::thumbprint::Thumbprint;
use super::trust::{Distrust, Trust};
use super::x509::{self, Facts};

/// What a handshake was refused for; found again in the chain of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate {thumbprint}: {why}")]
pub(super) struct Rejection {
    pub(super) thumbprint: Thumbprint,
    pub(super) why: Distrust,
    pub(super) pinned: Option<Thumbprint>,
}

/// What a witness saw: the certificate, and why the system's authorities would refuse it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) thumbprint: Thumbprint,
    pub(super) distrust: Option<Distrust>,
    pub(super) facts: Facts,
}

#[derive(Debug)]
enum Judge {
    /// None: no authority at all is known, so nothing can be trusted.
    Authorities(Option<Arc<WebPkiServerVerifier>>),
    Pinned(Thumbprint),
    /// Accepts everything and tells what it saw.
    Witness(Option<Arc<WebPkiServerVerifier>>, Arc<OnceLock<Seen>>),
}

#[derive(Debug)]
struct Verifier {
    judge: Judge,
    provider: Arc<CryptoProvider>,
}

/// The TLS settings of a connection under this trust. May block: reads the system's authorities.
///
/// # Errors
/// [`Error::InvalidSetting`] where an authority's certificate cannot be read.
pub(super) fn settings(trust: &Trust) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let judge = match trust {
        Trust::SystemRoots => Judge::Authorities(verifier(of_system(), &provider)),
        Trust::Ca(pem) => Judge::Authorities(verifier(parse(pem)?, &provider)),
        Trust::Thumbprint(thumbprint) => Judge::Pinned(*thumbprint),
    };
    Ok(judged(judge, provider))
}

/// The TLS settings of a connection that only looks. May block as above.
pub(super) fn witness(seen: Arc<OnceLock<Seen>>) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    judged(Judge::Witness(verifier(of_system(), &provider), seen), provider)
}

/// Reads one or more authorities' certificates in PEM.
pub(super) fn parse(pem: &str) -> Result<RootCertStore, Error> {
    let refused = || Error::InvalidSetting("an authority is given as certificates in PEM; one of these cannot be read");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| refused())?;
        roots.add(certificate).map_err(|_| refused())?;
    }
    if roots.is_empty() { Err(refused()) } else { Ok(roots) }
}

/// The authorities of this system: `/etc/ssl/certs`, or what `SSL_CERT_FILE` names. Blocks: reads files.
fn of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn verifier(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()
}

fn judged(judge: Judge, provider: Arc<CryptoProvider>) -> ClientConfig {
    // The provider is named: a process that links two of them has no default.
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("invariant: the provider knows the cipher suites of TLS 1.2 and 1.3");
    let verifier = Arc::new(Verifier { judge, provider });
    builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

/// What a server shows in a handshake.
struct Shown<'a> {
    leaf: &'a CertificateDer<'a>,
    chain: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
}

impl Shown<'_> {
    fn judged_by(&self, authorities: Option<&Arc<WebPkiServerVerifier>>) -> Result<(), Distrust> {
        let Some(authorities) = authorities else { return Err(Distrust::UnknownIssuer) };
        let verdict = authorities.verify_server_cert(self.leaf, self.chain, self.name, &[], self.now);
        verdict.map(drop).map_err(|error| distrust(&error))
    }
}

impl Judge {
    fn judge(&self, shown: &Shown<'_>) -> Result<(), Rejection> {
        let thumbprint = Thumbprint::of(shown.leaf);
        let mut pinned = None;
        let verdict = match self {
            Self::Authorities(authorities) => shown.judged_by(authorities.as_ref()),
            Self::Pinned(expected) if *expected == thumbprint => Ok(()),
            Self::Pinned(expected) => {
                pinned = Some(*expected);
                Err(Distrust::OtherThumbprint)
            }
            Self::Witness(authorities, seen) => {
                let distrust = || shown.judged_by(authorities.as_ref()).err();
                seen.get_or_init(|| Seen { thumbprint, distrust: distrust(), facts: x509::facts(shown.leaf) });
                Ok(())
            }
        };
        verdict.map_err(|why| Rejection { thumbprint, why, pinned })
    }
}

fn distrust(error: &rustls::Error) -> Distrust {
    let rustls::Error::InvalidCertificate(error) = error else { return Distrust::Unusable };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Distrust::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Distrust::OtherName,
        // A bad signature: an authority of the same name as a trusted one has signed it.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Distrust::UnknownIssuer,
        _ => Distrust::Unusable,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.judge.judge(&Shown { leaf, chain, name, now }) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(rejection) => Err(CertificateError::Other(OtherError(Arc::new(rejection))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
