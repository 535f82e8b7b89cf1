//! `trueup check` on many applications: parse, merge, validate, all rules.

use trueup_bench::applications;
use trueup_core::desired::load;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// Loads `count` applications like the example's: seven documents each.
#[divan::bench(args = [1, 10, 100, 1000], sample_count = 10)]
fn check(bencher: divan::Bencher<'_, '_>, count: usize) {
    let files = applications(count);
    let loaded = load(&files);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems.first());
    bencher.counter(divan::counter::ItemsCount::new(count)).bench(|| load(&files));
}
