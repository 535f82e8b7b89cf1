//! What a failed SDK call means: which kind of failure, in AWS's words, and whether it may have had its effect.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use trueup_core::live::{FailureKind, Observed, ReadFailure};
use trueup_ports::{CallError, Effect};

/// The longest message that is passed on, in bytes. AWS's own are shorter; what a proxy answers may not be.
const MESSAGE_BYTES_MAX: usize = 1_000;

/// AWS's codes for "ask again later".
///
/// `LimitExceededException`, which the SDK retries as a throttle, is missing on purpose: ECS answers it when a quota is
/// used up, and the same request will be refused again.
const THROTTLES: [&str; 12] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "ProvisionedThroughputExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// AWS's codes for "I do not know who asks", which all services share.
const CREDENTIALS: [&str; 13] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

/// AWS's codes for "you may not".
const DENIALS: [&str; 5] =
    ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "OptInRequired"];

/// Says what a failed call means.
///
/// A 4xx answer is certain not to have had its effect. A lost answer, a 5xx and an answer that is not the API's are
/// not; a connection that was never made is.
pub(crate) fn classify<E>(operation: &str, error: &SdkError<E, Response>) -> CallError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
    #[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enum is not exhaustive, and the rest is alike")]
    let (kind, effect) = match error {
        SdkError::ConstructionFailure(_) => (kind_before_sending(error), Effect::None),
        SdkError::TimeoutError(_) => (FailureKind::TimedOut, Effect::Unknown),
        SdkError::DispatchFailure(failure) if !failure.is_timeout() && is_about_credentials(error) => {
            (FailureKind::Credentials, Effect::None)
        }
        SdkError::DispatchFailure(failure) => {
            let kind = if failure.is_timeout() { FailureKind::TimedOut } else { FailureKind::Unavailable };
            (kind, if never_connected(error) { Effect::None } else { Effect::Unknown })
        }
        SdkError::ServiceError(failure) if is_not_propagated(failure.err().message()) => {
            (FailureKind::Unavailable, Effect::None)
        }
        SdkError::ServiceError(_) => of_answer(status.unwrap_or(500), code.as_deref()),
        // The answer could not be read as the API's, such as a proxy's HTML page; and the SDK may get other failures.
        _ => (FailureKind::Unavailable, Effect::Unknown),
    };
    let message = match (error.as_service_error().and_then(ProvideErrorMetadata::message), status) {
        (Some(message), _) => message.to_owned(),
        (None, Some(status)) if code.is_none() => format!("HTTP {status} with an answer that is not the API's"),
        (None, Some(status)) => format!("HTTP {status} without a message"),
        (None, None) => chain(error),
    };
    CallError {
        operation: operation.to_owned(),
        kind,
        code,
        message: shortened(message),
        request_id: error.request_id().map(str::to_owned),
        effect,
    }
}

/// A failure for which AWS was not asked, or did not answer as the API does.
pub(crate) fn failure(operation: &str, kind: FailureKind, effect: Effect, message: impl Into<String>) -> CallError {
    CallError {
        operation: operation.to_owned(),
        kind,
        code: None,
        message: shortened(message.into()),
        request_id: None,
        effect,
    }
}

/// Converts the error of a call into the failure of a read.
pub(crate) fn read_failure(error: CallError) -> ReadFailure {
    let message = match error.code {
        Some(code) => format!("{code}: {}", error.message),
        None => error.message,
    };
    ReadFailure { operation: error.operation, kind: error.kind, message }
}

/// A part of live state that a failed call leaves unknown.
pub(crate) fn unknown<T>(error: CallError) -> Observed<T> {
    Observed::Unknown(read_failure(error))
}

/// Whether ECS does not see yet what Elastic Load Balancing has: the rule that joins a target group to its load balancer
/// was made a moment ago, and two services take time to agree. The code is that of any wrong parameter.
fn is_not_propagated(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.trim_end_matches('.').ends_with("does not have an associated load balancer"))
}

/// What AWS's status and code mean.
fn of_answer(status: u16, code: Option<&str>) -> (FailureKind, Effect) {
    let effect = if (400..500).contains(&status) { Effect::None } else { Effect::Unknown };
    let kind = match code {
        Some(code) if THROTTLES.contains(&code) => FailureKind::Throttled,
        Some("RequestTimeout" | "RequestTimeoutException") => return (FailureKind::TimedOut, Effect::Unknown),
        _ if status == 429 => FailureKind::Throttled,
        _ if !(400..500).contains(&status) => FailureKind::Unavailable,
        Some(code) if CREDENTIALS.contains(&code) => FailureKind::Credentials,
        Some(code) if DENIALS.contains(&code) => FailureKind::AccessDenied,
        Some(_) => FailureKind::Rejected,
        // No code: not an answer of the API, whatever its status says.
        None => return (FailureKind::Unavailable, Effect::Unknown),
    };
    (kind, effect)
}

fn kind_before_sending(error: &(dyn Error + 'static)) -> FailureKind {
    if is_about_credentials(error) { FailureKind::Credentials } else { FailureKind::Rejected }
}

/// Whether the credentials could not be had, which the SDK reports as a failed dispatch.
fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<CredentialsError>)
        // A chain without any provider that answers has no `CredentialsError` in it.
        || sources(error).any(|source| source.to_string().starts_with("no providers in chain provided"))
}

/// Whether it is certain that no byte of the request was sent.
///
/// By the causes that can only happen while connecting; anything else, a reset for example, says nothing.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(|source| {
        let refused =
            source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        let text = source.to_string();
        refused || text.starts_with("HTTP connect timeout") || text.starts_with("dns error")
    })
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// An error's causes, in their own words, without the `Debug` output that could hold a request.
fn chain(error: &(dyn Error + 'static)) -> String {
    // The layers of the SDK that only say "there is a cause below".
    const WRAPPERS: [&str; 4] = ["dispatch failure", "io error", "timeout", "other"];
    let mut text = String::new();
    for source in sources(error) {
        let words = source.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !words.is_empty() && !WRAPPERS.contains(&words.as_str()) && !text.ends_with(&words) {
            let separator = if text.is_empty() { "" } else { ": " };
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{separator}{words}");
        }
    }
    text
}

fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_code_and_then_by_its_status() {
        use Effect::{None as Without, Unknown as Perhaps};
        use FailureKind::{AccessDenied, Credentials, Rejected, Throttled, TimedOut, Unavailable};
        for (status, code, kind, effect) in [
            (400, Some("ThrottlingException"), Throttled, Without),
            (400, Some("Throttling"), Throttled, Without),
            (429, Some("PriorRequestNotComplete"), Throttled, Without),
            (503, Some("SlowDown"), Throttled, Perhaps),
            (400, Some("LimitExceededException"), Rejected, Without),
            (400, Some("InvalidParameterException"), Rejected, Without),
            (400, Some("AccessDeniedException"), AccessDenied, Without),
            (403, Some("AccessDenied"), AccessDenied, Without),
            (400, Some("UnrecognizedClientException"), Credentials, Without),
            (403, Some("InvalidClientTokenId"), Credentials, Without),
            (400, Some("ExpiredTokenException"), Credentials, Without),
            (400, Some("RequestTimeout"), TimedOut, Perhaps),
            (500, Some("ServerException"), Unavailable, Perhaps),
            (500, None, Unavailable, Perhaps),
            (404, None, Unavailable, Perhaps),
        ] {
            assert_eq!(of_answer(status, code), (kind, effect), "{status} {code:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let cut = shortened("é".repeat(MESSAGE_BYTES_MAX));
        assert!(cut.len() <= MESSAGE_BYTES_MAX + '…'.len_utf8() && cut.ends_with("é…"), "{}", cut.len());
        assert_eq!(shortened("short".into()), "short");
    }
}
