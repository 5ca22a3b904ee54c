//! Shards of rows, trained apart: joined they are the J of one run to the bit, and a folder of them is as good as it.

use std::path::Path;

use crate::harness::Program;
use crate::refusal::refused;
use attractor::couplings::Couplings;
use attractor::execution::Execution;
use attractor::storage::{Container, Description, Overwrite};
use serde_json::Value;

/// N = 200 is no multiple of 64; in one, two and three parts.
const PARTS: [&[&str]; 3] = [&["0..200"], &["0..128", "128..200"], &["128..192", "0..128", "192..200"]];

/// A folder with patterns at load 0.25 and 0.5, weighted ones, a mask and couplings to start from.
fn program() -> Program {
    let program = Program::new();
    program.run("generate random --n 200 --patterns 50 --test 5 -o small --quiet");
    program.run("generate random --n 200 --patterns 100 -o data --seed 1 --quiet");
    program.run("export small -o spins.npy --quiet");
    let weights: String = (0..50).map(|mu| format!("{}\n", mu % 4)).collect();
    std::fs::write(program.path("weights"), weights).unwrap();
    program.run("import npy spins.npy --weights weights -o weighted --quiet");
    let edges: String = (0..200)
        .flat_map(|i| (1..90).map(move |d| (i, (i + 2 * d) % 200)))
        .map(|(i, j)| format!("{i} {j}\n"))
        .collect();
    std::fs::write(program.path("edges"), edges).unwrap();
    program.run("train data --fields --epochs 3 -o start --quiet");
    program
}

/// Trains `arguments` in parts, into files of a folder of that name.
fn train_shards(program: &Program, arguments: &str, parts: &[&str], folder: &str) {
    std::fs::create_dir(program.path(folder)).unwrap();
    for (index, rows) in parts.iter().enumerate() {
        let output = format!("{folder}/shard-{index}.safetensors");
        program.run(&format!("train {arguments} --rows {rows} -o {output} --quiet"));
    }
}

fn open(path: &Path) -> Couplings {
    Couplings::open(path, &Execution::with_threads(1).unwrap()).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// What a file says of itself, apart from the command.
fn metadata(path: &Path) -> Description {
    let mut metadata = Container::open_any(path).unwrap().description().clone();
    metadata.remove("command");
    metadata
}

fn assert_same(program: &Program, joined: &str, whole: &str, case: &str) {
    let (joined, whole) = (program.path(joined), program.path(whole));
    let (found, expected) = (open(&joined), open(&whole));
    assert!(bits(found.values()) == bits(expected.values()), "{case}: other couplings");
    assert_eq!(found.theta().map(bits), expected.theta().map(bits), "{case}");
    assert_eq!(metadata(&joined), metadata(&whole), "{case}");
}

#[test]
fn joined_shards_are_the_couplings_of_one_run() {
    const CASES: [&str; 17] = [
        "small --epochs 7",
        "small --epochs 7 --init uniform --l2 0.1 --lr-decay 0.9",
        "small --epochs 7 --init random --route direct --l1 0.01",
        "data --epochs 5 --momentum 0.4 --fields",
        "data --epochs 5 --init start --init-scale 0.5",
        "data --epochs 5 --mask edges --fields --init zero",
        "data --epochs 3 --batch 30 --mask 0.4 --seed 3",
        "data --epochs 3 --batch 30 --drop-last --momentum 0.3 --lr-steps 1:0.5",
        "weighted --epochs 5 --fields",
        "data --solver lbfgs --l2 0.01",
        "weighted --solver lbfgs --fields --mask edges --max-iterations 20",
        "small --solver lbfgs --init start --max-iterations 3",
        "data --rule hebb",
        "data --rule hebb --normalise",
        "small --rule perceptron --kappa 0.3",
        "data --rule perceptron --kappa 1.5 --max-sweeps 100",
        "data --rule max-stability --tolerance 0.01",
    ];
    let program = program();
    for (case, arguments) in CASES.into_iter().enumerate() {
        let whole = format!("J-{case}");
        program.run(&format!("train {arguments} --eval-states 1 -o {whole} --quiet --threads 2"));
        for (index, parts) in PARTS.into_iter().enumerate() {
            let (folder, joined) = (format!("shards-{case}-{index}"), format!("joined-{case}-{index}"));
            train_shards(&program, &format!("{arguments} --eval-states 1 --threads 1"), parts, &folder);
            let files: Vec<String> =
                (0..parts.len()).map(|part| format!("{folder}/shard-{part}.safetensors")).collect();
            program.run(&format!("join {} -o {joined} --quiet", files.join(" ")));
            assert_same(&program, &joined, &whole, arguments);
        }
    }
}

/// Where arrays are files, those of a shard become its output as they lie.
#[test]
fn shards_out_of_core_are_the_same() {
    for options in [
        "small --epochs 7 --init uniform",
        "data --epochs 5 --momentum 0.4 --fields",
        "data --epochs 3 --batch 30",
        "data --solver lbfgs --l2 0.01 --fields",
        "data --rule hebb",
    ] {
        let program = program();
        program.run(&format!("train {options} -o J --eval-states 1 --quiet"));
        std::fs::create_dir(program.path("shards")).unwrap();
        for rows in ["0..64", "64..200"] {
            let run = format!(
                "train {options} --rows {rows} -o shards/{rows}.safetensors --eval-states 1 --threads 2"
            );
            let estimate = program.run(&format!("{run} --dry-run --json"));
            let estimate: Value = serde_json::from_slice(&estimate.stdout).unwrap();
            let bytes = |name: &str| estimate[name].as_u64().unwrap();
            let memory = bytes("memory_bytes") - bytes("array_bytes") / 2;
            program.run(&format!("{run} --memory {memory} --quiet"));
        }
        program.run("join shards -o joined --quiet");
        assert_same(&program, "joined", "J", options);
    }
}

/// A document without what differs from run to run.
fn document(program: &Program, arguments: &str) -> Value {
    let output = program.run(&format!("{arguments} --json"));
    let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for entry in ["seconds", "output", "kind", "metadata", "blake3"] {
        document.as_object_mut().unwrap().remove(entry);
    }
    document
}

#[test]
fn a_folder_of_shards_is_read_as_their_couplings() {
    let program = Program::new();
    program.run("generate spin-glass --side 12 --temperature 2 --patterns 60 -o data --quiet");
    let train = "data --fields --epochs 20 --lambda 2";
    program.run(&format!("train {train} -o J --quiet"));
    train_shards(&program, train, &["0..64", "64..128", "128..144"], "shards");
    // What stands beside them is no matter.
    for other in ["J", "data"] {
        std::fs::copy(program.path(other), program.path(&format!("shards/{other}.safetensors"))).unwrap();
    }
    std::fs::write(program.path("shards/notes"), "nothing").unwrap();
    for command in [
        "recall {J} data --overlap 0.8 --steps 20",
        "recall {J} data --dynamics sequential --order random --steps 5",
        "recall {J} data --temperature 0.5 --steps 3",
        "recall {J} data --no-mmap --memory 100MB",
        "basins {J} data --overlaps 0.2..1:5 --steps 10",
        "census {J} data --from random,train --states 50",
        "stabilities {J} data --theory pseudo-likelihood",
        "inverse-ising {J} data",
        "inspect {J}",
    ] {
        let found = document(&program, &command.replace("{J}", "shards"));
        assert_eq!(found, document(&program, &command.replace("{J}", "J")), "{command}");
    }
    for (path, output) in [("J", "a"), ("shards", "b")] {
        program.run(&format!("recall {path} data --overlap 0.8 -o states-{output} --quiet"));
        program.run(&format!("export states-{output} -o states-{output}.npy --quiet"));
        program.run(&format!("export {path} -o {output}.npy --quiet"));
        program.run(&format!("train data --init {path} --epochs 2 -o J-{output} --quiet"));
    }
    let read = |name: &str| std::fs::read(program.path(name)).unwrap();
    assert!(read("states-a.npy") == read("states-b.npy") && read("a.npy") == read("b.npy"));
    assert!(bits(open(&program.path("J-a")).values()) == bits(open(&program.path("J-b")).values()));
    let facts = document(&program, "inspect shards/shard-2.safetensors");
    assert_eq!(facts["tensors"]["J"], serde_json::json!(["F32", [16, 144]]));
}

/// Rows alone are told, under the numbers that neurons have in J.
#[test]
fn a_shard_tells_of_its_neurons() {
    let program = program();
    for rule in
        ["--epochs 4 --fields --l2 0.1", "--solver lbfgs --l2 0.01", "--rule max-stability --tolerance 0.1"]
    {
        let run = |rows: &str| {
            let output = format!(
                "train data {rule} {rows} -o J --per-neuron neurons.csv --eval-states 1 --json --force --quiet"
            );
            let document: Value = serde_json::from_slice(&program.run(&output).stdout).unwrap();
            (document, std::fs::read_to_string(program.path("neurons.csv")).unwrap())
        };
        let (whole, all) = run("");
        let (first, neurons) = run("--rows 0..128");
        let (second, others) = run("--rows 128..200");
        let lines: Vec<&str> = neurons.lines().chain(others.lines().skip(1)).collect();
        assert!(all.lines().eq(lines), "{rule}");
        assert_eq!((&second["rows"], whole.get("rows")), (&serde_json::json!([128, 200]), None));
        for pointer in ["/loss", "/objective", "/row_norm", "/stability/mean", "/stability/negative_fraction"]
        {
            let value = |document: &Value| document.pointer(pointer).unwrap().as_f64().unwrap();
            let mean = (128.0 * value(&first) + 72.0 * value(&second)) / 200.0;
            // Sums in another order.
            assert!((mean - value(&whole)).abs() <= 1e-12 * mean.abs(), "{rule} {pointer}");
        }
        let least = |document: &Value| document["stability"]["min"].as_f64().unwrap();
        assert_eq!(least(&whole), least(&first).min(least(&second)));
        assert!(second.get("overlap").is_none());
    }
}

/// A shard that was killed goes on, and its share is estimated.
#[test]
fn shards_resume_and_take_their_share() {
    let program = program();
    let run = "train data --epochs 6 -o J --eval-states 1";
    let bytes = |rows: &str| {
        let estimate = program.run(&format!("{run} {rows} --dry-run --json --threads 1"));
        serde_json::from_slice::<Value>(&estimate.stdout).unwrap()["array_bytes"].as_u64().unwrap()
    };
    assert_eq!(bytes("") * 72, bytes("--rows 128..200") * 200);
    let command = "train data --epochs 100000000 --rows 128..200 -o K --eval-states 1 --checkpoint 0s";
    let mut child = program.process(command).stderr(std::process::Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while !program.path("K.run/descent.json").exists() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "nothing is kept");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The same run with fewer epochs: what is kept serves both.
    let record = program.path("K.run/run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    let state: Value =
        serde_json::from_slice(&std::fs::read(program.path("K.run/descent.json")).unwrap()).unwrap();
    let epochs = state["epoch"].as_u64().unwrap() + 2;
    std::fs::write(&record, text.replace("100000000", &epochs.to_string())).unwrap();
    program.run("resume K --quiet");
    program.run(&format!("train data --epochs {epochs} --rows 128..200 -o L --eval-states 1 --quiet"));
    let values = |name: &str| {
        let shard = Couplings::open_shard(&program.path(name), &Execution::with_threads(1).unwrap()).unwrap();
        assert_eq!(shard.neurons(), 128..200);
        bits(shard.values())
    };
    assert!(values("K") == values("L"));
}

#[test]
fn what_is_no_whole_is_refused() {
    let program = program();
    program.run("generate random --n 128 --patterns 50 -o narrow --quiet");
    for (name, arguments) in [
        ("a", "data --epochs 2 --rows 0..64"),
        ("b", "data --epochs 2 --rows 64..192"),
        ("c", "data --epochs 2 --rows 192..200"),
        ("over", "data --epochs 2 --rows 128..200"),
        ("other-data", "small --epochs 2 --rows 192..200"),
        ("other-lambda", "data --epochs 2 --lambda 0.3 --rows 192..200"),
        ("other-epochs", "data --epochs 3 --rows 192..200"),
        ("other-seed", "data --epochs 2 --seed 1 --rows 192..200"),
        ("fields", "data --epochs 2 --fields --rows 192..200"),
        ("narrow-c", "narrow --epochs 2 --rows 64..128"),
        ("whole", "data --epochs 2"),
    ] {
        program.run(&format!("train {arguments} -o {name} --eval-states 1 --quiet"));
    }
    let before = program.files();
    let output = program.run("join c a b --dry-run --json -o joined");
    assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["output"] == "joined");
    assert!(program.files() == before, "a dry run writes nothing");
    for (files, words) in [
        ("a b", &["all 200 rows", "none with 192..200", "0..64 in a", "64..192 in b"][..]),
        ("a c", &["none with 64..192"]),
        ("b", &["none with 0..64 and 192..200"]),
        ("a b over", &["over: expected rows that no other", "rows 128..192", "in b too"]),
        ("a a b c", &["rows 0..64, which are in a too"]),
        ("a b other-data", &["other-data: ", "run of a", "different in", "data_blake3"]),
        ("a b other-lambda", &["other-lambda: ", "different in lambda"]),
        ("a b other-epochs", &["other-epochs: ", "different in epoch"]),
        ("a b other-seed", &["other-seed: ", "different in seed"]),
        ("a b fields", &["fields: ", "theta"]),
        ("a b narrow-c", &["narrow-c: ", "different in", "n,"]),
        ("a b whole", &["whole: ", "\"coupling rows\"", "\"couplings\""]),
        ("a b data", &["data: ", "\"coupling rows\"", "\"data set\""]),
        ("a b edges", &["edges: ", "safetensors"]),
        ("a b nothing", &["nothing: ", "open"]),
    ] {
        refused(&program, &format!("join {files} -o joined"), words);
    }
    refused(&program, "join a b c -o whole", &["whole: ", "--force"]);
    refused(&program, "join a b c -o a --force", &["a: ", "an input"]);
    for command in ["recall a data", "stabilities a data", "export a -o a.npy", "train data --init a -o J"] {
        refused(&program, command, &["a: expected couplings of all rows", "rows 0..64 alone"]);
    }
    std::fs::create_dir(program.path("empty")).unwrap();
    refused(&program, "recall empty data", &["empty: ", "a folder without"]);
    std::fs::create_dir(program.path("torn")).unwrap();
    let shard = std::fs::read(program.path("a")).unwrap();
    std::fs::write(program.path("torn/a.safetensors"), &shard[..shard.len() - 1]).unwrap();
    refused(&program, "recall torn data", &["a.safetensors: ", "full length"]);
    // A faulty value under its number in J.
    let mut faulty = std::fs::read(program.path("c")).unwrap();
    let length = faulty.len();
    faulty[length - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(program.path("faulty"), faulty).unwrap();
    refused(&program, "join a b faulty -o joined", &["faulty: ", "J[199, 199]", "NaN"]);
}

#[test]
fn rows_that_cannot_be_learned_alone_are_refused() {
    let program = program();
    program.run("train small --epochs 1 -o J --eval-states 1 --quiet");
    for (rows, nearest) in [
        ("0..65", "0..64"),
        ("10..200", "0..200"),
        ("0..0", "0..64"),
        ("128..256", "128..200"),
        ("192..128", "192..200"),
        ("500..600", "192..200"),
    ] {
        let words = ["rows: ", "multiple of 64", &format!("such as {nearest}"), rows];
        refused(&program, &format!("train data --rows {rows} -o new"), &words);
    }
    for rows in ["1", "a..b", "..3"] {
        refused(&program, &format!("train data --rows {rows} -o new"), &["--rows", "0..4096"]);
    }
    for (options, reason) in [
        ("--rule pseudo-inverse", "symmetric J at once"),
        ("--rule dreaming", "symmetric J at once"),
        ("--rule storkey", "fields of all neurons"),
        ("--rule hebb --dreams 3", "all neurons move"),
        ("--variant symmetric", "one problem"),
        ("--variant symmetrized", "J_ji"),
        ("--solver lbfgs --variant symmetric", "one problem"),
        ("--eval-every 2", "recalls with all rows"),
        ("--snapshots 1", "couplings of all rows"),
    ] {
        refused(
            &program,
            &format!("train small {options} --rows 0..64 -o new"),
            &["rows: ", reason, "0..64"],
        );
    }
    std::fs::write(program.path("family.fasta"), ">a\nACD\n>b\nAC-\n").unwrap();
    program.run("import alignment family.fasta -o family --quiet");
    refused(&program, "train family --rows 0..64 -o new", &["rows: ", "alignment"]);
}

/// The library refuses what the program never asks for.
#[test]
fn couplings_of_some_rows_are_not_taken_for_all() {
    use attractor::dynamics::{Dynamics, ParallelDynamics, Stop, Ties, random_states};
    use attractor::learning::{Initial, Perceptron, Problem, PseudoLikelihood, Trainer, hebb, perceptron};

    let execution = Execution::with_threads(1).unwrap();
    let patterns = random_states(10, 130, 1).unwrap();
    let problem = Problem::from(&patterns).with_rows(64..128).unwrap();
    let shard = hebb(problem, &execution).unwrap();
    assert_eq!((shard.neurons(), shard.n_spins(), shard.values().len()), (64..128, 130, 64 * 130));
    let whole = hebb(&patterns, &execution).unwrap();
    assert_eq!(shard.rows(70..80), whole.rows(70..80));
    assert_eq!(shard.row_norms(&execution).unwrap(), whole.row_norms(&execution).unwrap()[64..128]);

    let dynamics = ParallelDynamics { stop: Stop::After(1), ties: Ties::Keep };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("J");
    let given = Initial::Given(shard.clone());
    let refusals = [
        dynamics.run(&shard, &patterns, &patterns, &execution).map(drop),
        shard.asymmetry(&execution).map(drop),
        shard.symmetrized(&execution).map(drop),
        shard.write_npy(&path, Overwrite::Refuse),
        Trainer::new(&patterns, PseudoLikelihood::new(1.0, 1.0), &given, 1.0, &execution).map(drop),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains("all 130 rows") && error.contains("rows 64..128"), "{error}");
    }
    // Of which run it is must be said.
    let error = shard.write(&path, Overwrite::Refuse).unwrap_err().to_string();
    assert!(error.contains("run_blake3"), "{error}");
    let symmetric = PseudoLikelihood { symmetric: true, ..PseudoLikelihood::new(1.0, 1.0) };
    assert!(Trainer::new(problem, symmetric, &Initial::Zero, 1.0, &execution).is_err());
    let weights = [1.0; 10];
    let weighted = Problem::from(&patterns).with_weights(&weights).unwrap();
    assert!(hebb(weighted, &execution).is_err());
    assert!(perceptron(weighted, &Perceptron::new(0.0), &execution).is_err());
}
