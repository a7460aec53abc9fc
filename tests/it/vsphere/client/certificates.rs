//! Certificates: pinned, signed by an authority, expired, of other names, and ones whose key the server lacks.

use std::io::{self, Write};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use taskloom::vsphere::{Address, Client, Distrust, Error, Limits, Obstacle, Thumbprint, Trust, probe};

use super::server::{Received, Server};
use super::vcenter::{respond, start};

/// A certificate and its key.
struct Shown {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn trust(&self) -> Trust {
        Trust::Ca(self.0.pem())
    }

    /// Signs a certificate for a name, valid in these years.
    fn sign(&self, name: &str, years: [i32; 2]) -> Shown {
        let (parameters, key) = (parameters(name, years), KeyPair::generate().unwrap());
        Shown { certificate: parameters.signed_by(&key, &self.0).unwrap().der().clone(), key }
    }
}

fn parameters(name: &str, [from, to]: [i32; 2]) -> CertificateParams {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    parameters
}

const NOW: [i32; 2] = [2020, 2100];

fn self_signed() -> Shown {
    let key = KeyPair::generate().unwrap();
    Shown { certificate: parameters("127.0.0.1", NOW).self_signed(&key).unwrap().der().clone(), key }
}

impl Shown {
    fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.certificate)
    }

    fn server(&self) -> Server {
        served(&self.certificate, &self.key)
    }
}

/// Shows this certificate and signs with this key, whether they belong together or not.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn served(certificate: &CertificateDer<'static>, key: &KeyPair) -> Server {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shows = Shows(Arc::new(CertifiedKey::new(vec![certificate.clone()], key)));
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = builder.with_no_client_auth().with_cert_resolver(Arc::new(shows));
    let handler = |request: &Received, out: &mut dyn Write| -> io::Result<()> { respond(request, out, &|_| None) };
    Server::start(Some(tls), handler)
}

async fn connect(server: &Server, host: &str, trust: Trust) -> Result<Client, Error> {
    let address = Address::parse(&format!("https://{host}:{}", server.address.port())).unwrap();
    Client::connect(&address, &trust, Limits::default()).await
}

#[tokio::test]
async fn a_pinned_certificate_is_enough() {
    let shown = self_signed();
    let server = shown.server();
    let client = connect(&server, "127.0.0.1", Trust::Thumbprint(shown.thumbprint())).await.unwrap();
    client.sign_in("user", "pass", "en").await.unwrap();
    // Also for a name that is not in it.
    connect(&server, "localhost", Trust::Thumbprint(shown.thumbprint())).await.unwrap();
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_gets_nothing() {
    let (pinned, shown) = (self_signed(), self_signed());
    let server = shown.server();
    let refused = connect(&server, "127.0.0.1", Trust::Thumbprint(pinned.thumbprint())).await.unwrap_err();
    let (is, wanted) = (shown.thumbprint(), pinned.thumbprint());
    assert!(matches!(refused, Error::WrongThumbprint { expected, found } if found == is && expected == wanted));
    assert!(refused.to_string().contains(&is.to_string()) && !refused.is_passing(), "{refused}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_stolen_certificate_is_worth_nothing_without_its_key() {
    let (pinned, other) = (self_signed(), self_signed());
    let server = served(&pinned.certificate, &other.key);
    let refused = connect(&server, "127.0.0.1", Trust::Thumbprint(pinned.thumbprint())).await.unwrap_err();
    assert!(matches!(refused, Error::Unreachable(Obstacle::Tls, _)), "{refused:?}");
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn an_authority_signs_for_its_names() {
    let authority = Authority::new();
    let server = authority.sign("127.0.0.1", NOW).server();
    connect(&server, "127.0.0.1", authority.trust()).await.unwrap();
    let refused = connect(&server, "localhost", authority.trust()).await.unwrap_err();
    assert!(matches!(refused, Error::Untrusted { why: Distrust::OtherName, .. }), "{refused:?}");
    let refused = connect(&server, "127.0.0.1", Authority::new().trust()).await.unwrap_err();
    assert!(matches!(refused, Error::Untrusted { why: Distrust::UnknownIssuer, .. }), "{refused:?}");
    let refused = connect(&server, "127.0.0.1", Trust::SystemRoots).await.unwrap_err();
    assert!(matches!(refused, Error::Untrusted { why: Distrust::UnknownIssuer, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_has_its_time() {
    let authority = Authority::new();
    let old = authority.sign("127.0.0.1", [2000, 2001]);
    let server = old.server();
    let refused = connect(&server, "127.0.0.1", authority.trust()).await.unwrap_err();
    assert!(matches!(refused, Error::CertificateExpired) && !refused.is_passing(), "{refused:?}");
    let refused = connect(&server, "127.0.0.1", Trust::SystemRoots).await.unwrap_err();
    assert!(matches!(refused, Error::CertificateExpired), "{refused:?}");
    connect(&server, "127.0.0.1", Trust::Thumbprint(old.thumbprint())).await.unwrap();
    let server = authority.sign("127.0.0.1", [2090, 2100]).server();
    let refused = connect(&server, "127.0.0.1", authority.trust()).await.unwrap_err();
    assert!(matches!(refused, Error::Untrusted { why: Distrust::NotYetValid, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_probe_sees_without_trusting() {
    let shown = self_signed();
    let server = shown.server();
    let address = Address::parse(&format!("https://{}", server.address)).unwrap();
    let seen = probe(&address, &Limits::default()).await.unwrap();
    assert_eq!((seen.thumbprint, seen.distrust), (Some(shown.thumbprint()), Some(Distrust::UnknownIssuer)));
    assert!(!seen.trusted && seen.subject.is_some());
    assert_eq!(seen.not_after, "2100-01-01T00:00:00Z".parse().ok());
    assert_eq!(seen.about.api_version, "6.7.3");
    assert_eq!(server.methods(), ["RetrieveServiceContent"]);
}

#[tokio::test]
async fn a_probe_of_anything_else() {
    let plain = start(|_| None);
    let probe = async |server: &Server| {
        let address = Address::parse(&format!("http://{}", server.address)).unwrap();
        probe(&address, &Limits::default()).await
    };
    let seen = probe(&plain).await.unwrap();
    assert_eq!((seen.thumbprint, seen.trusted, seen.not_after), (None, false, None));
    let other = Server::start(None, |_, out| super::server::send(out, 404, "", b""));
    assert!(matches!(probe(&other).await, Err(Error::NotVcenter(_))));
}

#[tokio::test]
async fn https_to_a_server_without_tls() {
    let plain = start(|_| None);
    let refused = connect(&plain, "127.0.0.1", Trust::SystemRoots).await.unwrap_err();
    assert!(matches!(refused, Error::Unreachable(Obstacle::Tls, _)), "{refused:?}");
}

#[tokio::test]
async fn authorities_are_certificates() {
    let authority = Authority::new();
    let (server, pem) = (authority.sign("127.0.0.1", NOW).server(), authority.0.pem());
    let several = format!("text before\n{}{pem}", Authority::new().0.pem());
    connect(&server, "127.0.0.1", Trust::Ca(several)).await.unwrap();
    for wrong in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &pem[..200]] {
        let refused = connect(&server, "127.0.0.1", Trust::Ca(wrong.into())).await;
        assert!(matches!(refused, Err(Error::InvalidSetting(_))), "{wrong}");
    }
}
