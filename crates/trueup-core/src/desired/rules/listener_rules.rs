//! A listener rule ends with exactly one action that answers the request.

use super::{ApplicationView, Located, member_or};
use crate::document::{Problem, nearest};
use crate::kind::Kind;

/// Source: Elastic Load Balancing API reference, `CreateRule`, `Actions`: exactly one of these, performed last.
const ANSWERS: [&str; 3] = ["forward", "redirect", "fixed-response"];

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    for (_, rule) in subject.documents_of(Kind::ListenerRule) {
        let actions = rule.list("Actions");
        let types: Option<Vec<&str>> = actions.iter().map(|action| action.member_text("Type")).collect();
        let Some(types) = types else { continue };
        if actions.is_empty() {
            continue;
        }
        if types.iter().filter(|one| ANSWERS.contains(one)).count() != 1 {
            let message = "a rule has exactly one action that forwards, redirects or answers";
            let help = "keep one action with `Type` `forward`, `redirect` or `fixed-response`";
            problems.push(member_or(&rule, "Actions").problem("rule-actions", message).help(help));
        }
        for action in &actions {
            forward(action, problems);
            configuration(action, problems);
        }
        for place in rule.list("Conditions").iter().filter_map(|condition| condition.get("Field")) {
            field(&place, problems);
        }
    }
}

/// Source: Elastic Load Balancing API reference, `Action`: the configuration of each type of action.
fn configuration(action: &Located<'_>, problems: &mut Vec<Problem>) {
    let (member, example) = match action.member_text("Type") {
        Some("redirect") => ("RedirectConfig", "{ Protocol = \"HTTPS\", Port = \"443\", StatusCode = \"HTTP_301\" }"),
        Some("fixed-response") => ("FixedResponseConfig", "{ StatusCode = \"404\" }"),
        Some("authenticate-oidc") => ("AuthenticateOidcConfig", "{ … }"),
        Some("authenticate-cognito") => ("AuthenticateCognitoConfig", "{ … }"),
        _ => return,
    };
    if action.get(member).is_none() {
        let message = format!("`{member}` is missing: the action does not say what it does");
        problems.push(action.problem("missing-member", message).help(format!("add `{member} = {example}`")));
    }
}

/// Source: Elastic Load Balancing API reference, `RuleCondition`, `Field`.
const FIELDS: [&str; 6] =
    ["http-header", "http-request-method", "host-header", "path-pattern", "query-string", "source-ip"];

/// Only likely typos: AWS may have added a field since.
fn field(place: &Located<'_>, problems: &mut Vec<Problem>) {
    let Some(text) = place.text().filter(|text| !FIELDS.contains(text)) else { return };
    if let Some(near) = nearest(text, FIELDS.into_iter()) {
        let message = format!("a rule has no condition on `{text}`");
        problems.push(place.problem("illegal-value", message).help(format!("did you mean `{near}`?")));
    }
}

fn forward(action: &Located<'_>, problems: &mut Vec<Problem>) {
    let forwards = action.member_text("Type") == Some("forward");
    if forwards && action.get("TargetGroupArn").is_none() && action.get("ForwardConfig").is_none() {
        problems.push(
            action
                .problem("missing-member", "the action forwards nowhere")
                .help("add `TargetGroupArn = \"${target_group.NAME}\"`, or `ForwardConfig`"),
        );
    }
    let weighted = action.get("ForwardConfig").map(|config| config.list("TargetGroups")).unwrap_or_default();
    let named = weighted.iter().chain([action]).filter_map(|place| place.get("TargetGroupArn"));
    for place in named {
        super::load_balancers::must_be_arn(&place, problems);
    }
}
