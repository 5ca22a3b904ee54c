//! The states of a glass and finished loads as files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::kept;
use super::{GlassBonds, SpinGlassConfig};
use crate::datasets::DataSet;
use crate::error::{Error, Result};
use crate::storage::Overwrite;

/// Where they are kept.
pub(super) const FOLDER: &str = "points";
const FORMAT: u32 = 1;
/// The entry of the states that says what they were made for, and that of the seed of their glass.
const KEY: &str = "experiment";
const SEED: &str = "seed";

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
    /// Those of [`Shared`], as JSON.
    parameters: String,
    /// The first where a file does not say.
    #[serde(default)]
    sample: u64,
    point: Point,
}

/// What all loads and samples of a run share: both can be added.
#[derive(Serialize)]
struct Shared {
    side: usize,
    bonds: GlassBonds,
    periodic: bool,
    temperature: f64,
    /// The largest P alone, which decides the states.
    patterns: Vec<usize>,
    n_states: usize,
    lambda: f64,
    lr: f64,
    lr_decay: f64,
    epochs: u64,
    n_steps: u64,
    seed: u64,
}

impl Shared {
    fn of(config: &SpinGlassConfig) -> Self {
        let &SpinGlassConfig { side, bonds, periodic, temperature, n_states, n_samples: _, .. } = config;
        let &SpinGlassConfig { ref patterns, lambda, lr, lr_decay, epochs, n_steps, seed, .. } = config;
        let patterns = patterns.last().copied().into_iter().collect();
        Self {
            side,
            bonds,
            periodic,
            temperature,
            patterns,
            n_states,
            lambda,
            lr,
            lr_decay,
            epochs,
            n_steps,
            seed,
        }
    }
}

/// What the folder holds of a glass.
pub(super) struct Found {
    pub(super) has_states: bool,
    /// One entry a load.
    pub(super) points: Vec<Option<Point>>,
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
        let parameters = serde_json::to_string(&Shared::of(config))
            .map_err(|error| Error::format(folder, "parameters JSON can hold", error.to_string()))?;
        Ok(Self { config, folder: folder.to_owned(), parameters })
    }

    /// The file of the states of a glass, within the run directory.
    pub(super) fn states_name(&self, sample: u64) -> String {
        format!("{FOLDER}/samples-seed{}-sample{sample}.safetensors", self.config.seed)
    }

    /// The file of a load.
    pub(super) fn name(&self, sample: u64, n_patterns: usize) -> String {
        format!("{FOLDER}/p{n_patterns}-seed{}-sample{sample}.json", self.config.seed)
    }

    /// What the folder holds of a glass; of its states, whether they are there.
    ///
    /// # Errors
    /// As [`states`](Self::states) and [`point`](Self::point).
    pub(super) fn find(&self, sample: u64) -> Result<Found> {
        let has_states = self.states(sample)?.is_some();
        let points = self.config.patterns.iter().map(|&n_patterns| self.point(sample, n_patterns));
        Ok(Found { has_states, points: points.collect::<Result<_>>()? })
    }

    /// The states of a glass, if the folder holds them.
    ///
    /// # Errors
    /// If the file is none of ours or was made for other parameters or another sample.
    pub(super) fn states(&self, sample: u64) -> Result<Option<DataSet>> {
        let path = self.folder.join(self.states_name(sample));
        if !path.exists() {
            return Ok(None);
        }
        let states = DataSet::open(&path)?;
        let entry = |name: &str| states.provenance.get(name).map_or("", String::as_str);
        self.check(&path, entry(KEY))?;
        let seed = self.config.seed_of(sample).to_string();
        if entry(SEED) != seed {
            let expected = format!("states of the glass of seed {seed}");
            return Err(kept::other_parameters(&path, &expected, format!("seed {}", entry(SEED))));
        }
        Ok(Some(states))
    }

    pub(super) fn keep_states(&self, sample: u64, states: &mut DataSet) -> Result<()> {
        states.provenance.insert(KEY.into(), self.parameters.clone());
        states.write(&self.folder.join(self.states_name(sample)), Overwrite::Replace)
    }

    /// A load, if the folder holds it.
    ///
    /// # Errors
    /// If the file is none of ours, damaged, or was measured with other parameters.
    fn point(&self, sample: u64, n_patterns: usize) -> Result<Option<Point>> {
        let path = self.folder.join(self.name(sample, n_patterns));
        let Some(content) = kept::read::<Content>(&path, "a finished load")? else { return Ok(None) };
        let show = |format, n_patterns, sample| format!("format {format}, P = {n_patterns}, sample {sample}");
        let expected = show(FORMAT, n_patterns, sample);
        let found = show(content.format, content.point.n_patterns, content.sample);
        if found != expected {
            return Err(Error::format(&path, expected, found));
        }
        self.check(&path, &content.parameters).map(|()| Some(content.point))
    }

    pub(super) fn keep(&self, sample: u64, point: &Point) -> Result<()> {
        let path = self.folder.join(self.name(sample, point.n_patterns));
        let content = Content {
            format: FORMAT,
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).into(),
            parameters: self.parameters.clone(),
            sample,
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
