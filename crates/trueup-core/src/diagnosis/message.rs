//! AWS's messages: escaped for printing, searched without regard to case, and split.

use crate::report::printable;

/// The longest text that is kept of one fact. `containers[].reason` has 1,024 characters at most (ECS API reference,
/// `Container`); other texts are not bounded by AWS.
const TEXT_BYTES_MAX: usize = 2048;

/// A text on one line: control characters and runs of white space become single spaces, and a long text is cut.
pub(super) fn clean(text: &str) -> String {
    let mut clean = printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.len() > TEXT_BYTES_MAX {
        clean.truncate((0..=TEXT_BYTES_MAX).rev().find(|at| clean.is_char_boundary(*at)).unwrap_or_default());
        clean.push('…');
    }
    clean
}

/// A clean text with its lower-case form, which has the same length in bytes.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) text: String,
    lower: String,
}

impl Message {
    pub(super) fn new(text: &str) -> Self {
        let text = clean(text);
        Self { lower: text.to_ascii_lowercase(), text }
    }

    /// Whether the text contains this fragment, which must be in lower case.
    pub(super) fn has(&self, fragment: &str) -> bool {
        self.lower.contains(fragment)
    }

    /// Whether the text begins with this fragment, which must be in lower case.
    pub(super) fn starts_with(&self, fragment: &str) -> bool {
        self.lower.starts_with(fragment)
    }

    /// Whether the text contains one of these fragments.
    pub(super) fn has_any(&self, fragments: &[&str]) -> bool {
        fragments.iter().any(|fragment| self.has(fragment))
    }

    /// The word that follows the marker: up to white space, a quote, a bracket or a comma, without a mark at its end.
    pub(super) fn after(&self, marker: &str) -> Option<&str> {
        let rest = &self.text[self.lower.find(marker)? + marker.len()..];
        let rest = rest.trim_start_matches([' ', '\'', '"', '`', ':', '(']);
        let end = rest.find([' ', '\'', '"', '`', ',', ';', ')', '(', '<', '>']).unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches([':', '.'])).filter(|word| !word.is_empty())
    }

    /// The text after the marker, to the end.
    pub(super) fn rest(&self, marker: &str) -> Option<Self> {
        let at = self.lower.find(marker)? + marker.len();
        Some(Self { text: self.text[at..].to_owned(), lower: self.lower[at..].to_owned() })
    }

    /// The first ARN of a service such as `secretsmanager`, whole.
    pub(super) fn arn(&self, service: &str) -> Option<&str> {
        let starts = self.lower.match_indices("arn:").map(|(at, _)| at);
        let mut arns = starts.map(|at| {
            let rest = &self.text[at..];
            let end = rest.find([' ', '\'', '"', '`', ',', ';', ')', '(', '<', '>']).unwrap_or(rest.len());
            rest[..end].trim_end_matches([':', '.'])
        });
        arns.find(|arn| arn.split(':').nth(2) == Some(service))
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn words_are_found_without_regard_to_case_and_without_marks() {
        let message = Message::new(
            "User: arn:aws:sts::1:assumed-role/exec/abc is Not Authorized\nto perform: ssm:GetParameters on resource: \"arn:aws:ssm:eu-west-1:1:parameter/a\".",
        );
        assert_eq!(message.after("to perform"), Some("ssm:GetParameters"));
        assert_eq!(message.after("on resource"), Some("arn:aws:ssm:eu-west-1:1:parameter/a"));
        assert_eq!(message.arn("sts"), Some("arn:aws:sts::1:assumed-role/exec/abc"));
        assert_eq!((message.arn("kms"), message.after("with a marker")), (None, None));
        assert!(message.has("not authorized to perform"));
    }

    #[test]
    fn what_steers_a_terminal_is_gone_and_what_is_too_long_is_cut() {
        assert_eq!(Message::new("a\u{1b}[31mb\n\n c").text, "a\u{fffd}[31mb c");
        assert!(Message::new(&"é".repeat(5000)).text.ends_with("é…"));
    }
}
