//! What `attractor inspect` measures of a census of attractors.

use std::path::Path;

use attractor::Result;
use attractor::analysis::StoredAttractors;
use serde_json::json;

use super::Facts;

pub fn facts(path: &Path) -> Result<Facts> {
    let StoredAttractors { states, frequencies, periods, energies } = StoredAttractors::open(path)?;
    let n_attractors = states.n_rows();
    // Starts that did not settle are not in the file.
    let n_settled: u64 = frequencies.iter().copied().map(u64::from).sum();
    let n_fixed = periods.iter().filter(|&&period| period == 1).count();
    let lowest = energies.iter().copied().reduce(f32::min);
    let highest = energies.iter().copied().reduce(f32::max);
    Ok(vec![
        ("N", json!(states.n_spins())),
        ("attractors", json!(n_attractors)),
        ("settled_starts", json!(n_settled)),
        ("fixed_points", json!(n_fixed)),
        ("cycles", json!(n_attractors - n_fixed)),
        ("period_max", json!(periods.iter().max())),
        ("frequency_max", json!(frequencies.iter().max())),
        ("frequency_mean", json!((n_attractors > 0).then(|| n_settled as f64 / n_attractors as f64))),
        ("met_once", json!(frequencies.iter().filter(|&&frequency| frequency == 1).count())),
        ("energy_min", json!(lowest)),
        ("energy_max", json!(highest)),
    ])
}
