//! Files in their places, and out of them.

use super::{check_edits, tree};
use crate::desired::load;

#[test]
fn files_that_belong_nowhere_are_reported() {
    check_edits(&[
        (
            &[(
                "== README.md",
                "== elearning/servce.toml\n== elearning/service.yaml\n== elearning/src/main.py\n== elearning/src/lib.py\n== elearning/.hidden/x\n== elearning/docs.md\n== elearning/LICENSE\n== elearning/target-group/x.toml\n== README.md",
            )],
            "
            elearning/servce.toml: unknown-file: no file or directory of this name belongs to an application
              help: did you mean `service.toml`?
            elearning/service.yaml: unknown-file: no file or directory of this name belongs to an application
              help: documents are TOML or JSON: `service.toml` or `service.json`
            elearning/src: unknown-file: no file or directory of this name belongs to an application
              help: an application has `app.toml`, `task-definition.toml`, `service.toml`, `target-groups`, `listener-rules`, `environments`; `README`, `*.md` and dot files are ignored
            elearning/target-group: unknown-file: no file or directory of this name belongs to an application
              help: did you mean `target-groups`?
            ",
        ),
        (
            &[("== README.md", "== elearning/jobs/migrate.toml\n== elearning/jobs/load.toml\n== README.md")],
            "
            elearning/jobs: jobs: this version of trueup does not run jobs
              help: remove the directory
            ",
        ),
        (
            &[(
                "== README.md",
                "== elearning/target-groups/a b.toml\n== elearning/target-groups/x.yaml\n== elearning/environments/x.toml\n== README.md",
            )],
            "
            elearning/environments/x.toml: unknown-file: a file is where the directory of an environment is expected
              help: write `environments/NAME/FILE`
            elearning/target-groups/a b.toml: unknown-file: this cannot be the file of a target-group
              help: name it `target-groups/NAME.toml` or `.json`, with letters, digits, `-` and `_` in NAME
            elearning/target-groups/x.yaml: unknown-file: this cannot be the file of a target-group
              help: name it `target-groups/NAME.toml` or `.json`, with letters, digits, `-` and `_` in NAME
            ",
        ),
        (
            &[("== README.md", "== elearning/service.json\n{}\n== README.md")],
            "
            elearning/service.toml: written-twice: `elearning/service.json` is the same document
              help: keep one of the two
            ",
        ),
        (
            &[("== elearning/app.toml", "== elearning/ap.toml")],
            "
            elearning: missing-app-toml: the directory has documents and no `app.toml`
              help: add an `app.toml`; it may be empty
            trueup.toml:1:17: no-applications: no directory with an `app.toml` matches `*`
              help: `*` matches within one directory name, `**` over several
            ",
        ),
        (
            &[("== README.md", "== app.toml\n== README.md")],
            "
            app.toml: misplaced-file: the root of the desired state cannot be an application
              help: move it to a directory
            ",
        ),
        (
            &[("== README.md", "== empty/app.toml\n== README.md")],
            "
            empty/app.toml: no-documents: the application has no documents
              help: add a `task-definition` and a `service`, `target-groups/` or `listener-rules/`
            ",
        ),
    ]);
}

#[test]
fn overlays_are_of_environments_that_the_application_is_in() {
    check_edits(&[
        (
            &[("environments/staging/service.toml", "environments/stagin/service.toml")],
            "
            elearning/environments/stagin: unknown-environment: `trueup.toml` has no environment `stagin`
              help: did you mean `staging`?
            ",
        ),
        (
            &[("environments/staging/service.toml", "environments/staging/environments/staging/service.toml")],
            "
            elearning/environments/staging/environments: unknown-file: no file or directory of this name belongs to an application
              help: did you mean `environments`?
            ",
        ),
        (
            &[("== elearning/app.toml\n", "== elearning/app.toml\nenvironments = [\"production\"]\n")],
            "
            elearning/environments/staging: unknown-environment: the application is not in environment `staging`
              help: add it to `environments` in `app.toml`, or remove the directory
            ",
        ),
    ]);
}

#[test]
fn a_file_that_cannot_be_read_breaks_its_application_alone() {
    check_edits(&[
        (
            &[(r#"serviceName = "elearning-system-service""#, "serviceName = ")],
            r#"
            elearning/service.toml:1:15: syntax: string values must be quoted: expected literal string
              help: write text in quotes: `"…"`
            "#,
        ),
        (
            &[(r#""family": "elearning-system","#, r#""family" "elearning-system","#)],
            r#"
            elearning/task-definition.json:2:3: syntax: `:` is missing after this name
              help: write `"name": value`
            "#,
        ),
        (
            &[("== elearning/task-definition.json", "== elearning/environments/production/task-definition.json")],
            r#"
            elearning/environments/staging/task-definition.json:1:1: fargate-size: Fargate needs `cpu` of the whole task
              help: add `cpu`, such as "256"
            elearning/environments/staging/task-definition.json:1:1: fargate-size: Fargate needs `memory` of the whole task
              help: add `memory`, such as "512"
            elearning/environments/staging/task-definition.json:1:1: missing-member: `family` is missing
              help: write `"family": "…"` (You must specify a family for a task definition)
            elearning/environments/staging/task-definition.json:1:1: fargate-network-mode: tasks on Fargate need the network mode `awsvpc`
              help: write `networkMode = "awsvpc"`
            elearning/environments/staging/task-definition.json:1:28: no-memory: the container has no memory, and its task has none either
              help: add `memory` or `memoryReservation` here, or `memory` to the task
            elearning/service.toml:9:17: unknown-port: container `backend` has no port 8000
              help: add `portMappings` with `containerPort = 8000` to `backend`
            elearning/service.toml:13:17: unknown-name: the task definition has no container `frontend`
              help: name one of the task definition
            "#,
        ),
    ]);
}

#[test]
fn a_tree_without_a_sound_configuration_is_not_followed() {
    let table = [
        ("", false),
        ("== web/app.toml\n", false),
        ("== trueup.toml\n", false),
        ("== trueup.toml\n[environments.a]\naccount = \"210987654321\"\nregion = \"eu-west-1\"\n", false),
        (
            "== trueup.toml\n[environments.a]\naccount = \"210987654321\"\nregion = \"eu-west-1\"\n== web/app.toml\n",
            true,
        ),
        ("== trueup.toml\n[environments.a]\naccount = \"210987654321\"\n== web/app.toml\n", false),
        ("== trueup.toml\n[environments.\n== web/app.toml\n", false),
    ];
    for (text, valid) in table {
        let loaded = load(&tree(text));
        assert_eq!(loaded.configuration_valid, valid, "{text}");
        assert!(!loaded.problems.is_empty(), "{text}");
    }
}

#[test]
fn applications_lie_at_any_depth_and_only_where_a_glob_reaches() {
    let text = format!(
        "{}\n== trueup.toml\n{}\n== teams/a/web/app.toml\n== teams/a/web/target-groups/x.toml\n\
         Name = \"x\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\n== other/app.toml\n== other/target-groups/y.toml\n{{\n",
        "",
        super::ONE_ENVIRONMENT.trim().replace("== trueup.toml", "applications = [\"teams/**\"]"),
    );
    let loaded = load(&tree(&text));
    assert_eq!(loaded.problems, []);
    let names: Vec<_> = loaded.applications.keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["teams/a/web"]);
}
