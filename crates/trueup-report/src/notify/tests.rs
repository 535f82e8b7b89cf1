use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::subject::tests::{ended, event, held};
use super::*;
use crate::secret::SecretSource;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
}

/// A server on loopback that answers each request with the next of these, with the last one for ever, and keeps what it
/// got: head and body.
struct Server {
    port: u16,
    got: Arc<Mutex<Vec<(String, String)>>>,
}

impl Server {
    async fn start(answers: Vec<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, got) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<_>>>::default());
        let kept = got.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = Vec::new();
                let request = loop {
                    let mut buffer = [0; 4096];
                    let count = stream.read(&mut buffer).await.unwrap();
                    text.extend_from_slice(&buffer[..count]);
                    let shown = String::from_utf8_lossy(&text).into_owned();
                    let Some((head, body)) = shown.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .to_lowercase()
                        .split("content-length: ")
                        .nth(1)
                        .map_or(0, |rest| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
                    if body.len() >= length {
                        break (head.to_owned(), body.to_owned());
                    }
                };
                kept.lock().unwrap().push(request);
                let answer = answers[number.min(answers.len() - 1)];
                let close = "Connection: close\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(format!("HTTP/1.1 {answer}\r\n{close}").as_bytes()).await.unwrap();
            }
        });
        Self { port, got }
    }

    fn got(&self) -> Vec<(String, String)> {
        self.got.lock().unwrap().clone()
    }

    async fn wait_for(&self, count: usize) -> Vec<(String, String)> {
        let all = async {
            while self.got().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), all).await.expect("it is told");
        self.got()
    }
}

/// A directory with the URL of a server's path and a secret.
fn secrets(server: &Server) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("url"), format!("http://127.0.0.1:{}/hunter2\n", server.port)).unwrap();
    fs::write(directory.path().join("secret"), "not-a-real-secret\n").unwrap();
    directory
}

fn source(directory: &TempDir, name: &str) -> SecretSource {
    SecretSource::File(directory.path().join(name))
}

fn webhook(directory: &TempDir) -> Target {
    let means = Means::Webhook(Webhook { url: source(directory, "url"), secret: source(directory, "secret") });
    Target { name: "webhook-1".to_owned(), filter: Filter::default(), means }
}

/// Sink and tasks for a target.
fn start(target: Target, directory: &TempDir) -> (Arc<dyn Sink>, Running) {
    let notifications = Notifications::new(vec![target], Arc::new(Fixed)).unwrap();
    (notifications.sink(), notifications.start(Status::default, Some(directory.path())))
}

#[tokio::test]
async fn a_webhook_gets_signed_events_in_order_and_the_same_delivery_again_where_it_failed() {
    let server = Server::start(vec!["503 Service Unavailable\r\nRetry-After: 0", "204 No Content"]).await;
    let directory = secrets(&server);
    let (sink, running) = start(webhook(&directory), &directory);
    for what in [held("x"), held("x again"), ended(), held("x")] {
        sink.emit(&event("a", what));
    }
    let got = server.wait_for(4).await;
    running.finish(Duration::from_secs(2)).await;
    let names: Vec<String> = got
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    // The first one twice, the one that says nothing new not at all.
    assert_eq!(names, ["hold.started", "hold.started", "hold.ended", "hold.started"]);
    let header = |index: usize, name: &str| {
        let head: &str = &got[index].0;
        let line = head.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(header(0, "trueup-delivery"), header(1, "trueup-delivery"));
    assert_ne!(header(1, "trueup-delivery"), header(2, "trueup-delivery"));
    assert!(header(0, "trueup-signature").starts_with("t=1800000000,v1="));
    assert!(got[0].0.starts_with("POST /hunter2 HTTP/1.1") && header(0, "trueup-event") == "hold.started");
    assert_eq!(server.got().len(), 4);
}

#[tokio::test]
async fn a_restart_tells_nothing_twice_and_what_ended_again() {
    let server = Server::start(vec!["200 OK"]).await;
    let directory = secrets(&server);
    for _ in 0..2 {
        let (sink, running) = start(webhook(&directory), &directory);
        sink.emit(&event("a", held("x")));
        running.finish(Duration::from_secs(5)).await;
    }
    assert_eq!(server.got().len(), 1);
    let mut target = webhook(&directory);
    // That it ended counts also where it is not told.
    target.filter.events = vec!["hold.started".to_owned()];
    let (sink, running) = start(target, &directory);
    sink.emit(&event("a", ended()));
    sink.emit(&event("a", held("x")));
    running.finish(Duration::from_secs(5)).await;
    assert_eq!(server.got().len(), 2);
}

#[test]
fn no_value_of_an_environment_variable_gets_into_a_message() {
    use crate::fixture::{CANARY, event, failed, plan, planned, status, wrong};
    let plan = wrong(plan("production", "web"));
    let (step, held) = (plan.steps[0].clone(), plan.held[1].clone());
    let (changes, resource) = (step.changes.clone(), step.subject.resource().cloned().expect("a resource"));
    let reason = held.reason;
    let (message, cure) = (reason.message(), reason.remedy().to_owned());
    let whats = [
        planned(),
        failed("x"),
        What::DriftDetected { resource, reason: "changed", changes: changes.clone() },
        What::StepApplied { step: (&step).into(), request_id: None },
        What::HoldStarted {
            resource: held.subject.resource().cloned(),
            hold: reason,
            message,
            cure,
            changes,
            applications: BTreeSet::new(),
        },
    ];
    for what in whats {
        let event = event("web", what);
        for body in [targets::webhook::body(&event), targets::slack::message(&event).to_string()] {
            assert!(!body.contains(CANARY), "{body}");
            assert!(body.contains("web"), "{body}");
        }
    }
    let statuses =
        evaluation::Evaluator::default().evaluate(&status([plan]), |_| true, |_| Some("old pending Progressing"));
    assert_eq!(statuses.len(), 1);
    assert!(!format!("{statuses:?}").contains(CANARY));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(vec!["200 OK"]).await;
    let answer = format!("307 Temporary Redirect\r\nLocation: http://127.0.0.1:{}/x", elsewhere.port);
    let server = Server::start(vec![answer.leak()]).await;
    let directory = secrets(&server);
    let (sink, running) = start(webhook(&directory), &directory);
    sink.emit(&event("a", held("x")));
    running.finish(Duration::from_secs(5)).await;
    assert_eq!((server.got().len(), elsewhere.got().len()), (1, 0));
}

#[tokio::test]
async fn a_target_that_does_not_answer_delays_no_other_and_no_end() {
    let (dead, server) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Server::start(vec!["200 OK"]).await);
    let directory = secrets(&server);
    let other = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}/", dead.local_addr().unwrap().port());
    fs::write(other.path().join("url"), url).unwrap();
    let slack = Means::Slack(Slack { url: source(&other, "url") });
    let slack = Target { name: "slack-1".to_owned(), filter: Filter::default(), means: slack };
    let notifications = Notifications::new(vec![slack, webhook(&directory)], Arc::new(Fixed)).unwrap();
    let sink = notifications.sink();
    let running = notifications.start(Status::default, None);
    for number in 0..1_000 {
        sink.emit(&event(&number.to_string(), held("x")));
    }
    server.wait_for(1).await;
    let began = std::time::Instant::now();
    running.finish(Duration::from_millis(300)).await;
    assert!(began.elapsed() < Duration::from_secs(2));
}
