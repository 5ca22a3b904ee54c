//! Features under stored couplings of any rule, with the estimators of the Hebbian cutoff.
//!
//! h_i = sum_j J_ij f_kj, J the stored values times their scale: Hebb couplings, stored as counts of scale 1/N, have the
//! signal and variance of J = (1/N) sum xi xi^T. Ratios and overlaps do not depend on the scale; signals of couplings that
//! were trained grow with the norm of J.

use super::point::FeatureRow;
use crate::analysis::overlaps::overlaps;
use crate::couplings::Couplings;
use crate::dynamics::{Dynamics, LocalFields, ParallelDynamics, Stop, Ties};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::spins::{BlockMajor, SpinMatrix};

/// One row a feature, in the order of `features` ([K, N]).
///
/// `counts`, `[K]`, are the patterns that use each, and only handed on. A field of 0 keeps its spin: the site counts as
/// stable. The last overlap is that after `n_steps` parallel steps, none for 0 steps. Fields are sums in f32; sums over
/// sites are in f64, sites ascending.
///
/// # Errors
/// If the sizes do not fit together, memory for K N fields is missing, or interrupted.
pub fn feature_rows(
    couplings: &Couplings,
    features: &SpinMatrix,
    counts: &[u64],
    n_steps: u64,
    execution: &Execution,
) -> Result<Vec<FeatureRow>> {
    if counts.len() != features.n_rows() {
        let expected = format!("{}, one a feature", features.n_rows());
        return Err(Error::shape("counts", expected, counts.len().to_string()));
    }
    let fields = LocalFields::new(couplings, &BlockMajor::from_rows(features), execution)?;
    let last = match n_steps {
        0 => vec![None; counts.len()],
        n_steps => {
            let dynamics = ParallelDynamics { stop: Stop::After(n_steps), ties: Ties::Keep };
            let states = dynamics.run(couplings, features, features, execution)?.states;
            overlaps(execution.isa(), &states, features)?.into_iter().map(Some).collect()
        }
    };
    let n_spins = features.n_spins();
    let mut margins = vec![0.0; n_spins];
    let row = |(row, (&count, last))| {
        for (site, margin) in margins.iter_mut().enumerate() {
            *margin =
                couplings.scale() * f64::from(fields.get(row, site)) * f64::from(features.spin(row, site));
        }
        let n = n_spins as f64;
        let signal = margins.iter().sum::<f64>() / n;
        let variance = margins.iter().map(|margin| (margin - signal).powi(2)).sum::<f64>() / n;
        let n_stable = margins.iter().filter(|&&margin| margin >= 0.0).count();
        FeatureRow { count, signal, variance, one_step: 2.0 * n_stable as f64 / n - 1.0, last }
    };
    Ok(counts.iter().zip(last).enumerate().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::random_states;
    use crate::random::{gaussian, stream};

    /// Real couplings of some scale against sums in f64; fields are within 10 eps of them, as their own test says, and so
    /// margins are within 10 eps of theirs times the scale.
    #[test]
    fn rows_are_the_sums_of_their_definition() {
        let execution = Execution::with_threads(2).unwrap();
        let (n, k) = (83, 7);
        let mut rng = stream(3, "feature rows test", &[]);
        let width = 1.0 / (n as f64).sqrt();
        let entry =
            |x: usize| if x.is_multiple_of(n + 1) { 0.0 } else { (gaussian(&mut rng) * width) as f32 };
        let rows = (0..n * n).map(entry).collect();
        let scale = 0.3;
        let couplings = Couplings::from_rows(n, rows).unwrap().with_scale(scale).unwrap();
        let features = random_states(k, n, 4).unwrap();
        let counts: Vec<u64> = (10..10 + k as u64).collect();
        let found = feature_rows(&couplings, &features, &counts, 1, &execution).unwrap();
        for (row, found) in found.iter().enumerate() {
            let f = |i: usize| f64::from(features.spin(row, i));
            let field = |i: usize| -> f64 {
                scale * (0..n).map(|j| f64::from(couplings.values()[i * n + j]) * f(j)).sum::<f64>()
            };
            let margins: Vec<f64> = (0..n).map(|i| field(i) * f(i)).collect();
            let mean = margins.iter().sum::<f64>() / n as f64;
            let variance = margins.iter().map(|m| m * m).sum::<f64>() / n as f64 - mean * mean;
            let n_stable = margins.iter().filter(|&&m| m >= 0.0).count();
            let overlap = 2.0 * n_stable as f64 / n as f64 - 1.0;
            assert_eq!(found.count, 10 + row as u64);
            assert!((found.signal - mean).abs() < 1e-6);
            assert!((found.variance - variance).abs() < 1e-6);
            assert_eq!(found.one_step, overlap);
            assert!((found.last.unwrap() - overlap).abs() < 1e-12);
        }
        let not_iterated = feature_rows(&couplings, &features, &counts, 0, &execution).unwrap();
        assert!(not_iterated.iter().all(|row| row.last.is_none()));
        assert!(feature_rows(&couplings, &features, &counts[1..], 0, &execution).is_err());
    }

    #[test]
    fn no_couplings_keep_every_feature() {
        let execution = Execution::with_threads(1).unwrap();
        let features = random_states(2, 20, 1).unwrap();
        let rows = feature_rows(&Couplings::zeros(20).unwrap(), &features, &[0, 0], 3, &execution).unwrap();
        let kept = FeatureRow { count: 0, signal: 0.0, variance: 0.0, one_step: 1.0, last: Some(1.0) };
        assert_eq!(rows, [kept; 2]);
    }
}
