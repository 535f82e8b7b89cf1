//! The one table of AWS actions: the purpose of each, and the statement of the policy that grants it.

/// Whether an action changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only reads, or changes nothing that serves traffic: also granted by the read-only policy.
    Read,
    /// It changes something.
    Write,
}

/// The statements of a policy, in the order in which they are printed.
///
/// Each is one kind of resource under one condition. The actions of `Unscoped…` statements have no resource-level
/// permissions in IAM, so that their resource is `*`.
/// Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Services by name; all of a cluster where pruning has to find the ones that git no longer names.
    ReadServices,
    /// ECS's record of deployments of those services.
    ReadServiceDeployments,
    /// Tasks of the clusters.
    ReadTasks,
    /// Listings, whose only resource is a cluster.
    ListInClusters,
    /// Task definitions: reading them has no resource-level permissions.
    UnscopedReadTaskDefinitions,
    /// Load balancers, listeners, rules, target groups: reading them has no resource-level permissions.
    UnscopedReadLoadBalancing,
    /// Scalable targets: reading them has no resource-level permissions.
    UnscopedReadAutoscaling,
    /// `CloudTrail`'s event history: it has no resource-level permissions.
    UnscopedReadTrail,
    /// Names of parameters: listing them has no resource-level permissions.
    UnscopedReadParameterNames,
    /// Secrets that references name; never their values.
    ReadSecretNames,
    /// Stacks that references name.
    ReadStacks,
    /// Repositories that references name.
    ReadImages,
    /// Metrics: they have no resource-level permissions, only a namespace.
    UnscopedWriteMetrics,
    /// Roles of environments.
    AssumeRoles,
    /// Roles of tasks, passed to ECS for the containers and their agent.
    PassTaskRoles,
    /// Roles of services, passed to ECS itself.
    PassServiceRoles,
    /// Task definitions, only with trueup's tag: so [`Grant::TagEcs`] limits them to families of git.
    UnscopedRegisterTaskDefinitions,
    /// Services of git, only with trueup's tag.
    CreateServices,
    /// Services of git.
    UpdateServices,
    /// Tags of services and task definitions of git.
    TagEcs,
    /// Target groups of git, only with trueup's tag.
    CreateTargetGroups,
    /// Target groups of git.
    ChangeTargetGroups,
    /// Rules on listeners that git names, only with trueup's tag.
    CreateRules,
    /// Rules on listeners that git names.
    ChangeRules,
    /// Tags of target groups and rules.
    TagLoadBalancing,
    /// Services that git no longer has: only those with trueup's tag.
    PruneServices,
    /// Target groups and rules that git no longer has: only those with trueup's tag.
    PruneLoadBalancing,
}

/// An action that trueup uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name in IAM, such as `ecs:UpdateService`.
    pub name: &'static str,
    /// Whether it changes anything.
    pub access: Access,
    /// The statement that grants it; `None` for an action that AWS never denies.
    pub grant: Option<Grant>,
    /// Why it is needed, as in the operator's handbook.
    pub why: &'static str,
}

/// Every action that trueup uses, by service.
pub const ACTIONS: [Action; 43] = [
    read("ecs:DescribeServices", Grant::ReadServices, "the live service, and its tags, which are trueup's memory"),
    read("ecs:ListServices", Grant::ListInClusters, "pruning: services that git no longer names"),
    read("ecs:ListServiceDeployments", Grant::ReadServices, "rollouts and rollbacks of the last 90 days"),
    read(
        "ecs:DescribeServiceDeployments",
        Grant::ReadServiceDeployments,
        "the status of a rollout, and why it was rolled back",
    ),
    read("ecs:DescribeServiceRevisions", Grant::ReadServiceDeployments, "the exact revision that ECS rolled back"),
    read("ecs:DescribeTaskDefinition", Grant::UnscopedReadTaskDefinitions, "what a service runs, field by field"),
    read("ecs:ListTaskDefinitions", Grant::UnscopedReadTaskDefinitions, "equal content is never registered twice"),
    read("ecs:ListTasks", Grant::ListInClusters, "which tasks failed, and how many are healthy"),
    read("ecs:DescribeTasks", Grant::ReadTasks, "why tasks stopped"),
    write("ecs:RegisterTaskDefinition", Grant::UnscopedRegisterTaskDefinitions, "a new revision of a family of git"),
    write("ecs:CreateService", Grant::CreateServices, "a service that git has and AWS does not"),
    write("ecs:UpdateService", Grant::UpdateServices, "deployments, and settings of a service"),
    write("ecs:DeleteService", Grant::PruneServices, "pruning, with `prune = \"on\"` alone"),
    write("ecs:TagResource", Grant::TagEcs, "trueup's memory, and the tags of git; also to create with tags"),
    write("ecs:UntagResource", Grant::TagEcs, "tags that git no longer has, and marks that no longer hold"),
    write("iam:PassRole", Grant::PassTaskRoles, "roles that documents name: for containers and their agent"),
    elb_read("elasticloadbalancing:DescribeTargetGroups", "target groups of git and of references"),
    elb_read("elasticloadbalancing:DescribeTargetGroupAttributes", "their attributes"),
    elb_read("elasticloadbalancing:DescribeTargetHealth", "why a rollout makes no progress"),
    elb_read("elasticloadbalancing:DescribeRules", "rules on the listeners that git names"),
    elb_read("elasticloadbalancing:DescribeTags", "tags of target groups and rules: who owns them"),
    elb_read("elasticloadbalancing:DescribeLoadBalancers", "`${listener.…}`, and pruning"),
    elb_read("elasticloadbalancing:DescribeListeners", "`${listener.…}`, and pruning"),
    write(
        "elasticloadbalancing:CreateTargetGroup",
        Grant::CreateTargetGroups,
        "a target group that git has and AWS does not",
    ),
    write("elasticloadbalancing:ModifyTargetGroup", Grant::ChangeTargetGroups, "health checks"),
    write(
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        Grant::ChangeTargetGroups,
        "attributes, such as the deregistration delay",
    ),
    write("elasticloadbalancing:DeleteTargetGroup", Grant::PruneLoadBalancing, "pruning, with `prune = \"on\"` alone"),
    write("elasticloadbalancing:CreateRule", Grant::CreateRules, "a rule that git has and AWS does not"),
    write("elasticloadbalancing:ModifyRule", Grant::ChangeRules, "conditions and actions of a rule"),
    write("elasticloadbalancing:SetRulePriorities", Grant::ChangeRules, "the priority of a rule"),
    write("elasticloadbalancing:DeleteRule", Grant::PruneLoadBalancing, "pruning, with `prune = \"on\"` alone"),
    write(
        "elasticloadbalancing:AddTags",
        Grant::TagLoadBalancing,
        "trueup's memory, and the tags of git; also to create with tags",
    ),
    write(
        "elasticloadbalancing:RemoveTags",
        Grant::TagLoadBalancing,
        "tags that git no longer has, and marks that no longer hold",
    ),
    read(
        "application-autoscaling:DescribeScalableTargets",
        Grant::UnscopedReadAutoscaling,
        "whether an autoscaler governs a `desiredCount` of git",
    ),
    read("ecr:BatchGetImage", Grant::ReadImages, "`${image.…}`: the digest of a tag, and its platforms"),
    read("secretsmanager:DescribeSecret", Grant::ReadSecretNames, "`${secret.…}`: the ARN, never the value"),
    read("ssm:DescribeParameters", Grant::UnscopedReadParameterNames, "`${parameter.…}`: the ARN, never the value"),
    read("cloudformation:DescribeStacks", Grant::ReadStacks, "`${stack.…}`: outputs, and whether the stack is settled"),
    read("cloudformation:ListStackResources", Grant::ReadStacks, "`${stack.…}`: the physical ids of resources"),
    read("cloudtrail:LookupEvents", Grant::UnscopedReadTrail, "who changes what trueup repairs again and again"),
    read("cloudwatch:PutMetricData", Grant::UnscopedWriteMetrics, "metrics in the namespace `Trueup`"),
    read("sts:AssumeRole", Grant::AssumeRoles, "environments with a `role`"),
    Action {
        name: "sts:GetCallerIdentity",
        access: Access::Read,
        grant: None,
        why: "the account is the environment's; AWS never denies it",
    },
];

const fn read(name: &'static str, grant: Grant, why: &'static str) -> Action {
    Action { name, access: Access::Read, grant: Some(grant), why }
}

const fn elb_read(name: &'static str, why: &'static str) -> Action {
    read(name, Grant::UnscopedReadLoadBalancing, why)
}

const fn write(name: &'static str, grant: Grant, why: &'static str) -> Action {
    Action { name, access: Access::Write, grant: Some(grant), why }
}

/// Whether trueup may make this call at all (`ecs:UpdateService`).
pub fn is_known(name: &str) -> bool {
    ACTIONS.iter().any(|action| action.name == name)
}

impl Grant {
    /// All statements, in the order in which they are printed.
    pub const ALL: [Self; 27] = [
        Self::ReadServices,
        Self::ReadServiceDeployments,
        Self::ReadTasks,
        Self::ListInClusters,
        Self::UnscopedReadTaskDefinitions,
        Self::UnscopedReadLoadBalancing,
        Self::UnscopedReadAutoscaling,
        Self::UnscopedReadTrail,
        Self::UnscopedReadParameterNames,
        Self::ReadSecretNames,
        Self::ReadStacks,
        Self::ReadImages,
        Self::UnscopedWriteMetrics,
        Self::AssumeRoles,
        Self::PassTaskRoles,
        Self::PassServiceRoles,
        Self::UnscopedRegisterTaskDefinitions,
        Self::CreateServices,
        Self::UpdateServices,
        Self::TagEcs,
        Self::CreateTargetGroups,
        Self::ChangeTargetGroups,
        Self::CreateRules,
        Self::ChangeRules,
        Self::TagLoadBalancing,
        Self::PruneServices,
        Self::PruneLoadBalancing,
    ];

    /// Its actions. A role is passed by the same action to tasks and to services.
    pub(super) fn actions(self) -> impl Iterator<Item = &'static Action> {
        let listed = if self == Self::PassServiceRoles { Self::PassTaskRoles } else { self };
        ACTIONS.iter().filter(move |action| action.grant == Some(listed))
    }
}
