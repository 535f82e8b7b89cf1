//! The effect of a call, and AWS's answer to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_core::names::Arn;
use trueup_core::plan::{Call, Operation};
use trueup_fixture::{answer, changed, created, deploy};

use super::resources::{name_of, service_id, tags_of, tags_to, text};
use super::{ACCOUNT, REGION, State};

impl State {
    /// Creates or updates a service, and begins its deployment number `n`.
    fn put_service(&mut self, input: &Value, n: u64) -> Value {
        let name = name_of(input);
        let id = service_id(&name);
        let before = self.resources.services.get(&id).map(|(service, _)| service.clone());
        let existing = self.resources.services.remove(&id).map(|(service, tags)| (changed(&service, input), tags));
        let (mut service, tags) = existing.unwrap_or_else(|| {
            let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/{name}");
            (created("CreateService", input, &arn), tags_of(&input["tags"], "key", "value"))
        });
        service["taskDefinition"] = json!(self.resources.full_arn(&text(&service, "taskDefinition")));
        let deploys = ["serviceName", "taskDefinition", "networkConfiguration", "forceNewDeployment"];
        if deploys.iter().any(|member| input.get(*member).is_some()) {
            self.deployments.push(
                service["taskDefinition"].as_str().and_then(|t| t.rsplit('/').next()).expect("an ARN").to_owned(),
            );
            let entry = json!({
                "serviceDeploymentArn": format!("sd/{n}"), "targetServiceRevisionArn": format!("sr/{n}"),
                "createdAt": self.now(), "status": if self.rolling { "IN_PROGRESS" } else { "SUCCESSFUL" },
            });
            self.resources.record.entry(id.clone()).or_default().insert(0, (entry, service.clone()));
            if let Some(before) = before {
                self.resources.before.insert(id.clone(), before);
            }
        }
        let state = if self.rolling { "IN_PROGRESS" } else { "COMPLETED" };
        if !self.rolling {
            service["runningCount"] = service["desiredCount"].clone();
        }
        let deployment = json!({
            "id": format!("ecs-svc/{n}"), "runningCount": service["runningCount"], "pendingCount": 0,
            "rolloutState": state, "rolloutStateReason": state, "createdAt": self.now(),
        });
        deploy(&mut service, input, deployment);
        self.resources.services.insert(id, (service.clone(), tags.clone()));
        service["tags"] = tags_to(&tags, "key", "value");
        answer("CreateService", input, &service)
    }

    /// Applies a call, and answers as AWS does.
    pub fn apply(&mut self, call: &Call) -> Value {
        self.next += 1;
        let n = self.next;
        let input = &call.input;
        match call.operation {
            Operation::RegisterTaskDefinition => self.register(input),
            Operation::CreateService | Operation::UpdateService => self.put_service(input, n),
            Operation::CreateTargetGroup => self.create_target_group(input, n),
            Operation::ModifyTargetGroupAttributes => self.modify_attributes(input),
            Operation::CreateRule => self.create_rule(input, n),
            Operation::ModifyRule => self.modify_rule(input),
            Operation::TagResource => {
                let tags = tags_of(&input["tags"], "key", "value");
                self.resources.tags_mut(&text(input, "resourceArn")).extend(tags);
                json!({})
            }
            Operation::AddTags => {
                for arn in input["ResourceArns"].as_array().into_iter().flatten() {
                    let tags = tags_of(&input["Tags"], "Key", "Value");
                    self.resources.tags_mut(arn.as_str().expect("an ARN")).extend(tags);
                }
                json!({})
            }
            Operation::UntagResource => {
                let tags = self.resources.tags_mut(&text(input, "resourceArn"));
                let keys = input["tagKeys"].as_array().cloned().unwrap_or_default();
                tags.retain(|key, _| !keys.contains(&json!(key)));
                json!({})
            }
            Operation::DeleteService => {
                self.resources.services.remove(&service_id(&name_of(input)));
                json!({})
            }
            Operation::DeleteTargetGroup => {
                let arn = text(input, "TargetGroupArn");
                self.resources.target_groups.retain(|_, (d, _, _)| text(d, "TargetGroupArn") != arn);
                json!({})
            }
            other @ (Operation::ModifyTargetGroup
            | Operation::SetRulePriorities
            | Operation::DeleteRule
            | Operation::RemoveTags) => panic!("the fake does not know {other:?}"),
        }
    }

    fn register(&mut self, input: &Value) -> Value {
        let family = text(input, "family");
        let number = self.resources.task_definitions.iter().filter(|(_, d, _)| d["family"] == family).count() + 1;
        let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:{number}");
        let description = created("RegisterTaskDefinition", input, &arn);
        let tags = tags_of(&input["tags"], "key", "value");
        self.resources.task_definitions.push((Arn::new(arn), description.clone(), tags));
        answer("RegisterTaskDefinition", input, &description)
    }

    fn create_target_group(&mut self, input: &Value, n: u64) -> Value {
        let name = text(input, "Name");
        let arn = format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/{n}");
        let description = created("CreateTargetGroup", input, &arn);
        let tags = tags_of(&input["Tags"], "Key", "Value");
        self.resources.target_groups.insert(name, (description.clone(), BTreeMap::new(), tags));
        answer("CreateTargetGroup", input, &description)
    }

    fn modify_attributes(&mut self, input: &Value) -> Value {
        let arn = text(input, "TargetGroupArn");
        let group = self.resources.target_groups.values_mut().find(|(d, _, _)| text(d, "TargetGroupArn") == arn);
        let (_, attributes, _) = group.expect("what is modified exists");
        attributes.extend(tags_of(&input["Attributes"], "Key", "Value"));
        json!({"Attributes": tags_to(attributes, "Key", "Value")})
    }

    fn create_rule(&mut self, input: &Value, n: u64) -> Value {
        let listener = text(input, "ListenerArn");
        let arn = format!("{}/{n}", listener.replacen(":listener/", ":listener-rule/", 1));
        let description = created("CreateRule", input, &arn);
        let tags = tags_of(&input["Tags"], "Key", "Value");
        self.resources.rules.entry(Arn::new(listener)).or_default().push((description.clone(), tags));
        answer("CreateRule", input, &description)
    }

    fn modify_rule(&mut self, input: &Value) -> Value {
        let arn = text(input, "RuleArn");
        let rule = self.resources.rules.values_mut().flatten().find(|(d, _)| text(d, "RuleArn") == arn);
        let (rule, _) = rule.expect("what is modified exists");
        *rule = changed(rule, input);
        answer("ModifyRule", input, rule)
    }
}
