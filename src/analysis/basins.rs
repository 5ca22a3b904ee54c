//! Basins of attraction: how much of a pattern may be damaged so that dynamics still restores it (arXiv:2507.05147).
//!
//! m_F(m_IN) is the mean over patterns of the final overlap from corrupted copies, each pattern with damage of its own. The
//! basin size is 1 - m_c, m_c the smallest initial overlap from which on mean final overlaps are at least a threshold. It is
//! found on a grid of m_IN, by linear interpolation between its points, or by halving the number of random damaged spins,
//! an integer n: then m_c has n damaged spins, n + 1 are too many, and its resolution is 2/N (1/N of erased spins).
//!
//! Damage is nested, so the mean falls with n up to rare exceptions: states that more damage brings back. On a grid the
//! largest m_IN below the threshold counts, whatever lies under it. Halving finds one of the n where the mean crosses the
//! threshold; those it did not look at are not ruled out.
//!
//! Where even the worst damage looked at is restored, 1 - m_c is a lower bound, and where none is, the size is 0 by
//! definition: see [`BasinEdge`]. Neither is a measured crossing, and neither has an error.
//!
//! Errors of basin sizes are by bootstrap: patterns are resampled with replacement, the basin size is read off their mean
//! curve, and its standard deviation over the resamplings is the error. It says how far the size depends on which patterns
//! were looked at, not on the couplings: those of other patterns are another sample.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rand_core::Rng;

use super::mean::Mean;
use super::overlaps::overlaps;
use crate::couplings::Couplings;
use crate::dynamics::{Corruption, Damage, Dynamics, Sites};
use crate::error::{Error, Result};
use crate::execution::Execution;
use crate::random::{below, stream};
use crate::spins::SpinMatrix;

/// Resamplings of a bootstrap.
const RESAMPLES: u64 = 200;

/// What basins are measured of, and how.
pub struct Basins<'a> {
    pub couplings: &'a Couplings,
    /// The states that are to be restored, at least one.
    pub patterns: &'a SpinMatrix,
    pub dynamics: &'a dyn Dynamics,
    /// Whether spins that are not damaged are held while the others move.
    pub clamp: bool,
    /// Corrupted copies of each pattern, each with damage of its own; at least one.
    pub n_repeats: u64,
    /// Seed of the damage. That of the first copies is the seed's of [`Corruption::apply`].
    pub seed: u64,
}

/// What one corruption came to.
#[derive(Clone, Debug, PartialEq)]
pub struct BasinPoint {
    /// Damaged spins of a state.
    pub n_damaged: usize,
    /// Initial overlap, mean over patterns and copies as measured.
    pub initial_overlap: f64,
    /// Final overlap, mean over patterns.
    pub final_overlap: f64,
    /// Its standard error over patterns, copies of a pattern averaged first; 0 for a single pattern.
    pub final_overlap_error: f64,
    /// Fraction of copies that ended as the pattern itself, spin for spin.
    pub exact_fraction: f64,
    /// Fraction of copies that reached a fixed point or cycle in the steps made.
    pub settled_fraction: f64,
    /// Mean number of steps before that, or of all steps where neither was reached.
    pub steps_mean: f64,
    /// Final overlap of each pattern, mean over its copies.
    pub overlaps: Vec<f64>,
}

/// The size of a basin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BasinSize {
    /// 1 - m_c, or what [`edge`](Self::edge) says in its place.
    pub size: f64,
    /// Standard deviation over resampled patterns; none where no crossing was found, or of a single pattern.
    pub error: Option<f64>,
    /// What the size is known from.
    pub edge: BasinEdge,
}

/// Where final overlaps cross the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BasinEdge {
    /// Between two initial overlaps that were looked at, `resolution` apart.
    Between { resolution: f64 },
    /// Beyond the smallest initial overlap looked at: the size is that overlap's, a lower bound.
    Beyond,
    /// Nowhere: even the largest initial overlap looked at does not reach the threshold, and the size is 0.
    Nowhere,
}

/// Final against initial overlaps.
#[derive(Clone, Debug, PartialEq)]
pub struct BasinCurve {
    /// Ascending by initial overlap.
    pub points: Vec<BasinPoint>,
}

impl Basins<'_> {
    /// Refuses what cannot be measured.
    fn check(&self) -> Result<()> {
        if self.patterns.n_rows() == 0 {
            return Err(Error::shape("patterns", "at least 1", "none"));
        }
        if self.n_repeats == 0 {
            return Err(Error::parameter("repeats", "at least 1", 0));
        }
        Ok(())
    }

    /// One corruption.
    ///
    /// # Errors
    /// If there is no pattern, no copy is asked for, the corruption does not fit the patterns, the sizes do not fit
    /// together, or interrupted.
    pub fn measure(&self, corruption: &Corruption, execution: &Execution) -> Result<BasinPoint> {
        self.check()?;
        let (patterns, isa) = (self.patterns, execution.isa());
        let n_damaged = corruption.n_damaged(patterns.n_spins())?;
        let n_patterns = patterns.n_rows();
        let mut sums = vec![0.0; n_patterns];
        let (mut initial, mut steps, mut n_exact, mut n_settled) = (0.0, 0.0, 0usize, 0usize);
        for repeat in 0..self.n_repeats {
            let corrupted = corruption.apply(patterns, repeat_seed(self.seed, repeat))?;
            let held = self.clamp.then(|| corrupted.intact());
            let (starts, couplings) = (&corrupted.starts, self.couplings);
            let recall = self.dynamics.run_clamped(couplings, starts, patterns, held.as_ref(), execution)?;
            initial += overlaps(isa, &corrupted.starts, patterns)?.iter().sum::<f64>();
            for (sum, overlap) in sums.iter_mut().zip(overlaps(isa, &recall.states, patterns)?) {
                *sum += overlap;
            }
            n_exact += (0..n_patterns).filter(|&row| recall.states.row(row) == patterns.row(row)).count();
            n_settled += recall.fates.iter().filter(|fate| fate.period.is_some()).count();
            steps += recall.fates.iter().map(|fate| fate.steps as f64).sum::<f64>();
        }
        let n_copies = n_patterns as f64 * self.n_repeats as f64;
        sums.iter_mut().for_each(|sum| *sum /= self.n_repeats as f64);
        let mean = Mean::of(&sums);
        Ok(BasinPoint {
            n_damaged,
            initial_overlap: initial / n_copies,
            final_overlap: mean.value,
            final_overlap_error: mean.error,
            exact_fraction: n_exact as f64 / n_copies,
            settled_fraction: n_settled as f64 / n_copies,
            steps_mean: steps / n_copies,
            overlaps: sums,
        })
    }

    /// All of `corruptions`, in ascending order of the initial overlaps found. Progress counts them.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn curve(&self, corruptions: &[Corruption], execution: &Execution) -> Result<BasinCurve> {
        for corruption in corruptions {
            corruption.n_damaged(self.patterns.n_spins())?;
        }
        execution.progress().begin("basins", corruptions.len() as u64);
        let points = corruptions.iter().map(|corruption| {
            let point = self.measure(corruption, execution);
            execution.progress().advance(1);
            point
        });
        let points = points.collect::<Result<Vec<_>>>();
        execution.progress().end();
        Ok(BasinCurve::new(points?))
    }

    /// The basin sizes at `thresholds` by halving the number of random damaged spins, and the curve of all numbers that were
    /// looked at. 0, no damage, is looked at first: a size is 0 where patterns themselves do not last.
    ///
    /// # Errors
    /// As [`measure`](Self::measure), or if a threshold is not a number from 0 to 1.
    pub fn bisect(
        &self,
        damage: Damage,
        thresholds: &[f64],
        execution: &Execution,
    ) -> Result<(Vec<BasinSize>, BasinCurve)> {
        self.check()?;
        thresholds.iter().try_for_each(|&threshold| check_threshold(threshold))?;
        let n_spins = self.patterns.n_spins();
        // No overlap is left in the mean.
        let hopeless = damage.n_spins(n_spins, 0.0)?;
        let mut points: BTreeMap<usize, BasinPoint> = BTreeMap::new();
        let mut last_counts = Vec::new();
        execution.progress().begin("basins", (thresholds.len() * (n_spins.ilog2() as usize + 2)) as u64);
        let mut search = || -> Result<()> {
            for &threshold in thresholds {
                let mut reaches = |count: usize| -> Result<bool> {
                    if let Entry::Vacant(place) = points.entry(count) {
                        let corruption = Corruption { sites: Sites::Random(count), damage };
                        place.insert(self.measure(&corruption, execution)?);
                    }
                    execution.progress().advance(1);
                    Ok(points[&count].final_overlap >= threshold)
                };
                last_counts.push(match (reaches(0)?, reaches(hopeless)?) {
                    (false, _) => None,
                    (true, true) => Some(hopeless),
                    (true, false) => {
                        let (mut within, mut beyond) = (0, hopeless);
                        while beyond - within > 1 {
                            let middle = within + (beyond - within) / 2;
                            if reaches(middle)? { within = middle } else { beyond = middle }
                        }
                        Some(within)
                    }
                });
            }
            Ok(())
        };
        let searched = search();
        execution.progress().end();
        searched?;
        let curve = BasinCurve::new(points.into_values().collect());
        let size = |(&threshold, count): (&f64, Option<usize>)| {
            let edge = match count {
                None => BasinEdge::Nowhere,
                Some(count) if count == hopeless => BasinEdge::Beyond,
                Some(_) => BasinEdge::Between { resolution: 1.0 - damage.overlap(n_spins, 1) },
            };
            let size = count.map_or(0.0, |count| 1.0 - damage.overlap(n_spins, count));
            BasinSize { size, error: curve.size_error(edge, threshold, self.seed), edge }
        };
        let sizes = thresholds.iter().zip(last_counts).map(size).collect();
        Ok((sizes, curve))
    }
}

impl BasinCurve {
    /// Points in ascending order of their initial overlaps.
    fn new(mut points: Vec<BasinPoint>) -> Self {
        points.sort_by(|a, b| a.initial_overlap.total_cmp(&b.initial_overlap));
        Self { points }
    }

    /// The basin size at `threshold`, between the points by linear interpolation, with its error by bootstrap.
    ///
    /// # Errors
    /// If the threshold is not a number from 0 to 1, or there is no point.
    pub fn size(&self, threshold: f64, seed: u64) -> Result<BasinSize> {
        check_threshold(threshold)?;
        if self.points.is_empty() {
            return Err(Error::shape("initial overlaps", "at least 1", "none"));
        }
        let initial = self.initial_overlaps();
        let means: Vec<f64> = self.points.iter().map(|point| point.final_overlap).collect();
        let edge = match n_below(&means, threshold) {
            0 => BasinEdge::Beyond,
            n_below if n_below == means.len() => BasinEdge::Nowhere,
            n_below => BasinEdge::Between { resolution: initial[n_below] - initial[n_below - 1] },
        };
        let size = basin_size(&initial, &means, threshold);
        Ok(BasinSize { size, error: self.size_error(edge, threshold, seed), edge })
    }

    fn initial_overlaps(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.initial_overlap).collect()
    }

    /// Standard deviation of the basin size over resampled patterns, where there is a size and patterns to choose from.
    fn size_error(&self, edge: BasinEdge, threshold: f64, seed: u64) -> Option<f64> {
        let initial = self.initial_overlaps();
        let n_patterns = self.points.first().map_or(0, |point| point.overlaps.len());
        if n_patterns < 2 || !matches!(edge, BasinEdge::Between { .. }) {
            return None;
        }
        let sizes = (0..RESAMPLES).map(|index| {
            let mut rng = stream(seed, "basin bootstrap", &[index]);
            let chosen: Vec<usize> =
                (0..n_patterns).map(|_| below(&mut rng, n_patterns as u64) as usize).collect();
            let mean = |point: &BasinPoint| {
                chosen.iter().map(|&pattern| point.overlaps[pattern]).sum::<f64>() / n_patterns as f64
            };
            basin_size(&initial, &self.points.iter().map(mean).collect::<Vec<_>>(), threshold)
        });
        let sizes: Vec<f64> = sizes.collect();
        Some(Mean::of(&sizes).error * (sizes.len() as f64).sqrt())
    }
}

/// 1 - m_c, where m_c is the smallest initial overlap from which on mean final overlaps are at least the threshold, by
/// linear interpolation; 0 where there is none, a lower bound where all are. `initial` ascends; `last` has one entry for each.
pub fn basin_size(initial: &[f64], last: &[f64], threshold: f64) -> f64 {
    match n_below(last, threshold) {
        edge if edge == last.len() => 0.0,
        0 => 1.0 - initial[0],
        edge => {
            let share = (threshold - last[edge - 1]) / (last[edge] - last[edge - 1]);
            1.0 - (initial[edge - 1] + share * (initial[edge] - initial[edge - 1]))
        }
    }
}

/// How many points there are before those from which on all reach the threshold.
fn n_below(last: &[f64], threshold: f64) -> usize {
    last.len() - last.iter().rev().take_while(|&&overlap| overlap >= threshold).count()
}

fn check_threshold(threshold: f64) -> Result<()> {
    if (0.0..=1.0).contains(&threshold) {
        return Ok(());
    }
    Err(Error::parameter("threshold", "a number from 0 to 1", threshold))
}

/// The seed of a copy's damage; the first one's is the seed itself.
fn repeat_seed(seed: u64, repeat: u64) -> u64 {
    if repeat == 0 { seed } else { stream(seed, "basin repeat", &[repeat]).next_u64() }
}

#[cfg(test)]
mod tests;
