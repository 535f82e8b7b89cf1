//! Where a repository is: the URLs that are understood, and those that are refused.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use trueup_core::address::is_refused;
use trueup_core::report::steers;
use trueup_ports::SourceError;
use url::{Host, Url};

use crate::fault::lasting;

/// A repository's place. Its `url` holds no credentials and may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The URL as passed to libgit2 and shown in messages.
    pub url: String,
    /// How it is reached.
    pub transport: Transport,
}

/// How a repository is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// On this machine.
    Path(PathBuf),
    /// Smart HTTP, with TLS except on loopback.
    Http {
        /// The server's host, IPv6 addresses without brackets.
        host: String,
        /// The server's port.
        port: u16,
        /// Whether with TLS.
        tls: bool,
    },
    /// SSH.
    Ssh {
        /// The server's host.
        host: String,
        /// The server's port.
        port: u16,
        /// The user of the URL, else `git`.
        user: String,
    },
}

const KINDS: &str = "use a path, `https://HOST/PATH`, `ssh://git@HOST/PATH` or `git@HOST:PATH`";

impl Location {
    /// Understands what the operator gave.
    ///
    /// # Errors
    /// When it is no URL of ours; the message never repeats credentials.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() || text.chars().any(steers) {
            return Err(lasting("the repository's URL is empty or holds control characters", KINDS));
        }
        match text.split_once("://") {
            Some(("file", _)) => {
                let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
                path.map_or_else(
                    || Err(lasting("the repository's `file://` URL is not a path on this machine", KINDS)),
                    |path| Self::path(&path),
                )
            }
            Some(("https" | "http", _)) => Self::http(text),
            Some(("ssh", _)) => Self::ssh(text),
            Some((scheme, _)) => Err(lasting(format!("repositories at `{scheme}://` are not read"), KINDS)),
            None => match scp_like(text) {
                Some((_, path)) if path.starts_with(':') => {
                    Err(lasting("git's transport helpers (`NAME::ADDRESS`) are not run", KINDS))
                }
                Some((_, path)) if path.split('/').next().is_some_and(|part| part.contains('@')) => Err(lasting(
                    "the URL of the repository holds a password, or none of its parts where they belong",
                    "URLs end up in process lists and logs: use a deploy key, and `git@HOST:PATH`",
                )),
                Some((authority, path)) => {
                    let path = path.trim_start_matches('/');
                    // Kept as it is: `host:path` is relative to the user's home, which `ssh://` cannot say.
                    Ok(Self { url: text.to_owned(), ..Self::ssh(&format!("ssh://{authority}/{path}"))? })
                }
                None => Self::path(Path::new(text)),
            },
        }
    }

    fn path(path: &Path) -> Result<Self, SourceError> {
        let absolute = std::path::absolute(path)
            .map_err(|error| lasting(format!("`{}` is not a path: {error}", path.display()), KINDS))?;
        let url = absolute
            .to_str()
            .ok_or_else(|| lasting("the repository's path is not valid UTF-8", "rename the directory"))?
            .to_owned();
        Ok(Self { url, transport: Transport::Path(absolute) })
    }

    fn http(text: &str) -> Result<Self, SourceError> {
        let url = parse(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(lasting(
                format!("the URL of the repository at `{}` holds credentials", url.host_str().unwrap_or_default()),
                "URLs end up in process lists and logs: give the token in a file or in the environment, and the URL \
                 without it",
            ));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err(lasting(
                format!("the repository at `{}` would be read without TLS", url.host_str().unwrap_or_default()),
                "use `https://`; `http://` is for this machine only",
            ));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let tls = url.scheme() == "https";
        let port = url.port_or_known_default().unwrap_or(443);
        not_refused(url.host().as_ref())?;
        Ok(Self { url: url.into(), transport: Transport::Http { host, port, tls } })
    }

    fn ssh(text: &str) -> Result<Self, SourceError> {
        let url = parse(text)?;
        if url.password().is_some() {
            return Err(lasting(
                format!("the URL of the repository at `{}` holds a password", url.host_str().unwrap_or_default()),
                "URLs end up in process lists and logs: use a deploy key",
            ));
        }
        // `Url` leaves the hosts of schemes that it does not know as they are; libgit2 decodes them, and the system then
        // takes 2852039166 and 0xa9.254.43518 for the addresses that they are.
        let host = url.host_str().unwrap_or_default();
        if host.contains('%') {
            return Err(lasting("the host in the repository's URL has a `%` in it", KINDS));
        }
        not_refused(Host::parse(host).ok().as_ref())?;
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let user = if url.username().is_empty() { "git" } else { url.username() }.to_owned();
        let port = url.port().unwrap_or(22);
        Ok(Self { url: url.into(), transport: Transport::Ssh { host, port, user } })
    }

    /// The server's host and port; `None` where it is this machine's file system.
    pub(crate) fn server(&self) -> Option<(&str, u16)> {
        match &self.transport {
            Transport::Path(_) => None,
            Transport::Http { host, port, .. } | Transport::Ssh { host, port, .. } => Some((host, *port)),
        }
    }

    /// Whether `url`, which asks for credentials, is the server they are for.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        match Self::parse(url) {
            Ok(Self { transport: Transport::Path(_), .. }) | Err(_) => false,
            Ok(asking) => asking.transport == self.transport,
        }
    }
}

/// A URL with a host, a path and nothing that could hide a token.
fn parse(text: &str) -> Result<Url, SourceError> {
    let url =
        Url::parse(text).map_err(|error| lasting(format!("the repository's URL cannot be read: {error}"), KINDS))?;
    // `Url` takes the path's first part for the host where there is none.
    let hostless = text.split_once("://").is_some_and(|(_, rest)| rest.starts_with(['/', '\\']));
    if hostless || url.host_str().is_none_or(str::is_empty) || url.path().trim_matches('/').is_empty() {
        return Err(lasting("the repository's URL has no host or no path", KINDS));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(lasting(
            format!("the URL of the repository at `{}` has a `?` or `#` part", url.host_str().unwrap_or_default()),
            "give the URL that `git clone` takes; tokens come from a file or the environment",
        ));
    }
    Ok(url)
}

/// Refuses a host that is an address which nothing is sent to. What names stand for is looked up before each
/// conversation.
fn not_refused<S>(host: Option<&Host<S>>) -> Result<(), SourceError> {
    let address = match host {
        Some(Host::Ipv4(address)) => IpAddr::V4(*address),
        Some(Host::Ipv6(address)) => IpAddr::V6(*address),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if !is_refused(address) {
        return Ok(());
    }
    Err(lasting(
        format!("the repository's URL leads to {address}, a link-local, metadata or unusable address"),
        "trueup connects to no such address: give the URL of the git server",
    ))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `user@host:path`: a colon before any slash. A path with a colon in it is written `./a:b`, as for git itself.
fn scp_like(text: &str) -> Option<(&str, &str)> {
    let (authority, path) = text.split_once(':')?;
    (!authority.is_empty() && !authority.contains('/')).then_some((authority, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_understood_and_shown_without_credentials() {
        // what is given | what is given to libgit2
        let table = "
            /srv/state.git                           | /srv/state.git
            file:///srv/state.git                    | /srv/state.git
            file:///srv/my%20state                   | /srv/my state
            https://github.com/example/state.git     | https://github.com/example/state.git
            https://git.example.com:8443/state       | https://git.example.com:8443/state
            http://127.0.0.1:3000/state              | http://127.0.0.1:3000/state
            http://localhost/state                   | http://localhost/state
            http://[::1]:80/state                    | http://[::1]/state
            ssh://git@github.com/example/state.git   | ssh://git@github.com/example/state.git
            ssh://git.example.com:2222/state         | ssh://git.example.com:2222/state
            git@github.com:example/state.git         | git@github.com:example/state.git
            APKA123@git-codecommit.eu-west-1.amazonaws.com:v1/repos/s | APKA123@git-codecommit.eu-west-1.amazonaws.com:v1/repos/s
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (given, expected) = row.split_once('|').unwrap();
            assert_eq!(Location::parse(given.trim()).unwrap().url, expected.trim(), "{row}");
        }
    }

    #[test]
    fn other_urls_are_refused_and_never_repeat_a_secret() {
        // what is given | a part of the message
        let table = "
            git://github.com/example/state           | `git://` are not read
            ftp://example.com/state                  | `ftp://` are not read
            ext::sh -c whatever                      | transport helpers
            https://user:s3cret@github.com/x/y       | `github.com` holds credentials
            https://s3cret@github.com/x/y            | `github.com` holds credentials
            https://github.com/x/y?token=s3cret      | `?` or `#` part
            ssh://git:s3cret@github.com/x/y          | holds a password
            git:s3cret@github.com:x/y                | holds a password
            http://github.com/x/y                    | without TLS
            http://127.0.0.1.example.com/x/y         | without TLS
            https:///x/y                             | no host or no path
            https://github.com/                      | no host or no path
            https://github.com:s3cret/x              | cannot be read
            https://169.254.169.254/latest/meta-data | leads to 169.254.169.254
            https://169.254.170.2/x                  | leads to 169.254.170.2
            http://169.254.169.254/x/y               | without TLS
            https://2852039166/x                     | leads to 169.254.169.254
            https://0xa9.0xfe.0xa9fe/x               | leads to 169.254.169.254
            https://[fe80::1]/x                      | leads to fe80::1
            https://[fd00:ec2::254]/x                | leads to fd00:ec2::254
            https://[::ffff:169.254.169.254]/x       | leads to ::ffff:169.254.169.254
            https://[::a9fe:a9fe]/x                  | leads to ::a9fe:a9fe
            https://0.0.0.0/x                        | leads to 0.0.0.0
            ssh://git@169.254.169.254/x              | leads to 169.254.169.254
            ssh://git@2852039166/x                   | leads to 169.254.169.254
            ssh://0xA9FEA9FE:2222/x                  | leads to 169.254.169.254
            ssh://0251.0376.43518/x                  | leads to 169.254.169.254
            ssh://[fe80::1]/x                        | leads to fe80::1
            ssh://[FD00:EC2::254]:2222/x             | leads to fd00:ec2::254
            ssh://[::ffff:a9fe:a9fe]/x               | leads to ::ffff:169.254.169.254
            ssh://%31%36%39.254.169.254/x            | has a `%` in it
            git@169.254.169.254:x/y                  | leads to 169.254.169.254
            git@0xa9.254.43518:x/y                   | leads to 169.254.169.254
            [fe80::1]:x/y                            | transport helpers
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (given, expected) = row.split_once('|').unwrap();
            let error = Location::parse(given.trim()).unwrap_err();
            assert!(error.message.contains(expected.trim()), "{row}: {error:?}");
            assert!(!format!("{error:?}").contains("s3cret"), "{row}: {error:?}");
            assert!(!error.transient && error.hint.is_some(), "{row}: {error:?}");
        }
    }

    #[test]
    fn credentials_are_for_the_host_of_the_url_only() {
        // the repository | who asks | may have them
        let table = "
            https://github.com/x/y    | https://github.com/x/y.git   | yes
            https://github.com/x/y    | https://github.com:443/x/y   | yes
            https://github.com/x/y    | http://github.com/x/y        | no
            https://github.com/x/y    | https://github.com:8443/x/y  | no
            https://github.com/x/y    | https://evil.example/x/y     | no
            http://localhost:3000/x   | http://localhost:3000/x      | yes
            ssh://git@github.com/x/y  | ssh://git@github.com/x/y     | yes
            http://localhost:3000/x   | https://localhost:3000/x     | no
            git@github.com:x/y        | git@github.com:x/y           | yes
            ssh://git@github.com/x/y  | ssh://git@evil.example/x/y   | no
            /srv/state                | https://github.com/x/y       | no
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let [ours, asks, expected] = *row.split('|').map(str::trim).collect::<Vec<_>>() else { panic!("{row}") };
            assert_eq!(Location::parse(ours).unwrap().is_at(asks), expected == "yes", "{row}");
        }
    }
}
