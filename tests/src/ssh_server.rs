//! A git server over SSH that lets in who has a deploy key: OpenSSH, with a host key of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::process::Process;
use crate::servers;

/// Lets git read what the user of this process can read, until it is dropped.
pub struct SshServer {
    _process: Process,
    port: u16,
    user: String,
    directory: PathBuf,
}

/// A key pair in files.
pub struct KeyPair {
    /// The private half.
    pub private: PathBuf,
    /// The public half, as it is written in `authorized_keys` and, after the host's name, in `known_hosts`.
    pub public: String,
}

impl KeyPair {
    /// Makes one in `directory`.
    ///
    /// # Errors
    /// When `ssh-keygen` is not there and cannot be installed.
    pub fn generate(directory: &Path, name: &str) -> Result<Self> {
        servers::install()?;
        let private = directory.join(name);
        let file = private.to_str().context("a path is text")?;
        servers::output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file])?;
        let public = std::fs::read_to_string(private.with_extension("pub"))?.trim().to_owned();
        Ok(Self { private, public })
    }
}

impl SshServer {
    /// Starts it with this host key, its files in `directory`. No key is let in yet.
    ///
    /// # Errors
    /// When OpenSSH is not there and cannot be installed, or does not start.
    pub fn start(directory: &Path, host: &KeyPair) -> Result<Self> {
        servers::install()?;
        if rustix::process::geteuid().is_root() {
            // Where sshd locks up what talks to strangers. Debian's service makes it, and is not running.
            std::fs::create_dir_all("/run/sshd").context("cannot make `/run/sshd`")?;
        }
        let directory = directory.to_owned();
        std::fs::write(directory.join("authorized_keys"), "")?;
        let (process, port) = servers::start(&directory.join("sshd"), "Server listening on", |port| {
            let file = directory.join("sshd_config");
            std::fs::write(&file, configuration(&directory, host, port))?;
            let file = file.to_str().context("a path is text")?.to_owned();
            // It starts itself again for every connection and wants to know where it is.
            let sshd = servers::program("sshd")?;
            let mut arguments = vec!["-f", &file];
            // From version 9.8 on it refuses, for a while, those who were refused; older ones do not know the option.
            let lenient = ["-o", "PerSourcePenalties=no"];
            if servers::output(&sshd, &["-t", "-f", &file, lenient[0], lenient[1]]).is_ok() {
                arguments.extend(lenient);
            }
            Ok([sshd.as_str(), "-D", "-e"].into_iter().chain(arguments).map(str::to_owned).collect())
        })?;
        Ok(Self { _process: process, port, user: servers::output("id", &["-un"])?, directory })
    }

    /// Lets in who has this key, to read repositories and for nothing else. Holds from the next connection on.
    ///
    /// # Errors
    /// When the file of keys cannot be written.
    pub fn let_in(&self, key: &KeyPair) -> Result<()> {
        let file = self.directory.join("authorized_keys");
        let options = r#"restrict,command="git shell -c \"$SSH_ORIGINAL_COMMAND\"""#;
        Ok(std::fs::write(file, format!("{options} {}\n", key.public))?)
    }

    /// The URL of a repository, by its path.
    ///
    /// # Errors
    /// When the path is no text.
    pub fn url(&self, repository: &Path) -> Result<String> {
        let path = repository.to_str().context("a path is text")?;
        Ok(format!("ssh://{}@127.0.0.1:{}{path}", self.user, self.port))
    }

    /// The line of `known_hosts` that says this server has this key.
    pub fn known_as(&self, host: &KeyPair) -> String {
        format!("[127.0.0.1]:{} {}\n", self.port, host.public)
    }
}

fn configuration(directory: &Path, host: &KeyPair, port: u16) -> String {
    let (directory, host, path) = (directory.display(), host.private.display(), servers::search_path());
    // Modes are not looked at, as the directories above a temporary one are anybody's.
    format!(
        "ListenAddress 127.0.0.1
Port {port}
HostKey {host}
AuthorizedKeysFile {directory}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
SetEnv PATH={path} GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
"
    )
}
