//! Whom we believe: the platform's certificate authorities, and one that a profile brings.

use anyhow::Context;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// `extra_ca` is PEM text. A platform without a store of its own is no error as long as the profile brings one.
pub fn client_config(extra_ca: Option<&str>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let platform = rustls_native_certs::load_native_certs();
    for error in &platform.errors {
        tracing::warn!(%error, "some of the platform's certificate authorities could not be read");
    }
    roots.add_parsable_certificates(platform.certs);
    if let Some(pem) = extra_ca {
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.context("the profile's certificate authority is not readable PEM")?;
            roots.add(certificate).context("the profile's certificate authority is no usable certificate")?;
            added += 1;
        }
        anyhow::ensure!(added > 0, "the profile's certificate authority holds no certificate");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS could not be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profiles_authority_that_is_none_is_refused_in_a_sentence() {
        for (bad, expected) in [
            ("", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "not readable PEM"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no usable certificate"),
        ] {
            let error = client_config(Some(bad)).expect_err(bad).to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(client_config(None).is_ok());
    }
}
