//! A certificate authority for one world, and a server's certificate from it.

use crate::{World, world::SERVER};
use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::PathBuf;

pub struct Certificate {
    /// What a profile must name for the server to be trusted.
    pub ca: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// For the server's address, as a client finds it in the URL.
pub fn make(world: &World) -> Result<Certificate> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let authority_cert = authority.self_signed(&authority_key)?;
    let key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let cert = CertificateParams::new(vec![SERVER.to_owned()])?.signed_by(&key, &issuer)?;

    let write = |name: &str, text: String| {
        let path = world.dir.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    Ok(Certificate {
        ca: write("ca.pem", authority_cert.pem())?,
        cert: write("server.pem", cert.pem())?,
        key: write("server.key", key.serialize_pem())?,
    })
}
