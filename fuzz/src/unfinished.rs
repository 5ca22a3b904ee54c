//! Runs that stop on the way, and the files that they leave in their folder.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use attractor::couplings::Couplings;
use attractor::execution::{Cancel, Execution, Keep, Progress, thread_pool};
use attractor::kernels::Isa;

use super::Folder;
use super::couplings::bits;

/// Files of a folder, with their names.
pub(super) type Files = Vec<(String, Vec<u8>)>;

/// Runs that keep everything in `folder`, as soon as it is finished, on the one thread that all of them share.
pub(super) fn keeping(folder: &Path) -> Execution {
    static EXECUTIONS: LazyLock<Box<dyn Fn() -> Execution + Send + Sync>> = LazyLock::new(|| {
        let thread = thread_pool(1).expect("a thread");
        Box::new(move || Execution::new(Arc::clone(&thread), Isa::detect()).expect("an instruction set"))
    });
    EXECUTIONS().keeping(Keep::new(folder, Duration::ZERO))
}

/// The same, cancelled when so many units are done.
pub(super) fn stopping(folder: &Path, units: u64) -> Execution {
    struct Stop(AtomicU64, Cancel);
    impl Progress for Stop {
        fn begin(&self, _: &str, _: u64) {}
        fn advance(&self, units: u64) {
            if self.0.fetch_sub(units, Ordering::Relaxed) <= units {
                self.1.cancel();
            }
        }
        fn end(&self) {}
        fn note(&self, _: &str) {}
    }
    let execution = keeping(folder);
    let cancel = execution.cancel().clone();
    execution.progress_to(Box::new(Stop(AtomicU64::new(units), cancel)))
}

/// A new folder with these files.
pub(super) fn folder_of(files: &Files) -> Folder {
    let folder = Folder::new();
    for (name, content) in files {
        folder.file(name, content);
    }
    folder
}

/// The files of a folder.
pub(super) fn files_of(folder: &Folder) -> Files {
    let entries = folder.path("").read_dir().unwrap().map(|entry| entry.unwrap());
    let mut files: Files = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// `content` with what stands for each of some names: hashes, which an input could not know.
pub(super) fn filled_in(content: &[u8], values: &[(String, String)]) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = content;
    while let Some((first, behind)) = rest.split_first() {
        match values.iter().find(|(name, _)| rest.starts_with(name.as_bytes())) {
            Some((name, value)) => {
                filled.extend(value.as_bytes());
                rest = &rest[name.len()..];
            }
            None => {
                filled.push(*first);
                rest = behind;
            }
        }
    }
    filled
}

/// All that has been learned, to the bit.
pub(super) fn learned(couplings: &Couplings) -> (Vec<u32>, Option<Vec<u32>>) {
    (bits(couplings.values()), couplings.theta().map(bits))
}
