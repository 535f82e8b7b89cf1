//! Holds because AWS did not carry out a call, or trueup has no permission for it.

use super::super::Sync;
use super::text::HoldText;

pub(super) fn access_denied(operation: &str, message: &str) -> HoldText {
    HoldText {
        reason: "AccessDenied",
        message: format!("IAM refuses `{operation}`: {message}"),
        remedy: "allow the action in the IAM policy of trueup's role",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn call_refused(operation: &str, code: Option<&str>, message: &str) -> HoldText {
    let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
    HoldText {
        reason: "CallRefused",
        message: format!("AWS refused `{operation}`{code}: {message}"),
        remedy: "correct the document, or the resource that the message names",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn write_failed(operation: &str, message: &str) -> HoldText {
    HoldText {
        reason: "WriteFailed",
        message: format!("`{operation}` failed: {message}"),
        remedy: "trueup retries it soon",
        implies: Some(Sync::OutOfSync),
    }
}

pub(super) fn account_mismatch(expected: &str, actual: &str) -> HoldText {
    HoldText {
        reason: "AccountMismatch",
        message: format!("the credentials belong to the account {actual}, and the environment to {expected}"),
        remedy: "give trueup credentials of the right account, or correct `account` in trueup.toml",
        implies: Some(Sync::Unknown),
    }
}

pub(super) fn no_credentials(message: &str) -> HoldText {
    HoldText {
        reason: "NoCredentials",
        message: format!("there are no valid AWS credentials: {message}"),
        remedy: "give trueup valid credentials or a role it may assume",
        implies: Some(Sync::Unknown),
    }
}
