//! Every class, from texts as AWS writes them.

use serde_json::{Value, json};

use super::super::{Bearing, Class};
use super::{Scene, container, ended, names};

const FAILED: &str = "TaskFailedToStart";
const EXITED: &str = "EssentialContainerExited";
const SCHEDULER: &str = "ServiceSchedulerInitiated";
const ENDED: &str = "Essential container in task exited";
const PULL: &str = "CannotPullContainerError: ";
const SECRETS: &str =
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: ";
const USER: &str = "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/ecsTaskExecutionRole/0123 is not authorized to perform: ";

/// Stop code, stopped reason, containers, class.
type Stop = (&'static str, String, Value, &'static str);

/// Every stop.
fn stops() -> Vec<Stop> {
    [before_start(), after_start()].concat()
}

/// Stops by what a task lacked before its containers started.
fn before_start() -> Vec<Stop> {
    let none = || json!([]);
    let says = |reason: &str| json!([container(None, reason)]);
    vec![
        (FAILED, format!("{PULL}pull image manifest has been retried 7 time(s): image Manifest does not contain descriptor matching platform 'linux/amd64'"), none(), "image_architecture"),
        (FAILED, String::new(), says("CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64/v8'"), "image_architecture"),
        (FAILED, format!("{PULL}no matching manifest for linux/amd64 in the manifest list entries"), none(), "image_architecture"),
        (FAILED, format!("{PULL}pull image manifest has been retried 7 time(s): failed to resolve ref 961341555117.dkr.ecr.ap-southeast-1.amazonaws.com/rag-nginx:latest: 961341555117.dkr.ecr.ap-southeast-1.amazonaws.com/rag-nginx:latest: not found"), none(), "image_not_found"),
        (FAILED, format!("{PULL}Error response from daemon: manifest for 1.dkr.ecr.eu-west-1.amazonaws.com/a:b not found: manifest unknown: Requested image not found"), none(), "image_not_found"),
        (FAILED, format!("{PULL}pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/library/latest:latest: failed to do request: Head \"https://registry-1.docker.io/v2/library/latest/manifests/latest\": dial tcp 44.205.64.79:443: i/o timeout"), none(), "registry_unreachable"),
        (FAILED, format!("{PULL}The task cannot pull 1.dkr.ecr.eu-west-1.amazonaws.com/a:b from Amazon ECR. There is a connection issue between the task and Amazon ECR. Check your task network configuration."), none(), "registry_unreachable"),
        (FAILED, format!("{PULL}context canceled"), none(), "registry_unreachable"),
        (FAILED, format!("{PULL}Error response from daemon: Get https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/: net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"), none(), "registry_unreachable"),
        (FAILED, format!("{PULL}ref pull has been retried 5 time(s): failed to copy: httpReaderSeeker: failed open: failed to do request: Get \"https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/x\": dial tcp 52.218.1.1:443: i/o timeout"), none(), "image_layer_download"),
        (FAILED, format!("{PULL}The task can’t pull the image. Check that the role has the permissions to pull images from the registry."), none(), "image_pull_denied"),
        (FAILED, format!("{PULL}The task can't pull the image. Check that the role has the permissions to pull images from the registry."), none(), "image_pull_denied"),
        (FAILED, format!("{PULL}Error response from daemon: pull access denied for private/app, repository does not exist or may require 'docker login'"), none(), "image_pull_denied"),
        (FAILED, format!("{PULL}inspect image has been retried 5 time(s): httpReadSeeker: {USER}ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/a"), none(), "image_pull_denied"),
        (FAILED, format!("{PULL}ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/x\": dial tcp 52.218.1.1:443: i/o timeout"), none(), "image_layer_download"),
        (FAILED, format!("{PULL}inspect image has been retried 5 time(s): httpReaderSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/x: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit."), none(), "image_pull_rate_limit"),
        (FAILED, format!("{PULL}ref pull has been retried 1 time(s): failed to extract layer sha256:abc: write /var/lib/containerd/x: no space left on device: unknown"), none(), "image_too_large"),
        (FAILED, format!("{SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:db-Ab12Cd from secrets manager: {USER}secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:db-Ab12Cd because no identity-based policy allows the secretsmanager:GetSecretValue action"), none(), "execution_role_denied"),
        (FAILED, format!("{SECRETS}unable to retrieve secrets from ssm: {USER}ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:1:parameter/a"), none(), "execution_role_denied"),
        (FAILED, format!("{SECRETS}unable to retrieve ecr registry auth: service call has been retried 1 time(s): operation error ECR: GetAuthorizationToken, https response error StatusCode: 400, RequestID: 415e6826, api error {USER}ecr:GetAuthorizationToken on resource: *"), none(), "execution_role_denied"),
        (FAILED, format!("{SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): Access to KMS is not allowed"), none(), "execution_role_denied"),
        (FAILED, format!("{SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:us-east-1:1:secret:dev/url-LB1bMG from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."), none(), "secret_not_found"),
        (FAILED, format!("{SECRETS}unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /app/staging/sentry-dsn"), none(), "secret_not_found"),
        (FAILED, format!("{SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key GROQ_API_KEY"), none(), "secret_format"),
        (FAILED, format!("{SECRETS}unable to retrieve secret from asm: service call has been retried 1 time(s): invalid character 'p' looking for beginning of value"), none(), "secret_format"),
        (FAILED, format!("{SECRETS}unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret arn:aws:secretsmanager:eu-west-1:1:secret:db-Ab12cD from secrets manager: ThrottlingException: Rate exceeded"), none(), "secrets_throttled"),
        (FAILED, format!("{SECRETS}unable to retrieve secrets from ssm: service call has been retried 5 time(s): RequestCanceled: request context canceled caused by: context deadline exceeded. Please check your task network configuration."), none(), "secrets_unreachable"),
        (FAILED, format!("{SECRETS}unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused by: Post \"https://api.ecr.eu-west-1.amazonaws.com/\": dial tcp 63.34.63.179:443: i/o timeout."), none(), "secrets_unreachable"),
        (FAILED, "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.".into(), none(), "log_driver"),
        (FAILED, "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. Check your network configuration. : signal: killed".into(), none(), "log_driver"),
        (FAILED, "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.".into(), none(), "log_driver"),
        (FAILED, "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-0e4a39a0b7bb8b885.efs.us-east-1.amazonaws.com\" - check that your file system ID is correct".into(), none(), "efs_mount"),
    ]
}

/// Stops by how containers ended, and by the scheduler and AWS.
fn after_start() -> Vec<Stop> {
    let none = || json!([]);
    let code = |code| json!([container(Some(code), "")]);
    let says = |reason: &str| json!([container(None, reason)]);
    vec![
        (EXITED, ENDED.into(), json!([container(Some(137), "OutOfMemoryError: Container killed due to memory usage")]), "out_of_memory"),
        (EXITED, ENDED.into(), code(137), "killed"),
        (EXITED, ENDED.into(), code(139), "segmentation_fault"),
        (EXITED, ENDED.into(), code(126), "bad_command"),
        (EXITED, ENDED.into(), code(127), "bad_command"),
        (FAILED, String::new(), says("CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"uvicorn\": executable file not found in $PATH: unknown"), "bad_command"),
        (FAILED, String::new(), says("CannotStartContainerError: runc create failed: unable to start container process: exec: \"/entrypoint.sh\": permission denied: unknown"), "bad_command"),
        (FAILED, String::new(), says("CannotStartContainerError: exec /app/server: exec format error"), "exec_format_error"),
        (EXITED, ENDED.into(), code(1), "application_exit"),
        (EXITED, ENDED.into(), code(255), "application_exit"),
        (EXITED, ENDED.into(), code(0), "application_exit"),
        (EXITED, ENDED.into(), ended(&[("backend", 3), ("frontend", 137), ("helper", 1)]), "application_exit"),
        (SCHEDULER, "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/1)".into(), code(137), "target_unhealthy"),
        (SCHEDULER, "Task failed container health checks".into(), code(137), "container_health_check"),
        ("UserInitiated", "Task stopped by user".into(), code(143), "stopped_by_user"),
        (FAILED, "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-0a1b': InsufficientFreeAddressesInSubnet".into(), none(), "subnet_full"),
        (FAILED, "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-0a1b': SecurityGroupLimitExceeded".into(), none(), "network_interface"),
        (FAILED, "Timeout waiting for network interface provisioning to complete.".into(), none(), "network_interface_timeout"),
        (FAILED, "Network interface provision complete error: InternalError".into(), none(), "network_interface_timeout"),
        (FAILED, "Capacity is unavailable at this time. Please try again later or in a different availability zone".into(), none(), "fargate_capacity"),
        (FAILED, "RESOURCE:FARGATE".into(), none(), "fargate_capacity"),
        (FAILED, "You've reached the limit on the number of tasks you can run concurrently".into(), none(), "account_quota"),
        (FAILED, "You’ve reached the limit on the number of vCPUs you can run concurrently".into(), none(), "account_quota"),
        (FAILED, "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/elearning' that was provided for this task.".into(), none(), "role_not_assumable"),
        ("SpotInterruption", "Your Spot Task was interrupted.".into(), code(137), "spot_interruption"),
        ("TerminationNotice", "Your Spot Task was interrupted.".into(), code(137), "spot_interruption"),
        (SCHEDULER, "ECS is performing maintenance on the underlying infrastructure hosting the task.".into(), none(), "maintenance"),
        ("", "Host EC2 (instance i-0123456789abcdef0) terminated.".into(), none(), "host_gone"),
        ("InfrastructureHealth", "The host became unhealthy".into(), none(), "host_gone"),
        (FAILED, "CannotCreateVolumeError: the volume driver says no".into(), none(), "volume_not_created"),
        (FAILED, String::new(), says("CannotInspectContainerError: could not inspect"), "container_not_inspected"),
        (FAILED, String::new(), says("CannotStartContainerError: bootstrap dependency did not complete"), "container_not_started"),
        (EXITED, ENDED.into(), says("CannotStopContainerError: failed sending SIGTERM to container"), "container_not_stopped"),
        (FAILED, String::new(), says("ContainerRuntimeError: failed to get container status"), "container_runtime"),
        (FAILED, String::new(), says("ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m"), "container_runtime_timeout"),
        (FAILED, "ResourceNotFoundException: The specified thing does not exist".into(), none(), "resource_not_found"),
    ]
}

/// Service events, where no stopped task is left, and the class.
const EVENTS: &[(&str, &str)] = &[
    (
        "(service web) was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref 1.dkr.ecr.eu-west-1.amazonaws.com/a:latest: not found.",
        "image_not_found",
    ),
    (
        "(service web) failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::1:role/CruddurTaskRole' that was provided for this task.)",
        "role_not_assumable",
    ),
    (
        "service web was unable to place a task. Reason: You've reached the limit on the number of tasks you can run concurrently",
        "account_quota",
    ),
    (
        "(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 40f5) has insufficient memory available.",
        "no_placement",
    ),
    (
        "(service web) was unable to place a task. Reason: tasks provisioning capacity limit was exceeded",
        "no_placement",
    ),
    (
        "(service web) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
        "deployment_deadlock",
    ),
    ("(service web) operations are being throttled. Will try again later.", "ecs_throttled"),
    (
        "(service web) failed to register targets in (target-group arn:aws:x) with (error TargetGroupNotFound)",
        "target_registration",
    ),
    (
        "(service web) failed to describe target health on target-group arn:aws:x with (error AccessDenied)",
        "target_registration",
    ),
    ("(service web) (deployment ecs-svc/4000000000000000001) deployment failed: alarm detected.", "alarm"),
    (
        "(service web) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.",
        "crash_loop",
    ),
];

/// Target health, where the scheduler stopped the task for it, and the class.
const TARGETS: &[(&str, &str, &str)] = &[
    ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]", "target_response_code"),
    ("Target.Timeout", "Request timed out", "target_timeout"),
    (
        "Target.NotInUse",
        "Target is in an Availability Zone that is not enabled for the load balancer",
        "target_zone_not_enabled",
    ),
    ("Target.FailedHealthChecks", "Health checks failed", "target_unhealthy"),
    ("Elb.InternalError", "Health checks failed due to an internal error", "target_unhealthy"),
];

#[test]
fn every_row_of_the_catalogue_is_recognised() {
    for (code, reason, containers, class) in stops() {
        let world = Scene::stopped(code, &reason, &containers);
        let world = world.and_stopped(code, &reason, &containers);
        assert_eq!(world.class(), class, "{code} {reason} {containers}");
        // Neither case, line breaks nor a prefix matters.
        let shouted = format!("Task stopped\n at 12:00:\n{}", reason.to_uppercase());
        if containers == json!([]) {
            assert_eq!(Scene::stopped(code, &shouted, &containers).class(), class, "{shouted}");
        }
    }
    for (message, class) in EVENTS {
        assert_eq!(Scene::new().event(950, message).class(), *class, "{message}");
    }
    for (reason, description, class) in TARGETS {
        let stopped = Scene::stopped(
            "ServiceSchedulerInitiated",
            &format!("Task failed ELB health checks in (target-group {})", super::GROUP),
            &json!([]),
        );
        assert_eq!(stopped.target("10.0.1.0", reason, description).class(), *class, "{description}");
    }
}

#[test]
fn every_class_has_a_row() {
    let noise = ["scaling", "terminated"];
    let stops = stops();
    let rows =
        stops.iter().map(|row| row.3).chain(EVENTS.iter().map(|row| row.1)).chain(TARGETS.iter().map(|row| row.2));
    let rows = names(rows.chain(noise).chain(["unknown"]));
    assert_eq!(rows, names(Class::ALL.iter().map(|class| class.name())));
}

#[test]
fn causes_outside_the_release_have_their_own_bearing() {
    let not: Vec<&str> =
        Class::ALL.iter().filter(|class| class.bearing() == Bearing::NotTheRelease).map(|class| class.name()).collect();
    assert_eq!(not, ["terminated", "scaling", "stopped_by_user", "spot_interruption", "maintenance", "host_gone"]);
}

/// `docs/why.md` has one row for each class: its name, its bearing, what it means, what to do.
#[test]
fn the_page_for_people_has_every_class_and_no_other() {
    let page = include_str!("../../../../../docs/why.md");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let documented: Vec<(&str, &str)> = rows.iter().map(|row| (row[0].trim_matches('`'), row[1])).collect();
    let classes: Vec<(&str, &str)> = Class::ALL.iter().map(|class| (class.name(), class.bearing().name())).collect();
    assert_eq!(documented, classes);
    assert!(rows.iter().all(|row| row.len() == 4 && row.iter().all(|cell| cell.len() > 5)), "{rows:#?}");
}
