//! A commit object as its signer saw it: the signature, the bytes that it is over, and the time.
//!
//! libgit2 has `extract_signature` for that, which also takes a line of the message for a header and ends at a NUL. What is
//! verified must be what git itself verifies (`parse_buffer_signed_by_header` of git's `commit.c`), so it is read here.

use jiff::Timestamp;

/// The header of a commit that contains its signature (git's documentation, "signature-format").
const SIGNATURE_HEADER: &[u8] = b"gpgsig ";

/// Headers with this beginning are signatures, also those over other hashes, and no part of what is signed.
const SIGNATURE_PREFIX: &[u8] = b"gpgsig";

/// The header that says who committed, and when.
const COMMITTER_HEADER: &[u8] = b"committer ";

/// A commit, parted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The signature, without what the header adds to its lines; `None` where there is none.
    pub signature: Option<Vec<u8>>,
    /// The commit without its signatures.
    pub payload: Vec<u8>,
}

impl Signed {
    /// The commit's time by its signed content: `committer NAME <EMAIL> SECONDS ZONE`. `None` unless that line occurs
    /// exactly once.
    pub fn committed(&self) -> Option<Timestamp> {
        let header = self.payload.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        let mut committers = header.filter_map(|line| line.strip_prefix(COMMITTER_HEADER));
        let (committer, None) = (committers.next()?, committers.next()) else { return None };
        let (_, time) = std::str::from_utf8(committer.rsplit(|byte| *byte == b'>').next()?).ok()?.split_once(' ')?;
        Timestamp::from_second(time.split(' ').next()?.parse().ok()?).ok()
    }
}

/// Splits a raw commit object. Several signatures are joined, as git does: together they are invalid.
pub(crate) fn part(commit: &[u8]) -> Signed {
    let mut signature: Option<Vec<u8>> = None;
    let mut payload = Vec::with_capacity(commit.len());
    let mut rest = commit;
    // What the line before was, as a line that begins with a space goes on with it.
    let mut before = Line::Other;
    while !rest.is_empty() && rest[0] != b'\n' {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let (kind, value) = match (line.strip_prefix(b" "), line.strip_prefix(SIGNATURE_HEADER)) {
            (Some(value), _) => (before, value),
            (None, Some(value)) => (Line::Signature, value),
            (None, None) if line.starts_with(SIGNATURE_PREFIX) => (Line::OtherSignature, line),
            (None, None) => (Line::Other, line),
        };
        before = kind;
        match kind {
            Line::Signature => signature.get_or_insert_default().extend_from_slice(value),
            Line::OtherSignature => {}
            Line::Other => payload.extend_from_slice(line),
        }
    }
    // From the empty line on everything is the message, whatever it looks like.
    payload.extend_from_slice(rest);
    Signed { signature, payload }
}

/// What a line of the header belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Signature,
    OtherSignature,
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts a commit and shows both parts.
    fn check(commit: &str, signature: Option<&str>, payload: &str) {
        let parts = part(commit.as_bytes());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the test's commits are text");
        assert_eq!((parts.signature.map(text).as_deref(), text(parts.payload).as_str()), (signature, payload));
    }

    #[test]
    fn the_signature_is_taken_out_of_the_header() {
        let commit = "tree 1\nauthor A\ngpgsig -----BEGIN\n \n abc\n -----END\nencoding x\n\nmessage\n";
        check(commit, Some("-----BEGIN\n\nabc\n-----END\n"), "tree 1\nauthor A\nencoding x\n\nmessage\n");
    }

    #[test]
    fn signatures_over_other_hashes_are_neither_the_signature_nor_what_is_signed() {
        check("tree 1\ngpgsig-sha256 x\n y\ngpgsig a\n b\n\nm", Some("a\nb\n"), "tree 1\n\nm");
        check("tree 1\ngpgsigtree 2\n\nm", None, "tree 1\n\nm");
    }

    #[test]
    fn several_signatures_are_joined() {
        check("tree 1\ngpgsig a\nparent 2\ngpgsig b\n\nm", Some("a\nb\n"), "tree 1\nparent 2\n\nm");
    }

    #[test]
    fn other_headers_keep_their_further_lines() {
        check("tree 1\nmergetag object 2\n gpgsig x\n\nm", None, "tree 1\nmergetag object 2\n gpgsig x\n\nm");
    }

    #[test]
    fn a_message_is_no_header() {
        check("tree 1\n\nmessage\ngpgsig a\n b\n", None, "tree 1\n\nmessage\ngpgsig a\n b\n");
        check("\ngpgsig a\n", None, "\ngpgsig a\n");
    }

    #[test]
    fn the_time_is_the_committers() {
        // the committer's line | seconds since 1970
        let table = [
            ("committer A <a@b> 1780315200 +0900", Some(1_780_315_200)),
            ("committer A > B <a@b> 1780315200 +0000", Some(1_780_315_200)),
            ("committer A <a@b> -1 +0000", Some(-1)),
            ("committer A <a@b>", None),
            ("committer A <a@b> soon +0000", None),
            ("committer A <a@b> 99999999999999999999 +0000", None),
            ("author A <a@b> 1780315200 +0000", None),
            ("committer A <a@b> 1 +0000\ncommitter A <a@b> 2 +0000", None),
        ];
        for (line, seconds) in table {
            let commit = part(format!("tree 1\n{line}\n\ncommitter B <b@c> 7 +0000\n").as_bytes());
            assert_eq!(commit.committed().map(Timestamp::as_second), seconds, "{line}");
        }
    }

    #[test]
    fn whatever_is_no_commit_is_parted_all_the_same() {
        check("", None, "");
        check(" x", None, " x");
        check("gpgsig a", Some("a"), "");
        let with_nul = part(b"tree 1\n\nmessage\0more\n");
        assert_eq!(with_nul, Signed { signature: None, payload: b"tree 1\n\nmessage\0more\n".to_vec() });
    }
}
