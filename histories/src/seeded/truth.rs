//! What must be in AWS at the end of a history, by the last commit. AWS is asked, not trueup.

use serde_json::{Value, json};
use trueup_sim::Simulator;

use crate::account::{CLUSTER, SECRET};
use crate::ask::{ask, listener};
use crate::desired::{Application, Desired};
use crate::surroundings::BAD;

/// Everything that is not as the last commit says, in words.
pub fn differences(aws: &mut Simulator, desired: &Desired) -> Vec<String> {
    let mut found = Vec::new();
    for (name, application) in &desired.applications {
        let mut judge = Judge { name, found: &mut found };
        judge.service(aws, application);
        judge.load_balancing(aws, application);
    }
    found
}

/// Whether the image of an application does not come up. An image that answers no health check does, where there is none.
pub fn is_bad(application: &Application) -> bool {
    let asked = application.balanced.is_some() || application.blue_green.is_some() || application.checked;
    BAD.contains(&application.tag.as_str()) && (application.tag != "deaf" || asked)
}

struct Judge<'a> {
    name: &'a str,
    found: &'a mut Vec<String>,
}

impl Judge<'_> {
    fn expect(&mut self, what: &str, found: &Value, wanted: &Value) {
        if found != wanted {
            self.found.push(format!("{}: {what} is {found}, not {wanted}", self.name));
        }
    }

    fn service(&mut self, aws: &mut Simulator, application: &Application) {
        let name = self.name;
        let answer = ask(aws, "ecs", "DescribeServices", &json!({"cluster": CLUSTER, "services": [name]}));
        let service = &answer["services"][0];
        self.expect("status", &service["status"], &json!("ACTIVE"));
        if service["status"] != "ACTIVE" {
            return;
        }
        if let Some(count) = application.count.filter(|_| !application.autoscaled) {
            self.expect("desired count", &service["desiredCount"], &json!(count));
        }
        let configuration = &service["deploymentConfiguration"];
        let (minimum, maximum) = application.percent;
        self.expect("minimum percent", &configuration["minimumHealthyPercent"], &json!(minimum));
        self.expect("maximum percent", &configuration["maximumPercent"], &json!(maximum));
        if is_bad(application) {
            return;
        }
        self.expect("running count", &service["runningCount"], &service["desiredCount"]);
        let deployments = service["deployments"].as_array().map_or(0, Vec::len);
        self.expect("deployments", &json!(deployments), &json!(1));
        self.expect("rollout", &service["deployments"][0]["rolloutState"], &json!("COMPLETED"));
        let revision = &service["deployments"][0]["taskDefinition"];
        let answer = ask(aws, "ecs", "DescribeTaskDefinition", &json!({"taskDefinition": revision}));
        let container = &answer["taskDefinition"]["containerDefinitions"][0];
        let tag = container["image"].as_str().and_then(|image| image.rsplit(':').next()).unwrap_or_default();
        self.expect("image", &json!(tag), &json!(application.tag));
        self.expect("level", &container["environment"][0]["value"], &json!(format!("{SECRET}{}", application.level)));
    }

    fn load_balancing(&mut self, aws: &mut Simulator, application: &Application) {
        let Some(balanced) = &application.balanced else { return };
        let of = json!({"Names": [format!("{}-tg", self.name)]});
        let answer = ask(aws, "elasticloadbalancing", "DescribeTargetGroups", &of);
        let group = &answer["TargetGroups"][0];
        self.expect("interval", &group["HealthCheckIntervalSeconds"], &json!(balanced.interval));
        let of = json!({"TargetGroupArn": group["TargetGroupArn"]});
        let answer = ask(aws, "elasticloadbalancing", "DescribeTargetGroupAttributes", &of);
        let attributes = answer["Attributes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let delay = attributes.iter().find(|one| one["Key"] == "deregistration_delay.timeout_seconds");
        let delay = delay.map_or(Value::Null, |delay| delay["Value"].clone());
        self.expect("delay", &delay, &json!(balanced.delay.to_string()));
        let listener = listener(aws);
        let answer = ask(aws, "elasticloadbalancing", "DescribeRules", &json!({"ListenerArn": listener}));
        let rules = answer["Rules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let rule = rules.iter().find(|rule| rule["Priority"] == json!(balanced.priority.to_string()));
        let path = rule.map_or(Value::Null, |rule| rule["Conditions"][0]["PathPatternConfig"]["Values"][0].clone());
        self.expect("path", &path, &json!(balanced.path));
    }
}
