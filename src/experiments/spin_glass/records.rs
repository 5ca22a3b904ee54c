//! The samples and finished loads as files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::kept;
use super::SpinGlassConfig;
use crate::datasets::DataSet;
use crate::error::{Error, Result};
use crate::storage::Overwrite;

/// Where they are kept.
pub(super) const FOLDER: &str = "points";
const FORMAT: u32 = 1;
/// The entry of the samples that says what they were made for.
const KEY: &str = "experiment";

/// What was measured at a load. Overlaps are means over final states with their own starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) n_patterns: usize,
    pub(super) train: f64,
    pub(super) test: f64,
    pub(super) random: f64,
    pub(super) fixed_fraction: f64,
    pub(super) loss: f64,
    pub(super) lambda_eff: f64,
    pub(super) asymmetry: f64,
    pub(super) gamma: f64,
    pub(super) gamma_bonds: f64,
    pub(super) gamma_absent: f64,
    pub(super) slope: f64,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    program: String,
    /// Every parameter but the loads.
    parameters: String,
    point: Point,
}

/// The files of a run.
pub(super) struct Records<'a> {
    config: &'a SpinGlassConfig,
    folder: PathBuf,
    parameters: String,
}

impl<'a> Records<'a> {
    /// Within the run directory `folder`.
    pub(super) fn new(config: &'a SpinGlassConfig, folder: &Path) -> Result<Self> {
        // Loads can be added, unless they change the samples.
        let largest = config.patterns.last().copied().into_iter().collect();
        let shared = SpinGlassConfig { patterns: largest, ..config.clone() };
        let parameters = serde_json::to_string(&shared)
            .map_err(|error| Error::format(folder, "parameters JSON can hold", error.to_string()))?;
        Ok(Self { config, folder: folder.to_owned(), parameters })
    }

    /// The file of the samples, within the run directory.
    pub(super) fn data_name(&self) -> String {
        format!("{FOLDER}/samples-seed{}.safetensors", self.config.seed)
    }

    /// The file of a load.
    pub(super) fn name(&self, n_patterns: usize) -> String {
        format!("{FOLDER}/p{n_patterns}-seed{}.json", self.config.seed)
    }

    /// The samples, if the folder holds them.
    ///
    /// # Errors
    /// If the file is none of ours or was made for other parameters.
    pub(super) fn find_data(&self) -> Result<Option<DataSet>> {
        let path = self.folder.join(self.data_name());
        if !path.exists() {
            return Ok(None);
        }
        let data = DataSet::open(&path)?;
        let found = data.provenance.get(KEY).map_or("", String::as_str);
        self.check(&path, found).map(|()| Some(data))
    }

    pub(super) fn keep_data(&self, data: &mut DataSet) -> Result<()> {
        data.provenance.insert(KEY.into(), self.parameters.clone());
        data.write(&self.folder.join(self.data_name()), Overwrite::Replace)
    }

    /// A load, if the folder holds it.
    ///
    /// # Errors
    /// If the file is none of ours, damaged, or was measured with other parameters.
    pub(super) fn find(&self, n_patterns: usize) -> Result<Option<Point>> {
        let path = self.folder.join(self.name(n_patterns));
        let Some(content) = kept::read::<Content>(&path, "a finished load")? else { return Ok(None) };
        if content.format != FORMAT || content.point.n_patterns != n_patterns {
            let expected = format!("format {FORMAT} and P = {n_patterns}");
            let found = format!("format {} and P = {}", content.format, content.point.n_patterns);
            return Err(Error::format(&path, expected, found));
        }
        self.check(&path, &content.parameters).map(|()| Some(content.point))
    }

    pub(super) fn keep(&self, point: &Point) -> Result<()> {
        let path = self.folder.join(self.name(point.n_patterns));
        let content = Content {
            format: FORMAT,
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).into(),
            parameters: self.parameters.clone(),
            point: point.clone(),
        };
        kept::write(&path, &content)
    }

    fn check(&self, path: &Path, found: &str) -> Result<()> {
        if found == self.parameters {
            return Ok(());
        }
        Err(kept::other_parameters(path, &self.parameters, found))
    }
}
