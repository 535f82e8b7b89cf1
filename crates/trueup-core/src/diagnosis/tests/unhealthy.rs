//! Tables of services, and the deployment of each that needs a diagnosis.

use serde_json::{Value, json};

use super::super::{DeploymentState, unhealthy_deployment};

fn deployment(id: &str, status: &str, state: &str, reason: &str, failed: i64, at: i64) -> Value {
    json!({"id": id, "status": status, "rolloutState": state, "rolloutStateReason": reason, "failedTasks": failed,
           "taskDefinition": format!("arn:td/{id}"), "createdAt": at})
}

#[test]
fn an_unhealthy_deployment_is_found_before_and_after_it_is_replaced() {
    let back = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
    let failed = |at: i64| json!([{"createdAt": at, "message": "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start."}]);
    let none = json!([]);
    let table = [
        ("at rest", vec![deployment("ecs-svc/1", "PRIMARY", "COMPLETED", "", 0, 10)], none.clone(), 2, None),
        ("on its way", vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS", "", 0, 20)], none.clone(), 1, None),
        (
            "failing",
            vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS", "", 1, 20)],
            none.clone(),
            1,
            Some(("ecs-svc/2", DeploymentState::Failing)),
        ),
        (
            "failed without rollback",
            vec![deployment("ecs-svc/2", "PRIMARY", "FAILED", "x", 3, 20)],
            none.clone(),
            0,
            Some(("ecs-svc/2", DeploymentState::Failed)),
        ),
        (
            "going back",
            vec![
                deployment("ecs-svc/1", "PRIMARY", "IN_PROGRESS", back, 0, 30),
                deployment("ecs-svc/2", "ACTIVE", "IN_PROGRESS", "", 3, 20),
            ],
            none.clone(),
            2,
            Some(("ecs-svc/2", DeploymentState::Failed)),
        ),
        (
            "gone back",
            vec![deployment("ecs-svc/1", "PRIMARY", "COMPLETED", "", 0, 30)],
            failed(29),
            2,
            Some(("ecs-svc/2", DeploymentState::Failed)),
        ),
        (
            "gone back long ago, another since",
            vec![deployment("ecs-svc/3", "PRIMARY", "COMPLETED", "", 0, 300)],
            failed(29),
            2,
            None,
        ),
        (
            "a newer one right away",
            vec![deployment("ecs-svc/3", "PRIMARY", "IN_PROGRESS", "ECS deployment ecs-svc/3 in progress.", 0, 30)],
            failed(29),
            2,
            None,
        ),
        (
            "too few run",
            vec![deployment("ecs-svc/1", "PRIMARY", "COMPLETED", "", 0, 10)],
            none.clone(),
            1,
            Some(("ecs-svc/1", DeploymentState::Degraded)),
        ),
        ("another controller", vec![], none, 1, None),
    ];
    for (what, deployments, events, running, expected) in table {
        let service = json!({"deployments": deployments, "events": events, "desiredCount": 2, "runningCount": running});
        let found = unhealthy_deployment(&service);
        let found = found.as_ref().map(|deployment| (deployment.id.as_str(), deployment.state));
        assert_eq!(found, expected, "{what}");
    }
}
