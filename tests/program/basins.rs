//! `basins` and `census` as programs: what they find on couplings whose attractors are known, what they write, what they refuse.

use crate::harness::Program;
use crate::refusal::refused;
use serde_json::{Value, json};

/// N = 40, two patterns under the pseudo-inverse: both fixed, with wide basins; 30 test examples.
fn program() -> Program {
    let program = Program::new();
    program.run("generate random --n 40 --patterns 2 --test 30 --seed 3 -o data");
    program.run("train data --rule pseudo-inverse -o J");
    program
}

fn json(program: &Program, arguments: &str) -> Value {
    serde_json::from_slice(&program.run(&format!("{arguments} --json")).stdout).unwrap()
}

#[test]
fn basins_of_two_patterns_reach_far() {
    let program = program();
    let document = json(&program, "basins J data --overlaps 0.5,0.9,1 -o curve");
    let points = document["points"].as_array().unwrap();
    assert_eq!(points.len(), 3);
    for (point, damaged) in points.iter().zip([10, 2, 0]) {
        assert_eq!(point["damaged"], damaged);
        assert_eq!(point["initial_overlap"].as_f64().unwrap(), 1.0 - f64::from(damaged) / 20.0);
    }
    // The patterns themselves, and all but a few flips away from them, are restored.
    for point in &points[1..] {
        assert_eq!(
            (point["final_overlap"].as_f64(), point["exact_fraction"].as_f64()),
            (Some(1.0), Some(1.0))
        );
    }
    // All three are restored: no size, but a bound.
    assert_eq!((&document["basin_size_at_least"], &document["basin_edge"]), (&json!(0.5), &json!("beyond")));
    for absent in ["basin_size", "basin_size_error", "resolution"] {
        assert!(document[absent].is_null(), "{absent} in {document}");
    }
    // Flips of half the spins are not repaired.
    let none = json(&program, "basins J data --overlaps 0,0.05 --repeats 5");
    assert_eq!((&none["basin_size"], &none["basin_edge"]), (&json!(0.0), &json!("nowhere")));
    assert!(none["basin_size_error"].is_null() && none["basin_size_at_least"].is_null(), "{none}");
    for file in ["curve.csv", "curve.png", "curve.svg"] {
        assert!(program.path(file).is_file(), "{file}");
    }
    let table = String::from_utf8(program.files()["curve.csv"].clone()).unwrap();
    assert_eq!(table.lines().count(), 4);
    assert!(table.starts_with("damaged,initial_overlap,final_overlap,final_overlap_error,exact_fraction"));
    refused(&program, "basins J data -o curve", &["curve.csv", "--force"]);

    // To a single spin; the grid's size lies within its spacing.
    let fine = json(&program, "basins J data --bisect --repeats 5");
    assert_eq!(fine["resolution"].as_f64().unwrap(), 1.0 - (1.0 - 2.0 / 40.0));
    let coarse = json(&program, "basins J data --overlaps 0..1:11 --repeats 5");
    let size = |document: &Value| document["basin_size"].as_f64().unwrap();
    // Overlaps of 40 spins to rounding.
    assert!((coarse["resolution"].as_f64().unwrap() - 0.1).abs() < 1e-12, "{coarse}");
    assert!((size(&fine) - size(&coarse)).abs() <= 0.1, "{fine} {coarse}");
}

#[test]
fn damage_of_every_kind_is_measured() {
    let program = program();
    for (options, damaged, overlap) in [
        ("--corruption patch --image-width 8 --patch 3x2 --damage inverted", 6, 0.7),
        ("--corruption patch --image-width 8 --patch 3x2 --at 5,3 --damage inverted --clamp", 6, 0.7),
        ("--corruption region --overlaps 0.5 --damage inverted --clamp", 10, 0.5),
        ("--overlaps 0.75", 5, 0.75),
    ] {
        let point = &json(&program, &format!("basins J data {options}"))["points"][0];
        assert_eq!(point["damaged"], damaged, "{options}");
        assert!((point["initial_overlap"].as_f64().unwrap() - overlap).abs() < 1e-12, "{options}: {point}");
    }
    // Erased spins: half of 20 are wrong in the mean; 60 copies of 2 patterns leave it to 5 standard errors.
    let point = &json(&program, "basins J data --corruption erased --overlaps 0.5 --repeats 60")["points"][0];
    assert_eq!(point["damaged"], 20);
    let error = 20f64.sqrt() / 40.0 / 120f64.sqrt();
    assert!((point["initial_overlap"].as_f64().unwrap() - 0.5).abs() < 5.0 * error, "{point}");
    // Squares up to the image's five rows.
    let squares = json(&program, "basins J data --corruption patch --image-width 8");
    let damaged: Vec<u64> = squares["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["damaged"].as_u64().unwrap())
        .collect();
    assert_eq!(damaged, [0, 1, 4, 9, 16, 25].into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn the_census_of_two_patterns_finds_them_and_their_opposites() {
    let program = program();
    let document = json(&program, "census J data --from train,random --states 500 -o found");
    assert_eq!(document["kinds"][0]["starts"], 2);
    assert_eq!(document["kinds"][0]["transient_max"], 0);
    assert_eq!(document["kinds"][1]["starts"], 500);
    assert_eq!(document["all"]["unsettled_fraction"], 0.0);
    let listed = document["most_frequent"].as_array().unwrap();
    // +-xi have the largest basins by far.
    for attractor in &listed[..4] {
        assert_eq!(attractor["nearest"]["train"]["overlap_up_to_sign"].as_f64().unwrap().abs(), 1.0);
        assert_eq!(attractor["period"], 1);
    }
    let table = String::from_utf8(program.files()["found.csv"].clone()).unwrap();
    assert_eq!(table.lines().count() as u64, 1 + document["attractors"].as_u64().unwrap());
    let first = table.lines().next().unwrap();
    for column in ["frequency", "energy", "from_random", "train_overlap", "test_overlap_up_to_sign"] {
        assert!(first.split(',').any(|name| name == column), "{column} in {first}");
    }
    let measured = &json(&program, "inspect found.safetensors")["measured"];
    assert_eq!((&measured["N"], &measured["attractors"]), (&json!(40), &document["attractors"]));
    assert_eq!(
        (&measured["settled_starts"], &measured["period_max"]),
        (&json!(502), &document["period_max"])
    );
    assert_eq!(measured["fixed_points"], document["fixed_points"]);
    assert_eq!(measured["frequency_max"], listed[0]["frequency"]);
    let exported = json(&program, "export found.safetensors -o found.npy");
    assert_eq!(exported["shape"][0], document["attractors"]);
}

#[test]
fn results_do_not_depend_on_threads_and_quiet_prints_nothing() {
    let program = program();
    for command in ["basins J data --bisect --repeats 3", "census J data --from random,test"] {
        let found = |threads: usize| {
            let mut document = json(&program, &format!("{command} --threads {threads}"));
            document["seconds"] = Value::Null;
            document
        };
        assert_eq!(found(1), found(3));
        let output = program.run(&format!("{command} --quiet --force -o quiet"));
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{command}");
        let before = program.files();
        json(&program, &format!("{command} -o dry --dry-run"));
        assert!(program.files() == before, "{command}");
    }
}

#[test]
fn inputs_and_options_that_do_not_fit() {
    let program = program();
    program.run("generate random --n 41 --patterns 2 --test 0 -o other");
    for (arguments, words) in [
        ("basins J other", &["other", "N = 40", "N = 41"][..]),
        ("basins J data --from features", &["features", "none"]),
        ("basins data data", &["data", "couplings"]),
        ("basins J data --overlaps 1.5", &["overlap: ", "from -1 to 1", "found 1.5"]),
        ("basins J data --overlaps -2", &["overlap: ", "found -2"]),
        ("basins J data --overlaps nan", &["overlap: ", "found NaN"]),
        ("basins J data --overlaps much", &["--overlaps", "from..to:count"]),
        ("basins J data --corruption erased --overlaps -0.5", &["overlap: ", "from 0 to 1", "found -0.5"]),
        ("basins J data --threshold 2", &["threshold: ", "from 0 to 1", "found 2"]),
        ("basins J data --states 0", &["states: ", "at least 1"]),
        ("basins J data --repeats 0", &["repeats: ", "at least 1"]),
        ("basins J data --corruption patch", &["image-width: ", "found none"]),
        (
            "basins J data --corruption patch --image-width 7",
            &["image-width: ", "divisor of N = 40", "found 7"],
        ),
        ("basins J data --corruption patch --image-width 0", &["image-width: ", "found 0"]),
        (
            "basins J data --corruption patch --image-width 8 --patch 9x1",
            &["patch: ", "8 x 5", "found 9 x 1"],
        ),
        ("basins J data --corruption patch --image-width 8 --patch 0x1", &["patch: ", "at least 1 x 1"]),
        (
            "basins J data --corruption patch --image-width 8 --patch 3x3 --at 6,0",
            &["patch: ", "found 3 x 3 at 6,0"],
        ),
        ("basins J data --corruption patch --image-width 8 --patch 3", &["--patch", "7x5"]),
        ("basins J data --corruption patch --image-width 8 --overlaps 0", &["patch: ", "found 6 x 6"]),
        ("basins J data --image-width 8", &["image-width: ", "patch"]),
        ("basins J data --damage erased", &["damage: ", "region or patch"]),
        ("basins J data --bisect --overlaps 0.5", &["--bisect", "--overlaps"]),
        ("basins J data --bisect --corruption region", &["bisect: ", "flips or erased"]),
        ("basins J data -o missing/curve", &["missing"]),
        ("census J other", &["other", "N = 40", "N = 41"]),
        ("census J data --from features", &["features", "none"]),
        ("census J data --from random,test,random", &["from: ", "each kind once", "random"]),
        ("census J data --states 0", &["states: ", "at least 1"]),
        ("census J data --states 18446744073709551615", &["memory"]),
        ("census J data --from nowhere", &["--from", "nowhere"]),
        ("census J data -o missing/found", &["missing"]),
    ] {
        refused(&program, arguments, words);
    }
}
