//! Basin sizes against load, of the pseudo-inverse and of pseudo-likelihood.
//!
//!     cargo run --release --example basins
//!
//! The basin size is 1 - m_c, m_c the smallest initial overlap from which patterns are restored to a mean overlap of 0.999.

use attractor::analysis::{BasinSize, Basins};
use attractor::couplings::Couplings;
use attractor::datasets::Random;
use attractor::dynamics::{Damage, ParallelDynamics, Stop, Ties};
use attractor::execution::Execution;
use attractor::learning::{Initial, PseudoInverse, PseudoLikelihood, Trainer};
use attractor::spins::SpinMatrix;

const N_SPINS: usize = 400;

fn main() -> attractor::Result<()> {
    let execution = Execution::with_threads(2)?;
    println!("load   pseudo-inverse     pseudo-likelihood");
    for load in [0.1, 0.2, 0.3, 0.4, 0.5] {
        // A smaller set of patterns is the beginning of a larger one of the same seed.
        let n_patterns = (load * N_SPINS as f64).round() as usize;
        let data = Random { n_spins: N_SPINS, n_patterns, n_test: 0, seed: 1 }.generate(&execution)?;

        // J = X^T K^-1 X / N without its diagonal, K the overlaps of the patterns: all stabilities are equal.
        let pseudo_inverse = PseudoInverse::default().couplings(&data.train, &execution)?;

        let parameters = PseudoLikelihood::new(0.2, 1.0);
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, &execution)?;
        trainer.advance_to(1000)?;

        let by_projection = basin_size(&pseudo_inverse, &data.train, &execution)?;
        let by_likelihood = basin_size(trainer.couplings(), &data.train, &execution)?;
        println!("{load:.1}    {}    {}", text(by_projection), text(by_likelihood));

        // What this example claims; the program fails where it is not so.
        assert!(
            by_likelihood.size > by_projection.size,
            "pseudo-likelihood has the smaller basins at load {load}"
        );
    }
    Ok(())
}

/// After ten parallel steps, to a single spin: halves the number of flipped spins until it knows the last one that is repaired.
fn basin_size(
    couplings: &Couplings,
    patterns: &SpinMatrix,
    execution: &Execution,
) -> attractor::Result<BasinSize> {
    let dynamics = ParallelDynamics { stop: Stop::After(10), ties: Ties::Keep };
    let basins = Basins { couplings, patterns, dynamics: &dynamics, clamp: false, n_repeats: 1, seed: 2 };
    let (sizes, _curve) = basins.bisect(Damage::Inverted, &[0.999], execution)?;
    Ok(sizes[0])
}

/// The size and its error, a bootstrap over the patterns; none where no crossing was found.
fn text(size: BasinSize) -> String {
    let error = size.error.map_or(String::new(), |error| format!(" +- {error:.3}"));
    format!("{:15}", format!("{:.3}{error}", size.size))
}
