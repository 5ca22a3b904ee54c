//! A finished draw as a file.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::kept;
use super::config::{CutoffConfig, CutoffSetting};
use crate::analysis::cutoff::{Agreement, CutoffPoint, compare_with_couplings};
use crate::analysis::matrix_free::MatrixFreeHebb;
use crate::couplings::Couplings;
use crate::datasets::{Manifold, ManifoldParameters, PatternStream};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::hebb_in_file;
use crate::spins::BlockMajor;

/// Where draws are kept.
pub(super) const FOLDER: &str = "points";
const FORMAT: u32 = 1;

/// What a file holds.
#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    program: String,
    /// The run's seed; that of the manifold is the point's.
    seed: u64,
    draw: u64,
    ranks: Option<usize>,
    #[serde(flatten)]
    measured: Measured,
}

/// What was measured of a draw.
#[derive(Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) point: CutoffPoint,
    /// Comparison with stored couplings, where asked for.
    pub(super) couplings: Option<Agreement>,
}

/// The place of a draw among the files.
pub(super) struct Record<'a> {
    config: &'a CutoffConfig,
    draw: u64,
    parameters: ManifoldParameters,
    n_steps: usize,
    compares: bool,
}

impl<'a> Record<'a> {
    pub(super) fn new(config: &'a CutoffConfig, setting: &CutoffSetting, draw: u64) -> Self {
        let parameters = config.parameters(setting, draw);
        let compares = config.compares_couplings(setting);
        Self { config, draw, parameters, n_steps: setting.n_steps, compares }
    }

    /// Its file, within the run directory.
    pub(super) fn name(&self) -> String {
        let ManifoldParameters { n_spins, n_patterns, n_features, n_active, exponent, .. } = self.parameters;
        let (seed, draw) = (self.config.seed, self.draw);
        format!(
            "{FOLDER}/eta{exponent}-n{n_spins}-p{n_patterns}-d{n_features}-l{n_active}-seed{seed}-draw{draw}.json"
        )
    }

    /// The manifold.
    pub(super) fn parameters(&self) -> &ManifoldParameters {
        &self.parameters
    }

    /// The draw, if the folder holds it.
    ///
    /// # Errors
    /// If the file is none of ours, damaged, or was measured with other options.
    pub(super) fn find(&self, folder: &Path) -> Result<Option<Measured>> {
        let path = folder.join(self.name());
        let what = "a finished draw of a feature cutoff";
        let Some(content) = kept::read::<Content>(&path, what)? else { return Ok(None) };
        let point = &content.measured.point;
        let facts = [
            ("format", content.format.to_string(), FORMAT.to_string()),
            ("N", point.n_spins.to_string(), self.parameters.n_spins.to_string()),
            ("P", point.n_patterns.to_string(), self.parameters.n_patterns.to_string()),
            ("D", point.n_features.to_string(), self.parameters.n_features.to_string()),
            ("L", point.n_active.to_string(), self.parameters.n_active.to_string()),
            ("eta", point.exponent.to_string(), self.parameters.exponent.to_string()),
            ("seed of the draw", point.seed.to_string(), self.parameters.seed.to_string()),
            ("steps", point.n_steps.to_string(), self.n_steps.to_string()),
            ("ranks", shown(content.ranks), shown(self.config.ranks)),
        ];
        for (what, found, expected) in facts {
            if found != expected {
                return Err(kept::other_parameters(&path, &format!("{what} {expected}"), found));
            }
        }
        if point.features.is_empty() {
            return Err(Error::format(&path, "features", "none"));
        }
        let lacks_comparison = self.compares && content.measured.couplings.is_none();
        Ok((!lacks_comparison).then_some(content.measured))
    }

    /// Keeps a finished point, compared with stored couplings first where that is asked for.
    ///
    /// # Errors
    /// If fields and stored couplings disagree, the file cannot be written, or interrupted.
    pub(super) fn write(&self, folder: &Path, point: CutoffPoint, execution: &Execution) -> Result<Measured> {
        let couplings = match self.compares {
            true => Some(self.compare(folder, point.n_measured(), execution)?),
            false => None,
        };
        let content = Content {
            format: FORMAT,
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).into(),
            seed: self.config.seed,
            draw: self.draw,
            ranks: self.config.ranks,
            measured: Measured { point, couplings },
        };
        kept::write(&folder.join(self.name()), &content)?;
        Ok(content.measured)
    }

    /// Fields of the features from couplings in a file beside the draws, mapped, and the exact ones.
    fn compare(&self, folder: &Path, n_features: usize, execution: &Execution) -> Result<Agreement> {
        let manifold = Manifold::new(self.parameters.clone())?;
        let folder = folder.join(FOLDER);
        let temporary = tempfile::Builder::new().prefix(".couplings.").suffix(".tmp").tempdir_in(&folder);
        let temporary = temporary.map_err(Error::io(&folder, "make a folder in this folder"))?;
        let path = temporary.path().join("J.safetensors");
        hebb_in_file(&manifold.generate(execution)?.train, &path, execution)?;
        let couplings = Couplings::open(&path, execution)?;
        let stream = PatternStream::new(&manifold, execution)?;
        let matrix_free = MatrixFreeHebb::new(&stream, self.config.memory, execution)?;
        let features = BlockMajor::from_rows(&manifold.features(n_features, execution)?);
        let agreement = compare_with_couplings(&couplings, &matrix_free, &features)?;
        if !agreement.holds() {
            let found = serde_json::to_string(&agreement).unwrap_or_default();
            return Err(Error::shape(
                "fields of stored couplings",
                "those of the patterns within rounding",
                found,
            ));
        }
        Ok(agreement)
    }
}

/// Tells how many draws the folder holds that the tables will not show.
///
/// # Errors
/// If the folder cannot be read.
pub(super) fn note_others<'a>(
    folder: &Path,
    asked_for: impl Iterator<Item = Record<'a>>,
    execution: &Execution,
) -> Result<()> {
    let asked_for: HashSet<String> = asked_for.map(|record| record.name()).collect();
    let path = folder.join(FOLDER);
    let entries = path.read_dir().map_err(Error::io(&path, "read this folder"))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let others =
        names.filter(|name| name.ends_with(".json") && !asked_for.contains(&format!("{FOLDER}/{name}")));
    match others.count() {
        0 => {}
        count => execution.progress().note(&format!(
            "note: {} holds {count} finished draws more, of sizes or options not asked for now; tables and figures are without \
             them",
            path.display()
        )),
    }
    Ok(())
}

fn shown(ranks: Option<usize>) -> String {
    ranks.map_or("as predicted".into(), |ranks| ranks.to_string())
}
