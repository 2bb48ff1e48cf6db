use rustls::RootCertStore;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// The certificates of a PEM file, at least one. What else is in it is skipped.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(TlsError::NoCertificate),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(TlsError::InvalidPem),
    }
}

/// The first private key of a PEM file.
pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        PemError::NoItemsFound => TlsError::NoKey,
        _ => TlsError::InvalidPem,
    })
}

/// Trusts the authorities of PEM files.
pub(super) fn trust(roots: &mut RootCertStore, pems: &[Vec<u8>]) -> Result<(), TlsError> {
    for pem in pems {
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|_| TlsError::InvalidCertificate)?;
        }
    }
    Ok(())
}
