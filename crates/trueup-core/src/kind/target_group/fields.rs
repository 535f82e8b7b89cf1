//! Target groups: what `DescribeTargetGroups` and `DescribeTargetGroupAttributes` show.
//!
//! `ModifyTargetGroup` and `ModifyTargetGroupAttributes` are partial updates, and the health check's defaults depend on
//! protocol, target type and the year in which the group was created. So a field that the document leaves out is not
//! managed: any live value is accepted. Declared fields are compared exactly.
//!
//! | left out | means | why |
//! |---|---|---|
//! | health check fields, `Matcher` | not managed | AWS's documentation and its responses disagree about the defaults |
//! | an attribute | not managed | only the keys that are sent change |
//! | a tag | not managed | it belongs to another owner |
//! | `TargetType` | `instance` | AWS's default, and nothing changes it afterwards |
//! | `ProtocolVersion` | `HTTP1`, which groups without HTTP do not have | the same |
//! | `IpAddressType` | `ipv4`, which some groups do not show | the same |
//! | `Protocol`, `Port`, `VpcId` | not managed | a lambda group has none, any other group requires them |

use serde_json::Value;

use crate::drift::coerce::comma_set;
use crate::drift::rule::{Rule, tags};
use crate::drift::schema::Rules;

/// The rules of `CreateTargetGroup`, with `Attributes` as an additional member.
pub(crate) const RULES: Rules = &[
    ("Name", Rule::PLAIN.live(name)),
    ("Protocol", Rule::IF_DECLARED),
    ("ProtocolVersion", Rule::PLAIN.text("HTTP1")),
    ("Port", Rule::IF_DECLARED),
    ("VpcId", Rule::IF_DECLARED),
    ("HealthCheckProtocol", Rule::IF_DECLARED),
    // A string that AWS does not resolve: `traffic-port` is not `8080`, even if that is the group's port.
    ("HealthCheckPort", Rule::IF_DECLARED),
    ("HealthCheckEnabled", Rule::IF_DECLARED),
    ("HealthCheckPath", Rule::IF_DECLARED),
    ("HealthCheckIntervalSeconds", Rule::IF_DECLARED),
    ("HealthCheckTimeoutSeconds", Rule::IF_DECLARED),
    ("HealthyThresholdCount", Rule::IF_DECLARED),
    ("UnhealthyThresholdCount", Rule::IF_DECLARED),
    ("Matcher", Rule::IF_DECLARED.always()),
    ("Matcher/HttpCode", Rule::IF_DECLARED.spelling(comma_set)),
    ("Matcher/GrpcCode", Rule::IF_DECLARED.spelling(comma_set)),
    ("TargetType", Rule::PLAIN.text("instance")),
    ("IpAddressType", Rule::PLAIN.text("ipv4")),
    ("Tags", tags("Value")),
    ("Tags/*/Value", Rule::PLAIN.keep_empty()),
    ("Attributes", Rule::PLAIN.pair("Value").only_declared()),
    ("Attributes/*/Value", Rule::PLAIN.keep_empty()),
];

/// `Name` in the request is `TargetGroupName` in the response.
fn name(live: &Value) -> Option<&Value> {
    live.get("TargetGroupName").or_else(|| live.get("Name"))
}
