//! Whom we believe: the platform's certificate authorities, and those that a profile brings.

use record::Said;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::sync::{Arc, OnceLock};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

/// For a stream whose certificate is only to be checked. Reading the platform's authorities means hundreds of files on
/// some systems, so it is done where it holds nobody up.
pub async fn client_config(extra_ca: Option<String>) -> anyhow::Result<Arc<ClientConfig>> {
    let roots = tokio::task::spawn_blocking(move || roots(extra_ca.as_deref())).await?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring serves both versions of TLS")
        .with_root_certificates(roots.map_err(|says| anyhow::anyhow!("TLS could not be set up: {says}"))?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The platform's are read once for the process; the profile's own are added each time.
pub fn roots(extra_ca: Option<&str>) -> Result<RootCertStore, Said> {
    static PLATFORM: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    let platform = PLATFORM.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!("a certificate authority of the platform could not be read: {error}");
        }
        found.certs
    });
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(platform.iter().cloned());
    if let Some(pem) = extra_ca {
        let mut added = 0;
        for found in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = found.map_err(|_| Said::new("the profile's ca is not PEM text"))?;
            roots.add(certificate).map_err(|_| Said::new("a certificate in the profile's ca cannot be used"))?;
            added += 1;
        }
        if added == 0 {
            return Err("the profile's ca holds no certificate; it must begin with -----BEGIN CERTIFICATE-----".into());
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profiles_authority_that_is_none_is_refused_in_a_sentence() {
        for (bad, expected) in [
            ("", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "is not PEM text"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
        ] {
            let says = roots(Some(bad)).expect_err(bad);
            assert!(says.as_str().contains(expected), "{says}");
        }
        assert!(roots(None).is_ok());
    }
}
