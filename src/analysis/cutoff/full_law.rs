//! The full law as each estimator sees it.

use super::estimators::{Draws, Estimator, law_point};
use super::point::CutoffPoint;
use super::quenched::quenched_point;

/// Draws of the quenched noise, all draws of a manifold together: means over them have an eighth of the scatter of one.
const REALISATIONS: usize = 64;

/// The full law with the counts of some draws of a manifold: with mean noise for ratios, which are means over draws already,
/// and with noise drawn once a feature for what single draws come to.
pub struct FullLaw {
    mean: Vec<CutoffPoint>,
    quenched: Vec<CutoffPoint>,
}

impl FullLaw {
    /// Of the counts of `points`, at equal shares.
    pub fn new(points: &[CutoffPoint]) -> Self {
        let n_realisations = REALISATIONS.div_ceil(points.len().max(1)) as u64;
        let realisations =
            |point: &CutoffPoint| (0..n_realisations).map(|index| quenched_point(point, index)).collect();
        let quenched: Vec<Vec<CutoffPoint>> = points.iter().map(realisations).collect();
        Self { mean: points.iter().map(law_point).collect(), quenched: quenched.concat() }
    }

    /// Draws of which `estimator` takes the law's k_max.
    pub fn draws(&self, estimator: Estimator) -> Draws<'_> {
        let points = match estimator {
            Estimator::SnrCrossing => &self.mean,
            Estimator::OneStep(_) | Estimator::FirstFailing(_) | Estimator::Last(_) => &self.quenched,
        };
        Draws { points }
    }
}
