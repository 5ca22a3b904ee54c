//! Learning of Potts spins: against enumeration, plain loops and the Ising trainer.

use attractor::execution::Execution;
use attractor::learning::{
    Initial, Problem, PseudoLikelihood, Trainer, initial_couplings as ising_couplings,
};
use attractor::potts::{
    PottsCouplings, PottsInitial, PottsProblem, PottsPseudoLikelihood, PottsTrainer, fit, initial_couplings,
    random_sequences,
};
use attractor::random::{gaussian, stream, uniform};
use attractor::spins::{Sequences, SpinMatrix};

fn execution() -> Execution {
    Execution::with_threads(2).unwrap()
}

/// Random symmetric or asymmetric couplings with zero blocks within columns, and fields.
fn couplings(n_columns: usize, q: usize, width: f64, symmetric: bool, seed: u64) -> PottsCouplings {
    let n = n_columns * q;
    let mut rng = stream(seed, "potts test", &[n as u64]);
    let mut rows: Vec<f32> = (0..n * n).map(|_| (width * gaussian(&mut rng)) as f32).collect();
    for row in 0..n {
        for other in 0..n {
            if row / q == other / q {
                rows[row * n + other] = 0.0;
            } else if symmetric && other < row {
                rows[row * n + other] = rows[other * n + row];
            }
        }
    }
    let theta = (0..n).map(|_| (width * gaussian(&mut rng)) as f32).collect();
    PottsCouplings::from_rows(n_columns, q, rows, theta).unwrap()
}

/// h_i(a) in f64.
fn field(couplings: &PottsCouplings, row: &[u8], i: usize, a: usize) -> f64 {
    let inputs = row.iter().enumerate();
    let terms = inputs.map(|(j, &b)| f64::from(couplings.coupling((i, a), (j, usize::from(b)))));
    f64::from(couplings.theta()[i * couplings.n_letters() + a]) + terms.sum::<f64>()
}

/// The softmax of lambda h at column i.
fn softmax(couplings: &PottsCouplings, row: &[u8], i: usize, lambda: f64) -> Vec<f64> {
    let fields: Vec<f64> = (0..couplings.n_letters()).map(|a| lambda * field(couplings, row, i, a)).collect();
    let most = fields.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = fields.iter().map(|field| (field - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Takes the mean over rows and columns from a block, in f64.
fn zero_sum(couplings: &PottsCouplings, i: usize, j: usize) -> Vec<f64> {
    let q = couplings.n_letters();
    let at = |a, b| f64::from(couplings.coupling((i, a), (j, b)));
    let n = q as f64;
    let row = |a: usize| (0..q).map(|b| at(a, b)).sum::<f64>() / n;
    let column = |b: usize| (0..q).map(|a| at(a, b)).sum::<f64>() / n;
    let mean = (0..q).map(row).sum::<f64>() / n;
    (0..q * q).map(|x| at(x / q, x % q) - row(x / q) - column(x % q) + mean).collect()
}

/// All q^L states of a model with their Boltzmann weights at temperature 1: pseudo-likelihood without regularisation returns
/// the couplings in the zero-sum gauge, and the fields that this gauge gives.
#[test]
fn an_enumerated_model_is_recovered() {
    let (n_columns, q) = (5, 3);
    let model = couplings(n_columns, q, 0.4, true, 1);
    let states: Vec<u8> = (0..q.pow(5)).flat_map(|s| (0..5).map(move |i| (s / q.pow(i) % q) as u8)).collect();
    let states = Sequences::new(n_columns, q, states).unwrap();
    let weight = |row: &[u8]| {
        let fields: f64 = (0..5).map(|i| field(&model, row, i, usize::from(row[i]))).sum();
        let theta: f64 = (0..5).map(|i| f64::from(model.theta()[i * q + usize::from(row[i])])).sum();
        // Every pair is in two fields.
        (0.5 * (fields + theta)).exp() as f32
    };
    let weights: Vec<f32> = (0..states.n_rows()).map(|row| weight(states.row(row))).collect();
    let problem = PottsProblem::from(&states).with_weights(&weights).unwrap();
    let execution = execution();
    for symmetric in [false, true] {
        let parameters =
            PottsPseudoLikelihood { theta: true, symmetric, ..PottsPseudoLikelihood::new(1.0, 2.0) };
        let mut trainer =
            PottsTrainer::new(problem, parameters, &PottsInitial::Zero, 1.0, 0, &execution).unwrap();
        trainer.advance_to(1000).unwrap();
        let learned = trainer.couplings().unwrap();
        for i in 0..n_columns {
            // What the couplings hold of a field, moved to theta, and theta's own mean taken away.
            let given = |a: usize| {
                let from = |j: usize| {
                    let means = (0..q).map(|b| f64::from(model.coupling((i, a), (j, b)))).sum::<f64>() / 3.0;
                    if j == i { 0.0 } else { means }
                };
                f64::from(model.theta()[i * q + a]) + (0..n_columns).map(from).sum::<f64>()
            };
            let mean = (0..q).map(given).sum::<f64>() / 3.0;
            // What steps add by rounding to the fields of all letters alike is no difference of fields.
            let own = &learned.theta()[i * q..][..q];
            let own_mean = own.iter().map(|&theta| f64::from(theta)).sum::<f64>() / 3.0;
            for (a, &theta) in own.iter().enumerate() {
                // f32 gradients of 243 weighted states are good to some 1e-7, and the smallest curvature is some 0.02.
                let (found, expected) = (f64::from(theta) - own_mean, given(a) - mean);
                assert!((found - expected).abs() < 2e-5, "theta {found}, {expected}");
            }
            for j in (0..n_columns).filter(|&j| j != i) {
                for (found, expected) in zero_sum(&learned, i, j).into_iter().zip(zero_sum(&model, i, j)) {
                    assert!((found - expected).abs() < 2e-5, "J {found}, {expected}");
                }
            }
        }
    }
}

/// One step from random couplings, weighted or not, against the formula in f64.
#[test]
fn a_step_follows_the_formula() {
    let execution = execution();
    // More rows than a block of the pull; columns not a multiple of anything.
    for (n_rows, n_columns, q, lambda) in
        [(40, 7, 2, 1.0), (530, 5, 3, 0.5), (100, 3, 5, 2.0), (60, 6, 21, 1.0), (30, 3, 33, 0.7)]
    {
        let start = couplings(n_columns, q, 0.5, false, 2);
        let sequences = random_sequences(n_rows, n_columns, q, 3).unwrap();
        let mut rng = stream(4, "weights", &[]);
        let weights: Vec<f32> = (0..n_rows).map(|_| uniform(&mut rng) as f32).collect();
        let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let problem = PottsProblem::from(&sequences).with_weights(&weights).unwrap();
        let (lr, l2) = (0.3, 0.1);
        let parameters = PottsPseudoLikelihood { l2, theta: true, ..PottsPseudoLikelihood::new(lambda, lr) };
        let given = PottsInitial::Given(couplings(n_columns, q, 0.5, false, 2));
        let mut trainer = PottsTrainer::new(problem, parameters, &given, 1.0, 0, &execution).unwrap();
        trainer.advance_to(1).unwrap();
        let stepped = trainer.couplings().unwrap();
        for i in 0..n_columns {
            let mut pull = vec![vec![0.0; q * q]; n_columns];
            let mut pull_theta = vec![0.0; q];
            for (mu, &weight) in weights.iter().enumerate() {
                let row = sequences.row(mu);
                for (a, p) in softmax(&start, row, i, lambda).into_iter().enumerate() {
                    let present = if usize::from(row[i]) == a { 1.0 } else { 0.0 };
                    let residual = f64::from(weight) / total * (present - p);
                    pull_theta[a] += residual;
                    for j in 0..n_columns {
                        pull[j][a * q + usize::from(row[j])] += residual;
                    }
                }
            }
            for a in 0..q {
                let theta = f64::from(start.theta()[i * q + a]) + lr * (1.0 - 1.0 / q as f64) * pull_theta[a];
                // Rounding of numbers of some 1, and of the residuals' sum.
                assert!((f64::from(stepped.theta()[i * q + a]) - theta).abs() < 5e-7);
                for j in (0..n_columns).filter(|&j| j != i) {
                    let mean = pull[j][a * q..][..q].iter().sum::<f64>() / q as f64;
                    for b in 0..q {
                        let was = f64::from(start.coupling((i, a), (j, b)));
                        let expected = was + lr * (pull[j][a * q + b] - mean - l2 * was);
                        let found = f64::from(stepped.coupling((i, a), (j, b)));
                        assert!((found - expected).abs() < 5e-7, "q {q}: {found} {expected}");
                    }
                }
            }
        }
    }
}

fn loss(couplings: &PottsCouplings, sequences: &Sequences, lambda: f64) -> f64 {
    let of = |row: &[u8], i: usize| -softmax(couplings, row, i, lambda)[usize::from(row[i])].ln() / lambda;
    let rows = (0..sequences.n_rows()).map(|row| sequences.row(row));
    let sum: f64 = rows.flat_map(|row| (0..row.len()).map(move |i| of(row, i))).sum();
    sum / sequences.letters().len() as f64
}

#[test]
fn the_fit_is_that_of_plain_loops() {
    let execution = execution();
    for (n_rows, n_columns, q) in [(700, 4, 2), (50, 9, 21), (20, 3, 40)] {
        let model = couplings(n_columns, q, 0.5, false, 7);
        let sequences = random_sequences(n_rows, n_columns, q, 8).unwrap();
        let found = fit(&model, &sequences, 1.3, &execution).unwrap();
        let expected = loss(&model, &sequences, 1.3);
        // Fields in f32, of some 10 terms.
        assert!((found.loss - expected).abs() < 1e-6 * expected, "{} {expected}", found.loss);
        assert!((found.log_pseudo_likelihood + 1.3 * expected).abs() < 2e-6 * expected);
        let right = |row: &[u8], i: usize| {
            let own = field(&model, row, i, usize::from(row[i]));
            (0..q).all(|a| field(&model, row, i, a) <= own)
        };
        let rows = || (0..n_rows).map(|row| sequences.row(row));
        let n_right = rows().flat_map(|row| (0..n_columns).map(move |i| (row, i)));
        let n_right = n_right.filter(|(row, i)| right(row, *i)).count();
        let n_fixed = rows().filter(|row| (0..n_columns).all(|i| right(row, i))).count();
        assert_eq!(found.right_fraction, n_right as f64 / (n_rows * n_columns) as f64);
        assert_eq!(found.fixed_fraction, n_fixed as f64 / n_rows as f64);
    }
}

fn patterns(n_rows: usize, n_spins: usize) -> (SpinMatrix, Sequences) {
    let letters = random_sequences(n_rows, n_spins, 2, 11).unwrap();
    let signs: Vec<i8> = letters.letters().iter().map(|&x| 2 * x as i8 - 1).collect();
    (SpinMatrix::from_signs(n_rows, n_spins, &signs).unwrap(), letters)
}

/// K_ij and H_i of Potts couplings with q = 2 in the zero-sum gauge.
fn ising(couplings: &PottsCouplings, i: usize, j: usize) -> f64 {
    2.0 * f64::from(couplings.coupling((i, 1), (j, 1)))
}

/// With two letters the trajectory is that of the Ising trainer, at the same lambda, lr and l2, from the same start.
#[test]
fn two_letters_learn_as_ising_spins() {
    let execution = execution();
    let (n_spins, n_patterns) = (29, 40);
    let (spins, letters) = patterns(n_patterns, n_spins);
    let mut rng = stream(12, "weights", &[]);
    let weights: Vec<f32> = (0..n_patterns).map(|_| uniform(&mut rng) as f32).collect();
    for (hebb, theta, symmetric, weighted) in
        [(true, false, false, false), (true, true, false, true), (false, true, true, false)]
    {
        let (lambda, lr, l2) = (0.8, 0.7, 0.02);
        let base =
            PseudoLikelihood { lr_decay: 0.99, l2, theta, symmetric, ..PseudoLikelihood::new(lambda, lr) };
        let problem = Problem::from(&spins);
        let problem = if weighted { problem.with_weights(&weights).unwrap() } else { problem };
        let initial = if hebb { Initial::Hebb } else { Initial::Zero };
        let mut trainer = Trainer::new(problem, base, &initial, 1.0, &execution).unwrap();
        let problem = PottsProblem::from(&letters);
        // Hebb couplings of Ising spins do not know weights.
        let start = if hebb { PottsInitial::Hebb } else { PottsInitial::Zero };
        let start = PottsInitial::Given(initial_couplings(&start, 1.0, problem, 0, &execution).unwrap());
        let problem = if weighted { problem.with_weights(&weights).unwrap() } else { problem };
        let parameters = PottsPseudoLikelihood {
            lr_decay: 0.99,
            l2,
            theta,
            symmetric,
            ..PottsPseudoLikelihood::new(lambda, lr)
        };
        let mut potts = PottsTrainer::new(problem, parameters, &start, 1.0, 0, &execution).unwrap();
        for epoch in [0, 1, 10, 200] {
            trainer.advance_to(epoch).unwrap();
            potts.advance_to(epoch).unwrap();
            let (expected, found) = (trainer.couplings(), potts.couplings().unwrap());
            // Rounding of numbers of some 1 in every step, most of which the next steps take back.
            let tolerance = 3e-7 * (epoch as f64).sqrt().max(1.0);
            for i in 0..n_spins {
                for j in (0..n_spins).filter(|&j| j != i) {
                    let expected = f64::from(expected.values()[i * n_spins + j]);
                    let found = ising(&found, i, j);
                    assert!((found - expected).abs() < tolerance, "epoch {epoch}: {found} {expected}");
                }
                if theta {
                    let expected = f64::from(expected.theta().unwrap()[i]);
                    let own = &found.theta()[2 * i..][..2];
                    assert!((f64::from(own[1] - own[0]) - expected).abs() < tolerance);
                }
            }
            // The norms of rows are the same.
            let norms = found.column_norms(&execution).unwrap();
            for (norm, expected) in norms.iter().zip(expected.row_norms(&execution).unwrap()) {
                assert!((norm - expected).abs() < 1e-4 * expected.max(1.0), "{norm} {expected}");
            }
        }
    }
}

#[test]
fn hebb_couplings_of_two_letters_are_those_of_ising_spins() {
    let execution = execution();
    let (spins, letters) = patterns(31, 17);
    let expected = ising_couplings(&Initial::Hebb, 0.5, &spins, 0, &execution).unwrap();
    let found = initial_couplings(&PottsInitial::Hebb, 0.5, &letters, 0, &execution).unwrap();
    for i in 0..17 {
        for j in (0..17).filter(|&j| j != i) {
            assert!((ising(&found, i, j) - f64::from(expected.values()[i * 17 + j])).abs() < 1e-7);
        }
    }
}

/// Every start lies in the zero-sum gauge; covariances of independent letters have means of their own taken away.
#[test]
fn starts_are_in_the_zero_sum_gauge() {
    let execution = execution();
    let sequences = random_sequences(50, 6, 21, 5).unwrap();
    for initial in [PottsInitial::Hebb, PottsInitial::Covariance, PottsInitial::Random] {
        let start = initial_couplings(&initial, 1.0, &sequences, 6, &execution).unwrap();
        for (i, j) in [(0, 1), (5, 2)] {
            for (place, value) in zero_sum(&start, i, j).into_iter().enumerate() {
                let found = f64::from(start.coupling((i, place / 21), (j, place % 21)));
                assert!((found - value).abs() < 1e-6, "{found} {value}");
            }
        }
    }
    // Conserved columns do not vary: their covariance is 0.
    let conserved = Sequences::new(2, 3, [1, 2].repeat(5)).unwrap();
    let start = initial_couplings(&PottsInitial::Covariance, 1.0, &conserved, 0, &execution).unwrap();
    assert!(start.values().iter().all(|&x| x == 0.0));
}
