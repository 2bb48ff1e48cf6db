//! Steps of several scripts in any order between the scripts.

use proptest::sample::Index;

/// All steps and the script that each is of, those of a script in order; `schedule` says which script is next, and after
/// it the scripts follow one after the other.
pub(crate) fn interleave<'a, S>(scripts: &'a [Vec<S>], schedule: &[Index]) -> Vec<(usize, &'a S)> {
    let mut rest: Vec<_> = scripts.iter().map(|steps| steps.iter()).collect();
    let mut order = Vec::new();
    for next in schedule {
        let script = next.index(scripts.len());
        order.extend(rest[script].next().map(|step| (script, step)));
    }
    for (script, steps) in rest.into_iter().enumerate() {
        order.extend(steps.map(|step| (script, step)));
    }
    order
}
