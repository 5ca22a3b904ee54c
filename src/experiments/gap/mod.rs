//! Whether the number of learned features explains the test gaps: one curve for all P, epochs and eta?
//!
//! A claim of "Power-law feature statistics explain test reconstruction gaps in Associative Memories" is put to numbers on the
//! hidden manifold, pseudo-likelihood beside Hebb.
//!
//! The number of learned features explains 1 - m_test within an eta: almost all of its variance over P and epochs is on one
//! falling curve, where P explains little and epochs less than the number. It is not one curve for all eta, because ten
//! features are a larger part of the data the steeper the power law. The share of the training patterns' features that are
//! learned, sum of P_k over the learned by L P, is nearly one curve for all; near Hebb at eta = 2 the gap still varies at
//! the same share. m_train - m_test is a curve of neither: below loads of about 1 training patterns are stored whatever the
//! features, and where they are not it is near 0 at any number.

mod explanations;
mod figure;
mod summary;

use super::feature_learning::FeatureLearningConfig;
use super::parameters::Parameters;
use super::points;
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options};
use crate::error::Result;
use crate::execution::Execution;
use explanations::Explanations;

/// What the experiment writes beside the points.
pub(super) const FILES: &[&str] = &["table.csv", "explained.csv", "figure.svg", "figure.png"];

/// Finished loads of manifolds.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".gap.lock", grows: false };

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_gap(&FeatureLearningConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds measurements of other parameters, exists and may not be replaced or
/// cannot be written; or interrupted, with what is finished kept.
pub fn run_gap(config: &FeatureLearningConfig, options: &Options, execution: &Execution) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("gap", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let measurements = config.measure(&mut directory, options, execution)?;
    let explanations = Explanations::new(&measurements);
    directory.table("table.csv", &measurements.table())?;
    directory.table("explained.csv", &explanations.table())?;
    directory.figure("figure", &figure::figure(&measurements, &explanations))?;
    for (name, value) in summary::results(&explanations) {
        directory.result(&name, value);
    }
    let summary = summary::text(&explanations);
    directory.finish(summary, execution)
}
