//! What genuine messages say, and what of it concerns us.

use std::time::Duration;

use tokio::time::sleep;
use trueup_http::{Answer, Ignored, Refused};

use crate::message::{
    Desk, GITEA_PUSH, GITHUB_PING, GITHUB_PUSH, GITLAB_PUSH, GITLAB_SYSTEM_PUSH, Message, NOW, SECRET, hmac,
};

const ACCEPTED: Answer = Answer::Accepted;
const OTHER_EVENT: Answer = Answer::Ignored(Ignored::OtherEvent);
const OTHER_REPOSITORY: Answer = Answer::Ignored(Ignored::OtherRepository);
const OTHER_BRANCH: Answer = Answer::Ignored(Ignored::OtherBranch);
const TAG: Answer = Answer::Ignored(Ignored::Tag);
const DELETION: Answer = Answer::Ignored(Ignored::Deletion);
const MALFORMED: Answer = Answer::Refused(Refused::MalformedBody);
const ZEROS: &str = "0000000000000000000000000000000000000000";

fn generic(body: &str) -> Message {
    Message::generic(&NOW.to_string(), "d-1", body)
}

fn form(body: &str) -> Message {
    let body: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", body).finish();
    Message::github("push", &body).with("content-type", "application/x-www-form-urlencoded")
}

#[test]
fn every_provider_s_push_is_understood_and_all_else_is_ignored_politely() {
    let github = |old, new| Message::github("push", &GITHUB_PUSH.replace(old, new));
    let gitlab = |old, new| Message::gitlab("Push Hook", &GITLAB_PUSH.replace(old, new));
    let gitea = |old, new| Message::gitea("push", &GITEA_PUSH.replace(old, new));
    let (main, next, tag) = ("refs/heads/main", "refs/heads/next", "refs/tags/v1");
    let github_after = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c";
    let gitlab_after = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";
    let gitea_after = "bffeb74224043ba2feb48d137756c8a9331c449a";
    let table = [
        ("GitHub, push", github("", ""), ACCEPTED),
        ("GitHub, push as a form", form(GITHUB_PUSH), ACCEPTED),
        ("GitHub, another branch", github(main, next), OTHER_BRANCH),
        ("GitHub, a branch that begins alike", github(main, "refs/heads/main/2"), OTHER_BRANCH),
        ("GitHub, a branch that ends alike", github(main, "refs/heads/x/main"), OTHER_BRANCH),
        ("GitHub, a tag of the branch's name", github(main, "refs/tags/main"), TAG),
        ("GitHub, a tag", github(main, tag), TAG),
        ("GitHub, another ref", github(main, "refs/pull/1/head"), OTHER_BRANCH),
        ("GitHub, deleted", github("\"deleted\": false", "\"deleted\": true"), DELETION),
        ("GitHub, deleted, by the zeros", github(github_after, ZEROS), DELETION),
        ("GitHub, created", github("\"created\": false", "\"created\": true"), ACCEPTED),
        ("GitHub, forced", github("\"forced\": false", "\"forced\": true"), ACCEPTED),
        ("GitHub, another repository", github("example/state", "example/other"), OTHER_REPOSITORY),
        ("GitHub, ping", Message::github("ping", GITHUB_PING), Answer::Pong),
        ("GitHub, an issue", Message::github("issues", "{\"action\": \"opened\"}"), OTHER_EVENT),
        (
            "GitHub, no event",
            Message::github("push", GITHUB_PUSH).without("x-github-event"),
            Answer::Refused(Refused::MalformedHeader),
        ),
        ("GitHub, no JSON", Message::github("push", "ref=refs/heads/main"), MALFORMED),
        (
            "GitHub, a form without a payload",
            Message::github("push", "a=b").with("content-type", "application/x-www-form-urlencoded"),
            MALFORMED,
        ),
        ("GitHub, another JSON", Message::github("push", "[]"), MALFORMED),
        (
            "GitHub, no ref",
            Message::github("push", "{\"repository\": {\"url\": \"https://github.com/example/state\"}}"),
            MALFORMED,
        ),
        ("GitHub, no repository", Message::github("push", "{\"ref\": \"refs/heads/main\"}"), MALFORMED),
        ("GitHub, nested beyond reason", Message::github("push", &"[".repeat(100_000)), MALFORMED),
        ("GitLab, push", gitlab("", ""), ACCEPTED),
        ("GitLab, another branch", gitlab(main, next), OTHER_BRANCH),
        ("GitLab, another repository", gitlab("platform/state", "platform/other"), OTHER_REPOSITORY),
        ("GitLab, deleted", gitlab(gitlab_after, ZEROS), DELETION),
        ("GitLab, a tag", Message::gitlab("Tag Push Hook", &GITLAB_PUSH.replace(main, tag)), TAG),
        ("GitLab, an issue", Message::gitlab("Issue Hook", "{}"), OTHER_EVENT),
        ("GitLab, system hook", Message::gitlab("System Hook", GITLAB_SYSTEM_PUSH), ACCEPTED),
        (
            "GitLab, another system hook",
            Message::gitlab("System Hook", "{\"event_name\": \"user_create\"}"),
            OTHER_EVENT,
        ),
        ("Gitea, push", gitea("", ""), ACCEPTED),
        ("Gitea, another branch", gitea(main, next), OTHER_BRANCH),
        ("Gitea, a tag", gitea(main, tag), TAG),
        ("Gitea, deleted", gitea(gitea_after, ZEROS), DELETION),
        ("Gitea, another repository", gitea("platform/state", "platform/other"), OTHER_REPOSITORY),
        ("Gitea, known by its ssh alone", gitea("https://git.example.com", "https://elsewhere.example"), ACCEPTED),
        (
            "Gitea, a deletion's own event",
            Message::gitea("delete", "{\"ref\": \"main\", \"ref_type\": \"branch\"}"),
            OTHER_EVENT,
        ),
        ("Forgejo, push", Message::forgejo("push", GITEA_PUSH), ACCEPTED),
        ("Forgejo, another branch", Message::forgejo("push", &GITEA_PUSH.replace(main, next)), OTHER_BRANCH),
        ("generic, nothing said", generic(""), ACCEPTED),
        ("generic, an empty object", generic(" {}\n"), ACCEPTED),
        (
            "generic, all said",
            generic("{\"repository\": \"ssh://git@github.com/example/state\", \"ref\": \"refs/heads/main\"}"),
            ACCEPTED,
        ),
        ("generic, the branch's short name", generic("{\"ref\": \"main\"}"), ACCEPTED),
        ("generic, another branch", generic("{\"ref\": \"next\"}"), OTHER_BRANCH),
        ("generic, a tag", generic("{\"ref\": \"refs/tags/v1\"}"), TAG),
        (
            "generic, another repository",
            generic("{\"repository\": \"https://github.com/example/other\"}"),
            OTHER_REPOSITORY,
        ),
        ("generic, no repository's name", generic("{\"repository\": \"https://\"}"), MALFORMED),
        ("generic, a member too many", generic("{\"refs\": \"main\"}"), MALFORMED),
        ("generic, no JSON", generic("main"), MALFORMED),
    ];
    for (what, message, expected) in table {
        assert_eq!(Desk::new().receive(&message), expected, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_triggers_at_once_and_a_burst_once_more() {
    let desk = std::sync::Arc::new(Desk::new());
    let passing = std::sync::Arc::clone(&desk);
    let passing = tokio::spawn(async move { passing.receiver.pass_on().await });
    let push = |number: usize| {
        let body = GITHUB_PUSH.replace("Release 1.1", &format!("Release {number}"));
        assert_eq!(desk.receive(&Message::github("push", &body)), ACCEPTED);
    };
    let tick = || sleep(Duration::from_millis(1));
    push(0);
    tick().await;
    assert_eq!(desk.triggers(), 1, "at once");
    for number in 1..=100 {
        push(number);
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(desk.triggers(), 1, "they wait for the second to pass");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(desk.triggers(), 2, "and are passed on together");
    sleep(Duration::from_hours(1)).await;
    assert_eq!(desk.triggers(), 2, "nothing is passed on that did not come");

    // What is nothing to us triggers nothing.
    desk.receive(&Message::github("ping", GITHUB_PING));
    desk.receive(&Message::github("push", &GITHUB_PUSH.replace("refs/heads/main", "refs/heads/next")));
    desk.receive(&Message::github("push", &GITHUB_PUSH.replace("Release 1.1", "Release 0")));
    desk.receive(&Message::github("push", GITHUB_PUSH).with("x-hub-signature-256", &hmac(SECRET, b"")));
    sleep(Duration::from_hours(1)).await;
    assert_eq!(desk.triggers(), 2);

    // What comes while nobody passes it on is passed on later.
    passing.abort();
    tick().await;
    push(101);
    let passing = std::sync::Arc::clone(&desk);
    tokio::spawn(async move { passing.receiver.pass_on().await });
    tick().await;
    assert_eq!(desk.triggers(), 3);
}
