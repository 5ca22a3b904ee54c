//! Table, figures and summary, beside the published curves. Curves and the summary are means over the glasses.

use super::SpinGlassConfig;
use super::glass::Glass;
use super::records::Point;
use crate::error::Result;
use crate::experiments::mean::Mean;
use crate::experiments::published::{Difference, PublishedPoint, SOURCE, published};
use crate::experiments::samples::curve_of_means;
use crate::report::{Axis, Color, Figure, Panel, Position, Series, Style};
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/edwards_anderson_2d.csv");
/// N of the published curves.
const PUBLISHED_SPINS: usize = 1024;

type Measure = fn(&Point) -> f64;
const CURVES: [(&str, Color, Measure); 3] = [
    ("train", Color::TRAIN, |point| point.train),
    ("test", Color::TEST, |point| point.test),
    ("random", Color::RANDOM, |point| point.random),
];
const GAMMA: Measure = |point| point.gamma;

pub(super) struct Results<'a> {
    config: &'a SpinGlassConfig,
    glasses: &'a [Glass],
    published: Vec<PublishedPoint>, // curve, load, overlap
}

/// The published overlap at a load, linear in ln P between the points on either side.
fn published_at(published: &[PublishedPoint], curve: &str, load: f64) -> Option<f64> {
    let curve: Vec<_> = published.iter().filter(|point| point.0 == curve).collect();
    let pair = curve.windows(2).find(|pair| pair[0].1 * 0.99 <= load && load <= pair[1].1 * 1.01)?;
    let share = libm::log(load / pair[0].1) / libm::log(pair[1].1 / pair[0].1);
    Some(pair[0].2 + (pair[1].2 - pair[0].2) * share.clamp(0.0, 1.0))
}

impl<'a> Results<'a> {
    pub(super) fn new(config: &'a SpinGlassConfig, glasses: &'a [Glass]) -> Result<Self> {
        let published = published("data/reference/edwards_anderson_2d.csv", PUBLISHED)?;
        Ok(Self { config, glasses, published })
    }

    fn load(&self, n_patterns: usize) -> f64 {
        n_patterns as f64 / self.config.n_spins() as f64
    }

    /// At the load with this index.
    fn mean(&self, index: usize, measure: Measure) -> Mean {
        Mean::of(&self.glasses.iter().map(|glass| measure(&glass.points[index])).collect::<Vec<_>>())
    }

    /// (load, mean).
    fn curve(&self, measure: Measure) -> Vec<(f64, Mean)> {
        let loads = self.config.patterns.iter().map(|&n_patterns| self.load(n_patterns));
        loads.enumerate().map(|(index, load)| (load, self.mean(index, measure))).collect()
    }

    fn truth(&self) -> Mean {
        Mean::of(&self.glasses.iter().map(|glass| glass.truth).collect::<Vec<_>>())
    }

    /// Whether published curves are of this N.
    fn is_compared(&self) -> bool {
        self.config.n_spins() == PUBLISHED_SPINS
    }

    fn published_at(&self, curve: &str, load: f64) -> Option<f64> {
        published_at(&self.published, curve, load).filter(|_| self.is_compared())
    }

    /// How far each curve is from the published one, where that is of this N.
    fn differences(&self) -> impl Iterator<Item = (&'static str, Difference)> {
        CURVES.iter().filter_map(|&(curve, _, measure)| {
            let pair = |(load, ours): (f64, Mean)| Some((ours.value, self.published_at(curve, load)?));
            Some((curve, Difference::of(self.curve(measure).into_iter().filter_map(pair))?))
        })
    }

    /// One row a glass and load.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([
            "sample",
            "patterns",
            "load",
            "overlap_train",
            "overlap_test",
            "overlap_random",
            "fixed_fraction",
            "loss",
            "lambda_eff",
            "asymmetry",
            "gamma",
            "gamma_bonds",
            "gamma_absent",
            "slope",
        ]);
        for glass in self.glasses {
            for point in &glass.points {
                let numbers = [
                    self.load(point.n_patterns),
                    point.train,
                    point.test,
                    point.random,
                    point.fixed_fraction,
                    point.loss,
                    point.lambda_eff,
                    point.asymmetry,
                    point.gamma,
                    point.gamma_bonds,
                    point.gamma_absent,
                    point.slope,
                ];
                let place = [glass.sample.to_string(), point.n_patterns.to_string()];
                table.push(place.into_iter().chain(numbers.iter().map(f64::to_string)).collect());
            }
        }
        table
    }

    /// What bands are, for captions.
    fn bands(&self) -> String {
        match self.config.n_samples {
            1 => String::new(),
            n_samples => format!("; means of {n_samples} glasses, bands of one standard error"),
        }
    }

    pub(super) fn overlaps(&self) -> Figure {
        let SpinGlassConfig { side, temperature, n_steps, .. } = self.config;
        let title = format!("Edwards-Anderson, L = {side}, T = {temperature}, {n_steps} parallel steps");
        let mut panel = Panel::new(title, Axis::log("load P / N"), Axis::overlap("final overlap"));
        // The published ones are of one size.
        let source = if self.config.n_spins() == PUBLISHED_SPINS {
            SOURCE.to_owned()
        } else {
            format!("{SOURCE}, N = {PUBLISHED_SPINS}")
        };
        for (curve, color, measure) in CURVES {
            let theirs = self.published.iter().filter(|point| point.0 == curve);
            let theirs = theirs.map(|&(_, load, overlap)| (load, overlap)).collect();
            panel = panel.with(Series::new(format!("{curve}, {source}"), Style::OpenMarkers, color, theirs));
            panel = panel.with(curve_of_means(curve, Style::LineAndMarkers, color, &self.curve(measure)));
        }
        let [train, test, random] = CURVES.map(|(.., measure)| self.curve(measure).last().copied());
        let end = train.zip(test).zip(random).map_or(String::new(), |(((load, train), test), random)| {
            let (train, test, random) = (train.value, test.1.value, random.1.value);
            format!(": at load {load:.3} they are {train:.3}, {test:.3} and {random:.3}")
        });
        let truth = self.truth().value;
        let caption = format!(
            "Final overlaps of training, test and random states of the Edwards-Anderson glass against load, open markers \
             published{end}, where the true couplings keep {truth:.3} of unseen samples{}.",
            self.bands()
        );
        Figure::new(vec![panel.with_reference("true couplings", Position::Y(truth))]).with_caption(caption)
    }

    /// gamma, and the line of slope -1/2 through its last point.
    pub(super) fn errors(&self) -> Figure {
        let mut panel = Panel::new("recovered couplings", Axis::log("load P / N"), Axis::log("error γ"));
        let curves: [(&str, Color, Measure); 3] = [
            ("all pairs", Color::Black, GAMMA),
            ("bonds", Color::Blue, |point| point.gamma_bonds),
            ("absent pairs", Color::Vermillion, |point| point.gamma_absent),
        ];
        for (name, color, measure) in curves {
            panel = panel.with(curve_of_means(name, Style::LineAndMarkers, color, &self.curve(measure)));
        }
        let gamma = self.curve(GAMMA);
        if let Some(&(end, last)) = gamma.last() {
            let line = [1.0 / 64.0, 1.0].map(|part| (part * end, last.value / f64::sqrt(part)));
            panel = panel.with(Series::new("P^(-1/2)", Style::Dashed, Color::Green, line.to_vec()));
        }
        let ends = gamma.first().zip(gamma.last()).map_or(String::new(), |(first, last)| {
            let (first, last) = ((first.0, first.1.value), (last.0, last.1.value));
            format!(": {:.3} at load {:.3}, {:.3} at load {:.3}", first.1, first.0, last.1, last.0)
        });
        Figure::new(vec![panel]).with_caption(format!(
            "Error γ of the couplings recovered from samples against load, beside the slope −1/2{ends} (all pairs){}.",
            self.bands()
        ))
    }

    /// Key figures for the manifest, by name.
    pub(super) fn named(&self) -> Vec<(String, f64)> {
        let mut named = Vec::new();
        let mut push = |name: String, mean: Mean| {
            if self.config.n_samples > 1 {
                named.push((format!("{name}_error"), mean.error));
            }
            named.push((name, mean.value));
        };
        push("overlap_of_true_couplings".to_owned(), self.truth());
        for (index, n_patterns) in self.config.patterns.iter().enumerate() {
            push(format!("gamma_at_p_{n_patterns}"), self.mean(index, GAMMA));
            push(format!("overlap_test_at_p_{n_patterns}"), self.mean(index, |point| point.test));
        }
        for (curve, difference) in self.differences() {
            named.push((format!("largest_difference_{curve}"), difference.largest));
            named.push((format!("mean_difference_{curve}"), difference.mean));
        }
        named
    }

    /// What the states of a glass are like.
    fn evidence(&self, glass: &Glass) -> String {
        let of = |entry: &str| glass.provenance.get(entry).map_or("-", String::as_str);
        format!(
            "{}energy per spin {}; autocorrelation times {} sweeps (energy), {} (overlap); {} sweeps apart; doubts of \
             equilibrium: {}\n{}final overlap of test states under the true couplings: {:.3}\n",
            self.config.label(glass.sample),
            of("train_energy_per_spin"),
            of("autocorrelation_energy_sweeps"),
            of("autocorrelation_overlap_sweeps"),
            of("spacing_sweeps"),
            of("equilibration_doubts"),
            self.config.label(glass.sample),
            glass.truth
        )
    }

    /// How many glasses, and what their spread leaves open.
    fn spread(&self) -> String {
        if self.config.n_samples == 1 {
            return String::new();
        }
        let largest = |measures: &[Measure]| {
            let means = measures.iter().flat_map(|&measure| self.curve(measure));
            means.map(|(_, mean)| mean.error).fold(0.0, f64::max)
        };
        let truth = self.truth();
        format!(
            "\nmeans of {} samples, with standard errors of at most {:.3} (overlaps) and {:.3} (gamma); true couplings: {:.3} ± {:.3}\n",
            self.config.n_samples,
            largest(&CURVES.map(|(.., measure)| measure)),
            largest(&[GAMMA]),
            truth.value,
            truth.error
        )
    }

    pub(super) fn summary(&self) -> String {
        let first = self.glasses.first();
        let of_first =
            |entry: &str| first.and_then(|glass| glass.provenance.get(entry)).map_or("-", String::as_str);
        let mut text = format!(
            "Edwards-Anderson, L = {}, {} bonds, {} boundaries, T = {}\n",
            self.config.side,
            of_first("bonds"),
            of_first("boundary"),
            self.config.temperature
        );
        text.extend(self.glasses.iter().map(|glass| self.evidence(glass)));
        text += &self.spread();
        text += "\n                ours                  published (read off the figure)\n";
        text += "      P  train   test  random   gamma    train   test  random\n";
        for (index, &n_patterns) in self.config.patterns.iter().enumerate() {
            let ours = CURVES.map(|(.., measure)| format!("{:6.3}", self.mean(index, measure).value));
            let theirs = CURVES.map(|(curve, ..)| {
                let value = self.published_at(curve, self.load(n_patterns));
                value.map_or("     -".to_owned(), |value| format!("{value:6.3}"))
            });
            let gamma = self.mean(index, GAMMA).value;
            text += &format!("{n_patterns:7} {}  {gamma:6.3}   {}\n", ours.join(" "), theirs.join(" "));
        }
        for (curve, difference) in self.differences() {
            text += &format!("{curve}: {difference}\n");
        }
        if !self.is_compared() {
            text += &format!("published curves are of N = {PUBLISHED_SPINS}; the figure shows them\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between 1 and 100 half-way in the logarithm is 10; ends are taken as they are, what is beyond is not known.
    #[test]
    fn published_overlaps_are_read_between_points() {
        let points = [("a".to_owned(), 1.0, 0.2), ("b".to_owned(), 1.0, 0.9), ("a".to_owned(), 100.0, 0.4)];
        let at = |load| published_at(&points, "a", load);
        assert!((at(10.0).unwrap() - 0.3).abs() < 1e-12);
        assert_eq!((at(1.0), at(100.5), at(0.5), at(110.0)), (Some(0.2), Some(0.4), None, None));
        let path = "data/reference/edwards_anderson_2d.csv";
        assert!(published(path, PUBLISHED).unwrap().len() > 100);
    }

    fn glass(sample: u64, overlaps: [f64; 3], truth: f64) -> Glass {
        let [train, test, random] = overlaps;
        let point = Point {
            n_patterns: 1024,
            train,
            test,
            random,
            fixed_fraction: 0.5,
            loss: 1.0,
            lambda_eff: 1.0,
            asymmetry: 0.1,
            gamma: 1.5 + sample as f64,
            gamma_bonds: 1.0,
            gamma_absent: 2.0,
            slope: 1.0,
        };
        Glass { sample, points: vec![point], truth, provenance: Default::default() }
    }

    /// At N = 1024 and load 1, train is 1 in both glasses and test 0.6 and 0.8: mean 0.7, standard error 0.1. At another N
    /// nothing is compared.
    #[test]
    fn means_and_differences_are_those_of_the_glasses() {
        let config = SpinGlassConfig { patterns: vec![1024], n_samples: 2, ..SpinGlassConfig::new(false, 0) };
        let glasses = [glass(0, [1.0, 0.6, 0.2], 0.9), glass(1, [1.0, 0.8, 0.2], 0.8)];
        let results = Results::new(&config, &glasses).unwrap();
        let named = results.named();
        let value = |name: &str| named.iter().find(|entry| entry.0 == name).map(|entry| entry.1);
        assert!((value("overlap_test_at_p_1024").unwrap() - 0.7).abs() < 1e-12);
        assert!((value("overlap_test_at_p_1024_error").unwrap() - 0.1).abs() < 1e-12);
        assert!((value("overlap_of_true_couplings").unwrap() - 0.85).abs() < 1e-12);
        let theirs = published_at(&results.published, "test", 1.0).unwrap();
        assert!((value("largest_difference_test").unwrap() - (theirs - 0.7).abs()).abs() < 1e-12);
        assert_eq!(value("mean_difference_train"), value("largest_difference_train"));
        let summary = results.summary();
        for part in [
            "means of 2 samples, with standard errors of at most 0.100 (overlaps) and 0.500 (gamma)",
            "true couplings: 0.850 ± 0.050",
            "sample 1: final overlap of test states under the true couplings: 0.800",
            "test: differs from arXiv:2507.05147 by at most",
            "(1 points)",
        ] {
            assert!(summary.contains(part), "{part}: {summary}");
        }
        let smaller = SpinGlassConfig { side: 16, n_samples: 1, ..config.clone() };
        let results = Results::new(&smaller, &glasses[..1]).unwrap();
        assert!(
            results.named().iter().all(|entry| !entry.0.contains("difference") && !entry.0.contains("error"))
        );
        assert!(!results.summary().contains("sample"));
    }
}
