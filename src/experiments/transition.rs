//! Memorisation turns into generalisation, on the hidden manifold with power-law feature frequencies.
//!
//! Features used with probability k^-eta: the frequent ones are learned first, in data and in training time. While the
//! load is small, training patterns are attractors and test examples are not; with more data the learned features carry
//! both, and at a given number of epochs the two overlaps meet. The number of learned features is what the test gap follows
//! ("Power-law feature statistics explain test reconstruction gaps in Associative Memories"). For Hebb that number levels
//! off near N^(1/2eta) as the load grows.
//!
//! Does the toy reproduce the real thing? The third panel is MNIST at 14 x 14, learned as in `mnist`, where its files are there:
//! overlaps of training images fall, those of unseen ones rise, and both meet.
//!
//! All loads get the same number of epochs, so large ones are further from the minimum of their loss; the table has the loss
//! beside the overlaps.

use serde::{Deserialize, Serialize};

use super::mnist::{self, MnistConfig};
use super::parameters::{Parameters, Shipped};
use super::run_directory::RunDirectory;
use super::trajectory::{Point, table, trajectory};
use super::{Manifest, Options, patterns_at};
use crate::analysis::Evaluation;
use crate::datasets::{Coefficients, DataSet, Manifold, ManifoldParameters};
use crate::error::Result;
use crate::execution::Execution;
use crate::learning::{Initial, PseudoLikelihood, Trainer};
use crate::report::{Axis, Color, Figure, Panel, Series, Style};

/// What the experiment writes.
pub(super) const FILES: &[&str] = &[
    "table.csv",
    "mnist.csv",
    "figure.svg",
    "figure.png",
    "features.svg",
    "features.png",
    "gap.svg",
    "gap.png",
];

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitionConfig {
    /// N.
    pub n_spins: usize,
    /// D.
    pub n_features: u64,
    /// L.
    pub n_active: usize,
    /// eta.
    pub exponent: f64,
    /// P / N, ascending.
    pub loads: Vec<f64>,
    /// Epochs at which observables are taken, ascending from 0 (the Hebb couplings).
    pub epochs: Vec<u64>,
    pub lambda: f64,
    pub lr: f64,
    /// Unseen examples, and states recalled of each kind.
    pub n_states: usize,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    /// P of the runs on MNIST, ascending, if any, and their epochs; their other parameters are those of `mnist`.
    pub mnist_patterns: Vec<usize>,
    pub mnist_epochs: u64,
    pub seed: u64,
}

impl Parameters for TransitionConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("parameters/transition.toml"),
        quick: include_str!("parameters/transition-quick.toml"),
        optional: &[],
    };
}

impl TransitionConfig {
    /// N = 2000, D = 1000, eta = 1.5, L = 3; or N = 500, D = 250.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_transition(&TransitionConfig::varied(options)?, options, execution)
}

/// Runs the experiment with parameters of the caller's; of `options`, the output, the command and what to overwrite count.
///
/// # Errors
/// If a parameter is out of range, the output exists and may not be replaced or cannot be written, or interrupted.
pub fn run_transition(
    config: &TransitionConfig,
    options: &Options,
    execution: &Execution,
) -> Result<Manifest> {
    let mut directory = RunDirectory::create("transition", options, config, FILES)?;

    let n_patterns = config.loads.iter().map(|&load| patterns_at(load, config.n_spins)).max().unwrap_or(1);
    // One set of patterns: smaller loads are its first rows, so that curves differ by data alone.
    let all = Manifold::new(ManifoldParameters {
        n_spins: config.n_spins,
        n_patterns,
        n_test: config.n_states,
        n_features: config.n_features,
        n_active: config.n_active,
        exponent: config.exponent,
        coefficients: Coefficients::Signs,
        test_features: None,
        n_stored_features: config.n_features as usize,
        seed: config.seed,
    })?
    .generate(execution)?;

    let mut points = Vec::new();
    for &load in &config.loads {
        let data = DataSet {
            test: all.test.clone(),
            features: all.features.clone(),
            ..DataSet::from_train(all.train.head(patterns_at(load, config.n_spins)))
        };
        let (n_states, n_steps) = (config.n_states, config.n_steps);
        let parameters =
            PseudoLikelihood { seed: config.seed, ..PseudoLikelihood::new(config.lambda, config.lr) };
        let evaluation = Evaluation::new(&data, &parameters, n_states, n_steps, config.seed, execution)?;
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Hebb, 1.0, execution)?;
        points.extend(trajectory(&mut trainer, &evaluation, &config.epochs, execution)?);
    }
    let images = real(config, options, &mut directory, execution)?;
    directory
        .table("table.csv", &table(&points, |epoch| if epoch == 0 { "hebb" } else { "pseudo-likelihood" }))?;
    if !images.is_empty() {
        directory.table("mnist.csv", &table(&images, |_| "pseudo-likelihood"))?;
    }
    let curves = Curves { config, points: &points, images: &images };
    directory.figure("figure", &curves.overlaps())?;
    directory.figure("features", &curves.learned_features())?;
    directory.figure("gap", &curves.gaps())?;

    let summary = curves.summary();
    for (name, value) in curves.results() {
        directory.result(&name, value);
    }
    directory.finish(summary, execution)
}

/// Overlaps on MNIST against load; none where its files are missing, with a note.
fn real(
    config: &TransitionConfig,
    options: &Options,
    directory: &mut RunDirectory,
    execution: &Execution,
) -> Result<Vec<Point>> {
    if config.mnist_patterns.is_empty() {
        return Ok(Vec::new());
    }
    let config = MnistConfig {
        patterns: config.mnist_patterns.clone(),
        epochs: config.mnist_epochs,
        ..MnistConfig::new(options.quick, config.seed)
    };
    if !options.mnist.exists() {
        execution.progress().note(&format!(
            "{} is not there (data/fetch-mnist makes it): the manifold without MNIST beside it",
            options.mnist.display()
        ));
        return Ok(Vec::new());
    }
    let images = mnist::images(&config, options)?;
    for (name, hash) in images.provenance.iter().filter(|(name, _)| name.ends_with("_blake3")) {
        directory.input(name, hash);
    }
    mnist::along_loads(&config, &images, &mnist::held_out(&config, &images)?, execution, |_, _| Ok(()))
}

/// Adds a curve of pseudo-likelihood and the Hebb one beside it.
fn both_rules(
    panel: Panel,
    name: &str,
    color: Color,
    learned: Vec<(f64, f64)>,
    hebb: Vec<(f64, f64)>,
) -> Panel {
    panel
        .with(Series::new(format!("{name}, pseudo-likelihood"), Style::LineAndMarkers, color, learned))
        .with(Series::new(format!("{name}, Hebb"), Style::Dashed, color, hebb))
}

/// The points, cut along loads and along epochs.
struct Curves<'a> {
    config: &'a TransitionConfig,
    points: &'a [Point],
    images: &'a [Point],
}

/// Something measured at a point.
type Measure = fn(&Point) -> Option<f64>;

const TRAIN: Measure = |point| Some(point.observables.overlap.train);
const TEST: Measure = |point| point.observables.overlap.test;
const FEATURES: Measure = |point| point.observables.overlap.features;
const LEARNED: Measure = |point| point.observables.learned_features.map(|count| count.at_0_9 as f64);
const ONE_MINUS_TEST: Measure = |point| point.observables.gap.map(|gap| gap.one_minus_test);
const TRAIN_MINUS_TEST: Measure = |point| point.observables.gap.map(|gap| gap.train_minus_test);

impl Curves<'_> {
    fn last_epoch(&self) -> u64 {
        self.config.epochs.last().copied().unwrap_or(0)
    }

    /// (load, measure) after `epoch` epochs.
    fn against_load(&self, epoch: u64, measure: Measure) -> Vec<(f64, f64)> {
        let at_epoch = self.points.iter().filter(|point| point.epoch == epoch);
        at_epoch.filter_map(|point| Some((point.load, measure(point)?))).collect()
    }

    /// (epoch, measure) at the load of index `load`; epoch 0 is left to log axes to drop.
    fn against_epochs(&self, load: usize, measure: Measure) -> Vec<(f64, f64)> {
        let per_load = self.points.chunks(self.config.epochs.len()).nth(load).unwrap_or(&[]);
        per_load.iter().filter_map(|point| Some((point.epoch as f64, measure(point)?))).collect()
    }

    fn overlaps(&self) -> Figure {
        let mut by_load = Panel::new(
            format!("after {} epochs", self.last_epoch()),
            Axis::log("load P / N"),
            Axis::overlap("final overlap"),
        );
        let largest = self.config.loads.len() - 1;
        let mut by_epoch = Panel::new(
            format!("at load {}", self.config.loads[largest]),
            Axis::log("epochs"),
            Axis::overlap("final overlap"),
        );
        for (name, color, measure) in [
            ("train", Color::TRAIN, TRAIN),
            ("test", Color::TEST, TEST),
            ("features", Color::FEATURES, FEATURES),
        ] {
            let learned = self.against_load(self.last_epoch(), measure);
            by_load = both_rules(by_load, name, color, learned, self.against_load(0, measure));
            let along = self.against_epochs(largest, measure);
            let hebb = along.first().map_or(f64::NAN, |first| first.1);
            let level = along.iter().map(|&(epoch, _)| (epoch, hebb)).collect();
            by_epoch = both_rules(by_epoch, name, color, along, level);
        }
        let mut panels = vec![by_load, by_epoch];
        panels.extend((!self.images.is_empty()).then(|| self.real_panel()));
        let overlaps = |epoch| [TRAIN, TEST, FEATURES].map(|measure| self.last(epoch, measure));
        let ([train, test, features], hebb) = (overlaps(self.last_epoch()), overlaps(0));
        Figure::new(panels).with_caption(format!(
            "Final overlaps of training patterns, unseen examples and features against load (left) and along training at the \
             largest load, where pseudo-likelihood ends at {train:.3}, {test:.3} and {features:.3} and Hebb has {:.3}, \
             {:.3} and {:.3}{}.",
            hebb[0],
            hebb[1],
            hebb[2],
            self.real_end()
        ))
    }

    /// Overlaps on MNIST.
    fn real_panel(&self) -> Panel {
        let title = format!("MNIST 14 × 14, {} epochs", self.config.mnist_epochs);
        let panel = Panel::new(title, Axis::log("load P / N"), Axis::overlap("final overlap"));
        let curves = [("train", Color::TRAIN, TRAIN), ("test", Color::TEST, TEST)];
        curves.into_iter().fold(panel, |panel, (name, color, measure)| {
            let points = self.images.iter().filter_map(|point| Some((point.load, measure(point)?))).collect();
            panel.with(Series::new(
                format!("{name}, pseudo-likelihood"),
                Style::LineAndMarkers,
                color,
                points,
            ))
        })
    }

    /// Where MNIST ends, for the caption.
    fn real_end(&self) -> String {
        self.images.last().map_or(String::new(), |point| {
            let test = TEST(point).unwrap_or(f64::NAN);
            format!(
                "; on MNIST (right) at load {:.1} training images end at {:.3}, unseen ones at {test:.3}",
                point.load, point.observables.overlap.train
            )
        })
    }

    /// A measure at the largest load.
    fn last(&self, epoch: u64, measure: Measure) -> f64 {
        self.against_load(epoch, measure).last().map_or(f64::NAN, |point| point.1)
    }

    fn learned_features(&self) -> Figure {
        let label = "learned features (overlap ≥ 0.9)";
        let mut by_load = Panel::new("in data", Axis::log("load P / N"), Axis::log(label));
        by_load =
            by_load.with(Series::new("Hebb", Style::Dashed, Color::Black, self.against_load(0, LEARNED)));
        let shown = self.config.epochs.iter().filter(|&&epoch| epoch > 0);
        for (index, &epoch) in shown.enumerate() {
            let series = self.against_load(epoch, LEARNED);
            let name = format!("{epoch} epochs");
            by_load = by_load.with(Series::new(name, Style::LineAndMarkers, Color::nth(index), series));
        }
        let mut by_epoch = Panel::new("in training time", Axis::log("epochs"), Axis::log(label));
        for (index, load) in self.config.loads.iter().enumerate().skip(1) {
            let series = self.against_epochs(index, LEARNED);
            let name = format!("P / N = {load}");
            by_epoch = by_epoch.with(Series::new(name, Style::LineAndMarkers, Color::nth(index - 1), series));
        }
        Figure::new(vec![by_load, by_epoch]).with_caption(format!(
            "Number of learned features against load at several epochs (left) and along training at several loads (right): {:.0} \
             of {} at the largest load after {} epochs, {:.0} by Hebb.",
            self.last(self.last_epoch(), LEARNED),
            self.config.n_features,
            self.last_epoch(),
            self.last(0, LEARNED)
        ))
    }

    fn gaps(&self) -> Figure {
        let mut by_load = Panel::new("against load", Axis::log("load P / N"), Axis::linear("test gap"));
        for (name, color, measure) in [
            ("1 − m_test", Color::TEST, ONE_MINUS_TEST),
            ("m_train − m_test", Color::TRAIN, TRAIN_MINUS_TEST),
        ] {
            let learned = self.against_load(self.last_epoch(), measure);
            by_load = both_rules(by_load, name, color, learned, self.against_load(0, measure));
        }
        let mut by_learned =
            Panel::new("against learned features", Axis::log("learned features"), Axis::linear("1 − m_test"));
        for (index, load) in self.config.loads.iter().enumerate().skip(1) {
            let learned = self.against_epochs(index, LEARNED);
            let gap = self.against_epochs(index, ONE_MINUS_TEST);
            let points = learned.iter().zip(&gap).map(|(learned, gap)| (learned.1, gap.1)).collect();
            let series =
                Series::new(format!("P / N = {load}"), Style::Markers, Color::nth(index - 1), points);
            by_learned = by_learned.with(series);
        }
        Figure::new(vec![by_load, by_learned]).with_caption(format!(
            "Test gaps against load (left), and along training against the number of learned features (right): at the largest load \
             1 − m_test is {:.3} after {} epochs and {:.3} by Hebb.",
            self.last(self.last_epoch(), ONE_MINUS_TEST),
            self.last_epoch(),
            self.last(0, ONE_MINUS_TEST)
        ))
    }

    fn results(&self) -> Vec<(String, f64)> {
        let mut results = Vec::new();
        for (rule, epoch) in [("hebb", 0), ("pseudo_likelihood", self.last_epoch())] {
            for (name, measure) in
                [("train", TRAIN), ("test", TEST), ("features", FEATURES), ("learned_features", LEARNED)]
            {
                for (load, value) in self.against_load(epoch, measure) {
                    results.push((format!("{rule}_{name}_at_load_{load}"), value));
                }
            }
        }
        results
    }

    fn summary(&self) -> String {
        let mut text = format!(
            "N = {}, D = {}, eta = {}, L = {}; {} epochs of pseudo-likelihood beside Hebb\n\n",
            self.config.n_spins,
            self.config.n_features,
            self.config.exponent,
            self.config.n_active,
            self.last_epoch()
        );
        text += "         pseudo-likelihood                    Hebb\n";
        text += "  P / N  train   test features learned    train   test features learned\n";
        for &load in &self.config.loads {
            let value = |epoch, measure| {
                let at = |&&(x, _): &&(f64, f64)| (x / load - 1.0).abs() < 0.01;
                self.against_load(epoch, measure).iter().find(at).map_or(f64::NAN, |point| point.1)
            };
            let row = |epoch| {
                let (train, test, features) =
                    (value(epoch, TRAIN), value(epoch, TEST), value(epoch, FEATURES));
                format!("{train:6.3} {test:6.3} {features:8.3} {:7.0}", value(epoch, LEARNED))
            };
            text += &format!("{load:7} {}   {}\n", row(self.last_epoch()), row(0));
        }
        if !self.images.is_empty() {
            text += &format!("\nMNIST 14 x 14, {} epochs\n  P / N  train   test\n", self.config.mnist_epochs);
        }
        for point in self.images {
            let value = |measure: Measure| measure(point).unwrap_or(f64::NAN);
            text += &format!("{:7.2} {:6.3} {:6.3}\n", point.load, value(TRAIN), value(TEST));
        }
        text
    }
}
