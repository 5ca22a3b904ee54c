//! Pseudo-likelihood by gradient descent against its definition: finite differences of the loss, plain f64 loops, and
//! the published growth of the norm.

use attractor::Error;
use attractor::analysis::margin_statistics;
use attractor::couplings::Couplings;
use attractor::dynamics::random_states;
use attractor::execution::Execution;
use attractor::learning::{Batches, Initial, PseudoLikelihood, Route, Trainer, hebb, initial_couplings};
use attractor::random::{permutation, stream};
use attractor::spins::SpinMatrix;

fn parameters(lambda: f64, lr: f64) -> PseudoLikelihood {
    PseudoLikelihood { seed: 5, ..PseudoLikelihood::new(lambda, lr) }
}

fn trainer<'a>(
    patterns: &'a SpinMatrix,
    parameters: &PseudoLikelihood,
    initial: &Initial,
    execution: &'a Execution,
) -> Trainer<'a> {
    Trainer::new(patterns, parameters.clone(), initial, 1.0, execution).unwrap()
}

fn in_f64(couplings: &Couplings) -> Vec<f64> {
    couplings.values().iter().map(|&x| f64::from(x) * couplings.scale()).collect()
}

fn signs(patterns: &SpinMatrix) -> Vec<Vec<f64>> {
    let row = |mu| (0..patterns.n_spins()).map(|i| f64::from(patterns.spin(mu, i))).collect();
    (0..patterns.n_rows()).map(row).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// l_i = (1 / (lambda P)) sum_mu log(1 + exp(-lambda xi_i h_i)) + (l2 / 2) |J_i|^2 for the row J_i with J_ii = 0.
fn loss(row: &[f64], neuron: usize, patterns: &[Vec<f64>], lambda: f64, l2: f64) -> f64 {
    let log = |xi: &Vec<f64>| (-lambda * xi[neuron] * dot(row, xi)).exp().ln_1p();
    patterns.iter().map(log).sum::<f64>() / (lambda * patterns.len() as f64) + 0.5 * l2 * dot(row, row)
}

#[test]
fn a_step_is_minus_the_gradient_of_the_loss() {
    let execution = Execution::with_threads(2).unwrap();
    let (lr, width) = (1.0, 1e-5);
    for (n, p, lambda, l2) in
        [(1, 1, 0.2, 0.0), (2, 3, 1.0, 0.0), (17, 5, 0.2, 0.0), (31, 70, 2.0, 0.3), (40, 64, 0.7, 0.05)]
    {
        let patterns = random_states(p, n, 100 + n as u64).unwrap();
        let parameters = PseudoLikelihood { l2, ..parameters(lambda, lr) };
        let mut trainer = trainer(&patterns, &parameters, &Initial::Random, &execution);
        let before = in_f64(trainer.couplings());
        trainer.advance_to(1).unwrap();
        let after = in_f64(trainer.couplings());
        let patterns = signs(&patterns);
        for i in 0..n {
            for j in 0..n {
                let step = (after[i * n + j] - before[i * n + j]) / lr;
                if i == j {
                    assert_eq!(step, 0.0);
                    continue;
                }
                let shifted = |by: f64| {
                    let mut row = before[i * n..][..n].to_vec();
                    row[j] += by;
                    loss(&row, i, &patterns, lambda, l2)
                };
                let gradient = (shifted(width) - shifted(-width)) / (2.0 * width);
                // Couplings, fields and their means are of order 1 in f32: a few of its eps of 1.2e-7.
                assert!((step + gradient).abs() < 1e-6, "N {n} P {p} ({i}, {j}): {step} and {gradient}");
            }
        }
    }
}

/// DESIGN's update in plain f64 loops, on the patterns of `batch`.
fn plain_step(
    couplings: &mut [f64],
    patterns: &[Vec<f64>],
    batch: &[usize],
    rate: f64,
    parameters: &PseudoLikelihood,
) {
    let n = patterns[0].len();
    for (i, row) in couplings.chunks_exact_mut(n).enumerate() {
        let mut gradient = vec![0.0; n];
        for xi in batch.iter().map(|&mu| &patterns[mu]) {
            let sigma = 1.0 / (1.0 + (parameters.lambda * xi[i] * dot(row, xi)).exp());
            for (gradient, xj) in gradient.iter_mut().zip(xi) {
                *gradient += xi[i] * xj * sigma / batch.len() as f64;
            }
        }
        for (j, (coupling, gradient)) in row.iter_mut().zip(gradient).enumerate() {
            *coupling += rate * (gradient - parameters.l2 * *coupling);
            if i == j {
                *coupling = 0.0;
            }
        }
    }
}

fn plain_training(
    mut couplings: Vec<f64>,
    patterns: &[Vec<f64>],
    epochs: u64,
    parameters: &PseudoLikelihood,
) -> Vec<f64> {
    let n_patterns = patterns.len();
    for epoch in 0..epochs {
        let rate = parameters.lr * parameters.lr_decay.powi(epoch as i32);
        let (order, size, drop_last) = match parameters.batches {
            Batches::Full => ((0..n_patterns).collect(), n_patterns, false),
            Batches::Mini { size, drop_last } => {
                let mut rng = stream(parameters.seed, "epoch order", &[epoch]);
                (permutation(&mut rng, n_patterns), size, drop_last)
            }
        };
        for batch in order.chunks(size).filter(|batch| !drop_last || batch.len() == size) {
            plain_step(&mut couplings, patterns, batch, rate, parameters);
        }
    }
    couplings
}

fn plain_hebb(patterns: &[Vec<f64>]) -> Vec<f64> {
    let n = patterns[0].len();
    let coupling = |i: usize, j: usize| patterns.iter().map(|xi| xi[i] * xi[j]).sum::<f64>() / n as f64;
    (0..n * n).map(|x| if x / n == x % n { 0.0 } else { coupling(x / n, x % n) }).collect()
}

#[test]
fn training_equals_a_plain_f64_loop() {
    let execution = Execution::with_threads(2).unwrap();
    let mini = |size, drop_last| Batches::Mini { size, drop_last };
    let full = parameters(0.2, 1.0);
    let cases = [
        (50, 20, 30, Initial::Hebb, full.clone()),
        (67, 100, 40, Initial::Zero, PseudoLikelihood { lambda: 2.0, l2: 0.01, ..full.clone() }),
        (16, 9, 60, Initial::Random, PseudoLikelihood { lr_decay: 0.97, ..full.clone() }),
        (81, 65, 20, Initial::Uniform, PseudoLikelihood { batches: mini(16, false), ..full.clone() }),
        (33, 50, 20, Initial::Hebb, PseudoLikelihood { batches: mini(20, true), l2: 0.02, ..full.clone() }),
        (129, 130, 8, Initial::Random, PseudoLikelihood { batches: mini(1, false), lr: 0.1, ..full.clone() }),
        (20, 7, 20, Initial::Zero, PseudoLikelihood { batches: mini(50, false), lr_decay: 1.01, ..full }),
    ];
    for (n, p, epochs, initial, parameters) in cases {
        let patterns = random_states(p, n, 3).unwrap();
        let mut trainer = trainer(&patterns, &parameters, &initial, &execution);
        let plain_patterns = signs(&patterns);
        let start = match initial {
            Initial::Hebb => plain_hebb(&plain_patterns),
            Initial::Zero => vec![0.0; n * n],
            _ => in_f64(trainer.couplings()),
        };
        let expected = plain_training(start.clone(), &plain_patterns, epochs, &parameters);
        trainer.advance_to(epochs).unwrap();
        let found = in_f64(trainer.couplings());
        let distance =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let norm = dot(&expected, &expected).sqrt();
        assert!(distance(&start, &expected) > 0.1 * norm, "training moved the couplings");
        let error = distance(&found, &expected) / norm;
        // Rounding of f32 adds up over the steps.
        assert!(error < 1e-4, "N {n} P {p} from {initial:?}, {parameters:?}: relative error {error}");
    }
}

/// Couplings that are given without fields leave room for those to learn.
#[test]
fn fields_are_learned_from_given_couplings_too() {
    let execution = Execution::with_threads(1).unwrap();
    let patterns = random_states(45, 40, 5).unwrap();
    let parameters = PseudoLikelihood { theta: true, ..parameters(0.5, 1.0) };
    let given = Initial::Given(hebb(&patterns, &execution).unwrap().normalised(&execution).unwrap());
    let mut found =
        [Initial::Hebb, given].map(|initial| trainer(&patterns, &parameters, &initial, &execution));
    for trainer in &mut found {
        trainer.advance_to(7).unwrap();
    }
    let [from_hebb, from_given] = found.map(Trainer::into_couplings);
    assert_eq!(from_hebb.values(), from_given.values());
    assert_eq!(from_hebb.theta(), from_given.theta());
    assert!(from_hebb.theta().unwrap().iter().any(|&theta| theta != 0.0));
}

/// lambda_eff = lambda' mean |J_i| after 10 epochs at N = 1000, lambda' = 0.1, lr' = 10 from Hebb (arXiv:2507.05147):
/// lambda = 2 lambda', lr = 2 lr' / N. The published values have two or three digits.
#[test]
fn the_norm_grows_as_published() {
    let execution = Execution::with_threads(2).unwrap();
    let (n, lambda) = (1000, 0.2);
    for (p, published) in [(400, 0.077), (1500, 0.129)] {
        let patterns = random_states(p, n, 1).unwrap();
        let mut trainer = trainer(&patterns, &parameters(lambda, 0.02), &Initial::Hebb, &execution);
        trainer.advance_to(10).unwrap();
        let norms = trainer.couplings().row_norms(&execution).unwrap();
        let lambda_eff = lambda / 2.0 * norms.iter().sum::<f64>() / n as f64;
        assert!((lambda_eff / published - 1.0).abs() < 0.02, "P {p}: {lambda_eff}, published {published}");
    }
}

#[test]
fn stops_on_the_way_change_no_bit() {
    let execution = Execution::with_threads(2).unwrap();
    let patterns = random_states(45, 70, 8).unwrap();
    for batches in [Batches::Full, Batches::Mini { size: 10, drop_last: false }] {
        let parameters = PseudoLikelihood { batches, lr_decay: 0.9, ..parameters(0.5, 1.0) };
        let mut at_once = trainer(&patterns, &parameters, &Initial::Hebb, &execution);
        at_once.advance_to(9).unwrap();
        let mut stepwise = trainer(&patterns, &parameters, &Initial::Hebb, &execution);
        for stop in [1, 2, 3, 3, 5, 9, 4] {
            stepwise.advance_to(stop).unwrap();
        }
        assert_eq!((at_once.epoch(), stepwise.epoch()), (9, 9));
        assert_eq!(at_once.couplings().values(), stepwise.couplings().values());
    }
}

/// Weight decay with lr * l2 above 2 multiplies J by more than 1 in every epoch, here by 10^6.
#[test]
fn a_diverging_run_keeps_the_last_finite_couplings() {
    let execution = Execution::with_threads(2).unwrap();
    let patterns = random_states(30, 40, 2).unwrap();
    let mini = Batches::Mini { size: 30, drop_last: false };
    for (batches, route) in
        [(Batches::Full, Route::Direct), (Batches::Full, Route::Gram), (mini, Route::Direct)]
    {
        let parameters = PseudoLikelihood { batches, route, l2: 1e6, ..parameters(0.2, 1.0) };
        let mut trainer_of_stops = trainer(&patterns, &parameters, &Initial::Hebb, &execution);
        let failure = (1..).find_map(|epoch| trainer_of_stops.advance_to(epoch).err()).unwrap();
        let Error::Diverged { last_good_epoch, epoch, .. } = failure else { panic!("{failure}") };
        // J starts at about 0.1: 10^6 to the sixth is within f32, to the seventh beyond.
        assert_eq!((last_good_epoch, epoch), (6, 7));
        assert_eq!(trainer_of_stops.epoch(), last_good_epoch);
        assert!(trainer_of_stops.couplings().values().iter().all(|x| x.is_finite()));
        let mut whole = trainer(&patterns, &parameters, &Initial::Hebb, &execution);
        // One long segment finds the same epoch by halving.
        assert!(matches!(whole.advance_to(100), Err(Error::Diverged { last_good_epoch: 6, epoch: 7, .. })));
        assert_eq!(whole.couplings().values(), trainer_of_stops.couplings().values());
    }
}

#[test]
fn a_cancelled_run_keeps_the_couplings_of_a_whole_epoch() {
    let patterns = random_states(60, 300, 4).unwrap();
    for batches in [Batches::Full, Batches::Mini { size: 7, drop_last: false }] {
        let parameters = PseudoLikelihood { batches, ..parameters(0.2, 0.01) };
        let execution = Execution::with_threads(2).unwrap();
        let mut stopped = trainer(&patterns, &parameters, &Initial::Hebb, &execution);
        let cancel = execution.cancel().clone();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(40));
            cancel.cancel();
        });
        let failure = (1..).find_map(|epoch| stopped.advance_to(epoch).err()).unwrap();
        canceller.join().unwrap();
        assert!(matches!(failure, Error::Interrupted));
        let execution = Execution::with_threads(2).unwrap();
        let mut fresh = trainer(&patterns, &parameters, &Initial::Hebb, &execution);
        fresh.advance_to(stopped.epoch()).unwrap();
        assert_eq!(fresh.couplings().values(), stopped.couplings().values());
    }
}

/// Probability that the first step flips a spin of a stored pattern, signal 1 against Gaussian noise of variance alpha.
fn one_step_error(alpha: f64) -> f64 {
    0.5 * libm::erfc((0.5 / alpha).sqrt())
}

#[test]
fn hebb_couplings_have_the_one_step_error_of_theory() {
    let execution = Execution::with_threads(2).unwrap();
    let (n, n_draws) = (2000, 20);
    for p in [276, 740] {
        let alpha = p as f64 / n as f64;
        let errors: Vec<f64> = (0..n_draws)
            .map(|seed| {
                let patterns = random_states(p, n, seed).unwrap();
                let couplings = hebb(&patterns, &execution).unwrap();
                let norms = couplings.row_norms(&execution).unwrap();
                margin_statistics(&couplings, &patterns, 1.0, &norms, &execution).unwrap().negative_fraction
            })
            .collect();
        let mean = errors.iter().sum::<f64>() / n_draws as f64;
        let variance = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / (n_draws - 1) as f64;
        let standard_error = (variance / n_draws as f64).sqrt();
        // At finite N the noise comes from P - 1 other patterns at N - 1 sites.
        let finite_size = (one_step_error(alpha) - one_step_error((p - 1) as f64 / (n - 1) as f64)).abs();
        let tolerance = 4.0 * standard_error + finite_size;
        assert!(tolerance < 0.05 * one_step_error(alpha), "the draws say little: {tolerance}");
        assert!((mean - one_step_error(alpha)).abs() < tolerance, "P {p}: {mean} +- {standard_error}");
    }
}

/// Both routes are the same descent: after 100 epochs they differ by rounding alone.
#[test]
fn gram_route_equals_the_direct_one() {
    let execution = Execution::with_threads(2).unwrap();
    let (n, p) = (150, 40);
    let patterns = random_states(p, n, 21).unwrap();
    let given = initial_couplings(&Initial::Uniform, 2.0, &patterns, 3, &execution).unwrap();
    for (initial, l2) in [
        (Initial::Hebb, 0.0),
        (Initial::Hebb, 0.01),
        (Initial::Zero, 0.0),
        (Initial::Random, 0.02),
        (Initial::Given(given), 0.0),
    ] {
        let train = |route, stops: &[u64]| {
            let parameters = PseudoLikelihood { l2, lr_decay: 0.99, route, ..parameters(0.4, 0.7) };
            let mut trainer = Trainer::new(&patterns, parameters, &initial, 0.5, &execution).unwrap();
            stops.iter().for_each(|&stop| trainer.advance_to(stop).unwrap());
            trainer.into_couplings()
        };
        let (direct, gram) = (train(Route::Direct, &[100]), train(Route::Gram, &[100]));
        let norm =
            |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let difference = norm(&mut direct.values().iter().zip(gram.values()).map(|(a, b)| a - b));
        assert!(difference < 1e-4 * norm(&mut direct.values().iter().copied()), "{initial:?} {difference}");
        assert!((0..n).all(|i| gram.values()[i * (n + 1)] == 0.0));
        // Segments keep the coefficients, so they change no bit; the small load makes the route automatic.
        assert_eq!(train(Route::Automatic, &[1, 7, 100]).values(), gram.values());
    }
}
