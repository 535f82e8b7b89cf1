use std::fs;

use super::*;

#[derive(Deserialize)]
struct Document {
    notifications: Vec<Table>,
}

/// The targets of a text, or the problems, a line each. `DIR` is a directory with the files `url` and `secret`.
fn read(text: &str, watched: &str) -> Result<Vec<Target>, String> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("url"), "https://hooks.example.com/hunter2\n").unwrap();
    fs::write(directory.path().join("http"), "http://hooks.example.com/hunter2\n").unwrap();
    fs::write(directory.path().join("secret"), "hunter2\n").unwrap();
    let text = text.replace("DIR", directory.path().to_str().unwrap());
    let document: Document = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    let file = SourceFile::new("daemon.toml", text);
    let mut problems = Vec::new();
    let targets =
        document.notifications.iter().enumerate().filter_map(|(index, table)| {
            table.target(&file, index, watched).map_err(|more| problems.extend(more)).ok()
        });
    let targets = targets.collect();
    if problems.is_empty() {
        return Ok(targets);
    }
    Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn every_kind_is_understood() {
    let text = r#"
        [[notifications]]
        kind = "webhook"
        url_file = "DIR/url"
        secret_file = "DIR/secret"
        events = ["rollout.*", "hold.started"]
        environments = ["prod*"]

        [[notifications]]
        kind = "slack"
        name = "operators"
        url_env = "PATH_URL_OF_TEST"
    "#;
    // No variable can be set in a test without unsafe code; PATH is one that is always there and is no URL.
    let told = read(text, "/srv/state.git").unwrap_err();
    assert!(told.contains("the environment variable `PATH_URL_OF_TEST` is not set"), "{told}");
    let targets = read(&text.replace("url_env = \"PATH_URL_OF_TEST\"", "url_file = \"DIR/url\""), "/x").unwrap();
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["webhook-1", "operators"]);
    assert_eq!(targets[0].filter.events, ["rollout.*", "hold.started"]);
    assert!(matches!(targets[1].means, Means::Slack(_)));
}

#[test]
fn repositories_and_apis_are_derived_from_the_watched_url() {
    // kind | more keys | the watched repository | api | repository
    let table = "
        github |                                    | https://github.com/acme/state.git             | https://api.github.com/          | acme/state
        github |                                    | git@github.com:acme/state.git                 | https://api.github.com/          | acme/state
        github | api = 'https://ghe.acme.io/api/v3/' | ssh://git@ghe.acme.io:2222/acme/state        | https://ghe.acme.io/api/v3       | acme/state
        github | repository = 'acme/other'          | /srv/state.git                                | https://api.github.com/          | acme/other
        gitlab |                                    | https://gitlab.com/acme/infra/state.git       | https://gitlab.com/api/v4        | acme/infra/state
        gitlab |                                    | git@gitlab.acme.io:infra/state.git            | https://gitlab.acme.io/api/v4    | infra/state
        gitlab | project = '42'                     | /srv/state.git                                | https://gitlab.com/api/v4        | 42
    ";
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let [kind, more, watched, api, repository] = *row.split('|').map(str::trim).collect::<Vec<_>>() else {
            panic!("{row}")
        };
        let text = format!("[[notifications]]\nkind = '{kind}'\ntoken_file = 'DIR/secret'\n{more}\n");
        let targets = read(&text, watched).unwrap();
        let (Means::GitHub(GitHub(statuses)) | Means::GitLab(GitLab(statuses))) = &targets[0].means else {
            panic!("{row}")
        };
        assert_eq!((statuses.api.as_str(), statuses.repository.as_str()), (api, repository), "{row}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_without_secrets() {
    // the table without its head | a part of what is told
    let table = [
        ("kind = 'slak'", "unknown variant `slak`, expected one of `webhook`, `slack`"),
        ("kind = 'slack'\nurl = 'https://x/hunter2'", "unknown field `url`"),
        ("kind = 'slack'", "daemon.toml:2:8: /notifications/0/url: `slack` needs `url_file` or `url_env`"),
        ("kind = 'slack'\nurl_file = 'https://x/hunter2'", "3:12: /notifications/0/url_file: this is a URL"),
        ("kind = 'slack'\nurl_env = 'hunter2'", "this is not the name of an environment variable"),
        ("kind = 'slack'\nurl_env = 'PATH'\nurl_file = 'DIR/url'", "both `url_file` and `url_env` are given"),
        ("kind = 'slack'\nurl_file = 'DIR/none'", "cannot be read"),
        ("kind = 'slack'\nurl_file = 'DIR/secret'", "holds no usable URL: it is not a URL"),
        ("kind = 'slack'\nurl_file = 'DIR/http'", "holds no usable URL: it is not `https://`"),
        ("kind = 'slack'\nurl_file = 'DIR/url'\ntoken_env = 'PATH'", "`token_env` does not belong to `slack`"),
        ("kind = 'slack'\nurl_file = 'DIR/url'\nevents = ['rolout.*']", "`rolout.*` is not an event (the events are"),
        ("kind = 'webhook'\nurl_file = 'DIR/url'", "`webhook` needs `secret_file` or `secret_env`"),
        (
            "kind = 'github'\ntoken_file = 'DIR/secret'",
            "`repository` cannot be derived from the URL of the repository of desired state (add `repository",
        ),
        ("kind = 'github'\ntoken_file = 'DIR/secret'\nrepository = 'a/b/c'", "`a/b/c` is not a repository (write"),
        ("kind = 'github'\ntoken_file = 'DIR/secret'\nrepository = 'a/..'", "`a/..` is not a repository (write"),
        ("kind = 'gitlab'\ntoken_file = 'DIR/secret'\nproject = 'state'", "`state` is not a project (write"),
        ("kind = 'gitlab'\ntoken_file = 'DIR/secret'\nproject = 'a/b'\napi = 'http://x/api'", "it is not `https://`"),
        ("kind = 'github'\ntoken_file = 'DIR/secret'\nrepository = 'a/b'\ntarget_url = 'javascript:x'", "not the URL"),
        (
            "kind = 'github'\ntoken_file = 'DIR/secret'\nrepository = 'a/b'\nevents = ['hold.*']",
            "the events that set a status are fixed",
        ),
    ];
    for (keys, expected) in table {
        let told = read(&format!("[[notifications]]\n{keys}\n"), "/srv/state.git").unwrap_err();
        assert!(told.contains(expected), "{keys}\n{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
