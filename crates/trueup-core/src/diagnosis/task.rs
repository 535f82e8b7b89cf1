//! Why one task stopped: its stop code first, then what ECS says, then how its containers ended.

use super::class::Class;
use super::evidence::{Container, Task};
use super::reading::{Reading, read};
use super::words::Words;

/// Why a task stopped, with the words and the container that say so.
#[derive(Clone, Debug)]
pub(super) struct Stop<'a> {
    pub(super) task: &'a Task,
    pub(super) reading: Reading,
    /// The decisive text.
    pub(super) words: Words,
    /// The container that it is about, where it is about one.
    pub(super) container: Option<&'a Container>,
}

/// Works out why a task stopped. `is_essential` says so of a container by its name.
///
/// The stop code comes first: a person may stop a task with any reason, and a container that the scheduler stops ends
/// with 137 or 143 whatever made the scheduler stop it.
pub(super) fn stop(task: &Task, is_essential: impl Fn(&str) -> bool) -> Stop<'_> {
    let reason = Words::new(task.stopped_reason.as_deref().unwrap_or_default());
    let said = |reading, words: Words, container| Stop { task, reading, words, container };
    match task.stop_code.as_deref() {
        Some("UserInitiated") => return said(Reading::Class(Class::StoppedByUser), reason, None),
        Some("SpotInterruption") => return said(Reading::Class(Class::SpotInterruption), reason, None),
        Some("InfrastructureHealth") => {
            let is_known = read(&reason) == Reading::Class(Class::Maintenance);
            let class = if is_known { Class::Maintenance } else { Class::HostGone };
            return said(Reading::Class(class), reason, None);
        }
        Some("ServiceSchedulerInitiated") => return said(read(&reason), reason, None),
        _ => {}
    }
    if let reading @ Reading::Class(_) = read(&reason) {
        // The container that says the same knows its image.
        let same = task.containers.iter().find(|container| reading_of(container) == Some(reading));
        return said(reading, reason, same);
    }
    let exited = task.stop_code.as_deref() == Some("EssentialContainerExited")
        || reason.has("essential container in task exited");
    // What is not essential may have ended long before, and ends no task.
    let speaks = |container: &&Container| !exited || is_essential(&container.name);
    let spoken = task.containers.iter().filter(speaks);
    let spoken = spoken.filter_map(|container| Some((reading_of(container)?, container)));
    let mut classes = spoken.filter(|(reading, _)| matches!(reading, Reading::Class(_)));
    if let Some((reading, container)) = classes.next() {
        // Two containers that say different things: nobody knows which came first.
        let reading = if classes.all(|(other, _)| other == reading) { reading } else { Reading::Nothing };
        return said(reading, Words::new(container.reason.as_deref().unwrap_or_default()), Some(container));
    }
    if exited {
        if let Some((class, container)) = ended(task, is_essential) {
            return said(Reading::Class(class), reason, Some(container));
        }
        return said(Reading::Nothing, reason, None);
    }
    let reading = read(&reason);
    said(reading, reason, None)
}

fn reading_of(container: &Container) -> Option<Reading> {
    container.reason.as_deref().map(|reason| read(&Words::new(reason)))
}

/// The container whose end was the task's, by the exit codes.
///
/// When an essential container ends, ECS stops the others: these end with 143 (they obeyed SIGTERM), 137 (they did not)
/// or 0 (they handled it). So another code than these tells which one it was; among these, only a single essential
/// container does.
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

/// What an exit code says by itself.
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
