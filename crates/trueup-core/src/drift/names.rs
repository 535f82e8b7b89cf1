//! Which names and ARNs denote the same resource.
//!
//! Only for the fields where AWS documents that either may be sent. A common ending does not make names equal:
//! `role/web` and `role/team/web` are two roles.

use serde_json::Value;

use super::rule::Scope;

/// Whether a role's name or ARN, and another, are the same role.
pub(crate) fn is_same_role(_: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    both(desired, live).is_some_and(|(desired, live)| is_role(desired, live) || is_role(live, desired))
}

/// Whether `name`, with its path if it has one, is the role of `arn`, in any partition and account.
fn is_role(name: &str, arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "iam", _, _, resource] = parts[..] else { return false };
    let Some(role) = resource.strip_prefix("role/") else { return false };
    // A service-linked role's path is AWS's own, and the name in use does not contain it.
    let unlinked = role.strip_prefix("aws-service-role/").and_then(|rest| rest.split_once('/')).map(|(_, name)| name);
    let name = name.strip_prefix('/').unwrap_or(name);
    role == name || unlinked == Some(name)
}

/// Whether a cluster's name or ARN, and its ARN, are the same cluster.
pub(crate) fn is_same_cluster(_: &Scope, desired: Option<&Value>, live: Option<&Value>) -> bool {
    both(desired, live)
        .is_some_and(|(desired, live)| is_named("cluster", desired, live) || is_named("cluster", live, desired))
}

/// Whether `family`, `family:revision` or an ARN, and the ARN of a task definition revision, are the same one.
///
/// A family alone means its newest revision at the time of the write, which the two documents do not show: then only
/// the family is compared.
pub(crate) fn is_same_task_definition(desired: &str, live: &str) -> bool {
    let family = |name: &str| name.split(':').next().unwrap_or(name).to_owned();
    let last = |text: &str| match text.split_once(":task-definition/") {
        Some((arn, name)) if arn.starts_with("arn:") => name.to_owned(),
        _ => text.to_owned(),
    };
    if desired.starts_with("arn:") && live.starts_with("arn:") {
        let has_revision = last(desired).contains(':');
        return desired == live
            || (!has_revision && live.strip_prefix(desired).is_some_and(|rest| rest.starts_with(':')));
    }
    let (desired, live) = (last(desired), last(live));
    desired == live || (!desired.contains(':') && desired == family(&live))
}

/// Whether `arn` is an ECS resource `KIND/NAME`.
fn is_named(kind: &str, name: &str, arn: &str) -> bool {
    let resource = arn.splitn(6, ':').nth(5).filter(|_| arn.starts_with("arn:"));
    resource.and_then(|resource| resource.strip_prefix(kind)?.strip_prefix('/')) == Some(name)
}

fn both<'v>(desired: Option<&'v Value>, live: Option<&'v Value>) -> Option<(&'v str, &'v str)> {
    Some((desired?.as_str()?, live?.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::{is_named, is_role, is_same_task_definition};

    #[test]
    fn a_role_is_its_name_with_its_whole_path() {
        for (name, arn, same) in [
            ("web", "arn:aws:iam::123456789012:role/web", true),
            ("web", "arn:aws-cn:iam::123456789012:role/web", true),
            ("web", "arn:aws:iam::123456789012:role/team/web", false),
            ("team/web", "arn:aws:iam::123456789012:role/team/web", true),
            ("eb", "arn:aws:iam::123456789012:role/web", false),
            ("web", "arn:aws:iam::123456789012:user/web", false),
            (
                "AWSServiceRoleForECS",
                "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
                true,
            ),
        ] {
            assert_eq!(is_role(name, arn), same, "{name} {arn}");
        }
    }

    #[test]
    fn a_task_definition_is_its_family_and_revision() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
        for (desired, same) in [
            ("web:7", true),
            ("web", true),
            ("web:70", false),
            ("we", false),
            ("web:", false),
            (arn, true),
            ("arn:aws:ecs:eu-west-1:123456789012:task-definition/web", true),
            ("arn:aws:ecs:eu-west-2:123456789012:task-definition/web:7", false),
        ] {
            assert_eq!(is_same_task_definition(desired, arn), same, "{desired}");
        }
    }

    #[test]
    fn a_cluster_is_the_last_part_of_its_arn() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod";
        for (name, same) in [("prod", true), ("rod", false), ("cluster/prod", false)] {
            assert_eq!(is_named("cluster", name, arn), same, "{name}");
        }
    }
}
