//! The Hebbian feature cutoff over decades of N: k_max ~ N^(1/2eta), with intervals, beside the laws.
//!
//! Every draw of a manifold is [`measure`]d without couplings and kept as a file of its own, `points/*.json`, before
//! the next one begins: a run that was stopped or killed goes on where it was, and one of more draws or sizes measures those alone
//! that are not there. Tables and figures are made anew at the end of each run, of the draws that it asks for:
//!
//! * `features.csv`: signal, noise and overlaps of each feature, mean over draws, with the terms of the full law and the
//!   poster's law beside them ([`theory::signal_and_noise`](crate::theory::signal_and_noise));
//! * `table.csv`: k_max of each size by every [`Estimator`](crate::analysis::cutoff::Estimator), with 95 % intervals,
//!   beside the full law ([`FullLaw`](crate::analysis::cutoff::FullLaw)) and the poster's;
//! * `fits.csv`: slopes of ln k_max against ln N, beside 1/(2 eta) and the slope of the full law at the same sizes.
//!
//! Every draw has features and patterns of its own: its seed comes from the run's seed, N, eta and the draw's number, so that
//! sizes are independent.

mod config;
mod figures;
mod records;
mod results;
mod summary;
mod tables;

use std::time::Instant;

use super::parameters::Parameters;
use super::run_directory::{Kept, RunDirectory};
use super::{Manifest, Options};
use crate::analysis::cutoff::{Agreement, CutoffPoint, measure};
use crate::analysis::matrix_free::MatrixFreeHebb;
use crate::error::Result;
use crate::execution::Execution;
use crate::storage::Overwrite;

use records::{Measured, Record};

pub use config::{CutoffConfig, CutoffSetting, SettingEstimate};
pub use results::{CouplingsRow, CutoffResults, FitRow, PointRow, SizeCutoff};

/// What the experiment writes beside the draws.
pub(super) const FILES: &[&str] = &[
    "features.csv",
    "table.csv",
    "fits.csv",
    "snr.svg",
    "snr.png",
    "figure.svg",
    "figure.png",
    "correction.svg",
    "correction.png",
];

/// Finished draws.
pub(super) const KEPT: Kept = Kept { folder: records::FOLDER, lock: ".cutoff.lock", grows: true };

/// All draws of one setting.
struct Size<'a> {
    setting: &'a CutoffSetting,
    points: Vec<CutoffPoint>,
    /// Comparison of all draws with stored couplings, where asked for.
    couplings: Option<Agreement>,
}

impl<'a> Size<'a> {
    fn new(setting: &'a CutoffSetting, draws: Vec<Measured>) -> Self {
        let mut couplings: Option<Agreement> = None;
        for of_draw in draws.iter().filter_map(|draw| draw.couplings.as_ref()) {
            couplings.get_or_insert_default().merge(of_draw);
        }
        Self { setting, points: draws.into_iter().map(|draw| draw.point).collect(), couplings }
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_cutoff(&CutoffConfig::varied(options)?, options, execution).map(|(manifest, _)| manifest)
}

/// The files of a setting's draws.
fn records<'a>(config: &'a CutoffConfig, setting: &'a CutoffSetting) -> impl Iterator<Item = Record<'a>> {
    (0..setting.n_draws).map(move |draw| Record::new(config, setting, draw))
}

/// Measures all draws of `config` that the output folder does not hold yet, all of them if it may be overwritten, and makes
/// tables and figures of them.
///
/// # Errors
/// If a parameter is out of range or the memory allowed too little for one of the settings, before any work; if the folder
/// holds a draw of the same name measured otherwise, is being written by another run or cannot be written; or interrupted,
/// with the draws finished so far kept.
pub fn run_cutoff(
    config: &CutoffConfig,
    options: &Options,
    execution: &Execution,
) -> Result<(Manifest, CutoffResults)> {
    let estimates = config.estimates(execution)?;
    let mut directory = RunDirectory::new("cutoff", options, config, FILES, KEPT)?;
    let _lock = directory.lock(FILES)?;
    // What is there is read, and refused if it does not fit, before anything is written.
    let mut found = Vec::new();
    for record in config.settings.iter().flat_map(|setting| records(config, setting)) {
        found.push(match options.overwrite {
            Overwrite::Replace => None,
            Overwrite::Refuse => record.find(directory.folder())?,
        });
    }
    records::note_others(
        directory.folder(),
        config.settings.iter().flat_map(|setting| records(config, setting)),
        execution,
    )?;
    directory.begin_anew()?;
    let begun = Instant::now();

    let total: f64 = estimates.iter().map(|estimate| estimate.products).sum();
    execution.progress().begin("feature cutoff", MatrixFreeHebb::work_units(total));
    let measured = measure_missing(config, &estimates, found, &mut directory, execution);
    execution.progress().end();
    let sizes = measured?;

    let results = CutoffResults::new(config, &sizes, execution)?;
    directory.table("features.csv", &tables::features(config, &sizes))?;
    directory.table("table.csv", &tables::cutoffs(&results))?;
    directory.table("fits.csv", &tables::fits(&results))?;
    directory.figure("snr", &figures::ratios(config, &sizes, &results))?;
    directory.figure("figure", &figures::cutoffs(&results))?;
    directory.figure("correction", &figures::corrections(&results))?;
    for fit in &results.fits {
        directory.result(&format!("slope_{}_eta_{}", fit.estimator, fit.exponent), fit.slope);
    }
    let summary = summary::summary(config, &sizes, &results, begun.elapsed());
    Ok((directory.finish(summary, execution)?, results))
}

/// All draws, sizes in the order of the settings: those in `found`, one place a draw, and the others measured and kept.
fn measure_missing<'a>(
    config: &'a CutoffConfig,
    estimates: &[SettingEstimate],
    found: Vec<Option<Measured>>,
    directory: &mut RunDirectory,
    execution: &Execution,
) -> Result<Vec<Size<'a>>> {
    let advance = |products: f64| execution.progress().advance(MatrixFreeHebb::work_units(products));
    let mut found = found.into_iter();
    let mut sizes = Vec::new();
    for (setting, estimate) in config.settings.iter().zip(estimates) {
        let of_draw = estimate.products / setting.n_draws as f64;
        let mut draws = Vec::new();
        for record in records(config, setting) {
            let draw = match found.next().flatten() {
                Some(draw) => {
                    advance(of_draw);
                    draw
                }
                None => {
                    let point = measure(record.parameters(), config.options(setting), execution)?;
                    advance((of_draw - point.effort.products).max(0.0));
                    record.write(directory.folder(), point, execution)?
                }
            };
            directory.holds(&record.name())?;
            draws.push(draw);
        }
        sizes.push(Size::new(setting, draws));
    }
    Ok(sizes)
}
