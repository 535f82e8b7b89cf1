//! Takes the answer of a call into live state, so that the next plan begins where the call ended.
//!
//! AWS's reads may lag behind its answers; the answer of a write is the newest thing known.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Call, Operation};
use crate::live::{Live, LiveRule, LiveService, LiveTargetGroup, LiveTaskDefinition, Observed, Tags};
use crate::names::{Arn, ServiceId};

impl Live {
    /// Takes in what AWS answered to `call`. An answer without what it should have changes nothing: the next reading
    /// will tell.
    pub fn absorb(&mut self, call: &Call, answer: &Value) {
        let input = &call.input;
        match call.operation {
            Operation::CreateService | Operation::UpdateService => self.absorb_service(input, answer),
            Operation::DeleteService => self.absorb_deleted_service(input),
            Operation::RegisterTaskDefinition => self.absorb_task_definition(input, answer),
            Operation::CreateTargetGroup | Operation::ModifyTargetGroup => self.absorb_target_group(input, answer),
            Operation::ModifyTargetGroupAttributes => self.absorb_attributes(input, answer),
            Operation::DeleteTargetGroup => {
                let arn = text(input, "TargetGroupArn").unwrap_or_default();
                for group in self.target_groups.values_mut() {
                    if group.present().is_some_and(|g| text(&g.description, "TargetGroupArn") == Some(arn)) {
                        *group = Observed::Absent;
                    }
                }
                self.forget(arn);
            }
            Operation::CreateRule => self.absorb_new_rule(input, answer),
            Operation::ModifyRule | Operation::SetRulePriorities => self.absorb_rules(input, answer),
            Operation::DeleteRule => {
                let arn = text(input, "RuleArn").unwrap_or_default();
                for rules in self.rules.values_mut() {
                    if let Observed::Present(rules) = rules {
                        rules.retain(|rule| text(&rule.description, "RuleArn") != Some(arn));
                    }
                }
                self.forget(arn);
            }
            Operation::TagResource => {
                let set = pairs(input.get("tags"), "key", "value");
                self.retag(text(input, "resourceArn").unwrap_or_default(), &|tags| tags.extend(set.clone()));
            }
            Operation::UntagResource => {
                let keys = strings(input.get("tagKeys"));
                let remove = |tags: &mut Tags| tags.retain(|key, _| !keys.contains(key));
                self.retag(text(input, "resourceArn").unwrap_or_default(), &remove);
            }
            Operation::AddTags => {
                let set = pairs(input.get("Tags"), "Key", "Value");
                for arn in strings(input.get("ResourceArns")) {
                    self.retag(&arn, &|tags| tags.extend(set.clone()));
                }
            }
            Operation::RemoveTags => {
                let keys = strings(input.get("TagKeys"));
                for arn in strings(input.get("ResourceArns")) {
                    self.retag(&arn, &|tags| tags.retain(|key, _| !keys.contains(key)));
                }
            }
        }
    }

    fn absorb_service(&mut self, input: &Value, answer: &Value) {
        let Some(description) = answer.get("service") else { return };
        let Some(id) = service_id(input) else { return };
        let kept = self.services.get(&id).and_then(Observed::present).map(|live| live.tags.clone());
        // Answers to an update do not repeat the tags.
        let mut tags = kept.unwrap_or_default();
        tags.extend(pairs(input.get("tags"), "key", "value"));
        let service = LiveService { description: description.clone().into(), tags };
        // The record of service deployments is older than a deployment that was just asked for.
        let deploys = |name: &str| super::rollout::REVISION_FIELDS.contains(&name) || name == "forceNewDeployment";
        if input.as_object().is_some_and(|input| input.keys().any(|name| deploys(name))) {
            self.service_deployments.remove(&id);
        }
        self.services.insert(id, Observed::Present(service));
    }

    fn absorb_deleted_service(&mut self, input: &Value) {
        if let Some(id) = service_id(input) {
            if let Some(Observed::Present(live)) = self.services.get_mut(&id)
                && let Value::Object(members) = &mut *live.description
            {
                members.insert("status".to_owned(), Value::from("DRAINING"));
            }
            let name = format!("service/{}/{}", id.cluster, id.name);
            self.forget_if(|arn| arn.ends_with(&name));
        }
    }

    fn absorb_task_definition(&mut self, input: &Value, answer: &Value) {
        let Some(description) = answer.get("taskDefinition") else { return };
        let Some(arn) = text(description, "taskDefinitionArn").map(Arn::new) else { return };
        let mut tags = pairs(input.get("tags"), "key", "value");
        tags.extend(pairs(answer.get("tags"), "key", "value"));
        let revision = LiveTaskDefinition { description: description.clone().into(), tags };
        if let Some(family) = text(description, "family").or_else(|| text(input, "family")) {
            let known = self.families.entry(family.to_owned()).or_insert(Observed::Absent);
            match known {
                Observed::Present(revisions) => revisions.insert(0, revision.clone()),
                Observed::Absent => *known = Observed::Present(vec![revision.clone()]),
                Observed::Unknown(_) => {}
            }
        }
        self.task_definitions.insert(arn, Observed::Present(revision));
    }

    fn absorb_target_group(&mut self, input: &Value, answer: &Value) {
        let Some(description) = first(answer, "TargetGroups") else { return };
        let Some(name) = text(description, "TargetGroupName").or_else(|| text(input, "Name")) else { return };
        let (attributes, tags) = match self.target_groups.get(name).and_then(Observed::present) {
            Some(live) => (live.attributes.clone(), live.tags.clone()),
            // A new one has every attribute's default, which nobody needs to know to set those that git declares.
            None => (Observed::Present(BTreeMap::new()), Observed::Present(pairs(input.get("Tags"), "Key", "Value"))),
        };
        let group = LiveTargetGroup { description: description.clone().into(), attributes, tags };
        self.target_groups.insert(name.to_owned(), Observed::Present(group));
    }

    fn absorb_attributes(&mut self, input: &Value, answer: &Value) {
        let arn = text(input, "TargetGroupArn");
        let mut set = pairs(input.get("Attributes"), "Key", "Value");
        set.extend(pairs(answer.get("Attributes"), "Key", "Value"));
        for group in self.target_groups.values_mut() {
            if let Observed::Present(group) = group
                && text(&group.description, "TargetGroupArn") == arn
            {
                match &mut group.attributes {
                    Observed::Present(attributes) => attributes.extend(set.clone()),
                    Observed::Absent | Observed::Unknown(_) => group.attributes = Observed::Present(set.clone()),
                }
            }
        }
    }

    fn absorb_new_rule(&mut self, input: &Value, answer: &Value) {
        let (Some(description), Some(listener)) = (first(answer, "Rules"), text(input, "ListenerArn")) else { return };
        let tags = Observed::Present(pairs(input.get("Tags"), "Key", "Value"));
        let rule = LiveRule { description: description.clone().into(), tags };
        match self.rules.entry(Arn::new(listener)).or_insert(Observed::Absent) {
            Observed::Present(rules) => rules.push(rule),
            known @ Observed::Absent => *known = Observed::Present(vec![rule]),
            Observed::Unknown(_) => {}
        }
    }

    fn absorb_rules(&mut self, input: &Value, answer: &Value) {
        let answered = answer.get("Rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let priorities = input.get("RulePriorities").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for rules in self.rules.values_mut() {
            let Observed::Present(rules) = rules else { continue };
            for rule in rules {
                let arn = text(&rule.description, "RuleArn").map(str::to_owned);
                let same = |other: &&Value| text(other, "RuleArn") == arn.as_deref();
                if let Some(description) = answered.iter().find(same) {
                    rule.description = description.clone().into();
                } else if let (Some(moved), Value::Object(members)) =
                    (priorities.iter().find(same), &mut *rule.description)
                {
                    let priority =
                        moved.get("Priority").map(|p| p.as_str().map_or_else(|| p.to_string(), str::to_owned));
                    members.insert("Priority".to_owned(), Value::from(priority));
                }
            }
        }
    }

    /// Changes the tags of whatever has this ARN.
    fn retag(&mut self, arn: &str, change: &dyn Fn(&mut Tags)) {
        for service in self.services.values_mut() {
            if let Observed::Present(service) = service
                && text(&service.description, "serviceArn") == Some(arn)
            {
                change(&mut service.tags);
            }
        }
        let families = self.families.values_mut().filter_map(|family| match family {
            Observed::Present(revisions) => Some(revisions.iter_mut()),
            Observed::Absent | Observed::Unknown(_) => None,
        });
        let running = self.task_definitions.values_mut().filter_map(|revision| match revision {
            Observed::Present(revision) => Some(revision),
            Observed::Absent | Observed::Unknown(_) => None,
        });
        for revision in families.flatten().chain(running) {
            if text(&revision.description, "taskDefinitionArn") == Some(arn) {
                change(&mut revision.tags);
            }
        }
        for group in self.target_groups.values_mut() {
            if let Observed::Present(group) = group
                && text(&group.description, "TargetGroupArn") == Some(arn)
            {
                retag_observed(&mut group.tags, change);
            }
        }
        for rules in self.rules.values_mut() {
            let Observed::Present(rules) = rules else { continue };
            for rule in rules.iter_mut().filter(|rule| text(&rule.description, "RuleArn") == Some(arn)) {
                retag_observed(&mut rule.tags, change);
            }
        }
    }

    /// Takes a deleted resource out of the inventory.
    fn forget(&mut self, arn: &str) {
        self.forget_if(|other| other == arn);
    }

    fn forget_if(&mut self, gone: impl Fn(&str) -> bool) {
        if let Some(Observed::Present(inventory)) = &mut self.inventory {
            inventory.retain(|resource| !gone(resource.arn.as_str()));
        }
    }
}

fn retag_observed(tags: &mut Observed<Tags>, change: &dyn Fn(&mut Tags)) {
    match tags {
        Observed::Present(tags) => change(tags),
        Observed::Absent => {
            let mut new = Tags::new();
            change(&mut new);
            *tags = Observed::Present(new);
        }
        Observed::Unknown(_) => {}
    }
}

fn service_id(input: &Value) -> Option<ServiceId> {
    let name = text(input, "serviceName").or_else(|| text(input, "service"))?;
    Some(ServiceId { cluster: text(input, "cluster")?.to_owned(), name: name.to_owned() })
}

fn first<'a>(answer: &'a Value, list: &str) -> Option<&'a Value> {
    answer.get(list)?.as_array()?.first()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn pairs(list: Option<&Value>, key: &str, value: &str) -> Tags {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| Some((text(item, key)?.to_owned(), text(item, value).unwrap_or_default().to_owned())))
        .collect()
}
