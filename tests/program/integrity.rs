//! Files that have changed since they were written: told, never used in silence.

use crate::harness::Program;
use crate::refusal::refused;
use attractor::couplings::Couplings;
use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties, random_states};
use attractor::execution::Execution;
use attractor::learning::hebb;
use attractor::storage::Overwrite;

fn verdicts(program: &Program, files: &str) -> (bool, serde_json::Value) {
    let output = program.command(&format!("verify {files} --json")).output().unwrap();
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn every_kind_of_output_can_be_verified() {
    let program = Program::new();
    program.run("generate manifold --n 80 --patterns 20 --features 9 --test 5 -o data");
    program.run("train data -o J --epochs 3 --snapshots 1");
    program.run("train data -o out-of-core --rule hebb --normalise");
    program.run("recall J data -o states");
    program.run("census J data --states 5 -o census");
    let files = "data J J-epoch-1.safetensors out-of-core states census.safetensors";
    let (is_sound, found) = verdicts(&program, files);
    assert!(is_sound, "{found}");
    assert!(found.as_array().unwrap().iter().all(|finding| finding["state"] == "whole"), "{found}");

    let path = program.path("J");
    let mut content = std::fs::read(&path).unwrap();
    let last = content.len() - 2;
    content[last] ^= 1;
    std::fs::write(&path, &content).unwrap();
    std::fs::write(program.path("states"), &content[..last]).unwrap();
    std::fs::write(program.path("foreign"), "nothing of ours").unwrap();
    let (is_sound, found) = verdicts(&program, "data J states foreign nowhere");
    assert!(!is_sound);
    let states: Vec<_> = found.as_array().unwrap().iter().map(|finding| finding["state"].clone()).collect();
    assert_eq!(states, ["whole", "changed", "unreadable", "unreadable", "unreadable"]);
}

#[test]
fn the_files_of_an_experiment_are_compared_with_its_manifest() {
    let program = Program::new();
    program.run("cutoff --n 64,128 --patterns 200 --features 20 --exponent 1.5 -o cutoff");
    let (is_sound, found) = verdicts(&program, "cutoff");
    assert!(is_sound && found.as_array().unwrap().len() > 3, "{found}");
    let tables = std::fs::read_dir(program.path("cutoff")).unwrap().map(|entry| entry.unwrap().path());
    let mut tables = tables.filter(|path| path.extension().is_some_and(|extension| extension == "csv"));
    std::fs::write(tables.next().unwrap(), "mine").unwrap();
    std::fs::remove_file(tables.next().unwrap()).unwrap();
    let (is_sound, found) = verdicts(&program, "cutoff");
    let states: Vec<_> = found.as_array().unwrap().iter().map(|finding| finding["state"].clone()).collect();
    assert!(!is_sound && states.contains(&"changed".into()) && states.contains(&"missing".into()), "{found}");
}

#[test]
fn a_folder_of_shards_is_verified_shard_by_shard() {
    let program = Program::new();
    program.run("generate random --n 128 --patterns 20 -o data");
    std::fs::create_dir(program.path("shards")).unwrap();
    for rows in ["0..64", "64..128"] {
        program.run(&format!("train data --rule hebb --rows {rows} -o shards/rows-{rows}.safetensors"));
    }
    let (is_sound, found) = verdicts(&program, "shards");
    assert!(is_sound && found.as_array().unwrap().len() == 2, "{found}");

    let path = program.path("shards/rows-64..128.safetensors");
    let mut content = std::fs::read(&path).unwrap();
    // J[127, 126], a finite value still.
    let at = content.len() - 8;
    content[at] ^= 1;
    std::fs::write(&path, &content).unwrap();
    let (is_sound, found) = verdicts(&program, "shards");
    assert!(!is_sound && found[0]["state"] == "whole" && found[1]["state"] == "changed", "{found}");
    // Nor is it used: a bit that has flipped would be in all that comes of it.
    for arguments in ["join shards -o J", "recall shards data -o states"] {
        refused(&program, arguments, &["rows-64..128", "changed since"]);
    }
    let path = program.path("data");
    let mut content = std::fs::read(&path).unwrap();
    *content.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &content).unwrap();
    refused(&program, "train data -o J", &["data", "changed since"]);

    std::fs::create_dir(program.path("empty")).unwrap();
    let refused = program.command("verify empty").output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("*.safetensors"));
}

/// Between two steps at the latest.
#[test]
fn a_mapped_file_that_shrinks_is_an_error() {
    let execution = Execution::with_threads(2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("J.safetensors");
    let patterns = random_states(10, 300, 1).unwrap();
    hebb(&patterns, &execution).unwrap().write(&path, Overwrite::Refuse).unwrap();
    let (mapped, loaded) =
        (Couplings::open(&path, &execution).unwrap(), Couplings::load(&path, &execution).unwrap());
    let dynamics = ParallelDynamics { stop: Stop::After(3), ties: Ties::Keep };
    let run = |couplings: &Couplings| dynamics.run(couplings, &patterns, &patterns, &execution);
    let expected = run(&mapped).unwrap().states;
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(100_000).unwrap();
    for error in [run(&mapped).map(drop), mapped.row_norms(&execution).map(drop)] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("J.safetensors") && error.contains("100000"), "{error}");
    }
    assert!(run(&loaded).unwrap().states == expected);
    assert!(Couplings::load(&path, &execution).is_err());
}

/// In memory, and in a temporary file where there is too little.
#[test]
fn couplings_that_are_read_whole_give_the_same_states() {
    let program = Program::new();
    program.run("generate random --n 500 --patterns 60 -o data");
    program.run("train data -o J --rule hebb");
    program.run("recall J data --overlap 0.7 -o mapped");
    for (options, output) in [("", "loaded"), ("--memory 900kB", "from-disk")] {
        program.run(&format!("recall J data --overlap 0.7 -o {output} --no-mmap {options} --threads 1"));
        let states = |file: &str| {
            let part = program.path(&format!("{file}.npy"));
            program.run(&format!("export {file} -o {file}.npy --force"));
            std::fs::read(part).unwrap()
        };
        assert!(states(output) == states("mapped"));
    }
    // What cannot do with so little says how much it needs.
    let refused = program.command("recall J data --memory 1kB").output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2));
    assert!(message.contains("memory: expected at least"), "{message}");
}
