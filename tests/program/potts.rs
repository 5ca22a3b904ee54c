//! Potts spins by the program, as users run it: learned from an alignment, recalled, scored, inspected.

use std::fmt::Write;

use crate::harness::{Program, without_hash};
use crate::refusal::refused;
use attractor::kernels::Isa;
use attractor::storage::{Container, DType};
use serde_json::Value;

/// Match columns of the family, counted from 1, of which few sequences have a letter, and two with paired letters.
const GAPPED: [usize; 2] = [4, 8];
const PAIRED: [usize; 2] = [2, 11];
const COLUMNS: usize = 12;

/// 60 sequences of independent letters but for one pair of columns, whose letters determine each other.
fn family() -> String {
    let mut state = 1u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % n) as usize
    };
    let mut text = String::new();
    for number in 0..60 {
        let mut letters: Vec<usize> = (0..COLUMNS).map(|_| below(4)).collect();
        letters[PAIRED[1] - 1] = (letters[PAIRED[0] - 1] + 1) % 4;
        let mut letters: Vec<u8> = letters.into_iter().map(|letter| b"ACGT"[letter]).collect();
        for column in GAPPED {
            if number % 10 > 0 {
                letters[column - 1] = b'-';
            }
        }
        writeln!(text, ">{number}\n{}", String::from_utf8_lossy(&letters)).unwrap();
    }
    text
}

/// A folder with the family, three sequences that agree nowhere, and what is learned from either.
fn program() -> Program {
    let program = Program::new();
    std::fs::write(program.path("family.fasta"), family()).unwrap();
    let memories = ["ACGT".repeat(3), "CGTA".repeat(3), "GTAC".repeat(3)];
    let memories: String = memories.iter().map(|letters| format!(">\n{letters}\n")).collect();
    std::fs::write(program.path("memories.fasta"), memories).unwrap();
    program.run(
        "import alignment family.fasta --alphabet nucleotide --max-gaps-column 0.5 --no-weights -o family",
    );
    program.run("import alignment memories.fasta --alphabet nucleotide --no-weights -o memories");
    program.run("train family --lambda 1 --l2 0.01 --epochs 100 -o J");
    program.run("train memories --lambda 1 --epochs 30 -o K");
    program
}

fn json(program: &Program, arguments: &str) -> Value {
    serde_json::from_slice(&program.run(&format!("{arguments} --json")).stdout).unwrap()
}

/// The columns of the rows of a table of pairs.
fn pairs(program: &Program, table: &str) -> Vec<[usize; 2]> {
    let text = std::fs::read_to_string(program.path(table)).unwrap();
    let number = |field: Option<&str>| field.unwrap().parse().unwrap();
    let pair = |row: &str| {
        let mut fields = row.split(',');
        [number(fields.next()), number(fields.next())]
    };
    text.lines().skip(1).map(pair).collect()
}

/// Of columns left out the numbers are left out, whichever way the couplings came about.
#[test]
fn contacts_have_the_numbers_of_the_input() {
    let program = program();
    program.run("train family --lambda 1 --epochs 20 --variant symmetrized -o symmetrized");
    program.run("train family --lambda 1 --epochs 20 --variant symmetric --snapshots 10 -o symmetric");
    program.run("train family --lambda 1 --epochs 20 --init J -o again");
    let left: Vec<usize> = (1..=COLUMNS).filter(|column| !GAPPED.contains(column)).collect();
    let mut expected: Vec<[usize; 2]> =
        left.iter().flat_map(|&i| left.iter().map(move |&j| [i, j])).collect();
    expected.retain(|[i, j]| i < j);
    for couplings in ["J", "symmetrized", "symmetric", "symmetric-epoch-10.safetensors", "again"] {
        program.run(&format!("contacts {couplings} -o pairs.csv --force"));
        let mut found = pairs(&program, "pairs.csv");
        assert_eq!(found[0], PAIRED, "{couplings}");
        found.sort_unstable();
        assert_eq!(found, expected, "{couplings}");
    }
    program.run("contacts J --first 101 -o later.csv");
    assert_eq!(pairs(&program, "later.csv")[0], PAIRED.map(|column| column + 100));
}

#[test]
fn contacts_are_counted_by_the_numbers_of_the_input() {
    let program = program();
    let mut distances = "# i j distance\n".to_owned();
    for i in 1..=COLUMNS {
        for j in i + 1..=COLUMNS {
            let near = [i, j] == PAIRED || GAPPED.contains(&i) || GAPPED.contains(&j);
            writeln!(distances, "{j} {i} {}", if near { 5.0 } else { 20.0 }).unwrap();
        }
    }
    std::fs::write(program.path("distances"), distances).unwrap();
    let counted = json(&program, "contacts J --distances distances");
    // 10 columns are left, and 45 pairs of them; 27 are at least 4 columns of the input apart.
    assert_eq!((&counted["columns"], &counted["pairs_with_distance"]), (&10.into(), &45.into()));
    assert_eq!(counted["pairs_with_distance_apart"], 27);
    let precision = counted["precision_of_pairs_with_distance"].as_array().unwrap().iter();
    let numbers: Vec<_> = precision.map(|x| (x["asked"].as_u64(), x["contacts"].as_u64())).collect();
    assert_eq!(numbers, [(Some(10), Some(1)), (Some(5), Some(1)), (Some(2), Some(1))]);
    // Nine columns of the input lie between the paired ones' numbers, seven of which are left.
    let apart = |separation| {
        let counted = json(
            &program,
            &format!("contacts J --distances distances --min-separation {separation} -o {separation}.csv"),
        );
        counted["precision_of_pairs_with_distance"][0]["contacts"].as_u64()
    };
    assert_eq!((apart(9), apart(10)), (Some(1), Some(0)));
}

/// With one letter of 12 replaced, the field of a memory's letter has the support of at least 10 columns.
#[test]
fn memories_are_recalled_and_inspected() {
    let program = program();
    let measured = |states: &str| json(&program, &format!("inspect {states}"))["measured"].clone();
    let kept = json(&program, "recall K memories -o kept");
    assert_eq!((&kept["overlap_mean"], &kept["fixed_fraction"]), (&1.0.into(), &1.0.into()));
    assert_eq!(measured("kept")["fixed_fraction"], 1.0);
    for (name, dynamics) in
        [("parallel", "parallel"), ("sequential", "sequential"), ("random", "sequential --order random")]
    {
        let arguments = format!("recall K memories --overlap 0.9 --dynamics {dynamics} -o {name}");
        assert_eq!(json(&program, &arguments)["overlap_mean"], 1.0, "{name}");
        let measured = measured(name);
        let numbers: Vec<_> = ["columns", "q", "states", "distinct_ends", "period_max"]
            .into_iter()
            .map(|fact| measured[fact].as_u64())
            .collect();
        assert_eq!(numbers, [12, 5, 3, 3, 1].map(Some), "{name}");
        for (fact, expected) in [
            ("overlap_with_start_mean", 11.0 / 12.0),
            ("overlap_with_start_std", 0.0),
            ("fixed_fraction", 0.0),
            ("converged_fraction", 1.0),
            ("cycle_fraction", 0.0),
            ("unsettled_fraction", 0.0),
            ("steps_mean", 1.0),
            ("mean_identity_of_ends", 0.0),
        ] {
            // Means of a few numbers, rounded in f64.
            let found = measured[fact].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-12, "{name}: {fact} is {found}");
        }
    }
    let couplings = json(&program, "inspect J");
    assert_eq!(couplings["measured"]["columns"], 10);
    assert_eq!(couplings["tensors"]["columns"], serde_json::json!(["U32", [10]]));
}

#[test]
fn options_that_letters_do_not_have_are_refused() {
    let program = program();
    for (option, words) in [
        ("--rule hebb", ["rule", "pseudo-likelihood"]),
        ("--solver lbfgs", ["solver", "gd"]),
        ("--batch 3", ["batch", "alignment"]),
        ("--momentum 0.5", ["momentum", "alignment"]),
        ("--mask 0.5", ["mask", "alignment"]),
        ("--tolerance 0.1", ["tolerance", "alignment"]),
        ("--per-neuron x.csv", ["per-neuron", "alignment"]),
        ("--init nothing", ["init", "a file that exists"]),
        ("--eval-every 0", ["eval-every", "at least 1"]),
        ("--eval-states 0", ["eval-states", "at least 1"]),
        ("--lambda nan", ["lambda", "NaN"]),
        ("--l2=-1", ["l2", "-1"]),
    ] {
        refused(&program, &format!("train family {option} -o new"), &words);
    }
    for (option, words) in [
        ("--overlap 1.2", ["overlap", "1.2"]),
        ("--overlap nan", ["overlap", "NaN"]),
        ("--states 0", ["states", "at least 1"]),
        ("--from features", ["from", "features"]),
        ("--from test", ["test sequences", "none"]),
        ("--temperature 0.5 --steps 3", ["temperature", "Potts"]),
        ("--ties up", ["ties", "Potts"]),
        ("--order random", ["order", "parallel"]),
    ] {
        refused(&program, &format!("recall J family {option} -o new"), &words);
    }
    for (option, words) in [
        ("--gap Z", ["gap", "Z"]),
        ("--cutoff 0", ["cutoff", "positive"]),
        ("--cutoff nan", ["cutoff", "NaN"]),
        ("--first=-1", ["first", "-1"]),
        ("--distances nowhere", ["nowhere", "read"]),
        ("--output J --force", ["J", "an input"]),
    ] {
        refused(&program, &format!("contacts J {option}"), &words);
    }
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let program = program();
    let whole = std::fs::read(program.path("J")).unwrap();
    let mut faulty = without_hash(whole.clone());
    // J begins with what the first letter of column 0 would add to its own field.
    let first = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    faulty[first..first + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let long = ">a\nACGTACGTACGT\n>b\nAACCGGTTACGT\n".replace('\n', "\r\n");
    let files: [(&str, &[u8]); 7] = [
        ("cut", &whole[..whole.len() - 1]),
        ("faulty", &faulty),
        ("protein.fasta", b">a\nACDEFGHIKL\n>b\nMNPQRSTVWY\n"),
        ("long.fasta", long.as_bytes()),
        ("broken", b"1 2 7.5\n1 2\n"),
        ("elsewhere", b"4 8 1.0\n1 13 1.0\n"),
        ("twice", b"1 3 7.5\n# the same pair\n3 1 9.0\n"),
    ];
    for (name, content) in files {
        std::fs::write(program.path(name), content).unwrap();
    }
    program.run("import alignment protein.fasta -o protein");
    program.run("import alignment long.fasta --alphabet nucleotide -o long");
    program.run("generate random --n 10 --patterns 4 -o spins");
    program.run("train spins --rule hebb -o ising");
    program.run("recall K memories -o states");
    let expected: [(&str, &[&str]); 16] = [
        ("train long --init J -o new", &["J: ", "12 columns of 5", "10 columns of 5"]),
        ("train protein --init J -o new", &["J: ", "10 columns of 21", "10 columns of 5"]),
        ("train family --init ising -o new", &["ising", "potts couplings"]),
        ("train family --init cut -o new", &["cut", "full length"]),
        ("recall J long -o new", &["long", "10 columns of 5", "12 columns of 5"]),
        ("recall J protein -o new", &["protein", "10 columns of 5", "10 columns of 21"]),
        ("recall J spins -o new", &["spins", "alignment"]),
        ("recall ising family -o new", &["family", "data set"]),
        ("recall cut family -o new", &["cut", "full length"]),
        ("contacts faulty -o new", &["faulty", "column 0, letter 0", "NaN"]),
        ("contacts family -o new", &["family", "potts couplings"]),
        ("contacts ising -o new", &["ising", "potts couplings"]),
        ("contacts states -o new", &["states", "potts couplings"]),
        ("contacts J --distances broken -o new", &["broken", "line 2", "1 2"]),
        ("contacts J --distances twice -o new", &["twice", "two of 3 and 1", "lines 1 and 3"]),
        ("contacts J --distances elsewhere -o new", &["elsewhere", "1 to 12", "none"]),
    ];
    for (arguments, words) in expected {
        refused(&program, arguments, words);
    }
    refused(&program, "inspect cut", &["cut", "full length"]);
    refused(&program, "contacts J --output J", &["J", "force"]);
}

/// What training, recall and scores leave behind, as bytes; metadata name the command line, and so the threads.
fn results(isa: Isa, n_threads: usize) -> Vec<Vec<u8>> {
    let mut program = Program::new();
    program.isa = Some(isa.name());
    std::fs::write(program.path("family.fasta"), family()).unwrap();
    program.run("import alignment family.fasta --test 7 -o family");
    let mut results = Vec::new();
    for (variant, options) in
        [("asymmetric", "--fields --l2 0.02 --init random"), ("symmetric", "--init hebb --lr-decay 0.98")]
    {
        let table = format!("{variant}.csv");
        program.run(&format!(
            "train family --epochs 12 --variant {variant} {options} --eval-every 4 --metrics {table} \
             -o {variant} --threads {n_threads}"
        ));
        let recall = "--overlap 0.7 --dynamics sequential --order random";
        program.run(&format!("recall {variant} family {recall} -o states-{variant} --threads {n_threads}"));
        program.run(&format!("contacts {variant} -o contacts-{variant} --threads {n_threads}"));
        let couplings = Container::open_any(&program.path(variant)).unwrap();
        for (tensor, rank) in [("J", 2), ("theta", 1)] {
            let values = couplings.values::<f32>(tensor, DType::F32, rank).unwrap().1;
            results.push(values.iter().flat_map(|x| x.to_le_bytes()).collect());
        }
        let states = Container::open_any(&program.path(&format!("states-{variant}"))).unwrap();
        results.push(states.values::<u8>("final", DType::U8, 2).unwrap().1.to_vec());
        for table in [table, format!("contacts-{variant}")] {
            results.push(std::fs::read(program.path(&table)).unwrap());
        }
    }
    results
}

#[test]
fn results_do_not_depend_on_threads_and_instruction_set() {
    let reference = results(Isa::Scalar, 1);
    for isa in Isa::available() {
        for n_threads in [1, 2] {
            // No assert_eq: it would print the bytes.
            assert!(results(isa, n_threads) == reference, "{} on {n_threads} threads", isa.name());
        }
    }
}
