//! Secrets in clear text, with the place that each is reported at.

use super::check_marked;

#[test]
fn secrets_in_variables_are_reported_by_name_or_form() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [
          { name = "DB_PASSWORD", value = "hunter2" },
                                          ^^^^^^^^^ plaintext-secret /containerDefinitions/0/environment/0/value: `DB_PASSWORD` holds what its name calls a secret in clear text
                                          help: move it to `secrets`: `name = "DB_PASSWORD"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/DB_PASSWORD"]` to `app.toml`
          { name = "SOME_ID", value = "AKIAABCDEFGHIJKLMNOP" },
                                      ^^^^^^^^^^^^^^^^^^^^^^ plaintext-secret /containerDefinitions/0/environment/1/value: `SOME_ID` holds an AWS access key in clear text
                                      help: move it to `secrets`: `name = "SOME_ID"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/SOME_ID"]` to `app.toml`
          { name = "DATABASE", value = "postgres://django:hunter2@db:5432/x" },
                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ plaintext-secret /containerDefinitions/0/environment/2/value: `DATABASE` holds a URL with a password in clear text
                                       help: move it to `secrets`: `name = "DATABASE"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/DATABASE"]` to `app.toml`
          { name = "PEM", value = "-----BEGIN RSA PRIVATE KEY-----\nMII" },
                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ plaintext-secret /containerDefinitions/0/environment/3/value: `PEM` holds a private key in clear text
                                  help: move it to `secrets`: `name = "PEM"`, `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/environment/PEM"]` to `app.toml`
        ]
        "#,
    );
}

#[test]
fn a_secret_that_app_toml_allows_is_not_reported() {
    check_marked(
        r#"
        == web/app.toml
        allow_plaintext = ["task-definition:/containerDefinitions/*/environment/DB_PASSWORD"]

        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [{ name = "DB_PASSWORD", value = "hunter2" }]
        "#,
    );
}

#[test]
fn values_that_only_look_like_secrets_are_not_reported() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64
        environment = [
          { name = "PASSWORD_FILE", value = "/run/x" },
          { name = "DB_PASSWORD", value = "/run/secrets/x" },
          { name = "REQUIRE_PASSWORD", value = "true" },
          { name = "A_URL", value = "postgres://django@db:5432/x" },
          { name = "TOKEN_TTL", value = "60" },
          { name = "B_URL", value = "http://u:$PASS@h" },
        ]
        "#,
    );
}

#[test]
fn secrets_in_options_of_log_drivers_are_reported() {
    check_marked(
        r#"
        == web/task-definition.toml
        family = "web"

        [[containerDefinitions]]
        name = "backend"
        image = "i"
        memory = 64

        [containerDefinitions.logConfiguration]
        logDriver = "splunk"
        options = { splunk-token = "hunter2", splunk-url = "https://h:8088" }
                                   ^^^^^^^^^ plaintext-secret /containerDefinitions/0/logConfiguration/options/splunk-token: `splunk-token` holds what its name calls a secret in clear text
                                   help: move it to `secretOptions`, with `valueFrom = "${secret.NAME}"`; if it is no secret, add `allow_plaintext = ["task-definition:/containerDefinitions/backend/logConfiguration/options/splunk-token"]` to `app.toml`
        "#,
    );
}
