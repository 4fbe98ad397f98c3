//! TLS with the platform's roots and the profile's own, and what exactly was wrong with a certificate.

use super::{issuer, stream::Watched, trouble};
use crate::tls::roots;
use record::{
    Heard, Said,
    fact::{TlsTrouble, Trouble},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub struct Secured {
    pub stream: TlsStream<Watched<TcpStream>>,
    pub version: Heard,
    pub cipher: Heard,
    pub issuer: Heard,
}

/// What is needed before the first byte; made while the network is not waiting.
#[derive(Clone)]
pub struct Prepared {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    host: String,
    noticed: Arc<Noticing>,
}

/// Who issued the certificate that was shown, trusted or not.
pub struct Noticed(Arc<Noticing>);

impl Prepared {
    pub fn noticed(&self) -> Noticed {
        Noticed(Arc::clone(&self.noticed))
    }
}

impl Noticed {
    pub fn issuer(&self) -> Option<String> {
        self.0.issuer()
    }
}

pub async fn prepare(host: &str, extra_ca: Option<String>) -> Result<Prepared, Trouble> {
    let other = |says: &str| Trouble::Tls { kind: TlsTrouble::Other, says: Said::new(says) };
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| other("this host name cannot stand in a certificate"))?;
    // Reading the platform's roots means hundreds of files on some systems.
    let roots = tokio::task::spawn_blocking(move || roots(extra_ca.as_deref()))
        .await
        .map_err(|_| other("the certificate authorities could not be read"))?
        .map_err(|says| Trouble::Tls { kind: TlsTrouble::Other, says })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|_| other("this computer has no certificate authorities; a profile may name its own with ca"))?;
    let noticed = Arc::new(Noticing { verifier, issuer: Mutex::new(None) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring serves both versions of TLS")
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&noticed) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    // As browsers do for WebSockets: keeps a server that prefers HTTP/2 from choosing it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session that is taken up again shows no certificate, and who issued it is what we look for.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Prepared { config: Arc::new(config), name, host: host.to_owned(), noticed })
}

pub async fn secure(
    prepared: Prepared,
    stream: Watched<TcpStream>,
    waited: impl Fn() -> Duration,
) -> Result<Secured, Trouble> {
    let witness = stream.witness();
    let connecting = TlsConnector::from(prepared.config).connect(prepared.name, stream);
    match Box::pin(connecting).await {
        Ok(stream) => {
            let session = stream.get_ref().1;
            let version = match session.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".into(),
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".into(),
                other => Heard::new(&format!("{other:?}")),
            };
            let cipher = session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
            let cipher = Heard::new(cipher.as_deref().unwrap_or_default());
            let issuer = Heard::new(&prepared.noticed.issuer().unwrap_or_default());
            Ok(Secured { stream, version, cipher, issuer })
        }
        Err(error) => Err(match trouble::tls_error(&error) {
            Some(error) => describe(error, &prepared.host, prepared.noticed.issuer().as_deref()),
            None => trouble::of(&error, Some(&witness), waited()),
        }),
    }
}

/// Verifies as always, and remembers who issued the certificate, also when it is not trusted: that name is what tells
/// an inspecting proxy from a forgotten renewal.
#[derive(Debug)]
struct Noticing {
    verifier: Arc<WebPkiServerVerifier>,
    issuer: Mutex<Option<String>>,
}

impl Noticing {
    fn issuer(&self) -> Option<String> {
        self.issuer.lock().expect("no holder panics").clone()
    }
}

impl ServerCertVerifier for Noticing {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.issuer.lock().expect("no holder panics") = issuer::name(end_entity);
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// One sentence for a person who has never seen a certificate's insides.
pub(crate) fn describe(error: &Error, host: &str, issuer: Option<&str>) -> Trouble {
    let by = issuer.unwrap_or("an unnamed issuer");
    let (kind, says) = match error {
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => (
                TlsTrouble::UnknownIssuer,
                format!("issued by {by}, whom this computer does not trust; a proxy that opens TLS, or a CA to add"),
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                (TlsTrouble::Expired, format!("the certificate, issued by {by}, has expired, or our clock is wrong"))
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                TlsTrouble::NotYetValid,
                format!("the certificate, issued by {by}, is not valid yet, or our clock is wrong"),
            ),
            CertificateError::NotValidForName => {
                (TlsTrouble::WrongName, format!("the certificate, issued by {by}, is not for {host}"))
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names = presented.iter().take(3).map(|name| bare(name)).collect::<Vec<_>>().join(", ");
                (TlsTrouble::WrongName, format!("the certificate is not for {host} but for {names}; issued by {by}"))
            }
            CertificateError::Revoked => (TlsTrouble::Revoked, format!("{by} has revoked the certificate")),
            // rustls has no variant of its own for it, and its words help nobody.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => (
                TlsTrouble::BadCertificate,
                format!("the server shows the certificate of an authority itself, {by}; it needs one signed by it"),
            ),
            other => (TlsTrouble::BadCertificate, format!("the certificate cannot be used: {other}")),
        },
        Error::AlertReceived(alert) => (TlsTrouble::Alert, format!("the far end refused our TLS: alert {alert:?}")),
        Error::InvalidMessage(_) => {
            return Trouble::NotUnderstood { says: "the port answers, but not in TLS; is it wss:// at all?".into() };
        }
        other => (TlsTrouble::Other, other.to_string()),
    };
    Trouble::Tls { kind, says: Said::new(&says) }
}

/// rustls wraps the names it quotes: `DnsName("far.example")`.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}
