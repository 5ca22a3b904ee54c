//! Couplings that learned the first P images, and what their dynamics keeps; a load and sample is kept as a file.

use serde::{Deserialize, Serialize};

use super::MnistConfig;
use crate::analysis::Evaluation;
use crate::datasets::{DataSet, Mnist, TestImages};
use crate::dynamics::{Dynamics, ParallelDynamics, Stop, Ties};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::experiments::Options;
use crate::experiments::cost::Cost;
use crate::experiments::parameters::Parameters;
use crate::experiments::points::Place;
use crate::experiments::samples::sample_seed;
use crate::experiments::trajectory::{Point, Sampled, trajectory};
use crate::learning::{Batches, Initial, PseudoLikelihood, Trainer};
use crate::spins::SpinMatrix;

/// The images of a sample, in an order of its own.
pub(super) struct Sample {
    index: u64,
    pub(super) images: DataSet,
    /// Unseen examples: the images after the largest P.
    unseen: SpinMatrix,
    /// One unseen image of each class that there is.
    pub(super) pictured: SpinMatrix,
}

/// Training images of MNIST, and bytes of one, to estimate by.
pub(super) const N_IMAGES: usize = 60_000;
pub(super) const PIXELS: usize = 28 * 28;

/// The training images, binarised, of a sample.
///
/// # Errors
/// If MNIST is missing, or has too few images.
pub(super) fn images(config: &MnistConfig, options: &Options, sample: u64) -> Result<DataSet> {
    let images = Mnist {
        n_train: Mnist::n_images(&options.mnist)?,
        n_test: 0,
        test: TestImages::HeldOut,
        crop: config.crop,
        threshold: config.threshold,
        deskew: config.deskew,
        seed: sample_seed(config.seed, sample),
    };
    images.read(&options.mnist)
}

/// The images of all samples.
pub(in super::super) struct Images {
    pub(in super::super) config: MnistConfig,
    pub(super) samples: Vec<Sample>,
}

impl Images {
    /// # Errors
    /// If a parameter is out of range, MNIST is missing, or there are too few images.
    pub(in super::super) fn read(config: MnistConfig, options: &Options) -> Result<Self> {
        config.check()?;
        let sample = |index| {
            let images = images(&config, options, index)?;
            let first = config.largest();
            if first + config.n_test > images.train.n_rows() {
                let expected =
                    format!("at most the {} training images, test included", images.train.n_rows());
                return Err(Error::parameter("patterns", expected, first + config.n_test));
            }
            let rows: Vec<usize> = (first..first + config.n_test).collect();
            let unseen = images.train.select(&rows);
            let labels = images.train_labels.as_deref().unwrap_or(&[]);
            let pictured =
                unseen.select(&one_of_each(labels.get(first..first + config.n_test).unwrap_or(&[])));
            Ok(Sample { index, images, unseen, pictured })
        };
        let samples = (0..config.n_samples).map(sample).collect::<Result<_>>()?;
        Ok(Self { config, samples })
    }

    /// Every P of every sample, samples slowest.
    pub(in super::super) fn loads(&self) -> Vec<Load<'_>> {
        let Self { config, samples } = self;
        let of = |sample| config.patterns.iter().map(move |&n_patterns| Load { config, sample, n_patterns });
        samples.iter().flat_map(of).collect()
    }
}

/// What was measured at a load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct OfLoad {
    sample: u64,
    point: Point,
    /// Where the pictured images end, packed as rows of spins are.
    pictured: Vec<u64>,
}

impl OfLoad {
    pub(in super::super) fn sampled(&self) -> Sampled {
        Sampled { sample: self.sample, point: self.point }
    }

    /// P.
    pub(super) fn n_patterns(&self) -> usize {
        self.point.n_patterns
    }

    /// Where the pictured images of `sample`, whose load this is, end.
    ///
    /// # Errors
    /// If these are no such states.
    pub(super) fn pictured(&self, sample: &Sample) -> Result<SpinMatrix> {
        let starts = &sample.pictured;
        SpinMatrix::from_words(starts.n_rows(), starts.n_spins(), self.pictured.clone())
    }
}

fn learning(config: &MnistConfig, n_patterns: usize, seed: u64) -> PseudoLikelihood {
    PseudoLikelihood {
        batches: Batches::Mini { size: config.batch.min(n_patterns), drop_last: true },
        seed,
        ..PseudoLikelihood::new(config.lambda, config.lr)
    }
}

/// What a load takes.
pub(super) fn cost(config: &MnistConfig, n_patterns: usize) -> Cost {
    let MnistConfig { n_test, crop, n_steps, epochs, .. } = *config;
    let n_spins = crop.saturating_mul(crop);
    Cost::descent(&learning(config, n_patterns, 0), n_patterns, n_spins, epochs)
        .beside(Cost::evaluation(n_test, n_patterns, 0, n_spins, n_steps))
}

/// A load of a sample, which trains on its first P images: its place among the files, and how it is measured.
pub(in super::super) struct Load<'a> {
    config: &'a MnistConfig,
    sample: &'a Sample,
    n_patterns: usize,
}

impl Place for Load<'_> {
    type Point = OfLoad;

    const WHAT: &'static str = "a finished load of MNIST";

    fn name(&self) -> String {
        format!("mnist-p{}-seed{}-sample{}.json", self.n_patterns, self.config.seed, self.sample.index)
    }

    fn parameters(&self) -> String {
        let MnistConfig { n_test, crop, threshold, deskew, lambda, lr, epochs, batch, n_steps, seed, .. } =
            self.config;
        format!(
            "{n_test} unseen after {}, crop {crop}, threshold {threshold}, deskew {deskew}, lambda {lambda}, lr {lr}, {epochs} epochs, \
             batch {batch}, {n_steps} steps, seed {seed}",
            self.config.largest()
        )
    }

    fn has_shape_of(&self, load: &OfLoad) -> bool {
        (load.sample, load.point.n_patterns, load.point.epoch)
            == (self.sample.index, self.n_patterns, self.config.epochs)
            && load.pictured(self.sample).is_ok()
    }

    fn cost(&self) -> Cost {
        cost(self.config, self.n_patterns)
    }

    fn measure(&self, execution: &Execution) -> Result<OfLoad> {
        let &Load { config, sample, n_patterns } = self;
        let seed = sample_seed(config.seed, sample.index);
        let test = Some(sample.unseen.clone());
        let data = DataSet { test, ..DataSet::from_train(sample.images.train.head(n_patterns)) };
        let parameters = learning(config, n_patterns, seed);
        let evaluation = Evaluation::new(&data, &parameters, config.n_test, config.n_steps, seed, execution)?;
        let mut trainer = Trainer::new(&data.train, parameters, &Initial::Random, 1.0, execution)?;
        let points = trajectory(&mut trainer, &evaluation, &[config.epochs], execution)?;
        let Some(&point) = points.last() else {
            return Err(Error::parameter("epochs", "one point of observation", "none"));
        };
        let dynamics = ParallelDynamics { stop: Stop::After(config.n_steps), ties: Ties::Keep };
        let recall = dynamics.run(trainer.couplings(), &sample.pictured, &sample.pictured, execution)?;
        Ok(OfLoad { sample: sample.index, point, pictured: recall.states.words().to_vec() })
    }
}

/// The first row of each class that there is.
fn one_of_each(labels: &[u8]) -> Vec<usize> {
    (0..=u8::MAX).filter_map(|class| labels.iter().position(|&label| label == class)).take(10).collect()
}
