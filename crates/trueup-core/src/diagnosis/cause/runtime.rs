//! The container runtime and its agent on the task's host.

use super::{ClassifiedFailure, Sentences, say};

const PASSING: &str = "let ECS retry; if it persists, check the host (its load and disk) or ask AWS";

impl ClassifiedFailure<'_> {
    pub(super) fn volume_not_created(&self) -> Sentences {
        self.with_message(
            "a volume of the task could not be created",
            "check the volumes of the task definition: source path, file system, authorization",
        )
    }

    pub(super) fn container_not_inspected(&self) -> Sentences {
        self.with_message(&format!("the agent could not inspect {}", self.container_name()), PASSING)
    }

    pub(super) fn container_not_started(&self) -> Sentences {
        let cause = format!("{} could not be started", self.container_name());
        self.with_message(&cause, "correct the part of the task definition that the message names")
    }

    pub(super) fn container_not_stopped(&self) -> Sentences {
        self.with_message(&format!("{} could not be stopped", self.container_name()), PASSING)
    }

    pub(super) fn container_runtime(&self) -> Sentences {
        self.with_message(&format!("the container runtime failed with {}", self.container_name()), PASSING)
    }

    pub(super) fn container_runtime_timeout(&self) -> Sentences {
        self.with_message(&format!("{} did not reach its next state in time", self.container_name()), PASSING)
    }

    /// The cause, followed by the runtime's message.
    fn with_message(&self, cause: &str, remedy: &str) -> Sentences {
        say(format!("{cause}: {}", self.message.text), remedy)
    }
}
