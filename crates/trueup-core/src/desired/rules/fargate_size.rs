//! The combinations of CPU and memory that Fargate supports.
//!
//! Source: ECS developer guide, "Fargate task definition parameters", task CPU and memory.

use super::{ApplicationView, member_or};
use crate::document::Problem;

/// CPU units, with the minimum memory, the maximum and the step in MiB.
const SIZES: [(i64, i64, i64, i64); 7] = [
    (256, 512, 2_048, 512),
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];

/// The largest size has three steps of its own, and the smallest skips 1.5 GB.
const CPU_LARGEST: i64 = 32_768;
const MEMORY_OF_LARGEST: [i64; 3] = [61_440, 122_880, 249_856];

pub(super) fn check(subject: &ApplicationView<'_>, problems: &mut Vec<Problem>) {
    let Some(definition) = subject.task_definition.as_ref().filter(|_| subject.on_fargate()) else { return };
    for (name, example) in [("cpu", "\"256\""), ("memory", "\"512\"")] {
        if definition.get(name).is_none() {
            problems.push(
                definition
                    .problem("fargate-size", format!("Fargate needs `{name}` of the whole task"))
                    .help(format!("add `{name}`, such as {example}")),
            );
        }
    }
    let Some(cpu) = definition.member_text("cpu").and_then(cpu_units) else { return };
    let Some(sizes) = memory_sizes(cpu) else {
        let known = SIZES.map(|(cpu, ..)| cpu.to_string()).join(", ");
        problems.push(
            member_or(definition, "cpu")
                .problem("fargate-size", format!("Fargate has no task of {cpu} CPU units"))
                .help(format!("write one of {known}, {CPU_LARGEST}")),
        );
        return;
    };
    let Some(memory) = definition.member_text("memory").and_then(mebibytes) else { return };
    if !sizes.contains(&memory) {
        let near = sizes.iter().find(|size| **size >= memory).or(sizes.last()).copied().unwrap_or_default();
        problems.push(
            member_or(definition, "memory")
                .problem("fargate-size", format!("Fargate has no task of {cpu} CPU units and {memory} MiB"))
                .help(format!(
                    "the nearest memory is \"{near}\"; with {cpu} CPU units it is from {} to {}",
                    sizes[0],
                    sizes[sizes.len() - 1]
                )),
        );
    }
}

/// All memory sizes for this many CPU units, ascending; `None` when there is no such size.
fn memory_sizes(cpu: i64) -> Option<Vec<i64>> {
    if cpu == CPU_LARGEST {
        return Some(MEMORY_OF_LARGEST.to_vec());
    }
    let (_, least, most, step) = *SIZES.iter().find(|(units, ..)| *units == cpu)?;
    let sizes = (0..).map(|index| least + index * step).take_while(|size| *size <= most);
    Some(sizes.filter(|size| *size != 1_536).collect())
}

/// CPU units: `1024`, or `1 vCPU`.
pub(super) fn cpu_units(text: &str) -> Option<i64> {
    with_unit(text, "VCPU")
}

/// Memory in MiB: `2048`, or `2GB`.
pub(super) fn mebibytes(text: &str) -> Option<i64> {
    with_unit(text, "GB")
}

/// A whole number, or a decimal number with a unit of 1024.
fn with_unit(text: &str, unit: &str) -> Option<i64> {
    let text = text.trim().to_uppercase();
    match text.strip_suffix(unit) {
        None => text.parse().ok(),
        Some(number) => thousandths(number.trim()).map(|thousandths| (thousandths * 1024 + 500) / 1000),
    }
}

/// A decimal number of at most three places, in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok().filter(|number| *number < 1_000_000)? };
    let fraction: i64 = format!("{fraction:0<3}").parse().ok()?;
    Some(whole * 1000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::{cpu_units, mebibytes, memory_sizes};

    #[test]
    fn sizes_are_read_in_every_spelling_that_aws_accepts() {
        for text in ["256", ".25 vCPU", "0.25 vcpu", "0.25vCPU", " 256 "] {
            assert_eq!(cpu_units(text), Some(256), "{text}");
        }
        for (text, size) in [("512", 512), ("0.5GB", 512), ("2 GB", 2048), ("1.0gb", 1024), ("30GB", 30_720)] {
            assert_eq!(mebibytes(text), Some(size), "{text}");
        }
        for text in ["", "GB", "1.2345 GB", "-1 GB", "1,5 GB", "two GB", "99999999999999999999 GB"] {
            assert_eq!(mebibytes(text), None, "{text}");
        }
    }

    #[test]
    fn memory_comes_in_steps() {
        let table = [
            (256, vec![512, 1024, 2048]),
            (512, vec![1024, 2048, 3072, 4096]),
            (8192, vec![16384, 20480, 24576, 28672, 32768, 36864, 40960, 45056, 49152, 53248, 57344, 61440]),
            (32_768, vec![61_440, 122_880, 249_856]),
        ];
        for (cpu, sizes) in table {
            assert_eq!(memory_sizes(cpu), Some(sizes), "{cpu}");
        }
        assert_eq!(memory_sizes(300), None);
    }
}
