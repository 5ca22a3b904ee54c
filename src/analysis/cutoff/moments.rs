//! Mean, variance and sign of the margins N h_i f_ki of features, exact.

use std::sync::{Mutex, PoisonError};

use crate::analysis::matrix_free::{FeatureStates, MatrixFreeHebb};
use crate::couplings::Couplings;
use crate::dynamics::LocalFields;
use crate::error::Result;
use crate::execution::Execution;
use crate::kernels::LANES;
use crate::spins::{BlockMajor, SpinMatrix};

/// Sums over sites of a feature's margins N h_i f_ki.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarginMoments {
    /// sum_i N h_i f_ki.
    pub sum: i128,
    /// sum_i (N h_i f_ki)^2.
    pub squares: i128,
    /// Sites where sgn(h_i) is f_ki, ties among them.
    pub n_stable: u64,
}

impl MarginMoments {
    fn add(&mut self, margin: i64) {
        self.sum += i128::from(margin);
        self.squares += i128::from(margin) * i128::from(margin);
        self.n_stable += u64::from(margin >= 0);
    }

    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.squares += other.squares;
        self.n_stable += other.n_stable;
    }

    /// Mean over N sites of h_i f_ki.
    pub fn mean(&self, n_spins: usize) -> f64 {
        let n = n_spins as f64;
        self.sum as f64 / n / n
    }

    /// Variance over N sites of h_i f_ki.
    pub fn variance(&self, n_spins: usize) -> f64 {
        let n = n_spins as f64;
        (self.squares as f64 / n / n / n - self.mean(n_spins).powi(2)).max(0.0)
    }

    /// Overlap of sgn(h) with the feature.
    pub fn one_step_overlap(&self, n_spins: usize) -> f64 {
        2.0 * self.n_stable as f64 / n_spins as f64 - 1.0
    }
}

/// Moments of `features` under the Hebb couplings of a stream of patterns.
///
/// # Errors
/// If the memory allowed is too little or missing, or interrupted.
pub fn feature_moments(hebb: &MatrixFreeHebb<'_>, features: FeatureStates) -> Result<Vec<MarginMoments>> {
    let moments = Mutex::new(vec![MarginMoments::default(); features.count]);
    hebb.margins(&features, |tile| {
        let mut sums = [MarginMoments::default(); LANES];
        for margins in tile.margins {
            for (sums, &margin) in sums.iter_mut().zip(margins) {
                sums.add(margin);
            }
        }
        // Sums of integers: the order in which tiles come does not matter.
        let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
        for (total, sums) in moments[tile.states.clone()].iter_mut().zip(&sums) {
            total.merge(sums);
        }
    })?;
    Ok(moments.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The same from stored Hebb couplings of integer counts, as [`hebb`](crate::learning::hebb) makes them, and stored
/// features: exact where every partial sum of a field stays below 2^24, else within the rounding of f32.
///
/// # Errors
/// If the sizes do not fit together, memory for the fields is missing, or interrupted.
pub fn margin_moments_of_couplings(
    couplings: &Couplings,
    features: &SpinMatrix,
    execution: &Execution,
) -> Result<Vec<MarginMoments>> {
    let fields = LocalFields::new(couplings, &BlockMajor::from_rows(features), execution)?;
    let of_feature = |row: usize| {
        let mut moments = MarginMoments::default();
        for site in 0..features.n_spins() {
            let field = f64::from(fields.get(row, site)) as i64;
            moments.add(field * i64::from(features.spin(row, site)));
        }
        moments
    };
    Ok((0..features.n_rows()).map(of_feature).collect())
}
