//! Certificates that are not to be trusted: the server is told nothing, and the operator what is wrong with it.

use std::sync::{Once, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use trueup_git::{Config, Repository, Secret, Token};
use trueup_ports::{Source as _, SourceError};

use crate::server::{Client, Request, Server, answer};

/// The authority that these tests have libgit2 trust.
fn authority() -> &'static CertifiedIssuer<'static, KeyPair> {
    static AUTHORITY: OnceLock<CertifiedIssuer<'static, KeyPair>> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Without a name of its own it would be taken for the certificates that it signs.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        CertifiedIssuer::self_signed(params, key()).expect("can be signed")
    })
}

/// Has libgit2 trust it, for all tests of this process. The others know no TLS that works.
#[expect(unsafe_code, reason = "git2 has no safe way to this setting")]
fn trust_authority() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), authority().pem()).expect("can be written");
        // SAFETY: adds to the certificates of OpenSSL's context, which is made when libgit2 is initialized and reads the
        // file at once. OpenSSL locks its store of certificates.
        unsafe { git2::opts::set_ssl_cert_file(file.path()) }.expect("is a certificate");
    });
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// A certificate for these names, as it would be by default.
fn names(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("are names")
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("is a key");
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key is the certificate's")
}

fn signed(params: &CertificateParams) -> ServerConfig {
    let key = key();
    config(params.signed_by(&key, authority()).expect("can be signed").into(), &key)
}

fn self_signed(params: &CertificateParams) -> ServerConfig {
    let key = key();
    config(params.self_signed(&key).expect("can be signed").into(), &key)
}

fn refuse(_: &Request, client: &mut Client) {
    client.send(&answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n", b""));
}

async fn poll(host: &str, server: &Server) -> SourceError {
    trust_authority();
    let cache = tempfile::TempDir::new().expect("a temporary directory");
    let url = format!("https://{host}:{}/state.git", server.address.port());
    let mut config = Config::new(url, "main", cache.path());
    config.credentials.https_token = Some(Token::Value(Secret::new("s3cret")));
    Repository::open(config).expect("opens").poll().await.expect_err("cannot be read")
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_is_asked_nothing() {
    const INVALID: (&str, &str) = (
        "the SSL certificate is invalid",
        "the server's certificate has expired, or was not signed by a trusted authority: have it renewed, install the CA \
         certificates, or name a bundle that has the server's CA in SSL_CERT_FILE",
    );
    const ELSEWHERE: (&str, &str) = (
        "hostname does not match certificate",
        "the server's certificate is for another name: check the URL, and who answers in the name of its host",
    );
    let good = names(&["127.0.0.1"]);
    let (mut expired, mut not_yet) = (good.clone(), good.clone());
    expired.not_after = date_time_ymd(2020, 1, 1);
    not_yet.not_before = date_time_ymd(3000, 1, 1);
    let elsewhere = names(&["git.example.com"]);
    let another = names(&["10.1.2.3"]);
    // What is wrong | the server | the host of the URL | how it is told
    let table = [
        ("self-signed", self_signed(&good), "127.0.0.1", INVALID),
        ("expired", signed(&expired), "127.0.0.1", INVALID),
        ("not valid yet", signed(&not_yet), "127.0.0.1", INVALID),
        ("another name", signed(&elsewhere), "localhost", ELSEWHERE),
        ("another address", signed(&another), "127.0.0.1", ELSEWHERE),
    ];
    for (what, config, host, (words, hint)) in table {
        let server = Server::https(config, refuse);
        let error = poll(host, &server).await;
        let place = format!("https://{host}:{}/state.git", server.address.port());
        assert_eq!(error.message, format!("cannot read `{place}`: {words}"), "{what}");
        assert_eq!((error.hint.as_deref(), error.transient), (Some(hint), false), "{what}");
        assert!(server.requests().is_empty(), "{what}: it was asked");
    }
}

#[tokio::test]
async fn a_server_whose_certificate_is_trusted_is_asked() {
    for host in ["127.0.0.1", "localhost"] {
        let server = Server::https(signed(&names(&["127.0.0.1", "localhost"])), refuse);
        let error = poll(host, &server).await;
        assert!(error.message.contains("refused the token"), "{host}: {error:?}");
        assert_eq!(server.requests().len(), 2, "{host}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_tls_is_told_as_that() {
    let server = Server::blurting("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let error = poll("127.0.0.1", &server).await;
    let hint = error.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("TLS was not agreed upon") && error.transient, "{error:?}");
}
