//! A certificate authority that is trusted only by those who are given its certificate.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// The authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    bundle: PathBuf,
}

impl Authority {
    /// Makes one, and writes its certificate into `directory`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn create(directory: &Path) -> Result<Self> {
        let mut params = CertificateParams::new([])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Without a name of its own it would be taken for the certificates that it signs.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let bundle = directory.join("authority.pem");
        std::fs::write(&bundle, issuer.pem())?;
        Ok(Self { issuer, bundle })
    }

    /// The file with its certificate: what `SSL_CERT_FILE` names.
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }

    /// A certificate for a host, with its key in the same file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn certify(&self, host: &str, file: &Path) -> Result<()> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([host.to_owned()])?.signed_by(&key, &self.issuer)?;
        Ok(std::fs::write(file, format!("{}{}", certificate.pem(), key.serialize_pem()))?)
    }
}
