//! Measurements that experiments keep as JSON, and go on from.

use std::path::Path;
use std::sync::OnceLock;

use attractor::datasets::{Alignment, Alphabet};
use attractor::execution::{Cancel, Execution, Progress};
use attractor::experiments::{
    BasinSizeConfig, BasinsConfig, CutoffConfig, CutoffSetting, FeatureLearningConfig, GlassBonds,
    MnistConfig, Options, PhaseDiagramConfig, ProteinsConfig, SpinGlassConfig, StabilitiesConfig,
    TransitionConfig, run_acquisition, run_basin_size, run_basins, run_cutoff, run_gap, run_mnist,
    run_phase_diagram, run_proteins, run_spin_glass, run_stabilities, run_transition,
};
use attractor::spins::Sequences;
use attractor::storage::Overwrite;
use attractor::{Error, Result};

use super::{Folder, accepted, execution};

const SEED: u64 = 1;

/// Files of the measurements that are read, of which a run asks for one more or no other.
const BASINS: &str = "n10-load0.4-seed1-sample0.json";
const CUTOFF: &str = "eta1-n64-p20-d8-l3-seed1-draw0.json";
const EDWARDS_ANDERSON: &str = "p2-seed1-sample0.json";
const MNIST: &str = "mnist-p2-seed1-sample0.json";
const PHASE_DIAGRAM: &str = "n10-load0.5-features0.3-seed1-sample0.json";
const PROTEINS: &str = "p3-sample0.json";
const FEATURE_LEARNING: &str = "n10-eta1-load0.5-seed1-draw0.json";
const RULES: &str = "hebb-n10-seed1-sample0.json";
const SYMMETRIC: &str = "symmetric-n10-load0.5-seed1-sample0.json";
const STABILITIES: [&str; 4] = [
    "distance-n10-load0.4-seed1-sample0.json",
    "density-n20-load0.4-lambda-eff0.8-seed1.json",
    "limit-n10-load0.4-seed1.json",
    "margin-n10-load0.4-seed1-sample0.json",
];
const TRANSITION: &str = "n10-load0.5-seed1-sample0.json";

/// In place of a measurement of each experiment, in runs that are interrupted in the next one.
pub(super) fn measurements(content: &[u8]) {
    in_place_of(BASINS, content, |options| {
        run_basin_size(&basins(vec![0.4, 0.5]), options, &interrupted()).map(drop)
    });
    in_place_of(CUTOFF, content, |options| run_cutoff(&cutoff(2), options, &interrupted()).map(drop));
    in_place_of(EDWARDS_ANDERSON, content, |options| {
        run_spin_glass(&edwards_anderson(), options, &cancelled()).map(drop)
    });
    in_place_of(MNIST, content, |options| {
        run_mnist(&mnist(vec![2, 3]), &with_images(options), &interrupted()).map(drop)
    });
    in_place_of(PHASE_DIAGRAM, content, |options| {
        run_phase_diagram(&phase_diagram(), options, &interrupted()).map(drop)
    });
    in_place_of(PROTEINS, content, |options| {
        run_proteins(&proteins(vec![2, 3]), &family(), options, &cancelled()).map(drop)
    });
    in_place_of(FEATURE_LEARNING, content, |options| {
        run_acquisition(&feature_learning(vec![0.5, 1.0]), options, &interrupted()).map(drop)
    });
    in_place_of(RULES, content, |options| run_basins(&rules(), options, &interrupted()).map(drop));
    in_place_of(STABILITIES[3], content, |options| {
        run_stabilities(&stabilities(), options, &interrupted()).map(drop)
    });
    in_place_of(TRANSITION, content, |options| {
        run_transition(&transition(vec![0.5, 1.0]), options, &interrupted()).map(drop)
    });
}

/// In place of all measurements of each experiment: what is read is made into tables and figures. Too slow for a target.
pub fn figures(content: &[u8]) {
    in_place_of(BASINS, content, |options| {
        run_basin_size(&basins(vec![0.4]), options, execution()).map(drop)
    });
    in_place_of(CUTOFF, content, |options| run_cutoff(&cutoff(1), options, execution()).map(drop));
    in_place_of(EDWARDS_ANDERSON, content, |options| {
        std::fs::write(options.output.join("points/samples-seed1-sample0.safetensors"), samples()).unwrap();
        run_spin_glass(&edwards_anderson(), options, execution()).map(drop)
    });
    in_place_of(MNIST, content, |options| {
        run_mnist(&mnist(vec![2]), &with_images(options), execution()).map(drop)
    });
    in_place_of(PHASE_DIAGRAM, content, |options| {
        run_phase_diagram(&phase_diagram(), options, execution()).map(drop)
    });
    in_place_of(PROTEINS, content, |options| {
        run_proteins(&proteins(vec![3]), &family(), options, execution()).map(drop)
    });
    for run in [run_acquisition, run_gap] {
        in_place_of(FEATURE_LEARNING, content, |options| {
            run(&feature_learning(vec![0.5]), options, execution()).map(drop)
        });
    }
    for name in [RULES, SYMMETRIC] {
        in_place_of(name, content, |options| run_basins(&rules(), options, execution()).map(drop));
    }
    for name in STABILITIES {
        in_place_of(name, content, |options| run_stabilities(&stabilities(), options, execution()).map(drop));
    }
    in_place_of(TRANSITION, content, |options| {
        run_transition(&transition(vec![0.5]), options, execution()).map(drop)
    });
}

fn in_place_of(name: &str, content: &[u8], run: impl Fn(&Options) -> Result<()>) {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("points")).unwrap();
    let path = folder.file(&format!("points/{name}"), content);
    let found = match run(&options(&folder.path(""))) {
        Err(Error::Interrupted) => Some(()),
        read => accepted(&path, read),
    };
    // What is refused is refused before anything is written.
    assert_eq!(found.is_some(), folder.path("config.toml").exists());
}

/// Interrupted from the start.
fn cancelled() -> Execution {
    let execution = Execution::with_threads(1).expect("a thread");
    execution.cancel().cancel();
    execution
}

/// Interrupted when measuring begins, which is when everything has been read.
fn interrupted() -> Execution {
    struct Interrupt(Cancel);
    impl Progress for Interrupt {
        fn begin(&self, _: &str, _: u64) {
            self.0.cancel();
        }
        fn advance(&self, _: u64) {}
        fn end(&self) {}
        fn note(&self, _: &str) {}
    }
    let execution = Execution::with_threads(1).expect("a thread");
    let cancel = execution.cancel().clone();
    execution.progress_to(Box::new(Interrupt(cancel)))
}

fn options(folder: &Path) -> Options {
    Options { quick: true, seed: SEED, ..Options::new(folder, Overwrite::Refuse) }
}

fn basins(loads: Vec<f64>) -> BasinSizeConfig {
    BasinSizeConfig {
        n_spins: 10,
        loads,
        n_samples: 1,
        lambda: 0.1,
        lr: 1.0,
        epochs: vec![1, 2],
        steps: vec![1],
        step_limit: 10,
        thresholds: vec![0.99],
        seed: SEED,
    }
}

fn cutoff(n_draws: u64) -> CutoffConfig {
    let setting =
        CutoffSetting { exponent: 1.0, n_spins: 64, n_patterns: 20, n_features: 8, n_draws, n_steps: 2 };
    CutoffConfig {
        n_active: 3,
        ranks: Some(8),
        memory: None,
        check_couplings: false,
        seed: SEED,
        settings: vec![setting],
    }
}

fn edwards_anderson() -> SpinGlassConfig {
    SpinGlassConfig {
        side: 3,
        bonds: GlassBonds::Gaussian,
        periodic: false,
        temperature: 2.0,
        patterns: vec![2],
        n_states: 2,
        lambda: 2.0,
        lr: 1.0,
        lr_decay: 1.0,
        epochs: 2,
        n_steps: 2,
        n_samples: 1,
        seed: SEED,
    }
}

fn mnist(patterns: Vec<usize>) -> MnistConfig {
    MnistConfig {
        patterns,
        n_test: 2,
        crop: 4,
        epochs: 2,
        batch: 2,
        n_steps: 2,
        ..MnistConfig::new(true, SEED)
    }
}

/// The same with a few images to learn, made once.
fn with_images(options: &Options) -> Options {
    static IMAGES: OnceLock<Folder> = OnceLock::new();
    const N_IMAGES: u8 = 6;
    let folder = IMAGES.get_or_init(|| {
        let folder = Folder::new();
        let pixels =
            (0..N_IMAGES).flat_map(|image| (0..784u16).map(move |site| 40 * image * (site % 2) as u8));
        let header = [0, 0, 8, 3, 0, 0, 0, N_IMAGES, 0, 0, 0, 28, 0, 0, 0, 28];
        folder.file("train-images-idx3-ubyte", &header.into_iter().chain(pixels).collect::<Vec<u8>>());
        folder.file("train-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, N_IMAGES, 0, 1, 2, 3, 4, 5]);
        folder
    });
    Options { mnist: folder.path(""), ..options.clone() }
}

fn phase_diagram() -> PhaseDiagramConfig {
    PhaseDiagramConfig {
        n_spins: 10,
        n_active: 3,
        loads: vec![0.5, 1.0],
        feature_loads: vec![0.3, 0.4],
        n_samples: 1,
        lambda: 0.1,
        lr: 1.0,
        epochs: 2,
        n_states: 2,
        n_steps: 2,
        seed: SEED,
    }
}

fn proteins(sequences: Vec<usize>) -> ProteinsConfig {
    ProteinsConfig {
        sequences,
        n_test: 1,
        lambda: 0.2,
        lr: 1.0,
        epochs: 2,
        fields: false,
        n_states: 2,
        n_steps: 2,
        n_samples: 1,
        seed: SEED,
    }
}

fn feature_learning(loads: Vec<f64>) -> FeatureLearningConfig {
    FeatureLearningConfig {
        n_spins: 10,
        n_features: 4,
        n_active: 3,
        exponents: vec![1.0],
        n_samples: 1,
        loads,
        epochs: vec![0, 2],
        lambda: 0.2,
        lr: 0.5,
        n_states: 2,
        n_steps: 2,
        seed: SEED,
    }
}

fn rules() -> BasinsConfig {
    BasinsConfig {
        n_spins: 10,
        load: 0.2,
        n_samples: 1,
        epochs: 2,
        initial_overlaps: vec![0.6, 0.8],
        n_steps: 2,
        step_limit: 10,
        threshold: 0.99,
        symmetric_n_spins: 10,
        symmetric_loads: vec![0.5],
        seed: SEED,
    }
}

fn stabilities() -> StabilitiesConfig {
    StabilitiesConfig {
        load: 0.4,
        lambda_effs: [0.2, 0.8, 1.6],
        lambda: 1.0,
        n_spins: vec![10, 20],
        n_samples: vec![1, 1],
        descent_epochs: 2,
        descent_lr: 1.0,
        limit_n_spins: 10,
        limit_lambda_effs: vec![0.5, 1.0],
        margin_loads: vec![0.4],
        margin_n_spins: vec![10, 20],
        n_margin_samples: 1,
        seed: SEED,
    }
}

fn transition(loads: Vec<f64>) -> TransitionConfig {
    TransitionConfig {
        n_spins: 10,
        n_features: 4,
        n_active: 3,
        exponent: 1.0,
        loads,
        epochs: vec![0, 2],
        lambda: 0.2,
        lr: 0.5,
        n_states: 2,
        n_steps: 2,
        mnist_patterns: Vec::new(),
        mnist_epochs: 1,
        n_samples: 1,
        seed: SEED,
    }
}

fn family() -> Alignment {
    let sequences = Sequences::new(3, 5, vec![0, 1, 2, 3, 4, 4, 2, 2, 1, 0, 0, 3]).unwrap();
    Alignment::from_train(sequences, Alphabet::nucleotide())
}

/// The samples of the glass, made once.
fn samples() -> &'static [u8] {
    static SAMPLES: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let folder = Folder::new();
        run_spin_glass(&edwards_anderson(), &options(&folder.path("")), execution()).unwrap();
        std::fs::read(folder.path("points/samples-seed1-sample0.safetensors")).unwrap()
    })
}
