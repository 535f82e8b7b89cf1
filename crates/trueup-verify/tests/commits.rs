//! Commits that git signed with keys of ssh-keygen and gpg (`fixtures/make.sh`), against those who may sign.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use trueup_verify::{AllowedSigners, Refused};

/// When all commits were made: the committer's time.
const COMMITTED: &str = "2026-06-01T12:00:00Z";

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).expect("fixtures are text")
}

fn signers() -> AllowedSigners {
    let mut signers = AllowedSigners::default();
    signers.add_ssh(&text("allowed_signers")).expect("ssh-keygen takes them");
    signers.add_openpgp(&text("keys.asc")).expect("gpg exported them");
    signers
}

fn committed() -> Timestamp {
    COMMITTED.parse().expect("it is written as one")
}

/// Who signed a commit, or why that is not taken, in words.
fn verdict(signers: &AllowedSigners, signature: &[u8], payload: &[u8]) -> String {
    match signers.verify(Some(signature), payload, committed()) {
        Ok(signer) => signer.name,
        Err(refused) => without_key(&refused.to_string()),
    }
}

/// A message without the fingerprint in it, which is another one whenever the fixtures are made.
fn without_key(message: &str) -> String {
    let (words, rest) = message.split_once(" (").unwrap_or((message, ""));
    if rest.starts_with("SHA256:") || rest.trim_end_matches(')').bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return words.to_owned();
    }
    message.to_owned()
}

#[test]
fn each_commit_is_judged_by_its_signature() {
    // commit | who signed it, or why that is not taken
    let table = "
        ed25519         | ed25519@example.com
        ecdsa256        | ecdsa256@example.com
        ecdsa384        | ecdsa384@example.com
        ecdsa521        | ecdsa521@example.com
        rsa             | rsa@example.com
        merge           | ed25519@example.com
        stranger        | it is signed with a key that is not among the allowed signers
        not-for-git     | the signature was made for a purpose other than git
        other-namespace | the signature was made for a purpose other than git
        past            | the key was not valid at the time of the commit
        future          | the key was not valid at the time of the commit
        pgp-ed25519     | curve <curve@example.com>
        pgp-rsa         | big <big@example.com>
        pgp-subkey      | owner <owner@example.com>
        pgp-expired     | the key was not valid at the time of the commit
        pgp-revoked     | the key is revoked
        pgp-stranger    | it is signed with a key that is not among the allowed signers
        pgp-sha1        | the signature is too weak: the hash is SHA1
    ";
    let signers = signers();
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (commit, expected) = row.split_once('|').expect("two columns");
        let (commit, expected) = (commit.trim(), expected.trim());
        let (signature, payload) = (fixture(&format!("{commit}.sig")), fixture(&format!("{commit}.payload")));
        assert_eq!(verdict(&signers, &signature, &payload), expected, "{commit}");
    }
}

/// The commit object, with the signature where git puts it.
fn object(commit: &str) -> Vec<u8> {
    let (payload, signature) = (text(&format!("{commit}.payload")), text(&format!("{commit}.sig")));
    let (header, message) = payload.split_once("\n\n").expect("a commit has a message");
    format!("{header}\ngpgsig {}\n\n{message}", signature.trim_end().replace('\n', "\n ")).into_bytes()
}

#[test]
fn whole_commits_are_judged_at_their_own_time() {
    let signers = signers();
    for (commit, name) in
        [("ed25519", "ed25519@example.com"), ("merge", "ed25519@example.com"), ("pgp-rsa", "big <big@example.com>")]
    {
        assert_eq!(signers.verify_commit(&object(commit)).map(|signer| signer.name), Ok(name.to_owned()), "{commit}");
    }
    let refused = |object: &[u8]| signers.verify_commit(object).expect_err("it is not signed by somebody who may");
    assert!(matches!(refused(&object("past")), Refused::OutOfTime { .. }));
    assert_eq!(refused(&fixture("unsigned.payload")), Refused::Unsigned);
    assert_eq!(refused(b"tree 1\n\nno committer\n"), Refused::Malformed);
    // Two signatures are none, even where both are good.
    let twice = String::from_utf8(object("ed25519")).expect("text");
    let (_, signature) = twice.split_once("\ngpgsig ").expect("signed");
    let (signature, _) = signature.split_once("\n\n").expect("a message");
    let twice = twice.replacen("\n\n", &format!("\ngpgsig {signature}\n\n"), 1);
    assert_eq!(refused(twice.as_bytes()), Refused::Malformed);
}

#[test]
fn a_changed_commit_is_refused_whatever_was_changed() {
    let signers = signers();
    for commit in ["ed25519", "ecdsa256", "rsa", "pgp-ed25519", "pgp-rsa", "pgp-subkey"] {
        let (signature, payload) = (fixture(&format!("{commit}.sig")), fixture(&format!("{commit}.payload")));
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= 1;
            let refused = signers.verify(Some(&signature), &changed, committed()).expect_err("it was changed");
            assert!(matches!(refused, Refused::BadSignature { .. }), "{commit}, byte {at}: {refused:?}");
        }
    }
}

#[test]
fn the_signature_of_another_commit_is_refused() {
    let signers = signers();
    for (signed, other) in [("ed25519", "merge"), ("pgp-ed25519", "pgp-rsa"), ("rsa", "unsigned")] {
        let (signature, payload) = (fixture(&format!("{signed}.sig")), fixture(&format!("{other}.payload")));
        assert_eq!(verdict(&signers, &signature, &payload), "the signature does not match the commit", "{signed}");
    }
}

#[test]
fn a_time_outside_of_the_keys_life_is_refused_and_one_inside_is_not() {
    let mut signers = AllowedSigners::default();
    let line = text("allowed_signers").lines().next().expect("it has lines").to_owned();
    let key = line.split_once(" ssh-ed25519").expect("the first is one").1;
    let window =
        format!("ada namespaces=\"git\",valid-after=\"20260101\",valid-before=\"202607010000Z\" ssh-ed25519{key}");
    signers.add_ssh(&window).expect("it is one");
    let (signature, payload) = (fixture("ed25519.sig"), fixture("ed25519.payload"));
    // when it was committed | whether the key was valid
    let table = [
        ("2025-12-31T23:59:59Z", false),
        ("2026-01-01T00:00:00Z", true),
        ("2026-06-30T23:59:59Z", true),
        ("2026-07-01T00:00:00Z", false),
    ];
    for (time, valid) in table {
        let verdict = signers.verify(Some(&signature), &payload, time.parse().expect("a time"));
        assert_eq!(verdict.is_ok(), valid, "{time}: {verdict:?}");
    }
}

#[test]
fn what_is_no_signature_is_refused_in_words() {
    let signers = signers();
    let payload = fixture("ed25519.payload");
    let table: [(&[u8], &str); 7] = [
        (b"", "it is not signed"),
        (b" \n", "it is not signed"),
        (b"signed, honestly", "the signature header does not contain a signature"),
        (b"\xff\xfe", "the signature header does not contain a signature"),
        (
            b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----",
            "the signature header does not contain a signature",
        ),
        (
            b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----",
            "the signature header does not contain a signature",
        ),
        (b"-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----", "X.509 signatures are not verified"),
    ];
    for (signature, expected) in table {
        assert_eq!(verdict(&signers, signature, &payload), expected, "{}", String::from_utf8_lossy(signature));
    }
    assert_eq!(signers.verify(None, &payload, committed()), Err(Refused::Unsigned));
    assert_eq!(
        verdict(&signers, "x".repeat(70_000).as_bytes(), &payload),
        "the signature header does not contain a signature"
    );
}

#[test]
fn lists_that_cannot_be_taken_say_where_and_why() {
    // a list | its line | the message
    let rsa = text("short-rsa.pub");
    let ssh = [
        ("ada".to_owned(), 1, "a line has no key"),
        ("# a comment\n\nada ssh-ed25519 AAAA".to_owned(), 3, "a key cannot be read, or is a certificate"),
        (format!("short {rsa}"), 1, "a key is too weak: an RSA key of less than 2,048 bits"),
        (format!("ada cert-authority {rsa}"), 1, "certificate authorities are not supported"),
        (format!("ada valid-after=\"yesterday\" {rsa}"), 1, "a time cannot be read"),
        (format!("ada verified=\"yes\" {rsa}"), 1, "an option is not known"),
    ];
    for (list, line, message) in ssh {
        let error = AllowedSigners::default().add_ssh(&list).expect_err(&list);
        assert_eq!((error.line, error.message.as_str()), (Some(line), message), "{list}");
        assert!(!error.help.is_empty());
    }
    let broken = text("keys.asc").replacen('A', "B", 40);
    let openpgp = [
        (String::new(), None, "there is no OpenPGP public key"),
        (text("private.asc"), None, "this is a private key"),
        (format!("# two lines before\n\n{broken}"), Some(3), "a key cannot be read"),
    ];
    for (list, line, message) in openpgp {
        let error = AllowedSigners::default().add_openpgp(&list).expect_err(message);
        assert_eq!((error.line, error.message.as_str()), (line, message), "{list}");
    }
}

#[test]
fn namespaces_are_lists_of_patterns() {
    let line = text("allowed_signers").lines().next().expect("it has lines").to_owned();
    let key = line.split_once(" ssh-ed25519").expect("the first is one").1;
    // namespaces | may sign for git
    let table = [
        ("git", true),
        ("*", true),
        ("file,g?t", true),
        ("file", false),
        ("!git,*", false),
        ("*,!g*", false),
        ("!file,git", true),
    ];
    for (namespaces, may) in table {
        let mut signers = AllowedSigners::default();
        signers.add_ssh(&format!("ada namespaces=\"{namespaces}\" ssh-ed25519{key}")).expect("it is one");
        let verdict = signers.verify(Some(&fixture("ed25519.sig")), &fixture("ed25519.payload"), committed());
        assert_eq!(verdict.is_ok(), may, "{namespaces}: {verdict:?}");
    }
}

#[test]
fn nothing_may_stand_beside_an_openpgp_signature() {
    let (signature, payload) = (text("pgp-rsa.sig"), fixture("pgp-rsa.payload"));
    for beside in [format!("{signature}{signature}"), format!("{signature}more"), format!("before\n{signature}")] {
        let verdict = verdict(&signers(), beside.as_bytes(), &payload);
        assert_eq!(verdict, "the signature header does not contain a signature", "{beside}");
    }
}

#[test]
fn a_key_that_was_renewed_after_the_commit_still_speaks_for_it() {
    let mut renewed = AllowedSigners::default();
    renewed.add_openpgp(&text("renewed.asc")).expect("gpg exported it");
    let (signature, payload) = (fixture("pgp-renewed.sig"), fixture("pgp-renewed.payload"));
    assert_eq!(verdict(&renewed, &signature, &payload), "renewed <renewed@example.com>");
    // And a commit from before there was the key is out of its time.
    let early = "2025-01-01T00:00:00Z".parse().expect("a time");
    let refused = renewed.verify(Some(&signature), &payload, early).expect_err("the key was not there");
    assert!(matches!(refused, Refused::OutOfTime { .. }), "{refused:?}");
}

#[test]
fn several_blocks_of_keys_after_each_other_are_all_taken() {
    let keys = text("keys.asc");
    let mut signers = AllowedSigners::default();
    signers.add_openpgp(&format!("{}\n{keys}\n{keys}", "a line of words before")).expect("gpg exported them");
    assert!(!signers.is_empty());
    assert_eq!(verdict(&signers, &fixture("pgp-rsa.sig"), &fixture("pgp-rsa.payload")), "big <big@example.com>");
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever a stranger puts into a commit is refused in words, never by a panic.
        #[test]
        fn are_no_signature(index in 0_usize..4, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let commit = ["ed25519", "rsa", "pgp-ed25519", "pgp-rsa"][index];
            let (mut signature, payload) = (fixture(&format!("{commit}.sig")), fixture(&format!("{commit}.payload")));
            let at = at.index(signature.len());
            signature[at] = byte;
            // White space and what armor allows around it may be changed; nobody else becomes the signer by that.
            if let Ok(signer) = signers().verify(Some(&signature), &payload, committed()) {
                let original = signers().verify(Some(&fixture(&format!("{commit}.sig"))), &payload, committed());
                prop_assert_eq!(Ok(signer), original);
            }
        }
    }
}
