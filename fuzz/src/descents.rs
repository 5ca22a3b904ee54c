//! What a descent keeps in the folder of its run: `descent.json`, and the generation of J that it names.

use std::path::Path;
use std::sync::LazyLock;

use attractor::Result;
use attractor::dynamics::random_states;
use attractor::execution::Memory;
use attractor::learning::{Initial, PseudoLikelihood, Route, Trainer};
use attractor::spins::SpinMatrix;
use serde_json::Value;

use super::unfinished::{Files, files_of, filled_in, folder_of, keeping, learned};
use super::{Folder, accepted};

/// Epochs at which runs are stopped, and at which they end.
const STOP: u64 = 2;
const END: u64 = 4;

const CHECKPOINT: &str = "descent.json";

type Learned = (Vec<u32>, Option<Vec<u32>>);

/// A run that was stopped, in whose folder files are changed.
struct Run {
    parameters: PseudoLikelihood,
    /// Whether generations are files all the time.
    in_files: bool,
    left: Files,
    /// What an input names: the run, which generation is kept, and its hash.
    values: Vec<(String, String)>,
    /// What it comes to.
    whole: Learned,
}

/// On couplings with fields and momentum and on coefficients of the patterns, in memory and in files: all that is kept.
static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let direct = PseudoLikelihood { theta: true, momentum: 0.5, ..PseudoLikelihood::new(0.3, 0.5) };
    let gram = PseudoLikelihood { route: Route::Gram, ..PseudoLikelihood::new(0.3, 0.5) };
    let runs = [(&direct, false), (&direct, true), (&gram, false), (&gram, true)];
    runs.into_iter().map(|(parameters, in_files)| Run::new(parameters.clone(), in_files)).collect()
});

static PATTERNS: LazyLock<SpinMatrix> = LazyLock::new(|| random_states(5, 20, 1).unwrap());

/// In place of `descent.json` and of the last bytes of all other files, one at a time.
pub(super) fn descent(content: &[u8]) {
    for run in RUNS.iter() {
        run.with(CHECKPOINT, |_| filled_in(content, &run.values), has_hash(content));
        for (name, _) in run.left.iter().filter(|(name, _)| name != CHECKPOINT) {
            run.with(
                name,
                |file| {
                    let kept = file.len().saturating_sub(content.len());
                    [&file[..kept], content].concat()
                },
                true,
            );
        }
    }
}

/// Whether generations are held to a hash: since version 2 of the format. Of what was written before, any epoch is believed.
fn has_hash(checkpoint: &[u8]) -> bool {
    let version =
        serde_json::from_slice(checkpoint).ok().and_then(|entries: Value| entries["format_version"].as_u64());
    version.is_none_or(|version| version > 1)
}

/// The epochs from which the runs go on with this as `descent.json`; none where it is refused.
pub fn epochs(content: &[u8]) -> Vec<Option<u64>> {
    let epoch = |run: &Run| {
        let folder = run.folder_with(CHECKPOINT, |_| filled_in(content, &run.values));
        run.trained(&folder.path(""), 0).ok().map(|(epoch, _)| epoch)
    };
    RUNS.iter().map(epoch).collect()
}

impl Run {
    fn new(parameters: PseudoLikelihood, in_files: bool) -> Self {
        let mut run =
            Self { parameters, in_files, left: Files::new(), values: Vec::new(), whole: Learned::default() };
        let (stopped, whole) = (Folder::new(), Folder::new());
        run.trained(&stopped.path(""), STOP).unwrap();
        run.whole = run.trained(&whole.path(""), END).unwrap().1;
        run.left = files_of(&stopped);
        let checkpoint: Value = serde_json::from_slice(&run.file(CHECKPOINT)).unwrap();
        let value = |entry: &str| checkpoint[entry].as_str().unwrap().to_owned();
        run.values = [("RUN", "run"), ("GENERATION", "generation"), ("HASH", "blake3")]
            .map(|(name, entry)| (name.to_owned(), value(entry)))
            .into();
        run
    }

    fn file(&self, name: &str) -> Vec<u8> {
        self.left.iter().find(|file| file.0 == name).unwrap().1.clone()
    }

    /// Goes on from what `folder` holds; from which epoch, and what comes of it at another.
    fn trained(&self, folder: &Path, epoch: u64) -> Result<(u64, Learned)> {
        let budget = if self.in_files { 0 } else { u64::MAX };
        let execution = keeping(folder).with_memory(Memory::limited(budget, Some(folder)));
        let mut trainer = Trainer::new(&*PATTERNS, self.parameters.clone(), &Initial::Hebb, 0.1, &execution)?;
        let first = trainer.epoch();
        trainer.advance_to(epoch)?;
        Ok((first, learned(trainer.couplings())))
    }

    /// A folder like the one that was left, but for one file.
    fn folder_with(&self, name: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> Folder {
        let folder = folder_of(&self.left);
        folder.file(name, &change(&self.file(name)));
        folder
    }

    /// Goes on with such a folder: if it `must`, to the same end, or not at all.
    fn with(&self, name: &str, change: impl Fn(&[u8]) -> Vec<u8>, must: bool) {
        let folder = self.folder_with(name, change);
        if let Some((_, found)) = accepted(&folder.path(""), self.trained(&folder.path(""), END)) {
            assert!(!must || found == self.whole, "{name}: other couplings");
        }
    }
}
