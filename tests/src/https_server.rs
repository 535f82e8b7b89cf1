//! A git server over HTTPS that refuses every client without a password: lighttpd in front of git's own `http-backend`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::authority::Authority;
use crate::process::Process;
use crate::servers;

/// Serves the bare repositories of a directory until it is dropped.
pub struct HttpsServer {
    _process: Process,
    port: u16,
    directory: PathBuf,
}

impl HttpsServer {
    /// Starts it, with a certificate of `authority` for `localhost` and its files in `directory`. Nobody has a password yet.
    ///
    /// # Errors
    /// When lighttpd is not there and cannot be installed, or does not start.
    pub fn start(directory: &Path, repositories: &Path, authority: &Authority) -> Result<Self> {
        servers::install()?;
        let directory = directory.to_owned();
        authority.certify("localhost", &directory.join("server.pem"))?;
        std::fs::write(directory.join("passwords"), "")?;
        let (process, port) = servers::start(&directory.join("lighttpd"), "server started", |port| {
            let file = directory.join("lighttpd.conf");
            std::fs::write(&file, configuration(&directory, repositories, port)?)?;
            let file = file.to_str().context("a path is text")?.to_owned();
            Ok(vec![servers::program("lighttpd")?, "-D".to_owned(), "-f".to_owned(), file])
        })?;
        Ok(Self { _process: process, port, directory })
    }

    /// Lets this user in with this password, and no other. Holds from the next request on.
    ///
    /// # Errors
    /// When the file of passwords cannot be written.
    pub fn let_in(&self, user: &str, password: &str) -> Result<()> {
        // Put into place whole: a request may come at any time.
        let file = self.directory.join("passwords");
        let next = file.with_extension("next");
        std::fs::write(&next, format!("{user}:{password}\n"))?;
        Ok(std::fs::rename(next, file)?)
    }

    /// The URL of a repository, by the name of its directory.
    pub fn url(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}", self.port)
    }
}

/// As git's documentation of `git-http-backend` has it for lighttpd, with TLS and passwords.
fn configuration(directory: &Path, repositories: &Path, port: u16) -> Result<String> {
    let backend = Path::new(&servers::output("git", &["--exec-path"])?).join("git-http-backend");
    let (backend, directory, repositories) = (backend.display(), directory.display(), repositories.display());
    Ok(format!(
        r#"
server.modules = ("mod_alias", "mod_setenv", "mod_auth", "mod_authn_file", "mod_cgi", "mod_openssl")
server.document-root = "{directory}"
server.bind = "127.0.0.1"
server.port = {port}
server.upload-dirs = ("{directory}")
ssl.engine = "enable"
ssl.pemfile = "{directory}/server.pem"
auth.backend = "plain"
auth.backend.plain.userfile = "{directory}/passwords"
auth.require = ("" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
alias.url = ("/" => "{backend}/")
cgi.assign = ("" => "")
setenv.set-environment = (
  "GIT_PROJECT_ROOT" => "{repositories}",
  "GIT_HTTP_EXPORT_ALL" => "1",
  "GIT_CONFIG_GLOBAL" => "/dev/null",
  "GIT_CONFIG_SYSTEM" => "/dev/null"
)
"#
    ))
}
