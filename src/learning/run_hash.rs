//! What identifies a run: its folder is gone on from only by the same one.

use super::problem::Problem;

/// A hash of what is learned and how: `how` names every parameter.
pub(super) fn run_hash(problem: &Problem<'_>, how: &str) -> String {
    let patterns = problem.patterns();
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{how} {} {}", patterns.n_rows(), patterns.n_spins()).as_bytes());
    for mu in 0..patterns.n_rows() {
        hasher.update(bytemuck::cast_slice(patterns.row(mu)));
    }
    if problem.rows().is_shard() {
        hasher.update(problem.rows().to_string().as_bytes());
    }
    if let Some(weights) = problem.weights() {
        hasher.update(bytemuck::cast_slice(weights));
    }
    if let Some(mask) = problem.mask() {
        hasher.update(bytemuck::cast_slice(mask.words()));
    }
    hasher.finalize().to_hex().to_string()
}
