//! What every reader of files is held to, whatever the bytes: it returns a value or an error that names the file, and what was
//! read reads back equal after it was written.
//!
//! The fuzz targets run these functions on inputs of their making, `tests/corpus.rs` on the inputs in `corpus/`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use attractor::execution::Execution;
use attractor::{Error, Result};
use tempfile::TempDir;

mod alignments;
mod arrays;
mod bonds;
mod container;
mod couplings;
pub mod descents;
mod images;
pub mod measurements;
pub mod mutations;
mod numbers;
mod parameters;
mod runs;
mod shards;
mod states;
mod tables;
pub mod task_logs;
mod unfinished;

/// A target: its name, which is that of its corpus, and what it does with the content of a file.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 24] = [
    ("alignment", alignments::alignment),
    ("attractors", states::attractors),
    ("bonds", bonds::bonds),
    ("container", container::container),
    ("couplings", couplings::couplings),
    ("data_set", states::data_set),
    ("descent", descents::descent),
    ("distances", bonds::distances),
    ("fasta", alignments::fasta),
    ("idx", images::idx),
    ("manifest", runs::manifest),
    ("mask", bonds::mask),
    ("measurements", measurements::measurements),
    ("npy", arrays::npy),
    ("numbers", numbers::numbers),
    ("parameters", parameters::parameters),
    ("picture", runs::picture),
    ("potts_couplings", couplings::potts_couplings),
    ("potts_states", states::potts_states),
    ("shards", shards::shards),
    ("spin_lines", numbers::spin_lines),
    ("states", states::states),
    ("table", tables::table),
    ("task_log", task_logs::task_log),
];

/// Runs the target of that name.
///
/// # Panics
/// If there is none, or its reader breaks what it is held to.
pub fn run(name: &str, content: &[u8]) {
    let target = TARGETS.iter().find(|target| target.0 == name);
    target.expect("a target of that name").1(content);
}

/// A folder in memory, if the system has such, with files to read; it goes with this.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let place = if memory.is_dir() { memory } else { &temporary };
        Self(
            tempfile::Builder::new().prefix("attractor-fuzz.").tempdir_in(place).expect("a temporary folder"),
        )
    }

    /// Writes a file.
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a temporary file");
        path
    }

    /// Where a file would be.
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// What was read, if it was. An error has to name the file.
fn accepted<T>(path: &Path, read: Result<T>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains(&*path.to_string_lossy()), "no file in the message: {message}");
            let is_of_files = matches!(error, Error::Format { .. } | Error::Io { .. });
            assert!(is_of_files, "another error than that of a file: {error:?}");
            None
        }
    }
}

/// One thread: what is read does not depend on their number.
fn execution() -> &'static Execution {
    static EXECUTION: OnceLock<Execution> = OnceLock::new();
    EXECUTION.get_or_init(|| Execution::with_threads(1).expect("a thread"))
}
