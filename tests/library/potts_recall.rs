//! Recall, files and scores of Potts couplings; the same bits on any number of threads and every instruction set.

use std::collections::HashMap;

use attractor::couplings::Couplings;
use attractor::dynamics::{
    Dynamics, ParallelDynamics, SequentialDynamics, Stop, SweepOrder, Ties, Update, random_states,
};
use attractor::execution::{Execution, Memory, thread_pool};
use attractor::kernels::Isa;
use attractor::potts::{
    PottsCouplings, PottsDynamics, PottsInitial, PottsPseudoLikelihood, PottsTrainer, contact_precision,
    pair_scores, random_sequences, sequences_at_overlap,
};
use attractor::random::{below, gaussian, permutation, stream};
use attractor::spins::{Sequences, SpinMatrix};
use attractor::storage::Overwrite;

fn execution() -> Execution {
    Execution::with_threads(2).unwrap()
}

/// Couplings drawn by `draw`, zero within columns.
fn couplings(n_columns: usize, q: usize, mut draw: impl FnMut() -> f32) -> PottsCouplings {
    let n = n_columns * q;
    let rows = (0..n * n).map(|x| if x / n / q == x % n / q { 0.0 } else { draw() }).collect();
    let theta = (0..n).map(|_| draw()).collect();
    PottsCouplings::from_rows(n_columns, q, rows, theta).unwrap()
}

/// Small integers, whose fields are exact and often tied.
fn integers(n_columns: usize, q: usize, seed: u64) -> PottsCouplings {
    let mut rng = stream(seed, "integers", &[]);
    couplings(n_columns, q, || below(&mut rng, 5) as f32 - 2.0)
}

fn update(couplings: &PottsCouplings, state: &[u8], column: usize) -> u8 {
    let q = couplings.n_letters();
    let field = |a: usize| {
        let inputs = state.iter().enumerate();
        let terms = inputs.map(|(j, &b)| f64::from(couplings.coupling((column, a), (j, usize::from(b)))));
        f64::from(couplings.theta()[column * q + a]) + terms.sum::<f64>()
    };
    let most = (0..q).map(field).fold(f64::NEG_INFINITY, f64::max);
    if field(usize::from(state[column])) == most {
        state[column]
    } else {
        (0..q).find(|&a| field(a) == most).unwrap() as u8
    }
}

fn step(couplings: &PottsCouplings, update_order: Update, step: u64, state: &[u8]) -> Vec<u8> {
    let n_columns = state.len();
    let mut next = state.to_vec();
    let order = match update_order {
        Update::Parallel => return (0..n_columns).map(|i| update(couplings, state, i)).collect(),
        Update::Sequential(SweepOrder::Ascending) => (0..n_columns).collect(),
        Update::Sequential(SweepOrder::Random { seed }) => {
            permutation(&mut stream(seed, "sweep order", &[step]), n_columns)
        }
    };
    for column in order {
        next[column] = update(couplings, &next, column);
    }
    next
}

const UPDATES: [Update; 3] = [
    Update::Parallel,
    Update::Sequential(SweepOrder::Ascending),
    Update::Sequential(SweepOrder::Random { seed: 3 }),
];

/// More states than a block, ties included: states after a number of steps, and where and when they settle.
#[test]
fn states_follow_the_plain_loop() {
    let execution = execution();
    for (n_states, n_columns, q) in [(300, 6, 3), (20, 11, 2), (10, 5, 21), (9, 4, 33), (5, 1, 4)] {
        let couplings = integers(n_columns, q, 1);
        let starts = random_sequences(n_states, n_columns, q, 2).unwrap();
        for update in UPDATES {
            for steps in [0, 1, 2, 7] {
                let dynamics = PottsDynamics { stop: Stop::After(steps), update };
                let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
                for row in 0..n_states {
                    let mut state = starts.row(row).to_vec();
                    let mut best = f64::NEG_INFINITY;
                    for index in 1..=steps {
                        state = step(&couplings, update, index, &state);
                        best = best.max(Sequences::overlap(&state, starts.row(row)));
                    }
                    assert_eq!(recall.states.row(row), state, "{update:?}, {steps} steps");
                    // Steps after a state has settled show nothing new.
                    assert_eq!(recall.best_overlaps[row], best);
                }
            }
            let dynamics = PottsDynamics { stop: Stop::Settled { limit: 200 }, update };
            let recall = dynamics.run(&couplings, &starts, &starts, &execution).unwrap();
            let repeats = !matches!(update, Update::Sequential(SweepOrder::Random { .. }));
            for (row, fate) in recall.fates.iter().enumerate() {
                let mut seen = HashMap::new();
                let mut state = starts.row(row).to_vec();
                let mut expected = (200, None);
                for index in 0..200 {
                    seen.insert(state.clone(), index);
                    let next = step(&couplings, update, index + 1, &state);
                    let entered =
                        if next == state { Some(&index) } else { seen.get(&next).filter(|_| repeats) };
                    if let Some(&entered) = entered {
                        expected = (entered, Some(index + 1 - entered));
                        break;
                    }
                    state = next;
                }
                assert_eq!((fate.steps, fate.period), expected, "{update:?}");
            }
        }
    }
}

/// With two letters, states and fates are those of the Ising dynamics.
#[test]
fn two_letters_move_as_ising_spins() {
    let execution = execution();
    let n = 37;
    let mut rng = stream(4, "ising", &[]);
    let mut rows: Vec<f32> = (0..n * n).map(|_| gaussian(&mut rng) as f32).collect();
    rows.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 0.0);
    let sign = |a: usize| if a == 1 { 1.0 } else { -1.0 };
    // J_ij(a, b) = K_ij s_a s_b / 2.
    let value = |x: usize| {
        let ((i, a), (j, b)) = ((x / (2 * n) / 2, x / (2 * n) % 2), (x % (2 * n) / 2, x % 2));
        0.5 * rows[i * n + j] * sign(a) * sign(b)
    };
    let potts = (0..4 * n * n).map(value).collect();
    let potts = PottsCouplings::from_rows(n, 2, potts, vec![0.0; 2 * n]).unwrap();
    let ising = Couplings::from_rows(n, rows).unwrap();
    let spins = random_states(200, n, 5).unwrap();
    let letters = |spins: &SpinMatrix| {
        let all = (0..spins.n_rows()).flat_map(|row| (0..n).map(move |i| (row, i)));
        Sequences::new(n, 2, all.map(|(row, i)| u8::from(spins.spin(row, i) == 1)).collect()).unwrap()
    };
    for stop in [Stop::After(5), Stop::Settled { limit: 60 }] {
        for update in UPDATES {
            let expected = match update {
                Update::Parallel => {
                    ParallelDynamics { stop, ties: Ties::Keep }.run(&ising, &spins, &spins, &execution)
                }
                Update::Sequential(order) => SequentialDynamics { stop, ties: Ties::Keep, order }
                    .run(&ising, &spins, &spins, &execution),
            };
            let expected = expected.unwrap();
            let starts = letters(&spins);
            let found = PottsDynamics { stop, update }.run(&potts, &starts, &starts, &execution).unwrap();
            assert_eq!(found.states, letters(&expected.states));
            assert_eq!(found.fates, expected.fates);
            for (found, expected) in found.best_overlaps.iter().zip(&expected.best_overlaps) {
                assert!((2.0 * found - 1.0 - expected).abs() < 1e-12);
            }
        }
    }
}

/// Stored sequences are fixed, and corrupted ones come back, once pseudo-likelihood has learned them.
#[test]
fn learned_sequences_are_recalled() {
    let execution = execution();
    let sequences = random_sequences(20, 60, 10, 1).unwrap();
    let parameters = PottsPseudoLikelihood::new(1.0, 1.0);
    let mut trainer =
        PottsTrainer::new(&sequences, parameters, &PottsInitial::Zero, 1.0, 0, &execution).unwrap();
    trainer.advance_to(200).unwrap();
    let couplings = trainer.couplings().unwrap();
    let starts = sequences_at_overlap(&sequences, 0.7, 2).unwrap();
    for update in UPDATES {
        let dynamics = PottsDynamics { stop: Stop::Settled { limit: 50 }, update };
        let stored = dynamics.run(&couplings, &sequences, &sequences, &execution).unwrap();
        assert!(stored.fates.iter().all(|fate| (fate.steps, fate.period) == (0, Some(1))));
        let recalled = dynamics.run(&couplings, &starts, &sequences, &execution).unwrap();
        assert_eq!(recalled.states, sequences);
    }
}

/// With little memory few states are on their way at a time.
#[test]
fn recall_does_not_depend_on_the_memory() {
    let (sequences, unlimited) = (random_sequences(300, 12, 5, 1).unwrap(), execution());
    let parameters = PottsPseudoLikelihood::new(1.0, 1.0);
    let mut trainer =
        PottsTrainer::new(&sequences, parameters, &PottsInitial::Zero, 1.0, 0, &unlimited).unwrap();
    trainer.advance_to(20).unwrap();
    let couplings = trainer.couplings().unwrap();
    let starts = sequences_at_overlap(&sequences, 0.5, 2).unwrap();
    for update in UPDATES {
        let dynamics = PottsDynamics { stop: Stop::Settled { limit: 500 }, update };
        let recall = |memory| {
            let execution = execution().with_memory(memory);
            let found = dynamics.run(&couplings, &starts, &sequences, &execution).unwrap();
            (found.states, found.fates, found.best_overlaps)
        };
        let expected = recall(Memory::unlimited());
        for budget in [0, 1 << 20] {
            assert!(recall(Memory::limited(budget, None)) == expected, "{update:?} within {budget} bytes");
        }
    }
}

#[test]
fn bits_depend_neither_on_threads_nor_on_the_instruction_set() {
    let sequences = random_sequences(600, 9, 21, 1).unwrap();
    for symmetric in [false, true] {
        let learn = |n_threads, isa| {
            let execution = Execution::new(thread_pool(n_threads).unwrap(), isa).unwrap();
            let parameters =
                PottsPseudoLikelihood { theta: true, symmetric, ..PottsPseudoLikelihood::new(1.0, 2.0) };
            let mut trainer =
                PottsTrainer::new(&sequences, parameters, &PottsInitial::Random, 1.0, 7, &execution).unwrap();
            trainer.advance_to(5).unwrap();
            let couplings = trainer.couplings().unwrap();
            couplings.values().iter().chain(couplings.theta()).map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let reference = learn(1, Isa::Scalar);
        for isa in Isa::available() {
            assert_eq!(learn(3, isa), reference, "{}", isa.name());
        }
    }
}

/// An epoch at a time, or all at once.
#[test]
fn symmetric_couplings_stay_symmetric_and_segments_do_not_matter() {
    let execution = execution();
    let sequences = random_sequences(50, 8, 5, 1).unwrap();
    let parameters = PottsPseudoLikelihood { symmetric: true, ..PottsPseudoLikelihood::new(1.0, 1.0) };
    let trainer = || {
        PottsTrainer::new(&sequences, parameters.clone(), &PottsInitial::Random, 1.0, 2, &execution).unwrap()
    };
    let (mut at_once, mut in_steps) = (trainer(), trainer());
    at_once.advance_to(6).unwrap();
    (1..=6).for_each(|epoch| in_steps.advance_to(epoch).unwrap());
    let couplings = at_once.couplings().unwrap();
    assert_eq!(couplings.values(), in_steps.couplings().unwrap().values());
    assert_eq!(couplings.asymmetry(&execution).unwrap().ratio, 0.0);
    assert!(couplings.column_norms(&execution).unwrap().iter().all(|&norm| norm > 0.1));
}

#[test]
fn what_diverges_keeps_the_last_sound_epoch() {
    let execution = execution();
    let sequences = random_sequences(10, 4, 3, 1).unwrap();
    let parameters = PottsPseudoLikelihood { l2: 1.0, ..PottsPseudoLikelihood::new(1.0, 1e6) };
    let mut trainer =
        PottsTrainer::new(&sequences, parameters, &PottsInitial::Hebb, 1.0, 0, &execution).unwrap();
    let error = trainer.advance_to(100).unwrap_err();
    assert!(matches!(error, attractor::Error::Diverged { .. }), "{error}");
    assert!(trainer.epoch() > 0 && trainer.couplings().unwrap().values().iter().all(|x| x.is_finite()));
}

#[test]
fn files_come_back_and_faulty_ones_are_refused() {
    let execution = execution();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("J.safetensors");
    let couplings = integers(4, 5, 9).with_description([("alphabet".to_owned(), "-ACGT".to_owned())].into());
    couplings.write(&path, Overwrite::Refuse).unwrap();
    assert!(couplings.write(&path, Overwrite::Refuse).is_err());
    let mapped = PottsCouplings::open(&path, &execution).unwrap();
    assert_eq!((mapped.values(), mapped.theta()), (couplings.values(), couplings.theta()));
    assert_eq!(mapped.description()["alphabet"], "-ACGT");
    let mut whole = std::fs::read(&path).unwrap();
    // Without its hash, as other programs write it: what is in it is looked at then.
    let hash = whole.windows(8).position(|window| window == b"\"blake3\"").unwrap();
    whole[hash..hash + 8].copy_from_slice(b"\"blake0\"");
    // J, theta and the numbers of the columns end the file.
    let at = whole.len() - 4 * (400 + 20 + 4);
    let expect = |content: &[u8], expected: &str| {
        std::fs::write(&path, content).unwrap();
        let error = PottsCouplings::open(&path, &execution).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("J.safetensors"), "{error}");
    };
    let with = |place: usize, value: f32| {
        let mut content = whole.clone();
        content[place..place + 4].copy_from_slice(&value.to_le_bytes());
        content
    };
    expect(&whole[..whole.len() - 1], "full length");
    // Row 7 is letter 2 of column 1.
    expect(&with(at + 4 * (7 * 20 + 18), f32::NAN), "column 1, letter 2, from column 3, letter 3");
    expect(&with(at + 4 * (7 * 20 + 9), 1.0), "0 within a column");
    expect(&with(at + 4 * 400, f32::INFINITY), "theta");
    // The same length, so that only the shape changes.
    let text = String::from_utf8_lossy(&whole[..4096]).replace("\"q\":\"5\"", "\"q\":\"4\"");
    let mut other = whole.clone();
    other[8..4096].copy_from_slice(&text.as_bytes()[text.len() - 4088..]);
    expect(&other, "[16, 16]");
    for rows in [vec![0.0; 3], vec![1.0; 36]] {
        assert!(PottsCouplings::from_rows(2, 3, rows, vec![0.0; 6]).is_err());
    }
    assert!(PottsCouplings::zeros(0, 3).is_err() && PottsCouplings::zeros(3, 1).is_err());
    assert!(PottsCouplings::zeros(usize::MAX / 2, 3).is_err());
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let execution = execution();
    let couplings = integers(4, 3, 1);
    let dynamics = PottsDynamics { stop: Stop::After(1), update: Update::Parallel };
    let four = random_sequences(2, 4, 3, 1).unwrap();
    for other in [random_sequences(2, 5, 3, 1), random_sequences(2, 4, 4, 1), random_sequences(3, 4, 3, 1)] {
        let other = other.unwrap();
        assert!(dynamics.run(&couplings, &four, &other, &execution).is_err());
    }
    let none = four.head(0);
    assert!(dynamics.run(&couplings, &none, &none, &execution).unwrap().fates.is_empty());
    let new = |sequences, parameters| {
        PottsTrainer::new(sequences, parameters, &PottsInitial::Zero, 1.0, 0, &execution).is_err()
    };
    assert!(new(&none, PottsPseudoLikelihood::new(1.0, 1.0)));
    for (lambda, lr) in [(0.0, 1.0), (1.0, f64::NAN), (1.0, -1.0), (1e40, 1.0)] {
        assert!(new(&four, PottsPseudoLikelihood::new(lambda, lr)));
    }
    assert!(new(&four, PottsPseudoLikelihood { l2: -1.0, ..PottsPseudoLikelihood::new(1.0, 1.0) }));
    let given = PottsInitial::Given(integers(5, 3, 1));
    let parameters = PottsPseudoLikelihood::new(1.0, 1.0);
    assert!(PottsTrainer::new(&four, parameters, &given, 1.0, 0, &execution).is_err());
}

/// Scores against a plain loop, and after a change of gauge that no field sees.
#[test]
fn scores_are_those_of_a_plain_loop_in_any_gauge() {
    let execution = execution();
    let (n_columns, q) = (7, 5);
    let mut rng = stream(3, "scores", &[]);
    let plain = couplings(n_columns, q, || gaussian(&mut rng) as f32);
    let block = |i: usize, j: usize| {
        let at = |a, b| {
            (f64::from(plain.coupling((i, a), (j, b))) + f64::from(plain.coupling((j, b), (i, a)))) / 2.0
        };
        let n = q as f64;
        let row = |a: usize| (0..q).map(|b| at(a, b)).sum::<f64>() / n;
        let column = |b: usize| (0..q).map(|a| at(a, b)).sum::<f64>() / n;
        let mean = (0..q).map(row).sum::<f64>() / n;
        (0..q * q)
            .map(|x| (x / q, x % q, at(x / q, x % q) - row(x / q) - column(x % q) + mean))
            .collect::<Vec<_>>()
    };
    let norm = |i: usize, j: usize, gap: usize| {
        let values = block(i, j).into_iter().filter(|&(a, b, _)| a != gap && b != gap);
        values.map(|(.., x)| x * x).sum::<f64>().sqrt()
    };
    for gap in [Some(0), Some(4), None] {
        let scores = pair_scores(&plain, gap, &execution).unwrap();
        assert_eq!(scores.len(), n_columns * (n_columns - 1) / 2);
        assert!(scores.windows(2).all(|pair| pair[0].apc >= pair[1].apc));
        let of = |i: usize, j: usize| norm(i.min(j), i.max(j), gap.map_or(q, usize::from));
        let mean = |i: usize| (0..n_columns).filter(|&j| j != i).map(|j| of(i, j)).sum::<f64>() / 6.0;
        let all = (0..n_columns).map(mean).sum::<f64>() / 7.0;
        for score in &scores {
            let expected = of(score.i, score.j);
            assert!((score.frobenius - expected).abs() < 1e-12);
            assert!((score.apc - (expected - mean(score.i) * mean(score.j) / all)).abs() < 1e-12);
        }
        // J_ij(a, b) += u_i(a) + v_j(b): fields of a column all move by v, or move to theta.
        let n = n_columns * q;
        let shift = |x: usize, other: usize| ((x * 7 + other / q * 3) % 11) as f32 - 5.0;
        let moved = (0..n * n).map(|x| match (x / n, x % n) {
            (row, other) if row / q == other / q => 0.0,
            (row, other) => plain.values()[x] + shift(row, other) + shift(other, row),
        });
        let moved = PottsCouplings::from_rows(n_columns, q, moved.collect(), vec![0.0; n]).unwrap();
        let moved = pair_scores(&moved, gap, &execution).unwrap();
        for score in &scores {
            let same = moved.iter().find(|other| (other.i, other.j) == (score.i, score.j)).unwrap();
            // The sums were rounded to f32.
            assert!((same.frobenius - score.frobenius).abs() < 1e-5 && (same.apc - score.apc).abs() < 1e-5);
        }
    }
    let scores = pair_scores(&plain, None, &execution).unwrap();
    let is_far = |i: usize, j: usize| (i + j).is_multiple_of(2);
    let distance = |i, j| (i > 0).then_some(if is_far(i, j) { 20.0 } else { 5.0 });
    let counted: Vec<_> =
        scores.iter().filter(|score| score.j - score.i >= 2 && score.i > 0).take(6).collect();
    let found = contact_precision(&scores, 6, 2, 8.0, distance);
    assert_eq!((found.asked, found.counted), (6, counted.len()));
    assert_eq!(found.contacts, counted.iter().filter(|score| !is_far(score.i, score.j)).count());
    assert!(pair_scores(&integers(1, 3, 1), None, &execution).is_err());
    assert!(pair_scores(&plain, Some(5), &execution).is_err());
}
