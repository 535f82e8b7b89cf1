"""Clusters, task definitions, services and tasks, from their making to their end."""

from aws import Aws, create_behind_load_balancer, equal, pages, refused, until, wait

aws = Aws()
ecs = aws.ecs
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"], "securityGroups": ["sg-0123456789abcdef0"]}}


def register(family, image, check=None, **more):
    """Registers a revision with one container, and a health check where one is given; its ARN."""
    container = {"name": family, "image": image, "portMappings": [{"containerPort": 8080}]}
    if check:
        container["healthCheck"] = check
    answer = ecs.register_task_definition(
        family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu=".25 vCPU", memory="512",
        containerDefinitions=[container], **more,
    )
    return answer["taskDefinition"]["taskDefinitionArn"]


def service(name):
    """A service as it is now."""
    return ecs.describe_services(cluster="main", services=[name], include=["TAGS"])["services"][0]


def clusters():
    for name in ["main", "other", "third"]:
        equal(ecs.create_cluster(clusterName=name, tags=[{"key": "team", "value": "a"}])["cluster"]["status"], "ACTIVE")
    arns, count = pages(ecs, "list_clusters", "clusterArns", size=1)
    equal((len(arns), count), (3, 3))
    found = ecs.describe_clusters(clusters=["main", "nobody"], include=["TAGS", "SETTINGS", "STATISTICS"])
    equal([cluster["clusterName"] for cluster in found["clusters"]], ["main"])
    equal(found["failures"][0]["reason"], "MISSING")
    ecs.put_cluster_capacity_providers(
        cluster="other", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE"}]
    )
    equal(ecs.delete_cluster(cluster="third")["cluster"]["status"], "INACTIVE")
    refused("ClusterNotFoundException", ecs.list_services, cluster="nobody")
    try:
        ecs.list_tasks(cluster="nobody")
    except ecs.exceptions.ClusterNotFoundException as error:
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)


def task_definitions():
    arns = [register("listed", f"listed:{number}", tags=[{"key": "n", "value": str(number)}]) for number in range(5)]
    equal([arn.rsplit("/")[-1] for arn in arns], [f"listed:{number}" for number in range(1, 6)])
    found = ecs.describe_task_definition(taskDefinition="listed:2", include=["TAGS"])
    equal(found["taskDefinition"]["cpu"], "256")
    equal(found["tags"], [{"key": "n", "value": "1"}])
    listed, count = pages(ecs, "list_task_definitions", "taskDefinitionArns", size=2, familyPrefix="listed")
    equal((listed, count), (arns, 3))
    newest = ecs.list_task_definitions(familyPrefix="listed", sort="DESC", maxResults=1)
    equal(newest["taskDefinitionArns"], arns[-1:])
    gone = ecs.deregister_task_definition(taskDefinition=arns[0])["taskDefinition"]
    equal(gone["status"], "INACTIVE")
    equal(pages(ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix="listed", status="INACTIVE")[0], arns[:1])
    deleted = ecs.delete_task_definitions(taskDefinitions=[arns[0], arns[1]])
    equal(deleted["taskDefinitions"][0]["status"], "DELETE_IN_PROGRESS")
    equal(len(deleted["failures"]), 1)
    families, count = pages(ecs, "list_task_definition_families", "families", size=1)
    equal((families, count), (["listed"], 1))
    refused("ClientException", ecs.describe_task_definition, taskDefinition="listed:99")
    refused("ClientException", ecs.register_task_definition, family="bad name", containerDefinitions=[])


def deployments(name):
    """The service deployments of a service, newest first, in full."""
    listed = ecs.list_service_deployments(cluster="main", service=name)["serviceDeployments"]
    arns = [found["serviceDeploymentArn"] for found in listed]
    found = ecs.describe_service_deployments(serviceDeploymentArns=arns)
    equal(found["failures"], [])
    by_arn = {deployment["serviceDeploymentArn"]: deployment for deployment in found["serviceDeployments"]}
    return [by_arn[arn] for arn in arns]


def a_services_life():
    first = register("web", "web:1")
    made = {
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": NETWORK, "clientToken": "a-token", "tags": [{"key": "team", "value": "a"}],
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    }
    created = ecs.create_service(**made)["service"]
    equal((created["status"], created["runningCount"], created["taskDefinition"]), ("ACTIVE", 0, first))
    equal(ecs.create_service(**made)["service"]["serviceArn"], created["serviceArn"])
    refused("InvalidParameterException", ecs.create_service, **{**made, "clientToken": "other", "desiredCount": 3})
    wait(ecs, "services_stable", cluster="main", services=["web"])
    equal(service("web")["runningCount"], 2)
    # Stable is a word of the waiter's; the deployment is done some moments after.
    until(lambda: deployments("web")[0], lambda found: found["status"] == "SUCCESSFUL")

    second = register("web", "web:2")
    updated = ecs.update_service(cluster="main", service="web", taskDefinition=second, desiredCount=3)["service"]
    equal([d["status"] for d in updated["deployments"]], ["PRIMARY", "ACTIVE"])
    wait(ecs, "services_stable", cluster="main", services=["web"])
    equal((service("web")["taskDefinition"], service("web")["runningCount"]), (second, 3))
    until(lambda: deployments("web")[0], lambda found: found["status"] == "SUCCESSFUL")

    broken = register("web", "web:broken")
    ecs.update_service(cluster="main", service="web", taskDefinition=broken)
    found = until(lambda: deployments("web")[0], lambda found: found["status"] == "ROLLBACK_SUCCESSFUL")
    equal(found["deploymentCircuitBreaker"]["status"], "TRIGGERED")
    # What nobody sees who only asks whether the service is stable.
    wait(ecs, "services_stable", cluster="main", services=["web"])
    equal(service("web")["taskDefinition"], second)
    revisions = [found["targetServiceRevision"]["arn"], found["rollback"]["serviceRevisionArn"]]
    told = ecs.describe_service_revisions(serviceRevisionArns=revisions)["serviceRevisions"]
    equal({told["serviceRevisionArn"]: told["taskDefinition"] for told in told}, dict(zip(revisions, [broken, second])))
    refused("ConflictException", ecs.stop_service_deployment, serviceDeploymentArn=found["serviceDeploymentArn"])

    # It never becomes healthy, and ECS waits long for it: there is time to stop it.
    third = register("web", "web:silent", check={"command": ["CMD", "true"], "startPeriod": 300, "retries": 10})
    ecs.update_service(cluster="main", service="web", taskDefinition=third, forceNewDeployment=True)
    running = ecs.list_service_deployments(cluster="main", service="web", status=["PENDING", "IN_PROGRESS"])
    arn = running["serviceDeployments"][0]["serviceDeploymentArn"]
    equal(ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")["serviceDeploymentArn"], arn)
    until(lambda: deployments("web")[0], lambda found: found["status"] == "ROLLBACK_SUCCESSFUL")
    equal(service("web")["taskDefinition"], second)

    ecs.tag_resource(resourceArn=created["serviceArn"], tags=[{"key": "stage", "value": "live"}])
    ecs.untag_resource(resourceArn=created["serviceArn"], tagKeys=["team"])
    equal(ecs.list_tags_for_resource(resourceArn=created["serviceArn"])["tags"], [{"key": "stage", "value": "live"}])
    equal(service("web")["tags"], [{"key": "stage", "value": "live"}])

    refused("InvalidParameterException", ecs.delete_service, cluster="main", service="web")
    equal(ecs.delete_service(cluster="main", service="web", force=True)["service"]["status"], "DRAINING")
    equal(ecs.list_services(cluster="main")["serviceArns"], [])
    wait(ecs, "services_inactive", cluster="main", services=["web"])
    refused("ServiceNotActiveException", ecs.update_service, cluster="main", service="web", desiredCount=1)
    refused("ServiceNotFoundException", ecs.update_service, cluster="main", service="nobody", desiredCount=1)


def many_services():
    register("many", "many:1")
    for number in range(5):
        ecs.create_service(
            cluster="main", serviceName=f"many-{number}", taskDefinition="many", desiredCount=0, launchType="FARGATE",
            networkConfiguration=NETWORK,
        )
    arns, count = pages(ecs, "list_services", "serviceArns", size=2, cluster="main")
    equal((len(arns), count), (5, 3))
    found = ecs.describe_services(cluster="main", services=["many-0", "many-1", "nobody"])
    equal((len(found["services"]), [failure["reason"] for failure in found["failures"]]), (2, ["MISSING"]))
    refused("InvalidParameterException", ecs.describe_services, cluster="main", services=[f"many-{n}" for n in range(11)])
    for number in range(5):
        ecs.delete_service(cluster="main", service=f"many-{number}")
    wait(ecs, "services_inactive", cluster="main", services=arns)


def jobs():
    register("job", "job:1")
    asked = {
        "cluster": "main", "taskDefinition": "job", "count": 3, "launchType": "FARGATE", "startedBy": "somebody",
        "networkConfiguration": NETWORK, "clientToken": "job-token", "tags": [{"key": "k", "value": "v"}],
        "overrides": {"containerOverrides": [{"name": "job", "command": ["run"]}]},
    }
    started = ecs.run_task(**asked)
    arns = sorted(task["taskArn"] for task in started["tasks"])
    equal((len(arns), started["failures"]), (3, []))
    equal(sorted(task["taskArn"] for task in ecs.run_task(**asked)["tasks"]), arns)
    refused("ConflictException", ecs.run_task, **{**asked, "count": 1})
    listed, count = pages(ecs, "list_tasks", "taskArns", size=1, cluster="main", startedBy="somebody")
    equal((sorted(listed), count), (arns, 3))
    wait(ecs, "tasks_running", cluster="main", tasks=arns[:1])
    wait(ecs, "tasks_stopped", cluster="main", tasks=arns)
    found = ecs.describe_tasks(cluster="main", tasks=[*arns, "0" * 32], include=["TAGS"])
    equal({task["containers"][0]["exitCode"] for task in found["tasks"]}, {0})
    equal(found["failures"][0]["reason"], "MISSING")
    equal(sorted(ecs.list_tasks(cluster="main", desiredStatus="STOPPED", family="job")["taskArns"]), arns)

    register("server", "server:1")
    arn = ecs.run_task(**{**asked, "taskDefinition": "server", "clientToken": "server", "count": 1, "overrides": {}})
    arn = arn["tasks"][0]["taskArn"]
    wait(ecs, "tasks_running", cluster="main", tasks=[arn])
    equal(ecs.stop_task(cluster="main", task=arn, reason="enough")["task"]["desiredStatus"], "STOPPED")
    wait(ecs, "tasks_stopped", cluster="main", tasks=[arn])
    task = ecs.describe_tasks(cluster="main", tasks=[arn])["tasks"][0]
    equal((task["stopCode"], task["stoppedReason"]), ("UserInitiated", "enough"))
    refused("InvalidParameterException", ecs.stop_task, cluster="main", task="0" * 32)


def blue_green():
    elb = aws.elbv2
    network = {"Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], "SecurityGroups": ["sg-0123456789abcdef0"]}
    balancer = elb.create_load_balancer(Name="blue-green", **network)["LoadBalancers"][0]["LoadBalancerArn"]
    wait(elb, "load_balancer_available", LoadBalancerArns=[balancer])
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer])
    listener = made["Listeners"][0]["ListenerArn"]
    blue, green = (
        elb.create_target_group(
            Name=name, Protocol="HTTP", Port=8080, VpcId="vpc-0123456789abcdef0", TargetType="ip",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        for name in ["blue", "green"]
    )
    weights = [{"TargetGroupArn": blue, "Weight": 1}, {"TargetGroupArn": green, "Weight": 0}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    path = {"Field": "path-pattern", "Values": ["/*"]}
    rule = elb.create_rule(ListenerArn=listener, Priority=1, Conditions=[path], Actions=[action])["Rules"][0]["RuleArn"]
    register("bg", "bg:1")
    create_behind_load_balancer(
        ecs, cluster="main", serviceName="bg", taskDefinition="bg", desiredCount=1, launchType="FARGATE",
        networkConfiguration=NETWORK,
        loadBalancers=[{
            "targetGroupArn": blue, "containerName": "bg", "containerPort": 8080,
            "advancedConfiguration": {
                "alternateTargetGroupArn": green, "productionListenerRule": rule,
                "roleArn": "arn:aws:iam::123456789012:role/ecs-load-balancers",
            },
        }],
        deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1},
    )
    wait(ecs, "services_stable", cluster="main", services=["bg"])
    until(lambda: deployments("bg")[0], lambda found: found["status"] == "SUCCESSFUL")
    register("bg", "bg:2")
    pause = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    ecs.update_service(
        cluster="main", service="bg", taskDefinition="bg:2",
        deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10, "lifecycleHooks": [pause]},
    )
    found = until(lambda: deployments("bg")[0], lambda found: found.get("lifecycleHookDetails"))
    hook, arn = found["lifecycleHookDetails"][0]["hookId"], found["serviceDeploymentArn"]
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook, action="CONTINUE")
    # All the way through stages that the deployment tells while it runs.
    found = until(lambda: deployments("bg")[0], lambda found: found.get("lifecycleStage") == "BAKE_TIME")
    equal(found["status"], "IN_PROGRESS")
    until(lambda: deployments("bg")[0], lambda found: found["status"] == "SUCCESSFUL")
    shifted = elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    equal({group["TargetGroupArn"]: group["Weight"] > 0 for group in shifted}, {blue: False, green: True})
    wait(elb, "target_in_service", TargetGroupArn=green)
    ecs.delete_service(cluster="main", service="bg", force=True)
    wait(ecs, "services_inactive", cluster="main", services=["bg"])


for part in [clusters, task_definitions, a_services_life, many_services, jobs, blue_green]:
    part()
aws.done()
