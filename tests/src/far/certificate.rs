//! A certificate authority for one world, and one certificate from it for all of its servers.

use super::control;
use crate::{World, part::names, world::SERVER};
use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;

pub struct Certificate {
    /// What a profile must name for the server to be trusted.
    pub ca: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// For the servers' names and addresses, as a client finds them in a URL.
pub fn make(world: &World) -> Result<Certificate> {
    made_by(world, "server")
}

/// By an authority of this name, which each of them has to itself.
pub fn made_by(world: &World, maker: &str) -> Result<Certificate> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, format!("The lab's {maker} authority"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let authority_cert = authority.self_signed(&authority_key)?;
    let key = KeyPair::generate()?;
    let issuer = Issuer::new(authority, authority_key);
    let subjects = [SERVER, names::FAR, control::ADDRESS, control::NAME].map(str::to_owned);
    let cert = CertificateParams::new(subjects)?.signed_by(&key, &issuer)?;

    let write = |name: &str, text: String| {
        let path = world.dir.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok::<_, anyhow::Error>(path)
    };
    Ok(Certificate {
        ca: write(&format!("{maker}-ca.pem"), authority_cert.pem())?,
        cert: write(&format!("{maker}.pem"), cert.pem())?,
        key: write(&format!("{maker}.key"), key.serialize_pem())?,
    })
}
