//! The location of a repository, in a form in which equivalent URLs are equal.

use url::Url;

/// A repository's host and path, without transport, port, user and variants of notation.
///
/// Transport and port are left out because one server has several (`https` on 443, `ssh` on 2222). Letters are compared
/// without their case because GitHub, GitLab and Gitea do so. Where that makes two repositories equal that are not, git is
/// asked once too often, which does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Empty for a path on this machine.
    host: String,
    path: String,
}

/// Hosts under which a provider's ssh is reachable where port 22 is closed, with the host that they stand for.
///
/// Source: GitHub docs, "Using SSH over the HTTPS port"; GitLab docs, "Use SSH keys" (altssh.gitlab.com); Bitbucket
/// Support, "Use the SSH protocol with Bitbucket Cloud" (altssh.bitbucket.org).
const OTHER_NAMES: [(&str, &str); 3] =
    [("ssh.github.com", "github.com"), ("altssh.gitlab.com", "gitlab.com"), ("altssh.bitbucket.org", "bitbucket.org")];

impl Place {
    /// Understands `https://HOST/PATH`, `ssh://USER@HOST:PORT/PATH`, other URLs with a host, `USER@HOST:PATH`, `file://` and
    /// paths. `None` for what is no place.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((scheme, _)) = text.split_once("://") {
            let url = Url::parse(text).ok()?;
            let host = if scheme.eq_ignore_ascii_case("file") { "" } else { url.host_str()? };
            return Self::new(host, url.path());
        }
        match text.split_once(':') {
            // As for git itself: a colon before any slash.
            Some((authority, path)) if !authority.is_empty() && !authority.contains('/') => {
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                if host.is_empty() { None } else { Self::new(host, path) }
            }
            _ => Self::new("", text),
        }
    }

    fn new(host: &str, path: &str) -> Option<Self> {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let host = OTHER_NAMES.iter().find(|(other, _)| *other == host).map_or(host, |(_, name)| (*name).to_owned());
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let path = parts.join("/").to_ascii_lowercase();
        let path = path.strip_suffix(".git").unwrap_or(&path).trim_end_matches('/');
        (!path.is_empty()).then(|| Self { host, path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_repository_are_equal_and_other_repositories_are_not() {
        // one | other | the same
        let table = "
            https://github.com/example/state.git  | https://github.com/example/state             | yes
            https://github.com/example/state      | git@github.com:example/state.git             | yes
            https://github.com/example/state      | ssh://git@github.com/example/state.git       | yes
            https://github.com/example/state      | git://github.com/example/state.git           | yes
            https://github.com/example/state      | ssh://git@ssh.github.com:443/example/state   | yes
            https://gitlab.com/group/sub/state    | git@altssh.gitlab.com:group/sub/state.git    | yes
            https://github.com/example/state      | https://GitHub.com/Example/State/            | yes
            https://github.com/example/state      | https://token@github.com:443//example/state  | yes
            https://git.example.com:8443/a/b      | ssh://git@git.example.com:2222/a/b           | yes
            http://[::1]:3000/a/b                 | ssh://git@[::1]:2222/a/b                     | yes
            http://127.0.0.1:3000/a/b.git         | http://127.0.0.1/a/b                         | yes
            /srv/state.git                        | file:///srv/state                            | yes
            https://github.com/example/state      | https://github.com/example/other             | no
            https://github.com/example/state      | https://github.com/other/state               | no
            https://github.com/example/state      | https://gitlab.com/example/state             | no
            https://github.com/example/state      | https://github.com.evil.example/example/state | no
            https://github.com/example/state      | https://github.com/example/state/state       | no
            https://github.com/example/state      | /example/state                               | no
            https://github.com/example/state      | https://evil.example/github.com/example/state | no
        ";
        for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let [one, other, same] = *row.split('|').map(str::trim).collect::<Vec<_>>() else { panic!("{row}") };
            let (one, other) = (Place::parse(one).expect(row), Place::parse(other).expect(row));
            assert_eq!(one == other, same == "yes", "{row}: {one:?} {other:?}");
        }
    }

    #[test]
    fn what_is_no_place_is_none() {
        for text in
            ["", " ", "/", "https://", "https://github.com", "https://github.com/", "git@:x", "https://[/x", ".git"]
        {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
