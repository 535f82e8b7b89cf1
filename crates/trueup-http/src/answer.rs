//! Answers to senders: a status and one constant sentence. Nothing from the request is ever repeated.

use hyper::StatusCode;

/// The answer to a request. `docs/triggers.md` explains each to the operator who configured the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is a push to the watched branch: git is asked at once. 202.
    Accepted,
    /// The provider's first call, which tries whether the webhook works. 200.
    Pong,
    /// It is genuine, and nothing that trueup follows. 200, so that the provider does not call it a failure.
    Ignored(Ignored),
    /// It is genuine and came before: git was asked then. 200.
    Replayed,
    /// The listener is there: the answer to `GET /healthz`. 200.
    Alive,
    /// It is not taken. 4xx.
    Refused(Refused),
}

/// Why a genuine message changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It is about something else than a push: an issue, a comment, a release.
    OtherEvent,
    /// The push went to a repository that is not the one that trueup follows.
    OtherRepository,
    /// The push went to a branch that is not the one that trueup follows.
    OtherBranch,
    /// A tag was pushed.
    Tag,
    /// The branch was deleted: there is nothing that could be deployed.
    Deletion,
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It carries no signature and no token. 401.
    Unsigned,
    /// Its signature or token does not fit. 401.
    WrongSignature,
    /// It is signed, at a time that is too far from now. 401.
    Stale,
    /// A header that is needed to check the signature is missing, repeated or malformed. 400.
    MalformedHeader,
    /// The signature is valid, but the provider would not send this body. 400.
    MalformedBody,
    /// Only POST says that a push happened. 405.
    OtherMethod,
    /// The body did not come in time. 408.
    TooSlow,
    /// The body is larger than 1 MiB. 413.
    TooLarge,
    /// More requests than the limit allows to read. 429.
    TooMany,
}

impl Answer {
    /// The status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Accepted => StatusCode::ACCEPTED,
            Self::Pong | Self::Ignored(_) | Self::Replayed | Self::Alive => StatusCode::OK,
            Self::Refused(refused) => match refused {
                Refused::Unsigned | Refused::WrongSignature | Refused::Stale => StatusCode::UNAUTHORIZED,
                Refused::MalformedHeader | Refused::MalformedBody => StatusCode::BAD_REQUEST,
                Refused::OtherMethod => StatusCode::METHOD_NOT_ALLOWED,
                Refused::TooSlow => StatusCode::REQUEST_TIMEOUT,
                Refused::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Refused::TooMany => StatusCode::TOO_MANY_REQUESTS,
            },
        }
    }

    /// One stable word for programs.
    pub fn result(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pong => "pong",
            Self::Ignored(_) => "ignored",
            Self::Replayed => "replayed",
            Self::Alive => "alive",
            Self::Refused(_) => "refused",
        }
    }

    /// One sentence for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::Accepted => "the repository is polled now",
            Self::Pong => "the webhook works: pushes to the followed branch trigger a poll from now on",
            Self::Replayed => "this delivery was received before, and the repository was polled then",
            Self::Alive => "webhooks are received here, by POST",
            Self::Ignored(ignored) => match ignored {
                Ignored::OtherEvent => "only push events are handled",
                Ignored::OtherRepository => "this is not the followed repository",
                Ignored::OtherBranch => "this is not the followed branch",
                Ignored::Tag => "a branch is followed, not a tag",
                Ignored::Deletion => "the branch was deleted: there is nothing to deploy",
            },
            Self::Refused(refused) => match refused {
                Refused::Unsigned => {
                    "the request has no signature and no token: set the secret in the settings of the webhook"
                }
                Refused::WrongSignature => "the signature or token does not match any secret",
                Refused::Stale => "the signed time is more than five minutes from now",
                Refused::MalformedHeader => "a header is missing, repeated or malformed",
                Refused::MalformedBody => "the body is not a push event",
                Refused::OtherMethod => "webhooks are received by POST",
                Refused::TooSlow => "the body did not arrive in time",
                Refused::TooLarge => "the body is larger than 1 MiB",
                Refused::TooMany => "too many requests: git is polled anyway",
            },
        }
    }

    /// The body: `{"result": …, "message": …}`.
    pub(crate) fn body(self) -> String {
        // The sentences are ours and hold nothing that JSON would have to escape.
        format!("{{\"result\":\"{}\",\"message\":\"{}\"}}\n", self.result(), self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_is_json() {
        let ignored =
            [Ignored::OtherEvent, Ignored::OtherRepository, Ignored::OtherBranch, Ignored::Tag, Ignored::Deletion];
        let refused = [
            Refused::Unsigned,
            Refused::WrongSignature,
            Refused::Stale,
            Refused::MalformedHeader,
            Refused::MalformedBody,
            Refused::OtherMethod,
            Refused::TooSlow,
            Refused::TooLarge,
            Refused::TooMany,
        ];
        let all = [Answer::Accepted, Answer::Pong, Answer::Replayed, Answer::Alive].into_iter();
        for answer in all.chain(ignored.map(Answer::Ignored)).chain(refused.map(Answer::Refused)) {
            let body: serde_json::Value = serde_json::from_str(&answer.body()).expect("it is JSON");
            assert_eq!(body["result"], answer.result());
            assert_eq!(answer.status().is_success(), !matches!(answer, Answer::Refused(_)));
        }
    }
}
