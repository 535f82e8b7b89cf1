//! How a container ended that started, or should have started.

use serde_json::Value;

use super::{ClassifiedFailure, Sentences, say};

impl ClassifiedFailure<'_> {
    pub(super) fn out_of_memory(&self) -> Sentences {
        let limit = self.definition().and_then(|definition| definition["memory"].as_i64());
        let limit = limit.map(|limit| format!(" of {limit} MiB")).unwrap_or_default();
        say(
            format!("{} used more memory than its limit{limit}", self.container_name()),
            "raise `memory` (of the container, or of the task), or find what uses so much",
        )
    }

    pub(super) fn killed(&self) -> Sentences {
        say(
            format!(
                "{} was killed by SIGKILL (exit code 137), and AWS does not say that memory ran out",
                self.container_name()
            ),
            "check its last log lines, and the memory it used; a process inside may have killed it",
        )
    }

    pub(super) fn terminated(&self) -> Sentences {
        say(format!("{} stopped on SIGTERM", self.container_name()), "no action: this is normal in a deployment")
    }

    pub(super) fn segmentation_fault(&self) -> Sentences {
        say(
            format!("{} crashed with a segmentation fault (exit code 139)", self.container_name()),
            "check its last log lines; look for a native library that was built for another platform or C library",
        )
    }

    pub(super) fn bad_command(&self) -> Sentences {
        let quoted = self.message.after("exec: \"").map(|command| format!("`{command}`"));
        let command = quoted.or_else(|| self.command()).unwrap_or_else(|| "its command".to_owned());
        let code = self.exit_code().map(|code| format!(" (exit code {code})")).unwrap_or_default();
        say(
            format!("{} cannot run {command}{code}", self.container_name()),
            "correct `command` or `entryPoint` in the task definition, or put the program into the image and make it \
             executable",
        )
    }

    pub(super) fn exec_format_error(&self) -> Sentences {
        say(
            format!("{}'s binary is built for another platform", self.container_name()),
            "build the image for the platform of `runtimePlatform`; a script needs its `#!` line",
        )
    }

    pub(super) fn application_exit(&self) -> Sentences {
        let name = self.container_name();
        let code = match self.exit_code() {
            // Success is a failure here: ECS replaces a service's task whenever an essential container ends.
            Some(0) => {
                return say(
                    format!(
                        "{name} exited on its own with exit code 0, and a service's essential container must keep running"
                    ),
                    "keep the process in the foreground, or mark a container that is meant to exit as not essential",
                );
            }
            Some(code) => format!(" with exit code {code}"),
            None => String::new(),
        };
        say(
            format!("{name} exited on its own{code}"),
            "check its last log lines; `exec format error` there means an image for another platform",
        )
    }

    pub(super) fn container_health_check(&self) -> Sentences {
        let check = self.definition().and_then(|definition| {
            let command = definition["healthCheck"]["command"].as_array()?;
            Some(command.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        });
        let check = check.map(|check| format!(" (`{check}`)")).unwrap_or_default();
        say(
            format!("the health check of {}{check} fails", self.container_name()),
            "check that the tools it calls are in the image and that it succeeds there; raise `startPeriod` if the application needs longer to start",
        )
    }

    fn exit_code(&self) -> Option<i64> {
        self.container.and_then(|container| container.exit_code)
    }
}
