//! Tasks or deployments that something else than the release ended, and those of which nothing says why.

use super::{Case, Sentences, say};

impl Case<'_> {
    pub(super) fn scaling() -> Sentences {
        say("ECS replaced tasks, or scaled in", "nothing: that is normal")
    }

    pub(super) fn stopped_by_user(&self) -> Sentences {
        say(
            format!("somebody stopped tasks of the service by hand ({})", self.words.text),
            "CloudTrail (`StopTask`) tells who; the release need not change",
        )
    }

    pub(super) fn spot_interruption() -> Sentences {
        say(
            "AWS took Spot capacity back",
            "nothing, ECS replaces the tasks; keep a base of on-demand capacity where that is too often",
        )
    }

    pub(super) fn maintenance() -> Sentences {
        say("AWS maintains the infrastructure that tasks ran on", "nothing: ECS replaces the tasks")
    }

    pub(super) fn host_gone() -> Sentences {
        say(
            "the infrastructure that tasks ran on went away or is impaired",
            "nothing, ECS replaces the tasks; see that enough instances are left",
        )
    }

    pub(super) fn alarm() -> Sentences {
        say(
            "a CloudWatch alarm of the service's `alarms` went off, and ECS ended the deployment",
            "look at the alarm's metric for the time of the deployment; the tasks themselves started",
        )
    }

    pub(super) fn crash_loop() -> Sentences {
        say(
            "ECS cannot start tasks of the service consistently, and no stopped task was seen that says why",
            "look at the service's stopped tasks within an hour of the next try, and at the containers' logs",
        )
    }

    pub(super) fn unknown() -> Sentences {
        say("what AWS shows does not tell the cause", "read the evidence; look at the containers' logs of that time")
    }
}
