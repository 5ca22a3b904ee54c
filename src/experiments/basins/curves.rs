//! Final overlaps against initial ones, and the size of basins, rule by rule.

use super::BasinsConfig;
use super::measure::Sample;
use super::rule::Rule;
use crate::analysis::basin_size;
use crate::error::Result;
use crate::experiments::mean::Mean;
use crate::experiments::published::{Difference, PublishedPoint, SOURCE, published};
use crate::report::{Axis, Figure, Panel, Series, Style};
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/basin_curves.csv");
/// Published points are compared at initial overlaps this close.
const SAME_OVERLAP: f64 = 0.006;

/// The dynamics: a number of steps, or to convergence.
const DYNAMICS: [&str; 2] = ["steps", "convergence"];

/// All rules on all samples.
pub(super) struct Basins<'a> {
    config: &'a BasinsConfig,
    rules: Vec<(Rule, Vec<Sample>)>,
}

impl<'a> Basins<'a> {
    /// Of the samples of each rule, in turn.
    pub(super) fn new(config: &'a BasinsConfig, rules: &[Rule], samples: &[Sample]) -> Self {
        let of = |index: usize| samples.iter().skip(index).step_by(rules.len()).cloned().collect();
        Self { config, rules: rules.iter().enumerate().map(|(index, &rule)| (rule, of(index))).collect() }
    }

    /// One row a rule and kind of dynamics.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([
            "rule",
            "dynamics",
            "basin_size",
            "basin_size_error",
            "fixed_fraction",
            "stability_min",
            "stability_min_mean",
            "row_norm",
        ]);
        for (rule, samples) in &self.rules {
            for (index, dynamics) in DYNAMICS.iter().enumerate() {
                let mean =
                    |value: &dyn Fn(&Sample) -> f64| Mean::of(&samples.iter().map(value).collect::<Vec<_>>());
                let size = mean(&|sample| self.basin_size(&sample.overlaps[index]));
                let least = samples.iter().map(|sample| sample.storage.least).fold(f64::INFINITY, f64::min);
                let numbers = [
                    size.value,
                    size.error,
                    mean(&|sample| sample.storage.fixed).value,
                    least,
                    mean(&|sample| sample.storage.mean_least).value,
                    mean(&|sample| sample.storage.row_norm).value,
                ];
                let names = [rule.name(), (*dynamics).to_owned()];
                table.push(names.into_iter().chain(numbers.map(|number| number.to_string())).collect());
            }
        }
        table
    }

    /// One row a rule, kind of dynamics and initial overlap.
    pub(super) fn curves(&self) -> Table {
        let mut table =
            Table::new(["rule", "dynamics", "initial_overlap", "final_overlap", "final_overlap_error"]);
        for (rule, samples) in &self.rules {
            for (index, dynamics) in DYNAMICS.iter().enumerate() {
                for (place, initial) in self.config.initial_overlaps.iter().enumerate() {
                    let mean = mean_at(samples, index, place);
                    let numbers = [*initial, mean.value, mean.error].map(|number| number.to_string());
                    table.push([rule.name(), (*dynamics).to_owned()].into_iter().chain(numbers).collect());
                }
            }
        }
        table
    }

    /// Published overlaps after 10 steps beside these.
    pub(super) fn published(&self) -> Result<Table> {
        let mut table = Table::new(["rule", "initial_overlap", "final_overlap", "published", "difference"]);
        for (rule, initial, ours, theirs) in self.pairs()? {
            let numbers = [initial, ours, theirs, ours - theirs].map(|number| number.to_string());
            table.push(std::iter::once(rule.name()).chain(numbers).collect());
        }
        Ok(table)
    }

    /// Rule, initial overlap, final overlap here and as published, where both are known.
    fn pairs(&self) -> Result<Vec<(Rule, f64, f64, f64)>> {
        let all = reference()?;
        let mut pairs = Vec::new();
        for (rule, samples) in &self.rules {
            for (place, &initial) in self.config.initial_overlaps.iter().enumerate() {
                let near = all.iter().filter(|(curve, x, _)| {
                    Some(curve.as_str()) == rule.published() && (x - initial).abs() < SAME_OVERLAP
                });
                let nearest = near.min_by(|a, b| (a.1 - initial).abs().total_cmp(&(b.1 - initial).abs()));
                if let Some((_, _, theirs)) = nearest {
                    pairs.push((*rule, initial, mean_at(samples, 0, place).value, *theirs));
                }
            }
        }
        Ok(pairs)
    }

    /// How far the rules' curves are from the published ones, where there are some.
    fn differences(&self) -> Result<Vec<(String, Difference)>> {
        let pairs = self.pairs()?;
        let of_rule = |rule: &Rule| {
            let pairs = pairs.iter().filter(|pair| pair.0 == *rule).map(|pair| (pair.2, pair.3));
            Some((rule.name(), Difference::of(pairs)?))
        };
        Ok(self.rules.iter().filter_map(|(rule, _)| of_rule(rule)).collect())
    }

    pub(super) fn figure(&self) -> Result<Figure> {
        let all = reference()?;
        let titles = [format!("after {} steps", self.config.n_steps), "at convergence".to_owned()];
        let panels = titles.into_iter().enumerate().map(|(index, title)| {
            let axis = Axis::overlap("initial overlap m_IN");
            let mut panel = Panel::new(title, axis, Axis::overlap("final overlap m_F"));
            for (rule, samples) in &self.rules {
                let means = self
                    .config
                    .initial_overlaps
                    .iter()
                    .enumerate()
                    .map(|(place, &initial)| (initial, mean_at(samples, index, place)));
                let (points, bars) = means.map(|(x, mean)| ((x, mean.value), mean.bar(x))).unzip();
                panel =
                    panel.with(Series::new(rule.name(), rule.style(), rule.color(), points).with_band(bars));
            }
            if index == 0 {
                for (rule, _) in &self.rules {
                    let of_rule = all.iter().filter(|(curve, ..)| Some(curve.as_str()) == rule.published());
                    let points: Vec<_> = of_rule.step_by(4).map(|&(_, x, y)| (x, y)).collect();
                    if !points.is_empty() {
                        let first = rule.published() == Some("PL");
                        let name = if first { format!("published, {SOURCE}") } else { String::new() };
                        panel = panel.with(Series::new(name, Style::OpenMarkers, rule.color(), points));
                    }
                }
            }
            panel
        });
        let sizes = self.rules.iter().map(|(rule, samples)| {
            let sizes: Vec<f64> = samples.iter().map(|sample| self.basin_size(&sample.overlaps[1])).collect();
            format!("{:.3} ({})", Mean::of(&sizes).value, rule.name())
        });
        let sizes: Vec<String> = sizes.collect();
        Ok(Figure::new(panels.collect()).with_caption(format!(
            "Final against initial overlap of random patterns at P / N = {} after {} steps (left, open markers published) and at \
             convergence (right), where basin sizes are {}.",
            self.config.load,
            self.config.n_steps,
            sizes.join(", ")
        )))
    }

    /// 1 - m_c, where m_c is the smallest initial overlap from which on mean final overlaps are at least the threshold, by
    /// linear interpolation; 0 where there is none.
    fn basin_size(&self, overlaps: &[f64]) -> f64 {
        basin_size(&self.config.initial_overlaps, overlaps, self.config.threshold)
    }

    pub(super) fn results(&self) -> Vec<(String, f64)> {
        let size = |(rule, samples): &(Rule, Vec<Sample>)| {
            DYNAMICS
                .iter()
                .enumerate()
                .map(|(index, dynamics)| {
                    let sizes: Vec<f64> =
                        samples.iter().map(|sample| self.basin_size(&sample.overlaps[index])).collect();
                    (format!("basin_size_{dynamics}_{}", rule.name()), Mean::of(&sizes).value)
                })
                .collect::<Vec<_>>()
        };
        self.rules.iter().flat_map(size).collect()
    }

    pub(super) fn summary(&self) -> Result<String> {
        let config = self.config;
        let mut text = format!(
            "Random patterns, N = {}, P / N = {}, {} samples; basin size 1 - m_c (mean final overlap {})\n\n",
            config.n_spins, config.load, config.n_samples, config.threshold
        );
        text += &format!(
            "{:20} {:>10} {:>17} {:>9} {:>9} {:>9}\n",
            "rule",
            format!("{} steps", config.n_steps),
            "convergence",
            "fixed",
            "min Δ",
            "mean min"
        );
        for (rule, samples) in &self.rules {
            let mean =
                |value: &dyn Fn(&Sample) -> f64| Mean::of(&samples.iter().map(value).collect::<Vec<_>>());
            let sizes = [0, 1].map(|index| mean(&|sample| self.basin_size(&sample.overlaps[index])));
            let least = samples.iter().map(|sample| sample.storage.least).fold(f64::INFINITY, f64::min);
            text += &format!(
                "{:20} {:.3}±{:.3}      {:.3}±{:.3} {:7.1} % {least:9.3} {:9.3}\n",
                rule.name(),
                sizes[0].value,
                sizes[0].error,
                sizes[1].value,
                sizes[1].error,
                100.0 * mean(&|sample| sample.storage.fixed).value,
                mean(&|sample| sample.storage.mean_least).value,
            );
        }
        for (name, difference) in self.differences()? {
            text += &format!("{name}: {difference}\n");
        }
        Ok(text)
    }
}

fn reference() -> Result<Vec<PublishedPoint>> {
    published("data/reference/basin_curves.csv", PUBLISHED)
}

/// Mean over samples of the final overlap at the initial overlap of index `place`.
fn mean_at(samples: &[Sample], dynamics: usize, place: usize) -> Mean {
    Mean::of(&samples.iter().map(|sample| sample.overlaps[dynamics][place]).collect::<Vec<_>>())
}
