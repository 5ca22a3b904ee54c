//! The classical rules from the command line: what they store and what their files say.

use crate::harness::Program;
use attractor::couplings::Couplings;
use attractor::execution::Execution;
use serde_json::Value;

/// A folder with a data set of load 1/4.
fn program() -> Program {
    let program = Program::new();
    program.run("generate random --n 240 --patterns 60 --test 5 -o data");
    program
}

fn json(program: &Program, arguments: &str) -> Value {
    serde_json::from_slice(&program.run(&format!("{arguments} --json")).stdout).unwrap()
}

/// At load 1/4 hardly a Hebbian pattern is fixed in all spins; all others store them. J is symmetric to the bit.
#[test]
fn rules_store_what_hebb_does_not() {
    let program = program();
    for (rule, fixed) in [
        ("hebb", 0.0..0.2),
        ("hebb --dreams 1000 --unlearning-rate 0.01", 0.5..1.01),
        ("storkey", 0.9..1.01),
        ("dreaming --dream-time 20", 1.0..1.01),
        ("pseudo-inverse", 1.0..1.01),
        ("pseudo-inverse --self-coupling", 1.0..1.01),
        ("pseudo-inverse --ridge 0.01", 1.0..1.01),
    ] {
        let document = json(&program, &format!("train data --rule {rule} --force -o J"));
        let found = document["fixed_fraction"].as_f64().unwrap();
        assert!(fixed.contains(&found), "{rule}: {found}");
        assert_eq!(document["asymmetry"].as_f64(), Some(0.0), "{rule}");
    }
    assert!(program.files().into_keys().eq(["J", "data"]));
}

#[test]
fn files_name_the_parameters_of_their_rule() {
    let program = program();
    for (rule, entries) in [
        ("hebb --dreams 2 --seed 3", &[("dreams", "2"), ("unlearning_rate", "0.01"), ("seed", "3")][..]),
        ("pseudo-inverse --ridge 0.5", &[("ridge", "0.5")]),
        ("pseudo-inverse --self-coupling", &[("ridge", "0"), ("self_coupling", "true")]),
        ("dreaming", &[("dream_time", "1")]),
        ("storkey", &[("rule", "storkey")]),
    ] {
        program.run(&format!("train data --rule {rule} --force -o J"));
        let metadata = &json(&program, "inspect J")["metadata"];
        for (name, value) in entries {
            assert_eq!(metadata[name], *value, "{rule}: {metadata}");
        }
        let execution = Execution::with_threads(1).unwrap();
        let couplings = Couplings::open(&program.path("J"), &execution).unwrap();
        assert_eq!(couplings.has_self_coupling(), rule.ends_with("--self-coupling"));
    }
}

/// sqrt((1 - alpha) / alpha) = sqrt 3; at N = 240 the diagonal of the projector, and with it the mean, is off by about a
/// hundredth.
#[test]
fn stabilities_of_the_pseudo_inverse_are_those_of_theory() {
    let program = program();
    program.run("train data --rule pseudo-inverse -o J");
    let document = json(&program, "stabilities J data --theory pseudo-inverse");
    assert!((document["theory"]["mean"].as_f64().unwrap() - 3f64.sqrt()).abs() < 1e-9);
    let (mean, min) = (document["mean"].as_f64().unwrap(), document["min"].as_f64().unwrap());
    assert!((mean - 3f64.sqrt()).abs() < 0.03 && min > 1.0, "{mean} {min}");
}
