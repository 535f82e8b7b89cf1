//! Desired states as values, from which histories make commits.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::account::{ACCOUNT, CLUSTER, LOAD_BALANCER, REGION, SECRET};

/// A whole repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// By directory.
    pub applications: BTreeMap<String, Application>,
    /// `prune = "on"`.
    pub prune: bool,
}

/// One application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The tag of its image.
    pub tag: String,
    /// `desiredCount`; left out when none.
    pub count: Option<u64>,
    /// The value of its environment variable `LEVEL`, after what marks every such value.
    pub level: String,
    /// `deploymentConfiguration`: minimum and maximum percent.
    pub percent: (u64, u64),
    /// Circuit breaker: none, or whether it rolls back.
    pub breaker: Option<bool>,
    /// Behind the load balancer, by a rule of this priority.
    pub balanced: Option<Balanced>,
    /// ECS shifts its traffic, behind a rule that the surroundings have; instead of `balanced`.
    pub blue_green: Option<BlueGreen>,
    /// A scalable target governs its number of tasks from the beginning; git does not say so.
    pub autoscaled: bool,
    /// Its container has a health check of its own.
    pub checked: bool,
    /// Applications that must be Synced and Healthy first.
    pub depends_on: Vec<String>,
    /// How its documents are written.
    pub style: Style,
}

/// Ways of writing the same thing, which AWS answers in its own way.
#[expect(clippy::struct_excessive_bools, reason = "each way is taken or not, whatever the others are")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// CPU and memory as `.25 vCPU` and `0.5GB` instead of `256` and `512`.
    pub units: bool,
    /// Defaults are written out: `essential`, `hostPort`, `protocol`, `platformVersion`, …
    pub defaults: bool,
    /// Subnets, and other sets, the other way round.
    pub reversed: bool,
    /// Empty lists instead of nothing.
    pub empty: bool,
    /// The execution role by its name.
    pub names: bool,
}

impl Style {
    /// One of all combinations.
    pub fn of(index: usize) -> Self {
        let is_set = |bit: usize| index >> bit & 1 == 1;
        Self { units: is_set(0), defaults: is_set(1), reversed: is_set(2), empty: is_set(3), names: is_set(4) }
    }
}

/// What is in front of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balanced {
    /// The rule's priority.
    pub priority: u64,
    /// `HealthCheckIntervalSeconds`.
    pub interval: u64,
    /// `UnhealthyThresholdCount`.
    pub unhealthy: u64,
    /// The attribute `deregistration_delay.timeout_seconds`.
    pub delay: u64,
    /// The rule's path.
    pub path: String,
}

/// How ECS shifts traffic: `deploymentConfiguration.strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// All at once, a minute before the old tasks end.
    #[default]
    BlueGreen,
    /// In two steps of a minute.
    Linear,
    /// A tenth for a minute, then all.
    Canary,
}

impl Strategy {
    /// The lines of `deploymentConfiguration`.
    fn lines(self) -> &'static str {
        match self {
            Self::BlueGreen => "strategy = \"BLUE_GREEN\"\nbakeTimeInMinutes = 1\n",
            Self::Linear => {
                "strategy = \"LINEAR\"\nbakeTimeInMinutes = 1\n\
                 linearConfiguration = { stepPercent = 50.0, stepBakeTimeInMinutes = 1 }\n"
            }
            Self::Canary => {
                "strategy = \"CANARY\"\nbakeTimeInMinutes = 1\n\
                 canaryConfiguration = { canaryPercent = 10.0, canaryBakeTimeInMinutes = 1 }\n"
            }
        }
    }
}

/// The surroundings of an application whose traffic ECS shifts: ARNs, empty until they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlueGreen {
    /// The target group.
    pub blue: String,
    /// The alternate target group.
    pub green: String,
    /// The production listener rule.
    pub rule: String,
    /// The rule's priority.
    pub priority: u64,
    /// How traffic is shifted.
    pub strategy: Strategy,
}

/// The image of an application with a tag, as its task definition names it.
pub fn image(name: &str, tag: &str) -> String {
    format!("{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}:{tag}")
}

impl Default for Application {
    fn default() -> Self {
        Self {
            tag: "1".to_owned(),
            count: Some(2),
            level: "info".to_owned(),
            percent: (100, 200),
            breaker: Some(true),
            balanced: None,
            blue_green: None,
            autoscaled: false,
            checked: false,
            depends_on: Vec::new(),
            style: Style::default(),
        }
    }
}

impl Balanced {
    /// By a rule of this priority, with health checks every ten seconds.
    pub fn at(priority: u64) -> Self {
        Self { priority, interval: 10, unhealthy: 3, delay: 20, path: format!("/{priority}/*") }
    }
}

impl Desired {
    /// With these applications.
    pub fn of(applications: impl IntoIterator<Item = (&'static str, Application)>) -> Self {
        let applications = applications.into_iter().map(|(name, application)| (name.to_owned(), application)).collect();
        Self { applications, prune: false }
    }

    /// The same with one application changed.
    ///
    /// # Panics
    /// When there is no such application.
    #[must_use]
    pub fn with(&self, name: &str, change: impl FnOnce(&mut Application)) -> Self {
        let mut changed = self.clone();
        change(changed.applications.get_mut(name).expect("the application is there"));
        changed
    }

    /// Without an application.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut changed = self.clone();
        changed.applications.remove(name);
        changed
    }

    /// The files of the commit.
    pub fn files(&self) -> BTreeMap<String, String> {
        let prune = if self.prune { "[policy]\nprune = \"on\"\nprune_limit = 20\n" } else { "" };
        let configuration = format!(
            "applications = [\"*\"]\n{prune}[environments.production]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n\
             cluster = \"{CLUSTER}\"\n"
        );
        let mut files = BTreeMap::from([("trueup.toml".to_owned(), configuration)]);
        for (name, application) in &self.applications {
            for (file, text) in application.files(name) {
                files.insert(format!("{name}/{file}"), text);
            }
        }
        files
    }
}

impl Application {
    /// What is in front of it.
    ///
    /// # Panics
    /// When nothing does.
    pub fn balanced_mut(&mut self) -> &mut Balanced {
        self.balanced.as_mut().expect("it is behind the load balancer")
    }

    fn files(&self, name: &str) -> Vec<(String, String)> {
        let mut files = vec![
            ("app.toml".to_owned(), format!("depends_on = {:?}\n", self.depends_on)),
            ("task-definition.toml".to_owned(), self.task_definition(name)),
            ("service.toml".to_owned(), self.service(name)),
        ];
        if let Some(balanced) = &self.balanced {
            files.push((format!("target-groups/{name}.toml"), balanced.target_group(name)));
            files.push((format!("listener-rules/{name}.toml"), balanced.rule(name)));
        }
        if let Some(shifted) = &self.blue_green {
            files.push((format!("listener-rules/{name}.toml"), shifted.production()));
        }
        files
    }

    fn task_definition(&self, name: &str) -> String {
        let Self { tag, level, style, .. } = self;
        let image = image(name, tag);
        let (cpu, memory) = if style.units { (".25 vCPU", "0.5GB") } else { ("256", "512") };
        let role = if style.names { "execution".to_owned() } else { format!("arn:aws:iam::{ACCOUNT}:role/execution") };
        let port = if style.defaults { ", hostPort = 80, protocol = \"tcp\"" } else { "" };
        let mut text = format!(
            "family = \"{name}\"\nnetworkMode = \"awsvpc\"\nrequiresCompatibilities = [\"FARGATE\"]\ncpu = \"{cpu}\"\n\
             memory = \"{memory}\"\nexecutionRoleArn = \"{role}\"\n"
        );
        if style.empty {
            text.push_str("volumes = []\nplacementConstraints = []\n");
        }
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "[[containerDefinitions]]\nname = \"{name}\"\nimage = \"{image}\"\n\
             portMappings = [{{ containerPort = 80{port} }}]\nenvironment = [\
             {{ name = \"LEVEL\", value = \"{SECRET}{level}\" }}]\n"
        );
        if style.defaults {
            text.push_str("essential = true\ncpu = 0\n");
        }
        if style.empty {
            text.push_str("mountPoints = []\nvolumesFrom = []\n");
        }
        if self.checked {
            text.push_str("[containerDefinitions.healthCheck]\ncommand = [\"CMD\", \"/check\"]\ninterval = 10\nstartPeriod = 30\n");
            if style.defaults {
                text.push_str("timeout = 5\nretries = 3\n");
            }
        }
        text
    }

    fn service(&self, name: &str) -> String {
        let (minimum, maximum) = self.percent;
        let style = self.style;
        let mut text = format!("serviceName = \"{name}\"\nlaunchType = \"FARGATE\"\n");
        if let Some(count) = self.count {
            let _ = writeln!(text, "desiredCount = {count}");
        }
        if self.balanced.is_some() || self.blue_green.is_some() {
            text.push_str("healthCheckGracePeriodSeconds = 60\n");
        }
        if style.defaults {
            text.push_str(
                "platformVersion = \"LATEST\"\nschedulingStrategy = \"REPLICA\"\nenableExecuteCommand = false\n",
            );
        }
        let _ =
            writeln!(text, "[deploymentConfiguration]\nminimumHealthyPercent = {minimum}\nmaximumPercent = {maximum}");
        if let Some(rollback) = self.breaker {
            let _ = writeln!(text, "deploymentCircuitBreaker = {{ enable = true, rollback = {rollback} }}");
        }
        if let Some(shifted) = &self.blue_green {
            text.push_str(shifted.strategy.lines());
        }
        let mut subnets = ["subnet-0a1b2c3d", "subnet-1a2b3c4d"];
        if style.reversed {
            subnets.reverse();
        }
        let _ = writeln!(
            text,
            "[networkConfiguration.awsvpcConfiguration]\nsubnets = {subnets:?}\nsecurityGroups = [\"sg-0a1b2c3d\"]\n\
             assignPublicIp = \"ENABLED\""
        );
        if self.balanced.is_some() {
            let _ = writeln!(
                text,
                "[[loadBalancers]]\ntargetGroupArn = \"${{target_group.{name}}}\"\ncontainerName = \"{name}\"\n\
                 containerPort = 80"
            );
        }
        if let Some(BlueGreen { blue, green, rule, .. }) = &self.blue_green {
            let _ = writeln!(
                text,
                "[[loadBalancers]]\ntargetGroupArn = \"{blue}\"\ncontainerName = \"{name}\"\ncontainerPort = 80\n\
                 [loadBalancers.advancedConfiguration]\nalternateTargetGroupArn = \"{green}\"\n\
                 productionListenerRule = \"{rule}\"\nroleArn = \"arn:aws:iam::{ACCOUNT}:role/shift\""
            );
        }
        text
    }
}

impl BlueGreen {
    /// The production rule in git, with the weights before the first shift.
    fn production(&self) -> String {
        let Self { blue, green, priority, .. } = self;
        format!(
            "ListenerArn = \"${{listener.{LOAD_BALANCER}.80}}\"\nPriority = {priority}\n\
             Conditions = [{{ Field = \"path-pattern\", PathPatternConfig = {{ Values = [\"/{priority}/*\"] }} }}]\n\
             [[Actions]]\nType = \"forward\"\n[Actions.ForwardConfig]\nTargetGroups = [\
             {{ TargetGroupArn = \"{blue}\", Weight = 100 }}, {{ TargetGroupArn = \"{green}\", Weight = 0 }}]\n"
        )
    }
}

impl Balanced {
    fn target_group(&self, name: &str) -> String {
        let Self { interval, unhealthy, delay, .. } = self;
        format!(
            "Name = \"{name}-tg\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-0a1b2c3d\"\nTargetType = \"ip\"\n\
             HealthCheckPath = \"/health\"\nHealthCheckIntervalSeconds = {interval}\nHealthCheckTimeoutSeconds = 5\n\
             HealthyThresholdCount = 2\nUnhealthyThresholdCount = {unhealthy}\n\
             Attributes = [{{ Key = \"deregistration_delay.timeout_seconds\", Value = \"{delay}\" }}]\n"
        )
    }

    fn rule(&self, name: &str) -> String {
        let Self { priority, path, .. } = self;
        format!(
            "ListenerArn = \"${{listener.{LOAD_BALANCER}.80}}\"\nPriority = {priority}\n\
             Conditions = [{{ Field = \"path-pattern\", PathPatternConfig = {{ Values = [\"{path}\"] }} }}]\n\
             Actions = [{{ Type = \"forward\", TargetGroupArn = \"${{target_group.{name}}}\" }}]\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Application, Balanced, Desired};

    #[test]
    fn what_histories_commit_is_valid() {
        let desired = Desired::of([
            ("plain", Application { count: None, breaker: None, ..Application::default() }),
            (
                "web",
                Application {
                    balanced: Some(Balanced::at(10)),
                    checked: true,
                    depends_on: vec!["plain".to_owned()],
                    ..Application::default()
                },
            ),
        ]);
        let files = Desired { prune: true, ..desired }.files();
        let files = files.into_iter().map(|(path, text)| (path, Arc::from(text.as_bytes()))).collect();
        let loaded = trueup_core::desired::load(&files);
        assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    }
}
