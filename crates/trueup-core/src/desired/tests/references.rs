//! References that the files themselves can answer.

use super::check_marked;

#[test]
fn variables_and_images_of_references_exist() {
    check_marked(
        r#"
        == trueup.toml
        [variables]
        domain = "learn.example.com"

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"

        [environments.staging]
        account = "109876543210"
        region = "ap-northeast-1"

        == web/app.toml
        [images.backend]
        repository = "elearning-system-backend"
        tag = "latest"

        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "${image.bakend}"
                 ^^^^^^^^^^^^^^^ bad-reference /containerDefinitions/0/image: there is no image `bakend`
                 help: did you mean `backend`?
        memory = 64
        environment = [{ name = "ALLOWED_HOSTS", value = "${var.domian}" }]
                                                          ^^^^^^^^^^^^^ bad-reference /containerDefinitions/0/environment/0/value: there is no variable `domian` in environment `production`
                                                          help: did you mean `domain`?
                                                          ^^^^^^^^^^^^^ bad-reference /containerDefinitions/0/environment/0/value: there is no variable `domian` in environment `staging`
                                                          help: did you mean `domain`?
        "#,
    );
}

#[test]
fn references_begin_with_a_known_word_and_end() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [
          { name = "REGION", value = "in ${regoin}" },
                                         ^^^^^^^^^ bad-reference /containerDefinitions/0/environment/0/value: references do not begin with `regoin`
                                         help: did you mean `region`? for a literal `${` write `$${`
          { name = "LITERAL", value = "pa${ssword" },
                                         ^^ bad-reference /containerDefinitions/0/environment/1/value: `${` begins a reference that no `}` ends
                                         help: end it with `}`; for a literal `${` write `$${`
          { name = "SEVERAL", value = "${stack.a.output.b}-${stack.a}-${listener.x.y}" },
                                                           ^^^^^^^^^^ bad-reference /containerDefinitions/0/environment/2/value: `${stack.a}` names neither a resource nor an output of a stack
                                                           help: write `${stack.STACK.LOGICAL_ID}` or `${stack.STACK.output.KEY}`
                                                                      ^^^^^^^^^^^^^^^ bad-reference /containerDefinitions/0/environment/2/value: `${listener.x.y}` has no port from 1 to 65535
                                                                      help: write `${listener.LOAD_BALANCER.PORT}`
        ]
        "#,
    );
}

#[test]
fn names_of_members_hold_no_reference() {
    check_marked(
        r#"
        == web/task-definition.json
        {
          "family": "web", "${var.domain}": 1,
                           ^^^^^^^^^^^^^^^ unknown-member /${var.domain}: `${var.domain}` is not known here
                           help: if AWS has it, put `"task-definition:/${var.domain}"` into `allow_unknown` in `app.toml`
                           ^^^^^^^^^^^^^^^ reference-in-name /${var.domain}: a member's name cannot hold a reference
                           help: write references in string values only
          "containerDefinitions": [{ "name": "backend", "image": "i", "memory": 64 }]
        }
        "#,
    );
}

#[test]
fn a_reference_to_the_cluster_needs_one() {
    check_marked(
        r#"
        == trueup.toml
        [environments.staging]
        account = "109876543210"
        region = "ap-northeast-1"

        == web/task-definition.toml
        family = "web"
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]

        == web/service.toml
        serviceName = "web"
        cluster = "${cluster}"
                   ^^^^^^^^^^ bad-reference /cluster: environment `staging` has no `cluster`
                   help: set it in `trueup.toml`, or write the cluster's name here
        "#,
    );
}

#[test]
fn app_toml_refers_to_the_environment_alone() {
    check_marked(
        r#"
        == web/app.toml
        [images.backend]
        repository = "${secret.x}/${region}"
                     ^^^^^^^^^^^^^^^^^^^^^^^ bad-reference /images/backend/repository: `app.toml` takes references to the environment and its variables only
                     help: write `${account}`, `${region}`, `${cluster}`, `${environment}` or `${var.NAME}`
        tag = "latest"

        == web/task-definition.toml
        family = "web"
        containerDefinitions = [{ name = "backend", image = "${image.backend}", memory = 64 }]
        "#,
    );
}

#[test]
fn one_reference_becomes_the_type_that_the_api_wants() {
    check_marked(
        r#"
        == trueup.toml
        [environments.production]
        account = "109876543210"
        region = "ap-northeast-1"
        variables = { count = "two", enable = "maybe", port = 80, rollback = true }

        == web/task-definition.toml
        family = "web"
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]

        == web/service.toml
        serviceName = "web"
        desiredCount = "${var.count}"
                       ^^^^^^^^^^^^^^ wrong-type /desiredCount: `desiredCount` is a string, not a whole number
                       help: write decimal digits, without quotes
        healthCheckGracePeriodSeconds = "${var.port}"

        [deploymentConfiguration.deploymentCircuitBreaker]
        enable = "${var.enable}"
                 ^^^^^^^^^^^^^^^ wrong-type /deploymentConfiguration/deploymentCircuitBreaker/enable: `enable` is a string, not a boolean
                 help: write `true` or `false`
        rollback = "${var.rollback}"
        "#,
    );
}
