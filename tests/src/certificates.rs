//! Certificate authorities that exist for one test.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, in PEM.
    pub pem: String,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate, in PEM.
    pub pem: String,
    /// Its private key, in PEM.
    pub key: String,
}

impl Authority {
    /// A new authority with this common name.
    ///
    /// # Panics
    ///
    /// If no key can be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("keys can be made");
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = parameters.self_signed(&key).expect("it signs itself");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    /// A server's certificate for these names and addresses.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Certificate {
        self.sign(parameters(names))
    }

    /// A server's certificate that expired long ago.
    #[must_use]
    pub fn expired_server(&self, names: &[&str]) -> Certificate {
        let mut parameters = parameters(names);
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = date_time_ymd(2002, 1, 1);
        self.sign(parameters)
    }

    /// A client's certificate.
    #[must_use]
    pub fn client(&self) -> Certificate {
        let mut parameters = parameters(&["client.test"]);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(parameters)
    }

    fn sign(&self, parameters: CertificateParams) -> Certificate {
        let key = KeyPair::generate().expect("keys can be made");
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .expect("the authority signs");
        Certificate {
            pem: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names are names");
    parameters.distinguished_name.push(DnType::CommonName, "a test");
    parameters
}
