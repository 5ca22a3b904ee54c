//! The full law as each estimator sees it.

use super::estimators::{Draws, Estimator, law_point};
use super::point::CutoffPoint;
use super::quenched::quenched_point;
use crate::error::Result;
use crate::execution::Execution;

/// Draws of the quenched noise for one manifold, at least: their means scatter by an eighth of what single draws do.
const REALISATIONS: usize = 64;

/// The full law with the counts of some draws of a manifold: at mean noise for ratios, which are those of mean signals and
/// variances, and with noise drawn anew for each feature ([`quenched_point`]) for what single draws come to.
#[derive(Clone, Debug)]
pub struct FullLaw {
    mean: Vec<CutoffPoint>,
    quenched: Vec<CutoffPoint>,
}

impl FullLaw {
    /// Of the counts of `points`, each as often as the others.
    ///
    /// # Errors
    /// If interrupted.
    pub fn new(points: &[CutoffPoint], execution: &Execution) -> Result<Self> {
        let n_realisations = REALISATIONS.div_ceil(points.len().max(1));
        let mut quenched = vec![None; points.len() * n_realisations];
        let tasks = quenched.iter_mut().enumerate();
        execution.for_each(
            tasks,
            || (),
            |(), (index, place)| {
                let (draw, realisation) = (index / n_realisations, index % n_realisations);
                *place = Some(quenched_point(&points[draw], realisation as u64));
                Ok(())
            },
        )?;
        Ok(Self {
            mean: points.iter().map(law_point).collect(),
            quenched: quenched.into_iter().flatten().collect(),
        })
    }

    /// The draws of which `estimator` takes the law's k_max. The law says nothing of last overlaps.
    pub fn draws(&self, estimator: Estimator) -> Draws<'_> {
        let points = match estimator {
            Estimator::SnrCrossing => &self.mean,
            Estimator::OneStep(_) | Estimator::FirstFailing(_) | Estimator::Last(_) => &self.quenched,
        };
        Draws { points }
    }
}
