//! Far ends: real listeners on loopback, each doing one thing to one connection.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::WebSocketStream;

/// Serves the first connection and then no more.
pub async fn serve<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        answer(stream).await;
    });
    address
}

/// Accepts the WebSocket, then does as told.
pub async fn websocket<F>(then: impl FnOnce(WebSocketStream<TcpStream>) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    serve(|stream| async move { then(tokio_tungstenite::accept_async(stream).await.unwrap()).await }).await
}

/// Accepts TLS and the WebSocket, then does as told.
pub async fn secure_websocket<F>(
    identity: &Identity,
    then: impl FnOnce(WebSocketStream<TlsStream<TcpStream>>) -> F + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let acceptor = identity.acceptor();
    serve(move |stream| async move {
        // A client that refuses the certificate ends the test on its side.
        let Ok(stream) = acceptor.accept(stream).await else { return };
        then(tokio_tungstenite::accept_async(stream).await.unwrap()).await;
    })
    .await
}

/// Reads the request and gives a fixed answer.
pub async fn answer(answer: &'static str) -> SocketAddr {
    serve(move |mut stream| async move {
        request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        rest(stream).await;
    })
    .await
}

pub async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut text).await.unwrap() > 0, "the request has an end");
    }
    String::from_utf8(text).unwrap()
}

/// Keeps the connection until the other side goes.
pub async fn rest(mut stream: impl AsyncReadExt + Unpin) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
}

/// Ends with RST and not with FIN.
pub fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
}

pub struct Identity {
    pub ca_pem: String,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    pub fn of(names: &[&str]) -> Self {
        Self::with(names, |_| {})
    }
    pub fn with(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.distinguished_name.push(DnType::CommonName, "Test Authority");
        ca.distinguished_name.push(DnType::OrganizationName, "Testers");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let ca_pem = ca.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(ca, key);
        let mut leaf = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        change(&mut leaf);
        let key = KeyPair::generate().unwrap();
        let certificate = leaf.signed_by(&key, &issuer).unwrap().der().clone();
        Self { ca_pem, certificate, key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
    }
    pub fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
