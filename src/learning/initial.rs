//! Where training starts.

use super::hebb::fill_with_counts;
use crate::couplings::Couplings;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::random::{gaussian, stream, uniform};
use crate::spins::SpinMatrix;

/// Initial couplings.
#[derive(Clone, Debug)]
pub enum Initial {
    /// Those of the Hebb rule, (1/N) sum_mu xi_i xi_j.
    Hebb,
    /// All zero.
    Zero,
    /// Independent Gaussians of standard deviation 1/sqrt(N).
    Random,
    /// Independent, uniform between -1/sqrt(N) and 1/sqrt(N).
    Uniform,
    /// Given couplings.
    Given(Couplings),
}

impl Initial {
    /// Whether they bring fields of the neurons.
    pub(super) fn has_theta(&self) -> bool {
        matches!(self, Self::Given(couplings) if couplings.theta().is_some())
    }

    /// A word for them.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hebb => "hebb",
            Self::Zero => "zero",
            Self::Random => "random",
            Self::Uniform => "uniform",
            Self::Given(_) => "given",
        }
    }
}

/// Initial couplings for the rows of `patterns`, multiplied by `factor`; the scale of the result is 1.
///
/// # Errors
/// If `factor` or a coupling times it is not finite in f32, given couplings are of another size, of a shard or have
/// self-coupling, or as [`hebb`](super::hebb).
pub fn initial_couplings(
    initial: &Initial,
    factor: f64,
    patterns: &SpinMatrix,
    seed: u64,
    execution: &Execution,
) -> Result<Couplings> {
    let mut couplings = Couplings::zeros_in(patterns.n_spins(), execution.memory())?;
    fill_with_initial(&mut couplings, initial, factor, patterns, seed, execution)?;
    Ok(couplings)
}

/// The same into `couplings`, which are zero: their rows of it.
pub(super) fn fill_with_initial(
    couplings: &mut Couplings,
    initial: &Initial,
    factor: f64,
    patterns: &SpinMatrix,
    seed: u64,
    execution: &Execution,
) -> Result<()> {
    check_factor(factor)?;
    let n_spins = patterns.n_spins();
    let width = factor / libm::sqrt(n_spins as f64);
    match initial {
        Initial::Hebb => {
            fill_with_counts(couplings, patterns, execution)?;
            couplings.multiply(factor, execution)
        }
        Initial::Given(given) if given.has_self_coupling() => Err(Error::shape(
            "initial couplings",
            "zero diagonal, which training keeps",
            "couplings with self-coupling",
        )),
        Initial::Given(given) if given.n_spins() == n_spins => {
            given.check_whole()?;
            couplings.fill_with_multiple(given, factor, execution)
        }
        Initial::Given(given) => Err(Error::shape(
            "initial couplings",
            format!("N = {n_spins} as in the data"),
            format!("N = {}", given.n_spins()),
        )),
        Initial::Zero => Ok(()),
        Initial::Random => fill_randomly(couplings, seed, execution, |rng| gaussian(rng) * width),
        Initial::Uniform => {
            fill_randomly(couplings, seed, execution, |rng| (2.0 * uniform(rng) - 1.0) * width)
        }
    }?;
    // Sums of squares are in f64, where no finite f32 overflows.
    if couplings.row_norms(execution)?.iter().all(|norm| norm.is_finite()) {
        Ok(())
    } else {
        Err(Error::parameter("init-scale", "a factor that keeps all couplings finite", format!("{factor:e}")))
    }
}

/// Refuses a factor of initial couplings that is not finite in f32.
///
/// # Errors
/// Names the parameter.
pub fn check_factor(factor: f64) -> Result<()> {
    if (factor as f32).is_finite() {
        Ok(())
    } else {
        Err(Error::parameter("init-scale", "a number that is finite in f32", format!("{factor:e}")))
    }
}

/// Independent entries, one stream a row.
fn fill_randomly(
    couplings: &mut Couplings,
    seed: u64,
    execution: &Execution,
    draw: impl Fn(&mut rand_pcg::Pcg64) -> f64 + Sync,
) -> Result<()> {
    let (n_spins, neurons) = (couplings.n_spins(), couplings.neurons());
    execution.for_each(
        neurons.zip(couplings.values_mut().chunks_mut(n_spins)),
        || (),
        |(), (neuron, row)| {
            let mut rng = stream(seed, "initial couplings", &[neuron as u64]);
            row.fill_with(|| draw(&mut rng) as f32);
            row[neuron] = 0.0;
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variance of N(0, 1/N) is 1/N and that of the uniform law a third of it, to five standard errors.
    #[test]
    fn random_couplings_have_the_stated_variance() {
        let execution = Execution::with_threads(2).unwrap();
        let n = 200;
        let patterns = SpinMatrix::all_down(1, n);
        for (initial, variance) in [(Initial::Random, 1.0 / 200.0), (Initial::Uniform, 1.0 / 600.0)] {
            let couplings = initial_couplings(&initial, 1.0, &patterns, 3, &execution).unwrap();
            let sum: f64 = couplings.values().iter().map(|&x| f64::from(x).powi(2)).sum();
            let found = sum / (n * (n - 1)) as f64;
            assert!((found / variance - 1.0).abs() < 5.0 * (2.0 / (n * n) as f64).sqrt(), "{found}");
            assert!((0..n).all(|i| couplings.values()[i * (n + 1)] == 0.0));
        }
    }

    #[test]
    fn given_couplings_must_fit() {
        let execution = Execution::with_threads(1).unwrap();
        let given = Initial::Given(Couplings::zeros(3).unwrap());
        assert!(initial_couplings(&given, 1.0, &SpinMatrix::all_down(1, 4), 0, &execution).is_err());
        let own = Couplings::zeros(4).unwrap().with_self_coupling(&[1.0; 4]).unwrap();
        let given = Initial::Given(own);
        let error = initial_couplings(&given, 1.0, &SpinMatrix::all_down(1, 4), 0, &execution).unwrap_err();
        assert!(error.to_string().contains("self-coupling"), "{error}");
        assert!(
            initial_couplings(&Initial::Zero, f64::NAN, &SpinMatrix::all_down(1, 4), 0, &execution).is_err()
        );
        for initial in [Initial::Hebb, Initial::Random, Initial::Uniform] {
            let patterns = SpinMatrix::all_down(1, 4);
            assert!(initial_couplings(&initial, 1e39, &patterns, 0, &execution).is_err());
            assert!(initial_couplings(&initial, 1e37, &patterns, 0, &execution).is_ok());
        }
    }
}
