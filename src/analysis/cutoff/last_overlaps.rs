//! Where parallel dynamics takes the features, without couplings.

use crate::analysis::matrix_free::MatrixFreeHebb;
use crate::error::Result;
use crate::spins::{BlockMajor, WORD};

/// Memory of the features, the states that move and their next values, beside what fields take.
pub(super) fn state_bytes(n_spins: usize, n_states: usize) -> u64 {
    3 * (n_spins.div_ceil(WORD) * size_of::<u64>() * n_states) as u64
}

/// Overlaps of the first `n_states` features with where `n_steps` parallel steps take them, and how many states were
/// updated on the way.
///
/// # Errors
/// If the memory allowed is too little or missing, or interrupted.
pub(super) fn last_overlaps(
    hebb: &MatrixFreeHebb<'_>,
    n_states: usize,
    n_steps: usize,
) -> Result<(Vec<f64>, u64)> {
    let n_spins = hebb.stream().n_spins();
    let starts = BlockMajor::from_rows(&hebb.stream().manifold().features(n_states, hebb.execution())?);
    let mut overlaps = vec![1.0; n_states];
    let mut members: Vec<usize> = (0..n_states).collect();
    let mut states = starts.clone();
    let mut n_updates = 0;
    for _ in 0..n_steps {
        if members.is_empty() {
            break;
        }
        n_updates += members.len() as u64;
        let next = hebb.parallel_update(&states)?;
        let mut moved = vec![false; members.len()];
        let mut differing = vec![0u64; members.len()];
        for word in 0..n_spins.div_ceil(WORD) {
            let (now, before, start) = (next.block(word), states.block(word), starts.block(word));
            for (row, &member) in members.iter().enumerate() {
                moved[row] |= now[row] != before[row];
                differing[row] += u64::from((now[row] ^ start[member]).count_ones());
            }
        }
        for (&member, &differing) in members.iter().zip(&differing) {
            overlaps[member] = 1.0 - 2.0 * differing as f64 / n_spins as f64;
        }
        // Fixed points stay where they are.
        states = next;
        if moved.contains(&false) {
            states.retain_rows(&moved);
            let mut moved = moved.iter();
            members.retain(|_| moved.next() == Some(&true));
        }
    }
    Ok((overlaps, n_updates))
}
