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
use crate::spins::{BlockMajor, SpinMatrix};

/// States whose fields are computed at a time.
const STATES: usize = 4096;

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
    for first in (0..states.n_rows()).step_by(STATES) {
        let rows: Vec<usize> = (first..states.n_rows().min(first + STATES)).collect();
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
mod tests {
    use super::*;
    use crate::dynamics::{ParallelDynamics, Stop, Ties};
    use crate::random::{gaussian, stream};
    use std::collections::{BTreeMap, BTreeSet};

    const N: usize = 12;

    fn parallel(stop: Stop) -> ParallelDynamics {
        ParallelDynamics { stop, ties: Ties::Keep }
    }

    /// Integers, so that fields are exact, and theta.
    fn couplings(symmetric: bool, seed: u64) -> Couplings {
        let mut rng = stream(seed, "census test", &[]);
        let mut rows = vec![0.0; N * N];
        for i in 0..N {
            for j in 0..N {
                if i != j {
                    rows[i * N + j] = (4.0 * gaussian(&mut rng)).round() as f32;
                }
                if symmetric && j < i {
                    rows[i * N + j] = rows[j * N + i];
                }
            }
        }
        let theta = (0..N).map(|_| gaussian(&mut rng).round() as f32).collect();
        Couplings::from_rows(N, rows).unwrap().with_theta(theta).unwrap().with_scale(0.5).unwrap()
    }

    fn spin(state: u64, i: usize) -> f64 {
        if state >> i & 1 == 1 { 1.0 } else { -1.0 }
    }

    fn energy(couplings: &Couplings, state: u64) -> f64 {
        let theta = couplings.theta().unwrap();
        let own: f64 = (0..N).map(|i| f64::from(theta[i]) * spin(state, i)).sum();
        let j = |i: usize, j: usize| f64::from(couplings.values()[i * N + j]);
        let pairs: f64 = (0..N * N).map(|x| j(x / N, x % N) * spin(state, x / N) * spin(state, x % N)).sum();
        0.5 * (-0.5 * pairs - own)
    }

    fn next(couplings: &Couplings, state: u64) -> u64 {
        (0..N).fold(0, |next, i| {
            let row = &couplings.values()[i * N..][..N];
            let pairs: f64 = (0..N).map(|j| f64::from(row[j]) * spin(state, j)).sum();
            let field = pairs + f64::from(couplings.theta().unwrap()[i]);
            next | u64::from(field > 0.0 || field == 0.0 && state >> i & 1 == 1) << i
        })
    }

    /// All 4096 states as starts, in two kinds, against the functional graph of the enumerated map.
    #[test]
    fn all_attractors_of_twelve_spins_are_those_of_the_enumerated_map() {
        let execution = Execution::with_threads(2).unwrap();
        let mut longest = [0, 0];
        for seed in 0..6 {
            let symmetric = seed % 2 == 0;
            let couplings = couplings(symmetric, seed);
            let map: Vec<u64> = (0..1 << N).map(|state| next(&couplings, state)).collect();
            // Plain: 4096 steps lead onto the cycle; once around, the least state is its name.
            let attractor_of = |state: u64| -> BTreeSet<u64> {
                let on = (0..1 << N).fold(state, |state, _| map[state as usize]);
                let mut states = BTreeSet::from([on]);
                let mut state = map[on as usize];
                while state != on {
                    states.insert(state);
                    state = map[state as usize];
                }
                states
            };
            let transient = |start: u64, attractor: &BTreeSet<u64>| {
                let mut state = start;
                (0..).find(|_| {
                    let is_on = attractor.contains(&state);
                    state = map[state as usize];
                    is_on
                })
            };
            let split = 1000;
            let mut expected: BTreeMap<BTreeSet<u64>, [u64; 2]> = BTreeMap::new();
            let mut transients = Vec::new();
            for start in 0..1u64 << N {
                let attractor = attractor_of(start);
                transients.push(transient(start, &attractor).unwrap() as u64);
                expected.entry(attractor).or_default()[usize::from(start >= split)] += 1;
            }
            let first = SpinMatrix::from_words(split as usize, N, (0..split).collect()).unwrap();
            let rest =
                SpinMatrix::from_words((1 << N) - split as usize, N, (split..1 << N).collect()).unwrap();
            let kinds = [("first", &first), ("rest", &rest)];
            let kinds = kinds.map(|(name, starts)| StartKind { name: name.to_owned(), starts });
            let settle = parallel(Stop::Settled { limit: 10_000 });
            let found = census(&couplings, &kinds, &settle, &parallel(Stop::After(1)), &execution).unwrap();

            assert_eq!(found.attractors.len(), expected.len());
            assert!(found.attractors.is_sorted_by(|a, b| a.frequency >= b.frequency));
            for (row, attractor) in found.attractors.iter().enumerate() {
                let representative = found.states.row(row)[0];
                let (states, frequencies) =
                    expected.iter().find(|(states, _)| states.contains(&representative)).unwrap();
                assert_eq!(states.first(), Some(&representative));
                assert_eq!(attractor.frequencies, frequencies);
                assert_eq!(attractor.frequency, frequencies.iter().sum::<u64>());
                assert_eq!(attractor.period, states.len() as u64);
                let mean =
                    states.iter().map(|&state| energy(&couplings, state)).sum::<f64>() / states.len() as f64;
                // Sums of small multiples of 1/4 are exact; the mean rounds.
                assert!((attractor.energy - mean).abs() < 1e-12 * mean.abs().max(1.0));
                longest[seed as usize % 2] = longest[seed as usize % 2].max(attractor.period);
            }
            assert_eq!(found.all.n_starts, 1 << N);
            assert_eq!((found.all.n_unsettled, found.all.n_attractors), (0, expected.len()));
            assert_eq!(found.all.transient_max, transients.iter().copied().max());
            let mean = transients.iter().sum::<u64>() as f64 / transients.len() as f64;
            assert!((found.all.transient_mean.unwrap() - mean).abs() < 1e-12);
            let p = |count: u64| count as f64 / 4096.0;
            let entropy: f64 = expected.values().map(|f| -p(f[0] + f[1]) * p(f[0] + f[1]).ln()).sum();
            assert!((found.all.entropy.unwrap() - entropy).abs() < 1e-12);
            let in_cycles: u64 = expected.iter().filter(|(s, _)| s.len() > 1).map(|(_, f)| f[1]).sum();
            assert_eq!((found.kinds[1].n_in_cycles, found.kinds[1].n_starts), (in_cycles, 4096 - split));
            // Cut short, some starts are still on their way.
            let settle = parallel(Stop::Settled { limit: 2 });
            let short = census(&couplings, &kinds, &settle, &parallel(Stop::After(1)), &execution).unwrap();
            let n_settled: u64 = short.attractors.iter().map(|attractor| attractor.frequency).sum();
            assert_eq!(short.all.n_unsettled, 4096 - n_settled);
            assert!(short.all.n_unsettled > 0);
        }
        // Two for symmetric couplings, long ones among the others.
        assert_eq!(longest[0], 2);
        assert!(longest[1] > 4, "{longest:?}");
    }

    /// Without theta, x and -x are both fixed points or neither.
    #[test]
    fn fixed_points_come_in_opposite_pairs() {
        let execution = Execution::with_threads(1).unwrap();
        let all = SpinMatrix::from_words(1 << N, N, (0..1 << N).collect()).unwrap();
        let with_theta = couplings(true, 2);
        let plain = Couplings::from_rows(N, with_theta.values().to_vec()).unwrap();
        let kinds = [StartKind { name: "all".to_owned(), starts: &all }];
        let settle = parallel(Stop::Settled { limit: 100 });
        let found = census(&plain, &kinds, &settle, &parallel(Stop::After(1)), &execution).unwrap();
        let n_fixed = found.attractors.iter().filter(|attractor| attractor.period == 1).count();
        assert!(n_fixed > 0 && n_fixed.is_multiple_of(2));
        assert_eq!(found.n_up_to_sign, found.attractors.len() - n_fixed / 2);
        let none = [StartKind { name: "none".to_owned(), starts: &all.head(0) }];
        assert!(census(&plain, &none, &settle, &parallel(Stop::After(1)), &execution).is_err());
    }
}
