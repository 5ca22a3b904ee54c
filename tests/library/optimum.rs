//! The optimum of the pseudo-likelihood: Ising models whose every state is known, an independent solver, long descent, and data
//! that have no optimum.

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use attractor::analysis::stabilities;
use attractor::couplings::Couplings;
use attractor::dynamics::random_states;
use attractor::execution::Execution;
use attractor::learning::{
    Ending, Initial, Lbfgs, Mask, Optimum, Problem, PseudoLikelihood, Route, Trainer, optimum,
};
use attractor::random::{gaussian, stream, uniform};
use attractor::spins::SpinMatrix;

/// An Ising model E = -x.Jx/2 - theta.x with symmetric Gaussian couplings.
struct Ising {
    n: usize,
    couplings: Vec<f64>, // [n][n]
    theta: Vec<f64>,
}

impl Ising {
    fn random(n: usize, seed: u64) -> Self {
        let mut rng = stream(seed, "ising", &[]);
        let mut couplings = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                let value = 0.6 * gaussian(&mut rng) / (n as f64).sqrt();
                (couplings[i * n + j], couplings[j * n + i]) = (value, value);
            }
        }
        Self { n, couplings, theta: (0..n).map(|_| 0.3 * gaussian(&mut rng)).collect() }
    }

    fn spin(state: usize, i: usize) -> f64 {
        if state >> i & 1 == 1 { 1.0 } else { -1.0 }
    }

    /// exp(-E) of each of the 2^N states.
    fn weights(&self) -> Vec<f64> {
        let energy = |state: usize| -> f64 {
            let field = |i: usize| -> f64 {
                (0..self.n).map(|j| 0.5 * self.couplings[i * self.n + j] * Self::spin(state, j)).sum()
            };
            -(0..self.n).map(|i| Self::spin(state, i) * (field(i) + self.theta[i])).sum::<f64>()
        };
        (0..1 << self.n).map(|state| (-energy(state)).exp()).collect()
    }

    fn states(&self, states: impl Iterator<Item = usize>) -> SpinMatrix {
        let states: Vec<usize> = states.collect();
        let bools: Vec<bool> =
            states.iter().flat_map(|state| (0..self.n).map(move |i| state >> i & 1 == 1)).collect();
        SpinMatrix::from_bools(states.len(), self.n, &bools).unwrap()
    }

    /// Largest difference of couplings and fields.
    fn error(&self, found: &Couplings) -> f64 {
        let couplings = found.values().iter().zip(&self.couplings);
        let theta = found.theta().unwrap().iter().zip(&self.theta);
        couplings
            .chain(theta)
            .map(|(&found, true_one)| (f64::from(found) - true_one).abs())
            .fold(0.0, f64::max)
    }

    fn rms_error(&self, found: &Couplings) -> f64 {
        let squares: f64 = found
            .values()
            .iter()
            .zip(&self.couplings)
            .map(|(&found, true_one)| (f64::from(found) - true_one).powi(2))
            .sum();
        (squares / (self.n * (self.n - 1)) as f64).sqrt()
    }
}

fn find(problem: Problem<'_>, parameters: &PseudoLikelihood, solver: &Lbfgs) -> Optimum {
    let execution = Execution::with_threads(2).unwrap();
    optimum(problem, parameters, solver, &Initial::Zero, 1.0, &execution).unwrap()
}

/// The conditional of an Ising spin is sigma(2 x_i h_i): with all states, weighted by exp(-E), the optimum at lambda = 2 is the
/// model itself, whether or not J is held symmetric. 1e-5 is some tens of f32 roundings of sums of order 1.
#[test]
fn all_states_of_an_ising_model_give_it_back() {
    for (n, seed) in [(4, 1), (6, 2), (8, 3)] {
        let model = Ising::random(n, seed);
        let states = model.states(0..1 << n);
        let weights: Vec<f32> = model.weights().iter().map(|&weight| weight as f32).collect();
        let problem = Problem::from(&states).with_weights(&weights).unwrap();
        for symmetric in [false, true] {
            let parameters = PseudoLikelihood { theta: true, symmetric, ..PseudoLikelihood::new(2.0, 1.0) };
            let found = find(problem, &parameters, &Lbfgs::new(2.0));
            assert!(found.searches.iter().all(|search| search.ending == Ending::Converged));
            assert_eq!(found.searches.len(), if symmetric { 1 } else { n });
            let error = model.error(&found.couplings);
            assert!(error < 1e-5, "N = {n}, symmetric {symmetric}: {error:e}");
        }
    }
}

/// With P samples the error falls as P^(-1/2): sixteen times as many, a quarter of it. Over 20 models and 8 neurons the ratio
/// of root mean squares scatters by a few per cent.
/// As Hebb couplings of a large load have them: the search begins within its bound, not at it.
#[test]
fn starts_beyond_the_norm_bound_find_the_optimum() {
    let ising = Ising::random(6, 3);
    let states = ising.states(0..1 << 6);
    let weights: Vec<f32> = ising.weights().iter().map(|&weight| weight as f32).collect();
    let problem = Problem::from(&states).with_weights(&weights).unwrap();
    let parameters = PseudoLikelihood { theta: true, ..PseudoLikelihood::new(2.0, 1.0) };
    let execution = Execution::with_threads(1).unwrap();
    let solver = Lbfgs::new(2.0);
    let far = 100.0;
    assert!(far > solver.max_norm);
    let found = optimum(problem, &parameters, &solver, &Initial::Random, far, &execution).unwrap();
    for search in &found.searches {
        assert!(matches!(search.ending, Ending::Converged | Ending::Stalled), "{search:?}");
        assert!(search.iterations > 0 && search.relative_gradient < 1e-5, "{search:?}");
    }
    assert!(ising.error(&found.couplings) < 1e-5, "{}", ising.error(&found.couplings));
}

#[test]
fn the_error_of_samples_falls_with_their_root() {
    let (n, parameters) = (8, PseudoLikelihood { theta: true, ..PseudoLikelihood::new(2.0, 1.0) });
    let mean_square = |n_samples: usize| {
        let square = |seed: u64| {
            let model = Ising::random(n, 10 + seed);
            let mut cumulative = model.weights();
            for state in 1..cumulative.len() {
                cumulative[state] += cumulative[state - 1];
            }
            let total = cumulative[cumulative.len() - 1];
            let mut rng = stream(seed, "samples", &[n_samples as u64]);
            let mut draw = || {
                let value = uniform(&mut rng) * total;
                cumulative.partition_point(|&sum| sum <= value)
            };
            let mut counts = vec![0.0f32; 1 << n];
            (0..n_samples).for_each(|_| counts[draw()] += 1.0);
            let states = model.states(0..1 << n);
            let problem = Problem::from(&states).with_weights(&counts).unwrap();
            let found = find(problem, &parameters, &Lbfgs::new(2.0));
            model.rms_error(&found.couplings).powi(2)
        };
        (0..20).map(square).sum::<f64>() / 20.0
    };
    let (few, many) = (mean_square(100_000 / 16).sqrt(), mean_square(100_000).sqrt());
    assert!((few / many - 4.0).abs() < 0.4, "{few} and {many}");
}

/// The objective of one neuron in f64.
struct Neuron<'a> {
    neuron: usize,
    patterns: &'a [Vec<f64>],
    weights: &'a [f64],
    lambda: f64,
    l2: f64,
}

impl Neuron<'_> {
    /// Couplings, then theta.
    fn margin(&self, parameters: &[f64], pattern: &[f64]) -> f64 {
        let n = pattern.len();
        let field = |j: usize| if j == self.neuron { 0.0 } else { parameters[j] * pattern[j] };
        pattern[self.neuron] * ((0..n).map(field).sum::<f64>() + parameters[n])
    }
}

impl CostFunction for Neuron<'_> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        let loss = |(pattern, weight): (&Vec<f64>, &f64)| {
            weight * (-self.lambda * self.margin(parameters, pattern)).exp().ln_1p()
        };
        let total: f64 = self.weights.iter().sum();
        let couplings = &parameters[..parameters.len() - 1];
        let norm: f64 = couplings.iter().map(|x| x * x).sum();
        let losses = self.patterns.iter().zip(self.weights).map(loss);
        Ok(losses.sum::<f64>() / (self.lambda * total) + 0.5 * self.l2 * norm)
    }
}

impl Gradient for Neuron<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        let n = parameters.len() - 1;
        let total: f64 = self.weights.iter().sum();
        let mut gradient: Vec<f64> = parameters.iter().map(|x| self.l2 * x).collect();
        gradient[n] = 0.0;
        for (pattern, weight) in self.patterns.iter().zip(self.weights) {
            let residual = 1.0 / (1.0 + (self.lambda * self.margin(parameters, pattern)).exp());
            let pull = weight * pattern[self.neuron] * residual / total;
            for (gradient, spin) in gradient.iter_mut().zip(pattern) {
                *gradient -= pull * spin;
            }
            gradient[n] -= pull;
        }
        gradient[self.neuron] = self.l2 * parameters[self.neuron];
        Ok(gradient)
    }
}

/// Weighted, correlated and biased patterns, N no multiple of 16, P below and above N.
#[test]
fn the_optimum_is_that_of_another_solver() {
    for (n, p, lambda, l2, seed) in [(21, 60, 0.5, 0.05, 1), (37, 20, 2.0, 0.01, 2), (16, 300, 1.0, 1e-3, 3)]
    {
        let mut rng = stream(seed, "patterns", &[]);
        let bools: Vec<bool> = (0..p)
            .flat_map(|_| {
                let mean = uniform(&mut rng);
                (0..n).map(|_| uniform(&mut rng) < 0.3 + 0.5 * mean).collect::<Vec<_>>()
            })
            .collect();
        let patterns = SpinMatrix::from_bools(p, n, &bools).unwrap();
        let weights: Vec<f32> = (0..p).map(|mu| (mu % 3) as f32 + 0.5).collect();
        let problem = Problem::from(&patterns).with_weights(&weights).unwrap();
        let parameters = PseudoLikelihood { theta: true, l2, ..PseudoLikelihood::new(lambda, 1.0) };
        let found = find(problem, &parameters, &Lbfgs { tolerance: 3e-7, ..Lbfgs::new(lambda) });
        assert!(found.searches.iter().all(|search| search.ending == Ending::Converged));
        let rows: Vec<Vec<f64>> =
            (0..p).map(|mu| (0..n).map(|i| f64::from(patterns.spin(mu, i))).collect()).collect();
        let weights: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
        for neuron in [0, n / 2, n - 1] {
            let cost = Neuron { neuron, patterns: &rows, weights: &weights, lambda, l2 };
            let solver = LBFGS::new(MoreThuenteLineSearch::new(), 10).with_tolerance_grad(1e-10).unwrap();
            let result = Executor::new(cost, solver)
                .configure(|state| state.param(vec![0.0; n + 1]).max_iters(500))
                .run()
                .unwrap();
            let expected = result.state().get_best_param().unwrap();
            let row = &found.couplings.values()[neuron * n..][..n];
            let theta = found.couplings.theta().unwrap()[neuron];
            let norm = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
            for (&found, expected) in row.iter().chain([&theta]).zip(expected) {
                // A gradient of at most 3e-7 of that at 0, over curvatures down to l2 in directions that patterns do not reach.
                assert!((f64::from(found) - expected).abs() < 1e-5 * norm, "{found} {expected}");
            }
        }
    }
}

/// Descent with all options but l1 ends where the solver does, symmetric or not, with a mask and momentum.
#[test]
fn long_descent_ends_at_the_optimum() {
    let execution = Execution::with_threads(2).unwrap();
    let (n, p) = (40, 50);
    let patterns = random_states(p, n, 3).unwrap();
    let mask = Mask::erdos_renyi(n, 0.5, 4).unwrap();
    let weights: Vec<f32> = (0..p).map(|mu| 0.5 + (mu % 4) as f32).collect();
    let problem = Problem::from(&patterns).with_weights(&weights).unwrap().with_mask(&mask).unwrap();
    for symmetric in [false, true] {
        let parameters = PseudoLikelihood {
            l2: 0.1,
            theta: true,
            symmetric,
            momentum: 0.8,
            ..PseudoLikelihood::new(1.0, 0.3)
        };
        let found = find(problem, &parameters, &Lbfgs::new(1.0));
        let mut trainer = Trainer::new(problem, parameters, &Initial::Random, 1.0, &execution).unwrap();
        trainer.advance_to(1500).unwrap();
        let pairs = found.couplings.values().iter().zip(trainer.couplings().values());
        let theta = found.couplings.theta().unwrap().iter().zip(trainer.couplings().theta().unwrap());
        for (a, b) in pairs.chain(theta) {
            assert!((a - b).abs() < 1e-5, "symmetric {symmetric}: {a} {b}");
        }
        for i in 0..n {
            for j in 0..n {
                let coupling = trainer.couplings().values()[i * n + j];
                assert!(mask.allows(i, j) || coupling == 0.0);
                if symmetric {
                    assert_eq!(coupling, trainer.couplings().values()[j * n + i]);
                    assert_eq!(found.couplings.values()[i * n + j], found.couplings.values()[j * n + i]);
                }
            }
        }
    }
}

/// Below capacity random patterns are separable: no optimum, a norm that reaches its bound, and every stability positive.
#[test]
fn separable_patterns_are_followed_to_the_norm_bound() {
    let execution = Execution::with_threads(2).unwrap();
    let patterns = random_states(40, 100, 1).unwrap();
    let parameters = PseudoLikelihood::new(1.0, 1.0);
    let solver = Lbfgs { max_norm: 20.0, ..Lbfgs::new(1.0) };
    let found = find(Problem::from(&patterns), &parameters, &solver);
    assert!(found.searches.iter().all(|search| search.ending == Ending::Separable));
    let norms = found.couplings.row_norms(&execution).unwrap();
    // To the bound, and not beyond: rounding and theta are all that is left to it.
    assert!(norms.iter().all(|&norm| (norm / 20.0 - 1.0).abs() < 1e-5));
    let all = stabilities(&found.couplings, &patterns, &norms, &execution).unwrap();
    assert_eq!(all.negative_fraction(), 0.0);
    // A spin that never changes is its field's alone: no optimum there with l2 either, unlike at the others.
    let bools: Vec<bool> = (0..400).map(|x| x % 10 == 3 || x * x % 7 < 3).collect();
    let constant = SpinMatrix::from_bools(40, 10, &bools).unwrap();
    let with_theta = PseudoLikelihood { l2: 0.1, theta: true, ..PseudoLikelihood::new(1.0, 1.0) };
    let found = find(Problem::from(&constant), &with_theta, &solver);
    for (neuron, search) in found.searches.iter().enumerate() {
        let expected = if neuron == 3 { Ending::Separable } else { Ending::Converged };
        assert_eq!(search.ending, expected, "{neuron}");
    }
    // With l2 the same patterns have an optimum.
    let parameters = PseudoLikelihood { l2: 0.01, ..parameters };
    let found = find(Problem::from(&patterns), &parameters, &solver);
    assert!(found.searches.iter().all(|search| search.ending == Ending::Converged));
}

/// A pattern and its copy but for spin 3: no couplings get both right there, and the others are separable.
#[test]
fn contradictions_are_held_at_the_norm_bound() {
    let mut signs = vec![1i8; 24];
    (0..8).for_each(|i| signs[16 + i] = if i % 2 == 0 { 1 } else { -1 });
    signs[8 + 3] = -1;
    let patterns = SpinMatrix::from_signs(3, 8, &signs).unwrap();
    let execution = Execution::with_threads(1).unwrap();
    let solver = Lbfgs { max_norm: 3.0, ..Lbfgs::new(1.0) };
    let found = find(Problem::from(&patterns), &PseudoLikelihood::new(1.0, 1.0), &solver);
    let norms = found.couplings.row_norms(&execution).unwrap();
    for (neuron, (search, norm)) in found.searches.iter().zip(norms).enumerate() {
        let expected = if neuron == 3 { Ending::AtMaxNorm } else { Ending::Separable };
        assert_eq!(search.ending, expected, "{neuron}");
        assert!(norm < 3.0 * (1.0 + 1e-5));
    }
}

/// Fields of the start are no part of the span of the patterns: descent keeps them at a load where it would take the Gram route.
#[test]
fn descent_keeps_the_fields_of_its_start() {
    let execution = Execution::with_threads(2).unwrap();
    let patterns = random_states(10, 60, 1).unwrap();
    let theta: Vec<f32> = (0..60).map(|i| 0.1 * i as f32 - 3.0).collect();
    let start = Couplings::zeros(60).unwrap().with_theta(theta.clone()).unwrap();
    let run = |route| {
        let parameters = PseudoLikelihood { route, ..PseudoLikelihood::new(0.5, 1.0) };
        let initial = Initial::Given(start.clone());
        let mut trainer = Trainer::new(&patterns, parameters, &initial, 1.0, &execution)?;
        trainer.advance_to(7)?;
        Ok::<_, attractor::Error>(trainer.into_couplings())
    };
    let (automatic, direct) = (run(Route::Automatic).unwrap(), run(Route::Direct).unwrap());
    assert_eq!(automatic.theta().unwrap(), theta);
    assert_eq!(automatic.values(), direct.values());
    assert!(run(Route::Gram).unwrap_err().to_string().contains("route"));
}

/// Far above capacity no couplings get all patterns right: an optimum without l2, the same at any number of threads.
#[test]
fn the_optimum_has_the_same_bits_at_any_thread_count() {
    let patterns = random_states(300, 50, 1).unwrap();
    for symmetric in [false, true] {
        let parameters = PseudoLikelihood { symmetric, ..PseudoLikelihood::new(1.0, 1.0) };
        let found = [1, 2, 3].map(|n_threads| {
            let execution = Execution::with_threads(n_threads).unwrap();
            let solver = Lbfgs::new(1.0);
            let found = optimum(&patterns, &parameters, &solver, &Initial::Hebb, 1.0, &execution).unwrap();
            assert!(found.searches.iter().all(|search| search.ending == Ending::Converged));
            found.couplings.values().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        });
        assert!(found[0] == found[1] && found[1] == found[2]);
    }
}

#[test]
fn what_the_solver_cannot_do_is_refused() {
    let execution = Execution::with_threads(1).unwrap();
    let patterns = random_states(3, 5, 1).unwrap();
    let run = |parameters: PseudoLikelihood, solver: Lbfgs| {
        optimum(&patterns, &parameters, &solver, &Initial::Zero, 1.0, &execution).unwrap_err().to_string()
    };
    let parameters = PseudoLikelihood::new(1.0, 1.0);
    let solver = Lbfgs::new(1.0);
    assert!(run(PseudoLikelihood { l1: 0.1, ..parameters.clone() }, solver).contains("l1"));
    assert!(run(parameters.clone(), Lbfgs { tolerance: 0.0, ..solver }).contains("tolerance"));
    assert!(run(parameters.clone(), Lbfgs { max_iterations: 0, ..solver }).contains("max-iterations"));
    assert!(run(parameters, Lbfgs { max_norm: f64::NAN, ..solver }).contains("max-norm"));
}
