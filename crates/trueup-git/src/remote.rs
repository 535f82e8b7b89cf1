//! One conversation with the server: what refs it has, and the objects behind some of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use git2::{
    AutotagOption, CertificateCheckStatus, Direction, ErrorClass, ErrorCode, FetchOptions, Oid, ProxyOptions,
    RemoteCallbacks, RemoteRedirect,
};
use trueup_ports::SourceError;

use crate::addresses::{self, Resolver};
use crate::config::Bounds;
use crate::credentials::Credentials;
use crate::fault::{Fault, lasting, one_line, passing};
use crate::known_hosts::KnownHosts;
use crate::location::{Location, Transport};

/// The server's refs by their full names; annotated tags have a second entry `NAME^{}`, the commit behind.
pub(crate) type Refs = BTreeMap<String, Oid>;

/// The server of one repository.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote<'a> {
    pub location: &'a Location,
    pub credentials: &'a Credentials,
    pub bounds: &'a Bounds,
    pub resolve: Resolver,
}

/// Why a callback of ours ended the conversation. libgit2 carries only a number from there to here.
pub(crate) type Reason = Rc<RefCell<Option<SourceError>>>;

impl Remote<'_> {
    /// Asks for the server's refs, lets `choose` pick those that are wanted, and downloads what `repository` does not
    /// have of them. Writes objects and no refs. One connection.
    ///
    /// # Errors
    /// `Refused` with everything the network, the server or our bounds had against it; `Damaged` when it was the local
    /// store that failed.
    pub(crate) fn visit<T>(
        &self,
        repository: &git2::Repository,
        choose: impl FnOnce(&Refs) -> Result<(T, Vec<String>), Fault>,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + self.bounds.fetch_time_max;
        let reason = Reason::default();
        let mut remote =
            repository.remote_anonymous(&self.location.url).map_err(|error| self.explain(&error, &reason))?;
        // The operator's own git configuration may rewrite URLs (`url.….insteadOf`); the result has to pass as well,
        // so that no credentials and no cache entry belong to another server than the one that was checked.
        if remote.url()? != self.location.url {
            return Err(Fault::Refused(lasting(
                format!("git's configuration rewrites `{}` to another URL", self.location.url),
                "remove the `insteadOf` setting, or give the other URL",
            )));
        }
        addresses::check(self.location, self.resolve)?;
        let mut connection = remote
            .connect_auth(Direction::Fetch, Some(self.callbacks(deadline, &reason)?), Some(proxy()))
            .map_err(|error| self.explain(&error, &reason))?;
        let refs: Refs = connection
            .list()
            .map_err(|error| self.explain(&error, &reason))?
            .iter()
            .map(|head| (head.name().to_owned(), head.oid()))
            .collect();
        let (answer, wanted) = choose(&refs)?;
        if wanted.is_empty() {
            return Ok(answer);
        }
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(self.callbacks(deadline, &reason)?)
            .proxy_options(proxy())
            .download_tags(AutotagOption::None)
            .follow_redirects(RemoteRedirect::None);
        connection
            .remote()
            .download(&wanted, Some(&mut options))
            .map_err(|error| self.explain_download(error, &reason))?;
        Ok(answer)
    }

    fn callbacks<'c>(&'c self, deadline: Instant, reason: &Reason) -> Result<RemoteCallbacks<'c>, SourceError> {
        let mut callbacks = RemoteCallbacks::new();

        let (mut asked, why) = (0, Rc::clone(reason));
        callbacks.credentials(move |url, _, allowed| {
            // Asking for the user's name alone is no refusal of a key.
            let asked_before = asked;
            asked += usize::from(!allowed.contains(git2::CredentialType::USERNAME));
            match self.credentials.answer(self.location, url, allowed, asked_before) {
                Ok(credentials) => credentials,
                Err(error) => Err(stop(&why, error)),
            }
        });

        if let Transport::Ssh { host, port, .. } = &self.location.transport {
            let hosts = KnownHosts::read(&self.credentials.known_hosts)?;
            let why = Rc::clone(reason);
            callbacks.certificate_check(move |certificate, _| {
                let key = certificate.as_hostkey().and_then(|key| key.hostkey()).unwrap_or_default();
                // Never a pass-through: libgit2 would go by the home directory's known hosts.
                match hosts.verify(host, *port, key) {
                    Ok(()) => Ok(CertificateCheckStatus::CertificateOk),
                    Err(error) => Err(stop(&why, error)),
                }
            });
        }

        let why = Rc::clone(reason);
        callbacks.transfer_progress(move |progress| {
            let Some(error) = self.beyond(progress.received_bytes(), progress.total_objects(), deadline) else {
                return true;
            };
            stop(&why, error);
            false
        });
        let why = Rc::clone(reason);
        callbacks.sideband_progress(move |_| {
            let Some(error) = self.beyond(0, 0, deadline) else { return true };
            stop(&why, error);
            false
        });
        Ok(callbacks)
    }

    /// Whether the conversation has become too much.
    fn beyond(&self, bytes: usize, objects: usize, deadline: Instant) -> Option<SourceError> {
        let Bounds { fetch_bytes_max, fetch_objects_max, fetch_time_max, .. } = *self.bounds;
        let place = &self.location.url;
        let hint = "a repository of desired state is small: move it out of the one with everything else";
        if bytes > fetch_bytes_max {
            Some(lasting(format!("`{place}` sent more than {fetch_bytes_max} bytes"), hint))
        } else if objects > fetch_objects_max {
            Some(lasting(format!("`{place}` has more than {fetch_objects_max} objects to send"), hint))
        } else if Instant::now() > deadline {
            Some(passing(
                format!("`{place}` took longer than {} s to send its objects", fetch_time_max.as_secs()),
                "the network or the server is slow; trueup asks again",
            ))
        } else {
            None
        }
    }

    /// An error while downloading: the local store's own, or the server's.
    fn explain_download(&self, error: git2::Error, reason: &Reason) -> Fault {
        let local = matches!(
            error.class(),
            ErrorClass::Odb | ErrorClass::Zlib | ErrorClass::Object | ErrorClass::Reference | ErrorClass::Indexer
        );
        if local && reason.borrow().is_none() {
            return Fault::Damaged(error);
        }
        Fault::Refused(self.explain(&error, reason))
    }

    /// Says what libgit2's error means, and what to do about it.
    pub(crate) fn explain(&self, error: &git2::Error, reason: &Reason) -> SourceError {
        if let Some(reason) = reason.borrow_mut().take() {
            return reason;
        }
        let place = &self.location.url;
        let words = one_line(error.message());
        let is_path = matches!(self.location.transport, Transport::Path(_));
        let says = |part: &str| words.to_ascii_lowercase().contains(part);
        let message = format!("cannot read `{place}`: {words}");
        match (error.code(), error.class()) {
            (ErrorCode::Owner, _) => lasting(
                format!("`{place}` belongs to another user of this machine"),
                format!("if it is to be trusted: git config --global --add safe.directory '{place}'"),
            ),
            (ErrorCode::NotFound, _) if is_path => passing(
                format!("there is no git repository at `{place}`"),
                "trueup asks again; check the path if it should be there",
            ),
            (ErrorCode::Certificate, _) | (_, ErrorClass::Ssl) if says("does not match") => lasting(
                message,
                "the server's certificate is for another name: check the URL, and who answers in the name of its host",
            ),
            (ErrorCode::Certificate, _) | (_, ErrorClass::Ssl) if says("certificate") => lasting(
                message,
                "the server's certificate has expired, or was not signed by a trusted authority: have it renewed, install \
                 the CA certificates, or name a bundle that has the server's CA in SSL_CERT_FILE",
            ),
            (ErrorCode::Auth, _) => {
                lasting(message, "the credentials are wrong, have expired, or may not read this repository")
            }
            (_, ErrorClass::Http) if says("401") || says("403") => {
                lasting(message, "the credentials are wrong, have expired, or may not read this repository")
            }
            (_, ErrorClass::Http) if says("404") => lasting(
                message,
                "the repository does not exist, or is private: check the URL, and give a token that may read it",
            ),
            (_, ErrorClass::Http | ErrorClass::Net) if says("redirect") => {
                lasting(message, "the server redirects to another host, which is not followed: give the new URL")
            }
            (_, ErrorClass::Net) if says("resolve") => passing(
                message,
                "the host's name is unknown: check the URL, and that this machine has DNS and a way to the host",
            ),
            // libgit2 says "early EOF" where the certificate names another host.
            (_, ErrorClass::Ssl) => passing(
                message,
                "TLS was not agreed upon: the network or the server is at fault, or its certificate does not name this \
                 host; trueup asks again",
            ),
            (ErrorCode::Timeout, _) | (_, ErrorClass::Net | ErrorClass::Os | ErrorClass::Http) => {
                passing(message, "the network or the server is at fault; trueup asks again")
            }
            (_, ErrorClass::Ssh) if says("exit") || says("not found") || says("does not exist") => {
                lasting(message, "the repository does not exist, or the key may not read it")
            }
            _ => passing(message, "trueup asks again; check the URL and the server if it stays so"),
        }
    }
}

/// Keeps the reason for the operator and gives libgit2 an error to stop with.
fn stop(reason: &Reason, error: SourceError) -> git2::Error {
    let stop = git2::Error::new(ErrorCode::User, ErrorClass::Callback, &error.message);
    *reason.borrow_mut() = Some(error);
    stop
}

/// The proxy of `http.proxy`, `HTTPS_PROXY` and so on, as for git itself.
fn proxy<'p>() -> ProxyOptions<'p> {
    let mut proxy = ProxyOptions::new();
    proxy.auto();
    proxy
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn errors_say_what_to_do_and_whether_waiting_helps() {
        let https = Location::parse("https://git.example.com/state").unwrap();
        let path = Location::parse("/srv/state").unwrap();
        let explain = |location: &Location, code, class, words: &str| {
            let credentials = Credentials::default();
            let bounds = Bounds::default();
            Remote { location, credentials: &credentials, bounds: &bounds, resolve: addresses::system }
                .explain(&git2::Error::new(code, class, words), &Reason::default())
        };
        let generic = ErrorCode::GenericError;
        // libgit2's error | a part of the hint | transient
        let table = [
            (generic, ErrorClass::Net, "failed to resolve address for git.example.com", "DNS", true),
            (generic, ErrorClass::Net, "failed to connect", "asks again", true),
            (ErrorCode::Timeout, ErrorClass::Net, "could not read: timed out", "asks again", true),
            (ErrorCode::Certificate, ErrorClass::Ssl, "the SSL certificate is invalid", "SSL_CERT_FILE", false),
            (ErrorCode::Certificate, ErrorClass::Ssl, "hostname does not match certificate", "another name", false),
            (generic, ErrorClass::Ssl, "SSL error: received early EOF", "does not name this host", true),
            (ErrorCode::Auth, ErrorClass::Ssh, "failed to authenticate", "may not read", false),
            (generic, ErrorClass::Http, "unexpected http status code: 403", "may not read", false),
            (ErrorCode::NotFound, ErrorClass::Http, "unexpected http status code: 404", "does not exist", false),
            (generic, ErrorClass::Http, "unexpected http status code: 502", "asks again", true),
            (generic, ErrorClass::Http, "unexpected redirect", "new URL", false),
            (generic, ErrorClass::Net, "cannot redirect from 'a.example' to 'b.example'", "new URL", false),
            (ErrorCode::Eof, ErrorClass::Ssh, "could not read from remote repository", "asks again", true),
        ];
        for (code, class, words, hint, transient) in table {
            let error = explain(&https, code, class, words);
            assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{words}: {error:?}");
            assert_eq!(error.transient, transient, "{words}: {error:?}");
            assert!(error.message.contains("https://git.example.com/state"), "{words}: {error:?}");
        }
        let error = explain(&path, ErrorCode::Owner, ErrorClass::Config, "not owned by current user");
        assert!(error.hint.unwrap().contains("safe.directory '/srv/state'"));
        let error = explain(&https, generic, ErrorClass::Net, "remote said \u{1b}[31mboo\nline");
        assert!(!error.message.chars().any(char::is_control), "{error:?}");
    }

    #[test]
    fn a_conversation_has_bounds() {
        let location = Location::parse("https://git.example.com/state").unwrap();
        let credentials = Credentials::default();
        let bounds = Bounds { fetch_bytes_max: 10, fetch_objects_max: 3, ..Bounds::default() };
        let remote =
            Remote { location: &location, credentials: &credentials, bounds: &bounds, resolve: addresses::system };
        let now = Instant::now();
        let (later, past) = (now + Duration::from_mins(1), now);
        let message = |bytes, objects, deadline| remote.beyond(bytes, objects, deadline).map(|error| error.message);
        assert_eq!(message(10, 3, later), None);
        assert!(message(11, 3, later).unwrap().contains("more than 10 bytes"));
        assert!(message(10, 4, later).unwrap().contains("more than 3 objects"));
        assert!(message(0, 0, past).unwrap().contains("longer than 300 s"));
    }
}
