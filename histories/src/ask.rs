//! AWS asked by the judge, and written to by people, without the SDK.

use std::fmt::Write as _;

use serde_json::{Value, json};
use trueup_sim::{Reply, Request, Simulator};

use crate::account::REGION;

/// What AWS has: an answer that is not recorded and that no fault affects. `Null` when AWS refuses.
pub fn ask(aws: &mut Simulator, service: &str, action: &str, input: &Value) -> Value {
    let world = aws.world_mut();
    let answer = match service {
        "ecs" => trueup_sim::ecs::api::answer(world, "judge", action, input),
        _ => trueup_sim::elb::api::answer(world, "judge", action, input),
    };
    answer.unwrap_or_default()
}

/// The one listener of the one load balancer.
pub fn listener(aws: &mut Simulator) -> Value {
    let balancers = ask(aws, "elasticloadbalancing", "DescribeLoadBalancers", &json!({}));
    let of = json!({"LoadBalancerArn": balancers["LoadBalancers"][0]["LoadBalancerArn"]});
    ask(aws, "elasticloadbalancing", "DescribeListeners", &of)["Listeners"][0]["ListenerArn"].clone()
}

/// Somebody calls AWS, over the wire and for the record. The answer's JSON for ECS, `Null` otherwise or when AWS
/// refuses.
pub fn call(aws: &mut Simulator, who: &str, service: &str, action: &str, input: &Value) -> Value {
    let scope = format!("AWS4-HMAC-SHA256 Credential={who}/20260101/{REGION}/{service}/aws4_request");
    let mut headers = vec![("authorization".to_owned(), scope)];
    let body = if service == "ecs" {
        headers.push(("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()));
        headers.push(("x-amz-target".to_owned(), format!("AmazonEC2ContainerServiceV20141113.{action}")));
        input.to_string()
    } else {
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        let mut body = format!("Action={action}&Version=2015-12-01");
        flatten("", input, &mut body);
        body
    };
    let request = Request { method: "POST".to_owned(), target: "/".to_owned(), headers, body: body.into_bytes() };
    let now = aws.now();
    match aws.handle(now, &request) {
        Reply::Answer { response, .. } if response.status == 200 => {
            serde_json::from_slice(&response.body).unwrap_or_default()
        }
        Reply::Answer { .. } | Reply::Reset { .. } | Reply::Silence => Value::Null,
    }
}

/// As AWS's query protocol has it: `a.member.1.b=c`.
fn flatten(name: &str, value: &Value, out: &mut String) {
    let inner = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(member, value)| flatten(&inner(member), value, out)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&inner(&format!("member.{}", index + 1)), item, out);
            }
        }
        Value::String(text) => {
            let escaped: String = text.bytes().map(escape).collect();
            write!(out, "&{name}={escaped}").expect("a string takes everything");
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => write!(out, "&{name}={value}").expect("a string takes everything"),
    }
}

fn escape(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trueup_core::model::Api;
    use trueup_core::operation::Operation;
    use trueup_sim::{Time, World, ecs, elb};

    use crate::account::{ACCOUNT, REGION};

    #[test]
    fn every_operation_of_a_plan_is_served_by_the_simulated_aws() {
        let mut world = World::new(ACCOUNT, REGION, 1, Time::START);
        for operation in Operation::ALL {
            let (name, input) = (operation.as_str(), json!({}));
            let answer = match operation.api() {
                Api::Ecs => ecs::api::answer(&mut world, "caller", name, &input),
                Api::Elbv2 => elb::api::answer(&mut world, "caller", name, &input),
            };
            // An empty input is refused, but not as that of an unknown action.
            let code = answer.map_or_else(|error| error.code, |_| String::new());
            let unknown = ["UnknownOperationException", "InvalidAction"];
            assert!(!unknown.contains(&code.as_str()), "{name} is not simulated");
        }
    }
}
