//! Mistakes in `trueup.toml` and `app.toml`.

use super::check_marked;

/// An application with one target group.
const APPLICATION: &str = r#"
        == web/target-groups/backend.toml
        Name = "${environment}"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"
"#;

/// Checks `trueup.toml` or `app.toml`, with an application.
#[track_caller]
fn check_own_file(text: &str) {
    check_marked(&format!("{}\n{APPLICATION}", text.trim_end()));
}

#[test]
fn environments_have_an_account_a_region_and_a_cluster() {
    check_own_file(
        r#"
        == trueup.toml
        [environments.production]
        account = 210987654321
                  ^^^^^^^^^^^^ wrong-value /environments/production/account: `account` must be twelve digits in quotes
        region = "ap-northeast-1"
        cluster = "main"

        [environments.staging]
        account = "109876543210"
        region = "Tokyo"
                 ^^^^^^^ wrong-value /environments/staging/region: `region` must be a region such as "eu-central-1"
        cluster = "arn:aws:ecs:x:y:cluster/z"
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-value /environments/staging/cluster: `cluster` must be the cluster's short name, not its ARN: letters, digits, `-` and `_`, at most 255

        [environments.testing]
                      ^^^^^^^ missing-key /environments/testing: `account` is missing
                      help: add `account`: twelve digits in quotes
        acount = "109876543210"
        ^^^^^^ unknown-key /environments/testing/acount: environment `testing` has no key `acount`
        help: did you mean `account`?
        region = "ap-northeast-1"
        "#,
    );
}

#[test]
fn the_role_is_of_the_environments_account() {
    check_own_file(
        r#"
        == trueup.toml
        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        role = "arn:aws:iam::111111111111:role/trueup"
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ role-of-other-account /environments/production/role: the role is not of account `210987654321`
               help: the role must be of the environment's account: any other account is refused
        "#,
    );
}

#[test]
fn the_policy_is_read_whole() {
    check_own_file(
        r#"
        == trueup.toml
        [policy]
        follow = true
                 ^^^^ wrong-value /policy/follow: `follow` must be "on", "report" or "off"
        heal = "onn"
               ^^^^^ wrong-value /policy/heal: `heal` must be "on", "report" or "off"
        prune_limit = -1
                      ^^ wrong-value /policy/prune_limit: `prune_limit` must be a whole number from 0 to 4294967295
        manage_stack_resources = "no"
                                 ^^^^ wrong-value /policy/manage_stack_resources: `manage_stack_resources` must be `true` or `false`
        hael = "on"
        ^^^^ unknown-key /policy/hael: `policy` has no key `hael`
        help: did you mean `heal`?

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        "#,
    );
}

#[test]
fn patterns_name_a_kind_and_a_field() {
    check_own_file(
        r#"
        == trueup.toml
        [policy]
        ignore = [
          "service:/tags/CostCentre",
          "servce:/x",
          ^^^^^^^^^^^ bad-pattern /policy/ignore/1: `servce:/x` is not a pattern `KIND[/NAME]:POINTER`
          help: did you mean `service`?
          "service",
          ^^^^^^^^^ bad-pattern /policy/ignore/2: `service` is not a pattern `KIND[/NAME]:POINTER`
          help: write for example `service:/tags/CostCentre`
          "service:/desiredCont",
          ^^^^^^^^^^^^^^^^^^^^^^ bad-pattern /policy/ignore/3: `service:/desiredCont` is not a pattern `KIND[/NAME]:POINTER`
          help: did you mean `/desiredCount`?
          "service:",
          ^^^^^^^^^^ bad-pattern /policy/ignore/4: `service:` is not a pattern `KIND[/NAME]:POINTER`
          help: name a field after the `:`; write for example `service:/tags/CostCentre`
          3,
          ^ wrong-value /policy/ignore/5: each of `ignore` must be text that is not empty
        ]

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        "#,
    );
}

#[test]
fn variables_are_plain_values_with_plain_names() {
    check_own_file(
        r#"
        == trueup.toml
        [variables]
        log_days = [14]
                   ^^^^ wrong-value /variables/log_days: variable `log_days` must be text, a number, `true` or `false`
        "a b" = "x"
        ^^^^^ bad-name /variables/a b: `a b` cannot be the name of a variable
        help: use letters, digits, `-` and `_`
        c = "${region}"
            ^^^^^^^^^^^ reference-in-variable /variables/c: variable `c` holds a reference
            help: write the reference in the documents

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        "#,
    );
}

#[test]
fn globs_of_applications_match_a_directory() {
    check_own_file(
        r#"
        == trueup.toml
        applications = ["*", "teams/*", "[", ""]
                             ^^^^^^^^^ no-applications /applications/1: no directory with an `app.toml` matches `teams/*`
                             help: `*` matches within one directory name, `**` over several
                                        ^^^ bad-glob /applications/2: `[` is not a glob
                                        help: unclosed character class; missing ']'
                                             ^^ wrong-value /applications/3: each of `applications` must be text that is not empty

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        "#,
    );
    check_own_file(
        r#"
        == trueup.toml
        aplications = []
        ^^^^^^^^^^^ unknown-key /aplications: `trueup.toml` has no key `aplications`
        help: did you mean `applications`?

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        "#,
    );
    check_own_file(
        r#"
        == trueup.toml
        applications = ["other"]
                        ^^^^^^^ no-applications /applications/0: no directory with an `app.toml` matches `other`
                        help: `*` matches within one directory name, `**` over several

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"
        "#,
    );
}

#[test]
fn variables_are_a_table() {
    check_marked(
        r#"
        == trueup.toml
        [[variables]]
        ^^^^^^^^^^^^^ wrong-value /variables: `variables` must be a table
        domain = "learn.example.com"
        count = 1

        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"

        [environments.staging]
        account = "109876543210"
        region = "ap-northeast-1"

        [environments.staging.variables]
        domain = "staging.example.com"

        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [{ name = "ALLOWED_HOSTS", value = "${var.domain}" }]
                                                          ^^^^^^^^^^^^^ bad-reference /containerDefinitions/0/environment/0/value: there is no variable `domain` in environment `production`
                                                          help: define it under `variables` in `trueup.toml`

        == web/service.toml
        serviceName = "web"
        desiredCount = "${var.count}"
                        ^^^^^^^^^^^^ bad-reference /desiredCount: there is no variable `count` in environment `production`
                        help: define it under `variables` in `trueup.toml`
                        ^^^^^^^^^^^^ bad-reference /desiredCount: there is no variable `count` in environment `staging`
                        help: define it under `variables` in `trueup.toml`
        "#,
    );
}

#[test]
fn app_toml_is_read_whole() {
    check_own_file(
        r#"
        == trueup.toml
        [environments.production]
        account = "210987654321"
        region = "ap-northeast-1"

        [environments.staging]
        account = "109876543210"
        region = "ap-northeast-1"

        == web/app.toml
        depends_on = ["wev", "web"]
                      ^^^^^ bad-dependency /depends_on/0: there is no application `wev` in environment `production`
                      help: did you mean `web`?
                      ^^^^^ bad-dependency /depends_on/0: there is no application `wev` in environment `staging`
                      help: did you mean `web`?
                             ^^^^^ bad-dependency /depends_on/1: the application depends on itself
                             help: remove it
        environments = ["production", "staging", "stagin"]
                                                 ^^^^^^^^ unknown-environment /environments/2: `trueup.toml` has no environment `stagin`
                                                 help: did you mean `staging`?
        allow_unknown = ["x"]
                         ^^^ bad-pattern /allow_unknown/0: `x` is not a pattern `KIND[/NAME]:POINTER`
                         help: write for example `service:/tags/CostCentre`
        image = 1
        ^^^^^ unknown-key /image: `app.toml` has no key `image`
        help: did you mean `images`?
        "#,
    );
}

#[test]
fn images_have_a_repository_a_tag_and_a_platform() {
    check_own_file(
        r#"
        == web/app.toml
        [images.backend]
                ^^^^^^^ missing-key /images/backend: image `backend` has no `tag`
                help: add `tag = "…"`
        repository = "elearning-system-backend:latest"
                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ wrong-value /images/backend/repository: `repository` holds a tag or a digest
                     help: write the repository alone, and the tag in `tag`

        [images.frontend]
        repository = "elearning-system-frontend"
        tag = "latest"
        platform = "amd64"
                   ^^^^^^^ wrong-value /images/frontend/platform: `platform` must be `OS/ARCHITECTURE`
                   help: write `linux/amd64` or `linux/arm64`
        platfrom = "x"
        ^^^^^^^^ unknown-key /images/frontend/platfrom: image `frontend` has no key `platfrom`
        help: did you mean `platform`?
        "#,
    );
}

#[test]
fn the_trueup_table_of_documents_is_empty() {
    check_marked(
        r#"
        == web/target-groups/backend.toml
        Name = "backend"
        Protocol = "HTTP"
        Port = 80
        VpcId = "vpc-1"

        [trueup]
        pause = true
        ^^^^^ unknown-key /trueup/pause: `trueup` has no key `pause`
        help: remove it
        "#,
    );
}
