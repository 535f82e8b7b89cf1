//! Resolves a server's name before each conversation, because the owner of a name can point it anywhere.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};

use trueup_core::address::is_refused;
use trueup_ports::SourceError;

use crate::fault::lasting;
use crate::location::{Location, Transport};

/// Resolves a name; tests substitute another function.
pub(crate) type Resolver = fn(host: &str, port: u16) -> io::Result<Vec<IpAddr>>;

/// The system's own: what libgit2 asks as well.
pub(crate) fn system(host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
    Ok((host, port).to_socket_addrs()?.map(|found| found.ip()).collect())
}

/// Refuses a server when any of its name's addresses is one that nothing is sent to or, without TLS, is not this
/// machine's.
///
/// A name that is not known here passes: a proxy may know it (`http.proxy`, `HTTPS_PROXY`), which then says where it
/// leads; where there is none, libgit2 does not find it either.
///
/// What remains: libgit2 looks the name up once more, and cannot be told what was found. Whoever answers for the name can
/// give another address the second time. They gain a connection on which a handshake begins. Only after the server has
/// shown a certificate for the name, or a known host key, is it asked for anything: no path, no token and no request of
/// ours reaches a service that speaks plain HTTP.
///
/// # Errors
/// With the address that is refused.
pub(crate) fn check(location: &Location, resolve: Resolver) -> Result<(), SourceError> {
    let Some((host, port)) = location.server() else { return Ok(()) };
    let Ok(found) = resolve(host, port) else { return Ok(()) };
    let here_alone = matches!(location.transport, Transport::Http { tls: false, .. });
    let refused = |what: &str, address: IpAddr| {
        Err(lasting(
            format!("the host of `{}` leads to {address}, {what}", location.url),
            "trueup does not connect there: check the URL, and the addresses of its host in DNS",
        ))
    };
    match found.into_iter().find(|address| is_refused(*address) || here_alone && !address.is_loopback()) {
        None => Ok(()),
        Some(address) if is_refused(address) => refused("a link-local, metadata or unusable address", address),
        Some(address) => refused("another machine, and would be read without TLS", address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DNS that has each name's address in the name.
    fn dns(host: &str, _: u16) -> io::Result<Vec<IpAddr>> {
        let addresses: Vec<IpAddr> = host.split('.').filter_map(|part| part.replace('-', ":").parse().ok()).collect();
        if addresses.is_empty() { Err(io::Error::other("no such name")) } else { Ok(addresses) }
    }

    #[test]
    fn no_name_leads_to_an_address_that_nothing_is_sent_to() {
        // the repository | a part of the message
        let table = "
            /srv/state                                    |
            https://2001-db8--1.example.com/x             |
            https://no-such-name.example.com/x            |
            https://fd00-ec2--254.example.com/x           | leads to fd00:ec2::254, a link-local, metadata
            https://2001-db8--1.fe80--1.example.com/x     | leads to fe80::1, a link-local, metadata
            https://--ffff-a9fe-a9fe.example.com/x        | leads to ::ffff:169.254.169.254, a link-local
            ssh://git@fd00-ec2--254.example.com:2222/x    | leads to fd00:ec2::254, a link-local, metadata
            git@fd00-ec2--254.example.com:x/y             | leads to fd00:ec2::254, a link-local, metadata
            git@2001-db8--1.example.com:x/y               |
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let (url, expected) = row.split_once('|').unwrap();
            let (url, expected) = (url.trim(), expected.trim());
            let answer = check(&Location::parse(url).unwrap(), dns).map_err(|error| error.message);
            match answer {
                Ok(()) => assert_eq!(expected, "", "{row}"),
                Err(message) => assert!(!expected.is_empty() && message.contains(expected), "{row}: {message}"),
            }
        }
    }

    #[test]
    fn without_tls_a_name_is_this_machine() {
        let location = Location::parse("http://localhost:3000/x").unwrap();
        check(&location, |_, _| Ok(vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()])).unwrap();
        let error = check(&location, |_, _| Ok(vec!["10.1.2.3".parse().unwrap()])).unwrap_err();
        assert!(error.message.contains("10.1.2.3, another machine") && !error.transient, "{error:?}");
    }

    #[test]
    fn the_system_knows_this_machine_by_every_spelling() {
        for host in ["127.0.0.1", "2130706433", "0x7f.1", "localhost"] {
            let found = system(host, 1).unwrap();
            assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{host}: {found:?}");
        }
    }
}
