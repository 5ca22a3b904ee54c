//! Options out of range and outputs that cannot be written: a clear refusal, and nothing written.

use crate::harness::Program;
use crate::refusal::refused;

/// A folder with a data set of N = 8 and its couplings.
fn program() -> Program {
    let program = Program::new();
    program.run("generate random --n 8 --patterns 6 --test 2 -o data");
    program.run("train data --epochs 2 -o J");
    program
}

/// Runs `command` with each option, which is to be refused with all of the words.
fn each_refused(command: &str, cases: &[(&str, &[&str])]) {
    let program = program();
    for (option, words) in cases {
        refused(&program, &format!("{command} {option}"), words);
        refused(&program, &format!("{command} {option} --dry-run"), words);
    }
}

#[test]
fn training_parameters_out_of_range() {
    const POSITIVE: &str = "expected a finite positive number";
    each_refused(
        "train data -o new",
        &[
            ("--lambda 0", &["lambda: ", POSITIVE, "found 0"]),
            ("--lambda -1", &["lambda: ", POSITIVE, "found -1"]),
            ("--lambda nan", &["lambda: ", POSITIVE, "found NaN"]),
            ("--lambda inf", &["lambda: ", POSITIVE, "found inf"]),
            ("--lambda 1e-60", &["lambda: ", POSITIVE]),
            ("--lambda two", &["two", "--lambda"]),
            ("--lr 0", &["lr: ", POSITIVE, "found 0"]),
            ("--lr -0.5", &["lr: ", POSITIVE, "found -0.5"]),
            ("--lr nan", &["lr: ", POSITIVE, "found NaN"]),
            ("--lr 1e300", &["lr: ", POSITIVE]),
            ("--paper-units --lr -3", &["lr: ", POSITIVE]),
            ("--lr-decay 0", &["lr-decay: ", POSITIVE, "found 0"]),
            ("--lr-decay -1", &["lr-decay: ", POSITIVE, "found -1"]),
            ("--l2 -0.1", &["l2: ", "found -0.1"]),
            ("--l2 nan", &["l2: ", "found NaN"]),
            ("--batch 0", &["batch: ", "at least 1", "found 0"]),
            ("--batch 7 --drop-last", &["batch: ", "at most the 6 patterns", "found 7"]),
            ("--drop-last", &["--batch"]),
            ("--batch -1", &["--batch"]),
            ("--epochs -1", &["--epochs"]),
            ("--epochs 5 --snapshots 2,6", &["snapshots: ", "up to the last, 5", "found 6"]),
            ("--snapshots 1,x", &["--snapshots"]),
            ("--rule hebb --snapshots 1", &["snapshots: ", "no such option with --rule hebb"]),
            ("--rule hebb --epochs 7", &["epochs: ", "no such option with --rule hebb"]),
            ("--normalise", &["normalise: ", "no such option with --rule pseudo-likelihood"]),
            ("--kappa 0.1", &["kappa: ", "no such option with --rule pseudo-likelihood"]),
            ("--rule perceptron --kappa -1", &["kappa: ", "0 or above", "found -1"]),
            ("--rule perceptron --tolerance 0.1", &["tolerance: ", "no such option with --rule perceptron"]),
            ("--rule perceptron --max-sweeps 0", &["max-sweeps: ", "at least 1", "found 0"]),
            ("--rule max-stability --tolerance 1", &["tolerance: ", "below 1", "found 1"]),
            ("--rule max-stability --epochs 3", &["epochs: ", "no such option with --rule max-stability"]),
            ("--route gram --batch 1", &["route: ", "minibatches"]),
            ("--eval-states 0", &["eval-states: ", "at least 1", "found 0"]),
            ("--eval-every 0", &["eval-every: ", "at least 1", "found 0"]),
            ("--init gone", &["init: ", "hebb, zero, random, uniform", "found gone"]),
            ("--init-scale nan", &["init-scale: ", "found NaN"]),
            ("--init-scale 1e300", &["init-scale: ", "found 1e300"]),
            ("--init random --init-scale 1e300", &["init-scale: ", "found 1e300"]),
            ("--rule guess", &["--rule", "hebb", "pseudo-likelihood", "guess"]),
        ],
    );
}

#[test]
fn parameters_of_classical_rules_out_of_range() {
    each_refused(
        "train data -o new",
        &[
            ("--rule pseudo-inverse --ridge -1", &["ridge: ", "0 or above", "found -1"]),
            ("--rule pseudo-inverse --ridge nan", &["ridge: ", "found NaN"]),
            ("--rule pseudo-inverse --ridge much", &["--ridge", "much"]),
            ("--rule dreaming --dream-time -0.5", &["dream-time: ", "0 or above", "found -0.5"]),
            ("--rule dreaming --dream-time inf", &["dream-time: ", "found inf"]),
            ("--rule hebb --dreams 3 --unlearning-rate 0", &["unlearning-rate: ", "positive", "found 0"]),
            ("--rule hebb --dreams -3", &["--dreams", "-3"]),
            ("--rule hebb --unlearning-rate 0.1", &["--dreams"]),
            ("--rule hebb --ridge 1", &["ridge: ", "no such option with --rule hebb"]),
            ("--rule storkey --self-coupling", &["self-coupling: ", "no such option with --rule storkey"]),
            ("--rule storkey --dreams 3", &["dreams: ", "no such option with --rule storkey"]),
            ("--rule dreaming --normalise", &["normalise: ", "no such option with --rule dreaming"]),
            ("--rule pseudo-inverse --lr 1", &["lr: ", "no such option with --rule pseudo-inverse"]),
            ("--dream-time 1", &["dream-time: ", "no such option with --rule pseudo-likelihood"]),
        ],
    );
}

#[test]
fn patterns_that_the_pseudo_inverse_cannot_separate() {
    let program = program();
    program.run("generate random --n 8 --patterns 9 --test 0 -o many");
    let words = ["number of training patterns: expected at most 8", "ridge above 0, found 9"];
    refused(&program, "train many --rule pseudo-inverse -o new", &words);
    refused(&program, "train many --rule pseudo-inverse --dry-run -o new", &words);
    program.run("generate random --n 8 --patterns 8 --test 0 -o square");
    refused(
        &program,
        "train square --rule pseudo-inverse -o new",
        &["at most 7", "identity", "self-coupling"],
    );
    std::fs::write(program.path("twice.csv"), "1,1,-1,1,-1\n-1,1,1,1,1\n-1,-1,1,-1,1\n").unwrap();
    program.run("import csv twice.csv -o twice");
    let twin = "pattern 2, counted from 0, opposite to pattern 0";
    refused(
        &program,
        "train twice --rule pseudo-inverse -o new",
        &["training patterns: ", twin, "ridge above 0"],
    );
    refused(&program, "train twice --rule dreaming --dream-time 1e18 -o new", &[twin, "shorter dream-time"]);
    program.run("train twice --rule pseudo-inverse --ridge 0.1 -o new");
    program.run("train twice --rule dreaming --dream-time 100 --force -o new");
}

#[test]
fn training_from_couplings_with_self_coupling() {
    let program = program();
    program.run("generate random --n 40 --patterns 6 --test 0 -o few");
    program.run("train few --rule pseudo-inverse --self-coupling -o own");
    refused(&program, "train few --init own -o new", &["own: expected", "zero diagonal", "self-coupling"]);
    program.run("recall own few -o states");
    let inspected = program.run("inspect own");
    assert!(String::from_utf8_lossy(&inspected.stdout).contains("self_coupling"));
}

#[test]
fn recall_parameters_out_of_range() {
    each_refused(
        "recall J data -o new",
        &[
            ("--overlap 2", &["overlap: ", "from -1 to 1", "found 2"]),
            ("--overlap -1.01", &["overlap: ", "found -1.01"]),
            ("--overlap nan", &["overlap: ", "found NaN"]),
            ("--states 0", &["states: ", "at least 1", "found 0"]),
            ("--from features", &["data: ", "features", "found none"]),
            ("--from nowhere", &["--from", "train", "test", "features", "random"]),
            ("--steps 3 --max-steps 5", &["--steps", "--max-steps"]),
            ("--steps -1", &["--steps"]),
            ("--order random", &["order: ", "--dynamics sequential", "found --dynamics parallel"]),
            ("--dynamics sequential --order up", &["--order", "ascending", "random"]),
            ("--temperature 0.5", &["temperature: ", "--steps", "found 0.5"]),
            ("--temperature -1 --steps 2", &["temperature: ", "a finite number from 0", "found -1"]),
            ("--temperature nan --steps 2", &["temperature: ", "found NaN"]),
            ("--temperature inf --steps 2", &["temperature: ", "found inf"]),
        ],
    );
    let program = program();
    program.run("generate random --n 8 --patterns 6 --test 0 -o untested");
    refused(&program, "recall J untested --from test", &["untested: ", "test", "found none"]);
}

#[test]
fn stabilities_that_have_no_theory() {
    each_refused(
        "stabilities J data -o new",
        &[
            ("--bins 0", &["bins: ", "from 1", "found 0"]),
            ("--from features", &["--from", "train", "test"]),
            ("--lambda-eff 1", &["--theory"]),
            ("--theory guess", &["--theory", "gardner", "pseudo-likelihood", "hebb", "pseudo-inverse"]),
            ("--theory hebb --lambda-eff 1", &["lambda-eff: ", "no such option with --theory hebb"]),
            ("--theory hebb --load 0", &["load: ", "above 0", "found 0"]),
            ("--theory gardner --load 2.5", &["load: ", "at most 2", "found 2.5"]),
            ("--theory pseudo-inverse --load 1.1", &["load: ", "at most 1", "found 1.1"]),
            ("--theory pseudo-likelihood --lambda-eff nan", &["lambda-eff: ", "found NaN"]),
            ("--theory pseudo-likelihood --load 3 --lambda-eff 9", &["lambda-eff: ", "at load 3", "found 9"]),
        ],
    );
    let program = program();
    program.run("generate random --n 8 --patterns 6 --test 0 -o untested");
    refused(&program, "stabilities J untested --from test", &["untested: ", "test set"]);
    program.run("train data --rule hebb -o JH");
    let words = &["JH: ", "--lambda-eff", "trained with a lambda"];
    refused(&program, "stabilities JH data --theory pseudo-likelihood", words);
    program.run("generate random --n 9 --patterns 6 -o other");
    refused(&program, "stabilities J other", &["other: ", "N = 8", "N = 9"]);
}

#[test]
fn theory_outside_its_range() {
    each_refused(
        "theory",
        &[
            ("", &["name: ", "kappa-max", "--list", "found none"]),
            ("guess", &["name: ", "kappa-max", "hopfield-overlap", "critical-load", "--list", "found guess"]),
            ("kappa-max --load 0", &["load: ", "at most 2", "found 0"]),
            ("kappa-max --load -1..2:3", &["load: ", "found -1"]),
            ("kappa-max --load 0.1,2.1", &["load: ", "found 2.1"]),
            ("kappa-max --load nan", &["load: ", "found NaN"]),
            ("kappa-max --load some", &["--load", "from..to:count", "some"]),
            ("kappa-max --stabilities 0..1:5", &["stabilities: ", "no such option with kappa-max"]),
            ("hebb-stability --stabilities 1..0:5", &["stabilities: ", "smaller one first", "1 to 0"]),
            ("hebb-stability --stabilities 0..1:1", &["stabilities: ", "at least 2", "found 1"]),
            ("hebb-error --load -0.1", &["load: ", "of at least 0", "found -0.1"]),
            ("hebb-error --lambda-eff 1", &["lambda-eff: ", "no such option with hebb-error"]),
            ("hopfield-overlap --load 0.14", &["load: ", "0.1379", "critical load", "found 0.14"]),
            ("critical-load --load 0.1", &["load: ", "no such option with critical-load"]),
            ("pseudo-likelihood-stability --lambda-eff -1", &["lambda-eff: ", "found -1"]),
            ("pseudo-likelihood-peak --load inf", &["load: ", "found inf"]),
            ("pseudo-likelihood-peak --load 3", &["lambda-eff: ", "weight decay", "found 1.6"]),
            ("pseudo-inverse-stability --load 1.5", &["load: ", "at most 1", "found 1.5"]),
        ],
    );
}

#[test]
fn data_of_no_size() {
    for command in ["generate random", "generate manifold --features 9"] {
        each_refused(
            &format!("{command} -o new"),
            &[
                ("--n 0 --patterns 5", &["n: ", "at least 1", "found 0"]),
                ("--n 5 --patterns 0", &["patterns: ", "at least 1", "found 0"]),
                ("--patterns 5", &["--n"]),
                ("--n -5 --patterns 5", &["-5"]),
                ("--n 18446744073709551616 --patterns 5", &["--n", "18446744073709551616"]),
            ],
        );
    }
}

/// More memory than any machine has: refused before the run, while a dry run tells how much it is.
#[test]
fn runs_beyond_memory() {
    let program = program();
    for command in [
        "generate random --n 18446744073709551615 --patterns 5 -o new",
        "generate random --n 10000000000 --patterns 1000000 -o new",
        "generate manifold --features 9 --n 18446744073709551615 --patterns 5 -o new",
        "generate manifold --features 9 --n 5 --patterns 18446744073709551615 -o new",
        "generate manifold --features 9 --n 5 --patterns 5 --test 18446744073709551615 -o new",
        "train data --eval-states 18446744073709551615 -o new",
        "recall J data --from random --states 18446744073709551615 -o new",
        "recall J data --from random --states 1000000000000000 -o new",
    ] {
        refused(&program, command, &["memory: expected at least ", "TiB for this run, found "]);
        let dry = program.run(&format!("{command} --dry-run"));
        assert!(String::from_utf8_lossy(&dry.stdout).contains("TiB of memory"), "{command}");
    }
    // A data set that fits, of couplings that fit neither memory nor disk.
    program.run("generate random --n 10000000 --patterns 2 --test 0 -o wide");
    for options in ["", "--rule hebb", "--batch 1", "--variant symmetrized"] {
        refused(
            &program,
            &format!("train wide -o new {options}"),
            &["TiB of free disk space for this run, found "],
        );
    }
}

#[test]
fn manifold_parameters_out_of_range() {
    each_refused(
        "generate manifold --n 8 --patterns 5 --test 2 -o new",
        &[
            ("--features 0", &["features: ", "found 0"]),
            ("--features 18446744073709551615", &["features: ", "found 18446744073709551615"]),
            ("--features 5 --active 0", &["active: ", "found 0"]),
            ("--features 5 --active 6", &["active: ", "1..=5", "found 6"]),
            ("--features 5 --exponent -1", &["exponent: ", "found -1"]),
            ("--features 5 --exponent nan", &["exponent: ", "found NaN"]),
            ("--features 5 --stored-features 6", &["stored", "at most the 5", "found 6"]),
            ("--features 5 --test-features 3..9", &["test", "1..=5", "found 3..=9"]),
            ("--features 5 --test-features 4..5", &["test", "at least 3 ranks", "found 4..=5"]),
            ("--features 5 --test-features 4", &["--test-features", "1..100"]),
            ("--features 5 --test-features 5..1", &["test", "found 5..=1"]),
        ],
    );
}

#[test]
fn threads_and_instruction_sets_that_are_none() {
    let mut program = program();
    for command in ["generate random --n 5 --patterns 3 -o new", "train data -o new", "recall J data -o new"]
    {
        refused(&program, &format!("{command} --threads 0"), &["threads: ", "at least 1", "found 0"]);
        refused(&program, &format!("{command} --threads 1000000000"), &["threads: ", "at most 1024"]);
        refused(&program, &format!("{command} --threads many"), &["--threads", "many"]);
        program.isa = Some("sse9");
        let words = ["ATTRACTOR_ISA: expected ", "avx2", "portable", "scalar", "found sse9"];
        refused(&program, command, &words);
        program.isa = None;
    }
}

#[test]
fn checkpoints_of_training_that_keeps_none() {
    let program = Program::new();
    std::fs::write(program.path("few.fasta"), ">a\nACGTACGT\n>b\nGTACCATG\n").unwrap();
    program.run("import alignment few.fasta --alphabet nucleotide -o few");
    // Also what the option is where it is not given.
    for interval in ["1s", "10min"] {
        let words = ["checkpoint: ", "no such option for an alignment", "keeps no checkpoints"];
        refused(&program, &format!("train few -o new --checkpoint {interval}"), &words);
    }
    program.run("train few --epochs 2 -o new");
}

/// Commands that write a file named by -o.
pub const WRITERS: [&str; 5] = [
    "generate random --n 5 --patterns 3",
    "train data --epochs 2",
    "train data --rule hebb",
    "recall J data",
    "export J",
];

#[test]
fn outputs_that_cannot_be_written() {
    let program = program();
    std::fs::create_dir(program.path("folder")).unwrap();
    for command in WRITERS {
        refused(
            &program,
            &format!("{command} -o missing/new"),
            &["missing/new: expected a folder missing", "found no such folder"],
        );
        refused(
            &program,
            &format!("{command} -o data/new"),
            &["data/new: expected a folder data", "found a file"],
        );
        for folder in ["folder", "folder/", ".", ".."] {
            refused(
                &program,
                &format!("{command} -o {folder} --force"),
                &["expected a file", "found a folder"],
            );
        }
        assert_eq!(std::fs::read_dir(program.path("folder")).unwrap().count(), 0);
        for name in ["new/", "new/.", "./new//", "data/"] {
            refused(
                &program,
                &format!("{command} -o {name} --force"),
                &["expected a file", "found a name that only a folder can have"],
            );
        }
    }
    refused(&program, "train data -o new --eval-every 1 --metrics missing/m.csv", &["missing/m.csv"]);
}

#[cfg(unix)]
#[test]
fn outputs_that_are_pipes_or_links() {
    let program = program();
    let made = std::process::Command::new("mkfifo").arg(program.path("pipe")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("missing/new", program.path("broken")).unwrap();
    std::os::unix::fs::symlink("data", program.path("whole")).unwrap();
    for command in WRITERS {
        let pipe = format!("{command} -o pipe --force");
        refused(&program, &pipe, &["pipe: expected a file", "found a pipe or device"]);
        for option in ["", "--force", "--dry-run"] {
            let broken = format!("{command} -o broken {option}");
            refused(&program, &broken, &["broken: expected a file", "found a symbolic link to nothing"]);
        }
        refused(&program, &format!("{command} -o whole"), &["whole: expected no file", "--force"]);
    }
    assert!(!program.path("pipe").is_file() && program.path("broken").is_symlink());
}

/// By name, before anything is measured or made, also in a dry run.
#[test]
fn parameters_of_experiments_out_of_range_are_refused() {
    let program = Program::new();
    for (experiment, settings) in [
        (
            "transition",
            "lambda=0 lr=-1 n_steps=0 loads=[] mnist_patterns=[3,2] n_samples=9000000000000000000",
        ),
        ("mnist", "batch=0 lambda=nan lr=inf crop=29 patterns=[50,20] n_test=0 n_samples=20000"),
        (
            "basins",
            "load=nan load=3 n_spins=1 threshold=2 step_limit=0 initial_overlaps=[2] symmetric_loads=[nan]",
        ),
        ("basin-size", "lr=nan n_spins=0 thresholds=[1.5] thresholds=[] steps=[0] epochs=[0,1] n_samples=0"),
        (
            "stabilities",
            "load=nan lambda=0 margin_loads=[2.5] margin_loads=[] limit_n_spins=0 n_samples=[1] n_spins=[4]",
        ),
        (
            "spin-glass",
            "lr_decay=nan lambda=-1 side=0 side=100000 temperature=0 temperature=nan patterns=[2,1]",
        ),
        ("phase-diagram", "lambda=-1 lr=0 n_spins=0 n_steps=0 loads=[1] n_samples=0 n_active=0"),
        ("gap", "lambda=0 lr=nan exponents=[] loads=[0.5,0.1] epochs=[1] n_states=0"),
        ("acquisition", "n_samples=9000000000000000000 n_spins=0 n_active=600"),
    ] {
        for setting in settings.split_whitespace() {
            let key = setting.split('=').next().unwrap();
            for run in ["", "--dry-run"] {
                // Two names of one thing: what manifolds and glasses are made of has words of its own.
                let word = if ["n_active", "side", "n_spins"].contains(&key) { "expected" } else { key };
                refused(
                    &program,
                    &format!("reproduce {experiment} --quick --set {setting} -o new {run}"),
                    &[word],
                );
                assert!(!program.path("new").exists(), "{experiment} {setting} {run}");
            }
        }
    }
    refused(&program, "reproduce gap --samples 1000000000 -o new", &["n_samples", "10000"]);
}

#[test]
fn figures_that_cannot_be_made() {
    let program = program();
    std::fs::create_dir(program.path("full")).unwrap();
    std::fs::write(program.path("full/table.csv"), "mine").unwrap();
    for run in ["", "--dry-run"] {
        refused(
            &program,
            &format!("reproduce mandelbrot {run}"),
            &[
                "experiment: ",
                "transition, cutoff, acquisition, gap, basins, basin-size, stabilities, phase-diagram, mnist",
                "mandelbrot",
            ],
        );
        refused(&program, &format!("reproduce transition -o full {run}"), &["full/table.csv", "--force"]);
        refused(&program, &format!("reproduce transition -o data/new {run}"), &["data/new"]);
        for (vary, expected) in [
            ("--set load=3", ["set: ", "a key among epochs, exponent, lambda, loads, ", "found load"]),
            ("--set loads=3", ["set: ", "loads of type array of float, such as [", "found 3"]),
            ("--set n_states", ["set: ", "KEY=VALUE", "found n_states"]),
            ("--config data", ["data: ", "", ""]),
            ("--config nowhere", ["nowhere: ", "", ""]),
        ] {
            refused(&program, &format!("reproduce transition -o new {vary} {run}"), &expected);
        }
        for (show, expected) in [
            ("data --shape 3x3", ["shape: ", "spins of data", "found 3x3"]),
            ("data --shape 0x3", ["--shape", "height and width", ""]),
            ("J --shape 2x4", ["J: ", "recalled states", "found couplings"]),
        ] {
            refused(&program, &format!("show {show} {run}"), &expected);
        }
        let range = "reproduce phase-diagram -o new --set feature_loads=[0.001,1]";
        refused(&program, &format!("{range} {run}"), &["n_active: ", "the 1 features"]);
    }
    refused(&program, "reproduce mnist --mnist nowhere -o new", &["nowhere: ", "train-images-idx3-ubyte"]);
}

#[test]
fn problems_that_pseudo_likelihood_cannot_be_fitted_to() {
    let program = program();
    std::fs::write(program.path("far.txt"), "0 1\n3 9999\n").unwrap();
    std::fs::write(program.path("words.txt"), "one two\n").unwrap();
    for (options, expected) in [
        ("--solver lbfgs --l1 0.1", vec!["l1", "lbfgs"]),
        ("--solver lbfgs --epochs 5", vec!["epochs", "lbfgs"]),
        ("--solver lbfgs --tolerance 0", vec!["tolerance: ", "above 0"]),
        ("--solver lbfgs --max-norm -1", vec!["max-norm: ", "positive"]),
        ("--solver lbfgs --max-iterations 0", vec!["max-iterations: "]),
        ("--tolerance 1e-3", vec!["tolerance: ", "gd"]),
        ("--max-norm 3", vec!["max-norm: ", "gd"]),
        ("--momentum 1", vec!["momentum: ", "below 1"]),
        ("--l1=-0.5", vec!["l1: ", "0 or above"]),
        ("--lr-steps 10:0", vec!["lr-steps: ", "10:0"]),
        ("--lr-steps 10:1,5:1", vec!["lr-steps: ", "ascending"]),
        ("--mask 0", vec!["mask: ", "density"]),
        ("--mask 1.5", vec!["mask: ", "density"]),
        ("--mask nowhere.txt", vec!["mask: ", "nowhere.txt"]),
        ("--mask far.txt", vec!["far.txt: ", "3 9999"]),
        ("--mask words.txt", vec!["words.txt: ", "line 1"]),
        ("--route gram --fields", vec!["route: ", "fields"]),
        ("--route gram --variant symmetric", vec!["route: ", "symmetric"]),
        ("--route gram --mask 0.5", vec!["route: ", "mask"]),
        ("--rule hebb --fields", vec!["fields: ", "hebb"]),
        ("--rule storkey --mask 0.5", vec!["mask: ", "storkey"]),
    ] {
        refused(&program, &format!("train data --dry-run -o new {options}"), &expected);
    }
}
