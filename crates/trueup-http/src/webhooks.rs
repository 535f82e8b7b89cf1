//! The receiver behind the door: which requests are checked, and in which order.

use std::convert::Infallible;

use crate::answer::{Answer, Refused};
use crate::receiver::Receiver;
use crate::service::{Asked, Reply, Service, Unread};

impl Service for Receiver {
    const NAME: &'static str = "webhooks";
    const THREAD: &'static str = "trueup-webhook";

    async fn answer(&self, request: Asked<'_>) -> Reply {
        reply(self.take(request).await)
    }

    async fn beside(&self) -> Infallible {
        self.pass_on().await
    }
}

impl Receiver {
    async fn take(&self, request: Asked<'_>) -> Answer {
        // Whoever asks whether we are there must not be told that we are not because others flood us.
        if request.path() == "/healthz" && request.is_read() {
            return Answer::Alive;
        }
        if request.method() != hyper::Method::POST {
            return Answer::Refused(Refused::OtherMethod);
        }
        // Costs nothing, so it has no rate, and takes nothing of the rate of others.
        if let Err(refused) = Self::admits(request.headers()) {
            return Answer::Refused(refused);
        }
        if !request.keeps_to_rates() {
            return Answer::Refused(Refused::TooMany);
        }
        match request.body().await {
            Ok((headers, body)) => self.receive(&headers, &body),
            Err(Unread::TooLarge) => Answer::Refused(Refused::TooLarge),
            Err(Unread::TooSlow) => Answer::Refused(Refused::TooSlow),
            Err(Unread::Malformed) => Answer::Refused(Refused::MalformedBody),
        }
    }
}

fn reply(answer: Answer) -> Reply {
    let reply = Reply::json(answer.status(), answer.body());
    let Answer::Refused(refused) = answer else { return reply };
    Reply {
        allow: (refused == Refused::OtherMethod).then_some("POST"),
        retry_after: (refused == Refused::TooMany).then_some("10"),
        complaint: Some(answer.message()),
        ..reply
    }
}
