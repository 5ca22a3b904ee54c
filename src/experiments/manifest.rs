//! The manifest of a run: what its folder holds, how that came about, and what was seen.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, Result};
use crate::execution::Execution;

/// Name of its file. It is written last: where it stands, the run is complete.
pub(super) const MANIFEST: &str = "manifest.json";
/// Name of the file of the parameters.
pub(super) const CONFIG: &str = "config.toml";

/// What a run directory holds and how it came about. Entries with a default are not in the files of earlier versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub experiment: String,
    pub program: String,
    pub command: String,
    pub seconds: f64,
    /// When it was written, RFC 3339 in UTC.
    #[serde(default)]
    pub finished: String,
    /// Operating system and processor, such as "linux x86_64".
    #[serde(default)]
    pub machine: String,
    /// Name of the instruction set of the kernels.
    #[serde(default)]
    pub instruction_set: String,
    #[serde(default)]
    pub threads: usize,
    /// BLAKE3 of each input.
    pub inputs: BTreeMap<String, String>,
    /// BLAKE3 of each file written.
    pub files: BTreeMap<String, String>,
    /// The figures in the order of the experiment.
    #[serde(default)]
    pub figures: Vec<FigureNote>,
    /// The experiment's key figures.
    #[serde(deserialize_with = "numbers")]
    pub results: BTreeMap<String, f64>,
    /// A few lines for people.
    #[serde(default)]
    pub summary: String,
}

/// What a figure of a run shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureNote {
    /// Its files are this name with .svg and .png, or .png alone.
    pub name: String,
    /// One sentence: what is seen, with the run's own numbers.
    pub caption: String,
    /// Panels, axes and curves, for who does not see it.
    pub description: String,
}

impl Manifest {
    /// Of a run that begins.
    pub(super) fn new(experiment: &str, command: &str) -> Self {
        Self {
            experiment: experiment.into(),
            program: concat!("attractor ", env!("CARGO_PKG_VERSION")).into(),
            command: command.into(),
            seconds: 0.0,
            finished: String::new(),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            instruction_set: String::new(),
            threads: 0,
            inputs: BTreeMap::new(),
            files: BTreeMap::new(),
            figures: Vec::new(),
            results: BTreeMap::new(),
            summary: String::new(),
        }
    }

    /// Notes that the run is over, and on what it ran.
    pub(super) fn finished_on(&mut self, execution: &Execution, seconds: f64) {
        self.seconds = seconds;
        self.finished = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        self.instruction_set = execution.isa().name().into();
        self.threads = execution.n_threads();
    }

    /// Reads the manifest of a run's folder.
    ///
    /// # Errors
    /// If it is no folder, the run is not finished, or the file is no manifest.
    pub fn read(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            let found = if folder.exists() { "a file" } else { "no such folder" };
            return Err(Error::format(folder, "a folder that attractor reproduce wrote", found));
        }
        let path = folder.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let found = match folder.join(CONFIG).is_file() {
                    true => "a run that is not finished (the same attractor reproduce ends it)",
                    false => "no run",
                };
                return Err(Error::format(&path, "the manifest of a finished run", found));
            }
            Err(error) => return Err(Error::io(&path, "read")(error)),
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::format(&path, "the manifest of a run", error.to_string()))
    }

    /// Names of the files for people, without those of single measurements in folders of their own.
    pub fn tables_and_figures(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|name| !name.contains('/'))
    }
}

/// Numbers by name; JSON has null for those that are not finite.
fn numbers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<String, f64>, D::Error> {
    let numbers = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}
