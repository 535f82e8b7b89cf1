//! Listener rules: members that `DescribeRules` returns although `CreateRule` did not set them.
//!
//! `ModifyRule` replaces `Actions` and `Conditions` as a whole, so anything in them beyond AWS's defaults is drift.
//! Both have a short and a long notation for one thing, and AWS returns both: see [`super::actions`] and
//! [`super::conditions`].
//!
//! Defaults are those of the Elastic Load Balancing API reference (version 2015-12-01), `CreateRule` and the shapes it
//! names; the defaults of a redirect are in the user guide for Application Load Balancers.

use serde_json::Value;

use super::{actions, conditions};
use crate::drift::rule::{Rule, Scope, tags};
use crate::drift::schema::Rules;

/// The rules of `CreateRule`.
pub(crate) const RULES: Rules = &[
    // Not in the response, but part of the rule's ARN.
    ("ListenerArn", Rule::IF_DECLARED.live(|live| live.get("RuleArn")).equal(is_rule_of_listener)),
    ("Conditions", Rule::PLAIN.compare(conditions::compare)),
    // Sets also in the canonical document. Expressions (`RegexValues`) have no row: they stay as they were sent.
    ("Conditions/*/Values", Rule::SET),
    ("Conditions/*/HostHeaderConfig/Values", Rule::SET),
    ("Conditions/*/PathPatternConfig/Values", Rule::SET),
    ("Conditions/*/HttpHeaderConfig/Values", Rule::SET),
    ("Conditions/*/HttpRequestMethodConfig/Values", Rule::SET),
    ("Conditions/*/QueryStringConfig/Values", Rule::SET),
    ("Conditions/*/SourceIpConfig/Values", Rule::SET),
    // An integer in the request, a string in the response; `default` for the rule that no document can declare.
    ("Priority", Rule::PLAIN),
    ("Actions", Rule::PLAIN.compare(actions::compare)),
    // Implied by position: actions are compared in their order.
    ("Actions/*/Order", Rule::NEVER),
    // Compared together: they are two notations of one thing.
    ("Actions/*/TargetGroupArn", Rule::NEVER),
    ("Actions/*/ForwardConfig", Rule::NEVER),
    ("Actions/*/ForwardConfig/TargetGroups/*/Weight", Rule::PLAIN.int(1)),
    ("Actions/*/ForwardConfig/TargetGroupStickinessConfig", Rule::ALWAYS.gate("Enabled")),
    ("Actions/*/AuthenticateOidcConfig/Scope", Rule::PLAIN.text("openid")),
    ("Actions/*/AuthenticateOidcConfig/SessionCookieName", Rule::PLAIN.text("AWSELBAuthSessionCookie")),
    ("Actions/*/AuthenticateOidcConfig/SessionTimeout", Rule::PLAIN.int(604_800)),
    ("Actions/*/AuthenticateOidcConfig/OnUnauthenticatedRequest", Rule::PLAIN.text("authenticate")),
    // Never returned: a changed secret cannot be seen here.
    ("Actions/*/AuthenticateOidcConfig/ClientSecret", Rule::NEVER),
    ("Actions/*/AuthenticateOidcConfig/UseExistingClientSecret", Rule::NEVER),
    ("Actions/*/AuthenticateCognitoConfig/Scope", Rule::PLAIN.text("openid")),
    ("Actions/*/AuthenticateCognitoConfig/SessionCookieName", Rule::PLAIN.text("AWSELBAuthSessionCookie")),
    ("Actions/*/AuthenticateCognitoConfig/SessionTimeout", Rule::PLAIN.int(604_800)),
    ("Actions/*/AuthenticateCognitoConfig/OnUnauthenticatedRequest", Rule::PLAIN.text("authenticate")),
    ("Actions/*/RedirectConfig/Protocol", Rule::PLAIN.text("#{protocol}")),
    ("Actions/*/RedirectConfig/Port", Rule::PLAIN.text("#{port}")),
    ("Actions/*/RedirectConfig/Host", Rule::PLAIN.text("#{host}")),
    ("Actions/*/RedirectConfig/Path", Rule::PLAIN.text("/#{path}")),
    // `""` drops the query; leaving it out keeps it.
    ("Actions/*/RedirectConfig/Query", Rule::PLAIN.text("#{query}").keep_empty()),
    ("Actions/*/JwtValidationConfig/AdditionalClaims/*/Values", Rule::SET),
    ("Transforms/*/HostHeaderRewriteConfig/Rewrites/*/Replace", Rule::PLAIN.keep_empty()),
    ("Transforms/*/UrlRewriteConfig/Rewrites/*/Replace", Rule::PLAIN.keep_empty()),
    ("Tags", tags("Value")),
    ("Tags/*/Value", Rule::PLAIN.keep_empty()),
];

/// `listener-rule/app/LB/LBID/LISTENERID/RULEID` belongs to `listener/app/LB/LBID/LISTENERID`. Without the rule's ARN
/// nothing is known about its listener.
fn is_rule_of_listener(_: &Scope, listener: Option<&Value>, rule: Option<&Value>) -> bool {
    let Some(rule) = rule.and_then(Value::as_str) else { return true };
    let of_rule = rule.replacen(":listener-rule/", ":listener/", 1);
    of_rule.rsplit_once('/').map(|(listener, _)| listener) == listener.and_then(Value::as_str)
}
