//! The name of a certificate's issuer, walked out of its DER by hand: a proxy that opens TLS gives itself away by it.

/// `R11 (Let's Encrypt)`: common name and organisation, whichever are there. `None` if the certificate is not one.
pub fn name(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate)?;
    let (_, body, _) = element(certificate)?;
    let (tag, _, mut rest) = element(body)?;
    if tag == 0xa0 {
        // The version stands first where there is one; the serial number follows.
        (_, _, rest) = element(rest)?;
    }
    let (_, _, rest) = element(rest)?; // signature algorithm
    let (_, mut issuer, _) = element(rest)?;
    let (mut common, mut organisation) = (None, None);
    while let Some((_, mut set, after)) = element(issuer) {
        issuer = after;
        while let Some((_, attribute, more)) = element(set) {
            set = more;
            let (_, oid, value) = element(attribute)?;
            let (tag, value, _) = element(value)?;
            match oid {
                [0x55, 0x04, 0x03] => common = Some(text(tag, value)),
                [0x55, 0x04, 0x0a] => organisation = Some(text(tag, value)),
                _ => {}
            }
        }
    }
    match (common, organisation) {
        (Some(common), Some(organisation)) => Some(format!("{common} ({organisation})")),
        (either, or) => either.or(or),
    }
}

/// Tag, content and what follows. Lengths over 16 bits belong to no certificate.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = bytes else { return None };
    let (length, rest) = match (length, rest) {
        (0..=0x7f, _) => (usize::from(*length), rest),
        (0x81, [a, rest @ ..]) => (usize::from(*a), rest),
        (0x82, [a, b, rest @ ..]) => (usize::from(*a) << 8 | usize::from(*b), rest),
        _ => return None,
    };
    rest.split_at_checked(length).map(|(content, rest)| (*tag, content, rest))
}

fn text(tag: u8, bytes: &[u8]) -> String {
    const BMP: u8 = 0x1e;
    if tag == BMP {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    fn issued_by(names: &[(DnType, &str)]) -> Vec<u8> {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, name) in names {
            ca.distinguished_name.push(kind.clone(), *name);
        }
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = Issuer::new(ca, KeyPair::generate().unwrap());
        let leaf = CertificateParams::new(vec!["far.example".to_owned()]).unwrap();
        leaf.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().to_vec()
    }

    #[test]
    fn the_issuer_is_read_from_a_real_certificate() {
        let both = issued_by(&[(DnType::OrganizationName, "Inspection Ltd"), (DnType::CommonName, "Gateway CA")]);
        assert_eq!(name(&both).as_deref(), Some("Gateway CA (Inspection Ltd)"));
        assert_eq!(name(&issued_by(&[(DnType::CommonName, "Grüße")])).as_deref(), Some("Grüße"));
        assert_eq!(name(&issued_by(&[(DnType::CountryName, "DE")])), None);
    }

    #[test]
    fn a_cut_or_wrong_certificate_is_no_trouble() {
        let whole = issued_by(&[(DnType::CommonName, "Gateway CA")]);
        for n in 0..whole.len() {
            let _ = name(&whole[..n]);
            let mut wrong = whole.clone();
            wrong[n] ^= 0xff;
            let _ = name(&wrong);
        }
        assert_eq!(name(&[]), None);
    }
}
