//! `trueup.toml` and `app.toml`, each broken in the example.

use super::check_edits;

#[test]
fn trueup_toml_is_read_whole_and_every_mistake_is_told() {
    check_edits(&[
        (
            &[(r#"account = "210987654321""#, r#"acount = "210987654321""#)],
            "
            trueup.toml:14:15: missing-key: `account` is missing
              help: add `account`: twelve digits in quotes
            trueup.toml:15:1: unknown-key: environment `production` has no key `acount`
              help: did you mean `account`?
            ",
        ),
        (
            &[(r#"account = "210987654321""#, "account = 210987654321")],
            "
            trueup.toml:15:11: wrong-value: `account` must be twelve digits in quotes
            ",
        ),
        (
            &[(
                "region = \"ap-northeast-1\"\ncluster = \"elearning-staging\"",
                "region = \"Tokyo\"\ncluster = \"arn:aws:ecs:x:y:cluster/z\"",
            )],
            r#"
            trueup.toml:22:10: wrong-value: `region` must be a region such as "eu-central-1"
            trueup.toml:23:11: wrong-value: `cluster` must be the cluster's short name, not its ARN: letters, digits, `-` and `_`, at most 255
            "#,
        ),
        (
            &[(
                r#"role = "arn:aws:iam::210987654321:role/trueup""#,
                r#"role = "arn:aws:iam::111111111111:role/trueup""#,
            )],
            "
            trueup.toml:18:8: role-of-other-account: the role is not of account `210987654321`
              help: the role must be of the environment's account: any other account is refused
            ",
        ),
        (
            &[(
                "follow = \"on\"\nheal = \"on\"\nprune = \"off\"",
                "follow = true\nheal = \"onn\"\nprune_limit = -1\nmanage_stack_resources = \"no\"\nhael = \"on\"",
            )],
            r#"
            trueup.toml:4:10: wrong-value: `follow` must be "on", "report" or "off"
            trueup.toml:5:8: wrong-value: `heal` must be "on", "report" or "off"
            trueup.toml:6:15: wrong-value: `prune_limit` must be a whole number from 0 to 4294967295
            trueup.toml:7:26: wrong-value: `manage_stack_resources` must be `true` or `false`
            trueup.toml:8:1: unknown-key: `policy` has no key `hael`
              help: did you mean `heal`?
            "#,
        ),
        (
            &[(
                r#""service:/tags/CostCentre""#,
                r#""service:/tags/CostCentre", "servce:/x", "service", "service:/desiredCont", "service:", 3"#,
            )],
            "
            trueup.toml:7:39: bad-pattern: `servce:/x` is not a pattern `KIND[/NAME]:POINTER`
              help: did you mean `service`?
            trueup.toml:7:52: bad-pattern: `service` is not a pattern `KIND[/NAME]:POINTER`
              help: write for example `service:/tags/CostCentre`
            trueup.toml:7:63: bad-pattern: `service:/desiredCont` is not a pattern `KIND[/NAME]:POINTER`
              help: did you mean `/desiredCount`?
            trueup.toml:7:87: bad-pattern: `service:` is not a pattern `KIND[/NAME]:POINTER`
              help: name a field after the `:`; write for example `service:/tags/CostCentre`
            trueup.toml:7:99: wrong-value: each of `ignore` must be text that is not empty
            ",
        ),
        (
            &[("log_days = 14", "log_days = [14]\n\"a b\" = \"x\"\nc = \"${region}\"")],
            "
            trueup.toml:10:12: wrong-value: variable `log_days` must be text, a number, `true` or `false`
            trueup.toml:11:1: bad-name: `a b` cannot be the name of a variable
              help: use letters, digits, `-` and `_`
            trueup.toml:12:5: reference-in-variable: variable `c` holds a reference
              help: write the reference in the documents
            ",
        ),
        (
            &[(r#"applications = ["*"]"#, r#"applications = ["*", "teams/*", "[", ""]"#)],
            "
            trueup.toml:1:22: no-applications: no directory with an `app.toml` matches `teams/*`
              help: `*` matches within one directory name, `**` over several
            trueup.toml:1:33: bad-glob: `[` is not a glob
              help: unclosed character class; missing ']'
            trueup.toml:1:38: wrong-value: each of `applications` must be text that is not empty
            ",
        ),
        (
            &[(r#"applications = ["*"]"#, "aplications = []")],
            "
            trueup.toml:1:1: unknown-key: `trueup.toml` has no key `aplications`
              help: did you mean `applications`?
            ",
        ),
        (
            &[(r#"applications = ["*"]"#, r#"applications = ["other"]"#)],
            "
            trueup.toml:1:17: no-applications: no directory with an `app.toml` matches `other`
              help: `*` matches within one directory name, `**` over several
            ",
        ),
        (
            &[("[variables]", "[[variables]]")],
            "
            elearning/service.toml:3:17: bad-reference: there is no variable `count` in environment `production`
              help: define it under `variables` in `trueup.toml`
            elearning/service.toml:3:17: bad-reference: there is no variable `count` in environment `staging`
              help: define it under `variables` in `trueup.toml`
            elearning/task-definition.json:15:46: bad-reference: there is no variable `domain` in environment `production`
              help: define it under `variables` in `trueup.toml`
            trueup.toml:9:1: wrong-value: `variables` must be a table
            ",
        ),
    ]);
}

#[test]
fn app_toml_is_read_whole_and_every_mistake_is_told() {
    check_edits(&[
        (
            &[(
                "== elearning/app.toml\n",
                "== elearning/app.toml\ndepends_on = [\"elearnin\", \"elearning\"]\nenvironments = [\"production\", \"staging\", \"stagin\"]\nallow_unknown = [\"x\"]\nimage = 1\n",
            )],
            "
            elearning/app.toml:1:15: bad-dependency: there is no application `elearnin` in environment `production`
              help: did you mean `elearning`?
            elearning/app.toml:1:15: bad-dependency: there is no application `elearnin` in environment `staging`
              help: did you mean `elearning`?
            elearning/app.toml:1:27: bad-dependency: the application depends on itself
              help: remove it
            elearning/app.toml:2:42: unknown-environment: `trueup.toml` has no environment `stagin`
              help: did you mean `staging`?
            elearning/app.toml:3:18: bad-pattern: `x` is not a pattern `KIND[/NAME]:POINTER`
              help: write for example `service:/tags/CostCentre`
            elearning/app.toml:4:1: unknown-key: `app.toml` has no key `image`
              help: did you mean `images`?
            ",
        ),
        (
            &[(
                "repository = \"elearning-system-backend\"\ntag = \"latest\"",
                r#"repository = "elearning-system-backend:latest""#,
            )],
            r#"
            elearning/app.toml:4:9: missing-key: image `backend` has no `tag`
              help: add `tag = "…"`
            elearning/app.toml:5:14: wrong-value: `repository` holds a tag or a digest
              help: write the repository alone, and the tag in `tag`
            "#,
        ),
        (
            &[(r#"platform = "linux/amd64""#, "platform = \"amd64\"\nplatfrom = \"x\"")],
            "
            elearning/app.toml:11:12: wrong-value: `platform` must be `OS/ARCHITECTURE`
              help: write `linux/amd64` or `linux/arm64`
            elearning/app.toml:12:1: unknown-key: image `frontend` has no key `platfrom`
              help: did you mean `platform`?
            ",
        ),
        (
            &[("== elearning/app.toml\n", "== elearning/app.toml\nenvironments = [\"production\"]\n")],
            "
            elearning/environments/staging: unknown-environment: the application is not in environment `staging`
              help: add it to `environments` in `app.toml`, or remove the directory
            ",
        ),
        (
            &[("[trueup]\n", "[trueup]\npause = true\n")],
            "
            elearning/service.toml:33:1: unknown-key: `trueup` has no key `pause`
              help: remove it
            ",
        ),
    ]);
}
