//! The census against the enumerated map.

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
        let rest = SpinMatrix::from_words((1 << N) - split as usize, N, (split..1 << N).collect()).unwrap();
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

#[test]
fn energies_do_not_depend_on_the_memory_for_fields() {
    let couplings = couplings(false, 3);
    let states = crate::dynamics::random_states(300, N, 4).unwrap();
    let execution = || Execution::with_threads(2).unwrap();
    let all = energies(&couplings, &states, &execution()).unwrap();
    let little = execution().with_memory(crate::execution::Memory::limited(0, None));
    assert_eq!(states_at_once(N, little.memory().left()), MIN_STATES);
    assert_eq!(energies(&couplings, &states, &little).unwrap(), all);
    assert_eq!(states_at_once(65536, 3 << 30), MAX_STATES);
    assert_eq!(states_at_once(65536, 256 << 20), 1024);
    assert_eq!(least_energy_bytes(65536), 64 * 65536 * 4);
}
