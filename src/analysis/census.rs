//! The census of attractors: where trajectories from many starts end, how often, and what lies there.
//!
//! A fixed point is an attractor of one state, a cycle one of all its states, every one of which is visited. Its representative
//! is the state whose packed words come first in lexicographic order, so that trajectories which enter a cycle at different
//! states are one attractor. States are compared spin for spin, not by hash.
//!
//! Energies are E(x) = -1/2 x.Jx - theta.x, mean over the states of a cycle, from local fields in f32 and sums in f64. Only for
//! symmetric J is E what parallel or sequential updates are known to relate to; for others it is a number like another.
//! The entropy of the distribution over attractors is -sum p ln p, p a frequency among settled starts; exp of it is the
//! number of equally frequent attractors of the same entropy. Starts are finite in number, so it is a lower estimate where
//! attractors that were met once are many.

use std::collections::HashMap;
use std::ops::Range;

use crate::couplings::{Couplings, PANEL, n_panels};
use crate::dynamics::{Dynamics, LocalFields};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::kernels::Lanes;
use crate::spins::{BlockMajor, SpinMatrix};

/// States whose fields are computed at a time, at most.
const MAX_STATES: usize = 4096;
/// At least: enough that the tables of the signed product pay.
const MIN_STATES: usize = 64;

/// Starts of one kind.
#[derive(Clone, Debug)]
pub struct StartKind<'a> {
    /// What they are: "random", "train", ...
    pub name: String,
    pub starts: &'a SpinMatrix,
}

/// One attractor.
#[derive(Clone, Debug, PartialEq)]
pub struct Attractor {
    /// Number of starts that ended there, all kinds together.
    pub frequency: u64,
    /// The same of each kind.
    pub frequencies: Vec<u64>,
    /// 1 for a fixed point.
    pub period: u64,
    /// Mean over its states.
    pub energy: f64,
}

/// Where the starts of one kind, or all of them, went.
#[derive(Clone, Debug, PartialEq)]
pub struct Destinations {
    pub name: String,
    pub n_starts: u64,
    /// Starts that reached neither a fixed point nor a cycle in the steps made.
    pub n_unsettled: u64,
    /// Distinct attractors reached.
    pub n_attractors: usize,
    /// Starts that ended in cycles of period 2 or more.
    pub n_in_cycles: u64,
    /// Mean and largest number of steps before the attractor was entered, over settled starts; none if there are none.
    pub transient_mean: Option<f64>,
    pub transient_max: Option<u64>,
    /// Of the distribution over attractors, in nats; none if nothing settled.
    pub entropy: Option<f64>,
}

/// All attractors that were found, the most frequent first; of equal frequency, the first met first.
#[derive(Clone, Debug, PartialEq)]
pub struct Census {
    /// One row an attractor: its representative.
    pub states: SpinMatrix,
    /// One entry an attractor.
    pub attractors: Vec<Attractor>,
    /// Attractors that differ other than by the sign of all spins.
    pub n_up_to_sign: usize,
    /// All starts together.
    pub all: Destinations,
    /// Each kind.
    pub kinds: Vec<Destinations>,
}

/// An attractor as the starts meet it.
struct Found {
    state: Vec<u64>,
    period: u64,
    energy: f64,
    frequencies: Vec<u64>,
}

/// A cycle on its way around: where it is, its first state in order so far, the sum of energies.
struct Cycle {
    period: u64,
    first: Vec<u64>,
    energy: f64,
}

/// Runs all starts and counts where they end. `settle` runs until trajectories are fixed or in a cycle
/// ([`Stop::Settled`](crate::dynamics::Stop::Settled)); `step` is the same dynamics for one step
/// ([`Stop::After`](crate::dynamics::Stop::After) 1), which takes cycles around.
///
/// # Errors
/// If there is no start, the sizes do not fit together, memory is missing, or interrupted.
pub fn census(
    couplings: &Couplings,
    kinds: &[StartKind<'_>],
    settle: &dyn Dynamics,
    step: &dyn Dynamics,
    execution: &Execution,
) -> Result<Census> {
    let n_spins = couplings.n_spins();
    if kinds.iter().all(|kind| kind.starts.n_rows() == 0) {
        return Err(Error::shape("starts", "at least 1", "none"));
    }
    // Where each start ended: the state in which it entered its attractor, the period, and the steps before.
    let mut entries: Vec<(Vec<u64>, u64)> = Vec::new();
    let mut index_of_entry: HashMap<Vec<u64>, usize> = HashMap::new();
    let mut ends: Vec<Vec<(Option<usize>, u64)>> = Vec::new(); // [kind][start]
    for kind in kinds {
        let recall = settle.run(couplings, kind.starts, kind.starts, execution)?;
        let ends_of_kind = recall.fates.iter().enumerate().map(|(row, fate)| {
            let entry = fate.period.map(|period| {
                let state = recall.states.row(row);
                *index_of_entry.entry(state.to_vec()).or_insert_with(|| {
                    entries.push((state.to_vec(), period));
                    entries.len() - 1
                })
            });
            (entry, fate.steps)
        });
        ends.push(ends_of_kind.collect());
    }
    drop(index_of_entry);
    let cycles = around(couplings, &entries, step, execution)?;

    // Entries of one cycle become one attractor.
    let mut found: Vec<Found> = Vec::new();
    let mut index_of: HashMap<Vec<u64>, usize> = HashMap::new();
    let mut attractor_of_entry = Vec::with_capacity(cycles.len());
    for Cycle { period, first, energy } in cycles {
        attractor_of_entry.push(*index_of.entry(first.clone()).or_insert_with(|| {
            let frequencies = vec![0; kinds.len()];
            found.push(Found { state: first, period, energy: energy / period as f64, frequencies });
            found.len() - 1
        }));
    }
    for (kind, ends) in ends.iter().enumerate() {
        for entry in ends.iter().filter_map(|end| end.0) {
            found[attractor_of_entry[entry]].frequencies[kind] += 1;
        }
    }
    let n_up_to_sign = found.len() - mirrored(&found, &index_of, n_spins);
    // Stable: of equal frequency, the first met stays first.
    found.sort_by_key(|attractor| std::cmp::Reverse(attractor.frequencies.iter().sum::<u64>()));

    let words = found.iter().flat_map(|attractor| attractor.state.iter().copied()).collect();
    let states = SpinMatrix::from_words(found.len(), n_spins, words)?;
    let attractor = |found: Found| Attractor {
        frequency: found.frequencies.iter().sum(),
        frequencies: found.frequencies,
        period: found.period,
        energy: found.energy,
    };
    let attractors: Vec<Attractor> = found.into_iter().map(attractor).collect();
    let of_kind = |index: usize| destinations(&kinds[index].name, &attractors, index..index + 1, &ends);
    let census = Census {
        all: destinations("all", &attractors, 0..kinds.len(), &ends),
        kinds: (0..kinds.len()).map(of_kind).collect(),
        states,
        attractors,
        n_up_to_sign,
    };
    Ok(census)
}

/// Takes every entry once around its cycle.
fn around(
    couplings: &Couplings,
    entries: &[(Vec<u64>, u64)],
    step: &dyn Dynamics,
    execution: &Execution,
) -> Result<Vec<Cycle>> {
    let n_spins = couplings.n_spins();
    let words = entries.iter().flat_map(|(state, _)| state.iter().copied()).collect();
    let mut states = SpinMatrix::from_words(entries.len(), n_spins, words)?;
    let mut cycles: Vec<Cycle> = entries
        .iter()
        .map(|(state, period)| Cycle { period: *period, first: state.clone(), energy: 0.0 })
        .collect();
    let mut members: Vec<usize> = (0..entries.len()).collect();
    let longest = entries.iter().map(|(_, period)| *period).max().unwrap_or(0);
    execution.progress().begin("cycles", longest);
    for place in 0..longest {
        let energies = energies(couplings, &states, execution)?;
        for (row, &member) in members.iter().enumerate() {
            let cycle = &mut cycles[member];
            cycle.energy += energies[row];
            if states.row(row) < &cycle.first[..] {
                cycle.first = states.row(row).to_vec();
            }
        }
        let on_the_way: Vec<usize> =
            (0..members.len()).filter(|&row| cycles[members[row]].period > place + 1).collect();
        members = on_the_way.iter().map(|&row| members[row]).collect();
        if !members.is_empty() {
            let moving = states.select(&on_the_way);
            states = step.run(couplings, &moving, &moving, execution)?.states;
        }
        execution.progress().advance(1);
    }
    execution.progress().end();
    Ok(cycles)
}

/// How many attractors are the opposite of one before them. Opposite cycles need not have opposite representatives, so only
/// fixed points are told.
fn mirrored(found: &[Found], index_of: &HashMap<Vec<u64>, usize>, n_spins: usize) -> usize {
    let last = SpinMatrix::all_down(0, n_spins).last_mask();
    let is_opposite_of_earlier = |index: &usize| {
        let Found { state, period: 1, .. } = &found[*index] else { return false };
        let mut opposite: Vec<u64> = state.iter().map(|word| !word).collect();
        if let Some(word) = opposite.last_mut() {
            *word &= last;
        }
        index_of.get(&opposite).is_some_and(|other| other < index && found[*other].period == 1)
    };
    (0..found.len()).filter(is_opposite_of_earlier).count()
}

/// -1/2 x.Jx - theta.x of every state.
///
/// # Errors
/// If the sizes do not fit together, or interrupted.
pub fn energies(couplings: &Couplings, states: &SpinMatrix, execution: &Execution) -> Result<Vec<f64>> {
    let mut energies = Vec::with_capacity(states.n_rows());
    let n_at_once = states_at_once(couplings.n_spins(), execution.memory().left());
    for first in (0..states.n_rows()).step_by(n_at_once) {
        let rows: Vec<usize> = (first..states.n_rows().min(first + n_at_once)).collect();
        let part = states.select(&rows);
        let fields = LocalFields::new(couplings, &BlockMajor::from_rows(&part), execution)?;
        for row in 0..part.n_rows() {
            // The fields hold theta once, and the energy takes it twice as much as J.
            let mut sum = 0.0;
            for panel in 0..n_panels(couplings.n_spins()) {
                let lanes = fields.panel(panel)[row].0;
                let sites = panel * PANEL..couplings.n_spins().min((panel + 1) * PANEL);
                for (site, field) in sites.zip(lanes) {
                    let theta = couplings.theta().map_or(0.0, |theta| f64::from(theta[site]));
                    sum += f64::from(part.spin(row, site)) * (f64::from(field) + theta);
                }
            }
            energies.push(-0.5 * couplings.scale() * sum);
        }
    }
    Ok(energies)
}

/// How many states' fields `left` bytes hold.
fn states_at_once(n_spins: usize, left: u64) -> usize {
    let a_state = (n_panels(n_spins).max(1) * size_of::<Lanes<f32>>()) as u64;
    usize::try_from(left / a_state).unwrap_or(usize::MAX).clamp(MIN_STATES, MAX_STATES)
}

/// Bytes that [`energies`] takes at least.
pub fn least_energy_bytes(n_spins: usize) -> u64 {
    (MIN_STATES * n_panels(n_spins) * size_of::<Lanes<f32>>()) as u64
}

fn destinations(
    name: &str,
    attractors: &[Attractor],
    kinds: Range<usize>,
    ends: &[Vec<(Option<usize>, u64)>],
) -> Destinations {
    let ends = || ends[kinds.clone()].iter().flatten();
    let settled = || ends().filter(|end| end.0.is_some());
    let (n_starts, n_settled) = (ends().count() as u64, settled().count() as u64);
    let share = |attractor: &Attractor| attractor.frequencies[kinds.clone()].iter().sum::<u64>();
    let reached = || attractors.iter().filter(|attractor| share(attractor) > 0);
    let entropy: f64 = reached()
        .map(|attractor| {
            let p = share(attractor) as f64 / n_settled as f64;
            -p * libm::log(p)
        })
        .sum();
    let steps: f64 = settled().map(|end| end.1 as f64).sum();
    Destinations {
        name: name.to_owned(),
        n_starts,
        n_unsettled: n_starts - n_settled,
        n_attractors: reached().count(),
        n_in_cycles: reached().filter(|attractor| attractor.period > 1).map(share).sum(),
        transient_mean: (n_settled > 0).then(|| steps / n_settled as f64),
        transient_max: settled().map(|end| end.1).max(),
        entropy: (n_settled > 0).then_some(entropy),
    }
}

#[cfg(test)]
mod tests;
