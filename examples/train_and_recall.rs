//! Stores random patterns by two rules at the same load and asks how well each repairs damaged copies.
//!
//!     cargo run --release --example train_and_recall
//!
//! Hebb couplings hold random patterns up to a load P / N of 0.138. Pseudo-likelihood, at 0.4 here, still has wide basins.

use attractor::analysis::overlaps;
use attractor::couplings::Couplings;
use attractor::datasets::{DataSet, Random};
use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties, at_overlap};
use attractor::execution::Execution;
use attractor::learning::{Initial, PseudoLikelihood, Trainer, hebb};

// A function that may fail gives a `Result`; the `?` after a call hands its error on to the caller.
fn main() -> attractor::Result<()> {
    // Threads and memory of all that follows. The results have the same bits at any number of threads.
    let execution = Execution::with_threads(2)?;

    // xi_i^mu = +-1 with probability 1/2: P = 200 patterns of N = 500 spins.
    let data = Random { n_spins: 500, n_patterns: 200, n_test: 0, seed: 1 }.generate(&execution)?;
    println!("N = {}, P = {}, load {}", data.n_spins(), data.n_patterns(), data.load());

    // J_ij = (1/N) sum_mu xi_i xi_j. A `&` lends a value; the function reads it and does not keep it.
    let hebb = hebb(&data.train, &execution)?;

    // Gradient descent from the Hebb couplings on log(1 + exp(-lambda xi_i h_i)) / lambda, averaged over the patterns:
    // lambda = 0.2, learning rate 1, 200 full-batch epochs.
    let parameters = PseudoLikelihood::new(0.2, 1.0);
    let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, &execution)?;
    trainer.advance_to(200)?;

    let from_hebb = mean_final_overlap(&hebb, &data, &execution)?;
    let from_pseudo_likelihood = mean_final_overlap(trainer.couplings(), &data, &execution)?;
    println!("from overlap 0.8, Hebb ends at              {from_hebb:.4}");
    println!("from overlap 0.8, pseudo-likelihood ends at {from_pseudo_likelihood:.4}");

    // What this example claims; the program fails where it is not so.
    assert!(from_hebb < 0.8, "Hebb couplings hold patterns at this load");
    assert!(from_pseudo_likelihood > 0.999, "pseudo-likelihood loses patterns");
    Ok(())
}

/// Mean over the patterns of m = x.xi / N, x the fixed point that a copy of overlap 0.8 with the pattern xi falls into.
fn mean_final_overlap(
    couplings: &Couplings,
    data: &DataSet,
    execution: &Execution,
) -> attractor::Result<f64> {
    // In each copy N (1 - m) / 2 = 50 distinct random spins are flipped; 2 is the seed.
    let starts = at_overlap(&data.train, 0.8, 2)?;
    // x_i <- sign(h_i) for all spins at once, until nothing changes or a cycle closes; h_i = 0 keeps the spin.
    let dynamics = ParallelDynamics { stop: Stop::Settled { limit: 100 }, ties: Ties::Keep };
    let recall = dynamics.run(couplings, &starts, &data.train, execution)?;
    let overlaps = overlaps(execution.isa(), &recall.states, &data.train)?;
    Ok(overlaps.iter().sum::<f64>() / overlaps.len() as f64)
}
