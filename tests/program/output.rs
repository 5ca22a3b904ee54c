//! What the program prints and leaves behind: one JSON document, nothing when asked to be quiet, no file when dry.

#[cfg(unix)]
use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::bad_input::WRITERS;
use crate::harness::Program;
use crate::refusal::refused;
use serde_json::Value;

/// A folder with a data set with features, couplings, and arrays to import.
fn program() -> Program {
    let program = Program::new();
    program.run("generate manifold --n 20 --patterns 15 --test 5 --features 6 -o data");
    program.run("train data --epochs 2 -o J");
    program.run("export data -o spins.npy");
    program.run("export J -o J.npy");
    program.run("cutoff --n 50 --patterns 60 --features 40 --draws 2 -o run");
    std::fs::write(program.path("spins.csv"), "1,-1,1\n-1,-1,1\n").unwrap();
    program
}

/// One of each kind, with keys that its JSON document must have.
const COMMANDS: [(&str, &[&str]); 15] = [
    ("report run -o new", &["output", "title", "runs", "bytes"]),
    ("show data --shape 4x5 --count 3 -o new", &["columns", "rows", "output"]),
    ("generate random --n 9 --patterns 4 -o new", &["n", "p", "test", "load"]),
    ("generate manifold --n 9 --patterns 4 --features 5 -o new", &["n", "p", "features"]),
    ("import npy spins.npy -o new", &["n", "p"]),
    ("import csv spins.csv -o new", &["n", "p"]),
    ("import couplings J.npy -o new", &["n", "output"]),
    (
        "train data --epochs 4 --eval-every 1 --snapshots 1 -o new",
        &[
            "epoch",
            "loss",
            "row_norm",
            "lambda_eff",
            "asymmetry",
            "asymmetry_msd",
            "overlap",
            "fixed_fraction",
            "learned_features",
            "gap",
            "seconds",
        ],
    ),
    ("train data --rule hebb -o new", &["epoch", "loss", "overlap", "seconds"]),
    (
        "recall J data --overlap 0.8 -o new",
        &["overlap_mean", "overlap_max_mean", "overlap_std", "fixed_fraction", "steps_mean", "states"],
    ),
    (
        "stabilities J data --theory pseudo-likelihood -o new",
        &["mean", "min", "min_mean", "negative_fraction", "histogram", "theory", "output"],
    ),
    ("theory kappa-max", &["name", "about", "source", "rows"]),
    (
        "cutoff --n 50,99 --patterns 60 --features 40 --draws 2 -o new",
        &["points", "cutoffs", "fits", "couplings"],
    ),
    ("inspect J", &["kind", "tensors", "metadata"]),
    ("export J -o new", &["output", "shape"]),
];

#[test]
fn json_is_exactly_one_document() {
    for (command, keys) in COMMANDS {
        let program = program();
        let output = program.run(&format!("{command} --json"));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in keys {
            assert!(document.get(key).is_some(), "{command}: no {key:?} in {document}");
        }
    }
    for command in ["reproduce --list", "theory --list", "bench --n 64 --patterns 64 --states 64 --runs 1"] {
        let output = Program::new().run(&format!("{command} --json"));
        assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap().is_array(), "{command}");
    }
    let output = program().run("train data --epochs 4 --eval-every 1 -o new --json");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for part in ["train", "test", "features", "random"] {
        let overlap = document["overlap"][part].as_f64().unwrap();
        assert!((-1.0..=1.0).contains(&overlap));
    }
    assert_eq!(document["epoch"], 4);
}

/// A dry run prints estimates, which are as much a result.
#[test]
fn json_of_a_dry_run_is_exactly_one_document() {
    for (command, _) in COMMANDS {
        let output = program().run(&format!("{command} --json --dry-run"));
        serde_json::from_slice::<Value>(&output.stdout).unwrap();
    }
}

#[test]
fn quiet_prints_nothing() {
    for (command, _) in COMMANDS {
        let output = program().run(&format!("{command} --quiet"));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{command}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
    }
    // Weights that a rule does not use are worth a note, but not to the quiet.
    let program = program();
    std::fs::write(program.path("weights"), "1\n2\n").unwrap();
    program.run("import csv spins.csv --weights weights -o weighted");
    assert!(!program.run("train weighted --rule hebb -o J-1").stderr.is_empty());
    assert!(program.run("train weighted --rule hebb -o J-2 --quiet").stderr.is_empty());
}

#[test]
fn a_dry_run_writes_nothing() {
    for (command, _) in COMMANDS {
        let program = program();
        let before = program.files();
        let output = program.run(&format!("{command} --dry-run"));
        assert!(!output.stdout.is_empty(), "{command}");
        assert!(program.files() == before, "{command}: the folder changed");
    }
}

#[test]
fn existing_outputs_are_kept_without_force() {
    let program = program();
    std::fs::write(program.path("precious"), "text").unwrap();
    std::fs::write(program.path("new-epoch-1.safetensors"), "text").unwrap();
    std::fs::write(program.path("metrics.csv"), "text").unwrap();
    for command in WRITERS {
        refused(&program, &format!("{command} -o precious"), &["precious: ", "--force"]);
        program.run(&format!("{command} -o precious --force"));
        assert_ne!(program.files()["precious"], b"text");
    }
    let train = "train data --epochs 2 -o new";
    refused(&program, &format!("{train} --snapshots 1"), &["new-epoch-1.safetensors", "--force"]);
    refused(&program, &format!("{train} --eval-every 1"), &["metrics.csv", "--force"]);
    program.run(&format!("{train} --snapshots 1 --eval-every 1 --force"));
    assert!(program.files()["metrics.csv"].starts_with(b"epoch,loss,"));
}

/// Even --force means overwriting an older output, not what the command reads or writes itself.
#[test]
fn outputs_that_are_inputs_or_one_another() {
    let program = program();
    for (command, file) in [
        ("train data --epochs 2 -o data", "data"),
        ("train data --epochs 2 -o ./data", "data"),
        ("train data --epochs 2 --init J -o J", "J"),
        ("train data --epochs 2 -o new --eval-every 1 --metrics data", "data"),
        ("train data --epochs 2 -o new --eval-every 1 --metrics new", "new"),
        ("train data --epochs 2 -o new --eval-every 1 --metrics ./new", "new"),
        (
            "train data --epochs 2 -o new --eval-every 1 --snapshots 1 --metrics new-epoch-1.safetensors",
            "new-epoch-1.safetensors",
        ),
        ("recall J data -o J", "J"),
        ("recall J data -o data", "data"),
        ("export J -o J", "J"),
    ] {
        refused(&program, &format!("{command} --force"), &[file, "expected", "found"]);
    }
    program.run("generate random --n 128 --patterns 6 -o wide");
    std::fs::create_dir(program.path("shards")).unwrap();
    let shards = ["0..64", "64..128"].map(|rows| {
        let file = format!("shards/{rows}.safetensors");
        program.run(&format!("train wide --rule hebb --rows {rows} -o {file}"));
        (program.path(&file), std::fs::read(program.path(&file)).unwrap())
    });
    for command in [
        "recall shards wide -o shards/0..64.safetensors",
        "recall shards wide -o ./shards/states",
        "recall shards/ wide -o shards/states",
        "stabilities shards wide -o shards/states",
        "export shards -o shards/J.npy",
    ] {
        let words = ["expected an output outside of shards", "found a file of this folder of shards"];
        refused(&program, &format!("{command} --force"), &words);
    }
    assert_eq!(std::fs::read_dir(program.path("shards")).unwrap().count(), shards.len());
    assert!(shards.iter().all(|(file, content)| std::fs::read(file).unwrap() == *content));
    program.run("recall shards wide -o states");
}

/// A full disk or a reader that went away costs messages, not the work; a result that is lost is an error.
#[cfg(unix)]
#[test]
fn streams_that_cannot_be_written() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full");
    if full().is_err() {
        return;
    }
    let closed = || std::io::pipe().unwrap().1;
    let program = program();
    for (stderr, output) in [(Stdio::from(full().unwrap()), "new-1"), (closed().into(), "new-2")] {
        let train = format!("train data --epochs 4 --eval-every 1 --metrics {output}.csv -o {output}");
        let done = program.process(&train).stderr(stderr).stdout(Stdio::null()).status().unwrap();
        assert_eq!(done.code(), Some(0), "{output}");
        let table = std::fs::read_to_string(program.path(&format!("{output}.csv"))).unwrap();
        assert_eq!(table.lines().count(), 6);
        assert!(program.path(output).exists() && !program.path(&format!("{output}.run")).exists());
    }
    // What was learned is complete though its report is lost: there is nothing to go on with.
    let learned = program.process("train data --epochs 2 -o new-3").stdout(full().unwrap()).output().unwrap();
    let message = String::from_utf8_lossy(&learned.stderr);
    assert!(learned.status.code() == Some(1) && !message.contains("resume"), "{message}");
    assert!(program.path("new-3").exists() && !program.path("new-3.run").exists());
    let failed = program.process("inspect nowhere").stderr(full().unwrap()).status().unwrap();
    assert_eq!(failed.code(), Some(1));

    for options in ["", "--json"] {
        let inspect = || program.process(&format!("inspect J {options}"));
        let lost = inspect().stdout(full().unwrap()).output().unwrap();
        let message = String::from_utf8_lossy(&lost.stderr);
        assert_eq!(lost.status.code(), Some(1), "{message}");
        assert!(message.starts_with("error: stdout: cannot write the result: "), "{message}");
        let unread = inspect().stdout(closed()).output().unwrap();
        assert_eq!((unread.status.code(), unread.stderr), (Some(0), Vec::new()));
    }
}

/// SIGUSR1 asks for a checkpoint; a run that keeps none says so and goes on.
#[cfg(unix)]
#[test]
fn a_run_without_checkpoints_is_asked_for_one() {
    let program = Program::new();
    std::fs::write(program.path("few.fasta"), ">a\nACGTACGT\n>b\nGTACCATG\n").unwrap();
    program.run("import alignment few.fasta --alphabet nucleotide -o few");
    let train = "train few -o J --epochs 1000000000 --eval-every 100 --eval-states 1 --json";
    let mut child = program.process(train).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let n_lines =
        || std::fs::read_to_string(program.path("metrics.csv")).map_or(0, |table| table.lines().count());
    let more_than = |seen: usize, child: &mut Child| {
        let begun = Instant::now();
        while n_lines() <= seen {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(60), "{ended:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        n_lines()
    };
    let signal = |name: &str, child: &Child| {
        let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    // The header, and the row of epoch 0.
    let seen = more_than(2, &mut child);
    signal("-USR1", &child);
    more_than(seen + 1, &mut child);
    signal("-INT", &child);
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.contains("note: this run keeps no checkpoints"), "{message}");
    assert!(program.path("J").exists());
}

/// Every caption of the manifest, and every number of a table that has six digits, is on the page.
#[test]
fn a_report_is_one_page_of_what_the_run_wrote() {
    let program = program();
    program.run("report run run -o page.html --title Two");
    let page = std::fs::read_to_string(program.path("page.html")).unwrap();
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(program.path("run/manifest.json")).unwrap()).unwrap();
    let figures = manifest["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 3);
    for figure in figures {
        let caption = figure["caption"].as_str().unwrap();
        assert!(caption.ends_with('.') && !caption.contains("NaN") && page.contains(caption), "{caption}");
    }
    let table = std::fs::read_to_string(program.path("run/table.csv")).unwrap();
    let short = |cell: &&str| cell.len() <= 6;
    let cells: Vec<&str> = table.lines().skip(1).flat_map(|line| line.split(',')).filter(short).collect();
    assert!(cells.len() > 10 && cells.iter().all(|cell| page.contains(&format!(">{cell}</td>"))));
    assert_eq!(page.matches("<section id=\"run-").count(), 2);
    assert!(page.contains("<h1>Two</h1>") && page.contains("cutoff --n 50 --patterns 60"));

    let refused = program.command("report run -o page.html").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    program.run("report run -o page.html --force");
    std::fs::remove_file(program.path("run/manifest.json")).unwrap();
    let unfinished = program.command("report run -o other.html").output().unwrap();
    assert!(String::from_utf8_lossy(&unfinished.stderr).contains("run/manifest.json: expected the manifest"));
    assert!(!program.path("other.html").exists());
}

#[test]
fn paths_may_hold_spaces_and_other_letters() {
    let program = Program::new();
    let words = |words: &[&str]| {
        let output = program.command("").args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (data, couplings) = ("données \"1\" .safetensors", "-J &\n2");
    words(&["generate", "random", "--n", "7", "--patterns", "3", "--output", data]);
    words(&["train", data, "--epochs", "2", &format!("--output={couplings}")]);
    words(&["recall", "--output", "end states", "--", couplings, data]);
    words(&["inspect", "end states"]);
    assert!(program.path(data).exists() && program.path(couplings).exists());
}

#[test]
fn one_spin_and_one_pattern_are_enough() {
    let program = Program::new();
    for (n, p) in [(1, 1), (1, 5), (7, 1)] {
        program.run(&format!("generate random --n {n} --patterns {p} --test 1 -o data --force"));
        for rule in ["--rule hebb", "--epochs 3", "--epochs 0", "--epochs 3 --batch 1 --variant symmetrized"]
        {
            let output = program.run(&format!("train data {rule} -o J --force --json"));
            let document: Value = serde_json::from_slice(&output.stdout).unwrap();
            // A single spin has no couplings: it keeps its value.
            assert!(n > 1 || document["overlap"]["train"] == 1.0, "{document}");
            program.run("recall J data --overlap 0.5 -o states --force");
            program.run("recall J data --from random --states 1 --steps 0");
            program.run("inspect J");
            program.run("export states -o states.npy --force");
        }
    }
}

/// lambda = 2 lambda', lr = 2 lr' / N; what is not given keeps its default.
#[test]
fn units_of_the_paper_are_converted() {
    let program = program();
    for (options, lambda, lr) in [
        ("--paper-units --lambda 0.25 --lr 5", 0.5, 0.5),
        ("--paper-units --lr 5", 0.2, 0.5),
        ("--paper-units", 0.2, 1.0),
        ("--lambda 0.25 --lr 5", 0.25, 5.0),
    ] {
        let output = program.run(&format!("train data --epochs 1 -o new --force --json {options}"));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let parameter = |name: &str| document["parameters"][name].as_str().unwrap().parse::<f64>().unwrap();
        assert_eq!((parameter("lambda"), parameter("lr")), (lambda, lr), "{options}");
    }
}

/// One header and the asked for points; numbers that read back; a source for each name of the list.
#[test]
fn theory_is_a_table_for_every_name() {
    let program = Program::new();
    let list: Value = serde_json::from_slice(&program.run("theory --list --json").stdout).unwrap();
    for curve in list.as_array().unwrap() {
        let name = curve["name"].as_str().unwrap();
        assert!(!curve["source"].as_str().unwrap().is_empty(), "{name}");
        let text = String::from_utf8(program.run(&format!("theory {name}")).stdout).unwrap();
        let mut lines = text.lines();
        let columns: Vec<_> = lines.next().unwrap().split(',').collect();
        assert_eq!(serde_json::to_value(&columns).unwrap(), curve["columns"], "{name}");
        let rows: Vec<Vec<f64>> =
            lines.map(|line| line.split(',').map(|value| value.parse().unwrap()).collect()).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == columns.len()), "{name}");
        let dry: Value =
            serde_json::from_slice(&program.run(&format!("theory {name} --dry-run --json")).stdout).unwrap();
        assert_eq!(dry["rows"], rows.len(), "{name}");
    }
    let rows = |arguments: &str| -> Value {
        let output = program.run(&format!("theory {arguments} --json")).stdout;
        serde_json::from_slice::<Value>(&output).unwrap()["rows"].clone()
    };
    let kappa = rows("kappa-max --load 0.5..2:4");
    assert_eq!(kappa.as_array().unwrap().len(), 4);
    assert_eq!((&kappa[1]["load"], &kappa[3]["kappa_max"]), (&1.0.into(), &0.0.into()));
    let density = rows("pseudo-likelihood-stability --load 0.4,1 --lambda-eff 0.5 --stabilities -1..4:11");
    assert_eq!(density.as_array().unwrap().len(), 22);
    assert_eq!((&density[13]["load"], &density[13]["stability"]), (&1.0.into(), &0.0.into()));
}

/// Counts of the table are all stabilities, densities times widths 1, and theory as much but for what lies outside the bins.
#[test]
fn histograms_of_stabilities_are_written_beside_theory() {
    let program = Program::new();
    program.run("generate random --n 60 --patterns 24 --test 5 -o data");
    program.run("train data --rule hebb -o J");
    for theory in ["gardner", "hebb", "pseudo-inverse", "pseudo-likelihood --lambda-eff 0.5"] {
        program.run(&format!("stabilities J data --bins 30 --theory {theory} -o h.1 --force"));
        let table = std::fs::read_to_string(program.path("h.1.csv")).unwrap();
        let mut lines = table.lines();
        assert_eq!(lines.next().unwrap(), "low,high,count,density,theory");
        let rows: Vec<Vec<f64>> =
            lines.map(|line| line.split(',').map(|value| value.parse().unwrap()).collect()).collect();
        assert_eq!((rows.len(), rows.iter().map(|row| row[2]).sum::<f64>()), (30, 1440.0));
        let mass = |column: usize| rows.iter().map(|row| row[column] * (row[1] - row[0])).sum::<f64>();
        assert!((mass(3) - 1.0).abs() < 1e-9 && (mass(4) - 1.0).abs() < 0.01, "{theory}: {}", mass(4));
        assert!(program.path("h.1.svg").exists() && program.path("h.1.png").exists(), "{theory}");
    }
    program.run("stabilities J data --from test");
}

/// The laws are those of training patterns and independent rows: anything else is compared with a note, and only then.
#[test]
fn comparisons_that_the_theory_does_not_speak_of_have_a_note() {
    let program = Program::new();
    program.run("generate random --n 20 --patterns 8 --test 5 -o data");
    program.run("train data --epochs 2 -o J");
    program.run("train data --epochs 2 --variant symmetrized -o JS");
    for (arguments, words) in [
        ("J data --theory hebb --from test", Some("these are test patterns")),
        ("JS data --theory hebb", Some("these couplings are symmetric")),
        ("J data --theory hebb", None),
        ("JS data --from test", None),
    ] {
        let errors = program.run(&format!("stabilities {arguments}")).stderr;
        let errors = String::from_utf8_lossy(&errors);
        assert_eq!(
            errors.contains("note: the theory is that of training patterns"),
            words.is_some(),
            "{errors}"
        );
        assert!(errors.contains(words.unwrap_or_default()), "{errors}");
    }
}

#[test]
fn help_and_version_are_there() {
    let program = Program::new();
    for command in [
        "",
        "generate",
        "generate random",
        "import mnist",
        "train",
        "recall",
        "stabilities",
        "theory",
        "inspect",
        "export",
    ] {
        let output = program.run(&format!("{command} --help"));
        assert!(String::from_utf8_lossy(&output.stdout).contains("Usage: attractor"), "{command}");
    }
    let version = program.run("--version").stdout;
    assert_eq!(String::from_utf8_lossy(&version), concat!("attractor ", env!("CARGO_PKG_VERSION"), "\n"));
}
