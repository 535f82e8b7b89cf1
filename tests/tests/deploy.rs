//! What `deploy/` says is so: the template makes stacks, the image runs, the examples use commands that exist.

use std::path::Path;
use std::process::Command;

use trueup_e2e::{binary, python, workspace};

#[test]
fn the_template_makes_stacks_whose_role_may_do_what_trueup_does() {
    run("deploy_template.py", &[]);
}

#[test]
fn the_image_has_what_trueup_needs_and_nothing_else_and_trueup_runs_in_it() {
    run("deploy_image.py", &[&binary::trueup().expect("trueup builds")]);
}

#[test]
fn the_ci_examples_use_commands_and_flags_that_exist_and_change_a_tag() {
    run("deploy_examples.py", &[&binary::trueup().expect("trueup builds")]);
}

#[test]
fn the_application_that_trueup_itself_is_takes_over_what_the_template_made() {
    run("deploy_self.py", &[&binary::trueup().expect("trueup builds")]);
}

/// Runs a script of `tests/python` on this workspace.
fn run(script: &str, arguments: &[&Path]) {
    let mut command = Command::new(python::interpreter().expect("there is Python with moto"));
    command.args(["-W", "ignore"]).arg(python::script(script)).arg(workspace()).args(arguments);
    // moto runs inside of the script: nothing of the machine's own AWS may be in reach.
    for variable in ["AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"] {
        command.env_remove(variable);
    }
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("the interpreter is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{said}", output.status);
}
