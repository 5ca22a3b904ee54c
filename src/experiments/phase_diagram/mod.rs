//! Phases of the hidden manifold over load and feature load, as in arXiv:2507.05147: where pseudo-likelihood stores patterns, where
//! features and unseen examples become attractors; Hebb, from which it starts, beside it.
//!
//! Patterns are signs of L features of the same frequency (eta = 0) with random signs. Overlaps are those of final states with
//! their own starts, trained patterns, unseen examples of the same features and the features themselves. Every point of the
//! plane and sample is a file of its own, `points/*.json`: a run that was stopped goes on where it was.

mod measure;
mod results;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::points::{self, Place, measure_missing};
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options, patterns_at};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::PseudoLikelihood;
use measure::Record;
use results::Results;

/// What the experiment writes beside the points.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "hebb.svg", "hebb.png"];

/// Finished points.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".phase-diagram.lock", grows: false };

/// Parameters of the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseDiagramConfig {
    /// N.
    pub n_spins: usize,
    /// L.
    pub n_active: usize,
    /// P / N, ascending.
    pub loads: Vec<f64>,
    /// D / N, ascending.
    pub feature_loads: Vec<f64>,
    /// Manifolds of each point.
    pub n_samples: u64,
    /// lambda' and lr'.
    pub lambda: f64,
    pub lr: f64,
    /// Epochs, from the Hebb couplings.
    pub epochs: u64,
    /// Unseen examples, and states recalled of each kind.
    pub n_states: usize,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    pub seed: u64,
}

impl Parameters for PhaseDiagramConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/phase-diagram.toml"),
        quick: include_str!("../parameters/phase-diagram-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        checks::at_least("n_spins", 2, self.n_spins)?;
        checks::at_least("n_states", 1, self.n_states)?;
        checks::at_least("n_steps", 1, self.n_steps)?;
        checks::positive("lambda", self.lambda)?;
        checks::positive("lr", self.lr)?;
        // Two, so that points have edges.
        for (name, values) in [("loads", &self.loads), ("feature_loads", &self.feature_loads)] {
            checks::rising(name, values.iter().copied(), 2, checks::ABOVE_0)?;
        }
        let fewest = self.n_features(self.feature_loads[0]);
        if self.n_active == 0 || fewest < self.n_active as u64 {
            let expected = format!("from 1 to the {fewest} features of the smallest feature load");
            return Err(Error::parameter("n_active", expected, self.n_active));
        }
        Ok(())
    }
}

impl Estimated for PhaseDiagramConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        Ok(Cost::of_points(Record::all(self).map(|place| place.cost()), execution))
    }
}

impl PhaseDiagramConfig {
    /// N = 1000 and 22 x 22 points, or N = 300 and 8 x 8.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    /// P at a load.
    fn n_patterns(&self, load: f64) -> usize {
        patterns_at(load, self.n_spins)
    }

    fn learning(&self) -> PseudoLikelihood {
        PseudoLikelihood::in_paper_units(self.lambda, self.lr, self.n_spins)
    }

    /// D at a feature load.
    fn n_features(&self, feature_load: f64) -> u64 {
        (feature_load * self.n_spins as f64).round() as u64
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_phase_diagram(&PhaseDiagramConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds a point of the same name measured otherwise, exists and may not be
/// replaced or cannot be written; or interrupted, with the points finished so far kept.
pub fn run_phase_diagram(
    config: &PhaseDiagramConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("phase-diagram", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let records: Vec<Record<'_>> = Record::all(config).collect();
    let points = measure_missing(&records, "points of the plane", &mut directory, options, execution)?;
    let results = Results::new(config, &points);
    directory.table("table.csv", &results.table())?;
    directory.figure("figure", &results.figure())?;
    directory.figure("hebb", &results.hebb_figure())?;
    for (name, value) in results.named() {
        directory.result(&name, value);
    }
    let summary = results.summary();
    directory.finish(summary, execution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Overwrite;

    /// All points at once on one thread, or points that are left over on two: the same table, which holds a row a rule and point.
    #[test]
    fn a_run_that_goes_on_has_the_table_of_one_that_was_not_stopped() {
        let config = PhaseDiagramConfig {
            n_spins: 40,
            loads: vec![0.1, 2.0],
            feature_loads: vec![0.1, 0.5, 1.0],
            n_samples: 2,
            epochs: 5,
            n_states: 10,
            n_steps: 5,
            ..PhaseDiagramConfig::new(true, 3)
        };
        let folder = tempfile::tempdir().unwrap();
        let run = |n_threads: usize| {
            let options = Options::new(folder.path().join("run"), Overwrite::Refuse);
            run_phase_diagram(&config, &options, &Execution::with_threads(n_threads).unwrap()).unwrap();
            std::fs::read_to_string(folder.path().join("run/table.csv")).unwrap()
        };
        let whole = run(1);
        assert_eq!(whole.lines().count(), 1 + 2 * 2 * 3 * 2);
        let points = folder.path().join("run/points");
        for (index, entry) in points.read_dir().unwrap().enumerate() {
            if index % 3 == 0 {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        assert_eq!(run(2), whole);
        let other = PhaseDiagramConfig { epochs: 6, ..config.clone() };
        let options = Options::new(folder.path().join("run"), Overwrite::Refuse);
        let error = run_phase_diagram(&other, &options, &Execution::with_threads(1).unwrap()).unwrap_err();
        assert!(error.to_string().contains("epochs = 6"), "{error}");
    }
}
