//! Where secrets in clear text are found, what is told of them, and how one is allowed.

use super::{ONE_ENVIRONMENT, check, problems};

/// A task definition with more in its only container, and more beside it.
fn task(inside: &str, outside: &str) -> String {
    format!(
        "{ONE_ENVIRONMENT}\n== a/app.toml\n== a/task-definition.toml\nfamily = \"x\"\n{outside}\n\
         [[containerDefinitions]]\nname = \"web\"\nimage = \"i\"\nmemory = 64\n{inside}\n"
    )
}

/// The fields that are told as secrets.
fn fields(text: &str) -> Vec<String> {
    let told = problems(text);
    assert!(!told.contains("hunter2"), "the value is shown:\n{told}");
    let mut fields = Vec::new();
    let mut lines = told.lines().peekable();
    while let Some(line) = lines.next() {
        assert!(line.contains(": plaintext-secret: "), "{told}");
        let help = lines.next().unwrap();
        let (_, rest) = help.split_once("allow_plaintext = [\"").unwrap();
        fields.push(rest.split_once('"').unwrap().0.to_owned());
    }
    fields
}

#[test]
fn a_secret_is_found_wherever_it_stands() {
    let url = "postgres://django:hunter2@db/x";
    let table = [
        (format!("environment = [{{ name = \"A\", value = \"{url}\" }}]"), "environment/A"),
        ("environment = [{ name = \"apiKey\", value = \"hunter2\" }]".to_owned(), "environment/apiKey"),
        (format!("command = [\"serve\", \"{url}\"]"), "command/1"),
        ("command = [\"serve\", \"--db-password=hunter2\"]".to_owned(), "command/1"),
        ("command = [\"serve\", \"--db-password\", \"hunter2\"]".to_owned(), "command/2"),
        ("entryPoint = [\"sh\", \"-c\", \"PGPASSWORD=hunter2 psql\"]".to_owned(), "entryPoint/2"),
        (
            "healthCheck = { command = [\"CMD-SHELL\", \"redis-cli --password hunter2 ping\"] }".to_owned(),
            "healthCheck/command/1",
        ),
        ("dockerLabels = { \"admin.password\" = \"hunter2\" }".to_owned(), "dockerLabels/admin.password"),
        (
            "logConfiguration = { logDriver = \"splunk\", options = { splunk-url = \"u\", splunk-token = \"hunter2\" } }"
                .to_owned(),
            "logConfiguration/options/splunk-token",
        ),
    ];
    for (inside, field) in table {
        let expected = format!("task-definition:/containerDefinitions/web/{field}");
        assert_eq!(fields(&task(&inside, "")), [expected], "{inside}");
    }
}

#[test]
fn a_secret_is_found_outside_of_containers() {
    let outside = format!("tags = [{{ key = \"owner\", value = \"{}\" }}]", "http://u:hunter2@h");
    assert_eq!(fields(&task("", &outside)), ["task-definition:/tags/owner/value"]);
    let rule = format!(
        "{ONE_ENVIRONMENT}\n== a/app.toml\n== a/listener-rules/login.toml\nListenerArn = \"${{listener.alb.443}}\"\n\
         Priority = 1\nConditions = [{{ Field = \"path-pattern\", Values = [\"/\"] }}]\n\
         [[Actions]]\nType = \"authenticate-oidc\"\nOrder = 1\n\
         [Actions.AuthenticateOidcConfig]\nIssuer = \"i\"\nAuthorizationEndpoint = \"a\"\nTokenEndpoint = \"t\"\n\
         UserInfoEndpoint = \"u\"\nClientId = \"c\"\nClientSecret = \"hunter2\"\n\
         [[Actions]]\nType = \"fixed-response\"\nOrder = 2\nFixedResponseConfig = {{ StatusCode = \"404\" }}\n"
    );
    assert_eq!(fields(&rule), ["listener-rule:/Actions/0/AuthenticateOidcConfig/ClientSecret"]);
}

#[test]
fn what_has_no_secret_in_it_is_left_alone() {
    let table = [
        "environment = [{ name = \"DB_PASSWORD_FILE\", value = \"/run/secrets/db\" }]",
        "environment = [{ name = \"SECRET_NAME\", value = \"Prod/DB\" }]",
        "environment = [{ name = \"DB_PASSWORD\", value = \"changeme\" }]",
        "environment = [{ name = \"DB_PASSWORD\", value = \"\" }]",
        "environment = [{ name = \"DB_SECRET\", value = \"${secret.db}\" }]",
        "command = [\"serve\", \"--password-file\", \"/run/x\", \"--token-ttl\", \"60\"]",
        "command = [\"serve\", \"--password\", \"$DB_PASSWORD\", \"--private-key\", \"server.pem\"]",
        "command = [\"sh\", \"-c\", \"PGPASSWORD=\\\"$DB_PASSWORD\\\" psql --no-password -h db\"]",
        "command = [\"sh\", \"-c\", \"test -n \\\"$TOKEN\\\" && serve\"]",
        "command = [\"serve\", \"--require-password=true\", \"--password\", \"--verbose\"]",
        "dockerLabels = { \"com.example.password-policy\" = \"strict\" }",
        "logConfiguration = { logDriver = \"splunk\", options = { splunk-url = \"https://h:8088\" } }",
    ];
    for inside in table {
        assert_eq!(fields(&task(inside, "")), Vec::<String>::new(), "{inside}");
    }
}

/// A container with a token, and the entry of `app.toml` that allows something.
fn allowed(entries: &str) -> String {
    task("environment = [{ name = \"PUBLIC_TOKEN\", value = \"t0\" }]", "")
        .replace("== a/app.toml\n", &format!("== a/app.toml\nallow_plaintext = [{entries}]\n"))
}

#[test]
fn one_is_allowed_by_its_path() {
    for entry in [
        "task-definition:/containerDefinitions/web/environment/PUBLIC_TOKEN",
        "task-definition:/containerDefinitions/*/environment/PUBLIC_TOKEN",
        "task-definition/task-definition:/containerDefinitions/web",
    ] {
        check(&allowed(&format!("\"{entry}\"")), "");
    }
}

#[test]
fn an_allowance_that_nothing_needs_is_told() {
    let good = "\"task-definition:/containerDefinitions/web/environment/PUBLIC_TOKEN\"";
    for other in ["task-definition:/containerDefinitions/web/environment/OTHER", "service:/tags"] {
        check(
            &allowed(&format!("{good}, \"{other}\"")),
            &format!(
                "
                a/app.toml:1:90: unused-allowance: `{other}` matches nothing that looks like a secret
                  help: remove it: an entry that allows nothing hides the next secret in that place
                "
            ),
        );
    }
}

#[test]
fn an_allowance_may_be_needed_in_one_environment_alone() {
    let staging = "[environments.staging]\naccount = \"210987654321\"\nregion = \"eu-west-1\"\ncluster = \"main\"\n";
    let over = "== a/environments/staging/task-definition.toml\n[[containerDefinitions]]\nname = \"web\"\n\
                environment = [{ name = \"PUBLIC_TOKEN\", value = \"t1\" }]\n";
    let text = allowed("\"task-definition:/containerDefinitions/web/environment/PUBLIC_TOKEN\"")
        .replace("== a/app.toml", &format!("{staging}== a/app.toml"))
        .replace("value = \"t0\"", "value = \"\"");
    check(&format!("{text}{over}"), "");
    check(
        &text,
        "
        a/app.toml:1:20: unused-allowance: `task-definition:/containerDefinitions/web/environment/PUBLIC_TOKEN` matches nothing that looks like a secret
          help: remove it: an entry that allows nothing hides the next secret in that place
        ",
    );
}

#[test]
fn a_variable_does_not_hide_a_secret() {
    let text = task("environment = [{ name = \"DB_PASSWORD\", value = \"${var.db}\" }]", "")
        .replace("cluster = \"main\"\n", "cluster = \"main\"\nvariables = { db = \"hunter2\" }\n");
    assert_eq!(fields(&text), ["task-definition:/containerDefinitions/web/environment/DB_PASSWORD"]);
}
