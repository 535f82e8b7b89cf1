//! What AWS answers about one service of the fleet, as it answers in production: with everything that it fills in, and
//! with the hundred events that a service has after some weeks.

use serde_json::{Value, json};

use crate::fleet::{revision, target_group_arn};

/// How many events `DescribeServices` shows. Source: ECS API reference, `Service`: at most the newest 100.
const EVENTS: usize = 100;

/// The attributes of a target group.
pub const ATTRIBUTES: &str = "<Attributes>\
    <member><Key>stickiness.enabled</Key><Value>false</Value></member>\
    <member><Key>deregistration_delay.timeout_seconds</Key><Value>60</Value></member>\
    <member><Key>stickiness.app_cookie.cookie_name</Key><Value></Value></member>\
    <member><Key>stickiness.type</Key><Value>lb_cookie</Value></member>\
    <member><Key>stickiness.lb_cookie.duration_seconds</Key><Value>86400</Value></member>\
    <member><Key>slow_start.duration_seconds</Key><Value>0</Value></member>\
    <member><Key>stickiness.app_cookie.duration_seconds</Key><Value>86400</Value></member>\
    <member><Key>target_group_health.dns_failover.minimum_healthy_targets.percentage</Key><Value>off</Value></member>\
    <member><Key>target_group_health.dns_failover.minimum_healthy_targets.count</Key><Value>1</Value></member>\
    <member><Key>target_group_health.unhealthy_state_routing.minimum_healthy_targets.count</Key><Value>1</Value></member>\
    <member><Key>target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage</Key><Value>off</Value></member>\
    <member><Key>load_balancing.cross_zone.enabled</Key><Value>use_load_balancer_configuration</Value></member>\
    <member><Key>load_balancing.algorithm.type</Key><Value>round_robin</Value></member>\
    <member><Key>load_balancing.algorithm.anomaly_mitigation</Key><Value>off</Value></member>\
    </Attributes>";

/// A target group.
pub const TARGET_GROUP: &str = "<member>\
    <TargetGroupArn>arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/group-%n%/73e2d6bc24d8a067</TargetGroupArn>\
    <TargetGroupName>group-%n%</TargetGroupName><Protocol>HTTP</Protocol><ProtocolVersion>HTTP1</ProtocolVersion>\
    <Port>8000</Port><VpcId>vpc-0a1b2c3d4e5f60718</VpcId><TargetType>ip</TargetType><IpAddressType>ipv4</IpAddressType>\
    <HealthCheckEnabled>true</HealthCheckEnabled><HealthCheckProtocol>HTTP</HealthCheckProtocol>\
    <HealthCheckPort>traffic-port</HealthCheckPort><HealthCheckPath>/api/health/</HealthCheckPath>\
    <HealthCheckIntervalSeconds>60</HealthCheckIntervalSeconds><HealthCheckTimeoutSeconds>30</HealthCheckTimeoutSeconds>\
    <HealthyThresholdCount>2</HealthyThresholdCount><UnhealthyThresholdCount>5</UnhealthyThresholdCount>\
    <Matcher><HttpCode>200</HttpCode></Matcher><LoadBalancerArns><member>arn:aws:elasticloadbalancing:ap-northeast-1:\
    123456789012:loadbalancer/app/balancer-%listener%/50dc6c495c0c9188</member></LoadBalancerArns></member>";

/// A rule.
pub const RULE: &str = "<member>\
    <RuleArn>arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener-rule/app/balancer-%listener%/50dc6c495c0c9188/f2f7dc8efc522ab2/rule-%n%</RuleArn>\
    <Priority>%priority%</Priority><IsDefault>false</IsDefault><Conditions>\
    <member><Field>host-header</Field><Values><member>s%n%.learn.example.com</member></Values><HostHeaderConfig>\
    <Values><member>s%n%.learn.example.com</member></Values></HostHeaderConfig></member>\
    <member><Field>path-pattern</Field><Values><member>/admin/*</member><member>/api/*</member><member>/static/*</member>\
    </Values><PathPatternConfig><Values><member>/admin/*</member><member>/api/*</member><member>/static/*</member>\
    </Values></PathPatternConfig></member></Conditions>\
    <Actions><member><Type>forward</Type>\
    <TargetGroupArn>arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/group-%n%/73e2d6bc24d8a067</TargetGroupArn>\
    <ForwardConfig><TargetGroups><member>\
    <TargetGroupArn>arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/group-%n%/73e2d6bc24d8a067</TargetGroupArn>\
    <Weight>1</Weight></member></TargetGroups><TargetGroupStickinessConfig><Enabled>false</Enabled>\
    </TargetGroupStickinessConfig></ForwardConfig></member></Actions><Transforms/></member>";

/// The rule that every listener has.
pub const DEFAULT_RULE: &str = "<member><RuleArn>default</RuleArn><Priority>default</Priority>\
    <IsDefault>true</IsDefault><Conditions/><Actions/></member>";

/// The tags of one document's resource, by key.
fn tags(document: &str, digest: &str) -> Vec<(&'static str, String)> {
    vec![
        ("trueup:application", "app-%n%".to_owned()),
        ("trueup:environment", "production".to_owned()),
        ("trueup:instance", "default".to_owned()),
        ("trueup:document", document.to_owned()),
        ("trueup:revision", revision().to_string()),
        ("trueup:digest", digest.to_owned()),
    ]
}

fn json_tags(document: &str, digest: &str) -> Value {
    tags(document, digest).into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn xml_tags(document: &str, digest: &str) -> String {
    let tags = tags(document, digest).into_iter();
    let tags: Vec<String> =
        tags.map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>")).collect();
    format!("<Tags>{}</Tags>", tags.concat())
}

/// The tags of a target group.
pub fn target_group_tags() -> String {
    xml_tags("target-groups/backend", "%target-group%")
}

/// The tags of a rule.
pub fn rule_tags() -> String {
    xml_tags("listener-rules/api", "%listener-rule%")
}

/// A service, one element of `services`.
pub fn service() -> String {
    let created = 1_750_000_000;
    let revision = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/family-%n%:7";
    let network = json!({ "awsvpcConfiguration": {
        "subnets": ["subnet-0f1e2d3c4b5a69788", "subnet-0a1b2c3d4e5f60718"],
        "securityGroups": ["sg-0123456789abcdef0"], "assignPublicIp": "ENABLED",
    }});
    let events: Vec<Value> = (0..EVENTS)
        .map(|n| {
            json!({
                "id": format!("0f1e2d3c-4b5a-6978-8796-{n:012}"), "createdAt": created + 21_600 * (EVENTS - n),
                "message": "(service service-%n%) has reached a steady state.",
            })
        })
        .collect();
    json!({
        "serviceArn": "arn:aws:ecs:ap-northeast-1:123456789012:service/main/service-%n%",
        "serviceName": "service-%n%",
        "clusterArn": "arn:aws:ecs:ap-northeast-1:123456789012:cluster/main",
        "loadBalancers": [
            { "targetGroupArn": target_group_arn("group-%n%"), "containerName": "backend", "containerPort": 8000 },
        ],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": 1, "runningCount": 1, "pendingCount": 0,
        "launchType": "FARGATE", "platformVersion": "LATEST", "platformFamily": "Linux",
        "taskDefinition": revision,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": { "enable": true, "rollback": true },
            "maximumPercent": 200, "minimumHealthyPercent": 50, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
        },
        "deployments": [{
            "id": "ecs-svc/1234567890123456789", "status": "PRIMARY", "taskDefinition": revision,
            "desiredCount": 1, "pendingCount": 0, "runningCount": 1, "failedTasks": 0,
            "createdAt": created, "updatedAt": created + 300,
            "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
            "networkConfiguration": network, "rolloutState": "COMPLETED",
            "rolloutStateReason": "ECS deployment ecs-svc/1234567890123456789 completed.",
        }],
        "roleArn": "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "events": events,
        "createdAt": created,
        "placementConstraints": [], "placementStrategy": [],
        "networkConfiguration": network,
        "healthCheckGracePeriodSeconds": 300,
        "schedulingStrategy": "REPLICA",
        "deploymentController": { "type": "ECS" },
        "createdBy": "arn:aws:iam::123456789012:role/trueup",
        "enableECSManagedTags": false, "propagateTags": "NONE", "enableExecuteCommand": false,
        "availabilityZoneRebalancing": "ENABLED",
        "tags": json_tags("service", "%service%"),
    })
    .to_string()
}

/// The answer of `DescribeTaskDefinition`.
pub fn task_definition() -> String {
    let secret = |name: &str, secret: &str| {
        let arn = format!("arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:{secret}::");
        json!({ "name": name, "valueFrom": arn })
    };
    let container = |name: &str, port: u16, environment: Value, secrets: Value, check: Value| {
        json!({
            "name": name, "image": format!("123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/{name}:1.%n%"),
            "cpu": 0, "essential": true,
            "portMappings": [{ "containerPort": port, "hostPort": port, "protocol": "tcp" }],
            "environment": environment, "secrets": secrets,
            "mountPoints": [], "volumesFrom": [], "systemControls": [],
            "logConfiguration": { "logDriver": "awslogs", "options": {
                "awslogs-group": "/ecs/service-%n%", "awslogs-region": "ap-northeast-1", "awslogs-stream-prefix": "ecs",
            }},
            "healthCheck": check,
        })
    };
    let environment = json!([
        { "name": "LOG_LEVEL", "value": "INFO" },
        { "name": "DJANGO_SETTINGS_MODULE", "value": "config.settings.production" },
        { "name": "ALLOWED_HOSTS", "value": "s%n%.learn.example.com" },
    ]);
    let secrets = json!([
        secret("DATABASE_HOST", "database-AbCdEf:host"),
        secret("DATABASE_USER", "database-AbCdEf:username"),
        secret("DATABASE_PASSWORD", "database-AbCdEf:password"),
        secret("DJANGO_SECRET_KEY", "django-AbCdEf:secret_key"),
        secret("REDIS_URL", "redis-AbCdEf:url"),
    ]);
    let backend = json!({
        "command": ["CMD-SHELL", "curl -f http://localhost:8000/api/health/ || exit 1"],
        "interval": 60, "timeout": 30, "retries": 5, "startPeriod": 120,
    });
    let frontend = json!({
        "command": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"],
        "interval": 30, "timeout": 10, "retries": 5, "startPeriod": 60,
    });
    json!({
        "taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/family-%n%:7",
            "containerDefinitions": [
                container("backend", 8000, environment, secrets, backend),
                container("frontend", 80, json!([]), json!([]), frontend),
            ],
            "family": "family-%n%", "revision": 7, "status": "ACTIVE", "networkMode": "awsvpc", "volumes": [],
            "taskRoleArn": "arn:aws:iam::123456789012:role/task",
            "executionRoleArn": "arn:aws:iam::123456789012:role/task-execution",
            "requiresAttributes": [
                { "name": "com.amazonaws.ecs.capability.logging-driver.awslogs" },
                { "name": "ecs.capability.execution-role-awslogs" },
                { "name": "com.amazonaws.ecs.capability.ecr-auth" },
                { "name": "com.amazonaws.ecs.capability.docker-remote-api.1.19" },
                { "name": "ecs.capability.secrets.asm.environment-variables" },
                { "name": "com.amazonaws.ecs.capability.task-iam-role" },
                { "name": "ecs.capability.container-health-check" },
                { "name": "ecs.capability.execution-role-ecr-pull" },
                { "name": "ecs.capability.task-eni" },
                { "name": "com.amazonaws.ecs.capability.docker-remote-api.1.29" },
            ],
            "placementConstraints": [], "compatibilities": ["EC2", "FARGATE"],
            "requiresCompatibilities": ["FARGATE"], "cpu": "512", "memory": "1024",
            "runtimePlatform": { "cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX" },
            "registeredAt": 1_750_000_000, "registeredBy": "arn:aws:iam::123456789012:role/trueup",
        },
        "tags": json_tags("task-definition", "%task-definition%"),
    })
    .to_string()
}
