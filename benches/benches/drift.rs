//! Drift of one large task definition: ten containers with fifty environment variables each.

use trueup_bench::task_definition;
use trueup_core::drift::Context;
use trueup_core::kind::Kind;
use trueup_core::kind::{digest, drift};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// Nothing differs: what happens in every cycle.
#[divan::bench]
fn equal(bencher: divan::Bencher<'_, '_>) {
    let (desired, live) = task_definition(10, 50);
    assert!(drift(Kind::TaskDefinition, &desired, &live, &Context::default()).is_empty());
    bencher.bench(|| drift(Kind::TaskDefinition, &desired, &live, &Context::default()));
}

/// One environment variable differs.
#[divan::bench]
fn one_variable(bencher: divan::Bencher<'_, '_>) {
    let (desired, mut live) = task_definition(10, 50);
    live["containerDefinitions"][3]["environment"][7]["value"] = "other".into();
    assert_eq!(drift(Kind::TaskDefinition, &desired, &live, &Context::default()).len(), 1);
    bencher.bench(|| drift(Kind::TaskDefinition, &desired, &live, &Context::default()));
}

/// The digest that the tag carries.
#[divan::bench(name = "digest")]
fn digest_of(bencher: divan::Bencher<'_, '_>) {
    let (desired, _) = task_definition(10, 50);
    bencher.bench(|| digest(Kind::TaskDefinition, &desired));
}
