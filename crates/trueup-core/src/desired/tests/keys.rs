//! Placeholders, keys of sets and tags.

use super::check_marked;

#[test]
fn placeholder_accounts_are_reported() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        taskRoleArn = "arn:aws:iam::123456789012:role/elearning"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ placeholder-account /taskRoleArn: `123456789012` is a placeholder, not an account
                      help: write `${account}`, the environment's account

        [[containerDefinitions]]
        name = "backend"
        image = "<ACCOUNT_ID>.dkr.ecr.ap-northeast-1.amazonaws.com/x:1"
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ placeholder-account /containerDefinitions/0/image: `<ACCOUNT_ID>` is a placeholder, not an account
                help: write `${account}`, the environment's account
        memory = 64

        [[containerDefinitions]]
        name = "frontend"
        image = "999988887777.dkr.ecr.ap-northeast-1.amazonaws.com/x:1"
        memory = 64
        "#,
    );
}

#[test]
fn keys_are_unique_in_their_lists() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [{ name = "LITERAL", value = "$${HOME}" }, { name = "LITERAL", value = "$${HOME}" }]
                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ duplicate-key /containerDefinitions/0/environment/1: `LITERAL` is in this list twice
                                                                 help: remove one of the two
        "#,
    );
}

#[test]
fn a_variable_is_plain_or_a_secret() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        executionRoleArn = "arn:aws:iam::${account}:role/execution"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [{ name = "LITERAL", value = "$${HOME}" }]
        secrets = [{ name = "LITERAL", valueFrom = "${parameter./elearning/redis}" }]
                            ^^^^^^^^^ duplicate-key /containerDefinitions/0/secrets/0/name: `LITERAL` is in `environment` as well
                            help: a variable is either plain or a secret: remove one of them
        "#,
    );
}

#[test]
fn tag_keys_of_aws_and_trueup_are_reserved() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"
        containerDefinitions = [{ name = "backend", image = "i", memory = 64 }]
        tags = [
          { key = "aws:x", value = "1" },
                  ^^^^^^^ reserved-tag /tags/0/key: tag keys like `aws:x` are reserved for AWS
                  help: choose another key
          { key = "trueup:y", value = "1" },
                  ^^^^^^^^^^ reserved-tag /tags/1/key: tag keys like `trueup:y` are reserved for trueup
                  help: choose another key
          { key = "a", value = "1" },
          { key = "a", value = "2" },
          ^^^^^^^^^^^^^^^^^^^^^^^^^^ duplicate-key /tags/3: `a` is in this list twice
          help: remove one of the two
        ]
        "#,
    );
}
