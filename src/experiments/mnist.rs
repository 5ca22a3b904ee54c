//! MNIST at 14 x 14, as in arXiv:2507.05147: final overlaps of training, test and random states against the load.
//!
//! Published curves are `data/reference/mnist14.csv`, read off the figure.

use serde::{Deserialize, Serialize};

use super::parameters::{Parameters, Shipped};
use super::published::published;
use super::run_directory::RunDirectory;
use super::trajectory::{Point, table, trajectory};
use super::{Manifest, Options};
use crate::analysis::{Evaluation, mean_overlap_of_pairs, mean_overlap_within_classes};
use crate::couplings::Couplings;
use crate::datasets::{DataSet, Mnist, TestImages};
use crate::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::learning::{Batches, Initial, PseudoLikelihood, Trainer};
use crate::report::{Axis, Color, Figure, Montage, Panel, Series, Style};
use crate::spins::SpinMatrix;
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../data/reference/mnist14.csv");

/// What the experiment writes.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "comparison.csv", "digits.png"];

/// Parameters of the experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MnistConfig {
    /// P of each run, ascending: the first so many of a seeded permutation of the training images.
    pub patterns: Vec<usize>,
    /// Unseen examples: training images after the largest P of the same permutation.
    pub n_test: usize,
    pub crop: usize,
    pub threshold: u8,
    pub deskew: bool,
    /// lambda = 2 lambda', lambda' = 0.1.
    pub lambda: f64,
    /// lr = 2 lr' / N, lr' = 100.
    pub lr: f64,
    pub epochs: u64,
    /// Batches hold min(P, this) patterns; a last, smaller one is left out.
    pub batch: usize,
    /// Parallel steps of a recall.
    pub n_steps: u64,
    pub seed: u64,
}

impl Parameters for MnistConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("parameters/mnist.toml"),
        quick: include_str!("parameters/mnist-quick.toml"),
        optional: &[],
    };
}

impl MnistConfig {
    /// The ten loads of the paper, or five.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_mnist(&MnistConfig::varied(options)?, options, execution)
}

/// Checks that the images are there.
pub(super) fn check_input(options: &Options) -> Result<()> {
    images(&MnistConfig::varied(options)?, options).map(drop)
}

/// The training images, binarised.
pub(super) fn images(config: &MnistConfig, options: &Options) -> Result<DataSet> {
    let images = Mnist {
        n_train: 60_000,
        n_test: 0,
        test: TestImages::HeldOut,
        crop: config.crop,
        threshold: config.threshold,
        deskew: config.deskew,
        seed: config.seed,
    };
    images.read(&options.mnist)
}

/// Runs the experiment with parameters of the caller's; of `options`, all but the size and the seed count.
///
/// # Errors
/// If MNIST is missing or has too few images, a parameter is out of range, the output exists and may not be replaced or
/// cannot be written, or interrupted.
pub fn run_mnist(config: &MnistConfig, options: &Options, execution: &Execution) -> Result<Manifest> {
    let mut directory = RunDirectory::create("mnist", options, config, FILES)?;
    let images = images(config, options)?;
    for (name, hash) in images.provenance.iter().filter(|(name, _)| name.ends_with("_blake3")) {
        directory.input(name, hash);
    }
    let labels = images.train_labels.as_deref().unwrap_or(&[]);
    let mean_overlap = mean_overlap_of_pairs(&images.train).unwrap_or(f64::NAN);
    let within_class = mean_overlap_within_classes(&images.train, labels)?.unwrap_or(f64::NAN);
    directory.result("mean_overlap", mean_overlap);
    directory.result("mean_overlap_within_class", within_class);

    let held_out = held_out(config, &images)?;
    let pictured: Vec<usize> = one_of_each(&labels[held_out.first..][..config.n_test]);
    let pictured = held_out.states.select(&pictured);
    let mut pictures = vec![("test image".to_owned(), pictured.clone())];
    let points = along_loads(config, &images, &held_out, execution, |n_patterns, couplings| {
        let dynamics = ParallelDynamics { stop: Stop::After(config.n_steps), ties: Ties::Keep };
        let recall = dynamics.run(couplings, &pictured, &pictured, execution)?;
        pictures.push((format!("P = {n_patterns}"), recall.states));
        Ok(())
    })?;
    directory.table("table.csv", &table(&points, |_| "pseudo-likelihood"))?;
    let comparison = Comparison::new(&points)?;
    directory.table("comparison.csv", &comparison.table())?;
    directory.figure("figure", &comparison.figure())?;
    let columns: Vec<(&str, &SpinMatrix)> =
        pictures.iter().map(|(name, states)| (name.as_str(), states)).collect();
    let caption = format!(
        "Unseen digits (first column) and where {} parallel steps take them under couplings that learned P training images.",
        config.n_steps
    );
    directory.montage("digits", &Montage::columns(&columns, (config.crop, config.crop))?, &caption)?;
    for (curve, difference) in comparison.differences() {
        directory.result(&format!("largest_difference_{curve}"), difference.largest);
        directory.result(&format!("mean_difference_{curve}"), difference.mean);
    }

    let summary = format!(
        "60000 training images: mean overlap {mean_overlap:.4}, within a class {within_class:.4}\n\n{}",
        comparison.summary()
    );
    directory.finish(summary, execution)
}

/// Unseen examples.
pub(super) struct HeldOut {
    first: usize,
    states: SpinMatrix,
}

/// The training images after the largest P.
///
/// # Errors
/// If there are too few.
pub(super) fn held_out(config: &MnistConfig, images: &DataSet) -> Result<HeldOut> {
    let first = config.patterns.iter().copied().max().unwrap_or(0);
    if first + config.n_test > images.train.n_rows() {
        let expected = format!("at most the {} training images, test included", images.train.n_rows());
        return Err(Error::parameter("patterns", expected, first + config.n_test));
    }
    let rows: Vec<usize> = (first..first + config.n_test).collect();
    Ok(HeldOut { first, states: images.train.select(&rows) })
}

/// Trains on the first images, so many as every P of `config`, and observes after all epochs; what `look` makes of the couplings
/// at each P is the caller's.
///
/// # Errors
/// If a parameter is out of range, or interrupted.
pub(super) fn along_loads(
    config: &MnistConfig,
    images: &DataSet,
    held_out: &HeldOut,
    execution: &Execution,
    mut look: impl FnMut(usize, &Couplings) -> Result<()>,
) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for &n_patterns in &config.patterns {
        let test = Some(held_out.states.clone());
        let data = DataSet { test, ..DataSet::from_train(images.train.head(n_patterns)) };
        let parameters = PseudoLikelihood {
            batches: Batches::Mini { size: config.batch.min(n_patterns), drop_last: true },
            seed: config.seed,
            ..PseudoLikelihood::new(config.lambda, config.lr)
        };
        let evaluation =
            Evaluation::new(&data, &parameters, config.n_test, config.n_steps, config.seed, execution)?;
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Random, 1.0, execution)?;
        points.extend(trajectory(&mut trainer, &evaluation, &[config.epochs], execution)?);
        look(n_patterns, trainer.couplings())?;
    }
    Ok(points)
}

/// The first row of each class that there is.
fn one_of_each(labels: &[u8]) -> Vec<usize> {
    (0..=u8::MAX).filter_map(|class| labels.iter().position(|&label| label == class)).take(10).collect()
}

/// A point of ours beside the published one at the nearest load.
struct Pair {
    curve: &'static str,
    n_patterns: usize,
    load: f64,
    ours: f64,
    published: Option<f64>,
}

/// How far ours is from the published curve.
struct Difference {
    largest: f64,
    mean: f64,
}

struct Comparison {
    pairs: Vec<Pair>,
    published: Vec<(String, f64, f64)>, // curve, load, overlap
}

/// Loads within this factor count as the same.
const SAME_LOAD: f64 = 1.05;

const CURVES: [(&str, Color); 3] =
    [("train", Color::TRAIN), ("test", Color::TEST), ("random", Color::RANDOM)];

impl Comparison {
    fn new(points: &[Point]) -> Result<Self> {
        let published = published("data/reference/mnist14.csv", PUBLISHED)?;
        let mut pairs = Vec::new();
        for (curve, _) in CURVES {
            for point in points {
                let overlap = &point.observables.overlap;
                let ours = match curve {
                    "train" => Some(overlap.train),
                    "test" => overlap.test,
                    _ => Some(overlap.random),
                };
                let Some(ours) = ours else { continue };
                let same = |&&(ref name, load, _): &&(String, f64, f64)| {
                    name == curve && (1.0 / SAME_LOAD..SAME_LOAD).contains(&(load / point.load))
                };
                let published = published.iter().find(same).map(|&(_, _, overlap)| overlap);
                pairs.push(Pair { curve, n_patterns: point.n_patterns, load: point.load, ours, published });
            }
        }
        Ok(Self { pairs, published })
    }

    fn of<'a>(&'a self, curve: &'a str) -> impl Iterator<Item = &'a Pair> {
        self.pairs.iter().filter(move |pair| pair.curve == curve)
    }

    fn differences(&self) -> impl Iterator<Item = (&'static str, Difference)> {
        CURVES.iter().filter_map(|&(curve, _)| {
            let found: Vec<f64> =
                self.of(curve).filter_map(|pair| Some((pair.ours - pair.published?).abs())).collect();
            let largest = found.iter().copied().reduce(f64::max)?;
            Some((curve, Difference { largest, mean: found.iter().sum::<f64>() / found.len() as f64 }))
        })
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["curve", "patterns", "load", "overlap", "published"]);
        for pair in &self.pairs {
            let published = pair.published.map_or(String::new(), |overlap| overlap.to_string());
            let numbers =
                [pair.n_patterns.to_string(), pair.load.to_string(), pair.ours.to_string(), published];
            table.push([vec![pair.curve.to_owned()], numbers.to_vec()].concat());
        }
        table
    }

    fn figure(&self) -> Figure {
        let mut panel = Panel::new(
            "MNIST 14 × 14, 10 parallel steps",
            Axis::log("load P / N"),
            Axis::overlap("final overlap"),
        );
        for (curve, color) in CURVES {
            let ours = self.of(curve).map(|pair| (pair.load, pair.ours)).collect();
            panel = panel.with(Series::new(curve, Style::LineAndMarkers, color, ours));
            let published = self.published.iter().filter(|(name, ..)| name == curve);
            let published = published.map(|&(_, load, overlap)| (load, overlap)).collect();
            let name = format!("{curve}, arXiv:2507.05147");
            panel = panel.with(Series::new(name, Style::OpenMarkers, color, published));
        }
        let differences =
            self.differences().map(|(curve, difference)| format!("{:.3} ({curve})", difference.largest));
        let differences: Vec<String> = differences.collect();
        Figure::new(vec![panel]).with_caption(format!(
            "Final overlaps on MNIST against load, lines from this run and open markers from arXiv:2507.05147, which differ by at \
             most {}.",
            differences.join(", ")
        ))
    }

    fn summary(&self) -> String {
        let mut text = "             ours                   published (read off the figure)\n".to_owned();
        text += "      P  train   test  random     train   test  random\n";
        let mut sizes: Vec<usize> = self.pairs.iter().map(|pair| pair.n_patterns).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for n_patterns in sizes {
            let row = |value: fn(&Pair) -> Option<f64>| {
                let of = |curve| self.of(curve).find(|pair| pair.n_patterns == n_patterns).and_then(value);
                let show = |curve| of(curve).map_or("     -".to_owned(), |overlap| format!("{overlap:6.3}"));
                format!("{} {}  {}", show("train"), show("test"), show("random"))
            };
            text += &format!(
                "{n_patterns:7} {}    {}\n",
                row(|pair| Some(pair.ours)),
                row(|pair| pair.published)
            );
        }
        for (curve, difference) in self.differences() {
            let Difference { largest, mean } = difference;
            text += &format!("{curve}: differs by at most {largest:.3}, {mean:.3} in the mean\n");
        }
        text
    }
}
