//! Alignments from files of others to files of ours and what is measured of them: by the program, as users run it.

use crate::harness::{Program, without_hash};
use crate::refusal::refused;
use serde_json::Value;

/// A folder with small alignments, good and bad.
fn program() -> Program {
    let program = Program::new();
    let files: [(&str, &[u8]); 14] = [
        (
            "good.fasta",
            b">a one\nACDE-FGHIK\n>b\nACDE-FGHIL\n>c\nMNPQRSTVWY\n>b\nMNPQRSTVWY\n>x\n-XDE\n-----A\n",
        ),
        ("good.a3m", b"#4\t1\n>a\nACD-\n>b\nAgggCDE\n>ss_pred\nHHHH\n>c\nA-DE\n"),
        ("crlf.fa", b">a\r\nAC\r\nDE\r\n>b\r\nACDF\r\n"),
        ("rna.fasta", b">a\nACGU-\n>b\nacgun\n"),
        ("spins.fasta", b">a\n0110\n>b\n0011\n"),
        ("ragged.fasta", b">a\nACD\n>b\nAC\n"),
        ("ragged.a3m", b">a\nACD\n>b\nACd\n"),
        ("unknown.fasta", b">a\nACD\n>b\nA7D\n"),
        ("empty.fasta", b""),
        ("blank.fasta", b"\n\n# nothing\n"),
        ("hollow.fasta", b">a\n>b\nAC\n"),
        ("cut.fasta", b">a"),
        ("reads.fastq", b"@r\nACGT\n+\nIIII\n"),
        ("cut.fasta.gz", b"\x1f\x8b\x08\x00\x00\x00"),
    ];
    for (name, content) in files {
        std::fs::write(program.path(name), content).unwrap();
    }
    program
}

fn json(program: &Program, arguments: &str) -> Value {
    serde_json::from_slice(&program.run(&format!("{arguments} --json")).stdout).unwrap()
}

#[test]
fn what_is_imported_is_inspected() {
    let program = program();
    let made = json(&program, "import alignment good.fasta -o data");
    assert_eq!((&made["p"], &made["l"], &made["q"]), (&5.into(), &10.into(), &21.into()));
    assert_eq!(made["provenance"]["ambiguous_letters"], "1");
    // a and b agree in 9 of 10 columns, c and the second b in all, x is alone.
    assert_eq!(made["n_effective"], 3.0);
    let measured = &json(&program, "inspect data")["measured"];
    assert_eq!(
        (&measured["P"], &measured["M_eff"], &measured["duplicates"]),
        (&5.into(), &3.0.into(), &1.into())
    );
    let strict = json(&program, "import alignment good.fasta --theta 0.95 -o strict");
    assert_eq!(strict["n_effective"], 4.0);
    let plain = json(&program, "import alignment good.fasta --no-weights --duplicates drop -o plain");
    assert_eq!((&plain["p"], &plain["n_effective"]), (&4.into(), &4.0.into()));
    assert!(json(&program, "inspect plain")["measured"].get("M_eff").is_none());
    assert_eq!(json(&program, "import alignment good.fasta --ambiguous drop -o fewer")["p"], 4);
    let filtered = "import alignment good.fasta --max-gaps-column 0.5 --max-gaps-sequence 0.5 -o filtered";
    let filtered = json(&program, filtered);
    // The fifth column has gaps in three of five, x in eight of ten.
    assert_eq!((&filtered["p"], &filtered["l"]), (&4.into(), &9.into()));
}

#[test]
fn other_formats_and_alphabets_are_read() {
    let program = program();
    let a3m = json(&program, "import alignment good.a3m -o a3m");
    assert_eq!(
        (&a3m["p"], &a3m["l"], &a3m["provenance"]["insertions_dropped"]),
        (&3.into(), &4.into(), &"3".into())
    );
    assert_eq!(json(&program, "import alignment crlf.fa -o crlf")["l"], 4);
    let rna = json(&program, "import alignment rna.fasta --alphabet nucleotide -o rna");
    assert_eq!((&rna["q"], &rna["provenance"]["ambiguous_letters"]), (&5.into(), &"1".into()));
    assert_eq!(json(&program, "inspect rna")["measured"]["duplicates"], 1);
    assert_eq!(json(&program, "import alignment spins.fasta --alphabet 01 -o spins")["q"], 2);
    assert_eq!(json(&program, "import alignment spins.fasta --alphabet -01 -o gapped")["q"], 3);
    assert!(json(&program, "inspect spins")["measured"]["gap_fraction"].is_null());
}

#[test]
fn splits_are_seeded_and_independent_of_threads() {
    let program = program();
    let mut lines = String::new();
    for row in 0..60 {
        let letter =
            |column: usize| char::from(b"ACDEFGHIKL"[(row / 4 * 7 + column * row / 4 + column) % 10]);
        lines += &format!(">{row}\n{}\n", (0..12).map(letter).collect::<String>());
    }
    std::fs::write(program.path("many.fasta"), lines).unwrap();
    let split = "import alignment many.fasta --test 0.2 --split clusters --cluster-identity 0.7 -o";
    program.run(&format!("{split} one --seed 3 --threads 1"));
    program.run(&format!("{split} two --seed 3 --threads 2"));
    program.run(&format!("{split} three --seed 4"));
    let data = |name: &str| program.files()[name][4096..].to_vec();
    assert!(data("one") == data("two") && data("one") != data("three"));
    let measured = &json(&program, "inspect one")["measured"];
    assert!((1..=12).contains(&measured["test"].as_u64().unwrap()));
    assert_eq!(measured["test_in_train"], 0);
    let random = json(&program, "import alignment many.fasta --test 7 -o random");
    assert_eq!((&random["test"], &random["p"]), (&7.into(), &53.into()));
}

#[test]
fn files_that_are_no_alignment_are_refused_by_name() {
    let program = program();
    for (arguments, words) in [
        ("ragged.fasta", &["ragged.fasta: expected 3 columns", "2 in sequence \"b\" (line 3)"][..]),
        ("ragged.a3m", &["expected 3 match columns", "sequence \"b\""]),
        ("unknown.fasta", &["'7', letter 2 of sequence \"b\" (line 3)", "-ACDEFGHIKLMNPQRSTVWY"]),
        ("empty.fasta", &["empty.fasta: ", "found no sequence"]),
        ("blank.fasta", &["blank.fasta: ", "found no sequence"]),
        ("hollow.fasta", &["at least 1 column", "sequence \"a\" (line 1)"]),
        ("cut.fasta", &["cut.fasta: expected a sequence after each header"]),
        ("reads.fastq", &["FASTA, A2M or A3M", "@r"]),
        ("cut.fasta.gz", &["cut.fasta.gz: cannot read"]),
        ("gone.fasta", &["gone.fasta: cannot open"]),
        ("good.fasta --alphabet ACDE", &["'-', letter 5 of sequence \"a\""]),
        ("good.fasta --alphabet A", &["alphabet: ", "2 to 64"]),
        ("good.fasta --alphabet AAC", &["alphabet: ", "twice"]),
        ("good.a3m --alphabet -ACDEgH", &["alphabet: ", "a3m"]),
        ("good.fasta --ambiguous refuse", &["'X', letter 2 of sequence \"x\" (line 9)"]),
        ("good.fasta --max-gaps-column 1.5", &["max-gaps-column: ", "from 0 to 1"]),
        ("good.fasta --max-gaps-sequence nan", &["max-gaps-sequence: ", "NaN"]),
        ("spins.fasta --alphabet 01 --max-gaps-column 0.5", &["max-gaps-column: ", "no \"-\""]),
        ("good.fasta --theta 0", &["theta: ", "above 0"]),
        ("good.fasta --theta 1.1", &["theta: ", "at most 1"]),
        ("good.fasta --theta 0.8 --no-weights", &["--theta", "--no-weights"]),
        ("good.fasta --test 5", &["test: ", "not all"]),
        ("good.fasta --test 0", &["test: ", "found 0"]),
        ("good.fasta --test 1.5", &["test: ", "fraction"]),
        ("good.fasta --test some", &["--test", "some"]),
        ("good.fasta --split clusters", &["--test"]),
        ("good.fasta --test 1 --split clusters --cluster-identity 2", &["cluster-identity: "]),
        ("crlf.fa --test 1 --split clusters --cluster-identity 0.5", &["test: ", "1 clusters of at least 2"]),
    ] {
        refused(&program, &format!("import alignment {arguments} -o new"), words);
    }
    refused(&program, "import alignment good.fasta -o good.fasta --force", &["an input of that name"]);
    program.run("import alignment good.fasta -o data");
    refused(&program, "import alignment good.fasta -o data", &["--force"]);
    // An alignment is no data set of spins.
    refused(&program, "train data --rule hebb -o new", &["rule: ", "pseudo-likelihood", "found hebb"]);
    program.run("generate random --n 3 --patterns 2 -o spins");
    program.run("train spins --epochs 1 -o J");
    refused(&program, "basins J data", &["data: ", "kind \"data set\"", "found kind \"alignment\""]);
}

/// Also where sequences repeat, which are left out then as on import.
#[test]
fn a_family_is_reproduced_from_the_file_of_its_source() {
    let program = program();
    let letter = |row: usize, column: usize| b"-ACDE"[(row * (column + 3) / 4 + column) % 5];
    let sequence = |row| String::from_utf8((0..8).map(|column| letter(row, column)).collect()).unwrap();
    let rows = (0..40).map(|row| format!(">{row}\n{}\n", sequence(row % 30)));
    std::fs::write(program.path("family.fasta"), rows.collect::<String>()).unwrap();
    program.run("import alignment family.fasta --duplicates drop -o family");
    let settings = "--set sequences=[2,8] --set n_test=5 --set epochs=3";
    program.run(&format!("reproduce proteins --alignment family {settings} -o imported"));
    program.run(&format!("reproduce proteins --alignment family.fasta {settings} -o plain"));
    let table = |folder: &str| std::fs::read(program.path(folder).join("table.csv")).unwrap();
    assert_eq!(table("plain"), table("imported"));
    assert!(String::from_utf8_lossy(&table("plain")).lines().count() > 6);
    for (file, words) in [
        ("ragged.fasta", &["ragged.fasta: ", "3 columns"]),
        ("family.tsv", &["family.tsv: ", "open"]),
        ("good.fasta", &["sequences"]),
    ] as [(&str, &[&str]); 3]
    {
        refused(&program, &format!("reproduce proteins --alignment {file} -o new"), words);
    }
    refused(&program, "reproduce proteins -o new", &["alignment: ", "FASTA", "import alignment"]);
    refused(&program, "reproduce basins --alignment family -o new", &["alignment: ", "reproduce basins"]);
}

#[test]
fn damaged_alignments_are_refused() {
    let program = program();
    program.run("import alignment good.fasta -o data");
    let whole = std::fs::read(program.path("data")).unwrap();
    std::fs::write(program.path("short"), &whole[..whole.len() - 1]).unwrap();
    refused(&program, "inspect short", &["short: "]);
    // The first letter of train, behind 10 columns and 5 weights of four bytes.
    let mut letter = without_hash(whole);
    letter[4096 + 60] = 21;
    std::fs::write(program.path("letter"), letter).unwrap();
    refused(&program, "inspect letter", &["letter: ", "letters below q = 21", "row 0, column 0"]);
}

#[test]
fn a_dry_run_estimates_and_writes_nothing() {
    let program = program();
    let before = program.files();
    let estimate = json(&program, "import alignment good.fasta --test 2 --dry-run");
    assert!(estimate["memory_bytes"].as_u64().is_some());
    refused(&program, "import alignment ragged.fasta --dry-run", &["ragged.fasta"]);
    assert!(program.files() == before);
}

#[test]
fn data_sets_and_states_are_measured() {
    let program = Program::new();
    std::fs::write(program.path("spins.csv"), "1,1,-1\n-1,-1,1\n1,1,-1\n1,-1,1\n").unwrap();
    std::fs::write(program.path("test.csv"), "1,1,-1\n-1,1,-1\n-1,-1,-1\n").unwrap();
    std::fs::write(program.path("labels"), "0\n7\n7\n7\n").unwrap();
    std::fs::write(program.path("test-labels"), "1\n1\n0\n").unwrap();
    std::fs::write(program.path("weights"), "1\n0.5\n0.5\n0\n").unwrap();
    let import =
        "import csv spins.csv --test test.csv --labels labels --test-labels test-labels --weights weights";
    program.run(&format!("{import} -o data"));
    let measured = json(&program, "inspect data")["measured"].clone();
    for (name, expected) in [
        ("duplicates", Value::from(1)),
        ("duplicates_up_to_sign", 2.into()),
        ("constant_spins", 0.into()),
        ("classes", serde_json::json!({ "0": 1, "7": 3 })),
        ("test_classes", serde_json::json!({ "0": 1, "1": 2 })),
        ("weights_sum", 2.0.into()),
        ("weights_sum_squared_by_sum_of_squares", (8.0 / 3.0).into()),
        ("test_in_train", 1.into()),
        ("test_in_train_up_to_sign", 2.into()),
    ] {
        assert_eq!(measured[name], expected, "{name}");
    }
    for (file, content, words) in [
        ("labels", "0\n7\n7\n", ["train labels", "4, one a row"]),
        ("labels", "0\n7\n7\n256\n", ["labels: ", "256 for pattern 3"]),
        ("labels", "class\n7\n7\n7\n7\n", ["header", "class"]),
        ("spins.csv", "a,b,c\n1,1,1\n", ["header", "\"a\" in line 1"]),
    ] {
        let before = std::fs::read(program.path(file)).unwrap();
        std::fs::write(program.path(file), content).unwrap();
        refused(&program, &format!("{import} -o new"), &words);
        std::fs::write(program.path(file), before).unwrap();
    }
    refused(&program, "import csv spins.csv --test-labels labels -o new", &["--test"]);

    program.run("generate random --n 30 --patterns 3 --test 0 -o random");
    program.run("train random --rule hebb -o J");
    program.run("recall J random -o states");
    let measured = &json(&program, "inspect states")["measured"];
    assert_eq!((&measured["states"], &measured["N"]), (&3.into(), &30.into()));
    let ends = ["converged_fraction", "cycle_fraction", "unsettled_fraction"]
        .map(|end| measured[end].as_f64().unwrap());
    assert!((ends.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{ends:?}");
}
