//! The corpus of the fuzz targets, replayed: every input, valid or not, by the functions that the targets run.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use attractor::storage::NpyArray;
use fuzz::mutations::{self, OfForm};
use safetensors::SafeTensors;

/// The inputs of a target.
fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    inputs
}

/// Runs `run` on the whole corpus of a target; a failure names the input.
fn replay(target: &str, run: fn(&[u8])) {
    let inputs = inputs(target);
    assert!(!inputs.is_empty(), "{target} has no input");
    for input in inputs {
        let content = std::fs::read(&input).unwrap();
        assert!(std::panic::catch_unwind(|| run(&content)).is_ok(), "{}", input.display());
    }
}

macro_rules! replayed {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target), |content| fuzz::run(stringify!($target), content));
        })*

        /// A target that is added to the functions has a test, a program that cargo-fuzz runs, and a corpus.
        #[test]
        fn every_target_is_replayed_and_fuzzed() {
            let targets: BTreeSet<_> = fuzz::TARGETS.iter().map(|target| target.0.to_owned()).collect();
            let replayed: BTreeSet<_> = [$(stringify!($target).to_owned()),*].into();
            assert_eq!(replayed, targets);
            let stems = |folder: &str| -> BTreeSet<_> {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
                let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
                names.map(|name| name.file_stem().unwrap().to_string_lossy().into_owned()).collect()
            };
            assert_eq!(stems("fuzz_targets"), targets);
            assert_eq!(stems("corpus"), targets);
        }
    };
}

replayed! {
    alignment attractors bonds container couplings data_set descent distances fasta idx manifest mask measurements npy numbers parameters
    picture     potts_couplings potts_states shards spin_lines states table task_log
}

/// Whatever numbers a kept measurement holds, what it is made into is written.
#[test]
fn measurements_become_tables_and_figures() {
    replay("measurements", fuzz::measurements::figures);
}

/// What a run leaves behind is gone on from, not merely refused or done again.
#[test]
fn kept_work_is_found() {
    let input = |target: &str, name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        std::fs::read(folder.join(name)).unwrap()
    };
    assert_eq!(fuzz::descents::epochs(&input("descent", "epoch-2")), [Some(2); 4]);
    assert!(fuzz::task_logs::are_found(&input("task_log", "two-panels")));
    assert!(!fuzz::task_logs::are_found(&input("task_log", "first-panel")));
}

/// Of the mutations of a corpus, mutated again and again, the share that `is_of_form`.
fn share_of_form(target: &str, form: OfForm, is_of_form: impl Fn(&[u8]) -> bool) -> f64 {
    const LONGEST: usize = 1 << 14;
    let (mut n_mutations, mut n_of_form) = (0, 0);
    for input in inputs(target) {
        let mut content = std::fs::read(input).unwrap();
        for seed in 0..100 {
            let mut size = content.len();
            content.resize(LONGEST, 0);
            size = mutations::mutate(form, &mut content, size, LONGEST, seed, |_, size, _| size);
            content.truncate(size);
            n_mutations += 1;
            n_of_form += u32::from(is_of_form(&content));
        }
    }
    f64::from(n_of_form) / f64::from(n_mutations)
}

/// What a mutation keeps a container for: a header that can be read, and data that it accounts for. Shapes beyond memory, which
/// are among the mutations, have none, and some inputs have no form to keep.
#[test]
fn mutations_keep_the_form_of_a_file() {
    let of_form = |content: &[u8]| SafeTensors::deserialize(content).is_ok();
    let share = share_of_form("couplings", mutations::container, of_form);
    assert!(share > 0.3, "{share}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let of_form = |content: &[u8]| {
        std::fs::write(file.path(), content).unwrap();
        NpyArray::open(file.path()).is_ok()
    };
    let share = share_of_form("npy", mutations::npy, of_form);
    assert!(share > 0.3, "{share}");
    let of_form = |content: &[u8]| {
        let text = String::from_utf8_lossy(content).replace("RUN", "1").replace("RESULT", "");
        text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    };
    let share = share_of_form("task_log", mutations::json_lines, of_form);
    assert!(share > 0.3, "{share}");
}
