//! TLS by the certificates of a `ca-file`: those that issue others, and a server's own.
//!
//! What `openssl req -x509` makes is a certificate that may issue others, and rustls refuses one of that kind as a server's
//! own, trusted or not; one that may not issue others would be trusted with all that it signs. So here what may issue others
//! does that, and nothing else does. A server may show one of either kind that is, byte for byte, in the file; its dates, its
//! name (the `subjectAltName`) and that the server has its key are looked at as with any other. The rest of a connection is
//! as in ureq.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    ALL_VERSIONS, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    TcpConnector, Transport, TransportAdapter,
};

/// Connects, through a proxy where the configuration has one, and trusts `certificates` (DER) alone.
pub fn connector(certificates: Vec<CertificateDer<'static>>) -> Result<impl Connector, rustls::Error> {
    let provider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms;
    let mut roots = RootCertStore::empty();
    let now = UnixTime::now();
    let issuers = certificates.iter().filter(|one| may_issue(one, now, &algorithms));
    roots.add_parsable_certificates(issuers.cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(ALL_VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { roots, own: certificates, algorithms }))
        .with_no_client_auth();
    let tls = Tls(Arc::new(config));
    Ok(ConnectProxyConnector::default().chain(TcpConnector::default()).chain(tls))
}

/// What is wrong with `certificate` as a server's own, whoever issued it: its dates, or what it may be used for.
fn alone(
    certificate: &ParsedCertificate<'_>,
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), Alone> {
    use CertificateError::{ExpiredContext, NotValidYetContext, Other, UnknownIssuer};
    // Without an issuer, so that nothing is left of the verification but this: webpki 0.103 looks at the dates, then at
    // whether it may issue others, then at what else it may be used for, and only then for its issuer.
    let nobody = RootCertStore::empty();
    match verify_server_cert_signed_by_trust_anchor(certificate, &nobody, &[], now, algorithms.all) {
        Ok(()) | Err(rustls::Error::InvalidCertificate(UnknownIssuer)) => Ok(()),
        Err(rustls::Error::InvalidCertificate(Other(why))) if why.0.to_string() == "CaUsedAsEndEntity" => {
            Err(Alone::Issuer)
        }
        Err(error) => Err(match &error {
            rustls::Error::InvalidCertificate(ExpiredContext { not_after: valid, .. })
            | rustls::Error::InvalidCertificate(NotValidYetContext { not_before: valid, .. }) => {
                Alone::Dates(*valid, error)
            }
            _ => Alone::Wrong(error),
        }),
    }
}

/// Why a certificate cannot be a server's own.
enum Alone {
    /// It may issue others.
    Issuer,
    /// It is not valid now, but at that moment.
    Dates(UnixTime, rustls::Error),
    Wrong(rustls::Error),
}

/// Whether the certificate is one that may issue others (`basicConstraints` with `CA:TRUE`), whatever its dates.
fn may_issue(
    certificate: &CertificateDer<'_>,
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
    match alone(&parsed, now, algorithms) {
        Err(Alone::Dates(valid, _)) => matches!(alone(&parsed, valid, algorithms), Err(Alone::Issuer)),
        other => matches!(other, Err(Alone::Issuer)),
    }
}

/// What is issued by a certificate of the file, and what is one itself. rustls's own verifier would bring lists of revoked
/// certificates, which nobody gives it.
#[derive(Debug)]
struct Verifier {
    roots: RootCertStore,
    own: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        if self.own.contains(certificate) {
            match alone(&parsed, now, &self.algorithms) {
                Ok(()) | Err(Alone::Issuer) => {}
                Err(Alone::Dates(_, error) | Alone::Wrong(error)) => return Err(error),
            }
        } else {
            let all = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, all)?;
        }
        verify_server_name(&parsed, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Wraps connections in TLS where the address asks for it.
#[derive(Debug)]
struct Tls(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Tls {
    type Out = Either<In, Wrapped>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| Error::Tls("no certificate can have the server's name"))?;
        let mut connection = ClientConnection::new(self.0.clone(), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let sizes = (details.config.input_buffer_size(), details.config.output_buffer_size());
        let buffers = LazyBuffers::new(sizes.0, sizes.1);
        Ok(Some(Either::B(Wrapped { buffers, stream: StreamOwned::new(connection, socket) })))
    }
}

struct Wrapped {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrapped")
    }
}

impl Transport for Wrapped {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
