//! Why one task stopped: its stop code first, then ECS's reasons, then the exit codes of its containers.

use super::class::Class;
use super::classify::{Classification, classify};
use super::evidence::{Container, Task};
use super::message::Message;

/// A stopped task, with the message and the container that show why.
#[derive(Clone, Debug)]
pub(super) struct StoppedTask<'a> {
    pub(super) task: &'a Task,
    pub(super) classification: Classification,
    /// The decisive message.
    pub(super) message: Message,
    /// The container that the message is about, if any.
    pub(super) container: Option<&'a Container>,
}

/// Works out why a task stopped. `is_essential` takes a container's name.
///
/// The stop code comes first: `StopTask` accepts any reason, and a container that the scheduler stops exits with 137 or
/// 143 whatever the scheduler's reason was.
pub(super) fn why_stopped(task: &Task, is_essential: impl Fn(&str) -> bool) -> StoppedTask<'_> {
    let reason = Message::new(task.stopped_reason.as_deref().unwrap_or_default());
    let stopped =
        |classification, message: Message, container| StoppedTask { task, classification, message, container };
    match task.stop_code.as_deref() {
        Some("UserInitiated") => return stopped(Classification::Class(Class::StoppedByUser), reason, None),
        Some("SpotInterruption") => return stopped(Classification::Class(Class::SpotInterruption), reason, None),
        Some("InfrastructureHealth") => {
            let is_known = classify(&reason) == Classification::Class(Class::Maintenance);
            let class = if is_known { Class::Maintenance } else { Class::HostGone };
            return stopped(Classification::Class(class), reason, None);
        }
        Some("ServiceSchedulerInitiated") => return stopped(classify(&reason), reason, None),
        _ => {}
    }
    if let classification @ Classification::Class(_) = classify(&reason) {
        // The container with the same cause has the image's name.
        let same = task.containers.iter().find(|container| classify_container(container) == Some(classification));
        return stopped(classification, reason, same);
    }
    let exited = task.stop_code.as_deref() == Some("EssentialContainerExited")
        || reason.has("essential container in task exited");
    // A container that is not essential may have exited long before, and stops no task.
    let counts = |container: &&Container| !exited || is_essential(&container.name);
    let classified = task.containers.iter().filter(counts);
    let classified = classified.filter_map(|container| Some((classify_container(container)?, container)));
    let mut classes = classified.filter(|(classification, _)| matches!(classification, Classification::Class(_)));
    if let Some((classification, container)) = classes.next() {
        // Two containers with different causes: AWS does not show which came first.
        let classification =
            if classes.all(|(other, _)| other == classification) { classification } else { Classification::Nothing };
        return stopped(classification, Message::new(container.reason.as_deref().unwrap_or_default()), Some(container));
    }
    if exited {
        if let Some((class, container)) = ended(task, is_essential) {
            return stopped(Classification::Class(class), reason, Some(container));
        }
        return stopped(Classification::Nothing, reason, None);
    }
    let classification = classify(&reason);
    stopped(classification, reason, None)
}

fn classify_container(container: &Container) -> Option<Classification> {
    container.reason.as_deref().map(|reason| classify(&Message::new(reason)))
}

/// The container whose exit stopped the task, by the exit codes.
///
/// When an essential container exits, ECS stops the others: these exit with 143 (stopped on SIGTERM), 137 (killed, as
/// they ignored it) or 0 (they handled it). So any other code shows which one it was; with these codes, only a single
/// essential container is certain.
fn ended(task: &Task, is_essential: impl Fn(&str) -> bool) -> Option<(Class, &Container)> {
    let known: Vec<(i64, &Container)> =
        task.containers.iter().filter_map(|container| Some((container.exit_code?, container))).collect();
    let essential: Vec<(i64, &Container)> =
        known.iter().copied().filter(|(_, container)| is_essential(&container.name)).collect();
    let by_itself: Vec<(i64, &Container)> =
        essential.iter().copied().filter(|(code, _)| !matches!(code, 0 | 137 | 143)).collect();
    if let Some((code, container)) = by_itself.first() {
        let class = class_of(*code);
        return by_itself.iter().all(|(other, _)| class_of(*other) == class).then_some((class, *container));
    }
    let unasked: Vec<(i64, &Container)> = essential.iter().copied().filter(|(code, _)| *code != 143).collect();
    match unasked.as_slice() {
        [] => essential.first().map(|(code, container)| (class_of(*code), *container)),
        [(code, container)] => Some((class_of(*code), *container)),
        [(first, container), others @ ..] => {
            others.iter().all(|(code, _)| code == first && *code == 0).then_some((class_of(*first), *container))
        }
    }
}

/// The class of an exit code alone.
///
/// Source: POSIX shells: 126 not executable, 127 not found, 128 and above a signal's number.
fn class_of(code: i64) -> Class {
    match code {
        126 | 127 => Class::BadCommand,
        137 => Class::Killed,
        139 => Class::SegmentationFault,
        143 => Class::Terminated,
        _ => Class::ApplicationExit,
    }
}
