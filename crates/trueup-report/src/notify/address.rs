//! Where notifications may be sent: https, or this machine; never to what only the cloud's own machinery listens on.

use std::fmt;
use std::net::IpAddr;

use trueup_core::address::is_refused;
use url::{Host, Url};

use crate::secret::SecretSource;

/// Why a URL is refused. Never repeats the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is not a URL, or has no host.
    Malformed,
    /// Neither https nor http on this machine.
    Insecure,
    /// It contains a user name or a password.
    Credentials,
    /// Its host is an address that nothing is sent to.
    Refused,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a URL",
            Self::Insecure => "it is not `https://`",
            Self::Credentials => "it contains a user name or a password",
            Self::Refused => "its host is a link-local, metadata or unusable address",
        })
    }
}

/// Reads a URL that something may be sent to.
///
/// # Errors
/// When nothing may.
pub fn parse(text: &str) -> Result<Url, Flaw> {
    let url = Url::parse(text).map_err(|_| Flaw::Malformed)?;
    if url.host_str().is_none_or(str::is_empty) || url.fragment().is_some() {
        return Err(Flaw::Malformed);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Flaw::Credentials);
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err(Flaw::Insecure),
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) | None => None,
    };
    if address.is_some_and(is_refused) { Err(Flaw::Refused) } else { Ok(url) }
}

/// Reads the URL that a secret holds.
///
/// # Errors
/// When the secret cannot be read, or holds no URL that something may be sent to. The URL itself is in no message.
pub fn read(source: &SecretSource) -> Result<Url, String> {
    let url = source.read().map_err(|error| error.to_string())?;
    parse(url.expose()).map_err(|flaw| format!("{source} holds no usable URL: {flaw}"))
}

/// Whether a URL is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_something_may_be_sent_to() {
        // url | what is wrong
        let table = [
            ("https://hooks.example.com/services/T/B/x", None),
            ("https://10.1.2.3:8443/hook?x=y", None),
            ("https://[fd12::1]/", None),
            ("http://127.0.0.1:9000/hook", None),
            ("http://localhost/hook", None),
            ("http://[::1]:9000/hook", None),
            ("http://hooks.example.com/", Some(Flaw::Insecure)),
            ("ftp://127.0.0.1/", Some(Flaw::Insecure)),
            ("file:///etc/passwd", Some(Flaw::Malformed)),
            ("hooks.example.com/x", Some(Flaw::Malformed)),
            ("https://user@hooks.example.com/", Some(Flaw::Credentials)),
            ("https://user:s3cret@hooks.example.com/", Some(Flaw::Credentials)),
            ("https://169.254.169.254/latest/meta-data", Some(Flaw::Refused)),
            ("https://169.254.170.2/", Some(Flaw::Refused)),
            ("https://2852039166/", Some(Flaw::Refused)),
            ("https://0xa9.0xfe.0xa9.0xfe/", Some(Flaw::Refused)),
            ("https://0.0.0.0/", Some(Flaw::Refused)),
            ("https://[::]/", Some(Flaw::Refused)),
            ("https://[fe80::1]/", Some(Flaw::Refused)),
            ("https://[febf::1]/", Some(Flaw::Refused)),
            ("https://[fd00:ec2::254]/", Some(Flaw::Refused)),
            ("https://[::ffff:169.254.169.254]/", Some(Flaw::Refused)),
            ("https://[::169.254.169.254]/", Some(Flaw::Refused)),
            ("https://[64:ff9b::169.254.169.254]/", Some(Flaw::Refused)),
            ("https://[2002:a9fe:a9fe::1]/", Some(Flaw::Refused)),
            ("https://224.0.0.1/", Some(Flaw::Refused)),
        ];
        for (text, flaw) in table {
            assert_eq!(parse(text).err(), flaw, "{text}");
        }
    }
}
