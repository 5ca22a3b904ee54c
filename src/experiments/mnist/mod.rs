//! MNIST at 14 x 14, as in arXiv:2507.05147: final overlaps of training, test and random states against the load.
//!
//! Published curves are `data/reference/mnist14.csv`, read off the figure.
//!
//! Every load and sample is a file of its own, `points/*.json`: a run that was stopped goes on where it was.

mod comparison;
mod measure;

use serde::{Deserialize, Serialize};

use super::checks;
use super::cost::{Cost, Estimated};
use super::parameters::{Parameters, Shipped};
use super::points::{self, measure_missing};
use super::run_directory::{Kept, RunDirectory};
use super::trajectory::{Sampled, table};
use super::{Manifest, Options};
use crate::analysis::{mean_overlap_of_pairs, mean_overlap_within_classes};
use crate::datasets::SIDE;
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::report::Montage;
use crate::spins::SpinMatrix;
pub(super) use comparison::Comparison;
pub(super) use measure::{Images, OfLoad};

/// What the experiment writes beside the points.
pub(super) const FILES: &[&str] = &["table.csv", "figure.svg", "figure.png", "comparison.csv", "digits.png"];

/// Finished loads.
pub(super) const KEPT: Kept = Kept { folder: points::FOLDER, lock: ".mnist.lock", grows: false };

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
    /// Permutations of the images.
    pub n_samples: u64,
    pub seed: u64,
}

impl Parameters for MnistConfig {
    const SHIPPED: Shipped = Shipped {
        full: include_str!("../parameters/mnist.toml"),
        quick: include_str!("../parameters/mnist-quick.toml"),
        optional: &[],
    };

    fn check(&self) -> Result<()> {
        checks::samples("n_samples", self.n_samples)?;
        for (name, value) in [("n_test", self.n_test), ("batch", self.batch)] {
            checks::at_least(name, 1, value)?;
        }
        checks::at_least("n_steps", 1, self.n_steps)?;
        checks::rising("patterns", checks::counts(&self.patterns), 1, 1.0)?;
        checks::positive("lambda", self.lambda)?;
        checks::positive("lr", self.lr)?;
        match self.crop {
            1..=SIDE => Ok(()),
            crop => Err(Error::parameter("crop", format!("from 1 to {SIDE}"), crop)),
        }
    }
}

impl Estimated for MnistConfig {
    fn cost(&self, execution: &Execution) -> Result<Cost> {
        let n_samples = usize::try_from(self.n_samples).unwrap_or(usize::MAX);
        let loads = self.patterns.iter().map(|&n_patterns| measure::cost(self, n_patterns));
        let of_samples = loads.flat_map(|load| std::iter::repeat_n(load, n_samples));
        // The images of all samples, in memory all the time, and of one as they are read.
        let (n_spins, n_images) =
            (self.crop.saturating_mul(self.crop), measure::N_IMAGES.saturating_mul(n_samples));
        let files = Cost { memory_bytes: (measure::N_IMAGES * measure::PIXELS) as f64, ..Cost::default() };
        Ok(Cost::of_points(of_samples, execution).beside(files).beside(Cost::states(n_images, n_spins)))
    }
}

impl MnistConfig {
    /// The ten loads of the paper, or five.
    pub fn new(quick: bool, seed: u64) -> Self {
        Self::shipped(quick, seed)
    }

    /// The largest P.
    fn largest(&self) -> usize {
        self.patterns.iter().copied().max().unwrap_or(0)
    }
}

pub(super) fn run(options: &Options, execution: &Execution) -> Result<Manifest> {
    run_mnist(&MnistConfig::varied(options)?, options, execution)
}

/// Checks that the images are there.
pub(super) fn check_input(options: &Options) -> Result<()> {
    measure::images(&MnistConfig::varied(options)?, options, 0).map(drop)
}

/// Runs the experiment with parameters of the caller's; of `options`, all but the size and the seed count.
///
/// # Errors
/// If MNIST is missing or has too few images; a parameter is out of range; the output holds loads of other parameters, exists and
/// may not be replaced or cannot be written; or interrupted, with the loads finished so far kept.
pub fn run_mnist(config: &MnistConfig, options: &Options, execution: &Execution) -> Result<Manifest> {
    config.check()?;
    let mut directory = RunDirectory::new("mnist", options, config, FILES, KEPT)?;
    let all = Images::read(config.clone(), options)?;
    let first = &all.samples[0];
    let _lock = directory.lock(FILES)?;
    for (name, hash) in first.images.provenance.iter().filter(|(name, _)| name.ends_with("_blake3")) {
        directory.input(name, hash);
    }
    // Of all images, in whatever order.
    let labels = first.images.train_labels.as_deref().unwrap_or(&[]);
    let mean_overlap = mean_overlap_of_pairs(&first.images.train).unwrap_or(f64::NAN);
    let within_class = mean_overlap_within_classes(&first.images.train, labels)?.unwrap_or(f64::NAN);
    directory.result("mean_overlap", mean_overlap);
    directory.result("mean_overlap_within_class", within_class);

    let loads = measure_missing(&all.loads(), "loads of MNIST", &mut directory, options, execution)?;
    let points: Vec<Sampled> = loads.iter().map(OfLoad::sampled).collect();
    directory.table("table.csv", &table(&points, |_| "pseudo-likelihood"))?;
    let comparison = Comparison::new(config, &points)?;
    directory.table("comparison.csv", &comparison.table())?;
    directory.figure("figure", &comparison.figure())?;

    let mut pictures = vec![("test image".to_owned(), first.pictured.clone())];
    for load in loads.iter().take(config.patterns.len()) {
        let states = load.pictured(first)?;
        pictures.push((format!("P = {}", load.n_patterns()), states));
    }
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
        "{} training images: mean overlap {mean_overlap:.4}, within a class {within_class:.4}\n\n{}",
        first.images.n_patterns(),
        comparison.summary()
    );
    directory.finish(summary, execution)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::storage::Overwrite;

    const N_IMAGES: u8 = 40;

    fn tiny() -> MnistConfig {
        MnistConfig { patterns: vec![3, 19], n_test: 6, epochs: 4, batch: 8, ..MnistConfig::new(true, 2) }
    }

    /// Blocks of bright pixels, of a place and height that differ from image to image.
    fn write_images(folder: &Path) {
        let bright = |image: u8, y: u8, x: u8| (y / 3 + image) % 5 < 2 && (x + image * 7) % 11 < 5;
        let rows = (0..N_IMAGES).flat_map(|image| (0..28).map(move |y| (image, y)));
        let pixels = rows.flat_map(|(image, y)| (0..28).map(move |x| 200 * u8::from(bright(image, y, x))));
        let header = [0, 0, 8, 3, 0, 0, 0, N_IMAGES, 0, 0, 0, 28, 0, 0, 0, 28];
        let images: Vec<u8> = header.into_iter().chain(pixels).collect();
        std::fs::write(folder.join("train-images-idx3-ubyte"), images).unwrap();
        let labels = [0, 0, 8, 1, 0, 0, 0, N_IMAGES].into_iter().chain((0..N_IMAGES).map(|image| image % 10));
        std::fs::write(folder.join("train-labels-idx1-ubyte"), labels.collect::<Vec<u8>>()).unwrap();
    }

    /// All at once on one thread, or the second sample and a load of the first later, on three: the same tables and pictures.
    #[test]
    fn a_run_that_goes_on_has_the_files_of_one_that_was_not_stopped() {
        let data = tempfile::tempdir().unwrap();
        write_images(data.path());
        let run = |folder: &Path, n_samples, n_threads| {
            let options = Options { mnist: data.path().into(), ..Options::new(folder, Overwrite::Refuse) };
            let execution = Execution::with_threads(n_threads).unwrap();
            run_mnist(&MnistConfig { n_samples, ..tiny() }, &options, &execution).unwrap()
        };
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [whole, parts] = [folders[0].path(), folders[1].path()];
        let manifest = run(whole, 2, 1);
        assert!(manifest.summary.contains("40 training images"), "{}", manifest.summary);
        run(parts, 1, 1);
        std::fs::remove_file(parts.join("points/mnist-p19-seed2-sample0.json")).unwrap();
        run(parts, 2, 3);
        for name in ["table.csv", "comparison.csv", "digits.png", "figure.svg"] {
            let [whole, parts] = [whole, parts].map(|folder| std::fs::read(folder.join(name)).unwrap());
            assert_eq!(whole, parts, "{name}");
        }
        let table = std::fs::read_to_string(whole.join("table.csv")).unwrap();
        assert_eq!(table.lines().count(), 1 + 2 * 2);
        let options = Options { mnist: data.path().into(), ..Options::new(whole, Overwrite::Refuse) };
        let other = MnistConfig { n_samples: 2, patterns: vec![3, 35], ..tiny() };
        let error = run_mnist(&other, &options, &Execution::with_threads(1).unwrap()).unwrap_err();
        assert!(error.to_string().contains("the parameters of this run"), "{error}");
    }
}
