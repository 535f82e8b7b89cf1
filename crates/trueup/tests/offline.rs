//! The commands that ask nobody: their whole output, as a person or a program gets it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where the example of the repository stands.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../desired-state");

/// Runs the binary in a directory, with nothing of the machine's environment that could show.
fn trueup(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.current_dir(directory).args(args).env_clear().env("NO_COLOR", "1").env("COLUMNS", "100");
    command.output().expect("the binary runs")
}

/// Everything that came of it, as one text.
fn told(output: &Output) -> String {
    let code = output.status.code().expect("it was not killed");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    format!("exit {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

fn stdout(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("stdout is JSON")
}

/// The example with texts replaced: `(file, from, to)`.
fn example(replaced: &[(&str, &str, &str)]) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a temporary directory can be written");
        for entry in fs::read_dir(from).expect("a temporary directory can be written") {
            let entry = entry.expect("a temporary directory can be written");
            let to = to.join(entry.file_name());
            if entry.file_type().expect("a temporary directory can be written").is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).expect("a temporary directory can be written");
            }
        }
    }
    let directory = tempfile::tempdir().expect("a temporary directory can be written");
    copy(Path::new(EXAMPLE), directory.path());
    for (file, from, to) in replaced {
        let path = directory.path().join(file);
        let text = fs::read_to_string(&path).expect("a temporary directory can be written");
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(path, text.replacen(from, to, 1)).expect("a temporary directory can be written");
    }
    directory
}

#[test]
fn check_says_nothing_of_a_valid_tree() {
    let tree = example(&[]);
    assert_snapshot!(told(&trueup(tree.path(), &["check"])), @r"
    exit 0
    --- stdout
    --- stderr
    ");
    assert_eq!(stdout(&trueup(tree.path(), &["check", "--format", "json"])), json!({ "problems": [] }));
}

#[test]
fn check_underlines_every_problem_and_says_what_to_write_instead() {
    let tree = example(&[
        ("elearning/service.toml", "desiredCount = 1", "desiredCout = 1"),
        ("elearning/service.toml", "minimumHealthyPercent = 50", "minimumHealthyPercent = 100"),
        ("elearning/service.toml", "maximumPercent = 200", "maximumPercent = \"200\""),
        ("elearning/target-groups/backend.toml", "HealthCheckTimeoutSeconds = 30", "HealthCheckTimeoutSeconds = 60"),
        ("elearning/task-definition.toml", "memory = \"1024\"", "memory = \"1000\""),
        ("elearning/task-definition.toml", "${var.domain}", "${var.domian}"),
        ("trueup.toml", "heal = \"on\"", "heal = \"yes\""),
    ]);
    let output = trueup(tree.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(told(&output));
}

#[test]
fn check_gives_the_same_as_data() {
    let tree = example(&[("elearning/service.toml", "launchType = \"FARGATE\"", "launchType = \"FARGAT\"")]);
    let output = trueup(tree.path(), &["check", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output)["problems"][0],
        json!({
            "file": "elearning/service.toml", "line": 4, "column": 14, "field": "/launchType", "code": "illegal-value",
            "message": "`FARGAT` is not a legal value here",
            "help": "did you mean `FARGATE`? The legal values are `EC2`, `FARGATE`, `EXTERNAL`, `MANAGED_INSTANCES`",
        })
    );
}

#[test]
fn check_that_cannot_run_says_why() {
    let nowhere = tempfile::tempdir().unwrap();
    assert_snapshot!(told(&trueup(nowhere.path(), &["check", "missing"])), @r"
    exit 2
    --- stdout
    --- stderr
    error: `missing` is not a directory
      hint: name the directory that holds `trueup.toml`
    ");
}

#[test]
fn diff_shows_what_differs_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("backend.toml"),
        "Name = \"web\"\nProtocol = \"HTTP\"\nPort = 80\nVpcId = \"vpc-1\"\nHealthCheckIntervalSeconds = 60\n",
    )
    .unwrap();
    let live = json!({"TargetGroups": [{
        "TargetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1",
        "TargetGroupName": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "instance",
        "HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5, "HealthCheckPath": "/",
    }]});
    fs::write(directory.path().join("live.json"), live.to_string()).unwrap();
    let files = ["diff", "--kind", "target-group", "backend.toml", "live.json"];
    assert_snapshot!(told(&trueup(directory.path(), &files)), @r"
    exit 1
    --- stdout
    ~ /HealthCheckIntervalSeconds  30 -> 60
    --- stderr
    ");
    let output = trueup(directory.path(), &[&files[..], &["--format", "json"]].concat());
    let change = json!({"path": "/HealthCheckIntervalSeconds", "live": 30, "desired": 60});
    assert_eq!(stdout(&output), json!({ "changes": [change] }));
}

#[test]
fn diff_judges_many_cases_and_names_those_that_are_no_legal_documents() {
    let directory = tempfile::tempdir().unwrap();
    let service = json!({"serviceName": "web", "desiredCount": 0});
    let cases = json!([
        {"id": "equal", "kind": "service", "desired": service, "live": {"serviceName": "web", "desiredCount": 0}},
        {"id": "count", "kind": "service", "desired": service, "live": {"serviceName": "web", "desiredCount": 2}},
        {"id": "typo", "kind": "service", "desired": {"serviceName": "web", "desiredCuont": 1}, "live": {}},
    ]);
    fs::write(directory.path().join("cases.json"), cases.to_string()).unwrap();
    assert_snapshot!(told(&trueup(directory.path(), &["diff", "--cases", "cases.json"])), @r#"
    exit 2
    --- stdout
    {"id":"equal","changes":[]}
    {"id":"count","changes":[{"path":"/desiredCount","live":2,"desired":0}]}
    {"id":"typo","error":"desired/desiredCuont: `desiredCuont` is not known here"}
    --- stderr
    "#);
}

#[test]
fn every_kind_of_file_has_its_schema() {
    let nowhere = tempfile::tempdir().unwrap();
    for kind in ["task-definition", "service", "target-group", "listener-rule", "app", "trueup"] {
        let schema = stdout(&trueup(nowhere.path(), &["schema", kind]));
        assert!(schema["properties"].as_object().is_some_and(|members| !members.is_empty()), "{kind}");
    }
}

#[test]
fn iam_policy_prints_what_the_example_needs_and_notes_what_only_aws_knows() {
    let tree = example(&[]);
    let output = trueup(tree.path(), &["iam-policy"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let policy = stdout(&output);
    let named = |output: &Value| -> Vec<String> {
        let statements = output["Statement"].as_array().expect("a policy has statements");
        statements.iter().map(|statement| statement["Sid"].as_str().expect("each has a name").to_owned()).collect()
    };
    assert!(named(&policy).contains(&"UpdateServices".to_owned()), "{policy}");
    assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    note: a document refers to a role by a reference that only AWS can resolve, so the policy allows passing any role of the account
    hint: use `--resolve`, which asks AWS, or write the ARN of the role into the document
    ");
    assert_eq!(output.stdout, trueup(tree.path(), &["iam-policy", "--environment", "production"]).stdout);

    let read_only = stdout(&trueup(tree.path(), &["iam-policy", "--read-only"]));
    assert!(!named(&read_only).iter().any(|name| name == "UpdateServices" || name == "PassTaskRoles"), "{read_only}");
    let other = stdout(&trueup(tree.path(), &["iam-policy", "--instance", "second"]));
    assert!(other.to_string().contains(r#""aws:RequestTag/trueup:instance":["second"]"#), "{other}");
}

#[test]
fn iam_policy_refuses_a_tree_with_problems_and_unknown_environments() {
    let tree = example(&[("elearning/service.toml", "desiredCount = 1", "desiredCout = 1")]);
    let output = trueup(tree.path(), &["iam-policy"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && told(&output).contains("did you mean `desiredCount`?"), "{}", told(&output));

    assert_snapshot!(told(&trueup(example(&[]).path(), &["iam-policy", "--environment", "prod"])), @r"
    exit 2
    --- stdout
    --- stderr
    error: `trueup.toml` has no environment `prod`
      hint: environments are `production`
    ");
}

#[test]
fn run_says_what_is_wrong_with_the_webhook_s_secret() {
    let directory = tempfile::tempdir().expect("a temporary directory can be written");
    fs::write(directory.path().join("empty"), "\n").expect("a temporary directory can be written");
    fs::write(directory.path().join("short"), "hunter2").expect("a temporary directory can be written");
    let run = |more: &[&str]| {
        let output = trueup(directory.path(), &[&["run", "--repository", "nowhere"], more].concat());
        let told = told(&output);
        assert!(told.starts_with("exit 2\n") && !told.contains("hunter2"), "{told}");
        told
    };
    let listen = ["--webhook-listen", "127.0.0.1:0", "--webhook-secret-file"];
    let with = |file: &str| run(&[&listen[..], &[file]].concat());
    assert_snapshot!(with("empty"), @r"
    exit 2
    --- stdout
    --- stderr
    error: cannot take the webhook's secret from `empty`: it is empty
      hint: `openssl rand -hex 32` generates a good secret; several lines are several
    ");
    assert_snapshot!(with("short"), @r"
    exit 2
    --- stdout
    --- stderr
    error: cannot take the webhook's secret from `short`: the secret on line 1 has 7 bytes; at least 16 are needed
      hint: `openssl rand -hex 32` generates a good secret; several lines are several
    ");
    assert_snapshot!(with("none"), @r"
    exit 2
    --- stdout
    --- stderr
    error: cannot take the webhook's secret from `none`: it cannot be read: No such file or directory (os error 2)
      hint: name a file that this user may read: `openssl rand -hex 32 > FILE` creates one
    ");
    assert_snapshot!(run(&listen[..2]), @r"
    exit 2
    --- stdout
    --- stderr
    error: webhooks need a secret
      hint: give `--webhook-secret-file`, or the secret itself in `TRUEUP_WEBHOOK_SECRET`
    ");
    assert!(run(&["--webhook-secret-file", "short"]).contains("--webhook-listen <ADDR>"), "it belongs to a listener");
}

#[test]
fn nothing_in_a_file_steers_the_terminal_in_any_format() {
    let steers = |c: char| c.is_control() && c != '\n' || "\u{61c}\u{200f}\u{2028}\u{202e}\u{2066}".contains(c);
    let nasty = r"x\u009b2J\u001b[2J\u202e\u2066\u2028\u061c\u0000\ny";
    let tree = example(&[
        ("elearning/service.toml", "desiredCount = 1", &format!("\"{nasty}\" = 1 # \u{202e}\u{9b}")),
        ("elearning/task-definition.toml", "${var.domain}", &format!("${{var.{nasty}}}")),
    ]);
    let group = |path: &str| {
        format!(
            r#"{{"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0123456789abcdef0", "HealthCheckPath": "{path}"}}"#
        )
    };
    let cases = format!(
        r#"[{{"id": "{nasty}", "kind": "target-group", "desired": {}, "live": {}}}]"#,
        group(&format!("/{nasty}")),
        group("/")
    );
    for (name, text) in [("a.json", group(&format!("/{nasty}"))), ("b.json", group("/")), ("cases.json", cases)] {
        fs::write(tree.path().join(name), text).expect("a temporary directory can be written");
    }
    let diff = ["diff", "--kind", "target-group"];
    // the command | its exit code
    let table: [(Vec<&str>, i32); 7] = [
        (vec!["check"], 1),
        (vec!["check", "--format", "json"], 1),
        (vec!["iam-policy"], 1),
        ([&diff[..], &["b.json", "a.json"]].concat(), 1),
        ([&diff[..], &["b.json", "a.json", "--format", "json"]].concat(), 1),
        ([&diff[..], &["a.json", "b.json", "--format", "json"]].concat(), 1),
        (vec!["diff", "--cases", "cases.json"], 0),
    ];
    for (command, code) in table {
        let output = trueup(tree.path(), &command);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(code), "{command:?}: {told}");
        assert!(told.contains("2J") && !told.contains(steers), "{command:?}: {told:?}");
    }
    fs::create_dir(tree.path().join("app\u{202e}\u{9b}\nerror: y")).expect("a temporary directory can be written");
    for format in ["text", "json"] {
        let told = told(&trueup(tree.path(), &["check", "--format", format]));
        assert!(told.contains("control or direction characters") && !told.contains(steers), "{told:?}");
        assert!(!told.lines().any(|line| line.starts_with("error: y")), "{told:?}");
    }
}
