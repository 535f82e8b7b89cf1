//! `trueup health`: checks that the daemon on this machine is alive, for images without a shell and curl.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use trueup_core::report::printable;

use crate::listen::Listen;
use crate::terminal;

/// Arguments of `trueup health`.
#[derive(Args, Debug)]
pub struct HealthArgs {
    /// The address that the daemon serves, as given to `trueup run`
    #[arg(long, env = "TRUEUP_LISTEN", default_value = "127.0.0.1:7171", value_name = "ADDR")]
    pub listen: Listen,
}

/// How long connecting, asking and each part of the answer may take; container health checks allow 5 s together.
const STEP_TIME_MAX: Duration = Duration::from_secs(1);

/// How much of an answer is read: its first line is what counts.
const ANSWER_BYTES_MAX: u64 = 64;

/// Asks `/healthz`: exit 0 when it answers 200, else 1, and says on stderr why. What a health check must not do is hang,
/// or fail for other reasons than the daemon's: it asks no DNS, no AWS and no git.
pub fn health(args: &HealthArgs) -> ExitCode {
    let Listen::At(address) = args.listen else {
        terminal::tell("the daemon serves no health check: `--listen` is off");
        return ExitCode::FAILURE;
    };
    match status_line(reachable(address)) {
        Ok(line) if is_ok(&line) => ExitCode::SUCCESS,
        Ok(line) => {
            terminal::tell(&printable(&format!("the daemon at {address} is not healthy: {line}")));
            ExitCode::FAILURE
        }
        Err(error) => {
            terminal::tell(&format!("the daemon at {address} does not answer: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Where a client reaches a listener: one on all addresses is there on the loopback interface.
fn reachable(mut listener: SocketAddr) -> SocketAddr {
    if listener.ip().is_unspecified() {
        listener.set_ip(if listener.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    listener
}

/// The first line of the answer to `GET /healthz`.
fn status_line(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, STEP_TIME_MAX)?;
    stream.set_read_timeout(Some(STEP_TIME_MAX))?;
    stream.set_write_timeout(Some(STEP_TIME_MAX))?;
    stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn is_ok(status_line: &str) -> bool {
    let mut words = status_line.split(' ');
    words.next().is_some_and(|version| version.starts_with("HTTP/1.")) && words.next() == Some("200")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    #[test]
    fn only_a_200_is_healthy() {
        let table = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
            ("HTTP/1.1 200\r\n\r\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("HTTP/1.1 2000 OK\r\n\r\n", false),
            ("SSH-2.0-OpenSSH_9.2 200\r\n", false),
            ("", false),
        ];
        for (answer, healthy) in table {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("there is a free port");
            let address = listener.local_addr().expect("it is bound");
            let daemon = std::thread::spawn(move || {
                let (stream, _) = listener.accept().expect("somebody connects");
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let asked = lines.next();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                (&stream).write_all(answer.as_bytes()).expect("it is read");
                asked
            });
            let line = status_line(reachable(address)).expect("the daemon answers");
            assert_eq!(is_ok(&line), healthy, "{answer:?}");
            assert_eq!(daemon.join().expect("it does not panic").as_deref(), Some("GET /healthz HTTP/1.1"));
        }
    }

    #[test]
    fn where_nobody_listens_it_fails() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);
        assert_eq!(health(&HealthArgs { listen: Listen::At(address) }), ExitCode::FAILURE);
        assert_eq!(health(&HealthArgs { listen: Listen::Off }), ExitCode::FAILURE);
    }
}
