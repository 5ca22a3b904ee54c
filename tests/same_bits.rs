//! The same bits at any thread count, with every instruction set, and in every build.

#[path = "program/harness.rs"]
mod harness;

use std::collections::BTreeMap;

use attractor::analysis::{Evaluation, observe};
use attractor::datasets::{Coefficients, Manifold, ManifoldParameters};
use attractor::dynamics::{
    Dynamics, GlauberDynamics, ParallelDynamics, SequentialDynamics, Stop, SweepOrder, Ties, Update,
    random_states,
};
use attractor::execution::{Execution, thread_pool};
use attractor::kernels::Isa;
use attractor::learning::{Batches, Initial, PseudoLikelihood, Trainer};
use harness::Program;

/// Every way to make couplings, data and states; the sizes are no multiples of 8, 16 or 64.
const RUNS: [&str; 21] = [
    "generate random --n 131 --patterns 70 --test 33 --seed 3 -o random",
    "generate manifold --n 131 --patterns 150 --features 40 --exponent 1.2 --test 50 -o manifold",
    "generate manifold --n 77 --patterns 30 --features 9 --active 9 --coefficients gaussian -o dense",
    "train manifold --rule hebb -o hebb --eval-every 1 --metrics hebb.csv",
    "train random --epochs 12 --eval-every 5 --snapshots 3,7 -o full --metrics full.csv",
    "train manifold --epochs 6 --batch 37 --l2 0.01 --lr-decay 0.9 --init random --eval-every 2 -o mini \
     --metrics mini.csv",
    "train manifold --epochs 5 --batch 40 --drop-last --init uniform --variant symmetrized -o symmetrized \
     --eval-every 1 --metrics symmetrized.csv",
    "train random --rule perceptron --kappa 0.1 --max-sweeps 50 -o perceptron --per-neuron perceptron.csv",
    "train manifold --rule max-stability --max-sweeps 40 -o stable --per-neuron stable.csv",
    "train dense --epochs 9 --init zero --lambda 2 -o dense-J",
    "train random --rule storkey -o storkey",
    "train random --solver lbfgs --l2 0.05 --fields -o optimum --per-neuron optimum.csv",
    "train manifold --solver lbfgs --l2 0.1 --variant symmetric -o joint",
    "train manifold --epochs 5 --momentum 0.5 --l1 0.001 --fields --mask 0.5 --variant symmetric -o graph",
    "recall optimum random --overlap 0.7 --steps 5 -o with-theta",
    "recall full random --overlap 0.7 --steps 4 -o recalled",
    "recall mini manifold --from features --overlap 0.6 --ties up -o features",
    "recall hebb manifold --from random --states 1 -o one",
    "recall optimum random --overlap 0.6 --dynamics sequential --order random -o swept",
    "recall full random --overlap 0.5 --dynamics sequential --temperature 0.3 --steps 4 -o heated",
    "recall mini manifold --from test --temperature 0.5 --steps 3 -o parallel-heat",
];

/// What the runs write. Each starts from the files that `reference`, if any, holds at that point: outputs name the
/// hashes of their inputs, whose command line says how many threads made them.
fn written(
    isa: Isa,
    n_threads: usize,
    reference: Option<&BTreeMap<String, Vec<u8>>>,
) -> BTreeMap<String, Vec<u8>> {
    let mut program = Program::new();
    program.isa = Some(isa.name());
    let mut written = BTreeMap::new();
    for run in RUNS {
        program.run(&format!("{run} --threads {n_threads}"));
        for (name, content) in program.files() {
            if let Some(content) = reference.and_then(|reference| reference.get(&name)) {
                std::fs::write(program.path(&name), content).unwrap();
            }
            written.entry(name).or_insert(content);
        }
    }
    written
}

/// The content with the number of threads in the recorded command line taken back to 1, a character of the same length, and
/// without the hash, which depends on it.
fn with_one_thread(mut content: Vec<u8>) -> Vec<u8> {
    let places = |content: &[u8], text: &[u8]| -> Vec<usize> {
        let windows = content.windows(text.len()).enumerate();
        windows.filter(|(_, window)| *window == text).map(|(at, _)| at + text.len()).collect()
    };
    for end in places(&content, b"--threads 2") {
        content[end - 1] = b'1';
    }
    for end in places(&content, b"\"blake3\":\"") {
        content[end..end + 64].fill(b'0');
    }
    content
}

#[test]
fn files_do_not_depend_on_threads_and_instruction_set() {
    let reference = written(Isa::Scalar, 1, None);
    let names: Vec<_> = reference.keys().map(String::as_str).collect();
    let expected = [
        "dense",
        "dense-J",
        "features",
        "full",
        "full-epoch-3.safetensors",
        "full-epoch-7.safetensors",
        "full.csv",
        "graph",
        "heated",
        "hebb",
        "hebb.csv",
        "joint",
        "manifold",
        "mini",
        "mini.csv",
        "one",
        "optimum",
        "optimum.csv",
        "parallel-heat",
        "perceptron",
        "perceptron.csv",
        "random",
        "recalled",
        "stable",
        "stable.csv",
        "storkey",
        "swept",
        "symmetrized",
        "symmetrized.csv",
        "with-theta",
    ];
    assert_eq!(names, expected);
    for isa in Isa::available() {
        for n_threads in [1, 2] {
            for (name, content) in written(isa, n_threads, Some(&reference)) {
                // No assert_eq: it would print the files.
                assert!(
                    with_one_thread(content) == with_one_thread(reference[&name].clone()),
                    "{name} differs with {} on {n_threads} threads",
                    isa.name()
                );
            }
        }
    }
}

/// BLAKE3 of a data set, the couplings trained on it, the states recalled and the row of observables: every kernel,
/// minibatches of uneven size included.
fn digests(isa: Isa, n_threads: usize) -> [String; 6] {
    let execution = Execution::new(thread_pool(n_threads).unwrap(), isa).unwrap();
    let manifold = ManifoldParameters {
        n_spins: 83,
        n_patterns: 150,
        n_test: 40,
        n_features: 30,
        n_active: 4,
        exponent: 1.3,
        coefficients: Coefficients::Gaussian,
        test_features: None,
        n_stored_features: 20,
        seed: 11,
    };
    let data = Manifold::new(manifold).unwrap().generate(&execution).unwrap();
    let parameters = PseudoLikelihood {
        lr_decay: 0.98,
        l2: 0.003,
        batches: Batches::Mini { size: 71, drop_last: false },
        seed: 2,
        ..PseudoLikelihood::new(0.7, 0.5)
    };
    let mut trainer =
        Trainer::new(&data.train, parameters.clone(), &Initial::Random, 0.5, &execution).unwrap();
    trainer.advance_to(20).unwrap();
    let couplings = trainer.couplings();

    let starts = random_states(70, 83, 4).unwrap();
    let dynamics = ParallelDynamics { stop: Stop::After(3), ties: Ties::Keep };
    let recall = dynamics.run(couplings, &starts, &starts, &execution).unwrap();
    let evaluation = Evaluation::new(&data, &parameters, 25, 10, 6, &execution).unwrap();
    let observed = observe(couplings, &evaluation, &execution).unwrap();

    let (stop, order) = (Stop::After(3), SweepOrder::Random { seed: 5 });
    let sequential = SequentialDynamics { stop, ties: Ties::Keep, order };
    let swept = sequential.run(couplings, &starts, &starts, &execution).unwrap();
    let glauber = GlauberDynamics { temperature: 0.4, steps: 3, update: Update::Parallel, seed: 7 };
    let heated = glauber.run(couplings, &starts, &starts, &execution).unwrap();

    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
    [
        digest(bytemuck::cast_slice(data.train.words())),
        digest(bytemuck::cast_slice(couplings.values())),
        digest(bytemuck::cast_slice(recall.states.words())),
        digest(bytemuck::cast_slice(swept.states.words())),
        digest(bytemuck::cast_slice(heated.states.words())),
        digest(observed.values().join(",").as_bytes()),
    ]
}

/// Pins bits: only this program has ever produced these numbers. They tell builds apart that fuse or reorder
/// arithmetic, so the test is to pass in a build for the processor at hand (`RUSTFLAGS="-C target-cpu=native"`) too.
const PINNED: [&str; 6] = [
    "39b3ad3441a86741",
    "102eafa87e1d1adb",
    "11b7cfbc0fbb299a",
    "1fed72c2511106bc",
    "a4863d600bd171af",
    "905990eac838a2e3",
];

#[test]
fn results_are_pinned() {
    for isa in Isa::available() {
        for n_threads in [1, 2] {
            assert_eq!(digests(isa, n_threads), PINNED, "{} on {n_threads} threads", isa.name());
        }
    }
}
