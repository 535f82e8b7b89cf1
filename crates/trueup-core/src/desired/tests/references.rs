//! References that the files themselves can answer.

use super::check_edits;

#[test]
fn references_that_files_can_answer_are_checked_offline() {
    check_edits(&[
        (
            &[("${var.domain}", "${var.domian}")],
            "
            elearning/task-definition.json:15:46: bad-reference: there is no variable `domian` in environment `production`
              help: did you mean `domain`?
            elearning/task-definition.json:15:46: bad-reference: there is no variable `domian` in environment `staging`
              help: did you mean `domain`?
            ",
        ),
        (
            &[("${image.backend}", "${image.bakend}")],
            "
            elearning/task-definition.json:12:17: bad-reference: there is no image `bakend`
              help: did you mean `backend`?
            ",
        ),
        (
            &[("${region}", "${regoin}")],
            "
            elearning/task-definition.json:30:30: bad-reference: references do not begin with `regoin`
              help: did you mean `region`? for a literal `${` write `$${`
            ",
        ),
        (
            &[(r#"  "family": "elearning-system","#, r#"  "family": "elearning-system", "${var.domain}": 1,"#)],
            r#"
            elearning/task-definition.json:2:33: unknown-member: `${var.domain}` is not known here
              help: if AWS has it, put `"task-definition:/${var.domain}"` into `allow_unknown` in `app.toml`
            elearning/task-definition.json:2:33: reference-in-name: a member's name cannot hold a reference
              help: write references in string values only
            "#,
        ),
        (
            &[("cluster = \"elearning-staging\"\n", "")],
            "
            elearning/service.toml:4:12: bad-reference: environment `staging` has no `cluster`
              help: set it in `trueup.toml`, or write the cluster's name here
            ",
        ),
        (
            &[(r#""LITERAL", "value": "$${HOME}""#, r#""LITERAL", "value": "pa${ssword""#)],
            "
            elearning/task-definition.json:16:42: bad-reference: `${` begins a reference that no `}` ends
              help: end it with `}`; for a literal `${` write `$${`
            ",
        ),
        (
            &[(r#"repository = "elearning-system-backend""#, r#"repository = "${secret.x}/${region}""#)],
            "
            elearning/app.toml:5:14: bad-reference: `app.toml` takes references to the environment and its variables only
              help: write `${account}`, `${region}`, `${cluster}`, `${environment}` or `${var.NAME}`
            ",
        ),
        (
            &[(
                r#""LITERAL", "value": "$${HOME}""#,
                r#""LITERAL", "value": "${stack.a.output.b}-${stack.a}-${listener.x.y}""#,
            )],
            "
            elearning/task-definition.json:16:60: bad-reference: `${stack.a}` names neither a resource nor an output of a stack
              help: write `${stack.STACK.LOGICAL_ID}` or `${stack.STACK.output.KEY}`
            elearning/task-definition.json:16:71: bad-reference: `${listener.x.y}` has no port from 1 to 65535
              help: write `${listener.LOAD_BALANCER.PORT}`
            ",
        ),
    ]);
}

#[test]
fn one_reference_becomes_the_type_that_the_api_wants() {
    check_edits(&[
        (
            &[("count = 1", r#"count = "two""#)],
            "
            elearning/service.toml:3:16: wrong-type: `desiredCount` is a string, not a whole number
              help: write decimal digits, without quotes
            ",
        ),
        (
            &[("enable = true", r#"enable = "${var.domain}""#)],
            "
            elearning/service.toml:29:10: wrong-type: `enable` is a string, not a boolean
              help: write `true` or `false`
            ",
        ),
    ]);
}
