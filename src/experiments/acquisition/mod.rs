//! In which order features are learned: pseudo-likelihood beside Hebb.
//!
//! A claim of "Power-law feature statistics explain test reconstruction gaps in Associative Memories" is put to numbers on the
//! hidden manifold at eta = 1, 1.5 and 2, over all loads and epochs. A feature is learned where its final overlap,
//! started from itself, is at least 0.9; the tables have the other estimators of the cutoff beside it.
//!
//! Frequent features come first. Hebb couplings, from which training starts, have the first few; training adds the others
//! in the order of their ranks, with exceptions among neighbours. The rank correlation of k with the first epoch or load is
//! given over the features that are learned, and over all, where those never learned tie behind the last. In data the order
//! holds for where a feature is learned first; what does not hold is that more data means more features at a given number
//! of epochs. Fields of the Hebb start grow with P, and the same epochs undo less of them: at the largest loads and
//! eta >= 1.5 the number falls again, with a loss far above its minimum. From zero couplings
//! (`train --init zero`, tried at N = 300 only) it goes on rising there.

mod curves;
mod order;
mod ranks;
mod raster;
mod summary;

use super::feature_learning::FeatureLearningConfig;
use super::parameters::Parameters;
use super::points;
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options};
use crate::error::Result;
use crate::execution::Execution;

/// What the experiment writes beside the points.
pub(super) const FILES: &[&str] = &[
    "table.csv",
    "features.csv",
    "figure.svg",
    "figure.png",
    "by-load.svg",
    "by-load.png",
    "learned.svg",
    "learned.png",
    "order.svg",
    "order.png",
];

/// Finished loads of manifolds.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".acquisition.lock", grows: false };

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_acquisition(&FeatureLearningConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range; if the output holds measurements of other parameters, exists and may not be replaced or
/// cannot be written; or interrupted, with what is finished kept.
pub fn run_acquisition(
    config: &FeatureLearningConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("acquisition", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    let measurements = config.measure(&mut directory, options, execution)?;
    directory.table("table.csv", &measurements.table())?;
    directory.table("features.csv", &order::table(&measurements))?;
    directory.figure("figure", &raster::by_epoch(&measurements))?;
    directory.figure("by-load", &raster::by_load(&measurements))?;
    directory.figure("learned", &curves::figure(&measurements))?;
    directory.figure("order", &order::figure(&measurements))?;
    for (name, value) in summary::results(&measurements) {
        directory.result(&name, value);
    }
    let summary = summary::text(&measurements);
    directory.finish(summary, execution)
}
