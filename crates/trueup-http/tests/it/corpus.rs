//! What a fuzzer begins with, as ordinary tests: whatever comes is answered, and nothing of it is believed.
//!
//! `fuzz-corpus/headers/` has header blocks, `fuzz-corpus/bodies/` has bodies; each body is signed for every provider.

use std::path::Path;

use proptest::prelude::*;
use trueup_http::{Answer, Place, Refused};

use crate::message::{Desk, Message, NOW};

fn files(directory: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz-corpus").join(directory);
    let entries =
        std::fs::read_dir(path).expect("the corpus is there").map(|entry| entry.expect("it can be read").path());
    let files: Vec<_> =
        entries.map(|path| (path.display().to_string(), std::fs::read(&path).expect("it can be read"))).collect();
    assert!(files.len() >= 10, "the corpus is there");
    files
}

/// A body as every provider would sign it.
fn signed(body: &str) -> [Message; 6] {
    [
        Message::github("push", body),
        Message::github("push", body).with("content-type", "application/x-www-form-urlencoded"),
        Message::gitlab("Push Hook", body),
        Message::gitlab("System Hook", body),
        Message::gitea("push", body),
        Message::generic(&NOW.to_string(), "d-1", body),
    ]
}

#[test]
fn every_body_of_the_corpus_is_answered_and_triggers_nothing() {
    for (name, bytes) in files("bodies") {
        let text = String::from_utf8_lossy(&bytes);
        for message in signed(&text) {
            let answer = Desk::new().receive(&message);
            let is_harmless = matches!(answer, Answer::Ignored(_) | Answer::Refused(Refused::MalformedBody));
            assert!(is_harmless, "{name}: {answer:?} to {:?}", message.headers);
        }
    }
}

#[test]
fn no_headers_of_the_corpus_are_believed() {
    for (name, bytes) in files("headers") {
        let text = String::from_utf8_lossy(&bytes);
        let headers: Vec<(&str, &str)> = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect();
        for body in ["", "{}"] {
            let answer = Desk::new().receive(&Message::new(&headers, body));
            assert!(matches!(answer, Answer::Refused(_)), "{name}: {answer:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_signed_body_is_answered(body in "\\PC{0,200}") {
        for message in signed(&body) {
            let answer = Desk::new().receive(&message);
            prop_assert!(answer != Answer::Accepted || body.trim().is_empty(), "{:?}", message);
        }
    }

    #[test]
    fn any_signature_but_the_right_one_is_refused(signature in "(sha256=)?[0-9a-fA-F]{0,70}", body in "\\PC{0,50}") {
        for name in ["x-hub-signature-256", "x-gitea-signature", "x-forgejo-signature", "x-gitlab-token"] {
            let message = Message::new(&[(name, &signature), ("x-github-event", "push")], &body);
            let refused = matches!(Desk::new().receive(&message), Answer::Refused(_));
            prop_assert!(refused);
        }
    }

    #[test]
    fn any_text_is_a_place_or_none(text in "\\PC{0,80}") {
        if let Some(place) = Place::parse(&text) {
            prop_assert_eq!(Place::parse(&text), Some(place));
        }
    }
}
