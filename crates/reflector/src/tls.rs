//! The server's certificate, read once at the start.

use crate::settings::TlsFiles;
use anyhow::Context;
use record::Heard;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring::default_provider},
};

pub struct Identity {
    pub acceptor: TlsAcceptor,
    /// Who issued the certificate.
    pub issuer: Option<Heard>,
}

pub fn identity(files: &TlsFiles) -> anyhow::Result<Identity> {
    let cert = files.cert.display();
    let key = files.key.display();
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("{cert} cannot be read as a certificate. It must be a PEM file."))?;
    anyhow::ensure!(!chain.is_empty(), "{cert} holds no certificate. It must begin with the server's own, in PEM.");
    let private = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("{key} cannot be read as a private key. It must be a PEM file without a password."))?;
    let issuer = engine::line::issuer::name(&chain[0]).map(|name| Heard::new(&name));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| format!("{cert} and {key} do not belong together, or the certificate is not usable"))?;
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), issuer })
}
