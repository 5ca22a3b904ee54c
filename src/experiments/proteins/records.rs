//! A measured load of a sample as a file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::kept;
use super::ProteinsConfig;
use crate::error::{Error, Result};
use crate::potts::PottsObservables;

/// Where points are kept.
pub(super) const FOLDER: &str = "points";

/// What decides a point besides its sample and P.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Settings {
    format: u32,
    alignment: String, // BLAKE3
    /// Decides which sequences are unseen.
    most: usize,
    n_test: usize,
    lambda: f64,
    lr: f64,
    epochs: u64,
    fields: bool,
    n_states: usize,
    n_steps: u64,
    seed: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    program: String,
    /// The first where a file does not say.
    #[serde(default)]
    sample: u64,
    sequences: usize,
    settings: Settings,
    observed: Vec<PottsObservables>,
}

/// The place of a point among the files.
pub(super) struct Record {
    sample: u64,
    n_sequences: usize,
    settings: Settings,
}

impl Record {
    /// Those of a sample, one a load.
    pub(super) fn of_sample(config: &ProteinsConfig, alignment: &str, sample: u64) -> Vec<Self> {
        let record = |&n_sequences: &usize| Self::new(config, alignment, sample, n_sequences);
        config.sequences.iter().map(record).collect()
    }

    fn new(config: &ProteinsConfig, alignment: &str, sample: u64, n_sequences: usize) -> Self {
        let settings = Settings {
            format: 1,
            alignment: alignment.to_owned(),
            most: config.largest(),
            n_test: config.n_test,
            lambda: config.lambda,
            lr: config.lr,
            epochs: config.epochs,
            fields: config.fields,
            n_states: config.n_states,
            n_steps: config.n_steps,
            seed: config.seed,
        };
        Self { sample, n_sequences, settings }
    }

    /// P.
    pub(super) fn n_sequences(&self) -> usize {
        self.n_sequences
    }

    /// Its file, within the run directory.
    pub(super) fn name(&self) -> String {
        format!("{FOLDER}/p{}-sample{}.json", self.n_sequences, self.sample)
    }

    /// What was observed, if the folder holds it.
    ///
    /// # Errors
    /// If the file is none of ours, damaged, or was measured with other settings.
    pub(super) fn find(&self, folder: &Path) -> Result<Option<Vec<PottsObservables>>> {
        let path = folder.join(self.name());
        let Some(content) = kept::read::<Content>(&path, "a finished point of this experiment")? else {
            return Ok(None);
        };
        let of = |sample, n_sequences, settings: &Settings| {
            let settings = serde_json::to_string(settings).unwrap_or_default();
            format!("a point of sample {sample}, P = {n_sequences}, {settings}")
        };
        let expected = of(self.sample, self.n_sequences, &self.settings);
        let found = of(content.sample, content.sequences, &content.settings);
        if found != expected {
            return Err(kept::other_parameters(&path, &expected, found));
        }
        if content.observed.len() != super::VARIANTS.len() {
            let expected = format!("{} variants", super::VARIANTS.len());
            return Err(Error::format(&path, expected, content.observed.len().to_string()));
        }
        Ok(Some(content.observed))
    }

    /// Keeps a finished point.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&self, folder: &Path, observed: &[PottsObservables]) -> Result<()> {
        let content = Content {
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).into(),
            sample: self.sample,
            sequences: self.n_sequences,
            settings: self.settings.clone(),
            observed: observed.to_vec(),
        };
        kept::write(&folder.join(self.name()), &content)
    }
}
