//! Ours, means over the samples, beside the published curves: table, figure, summary.

use super::MnistConfig;
use crate::error::Result;
use crate::experiments::mean::Mean;
use crate::experiments::published::{Difference, PublishedPoint, SOURCE, published};
use crate::experiments::samples::curve_of_means;
use crate::experiments::trajectory::{Measure, Sampled, mean_at};
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/mnist14.csv");

/// Loads within this factor count as the same.
const SAME_LOAD: f64 = 1.05;

const CURVES: [(&str, Color, Measure); 3] = [
    ("train", Color::TRAIN, |point| Some(point.observables.overlap.train)),
    ("test", Color::TEST, |point| point.observables.overlap.test),
    ("random", Color::RANDOM, |point| Some(point.observables.overlap.random)),
];

/// A mean of ours beside the published value at the nearest load.
struct Pair {
    curve: &'static str,
    n_patterns: usize,
    load: f64,
    ours: Mean,
    published: Option<f64>,
}

pub(in super::super) struct Comparison<'a> {
    config: &'a MnistConfig,
    pairs: Vec<Pair>,
    published: Vec<PublishedPoint>, // curve, load, overlap
}

impl<'a> Comparison<'a> {
    pub(in super::super) fn new(config: &'a MnistConfig, points: &[Sampled]) -> Result<Self> {
        let published = published("data/reference/mnist14.csv", PUBLISHED)?;
        let mut pairs = Vec::new();
        for (curve, _, measure) in CURVES {
            for &n_patterns in &config.patterns {
                let at_load = points.iter().map(|sampled| &sampled.point);
                let load =
                    at_load.filter(|point| point.n_patterns == n_patterns).map(|point| point.load).next();
                let ours = mean_at(points, n_patterns, config.epochs, measure);
                let Some((load, ours)) = load.zip(ours) else { continue };
                let same = |&&(ref name, at, _): &&PublishedPoint| {
                    name == curve && (1.0 / SAME_LOAD..SAME_LOAD).contains(&(at / load))
                };
                let published = published.iter().find(same).map(|&(_, _, overlap)| overlap);
                pairs.push(Pair { curve, n_patterns, load, ours, published });
            }
        }
        Ok(Self { config, pairs, published })
    }

    fn of<'b>(&'b self, curve: &'b str) -> impl Iterator<Item = &'b Pair> {
        self.pairs.iter().filter(move |pair| pair.curve == curve)
    }

    /// How far each curve is from the published one.
    pub(in super::super) fn differences(&self) -> impl Iterator<Item = (&'static str, Difference)> {
        CURVES.iter().filter_map(|&(curve, ..)| {
            let pairs = self.of(curve).filter_map(|pair| Some((pair.ours.value, pair.published?)));
            Some((curve, Difference::of(pairs)?))
        })
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(["curve", "patterns", "load", "overlap", "error", "published"]);
        for pair in &self.pairs {
            let error = (self.config.n_samples > 1).then_some(pair.ours.error);
            let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            table.push(vec![
                pair.curve.to_owned(),
                pair.n_patterns.to_string(),
                pair.load.to_string(),
                pair.ours.value.to_string(),
                text(error),
                text(pair.published),
            ]);
        }
        table
    }

    /// Some of the curves, "train", "test" and "random", published points with them.
    pub(in super::super) fn panel(&self, title: String, names: &[&str]) -> Panel {
        let mut panel = Panel::new(title, Axis::log("load P / N"), Axis::overlap("final overlap"));
        for (curve, color, _) in CURVES.into_iter().filter(|(curve, ..)| names.contains(curve)) {
            let ours: Vec<_> = self.of(curve).map(|pair| (pair.load, pair.ours)).collect();
            panel = panel.with(curve_of_means(curve, Style::LineAndMarkers, color, &ours));
            let published = self.published.iter().filter(|(name, ..)| name == curve);
            let published = published.map(|&(_, load, overlap)| (load, overlap)).collect();
            panel =
                panel.with(Series::new(format!("{curve}, {SOURCE}"), Style::OpenMarkers, color, published));
        }
        panel
    }

    pub(super) fn figure(&self) -> Figure {
        let title = format!("MNIST {0} × {0}, {1} parallel steps", self.config.crop, self.config.n_steps);
        let panel = self.panel(title, &CURVES.map(|(curve, ..)| curve));
        let differences =
            self.differences().map(|(curve, difference)| format!("{:.3} ({curve})", difference.largest));
        let differences: Vec<String> = differences.collect();
        let of_samples = match self.config.n_samples {
            1 => String::new(),
            n_samples => format!(", means of {n_samples} samples with bands of one standard error"),
        };
        Figure::new(vec![panel]).with_caption(format!(
            "Final overlaps on MNIST against load, lines from this run{of_samples} and open markers from {SOURCE}, which differ by at \
             most {}.",
            differences.join(", ")
        ))
    }

    pub(super) fn summary(&self) -> String {
        let mut text = match self.config.n_samples {
            1 => String::new(),
            n_samples => {
                let errors = self.pairs.iter().map(|pair| pair.ours.error);
                let largest = errors.fold(0.0, f64::max);
                format!("means of {n_samples} samples, with standard errors of at most {largest:.3}\n")
            }
        };
        text += "             ours                   published (read off the figure)\n";
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
                row(|pair| Some(pair.ours.value)),
                row(|pair| pair.published)
            );
        }
        for (curve, difference) in self.differences() {
            text += &format!("{curve}: {difference}\n");
        }
        text
    }
}
