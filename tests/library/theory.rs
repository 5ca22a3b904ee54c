//! Couplings learned from random patterns against the theory of them at large N.
//!
//! Differences are corrections of order 1 / N and sampling noise. Kolmogorov distances of some 0.003 are seen at these sizes;
//! the bounds leave twice that, what another lambda_eff by 5 to 10 % would add.

use attractor::analysis::{kolmogorov_distance, overlaps, stabilities};
use attractor::couplings::Couplings;
use attractor::datasets::{DataSet, Random};
use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use attractor::execution::Execution;
use attractor::learning::{Initial, PseudoLikelihood, Trainer, hebb};
use attractor::theory::{
    HebbStabilities, PseudoLikelihoodStabilities, StabilityDistribution, hopfield_overlap, max_lambda_eff,
};

const LAMBDA: f64 = 0.2;

fn random(n_spins: usize, n_patterns: usize, execution: &Execution) -> DataSet {
    Random { n_spins, n_patterns, n_test: 0, seed: 1 }.generate(execution).unwrap()
}

/// lambda' times the mean norm, and the distance of the stabilities from `law`.
fn compare(
    couplings: &Couplings,
    data: &DataSet,
    law: &dyn StabilityDistribution,
    execution: &Execution,
) -> (f64, f64) {
    let norms = couplings.row_norms(execution).unwrap();
    let measured = stabilities(couplings, &data.train, &norms, execution).unwrap();
    let distance = kolmogorov_distance(measured.values(), |stability| law.cumulative(stability)).unwrap();
    (LAMBDA / 2.0 * norms.iter().sum::<f64>() / norms.len() as f64, distance)
}

/// Couplings after so many epochs of gradient descent with weight decay.
fn trained(data: &DataSet, l2: f64, lr: f64, n_epochs: u64, execution: &Execution) -> Couplings {
    let parameters = PseudoLikelihood { l2, ..PseudoLikelihood::new(LAMBDA, lr) };
    let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, execution).unwrap();
    trainer.advance_to(n_epochs).unwrap();
    trainer.into_couplings()
}

#[test]
fn the_optimum_with_weight_decay_has_the_norm_and_the_stabilities_of_theory() {
    let execution = Execution::with_threads(2).unwrap();
    for (n_spins, n_patterns, lambda_eff) in [(400, 160, 0.2), (400, 160, 0.8), (400, 600, 0.8)] {
        let data = random(n_spins, n_patterns, &execution);
        let law = PseudoLikelihoodStabilities::new(data.load(), lambda_eff).unwrap();
        let l2 = law.weight_decay(LAMBDA).unwrap();
        // Curvatures lie between l2 and l2 plus some 0.3: this is many times 1 / (lr l2).
        let couplings = trained(&data, l2, 2.0, (10.0 / (2.0 * l2)) as u64, &execution);
        let (found, distance) = compare(&couplings, &data, &law, &execution);
        assert!((found / lambda_eff - 1.0).abs() < 0.01, "load {}: {found} for {lambda_eff}", data.load());
        assert!(distance < 0.008, "load {}, lambda_eff {lambda_eff}: {distance}", data.load());
    }
}

#[test]
fn beyond_separable_loads_descent_ends_at_the_largest_norm_of_theory() {
    let execution = Execution::with_threads(2).unwrap();
    let data = random(300, 1200, &execution);
    let largest = max_lambda_eff(data.load()).unwrap();
    let couplings = trained(&data, 0.0, 20.0, 400, &execution);
    let law = PseudoLikelihoodStabilities::new(data.load(), largest).unwrap();
    let (found, distance) = compare(&couplings, &data, &law, &execution);
    assert!((found / largest - 1.0).abs() < 0.02, "{found} for {largest}");
    assert!(distance < 0.006, "{distance}");
}

#[test]
fn hebb_couplings_have_the_stabilities_and_the_retrieval_of_theory() {
    let execution = Execution::with_threads(2).unwrap();
    let data = random(1000, 400, &execution);
    let couplings = hebb(&data.train, &execution).unwrap();
    let law = HebbStabilities::new(data.load()).unwrap();
    let (_, distance) = compare(&couplings, &data, &law, &execution);
    assert!(distance < 0.003, "{distance}");

    // Attractors from the patterns themselves, well below the critical load, where few starts leave their basin.
    let data = random(4000, 400, &execution);
    let couplings = hebb(&data.train, &execution).unwrap();
    let dynamics = ParallelDynamics { stop: Stop::Settled { limit: 200 }, ties: Ties::Keep };
    let recall = dynamics.run(&couplings, &data.train, &data.train, &execution).unwrap();
    let overlaps = overlaps(execution.isa(), &recall.states, &data.train).unwrap();
    let mean = overlaps.iter().sum::<f64>() / overlaps.len() as f64;
    let theory = hopfield_overlap(data.load()).unwrap();
    assert!((mean - theory).abs() < 5e-4, "{mean} for {theory}");
}
