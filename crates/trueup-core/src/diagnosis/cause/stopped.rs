//! Tasks or deployments that ended for a cause outside the release, and those whose cause AWS does not show.

use super::{ClassifiedFailure, Sentences, say};

impl ClassifiedFailure<'_> {
    pub(super) fn scaling() -> Sentences {
        say("ECS replaced tasks, or scaled in", "no action: this is normal")
    }

    pub(super) fn stopped_by_user(&self) -> Sentences {
        say(
            format!("a principal called `StopTask` for tasks of the service ({})", self.message.text),
            "CloudTrail (`StopTask`) shows who; the release need not change",
        )
    }

    pub(super) fn spot_interruption() -> Sentences {
        say(
            "AWS reclaimed Spot capacity",
            "no action: ECS replaces the tasks; keep a base of on-demand capacity if this is too frequent",
        )
    }

    pub(super) fn maintenance() -> Sentences {
        say("AWS performed maintenance on the infrastructure of tasks", "no action: ECS replaces the tasks")
    }

    pub(super) fn host_gone() -> Sentences {
        say(
            "the infrastructure of tasks was terminated or is impaired",
            "no action: ECS replaces the tasks; check that enough instances are left",
        )
    }

    pub(super) fn alarm() -> Sentences {
        say(
            "a CloudWatch alarm of the service's `alarms` fired, and ECS ended the deployment",
            "check the alarm's metric at the time of the deployment; the tasks themselves started",
        )
    }

    pub(super) fn crash_loop() -> Sentences {
        say(
            "ECS cannot start tasks of the service consistently, and no stopped task shows why",
            "check the service's stopped tasks within an hour of the next attempt, and the containers' logs",
        )
    }

    pub(super) fn unknown() -> Sentences {
        say("AWS does not show the cause", "read the evidence; check the containers' logs of that time")
    }
}
