//! One measurement: a draw of the manifold, and what its first features came to.

use serde::{Deserialize, Serialize};

use crate::theory::Counted;

/// One feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureRow {
    /// P_k, the patterns that use it.
    pub count: u64,
    /// Mean over sites of h_i f_ki; of Hebb couplings, that of J = (1/N) sum xi xi^T.
    pub signal: f64,
    /// Variance over sites of h_i f_ki.
    pub variance: f64,
    /// Overlap of sgn(h) with the feature.
    pub one_step: f64,
    /// Overlap after iterating, if iterated.
    pub last: Option<f64>,
}

impl FeatureRow {
    /// SNR_k, signal by the standard deviation over sites; 0 where all fields are 0.
    pub fn ratio(&self) -> f64 {
        if self.signal == 0.0 { 0.0 } else { self.signal / self.variance.sqrt() }
    }
}

/// One draw of a manifold of N spins: features k = 1..=K, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CutoffPoint {
    pub n_spins: usize,
    pub n_patterns: usize,
    /// D.
    pub n_features: u64,
    /// L.
    pub n_active: usize,
    /// eta.
    pub exponent: f64,
    /// Seed of the manifold.
    pub seed: u64,
    /// sum_k P_k^2 over all features.
    pub squares: f64,
    /// (d, sum_S P_S^2 over sets of d features).
    pub subset_squares: Vec<(usize, f64)>,
    pub features: Vec<FeatureRow>,
    /// Parallel steps of the last overlaps; 0 without them.
    pub n_steps: usize,
    pub effort: Effort,
}

/// What a measurement took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Patterns that differ, up to sign: the columns of either pass.
    pub n_columns: usize,
    /// Signed sums of either pass: N times the columns for the fields of a state.
    pub products: f64,
    /// Pass over overlaps of patterns and states.
    pub overlap_seconds: f64,
    /// Pass over fields.
    pub field_seconds: f64,
    /// All, from the draws of the patterns on.
    pub seconds: f64,
}

impl CutoffPoint {
    /// K, the features measured.
    pub fn n_measured(&self) -> usize {
        self.features.len()
    }

    /// The sums that the full law needs.
    pub fn counted(&self) -> Counted {
        Counted {
            n_patterns: self.n_patterns as f64,
            squares: self.squares,
            subset_squares: self.subset_squares.clone(),
        }
    }
}
