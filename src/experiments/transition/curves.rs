//! The points, cut along loads and along epochs: figures, key figures, summary. All values are means over the samples.

use super::TransitionConfig;
use crate::experiments::mean::Mean;
use crate::experiments::mnist::Comparison;
use crate::experiments::patterns_at;
use crate::experiments::published::{Difference, SOURCE};
use crate::experiments::samples::curve_of_means;
use crate::experiments::trajectory::{Measure, Sampled, mean_at};
use crate::report::{Axis, Color, Figure, Panel, Series, Style};

const TRAIN: Measure = |point| Some(point.observables.overlap.train);
const TEST: Measure = |point| point.observables.overlap.test;
const FEATURES: Measure = |point| point.observables.overlap.features;
const LEARNED: Measure = |point| point.observables.learned_features.map(|count| count.at_0_9 as f64);
const ONE_MINUS_TEST: Measure = |point| point.observables.gap.map(|gap| gap.one_minus_test);
const TRAIN_MINUS_TEST: Measure = |point| point.observables.gap.map(|gap| gap.train_minus_test);

pub(super) struct Curves<'a> {
    pub(super) config: &'a TransitionConfig,
    pub(super) points: &'a [Sampled],
    /// Those of MNIST; none where it is not there.
    pub(super) images: &'a [Sampled],
    /// These beside the published curves.
    pub(super) on_images: Option<Comparison<'a>>,
}

type Means = Vec<(f64, Mean)>;

/// Curves that are shown on MNIST.
const ON_IMAGES: [&str; 2] = ["train", "test"];

/// Adds a curve of pseudo-likelihood and the Hebb one beside it.
fn both_rules(panel: Panel, name: &str, color: Color, learned: &Means, hebb: &Means) -> Panel {
    let name = |rule| format!("{name}, {rule}");
    panel
        .with(curve_of_means(name("pseudo-likelihood"), Style::LineAndMarkers, color, learned))
        .with(curve_of_means(name("Hebb"), Style::Dashed, color, hebb))
}

impl Curves<'_> {
    fn last_epoch(&self) -> u64 {
        self.config.epochs.last().copied().unwrap_or(0)
    }

    fn at(&self, load: f64, epoch: u64, measure: Measure) -> Option<Mean> {
        mean_at(self.points, patterns_at(load, self.config.n_spins), epoch, measure)
    }

    /// (load, measure) after `epoch` epochs.
    fn against_load(&self, epoch: u64, measure: Measure) -> Means {
        let loads = self.config.loads.iter();
        loads.filter_map(|&load| Some((load, self.at(load, epoch, measure)?))).collect()
    }

    /// (epoch, measure) at a load; epoch 0 is left to log axes to drop.
    fn against_epochs(&self, load: f64, measure: Measure) -> Means {
        let epochs = self.config.epochs.iter();
        epochs.filter_map(|&epoch| Some((epoch as f64, self.at(load, epoch, measure)?))).collect()
    }

    fn largest_load(&self) -> f64 {
        self.config.loads.last().copied().unwrap_or(f64::NAN)
    }

    pub(super) fn overlaps(&self) -> Figure {
        let mut by_load = Panel::new(
            format!("after {} epochs", self.last_epoch()),
            Axis::log("load P / N"),
            Axis::overlap("final overlap"),
        );
        let mut by_epoch = Panel::new(
            format!("at load {}", self.largest_load()),
            Axis::log("epochs"),
            Axis::overlap("final overlap"),
        );
        for (name, color, measure) in [
            ("train", Color::TRAIN, TRAIN),
            ("test", Color::TEST, TEST),
            ("features", Color::FEATURES, FEATURES),
        ] {
            let learned = self.against_load(self.last_epoch(), measure);
            by_load = both_rules(by_load, name, color, &learned, &self.against_load(0, measure));
            let along = self.against_epochs(self.largest_load(), measure);
            let hebb = along.first().map(|first| first.1);
            let level = along.iter().filter_map(|&(epoch, _)| Some((epoch, hebb?))).collect();
            by_epoch = both_rules(by_epoch, name, color, &along, &level);
        }
        let mut panels = vec![by_load, by_epoch];
        panels.extend(self.on_images.as_ref().map(|images| self.real_panel(images)));
        let overlaps = |epoch| [TRAIN, TEST, FEATURES].map(|measure| self.last(epoch, measure));
        let ([train, test, features], hebb) = (overlaps(self.last_epoch()), overlaps(0));
        Figure::new(panels).with_caption(format!(
            "Final overlaps of training patterns, unseen examples and features against load (left) and along training at the \
             largest load, where pseudo-likelihood ends at {train:.3}, {test:.3} and {features:.3} and Hebb has {:.3}, \
             {:.3} and {:.3}{}{}.",
            hebb[0],
            hebb[1],
            hebb[2],
            self.real_end(),
            self.errors()
        ))
    }

    /// What bands are, for captions.
    fn errors(&self) -> String {
        match self.config.n_samples {
            1 => String::new(),
            n_samples => format!("; means of {n_samples} samples, bands of one standard error"),
        }
    }

    /// Overlaps on MNIST.
    fn real_panel(&self, images: &Comparison<'_>) -> Panel {
        images.panel(format!("MNIST 14 × 14, {} epochs", self.config.mnist_epochs), &ON_IMAGES)
    }

    /// How far the curves on MNIST are from the published ones.
    pub(super) fn differences(&self) -> impl Iterator<Item = (&'static str, Difference)> {
        let all = self.on_images.iter().flat_map(|images| images.differences());
        all.filter(|(curve, _)| ON_IMAGES.contains(curve))
    }

    /// (load, measure) on MNIST.
    fn real_curve(&self, measure: Measure) -> Means {
        let points = self.images.iter().map(|sampled| &sampled.point);
        let of = |n_patterns: usize| {
            let load = points.clone().find(|point| point.n_patterns == n_patterns)?.load;
            Some((load, mean_at(self.images, n_patterns, self.config.mnist_epochs, measure)?))
        };
        self.config.mnist_patterns.iter().filter_map(|&n_patterns| of(n_patterns)).collect()
    }

    /// Where MNIST ends, for the caption.
    fn real_end(&self) -> String {
        let ends = self.real_curve(TRAIN).last().copied().zip(self.real_curve(TEST).last().copied());
        ends.map_or(String::new(), |((load, train), (_, test))| {
            let largest = self.differences().map(|(_, difference)| difference.largest).fold(0.0, f64::max);
            format!(
                "; on MNIST (right) at load {load:.1} training images end at {:.3}, unseen ones at {:.3}, and both curves differ from {SOURCE} \
                 (open markers) by at most {largest:.3}",
                train.value, test.value
            )
        })
    }

    /// A measure at the largest load.
    fn last(&self, epoch: u64, measure: Measure) -> f64 {
        self.at(self.largest_load(), epoch, measure).map_or(f64::NAN, |mean| mean.value)
    }

    pub(super) fn learned_features(&self) -> Figure {
        let label = "learned features (overlap ≥ 0.9)";
        let hebb = curve_of_means("Hebb", Style::Dashed, Color::Black, &self.against_load(0, LEARNED));
        let mut by_load = Panel::new("in data", Axis::log("load P / N"), Axis::log(label)).with(hebb);
        let shown = self.config.epochs.iter().filter(|&&epoch| epoch > 0);
        for (index, &epoch) in shown.enumerate() {
            let name = format!("{epoch} {}", if epoch == 1 { "epoch" } else { "epochs" });
            let means = self.against_load(epoch, LEARNED);
            by_load = by_load.with(curve_of_means(name, Style::LineAndMarkers, Color::nth(index), &means));
        }
        let mut by_epoch = Panel::new("in training time", Axis::log("epochs"), Axis::log(label));
        for (index, &load) in self.config.loads.iter().skip(1).enumerate() {
            let name = format!("P / N = {load}");
            let means = self.against_epochs(load, LEARNED);
            by_epoch = by_epoch.with(curve_of_means(name, Style::LineAndMarkers, Color::nth(index), &means));
        }
        Figure::new(vec![by_load, by_epoch]).with_caption(format!(
            "Number of learned features against load at several epochs (left) and along training at several loads (right): {:.0} \
             of {} at the largest load after {} epochs, {:.0} by Hebb{}.",
            self.last(self.last_epoch(), LEARNED),
            self.config.n_features,
            self.last_epoch(),
            self.last(0, LEARNED),
            self.errors()
        ))
    }

    pub(super) fn gaps(&self) -> Figure {
        let mut by_load = Panel::new("against load", Axis::log("load P / N"), Axis::linear("test gap"));
        for (name, color, measure) in [
            ("1 − m_test", Color::TEST, ONE_MINUS_TEST),
            ("m_train − m_test", Color::TRAIN, TRAIN_MINUS_TEST),
        ] {
            let learned = self.against_load(self.last_epoch(), measure);
            by_load = both_rules(by_load, name, color, &learned, &self.against_load(0, measure));
        }
        let mut by_learned =
            Panel::new("against learned features", Axis::log("learned features"), Axis::linear("1 − m_test"));
        for (index, &load) in self.config.loads.iter().skip(1).enumerate() {
            let learned = self.against_epochs(load, LEARNED);
            let gap = self.against_epochs(load, ONE_MINUS_TEST);
            let points =
                learned.iter().zip(&gap).map(|(learned, gap)| (learned.1.value, gap.1.value)).collect();
            let series = Series::new(format!("P / N = {load}"), Style::Markers, Color::nth(index), points);
            by_learned = by_learned.with(series);
        }
        Figure::new(vec![by_load, by_learned]).with_caption(format!(
            "Test gaps against load (left), and along training against the number of learned features (right): at the largest load \
             1 − m_test is {:.3} after {} epochs and {:.3} by Hebb{}.",
            self.last(self.last_epoch(), ONE_MINUS_TEST),
            self.last_epoch(),
            self.last(0, ONE_MINUS_TEST),
            self.errors()
        ))
    }

    pub(super) fn results(&self) -> Vec<(String, f64)> {
        let mut results = Vec::new();
        for (rule, epoch) in [("hebb", 0), ("pseudo_likelihood", self.last_epoch())] {
            for (name, measure) in
                [("train", TRAIN), ("test", TEST), ("features", FEATURES), ("learned_features", LEARNED)]
            {
                for (load, mean) in self.against_load(epoch, measure) {
                    results.push((format!("{rule}_{name}_at_load_{load}"), mean.value));
                    if self.config.n_samples > 1 {
                        results.push((format!("{rule}_{name}_at_load_{load}_error"), mean.error));
                    }
                }
            }
        }
        results
    }

    pub(super) fn summary(&self) -> String {
        let mut text = format!(
            "N = {}, D = {}, eta = {}, L = {}; {} epochs of pseudo-likelihood beside Hebb",
            self.config.n_spins,
            self.config.n_features,
            self.config.exponent,
            self.config.n_active,
            self.last_epoch()
        );
        text += &match self.config.n_samples {
            1 => "\n\n".to_owned(),
            n_samples => format!("; means of {n_samples} samples\n\n"),
        };
        text += "         pseudo-likelihood                    Hebb\n";
        text += "  P / N  train   test features learned    train   test features learned\n";
        for &load in &self.config.loads {
            let value =
                |epoch, measure| self.at(load, epoch, measure).map_or(f64::NAN, |mean: Mean| mean.value);
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
        for ((load, train), (_, test)) in self.real_curve(TRAIN).into_iter().zip(self.real_curve(TEST)) {
            text += &format!("{load:7.2} {:6.3} {:6.3}\n", train.value, test.value);
        }
        for (curve, difference) in self.differences() {
            text += &format!("MNIST, {curve}: {difference}\n");
        }
        if self.config.n_samples > 1 {
            text += &format!("\nstandard errors of overlaps: at most {:.3}\n", self.largest_error());
        }
        text
    }

    /// Of the mean overlaps of the summary.
    fn largest_error(&self) -> f64 {
        let overlaps = [TRAIN, TEST, FEATURES];
        let on_manifold =
            overlaps.iter().flat_map(|&of| [0, self.last_epoch()].map(|epoch| self.against_load(epoch, of)));
        let means = on_manifold.chain([TRAIN, TEST].map(|of| self.real_curve(of))).flatten();
        means.map(|(_, mean)| mean.error).fold(0.0, f64::max)
    }
}
