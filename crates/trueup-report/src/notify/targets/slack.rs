//! Messages as Slack's incoming webhooks take them; Mattermost's take the same.
//!
//! Source: Slack API, "Sending messages using incoming webhooks", "Formatting text for app surfaces", "Secondary message
//! attachments"; Mattermost, "Incoming webhooks".

use async_trait::async_trait;
use serde_json::{Value, json};
use trueup_core::report::{Event, text};

use super::reader::Reader;
use super::{Key, Table, address};
use crate::notify::deliver::{Attempt, Deliver, Outlets};
use crate::notify::transport::Request;
use crate::secret::SecretSource;

/// Posts a message for each event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slack {
    /// The URL of the incoming webhook. It is secret: knowing it is enough to post.
    pub url: SecretSource,
}

/// The keys of its table, in addition to those of every table.
pub(super) const KEYS: &[Key] = &[Key::UrlFile, Key::UrlEnv, Key::Events];

impl Slack {
    /// Reads the target's own keys.
    pub(super) fn read(table: &Table, reader: &mut Reader<'_>) -> Option<Self> {
        reader.url(table.url_file.as_ref(), table.url_env.as_ref()).map(|url| Self { url })
    }
}

#[async_trait]
impl Deliver<Event> for Slack {
    async fn deliver(&self, event: &Event, _: &str, by: &Outlets) -> Attempt {
        match address::read(&self.url) {
            Ok(url) => {
                by.post(Request { url, headers: Vec::new(), body: message(event).to_string() }, |_, _| false).await
            }
            Err(error) => Attempt::Unready { error },
        }
    }
}

/// How much of an event a message contains; Slack shows less than that without a click.
const HEADLINE_CHARACTERS_MAX: usize = 600;
const DETAILS_CHARACTERS_MAX: usize = 2_400;
const DETAILS_LINES_MAX: usize = 20;

/// The message for an event.
pub(in crate::notify) fn message(event: &Event) -> Value {
    let (headline, details) = parts(event);
    let place = match (&event.environment, &event.application) {
        (Some(environment), Some(application)) => format!("{environment}/{application}"),
        (Some(environment), None) => environment.to_string(),
        (None, Some(application)) => application.to_string(),
        (None, None) => "trueup".to_owned(),
    };
    let revision = event.revision.as_ref().map(|revision| {
        let digits: String = revision.as_str().chars().take(10).collect();
        format!(" at {digits}")
    });
    let name = event.what.name();
    let title = safe(&format!("{place}: {name}{}", revision.unwrap_or_default()));
    let headline = safe(&bounded(&headline, HEADLINE_CHARACTERS_MAX));
    let mut body = headline.clone();
    if !details.is_empty() {
        // Nothing in it can end the block.
        let details = safe(&bounded(&details, DETAILS_CHARACTERS_MAX)).replace("```", "'''");
        body = format!("{headline}\n```\n{details}\n```");
    }
    json!({
        "text": title,
        "attachments": [{
            "fallback": headline,
            "color": color(name),
            "text": body,
            "mrkdwn_in": ["text"],
            "ts": event.time.as_second(),
        }],
    })
}

/// What happened in one line, and the lines below it, as the terminal has them.
fn parts(event: &Event) -> (String, String) {
    let text = text(event);
    let (head, details) = text.split_once('\n').unwrap_or((&text, ""));
    // Time, place and name have a place of their own in a message.
    let name = format!(" {}: ", event.what.name());
    let headline = head.split_once(&name).map_or(head, |(_, headline)| headline);
    let mut lines: Vec<&str> = details.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let more = format!("… and {} more", lines.len().saturating_sub(DETAILS_LINES_MAX));
    if lines.len() > DETAILS_LINES_MAX {
        lines.truncate(DETAILS_LINES_MAX);
        lines.push(&more);
    }
    (headline.to_owned(), lines.join("\n"))
}

/// Red for what went wrong, green for what is good again, blue for the rest.
fn color(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("failed" | "rolled_back" | "timed_out" | "rejected" | "unverified") => "#b3261e",
        _ if matches!(name, "hold.started" | "drift.detected") => "#d98200",
        Some("completed" | "resolved" | "recovered" | "ended") => "#2e7d32",
        _ => "#4a6fa5",
    }
}

/// At most so many characters.
fn bounded(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut bounded: String = text.chars().take(max - 1).collect();
    bounded.push('…');
    bounded
}

/// Escapes foreign text, so that it mentions no person, links nowhere and shows no picture: `&`, `<` and `>` as Slack
/// wants them; `@` and `![`, which Mattermost interprets, are broken up by a zero-width space.
fn safe(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('@', "@\u{200b}").replace("![", "!\u{200b}[")
}

#[cfg(test)]
mod tests {
    use trueup_core::report::What;

    use super::*;
    use crate::notify::subject::tests::{ended, event, held};

    #[test]
    fn a_message_has_place_name_and_revision_then_what_happened_and_what_ends_it() {
        let sent = message(&event("0123456789abcdef", held("no such subnet")));
        assert_eq!(sent["text"], "production/web: hold.started at 0123456789");
        assert_eq!(
            sent["attachments"][0]["text"],
            "AWS refused `ecs:UpdateService`: no such subnet (correct the document, or the resource that the message names)"
        );
        assert_eq!(sent["attachments"][0]["color"], "#d98200");
        assert_eq!(message(&event("a", ended()))["attachments"][0]["color"], "#2e7d32");
    }

    #[test]
    fn foreign_text_cannot_call_anybody_link_anywhere_or_grow() {
        let foreign = "<!channel> <https://evil.example|click> @here & ![x](https://evil.example/p.png) ```";
        let sent = message(&event("a", held(foreign)));
        let text = sent["attachments"][0]["text"].as_str().unwrap();
        assert!(!text.contains(['<', '>']) && !text.contains("@here") && !text.contains("!["), "{text}");
        assert!(text.contains("&lt;!channel&gt;") && text.contains("&amp;"), "{text}");

        let sent = message(&event("a", held(&"<".repeat(100_000))));
        assert!(sent.to_string().len() < 20_000, "{}", sent.to_string().len());
        let problems = (0..100).map(|number| {
            trueup_core::document::Problem::of_file("x", format!("{number}.toml"), "```wrong".repeat(100))
        });
        let what = What::RevisionRejected { message: "it is wrong".to_owned(), problems: problems.collect() };
        let text = message(&event("a", what))["attachments"][0]["text"].as_str().unwrap().to_owned();
        assert!(text.chars().count() < 4_000 && text.matches("```").count() == 2, "{text}");
    }
}
