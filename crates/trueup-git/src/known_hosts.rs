//! OpenSSH `known_hosts` files: whether a server's key is the one that was written down.
//!
//! The format is that of `sshd(8)`, in the section on its file format: plain names, `*` and `?`, `!` for exceptions,
//! `[host]:port`, names hashed as `|1|salt|HMAC-SHA1`, and `@revoked`. `@cert-authority` lines are passed over: libssh2
//! knows no host certificates.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use trueup_ports::SourceError;

use crate::fault::lasting;

/// One line: for which names, which key.
#[derive(Debug)]
struct Entry {
    revoked: bool,
    names: String,
    key: Vec<u8>,
}

/// The lines of all files.
#[derive(Debug, Default)]
pub(crate) struct KnownHosts {
    entries: Vec<Entry>,
}

/// What the files say about a server's key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is the one written down.
    Known,
    /// It is marked as revoked.
    Revoked,
    /// Another key of the same type is written down.
    Changed,
    /// Only keys of other types are written down.
    OtherTypes(Vec<String>),
    /// The server is not there at all.
    Unknown,
}

impl KnownHosts {
    /// Reads the files; those that do not exist say nothing. Lines that are no entries are passed over, as OpenSSH does.
    ///
    /// # Errors
    /// When a file that was asked for by name cannot be read.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, SourceError> {
        let mut hosts = Self::default();
        if files.is_empty() {
            let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".ssh/known_hosts"));
            for file in home.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]) {
                // Not readable means not known, which refuses the server.
                hosts.add(&std::fs::read_to_string(file).unwrap_or_default());
            }
        }
        for file in files {
            let text = std::fs::read_to_string(file).map_err(|error| {
                lasting(
                    format!("cannot read the known hosts from `{}`: {error}", file.display()),
                    "the file is written by `ssh-keyscan HOST`; compare the keys with those the host publishes",
                )
            })?;
            hosts.add(&text);
        }
        Ok(hosts)
    }

    fn add(&mut self, text: &str) {
        self.entries.extend(text.lines().filter_map(entry));
    }

    /// Whether the server may be talked to.
    ///
    /// # Errors
    /// When its key is not the one written down, with its fingerprint and what to do.
    pub(crate) fn verify(&self, host: &str, port: u16, key: &[u8]) -> Result<(), SourceError> {
        let name = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
        let kind = key_type(key);
        let fingerprint = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)));
        let line = format!("{name} {kind} {}", STANDARD.encode(key));
        let add = format!(
            "compare the fingerprint with the one that the host publishes; if it is the same, add this line to the \
             known hosts: {line}"
        );
        match self.look_up(&name, key) {
            Verdict::Known => Ok(()),
            Verdict::Revoked => Err(lasting(
                format!("`{name}` shows the {kind} key {fingerprint}, which the known hosts mark as revoked"),
                "another server may be answering under this name: ask the operator of the host",
            )),
            Verdict::Changed => Err(lasting(
                format!("`{name}` shows the {kind} key {fingerprint}, and the known hosts have another one"),
                format!(
                    "either the host has a new key or another server answers in its name: {add}, in place of the old \
                     one"
                ),
            )),
            Verdict::OtherTypes(types) => Err(lasting(
                format!(
                    "`{name}` shows the {kind} key {fingerprint}, and the known hosts have only keys of type {}",
                    types.join(", ")
                ),
                add,
            )),
            Verdict::Unknown => Err(lasting(
                format!("`{name}` shows the {kind} key {fingerprint}, and is not among the known hosts"),
                add,
            )),
        }
    }

    fn look_up(&self, name: &str, key: &[u8]) -> Verdict {
        let name = name.to_ascii_lowercase();
        // A revoked key is revoked wherever it shows up in a matching line, whatever other lines say.
        if self.entries.iter().any(|entry| entry.revoked && entry.key == key && matches(&entry.names, &name)) {
            return Verdict::Revoked;
        }
        let ours: Vec<_> = self.entries.iter().filter(|entry| !entry.revoked && matches(&entry.names, &name)).collect();
        if ours.iter().any(|entry| entry.key == key) {
            return Verdict::Known;
        }
        if ours.iter().any(|entry| key_type(&entry.key) == key_type(key)) {
            return Verdict::Changed;
        }
        if ours.is_empty() {
            return Verdict::Unknown;
        }
        let mut types: Vec<_> = ours.iter().map(|entry| key_type(&entry.key)).collect();
        types.sort();
        types.dedup();
        Verdict::OtherTypes(types)
    }
}

fn entry(line: &str) -> Option<Entry> {
    let mut words = line.split_ascii_whitespace().peekable();
    let revoked = match *words.peek()? {
        "@revoked" => {
            words.next();
            true
        }
        first if first.starts_with(['#', '@']) => return None,
        _ => false,
    };
    let names = words.next()?.to_owned();
    let kind = words.next()?;
    let key = STANDARD.decode(words.next()?).ok()?;
    // The type stands in the key itself; a line that says another one is damaged.
    (key_type(&key) == kind).then_some(Entry { revoked, names, key })
}

/// The type of a public key: the first string of its SSH wire form (RFC 4253, section 6.6).
fn key_type(key: &[u8]) -> String {
    let kind = key.split_first_chunk::<4>().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        std::str::from_utf8(rest.get(..length)?).ok()
    });
    match kind {
        Some(kind) if !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_graphic()) => kind.to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// Whether the first word of a line means this server.
fn matches(names: &str, name: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return hashed.split_once('|').is_some_and(|(salt, hash)| is_hash_of(salt, hash, name));
    }
    let mut found = false;
    for pattern in names.split(',') {
        match pattern.strip_prefix('!') {
            Some(exception) if glob(exception, name) => return false,
            Some(_) => {}
            None => found |= glob(pattern, name),
        }
    }
    found
}

fn is_hash_of(salt: &str, hash: &str, name: &str) -> bool {
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    let mut mac = Hmac::<Sha1>::new_from_slice(&salt).expect("HMAC takes keys of any length");
    mac.update(name.as_bytes());
    mac.verify_slice(&hash).is_ok()
}

/// `*` for any characters, `?` for one; linear in memory and without recursion, since the files may be large.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase().into_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                p = star_at + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A public key of this type in wire form; keys differ in their last byte.
    fn key(kind: &str, number: u8) -> Vec<u8> {
        let length = u32::try_from(kind.len()).unwrap();
        [&length.to_be_bytes()[..], kind.as_bytes(), &[0, 0, 0, 1, number]].concat()
    }

    #[test]
    fn a_server_is_known_by_name_port_and_key() {
        let base64 = |number| STANDARD.encode(key("ssh-ed25519", number));
        let (one, two) = (base64(1), base64(2));
        let rsa = STANDARD.encode(key("ssh-rsa", 3));
        // Hashed by OpenSSH's algorithm: HMAC-SHA1 with the salt as key, over the name.
        let hashed = {
            let salt = b"0123456789abcdefghij";
            let mut mac = Hmac::<Sha1>::new_from_slice(salt).unwrap();
            mac.update(b"git.example.com");
            format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(mac.finalize().into_bytes()))
        };
        let other = Verdict::OtherTypes(vec!["ssh-rsa".into()]);
        let ed = |names: &str, key: &str| format!("{names} ssh-ed25519 {key} comment");
        // The server always shows key one. The file | the server's name | the verdict.
        let table = [
            (ed("git.example.com", &one), "git.example.com", Verdict::Known),
            (ed("GIT.example.com", &one), "git.EXAMPLE.com", Verdict::Known),
            (ed("a,git.example.com,b", &one), "git.example.com", Verdict::Known),
            (ed("git.example.com", &two), "git.example.com", Verdict::Changed),
            (ed("example.com", &one), "git.example.com", Verdict::Unknown),
            (ed("git.example.com", &one), "[git.example.com]:2222", Verdict::Unknown),
            (ed("[git.example.com]:2222", &one), "[git.example.com]:2222", Verdict::Known),
            (ed("[git.example.com]:2222", &one), "git.example.com", Verdict::Unknown),
            (ed("*.example.com", &one), "git.example.com", Verdict::Known),
            (ed("*.example.com", &one), "example.com", Verdict::Unknown),
            (ed("g?t.*", &one), "git.example.com", Verdict::Known),
            (ed("*.example.com,!git.example.com", &one), "git.example.com", Verdict::Unknown),
            (ed("!git.example.com,*.example.com", &one), "a.example.com", Verdict::Known),
            (ed(&hashed, &one), "git.example.com", Verdict::Known),
            (ed(&hashed, &two), "git.example.com", Verdict::Changed),
            (ed(&hashed, &one), "other.example.com", Verdict::Unknown),
            (format!("git.example.com ssh-rsa {rsa}"), "git.example.com", other),
            (ed("@revoked git.example.com", &one), "git.example.com", Verdict::Revoked),
            (
                format!("{}\n{}", ed("git.example.com", &one), ed("@revoked *", &one)),
                "git.example.com",
                Verdict::Revoked,
            ),
            (ed("@revoked git.example.com", &two), "git.example.com", Verdict::Unknown),
            (ed("@cert-authority *", &one), "git.example.com", Verdict::Unknown),
            (format!("# {}", ed("git.example.com", &one)), "git.example.com", Verdict::Unknown),
            (format!("git.example.com ssh-rsa {one}"), "git.example.com", Verdict::Unknown),
            ("git.example.com ssh-ed25519".into(), "git.example.com", Verdict::Unknown),
            ("git.example.com ssh-ed25519 ?!".into(), "git.example.com", Verdict::Unknown),
            ("|1|x|y ssh-ed25519 AAAA\n\n \n".into(), "git.example.com", Verdict::Unknown),
            (
                format!("{}\r\n{}", ed("git.example.com", &two), ed("git.example.com", &one)),
                "git.example.com",
                Verdict::Known,
            ),
        ];
        for (file, server, expected) in table {
            let mut hosts = KnownHosts::default();
            hosts.add(&file);
            assert_eq!(hosts.look_up(server, &key("ssh-ed25519", 1)), expected, "{server} in:\n{file}");
        }
    }

    #[test]
    fn a_refusal_names_the_fingerprint_and_the_line_to_add() {
        // The published host key of github.com and its published fingerprint.
        let github = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        let key = STANDARD.decode(github).unwrap();
        let mut hosts = KnownHosts::default();
        let error = hosts.verify("github.com", 22, &key).unwrap_err();
        assert_eq!(
            error.message,
            "`github.com` shows the ssh-ed25519 key SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU, and is not \
             among the known hosts"
        );
        let hint = error.hint.unwrap();
        let line = hint.split_once("known hosts: ").unwrap().1;
        assert_eq!(line, format!("github.com ssh-ed25519 {github}"));
        hosts.add(line);
        hosts.verify("github.com", 22, &key).unwrap();
        hosts.verify("github.com", 2222, &key).unwrap_err();
    }

    #[test]
    fn a_known_hosts_file_that_was_named_must_be_there() {
        let error = KnownHosts::read(&["/nonexistent/known_hosts".into()]).unwrap_err();
        assert!(error.message.contains("/nonexistent/known_hosts"), "{error:?}");
    }
}
