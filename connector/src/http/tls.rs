//! TLS by rustls: whom a connection trusts, and what it proves itself with besides a header.

use std::sync::{Arc, LazyLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

use crate::{ConnectorError, ErrorKind, Result};

/// The authorities of the web, and what the machine trusts besides, such as a company's own; a machine without any is
/// fine.
static ROOTS: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
});

/// What the connections of one source have beyond what all have. Has no `Debug`: it may hold a private key.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<Arc<Identity>>,
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Tls {
    /// Trusts the certificates of a PEM text too.
    ///
    /// # Errors
    /// `Config`, naming the field `caCertificate`.
    pub fn trusting(mut self, pem: &str) -> Result<Self> {
        self.authorities =
            certificates(pem.as_bytes()).filter(|found| !found.is_empty()).ok_or_else(|| {
                config("caCertificate: give a PEM certificate, beginning with -----BEGIN CERTIFICATE-----")
            })?;
        Ok(self)
    }

    /// Proves itself with the client certificate and private key of a PEM text.
    ///
    /// # Errors
    /// `Config`, naming the credential and what it lacks; never with anything out of it.
    pub fn proving(mut self, pem: &SecretString) -> Result<Self> {
        let text = pem.expose_secret();
        if text.contains("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(config("credential: the private key has a passphrase; give it without one"));
        }
        let chain = certificates(text.as_bytes()).filter(|chain| !chain.is_empty()).ok_or_else(|| {
            config("credential: give the client certificate as PEM, and its private key after it")
        })?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes())
            .map_err(|_| config("credential: give the private key as PEM after the client certificate"))?;
        self.identity = Some(Arc::new(Identity { chain, key }));
        self.config()?;
        Ok(self)
    }

    /// The settings of a connection that speaks HTTP/1.1.
    ///
    /// # Errors
    /// `Config` when an authority or the certificate cannot be used.
    pub fn config(&self) -> Result<ClientConfig> {
        let mut roots = ROOTS.clone();
        for authority in &self.authorities {
            roots.add(authority.clone()).map_err(|error| {
                config("caCertificate: this certificate cannot be used").detail(error.to_string())
            })?;
        }
        let unusable =
            |error: rustls::Error| config("the TLS client cannot be set up").detail(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots);
        let mut made = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .map_err(|error| {
                    config("credential: this private key cannot be used with this certificate")
                        .detail(error.to_string())
                })?,
        };
        made.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(made)
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>().ok()
}

fn config(message: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, message)
}

/// Which side a TLS connection failed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// We do not trust the server.
    Ours,
    /// The server does not trust us, or wants a certificate we have not.
    Theirs,
}

/// Tells whether a failure is one of trust.
pub(crate) fn distrust(cause: &(dyn std::error::Error + 'static)) -> Option<Distrust> {
    let mut cause = cause;
    // Errors of input and output lie in one another, and tell of what is inside only so.
    while let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        cause = inner;
    }
    match cause.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(_) => Some(Distrust::Ours),
        // The alerts a server ends a handshake with for the client's certificate (RFC 8446 6.2).
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired,
        ) => Some(Distrust::Theirs),
        _ => None,
    }
}
