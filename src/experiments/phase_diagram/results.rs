//! Table and figures of all points.

use super::PhaseDiagramConfig;
use super::measure::{Kept, Point};
use crate::experiments::mean::Mean;
use crate::experiments::samples::of_samples;
use crate::report::{Axis, Cell, Color, Figure, Panel, Position, Series, Style, log_edges};
use crate::storage::Table;
use crate::theory::{Counted, hopfield_capacity, signal_and_noise};

/// An overlap at a point.
type Measure = fn(&Kept) -> f64;

const KINDS: [(&str, Measure); 3] =
    [("train", |kept| kept.train), ("features", |kept| kept.features), ("test", |kept| kept.test)];
/// The couplings before or after training.
type Stage = fn(&Point) -> &Kept;

const STAGES: [(&str, Stage); 2] =
    [("hebb", |point| &point.hebb), ("pseudo_likelihood", |point| &point.trained)];
/// States of which most spins stay are said to be kept.
const KEPT_OVERLAP: f64 = 0.9;

pub(super) struct Results<'a> {
    config: &'a PhaseDiagramConfig,
    points: &'a [Point],
}

impl<'a> Results<'a> {
    pub(super) fn new(config: &'a PhaseDiagramConfig, points: &'a [Point]) -> Self {
        Self { config, points }
    }

    /// Means over the samples, loads slowest, then feature loads.
    fn means(&self, of: Stage, measure: Measure) -> impl Iterator<Item = Mean> {
        self.points
            .chunks(self.config.n_samples as usize)
            .map(move |samples| Mean::of(&samples.iter().map(|point| measure(of(point))).collect::<Vec<_>>()))
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([
            "rule",
            "load",
            "feature_load",
            "patterns",
            "features",
            "sample",
            "overlap_train",
            "overlap_test",
            "overlap_features",
            "overlap_random",
            "loss",
            "lambda_eff",
        ]);
        for point in self.points {
            for (rule, kept) in [("hebb", &point.hebb), ("pseudo-likelihood", &point.trained)] {
                let numbers = [kept.train, kept.test, kept.features, kept.random, kept.loss, kept.lambda_eff];
                let mut row = vec![
                    rule.to_owned(),
                    point.load.to_string(),
                    point.feature_load.to_string(),
                    self.config.n_patterns(point.load).to_string(),
                    self.config.n_features(point.feature_load).to_string(),
                    point.sample.to_string(),
                ];
                row.extend(numbers.iter().map(f64::to_string));
                table.push(row);
            }
        }
        table
    }

    /// After training, with the lines of Hebb over it.
    pub(super) fn figure(&self) -> Figure {
        self.plane(1, "under pseudo-likelihood")
    }

    pub(super) fn hebb_figure(&self) -> Figure {
        self.plane(0, "under Hebb")
    }

    /// Panels of a stage, by its index.
    fn plane(&self, stage: usize, rule: &str) -> Figure {
        let (_, of) = STAGES[stage];
        let (columns, rows) = (log_edges(&self.config.loads), log_edges(&self.config.feature_loads));
        let axis = |label: &str, edges: &[f64]| {
            Axis::log(label).with_range(edges[0], edges.last().copied().unwrap_or(1.0))
        };
        let panels = KINDS.iter().map(|&(name, measure)| {
            let cells = self.means(of, measure).enumerate().map(|(index, Mean { value, .. })| {
                let (column, row) = (index / (rows.len() - 1), index % (rows.len() - 1));
                Cell { x: (columns[column], columns[column + 1]), y: (rows[row], rows[row + 1]), value }
            });
            let (x, y) = (axis("load P / N", &columns), axis("feature load D / N", &rows));
            Panel::new(format!("final overlap, {name}"), x, y)
                .with_cells(cells.collect())
                .with(Series::new(
                    "Hebb: features at the capacity's signal to noise",
                    Style::Dashed,
                    Color::Vermillion,
                    self.feature_line(&columns),
                ))
                .with_reference("Hebb: capacity of random patterns", Position::X(hopfield_capacity().load))
        });
        let [train, features, test] = KINDS.map(|(_, measure)| 100.0 * self.share_kept(of, measure));
        Figure::new(panels.collect()).with_caption(format!(
            "Final overlaps of training patterns, features and unseen examples {rule} over load and feature load: at least \
             {KEPT_OVERLAP} in {train:.0} %, {features:.0} % and {test:.0} % of the plane shown{}.",
            of_samples(self.config.n_samples)
        ))
    }

    /// Share of the points at which a kind is kept.
    fn share_kept(&self, of: Stage, measure: Measure) -> f64 {
        let values: Vec<f64> = self.means(of, measure).map(|mean| mean.value).collect();
        values.iter().filter(|&&value| value >= KEPT_OVERLAP).count() as f64 / values.len() as f64
    }

    /// The feature load at which a feature's signal to noise under Hebb couplings is that of patterns at the Hopfield model's
    /// capacity, 1 / sqrt(alpha_c), at each of some loads.
    fn feature_line(&self, loads: &[f64]) -> Vec<(f64, f64)> {
        const STEPS: usize = 60;
        let least_ratio = hopfield_capacity().load.sqrt().recip();
        let ends = (loads[0].ln(), loads.last().copied().unwrap_or(1.0).ln());
        let lines = (0..=STEPS).filter_map(|step| {
            let load = (ends.0 + (ends.1 - ends.0) * step as f64 / STEPS as f64).exp();
            // The ratio falls as features grow in number.
            let (mut few, mut many) = (self.config.n_active as f64 / self.config.n_spins as f64, 1e3f64);
            if self.ratio(load, few) < least_ratio || self.ratio(load, many) > least_ratio {
                return None;
            }
            for _ in 0..60 {
                let between = (few * many).sqrt();
                if self.ratio(load, between) < least_ratio { many = between } else { few = between }
            }
            Some((load, few))
        });
        lines.collect()
    }

    /// Signal to noise of a feature under Hebb couplings, features equally frequent.
    fn ratio(&self, load: f64, feature_load: f64) -> f64 {
        let n = self.config.n_spins as f64;
        let (p, d, l) = (load * n, feature_load * n, self.config.n_active as f64);
        // Of a binomial number of uses: its mean square.
        let mean_square = |sets: f64, of_each: f64| {
            let (share, mean) = (of_each / sets, p * of_each / sets);
            sets * (mean * mean + mean * (1.0 - share).max(0.0))
        };
        let subset_squares = (3..=self.config.n_active).step_by(2).map(|degree| {
            let choose =
                |m: f64| (0..degree).map(|k| (m - k as f64).max(0.0) / (degree - k) as f64).product();
            let (sets, of_each): (f64, f64) = (choose(d), choose(l));
            (degree, mean_square(sets.max(1.0), of_each))
        });
        let counted =
            Counted { n_patterns: p, squares: mean_square(d, l), subset_squares: subset_squares.collect() };
        signal_and_noise(self.config.n_spins, self.config.n_active, &counted, p * l / d).ratio()
    }

    /// Shares of the points at which each kind is kept.
    pub(super) fn named(&self) -> Vec<(String, f64)> {
        let mut named = Vec::new();
        for (rule, of) in STAGES {
            for (kind, measure) in KINDS {
                named.push((format!("{rule}_{kind}_kept"), self.share_kept(of, measure)));
            }
        }
        named
    }

    pub(super) fn summary(&self) -> String {
        let PhaseDiagramConfig { n_spins, n_active, epochs, loads, feature_loads, .. } = self.config;
        let (n_loads, n_feature_loads) = (loads.len(), feature_loads.len());
        let mut text = format!(
            "N = {n_spins}, L = {n_active}, {epochs} epochs, {n_loads} x {n_feature_loads} points\n\n\
             share of the plane where the final overlap is at least {KEPT_OVERLAP}\n{:20}",
            ""
        );
        text.extend(KINDS.map(|(kind, _)| format!("{kind:>10}")));
        for (rule, of) in STAGES {
            text += &format!("\n  {:18}", rule.replace('_', "-"));
            text.extend(KINDS.map(|(_, measure)| format!("{:8.1} %", 100.0 * self.share_kept(of, measure))));
        }
        text.push('\n');
        if self.config.n_samples > 1 {
            let kinds = STAGES.iter().flat_map(|&(_, of)| KINDS.map(|(_, measure)| self.means(of, measure)));
            let largest = kinds.flatten().map(|mean| mean.error).fold(0.0, f64::max);
            let n_samples = self.config.n_samples;
            text +=
                &format!("\nmeans of {n_samples} samples, with standard errors of at most {largest:.3}\n");
        }
        text
    }
}
