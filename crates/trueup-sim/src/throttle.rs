//! AWS's own request limits: a token bucket per account, region and group of actions, shared by all who call.

use std::collections::BTreeMap;

use crate::time::Time;
use crate::wire::{Api, ApiError, Call};

/// All buckets.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// Whether a call can be refused. Off, nothing is counted either.
    pub enabled: bool,
    levels: BTreeMap<(String, String, &'static str), Level>,
}

/// How full a bucket is: thousandths of a token, so that a millisecond adds whole ones.
#[derive(Clone, Copy, Debug)]
struct Level {
    thousandths: u64,
    at: Time,
}

/// A bucket's name, how many tokens it holds, and how many come back per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    name: &'static str,
    burst: u64,
    per_second: u64,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { enabled: true, levels: BTreeMap::new() }
    }
}

impl Buckets {
    /// Takes a token for a call; false when there is none.
    pub fn take(&mut self, now: Time, account: &str, call: &Call) -> bool {
        let Some(size) = size(call).filter(|_| self.enabled) else { return true };
        let full = size.burst * 1000;
        let place = (account.to_owned(), call.region.clone(), size.name);
        let level = self.levels.entry(place).or_insert(Level { thousandths: full, at: now });
        let milliseconds = now.0.saturating_sub(level.at.0);
        level.thousandths = milliseconds.saturating_mul(size.per_second).saturating_add(level.thousandths).min(full);
        level.at = level.at.max(now);
        if level.thousandths < 1000 {
            return false;
        }
        level.thousandths -= 1000;
        true
    }
}

/// The answer when a bucket is empty.
pub fn rate_exceeded(service: Api) -> ApiError {
    let code = match service {
        Api::CloudFormation | Api::Sts | Api::CloudWatch => "Throttling",
        // "Request throttling for the Elastic Load Balancing API" names this code, unlike other query services.
        Api::ElasticLoadBalancing
        | Api::Ecs
        | Api::Ecr
        | Api::SecretsManager
        | Api::Ssm
        | Api::ApplicationAutoScaling
        | Api::CloudTrail => "ThrottlingException",
    };
    ApiError::client(code, "Rate exceeded")
}

/// The published limits. Services whose limits are not published, or far above what anything here asks for, have none.
///
/// ECS: "Request throttling for the Amazon ECS API" in its developer guide. ELBv2: "Request throttling for the Elastic
/// Load Balancing API" (its number for reads is used for writes too, which it does not distinguish here).
/// CloudWatch and CloudTrail: the quotas of `PutMetricData` and `LookupEvents`.
fn size(call: &Call) -> Option<Size> {
    let size = |name, burst, per_second| Some(Size { name, burst, per_second });
    match call.service {
        Api::Ecs => ecs(&call.action),
        Api::ElasticLoadBalancing if call.mutates() => size("ELB modify", 40, 10),
        Api::ElasticLoadBalancing => size("ELB read", 40, 10),
        Api::CloudWatch => size("metrics", 500, 500),
        Api::CloudTrail => size("trail", 2, 2),
        Api::CloudFormation | Api::Sts | Api::Ecr | Api::SecretsManager | Api::Ssm | Api::ApplicationAutoScaling => {
            None
        }
    }
}

fn ecs(action: &str) -> Option<Size> {
    let (name, burst, per_second) = match action {
        "CreateService" | "UpdateService" | "DeleteService" => ("service modify", 50, 5),
        "DescribeServices" | "ListServices" => ("service read", 100, 20),
        "DescribeServiceDeployments" | "ListServiceDeployments" => ("service deployment", 50, 20),
        "DescribeServiceRevisions" => ("service revision", 50, 20),
        "RegisterTaskDefinition" | "DeregisterTaskDefinition" => ("task definition modify", 20, 1),
        "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies" => {
            ("task definition read", 50, 20)
        }
        "DeleteTaskDefinitions" => ("task definition delete", 5, 1),
        "RunTask" | "StartTask" | "StopTask" | "ExecuteCommand" => ("cluster resource modify", 100, 40),
        "DescribeTasks" | "ListTasks" | "DescribeContainerInstances" | "ListContainerInstances" => {
            ("cluster resource read", 100, 20)
        }
        "CreateCluster" | "UpdateCluster" | "UpdateClusterSettings" | "DeleteCluster" => ("cluster modify", 20, 1),
        "DescribeClusters" | "ListClusters" => ("cluster read", 50, 20),
        "CreateCapacityProvider" | "UpdateCapacityProvider" | "DeleteCapacityProvider" => {
            ("capacity provider modify", 10, 1)
        }
        "DescribeCapacityProviders" => ("capacity provider read", 50, 20),
        "TagResource" | "UntagResource" => ("tag modify", 20, 10),
        "ListTagsForResource" => ("tag read", 50, 20),
        "PutAccountSetting" | "PutAccountSettingDefault" | "DeleteAccountSetting" => ("setting modify", 10, 1),
        "ListAccountSettings" => ("setting read", 50, 20),
        "GetTaskProtection" | "UpdateTaskProtection" => ("task protection", 200, 80),
        "ListServicesByNamespace" => ("services by namespace", 10, 1),
        _ => return None,
    };
    Some(Size { name, burst, per_second })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::Buckets;
    use crate::time::Time;
    use crate::wire::{Api, Call};

    fn call(service: Api, action: &str, region: &str) -> Call {
        let (action, region, access_key) = (action.to_owned(), region.to_owned(), String::new());
        Call { service, action, access_key, region, input: Value::Null }
    }

    #[test]
    fn a_bucket_empties_after_its_burst_and_fills_at_its_rate() {
        for (service, action, burst, per_second) in [
            (Api::Ecs, "RegisterTaskDefinition", 20, 1),
            (Api::Ecs, "UpdateService", 50, 5),
            (Api::ElasticLoadBalancing, "DescribeRules", 40, 10),
        ] {
            let mut buckets = Buckets::default();
            let call = call(service, action, "eu-west-1");
            let mut taken =
                |at| std::iter::repeat_with(|| buckets.take(at, "1", &call)).take_while(|taken| *taken).count();
            assert_eq!(taken(Time::START), burst, "{action}");
            assert_eq!(taken(Time::START), 0, "{action}");
            assert_eq!(taken(Time::START + Duration::from_secs(2)), 2 * per_second, "{action}");
            assert_eq!(taken(Time::START + Duration::from_hours(1)), burst, "{action}");
        }
    }

    #[test]
    fn groups_accounts_and_regions_have_buckets_of_their_own_and_actions_of_a_group_share_one() {
        let mut buckets = Buckets::default();
        let ecs = |action| call(Api::Ecs, action, "eu-west-1");
        while buckets.take(Time::START, "1", &ecs("RegisterTaskDefinition")) {}
        assert!(!buckets.take(Time::START, "1", &ecs("DeregisterTaskDefinition")));
        assert!(buckets.take(Time::START, "1", &ecs("UpdateService")));
        assert!(buckets.take(Time::START, "2", &ecs("RegisterTaskDefinition")));
        assert!(buckets.take(Time::START, "1", &call(Api::Ecs, "RegisterTaskDefinition", "eu-west-2")));
        buckets.enabled = false;
        assert!(buckets.take(Time::START, "1", &ecs("DeregisterTaskDefinition")));
    }
}
