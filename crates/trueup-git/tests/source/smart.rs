//! The least of a git server over HTTP: a repository's refs, and a pack with everything in it.

use git2::Repository as Git;

use crate::server::{Client, Request, answer};

const REFS: &str = "Content-Type: application/x-git-upload-pack-advertisement\r\n";
const PACK: &str = "Content-Type: application/x-git-upload-pack-result\r\n";

/// What a client of `git-upload-pack` gets to its two requests.
#[derive(Clone)]
pub struct Answers {
    /// To `GET …/info/refs`.
    pub refs: Vec<u8>,
    /// To `POST …/git-upload-pack`.
    pub pack: Vec<u8>,
}

impl Answers {
    /// Those of a repository with a branch `main`.
    ///
    /// Source: git's `gitprotocol-http` and `gitprotocol-pack`, version 0, without side bands.
    pub fn of(git: &Git) -> Self {
        let head = git.refname_to_id("refs/heads/main").expect("a branch");
        let mut refs = line("# service=git-upload-pack\n");
        refs.extend(b"0000");
        refs.extend(line(&format!("{head} HEAD\0ofs-delta\n")));
        refs.extend(line(&format!("{head} refs/heads/main\n")));
        refs.extend(b"0000");

        let mut walk = git.revwalk().expect("a walk");
        walk.push(head).expect("a commit");
        let mut builder = git.packbuilder().expect("a pack");
        builder.insert_walk(&mut walk).expect("objects");
        let mut objects = git2::Buf::new();
        builder.write_buf(&mut objects).expect("a pack");
        let mut pack = line("NAK\n");
        pack.extend(&*objects);

        Self { refs: answer("200 OK", REFS, &refs), pack: answer("200 OK", PACK, &pack) }
    }

    /// The one to a request.
    pub fn to(&self, request: &Request) -> &[u8] {
        if request.what.starts_with("GET ") { &self.refs } else { &self.pack }
    }

    /// Gives it, at once.
    pub fn give(&self, request: &Request, client: &mut Client) {
        client.send(self.to(request));
    }
}

/// The refusal of a server that speaks git.
pub fn refusal(words: &str) -> Vec<u8> {
    let mut refs = line("# service=git-upload-pack\n");
    refs.extend(b"0000");
    refs.extend(line(&format!("ERR {words}")));
    answer("200 OK", REFS, &refs)
}

/// A line with its length before it.
fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}
