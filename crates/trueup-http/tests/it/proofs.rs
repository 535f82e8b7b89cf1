//! Whether somebody knows the secret, before anything else is looked at.

use trueup_http::{Answer, Ignored, Refused};

use crate::message::{Desk, GITEA_PUSH, GITHUB_PING, GITHUB_PUSH, GITLAB_PUSH, Message, NOW, OTHER, SECRET, hmac};

const ACCEPTED: Answer = Answer::Accepted;
const UNSIGNED: Answer = Answer::Refused(Refused::Unsigned);
const WRONG: Answer = Answer::Refused(Refused::WrongSignature);
const STALE: Answer = Answer::Refused(Refused::Stale);
const MALFORMED: Answer = Answer::Refused(Refused::MalformedHeader);

fn github() -> Message {
    Message::github("push", GITHUB_PUSH)
}

fn gitlab() -> Message {
    Message::gitlab("Push Hook", GITLAB_PUSH)
}

fn gitea() -> Message {
    Message::gitea("push", GITEA_PUSH)
}

fn forgejo() -> Message {
    Message::forgejo("push", GITEA_PUSH)
}

fn generic() -> Message {
    Message::generic(&NOW.to_string(), "d-1", "")
}

/// Each message to a receiver of its own.
fn check(table: impl IntoIterator<Item = (&'static str, Message, Answer)>) {
    for (what, message, expected) in table {
        let desk = Desk::new();
        assert_eq!(desk.receive(&message), expected, "{what}: {:?}", message.headers);
    }
}

#[test]
fn who_knows_the_secret_is_believed_and_nobody_else() {
    let tag = hmac(SECRET, GITHUB_PUSH.as_bytes());
    let foreign = format!("sha256={}", hmac(OTHER, GITHUB_PUSH.as_bytes()));
    let signature = "x-hub-signature-256";
    check([
        ("right", github(), ACCEPTED),
        ("in capitals", github().with(signature, &format!("sha256={}", tag.to_uppercase())), ACCEPTED),
        ("none", github().without(signature).without("x-hub-signature"), UNSIGNED),
        ("SHA-1 alone", github().without(signature), UNSIGNED),
        ("empty", github().with(signature, ""), WRONG),
        ("without its prefix", github().with(signature, &tag), WRONG),
        ("with another prefix", github().with(signature, &format!("sha1={tag}")), WRONG),
        ("cut by a digit", github().with(signature, &format!("sha256={}", &tag[1..])), WRONG),
        ("cut by a byte", github().with(signature, &format!("sha256={}", &tag[2..])), WRONG),
        ("with a digit more", github().with(signature, &format!("sha256={tag}0")), WRONG),
        ("no hexadecimal digits", github().with(signature, &format!("sha256={}", "g".repeat(64))), WRONG),
        ("with signs", github().with(signature, &format!("sha256={}", "+0".repeat(32))), WRONG),
        ("of another secret", github().with(signature, &foreign), WRONG),
        ("of another body", github().with_body(&GITHUB_PUSH.replace("1.1", "1.2")), WRONG),
        ("of a body with an end", github().with_body(&format!("{GITHUB_PUSH} ")), WRONG),
        ("twice", github().with_second(signature, &foreign), MALFORMED),
        ("GitLab's token", gitlab(), ACCEPTED),
        ("another token", gitlab().with("x-gitlab-token", OTHER), WRONG),
        ("an empty token", gitlab().with("x-gitlab-token", ""), WRONG),
        ("a part of the token", gitlab().with("x-gitlab-token", &SECRET[1..]), WRONG),
        ("more than the token", gitlab().with("x-gitlab-token", &format!("{SECRET}a")), WRONG),
        ("no token", gitlab().without("x-gitlab-token"), UNSIGNED),
        ("Gitea", gitea(), ACCEPTED),
        ("Gitea, GitHub's header alone", gitea().without("x-gitea-signature"), ACCEPTED),
        ("Gitea, wrong", gitea().with("x-gitea-signature", &foreign[7..]), WRONG),
        ("Gitea, with a prefix", gitea().with("x-gitea-signature", &foreign), WRONG),
        ("Forgejo", forgejo(), ACCEPTED),
        ("Forgejo, wrong", forgejo().with("x-forgejo-signature", &foreign[7..]), WRONG),
        ("none of all", Message::new(&[], "{}"), UNSIGNED),
    ]);
}

#[test]
fn a_generic_message_is_signed_with_its_time_and_its_delivery() {
    let at = |seconds: i64| Message::generic(&(NOW + seconds).to_string(), "d-1", "");
    check([
        ("right", generic(), ACCEPTED),
        ("from a clock that is behind", at(-300), ACCEPTED),
        ("from a clock that is ahead", at(300), ACCEPTED),
        ("old", at(-301), STALE),
        ("from the future", at(301), STALE),
        ("of the year 292277026596", Message::generic("9223372036854775807", "d-1", ""), STALE),
        ("another time than the signed one", generic().with("x-trueup-timestamp", &(NOW + 1).to_string()), WRONG),
        ("another delivery than the signed one", generic().with("x-trueup-delivery", "d-2"), WRONG),
        ("another body than the signed one", generic().with_body("{}"), WRONG),
        ("no time", generic().without("x-trueup-timestamp"), MALFORMED),
        ("no delivery", generic().without("x-trueup-delivery"), MALFORMED),
        ("a time that is none", Message::generic("now", "d-1", ""), MALFORMED),
        ("a time before all times", Message::generic("-1", "d-1", ""), MALFORMED),
        ("a time beyond all times", Message::generic("99999999999999999999", "d-1", ""), MALFORMED),
        ("an empty delivery", Message::generic(&NOW.to_string(), "", ""), MALFORMED),
        ("a delivery with a dot", Message::generic(&NOW.to_string(), "d.1", ""), MALFORMED),
        ("a long delivery", Message::generic(&NOW.to_string(), &"d".repeat(129), ""), MALFORMED),
        ("GitHub's signature in our header", github().with("x-trueup-signature", "sha256="), MALFORMED),
    ]);
}

#[test]
fn a_stolen_stamp_does_not_become_another_one() {
    // What is signed are the same bytes, if the parts could be shifted.
    let stolen = Message::generic(&NOW.to_string(), "d-1", "x");
    let desk = Desk::new();
    let shifted = stolen.clone().with("x-trueup-delivery", "d").with_body("-1.x");
    assert_eq!(desk.receive(&shifted), WRONG);
}

#[test]
fn secrets_rotate_without_a_restart() {
    let desk = Desk::new();
    let signed = |secret: &str, release: &str| {
        let body = GITHUB_PUSH.replace("Release 1.1", release);
        Message::github("push", &body).with("x-hub-signature-256", &format!("sha256={}", hmac(secret, body.as_bytes())))
    };
    assert_eq!(desk.receive(&signed(SECRET, "1")), ACCEPTED);
    assert_eq!(desk.receive(&signed(OTHER, "2")), WRONG);
    desk.write_secrets(&format!("{SECRET}\n{OTHER}\n"));
    assert_eq!(desk.receive(&signed(SECRET, "3")), ACCEPTED);
    assert_eq!(desk.receive(&signed(OTHER, "4")), ACCEPTED);
    desk.write_secrets(&format!("{OTHER}\n"));
    assert_eq!(desk.receive(&signed(SECRET, "5")), WRONG);
    assert_eq!(desk.receive(&signed(OTHER, "6")), ACCEPTED);
    // Somebody is about to write it.
    desk.write_secrets("");
    assert_eq!(desk.receive(&signed(OTHER, "7")), ACCEPTED);
}

#[test]
fn what_came_before_triggers_nothing_whatever_a_thief_changes_that_is_not_signed() {
    let again = |message: Message, thief: Message| {
        let desk = Desk::new();
        assert_eq!(desk.receive(&message), ACCEPTED);
        assert_eq!(desk.receive(&message), Answer::Replayed);
        assert_eq!(desk.receive(&thief), Answer::Replayed, "{:?}", thief.headers);
    };
    again(github(), github().with("x-github-delivery", "00000000-0000-0000-0000-000000000000"));
    again(gitea(), gitea().with("x-gitea-delivery", "00000000-0000-0000-0000-000000000000"));
    again(gitea(), gitea().without("x-gitea-signature"));
    again(gitlab(), gitlab().with("x-gitlab-instance", "https://evil.example"));
    again(
        generic(),
        generic().with("x-trueup-signature", &generic().headers[2].1.to_uppercase().replacen("SHA", "sha", 1)),
    );

    let desk = Desk::new();
    assert_eq!(desk.receive(&generic()), ACCEPTED);
    desk.pass(301);
    assert_eq!(desk.receive(&generic()), STALE);
}

#[test]
fn what_happens_twice_is_told_twice() {
    // The branch went back and forth: GitLab's payload is the same to the byte, the event is another one.
    let desk = Desk::new();
    assert_eq!(desk.receive(&gitlab()), ACCEPTED);
    let second = gitlab().with("x-gitlab-event-uuid", "e5c2b3f0-0000-4000-8000-000000000000");
    assert_eq!(desk.receive(&second), ACCEPTED);
    // The same words at another time, or under another name.
    assert_eq!(desk.receive(&generic()), ACCEPTED);
    assert_eq!(desk.receive(&Message::generic(&NOW.to_string(), "d-2", "")), ACCEPTED);
    assert_eq!(desk.receive(&Message::generic(&(NOW + 1).to_string(), "d-1", "")), ACCEPTED);
}

#[test]
fn what_is_ignored_does_not_count_as_having_been_taken() {
    let desk = Desk::new();
    let other = Message::github("push", &GITHUB_PUSH.replace("refs/heads/main", "refs/heads/next"));
    for _ in 0..2 {
        assert_eq!(desk.receive(&other), Answer::Ignored(Ignored::OtherBranch));
        assert_eq!(desk.receive(&Message::github("ping", GITHUB_PING)), Answer::Pong);
    }
}

#[test]
fn nothing_is_parsed_before_the_signature_was_checked() {
    let broken = github().with_body("{").with("x-github-event", "nonsense").with("content-type", "nonsense");
    assert_eq!(Desk::new().receive(&broken), WRONG);
    assert_eq!(Desk::new().receive(&gitlab().with("x-gitlab-token", OTHER).with_body("{")), WRONG);
    assert_eq!(Desk::new().receive(&generic().with("x-trueup-timestamp", "nonsense").with_body("{")), WRONG);
}
