//! Final overlaps against initial ones, and the size of basins, rule by rule.

use std::time::Instant;

use super::BasinsConfig;
use super::rule::{Rule, Storage};
use crate::analysis::{Basins as Measurement, basin_size};
use crate::couplings::Couplings;
use crate::dynamics::{Corruption, ParallelDynamics, Stop, Ties, n_flips, random_states};
use crate::error::Result;
use crate::execution::Execution;
use crate::experiments::mean::Mean;
use crate::experiments::patterns_at;
use crate::experiments::published::{PublishedPoint, published};
use crate::report::{Axis, Figure, Panel, Series, Style};
use crate::spins::SpinMatrix;
use crate::storage::Table;

const PUBLISHED: &[u8] = include_bytes!("../../../data/reference/basin_curves.csv");
/// Published points are compared at initial overlaps this close.
const SAME_OVERLAP: f64 = 0.006;

/// The dynamics: a number of steps, or to convergence.
const DYNAMICS: [&str; 2] = ["steps", "convergence"];

/// What one rule does on one set of patterns.
struct Sample {
    storage: Storage,
    seconds: f64,
    /// Mean final overlap at each initial one, by dynamics.
    overlaps: [Vec<f64>; 2],
}

/// All rules on all samples.
pub(super) struct Basins<'a> {
    config: &'a BasinsConfig,
    rules: Vec<(Rule, Vec<Sample>)>,
}

impl<'a> Basins<'a> {
    pub(super) fn measure(config: &'a BasinsConfig, rules: &[Rule], execution: &Execution) -> Result<Self> {
        let n_patterns = patterns_at(config.load, config.n_spins);
        let mut measured: Vec<(Rule, Vec<Sample>)> = rules.iter().map(|&rule| (rule, Vec::new())).collect();
        for sample in 0..config.n_samples {
            // The same patterns and starts for all rules.
            let seed = config.seed.wrapping_mul(1000).wrapping_add(sample);
            let patterns = random_states(n_patterns, config.n_spins, seed)?;
            for (rule, samples) in &mut measured {
                let begun = Instant::now();
                let couplings = rule.learn(&patterns, execution)?;
                let seconds = begun.elapsed().as_secs_f64();
                let storage = Storage::of(&couplings, &patterns, execution)?;
                let overlaps = final_overlaps(config, &couplings, &patterns, seed, execution)?;
                samples.push(Sample { storage, seconds, overlaps });
                execution.progress().note(&format!("sample {sample}: {} in {seconds:.1} s", rule.name()));
            }
        }
        Ok(Self { config, rules: measured })
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
            "seconds",
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
                    mean(&|sample| sample.seconds).value,
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
                        let name = if rule.published() == Some("PL") { "published" } else { "" };
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
            "{:20} {:>10} {:>17} {:>9} {:>9} {:>9} {:>8}\n",
            "rule",
            format!("{} steps", config.n_steps),
            "convergence",
            "fixed",
            "min Δ",
            "mean min",
            "seconds"
        );
        for (rule, samples) in &self.rules {
            let mean =
                |value: &dyn Fn(&Sample) -> f64| Mean::of(&samples.iter().map(value).collect::<Vec<_>>());
            let sizes = [0, 1].map(|index| mean(&|sample| self.basin_size(&sample.overlaps[index])));
            let least = samples.iter().map(|sample| sample.storage.least).fold(f64::INFINITY, f64::min);
            text += &format!(
                "{:20} {:.3}±{:.3}      {:.3}±{:.3} {:7.1} % {least:9.3} {:9.3} {:8.1}\n",
                rule.name(),
                sizes[0].value,
                sizes[0].error,
                sizes[1].value,
                sizes[1].error,
                100.0 * mean(&|sample| sample.storage.fixed).value,
                mean(&|sample| sample.storage.mean_least).value,
                mean(&|sample| sample.seconds).value,
            );
        }
        let pairs = self.pairs()?;
        for (rule, _) in &self.rules {
            let of_rule = pairs.iter().filter(|pair| pair.0 == *rule);
            let worst = of_rule.max_by(|a, b| (a.2 - a.3).abs().total_cmp(&(b.2 - b.3).abs()));
            if let Some((_, initial, ours, theirs)) = worst {
                text += &format!(
                    "largest difference of {} from its published curve: {:+.3}, at m_IN = {initial}\n",
                    rule.name(),
                    ours - theirs
                );
            }
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

fn final_overlaps(
    config: &BasinsConfig,
    couplings: &Couplings,
    patterns: &SpinMatrix,
    seed: u64,
    execution: &Execution,
) -> Result<[Vec<f64>; 2]> {
    let stops = [Stop::After(config.n_steps), Stop::Settled { limit: config.step_limit }];
    let mut found = [Vec::new(), Vec::new()];
    for (stop, found) in stops.into_iter().zip(&mut found) {
        let dynamics = ParallelDynamics { stop, ties: Ties::Keep };
        let basins =
            Measurement { couplings, patterns, dynamics: &dynamics, clamp: false, n_repeats: 1, seed };
        for &initial in &config.initial_overlaps {
            let corruption = Corruption::flips(n_flips(config.n_spins, initial)?);
            found.push(basins.measure(&corruption, execution)?.final_overlap);
        }
    }
    Ok(found)
}
